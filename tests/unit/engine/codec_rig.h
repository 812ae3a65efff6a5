// SPDX-License-Identifier: MIT
// What the tests of the codec share: random numbers that a seed decides, values that are special,
// and a codec for each set of instructions that the processor has.
#ifndef TAU_CODEC_RIG_H
#define TAU_CODEC_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/codec/codec.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static inline uint64_t rig_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static inline double rig_unit(uint64_t *state)
{
    return (double)(rig_random(state) >> 11) * 0x1p-53;
}

static inline double rig_double(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

// Zeros, subnormals, the edges of all ranges, infinities, NaN of all kinds, what rounding breaks
// on.
static const uint64_t rig_specials[] = {
    0x0000000000000000, 0x8000000000000000, 0x0000000000000001, 0x8000000000000001,
    0x000fffffffffffff, 0x0010000000000000, 0x7fefffffffffffff, 0xffefffffffffffff,
    0x7ff0000000000000, 0xfff0000000000000, 0x7ff8000000000000, 0xfff8000000000000,
    0x7ff0000000000001, 0xfff0000000000001, 0x7fffffffffffffff, 0xffffffffffffffff,
    0x7ff4000000000123, 0xfff8dead0000beef, 0x3ff0000000000000, 0xbff0000000000000,
    0x3fb999999999999a, 0x3fd3333333333333, 0x3fd3333333333334, 0x4320000000000000,
    0xc320000000000000, 0x431fffffffffffff, 0x4330000000000000, 0x4338000000000000,
    0x4340000000000000, 0x43e0000000000000, 0xc3e0000000000000, 0x3ff0000000000001,
};
enum { RIG_SPECIALS = sizeof rig_specials / sizeof rig_specials[0] };

// NULL when the processor has no such variant.
static inline struct taud_codec *rig_codec(enum taud_codec_variant variant)
{
    struct taud_codec *codec = taud_codec_new(taud_allocator_system());
    assert_non_null(codec);
    if (taud_codec_use(codec, variant))
        return codec;
    taud_codec_free(codec);
    return NULL;
}

static inline struct taud_codec *rig_best(void)
{
    struct taud_codec *codec = taud_codec_new(taud_allocator_system());
    assert_non_null(codec);
    return codec;
}

// Values of all kinds, mostly with two decimals; and what such decimals are scaled by.
static inline void rig_draw_values(double *values, size_t count, uint64_t seed)
{
    for (size_t i = 0; i < count; i++) {
        values[i] = floor(rig_unit(&seed) * 20000 - 10000) / 100;
        if (seed % 3 == 0 && rig_random(&seed) % 50 == 0)
            values[i] = rig_double(rig_specials[rig_random(&seed) % RIG_SPECIALS]);
        if (seed % 5 == 0 && rig_random(&seed) % 20 == 0)
            values[i] = rig_unit(&seed);
    }
}

static const struct codec_scale rig_cents = {1e14, 1e-12, 1e12, 1e-14, 1e2};

// Calls with each variant that there is, 40 times.
static inline void rig_with_kernels(void (*test)(const struct codec_kernels *kernels,
                                                 uint64_t seed))
{
    for (int variant = 0; variant < TAUD_CODEC_VARIANTS; variant++) {
        const struct codec_kernels *kernels = codec_kernels_of((enum taud_codec_variant)variant);
        for (uint64_t seed = 0; kernels != NULL && seed < 40; seed++)
            test(kernels, seed);
    }
}

// Counts at which rows, blocks and chunks begin and end.
static const size_t rig_counts[] = {1,   2,   7,   8,   9,   63,  64,  65,   100,  255,
                                    256, 257, 320, 511, 512, 767, 768, 1000, 1023, 1024};
enum { RIG_COUNTS = sizeof rig_counts / sizeof rig_counts[0] };

#endif
