// SPDX-License-Identifier: MIT
// The limit of descriptors: raised to the hard one, and held against the connections.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/resource.h>

#include "config/descriptors.h"

static void raises_the_soft_limit(void **state)
{
    (void)state;
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    struct rlimit low = {.rlim_cur = 64, .rlim_max = limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    struct taud_config config = {.max_connections = 10, .workers = 1};
    struct taud_config_error error;
    assert_int_equal(taud_descriptors_prepare(&config, &error), TAUD_CONFIG_OK);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(limit.rlim_cur, limit.rlim_max);
}

static void refuses_what_cannot_fit(void **state)
{
    (void)state;
    struct rlimit low = {.rlim_cur = 333, .rlim_max = 333};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    struct taud_config config = {.max_connections = 9999, .workers = 2};
    struct taud_config_error error;
    assert_int_equal(taud_descriptors_prepare(&config, &error), TAUD_CONFIG_USAGE);
    assert_non_null(strstr(error.text, "9999"));
    assert_non_null(strstr(error.text, "333"));
    config.max_connections = 197; // what the line says is the most
    assert_non_null(strstr(error.text, "at most 197"));
    assert_int_equal(taud_descriptors_prepare(&config, &error), TAUD_CONFIG_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(raises_the_soft_limit),
        cmocka_unit_test(refuses_what_cannot_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
