/* SPDX-License-Identifier: MIT */
/* The rows of one moment: their names, and what is left out and counted. */
#include "samples_check.h"

static void test_row(void **state)
{
    struct cli_samples *samples = *state;
    cli_samples_add(samples, -0.5, "disk.%s.%d", "vda", 1);
    assert_int_equal(samples->count, 1);
    assert_int_equal(samples->skipped, 0);
    assert_true(samples_value(samples, "disk.vda.1") == -0.5);
}

static void test_prefix_stands_before_every_name(void **state)
{
    struct cli_samples *samples = *state;
    cli_samples_begin(samples, "web1.", MOMENT_NS);
    cli_samples_add(samples, 1, "load");
    cli_samples_add(samples, 2, "idle");
    assert_true(samples_value(samples, "web1.load") == 1);
    assert_true(samples_value(samples, "web1.idle") == 2);
}

/* A name that is too long is left out, whole. */
static void test_long_name_is_left_out(void **state)
{
    struct cli_samples *samples = *state;
    cli_samples_begin(samples, "host.", MOMENT_NS);
    cli_samples_add(samples, 1, "%s", "load");
    cli_samples_add(samples, 1, "%s", "twenty-seven-bytes-exactly.");
    cli_samples_add(samples, 1, "%s", "twenty-eight-bytes-are-over.");
    assert_int_equal(samples->count, 2);
    assert_int_equal(samples->skipped, 1);
    assert_true(samples_value(samples, "host.load") == 1);
}

/* Names and prefixes that are longer than the room they are formatted in. */
static void test_endless_name_is_left_out(void **state)
{
    struct cli_samples *samples = *state;
    char text[1000];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    cli_samples_add(samples, 1, "%s", text);
    cli_samples_begin(samples, text, MOMENT_NS);
    assert_int_equal(samples->skipped, 0);
    cli_samples_add(samples, 1, "load");
    assert_int_equal(samples->count, 0);
    assert_int_equal(samples->skipped, 1);
}

static void test_limit(void **state)
{
    struct cli_samples *samples = *state;
    for (int i = 0; i < CLI_SAMPLE_LIMIT + 3; i++) {
        cli_samples_add(samples, i, "s%d", i);
    }
    assert_int_equal(samples->count, CLI_SAMPLE_LIMIT);
    assert_int_equal(samples->skipped, 3);
    assert_true(samples->rows[CLI_SAMPLE_LIMIT - 1].value == CLI_SAMPLE_LIMIT - 1);
}

static void test_moment_begins_empty(void **state)
{
    struct cli_samples *samples = *state;
    cli_samples_add(samples, 1, "load");
    cli_samples_begin(samples, "", 9);
    assert_int_equal(samples->count, 0);
    cli_samples_add(samples, 1, "load");
    assert_int_equal(samples->rows[0].timestamp, 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SAMPLES_TEST(test_row),
        SAMPLES_TEST(test_prefix_stands_before_every_name),
        SAMPLES_TEST(test_long_name_is_left_out),
        SAMPLES_TEST(test_endless_name_is_left_out),
        SAMPLES_TEST(test_limit),
        SAMPLES_TEST(test_moment_begins_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
