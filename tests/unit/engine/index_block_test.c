// SPDX-License-Identifier: MIT
// A block of the index comes back as it was, any bit that differs is noticed, a block of another
// file or place is not good, and one that says what no writer says is refused though its checksum
// holds.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/crc32c.h"
#include "engine/store/index_block.h"

#include <string.h>

static struct taud_codec *codec;
static struct taud_index_block block, back; // large
static uint8_t bytes[TAUD_INDEX_BLOCK_MAX];

static void make_block(uint32_t count)
{
    memset(&block, 0, sizeof block);
    block.count = count;
    for (uint32_t i = 0; i < count; i++) {
        block.identities[i] = 1000 + i / 3;
        block.sizes[i] = 100 + i % 7;
        block.offsets[i] =
            i == 0 ? 64 : block.offsets[i - 1] + block.sizes[i - 1] + (i == 5 ? 30U : 0U);
        block.first_timestamps[i] = -5000 + (int64_t)(i % 3) * 1000;
        block.last_timestamps[i] = block.first_timestamps[i] + 900;
        block.columns.counts[i] = 1 + i % 60;
        block.columns.number_counts[i] = i % 60;
        block.columns.firsts[i] = i;
        block.columns.lasts[i] = -(double)i / 8;
        block.columns.lows[i] = 0.1 * i;
        block.columns.highs[i] = 1e300;
        block.columns.sums[i] = i * 77;
    }
}

static size_t encode(uint64_t number)
{
    size_t size = taud_index_block_encode(codec, &block, 42, number, bytes);
    assert_true(size <= sizeof bytes);
    assert_int_equal(taud_index_block_size(bytes, size), size);
    return size;
}

static bool decode(size_t size, uint64_t file_id, uint64_t number)
{
    return taud_index_block_decode(codec, bytes, size, file_id, number, &back);
}

static void a_block_comes_back(void **state)
{
    (void)state;
    static const uint32_t counts[] = {1, 2, 9, 500, TAUD_COLUMN_MAX};
    static struct taud_chunk_columns columns;
    for (int i = 0; i < 5; i++) {
        make_block(counts[i]);
        size_t size = encode(3), used = counts[i];
        memset(&back, 0, sizeof back);
        assert_true(decode(size, 42, 3));
        assert_int_equal(back.count, used);
        assert_memory_equal(&back, &block, sizeof back);
        memset(&columns, 0, sizeof columns);
        assert_int_equal(taud_index_block_columns(codec, bytes, size, &columns), used);
        assert_memory_equal(&columns, &block.columns, sizeof columns);
        assert_false(decode(size, 43, 3));
        assert_false(decode(size, 42, 4));
    }
}

static void any_bit_that_differs_is_noticed(void **state)
{
    (void)state;
    make_block(9);
    size_t size = encode(0);
    for (size_t bit = 0; bit < size * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        size_t own = taud_index_block_size(bytes, size);
        assert_true(own == 0 || !decode(own, 42, 0));
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t cut = 0; cut < size; cut++)
        assert_int_equal(taud_index_block_size(bytes, cut), 0);
}

// One that is longer than its columns.
static bool longer_is_refused(void)
{
    uint8_t place[16];
    size_t size = encode(0);
    bytes[size++] = 0;
    taud_store_u32(bytes + 4, (uint32_t)size);
    taud_store_u64(place, ~UINT64_C(42));
    taud_store_u64(place + 8, 0);
    taud_store_u32(bytes, taud_crc32c(taud_crc32c(0, place, sizeof place), bytes + 4, size - 4));
    return taud_index_block_intact(bytes, size, 42, 0) && !decode(size, 42, 0);
}

static bool refused(void)
{
    return !decode(encode(0), 42, 0);
}

static void what_no_writer_writes_is_refused(void **state)
{
    (void)state;
    make_block(9);
    assert_false(refused());
    assert_true(longer_is_refused());
    block.sizes[8] = 0;
    assert_true(refused());
    make_block(9);
    block.sizes[8] = UINT16_MAX + 1;
    assert_true(refused());
    make_block(9);
    block.offsets[4]--; // overlaps
    assert_true(refused());
    make_block(9);
    block.offsets[8] = block.offsets[0] + UINT64_C(0x100000000);
    assert_true(refused());
    make_block(1);
    block.offsets[0] = UINT64_MAX;
    assert_true(refused());
    make_block(9);
    block.identities[6]--, block.identities[7]--, block.identities[8]--; // times go back
    assert_true(refused());
    make_block(9);
    block.identities[8] = 3;
    assert_true(refused());
    make_block(9);
    block.first_timestamps[1] = block.last_timestamps[0];
    assert_true(refused());
    make_block(9);
    block.last_timestamps[8] = block.first_timestamps[8] - 1;
    assert_true(refused());
    make_block(9);
    block.columns.counts[8] = 1000; // in 900 ns
    assert_true(refused());
    make_block(9);
    block.columns.counts[8] = 0;
    assert_true(refused());
    make_block(9);
    block.last_timestamps[8] += 5000;
    block.columns.counts[8] = TAUD_CHUNK_POINTS_MAX + 1;
    assert_true(refused());
    make_block(9);
    block.columns.number_counts[8] = block.columns.counts[8] + 1;
    assert_true(refused());
}

static int prepare(void **state)
{
    (void)state;
    codec = taud_codec_new(taud_allocator_system());
    return codec == NULL;
}

static int finish(void **state)
{
    (void)state;
    taud_codec_free(codec);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_comes_back),
        cmocka_unit_test(any_bit_that_differs_is_noticed),
        cmocka_unit_test(what_no_writer_writes_is_refused),
    };
    return cmocka_run_group_tests(tests, prepare, finish);
}
