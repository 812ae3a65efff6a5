// SPDX-License-Identifier: MIT
// The queue between threads: order, waking, closing.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>

#include "transport/mailbox.h"

enum { THREADS = 4, MESSAGES = 2000 };

static void count_wake(void *user_data)
{
    atomic_fetch_add((_Atomic int *)user_data, 1);
}

static void keeps_the_order_and_wakes_once(void **state)
{
    (void)state;
    _Atomic int wakes = 0;
    struct taud_mailbox *mailbox = taud_mailbox_new(count_wake, &wakes);
    struct taud_message messages[3];
    for (int index = 0; index < 3; index++)
        assert_true(taud_mailbox_post(mailbox, &messages[index]));
    assert_int_equal(wakes, 1);
    struct taud_message *message = taud_mailbox_collect(mailbox);
    for (int index = 0; index < 3; index++) {
        assert_ptr_equal(message, &messages[index]);
        message = message->next;
    }
    assert_null(message);
    assert_null(taud_mailbox_collect(mailbox));
    assert_true(taud_mailbox_post(mailbox, &messages[0]));
    assert_int_equal(wakes, 2);
    assert_ptr_equal(taud_mailbox_close(mailbox), &messages[0]);
    assert_false(taud_mailbox_post(mailbox, &messages[1]));
    assert_int_equal(wakes, 2);
    taud_mailbox_release(mailbox);
}

struct poster {
    struct taud_mailbox *mailbox;
    struct taud_message messages[MESSAGES];
};

static void *post_all(void *user_data)
{
    struct poster *poster = user_data;
    for (int index = 0; index < MESSAGES; index++) {
        if (!taud_mailbox_post(poster->mailbox, &poster->messages[index]))
            return NULL;
    }
    taud_mailbox_release(poster->mailbox);
    return NULL;
}

static void takes_from_many_threads(void **state)
{
    (void)state;
    static struct poster posters[THREADS];
    pthread_t threads[THREADS];
    _Atomic int wakes = 0;
    struct taud_mailbox *mailbox = taud_mailbox_new(count_wake, &wakes);
    for (int index = 0; index < THREADS; index++) {
        posters[index].mailbox = taud_mailbox_reference(mailbox);
        assert_int_equal(pthread_create(&threads[index], NULL, post_all, &posters[index]), 0);
    }
    int count = 0;
    while (count < THREADS * MESSAGES) {
        for (struct taud_message *m = taud_mailbox_collect(mailbox); m != NULL; m = m->next)
            count++;
    }
    for (int index = 0; index < THREADS; index++)
        pthread_join(threads[index], NULL);
    assert_null(taud_mailbox_close(mailbox));
    taud_mailbox_release(mailbox);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_the_order_and_wakes_once),
        cmocka_unit_test(takes_from_many_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
