/* SPDX-License-Identifier: MIT */
/*
 * An allocator for the tests of the client: it counts what lives, and fails when it is told to. The
 * blocks themselves come from malloc, so that a sanitizer sees them.
 */
#ifndef FAKE_MEMORY_H
#define FAKE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

#include <tau/options.h>

/* Every allocation is counted; the one numbered `fail_at` (from 1) fails, and with `fail_on` all
   after it too. */
struct fake_memory {
    size_t live_bytes;
    size_t live_blocks;
    size_t peak_bytes;
    size_t calls;
    size_t fail_at;
    bool fail_on;
};

/* The books are the test's, and outlive what allocates from them. */
struct tau_allocator fake_allocator(struct fake_memory *memory);

/* Lets every allocation from here on fail. */
void fake_memory_exhaust(struct fake_memory *memory);

#endif
