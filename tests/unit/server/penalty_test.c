// SPDX-License-Identifier: MIT
// Delays of wrong certificates: doubling, windows, addresses, a full table.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "transport/penalty.h"

static struct taud_penalty_key key_of(uint32_t number)
{
    struct taud_penalty_key key = {{0}};
    memcpy(key.bytes, &number, sizeof number);
    return key;
}

static void doubles_to_two_seconds(void **state)
{
    (void)state;
    struct taud_penalties *penalties = taud_penalties_new();
    struct taud_penalty_key key = key_of(1);
    uint64_t expected[] = {100, 200, 400, 800, 1600, 2000, 2000};
    for (size_t index = 0; index < 7; index++)
        assert_int_equal(taud_penalties_add(penalties, &key, 5000 + index), expected[index]);
    struct taud_penalty_key other = key_of(2);
    assert_int_equal(taud_penalties_add(penalties, &other, 5010), 100);
    taud_penalties_free(penalties);
}

static void begins_anew_after_a_minute(void **state)
{
    (void)state;
    struct taud_penalties *penalties = taud_penalties_new();
    struct taud_penalty_key key = key_of(1);
    assert_int_equal(taud_penalties_add(penalties, &key, 1000), 100);
    assert_int_equal(taud_penalties_add(penalties, &key, 60999), 200);
    assert_int_equal(taud_penalties_add(penalties, &key, 61000), 100);
    taud_penalties_free(penalties);
}

static void forgets_the_oldest_when_full(void **state)
{
    (void)state;
    struct taud_penalties *penalties = taud_penalties_new();
    for (uint32_t number = 0; number < 5000; number++) {
        struct taud_penalty_key key = key_of(number);
        assert_int_equal(taud_penalties_add(penalties, &key, 1000 + number), 100);
    }
    struct taud_penalty_key recent = key_of(4999);
    struct taud_penalty_key old = key_of(0);
    assert_int_equal(taud_penalties_add(penalties, &recent, 6100), 200);
    assert_int_equal(taud_penalties_add(penalties, &old, 6100), 100);
    taud_penalties_free(penalties);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(doubles_to_two_seconds),
        cmocka_unit_test(begins_anew_after_a_minute),
        cmocka_unit_test(forgets_the_oldest_when_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
