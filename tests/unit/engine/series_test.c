// SPDX-License-Identifier: MIT
// Chunks at every size at which they grow, search at the ends, and memory that ends in the middle.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/series.h"

static struct taud_arena arena;

static struct taud_series *make(uint64_t bytes)
{
    struct tau_label label = {{1}};
    assert_true(taud_arena_init(&arena, bytes, taud_allocator_system()));
    struct taud_series *series = taud_series_new(&arena, &label, 1, 1);
    assert_non_null(series);
    return series;
}

static void points_are_found_at_every_size(void **state)
{
    (void)state;
    struct taud_series *series = make(64 << 20);
    for (int64_t i = 0; i < 70000; i++) {
        assert_true(taud_series_append(series, &arena, i * i, (double)i));
        bool edge = (i & (i - 1)) == 0 || ((i + 1) & i) == 0;
        for (int64_t k = edge ? 0 : i; k <= i; k += 1 + i / 100) {
            double value;
            assert_true(taud_series_find(series, k * k, &value));
            assert_true(value == (double)k);
            assert_int_equal(taud_series_lower_bound(series, k * k), k);
            if (k > 1)
                assert_int_equal(taud_series_lower_bound(series, k * k - 1), k);
        }
    }
    double value;
    assert_false(taud_series_find(series, -1, &value));
    assert_false(taud_series_find(series, 2, &value));
    assert_false(taud_series_find(series, INT64_MAX, &value));
    assert_int_equal(taud_series_lower_bound(series, INT64_MAX), 70000);
    taud_series_release(series, &arena);
    assert_true(taud_arena_used(&arena) == 0);
    taud_arena_done(&arena);
}

static void the_ends_of_time_fit(void **state)
{
    (void)state;
    struct taud_series *series = make(1 << 20);
    double value;
    assert_true(taud_series_append(series, &arena, INT64_MIN, 1));
    assert_true(taud_series_append(series, &arena, 0, 2));
    assert_true(taud_series_append(series, &arena, INT64_MAX, 3));
    assert_false(taud_series_accepts(series, INT64_MAX));
    assert_true(taud_series_find(series, INT64_MIN, &value) && value == 1);
    assert_true(taud_series_find(series, 0, &value) && value == 2);
    assert_true(taud_series_find(series, INT64_MAX, &value) && value == 3);
    taud_series_release(series, &arena);
    taud_arena_done(&arena);
}

static void a_reservation_that_fails_leaves_nothing(void **state)
{
    (void)state;
    struct taud_series *series = make(4 * TAUD_SLAB_BYTES);
    assert_false(taud_series_reserve(series, &arena, 1 << 20));
    taud_series_trim(series, &arena);
    for (int64_t i = 0; i < 3000; i++)
        assert_true(taud_series_append(series, &arena, i, 0));
    assert_false(taud_series_reserve(series, &arena, 1 << 20));
    taud_series_trim(series, &arena);
    assert_int_equal(series->point_count, 3000);
    assert_int_equal(taud_series_lower_bound(series, 2999), 2999);
    taud_series_retract(series, 2990);
    taud_series_trim(series, &arena);
    assert_int_equal(series->last_timestamp, 9);
    assert_true(taud_series_append(series, &arena, 10, 5));
    taud_series_release(series, &arena);
    assert_true(taud_arena_used(&arena) == 0);
    taud_arena_done(&arena);
}

static void a_small_series_costs_little(void **state)
{
    (void)state;
    struct taud_series *series = make(1 << 20);
    for (int64_t i = 0; i < 10; i++)
        assert_true(taud_series_append(series, &arena, i, 0));
    assert_true(taud_series_memory(series) - 10 * 16 <= 300 - 16 - 16);
    taud_series_release(series, &arena);
    taud_arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(points_are_found_at_every_size),
        cmocka_unit_test(the_ends_of_time_fit),
        cmocka_unit_test(a_reservation_that_fails_leaves_nothing),
        cmocka_unit_test(a_small_series_costs_little),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
