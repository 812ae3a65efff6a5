// SPDX-License-Identifier: MIT
// A damaged segment gives back every chunk that is not itself damaged: after any flipped bit, any
// cut, zeroed, swapped and doubled pieces, by its index or, where that is damaged, by its chunks
// alone.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "store_rig.h"

#include "engine/crc32c.h"
#include "engine/store/segment_format.h"

#include <errno.h>

static const struct store_shape shape = {{7, 1}, .series = 3, .chunks = 3, .points = 12};
enum { ALL = 9 };

static struct store_rig rig;
static struct taud_segment *original; // stays open
static uint8_t *pristine;
static uint64_t pristine_size;

static enum tau_status rebuild(struct taud_segment **ret, struct taud_segment_scan *ret_scan,
                               enum taud_segment_fault *ret_fault)
{
    return taud_segment_rebuild(&rig.store, rig.codec, shape.name, ret, ret_scan, ret_fault,
                                &rig.local.error);
}

// Opens the damaged segment as a server would. Returns how many chunks are good; *ret_noticed tells
// whether anything said that something is wrong.
static uint32_t recover(bool *ret_noticed)
{
    struct taud_segment *segment;
    struct taud_segment_scan scan = {0};
    enum taud_segment_fault fault;
    enum tau_status status =
        taud_segment_open(&rig.store, rig.codec, shape.name, &segment, &fault, &rig.local.error);
    *ret_noticed = status != TAU_STATUS_SUCCESS;
    if (status != TAU_STATUS_SUCCESS) {
        assert_int_equal(status, TAU_STATUS_INTERNAL_ERROR);
        if (fault != TAUD_SEGMENT_DAMAGED_INDEX)
            return 0;
        assert_int_equal(rebuild(&segment, &scan, &fault), TAU_STATUS_SUCCESS);
        assert_true(segment->rebuilt);
        assert_int_equal(scan.chunk_count, segment->facts.chunk_count);
    }
    uint32_t good = store_rig_count_good(&rig, segment, shape);
    if (segment->rebuilt)
        assert_int_equal(good, scan.chunk_count); // what it found is good
    *ret_noticed = *ret_noticed || good < ALL;
    taud_segment_release(segment);
    return good;
}

static uint8_t *bytes_now(void)
{
    uint64_t size;
    uint8_t *bytes = store_rig_bytes(&rig, shape.name, &size);
    assert_int_equal(size, pristine_size);
    return bytes;
}

// How many chunks have bytes that are not what they were.
static uint32_t count_hurt(const uint8_t *bytes)
{
    uint32_t hurt = 0;
    for (uint32_t i = 0; i < ALL; i++) {
        uint64_t offset = taud_segment_offset(original, i);
        hurt += memcmp(bytes + offset, pristine + offset, original->sizes[i]) != 0;
    }
    return hurt;
}

static void expect_the_rest(const char *what, uint64_t at)
{
    uint8_t *bytes = bytes_now();
    uint32_t hurt = count_hurt(bytes);
    bool harmless = memcmp(bytes, pristine, pristine_size) == 0;
    bool noticed;
    uint32_t good = recover(&noticed);
    bool header_only = memcmp(bytes + TAUD_SEGMENT_HEAD_BYTES, pristine + TAUD_SEGMENT_HEAD_BYTES,
                              pristine_size - TAUD_SEGMENT_HEAD_BYTES) == 0;
    if (good != ALL - hurt || (!noticed && !harmless && !header_only))
        print_error("%s at %llu: %u good, %u hurt\n", what, (unsigned long long)at, good, hurt);
    assert_int_equal(good, ALL - hurt);
    assert_true(noticed || harmless || header_only); // the footer says what the header says
    memcpy(bytes, pristine, pristine_size);
}

static void any_bit_may_flip(void **state)
{
    (void)state;
    for (uint64_t bit = 0; bit < pristine_size * 8; bit++) {
        bytes_now()[bit / 8] ^= (uint8_t)(1 << bit % 8);
        expect_the_rest("bit", bit);
    }
}

static void any_piece_may_be_zero_or_of_elsewhere(void **state)
{
    (void)state;
    enum { PIECE = 128 }; // of a segment this small
    for (uint64_t at = PIECE; at + 2 * PIECE <= pristine_size - TAUD_SEGMENT_FOOT_BYTES; at += 31) {
        uint8_t *bytes = bytes_now();
        memset(bytes + at, 0, PIECE);
        expect_the_rest("zeroed piece", at);
        memcpy(bytes + at, pristine + at + PIECE, PIECE);
        memcpy(bytes + at + PIECE, pristine + at, PIECE);
        expect_the_rest("swapped pieces", at);
        memcpy(bytes + at + PIECE, pristine + at, PIECE);
        expect_the_rest("doubled piece", at);
    }
}

static void it_may_end_anywhere(void **state)
{
    (void)state;
    for (uint64_t end = 0; end < pristine_size; end++) {
        uint64_t size;
        bool noticed;
        local_rig_put(&rig.local, "segments/0000000000000007-00000001.seg", pristine, (size_t)end);
        uint32_t whole = 0, good = recover(&noticed);
        for (uint32_t i = 0; i < ALL; i++)
            whole += taud_segment_offset(original, i) + original->sizes[i] <= end;
        assert_true(noticed);
        assert_int_equal(good, end < TAUD_SEGMENT_HEAD_BYTES ? 0 : whole);
        assert_non_null(store_rig_bytes(&rig, shape.name, &size));
        assert_int_equal(size, end); // nothing was changed
    }
    local_rig_put(&rig.local, "segments/0000000000000007-00000001.seg", pristine,
                  (size_t)pristine_size);
}

static void what_was_passed_over_is_counted(void **state)
{
    (void)state;
    struct taud_segment *segment;
    struct taud_segment_scan scan;
    enum taud_segment_fault fault;
    uint8_t *bytes = bytes_now();
    bytes[taud_segment_offset(original, 1) + 30] ^= 1;
    bytes[taud_segment_offset(original, 4) + 30] ^= 1;
    bytes[taud_segment_offset(original, 5) + 30] ^= 1;
    for (int foot = 0; foot < 2; foot++) {
        assert_int_equal(rebuild(&segment, &scan, &fault), TAU_STATUS_SUCCESS);
        assert_int_equal(scan.chunk_count, ALL - 3);
        assert_int_equal(scan.damaged_count, 2);
        assert_int_equal(scan.damaged_bytes,
                         original->sizes[1] + original->sizes[4] + original->sizes[5]);
        assert_int_equal(segment->facts.point_count, (ALL - 3) * 12);
        assert_int_equal(segment->facts.last_sequence, 9);
        taud_segment_release(segment);
        bytes[pristine_size - 1] ^= 1; // then the index tells where the records end
    }
    memcpy(bytes, pristine, pristine_size);
}

// More than is looked at in one step, and damage where the steps meet.
static void a_large_segment_is_rebuilt_too(void **state)
{
    (void)state;
    static const struct store_shape large = {{8, 0}, .series = 30, .chunks = 50, .points = 1024};
    struct taud_segment *segment;
    struct taud_segment_scan scan;
    enum taud_segment_fault fault;
    uint64_t size;
    store_rig_write(&rig, large);
    uint8_t *bytes = store_rig_bytes(&rig, large.name, &size);
    assert_true(size > 1 << 20);
    for (uint64_t at = 1000; at + 4096 < size; at += 100000)
        memset(bytes + at, 0, 100);
    bytes[size - 1] ^= 1;
    assert_int_equal(taud_segment_rebuild(&rig.store, rig.codec, large.name, &segment, &scan,
                                          &fault, &rig.local.error),
                     TAU_STATUS_SUCCESS);
    assert_true(scan.damaged_count >= 10 && scan.damaged_count <= size / 100000 + 1);
    assert_true(scan.chunk_count >= 1500 - 2 * scan.damaged_count && scan.chunk_count < 1500);
    assert_int_equal(store_rig_count_good(&rig, segment, large), scan.chunk_count);
    taud_segment_release(segment);
}

// A chunk that its checksums call good and that is none is passed over as damaged.
static void a_good_record_of_no_chunk_is_passed_over(void **state)
{
    (void)state;
    struct taud_segment *segment;
    struct taud_segment_scan scan;
    enum taud_segment_fault fault;
    uint64_t offset = taud_segment_offset(original, 2);
    uint8_t *bytes = bytes_now(), frame[TAUD_RECORD_FRAME_MAX];
    struct taud_segment_record record;
    assert_true(taud_segment_record_look(bytes + offset, original->sizes[2], &record));
    size_t frame_size = record.size - record.chunk_size;
    memset(bytes + offset + frame_size, 0xee, record.chunk_size);
    taud_segment_frame_encode(original->facts.file_id, offset, record.identity, record.chunk,
                              record.chunk_size, frame);
    memcpy(bytes + offset, frame, frame_size);
    assert_int_equal(rebuild(&segment, &scan, &fault), TAU_STATUS_SUCCESS);
    assert_int_equal(scan.chunk_count, ALL - 1);
    taud_segment_release(segment);
    memcpy(bytes, pristine, pristine_size);
}

static void disks_and_memory_that_fail_are_told(void **state)
{
    (void)state;
    struct taud_segment *segment;
    struct taud_segment_scan scan;
    enum taud_segment_fault fault;
    enum tau_status status = TAU_STATUS_INTERNAL_ERROR;
    struct disk_fault failing = {DISK_FAULT_ERROR, .at = 1, .error = EIO};
    for (; status == TAU_STATUS_INTERNAL_ERROR; failing.at++) {
        disk_set_fault(rig.local.disk, failing);
        status = rebuild(&segment, &scan, &fault);
        assert_int_equal(fault, TAUD_SEGMENT_NO_FAULT);
    }
    assert_int_equal(status, TAU_STATUS_SUCCESS);
    taud_segment_release(segment);
    disk_set_fault(rig.local.disk, (struct disk_fault){DISK_FAULT_NONE, .at = 0});
    status = TAU_STATUS_NO_MEMORY;
    for (unsigned at = 1; status == TAU_STATUS_NO_MEMORY; at++) {
        failing_allocator_fail_next(&rig.local.memory, at);
        status = rebuild(&segment, &scan, &fault);
    }
    atomic_store(&rig.local.memory.fail_at, 0);
    assert_int_equal(status, TAU_STATUS_SUCCESS);
    taud_segment_release(segment);
}

// The planted bug: with a checksum made for it, damage passes; so it is the checksum that tells.
static void damage_with_a_good_checksum_is_not_noticed(void **state)
{
    (void)state;
    uint64_t offset = taud_segment_offset(original, 2);
    uint8_t *bytes = bytes_now(), frame[TAUD_RECORD_FRAME_MAX];
    struct taud_segment_record record;
    assert_true(taud_segment_record_look(bytes + offset, original->sizes[2], &record));
    bytes[offset + record.size - 1] ^= 1;
    taud_segment_frame_encode(original->facts.file_id, offset, record.identity, record.chunk,
                              record.chunk_size, frame);
    memcpy(bytes + offset, frame, 4);
    struct taud_segment *segment = store_rig_open(&rig, shape.name);
    struct taud_chunk_bytes held;
    bool damaged;
    assert_int_equal(taud_segment_read(segment, 10, 2, &held, &damaged, NULL), TAU_STATUS_SUCCESS);
    taud_segment_give_back(&rig.store, &held);
    taud_segment_release(segment);
    memcpy(bytes, pristine, pristine_size);
}

static int prepare(void **state)
{
    (void)state;
    store_rig_init(&rig);
    store_rig_write(&rig, shape);
    original = store_rig_open(&rig, shape.name);
    const uint8_t *bytes = store_rig_bytes(&rig, shape.name, &pristine_size);
    pristine = malloc(pristine_size);
    memcpy(pristine, bytes, pristine_size);
    return 0;
}

static int finish(void **state)
{
    (void)state;
    free(pristine);
    taud_segment_release(original);
    store_rig_done(&rig);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_bit_may_flip),
        cmocka_unit_test(any_piece_may_be_zero_or_of_elsewhere),
        cmocka_unit_test(it_may_end_anywhere),
        cmocka_unit_test(what_was_passed_over_is_counted),
        cmocka_unit_test(a_large_segment_is_rebuilt_too),
        cmocka_unit_test(a_good_record_of_no_chunk_is_passed_over),
        cmocka_unit_test(disks_and_memory_that_fail_are_told),
        cmocka_unit_test(damage_with_a_good_checksum_is_not_noticed),
    };
    return cmocka_run_group_tests(tests, prepare, finish);
}
