// SPDX-License-Identifier: MIT
// A flush: all that was written before the cut is in a segment afterwards, and nothing that came
// behind it; memory and log are given back; whatever fails, nothing is lost and it comes again.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "storage_rig.h"

#include <errno.h>
#include <stdio.h>

static uint64_t stored_points(struct workbench *bench)
{
    struct taud_engine_statistics figures;
    taud_engine_statistics(bench->engine, &figures);
    return figures.stored_points;
}

static void points_move_from_memory_into_a_segment(void **state)
{
    struct workbench *bench = *state;
    workbench_create(bench, "large");
    workbench_create(bench, "small");
    workbench_create(bench, "empty");
    uint64_t before = workbench_used(bench);
    for (unsigned i = 0; i < 100; i++)
        storage_rig_append(bench, "large", (int64_t)i * 100000, 1000, 1 + (int64_t)i % 7);
    storage_rig_append(bench, "small", 5, 3, 1);
    assert_true(workbench_used(bench) > before);
    storage_rig_flush(bench);
    assert_int_equal(stored_points(bench), 100003);
    struct taud_engine_statistics figures;
    taud_engine_statistics(bench->engine, &figures);
    assert_true(figures.memory_used_bytes - figures.index_bytes - figures.cache_bytes <=
                before + TAUD_SLAB_BYTES);
    assert_int_equal(figures.flush_count, 1);
    assert_int_equal(storage_rig_count(bench, "large"), 100000);
    assert_int_equal(storage_rig_count(bench, "small"), 3);
    assert_int_equal(storage_rig_count(bench, "empty"), 0);
    assert_int_equal(workbench_try_append(bench, "small", 6, 6), TAU_STATUS_OUT_OF_ORDER);
    workbench_append(bench, "small", 100, 100);
    assert_int_equal(storage_rig_count(bench, "small"), 4);

    workbench_start(bench);
    assert_int_equal(bench->recovery.record_count, 1); // of what came behind the flush
    assert_int_equal(bench->recovery.segment_count, 1);
    assert_int_equal(bench->recovery.stored_points, 100003);
    assert_int_equal(bench->recovery.series_count, 3);
    assert_int_equal(storage_rig_count(bench, "large"), 100000);
    assert_int_equal(storage_rig_count(bench, "small"), 4);
    assert_int_equal(workbench_try_append(bench, "large", 9900000, 1), TAU_STATUS_OUT_OF_ORDER);
}

static void late_points_find_their_place(void **state)
{
    struct workbench *bench = *state;
    workbench_create(bench, "series");
    storage_rig_set_policy(bench, "series", TAUD_ORDER_LAST, 0);
    storage_rig_append(bench, "series", 0, 3000, 10);
    storage_rig_append(bench, "series", 5, 2000, 10);   // late chunks
    storage_rig_append(bench, "series", 10000, 50, 3);  // late head, some of it there
    storage_rig_append(bench, "series", 40000, 100, 1); // head
    uint64_t before = storage_rig_count(bench, "series");
    storage_rig_flush(bench);
    assert_int_equal(storage_rig_count(bench, "series"), before);
    assert_int_equal(stored_points(bench), before); // each once
    storage_rig_append(bench, "series", 2, 500, 10);
    assert_int_equal(storage_rig_count(bench, "series"), before + 500);
    storage_rig_flush(bench);
    assert_int_equal(storage_rig_count(bench, "series"), before + 500);
}

// Lets a flush fail behind its cut.
static void cut_only(struct workbench *bench)
{
    struct taud_error error;
    failing_allocator_fail_next(&bench->memory, 1);
    assert_int_equal(taud_flush(bench->engine, &error), TAU_STATUS_NO_MEMORY);
    assert_true(storage_rig_storage(bench)->cut.pending);
}

static void finish_cut(struct workbench *bench)
{
    struct taud_error error;
    assert_int_equal(taud_flush(bench->engine, &error), TAU_STATUS_SUCCESS);
    assert_false(storage_rig_storage(bench)->cut.pending);
}

static void what_comes_behind_the_cut_is_not_in_it(void **state)
{
    struct workbench *bench = *state;
    workbench_create(bench, "dropped");
    workbench_create(bench, "deleted");
    workbench_create(bench, "appended");
    storage_rig_append(bench, "dropped", 0, 10, 1);
    storage_rig_append(bench, "deleted", 0, 2000, 1);
    storage_rig_append(bench, "appended", 0, 30, 1);
    cut_only(bench);
    workbench_create(bench, "created");
    storage_rig_append(bench, "created", 0, 5, 1);
    storage_rig_append(bench, "appended", 30, 1, 1);
    storage_rig_delete(bench, "deleted", 100, 1099);
    assert_int_equal(workbench_try_drop(bench, "dropped"), TAU_STATUS_SUCCESS);
    workbench_create(bench, "dropped"); // another one of that name
    storage_rig_append(bench, "dropped", 0, 2, 1);
    assert_int_equal(storage_rig_count(bench, "deleted"), 1000);
    finish_cut(bench);
    // As if the power had failed: the state at the cut is a whole one.
    assert_int_equal(stored_points(bench), 10 + 2000 + 30);
    assert_int_equal(storage_rig_manifest(bench)->tombstone_count, 0);
    assert_int_equal(storage_rig_manifest(bench)->next_identity, 4);
    assert_int_equal(storage_rig_count(bench, "deleted"), 1000);
    assert_int_equal(storage_rig_count(bench, "appended"), 31);
    assert_int_equal(storage_rig_count(bench, "dropped"), 2);
    storage_rig_flush(bench);
    assert_int_equal(storage_rig_manifest(bench)->tombstone_count, 1);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(storage_rig_count(bench, "deleted"), 1000);
        assert_int_equal(storage_rig_count(bench, "appended"), 31);
        assert_int_equal(storage_rig_count(bench, "dropped"), 2);
        assert_int_equal(storage_rig_count(bench, "created"), 5);
        workbench_start(bench);
        assert_int_equal(bench->recovery.refused_count, 0);
    }
}

static void a_series_dropped_before_the_cut_is_not_stored(void **state)
{
    struct workbench *bench = *state;
    workbench_create(bench, "dropped");
    storage_rig_append(bench, "dropped", 0, 3000, 1);
    assert_int_equal(workbench_try_drop(bench, "dropped"), TAU_STATUS_SUCCESS);
    storage_rig_flush(bench);
    assert_int_equal(stored_points(bench), 0);
    assert_int_equal(storage_rig_manifest(bench)->segment_count, 0);
    assert_int_equal(storage_rig_manifest(bench)->next_sequence, 2);  // taken all the same
    assert_null(taud_identities_find(&bench->engine->identities, 1)); // nothing is left of it
    workbench_start(bench);
    assert_int_equal(bench->recovery.series_count, 0);
}

static void the_catalog_does_not_grow_by_flushes(void **state)
{
    struct workbench *bench = *state;
    workbench_create(bench, "first");
    for (unsigned i = 0; i < 3 * TAUD_CATALOG_OBJECTS_MAX; i++) {
        char label[32];
        snprintf(label, sizeof label, "series.%u", i);
        workbench_create(bench, label);
        storage_rig_append(bench, label, 0, 2, 1);
        if (i % 2 == 0)
            assert_int_equal(workbench_try_drop(bench, label), TAU_STATUS_SUCCESS);
        storage_rig_flush(bench);
        assert_true(storage_rig_manifest(bench)->catalog_count <= TAUD_CATALOG_OBJECTS_MAX);
        assert_int_equal(disk_count(bench->storage.disk, "data/catalogs"),
                         storage_rig_manifest(bench)->catalog_count);
    }
    workbench_start(bench);
    assert_int_equal(bench->recovery.series_count, 1 + 3 * TAUD_CATALOG_OBJECTS_MAX / 2);
    assert_int_equal(storage_rig_count(bench, "series.1"), 2);
}

static void some_data(struct workbench *bench)
{
    workbench_create(bench, "series");
    storage_rig_set_policy(bench, "series", TAUD_ORDER_LAST, 0);
    storage_rig_append(bench, "series", 0, 3000, 2);
    storage_rig_append(bench, "series", 1, 400, 2);
    storage_rig_append(bench, "series", 8000, 40, 2);
}

static void every_allocation_may_fail(void **state)
{
    struct workbench *bench = *state;
    enum tau_status status = TAU_STATUS_NO_MEMORY;
    unsigned ahead = 1;
    some_data(bench);
    storage_rig_delete(bench, "series", 10, 20);
    uint64_t expected = storage_rig_count(bench, "series");
    for (; status != TAU_STATUS_SUCCESS; ahead++) {
        struct taud_error error = {.text = ""};
        failing_allocator_fail_next(&bench->memory, ahead);
        status = taud_flush(bench->engine, &error);
        assert_true(status == TAU_STATUS_SUCCESS || status == TAU_STATUS_NO_MEMORY);
        assert_true(status == TAU_STATUS_SUCCESS || error.text[0] != '\0');
        assert_int_equal(storage_rig_count(bench, "series"), expected);
        assert_int_equal(disk_count(bench->storage.disk, "data/segments"),
                         storage_rig_manifest(bench)->segment_count);
    }
    assert_true(ahead > 15);
    assert_int_equal(stored_points(bench), expected);
    assert_int_equal(disk_count(bench->storage.disk, "data/segments"), 1);
    assert_int_equal(disk_count(bench->storage.disk, "data/catalogs"), 1);
}

static void a_full_disk_keeps_all_in_memory(void **state)
{
    struct workbench *bench = *state;
    some_data(bench);
    uint64_t expected = storage_rig_count(bench, "series");
    staged_storage_break(&bench->storage, ENOSPC);
    for (int i = 0; i < 3; i++) {
        struct taud_error error;
        assert_int_equal(taud_flush(bench->engine, &error), TAU_STATUS_STORAGE_FULL);
        assert_int_equal(storage_rig_count(bench, "series"), expected);
        assert_int_equal(stored_points(bench), 0);
    }
    staged_storage_break(&bench->storage, 0);
    storage_rig_append(bench, "series", 9000, 10, 1); // behind the cut
    finish_cut(bench);
    assert_int_equal(stored_points(bench), expected);
    assert_int_equal(storage_rig_count(bench, "series"), expected + 10);
}

// What was dropped since a flush that found no space needs none when it comes again, once the log
// has that for good; what is written meanwhile stays out of it.
static void dropped_series_do_not_hold_a_flush_up(void **state)
{
    struct workbench *bench = *state;
    struct taud_error error;
    workbench_create(bench, "kept");
    workbench_create(bench, "dropped");
    storage_rig_append(bench, "kept", 0, 30, 1);
    storage_rig_append(bench, "dropped", 0, 3000, 1);
    taud_engine_commit(bench->engine, bench->position, TAUD_COMMIT_INLINE);
    staged_storage_break(&bench->storage, ENOSPC);
    assert_int_equal(taud_flush(bench->engine, &error), TAU_STATUS_STORAGE_FULL);
    assert_int_equal(workbench_try_drop(bench, "dropped"), TAU_STATUS_SUCCESS);
    assert_int_equal(taud_flush(bench->engine, &error), TAU_STATUS_STORAGE_FULL);
    staged_storage_break(&bench->storage, 0);
    finish_cut(bench);
    assert_true(taud_engine_durable_position(bench->engine) >= bench->position);
    assert_int_equal(stored_points(bench), 30);
    workbench_start(bench);
    assert_int_equal(bench->recovery.series_count, 1);
    assert_int_equal(storage_rig_count(bench, "kept"), 30);
}

// The same of ranges that were deleted since, whether their points are in chunks or in heads, late
// or in order; what is written behind the cut under their timestamps stays.
static void deleted_ranges_do_not_hold_a_flush_up(void **state)
{
    struct workbench *bench = *state;
    struct taud_error error;
    workbench_create(bench, "some");
    workbench_create(bench, "all");
    workbench_create(bench, "late");
    storage_rig_append(bench, "some", 0, 3000, 1);
    storage_rig_append(bench, "all", 0, 3000, 1);
    storage_rig_set_policy(bench, "late", TAUD_ORDER_LAST, 0);
    storage_rig_append(bench, "late", 2000, 2000, 1);
    storage_rig_append(bench, "late", 0, 2010, 1);
    taud_engine_commit(bench->engine, bench->position, TAUD_COMMIT_INLINE);
    staged_storage_break(&bench->storage, ENOSPC);
    assert_int_equal(taud_flush(bench->engine, &error), TAU_STATUS_STORAGE_FULL);
    storage_rig_delete(bench, "some", 10, 2989);
    storage_rig_delete(bench, "all", INT64_MIN, INT64_MAX);
    storage_rig_delete(bench, "late", 5, 3994);
    storage_rig_append(bench, "late", 100, 3, 1);
    storage_rig_append(bench, "all", 5000, 4, 1);
    assert_int_equal(taud_flush(bench->engine, &error), TAU_STATUS_STORAGE_FULL);
    staged_storage_break(&bench->storage, 0);
    finish_cut(bench);
    assert_true(taud_engine_durable_position(bench->engine) >= bench->position);
    assert_int_equal(stored_points(bench), 20 + 0 + 10);
    for (unsigned round = 0; round < 3; round++) {
        assert_int_equal(storage_rig_count(bench, "some"), 20);
        assert_int_equal(storage_rig_count(bench, "all"), 4);
        assert_int_equal(storage_rig_count(bench, "late"), 10 + 3);
        if (round == 0)
            workbench_start(bench);
        else
            storage_rig_flush(bench);
    }
    assert_int_equal(stored_points(bench), 20 + 4 + 13);
}

// Of nothing no segment is made.
static void a_flush_of_what_was_deleted_since_writes_no_segment(void **state)
{
    struct workbench *bench = *state;
    struct taud_error error;
    some_data(bench);
    staged_storage_break(&bench->storage, ENOSPC);
    assert_int_equal(taud_flush(bench->engine, &error), TAU_STATUS_STORAGE_FULL);
    storage_rig_delete(bench, "series", INT64_MIN, INT64_MAX);
    staged_storage_break(&bench->storage, 0);
    finish_cut(bench);
    assert_int_equal(disk_count(bench->storage.disk, "data/segments"), 0);
    assert_int_equal(storage_rig_count(bench, "series"), 0);
}

// Memory at its bound hinders no flush: nothing of it is needed.
static void a_flush_works_where_memory_has_ended(void **state)
{
    struct workbench *bench = *state;
    bench->options.memory_bytes = 8 << 20;
    workbench_start(bench);
    workbench_create(bench, "full");
    uint64_t count = workbench_fill(bench, "full", 0);
    assert_true(count > 1000);
    storage_rig_flush(bench);
    assert_int_equal(stored_points(bench), count);
    workbench_append(bench, "full", (int64_t)count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORAGE_RIG_TEST(points_move_from_memory_into_a_segment),
        STORAGE_RIG_TEST(late_points_find_their_place),
        STORAGE_RIG_TEST(what_comes_behind_the_cut_is_not_in_it),
        STORAGE_RIG_TEST(a_series_dropped_before_the_cut_is_not_stored),
        STORAGE_RIG_TEST(the_catalog_does_not_grow_by_flushes),
        STORAGE_RIG_TEST(every_allocation_may_fail),
        STORAGE_RIG_TEST(a_full_disk_keeps_all_in_memory),
        STORAGE_RIG_TEST(dropped_series_do_not_hold_a_flush_up),
        STORAGE_RIG_TEST(deleted_ranges_do_not_hold_a_flush_up),
        STORAGE_RIG_TEST(a_flush_of_what_was_deleted_since_writes_no_segment),
        STORAGE_RIG_TEST(a_flush_works_where_memory_has_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
