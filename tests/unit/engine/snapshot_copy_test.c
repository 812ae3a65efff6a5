// SPDX-License-Identifier: MIT
// Snapshots: a server that is started on one finds all that was written before it was asked for;
// what becomes of the original does not change it; one that was begun and not finished is begun
// anew.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "storage_rig.h"

#include <errno.h>
#include <string.h>

// Starts a server on a snapshot, and tells how many points a series has there.
static uint64_t count_in(struct workbench *bench, const char *directory, const char *label)
{
    struct taud_local_options local = {.directory = directory, .io = disk_io(bench->storage.disk)};
    struct workbench *copy = calloc(1, sizeof *copy);
    struct taud_engine_options options = bench->options;
    assert_non_null(copy);
    assert_int_equal(taud_local_backend_new(&local, &options.backend, &copy->error),
                     TAU_STATUS_SUCCESS);
    assert_int_equal(taud_engine_new(&options, &copy->engine, &copy->error), TAU_STATUS_SUCCESS);
    assert_int_equal(taud_engine_startup(copy->engine, &copy->recovery, &copy->error),
                     TAU_STATUS_SUCCESS);
    assert_int_equal(copy->recovery.record_count, 0);
    assert_int_equal(copy->recovery.lost_count, 0);
    uint64_t count = storage_rig_count(copy, label);
    workbench_append(copy, label, 1000000, 1000000); // and it goes on as any other
    assert_int_equal(storage_rig_count(copy, label), count + 1);
    taud_engine_free(copy->engine);
    options.backend->free(options.backend);
    free(copy);
    return count;
}

static void fill(struct workbench *bench)
{
    workbench_create(bench, "series");
    storage_rig_append(bench, "series", 0, 5000, 1);
    storage_rig_flush(bench);
    storage_rig_append(bench, "series", 5000, 100, 1);
    storage_rig_delete(bench, "series", 10, 19);
}

static void a_server_starts_on_a_snapshot(void **state)
{
    struct workbench *bench = *state;
    fill(bench);
    assert_int_equal(storage_rig_work(bench, TAUD_WORK_SNAPSHOT, "Monday_1.a-b"),
                     TAU_STATUS_SUCCESS);
    assert_int_equal(disk_count(bench->storage.disk, "data/snapshots/Monday_1.a-b/segments"), 2);
    storage_rig_delete(bench, "series", 0, 4000);
    assert_int_equal(storage_rig_work(bench, TAUD_WORK_COMPACT, NULL), TAU_STATUS_SUCCESS);
    assert_int_equal(workbench_try_drop(bench, "series"), TAU_STATUS_SUCCESS);
    storage_rig_flush(bench);
    assert_int_equal(count_in(bench, "data/snapshots/Monday_1.a-b", "series"), 5090);
    workbench_start(bench);
    assert_int_equal(bench->recovery.series_count, 0);
}

static void an_empty_one_is_one_too(void **state)
{
    struct workbench *bench = *state;
    workbench_create(bench, "series");
    assert_int_equal(storage_rig_work(bench, TAUD_WORK_SNAPSHOT, "empty"), TAU_STATUS_SUCCESS);
    assert_int_equal(count_in(bench, "data/snapshots/empty", "series"), 0);
}

static void a_name_is_used_once(void **state)
{
    struct workbench *bench = *state;
    fill(bench);
    assert_int_equal(storage_rig_work(bench, TAUD_WORK_SNAPSHOT, "once"), TAU_STATUS_SUCCESS);
    uint64_t before = disk_digest(bench->storage.disk, "data/snapshots");
    storage_rig_append(bench, "series", 9000, 10, 1);
    assert_int_equal(storage_rig_work(bench, TAUD_WORK_SNAPSHOT, "once"),
                     TAU_STATUS_INVALID_ARGUMENT);
    assert_string_equal(bench->error.text, "there is a snapshot of that name");
    assert_int_equal(disk_digest(bench->storage.disk, "data/snapshots"), before);
}

// Each call to the disk fails: then there is none, or it is whole, and the next try makes it so.
static void one_that_failed_is_begun_anew(void **state)
{
    struct workbench *bench = *state;
    struct taud_error error;
    fill(bench);
    storage_rig_flush(bench);
    unsigned tries = 0;
    enum tau_status status = TAU_STATUS_INTERNAL_ERROR;
    for (uint64_t at = 1; status != TAU_STATUS_SUCCESS && status != TAU_STATUS_INVALID_ARGUMENT;
         at++, tries++) {
        disk_set_fault(bench->storage.disk,
                       (struct disk_fault){DISK_FAULT_ERROR, .at = at, .error = EIO});
        status = taud_snapshot_copy(bench->engine, "again", &error);
        disk_set_fault(bench->storage.disk, (struct disk_fault){0});
        assert_int_equal(storage_rig_count(bench, "series"), 5090);
    }
    assert_true(tries > 10);
    assert_int_equal(count_in(bench, "data/snapshots/again", "series"), 5090);
    assert_int_equal(disk_count(bench->storage.disk, "data/snapshots/again/segments"), 2);
}

// A flush that had found no space leaves out what was deleted since; the snapshot that it is for
// must not have a part of the deletion.
static void a_deletion_is_in_it_whole_or_not_at_all(void **state)
{
    struct workbench *bench = *state;
    struct taud_error error;
    uint64_t ticket, done, total;
    workbench_create(bench, "series");
    storage_rig_append(bench, "series", 0, 100, 1);
    storage_rig_flush(bench);
    storage_rig_append(bench, "series", 100, 100, 1);
    taud_engine_commit(bench->engine, bench->position, TAUD_COMMIT_INLINE);
    assert_int_equal(taud_engine_work_begin(bench->engine, TAUD_WORK_SNAPSHOT, "snap", &ticket),
                     TAU_STATUS_SUCCESS);
    staged_storage_break(&bench->storage, ENOSPC);
    assert_int_equal(taud_flush(bench->engine, &error), TAU_STATUS_STORAGE_FULL);
    storage_rig_delete(bench, "series", INT64_MIN, INT64_MAX);
    staged_storage_break(&bench->storage, 0);
    storage_rig_settle(bench);
    assert_int_equal(taud_engine_work_state(bench->engine, ticket, &done, &total, &error),
                     TAU_STATUS_SUCCESS);
    assert_int_equal(count_in(bench, "data/snapshots/snap", "series"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORAGE_RIG_TEST(a_server_starts_on_a_snapshot),
        STORAGE_RIG_TEST(an_empty_one_is_one_too),
        STORAGE_RIG_TEST(a_name_is_used_once),
        STORAGE_RIG_TEST(one_that_failed_is_begun_anew),
        STORAGE_RIG_TEST(a_deletion_is_in_it_whole_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
