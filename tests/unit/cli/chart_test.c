/* SPDX-License-Identifier: MIT */
/* The whole chart: its size, its peaks, what cannot be drawn. */
#include <float.h>
#include <math.h>

#include "cli_test.h"
#include "plot/chart.h"

static char *print(const struct cli_chart *chart)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_true(cli_chart_print(chart, out));
    fclose(out);
    return text;
}

static size_t line_count(const char *text)
{
    size_t count = 0;
    for (; *text != '\0'; text++) {
        count += *text == '\n';
    }
    return count;
}

static void test_ramp(void **state)
{
    struct cli_chart chart;
    (void)state;
    assert_true(cli_chart_init(&chart, 36, 8, false, 0, 190));
    for (int64_t i = 0; i < 20; i++) {
        cli_chart_add(&chart, i * 10, (double)i);
    }
    char *text = print(&chart);
    assert_string_equal(text, "20 +                            ....\n"
                              "   |                      ....''\n"
                              "   |                 ..'''\n"
                              "10 +           ...'''\n"
                              "   |     ..''''\n"
                              " 0 +.''''\n"
                              "   ++---------------+---------------\n"
                              "    00:00.000000000\n");
    free(text);
    cli_chart_done(&chart);
}

/* One high value among a million must be seen. */
static void test_peak(void **state)
{
    struct cli_chart chart;
    (void)state;
    assert_true(cli_chart_init(&chart, 80, 20, true, 0, 999999));
    for (int64_t i = 0; i < 1000000; i++) {
        cli_chart_add(&chart, i, i == 512345 ? 1000 : 1);
    }
    assert_true(chart.greatest == 1000 && chart.least == 1);
    char *text = print(&chart);
    assert_int_equal(line_count(text), 20);
    assert_non_null(strstr(text, "1000 "));
    free(text);
    cli_chart_done(&chart);
}

static void test_extremes(void **state)
{
    static const double values[] = {-DBL_MAX / 4, DBL_MAX / 4, 0, 5e-324, -0.0};
    struct cli_chart chart;
    (void)state;
    for (size_t i = 0; i < COUNT(values); i++) {
        assert_true(cli_chart_init(&chart, 40, 10, true, INT64_MIN, INT64_MAX));
        cli_chart_add(&chart, INT64_MIN, values[i]);
        cli_chart_add(&chart, INT64_MAX, values[0]);
        char *text = print(&chart);
        assert_int_equal(line_count(text), 10);
        free(text);
        cli_chart_done(&chart);
    }
}

static void test_one_point(void **state)
{
    struct cli_chart chart;
    (void)state;
    assert_true(cli_chart_init(&chart, 1, 1, true, 5, 5));
    cli_chart_add(&chart, 5, 7);
    cli_chart_add(&chart, 6, 7);
    assert_int_equal(chart.point_count, 1);
    char *text = print(&chart);
    assert_int_equal(line_count(text), CLI_CHART_LEAST_HEIGHT);
    free(text);
    cli_chart_done(&chart);
}

static void test_nothing_finite(void **state)
{
    struct cli_chart chart;
    FILE *out = tmpfile();
    (void)state;
    assert_true(cli_chart_init(&chart, 40, 10, true, 0, 10));
    assert_false(cli_chart_print(&chart, out));
    cli_chart_add(&chart, 1, (double)INFINITY);
    cli_chart_add(&chart, 2, (double)NAN);
    assert_int_equal(chart.skipped_count, 2);
    assert_false(cli_chart_print(&chart, out));
    cli_chart_done(&chart);
    fclose(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ramp),           cmocka_unit_test(test_peak),
        cmocka_unit_test(test_extremes),       cmocka_unit_test(test_one_point),
        cmocka_unit_test(test_nothing_finite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
