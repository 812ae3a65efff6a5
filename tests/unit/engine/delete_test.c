// SPDX-License-Identifier: MIT
// Deleted ranges: gone at once wherever the points are, in memory, in a flush that is underway, in
// segments; what is written later in the range is there; and all of it again after a start.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "storage_rig.h"

static enum tau_status try_delete(struct workbench *bench, const char *label, int64_t from,
                                  int64_t to)
{
    struct tau_label named = workbench_label(label);
    return taud_engine_delete_range(bench->engine, &named, from, to, &bench->position);
}

static uint32_t tombstones(struct workbench *bench)
{
    return storage_rig_storage(bench)->views.current->tombstone_count;
}

static void what_is_in_memory_alone_needs_no_tombstone(void **state)
{
    struct workbench *bench = *state;
    workbench_create(bench, "series");
    storage_rig_append(bench, "series", 0, 5000, 1);
    storage_rig_delete(bench, "series", 100, 2999);
    assert_int_equal(storage_rig_count(bench, "series"), 2100);
    assert_int_equal(tombstones(bench), 0);
    workbench_start(bench);
    assert_int_equal(storage_rig_count(bench, "series"), 2100);
}

static void a_range_is_gone_wherever_it_is(void **state)
{
    struct workbench *bench = *state;
    struct taud_error error;
    workbench_create(bench, "series");
    storage_rig_set_policy(bench, "series", TAUD_ORDER_LAST, 0);
    storage_rig_append(bench, "series", 0, 2000, 1); // a segment
    storage_rig_flush(bench);
    storage_rig_append(bench, "series", 2000, 2000, 1); // a flush that is underway
    failing_allocator_fail_next(&bench->memory, 1);
    assert_int_equal(taud_flush(bench->engine, &error), TAU_STATUS_NO_MEMORY);
    storage_rig_append(bench, "series", 4000, 2000, 1); // and memory
    storage_rig_delete(bench, "series", 1500, 4499);
    assert_int_equal(storage_rig_count(bench, "series"), 3000);
    storage_rig_append(bench, "series", 2500, 10, 1); // again
    assert_int_equal(storage_rig_count(bench, "series"), 3010);
    assert_int_equal(taud_flush(bench->engine, &error), TAU_STATUS_SUCCESS);
    assert_int_equal(storage_rig_count(bench, "series"), 3010);
    storage_rig_flush(bench);
    assert_int_equal(storage_rig_count(bench, "series"), 3010);
    workbench_start(bench);
    assert_int_equal(storage_rig_count(bench, "series"), 3010);
}

static void the_same_again_adds_nothing(void **state)
{
    struct workbench *bench = *state;
    workbench_create(bench, "series");
    storage_rig_append(bench, "series", 0, 2000, 1);
    storage_rig_flush(bench);
    storage_rig_delete(bench, "series", 100, 199);
    storage_rig_delete(bench, "series", 100, 199);
    storage_rig_delete(bench, "series", 150, 160);
    assert_int_equal(tombstones(bench), 1);
    storage_rig_delete(bench, "series", 150, 200);
    assert_int_equal(tombstones(bench), 2);
    assert_int_equal(storage_rig_count(bench, "series"), 1899);
    storage_rig_delete(bench, "series", INT64_MIN, INT64_MAX);
    assert_int_equal(storage_rig_count(bench, "series"), 0);
    workbench_start(bench);
    assert_int_equal(storage_rig_count(bench, "series"), 0);
}

// What comes in order is judged by the newest point that the series ever had.
static void strict_remembers_what_is_deleted(void **state)
{
    struct workbench *bench = *state;
    workbench_create(bench, "series");
    storage_rig_append(bench, "series", 0, 100, 1);
    storage_rig_delete(bench, "series", 50, 1000);
    assert_int_equal(workbench_try_append(bench, "series", 60, 1), TAU_STATUS_OUT_OF_ORDER);
    workbench_append(bench, "series", 100, 100);
    assert_int_equal(storage_rig_count(bench, "series"), 51);
    storage_rig_flush(bench);
    storage_rig_delete(bench, "series", 0, 200);
    for (int i = 0; i < 3;
         i++) { // the log says it, then an object of the catalog, then one of several
        workbench_start(bench);
        assert_int_equal(workbench_try_append(bench, "series", 100, 1), TAU_STATUS_OUT_OF_ORDER);
        assert_int_equal(storage_rig_work(bench, TAUD_WORK_COMPACT, NULL), TAU_STATUS_SUCCESS);
        assert_int_equal(storage_rig_manifest(bench)->segment_count, 0);
        for (unsigned k = 0; k < TAUD_CATALOG_OBJECTS_MAX && i == 1; k++) {
            char label[2] = {(char)('a' + k), '\0'};
            workbench_create(bench, label);
            storage_rig_flush(bench);
        }
    }
    workbench_append(bench, "series", 101, 101);
}

// A compaction that knew of the deletion from the log alone took the point out of its segment, and
// the log has to tell what was the newest.
static void strict_remembers_what_a_compaction_took_out(void **state)
{
    struct workbench *bench = *state;
    workbench_create(bench, "series");
    storage_rig_append(bench, "series", 0, 100, 1);
    storage_rig_flush(bench);
    storage_rig_delete(bench, "series", 50, 1000);
    storage_rig_compact_first(bench);
    for (int i = 0; i < 3; i++) {
        workbench_start(bench);
        assert_int_equal(storage_rig_count(bench, "series"), 50);
        assert_int_equal(workbench_try_append(bench, "series", 99, 1), TAU_STATUS_OUT_OF_ORDER);
        if (i == 1)
            storage_rig_flush(bench);
    }
    workbench_append(bench, "series", 100, 100);
}

// What is too old is told by the newest point that there ever was, whether it is there or not.
static void retention_remembers_what_a_compaction_took_out(void **state)
{
    struct workbench *bench = *state;
    storage_rig_now.realtime_ns = INT64_MAX;
    workbench_create(bench, "series");
    storage_rig_set_policy(bench, "series", TAUD_ORDER_STRICT, 100);
    storage_rig_append(bench, "series", 800, 201, 1);
    storage_rig_flush(bench);
    storage_rig_delete(bench, "series", 906, 1000);
    assert_int_equal(storage_rig_count(bench, "series"), 6); // from 900 on
    storage_rig_compact_first(bench);
    for (int i = 0; i < 3; i++) {
        workbench_start(bench);
        assert_int_equal(storage_rig_count(bench, "series"), 6);
        if (i == 1)
            storage_rig_flush(bench);
    }
}

static void what_makes_no_sense_is_refused(void **state)
{
    struct workbench *bench = *state;
    workbench_create(bench, "series");
    assert_int_equal(try_delete(bench, "series", 1, 0), TAU_STATUS_INVALID_PAYLOAD);
    assert_int_equal(try_delete(bench, "nobody", 0, 1), TAU_STATUS_SERIES_NOT_FOUND);
    assert_int_equal(try_delete(bench, "series", 0, 0), TAU_STATUS_SUCCESS);
    (void)workbench_logged(bench);
    storage_rig_delete(bench, "series", -5, 5);
    assert_int_equal(workbench_logged(bench), 1);
    assert_int_equal(bench->records[0].type, TAUD_RECORD_DELETE_RANGE);
    workbench_fail_log(bench);
    assert_int_equal(try_delete(bench, "series", 0, 1), TAU_STATUS_READ_ONLY);
}

static void without_memory_nothing_is_changed(void **state)
{
    struct workbench *bench = *state;
    enum tau_status status = TAU_STATUS_STORAGE_FULL;
    unsigned ahead = 1;
    workbench_create(bench, "series");
    storage_rig_append(bench, "series", 0, 2000, 1);
    storage_rig_flush(bench);
    storage_rig_append(bench, "series", 2000, 2000, 1);
    (void)workbench_logged(bench);
    for (; status == TAU_STATUS_STORAGE_FULL; ahead++) {
        assert_int_equal(storage_rig_count(bench, "series"), 4000);
        assert_int_equal(workbench_logged(bench), 0);
        failing_allocator_fail_next(&bench->memory, ahead);
        status = try_delete(bench, "series", 1000, 2999);
        atomic_store(&bench->memory.fail_at, 0);
    }
    assert_int_equal(status, TAU_STATUS_SUCCESS);
    assert_true(ahead > 3); // the list of tombstones, the view
    assert_int_equal(storage_rig_count(bench, "series"), 2000);
    assert_int_equal(workbench_logged(bench), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORAGE_RIG_TEST(what_is_in_memory_alone_needs_no_tombstone),
        STORAGE_RIG_TEST(a_range_is_gone_wherever_it_is),
        STORAGE_RIG_TEST(the_same_again_adds_nothing),
        STORAGE_RIG_TEST(strict_remembers_what_is_deleted),
        STORAGE_RIG_TEST(strict_remembers_what_a_compaction_took_out),
        STORAGE_RIG_TEST(retention_remembers_what_a_compaction_took_out),
        STORAGE_RIG_TEST(what_makes_no_sense_is_refused),
        STORAGE_RIG_TEST(without_memory_nothing_is_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
