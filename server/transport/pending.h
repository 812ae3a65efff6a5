// SPDX-License-Identifier: MIT
// Requests that are completed later. The handle belongs to the handler until it completes it, then
// to the mailbox, then to the worker. Only the worker's thread touches the session and the block.
//
//   taud_pending_new --> handler (any thread) --> taud_pending_complete --> mailbox
//                                                  --> taud_pending_deliver (worker) --> freed
#ifndef TAUD_TRANSPORT_PENDING_H
#define TAUD_TRANSPORT_PENDING_H

#include "transport/request_arena.h"
#include "transport/mailbox.h"
#include "transport/operation.h"

struct taud_pending {
    struct taud_message message; // first: posted when the request is complete
    struct taud_mailbox *mailbox;
    struct taud_session *session;
    uint64_t identity; // of the session: the memory may hold another one by now
    struct taud_budget *budget;
    struct taud_block *block;  // where the reply will stand; NULL when nobody waits
    struct taud_block *filled; // the reply; NULL for an error
    struct taud_request_arena arena;
    struct tau_slice payload; // a copy, in the arena
    uint64_t log_position;
    enum tau_status status;
    bool write;
    _Atomic bool cancelled;
};

// Makes a handle with a copy of the request's payload, which the generated taud_defer_NAME decodes
// again. Returns NULL without memory, or when the request has one already.
__attribute__((warn_unused_result)) struct taud_pending *
taud_pending_new(struct taud_context *context);

// Returns a writer with room for the response of this size, or NULL without memory.
struct tau_writer *taud_pending_begin(struct taud_pending *pending, size_t payload_size,
                                      struct tau_writer *ret_writer);

// Completes the request: with what the writer holds, or with the status where that is not SUCCESS.
void taud_pending_complete(struct taud_pending *pending, enum tau_status status, uint8_t opcode,
                           const struct tau_writer *writer);

// Frees the handle and what it still has.
void taud_pending_free(struct taud_pending *pending);

// A push on its way to the worker of its session.
struct taud_push_message {
    struct taud_message message; // first
    struct taud_session *session;
    uint64_t identity;
    size_t size;
    uint8_t frame[];
};

#endif
