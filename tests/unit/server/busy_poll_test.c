// SPDX-License-Identifier: MIT
// The allowance of looking out in vain: what it lets through, what it earns, its two ends.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/busy_poll.h"

enum { SAVED_TIMES = TAUD_BUSY_POLL_SAVED_NS / TAUD_BUSY_POLL_NS };

static struct taud_busy_poll new_poll(void)
{
    struct taud_busy_poll poll;
    taud_busy_poll_init(&poll);
    return poll;
}

// How many turns pass until it looks out again.
static int turns_until_it_looks(struct taud_busy_poll *poll)
{
    int turns = 1;
    while (!taud_busy_poll_served(poll))
        turns++;
    return turns;
}

static void looks_out_always_where_requests_come(void **state)
{
    (void)state;
    struct taud_busy_poll poll = new_poll();
    for (int turn = 0; turn < 100000; turn++)
        assert_true(taud_busy_poll_served(&poll));
}

static void takes_no_more_in_vain_than_turns_earn(void **state)
{
    (void)state;
    enum { TURNS = 100000 };
    struct taud_busy_poll poll = new_poll();
    uint64_t looked_ns = 0;
    for (int turn = 0; turn < TURNS; turn++) {
        if (!taud_busy_poll_served(&poll))
            continue;
        taud_busy_poll_in_vain(&poll, TAUD_BUSY_POLL_NS);
        looked_ns += TAUD_BUSY_POLL_NS;
    }
    const uint64_t earned_ns = (uint64_t)TURNS * TAUD_BUSY_POLL_EARNED_NS;
    assert_true(looked_ns >= earned_ns);
    assert_true(looked_ns <= earned_ns + TAUD_BUSY_POLL_SAVED_NS + TAUD_BUSY_POLL_NS);
}

// What the worker finds out about a client that is always slow costs it as often as it had saved
// up for, and then one look in as many turns as pay for it.
static void leaves_a_slow_client_alone(void **state)
{
    (void)state;
    struct taud_busy_poll poll = new_poll();
    int looks = 0;
    for (int turn = 0; turn < SAVED_TIMES; turn++) {
        looks += taud_busy_poll_served(&poll);
        taud_busy_poll_in_vain(&poll, TAUD_BUSY_POLL_NS);
    }
    assert_int_equal(looks, SAVED_TIMES);
    assert_int_equal(turns_until_it_looks(&poll), 1); // what these turns earned
    for (int round = 0; round < 5; round++) {
        taud_busy_poll_in_vain(&poll, TAUD_BUSY_POLL_NS);
        int turns = turns_until_it_looks(&poll);
        assert_in_range(turns, TAUD_BUSY_POLL_NS / TAUD_BUSY_POLL_EARNED_NS - SAVED_TIMES,
                        TAUD_BUSY_POLL_NS / TAUD_BUSY_POLL_EARNED_NS + 1);
    }
}

// Others had the processor for the time of a scheduler's slice: that is not tried again soon.
static void pays_for_the_time_that_really_passed(void **state)
{
    (void)state;
    struct taud_busy_poll poll = new_poll();
    const uint64_t slice_ns = 4 * 1000 * 1000;
    taud_busy_poll_in_vain(&poll, slice_ns);
    uint64_t owed_ns = slice_ns - TAUD_BUSY_POLL_SAVED_NS;
    assert_int_equal(turns_until_it_looks(&poll), owed_ns / TAUD_BUSY_POLL_EARNED_NS + 1);
}

static void owes_no_more_than_its_bound(void **state)
{
    (void)state;
    static const uint64_t long_ns[] = {TAUD_BUSY_POLL_SAVED_NS + TAUD_BUSY_POLL_OWED_NS,
                                       TAUD_BUSY_POLL_SAVED_NS + TAUD_BUSY_POLL_OWED_NS + 1,
                                       UINT64_C(3600) * 1000000000, UINT64_MAX};
    for (size_t index = 0; index < sizeof long_ns / sizeof long_ns[0]; index++) {
        struct taud_busy_poll poll = new_poll();
        taud_busy_poll_in_vain(&poll, long_ns[index]);
        assert_int_equal(poll.allowance_ns, -TAUD_BUSY_POLL_OWED_NS);
        taud_busy_poll_in_vain(&poll, long_ns[index]);
        assert_int_equal(poll.allowance_ns, -TAUD_BUSY_POLL_OWED_NS);
        assert_int_equal(turns_until_it_looks(&poll),
                         TAUD_BUSY_POLL_OWED_NS / TAUD_BUSY_POLL_EARNED_NS + 1);
    }
    struct taud_busy_poll poll = new_poll();
    taud_busy_poll_in_vain(&poll, long_ns[0] - 1);
    assert_int_equal(poll.allowance_ns, 1 - TAUD_BUSY_POLL_OWED_NS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(looks_out_always_where_requests_come),
        cmocka_unit_test(takes_no_more_in_vain_than_turns_earn),
        cmocka_unit_test(leaves_a_slow_client_alone),
        cmocka_unit_test(pays_for_the_time_that_really_passed),
        cmocka_unit_test(owes_no_more_than_its_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
