// SPDX-License-Identifier: MIT
// Requests that are completed later, from any thread and in any order, and pushes.
#include "session_harness.h"

#include <pthread.h>
#include <stdatomic.h>

static void feed_later(struct harness *h, uint8_t opcode, uint32_t number, const char *words)
{
    uint8_t payload[64];
    tau_store_u32(payload, number);
    memcpy(payload + 4, words, strlen(words));
    harness_frame(h, opcode, payload, 4 + strlen(words));
}

static void complete(size_t which)
{
    struct tau_probe_later_response response = {
        .number = probe.later_numbers[which],
        .words = {.data = (const uint8_t *)probe.later_words[which],
                  .size = strlen(probe.later_words[which])}};
    taud_complete_probe_later(probe.later[which], TAU_STATUS_SUCCESS, &response);
}

// Takes over what other threads sent, as a worker does it.
static void deliver(struct harness *h)
{
    struct taud_message *message = taud_mailbox_collect(h->mailbox);
    while (message != NULL) {
        struct taud_message *next = message->next;
        if (message->kind == TAUD_MESSAGE_PUSH) {
            taud_session_push(&h->transport, (struct taud_push_message *)message);
        } else if (((struct taud_pending *)message)->block == NULL) {
            taud_pending_free((struct taud_pending *)message);
        } else {
            taud_session_begin_turn(&h->session, &h->transport);
            taud_session_complete(&h->transport, (struct taud_pending *)message);
        }
        message = next;
    }
    harness_turn(h, SIZE_MAX);
}

static void expect_words(struct harness *h, uint32_t number, const char *words)
{
    struct reply reply = take_reply(h);
    assert_int_equal(reply.opcode, TAU_OPCODE_OK);
    assert_int_equal(tau_load_u32(reply.payload.data), number);
    assert_int_equal(reply.payload.size, 4 + strlen(words));
    assert_memory_equal(reply.payload.data + 4, words, strlen(words));
}

static void replies_in_the_order_of_requests(void **state)
{
    struct harness *h = *state;
    harness_connect(h);
    feed_later(h, TAU_OPCODE_PROBE_LATER, 1, "one");
    feed_later(h, TAU_OPCODE_PROBE_LATER, 2, "two");
    harness_frame(h, TAU_OPCODE_PING, NULL, 0);
    feed_later(h, TAU_OPCODE_PROBE_LATER, 3, "three");
    expect_nothing(h);
    complete(2);
    deliver(h);
    expect_nothing(h);
    complete(0);
    deliver(h);
    expect_words(h, 1, "one");
    expect_nothing(h);
    complete(1);
    deliver(h);
    expect_words(h, 2, "two");
    expect_pong(h);
    expect_words(h, 3, "three");
    assert_int_equal(h->wakes, 3);
}

static void passes_an_error_on(void **state)
{
    struct harness *h = *state;
    harness_connect(h);
    feed_later(h, TAU_OPCODE_PROBE_LATER, 1, "one");
    taud_complete_probe_later(probe.later[0], TAU_STATUS_LIMIT_EXCEEDED, NULL);
    deliver(h);
    expect_error(h, TAU_STATUS_LIMIT_EXCEEDED);
}

static void holds_a_late_write_until_durable(void **state)
{
    struct harness *h = *state;
    harness_connect(h);
    h->durable = 10;
    feed_later(h, TAU_OPCODE_PROBE_LATER_WRITE, 1, "");
    feed_later(h, TAU_OPCODE_PROBE_LATER_WRITE, 2, "");
    taud_pending_hold(probe.later[0], 11);
    taud_complete_probe_later_write(probe.later[0], TAU_STATUS_SUCCESS);
    taud_pending_hold(probe.later[1], 12);
    taud_complete_probe_later_write(probe.later[1], TAU_STATUS_SUCCESS);
    deliver(h);
    expect_nothing(h);
    h->durable = 11;
    harness_send(h, SIZE_MAX);
    expect_ok(h);
    expect_nothing(h);
    h->failed_at = 12;
    harness_send(h, SIZE_MAX);
    expect_error(h, TAU_STATUS_OUTCOME_UNKNOWN);
}

static void cancels_reads_that_wait(void **state)
{
    struct harness *h = *state;
    harness_connect(h);
    for (uint32_t number = 1; number <= TAUD_PENDING_MAX - 1; number++)
        feed_later(h, TAU_OPCODE_PROBE_LATER, number, "r");
    feed_later(h, TAU_OPCODE_PROBE_LATER_WRITE, 99, "");
    feed_later(h, TAU_OPCODE_PROBE_LATER, 100, "queued"); // beyond the bound: not executed yet
    assert_int_equal(h->session.wait, TAUD_WAIT_PENDING);
    assert_int_equal(probe.later_count, TAUD_PENDING_MAX);
    harness_frame(h, TAU_OPCODE_CANCEL, NULL, 0);
    for (int index = 0; index < TAUD_PENDING_MAX - 1; index++)
        expect_error(h, TAU_STATUS_CANCELLED);
    expect_nothing(h); // the write is not finished
    assert_true(taud_pending_cancelled(probe.later[0]));
    assert_false(taud_pending_cancelled(probe.later[TAUD_PENDING_MAX - 1]));
    for (size_t index = 0; index < TAUD_PENDING_MAX - 1; index++)
        complete(index); // late: dropped
    taud_complete_probe_later_write(probe.later[TAUD_PENDING_MAX - 1], TAU_STATUS_SUCCESS);
    deliver(h);
    expect_ok(h);
    expect_error(h, TAU_STATUS_CANCELLED);
    expect_ok(h); // CANCEL itself
    expect_nothing(h);
}

// The session is not blocked: CANCEL is executed as soon as it comes.
static void cancels_at_once(void **state)
{
    struct harness *h = *state;
    harness_connect(h);
    feed_later(h, TAU_OPCODE_PROBE_LATER, 1, "one");
    harness_frame(h, TAU_OPCODE_CANCEL, NULL, 0);
    expect_error(h, TAU_STATUS_CANCELLED);
    expect_ok(h);
    assert_true(taud_pending_cancelled(probe.later[0]));
    complete(0);
    deliver(h);
    expect_nothing(h);
}

static void outlives_its_session(void **state)
{
    struct harness *h = *state;
    harness_connect(h);
    feed_later(h, TAU_OPCODE_PROBE_LATER, 1, "one");
    taud_session_done(&h->session);
    assert_true(taud_pending_cancelled(probe.later[0]));
    struct taud_penalty_key address = {{0}};
    taud_session_init(&h->session, &h->budget, 43, &address); // another one in the same place
    complete(0);
    deliver(h);
    expect_nothing(h);
}

static void outlives_its_worker(void **state)
{
    struct harness *h = *state;
    harness_connect(h);
    feed_later(h, TAU_OPCODE_PROBE_LATER, 1, "one");
    taud_session_done(&h->session);
    assert_null(taud_mailbox_close(h->mailbox));
    complete(0); // frees itself: the sanitizer and the budget would tell
    assert_int_equal(h->wakes, 0);
}

static void *complete_all(void *user_data)
{
    (void)user_data;
    for (size_t index = TAUD_PENDING_MAX; index-- > 0;)
        complete(index);
    return NULL;
}

static void is_completed_from_another_thread(void **state)
{
    struct harness *h = *state;
    harness_connect(h);
    for (uint32_t number = 1; number <= TAUD_PENDING_MAX; number++)
        feed_later(h, TAU_OPCODE_PROBE_LATER, number, "r");
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, complete_all, NULL), 0);
    while (h->session.pending_count > 0)
        deliver(h);
    pthread_join(thread, NULL);
    for (uint32_t number = 1; number <= TAUD_PENDING_MAX; number++)
        expect_words(h, number, "r");
}

// --- pushes --------------------------------------------------------------------------------------

static void push(uint8_t number)
{
    struct tau_slice payload = {.data = &number, .size = 1};
    assert_true(taud_push(&probe.reference, 0xE1, payload));
}

static void expect_push(struct harness *h, uint8_t number)
{
    assert_int_equal(h->sent.data[4], 0xE1);
    assert_int_equal(h->sent.data[10], number);
    memmove(h->sent.data, h->sent.data + 11, h->sent.size - 11);
    h->sent.size -= 11;
}

static void pushes_between_frames(void **state)
{
    struct harness *h = *state;
    harness_connect(h);
    harness_frame(h, TAU_OPCODE_PROBE_SUBSCRIBE, NULL, 0);
    expect_ok(h);
    h->durable = 0;
    uint8_t frame[64];
    harness_feed(h, frame, put_append(frame, 1)); // held back
    push(1);
    push(2);
    deliver(h);
    expect_push(h, 1);
    expect_push(h, 2);
    h->durable = 1;
    harness_send(h, 4); // a frame that has begun is finished first
    push(3);
    struct taud_message *message = taud_mailbox_collect(h->mailbox);
    assert_true(taud_session_push(&h->transport, (struct taud_push_message *)message));
    harness_send(h, 8); // the rest of the reply, and 2 bytes of the push
    harness_send(h, SIZE_MAX);
    expect_ok(h);
    expect_push(h, 3);
    expect_nothing(h);
}

static void bounds_pushes(void **state)
{
    struct harness *h = *state;
    harness_connect(h);
    harness_frame(h, TAU_OPCODE_PROBE_SUBSCRIBE, NULL, 0);
    expect_ok(h);
    for (int number = 0; number < TAUD_PUSH_MAX + 10; number++)
        push((uint8_t)number);
    deliver(h);
    for (int number = 0; number < TAUD_PUSH_MAX; number++)
        expect_push(h, (uint8_t)number);
    expect_nothing(h);
    assert_int_equal(taud_counter_value(&h->statistics, TAUD_COUNT_PUSHES_LOST), 10);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, harness_setup, harness_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(replies_in_the_order_of_requests),
        CASE(passes_an_error_on),
        CASE(holds_a_late_write_until_durable),
        CASE(cancels_reads_that_wait),
        CASE(cancels_at_once),
        CASE(outlives_its_session),
        CASE(outlives_its_worker),
        CASE(is_completed_from_another_thread),
        CASE(pushes_between_frames),
        CASE(bounds_pushes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
