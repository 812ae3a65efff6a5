// SPDX-License-Identifier: MIT
// A memory behind the engine's allocation seam that counts what is asked for and what is held, and
// that can refuse: one request once, or all from one on. Several threads may use it.
#ifndef TAU_TESTS_FAULT_FAILING_ALLOCATOR_H
#define TAU_TESTS_FAULT_FAILING_ALLOCATOR_H

#include "engine/allocator.h"

#include <stdatomic.h>
#include <stdbool.h>

struct failing_allocator {
    struct taud_allocator table; // what the engine is given
    _Atomic unsigned calls;      // allocations and reservations asked for
    _Atomic unsigned fail_at;    // the number of the one that gets nothing, from 1; 0: none
    bool for_good;               // and so do all behind it
    _Atomic int live;            // allocations and reservations not given back
};

void failing_allocator_init(struct failing_allocator *failing, unsigned fail_at, bool for_good);

// Refuses the request that is `ahead` from now, 1 for the next one.
void failing_allocator_fail_next(struct failing_allocator *failing, unsigned ahead);

#endif
