// SPDX-License-Identifier: MIT
// Deadlines: never early, never late by more than a tick, moved, removed, far away.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/timer_wheel.h"

static void looks_at_a_timer_in_its_tick(void **state)
{
    (void)state;
    for (uint64_t deadline = 1000; deadline < 1100; deadline++) {
        struct taud_wheel wheel;
        struct taud_timer timer = {0};
        taud_wheel_init(&wheel, 1000);
        taud_wheel_set(&wheel, &timer, 1000, deadline);
        uint64_t now = 1000;
        while (taud_wheel_take(&wheel, now) == NULL)
            now++;
        assert_true(now >= deadline);
        assert_true(now < deadline + TAUD_WHEEL_TICK_MS);
        assert_int_equal(taud_wheel_next_ms(&wheel), UINT64_MAX);
    }
}

static void moves_only_to_an_earlier_place(void **state)
{
    (void)state;
    struct taud_wheel wheel;
    struct taud_timer timer = {0};
    taud_wheel_init(&wheel, 0);
    taud_wheel_set(&wheel, &timer, 0, 500);
    taud_wheel_set(&wheel, &timer, 0, 5000);
    assert_int_equal(taud_wheel_next_ms(&wheel), 500);
    taud_wheel_set(&wheel, &timer, 0, 100);
    assert_int_equal(taud_wheel_next_ms(&wheel), 100);
    assert_int_equal(wheel.count, 1);
    taud_wheel_remove(&wheel, &timer);
    taud_wheel_remove(&wheel, &timer);
    assert_int_equal(wheel.count, 0);
    assert_null(taud_wheel_take(&wheel, 1000000));
}

static void looks_early_at_what_is_far_away(void **state)
{
    (void)state;
    struct taud_wheel wheel;
    struct taud_timer timer = {0};
    uint64_t far = 300000;
    taud_wheel_init(&wheel, 0);
    taud_wheel_set(&wheel, &timer, 0, far);
    uint64_t now = taud_wheel_next_ms(&wheel);
    assert_true(now < far);
    int looks = 0;
    while (now < far) {
        assert_ptr_equal(taud_wheel_take(&wheel, now), &timer);
        taud_wheel_set(&wheel, &timer, now, far);
        now = taud_wheel_next_ms(&wheel);
        looks++;
    }
    assert_int_equal(now, far);
    assert_true(looks < 40);
}

static void finds_all_after_a_long_sleep(void **state)
{
    (void)state;
    enum { COUNT = 1000 };
    static struct taud_timer timers[COUNT];
    struct taud_wheel wheel;
    taud_wheel_init(&wheel, 0);
    for (uint64_t index = 0; index < COUNT; index++)
        taud_wheel_set(&wheel, &timers[index], 0, index * 9);
    int count = 0;
    while (taud_wheel_take(&wheel, 10000000) != NULL)
        count++;
    assert_int_equal(count, COUNT);
    taud_wheel_set(&wheel, &timers[0], 10000000, 10000100);
    assert_int_equal(taud_wheel_next_ms(&wheel), 10000100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(looks_at_a_timer_in_its_tick),
        cmocka_unit_test(moves_only_to_an_earlier_place),
        cmocka_unit_test(looks_early_at_what_is_far_away),
        cmocka_unit_test(finds_all_after_a_long_sleep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
