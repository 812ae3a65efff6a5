/* SPDX-License-Identifier: MIT */
/* Times as people write them, and what is no time. */
#include "cli_test.h"
#include "format/time.h"
#include "parse/time.h"

#define NOW INT64_C(1700000000000000000)

static const struct cli_time_rules plain = {.unit = CLI_UNIT_NS};
static const struct cli_time_rules relative = {
    .unit = CLI_UNIT_NS, .relative = true, .now_ns = NOW};

static void test_read(void **state)
{
    static const struct {
        const char *text;
        int64_t ns;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"1970-01-01", 0},
        {"1970-01-01 00:00:01", 1000000000},
        {"1970-01-01t00:00:01z", 1000000000},
        {"1970-01-01T00:00:00.5Z", 500000000},
        {"1970-01-01 00:00:00.000000001", 1},
        {"1970-01-01T01:00:00+01:00", 0},
        {"1969-12-31T23:30:00-00:30", 0},
        {"2013-07-04 00:00:00", 1372896000000000000},
        {"2016-12-31T23:59:60Z", 1483228800000000000},
        {"2262-04-11T23:47:16.854775807Z", INT64_MAX},
        {"1677-09-21T00:12:43.145224192Z", INT64_MIN},
        {"1969-12-31T23:59:59.999999999Z", -1},
        {"1970-01-01T00:00:00.5000000000000Z", 500000000},
        {"0", 0},
        {"-5", -5},
        {"+5", 5},
        {"9223372036854775807", INT64_MAX},
        {"-9223372036854775808", INT64_MIN},
        {"7.0", 7},
        {"00000000000000000000000000000000007", 7},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t ns = 1;
        const char *reason = cli_time_from_text(cases[i].text, &plain, &ns);
        if (reason != NULL || ns != cases[i].ns) {
            fail_msg("`%s`: %s, %lld", cases[i].text, reason != NULL ? reason : "read",
                     (long long)ns);
        }
    }
}

static void test_units(void **state)
{
    static const struct {
        const char *text;
        enum cli_unit unit;
        int64_t ns;
    } cases[] = {
        {"1.5", CLI_UNIT_S, 1500000000},
        {"-1.5", CLI_UNIT_S, -1500000000},
        {"1", CLI_UNIT_MS, 1000000},
        {"0.000001", CLI_UNIT_MS, 1},
        {"1.001", CLI_UNIT_US, 1001},
        {"9223372036.854775807", CLI_UNIT_S, INT64_MAX},
        {"-9223372036.854775808", CLI_UNIT_S, INT64_MIN},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct cli_time_rules rules = {.unit = cases[i].unit};
        int64_t ns;
        assert_null(cli_time_from_text(cases[i].text, &rules, &ns));
        assert_int_equal(ns, cases[i].ns);
    }
}

static void test_relative(void **state)
{
    static const struct {
        const char *text;
        int64_t ns;
    } cases[] = {
        {"now", NOW},
        {"-1h", NOW - INT64_C(3600000000000)},
        {"+1s", NOW + 1000000000},
        {"now-1h30m", NOW - INT64_C(5400000000000)},
        {"NOW+1ms", NOW + 1000000},
        {"-5", -5},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t ns;
        assert_null(cli_time_from_text(cases[i].text, &relative, &ns));
        assert_int_equal(ns, cases[i].ns);
        if (i + 1 < COUNT(cases)) {
            assert_non_null(cli_time_from_text(cases[i].text, &plain, &ns));
        }
    }
}

static void test_refuse(void **state)
{
    static const char *const texts[] = {"",
                                        "x",
                                        "-",
                                        "1970-1-1x",
                                        "1970-13-01",
                                        "1970-00-01",
                                        "1970-02-29",
                                        "2023-04-31",
                                        "1970-01-01T24:00:00Z",
                                        "1970-01-01T00:60:00Z",
                                        "1970-01-01T00:00:61Z",
                                        "1970-01-01T00:00:00+24:00",
                                        "1970-01-01T00:00",
                                        "1970-01-01T00:00:00.Z",
                                        "1970-01-01T",
                                        "1970-01-01 00:00:00 ",
                                        "1970-01-01T00:00:00.0000000001Z",
                                        "2262-04-11T23:47:16.854775808Z",
                                        "1677-09-21T00:12:43.145224191Z",
                                        "9999-01-01",
                                        "9223372036854775808",
                                        "-9223372036854775809",
                                        "99999999999999999999999",
                                        "0.5",
                                        "1e5",
                                        "1.",
                                        "now",
                                        "-1h",
                                        "0x10",
                                        "1 2"};
    static const char *const relative_texts[] = {"nowx", "now-",        "now1h",      "1h",
                                                 "-h",   "now-999999w", "now+300000d"};
    int64_t ns = 42;
    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        if (cli_time_from_text(texts[i], &plain, &ns) == NULL) {
            fail_msg("`%s` was read", texts[i]);
        }
    }
    for (size_t i = 0; i < COUNT(relative_texts); i++) {
        if (cli_time_from_text(relative_texts[i], &relative, &ns) == NULL) {
            fail_msg("`%s` was read", relative_texts[i]);
        }
    }
    assert_int_equal(ns, 42);
}

/* What is printed reads back, in every format. */
static void test_round_trip(void **state)
{
    static const enum cli_unit units[] = {
        [CLI_TIME_RFC3339] = CLI_UNIT_NS, [CLI_TIME_S] = CLI_UNIT_S,   [CLI_TIME_MS] = CLI_UNIT_MS,
        [CLI_TIME_US] = CLI_UNIT_US,      [CLI_TIME_NS] = CLI_UNIT_NS,
    };
    uint64_t random = 88172645463325252u;
    (void)state;
    for (int i = 0; i < 100000; i++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        for (size_t format = CLI_TIME_RFC3339; format <= CLI_TIME_NS; format++) {
            struct cli_time_rules rules = {.unit = units[format]};
            char text[CLI_TIME_TEXT_SIZE];
            int64_t ns;
            cli_time_to_text((int64_t)random, (enum cli_time_format)format, text);
            assert_null(cli_time_from_text(text, &rules, &ns));
            assert_int_equal(ns, (int64_t)random);
        }
    }
}

/* Each name is read back to a unit, and no two are the same. */
static void test_names_of_units(void **state)
{
    size_t count = 0;
    uint64_t sum = 0;
    (void)state;
    for (; cli_unit_name(count) != NULL; count++) {
        enum cli_unit unit;
        assert_true(cli_unit_from_text(cli_unit_name(count), &unit));
        sum += (uint64_t)unit;
    }
    assert_int_equal(count, 4);
    assert_int_equal(sum, 1001001001);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),       cmocka_unit_test(test_units),
        cmocka_unit_test(test_relative),   cmocka_unit_test(test_refuse),
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_names_of_units),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
