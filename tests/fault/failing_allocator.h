// SPDX-License-Identifier: MIT
// A memory behind the engine's allocation seam that counts what is asked for and what is held, and
// that can refuse: one request once, or all from one on. Several threads may use it.
#ifndef TAU_TESTS_FAULT_FAILING_ALLOCATOR_H
#define TAU_TESTS_FAULT_FAILING_ALLOCATOR_H

#include "engine/allocator.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct failing_allocator {
    struct taud_allocator table; // what the engine is given
    _Atomic unsigned calls;      // allocations and reservations asked for
    _Atomic unsigned fail_at;    // the number of the one that gets nothing, from 1; 0: none
    bool for_good;               // and so do all behind it
    _Atomic bool has_owner;      // only requests of this thread are counted and refused:
    pthread_t owner;
    _Atomic int live;            // allocations and reservations not given back
};

void failing_allocator_init(struct failing_allocator *failing, unsigned fail_at, bool for_good);

// Refuses the request that is `ahead` from now, 1 for the next one.
void failing_allocator_fail_next(struct failing_allocator *failing, unsigned ahead);

// The same of what the calling thread asks for from now on: where an engine's threads are at work,
// they would be refused what was meant for it.
void failing_allocator_fail_mine(struct failing_allocator *failing, unsigned ahead);

#endif
