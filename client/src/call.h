/* SPDX-License-Identifier: MIT */
/*
 * What the generated calls and the hand-written core know of each other: a call's description, and
 * the completion that the core hands back to be decoded. Nothing here is public.
 */
#ifndef TAU_CALL_H
#define TAU_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include <tau/error.h>
#include <tau/protocol.h>

#include "pending.h"
#include "wire/slice.h"
#include "wire/writer.h"

/* What a caller says to a batch of a stream, or a decoder to any response. */
enum tau_verdict {
    TAU_VERDICT_CONTINUE = 0,
    TAU_VERDICT_STOP = 1,  /* the caller wants no more */
    TAU_VERDICT_BROKEN = 2 /* the payload does not decode; nobody was told yet */
};

/* One frame of a reply, or the end of a request in another way. Borrowed for the call. */
struct tau_completion {
    enum tau_status status;
    struct tau_slice payload;      /* the response, when the status is success */
    const struct tau_error *error; /* when it is not */
    tau_any_callback *callback;
    tau_any_callback *batch_callback;
    void *user_data;
};

/* The constant description of an operation's call, one for each, generated. */
struct tau_call {
    uint8_t opcode;
    uint8_t reply; /* the opcode of success */
    bool write;
    bool negotiated;
    bool raw;              /* laid out by the caller: whether our own layout differs is no matter */
    const char *name;      /* of a raw one, for messages; of the others it is the opcode's */
    uint32_t response_max; /* the longest payload of one frame of the response */

    /* Tells the caller how a request ended. Of a unary one the payload is decoded here, and BROKEN
       means that the core is to call again with an error. Otherwise it returns CONTINUE. */
    enum tau_verdict (*complete)(const struct tau_completion *completion);

    /* Of a stream, else NULL: hands a frame's batch over. The last frame comes here too. */
    enum tau_verdict (*batch)(const struct tau_completion *completion);
};

/* The operation's name, for messages. */
static inline const char *tau_call_name(const struct tau_call *call)
{
    return call->name != NULL ? call->name : tau_opcode_name(call->opcode);
}

struct tau_async;

/* Begins a request of the asynchronous client: checks that it may be sent now and gives the room
   for its payload. Fails with the statuses that a typed call documents. */
enum tau_status tau_async_begin(struct tau_async *async, const struct tau_call *call,
                                size_t payload_size, struct tau_writer *ret_payload);

/* Ends it when the payload was written: from here on it completes exactly once. */
void tau_async_commit(struct tau_async *async, const struct tau_call *call,
                      const struct tau_writer *payload, tau_any_callback *callback,
                      tau_any_callback *batch_callback, void *user_data);

/* A blocking call on its way: the callback of the request finds the caller's memory through it. */
struct tau_waiter {
    struct tau_client *client;
    void *response; /* of the caller, or NULL */
    struct tau_error *error;
    tau_any_callback *batch_callback; /* of the caller */
    void *user_data;
    int64_t deadline_ns;
    enum tau_status status;
    bool done;
};

/* Begins a blocking call. Returns success, or invalid_argument in a callback. */
enum tau_status tau_waiter_begin(struct tau_waiter *waiter, struct tau_client *client,
                                 void *response, struct tau_error *error);

/* After would_block: waits until the request may be tried again; false when the deadline passes. */
bool tau_waiter_make_room(struct tau_waiter *waiter);

/* Waits for the answer to a request that was made with `status`; fills error, returns the result.
 */
enum tau_status tau_waiter_end(struct tau_waiter *waiter, enum tau_status status);

/* The callback of the request was called. */
void tau_waiter_finish(struct tau_waiter *waiter, enum tau_status status,
                       const struct tau_error *error);

#endif
