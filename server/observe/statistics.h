// SPDX-License-Identifier: MIT
// Counters of the server. Each worker has its own set, which only it changes, on cache lines of its
// own; whoever wants figures adds them up. It knows nothing of what is counted.
#ifndef TAUD_OBSERVE_STATISTICS_H
#define TAUD_OBSERVE_STATISTICS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum taud_counter {
    TAUD_COUNT_ACCEPTED,    // connections taken over
    TAUD_COUNT_REFUSED,     // connections beyond the maximum
    TAUD_COUNT_CLOSED,      // connections closed
    TAUD_COUNT_TIMED_OUT,   // of those, by a deadline
    TAUD_COUNT_AUTH_FAILED, // wrong certificates
    TAUD_COUNT_REQUESTS,    // requests executed
    TAUD_COUNT_ERRORS,      // requests that ended with ERR
    TAUD_COUNT_READ_BYTES,  // from clients
    TAUD_COUNT_WRITE_BYTES, // to clients
    TAUD_COUNT_COMMITS,     // commits asked for
    TAUD_COUNT_PUSHES,      // pushes sent
    TAUD_COUNT_PUSHES_LOST, // pushes for which there was no room
    TAUD_COUNTERS,
};

struct taud_statistics {
    _Alignas(64) _Atomic uint64_t counters[TAUD_COUNTERS];
};

// Adds to a counter. Only the owner of the set may call it, so that no locked instruction is
// needed.
static inline void taud_count(struct taud_statistics *statistics, enum taud_counter counter,
                              uint64_t amount)
{
    _Atomic uint64_t *value = &statistics->counters[counter];
    atomic_store_explicit(value, atomic_load_explicit(value, memory_order_relaxed) + amount,
                          memory_order_relaxed);
}

// The counter as it is about now. Any thread.
static inline uint64_t taud_counter_value(const struct taud_statistics *statistics,
                                          enum taud_counter counter)
{
    return atomic_load_explicit(&statistics->counters[counter], memory_order_relaxed);
}

#endif
