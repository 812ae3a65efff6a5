// SPDX-License-Identifier: MIT
// Writes chunks of many kinds to standard output, each behind the points that it was made of: u32
// number of points, u32 size of the chunk, timestamps, values, the chunk. Ends with a number of 0.

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/codec/chunk.h"

enum { MAX = TAUD_CHUNK_POINTS_MAX };

static uint64_t state = 7;

static uint64_t random_bits(void)
{
    uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static double unit(void)
{
    return (double)(random_bits() >> 11) * 0x1p-53;
}

static double special(void)
{
    static const uint64_t bits[] = {0x8000000000000000, 0x0000000000000001, 0x000fffffffffffff,
                                    0x7ff0000000000000, 0xfff0000000000000, 0x7ff8000000000000,
                                    0xfff8000000000000, 0x7ff0000000000001, 0xffffffffffffffff,
                                    0x4320000000000000, 0xc31fffffffffffff, 0x7fefffffffffffff};
    double value;
    memcpy(&value, &bits[random_bits() % (sizeof bits / sizeof bits[0])], sizeof value);
    return value;
}

// --- timestamps ----------------------------------------------------------------------------------

enum { STEPS = 7 };

// What leads to the next timestamp.
static uint64_t step(size_t kind, size_t i)
{
    switch (kind) {
    case 0:
        return 10000000000;
    case 1:
        return i % 300 < 200 ? 1000 : 250000;
    case 2:
        return (900 + random_bits() % 200) * 1000000;
    case 3:
        return 300000000000 + (random_bits() % 40 == 0 ? random_bits() % 1000 : 0);
    case 4:
        return 1 + (random_bits() >> 12);
    case 5:
        return 1 + i * 3;
    default:
        return UINT64_MAX / (MAX - 1);
    }
}

static void draw_timestamps(size_t kind, size_t count, int64_t *out)
{
    uint64_t at = kind == 6 || kind == 4 ? (uint64_t)INT64_MIN : 1700000000000000000;
    for (size_t i = 0; i < count; i++) {
        out[i] = (int64_t)at;
        at += step(kind, i);
    }
}

// --- values --------------------------------------------------------------------------------------

enum { VALUES = 12 };

static double value(size_t kind, size_t i, double *walk)
{
    *walk += floor(unit() * 200 - 100);
    switch (kind) {
    case 0:
        return *walk / 100;
    case 1:
        return floor(unit() * 100);
    case 2:
        return i % 50 == 7 ? special() : *walk / 10;
    case 3:
        return unit();
    case 4:
        return i % 60 == 7 ? special() : 1 + unit();
    case 5:
        return floor((double)i / 30) / 8;
    case 6:
        return sqrt(floor((double)i / 41) + 2);
    case 7:
        return sqrt((double)(i % 30) + 2);
    case 8:
        return special();
    case 9:
        return 42.5;
    case 10:
        return floor(unit() * 1e12) / 10 + (i % 97 == 0 ? 1e14 : 0);
    default:
        return (double)(random_bits() % 9 / 4) * 25 + *walk * 1e6;
    }
}

static void put(const void *data, size_t size)
{
    if (fwrite(data, 1, size, stdout) != size)
        exit(1);
}

static void put_u32(size_t number)
{
    const uint8_t bytes[4] = {(uint8_t)number, (uint8_t)(number >> 8), (uint8_t)(number >> 16),
                              (uint8_t)(number >> 24)};
    put(bytes, sizeof bytes);
}

static void sample(struct taud_codec *codec, size_t number, size_t count)
{
    static int64_t timestamps[MAX];
    static double values[MAX];
    static uint8_t bytes[TAUD_CHUNK_BYTES_MAX];
    double walk = 0;
    enum taud_codec_effort effort = (enum taud_codec_effort)(number / VALUES % 3);
    draw_timestamps(number % STEPS, count, timestamps);
    for (size_t i = 0; i < count; i++)
        values[i] = value(number % VALUES, i, &walk);
    size_t size =
        taud_chunk_encode(codec, timestamps, values, (uint32_t)count, effort, NULL, bytes, NULL);
    put_u32(count);
    put_u32(size);
    put(timestamps, count * sizeof *timestamps);
    put(values, count * sizeof *values);
    put(bytes, size);
}

int main(int argc, char **argv)
{
    static const size_t counts[] = {1, 2, 3, 7, 63, 64, 65, 200, 511, 1000, 1023, MAX, MAX};
    size_t samples = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
    struct taud_codec *codec = taud_codec_new(taud_allocator_system());
    if (codec == NULL || samples == 0)
        return 1;
    for (size_t i = 0; i < samples; i++) // 7, 12 and 13 have no common divisor: all kinds meet
        sample(codec, i, counts[i % (sizeof counts / sizeof counts[0])]);
    put_u32(0);
    taud_codec_free(codec);
    return fflush(stdout) != 0;
}
