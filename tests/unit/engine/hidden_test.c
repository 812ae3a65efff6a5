// SPDX-License-Identifier: MIT
// Tombstones as intervals: each timestamp has the greatest sequence of the tombstones that it is
// in, whatever their number and their order, at both ends of time too; and what is asked of a
// stretch of time is what is true of each timestamp in it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "codec_rig.h"
#include "failing_allocator.h"

#include "engine/read/hidden.h"

static void nothing_is_hidden_by_nothing(void **state)
{
    struct taud_hidden hidden;
    double value = 1;
    int64_t timestamp = 5;
    (void)state;
    assert_true(taud_hidden_init(&hidden, taud_allocator_system(), NULL, 0));
    assert_int_equal(taud_hidden_look(&hidden, 0, INT64_MIN, INT64_MAX), TAUD_HIDDEN_NOTHING);
    assert_int_equal(taud_hidden_filter(&hidden, 0, &timestamp, &value, 1), 1);
    assert_int_equal(taud_hidden_filter(&hidden, 0, &timestamp, &value, 0), 0);
    taud_hidden_done(&hidden);
}

static void a_range_hides_its_ends(void **state)
{
    const struct taud_tombstone tombstone = {1, 10, 20, 5};
    struct taud_hidden hidden;
    (void)state;
    assert_true(taud_hidden_init(&hidden, taud_allocator_system(), &tombstone, 1));
    assert_int_equal(taud_hidden_look(&hidden, 5, 10, 20), TAUD_HIDDEN_ALL);
    assert_int_equal(taud_hidden_look(&hidden, 6, 10, 20), TAUD_HIDDEN_NOTHING);
    assert_int_equal(taud_hidden_look(&hidden, 5, 10, 10), TAUD_HIDDEN_ALL);
    assert_int_equal(taud_hidden_look(&hidden, 5, 20, 20), TAUD_HIDDEN_ALL);
    assert_int_equal(taud_hidden_look(&hidden, 5, 9, 9), TAUD_HIDDEN_NOTHING);
    assert_int_equal(taud_hidden_look(&hidden, 5, 21, 99), TAUD_HIDDEN_NOTHING);
    assert_int_equal(taud_hidden_look(&hidden, 5, 9, 20), TAUD_HIDDEN_SOME);
    assert_int_equal(taud_hidden_look(&hidden, 5, 10, 21), TAUD_HIDDEN_SOME);
    taud_hidden_done(&hidden);
}

static void all_of_time_can_be_hidden(void **state)
{
    const struct taud_tombstone tombstones[] = {
        {1, 0, INT64_MAX, 2}, {1, INT64_MIN, -1, 3}, {1, 5, 4, 99}, {1, INT64_MAX, INT64_MAX, 7}};
    struct taud_hidden hidden;
    (void)state;
    assert_true(taud_hidden_init(&hidden, taud_allocator_system(), tombstones, 4));
    assert_int_equal(taud_hidden_look(&hidden, 2, INT64_MIN, INT64_MAX), TAUD_HIDDEN_ALL);
    assert_int_equal(taud_hidden_look(&hidden, 3, INT64_MIN, INT64_MAX), TAUD_HIDDEN_SOME);
    assert_int_equal(taud_hidden_look(&hidden, 3, INT64_MIN, -1), TAUD_HIDDEN_ALL);
    assert_int_equal(taud_hidden_look(&hidden, 3, 4, 5), TAUD_HIDDEN_NOTHING);
    assert_int_equal(taud_hidden_look(&hidden, 7, INT64_MAX, INT64_MAX), TAUD_HIDDEN_ALL);
    assert_int_equal(taud_hidden_look(&hidden, 8, INT64_MIN, INT64_MAX), TAUD_HIDDEN_NOTHING);
    taud_hidden_done(&hidden);
}

// --- any tombstones ---------------------------------------------------------------------------

enum { TIME = 60, TOMBSTONES = 24, ROUNDS = 3000 };

// The sequence up to which a timestamp is hidden; 0 for none.
static uint64_t hides(const struct taud_tombstone *tombstones, uint32_t count, int64_t timestamp)
{
    uint64_t sequence = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (tombstones[i].from <= timestamp && timestamp <= tombstones[i].to &&
            tombstones[i].sequence > sequence)
            sequence = tombstones[i].sequence;
    }
    return sequence;
}

static void check_stretch(const struct taud_hidden *hidden, const uint64_t *expected,
                          uint64_t sequence, int64_t first, int64_t last)
{
    int64_t timestamps[TIME], left[TIME];
    double values[TIME];
    uint32_t count = 0, kept = 0;
    for (int64_t t = first; t <= last; t++) {
        timestamps[count] = t;
        values[count++] = (double)t;
        if (expected[t] < sequence)
            left[kept++] = t;
    }
    enum taud_hidden_share share = kept == 0       ? TAUD_HIDDEN_ALL
                                   : kept == count ? TAUD_HIDDEN_NOTHING
                                                   : TAUD_HIDDEN_SOME;
    assert_int_equal(taud_hidden_look(hidden, sequence, first, last), share);
    assert_int_equal(taud_hidden_filter(hidden, sequence, timestamps, values, count), kept);
    for (uint32_t i = 0; i < kept; i++) {
        assert_int_equal(timestamps[i], left[i]);
        assert_true(values[i] == (double)left[i]);
    }
}

static void any_tombstones_hide_what_each_hides(void **state)
{
    uint64_t random = 1;
    (void)state;
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct taud_tombstone tombstones[TOMBSTONES];
        uint32_t count = (uint32_t)(rig_random(&random) % (TOMBSTONES + 1));
        uint64_t expected[TIME];
        struct taud_hidden hidden;
        for (uint32_t i = 0; i < count; i++) {
            int64_t from = (int64_t)(rig_random(&random) % TIME);
            int64_t length = (int64_t)(rig_random(&random) % (round % 2 ? 40 : 5));
            tombstones[i] =
                (struct taud_tombstone){1, from, from + length, 1 + rig_random(&random) % 6};
        }
        for (int64_t t = 0; t < TIME; t++)
            expected[t] = hides(tombstones, count, t);
        assert_true(taud_hidden_init(&hidden, taud_allocator_system(), tombstones, count));
        for (uint32_t i = 1; i < hidden.count; i++)
            assert_true(hidden.intervals[i].from > hidden.intervals[i - 1].to);
        for (unsigned i = 0; i < 20; i++) {
            int64_t first = (int64_t)(rig_random(&random) % TIME);
            int64_t last = first + (int64_t)(rig_random(&random) % (uint64_t)(TIME - first));
            check_stretch(&hidden, expected, 1 + rig_random(&random) % 7, first, last);
        }
        taud_hidden_done(&hidden);
    }
}

static void many_tombstones_take_no_square_of_time(void **state)
{
    enum { MANY = 200000 };
    struct taud_tombstone *tombstones = calloc(MANY, sizeof *tombstones);
    struct taud_hidden hidden;
    (void)state;
    assert_non_null(tombstones);
    for (int64_t i = 0; i < MANY; i++) // each begins in the one before, and ends in none
        tombstones[i] = (struct taud_tombstone){1, i * 2, i * 2 + MANY, (uint64_t)i + 1};
    assert_true(taud_hidden_init(&hidden, taud_allocator_system(), tombstones, MANY));
    assert_int_equal(hidden.count, MANY);
    assert_int_equal(taud_hidden_look(&hidden, MANY, 0, INT64_MAX), TAUD_HIDDEN_SOME);
    assert_int_equal(taud_hidden_look(&hidden, 1, 0, 3 * MANY - 2), TAUD_HIDDEN_ALL);
    taud_hidden_done(&hidden);
    free(tombstones);
}

static void no_memory_leaves_nothing(void **state)
{
    const struct taud_tombstone tombstone = {1, 10, 20, 5};
    (void)state;
    for (unsigned fail_at = 1; fail_at <= 2; fail_at++) {
        struct failing_allocator memory;
        struct taud_hidden hidden;
        failing_allocator_init(&memory, fail_at, false);
        assert_false(taud_hidden_init(&hidden, &memory.table, &tombstone, 1));
        assert_int_equal(memory.live, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_hidden_by_nothing),
        cmocka_unit_test(a_range_hides_its_ends),
        cmocka_unit_test(all_of_time_can_be_hidden),
        cmocka_unit_test(any_tombstones_hide_what_each_hides),
        cmocka_unit_test(many_tombstones_take_no_square_of_time),
        cmocka_unit_test(no_memory_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
