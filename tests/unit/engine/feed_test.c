// SPDX-License-Identifier: MIT
// Steps and results: they come in order whatever the order of the work, no more is ahead than there
// is a share for, somebody who waits is woken once, failures come where they belong, and a query
// that is closed goes when its last thread does.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/query/feed.h"

#include <string.h>
#include <unistd.h>

enum { STEPS = 300 };

struct number {
    struct taud_result result; // first
    int value;
};

// A query that counts: step i gives i, as often as `repeats` says, or nothing if i is odd.
struct counter {
    struct taud_feed feed; // first
    int count, next, repeats, fails_at;
    bool skips_odd;
    bool is_alone; // its steps ask before each result whether they may go on
    pthread_t asker;
    int made_alone;
    _Atomic int gate; // steps from this one on stand still
    _Atomic int made, wakes, freed;
};

struct count_step {
    struct taud_step step; // first
    int value, left;
};

static bool work(struct taud_crew_task *task, struct taud_crew_member *member)
{
    struct count_step *step = (struct count_step *)task;
    struct counter *counter = (struct counter *)step->step.feed;
    (void)member;
    while (step->value >= atomic_load(&counter->gate) && !taud_feed_cancelled(&counter->feed))
        usleep(100);
    if (step->value % 7 == 0)
        usleep(200);
    if (counter->is_alone && !taud_feed_goes_on(&counter->feed)) {
        step->step.unfinished = taud_feed_is_handed_over(&counter->feed);
        return false;
    }
    if (counter->is_alone && pthread_equal(pthread_self(), counter->asker))
        counter->made_alone++;
    if (step->value == counter->fails_at) {
        step->step.status = TAU_STATUS_LIMIT_EXCEEDED;
        return false;
    }
    if (!counter->skips_odd || step->value % 2 == 0) {
        struct number *number = calloc(1, sizeof *number);
        number->value = step->value;
        step->step.result = &number->result;
    }
    step->step.unfinished = --step->left > 0;
    atomic_fetch_add(&counter->made, 1);
    return false;
}

static void finish(struct taud_step *step)
{
    (void)step;
}

static struct taud_step *prepare(struct taud_feed *feed, bool *ret_end, enum tau_status *ret_status)
{
    struct counter *counter = (struct counter *)feed;
    (void)ret_status;
    *ret_end = counter->next + 1 >= counter->count;
    if (counter->next == counter->count)
        return NULL;
    struct count_step *step = (struct count_step *)taud_feed_step(feed, sizeof *step);
    step->value = counter->next++;
    step->left = counter->repeats;
    step->step.task.work = work;
    step->step.task.single = true;
    step->step.finish = finish;
    return &step->step;
}

static void free_counter(struct taud_feed *feed)
{
    atomic_store(&((struct counter *)feed)->freed, 1);
}

static const struct taud_feed_kind kind = {
    .result_bytes = TAUD_QUERY_RESULT_BYTES, .prepare = prepare, .free = free_counter};

static void wake(void *user_data)
{
    atomic_fetch_add(&((struct counter *)user_data)->wakes, 1);
}

static void begin(struct counter *counter, struct taud_crew *crew, int count)
{
    memset(counter, 0, sizeof *counter);
    counter->count = count;
    counter->repeats = 1;
    counter->fails_at = -1;
    atomic_store(&counter->gate, INT32_MAX);
    taud_feed_init(&counter->feed, &kind, taud_allocator_system(), crew, wake, counter);
}

// The next result's number; -1 at the end, -2 for a failure. Waits for wakes.
static int take(struct counter *counter)
{
    for (;;) {
        int wakes = atomic_load(&counter->wakes);
        struct taud_result *result = NULL;
        enum tau_status status = taud_feed_next(&counter->feed, &result);
        if (status == TAU_STATUS_SUCCESS) {
            int value = result ? ((struct number *)result)->value : -1;
            taud_feed_give(&counter->feed, result);
            return value;
        }
        if (status != TAU_STATUS_WOULD_BLOCK) {
            assert_int_equal(status, TAU_STATUS_LIMIT_EXCEEDED);
            return -2;
        }
        for (int look = 0; atomic_load(&counter->wakes) == wakes; look++) {
            assert_true(look < 100000);
            usleep(100);
        }
        assert_int_equal(atomic_load(&counter->wakes), wakes + 1);
    }
}

static void end(struct counter *counter)
{
    taud_feed_close(&counter->feed);
    for (int look = 0; !atomic_load(&counter->freed); look++) {
        assert_true(look < 100000);
        usleep(100);
    }
}

static int crew_begin(void **state)
{
    *state = taud_crew_new(taud_allocator_system(), 3);
    return 0;
}

static int crew_end(void **state)
{
    // What was ahead was given back.
    assert_true(taud_crew_reserve(*state, TAUD_CREW_AHEAD, TAUD_QUERY_AHEAD_BYTES));
    taud_crew_free(*state);
    return 0;
}

static void results_come_in_order(void **state)
{
    struct counter counter;
    for (int repeats = 1; repeats <= 3; repeats++) {
        begin(&counter, *state, STEPS);
        counter.repeats = repeats;
        for (int i = 0; i < STEPS * repeats; i++) {
            assert_false(taud_feed_is_over(&counter.feed));
            assert_int_equal(take(&counter), i / repeats);
        }
        assert_true(taud_feed_is_over(&counter.feed));
        assert_int_equal(take(&counter), -1);
        assert_int_equal(take(&counter), -1);
        end(&counter);
    }
}

static void steps_without_results_are_passed_over(void **state)
{
    struct counter counter;
    begin(&counter, *state, STEPS);
    counter.skips_odd = true;
    for (int i = 0; i < STEPS; i += 2)
        assert_int_equal(take(&counter), i);
    assert_int_equal(take(&counter), -1);
    end(&counter);
    begin(&counter, *state, 0);
    assert_int_equal(take(&counter), -1);
    assert_int_equal(atomic_load(&counter.wakes), 0);
    end(&counter);
}

static void a_failure_comes_behind_what_was_before_it(void **state)
{
    struct counter counter;
    begin(&counter, *state, STEPS);
    counter.fails_at = 20;
    for (int i = 0; i < 20; i++)
        assert_int_equal(take(&counter), i);
    assert_int_equal(take(&counter), -2);
    assert_int_equal(take(&counter), -2);
    assert_false(taud_feed_is_over(&counter.feed));
    end(&counter);
}

static void wait_for_made(struct counter *counter, int count)
{
    for (int look = 0; atomic_load(&counter->made) < count; look++) {
        assert_true(look < 100000);
        usleep(100);
    }
}

static void so_much_is_ahead_and_no_more(void **state)
{
    struct counter counter;
    begin(&counter, *state, STEPS);
    counter.repeats = 2;
    assert_int_equal(take(&counter), 0);
    wait_for_made(&counter, TAUD_QUERY_STEPS_MAX);
    usleep(20000);
    assert_true(atomic_load(&counter.made) <= TAUD_QUERY_STEPS_MAX + 2);
    end(&counter);
}

// Without a share each result is made when it is asked for, also the second one of a step.
static void nothing_is_ahead_without_a_share(void **state)
{
    struct counter counter;
    assert_true(taud_crew_reserve(*state, TAUD_CREW_AHEAD, TAUD_QUERY_AHEAD_BYTES));
    begin(&counter, *state, 5);
    counter.repeats = 2;
    for (int i = 0; i < 10; i++) {
        assert_int_equal(atomic_load(&counter.made), i);
        assert_int_equal(take(&counter), i / 2);
        usleep(1000);
    }
    assert_int_equal(take(&counter), -1);
    end(&counter);
    taud_crew_return(*state, TAUD_CREW_AHEAD, TAUD_QUERY_AHEAD_BYTES);
}

// Of two results the second one was made ahead.
static void what_was_made_ahead_counts_until_it_is_given_back(void **state)
{
    struct counter counter;
    struct taud_result *result = NULL;
    begin(&counter, *state, 2);
    assert_int_equal(take(&counter), 0);
    wait_for_made(&counter, 2);
    while (taud_feed_next(&counter.feed, &result) == TAU_STATUS_WOULD_BLOCK)
        usleep(100);
    assert_int_equal(((struct number *)result)->value, 1);
    assert_false(taud_crew_reserve(*state, TAUD_CREW_AHEAD, TAUD_QUERY_AHEAD_BYTES));
    taud_feed_give(&counter.feed, result);
    assert_true(taud_crew_reserve(*state, TAUD_CREW_AHEAD, TAUD_QUERY_AHEAD_BYTES));
    taud_crew_return(*state, TAUD_CREW_AHEAD, TAUD_QUERY_AHEAD_BYTES);
    end(&counter);
}

static void begin_alone(struct counter *counter, struct taud_crew *crew, int count)
{
    begin(counter, crew, count);
    counter->is_alone = true;
    counter->asker = pthread_self();
    taud_feed_begin_alone(&counter->feed);
}

// As many pieces as may be, in steps of one, two, and four; no thread can be had.
static void a_small_query_needs_no_thread(void **state)
{
    struct counter counter;
    taud_crew_stop(*state);
    for (int repeats = 1; repeats <= 4; repeats *= 2) {
        int count = TAUD_QUERY_SMALL_PIECES / repeats;
        begin_alone(&counter, *state, count);
        counter.repeats = repeats;
        counter.skips_odd = repeats == 1;
        for (int i = 0; i < count * repeats; i += 1 + counter.skips_odd) {
            assert_false(taud_feed_is_over(&counter.feed));
            assert_int_equal(take(&counter), i / repeats);
        }
        assert_int_equal(take(&counter), -1);
        assert_int_equal(counter.made_alone, TAUD_QUERY_SMALL_PIECES);
        assert_int_equal(atomic_load(&counter.wakes), 0);
        end(&counter);
    }
    begin_alone(&counter, *state, 5);
    counter.fails_at = 2;
    for (int i = 0; i < 2; i++)
        assert_int_equal(take(&counter), i);
    assert_int_equal(take(&counter), -2);
    end(&counter);
    begin_alone(&counter, *state, 5);
    assert_int_equal(take(&counter), 0);
    end(&counter);
}

static void what_is_not_small_is_handed_over(void **state)
{
    struct counter counter;
    for (int repeats = 1; repeats <= 3; repeats++) {
        begin_alone(&counter, *state, STEPS);
        counter.repeats = repeats;
        for (int i = 0; i < STEPS * repeats; i++) {
            assert_int_equal(take(&counter), i / repeats);
            if (i == TAUD_QUERY_SMALL_PIECES) // all steps are the threads' then, not only the first
                wait_for_made(&counter, i + TAUD_QUERY_STEPS_MAX / 2);
        }
        assert_int_equal(take(&counter), -1);
        assert_int_equal(counter.made_alone, TAUD_QUERY_SMALL_PIECES);
        assert_int_equal(atomic_load(&counter.made), STEPS * repeats);
        assert_true(atomic_load(&counter.wakes) > 0);
        end(&counter);
    }
}

static void closing_waits_for_nobody(void **state)
{
    struct counter counter;
    for (int taken = 0; taken < 40; taken++) {
        begin(&counter, *state, STEPS);
        for (int i = 0; i < taken % 5; i++)
            assert_int_equal(take(&counter), i);
        atomic_store(&counter.gate, taken % 5 + 3);
        struct taud_result *result = NULL;
        enum tau_status status = taud_feed_next(&counter.feed, &result);
        assert_true(status == TAU_STATUS_SUCCESS || status == TAU_STATUS_WOULD_BLOCK);
        taud_feed_give(&counter.feed, result);
        int wakes = atomic_load(&counter.wakes);
        usleep((useconds_t)taken * 20);
        taud_feed_close(&counter.feed);
        wakes = atomic_load(&counter.wakes);
        for (int look = 0; !atomic_load(&counter.freed); look++) {
            assert_true(look < 100000);
            usleep(100);
        }
        assert_int_equal(atomic_load(&counter.wakes), wakes); // nobody is woken any more
    }
}

static void without_threads_a_query_fails(void **state)
{
    struct counter counter;
    struct taud_result *result = NULL;
    taud_crew_stop(*state);
    begin(&counter, *state, STEPS);
    assert_int_equal(taud_feed_next(&counter.feed, &result), TAU_STATUS_NO_MEMORY);
    end(&counter);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, crew_begin, crew_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(results_come_in_order),
        CASE(steps_without_results_are_passed_over),
        CASE(a_failure_comes_behind_what_was_before_it),
        CASE(so_much_is_ahead_and_no_more),
        CASE(nothing_is_ahead_without_a_share),
        CASE(what_was_made_ahead_counts_until_it_is_given_back),
        CASE(a_small_query_needs_no_thread),
        CASE(what_is_not_small_is_handed_over),
        CASE(closing_waits_for_nobody),
        CASE(without_threads_a_query_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
