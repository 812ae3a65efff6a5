// SPDX-License-Identifier: MIT
// Addresses to listen on: what is read, what is refused, what stands for a peer.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "net/address.h"

static void reads_and_writes(void **state)
{
    (void)state;
    const char *good[] = {"127.0.0.1:7701", "0.0.0.0:0",          "[::1]:65535",
                          "[::]:1",         "unix:/run/tau.sock", "unix:relative"};
    for (size_t index = 0; index < sizeof good / sizeof good[0]; index++) {
        struct taud_address address;
        char text[TAUD_ADDRESS_TEXT_SIZE];
        assert_true(taud_address_parse(good[index], &address));
        taud_address_format(&address, text);
        assert_string_equal(text, good[index]);
        assert_int_equal(taud_address_is_unix(&address), strncmp(good[index], "unix:", 5) == 0);
    }
}

static void refuses(void **state)
{
    (void)state;
    const char *bad[] = {"",        "7701",          ":7701",         "127.0.0.1",  "127.0.0.1:",
                         "1.2.3:0", "1.2.3.4:65536", "1.2.3.4:-1",    "1.2.3.4:1x", "[::1]",
                         "[::1",    "::1:7701",      "[]:1",          "[::1]x:1",   "[1.2.3.4]:1",
                         "unix:",   "999.1.1.1:1",   "1.2.3.4:000001"};
    for (size_t index = 0; index < sizeof bad / sizeof bad[0]; index++) {
        struct taud_address address;
        assert_false(taud_address_parse(bad[index], &address));
    }
    char path[200] = "unix:";
    memset(path + 5, 'p', 150);
    struct taud_address address;
    assert_false(taud_address_parse(path, &address));
}

static struct taud_penalty_key key_of(const char *text)
{
    struct taud_address address;
    assert_true(taud_address_parse(text, &address));
    return taud_address_penalty_key(&address);
}

static void stands_for_a_peer(void **state)
{
    (void)state;
    struct taud_penalty_key a = key_of("10.0.0.1:1"), b = key_of("10.0.0.1:2");
    assert_memory_equal(&a, &b, sizeof a);
    b = key_of("10.0.0.2:1");
    assert_memory_not_equal(&a, &b, sizeof a);
    a = key_of("[2001:db8:1:2:3::4]:1");
    b = key_of("[2001:db8:1:2:ffff::9]:7"); // the same network
    assert_memory_equal(&a, &b, sizeof a);
    b = key_of("[2001:db8:1:3:3::4]:1");
    assert_memory_not_equal(&a, &b, sizeof a);
    a = key_of("unix:/a");
    b = key_of("unix:/b");
    assert_memory_equal(&a, &b, sizeof a);
}

static void tells_this_machine_from_others(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool loopback;
    } cases[] = {{"127.0.0.1:1", true}, {"127.255.0.9:1", true}, {"[::1]:1", true},
                 {"126.0.0.1:1", false}, {"128.0.0.1:1", false}, {"[::2]:1", false},
                 {"[fe80::1]:1", false}, {"unix:/a", false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct taud_address address;
        assert_true(taud_address_parse(cases[i].text, &address));
        assert_int_equal(taud_address_is_loopback(&address), cases[i].loopback);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_writes),
        cmocka_unit_test(refuses),
        cmocka_unit_test(stands_for_a_peer),
        cmocka_unit_test(tells_this_machine_from_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
