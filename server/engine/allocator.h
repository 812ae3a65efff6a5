// SPDX-License-Identifier: MIT
// The seams for memory and time. The engine takes neither from anywhere else, so that a test can
// refuse any allocation and move the clock.
#ifndef TAUD_ENGINE_ALLOCATOR_H
#define TAUD_ENGINE_ALLOCATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct taud_allocator {
    void *context;
    // Aligned for any type; NULL when there is none. release accepts NULL.
    void *(*allocate)(void *context, size_t size);
    void (*release)(void *context, void *memory);
    // Address space that reads as zero and takes memory only where it is touched, aligned to
    // 2 MiB; NULL when there is none.
    void *(*reserve)(void *context, size_t size);
    void (*unreserve)(void *context, void *memory, size_t size);
    // Gives the pages back; they read as zero afterwards. Multiples of 64 KiB.
    void (*discard)(void *context, void *memory, size_t size);
    // Takes the memory of reserved space before it is touched, whatever is in it and whoever writes
    // to it meanwhile. Multiples of 64 KiB. False where the system cannot.
    bool (*populate)(void *context, void *memory, size_t size);
};

// malloc and mmap. It has no state.
const struct taud_allocator *taud_allocator_system(void);

struct taud_clock {
    void *context;
    // Nanoseconds from an arbitrary start, never backwards, of the clock that
    // pthread_cond_timedwait uses after pthread_condattr_setclock(CLOCK_MONOTONIC).
    uint64_t (*monotonic_ns)(void *context);
    // Nanoseconds since 1970, as far as the machine knows: it may jump.
    int64_t (*realtime_ns)(void *context);
};

const struct taud_clock *taud_clock_system(void);

#endif
