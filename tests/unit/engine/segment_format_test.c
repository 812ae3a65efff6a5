// SPDX-License-Identifier: MIT
// The bytes of a segment are those of FORMAT.md; what is damaged, of a later version, of another
// file or of another place is told apart.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/bytes.h"
#include "engine/crc32c.h"
#include "engine/store/segment_format.h"

#include <string.h>

static const struct taud_segment_facts facts = {
    .name = {0x1122, 0x33},
    .last_sequence = 0x4455,
    .file_id = UINT64_C(0x0807060504030201),
    .index_offset = 0x6677,
    .chunk_count = 3,
    .point_count = 1000,
    .series_count = 2,
    .first_timestamp = -2,
    .last_timestamp = 0x7fff,
};

static void a_header_is_as_the_format_says(void **state)
{
    (void)state;
    uint8_t bytes[TAUD_SEGMENT_HEAD_BYTES];
    taud_segment_head_encode(&facts, bytes);
    assert_memory_equal(bytes,
                        "TAUSEG\r\n\1\0\0\0\x33\0\0\0\1\2\3\4\5\6\7\10\x22\x11\0\0\0\0\0\0"
                        "\x55\x44\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
                        60);
    assert_int_equal(taud_load_u32(bytes + 60), taud_crc32c(0, bytes, 60));
}

static void a_footer_is_as_the_format_says(void **state)
{
    (void)state;
    uint8_t bytes[TAUD_SEGMENT_FOOT_BYTES];
    taud_segment_foot_encode(&facts, bytes);
    assert_memory_equal(bytes,
                        "TAUEND\r\n\1\0\0\0\x33\0\0\0\1\2\3\4\5\6\7\10\x22\x11\0\0\0\0\0\0"
                        "\x55\x44\0\0\0\0\0\0\x77\x66\0\0\0\0\0\0\3\0\0\0\0\0\0\0"
                        "\xe8\3\0\0\0\0\0\0\2\0\0\0\0\0\0\0\xfe\xff\xff\xff\xff\xff\xff\xff"
                        "\xff\x7f\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
                        100);
    assert_int_equal(taud_load_u32(bytes + 100), taud_crc32c(0, bytes, 100));
    struct taud_segment_facts back = {0};
    uint32_t version = 77;
    assert_int_equal(taud_segment_foot_decode(bytes, &back, &version), TAUD_PART_GOOD);
    assert_memory_equal(&back, &facts, sizeof back);
    assert_int_equal(version, 77);
}

typedef enum taud_segment_part decode_part(const uint8_t *bytes, struct taud_segment_facts *ret,
                                           uint32_t *ret_version);

static void expect_judgement(uint8_t *bytes, size_t size, decode_part *decode)
{
    struct taud_segment_facts back;
    uint32_t version = 0;
    assert_int_equal(decode(bytes, &back, &version), TAUD_PART_GOOD);
    for (size_t bit = 0; bit < size * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(decode(bytes, &back, &version), TAUD_PART_DAMAGED);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    static const struct {
        uint32_t version;
        enum taud_segment_part part;
    } versions[] = {{2, TAUD_PART_FUTURE}, {UINT32_MAX, TAUD_PART_FUTURE}, {0, TAUD_PART_DAMAGED}};
    for (int i = 0; i < 3; i++) {
        taud_store_u32(bytes + 8, versions[i].version);
        taud_store_u32(bytes + size - 4, taud_crc32c(0, bytes, size - 4));
        assert_int_equal(decode(bytes, &back, &version), versions[i].part);
        if (versions[i].part == TAUD_PART_FUTURE)
            assert_int_equal(version, versions[i].version);
    }
    taud_store_u32(bytes + 8, 1);
    taud_store_u64(bytes + 32, 0x1121); // before its first sequence
    taud_store_u32(bytes + size - 4, taud_crc32c(0, bytes, size - 4));
    assert_int_equal(decode(bytes, &back, &version), TAUD_PART_DAMAGED);
}

static void damage_and_the_future_are_told_apart(void **state)
{
    (void)state;
    uint8_t bytes[TAUD_SEGMENT_FOOT_BYTES];
    taud_segment_head_encode(&facts, bytes);
    expect_judgement(bytes, TAUD_SEGMENT_HEAD_BYTES, taud_segment_head_decode);
    taud_segment_foot_encode(&facts, bytes);
    expect_judgement(bytes, TAUD_SEGMENT_FOOT_BYTES, taud_segment_foot_decode);
}

// --- records ----------------------------------------------------------------------------------

static uint8_t record[TAUD_RECORD_MAX];

static size_t make_record(uint64_t file_id, uint64_t offset, uint64_t identity, size_t size)
{
    uint8_t frame[TAUD_RECORD_FRAME_MAX];
    uint8_t *chunk = malloc(size);
    for (size_t i = 0; i < size; i++)
        chunk[i] = (uint8_t)(i * 13 + 1);
    size_t frame_size = taud_segment_frame_encode(file_id, offset, identity, chunk, size, frame);
    assert_true(frame_size <= sizeof frame);
    memcpy(record, frame, frame_size);
    memcpy(record + frame_size, chunk, size);
    free(chunk);
    return frame_size + size;
}

static void a_record_is_as_the_format_says(void **state)
{
    (void)state;
    size_t size = make_record(UINT64_C(0x0807060504030201), 64, 300, 3);
    assert_int_equal(size, 4 + 2 + 1 + 3);
    assert_memory_equal(record + 4, "\xac\2\3\1\x0e\x1b", 6);
    uint8_t covered[22] = {1, 2, 3, 4, 5, 6, 7, 8, 64};
    memcpy(covered + 16, record + 4, 6);
    assert_int_equal(taud_load_u32(record), taud_crc32c(0, covered, sizeof covered));
}

static void a_record_is_good_only_where_it_was_written(void **state)
{
    (void)state;
    static const uint64_t identities[] = {0, 127, 128, UINT64_MAX};
    static const size_t sizes[] = {1, 127, 128, TAUD_CHUNK_BYTES_MAX};
    for (int i = 0; i < 4; i++) {
        struct taud_segment_record back;
        size_t size = make_record(7, 1000, identities[i], sizes[i]);
        assert_true(taud_segment_record_decode(7, 1000, record, size, &back));
        assert_int_equal(back.identity, identities[i]);
        assert_int_equal(back.chunk_size, sizes[i]);
        assert_int_equal(back.size, size);
        assert_ptr_equal(back.chunk, record + size - sizes[i]);
        assert_false(taud_segment_record_decode(8, 1000, record, size, &back));
        assert_false(taud_segment_record_decode(7, 1001, record, size, &back));
        for (size_t cut = 0; cut < size; cut++)
            assert_false(taud_segment_record_look(record, cut, &back));
    }
}

static void any_bit_of_a_record_that_differs_is_noticed(void **state)
{
    (void)state;
    struct taud_segment_record back;
    size_t size = make_record(7, 1000, 300, 200);
    for (size_t bit = 0; bit < size * 8; bit++) {
        record[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(taud_segment_record_decode(7, 1000, record, size, &back));
        record[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    memset(record, 0, sizeof record);
    assert_false(taud_segment_record_look(record, sizeof record, &back)); // no chunk is empty
    memset(record, 0xff, sizeof record);
    assert_false(taud_segment_record_look(record, sizeof record, &back));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_is_as_the_format_says),
        cmocka_unit_test(a_footer_is_as_the_format_says),
        cmocka_unit_test(damage_and_the_future_are_told_apart),
        cmocka_unit_test(a_record_is_as_the_format_says),
        cmocka_unit_test(a_record_is_good_only_where_it_was_written),
        cmocka_unit_test(any_bit_of_a_record_that_differs_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
