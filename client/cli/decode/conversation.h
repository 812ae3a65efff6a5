/* SPDX-License-Identifier: MIT */
/*
 * Which request a reply belongs to: replies come in the order of the requests, and a frame with the
 * flag MORE leaves its request waiting. What a frame is and how its payload reads follows from that
 * and from the generated tables; no operation is known by name.
 */
#ifndef TAU_CLI_DECODE_CONVERSATION_H
#define TAU_CLI_DECODE_CONVERSATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tau_tables.h"

/* Requests that wait for their reply. Beyond the limit the oldest are forgotten: their replies are
   not in what is being read. */
#define CLI_WAITING_LIMIT ((size_t)1 << 20)

struct cli_conversation {
    uint8_t *waiting; /* opcodes, a ring */
    size_t capacity;
    size_t first;
    size_t count;
};

/* One frame, and what is known of it. */
struct cli_frame {
    bool reply; /* sent by the server */
    struct tau_header header;
    const struct tau_operation_info *operation; /* what it asks for or answers; NULL: not known */
    const struct tau_payload_info *layout;      /* NULL: its payload is empty, or not known */
    bool readable;                              /* whether it is known how its payload reads */
    struct tau_slice payload;                   /* borrowed */
};

void cli_conversation_init(struct cli_conversation *conversation);
void cli_conversation_done(struct cli_conversation *conversation);

/* Forgets what waits: another connection begins. */
void cli_conversation_forget(struct cli_conversation *conversation);

/* Describes a frame of a header that is right, and takes note of it. Returns false when there is no
   memory; the frame is described all the same. */
bool cli_conversation_add(struct cli_conversation *conversation, bool reply,
                          const struct tau_header *header, struct tau_slice payload,
                          struct cli_frame *ret_frame);

/* A request whose header is wrong is answered too. Returns false when there is no memory. */
bool cli_conversation_add_refused(struct cli_conversation *conversation, uint8_t opcode);

#endif
