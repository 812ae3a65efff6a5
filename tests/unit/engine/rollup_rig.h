// SPDX-License-Identifier: MIT
// What the tests of rollups share: rules, and what AGGREGATE says of their sources beside what
// their targets hold.
#ifndef ROLLUP_RIG_H
#define ROLLUP_RIG_H

#include "query_rig.h"
#include "storage_rig.h"

#include <math.h>

static inline struct tau_rollup rollup_rig_rule(const char *target, const char *source,
                                                uint64_t width,
                                                enum tau_aggregate_function function)
{
    return (struct tau_rollup){.target = workbench_label(target),
                               .source = workbench_label(source),
                               .width = width,
                               .function = function,
                               .parameter = 0.5};
}

static inline enum tau_status rollup_rig_try(struct workbench *bench, const char *target,
                                             const char *source, uint64_t width)
{
    struct tau_rollup rule = rollup_rig_rule(target, source, width, TAU_AGGREGATE_FUNCTION_SUM);
    return taud_engine_create_rollup(bench->engine, &rule, &bench->position);
}

// Makes the target, too.
static inline void rollup_rig_create(struct workbench *bench, const char *target,
                                     const char *source, uint64_t width,
                                     enum tau_aggregate_function function)
{
    struct tau_rollup rule = rollup_rig_rule(target, source, width, function);
    workbench_create(bench, target);
    assert_int_equal(taud_engine_create_rollup(bench->engine, &rule, &bench->position),
                     TAU_STATUS_SUCCESS);
}

static inline enum tau_status rollup_rig_drop(struct workbench *bench, const char *target)
{
    struct tau_label label = workbench_label(target);
    return taud_engine_drop_rollup(bench->engine, &label, &bench->position);
}

// The rule of a target, as it is listed; it must be there.
static inline struct tau_rollup rollup_rig_find(struct workbench *bench, const char *target)
{
    struct tau_label label = workbench_label(target);
    struct tau_rollup found[32];
    size_t count;
    bool more;
    taud_engine_list_rollups(bench->engine, NULL, 32, found, &count, &more);
    assert_false(more);
    for (size_t i = 0; i < count; i++) {
        if (memcmp(&found[i].target, &label, sizeof label) == 0)
            return found[i];
    }
    fail();
    return found[0];
}

static inline size_t rollup_rig_count(struct workbench *bench)
{
    struct tau_rollup found[64];
    size_t count;
    bool more;
    taud_engine_list_rollups(bench->engine, NULL, 64, found, &count, &more);
    return count;
}

struct rollup_rig_points {
    size_t count;
    int64_t timestamps[8192];
    double values[8192];
};

static inline void rollup_rig_read(struct workbench *bench, const char *label,
                                   struct rollup_rig_points *ret)
{
    struct tau_label named = workbench_label(label);
    struct taud_range *range;
    bool end = false;
    ret->count = 0;
    assert_int_equal(taud_range_open(bench->engine, &named, INT64_MIN, INT64_MAX, 0,
                                     TAU_DIRECTION_FORWARD, &range),
                     TAU_STATUS_SUCCESS);
    while (!end) {
        size_t count;
        assert_true(ret->count < 8192);
        assert_int_equal(taud_range_next(range, ret->timestamps + ret->count,
                                         ret->values + ret->count, 8192 - ret->count, &count, &end),
                         TAU_STATUS_SUCCESS);
        ret->count += count;
    }
    taud_range_close(range);
}

// Points of which each takes as much space as it can, so that they are in many reads.
static inline void rollup_rig_append_noise(struct workbench *bench, const char *label, size_t count)
{
    enum { PART = 4096 };
    struct tau_label named = workbench_label(label);
    for (size_t done = 0, part; done < count; done += part) {
        int64_t timestamps[PART];
        double values[PART];
        struct tau_refused_row refused[1];
        size_t refused_count;
        part = count - done < PART ? count - done : PART;
        for (size_t i = 0; i < part; i++) {
            timestamps[i] = (int64_t)(done + i);
            values[i] = workbench_noise(done + i);
        }
        assert_int_equal(taud_engine_append_columns(bench->engine, &named,
                                                    workbench_timestamps(timestamps, part),
                                                    workbench_values(values, part), refused,
                                                    &refused_count, &bench->position),
                         TAU_STATUS_SUCCESS);
        assert_int_equal(refused_count, 0);
    }
}

// Waits for a query; the steps of an engine that is stepped are taken here.
static inline void rollup_rig_await(struct workbench *bench, _Atomic int *wakes, int seen)
{
    while (bench->options.stepped && atomic_load(wakes) == seen)
        assert_true(taud_engine_step(bench->engine, TAUD_TASK_QUERY));
    rig_await(wakes, seen);
}

// What AGGREGATE says of all buckets of a rule.
static inline void rollup_rig_aggregate(struct workbench *bench, const struct tau_rollup *rule,
                                        struct rollup_rig_points *ret)
{
    _Atomic int wakes = 0;
    struct tau_aggregate_column wanted = {.function = rule->function, .parameter = rule->parameter};
    struct tau_aggregate_request request = {
        .from = INT64_MIN,
        .to = INT64_MAX,
        .width = rule->width,
        .origin = rule->origin,
        .grouping = TAU_AGGREGATE_GROUPING_EACH,
        .functions = {.data = &wanted, .count = 1},
        .labels = {.data = &rule->source, .count = 1},
    };
    struct taud_aggregate_query *query;
    assert_int_equal(taud_aggregate_query_open(bench->engine, &request, rig_wake, &wakes, &query),
                     TAU_STATUS_SUCCESS);
    bool end = false;
    ret->count = 0;
    while (!end) {
        static int64_t starts[TAU_LIMIT_AGGREGATE_BATCH_ROWS];
        static double values[TAU_LIMIT_AGGREGATE_BATCH_VALUES];
        struct taud_aggregate_batch batch;
        enum tau_status status;
        do {
            int seen = atomic_load(&wakes);
            status = taud_aggregate_query_next(query, &batch, starts, values, &end);
            if (status == TAU_STATUS_WOULD_BLOCK)
                rollup_rig_await(bench, &wakes, seen);
        } while (status == TAU_STATUS_WOULD_BLOCK);
        assert_int_equal(status, TAU_STATUS_SUCCESS);
        assert_true(ret->count + batch.row_count <= 8192);
        memcpy(ret->timestamps + ret->count, starts, batch.row_count * sizeof *starts);
        memcpy(ret->values + ret->count, values, batch.row_count * sizeof *values);
        ret->count += batch.row_count;
    }
    taud_aggregate_query_close(query);
}

static inline bool rollup_rig_equal(double a, double b)
{
    return (isnan(a) && isnan(b)) || a == b || fabs(a - b) <= 1e-9 * fabs(b);
}

// The target has what AGGREGATE says of all buckets that are over.
static inline void rollup_rig_check(struct workbench *bench, const char *target)
{
    static struct rollup_rig_points have, want;
    struct tau_rollup rule = rollup_rig_find(bench, target);
    size_t at = 0;
    rollup_rig_read(bench, target, &have);
    rollup_rig_aggregate(bench, &rule, &want);
    assert_int_equal(rule.state, TAU_ROLLUP_STATE_SETTLED);
    for (size_t i = 0; i < want.count; i++) {
        if (want.timestamps[i] >= rule.settled)
            continue;
        assert_true(at < have.count);
        assert_int_equal(have.timestamps[at], want.timestamps[i]);
        assert_true(rollup_rig_equal(have.values[at], want.values[i]));
        at++;
    }
    assert_int_equal(at, have.count);
}

#endif
