// SPDX-License-Identifier: MIT
// A cursor reads every chunk of a segment, large or small, in order or not, leaves the cache alone,
// and tells damage of the chunk that it is in.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "store_rig.h"

#include "engine/store/segment_cursor.h"

#include <errno.h>

static const struct store_shape shape = {{7, 1}, .series = 10, .chunks = 60, .points = 1024};
enum { ALL = 600 };

static int setup(void **state)
{
    static struct store_rig rig;
    store_rig_init(&rig);
    rig.store.cache = taud_cache_new(rig.store.allocator, 1 << 20);
    store_rig_write(&rig, shape);
    *state = &rig;
    return 0;
}

static int teardown(void **state)
{
    struct store_rig *rig = *state;
    taud_cache_free(rig->store.cache);
    store_rig_done(rig);
    return 0;
}

// Reads a chunk. Returns whether it is as it was written; else it has to be told as damaged.
static bool read_chunk(struct store_rig *rig, struct taud_segment_cursor *cursor, uint32_t chunk)
{
    static struct store_chunk expected;
    const uint8_t *bytes = NULL;
    size_t size = 0;
    bool damaged = false;
    uint64_t identity = (chunk / shape.chunks + 1) * 10;
    enum tau_status status = taud_segment_cursor_read(cursor, identity, chunk, &bytes, &size,
                                                      &damaged, &rig->local.error);
    assert_int_equal(status == TAU_STATUS_SUCCESS, !damaged);
    if (damaged)
        return false;
    store_rig_chunk(rig, identity, chunk % shape.chunks, shape.points, &expected);
    assert_int_equal(size, expected.size);
    assert_memory_equal(bytes, expected.bytes, size);
    return true;
}

static void every_chunk_is_read_past_the_cache(void **state)
{
    struct store_rig *rig = *state;
    struct taud_segment *segment = store_rig_open(rig, shape.name);
    struct taud_segment_cursor cursor;
    assert_true(segment->facts.size > 2 * TAUD_SEGMENT_CURSOR_BYTES);
    assert_true(taud_segment_cursor_init(&cursor, segment));
    taud_segment_release(segment); // the cursor holds it
    disk_set_fault(rig->local.disk, (struct disk_fault){DISK_FAULT_NONE, .at = 0});
    for (uint32_t i = 0; i < ALL; i++)
        assert_true(read_chunk(rig, &cursor, i));
    assert_true(disk_calls(rig->local.disk) <= segment->facts.size / TAUD_SEGMENT_CURSOR_BYTES + 2);
    for (uint32_t i = 0; i < ALL; i += 7)
        assert_true(read_chunk(rig, &cursor, ALL - 1 - i));
    struct taud_cache_statistics statistics;
    taud_cache_statistics(rig->store.cache, &statistics);
    assert_int_equal(statistics.hit_count + statistics.miss_count, 0);
    taud_segment_cursor_done(&cursor);
}

static uint64_t forgotten; // up to where

static void remember_forgotten(struct taud_object *object, size_t size, uint64_t offset)
{
    (void)object;
    assert_true(offset <= forgotten);
    forgotten = offset + size;
}

static void what_was_read_is_left_in_no_cache(void **state)
{
    struct store_rig *rig = *state;
    struct taud_backend *backend = rig->store.backend;
    const struct taud_objects_operations *objects = backend->objects;
    struct taud_objects_operations watched = *objects;
    watched.forget = remember_forgotten;
    backend->objects = &watched;
    struct taud_segment *segment = store_rig_open(rig, shape.name);
    struct taud_segment_cursor cursor;
    assert_true(taud_segment_cursor_init(&cursor, segment));
    forgotten = 0;
    for (uint32_t i = 0; i < ALL; i++) {
        assert_true(read_chunk(rig, &cursor, i));
        bool first = cursor.offset == taud_segment_offset(segment, 0);
        assert_true(first ? forgotten == 0 : forgotten >= cursor.offset);
    }
    taud_segment_cursor_done(&cursor);
    assert_int_equal(forgotten, segment->facts.index_offset);
    taud_segment_release(segment);
    backend->objects = objects;
}

static void damage_is_told_of_its_chunk(void **state)
{
    struct store_rig *rig = *state;
    struct taud_segment *segment = store_rig_open(rig, shape.name);
    struct taud_segment_cursor cursor;
    uint64_t size;
    assert_true(taud_segment_cursor_init(&cursor, segment));
    uint8_t *bytes = store_rig_bytes(rig, shape.name, &size);
    bytes[taud_segment_offset(segment, 300) + 50] ^= 1;
    for (uint32_t i = 0; i < ALL; i++)
        assert_int_equal(read_chunk(rig, &cursor, i), i != 300);
    assert_true(read_chunk(rig, &cursor, 70));
    const uint8_t *chunk;
    size_t chunk_size;
    bool damaged = false;
    assert_int_equal(taud_segment_cursor_read(&cursor, 10, 70, &chunk, &chunk_size, &damaged,
                                              &rig->local.error), // it is of series 20
                     TAU_STATUS_INTERNAL_ERROR);
    assert_true(damaged);
    assert_non_null(strstr(rig->local.error.text, "series 10 at offset"));
    taud_segment_cursor_done(&cursor);
    taud_segment_release(segment);
}

static void disks_and_memory_that_fail_are_no_damage(void **state)
{
    struct store_rig *rig = *state;
    struct taud_segment *segment = store_rig_open(rig, shape.name);
    struct taud_segment_cursor cursor;
    const uint8_t *chunk;
    size_t size;
    bool damaged = true;
    failing_allocator_fail_next(&rig->local.memory, 1);
    assert_false(taud_segment_cursor_init(&cursor, segment));
    assert_true(taud_segment_cursor_init(&cursor, segment));
    disk_set_fault(rig->local.disk, (struct disk_fault){DISK_FAULT_ERROR, .at = 1, .error = EIO});
    assert_int_equal(
        taud_segment_cursor_read(&cursor, 10, 0, &chunk, &size, &damaged, &rig->local.error),
        TAU_STATUS_INTERNAL_ERROR);
    assert_false(damaged);
    assert_int_equal(rig->local.error.os_error, EIO);
    disk_set_fault(rig->local.disk, (struct disk_fault){DISK_FAULT_NONE, .at = 0});
    assert_true(read_chunk(rig, &cursor, 0));
    taud_segment_cursor_done(&cursor);
    taud_segment_release(segment);
}

#define CURSOR_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CURSOR_TEST(every_chunk_is_read_past_the_cache),
        CURSOR_TEST(what_was_read_is_left_in_no_cache),
        CURSOR_TEST(damage_is_told_of_its_chunk),
        CURSOR_TEST(disks_and_memory_that_fail_are_no_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
