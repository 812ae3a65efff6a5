// SPDX-License-Identifier: MIT
// A manifest keeps its entries in order and comes back from its bytes; any one bit of them may
// flip, and what no writer writes is refused though its checksum holds.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "failing_allocator.h"

#include "engine/bytes.h"
#include "engine/crc32c.h"
#include "engine/store/manifest.h"

#include <string.h>

static struct failing_allocator memory;

static int setup(void **state)
{
    static struct taud_manifest manifest;
    failing_allocator_init(&memory, 0, false);
    taud_manifest_init(&manifest, &memory.table);
    *state = &manifest;
    return 0;
}

static int teardown(void **state)
{
    taud_manifest_done(*state);
    return atomic_load(&memory.live);
}

static bool add_segment(struct taud_manifest *manifest, uint64_t first, uint64_t last,
                        uint32_t level)
{
    return taud_manifest_add_segment(manifest,
                                     &(struct taud_manifest_segment){.name = {first, level},
                                                                     .last_sequence = last,
                                                                     .size = first * 1000,
                                                                     .chunk_count = 5,
                                                                     .point_count = 50,
                                                                     .first_timestamp = -1,
                                                                     .last_timestamp = 0x1234});
}

static void fill(struct taud_manifest *manifest)
{
    manifest->number = 6;
    manifest->flush_position = 0x8877;
    assert_true(add_segment(manifest, 4, 4, 0));
    assert_true(add_segment(manifest, 1, 2, 3));
    assert_true(add_segment(manifest, 3, 3, 0));
    assert_true(taud_manifest_add_catalog(manifest, &(struct taud_manifest_catalog){7, 700}));
    assert_true(taud_manifest_add_catalog(manifest, &(struct taud_manifest_catalog){5, 500}));
    assert_true(taud_manifest_add_tombstone(manifest, &(struct taud_tombstone){9, -8, 8, 4}));
}

static bool equal(const struct taud_manifest *a, const struct taud_manifest *b)
{
    static uint8_t bytes[2][2 * 4096];
    size_t size = taud_manifest_size(a);
    if (size > sizeof bytes[0] || taud_manifest_size(b) != size)
        return false;
    taud_manifest_encode(a, bytes[0]);
    taud_manifest_encode(b, bytes[1]);
    return memcmp(bytes[0], bytes[1], size) == 0;
}

// Returns the fault, NO_FAULT for success.
static enum taud_manifest_fault decode(const uint8_t *bytes, size_t size, struct taud_manifest *ret)
{
    enum taud_manifest_fault fault;
    taud_manifest_init(ret, &memory.table);
    enum tau_status status = taud_manifest_decode(bytes, size, ret, &fault);
    assert_int_equal(status == TAU_STATUS_SUCCESS, fault == TAUD_MANIFEST_NO_FAULT);
    return fault;
}

static void entries_stand_in_order(void **state)
{
    struct taud_manifest *manifest = *state;
    fill(manifest);
    assert_int_equal(manifest->segments[0].name.sequence, 1);
    assert_int_equal(manifest->segments[1].name.sequence, 3);
    assert_int_equal(manifest->segments[2].name.sequence, 4);
    assert_int_equal(manifest->catalogs[0].number, 5);
    assert_int_equal(manifest->next_sequence, 5);
    assert_int_equal(manifest->next_catalog, 8);
    assert_true(taud_manifest_names_segment(manifest, (struct taud_segment_name){1, 3}));
    assert_false(taud_manifest_names_segment(manifest, (struct taud_segment_name){1, 2}));
    assert_true(taud_manifest_names_catalog(manifest, 7));
    assert_false(taud_manifest_names_catalog(manifest, 6));
    taud_manifest_remove_segment(manifest, (struct taud_segment_name){3, 1}); // is not there
    assert_int_equal(manifest->segment_count, 3);
    taud_manifest_remove_segment(manifest, (struct taud_segment_name){3, 0});
    assert_int_equal(manifest->segment_count, 2);
    assert_int_equal(manifest->segments[1].name.sequence, 4);
    taud_manifest_remove_catalog(manifest, 5);
    taud_manifest_remove_catalog(manifest, 5);
    assert_int_equal(manifest->catalog_count, 1);
    assert_int_equal(manifest->catalogs[0].number, 7);
    taud_manifest_remove_tombstone(manifest, 1);
    assert_int_equal(manifest->tombstone_count, 1);
    taud_manifest_remove_tombstone(manifest, 0);
    assert_int_equal(manifest->tombstone_count, 0);
    assert_int_equal(manifest->next_sequence, 5); // never lowered
}

static void a_copy_is_of_its_own(void **state)
{
    struct taud_manifest *manifest = *state, copy;
    fill(manifest);
    assert_true(taud_manifest_copy(manifest, &copy));
    assert_true(equal(manifest, &copy));
    for (uint64_t i = 10; i < 40; i++)
        assert_true(add_segment(&copy, i, i, 0));
    assert_int_equal(manifest->segment_count, 3);
    assert_int_equal(copy.segment_count, 33);
    taud_manifest_done(&copy);
    for (unsigned at = 1; at <= 3; at++) {
        failing_allocator_fail_next(&memory, at);
        assert_false(taud_manifest_copy(manifest, &copy));
    }
    assert_true(taud_manifest_copy(manifest, &copy));
    failing_allocator_fail_next(&memory, 1);
    assert_false(add_segment(&copy, 10, 10, 0)); // there is no room for it
    assert_true(equal(manifest, &copy));
    taud_manifest_done(&copy);
}

static void it_is_as_the_format_says(void **state)
{
    struct taud_manifest *manifest = *state, back;
    fill(manifest);
    manifest->next_identity = 0x99;
    static uint8_t bytes[2 * 4096];
    size_t size = taud_manifest_size(manifest), half = size / 2;
    assert_int_equal(half, 4096);
    taud_manifest_encode(manifest, bytes);
    assert_memory_equal(bytes,
                        "TAUMAN\r\n\1\0\0\0\0\0\0\0\6\0\0\0\0\0\0\0\x77\x88\0\0\0\0\0\0"
                        "\5\0\0\0\0\0\0\0\x8\0\0\0\0\0\0\0\x99\0\0\0\0\0\0\0\3\0\0\0\2\0\0\0"
                        "\1\0\0\0\0\0\0\0",
                        72);
    assert_memory_equal(bytes + 72,
                        "\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0\xe8\3\0\0\0\0\0\0"
                        "\5\0\0\0\0\0\0\0\x32\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff"
                        "\x34\x12\0\0\0\0\0\0",
                        64);
    assert_memory_equal(bytes + 72 + 3 * 64, "\5\0\0\0\0\0\0\0\xf4\1\0\0\0\0\0\0", 16);
    assert_memory_equal(bytes + 72 + 3 * 64 + 32,
                        "\x9\0\0\0\0\0\0\0\xf8\xff\xff\xff\xff\xff\xff\xff\x8\0\0\0\0\0\0\0"
                        "\4\0\0\0\0\0\0\0",
                        32);
    assert_int_equal(taud_load_u32(bytes + half - 4), taud_crc32c(0, bytes, half - 4));
    assert_memory_equal(bytes, bytes + half, half);
    assert_int_equal(decode(bytes, size, &back), TAUD_MANIFEST_NO_FAULT);
    assert_true(equal(manifest, &back));
    taud_manifest_done(&back);
}

static void any_bit_may_flip(void **state)
{
    struct taud_manifest *manifest = *state, back;
    fill(manifest);
    static uint8_t bytes[2 * 4096];
    size_t size = taud_manifest_size(manifest), half = size / 2;
    taud_manifest_encode(manifest, bytes);
    for (size_t bit = 0; bit < size * 8; bit++) {
        bool intact[2];
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        taud_manifest_copies(bytes, size, intact);
        assert_true(intact[0] == (bit / 8 >= half) && intact[1] == (bit / 8 < half));
        assert_int_equal(decode(bytes, size, &back), TAUD_MANIFEST_NO_FAULT); // by the other copy
        assert_true(equal(manifest, &back));
        taud_manifest_done(&back);
        bytes[(bit / 8 + half) % size] ^= 1; // and that one too
        assert_int_equal(decode(bytes, size, &back), TAUD_MANIFEST_DAMAGED);
        bytes[(bit / 8 + half) % size] ^= 1;
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t page = 0; page < size; page += half) {
        memset(bytes + page, 0, half);
        assert_int_equal(decode(bytes, size, &back), TAUD_MANIFEST_NO_FAULT);
        assert_true(equal(manifest, &back));
        taud_manifest_done(&back);
        taud_manifest_encode(manifest, bytes);
    }
    for (size_t cut = 0; cut < size; cut++)
        assert_int_equal(decode(bytes, cut, &back), TAUD_MANIFEST_DAMAGED);
}

// The fault of bytes whose first copy was changed, and got its checksum.
static enum taud_manifest_fault judge(const struct taud_manifest *manifest, size_t at,
                                      uint32_t value)
{
    static uint8_t bytes[2 * 4096];
    struct taud_manifest back;
    size_t size = taud_manifest_size(manifest), half = size / 2;
    taud_manifest_encode(manifest, bytes);
    taud_store_u32(bytes + at, value);
    taud_store_u32(bytes + half - 4, taud_crc32c(0, bytes, half - 4));
    memset(bytes + half, 0, half);
    enum taud_manifest_fault fault = decode(bytes, size, &back);
    taud_manifest_done(&back);
    return fault;
}

static void what_no_writer_writes_is_refused(void **state)
{
    struct taud_manifest *manifest = *state;
    fill(manifest);
    assert_int_equal(judge(manifest, 8, 1), TAUD_MANIFEST_NO_FAULT);
    assert_int_equal(judge(manifest, 8, 2), TAUD_MANIFEST_FUTURE);
    assert_int_equal(judge(manifest, 8, 0), TAUD_MANIFEST_DAMAGED);
    assert_int_equal(judge(manifest, 16, 0), TAUD_MANIFEST_DAMAGED); // number
    assert_int_equal(judge(manifest, 32, 4), TAUD_MANIFEST_DAMAGED); // next sequence
    assert_int_equal(judge(manifest, 40, 7), TAUD_MANIFEST_DAMAGED); // next catalog
    for (size_t field = 56; field < 68; field += 4) {                // counts
        assert_int_equal(judge(manifest, field, 0), TAUD_MANIFEST_DAMAGED);
        assert_int_equal(judge(manifest, field, 4), TAUD_MANIFEST_DAMAGED);
        assert_int_equal(judge(manifest, field, UINT32_MAX), TAUD_MANIFEST_DAMAGED);
    }
    assert_int_equal(judge(manifest, 72, 0), TAUD_MANIFEST_DAMAGED);       // sequence 0
    assert_int_equal(judge(manifest, 72 + 8, 0), TAUD_MANIFEST_DAMAGED);   // ends before it begins
    assert_int_equal(judge(manifest, 72 + 8, 3), TAUD_MANIFEST_DAMAGED);   // overlaps
    assert_int_equal(judge(manifest, 72 + 192, 7), TAUD_MANIFEST_DAMAGED); // catalog 7 twice
    assert_int_equal(judge(manifest, 72 + 224 + 20, 0x80000000),
                     TAUD_MANIFEST_DAMAGED); // from > to
}

static void without_memory_nothing_is_read(void **state)
{
    struct taud_manifest *manifest = *state, back;
    fill(manifest);
    static uint8_t bytes[2 * 4096];
    taud_manifest_encode(manifest, bytes);
    for (unsigned at = 1; at <= 3; at++) {
        enum taud_manifest_fault fault;
        taud_manifest_init(&back, &memory.table);
        failing_allocator_fail_next(&memory, at);
        assert_int_equal(taud_manifest_decode(bytes, taud_manifest_size(manifest), &back, &fault),
                         TAU_STATUS_NO_MEMORY);
        assert_int_equal(fault, TAUD_MANIFEST_NO_FAULT);
        assert_int_equal(back.segment_count, 0);
    }
}

#define MANIFEST_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        MANIFEST_TEST(entries_stand_in_order),
        MANIFEST_TEST(a_copy_is_of_its_own),
        MANIFEST_TEST(it_is_as_the_format_says),
        MANIFEST_TEST(any_bit_may_flip),
        MANIFEST_TEST(what_no_writer_writes_is_refused),
        MANIFEST_TEST(without_memory_nothing_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
