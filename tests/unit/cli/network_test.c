/* SPDX-License-Identifier: MIT */
/* Network interfaces, from texts as /proc/net/dev has them. */
#include "samples_check.h"

static void test_counters(void **state)
{
    static const struct {
        const char *name;
        double value;
    } cases[] = {{"net.lo.rx_bytes", 1000}, {"net.lo.rx_packets", 10}, {"net.lo.rx_errors", 1},
                 {"net.lo.rx_dropped", 2},  {"net.lo.tx_bytes", 2000}, {"net.lo.tx_packets", 20},
                 {"net.lo.tx_errors", 3},   {"net.lo.tx_dropped", 4},  {"net.eth0.rx_bytes", 5},
                 {"net.eth0.tx_errors", 11}};
    struct cli_samples *samples = *state;
    cli_collect_network(
        "Inter-|   Receive                                                |  Transmit\n"
        " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs\n"
        "    lo: 1000 10 1 2 91 92 93 94 2000 20 3 4 95 96 97 98\n"
        "eth0:5 6 7 8 0 0 0 0 9 10 11 12 0 0 0 0\n",
        samples);
    assert_int_equal(samples->count, 16);
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_true(samples_value(samples, cases[i].name) == cases[i].value);
    }
}

/* All sixteen counters, or none of them. */
static void test_short_lines(void **state)
{
    struct cli_samples *samples = *state;
    cli_collect_network("", samples);
    cli_collect_network("lo: 1 2", samples);
    cli_collect_network("lo: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15\n", samples);
    cli_collect_network("lo: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 x\n", samples);
    cli_collect_network("lo 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n", samples);
    assert_int_equal(samples->count, 0);
    cli_collect_network("lo: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16", samples);
    assert_int_equal(samples->count, 8);
}

static void test_long_name_is_counted(void **state)
{
    struct cli_samples *samples = *state;
    cli_samples_begin(samples, "a.rather.long.prefix", MOMENT_NS);
    cli_collect_network("eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n", samples);
    assert_int_equal(samples->skipped, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SAMPLES_TEST(test_counters),
        SAMPLES_TEST(test_short_lines),
        SAMPLES_TEST(test_long_name_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
