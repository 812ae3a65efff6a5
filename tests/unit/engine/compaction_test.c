// SPDX-License-Identifier: MIT
// One segment of several: the newest of equal points stays, and what was deleted, dropped or is too
// old becomes free space, as soon as it is stored that it is gone; a damaged chunk loses nothing
// but itself.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "storage_rig.h"

#include "engine/compaction.h"

#include <errno.h>

static uint64_t stored_points(struct workbench *bench)
{
    struct taud_engine_statistics figures;
    taud_engine_statistics(bench->engine, &figures);
    return figures.stored_points;
}

static void compact(struct workbench *bench)
{
    assert_int_equal(storage_rig_work(bench, TAUD_WORK_COMPACT, NULL), TAU_STATUS_SUCCESS);
}

static void overlaps_become_one(void **state)
{
    struct workbench *bench = *state;
    workbench_create(bench, "series");
    workbench_create(bench, "other");
    storage_rig_set_policy(bench, "series", TAUD_ORDER_LAST, 0);
    storage_rig_append(bench, "series", 0, 2000, 3);
    storage_rig_flush(bench);
    storage_rig_append(bench, "series", 1, 2000, 3);
    storage_rig_append(bench, "other", 1, 20, 3);
    storage_rig_flush(bench);
    storage_rig_append(bench, "series", 0, 3000, 2); // a third of them there
    storage_rig_flush(bench);
    uint64_t expected = storage_rig_count(bench, "series");
    assert_int_equal(expected, 5000);
    assert_true(stored_points(bench) > expected + 20);
    compact(bench);
    assert_int_equal(stored_points(bench), expected + 20);
    assert_int_equal(storage_rig_manifest(bench)->segment_count, 1);
    assert_int_equal(storage_rig_manifest(bench)->segments[0].name.sequence, 1);
    assert_int_equal(storage_rig_manifest(bench)->segments[0].last_sequence, 3);
    assert_int_equal(storage_rig_manifest(bench)->segments[0].name.level, 1);
    assert_int_equal(disk_count(bench->storage.disk, "data/segments"), 1);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(storage_rig_count(bench, "series"), expected);
        assert_int_equal(storage_rig_count(bench, "other"), 20);
        workbench_start(bench);
    }
}

static void deleted_ranges_become_space(void **state)
{
    struct workbench *bench = *state;
    workbench_create(bench, "series");
    storage_rig_append(bench, "series", 0, 5000, 1);
    storage_rig_flush(bench);
    storage_rig_append(bench, "series", 5000, 5000, 1);
    storage_rig_flush(bench);
    storage_rig_delete(bench, "series", 1000, 1999);
    storage_rig_delete(bench, "series", 4990, 5009);
    compact(bench); // begins with a flush, so that they are stored to be gone
    assert_int_equal(stored_points(bench), 10000 - 1020);
    assert_int_equal(storage_rig_manifest(bench)->tombstone_count, 0);
    assert_int_equal(storage_rig_count(bench, "series"), 10000 - 1020);
    workbench_start(bench);
    assert_int_equal(storage_rig_count(bench, "series"), 10000 - 1020);
}

// Of what was deleted or dropped it is enough that the log has it for good; the tombstone goes into
// the next manifest nevertheless, since a segment that is being written may need it.
static void what_is_gone_by_the_log_alone_becomes_space(void **state)
{
    struct workbench *bench = *state;
    struct taud_error error;
    struct taud_view *view;
    struct taud_compaction_job job = {.effort = TAUD_EFFORT_FAST};
    workbench_create(bench, "series");
    workbench_create(bench, "dropped");
    storage_rig_append(bench, "series", 0, 3000, 1);
    storage_rig_append(bench, "dropped", 0, 70, 1);
    storage_rig_flush(bench);
    storage_rig_delete(bench, "series", 0, 1499);
    assert_int_equal(workbench_try_drop(bench, "dropped"), TAU_STATUS_SUCCESS);
    for (unsigned round = 1; round <= 2; round++) {
        view = taud_views_take(&storage_rig_storage(bench)->views);
        job.segments = view->segments;
        job.count = 1;
        job.name = (struct taud_segment_name){1, round};
        job.last_sequence = 1;
        assert_int_equal(taud_compaction_run(bench->engine, &job, &error), TAU_STATUS_SUCCESS);
        taud_view_release(view);
        assert_true(taud_engine_durable_position(bench->engine) >= bench->position);
        assert_int_equal(stored_points(bench), 1500);
        assert_int_equal(storage_rig_count(bench, "series"), 1500);
        assert_int_equal(storage_rig_manifest(bench)->tombstone_count, 0);
        storage_rig_flush(bench);
    }
}

static void a_tombstone_stays_while_another_segment_needs_it(void **state)
{
    struct workbench *bench = *state;
    struct taud_error error;
    workbench_create(bench, "series");
    for (int i = 0; i < 2; i++) {
        storage_rig_append(bench, "series", i * 3000, 3000, 1);
        storage_rig_flush(bench);
    }
    storage_rig_delete(bench, "series", 2000, 3999); // in both
    storage_rig_flush(bench);
    assert_int_equal(storage_rig_manifest(bench)->tombstone_count, 1);
    struct taud_view *view = taud_views_take(&storage_rig_storage(bench)->views);
    struct taud_compaction_job job = {.segments = view->segments + 1,
                                      .count = 1,
                                      .name = {2, 1},
                                      .last_sequence = 2,
                                      .effort = TAUD_EFFORT_FAST};
    assert_int_equal(taud_compaction_run(bench->engine, &job, &error), TAU_STATUS_SUCCESS);
    taud_view_release(view);
    assert_int_equal(stored_points(bench), 5000);
    assert_int_equal(storage_rig_manifest(bench)->tombstone_count, 1);
    assert_int_equal(storage_rig_count(bench, "series"), 4000);
    compact(bench);
    assert_int_equal(storage_rig_manifest(bench)->tombstone_count, 0);
    assert_int_equal(storage_rig_count(bench, "series"), 4000);
}

static void dropped_series_become_space(void **state)
{
    struct workbench *bench = *state;
    workbench_create(bench, "dropped");
    storage_rig_append(bench, "dropped", 0, 5000, 1);
    storage_rig_flush(bench);
    assert_int_equal(workbench_try_drop(bench, "dropped"), TAU_STATUS_SUCCESS);
    compact(bench);
    assert_int_equal(stored_points(bench), 0);
    assert_int_equal(storage_rig_manifest(bench)->segment_count, 0);
    assert_int_equal(disk_count(bench->storage.disk, "data/segments"), 0);
    workbench_start(bench);
    assert_int_equal(bench->recovery.segment_count, 0);
}

// Whole chunks go, and what the edge cuts is not seen. The edge is no later than the clock.
static void what_is_too_old_becomes_space(void **state)
{
    struct workbench *bench = *state;
    workbench_create(bench, "series");
    storage_rig_set_policy(bench, "series", TAUD_ORDER_STRICT, 2000);
    storage_rig_append(bench, "series", 0, 10240, 1);
    storage_rig_now.realtime_ns = 1000; // all is from the future
    compact(bench);
    assert_int_equal(stored_points(bench), 10240);
    assert_int_equal(storage_rig_count(bench, "series"), 10240);
    storage_rig_now.realtime_ns = INT64_MAX; // none is too new: the newest point counts
    assert_int_equal(storage_rig_count(bench, "series"), 2001);
    compact(bench);
    assert_true(stored_points(bench) >= 2001 && stored_points(bench) <= 2001 + 1024);
    assert_int_equal(storage_rig_count(bench, "series"), 2001);
    workbench_start(bench);
    assert_int_equal(storage_rig_count(bench, "series"), 2001);
}

static void a_damaged_chunk_keeps_its_segment_as_it_is(void **state)
{
    struct workbench *bench = *state;
    struct taud_engine_statistics figures;
    uint64_t size;
    workbench_create(bench, "series");
    for (int i = 0; i < 3; i++) {
        storage_rig_append(bench, "series", i * 5000, 5000, 1);
        storage_rig_flush(bench);
    }
    uint8_t *bytes = workbench_segment(bench, 2, &size);
    bytes[80] ^= 1; // the first chunk of the second
    assert_int_equal(storage_rig_work(bench, TAUD_WORK_COMPACT, NULL), TAU_STATUS_INTERNAL_ERROR);
    taud_engine_statistics(bench->engine, &figures);
    assert_int_equal(figures.damaged_count, 1);
    assert_int_equal(figures.segment_count, 3);
    assert_false(figures.storing_failed);
    compact(bench); // of the others
    taud_engine_statistics(bench->engine, &figures);
    assert_int_equal(figures.segment_count, 3);
    assert_int_equal(storage_rig_manifest(bench)->segments[1].name.level, 0);
    assert_int_equal(storage_rig_manifest(bench)->segments[2].name.level, 1);
    struct tau_query_point_request request = {workbench_label("series"), 9999};
    struct tau_query_point_response response;
    enum tau_status status;
    taud_engine_query_points(bench->engine, &request, 1, &response, &status);
    assert_int_equal(status, TAU_STATUS_SUCCESS);
    assert_true(response.has_value);
}

static void some_segments(struct workbench *bench)
{
    workbench_create(bench, "series");
    storage_rig_set_policy(bench, "series", TAUD_ORDER_LAST, 0);
    for (int i = 0; i < 3; i++) {
        storage_rig_append(bench, "series", i * 500, 1500, 1);
        storage_rig_flush(bench);
    }
    storage_rig_delete(bench, "series", 7, 70);
    storage_rig_flush(bench);
}

static void every_allocation_may_fail(void **state)
{
    struct workbench *bench = *state;
    enum tau_status status = TAU_STATUS_NO_MEMORY;
    unsigned ahead = 1;
    some_segments(bench);
    uint64_t expected = storage_rig_count(bench, "series");
    for (; status == TAU_STATUS_NO_MEMORY; ahead++) {
        failing_allocator_fail_next(&bench->memory, ahead);
        status = storage_rig_work(bench, TAUD_WORK_COMPACT, NULL);
        assert_int_equal(storage_rig_count(bench, "series"), expected);
        assert_int_equal(disk_count(bench->storage.disk, "data/segments"),
                         storage_rig_manifest(bench)->segment_count);
        if (atomic_load(
                &storage_rig_storage(bench)->failed)) // what was committed could not be shown
            workbench_start(bench);
    }
    assert_int_equal(status, TAU_STATUS_SUCCESS);
    assert_true(ahead > 15);
    assert_int_equal(stored_points(bench), expected);
}

static void a_full_disk_changes_nothing(void **state)
{
    struct workbench *bench = *state;
    some_segments(bench);
    uint64_t expected = storage_rig_count(bench, "series");
    staged_storage_break(&bench->storage, ENOSPC);
    assert_int_equal(storage_rig_work(bench, TAUD_WORK_COMPACT, NULL), TAU_STATUS_STORAGE_FULL);
    assert_int_equal(storage_rig_manifest(bench)->segment_count, 3);
    assert_int_equal(storage_rig_count(bench, "series"), expected);
    staged_storage_break(&bench->storage, 0);
    compact(bench);
    assert_int_equal(storage_rig_count(bench, "series"), expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORAGE_RIG_TEST(overlaps_become_one),
        STORAGE_RIG_TEST(deleted_ranges_become_space),
        STORAGE_RIG_TEST(what_is_gone_by_the_log_alone_becomes_space),
        STORAGE_RIG_TEST(a_tombstone_stays_while_another_segment_needs_it),
        STORAGE_RIG_TEST(dropped_series_become_space),
        STORAGE_RIG_TEST(what_is_too_old_becomes_space),
        STORAGE_RIG_TEST(a_damaged_chunk_keeps_its_segment_as_it_is),
        STORAGE_RIG_TEST(every_allocation_may_fail),
        STORAGE_RIG_TEST(a_full_disk_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
