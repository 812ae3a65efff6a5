/* SPDX-License-Identifier: MIT */
/*
 * Servers' addresses taken apart.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "address.h"

static void check(const char *text, bool local, const char *host, const char *port)
{
    struct tau_address address;
    assert_int_equal(tau_address_parse(text, &address, NULL), TAU_STATUS_SUCCESS);
    assert_int_equal(address.local, local);
    assert_string_equal(address.host, host);
    assert_string_equal(address.port, port);
}

static void good_addresses(void **state)
{
    (void)state;
    check(NULL, false, "127.0.0.1", "7701");
    check("localhost", false, "localhost", "7701");
    check("db.example:1", false, "db.example", "1");
    check("10.0.0.1:65535", false, "10.0.0.1", "65535");
    check("::1", false, "::1", "7701");
    check("[::1]", false, "::1", "7701");
    check("[fe80::1%lo]:80", false, "fe80::1%lo", "80");
    check("unix:/run/tau.sock", true, "/run/tau.sock", "");
    check("unix:a:b", true, "a:b", "");
}

static void bad_addresses(void **state)
{
    (void)state;
    static char long_path[200] = "unix:";
    static char long_host[300];
    memset(long_path + 5, 'p', sizeof(long_path) - 6);
    memset(long_host, 'h', sizeof(long_host) - 1);
    const char *bad[] = {
        "",     ":7701",     "host:", "host:0", "host:65536", "host:x",      "host:+1", "host:1 ",
        "[::1", "[::1]7701", "[]:1",  "[::1]:", "unix:",      "host:000001", long_path, long_host};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct tau_address address = {.host = "untouched"};
        struct tau_error error;
        assert_int_equal(tau_address_parse(bad[i], &address, &error), TAU_STATUS_INVALID_ARGUMENT);
        assert_string_equal(address.host, "untouched");
        assert_non_null(strstr(error.message, "expected HOST:PORT"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_addresses),
        cmocka_unit_test(bad_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
