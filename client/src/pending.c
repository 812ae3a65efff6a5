/* SPDX-License-Identifier: MIT */
/*
 * The ring of unanswered requests.
 */
#include "pending.h"

#include <assert.h>

#define FIRST_CAPACITY ((size_t)64)

void tau_pending_init(struct tau_pending_ring *ring, const struct tau_allocator *allocator)
{
    *ring = (struct tau_pending_ring){.allocator = allocator};
}

void tau_pending_done(struct tau_pending_ring *ring)
{
    tau_memory_release(ring->allocator, ring->items, ring->capacity * sizeof(*ring->items));
    tau_pending_init(ring, ring->allocator);
}

bool tau_pending_reserve(struct tau_pending_ring *ring)
{
    if (ring->count < ring->capacity)
        return true;
    size_t capacity = ring->capacity > 0 ? ring->capacity * 2 : FIRST_CAPACITY;
    struct tau_pending *items = tau_memory_allocate(ring->allocator, capacity * sizeof(*items));
    if (items == NULL)
        return false;
    for (size_t i = 0; i < ring->count; i++)
        items[i] = *tau_pending_at(ring, i);
    tau_memory_release(ring->allocator, ring->items, ring->capacity * sizeof(*items));
    ring->items = items;
    ring->capacity = capacity;
    ring->first = 0;
    return true;
}

void tau_pending_push(struct tau_pending_ring *ring, const struct tau_pending *item)
{
    assert(ring->count < ring->capacity);
    ring->count++;
    *tau_pending_at(ring, ring->count - 1) = *item;
}

void tau_pending_pop(struct tau_pending_ring *ring)
{
    assert(ring->count > 0);
    ring->first = (ring->first + 1) & (ring->capacity - 1);
    ring->count--;
}
