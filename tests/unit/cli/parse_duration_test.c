/* SPDX-License-Identifier: MIT */
/* Durations as people write them, and what is no duration. */
#include "cli_test.h"
#include "parse/time.h"

static void test_read(void **state)
{
    static const struct {
        const char *text;
        int64_t ns;
    } cases[] = {
        {"1ns", 1},
        {"5us", 5000},
        {"5ms", 5000000},
        {"5m", INT64_C(300000000000)},
        {"90s", INT64_C(90000000000)},
        {"1h30m", INT64_C(5400000000000)},
        {"1.5s", 1500000000},
        {"2.5ms250us", 2750000},
        {"1d", INT64_C(86400000000000)},
        {"1w", INT64_C(604800000000000)},
        {"0s", 0},
        {"9223372036854775807ns", INT64_MAX},
        {"9223372036.854775807s", INT64_MAX},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t ns = -1;
        const char *reason = cli_duration_from_text(cases[i].text, &ns);
        if (reason != NULL || ns != cases[i].ns) {
            fail_msg("`%s`: %s, %lld", cases[i].text, reason != NULL ? reason : "read",
                     (long long)ns);
        }
    }
}

static void test_refuse(void **state)
{
    static const char *const texts[] = {"",
                                        "1",
                                        "s",
                                        "-1s",
                                        "1 s",
                                        "1s ",
                                        "1.s",
                                        ".5s",
                                        "1y",
                                        "1mss",
                                        "1.5ns",
                                        "1h30",
                                        "9223372036854775808ns",
                                        "99999999999999999999999s",
                                        "0.0000000000000000000000001s",
                                        "300000w",
                                        "9223372036854775807ns1ns"};
    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        int64_t ns = 42;
        if (cli_duration_from_text(texts[i], &ns) == NULL) {
            fail_msg("`%s` was read as %lld", texts[i], (long long)ns);
        }
        assert_int_equal(ns, 42);
    }
}

static void test_unit_names(void **state)
{
    enum cli_unit unit;
    (void)state;
    assert_true(cli_unit_from_text("s", &unit) && unit == CLI_UNIT_S);
    assert_true(cli_unit_from_text("ms", &unit) && unit == CLI_UNIT_MS);
    assert_true(cli_unit_from_text("us", &unit) && unit == CLI_UNIT_US);
    assert_true(cli_unit_from_text("ns", &unit) && unit == CLI_UNIT_NS);
    assert_false(cli_unit_from_text("m", &unit));
    assert_false(cli_unit_from_text("", &unit));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_refuse),
        cmocka_unit_test(test_unit_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
