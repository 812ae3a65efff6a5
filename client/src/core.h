/* SPDX-License-Identifier: MIT */
/*
 * The client's protocol without any I/O: bytes in, bytes out, completions out, the time passed in.
 * It authenticates and negotiates, keeps requests and replies in step, expires deadlines, and says
 * when a connection is wanted. It knows no socket and reads no clock; a face does that for it.
 *
 *           open             opening              connected           CONNECT's OK
 *   CLOSED -------> WANTED ---------------> OPENING ----------> CONNECT ----------> NEGOTIATE
 *     ^               ^   (after a pause)      |                   |                    |
 *     |               |                        |                   | legacy             | OK
 *     |               +--- lost, reconnecting -+-------------------+---> READY <--------+
 *     +------------------- lost, or refused for good ----------------------+
 *
 * Legacy: a server that does not know NEGOTIATE closes; the next connection goes without it.
 */
#ifndef TAU_CORE_H
#define TAU_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tau/error.h>
#include <tau/options.h>
#include <tau/protocol.h>

#include "call.h"
#include "input.h"
#include "memory.h"
#include "output.h"
#include "pending.h"

#define TAU_NEVER       INT64_MAX
#define TAU_NS_PER_MS   ((int64_t)1000000)
#define TAU_LIMIT_SLOTS 32

enum tau_core_phase {
    TAU_CORE_CLOSED = 0,
    TAU_CORE_WANTED,
    TAU_CORE_OPENING,
    TAU_CORE_CONNECT,
    TAU_CORE_NEGOTIATE,
    TAU_CORE_READY
};

/* The room for CONNECT and NEGOTIATE: headers, certificate, fixed fields, name, 256 fingerprints.
 */
#define TAU_HELLO_SIZE (10 + 32 + 10 + 8 + 8 + 2 + 64 + 2 + 256 * 9)

struct tau_core_config {
    struct tau_allocator allocator;
    struct tau_certificate certificate;
    char client_name[TAU_LIMIT_NAME_BYTES + 1];
    uint32_t connect_timeout_ms;
    uint32_t request_timeout_ms;
    bool negotiate;
    bool announce_layouts;
    bool reconnect;
    uint32_t reconnect_first_ms;
    uint32_t reconnect_max_ms;
    size_t max_outstanding;
    size_t max_output_bytes;
    tau_trace_callback *on_trace; /* or NULL */
    void *trace_user_data;
};

struct tau_core {
    struct tau_core_config config;
    enum tau_core_phase phase;
    bool legacy;                   /* connect without NEGOTIATE */
    bool answered;                 /* a request was answered on this connection */
    unsigned attempts;             /* connections that failed in a row */
    int64_t retry_at_ns;           /* in WANTED: when to open */
    int64_t handshake_deadline_ns; /* from OPENING to READY */
    int64_t ready_since_ns;
    int64_t next_deadline_ns; /* no request whose deadline was started expires earlier */
    size_t unstarted;         /* requests at the end of the ring whose deadlines were not */
    struct tau_server_info server;
    uint64_t listed[4];               /* bit set of opcodes that the server offers */
    uint64_t differing[4];            /* those among them that it lays out in another way than we */
    const struct tau_call *refused;   /* by the last tau_core_begin for want of an offer; or NULL */
    uint64_t limits[TAU_LIMIT_SLOTS]; /* by number; what the server runs with */
    uint8_t hello[TAU_HELLO_SIZE];    /* CONNECT and NEGOTIATE; they go before the output */
    size_t hello_size;
    size_t hello_sent;
    struct tau_input input;
    uint64_t skip; /* bytes of a push still to be passed over */
    struct tau_output output;
    uint64_t traced; /* the position in the output up to which frames were told to the trace */
    struct tau_pending_ring pending;
    size_t outstanding;    /* requests whose callers wait */
    struct tau_error loss; /* why the last connection ended */
};

/* Memory only; nothing is allocated yet. `config` is copied. */
void tau_core_init(struct tau_core *core, const struct tau_core_config *config);

/* Frees everything. No request is outstanding any more (see tau_core_close). */
void tau_core_done(struct tau_core *core);

/* --- the connection -------------------------------------------------------------------------- */

/* Asks for a connection now, unless there is one or one is being made. */
void tau_core_open(struct tau_core *core, int64_t now_ns);

/* Whether the face is to open a connection now. */
bool tau_core_wants_opening(const struct tau_core *core, int64_t now_ns);

/* The face has begun to open one. */
void tau_core_opening(struct tau_core *core, int64_t now_ns);

/* It is open. */
void tau_core_connected(struct tau_core *core, int64_t now_ns);

/* It failed or ended: completes what cannot be answered any more, and plans the next one. In every
   phase; `error` is copied. Afterwards the phase is CLOSED or WANTED, and the face closes its side.
 */
void tau_core_lost(struct tau_core *core, const struct tau_error *error, int64_t now_ns);

/* Ends for good: completes every request. Afterwards the phase is CLOSED. */
void tau_core_close(struct tau_core *core);

/* Whether there is a connection to read from: false after a loss, whoever noticed it. */
static inline bool tau_core_is_open(const struct tau_core *core)
{
    return core->phase >= TAU_CORE_CONNECT;
}

/* --- bytes ----------------------------------------------------------------------------------- */

/* Room to receive into; NULL when there is no memory. Replies that were borrowed end here. */
uint8_t *tau_core_room(struct tau_core *core, size_t *ret_capacity);

/* Bytes were received into the room: completes requests. A breach of the protocol ends as
   tau_core_lost. */
void tau_core_received(struct tau_core *core, size_t size, int64_t now_ns);

/* What may be sent now. Returns the number of slices. */
size_t tau_core_output(const struct tau_core *core, struct tau_slice *slices, size_t capacity);

/* It was sent, as far as this. */
void tau_core_sent(struct tau_core *core, size_t size);

bool tau_core_has_output(const struct tau_core *core);

/* --- time ------------------------------------------------------------------------------------ */

/* When tau_core_start_deadlines, tau_core_tick or tau_core_wants_opening has something to do;
   TAU_NEVER for never, and nothing above 0 for at once. */
int64_t tau_core_deadline(const struct tau_core *core);

/* Lets the time run for the requests that were made since the last call. Making one reads no clock:
   one reading, after all of them, is exact and makes no deadline early. */
void tau_core_start_deadlines(struct tau_core *core, int64_t now_ns);

/* Expires what is due. */
void tau_core_tick(struct tau_core *core, int64_t now_ns);

/* --- requests -------------------------------------------------------------------------------- */

/* Room for a request's payload. Returns success, connection_lost or the reason of the loss while
   the client is closed, not_supported, layout_mismatch, invalid_argument (too long), would_block or
   no_memory. */
enum tau_status tau_core_begin(struct tau_core *core, const struct tau_call *call,
                               size_t payload_size, struct tau_writer *ret_payload);

/* The request was written; `item` brings call, callbacks, user data and timeout. */
void tau_core_commit(struct tau_core *core, const struct tau_writer *payload,
                     const struct tau_pending *item);

/* Sends CANCEL for the reads that are under way. Returns success, not_supported, would_block,
   no_memory. */
enum tau_status tau_core_cancel(struct tau_core *core);

/* Whether the server offers an operation. */
bool tau_core_supports(const struct tau_core *core, uint8_t opcode);

/* A limit that the server runs with, or `otherwise` when it told none. */
uint64_t tau_core_limit(const struct tau_core *core, unsigned number, uint64_t otherwise);

#endif
