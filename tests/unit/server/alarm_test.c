// SPDX-License-Identifier: MIT
// Alarms of streams: one message however often they ring, whichever thread it is, and none that
// reaches a session which is gone.
#include "session_harness.h"

#include <pthread.h>

#include "transport/alarm.h"

enum { RINGS = 1000 };

static struct taud_alarm *alarm_of(struct harness *h)
{
    taud_session_begin_turn(&h->session, &h->transport);
    struct taud_alarm *alarm = taud_alarm_new(&h->transport.context);
    assert_non_null(alarm);
    return alarm;
}

// The only message in the mailbox, which must be an alarm.
static struct taud_alarm *take_message(struct harness *h)
{
    struct taud_message *message = taud_mailbox_collect(h->mailbox);
    assert_non_null(message);
    assert_null(message->next);
    assert_int_equal(message->kind, TAUD_MESSAGE_ALARM);
    return (struct taud_alarm *)message;
}

static void rings_once_until_it_is_answered(void **state)
{
    struct harness *h = *state;
    struct taud_alarm *alarm = alarm_of(h);
    for (int turn = 1; turn <= 3; turn++) {
        taud_alarm_ring(alarm);
        taud_alarm_ring(alarm);
        assert_int_equal(h->wakes, turn);
        assert_ptr_equal(take_message(h), alarm);
        assert_ptr_equal(taud_alarm_answer(alarm), &h->session);
        assert_null(taud_mailbox_collect(h->mailbox));
    }
    taud_alarm_free(alarm);
    taud_alarm_free(NULL);
}

static void outlives_its_stream_in_the_mailbox(void **state)
{
    struct harness *h = *state;
    struct taud_alarm *alarm = alarm_of(h);
    taud_alarm_ring(alarm);
    taud_alarm_free(alarm);
    assert_ptr_equal(taud_alarm_answer(take_message(h)), &h->session);
}

static void does_not_reach_a_session_that_came_after(void **state)
{
    struct harness *h = *state;
    struct taud_alarm *alarm = alarm_of(h);
    taud_alarm_ring(alarm);
    taud_alarm_free(alarm);
    h->session.identity++;
    assert_null(taud_alarm_answer(take_message(h)));
}

static void is_given_back_by_a_mailbox_that_closes(void **state)
{
    struct harness *h = *state;
    struct taud_alarm *alarm = alarm_of(h);
    taud_alarm_ring(alarm);
    struct taud_message *left = taud_mailbox_close(h->mailbox);
    assert_ptr_equal(left, &alarm->message);
    taud_alarm_drop((struct taud_alarm *)left);
    struct taud_alarm *late = alarm_of(h);
    taud_alarm_ring(late); // nobody is there
    taud_alarm_ring(late);
    taud_alarm_free(late);
    taud_alarm_free(alarm);
}

static void *ring_often(void *user_data)
{
    for (int count = 0; count < RINGS; count++)
        taud_alarm_ring(user_data);
    return NULL;
}

// The last ring of all is never lost: whoever rings after an answer is answered again.
static void rings_on_any_thread(void **state)
{
    struct harness *h = *state;
    struct taud_alarm *alarm = alarm_of(h);
    pthread_t threads[2];
    for (int index = 0; index < 2; index++)
        assert_int_equal(pthread_create(&threads[index], NULL, ring_often, alarm), 0);
    size_t answers = 0;
    for (int turn = 0; turn < RINGS; turn++) {
        struct taud_message *message = taud_mailbox_collect(h->mailbox);
        if (message == NULL)
            continue;
        assert_null(message->next);
        assert_ptr_equal(taud_alarm_answer((struct taud_alarm *)message), &h->session);
        answers++;
    }
    for (int index = 0; index < 2; index++)
        pthread_join(threads[index], NULL);
    taud_alarm_ring(alarm);
    assert_ptr_equal(taud_alarm_answer(take_message(h)), &h->session);
    assert_true(answers <= 2 * RINGS);
    taud_alarm_free(alarm);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, harness_setup, harness_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(rings_once_until_it_is_answered),
        CASE(outlives_its_stream_in_the_mailbox),
        CASE(does_not_reach_a_session_that_came_after),
        CASE(is_given_back_by_a_mailbox_that_closes),
        CASE(rings_on_any_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
