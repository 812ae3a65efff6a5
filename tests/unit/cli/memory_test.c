/* SPDX-License-Identifier: MIT */
/* Memory, from texts as /proc/meminfo has them. */
#include "samples_check.h"

static void test_bytes(void **state)
{
    static const struct {
        const char *name;
        double bytes;
    } cases[] = {{"mem.total", 102400}, {"mem.free", 51200},    {"mem.available", 71680},
                 {"mem.buffers", 1024}, {"mem.cached", 2048},   {"mem.dirty", 3072},
                 {"mem.swap_total", 0}, {"mem.swap_free", 4096}};
    struct cli_samples *samples = *state;
    cli_collect_memory("MemTotal:       100 kB\nMemFree:  50 kB\nMemAvailable:   70 kB\n"
                       "Buffers: 1 kB\nCached: 2 kB\nSwapCached: 9 kB\nHugePages_Total: 0\n"
                       "SwapTotal: 0 kB\nSwapFree: 4 kB\nDirty: 3 kB\n",
                       samples);
    assert_int_equal(samples->count, COUNT(cases));
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_true(samples_value(samples, cases[i].name) == cases[i].bytes);
    }
}

/* Old kernels have no MemAvailable; that costs nothing else. */
static void test_missing_lines(void **state)
{
    struct cli_samples *samples = *state;
    cli_collect_memory("MemTotal: 8 kB\nMemAvailable: none\nDirty:\n", samples);
    assert_int_equal(samples->count, 1);
    assert_true(samples_value(samples, "mem.total") == 8192);
}

static void test_last_line_without_end(void **state)
{
    struct cli_samples *samples = *state;
    cli_collect_memory("MemFree: 1 kB\nMemTotal: 2", samples);
    assert_true(samples_value(samples, "mem.total") == 2048);
}

/* A key counts only where a line begins. */
static void test_key_within_a_line(void **state)
{
    struct cli_samples *samples = *state;
    cli_collect_memory("", samples);
    cli_collect_memory("\n\n", samples);
    cli_collect_memory("XMemTotal: 1 kB\n Cached: 2 kB\nMemTotal 3 kB\n", samples);
    assert_int_equal(samples->count, 0);
}

static void test_more_than_32_bits(void **state)
{
    struct cli_samples *samples = *state;
    cli_collect_memory("MemTotal: 8589934592 kB\n", samples);
    assert_true(samples_value(samples, "mem.total") == 8796093022208);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SAMPLES_TEST(test_bytes),
        SAMPLES_TEST(test_missing_lines),
        SAMPLES_TEST(test_last_line_without_end),
        SAMPLES_TEST(test_key_within_a_line),
        SAMPLES_TEST(test_more_than_32_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
