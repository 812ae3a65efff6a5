/* SPDX-License-Identifier: MIT */
/* One point as an answer: a table prints what was asked for, other formats always all of it. */
#include "cli_test.h"
#include "point.h"

static void expect_point(enum cli_format format, enum cli_point_part part, const char *expected)
{
    struct tau_label label = label_of("cpu");
    struct capture capture;
    capture_begin(&capture);
    capture.cli.options.format = format;
    capture.cli.options.time_format = CLI_TIME_NS;
    cli_point_print(&capture.cli, &label, 1500, -0.5, part);
    capture_flush(&capture);
    assert_string_equal(capture.out, expected);
    assert_int_equal(capture.err_size, 0);
    capture_end(&capture);
}

static void test_value_alone(void **state)
{
    (void)state;
    expect_point(CLI_FORMAT_TABLE, CLI_POINT_VALUE, "-0.5\n");
}

static void test_whole(void **state)
{
    (void)state;
    expect_point(CLI_FORMAT_TABLE, CLI_POINT_WHOLE,
                 "series     cpu\ntimestamp  1500\nvalue      -0.5\n");
}

static void test_other_formats(void **state)
{
    static const enum cli_point_part parts[] = {CLI_POINT_VALUE, CLI_POINT_WHOLE};
    (void)state;
    for (size_t i = 0; i < COUNT(parts); i++) {
        expect_point(CLI_FORMAT_CSV, parts[i], "series,timestamp,value\ncpu,1500,-0.5\n");
        expect_point(CLI_FORMAT_TSV, parts[i], "series\ttimestamp\tvalue\ncpu\t1500\t-0.5\n");
        expect_point(CLI_FORMAT_JSON, parts[i],
                     "{\"series\": \"cpu\", \"timestamp\": 1500, \"value\": -0.5}\n");
        expect_point(CLI_FORMAT_JSONL, parts[i],
                     "{\"series\": \"cpu\", \"timestamp\": 1500, \"value\": -0.5}\n");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_value_alone),
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_other_formats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
