/* SPDX-License-Identifier: MIT */
/* Times and durations as text, and the calendar against the C library's. */
#include <time.h>

#include "cli_test.h"
#include "format/time.h"
#include "parse/time.h"

static void assert_time(int64_t ns, enum cli_time_format format, const char *expected)
{
    char text[CLI_TIME_TEXT_SIZE];
    assert_int_equal(cli_time_to_text(ns, format, text), strlen(expected));
    assert_string_equal(text, expected);
}

static void test_rfc3339(void **state)
{
    (void)state;
    assert_time(0, CLI_TIME_RFC3339, "1970-01-01T00:00:00Z");
    assert_time(1, CLI_TIME_RFC3339, "1970-01-01T00:00:00.000000001Z");
    assert_time(-1, CLI_TIME_RFC3339, "1969-12-31T23:59:59.999999999Z");
    assert_time(1372896000500000000, CLI_TIME_RFC3339, "2013-07-04T00:00:00.500Z");
    assert_time(1372896000000250000, CLI_TIME_RFC3339, "2013-07-04T00:00:00.000250Z");
    assert_time(INT64_MAX, CLI_TIME_RFC3339, "2262-04-11T23:47:16.854775807Z");
    assert_time(INT64_MIN, CLI_TIME_RFC3339, "1677-09-21T00:12:43.145224192Z");
}

static void test_units(void **state)
{
    (void)state;
    assert_time(1500000000, CLI_TIME_S, "1.5");
    assert_time(-1500000000, CLI_TIME_S, "-1.5");
    assert_time(2000000000, CLI_TIME_S, "2");
    assert_time(1, CLI_TIME_S, "0.000000001");
    assert_time(-1, CLI_TIME_MS, "-0.000001");
    assert_time(1001, CLI_TIME_US, "1.001");
    assert_time(INT64_MIN, CLI_TIME_NS, "-9223372036854775808");
    assert_time(INT64_MIN, CLI_TIME_S, "-9223372036.854775808");
}

static void test_calendar(void **state)
{
    (void)state;
    for (int64_t day = -100000; day < 100000; day += 7) {
        struct cli_civil civil;
        time_t seconds = (time_t)(day * 86400);
        struct tm tm;
        gmtime_r(&seconds, &tm);
        cli_date_from_days(day, &civil);
        assert_int_equal(civil.year, tm.tm_year + 1900);
        assert_int_equal(civil.month, tm.tm_mon + 1);
        assert_int_equal(civil.day, tm.tm_mday);
        assert_int_equal(cli_days_from_date(civil.year, civil.month, civil.day), day);
    }
    assert_int_equal(cli_days_of_month(2000, 2), 29);
    assert_int_equal(cli_days_of_month(1900, 2), 28);
    assert_int_equal(cli_days_of_month(2023, 12), 31);
}

static void test_durations(void **state)
{
    static const struct {
        int64_t ns;
        const char *text;
    } cases[] = {{999, "999 ns"},       {1500, "1.5 us"},      {2000000, "2 ms"},
                 {1500000000, "1.5 s"}, {61000000000, "1:01"}, {3661000000000, "1:01:01"}};
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[CLI_TIME_TEXT_SIZE];
        cli_duration_to_text(cases[i].ns, text);
        assert_string_equal(text, cases[i].text);
    }
}

/* What is printed reads back as the same. */
static void test_spans(void **state)
{
    static const struct {
        uint64_t ns;
        const char *text, *seconds;
    } cases[] = {
        {0, "0s", "0"},
        {1, "1ns", "0.000000001"},
        {90000000000, "1m30s", "90"},
        {2592000000000000, "30d", "2592000"},
        {3600001000000, "1h1ms", "3600.001"},
        {INT64_MAX, "106751d23h47m16s854ms775us807ns", "9223372036.854775807"},
        {UINT64_MAX, "213503d23h34m33s709ms551us615ns", "18446744073.709551615"},
    };
    char text[CLI_TIME_TEXT_SIZE];
    int64_t again;
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        size_t length = cli_span_to_text(cases[i].ns, CLI_TIME_RFC3339, text);
        assert_int_equal(length, strlen(cases[i].text));
        assert_string_equal(text, cases[i].text);
        bool fits = cases[i].ns <= INT64_MAX;
        assert_int_equal(cli_duration_from_text(text, &again) == NULL, fits);
        assert_true(!fits || (uint64_t)again == cases[i].ns);
        cli_span_to_text(cases[i].ns, CLI_TIME_S, text);
        assert_string_equal(text, cases[i].seconds);
    }
    assert_int_equal(cli_span_to_text(UINT64_MAX, CLI_TIME_NS, text), 20);
    assert_string_equal(text, "18446744073709551615");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc3339),
        cmocka_unit_test(test_units),
        cmocka_unit_test(test_calendar),
        cmocka_unit_test(test_durations),
        cmocka_unit_test(test_spans),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
