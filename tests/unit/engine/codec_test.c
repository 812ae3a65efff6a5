// SPDX-License-Identifier: MIT
// The working memory of the codec: one allocation, none of it left, none needed later; and the
// choice among variants.
#include "codec_rig.h"

struct counter {
    int allocations;
    int releases;
    bool refuses;
};

static void *allocate(void *context, size_t size)
{
    struct counter *counter = context;
    counter->allocations++;
    return counter->refuses ? NULL : malloc(size);
}

static void release(void *context, void *memory)
{
    struct counter *counter = context;
    counter->releases++;
    free(memory);
}

static void it_allocates_once(void **state)
{
    (void)state;
    struct counter counter = {0};
    const struct taud_allocator allocator = {
        .context = &counter, .allocate = allocate, .release = release};
    static int64_t timestamps[CODEC_POINTS];
    static double values[CODEC_POINTS];
    static uint8_t out[TAUD_CHUNK_BYTES_MAX];
    struct taud_codec *codec = taud_codec_new(&allocator);
    assert_non_null(codec);
    assert_int_equal((uintptr_t)codec % 64, 0);
    for (size_t i = 0; i < CODEC_POINTS; i++) {
        timestamps[i] = (int64_t)(i * i);
        values[i] = (double)(i % 7);
    }
    taud_chunk_encode(codec, timestamps, values, CODEC_POINTS, TAUD_EFFORT_BEST, NULL, out, NULL);
    assert_int_equal(counter.allocations, 1);
    taud_codec_free(codec);
    taud_codec_free(NULL);
    assert_int_equal(counter.releases, 1);
    counter.refuses = true;
    assert_null(taud_codec_new(&allocator));
}

static void the_best_variant_is_taken_and_others_can_be(void **state)
{
    (void)state;
    struct taud_codec *codec = rig_best();
    const char *best = taud_codec_variant_name(codec), *last = NULL;
    for (int variant = 0; variant < TAUD_CODEC_VARIANTS; variant++) {
        bool has = taud_codec_use(codec, (enum taud_codec_variant)variant);
        assert_int_equal(has, codec_kernels_of((enum taud_codec_variant)variant) != NULL);
        last = taud_codec_variant_name(codec);
    }
    assert_string_equal(best, last);
    assert_true(taud_codec_use(codec, TAUD_CODEC_BASELINE));
    assert_string_equal(taud_codec_variant_name(codec), "baseline");
    assert_false(taud_codec_use(codec, (enum taud_codec_variant)TAUD_CODEC_VARIANTS));
    assert_string_equal(taud_codec_variant_name(codec), "baseline");
    taud_codec_free(codec);
}

static void lanes_are_joined_in_one_order(void **state)
{
    (void)state;
    struct codec_lanes lanes;
    codec_lanes_init(&lanes);
    assert_true(isnan(codec_lanes_low(&lanes)) && isnan(codec_lanes_high(&lanes)));
    assert_true(codec_lanes_join(lanes.sum) == 0);
    codec_lanes_add(&lanes, 3, NAN);
    assert_int_equal(lanes.count, 0);
    const double values[] = {1e16, 1, -1e16, 1, 3, 5, 7, 11};
    for (size_t i = 0; i < 8; i++)
        codec_lanes_add(&lanes, i, values[i]);
    double expected = ((1e16 + 3.0) + (-1e16 + 7.0)) + ((1.0 + 5.0) + (1.0 + 11.0));
    assert_true(codec_lanes_join(lanes.sum) == expected);
    assert_true(codec_lanes_low(&lanes) == -1e16 && codec_lanes_high(&lanes) == 1e16);
    codec_lanes_add(&lanes, 8, INFINITY);
    codec_lanes_add(&lanes, 9, -INFINITY);
    double none = codec_lanes_join(lanes.sum), nan = NAN;
    assert_memory_equal(&none, &nan, sizeof none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_allocates_once),
        cmocka_unit_test(the_best_variant_is_taken_and_others_can_be),
        cmocka_unit_test(lanes_are_joined_in_one_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
