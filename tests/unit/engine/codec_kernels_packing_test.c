// SPDX-License-Identifier: MIT
// Blocks and rows of items as FORMAT.md lays them out, bit by bit, whatever the instructions; back
// again, and added up. Whole columns are looked at in codec_packing_test.c.
#include "codec_rig.h"

enum { WIDE_ROWS = 64, WIDE_COUNT = WIDE_ROWS * CODEC_LANES, ROOM = WIDE_COUNT * 8 };

static const uint32_t base = 0x9e3779b9;

// Number `row` of each lane, in words of `word_bytes`: the words of the lanes alternate.
static void lay_out(const uint64_t *items, size_t rows, unsigned width, size_t word_bytes,
                    uint8_t *out)
{
    memset(out, 0, ROOM);
    for (size_t i = 0; i < rows * CODEC_LANES; i++) {
        size_t row = i / CODEC_LANES, lane = i % CODEC_LANES;
        for (size_t bit = row * width; bit < (row + 1) * width; bit++) {
            size_t word = bit / 8 / word_bytes, byte = bit / 8 % word_bytes;
            if ((items[i] >> (bit - row * width) & 1) != 0)
                out[(word * CODEC_LANES + lane) * word_bytes + byte] |= (uint8_t)(1U << bit % 8);
        }
    }
}

static void packs_blocks(const struct codec_kernels *kernels, uint64_t seed)
{
    static uint64_t left[CODEC_BLOCK];
    static uint32_t room[1 + CODEC_BLOCK], back[CODEC_BLOCK], *const items = room + 1;
    static uint8_t expected[ROOM], out[ROOM];
    const struct codec_packing_kernels *packing = kernels->packing;
    unsigned width = (unsigned)(seed % 33);
    uint32_t sum = 0;
    for (size_t i = 0; i < CODEC_BLOCK; i++) {
        left[i] = rig_random(&seed) & codec_mask(width);
        items[i] = (uint32_t)left[i] + base;
    }
    lay_out(left, CODEC_BLOCK_ROWS, width, 4, expected);
    memset(out, 0, sizeof out);
    packing->pack_block(width, items, base, out);
    assert_memory_equal(out, expected, sizeof out);
    packing->unpack_block(width, out, base, back);
    assert_memory_equal(back, items, sizeof back);
    for (size_t i = 0; i < CODEC_BLOCK && width > 0; i++) {
        sum += (uint32_t)left[i];
        assert_int_equal(packing->sum_block(width, out, i + 1), sum);
    }
    *(items - 1) = 77;
    for (size_t i = 0; i < CODEC_BLOCK; i++)
        items[i] = *(items + i - 1) + base + (uint32_t)left[i];
    packing->pack_steps(width, items, base, out);
    assert_memory_equal(out, expected, sizeof out);
}

static void packs_wide_rows(const struct codec_kernels *kernels, uint64_t seed)
{
    static uint64_t items[WIDE_COUNT], back[WIDE_COUNT];
    static uint8_t expected[ROOM], out[ROOM];
    unsigned width = 33 + (unsigned)(seed % 32);
    for (size_t i = 0; i < WIDE_COUNT; i++)
        items[i] = rig_random(&seed) & codec_mask(width);
    lay_out(items, WIDE_ROWS, width, 8, expected);
    memset(out, 0, sizeof out);
    kernels->packing->pack_wide(width, items, WIDE_ROWS, out);
    assert_memory_equal(out, expected, sizeof out);
    kernels->packing->unpack_wide(width, out, WIDE_ROWS, back);
    assert_memory_equal(back, items, sizeof items);
}

static void they_pack(void **state)
{
    (void)state;
    rig_with_kernels(packs_blocks);
    rig_with_kernels(packs_wide_rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(they_pack)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
