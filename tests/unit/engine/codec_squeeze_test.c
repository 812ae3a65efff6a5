// SPDX-License-Identifier: MIT
// zstd in memory that is given: what is squeezed comes back, what is damaged does not, nothing is
// allocated.
#include "codec_rig.h"

#include "engine/codec/squeeze.h"

static void fill(uint8_t *bytes, size_t size, uint64_t seed)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(rig_random(&seed) % 7);
}

static void bytes_come_back(void **state)
{
    (void)state;
    static uint8_t in[CODEC_BYTES], out[CODEC_BYTES], back[CODEC_BYTES];
    struct taud_codec *codec = rig_best();
    for (size_t size = 1; size <= CODEC_BYTES; size = size * 3 / 2 + 1) {
        for (int repetition = CODEC_REPEATS; repetition <= CODEC_SKEWED; repetition++) {
            fill(in, size, size);
            size_t squeezed =
                codec_squeeze(codec, (enum codec_repetition)repetition, in, size, out, sizeof out);
            assert_true(squeezed > 0);
            assert_true(size < 500 || squeezed < size / 2);
            assert_true(codec_unsqueeze(codec, out, squeezed, back, size));
            assert_memory_equal(in, back, size);
        }
    }
    taud_codec_free(codec);
}

static void nothing_else_does(void **state)
{
    (void)state;
    static uint8_t in[1000], out[CODEC_BYTES], back[CODEC_BYTES];
    struct taud_codec *codec = rig_best();
    fill(in, sizeof in, 1);
    size_t size = codec_squeeze(codec, CODEC_REPEATS, in, sizeof in, out, sizeof out);
    assert_false(codec_unsqueeze(codec, out, size, back, sizeof in - 1));
    assert_false(codec_unsqueeze(codec, out, size, back, sizeof in + 1));
    for (size_t cut = 0; cut < size; cut++)
        assert_false(codec_unsqueeze(codec, out, cut, back, sizeof in));
    out[0] ^= 1;
    assert_false(codec_unsqueeze(codec, out, size, back, sizeof in));
    assert_int_equal(codec_squeeze(codec, CODEC_REPEATS, in, sizeof in, out, size / 2), 0);
    taud_codec_free(codec);
}

static void planes_are_taken_apart(void **state)
{
    (void)state;
    const uint64_t items[3] = {0x0102030405060708, 0x1112131415161718, 0x2122232425262728};
    uint8_t planes[24];
    codec_split_planes(items, 3, 2, planes);
    assert_memory_equal(planes, "\x08\x18\x28\x07\x17\x27", 6);
    codec_split_planes(items, 3, 8, planes);
    assert_memory_equal(planes, "\x08\x18\x28\x07\x17\x27", 6);
    assert_memory_equal(planes + 18, "\x02\x12\x22\x01\x11\x21", 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_come_back),
        cmocka_unit_test(nothing_else_does),
        cmocka_unit_test(planes_are_taken_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
