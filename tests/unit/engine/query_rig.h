// SPDX-License-Identifier: MIT
// What the tests of queries share: series with points, and somebody who waits for a query and is
// woken.
#ifndef QUERY_RIG_H
#define QUERY_RIG_H

#include "workbench.h"

#include "engine/query/query.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static inline void rig_wake(void *user_data)
{
    atomic_fetch_add((_Atomic int *)user_data, 1);
}

// Waits until there were more wakes than `seen`.
static inline void rig_await(_Atomic int *wakes, int seen)
{
    for (int look = 0; atomic_load(wakes) == seen; look++) {
        assert_true(look < 100000);
        usleep(100);
    }
}

// Calls `next` until it does not ask to wait; the status is in `status`.
#define RIG_NEXT(wakes, status, call)                                                              \
    for (int seen_ = atomic_load(wakes); ((status) = (call)) == TAU_STATUS_WOULD_BLOCK;            \
         seen_ = atomic_load(wakes))                                                               \
    rig_await(wakes, seen_)

static inline struct tau_slice rig_slice(const char *text)
{
    return (struct tau_slice){.data = (const uint8_t *)text, .size = strlen(text)};
}

// A series with `count` points, `step` apart from `first` on; value i is first_value + i.
static inline void rig_series(struct workbench *bench, const char *name, int64_t first,
                              int64_t step, size_t count, double first_value)
{
    struct tau_label label = workbench_label(name);
    struct tau_refused_row refused[4096];
    workbench_create(bench, name);
    for (size_t done = 0; done < count;) {
        int64_t timestamps[4096];
        double values[4096];
        size_t part = count - done < 4096 ? count - done : 4096, refused_count;
        for (size_t i = 0; i < part; i++) {
            timestamps[i] = first + (int64_t)(done + i) * step;
            values[i] = first_value + (double)(done + i);
        }
        assert_int_equal(taud_engine_append_columns(bench->engine, &label,
                                                    workbench_timestamps(timestamps, part),
                                                    workbench_values(values, part), refused,
                                                    &refused_count, &bench->position),
                         TAU_STATUS_SUCCESS);
        assert_int_equal(refused_count, 0);
        done += part;
    }
}

// Lets each allocation that a piece of work makes fail once: `body` runs with `refused` counting up
// until nothing is refused any more. It must leave nothing behind.
#define RIG_EACH_FAILURE(bench, body)                                                              \
    do {                                                                                           \
        for (unsigned ahead_ = 1;; ahead_++) {                                                     \
            assert_true(ahead_ < 10000);                                                           \
            failing_allocator_fail_next(&(bench)->memory, ahead_);                                 \
            unsigned fail_at_ = atomic_load(&(bench)->memory.fail_at);                             \
            body;                                                                                  \
            bool failed_ = atomic_load(&(bench)->memory.calls) >= fail_at_;                        \
            atomic_store(&(bench)->memory.fail_at, 0);                                             \
            if (!failed_)                                                                          \
                break;                                                                             \
        }                                                                                          \
    } while (0)

#endif
