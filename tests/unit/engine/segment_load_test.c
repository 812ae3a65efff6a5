// SPDX-License-Identifier: MIT
// What opening a segment says of one that is missing, damaged, of a later format, another one, or
// cannot be read; and that it believes no number, though the checksums hold.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "store_rig.h"

#include "engine/crc32c.h"
#include "engine/store/segment_load.h"

#include <errno.h>

static const struct store_shape shape = {{7, 1}, .series = 60, .chunks = 20, .points = 20};

static int setup(void **state)
{
    static struct store_rig rig;
    store_rig_init(&rig);
    store_rig_write(&rig, shape);
    *state = &rig;
    return 0;
}

static int teardown(void **state)
{
    store_rig_done(*state);
    return 0;
}

// Expects that it does not open, and why.
static void expect_fault(struct store_rig *rig, struct taud_segment_name name,
                         enum taud_segment_fault expected, const char *words)
{
    struct taud_segment *segment = NULL;
    enum taud_segment_fault fault = TAUD_SEGMENT_NO_FAULT;
    int live = atomic_load(&rig->local.memory.live);
    uint64_t digest = disk_digest(rig->local.disk, "");
    rig->local.error.text[0] = '\0';
    assert_int_equal(
        taud_segment_open(&rig->store, rig->codec, name, &segment, &fault, &rig->local.error),
        TAU_STATUS_INTERNAL_ERROR);
    assert_null(segment);
    assert_int_equal(fault, expected);
    assert_non_null(strstr(rig->local.error.text, words));
    assert_int_equal(atomic_load(&rig->local.memory.live), live);
    assert_int_equal(disk_digest(rig->local.disk, ""), digest);
}

static void what_is_not_there_is_missing(void **state)
{
    expect_fault(*state, (struct taud_segment_name){7, 2}, TAUD_SEGMENT_MISSING,
                 "segments/0000000000000007-00000002.seg is missing");
}

static void a_segment_under_another_name_is_refused(void **state)
{
    struct store_rig *rig = *state;
    uint64_t size;
    const uint8_t *bytes = store_rig_bytes(rig, shape.name, &size);
    local_rig_put(&rig->local, "segments/0000000000000007-00000002.seg", bytes, size);
    expect_fault(rig, (struct taud_segment_name){7, 2}, TAUD_SEGMENT_DAMAGED,
                 "holds another segment");
}

static void put_checksum(uint8_t *bytes, size_t size)
{
    taud_store_u32(bytes + size - 4, taud_crc32c(0, bytes, size - 4));
}

static void one_good_end_is_enough(void **state)
{
    struct store_rig *rig = *state;
    uint64_t size;
    uint8_t *bytes = store_rig_bytes(rig, shape.name, &size);
    struct taud_segment *segment = store_rig_open(rig, shape.name);
    assert_false(segment->head_damaged);
    taud_segment_release(segment);
    bytes[20] ^= 1;
    segment = store_rig_open(rig, shape.name); // by its footer
    assert_true(segment->head_damaged);
    assert_int_equal(store_rig_count_good(rig, segment, shape), 1200);
    taud_segment_release(segment);
    bytes[size - 30] ^= 1;
    expect_fault(rig, shape.name, TAUD_SEGMENT_DAMAGED, "neither a good header nor a good footer");
    bytes[20] ^= 1;
    expect_fault(rig, shape.name, TAUD_SEGMENT_DAMAGED_INDEX, "has a damaged footer");
    disk_truncate(rig->local.disk, "data/segments/0000000000000007-00000001.seg", 70);
    expect_fault(rig, shape.name, TAUD_SEGMENT_DAMAGED_INDEX, "has a damaged footer");
    disk_truncate(rig->local.disk, "data/segments/0000000000000007-00000001.seg", 63);
    expect_fault(rig, shape.name, TAUD_SEGMENT_DAMAGED, "neither a good header nor a good footer");
    disk_truncate(rig->local.disk, "data/segments/0000000000000007-00000001.seg", 0);
    expect_fault(rig, shape.name, TAUD_SEGMENT_DAMAGED, "neither a good header nor a good footer");
}

static void a_later_format_is_refused_untouched(void **state)
{
    struct store_rig *rig = *state;
    uint64_t size;
    uint8_t *bytes = store_rig_bytes(rig, shape.name, &size);
    taud_store_u32(bytes + 8, 2);
    put_checksum(bytes, TAUD_SEGMENT_HEAD_BYTES);
    expect_fault(rig, shape.name, TAUD_SEGMENT_FUTURE,
                 "is of format 2, this server knows 1; it was not touched");
    taud_store_u32(bytes + 8, 1);
    put_checksum(bytes, TAUD_SEGMENT_HEAD_BYTES);
    uint8_t *foot = bytes + size - TAUD_SEGMENT_FOOT_BYTES;
    taud_store_u32(foot + 8, 9);
    put_checksum(foot, TAUD_SEGMENT_FOOT_BYTES);
    expect_fault(rig, shape.name, TAUD_SEGMENT_FUTURE, "is of format 9");
}

static void a_damaged_index_is_refused(void **state)
{
    struct store_rig *rig = *state;
    struct taud_segment *segment = store_rig_open(rig, shape.name);
    uint64_t size, index = segment->facts.index_offset;
    assert_int_equal(segment->block_count, 2);
    uint64_t second = index + segment->block_starts[1];
    taud_segment_release(segment);
    uint8_t *bytes = store_rig_bytes(rig, shape.name, &size);
    const uint64_t places[] = {index,  index + 4,   index + 100,
                               second, second + 50, size - TAUD_SEGMENT_FOOT_BYTES - 1};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        bytes[places[i]] ^= 0x10;
        expect_fault(rig, shape.name, TAUD_SEGMENT_DAMAGED_INDEX, "has a damaged index");
        bytes[places[i]] ^= 0x10;
    }
    segment = store_rig_open(rig, shape.name);
    taud_segment_release(segment);
}

static void nothing_stands_behind_the_index(void **state)
{
    struct store_rig *rig = *state;
    uint64_t size;
    const uint8_t *bytes = store_rig_bytes(rig, shape.name, &size);
    size_t end = (size_t)size - TAUD_SEGMENT_FOOT_BYTES;
    uint8_t *longer = malloc((size_t)size + 30);
    memcpy(longer, bytes, end);
    memset(longer + end, 0, 30);
    memcpy(longer + end + 30, bytes + end, TAUD_SEGMENT_FOOT_BYTES);
    local_rig_put(&rig->local, "segments/0000000000000007-00000001.seg", longer, (size_t)size + 30);
    free(longer);
    expect_fault(rig, shape.name, TAUD_SEGMENT_DAMAGED_INDEX, "has a damaged index");
}

// Numbers of a footer whose checksum holds, and which cannot be.
static void no_number_is_believed(void **state)
{
    struct store_rig *rig = *state;
    uint64_t size;
    uint8_t *bytes = store_rig_bytes(rig, shape.name, &size);
    uint8_t *foot = bytes + size - TAUD_SEGMENT_FOOT_BYTES;
    static const size_t fields[] = {40, 48, 56, 64}; // index, chunks, points, series
    for (size_t i = 0; i < 4; i++) {
        uint64_t good = taud_load_u64(foot + fields[i]);
        const uint64_t lies[] = {0,        1,          good - 1, good + 1,  UINT32_MAX,
                                 size - 1, UINT64_MAX, good * 2, INT64_MAX, good + 1024};
        for (size_t k = 0; k < sizeof lies / sizeof lies[0]; k++) {
            taud_store_u64(foot + fields[i], lies[k]);
            put_checksum(foot, TAUD_SEGMENT_FOOT_BYTES);
            expect_fault(rig, shape.name, TAUD_SEGMENT_DAMAGED_INDEX, "has a damaged");
        }
        taud_store_u64(foot + fields[i], good);
    }
}

static void disks_and_memory_that_fail_are_no_damage(void **state)
{
    struct store_rig *rig = *state;
    enum taud_segment_fault fault = TAUD_SEGMENT_DAMAGED;
    struct taud_segment *segment = NULL;
    struct disk_fault failing = {DISK_FAULT_ERROR, .at = 1, .error = EIO};
    enum tau_status status = TAU_STATUS_INTERNAL_ERROR;
    for (; status == TAU_STATUS_INTERNAL_ERROR; failing.at++) {
        disk_set_fault(rig->local.disk, failing);
        status = taud_segment_open(&rig->store, rig->codec, shape.name, &segment, &fault,
                                   &rig->local.error);
        assert_int_equal(fault, TAUD_SEGMENT_NO_FAULT);
        if (status != TAU_STATUS_SUCCESS)
            assert_int_equal(rig->local.error.os_error, EIO);
    }
    assert_int_equal(status, TAU_STATUS_SUCCESS);
    assert_int_equal(failing.at, 7); // open, size, three reads
    disk_set_fault(rig->local.disk, (struct disk_fault){DISK_FAULT_NONE, .at = 0});
    taud_segment_release(segment);
    status = TAU_STATUS_NO_MEMORY;
    for (unsigned at = 1; status == TAU_STATUS_NO_MEMORY; at++) {
        failing_allocator_fail_next(&rig->local.memory, at);
        status = taud_segment_open(&rig->store, rig->codec, shape.name, &segment, &fault,
                                   &rig->local.error);
        assert_int_equal(fault, TAUD_SEGMENT_NO_FAULT);
    }
    assert_int_equal(status, TAU_STATUS_SUCCESS);
    taud_segment_release(segment);
}

#define LOAD_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOAD_TEST(what_is_not_there_is_missing),
        LOAD_TEST(a_segment_under_another_name_is_refused),
        LOAD_TEST(one_good_end_is_enough),
        LOAD_TEST(a_later_format_is_refused_untouched),
        LOAD_TEST(a_damaged_index_is_refused),
        LOAD_TEST(nothing_stands_behind_the_index),
        LOAD_TEST(no_number_is_believed),
        LOAD_TEST(disks_and_memory_that_fail_are_no_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
