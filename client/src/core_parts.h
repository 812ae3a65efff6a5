/* SPDX-License-Identifier: MIT */
/*
 * What the files of the core need of each other: requests and time in core.c, the connection in
 * core_link.c, replies in core_receive.c.
 */
#ifndef TAU_CORE_PARTS_H
#define TAU_CORE_PARTS_H

#include "core.h"

/* A whole frame from the server; the payload is borrowed from the input. */
struct tau_frame {
    uint8_t opcode;
    uint8_t flags;
    struct tau_slice payload;
};

static inline void tau_opcodes_add(uint64_t set[4], uint8_t opcode)
{
    set[opcode / 64] |= UINT64_C(1) << (opcode % 64);
}

static inline bool tau_opcodes_have(const uint64_t set[4], uint8_t opcode)
{
    return (set[opcode / 64] >> (opcode % 64) & 1) != 0;
}

/* Whether the server of a session that is ready takes a call: success, not_supported, or
   layout_mismatch where both know the operation, but not alike. */
enum tau_status tau_core_judge(const struct tau_core *core, const struct tau_call *call);

/* Tells the caller of a request that is no longer in the ring how it ended. */
void tau_core_complete(struct tau_core *core, const struct tau_pending *item,
                       enum tau_status status, struct tau_slice payload,
                       const struct tau_error *error);

/* Completes a request that stays in the ring: its reply, if one comes, is dropped, and when nothing
   of it was sent yet, it never will be. The place is valid; the ring may have changed afterwards.
 */
void tau_core_abandon(struct tau_core *core, size_t place, const struct tau_error *error);

/* Sends CANCEL unless that would hit reads that nobody gave up, or cannot be done. */
void tau_core_cancel_quietly(struct tau_core *core);

/* Takes abandoned requests that were never sent out of the front of the output. */
void tau_core_trim(struct tau_core *core);

/* Says in words why the server's offer does not allow a call; tau_core_judge said `status`. */
void tau_core_explain(const struct tau_call *call, enum tau_status status,
                      struct tau_error *ret_error);

/* The descriptions of the replies that the handshake waits for. */
extern const struct tau_call tau_core_connect_call;
extern const struct tau_call tau_core_negotiate_call;

/* A reply while the session is not ready. */
void tau_core_on_hello(struct tau_core *core, const struct tau_frame *frame, int64_t now_ns);

/* Reads the payload of an ERR frame into `ret_error`; false when the protocol does not allow it. */
bool tau_core_read_error(const struct tau_core *core, struct tau_slice payload,
                         struct tau_error *ret_error);

/* The server broke the protocol: the connection is lost. */
void tau_core_breach(struct tau_core *core, int64_t now_ns, const char *what);

/* Ends the connection with a status and words. */
void tau_core_fail(struct tau_core *core, enum tau_status status, const char *what, int64_t now_ns);

#endif
