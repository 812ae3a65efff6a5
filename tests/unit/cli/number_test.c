/* SPDX-License-Identifier: MIT */
/* Values as text: shortest digits that read back to the same bits, NaN with its bits. */
#include <float.h>
#include <math.h>

#include "cli_test.h"
#include "format/number.h"

static uint64_t bits_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

static double value_of(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static void test_print(void **state)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0, "0"},
        {-0.0, "-0.0"},
        {1, "1"},
        {-1, "-1"},
        {0.1, "0.1"},
        {69.88083514, "69.88083514"},
        {74.93588199999998, "74.93588199999998"},
        {1e15, "1e+15"},
        {123456789012345, "123456789012345"},
        {1.0 / 3, "0.3333333333333333"},
        {5e-324, "4.94065645841247e-324"},
        {DBL_MAX, "1.7976931348623157e+308"},
        {INFINITY, "inf"},
        {-INFINITY, "-inf"},
        {0.30000000000000004, "0.30000000000000004"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[CLI_NUMBER_TEXT_SIZE];
        size_t length = cli_f64_to_text(cases[i].value, text);
        assert_int_equal(length, strlen(cases[i].text));
        assert_string_equal(text, cases[i].text);
    }
}

static void assert_round_trip(uint64_t bits)
{
    char text[CLI_NUMBER_TEXT_SIZE];
    double back;
    cli_f64_to_text(value_of(bits), text);
    assert_null(cli_f64_from_text(text, &back));
    if (bits_of(back) != bits) {
        fail_msg("%016llx printed as %s", (unsigned long long)bits, text);
    }
}

static void test_round_trip(void **state)
{
    static const uint64_t special[] = {0,
                                       UINT64_C(0x8000000000000000),
                                       1,
                                       UINT64_C(0x000fffffffffffff),
                                       UINT64_C(0x0010000000000000),
                                       UINT64_C(0x7fefffffffffffff),
                                       UINT64_C(0x7ff0000000000000),
                                       UINT64_C(0xfff0000000000000),
                                       UINT64_C(0x7ff8000000000000),
                                       UINT64_C(0xfff8000000000000),
                                       UINT64_C(0x7ff0000000000001),
                                       UINT64_C(0xffffffffffffffff),
                                       UINT64_C(0x7ff800000000beef),
                                       UINT64_C(0x43e0000000000000)};
    uint64_t random = 88172645463325252u;
    (void)state;
    for (size_t i = 0; i < COUNT(special); i++) {
        assert_round_trip(special[i]);
    }
    for (int i = 0; i < 200000; i++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        assert_round_trip(random);
        /* Short decimals, as most measurements are. */
        assert_round_trip(bits_of((double)(int64_t)(random % 2000000000) / 1000 - 1000000));
    }
}

/* The short way of reading must give the bits that strtod gives. */
static void test_read_as_strtod(void **state)
{
    static const char *const texts[] = {"0",
                                        "-0",
                                        "00.5",
                                        "1.",
                                        ".5",
                                        "-.5",
                                        "123456789.123456789",
                                        "9007199254740993",
                                        "9007199254740992",
                                        "0.00000000000000001",
                                        "999999999999999999",
                                        "1e3",
                                        "-1.5E-7",
                                        "0x1p4",
                                        "3.14159265358979323846",
                                        "+7",
                                        "1000000000000000000000"};
    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        double value;
        assert_null(cli_f64_from_text(texts[i], &value));
        assert_int_equal(bits_of(value), bits_of(strtod(texts[i], NULL)));
    }
}

static void test_read_nan(void **state)
{
    double value;
    (void)state;
    assert_null(cli_f64_from_text("nan", &value));
    assert_int_equal(bits_of(value), UINT64_C(0x7ff8000000000000));
    assert_null(cli_f64_from_text("-NaN", &value));
    assert_int_equal(bits_of(value), UINT64_C(0xfff8000000000000));
    assert_null(cli_f64_from_text("nan(0x7FF0000000000001)", &value));
    assert_int_equal(bits_of(value), UINT64_C(0x7ff0000000000001));
}

static void test_refuse(void **state)
{
    static const char *const texts[] = {"",
                                        " 1",
                                        "1 ",
                                        "-",
                                        "+",
                                        ".",
                                        "-.",
                                        "1,5",
                                        "abc",
                                        "1e999",
                                        "-1e999",
                                        "infx",
                                        "nan(",
                                        "nan(0x)",
                                        "nan(0x1)",
                                        "nan(7)",
                                        "nan(0x7ff8000000000000",
                                        "-nan(0x7ff8000000000000)",
                                        "nan(0x17ff8000000000000)",
                                        "nanx",
                                        "1.2.3",
                                        "--1",
                                        "nan(0x-1)"};
    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        double value = 42;
        if (cli_f64_from_text(texts[i], &value) == NULL) {
            fail_msg("`%s` was read", texts[i]);
        }
        assert_true(value == 42);
    }
}

static void test_integers(void **state)
{
    char text[CLI_NUMBER_TEXT_SIZE];
    uint64_t u64;
    int64_t i64;
    (void)state;
    cli_i64_to_text(INT64_MIN, text);
    assert_string_equal(text, "-9223372036854775808");
    assert_true(cli_i64_from_text(text, INT64_MIN, INT64_MAX, &i64) && i64 == INT64_MIN);
    cli_u64_to_text(UINT64_MAX, text);
    assert_string_equal(text, "18446744073709551615");
    assert_true(cli_u64_from_text(text, 0, UINT64_MAX, &u64) && u64 == UINT64_MAX);
    assert_true(cli_u64_from_text("7", 7, 7, &u64));
    assert_false(cli_u64_from_text("6", 7, 8, &u64));
    assert_false(cli_u64_from_text("9", 7, 8, &u64));
    assert_false(cli_u64_from_text("-1", 0, UINT64_MAX, &u64));
    assert_false(cli_u64_from_text("18446744073709551616", 0, UINT64_MAX, &u64));
    assert_false(cli_u64_from_text("1x", 0, 10, &u64));
    assert_false(cli_i64_from_text("9223372036854775808", INT64_MIN, INT64_MAX, &i64));
    assert_false(cli_i64_from_text(" 1", INT64_MIN, INT64_MAX, &i64));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_print),          cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_read_as_strtod), cmocka_unit_test(test_read_nan),
        cmocka_unit_test(test_refuse),         cmocka_unit_test(test_integers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
