/* SPDX-License-Identifier: MIT */
/* Percentiles to within 1.6 percent, at both ends of the range too. */
#include "bench/histogram.h"
#include "cli_test.h"

static struct cli_histogram histogram;

static int begin(void **state)
{
    (void)state;
    memset(&histogram, 0, sizeof(histogram));
    return 0;
}

static void test_percentiles(void **state)
{
    static const double parts[] = {0.01, 0.5, 0.9, 0.99, 0.999};
    (void)state;
    for (uint64_t i = 1; i <= 1000000; i++) {
        cli_histogram_add(&histogram, i);
    }
    for (size_t i = 0; i < COUNT(parts); i++) {
        double exact = parts[i] * 1000000;
        double found = (double)cli_histogram_percentile(&histogram, parts[i]);
        assert_true(found >= exact && found <= exact * 1.016 + 1);
    }
    assert_int_equal(cli_histogram_percentile(&histogram, 1), 1000000);
}

static void test_ends(void **state)
{
    (void)state;
    assert_int_equal(cli_histogram_percentile(&histogram, 0.5), 0);
    cli_histogram_add(&histogram, 0);
    assert_int_equal(cli_histogram_percentile(&histogram, 0.5), 0);
    cli_histogram_add(&histogram, UINT64_MAX);
    assert_int_equal(cli_histogram_percentile(&histogram, 1), UINT64_MAX);
    for (unsigned bit = 0; bit < 64; bit++) {
        cli_histogram_add(&histogram, UINT64_C(1) << bit);
    }
    assert_int_equal(histogram.count, 66);
}

static void test_merge(void **state)
{
    static struct cli_histogram other;
    (void)state;
    cli_histogram_add(&histogram, 10);
    cli_histogram_add(&other, 50);
    cli_histogram_add(&other, 50);
    cli_histogram_merge(&histogram, &other);
    assert_int_equal(histogram.count, 3);
    assert_int_equal(histogram.greatest, 50);
    assert_int_equal(cli_histogram_percentile(&histogram, 0.3), 10);
    assert_int_equal(cli_histogram_percentile(&histogram, 0.5), 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_percentiles, begin),
        cmocka_unit_test_setup(test_ends, begin),
        cmocka_unit_test_setup(test_merge, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
