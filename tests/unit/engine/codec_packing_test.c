// SPDX-License-Identifier: MIT
// Packed columns of every width and many counts: what is packed comes back whole, one by one and
// added up, takes as many bytes as it says, and is the same with all instructions.
#include "codec_rig.h"

#include "engine/codec/packing.h"

enum { GUARD = 0xa5, ROOM = CODEC_BYTES + 64 };

static void draw(uint64_t *items, size_t count, unsigned width, uint64_t seed)
{
    for (size_t i = 0; i < count; i++)
        items[i] = rig_random(&seed) & codec_mask(width);
    if (count > 0)
        items[count - 1] = codec_mask(width);
}

static void check(struct taud_codec *codec, size_t count, unsigned width, uint8_t out[ROOM])
{
    static uint64_t items[CODEC_POINTS], back[CODEC_POINTS];
    size_t bytes = codec_packed_bytes(count, width);
    assert_true(bytes <= (count * width + 7) / 8 + 1);
    draw(items, count, width, count * 65 + width);
    memset(out, GUARD, ROOM);
    codec_pack(codec, items, count, width, out);
    for (size_t i = bytes; i < ROOM; i++)
        assert_int_equal(out[i], GUARD);
    codec_unpack(codec, out, count, width, 0, back);
    assert_memory_equal(back, items, count * sizeof *items);
    for (size_t i = 0; i < count; i++)
        assert_true(codec_packed_at(out, count, width, i) == items[i]);
    codec_unpack(codec, out, count, width, 1000, back);
    for (size_t i = 0; i < count; i++)
        assert_true(back[i] == items[i] + 1000);
}

// Sums end everywhere, and nothing beyond the column is looked at.
static void check_sums(struct taud_codec *codec, size_t count, unsigned width,
                       const uint8_t *packed)
{
    static uint64_t items[CODEC_POINTS];
    size_t bytes = codec_packed_bytes(count, width);
    uint8_t *exact = malloc(bytes > 0 ? bytes : 1);
    uint32_t sum = 0;
    assert_non_null(exact);
    memcpy(exact, packed, bytes);
    draw(items, count, width, count * 65 + width);
    assert_int_equal(codec_packed_sum(codec, exact, count, width, 0), 0);
    for (size_t i = 0; i < count; i++) {
        sum += (uint32_t)items[i];
        assert_int_equal(codec_packed_sum(codec, exact, count, width, i + 1), sum);
    }
    free(exact);
}

static void every_width_comes_back_the_same_with_all_instructions(void **state)
{
    (void)state;
    static uint8_t first[ROOM], out[ROOM];
    for (int variant = 0; variant < TAUD_CODEC_VARIANTS; variant++) {
        struct taud_codec *codec = rig_codec((enum taud_codec_variant)variant);
        struct taud_codec *baseline = rig_codec(TAUD_CODEC_BASELINE);
        for (unsigned width = 0; codec != NULL && width <= 64; width++) {
            for (size_t i = 0; i < RIG_COUNTS; i++) {
                check(baseline, rig_counts[i], width, first);
                check(codec, rig_counts[i], width, out);
                assert_memory_equal(out, first, ROOM);
                if (width <= 32)
                    check_sums(codec, rig_counts[i], width, out);
            }
            check(codec, 0, width, out);
        }
        taud_codec_free(codec);
        taud_codec_free(baseline);
    }
}

static void part_of_a_column_is_unpacked_alone(void **state)
{
    (void)state;
    static uint64_t items[CODEC_POINTS];
    static uint8_t out[ROOM];
    static uint32_t back[CODEC_POINTS];
    struct taud_codec *codec = rig_best();
    for (size_t i = 0; i < RIG_COUNTS; i++) {
        size_t count = rig_counts[i];
        draw(items, count, 13, i);
        codec_pack(codec, items, count, 13, out);
        for (size_t from = 0; from < count; from += 97) {
            for (size_t to = from + 1; to <= count; to += 61) {
                memset(back, 0xff, sizeof back);
                codec_unpack_narrow(codec, out, count, 13, 0U - 7, from / CODEC_BLOCK, to, back);
                for (size_t at = from; at < to; at++)
                    assert_int_equal(back[at], (uint32_t)items[at] - 7);
            }
        }
    }
    taud_codec_free(codec);
}

// Items taken from a base, and their differences, are packed as what is left would be.
static void what_is_left_of_items_is_packed(void **state)
{
    (void)state;
    static uint64_t left[CODEC_POINTS];
    static uint8_t expected[ROOM], out[ROOM];
    static uint32_t room[1 + CODEC_POINTS], *const items = room + 1;
    for (int variant = 0; variant < TAUD_CODEC_VARIANTS; variant++) {
        struct taud_codec *codec = rig_codec((enum taud_codec_variant)variant);
        for (unsigned width = 0; codec != NULL && width <= 32; width++) {
            for (size_t i = 0; i < RIG_COUNTS; i++) {
                size_t count = rig_counts[i];
                uint32_t base = 0x9e3779b9U * (width + 1);
                draw(left, count, width, i);
                codec_pack(codec, left, count, width, expected);
                size_t bytes = codec_packed_bytes(count, width);
                for (size_t at = 0; at < count; at++)
                    items[at] = (uint32_t)left[at] + base;
                codec_pack_narrow(codec, items, count, base, width, out);
                assert_memory_equal(out, expected, bytes);
                items[-1] = 77;
                for (size_t at = 0; at < count; at++)
                    items[at] = room[at] + (uint32_t)left[at] + base;
                codec_pack_steps(codec, items, count, base, width, out);
                assert_memory_equal(out, expected, bytes);
            }
        }
        taud_codec_free(codec);
    }
}

// The layout by hand: row r of lane l begins at bit r * width of the lane's words.
static void rows_are_interleaved(void **state)
{
    (void)state;
    static uint64_t items[CODEC_POINTS];
    static uint8_t out[ROOM];
    struct taud_codec *codec = rig_best();
    for (size_t i = 0; i < 72; i++)
        items[i] = i % 8;
    codec_pack(codec, items, 72, 4, out);
    for (size_t lane = 0; lane < 8; lane++) // 8 rows of 4 bits: one word of each lane
        assert_int_equal(taud_load_u32(out + lane * 4), 0x11111111U * lane);
    for (size_t i = 0; i < 4; i++) // and 8 items behind them
        assert_int_equal(out[32 + i], (2 * i) | (2 * i + 1) << 4);
    codec_pack(codec, items, 64, 3, out); // 24 bits: three bytes of each lane
    assert_int_equal(out[0] | out[1] << 8 | out[2] << 16, 0);
    assert_int_equal(out[21] | out[22] << 8 | out[23] << 16, 0xffffff);
    taud_codec_free(codec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_width_comes_back_the_same_with_all_instructions),
        cmocka_unit_test(part_of_a_column_is_unpacked_alone),
        cmocka_unit_test(what_is_left_of_items_is_packed),
        cmocka_unit_test(rows_are_interleaved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
