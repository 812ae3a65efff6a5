/* SPDX-License-Identifier: MIT */
/* Axes: round marks that enclose the values, for any finite values and any times. */
#include <float.h>
#include <math.h>

#include "cli_test.h"
#include "plot/axis.h"

static void assert_axis(double low, double high, size_t most)
{
    struct cli_value_axis axis;
    cli_value_axis_init(&axis, low, high, most);
    assert_true(isfinite(axis.low) && isfinite(axis.high) && axis.low < axis.high);
    /* A mark such as 3 x 0.1 is not exactly 0.3. */
    if (axis.low - low > axis.step * 1e-6 || high - axis.high > axis.step * 1e-6) {
        fail_msg("%.17g to %.17g got %.17g to %.17g", low, high, axis.low, axis.high);
    }
    assert_in_range(axis.tick_count, 2, most + 2);
    for (size_t i = 0; i < axis.tick_count; i++) {
        char text[CLI_TICK_TEXT_BYTES];
        assert_in_range(cli_value_axis_text(&axis, i, text), 1, CLI_TICK_TEXT_BYTES - 1);
    }
}

static void test_values(void **state)
{
    static const double values[] = {0,        1,       -1,       0.1,
                                    99.9,     1e-9,    1e9,      1e15,
                                    -1e300,   1e300,   5e-300,   0.30000000000000004,
                                    -DBL_MAX, 1.7e308, -1.7e308, DBL_MAX};
    (void)state;
    for (size_t i = 0; i < COUNT(values); i++) {
        for (size_t j = 0; j < COUNT(values); j++) {
            double low = fmin(values[i], values[j]);
            double high = fmax(values[i], values[j]);
            assert_axis(low, high, 2);
            assert_axis(low, high, 8);
        }
    }
}

static void test_marks(void **state)
{
    struct cli_value_axis axis;
    char text[CLI_TICK_TEXT_BYTES];
    (void)state;
    cli_value_axis_init(&axis, 3, 97, 5);
    assert_true(axis.low == 0 && axis.high == 100 && axis.step == 20);
    cli_value_axis_text(&axis, 1, text);
    assert_string_equal(text, "20");
    cli_value_axis_init(&axis, 0.21, 0.39, 4);
    cli_value_axis_text(&axis, 0, text);
    assert_string_equal(text, "0.20");
    cli_value_axis_init(&axis, -1, 1, 4);
    cli_value_axis_text(&axis, 2, text);
    assert_string_equal(text, "0.0");
}

static void test_times(void **state)
{
    static const int64_t times[] = {
        INT64_MIN, -1, 0, 1, 1000, INT64_C(1700000000000000000), INT64_C(1700003600000000000),
        INT64_MAX};
    (void)state;
    for (size_t i = 0; i < COUNT(times); i++) {
        for (size_t j = i; j < COUNT(times); j++) {
            struct cli_time_axis axis;
            cli_time_axis_init(&axis, times[i], times[j], 6);
            assert_in_range(axis.tick_count, 0, 6);
            for (size_t k = 0; k < axis.tick_count; k++) {
                char text[CLI_TICK_TEXT_BYTES];
                assert_true(axis.ticks_ns[k] >= times[i] && axis.ticks_ns[k] <= times[j]);
                assert_int_equal(axis.ticks_ns[k] % axis.step_ns, 0);
                cli_time_axis_text(&axis, k, text);
            }
        }
    }
}

static void assert_time_mark(int64_t low, int64_t high, const char *expected)
{
    struct cli_time_axis axis;
    char text[CLI_TICK_TEXT_BYTES];
    cli_time_axis_init(&axis, low, high, 4);
    assert_true(axis.tick_count > 0);
    cli_time_axis_text(&axis, axis.tick_count - 1, text);
    assert_string_equal(text, expected);
}

static void test_time_marks(void **state)
{
    (void)state;
    assert_time_mark(0, INT64_C(3600000000000), "01:00");
    assert_time_mark(0, INT64_C(20000000000), "00:00:20");
    assert_time_mark(0, 4000000, "00:00.004");
    assert_time_mark(0, INT64_C(400000000000000), "1970-01-05");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_marks),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_time_marks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
