/* SPDX-License-Identifier: MIT */
/*
 * The requests that wait for their replies, first sent first, in a ring that doubles up to a
 * maximum. An entry stays until its reply has come, even when the caller was told of a timeout long
 * before: that is how a late reply finds nobody and does no harm.
 */
#ifndef TAU_PENDING_H
#define TAU_PENDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "memory.h"

struct tau_call;

/* What a typed callback is kept as; it is called through its own type again. */
typedef void tau_any_callback(void);

enum tau_pending_flag {
    TAU_PENDING_ABANDONED = 1, /* the caller was told how it ended; the reply is dropped */
    TAU_PENDING_STOPPED = 2,   /* a stream that the caller stopped; it ends as cancelled */
    TAU_PENDING_RENEW = 4      /* a stream that moved; the next tick gives it a new deadline */
};

struct tau_pending {
    uint64_t start;              /* position of the frame's first byte in the output */
    int64_t deadline_ns;         /* TAU_NEVER for none */
    const struct tau_call *call; /* what was asked */
    tau_any_callback *callback;
    tau_any_callback *batch_callback; /* of a stream */
    void *user_data;
    uint32_t size; /* of the frame */
    uint32_t timeout_ms;
    uint32_t flags;
};

struct tau_pending_ring {
    const struct tau_allocator *allocator;
    struct tau_pending *items;
    size_t capacity; /* 0 or a power of 2 */
    size_t first;
    size_t count;
};

void tau_pending_init(struct tau_pending_ring *ring, const struct tau_allocator *allocator);
void tau_pending_done(struct tau_pending_ring *ring);

/* Makes room for one more; false when there is no memory. */
bool tau_pending_reserve(struct tau_pending_ring *ring);

/* Adds a copy behind the last; there is room. */
void tau_pending_push(struct tau_pending_ring *ring, const struct tau_pending *item);

/* Removes the first. */
void tau_pending_pop(struct tau_pending_ring *ring);

/* The entry at a place, 0 for the first. Valid until the next reserve. */
static inline struct tau_pending *tau_pending_at(const struct tau_pending_ring *ring, size_t place)
{
    return &ring->items[(ring->first + place) & (ring->capacity - 1)];
}

#endif
