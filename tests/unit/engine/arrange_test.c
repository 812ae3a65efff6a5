// SPDX-License-Identifier: MIT
// Rows in every kind of disorder come out in order of time, and as they came where that is equal.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/arrange.h"

#include <stdbool.h>

enum { ROWS = 3000 };

static struct taud_arranged rows[ROWS], spare[ROWS];
static int64_t given[ROWS];
static uint64_t random_state;

static uint64_t draw(uint64_t bound)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (random_state >> 33) % bound;
}

static void check(size_t count)
{
    bool seen[ROWS] = {false};
    taud_arrange(given, count, rows, spare);
    for (size_t i = 0; i < count; i++) {
        assert_true(rows[i].row < count && !seen[rows[i].row]);
        seen[rows[i].row] = true;
        assert_true(rows[i].timestamp == given[rows[i].row]);
        if (i > 0 && rows[i - 1].timestamp == rows[i].timestamp)
            assert_true(rows[i - 1].row < rows[i].row);
        else if (i > 0)
            assert_true(rows[i - 1].timestamp < rows[i].timestamp);
    }
}

static void every_order_of_few_rows_is_brought_to_one(void **state)
{
    (void)state;
    for (size_t count = 0; count <= 5; count++) {
        for (unsigned pattern = 0; pattern < 3125; pattern++) { // five digits of five
            for (unsigned i = 0, rest = pattern; i < count; i++, rest /= 5)
                given[i] = (int64_t)(rest % 5) - 2;
            check(count);
        }
    }
}

static void rows_of_any_share_of_late_ones(void **state)
{
    (void)state;
    static const size_t counts[] = {1, 2, 63, 64, 65, 1000, 1023, 1024, ROWS};
    for (unsigned round = 0; round < 200; round++) {
        size_t count = counts[draw(sizeof counts / sizeof counts[0])];
        uint64_t late = draw(11), width = 1 + draw(2 * count);
        for (size_t i = 0; i < count; i++)
            given[i] = draw(10) < late ? (int64_t)draw(width) : (int64_t)i;
        check(count);
    }
}

static void the_ends_of_time_are_times(void **state)
{
    (void)state;
    for (size_t i = 0; i < 100; i++)
        given[i] = i % 3 == 0 ? INT64_MAX : i % 3 == 1 ? INT64_MIN : 0;
    check(100);
    for (size_t i = 0; i < ROWS; i++)
        given[i] = -(int64_t)i;
    check(ROWS);
}

// Steps that are multiples of many numbers, and times that have more or fewer digits than are
// counted: all that differ and all that are the same.
static void times_of_any_length_are_sorted(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 64; bits++) {
        for (unsigned shift = 0; shift < 64 - bits; shift += 1 + bits / 8) {
            uint64_t base = draw(2) ? UINT64_C(1) << 63 : draw(UINT32_MAX);
            for (size_t i = 0; i < ROWS; i++) {
                uint64_t wide = draw(UINT32_MAX) << 32 | draw(UINT32_MAX);
                uint64_t over = bits == 0 ? 0 : wide % (UINT64_C(1) << bits);
                given[i] = (int64_t)(base + (over << shift));
            }
            check(ROWS);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_order_of_few_rows_is_brought_to_one),
        cmocka_unit_test(rows_of_any_share_of_late_ones),
        cmocka_unit_test(the_ends_of_time_are_times),
        cmocka_unit_test(times_of_any_length_are_sorted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
