// SPDX-License-Identifier: MIT
// What a handler is given besides its request, and what it may do with it. Handlers know neither
// transports nor sockets: the generated dispatch decodes, calls and encodes (taud_handlers.h holds
// the prototypes).
//
// A unary handler returns a status, or TAUD_PENDING after taud_defer_NAME. A batched one takes
// consecutive requests of one connection as an array and sets a status for each. A stream is
// opened, asked for batches while the output has room, and closed exactly once whatever happens. It
// returns a batch, a status, or TAUD_PENDING when its alarm will ring or context->again_ms is set.
//
// A write raises context->log_position to its place in the log; the reply is held back until that
// is durable. Memory from taud_context_take lives until the reply is encoded.
#ifndef TAUD_SERVICE_CONTEXT_H
#define TAUD_SERVICE_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tau/protocol.h>

#include "tau_codec.h"
#include "wire/decode.h"

struct taud_alarm;
struct taud_request_arena;
struct taud_engine;
struct taud_mailbox;
struct taud_pending;
struct taud_session;

// Not a status: the request will be completed later, by taud_complete_NAME, or the stream has
// nothing to send before its alarm rings.
#define TAUD_PENDING ((enum tau_status)0xFFFF)

// A field of a request, as an error tells it.
struct taud_field {
    uint16_t number;      // counts the request's fields from 0
    uint32_t offset;      // in the payload; 0 where it depends on what stands before
    const char *expected; // its name and what it may hold
};

struct taud_context {
    struct taud_engine *engine;
    struct taud_request_arena *arena;
    uint64_t identity;     // of the session: a number that no other one of this process has
    enum tau_role role;    // what this session may do
    uint64_t features;     // what was negotiated, as bits
    uint64_t now_ms;       // monotonic
    uint64_t deadline_ms;  // when nobody waits any more; 0: never
    uint64_t log_position; // raised by writes
    uint64_t again_ms;     // when a stream that is TAUD_PENDING is asked again anyway; 0: never
    uint32_t small_left;   // queries that this turn may do itself, since they are small
    struct tau_slice payload; // of the request, in its handler and while its stream is opened
    // For taud_defer_NAME and taud_session_reference: not for handlers.
    struct taud_session *session;
    struct taud_mailbox *mailbox;
    struct taud_pending *deferred;
    // For taud_context_refuse and taud_context_explain; NULL where no reply can tell it.
    struct tau_decode_error *detail;
};

// Refuses what a field of the request holds: on a session that negotiated it, the reply names the
// field. taud_handlers.h has the fields (TAUD_FIELD_OPERATION_NAME), which the specification
// documents. Returns the status. Not for batched handlers, nor once a request is deferred.
static inline enum tau_status taud_context_refuse(struct taud_context *context,
                                                  enum tau_status status, struct taud_field field)
{
    return tau_decode_fail(context->detail, status, field.number, field.offset, field.expected);
}

// A limit of the protocol in digits, for what a field is told to hold.
#define TAUD_DIGITS(limit)     TAUD_DIGITS_OF(limit)
#define TAUD_DIGITS_OF(digits) #digits

// Says why a request failed, in words that must live as long as the stream that failed, or for
// ever; likewise. Returns the status.
static inline enum tau_status taud_context_explain(struct taud_context *context,
                                                   enum tau_status status, const char *words)
{
    return tau_decode_fail(context->detail, status, TAU_FIELD_NONE, 0, words);
}

// Memory for the response or for intermediate results; NULL when there is none.
__attribute__((warn_unused_result)) void *taud_context_take(struct taud_context *context,
                                                            size_t size);

// --- requests that are completed later ----------------------------------------------------------

// The generated taud_defer_NAME keeps a copy of the request and returns a handle, or NULL without
// memory. The handler then returns TAUD_PENDING, and whoever has the handle calls
// taud_complete_NAME exactly once, from any thread, also when the request was cancelled or its
// connection is gone.

// Memory that lives as long as the handle. Only one thread at a time.
__attribute__((warn_unused_result)) void *taud_pending_take(struct taud_pending *pending,
                                                            size_t size);

// Whether nobody waits for the result any more. Any thread.
bool taud_pending_cancelled(const struct taud_pending *pending);

// The log position that the reply must wait for; for writes.
void taud_pending_hold(struct taud_pending *pending, uint64_t log_position);

// --- streams that wait --------------------------------------------------------------------------

// An alarm of the stream that is being opened, which its close frees. NULL without memory.
__attribute__((warn_unused_result)) struct taud_alarm *taud_alarm_new(struct taud_context *context);
void taud_alarm_free(struct taud_alarm *alarm); // accepts NULL

// The stream is to be asked for a batch again. Any thread, at any time before taud_alarm_free.
void taud_alarm_ring(struct taud_alarm *alarm);

// --- pushes -------------------------------------------------------------------------------------

// A name for a session that outlives it, for pushes from any thread. Give it back with
// taud_session_reference_done.
struct taud_session_reference {
    struct taud_mailbox *mailbox;
    struct taud_session *session;
    uint64_t identity;
};

struct taud_session_reference taud_session_reference(struct taud_context *context);
void taud_session_reference_done(struct taud_session_reference *reference);

// Sends a frame unasked. It is dropped when the session is gone or has too many waiting already.
// Returns false when there is no memory or the server is stopping. Any thread.
bool taud_push(const struct taud_session_reference *reference, uint8_t opcode,
               struct tau_slice payload);

#endif
