// SPDX-License-Identifier: MIT
// Sizes and durations as people write them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/quantity.h"

static void reads_sizes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t bytes;
    } good[] = {{"0", 0},           {"1", 1},           {"512", 512},
                {"1K", 1024},       {"2k", 2048},       {"512M", 512 << 20},
                {"8G", 8ULL << 30}, {"1T", 1ULL << 40}, {"4KiB", 4096},
                {"4kB", 4096},      {"100B", 100},      {"18446744073709551615", UINT64_MAX}};
    for (size_t index = 0; index < sizeof good / sizeof good[0]; index++) {
        uint64_t bytes = 1;
        assert_true(taud_size_parse(good[index].text, &bytes));
        assert_int_equal(bytes, good[index].bytes);
    }
    const char *bad[] = {"",
                         "K",
                         "-1",
                         "1.5G",
                         "1 K",
                         " 1",
                         "1KK",
                         "1Q",
                         "1iB",
                         "0x10",
                         "18446744073709551616",
                         "16777216T",
                         "1Ki?"};
    for (size_t index = 0; index < sizeof bad / sizeof bad[0]; index++) {
        uint64_t bytes = 77;
        assert_false(taud_size_parse(bad[index], &bytes));
        assert_int_equal(bytes, 77);
    }
}

static void reads_durations(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t ms;
    } good[] = {{"0", 0},         {"0s", 0},          {"1ms", 1},       {"100ms", 100},
                {"30s", 30000},   {"5m", 300000},     {"1h", 3600000},  {"1d", 86400000},
                {"1m30s", 90000}, {"1h1ms", 3600001}, {"2m5ms", 120005}};
    for (size_t index = 0; index < sizeof good / sizeof good[0]; index++) {
        uint64_t ms = 1;
        assert_true(taud_duration_parse(good[index].text, &ms));
        assert_int_equal(ms, good[index].ms);
    }
    const char *bad[] = {"",
                         "5",
                         "s",
                         "-5s",
                         "5 s",
                         "1.5s",
                         "5S",
                         "5sec",
                         "99999999999999999999s",
                         "18446744073709551615h",
                         "1s2",
                         "00",
                         "1us"};
    for (size_t index = 0; index < sizeof bad / sizeof bad[0]; index++) {
        uint64_t ms = 77;
        assert_false(taud_duration_parse(bad[index], &ms));
        assert_int_equal(ms, 77);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_sizes),
        cmocka_unit_test(reads_durations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
