/* SPDX-License-Identifier: MIT */
/* Disks, from texts as /proc/diskstats has them. */
#include "samples_check.h"

static bool is_vda(const char *name)
{
    return strcmp(name, "vda") == 0;
}

static bool is_any(const char *name)
{
    (void)name;
    return true;
}

static void test_counters(void **state)
{
    struct cli_samples *samples = *state;
    cli_collect_disk(" 254       0 vda 10 1 200 3 20 2 400 5 0 60 7 0 0 0 0 0 0\n"
                     " 254       1 vda1 10 1 200 3 20 2 400 5 0 60 7\n"
                     "   7       0 loop0 0 0 0 0 0 0 0 0 0 0 0\n",
                     is_vda, samples);
    assert_int_equal(samples->count, 5);
    assert_true(samples_value(samples, "disk.vda.reads") == 10);
    assert_true(samples_value(samples, "disk.vda.read_bytes") == 102400);
    assert_true(samples_value(samples, "disk.vda.writes") == 20);
    assert_true(samples_value(samples, "disk.vda.write_bytes") == 204800);
    assert_true(samples_value(samples, "disk.vda.busy_ms") == 60);
}

/* A disk that was never used is one that is not there. */
static void test_idle_disks_are_left_out(void **state)
{
    struct cli_samples *samples = *state;
    cli_collect_disk("8 0 sda 0 0 0 0 0 0 0 0 0 9 0\n"
                     "8 16 sdb 1 0 8 0 0 0 0 0 0 9 0\n"
                     "8 32 sdc 0 0 0 0 1 0 8 0 0 9 0\n",
                     is_any, samples);
    assert_int_equal(samples->count, 10);
    assert_true(samples_value(samples, "disk.sdb.read_bytes") == 4096);
    assert_true(samples_value(samples, "disk.sdc.write_bytes") == 4096);
}

/* A short line, as partitions had once, is no disk; neither does it swallow the next one. */
static void test_short_lines(void **state)
{
    struct cli_samples *samples = *state;
    cli_collect_disk("", is_any, samples);
    cli_collect_disk("\nnonsense\n8 1 sda1 10 20 30 40\n8 2 sda2\n8 16 sdb 1 0 8 0 2 0 8 0 0 9",
                     is_any, samples);
    assert_int_equal(samples->count, 5);
    assert_true(samples_value(samples, "disk.sdb.reads") == 1);
    assert_true(samples_value(samples, "disk.sdb.writes") == 2);
}

static void test_long_name_is_counted(void **state)
{
    struct cli_samples *samples = *state;
    cli_collect_disk("8 0 a-disk-with-a-name-of-29-bytes 1 0 8 0 2 0 8 0 0 9\n", is_any, samples);
    assert_int_equal(samples->count, 0);
    assert_int_equal(samples->skipped, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SAMPLES_TEST(test_counters),
        SAMPLES_TEST(test_idle_disks_are_left_out),
        SAMPLES_TEST(test_short_lines),
        SAMPLES_TEST(test_long_name_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
