/* SPDX-License-Identifier: MIT */
/*
 * A client on a workbench: its core is driven by hand, with scripted bytes and a clock that the
 * test turns, and an allocator that counts and can be told to fail. It has no socket unless it is
 * plugged.
 */
#ifndef RIG_H
#define RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tau/client.h>

#include "async_parts.h"
#include "fake_memory.h"

#define RIG_OUT_SIZE ((size_t)8 * 1024 * 1024)
#define RIG_LOG_SIZE 4096

/* Bytes that a server would send, or that were sent to it. */
struct bytes {
    uint8_t *data;
    size_t size;
    size_t capacity;
};

void bytes_free(struct bytes *bytes);
void bytes_add(struct bytes *bytes, const void *data, size_t size);

/* One completion. `tag` is what the request was made with. */
struct completion {
    uintptr_t tag;
    enum tau_status status;
    bool has_value;
    double value;
};

struct rig {
    struct tau_async *async;
    struct tau_core *core;
    int64_t now_ns;
    struct bytes out; /* what the client sent since it was last looked at */
    struct completion log[RIG_LOG_SIZE];
    size_t count;
    uint64_t batch_points; /* of streams */
    size_t stop_after;     /* batches after which a stream is stopped; 0 for never */
    size_t batches;
};

/* The books of the allocator that every rig's client has. */
extern struct fake_memory rig_memory;

/* Makes a client; `options` may be NULL. False when it has no memory. */
bool rig_begin(struct rig *rig, const struct tau_options *options);
void rig_options(struct tau_options *options);
void rig_end(struct rig *rig);

/* The connection is there; nothing was answered yet. */
void rig_open(struct rig *rig);

/* Everything up to a session that negotiated all operations. The output is cleared. */
void rig_ready(struct rig *rig);

/* Gives a client that is ready one end of a pair of sockets, so that its face has something to read
   and write. Returns the other end, which does not block either. */
int rig_plug(struct rig *rig);

/* Collects what the client wants to send, as if all of it had been. */
void rig_flush(struct rig *rig);

/* Gives bytes to the client; at most `piece` at a time (0 for all at once). */
void rig_feed(struct rig *rig, const void *data, size_t size, size_t piece);
void rig_feed_bytes(struct rig *rig, const struct bytes *bytes);

void rig_lose(struct rig *rig);
void rig_advance(struct rig *rig, int64_t ms);

/* --- frames of a server ---------------------------------------------------------------------- */

void put_frame(struct bytes *bytes, uint8_t opcode, uint8_t flags, const void *payload,
               size_t size);
void put_ok(struct bytes *bytes);
void put_error(struct bytes *bytes, enum tau_status status);
void put_detailed_error(struct bytes *bytes, enum tau_status status, const char *text);
void put_value(struct bytes *bytes, double value);
void put_batch(struct bytes *bytes, uint32_t count, int64_t first, bool more);
void put_negotiation(struct bytes *bytes);

/* --- requests; the tag comes back in the completion ------------------------------------------ */

enum tau_status rig_append(struct rig *rig, uintptr_t tag);
enum tau_status rig_query(struct rig *rig, uintptr_t tag);
enum tau_status rig_latest(struct rig *rig, uintptr_t tag);
enum tau_status rig_ping(struct rig *rig, uintptr_t tag);
enum tau_status rig_range(struct rig *rig, uintptr_t tag);

/* The opcode of the frame at a place of what was sent, 0 when there is none. */
uint8_t sent_opcode(const struct rig *rig, size_t place);

#endif
