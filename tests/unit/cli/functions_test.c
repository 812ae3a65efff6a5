/* SPDX-License-Identifier: MIT */
/* Functions of an aggregate as they are typed: names, quantiles in two spellings, and nonsense. */
#include "cli_test.h"
#include "functions.h"

static void test_all_names(void **state)
{
    struct capture capture;
    struct cli_functions functions;
    (void)state;
    capture_begin(&capture);
    for (int function = 0; function <= TAU_AGGREGATE_FUNCTION_INCREASE; function++) {
        const char *name = tau_aggregate_function_name((enum tau_aggregate_function)function);
        bool plain = function != TAU_AGGREGATE_FUNCTION_QUANTILE;
        assert_int_equal(cli_functions_read(&capture.cli, name, &functions), plain);
        if (plain) {
            assert_int_equal(functions.count, 1);
            assert_int_equal(functions.columns[0].function, function);
            assert_string_equal(functions.names[0], name);
        }
    }
    capture_end(&capture);
}

static void test_lists(void **state)
{
    struct capture capture;
    struct cli_functions functions;
    (void)state;
    capture_begin(&capture);
    assert_true(
        cli_functions_read(&capture.cli, "p50,mean,p99.9,quantile=0.25,p100,p0", &functions));
    static const double parameters[] = {0.5, 0, 0.999, 0.25, 1, 0};
    assert_int_equal(functions.count, 6);
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(functions.columns[i].function,
                         i == 1 ? TAU_AGGREGATE_FUNCTION_MEAN : TAU_AGGREGATE_FUNCTION_QUANTILE);
        assert_true(functions.columns[i].parameter > parameters[i] - 1e-12 &&
                    functions.columns[i].parameter < parameters[i] + 1e-12);
    }
    assert_string_equal(functions.names[2], "p99.9");
    assert_true(cli_functions_read(&capture.cli,
                                   "sum,sum,sum,sum,sum,sum,sum,sum,sum,sum,sum,sum,"
                                   "sum,sum,sum,sum",
                                   &functions));
    assert_int_equal(functions.count, TAU_LIMIT_AGGREGATE_FUNCTIONS);
    capture_end(&capture);
}

static void test_nonsense(void **state)
{
    static const char *const wrong[] = {
        "",
        ",",
        "sum,",
        ",sum",
        "median",
        "quantile",
        "quantile=",
        "quantile=1.1",
        "quantile=-0.1",
        "quantile=nan",
        "p101",
        "p1e1",
        "p5x",
        "p-1",
        "p",
        "Sum",
        "sum,sum,sum,sum,sum,sum,sum,sum,sum,sum,sum,sum,sum,sum,sum,sum,sum",
        "quantile=0.1111111111111111111111111111111111111111"};
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct capture capture;
        struct cli_functions functions;
        capture_begin(&capture);
        assert_false(cli_functions_read(&capture.cli, wrong[i], &functions));
        capture_flush(&capture);
        assert_non_null(strstr(capture.err, "--functions: "));
        capture_end(&capture);
    }
}

/* What is written is read as the same. */
static void test_single(void **state)
{
    static const char *const names[] = {"sum", "rate", "p99.9", "quantile=0.25", "p0", "p100"};
    static const char *const texts[] = {"sum",           "rate",       "quantile=0.999",
                                        "quantile=0.25", "quantile=0", "quantile=1"};
    struct capture capture;
    struct tau_aggregate_column column, again;
    char text[CLI_FUNCTION_TEXT_SIZE];
    (void)state;
    capture_begin(&capture);
    for (size_t i = 0; i < COUNT(names); i++) {
        assert_true(cli_function_read(&capture.cli, "--function", names[i], &column));
        cli_function_to_text(&column, text);
        assert_string_equal(text, texts[i]);
        assert_true(cli_function_read(&capture.cli, "--function", text, &again));
        assert_int_equal(again.function, column.function);
        assert_true(again.parameter == column.parameter);
    }
    capture_flush(&capture);
    assert_int_equal(capture.err_size, 0);
    assert_false(cli_function_read(&capture.cli, "--function", "sum,min", &column));
    capture_flush(&capture);
    assert_non_null(strstr(capture.err, "--function: `sum,min` is no function"));
    capture_end(&capture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_names),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_nonsense),
        cmocka_unit_test(test_single),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
