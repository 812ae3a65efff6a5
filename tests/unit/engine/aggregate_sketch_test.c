// SPDX-License-Identifier: MIT
// Sketches: exact while they are small, within the stated error beyond, the same bits in whatever
// order and pieces values come, and bounded memory that may be refused.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "engine/aggregate/sketch.h"
#include "failing_allocator.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT = 3000, MOST_BYTES = (TAUD_SKETCH_CELLS + 128) * 8 };

static uint64_t draw(uint64_t *state)
{
    *state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = *state;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

// From 0 to 1.
static double draw_share(uint64_t *state)
{
    return (double)(draw(state) >> 11) / 9007199254740992.0;
}

static struct taud_aggregate_memory unlimited(void)
{
    return (struct taud_aggregate_memory){taud_allocator_system(), UINT64_MAX, 0};
}

static int compare(const void *one, const void *other)
{
    double first, second;
    memcpy(&first, one, sizeof first);
    memcpy(&second, other, sizeof second);
    return (first > second) - (first < second);
}

// Asks for each rank of sorted values.
static void expect_within(struct taud_sketch *sketch, const double *sorted, size_t count,
                          double error)
{
    for (size_t rank = 0; rank < count; rank++) {
        double p = (double)rank / (double)(count > 1 ? count - 1 : 1);
        size_t below = (size_t)(p * (double)(count - 1)); // the same rounding
        double share = p * (double)(count - 1) - (double)below;
        double low = sorted[below], high = sorted[share > 0 ? below + 1 : below];
        double got = taud_sketch_quantile(sketch, p), slack = error * (1 + 1e-9) + 1e-12;
        assert_true(got >= low - slack * fabs(low) && got <= high + slack * fabs(high));
    }
    assert_true(taud_sketch_quantile(sketch, 0) == sorted[0]);
    assert_true(taud_sketch_quantile(sketch, 1) == sorted[count - 1]);
}

static void few_values_are_exact(void **state)
{
    (void)state;
    struct taud_aggregate_memory memory = unlimited();
    struct taud_sketch sketch;
    taud_sketch_init(&sketch);
    assert_true(isnan(taud_sketch_quantile(&sketch, 0.5)));
    double sorted[TAUD_SKETCH_EXACT];
    for (int i = 0; i < TAUD_SKETCH_EXACT; i++) {
        double value = (i * 37 % TAUD_SKETCH_EXACT) * 1.25 - 40, nan = NAN;
        sorted[i] = i * 1.25 - 40;
        assert_true(taud_sketch_add(&sketch, &value, 1, &memory));
        assert_true(taud_sketch_add(&sketch, &nan, 1, &memory));
    }
    assert_int_equal(sketch.count, TAUD_SKETCH_EXACT);
    expect_within(&sketch, sorted, TAUD_SKETCH_EXACT, 0);
    // Between two neighbours, on a line.
    assert_true(fabs(taud_sketch_quantile(&sketch, 0.25 / (TAUD_SKETCH_EXACT - 1)) -
                     (-40 + 0.25 * 1.25)) < 1e-9);
    taud_sketch_done(&sketch, &memory);
    assert_true(memory.used_bytes == 0);
}

static void many_values_are_within_the_stated_error(void **state)
{
    (void)state;
    static const struct {
        double powers; // of two that values spread over, in each sign that there is
        bool both;
        unsigned error;
    } cases[] = {
        {0, false, 257}, {15, false, 257}, {7.5, true, 257}, {30, false, 129}, {15, true, 129},
        {60, false, 65}, {120, false, 33}, {125, true, 17},  {250, false, 17}, {500, false, 9},
        {500, true, 5},  {1000, false, 5}, {2000, false, 3}, {1000, true, 3},
    };
    static double values[COUNT];
    struct taud_aggregate_memory memory = unlimited();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t seed = i;
        struct taud_sketch sketch;
        taud_sketch_init(&sketch);
        for (size_t k = 0; k < COUNT; k++) {
            double power = (draw_share(&seed) - 0.5) * cases[i].powers;
            values[k] = exp2(fmod(power, 1)) * ldexp(1, (int)power);
            if (cases[i].both && k % 2 == 1)
                values[k] = -values[k];
        }
        assert_true(taud_sketch_add(&sketch, values, COUNT, &memory));
        assert_true(memory.used_bytes <= MOST_BYTES);
        qsort(values, COUNT, sizeof values[0], compare);
        expect_within(&sketch, values, COUNT, 1.0 / cases[i].error);
        taud_sketch_done(&sketch, &memory);
    }
}

static void any_number_is_within_three_fifths(void **state)
{
    (void)state;
    static double values[COUNT];
    struct taud_aggregate_memory memory = unlimited();
    struct taud_sketch sketch;
    uint64_t seed = 5;
    taud_sketch_init(&sketch);
    for (size_t i = 0; i < COUNT;) {
        uint64_t bits = draw(&seed);
        memcpy(&values[i], &bits, sizeof bits);
        i += isnormal(values[i]) || isinf(values[i]);
    }
    values[0] = 1.7976931348623157e308;
    values[1] = -values[0];
    values[2] = 2.2250738585072014e-308;
    values[3] = -values[2];
    values[4] = values[8] = INFINITY;
    values[5] = values[6] = -INFINITY;
    values[7] = 0;
    assert_true(taud_sketch_add(&sketch, values, COUNT, &memory));
    assert_true(memory.used_bytes <= MOST_BYTES);
    qsort(values, COUNT, sizeof values[0], compare);
    assert_true(taud_sketch_quantile(&sketch, 1.0 / (COUNT - 1)) == -INFINITY);
    assert_true(taud_sketch_quantile(&sketch, (COUNT - 2.0) / (COUNT - 1)) == INFINITY);
    for (size_t rank = 3; rank + 2 < COUNT; rank++) {
        double got = taud_sketch_quantile(&sketch, (double)rank / (COUNT - 1));
        double slack = 0.6 + 1e-9;
        assert_true(got >= values[rank - 1] - slack * fabs(values[rank - 1]));
        assert_true(got <= values[rank + 1] + slack * fabs(values[rank + 1]));
    }
    taud_sketch_done(&sketch, &memory);
}

// The same values in pieces of many sizes, joined two by two in an order that is drawn.
static void expect_same(const double *values, size_t count, uint64_t seed)
{
    enum { PIECES = 9 };
    struct taud_aggregate_memory memory = unlimited();
    struct taud_sketch whole, pieces[PIECES];
    taud_sketch_init(&whole);
    assert_true(taud_sketch_add(&whole, values, count, &memory));
    for (size_t i = 0; i < PIECES; i++)
        taud_sketch_init(&pieces[i]);
    for (size_t done = 0; done < count;) {
        size_t piece = 1 + draw(&seed) % 200;
        piece = piece < count - done ? piece : count - done;
        assert_true(taud_sketch_add(&pieces[draw(&seed) % PIECES], values + done, piece, &memory));
        done += piece;
    }
    for (size_t left = PIECES; left > 1; left--) {
        size_t from = draw(&seed) % left;
        struct taud_sketch last = pieces[from];
        pieces[from] = pieces[left - 1];
        assert_true(taud_sketch_join(&pieces[draw(&seed) % (left - 1)], &last, &memory));
        taud_sketch_done(&last, &memory);
    }
    assert_true(pieces[0].count == whole.count && pieces[0].level == whole.level);
    for (int i = 0; i <= 1000; i++) {
        double one = taud_sketch_quantile(&pieces[0], i / 1000.0);
        double other = taud_sketch_quantile(&whole, i / 1000.0);
        assert_memory_equal(&one, &other, sizeof one);
    }
    taud_sketch_done(&pieces[0], &memory);
    taud_sketch_done(&whole, &memory);
    assert_true(memory.used_bytes == 0);
}

static void order_and_pieces_do_not_matter(void **state)
{
    (void)state;
    static double values[COUNT];
    static const size_t counts[] = {100, 128, 129, 200, COUNT};
    uint64_t seed = 6;
    for (unsigned kind = 0; kind < 4; kind++) {
        for (size_t i = 0; i < COUNT; i++) {
            uint64_t bits = draw(&seed);
            if (kind < 3)
                values[i] = ldexp(draw_share(&seed) - (kind == 1 ? 0.5 : 0),
                                  (int)(bits % 200) * (kind == 2));
            else
                memcpy(&values[i], &bits, sizeof bits);
        }
        for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
            expect_same(values, counts[i], draw(&seed));
    }
}

// Adds and joins with memory that is refused once; nothing may be lost then but the sketch.
static bool work(struct taud_aggregate_memory *memory, const double *values)
{
    struct taud_sketch one, other;
    taud_sketch_init(&one);
    taud_sketch_init(&other);
    bool done = taud_sketch_add(&one, values, COUNT / 2, memory) &&
                taud_sketch_add(&other, values + COUNT / 2, 100, memory) &&
                taud_sketch_join(&other, &one, memory) && taud_sketch_join(&one, &other, memory);
    taud_sketch_done(&one, memory);
    taud_sketch_done(&other, memory);
    return done;
}

static void memory_may_be_refused(void **state)
{
    (void)state;
    static double values[COUNT];
    uint64_t seed = 7;
    for (size_t i = 0; i < COUNT; i++)
        values[i] = ldexp(draw_share(&seed) - 0.5, (int)(draw(&seed) % 60));
    bool done = false;
    for (unsigned at = 1; !done; at++) {
        struct failing_allocator failing;
        failing_allocator_init(&failing, at, false);
        struct taud_aggregate_memory memory = {&failing.table, UINT64_MAX, 0};
        done = work(&memory, values);
        assert_true(memory.used_bytes == 0 && failing.live == 0);
        assert_true(done == (failing.calls < at));
        assert_true(!done || at > 10);
    }
    for (uint64_t limit = 0; limit < 40000; limit += 500) {
        struct taud_aggregate_memory memory = {taud_allocator_system(), limit, 0};
        assert_true(!work(&memory, values) || limit > 2 * 1000 * 8);
        assert_true(memory.used_bytes == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_values_are_exact),
        cmocka_unit_test(many_values_are_within_the_stated_error),
        cmocka_unit_test(any_number_is_within_three_fifths),
        cmocka_unit_test(order_and_pieces_do_not_matter),
        cmocka_unit_test(memory_may_be_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
