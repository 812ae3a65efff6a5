// SPDX-License-Identifier: MIT
// A session of the binary wire format, without I/O: bytes in, frames checked and executed, replies
// out, the time passed in. One struct taud_transport serves all sessions of a worker, one after the
// other; a session keeps only what must outlive its turn.
//
//             right certificate                 DISCONNECT, a fault of the header,
//     new ----------------------> authenticated ------------------------------------> closed
//      |      (its own machine is generated: tau_session.rl)                             ^
//      +---- any other request, the third wrong certificate, DISCONNECT -----------------+
#ifndef TAUD_TRANSPORT_SESSION_H
#define TAUD_TRANSPORT_SESSION_H

#include "observe/statistics.h"
#include "transport/request_arena.h"
#include "transport/operation.h"
#include "transport/penalty.h"
#include "transport/pending.h"

enum {
    // A session executes nothing more while this much output waits.
    TAUD_OUTPUT_MAX_BYTES = 256 * 1024,
    // The same before authentication: a stranger shall not use up what all sessions share.
    TAUD_OUTPUT_NEW_MAX_BYTES = 4 * 1024,
    // While a session executes nothing, it is read up to here, to find CANCEL.
    TAUD_INPUT_MAX_BYTES = 64 * 1024,
    // Requests of one session that may be waiting for their completion.
    TAUD_PENDING_MAX = 64,
    // Queries of one connection that its worker does itself in one turn, since they are small: the
    // connections beside it wait for them. More of them go to the threads of queries.
    TAUD_TURN_SMALL_QUERIES = 2,
    // Pushes of one session that may be waiting to be sent.
    TAUD_PUSH_MAX = 256,
};

// Why a session does not execute what it was given.
enum taud_wait {
    TAUD_WAIT_INPUT,   // it needs more bytes
    TAUD_WAIT_OUTPUT,  // its output is full
    TAUD_WAIT_LOG,     // the log has no room for more writes
    TAUD_WAIT_PENDING, // too many requests wait for their completion
    TAUD_WAIT_STREAM,  // its stream has nothing to send yet; the alarm will ring
    TAUD_WAIT_PENALTY, // the answer to a wrong certificate is being delayed
    TAUD_WAIT_CLOSED,  // nothing will ever be executed again
};

struct taud_session {
    struct taud_output output;
    const struct taud_operation *streaming; // the stream that is running, or NULL
    void *stream;
    struct taud_budget *budget;
    uint64_t identity; // 0 while the memory is free
    uint64_t features;
    uint64_t penalty_until_ms; // 0: none
    uint64_t again_ms;         // when the stream that waits is asked again; 0: by its alarm alone
    uint64_t mismatches;       // rows of operations with another layout on the client's side
    uint32_t skip_bytes;       // of a refused request's payload that have not come yet
    uint32_t scan_offset;      // in the bytes not executed yet: the first header not looked at
    uint32_t cancel_offset;    // likewise: reads before it were cancelled
    uint32_t frame_count;      // frames begun: tells whether an unfinished one is still the same
    uint16_t pending_count;
    uint8_t state; // enum tau_session_state
    uint8_t wrong_certificates;
    uint8_t wait; // enum taud_wait
    struct taud_penalty_key address;
};

// What all sessions of a worker share.
struct taud_transport {
    struct taud_context context;
    struct taud_reply reply;
    struct taud_request_arena arena;
    struct taud_budget *budget;
    struct taud_penalties *penalties;
    struct taud_statistics *statistics;
    const struct taud_log_watch *log;
    struct tau_certificate certificate; // set by the owner before the first session
    uint64_t now_ms;                    // set by the owner before each turn
};

struct taud_transport_options {
    struct taud_engine *engine;
    struct taud_mailbox *mailbox;
    struct taud_budget *budget;
    struct taud_penalties *penalties;
    struct taud_statistics *statistics;
    const struct taud_log_watch *log;
};

// All that the options point to is borrowed. Returns false when there is no memory.
__attribute__((warn_unused_result)) bool
taud_transport_init(struct taud_transport *transport, const struct taud_transport_options *options);
void taud_transport_done(struct taud_transport *transport);

// Begins a session. identity must never be used again.
void taud_session_init(struct taud_session *session, struct taud_budget *budget, uint64_t identity,
                       const struct taud_penalty_key *address);

// Ends it: closes its stream, frees its output, and lets go of requests that are not completed.
void taud_session_done(struct taud_session *session);

// Begins a turn: until the next one, replies to this session gather in transport->reply.
void taud_session_begin_turn(struct taud_session *session, struct taud_transport *transport);

// Executes what stands in `data`, which begins where the last call stopped. Returns how many bytes
// were consumed; session->wait says why not more.
size_t taud_session_execute(struct taud_session *session, struct taud_transport *transport,
                            const uint8_t *data, size_t size);

// Looks through what was not consumed for CANCEL, which acts at once. Returns whether it did, and
// then execution may have become possible.
bool taud_session_scan(struct taud_session *session, struct taud_transport *transport,
                       const uint8_t *data, size_t size);

// The size of the frame that `data` begins with, or 0 while its header is not whole.
size_t taud_session_frame_size(const uint8_t *data, size_t size);

// How many bytes may be read for a session that has `held` bytes which were not consumed.
size_t taud_session_read_limit(const struct taud_session *session, size_t held, size_t limit);

bool taud_session_authenticated(const struct taud_session *session);

// Answers with an error and closes: for connections beyond the maximum.
void taud_session_refuse(struct taud_session *session, struct taud_transport *transport,
                         enum tau_status status);

// Takes over a request that was completed, in a turn of its session. pending->block must not be
// NULL: where it is, nobody waits any more, and the handle is only to be freed.
void taud_session_complete(struct taud_transport *transport, struct taud_pending *pending);

// Takes over a push. Returns whether the session is still there and had room.
bool taud_session_push(struct taud_transport *transport, struct taud_push_message *push);

#endif
