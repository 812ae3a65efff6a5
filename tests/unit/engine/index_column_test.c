// SPDX-License-Identifier: MIT
// Columns of the index: any numbers come back bit for bit, orderly ones take few bytes, and what is
// cut off or no column is refused.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/store/index_column.h"

#include <math.h>
#include <string.h>

static struct taud_codec *codec;

static uint64_t draw(uint64_t *state)
{
    *state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = *state;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    return z ^ (z >> 27);
}

// Writes and reads a column. Returns its size.
static size_t round_trip(const uint64_t *values, size_t count)
{
    uint8_t bytes[TAUD_INTEGERS_BYTES_MAX];
    uint64_t back[TAUD_COLUMN_MAX];
    size_t size = taud_column_put_integers(values, count, bytes);
    assert_true(size <= sizeof bytes);
    struct codec_cursor cursor = {.at = bytes, .end = bytes + size};
    assert_true(taud_column_take_integers(&cursor, count, back));
    assert_ptr_equal(cursor.at, cursor.end);
    assert_memory_equal(back, values, count * sizeof back[0]);
    return size;
}

static void any_integers_come_back(void **state)
{
    (void)state;
    uint64_t random = 1, values[TAUD_COLUMN_MAX];
    for (unsigned round = 0; round < 400; round++) {
        size_t count = round < 20 ? round + 1 : 1 + draw(&random) % TAUD_COLUMN_MAX;
        unsigned shift = (unsigned)(draw(&random) % 64);
        uint64_t step = draw(&random) % 3 * 1000, base = round % 2 ? draw(&random) : 0;
        for (size_t i = 0; i < count; i++)
            values[i] = base + i * step + (draw(&random) >> shift);
        round_trip(values, count);
    }
}

static void extremes_come_back(void **state)
{
    (void)state;
    static const uint64_t extremes[] = {0, UINT64_MAX, INT64_MAX, UINT64_C(1) << 63, 1};
    uint64_t values[25];
    for (unsigned i = 0; i < 25; i++)
        values[i] = extremes[(i + i / 5) % 5];
    for (size_t count = 1; count <= 25; count++)
        round_trip(values, count);
}

static void what_is_orderly_is_small(void **state)
{
    (void)state;
    uint64_t same[TAUD_COLUMN_MAX], even[TAUD_COLUMN_MAX], saw[TAUD_COLUMN_MAX];
    for (size_t i = 0; i < TAUD_COLUMN_MAX; i++) {
        same[i] = 1024;
        even[i] = UINT64_C(1700000000000000000) + i * UINT64_C(10000000000);
        // Ten series of a hundred chunks, each of 1,024 points 10 s apart.
        saw[i] = UINT64_C(1700000000000000000) + i % 100 * UINT64_C(10240000000000);
    }
    assert_true(round_trip(same, TAUD_COLUMN_MAX) <= 8);
    assert_true(round_trip(even, TAUD_COLUMN_MAX) <= 24);
    assert_true(round_trip(saw, TAUD_COLUMN_MAX) <= 1000); // 7 bits each
}

static void what_is_no_column_is_refused(void **state)
{
    (void)state;
    uint64_t values[100], back[100], random = 3;
    uint8_t bytes[TAUD_INTEGERS_BYTES_MAX];
    for (size_t i = 0; i < 100; i++)
        values[i] = draw(&random) >> 40;
    for (int steps = 0; steps < 2; steps++) {
        size_t size = taud_column_put_integers(values, 100, bytes);
        assert_int_equal(bytes[0], steps);
        for (size_t cut = 0; cut < size; cut++) {
            struct codec_cursor cursor = {.at = bytes, .end = bytes + cut};
            assert_false(taud_column_take_integers(&cursor, 100, back));
        }
        for (size_t i = 1; i < 100; i++) // which are smaller as steps
            values[i] = values[i - 1] + values[i] % 16;
    }
    struct codec_cursor mode = {.at = (const uint8_t *)"\2\0\1\0", .end = NULL};
    mode.end = mode.at + 4;
    assert_false(taud_column_take_integers(&mode, 1, back));
    uint8_t wide[20] = {0, 0, 1, 65};
    struct codec_cursor width = {.at = wide, .end = wide + sizeof wide};
    assert_false(taud_column_take_integers(&width, 1, back));
}

static void any_values_come_back(void **state)
{
    (void)state;
    static const double special[] = {0.0, -0.0, 1.5, -1e308, 5e-324, 0.1};
    double values[TAUD_COLUMN_MAX], back[TAUD_COLUMN_MAX];
    uint8_t bytes[TAUD_VALUES_BYTES_MAX];
    uint64_t random = 2;
    for (uint32_t count = 1; count <= TAUD_COLUMN_MAX; count += count < 20 ? 1 : 251) {
        for (uint32_t i = 0; i < count; i++) {
            uint64_t bits = draw(&random);
            memcpy(&values[i], &bits, sizeof bits);
            if (i % 3 == 0)
                values[i] = special[i / 3 % 6];
            if (i % 17 == 0)
                values[i] = i % 2 ? INFINITY : NAN;
        }
        size_t size = taud_column_put_values(codec, values, count, bytes);
        assert_true(size <= sizeof bytes);
        struct codec_cursor cursor = {.at = bytes, .end = bytes + size};
        assert_true(taud_column_take_values(codec, &cursor, count, back));
        assert_ptr_equal(cursor.at, cursor.end);
        assert_memory_equal(back, values, count * sizeof back[0]);
        for (size_t cut = 0; cut < size; cut += 1 + size / 50) {
            cursor = (struct codec_cursor){.at = bytes, .end = bytes + cut};
            assert_false(taud_column_take_values(codec, &cursor, count, back));
        }
        cursor = (struct codec_cursor){.at = bytes, .end = bytes + size};
        assert_false(taud_column_take_values(codec, &cursor, count + 1, back));
    }
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
        cmocka_unit_test(any_integers_come_back),   cmocka_unit_test(extremes_come_back),
        cmocka_unit_test(what_is_orderly_is_small), cmocka_unit_test(what_is_no_column_is_refused),
        cmocka_unit_test(any_values_come_back),
    };
    return cmocka_run_group_tests(tests, prepare, finish);
}
