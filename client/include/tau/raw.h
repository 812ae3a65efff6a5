/* SPDX-License-Identifier: MIT */
/*
 * Raw requests: operations that this library was not compiled with, or that the server lays out in
 * another way. The caller describes the operation, as the server's specification does
 * (tau_client_specification), writes the request's payload and reads the reply's.
 */
#ifndef TAU_RAW_H
#define TAU_RAW_H

#include <stdbool.h>
#include <stdint.h>

#include <tau/error.h>
#include <tau/export.h>
#include <tau/protocol.h>

TAU_BEGIN_DECLARATIONS

struct tau_client;
struct tau_async;

/** What a raw request needs to know of its operation. */
struct tau_raw_operation {
    const char *name; /* for messages, at most 64 bytes of it; NULL for that of the opcode */
    uint8_t opcode;   /* of the request */
    uint8_t reply;    /* of a successful answer: TAU_OPCODE_OK, unless the operation has its own */
    bool stream;      /* whether any number of frames answer it */
    bool write;       /* whether it may have happened when its answer does not come */
};

/** The payload of one frame of the reply, borrowed for the call; false to end a stream. */
typedef bool tau_raw_frame_callback(void *user_data, struct tau_slice payload);

/** How a raw request has ended. */
typedef void tau_raw_callback(void *user_data, enum tau_status status,
                              const struct tau_error *error);

/**
 * Sends a request as it is and hands over each frame of its reply.
 *
 * It is sent only to a server whose negotiation listed the operation, or when the operation is of
 * version 1's first day. A server refuses one whose layout it knows to differ from this library's:
 * set options.announce_layouts to false for such.
 *
 * Request: at most TAU_LIMIT_PAYLOAD_BYTES bytes.
 * Ownership: `operation` and `request` are borrowed for the call. Frames are borrowed for the call
 * of `on_frame`; with one frame it is called once, on success. Returning false ends a stream: the
 * call then returns cancelled. `error` may be NULL.
 * Returns: success; any status of the server; outcome_unknown (of a write); cancelled (of a
 * stream); not_supported; timeout; connection_failed; connection_lost; protocol_error;
 * invalid_argument (a payload that is too long, an opcode of the session or of a reply); no_memory.
 * Thread: the client's. Blocks: until the server is silent for the request timeout. Since: 1.0.
 */
TAU_API TAU_MUST_USE enum tau_status tau_client_raw(struct tau_client *client,
                                                    const struct tau_raw_operation *operation,
                                                    struct tau_slice request,
                                                    tau_raw_frame_callback *on_frame,
                                                    void *user_data, struct tau_error *error);

/**
 * Sends a request as it is. Asynchronous; see tau_client_raw.
 *
 * `on_frame` is called for each frame, `on_done` once at the end. Returns and completes as the
 * typed calls of <tau/operations.h> do.
 */
TAU_API TAU_MUST_USE enum tau_status tau_async_raw(struct tau_async *async,
                                                   const struct tau_raw_operation *operation,
                                                   struct tau_slice request,
                                                   tau_raw_frame_callback *on_frame,
                                                   tau_raw_callback *on_done, void *user_data);

TAU_END_DECLARATIONS

#endif
