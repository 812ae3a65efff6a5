// SPDX-License-Identifier: MIT
// What is stored comes back at a start. What is damaged is told and put aside, and all else is
// served; what is left over goes; what a later version wrote is not touched.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "storage_rig.h"

#include "engine/crc32c.h"

#include <stdio.h>
#include <string.h>

enum { POINTS = 3000 };

// Three segments of two series; the catalog in two objects.
static void fill(struct workbench *bench)
{
    workbench_create(bench, "first");
    for (int i = 0; i < 3; i++) {
        if (i == 1)
            workbench_create(bench, "second");
        storage_rig_append(bench, "first", i * 10000, POINTS, 1);
        if (i > 0)
            storage_rig_append(bench, "second", i * 10000, 10, 1);
        storage_rig_flush(bench);
    }
    assert_int_equal(storage_rig_manifest(bench)->segment_count, 3);
    assert_int_equal(storage_rig_manifest(bench)->catalog_count, 2);
}

static void stop(struct workbench *bench)
{
    taud_engine_free(bench->engine);
    bench->engine = NULL;
}

static void all_comes_back(void **state)
{
    struct workbench *bench = *state;
    fill(bench);
    workbench_start(bench);
    assert_int_equal(bench->recovery.segment_count, 3);
    assert_int_equal(bench->recovery.stored_points, 3 * POINTS + 20);
    assert_int_equal(bench->recovery.series_count, 2);
    assert_int_equal(bench->recovery.record_count, 0);
    assert_int_equal(bench->recovery.lost_count, 0);
    assert_int_equal(storage_rig_count(bench, "first"), 3 * POINTS);
    assert_int_equal(storage_rig_count(bench, "second"), 20);
    workbench_create(bench, "third"); // no identity is given twice
    assert_int_equal(workbench_describe(bench, "third").identity, 3);
    assert_int_equal(workbench_try_append(bench, "second", 20009, 1), TAU_STATUS_OUT_OF_ORDER);
    workbench_append(bench, "second", 20010, 20010);
}

static void a_segment_that_is_beyond_reading_is_put_aside(void **state)
{
    struct workbench *bench = *state;
    uint64_t size;
    fill(bench);
    stop(bench);
    uint8_t *bytes = workbench_segment(bench, 2, &size);
    memset(bytes, 0, 64);
    memset(bytes + size - 104, 0, 104);
    workbench_start(bench);
    assert_int_equal(bench->recovery.lost_count, 1);
    assert_int_equal(bench->recovery.segment_count, 2);
    assert_int_equal(disk_count(bench->storage.disk, "data/segments"), 2);
    assert_int_equal(disk_count(bench->storage.disk, "data/quarantine"), 1);
    assert_int_equal(storage_rig_count(bench, "first"), 2 * POINTS);
    assert_int_equal(storage_rig_count(bench, "second"), 10);
    storage_rig_append(bench, "first", 50000, 5, 1);
    storage_rig_flush(bench);
    workbench_start(bench); // its loss is told once
    assert_int_equal(bench->recovery.lost_count, 0);
    assert_int_equal(storage_rig_count(bench, "first"), 2 * POINTS + 5);
}

static void a_segment_that_is_missing_takes_nothing_else_with_it(void **state)
{
    struct workbench *bench = *state;
    fill(bench);
    stop(bench);
    disk_remove(bench->storage.disk, "data/segments/0000000000000001-00000000.seg");
    workbench_start(bench);
    assert_int_equal(bench->recovery.lost_count, 1);
    assert_int_equal(storage_rig_count(bench, "first"), 2 * POINTS);
}

// Its chunks are all there; it is written anew when there is time.
static void a_segment_without_its_index_is_read_without(void **state)
{
    struct workbench *bench = *state;
    uint64_t size;
    fill(bench);
    stop(bench);
    uint8_t *bytes = workbench_segment(bench, 2, &size);
    bytes[size - 110] ^= 1;
    workbench_start(bench);
    assert_int_equal(bench->recovery.lost_count, 1);
    assert_int_equal(bench->recovery.segment_count, 3);
    assert_int_equal(storage_rig_count(bench, "first"), 3 * POINTS);
    assert_true(storage_rig_settle(bench) > 0);
    assert_int_equal(storage_rig_manifest(bench)->segments[1].name.level, 1);
    workbench_start(bench);
    assert_int_equal(bench->recovery.lost_count, 0);
    assert_int_equal(storage_rig_count(bench, "first"), 3 * POINTS);
}

// The series that it created are not known; what segments have of them stays for a repair.
static void a_damaged_catalog_loses_no_points(void **state)
{
    struct workbench *bench = *state;
    uint64_t size;
    fill(bench);
    stop(bench);
    disk_file(bench->storage.disk, "data/catalogs/0000000000000002.cat", &size)[40] ^= 1;
    for (int i = 0; i < 2; i++) {
        workbench_start(bench);
        assert_int_equal(bench->recovery.lost_count, 1); // each time: it is still lost
        assert_int_equal(bench->recovery.series_count, 1);
        assert_int_equal(storage_rig_count(bench, "first"), 3 * POINTS);
        assert_int_equal(storage_rig_work(bench, TAUD_WORK_COMPACT, NULL), TAU_STATUS_SUCCESS);
        struct taud_engine_statistics figures;
        taud_engine_statistics(bench->engine, &figures);
        assert_int_equal(figures.stored_points, 3 * POINTS + 20);
    }
    workbench_create(bench, "third");
    assert_int_equal(workbench_describe(bench, "third").identity, 3); // not that of the lost one
}

static void what_is_left_over_goes(void **state)
{
    struct workbench *bench = *state;
    const struct taud_objects_operations *objects = bench->storage.backend->objects;
    fill(bench);
    struct taud_backend *backend = bench->storage.backend;
    assert_int_equal(objects->put(backend, "segments/0000000000000009-00000000.seg", "x", 1, NULL),
                     0);
    assert_int_equal(objects->put(backend, "catalogs/0000000000000009.cat", "x", 1, NULL), 0);
    assert_int_equal(objects->put(backend, "manifests/0000000000000004.man", "x", 1, NULL), 0);
    workbench_start(bench);
    assert_int_equal(bench->recovery.lost_count, 0);
    assert_int_equal(disk_count(bench->storage.disk, "data/segments"), 3);
    assert_int_equal(disk_count(bench->storage.disk, "data/catalogs"), 2);
    assert_int_equal(disk_count(bench->storage.disk, "data/manifests"), 1);
    assert_int_equal(disk_count(bench->storage.disk, "data/quarantine"), 0);
}

// Sets the version of a header or footer whose checksum is its last 4 bytes.
static void make_later(uint8_t *bytes, size_t size)
{
    bytes[8] = 77;
    uint32_t check = taud_crc32c(0, bytes, size - 4);
    memcpy(bytes + size - 4, &check, sizeof check);
}

static void a_segment_of_a_later_version_is_not_touched(void **state)
{
    struct workbench *bench = *state;
    uint64_t size;
    fill(bench);
    const struct taud_objects_operations *objects = bench->storage.backend->objects;
    assert_int_equal(
        objects->put(bench->storage.backend, "catalogs/0000000000000009.cat", "x", 1, NULL), 0);
    stop(bench);
    uint8_t *bytes = workbench_segment(bench, 2, &size);
    make_later(bytes, 64);
    make_later(bytes + size - 104, 104);
    uint64_t before = disk_digest(bench->storage.disk, "data");
    assert_int_equal(workbench_try_start(bench), TAU_STATUS_INTERNAL_ERROR);
    assert_non_null(
        strstr(bench->error.text, "is of format 77, this server knows 1; it was not touched"));
    assert_int_equal(disk_digest(bench->storage.disk, "data"), before);
    assert_int_equal(disk_count(bench->storage.disk, "data/catalogs"), 3);
}

static void every_allocation_may_fail(void **state)
{
    struct workbench *bench = *state;
    enum tau_status status = TAU_STATUS_NO_MEMORY;
    unsigned fail_at = 1;
    fill(bench);
    stop(bench);
    for (; status == TAU_STATUS_NO_MEMORY; fail_at++) {
        assert_int_equal(atomic_load(&bench->memory.live), 0);
        failing_allocator_init(&bench->memory, fail_at, false);
        status = workbench_try_start(bench);
        if (status == TAU_STATUS_NO_MEMORY)
            stop(bench);
    }
    assert_int_equal(status, TAU_STATUS_SUCCESS);
    atomic_store(&bench->memory.fail_at, 0);
    assert_true(fail_at > 40);
    assert_int_equal(storage_rig_count(bench, "first"), 3 * POINTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORAGE_RIG_TEST(all_comes_back),
        STORAGE_RIG_TEST(a_segment_that_is_beyond_reading_is_put_aside),
        STORAGE_RIG_TEST(a_segment_that_is_missing_takes_nothing_else_with_it),
        STORAGE_RIG_TEST(a_segment_without_its_index_is_read_without),
        STORAGE_RIG_TEST(a_damaged_catalog_loses_no_points),
        STORAGE_RIG_TEST(what_is_left_over_goes),
        STORAGE_RIG_TEST(a_segment_of_a_later_version_is_not_touched),
        STORAGE_RIG_TEST(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
