// SPDX-License-Identifier: MIT
// A bound on the memory that requests and replies under way may hold in the whole server. Who wants
// to hold more asks first; who must hold it (a reply that exists already) takes it and overdraws.
#ifndef TAUD_TRANSPORT_BUDGET_H
#define TAUD_TRANSPORT_BUDGET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct taud_budget {
    uint64_t limit_bytes;
    _Atomic uint64_t used_bytes;
};

// Whether this much more is within the limit.
static inline bool taud_budget_has_room(const struct taud_budget *budget, size_t bytes)
{
    return atomic_load_explicit(&budget->used_bytes, memory_order_relaxed) + bytes <=
           budget->limit_bytes;
}

static inline void taud_budget_take(struct taud_budget *budget, size_t bytes)
{
    atomic_fetch_add_explicit(&budget->used_bytes, bytes, memory_order_relaxed);
}

static inline void taud_budget_give(struct taud_budget *budget, size_t bytes)
{
    atomic_fetch_sub_explicit(&budget->used_bytes, bytes, memory_order_relaxed);
}

#endif
