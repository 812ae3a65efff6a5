// SPDX-License-Identifier: MIT
// All through the engine's own functions.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "storage_rig.h"

#include "engine/compaction.h"

struct storage_rig_clock storage_rig_now;

static uint64_t monotonic_ns(void *context)
{
    return ((struct storage_rig_clock *)context)->monotonic_ns;
}

static int64_t realtime_ns(void *context)
{
    return ((struct storage_rig_clock *)context)->realtime_ns;
}

int storage_rig_setup(void **state)
{
    static const struct taud_clock clock = {&storage_rig_now, monotonic_ns, realtime_ns};
    if (workbench_setup_idle(state) != 0)
        return -1;
    struct workbench *bench = *state;
    storage_rig_now = (struct storage_rig_clock){.monotonic_ns = 1, .realtime_ns = INT64_MAX};
    bench->options.memory_bytes = 64 << 20;
    bench->options.clock = &clock;
    workbench_hold(bench);
    return 0;
}

void storage_rig_append(struct workbench *bench, const char *label, int64_t from, unsigned count,
                        int64_t step)
{
    enum { PIECE = 1000 };
    int64_t timestamps[PIECE];
    double values[PIECE];
    struct tau_refused_row refused[PIECE];
    struct tau_label named = workbench_label(label);
    for (unsigned done = 0, piece; done < count; done += piece) {
        size_t refused_count;
        piece = count - done < PIECE ? count - done : PIECE;
        for (unsigned i = 0; i < piece; i++) {
            timestamps[i] = from + (int64_t)(done + i) * step;
            values[i] = (double)timestamps[i];
        }
        assert_int_equal(taud_engine_append_columns(bench->engine, &named,
                                                    workbench_timestamps(timestamps, piece),
                                                    workbench_values(values, piece), refused,
                                                    &refused_count, &bench->position),
                         TAU_STATUS_SUCCESS);
        assert_int_equal(refused_count, 0);
    }
}

void storage_rig_set_policy(struct workbench *bench, const char *label, enum taud_order order,
                            uint64_t retention)
{
    struct tau_label named = workbench_label(label);
    assert_int_equal(taud_engine_set_policy(bench->engine, &named, (enum tau_order_policy)order,
                                            retention, &bench->position),
                     TAU_STATUS_SUCCESS);
}

void storage_rig_delete(struct workbench *bench, const char *label, int64_t from, int64_t to)
{
    struct tau_label named = workbench_label(label);
    assert_int_equal(taud_engine_delete_range(bench->engine, &named, from, to, &bench->position),
                     TAU_STATUS_SUCCESS);
}

uint64_t storage_rig_count(struct workbench *bench, const char *label)
{
    struct tau_label named = workbench_label(label);
    struct taud_range *range;
    int64_t timestamps[300], last = INT64_MIN;
    double values[300];
    uint64_t found = 0;
    bool end = false;
    assert_int_equal(taud_range_open(bench->engine, &named, INT64_MIN, INT64_MAX, 0,
                                     TAU_DIRECTION_FORWARD, &range),
                     TAU_STATUS_SUCCESS);
    while (!end) {
        size_t count;
        assert_int_equal(taud_range_next(range, timestamps, values, 300, &count, &end),
                         TAU_STATUS_SUCCESS);
        for (size_t i = 0; i < count; i++) {
            assert_true(timestamps[i] > last);
            assert_int_equal((int64_t)values[i], timestamps[i]);
            last = timestamps[i];
        }
        found += count;
    }
    taud_range_close(range);
    return found;
}

enum tau_status storage_rig_work(struct workbench *bench, enum taud_work kind, const char *name)
{
    uint64_t ticket, done, total;
    enum tau_status status = taud_engine_work_begin(bench->engine, kind, name, &ticket);
    assert_int_equal(status, TAU_STATUS_SUCCESS);
    for (unsigned steps = 0;; steps++) {
        status = taud_engine_work_state(bench->engine, ticket, &done, &total, &bench->error);
        if (status != TAU_STATUS_WOULD_BLOCK)
            return status;
        assert_true(steps < 100);
        taud_engine_step(bench->engine, TAUD_TASK_STORE);
    }
}

void storage_rig_flush(struct workbench *bench)
{
    assert_int_equal(storage_rig_work(bench, TAUD_WORK_FLUSH, NULL), TAU_STATUS_SUCCESS);
}

unsigned storage_rig_settle(struct workbench *bench)
{
    unsigned steps = 0;
    while (taud_engine_step(bench->engine, TAUD_TASK_STORE))
        assert_true(++steps < 1000);
    return steps;
}

struct taud_storage *storage_rig_storage(struct workbench *bench)
{
    return &bench->engine->storage;
}

struct taud_manifest *storage_rig_manifest(struct workbench *bench)
{
    return &bench->engine->storage.manifest;
}

void storage_rig_compact_first(struct workbench *bench)
{
    struct taud_error error;
    struct taud_view *view = taud_views_take(&storage_rig_storage(bench)->views);
    uint64_t sequence = view->segments[0]->facts.last_sequence;
    struct taud_compaction_job job = {.segments = view->segments,
                                      .count = 1,
                                      .name = {sequence, 1},
                                      .last_sequence = sequence,
                                      .effort = TAUD_EFFORT_FAST};
    assert_int_equal(taud_compaction_run(bench->engine, &job, &error), TAU_STATUS_SUCCESS);
    taud_view_release(view);
}
