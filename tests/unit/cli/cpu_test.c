/* SPDX-License-Identifier: MIT */
/* Processor time and load, from texts as the kernel writes them. */
#include <math.h>

#include "samples_check.h"

static void test_percent_of_what_passed(void **state)
{
    struct cli_samples *samples = *state;
    struct cli_cpu_times times = {.known = false};
    cli_collect_cpu("cpu  100 0 100 800 0 0 0 0 0 0\ncpu0 1 1 1 1\n", &times, samples);
    assert_int_equal(samples->count, 0); /* the first look only begins */
    cli_collect_cpu("cpu  150 0 110 840 0 0 0 0 0 0\n", &times, samples);
    assert_int_equal(samples->count, CLI_CPU_STATES);
    assert_true(samples_value(samples, "cpu.user") == 50);
    assert_true(samples_value(samples, "cpu.system") == 10);
    assert_true(samples_value(samples, "cpu.idle") == 40);
    assert_true(samples_value(samples, "cpu.steal") == 0);
}

/* Each column has its name. */
static void test_states_in_their_order(void **state)
{
    static const struct {
        const char *name;
        double percent;
    } cases[] = {{"cpu.user", 1},   {"cpu.nice", 2}, {"cpu.system", 3},  {"cpu.idle", 70},
                 {"cpu.iowait", 5}, {"cpu.irq", 6},  {"cpu.softirq", 7}, {"cpu.steal", 6}};
    struct cli_samples *samples = *state;
    struct cli_cpu_times times = {.known = false};
    cli_collect_cpu("cpu 0 0 0 0 0 0 0 0 0 0\n", &times, samples);
    cli_collect_cpu("cpu 1 2 3 70 5 6 7 6 900 900\n", &times, samples);
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_true(fabs(samples_value(samples, cases[i].name) - cases[i].percent) < 1e-9);
    }
}

/* Counters that stand still or run backwards must give no NaN and no negative percent. */
static void test_backwards(void **state)
{
    struct cli_samples *samples = *state;
    struct cli_cpu_times times = {.known = false};
    cli_collect_cpu("cpu  100 0 100 800 50 0 0 0\n", &times, samples);
    cli_collect_cpu("cpu  100 0 100 800 50 0 0 0\n", &times, samples);
    assert_int_equal(samples->count, 0);
    cli_collect_cpu("cpu  110 0 100 800 40 0 0 0\n", &times, samples);
    assert_true(samples_value(samples, "cpu.iowait") == 0);
    assert_true(samples_value(samples, "cpu.user") == 100);
}

/* A text without the line changes nothing: the next one is compared with the last good one. */
static void test_no_such_line(void **state)
{
    static const char *const texts[] = {"", "intr 1 2 3\n", "cpu", "cpu 1 2 3\n"};
    struct cli_samples *samples = *state;
    struct cli_cpu_times times = {.known = false};
    cli_collect_cpu("cpu 100 0 0 0\n", &times, samples);
    for (size_t i = 0; i < COUNT(texts); i++) {
        cli_collect_cpu(texts[i], &times, samples);
        assert_int_equal(samples->count, 0);
    }
    cli_collect_cpu("cpu 103 0 0 1\n", &times, samples); /* four columns, as old kernels have */
    assert_true(samples_value(samples, "cpu.user") == 75);
}

static void test_load(void **state)
{
    struct cli_samples *samples = *state;
    cli_collect_load("0.52 1.25 2.00 1/234 5678\n", samples);
    assert_int_equal(samples->count, 3);
    assert_true(samples_value(samples, "load.1") == 0.52);
    assert_true(samples_value(samples, "load.5") == 1.25);
    assert_true(samples_value(samples, "load.15") == 2);
}

static void test_no_load(void **state)
{
    struct cli_samples *samples = *state;
    cli_collect_load("", samples);
    cli_collect_load("0.52 1.25", samples);
    cli_collect_load("none at all", samples);
    assert_int_equal(samples->count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SAMPLES_TEST(test_percent_of_what_passed),
        SAMPLES_TEST(test_states_in_their_order),
        SAMPLES_TEST(test_backwards),
        SAMPLES_TEST(test_no_such_line),
        SAMPLES_TEST(test_load),
        SAMPLES_TEST(test_no_load),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
