/* SPDX-License-Identifier: MIT */
/* What is read out of the files of /proc, from texts as the kernel writes them. */
#include "cli_test.h"
#include "collect/samples.h"

static struct cli_samples samples;

static int begin(void **state)
{
    (void)state;
    cli_samples_begin(&samples, "", 7);
    return 0;
}

/* The value of a row, which must be there exactly once. */
static double value_of(const char *name)
{
    struct tau_label label = label_of(name);
    double value = 0;
    size_t found = 0;
    for (size_t i = 0; i < samples.count; i++) {
        if (memcmp(&samples.rows[i].label, &label, sizeof(label)) == 0) {
            value = samples.rows[i].value;
            assert_int_equal(samples.rows[i].timestamp, 7);
            found++;
        }
    }
    if (found != 1) {
        fail_msg("%s was found %zu times", name, found);
    }
    return value;
}

static void test_cpu(void **state)
{
    struct cli_cpu_times times = {.known = false};
    (void)state;
    cli_collect_cpu("cpu  100 0 100 800 0 0 0 0 0 0\ncpu0 1 1 1 1\n", &times, &samples);
    assert_int_equal(samples.count, 0);
    cli_collect_cpu("cpu  150 0 110 840 0 0 0 0 0 0\n", &times, &samples);
    assert_int_equal(samples.count, CLI_CPU_STATES);
    assert_true(value_of("cpu.user") == 50);
    assert_true(value_of("cpu.system") == 10);
    assert_true(value_of("cpu.idle") == 40);
    assert_true(value_of("cpu.steal") == 0);
}

/* Counters that stand still or run backwards must give no NaN and no negative percent. */
static void test_cpu_backwards(void **state)
{
    struct cli_cpu_times times = {.known = false};
    (void)state;
    cli_collect_cpu("cpu  100 0 100 800 50 0 0 0\n", &times, &samples);
    cli_collect_cpu("cpu  100 0 100 800 50 0 0 0\n", &times, &samples);
    assert_int_equal(samples.count, 0);
    cli_collect_cpu("cpu  110 0 100 800 40 0 0 0\n", &times, &samples);
    assert_true(value_of("cpu.iowait") == 0);
    assert_true(value_of("cpu.user") == 100);
}

static void test_load(void **state)
{
    (void)state;
    cli_collect_load("0.52 1.25 2.00 1/234 5678\n", &samples);
    assert_true(value_of("load.1") == 0.52);
    assert_true(value_of("load.5") == 1.25);
    assert_true(value_of("load.15") == 2);
}

static void test_memory(void **state)
{
    (void)state;
    cli_collect_memory("MemTotal:       100 kB\nMemFree:  50 kB\nMemAvailable:   70 kB\n"
                       "Buffers: 1 kB\nCached: 2 kB\nSwapCached: 9 kB\nHugePages_Total: 0\n"
                       "SwapTotal: 0 kB\nSwapFree: 0 kB\nDirty: 3 kB\n",
                       &samples);
    assert_true(value_of("mem.total") == 102400);
    assert_true(value_of("mem.available") == 71680);
    assert_true(value_of("mem.cached") == 2048);
    assert_int_equal(samples.count, 8);
}

static bool is_vda(const char *name)
{
    return strcmp(name, "vda") == 0;
}

static void test_disk(void **state)
{
    (void)state;
    cli_collect_disk(" 254       0 vda 10 1 200 3 20 2 400 5 0 60 7 0 0 0 0 0 0\n"
                     " 254       1 vda1 10 1 200 3 20 2 400 5 0 60 7\n"
                     "   7       0 loop0 0 0 0 0 0 0 0 0 0 0 0\n",
                     is_vda, &samples);
    assert_int_equal(samples.count, 5);
    assert_true(value_of("disk.vda.reads") == 10);
    assert_true(value_of("disk.vda.read_bytes") == 102400);
    assert_true(value_of("disk.vda.writes") == 20);
    assert_true(value_of("disk.vda.write_bytes") == 204800);
    assert_true(value_of("disk.vda.busy_ms") == 60);
}

static void test_network(void **state)
{
    (void)state;
    cli_collect_network(
        "Inter-|   Receive                                                |  Transmit\n"
        " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs\n"
        "    lo: 1000 10 1 2 0 0 0 0 2000 20 3 4 0 0 0 0\n"
        "eth0:5 6 7 8 0 0 0 0 9 10 11 12 0 0 0 0\n",
        &samples);
    assert_int_equal(samples.count, 16);
    assert_true(value_of("net.lo.rx_bytes") == 1000);
    assert_true(value_of("net.lo.rx_dropped") == 2);
    assert_true(value_of("net.lo.tx_packets") == 20);
    assert_true(value_of("net.eth0.tx_errors") == 11);
}

/* A name that is too long is left out, whole. */
static void test_names(void **state)
{
    (void)state;
    cli_samples_begin(&samples, "host.", 7);
    cli_samples_add(&samples, 1, "%s", "load");
    cli_samples_add(&samples, 1, "%s", "twenty-seven-bytes-exactly.");
    cli_samples_add(&samples, 1, "%s", "twenty-eight-bytes-are-over.");
    assert_int_equal(samples.count, 2);
    assert_int_equal(samples.skipped, 1);
    assert_true(value_of("host.load") == 1);
}

static void test_empty(void **state)
{
    struct cli_cpu_times times = {.known = false};
    (void)state;
    cli_collect_cpu("", &times, &samples);
    cli_collect_load("", &samples);
    cli_collect_memory("", &samples);
    cli_collect_disk("", is_vda, &samples);
    cli_collect_network("", &samples);
    cli_collect_network("lo: 1 2", &samples);
    assert_int_equal(samples.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_cpu, begin),
        cmocka_unit_test_setup(test_cpu_backwards, begin),
        cmocka_unit_test_setup(test_load, begin),
        cmocka_unit_test_setup(test_memory, begin),
        cmocka_unit_test_setup(test_disk, begin),
        cmocka_unit_test_setup(test_network, begin),
        cmocka_unit_test_setup(test_names, begin),
        cmocka_unit_test_setup(test_empty, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
