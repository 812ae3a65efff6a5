/* SPDX-License-Identifier: MIT */
/*
 * Requests and time in the core: what is sent, what completes and when, deadlines, limits, streams.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core_parts.h"
#include "fault.h"
#include "rig.h"
#include "tau_codec.h"

static int setup(void **state)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    memset(&rig_memory, 0, sizeof(rig_memory));
    rig_begin(rig, NULL);
    *state = rig;
    return 0;
}

static int teardown(void **state)
{
    rig_end(*state);
    free(*state);
    assert_int_equal(rig_memory.live_blocks, 0);
    assert_int_equal(rig_memory.live_bytes, 0);
    return 0;
}

static void expect(const struct rig *rig, size_t place, uintptr_t tag, enum tau_status status)
{
    assert_true(place < rig->count);
    assert_int_equal(rig->log[place].tag, tag);
    assert_int_equal(rig->log[place].status, status);
}

static void ignore_end(void *user_data, enum tau_status status, const struct tau_error *error)
{
    (void)user_data;
    (void)status;
    (void)error;
}

static void pipelined_requests_complete_in_order(void **state)
{
    struct rig *rig = *state;
    struct bytes reply = {0};
    rig_ready(rig);
    for (uintptr_t tag = 1; tag <= 100; tag++)
        assert_int_equal(tag % 2 ? rig_append(rig, tag) : rig_query(rig, tag), TAU_STATUS_SUCCESS);
    assert_int_equal(tau_async_outstanding(rig->async), 100);
    rig_flush(rig);
    for (uintptr_t tag = 1; tag <= 100; tag++) {
        if (tag % 2)
            put_ok(&reply);
        else
            put_value(&reply, (double)tag);
    }
    rig_feed_bytes(rig, &reply);
    assert_int_equal(rig->count, 100);
    for (uintptr_t tag = 1; tag <= 100; tag++) {
        expect(rig, tag - 1, tag, TAU_STATUS_SUCCESS);
        assert_int_equal(rig->log[tag - 1].has_value, tag % 2 == 0);
    }
    assert_true(rig->log[1].value == 2.0);
    assert_int_equal(tau_async_outstanding(rig->async), 0);
    bytes_free(&reply);
}

static void requests_made_before_the_handshake_wait_for_it(void **state)
{
    struct rig *rig = *state;
    struct bytes reply = {0};
    assert_int_equal(rig_append(rig, 1), TAU_STATUS_SUCCESS);
    rig_open(rig);
    rig_flush(rig);
    assert_int_equal(sent_opcode(rig, 0), TAU_OPCODE_CONNECT);
    assert_int_equal(sent_opcode(rig, 1), TAU_OPCODE_NEGOTIATE);
    assert_int_equal(sent_opcode(rig, 2), 0);
    rig->out.size = 0;
    put_ok(&reply);
    put_negotiation(&reply);
    rig_feed_bytes(rig, &reply);
    rig_flush(rig);
    assert_int_equal(sent_opcode(rig, 0), TAU_OPCODE_APPEND);
    reply.size = 0;
    put_ok(&reply);
    rig_feed_bytes(rig, &reply);
    expect(rig, 0, 1, TAU_STATUS_SUCCESS);
    bytes_free(&reply);
}

static void a_late_reply_is_dropped(void **state)
{
    struct rig *rig = *state;
    struct bytes reply = {0};
    rig_ready(rig);
    assert_int_equal(rig_query(rig, 1), TAU_STATUS_SUCCESS);
    assert_int_equal(rig_append(rig, 2), TAU_STATUS_SUCCESS);
    rig_flush(rig);
    rig_advance(rig, 1500);
    expect(rig, 0, 1, TAU_STATUS_TIMEOUT);
    expect(rig, 1, 2, TAU_STATUS_OUTCOME_UNKNOWN);
    assert_int_equal(tau_async_outstanding(rig->async), 0);
    tau_async_set_timeout_ms(rig->async, 0);
    assert_int_equal(rig_query(rig, 3), TAU_STATUS_SUCCESS);
    rig_flush(rig);
    put_value(&reply, 1.0);
    put_ok(&reply);
    put_value(&reply, 3.0);
    rig_feed_bytes(rig, &reply);
    assert_int_equal(rig->count, 3);
    expect(rig, 2, 3, TAU_STATUS_SUCCESS);
    assert_true(rig->log[2].value == 3.0);
    bytes_free(&reply);
}

static void an_unsent_write_that_times_out_is_never_sent(void **state)
{
    struct rig *rig = *state;
    rig_ready(rig);
    tau_async_set_timeout_ms(rig->async, 0);
    assert_int_equal(rig_query(rig, 1), TAU_STATUS_SUCCESS);
    tau_async_set_timeout_ms(rig->async, 1000);
    assert_int_equal(rig_append(rig, 2), TAU_STATUS_SUCCESS);
    rig_advance(rig, 1500);
    expect(rig, 0, 2, TAU_STATUS_TIMEOUT);
    rig_flush(rig);
    assert_int_equal(sent_opcode(rig, 0), TAU_OPCODE_QUERY_POINT);
    assert_int_equal(sent_opcode(rig, 1), TAU_OPCODE_PING);
    assert_int_equal(sent_opcode(rig, 2), 0);
    struct bytes reply = {0};
    put_value(&reply, 1.0);
    put_frame(&reply, TAU_OPCODE_PONG, 0, NULL, 0);
    rig_feed_bytes(rig, &reply);
    expect(rig, 1, 1, TAU_STATUS_SUCCESS);
    assert_int_equal(rig->core->pending.count, 0);
    bytes_free(&reply);
}

static void what_times_out_at_the_front_leaves_the_output(void **state)
{
    struct rig *rig = *state;
    for (uintptr_t tag = 1; tag <= 10; tag++)
        assert_int_equal(rig_append(rig, tag), TAU_STATUS_SUCCESS);
    rig_advance(rig, 1500);
    assert_int_equal(rig->count, 10);
    expect(rig, 9, 10, TAU_STATUS_TIMEOUT);
    assert_int_equal(rig->core->pending.count, 0);
    assert_int_equal(tau_output_waiting(&rig->core->output), 0);
}

static int64_t deadline_of(const struct rig *rig, size_t place)
{
    return tau_pending_at(&rig->core->pending, place)->deadline_ns;
}

/* Without the clock of the workbench: nobody has looked at one yet. */
static void make_request(struct rig *rig)
{
    struct tau_append_request request = {.timestamp = 1};
    assert_int_equal(tau_async_append(rig->async, &request, ignore_end, NULL), TAU_STATUS_SUCCESS);
}

/* Each request's time is started once, and what was started is left alone. */
static void deadlines_run_from_when_they_are_started(void **state)
{
    struct rig *rig = *state;
    int64_t second_ns = 1000 * TAU_NS_PER_MS;
    rig_ready(rig);
    assert_int_equal(tau_core_deadline(rig->core), TAU_NEVER);
    make_request(rig);
    make_request(rig);
    assert_int_equal(tau_core_deadline(rig->core), 0);
    tau_core_tick(rig->core, rig->now_ns + 1000 * second_ns); // nothing can be late yet
    assert_int_equal(rig->core->outstanding, 2);
    tau_core_start_deadlines(rig->core, 1 * second_ns);
    assert_int_equal(tau_core_deadline(rig->core), 2 * second_ns);
    tau_async_set_timeout_ms(rig->async, 0);
    make_request(rig);
    tau_async_set_timeout_ms(rig->async, 500);
    make_request(rig);
    tau_core_start_deadlines(rig->core, 5 * second_ns);
    assert_int_equal(deadline_of(rig, 1), 2 * second_ns);
    assert_int_equal(deadline_of(rig, 2), TAU_NEVER);
    assert_int_equal(deadline_of(rig, 3), 5 * second_ns + second_ns / 2);
    assert_int_equal(tau_core_deadline(rig->core), 2 * second_ns);
    make_request(rig);
    tau_core_tick(rig->core, 3 * second_ns); // the first two are late, the last cannot be
    assert_int_equal(rig->core->outstanding, 3);
}

/* More requests have left than were started, and new ones came. */
static void deadlines_are_started_for_what_is_left(void **state)
{
    struct rig *rig = *state;
    struct bytes reply = {0};
    rig_ready(rig);
    for (int i = 0; i < 5; i++)
        make_request(rig);
    rig_flush(rig);
    for (int i = 0; i < 4; i++)
        put_ok(&reply);
    rig_feed_bytes(rig, &reply);
    make_request(rig);
    tau_core_start_deadlines(rig->core, 7);
    assert_int_equal(rig->core->pending.count, 2);
    assert_int_equal(deadline_of(rig, 0), 7 + 1000 * TAU_NS_PER_MS);
    assert_int_equal(deadline_of(rig, 1), 7 + 1000 * TAU_NS_PER_MS);
    bytes_free(&reply);
}

static void what_was_given_up_has_no_deadline(void **state)
{
    struct rig *rig = *state;
    struct tau_error error;
    rig_ready(rig);
    make_request(rig);
    tau_fault_status(&error, TAU_STATUS_NOT_SUPPORTED);
    tau_core_abandon(rig->core, 0, &error);
    tau_core_start_deadlines(rig->core, 7);
    assert_int_equal(tau_core_deadline(rig->core), TAU_NEVER);
}

static void a_full_table_would_block(void **state)
{
    struct rig *rig = *state;
    struct tau_options options;
    rig_end(rig);
    rig_options(&options);
    options.max_outstanding = 3;
    assert_true(rig_begin(rig, &options));
    rig_ready(rig);
    for (uintptr_t tag = 1; tag <= 3; tag++)
        assert_int_equal(rig_append(rig, tag), TAU_STATUS_SUCCESS);
    assert_int_equal(rig_append(rig, 4), TAU_STATUS_WOULD_BLOCK);
    rig_flush(rig);
    rig_advance(rig, 1500); /* abandoned requests keep their places until their replies have come */
    assert_int_equal(rig->count, 3);
    assert_int_equal(rig_append(rig, 4), TAU_STATUS_WOULD_BLOCK);
    assert_int_equal(rig->count, 3);
}

static void a_full_output_would_block(void **state)
{
    struct rig *rig = *state;
    struct tau_options options;
    rig_end(rig);
    rig_options(&options);
    options.max_output_bytes = 100;
    assert_true(rig_begin(rig, &options));
    rig_ready(rig);
    assert_int_equal(rig_append(rig, 1), TAU_STATUS_SUCCESS);
    assert_int_equal(rig_append(rig, 2), TAU_STATUS_WOULD_BLOCK);
    rig_flush(rig);
    assert_int_equal(rig_append(rig, 2), TAU_STATUS_SUCCESS);
}

static void a_stream_is_delivered_and_renews_its_deadline(void **state)
{
    struct rig *rig = *state;
    struct bytes reply = {0};
    rig_ready(rig);
    assert_int_equal(rig_range(rig, 1), TAU_STATUS_SUCCESS);
    rig_flush(rig);
    for (unsigned i = 0; i < 5; i++) {
        reply.size = 0;
        put_batch(&reply, 4095, i * 5000, true);
        rig_feed_bytes(rig, &reply);
        rig_advance(rig, 900);
    }
    reply.size = 0;
    put_batch(&reply, 0, 0, false);
    rig_feed_bytes(rig, &reply);
    assert_int_equal(rig->count, 1);
    expect(rig, 0, 1, TAU_STATUS_SUCCESS);
    assert_int_equal(rig->batch_points, 5 * 4095);
    assert_int_equal(rig->batches, 5);
    bytes_free(&reply);
}

static void a_silent_stream_times_out(void **state)
{
    struct rig *rig = *state;
    struct bytes reply = {0};
    rig_ready(rig);
    assert_int_equal(rig_range(rig, 1), TAU_STATUS_SUCCESS);
    rig_flush(rig);
    put_batch(&reply, 10, 0, true);
    rig_feed_bytes(rig, &reply);
    rig_advance(rig, 10);
    rig_advance(rig, 1100);
    expect(rig, 0, 1, TAU_STATUS_TIMEOUT);
    rig->out.size = 0;
    rig_flush(rig);
    assert_int_equal(sent_opcode(rig, 0), TAU_OPCODE_CANCEL);
    put_batch(&reply, 10, 20, true);
    put_error(&reply, TAU_STATUS_CANCELLED);
    put_ok(&reply);
    rig_feed_bytes(rig, &reply);
    assert_int_equal(rig->count, 1);
    assert_int_equal(rig->batches, 1);
    assert_int_equal(rig->core->pending.count, 0);
    assert_int_equal(tau_async_link(rig->async), TAU_LINK_READY);
    bytes_free(&reply);
}

static void a_stopped_stream_is_cancelled_and_drained(void **state)
{
    struct rig *rig = *state;
    struct bytes reply = {0};
    rig_ready(rig);
    rig->stop_after = 2;
    assert_int_equal(rig_range(rig, 1), TAU_STATUS_SUCCESS);
    rig_flush(rig);
    rig->out.size = 0;
    for (unsigned i = 0; i < 3; i++)
        put_batch(&reply, 10, i * 10, true);
    rig_feed_bytes(rig, &reply);
    assert_int_equal(rig->batches, 2);
    assert_int_equal(rig->count, 0);
    assert_int_equal(rig_query(rig, 2), TAU_STATUS_SUCCESS);
    rig_flush(rig);
    assert_int_equal(sent_opcode(rig, 0), TAU_OPCODE_CANCEL);
    assert_int_equal(sent_opcode(rig, 1), TAU_OPCODE_QUERY_POINT);
    reply.size = 0;
    put_detailed_error(&reply, TAU_STATUS_CANCELLED, "cancelled");
    put_ok(&reply);
    put_value(&reply, 2.0);
    rig_feed_bytes(rig, &reply);
    expect(rig, 0, 1, TAU_STATUS_CANCELLED);
    expect(rig, 1, 2, TAU_STATUS_SUCCESS);
    bytes_free(&reply);
}

static void stopping_at_the_last_batch_sends_no_cancel(void **state)
{
    struct rig *rig = *state;
    struct bytes reply = {0};
    rig_ready(rig);
    rig->stop_after = 1;
    assert_int_equal(rig_range(rig, 1), TAU_STATUS_SUCCESS);
    rig_flush(rig);
    rig->out.size = 0;
    put_batch(&reply, 10, 0, false);
    rig_feed_bytes(rig, &reply);
    expect(rig, 0, 1, TAU_STATUS_CANCELLED);
    rig_flush(rig);
    assert_int_equal(rig->out.size, 0);
    bytes_free(&reply);
}

static void a_stopped_stream_leaves_other_reads_alone(void **state)
{
    struct rig *rig = *state;
    struct bytes reply = {0};
    rig_ready(rig);
    rig->stop_after = 1;
    assert_int_equal(rig_range(rig, 1), TAU_STATUS_SUCCESS);
    assert_int_equal(rig_query(rig, 2), TAU_STATUS_SUCCESS);
    rig_flush(rig);
    rig->out.size = 0;
    put_batch(&reply, 10, 0, true);
    put_batch(&reply, 10, 10, true);
    put_batch(&reply, 10, 20, false);
    put_value(&reply, 5.0);
    rig_feed_bytes(rig, &reply);
    rig_flush(rig);
    assert_int_equal(rig->out.size, 0);
    assert_int_equal(rig->batches, 1);
    expect(rig, 0, 1, TAU_STATUS_CANCELLED);
    expect(rig, 1, 2, TAU_STATUS_SUCCESS);
    bytes_free(&reply);
}

static void a_bad_batch_ends_its_stream_only(void **state)
{
    struct rig *rig = *state;
    struct bytes reply = {0};
    const uint8_t bad[] = {0, 0, 0, 9, 1, 2, 3};
    rig_ready(rig);
    assert_int_equal(rig_range(rig, 1), TAU_STATUS_SUCCESS);
    rig_flush(rig);
    put_frame(&reply, TAU_OPCODE_OK, TAU_FLAG_MORE, bad, sizeof(bad));
    put_batch(&reply, 10, 0, true);
    put_error(&reply, TAU_STATUS_CANCELLED);
    rig_feed_bytes(rig, &reply);
    assert_int_equal(rig->count, 1);
    expect(rig, 0, 1, TAU_STATUS_PROTOCOL_ERROR);
    assert_int_equal(rig->batches, 0);
    assert_int_equal(tau_async_link(rig->async), TAU_LINK_READY);
    bytes_free(&reply);
}

static void a_stream_that_was_given_up_does_not_end_again(void **state)
{
    struct rig *rig = *state;
    struct bytes reply = {0};
    const uint8_t bad[] = {0, 0, 0, 9, 1, 2, 3};
    rig_ready(rig);
    assert_int_equal(rig_range(rig, 1), TAU_STATUS_SUCCESS);
    rig_flush(rig);
    put_frame(&reply, TAU_OPCODE_OK, TAU_FLAG_MORE, bad, sizeof(bad));
    rig_feed_bytes(rig, &reply);
    rig_advance(rig, 10);
    rig_advance(rig, 5000);
    assert_int_equal(rig->count, 1);
    expect(rig, 0, 1, TAU_STATUS_PROTOCOL_ERROR);
    bytes_free(&reply);
}

static void the_first_unsent_write_that_times_out_is_not_sent(void **state)
{
    struct rig *rig = *state;
    rig_ready(rig);
    assert_int_equal(rig_query(rig, 1), TAU_STATUS_SUCCESS);
    rig_flush(rig);
    rig->out.size = 0;
    assert_int_equal(rig_append(rig, 2), TAU_STATUS_SUCCESS);
    rig_advance(rig, 1500);
    expect(rig, 0, 1, TAU_STATUS_TIMEOUT);
    expect(rig, 1, 2, TAU_STATUS_TIMEOUT);
    rig_flush(rig);
    assert_int_equal(sent_opcode(rig, 0), TAU_OPCODE_PING);
    assert_int_equal(sent_opcode(rig, 1), 0);
}

static void cancelling_reports_what_the_server_says(void **state)
{
    struct rig *rig = *state;
    struct bytes reply = {0};
    rig_ready(rig);
    assert_int_equal(rig_range(rig, 1), TAU_STATUS_SUCCESS);
    assert_int_equal(rig_query(rig, 2), TAU_STATUS_SUCCESS);
    assert_int_equal(tau_async_cancel(rig->async), TAU_STATUS_SUCCESS);
    rig_flush(rig);
    assert_int_equal(sent_opcode(rig, 2), TAU_OPCODE_CANCEL);
    put_error(&reply, TAU_STATUS_CANCELLED);
    put_error(&reply, TAU_STATUS_CANCELLED);
    put_ok(&reply);
    rig_feed_bytes(rig, &reply);
    expect(rig, 0, 1, TAU_STATUS_CANCELLED);
    expect(rig, 1, 2, TAU_STATUS_CANCELLED);
    assert_int_equal(rig->count, 2);
    bytes_free(&reply);
}

static void a_cancel_needs_a_server_and_a_place(void **state)
{
    struct rig *rig = *state;
    struct tau_options options;
    assert_int_equal(tau_async_cancel(rig->async), TAU_STATUS_NOT_SUPPORTED); // it is not known yet
    rig_end(rig);
    rig_options(&options);
    options.max_outstanding = 1;
    assert_true(rig_begin(rig, &options));
    rig_ready(rig);
    assert_int_equal(rig_query(rig, 1), TAU_STATUS_SUCCESS);
    assert_int_equal(tau_async_cancel(rig->async), TAU_STATUS_WOULD_BLOCK);
    rig_flush(rig);
    assert_int_equal(sent_opcode(rig, 1), 0);
}

static void an_undecodable_response_fails_its_request_only(void **state)
{
    struct rig *rig = *state;
    struct bytes reply = {0};
    const uint8_t bad[] = {2};
    rig_ready(rig);
    assert_int_equal(rig_query(rig, 1), TAU_STATUS_SUCCESS);
    assert_int_equal(rig_query(rig, 2), TAU_STATUS_SUCCESS);
    rig_flush(rig);
    put_frame(&reply, TAU_OPCODE_OK, 0, bad, sizeof(bad));
    put_value(&reply, 2.0);
    rig_feed_bytes(rig, &reply);
    expect(rig, 0, 1, TAU_STATUS_PROTOCOL_ERROR);
    expect(rig, 1, 2, TAU_STATUS_SUCCESS);
    bytes_free(&reply);
}

/* A conversation with everything in it, for the two tests below. */
static void converse(struct rig *rig)
{
    struct bytes reply = {0};
    (void)!rig_append(rig, 1);
    rig_open(rig);
    rig_flush(rig);
    put_ok(&reply);
    put_negotiation(&reply);
    rig_feed_bytes(rig, &reply);
    for (uintptr_t tag = 2; tag < 100; tag++) {
        (void)!rig_append(rig, tag);
        (void)!rig_range(rig, 1000 + tag);
    }
    rig_flush(rig);
    for (int i = 0; i < 40; i++) {
        reply.size = 0;
        put_ok(&reply);
        put_batch(&reply, 4000, 0, true);
        put_batch(&reply, 0, 0, false);
        rig_feed_bytes(rig, &reply);
    }
    rig_lose(rig);
    bytes_free(&reply);
}

static size_t count_outstanding_twice(const struct rig *rig)
{
    size_t doubled = 0;
    for (size_t i = 0; i < rig->count; i++)
        for (size_t j = 0; j < i; j++)
            doubled += rig->log[i].tag == rig->log[j].tag;
    return doubled;
}

static void no_memory_is_survived_everywhere(void **state)
{
    struct rig *rig = *state;
    rig_end(rig);
    for (int forever = 0; forever < 2; forever++) {
        for (size_t fail_at = 1;; fail_at++) {
            memset(&rig_memory, 0, sizeof(rig_memory));
            rig_memory.fail_at = fail_at;
            rig_memory.fail_on = forever != 0;
            if (rig_begin(rig, NULL)) {
                converse(rig);
                assert_int_equal(count_outstanding_twice(rig), 0);
                assert_int_equal(tau_async_outstanding(rig->async), 0);
                rig_end(rig);
            }
            assert_int_equal(rig_memory.live_blocks, 0);
            if (rig_memory.calls < fail_at)
                break;
        }
    }
    memset(&rig_memory, 0, sizeof(rig_memory));
    assert_true(rig_begin(rig, NULL));
}

static struct rig *closing;

static void close_in_callback(void *user_data, enum tau_status status,
                              const struct tau_error *error)
{
    (void)user_data;
    (void)error;
    assert_int_equal(status, TAU_STATUS_SUCCESS);
    tau_core_close(closing->core);
}

static void closing_in_a_callback_completes_the_rest(void **state)
{
    struct rig *rig = *state;
    struct bytes reply = {0};
    struct tau_append_request request = {.timestamp = 1};
    closing = rig;
    rig_ready(rig);
    assert_int_equal(tau_async_append(rig->async, &request, close_in_callback, NULL),
                     TAU_STATUS_SUCCESS);
    assert_int_equal(rig_append(rig, 2), TAU_STATUS_SUCCESS);
    assert_int_equal(rig_query(rig, 3), TAU_STATUS_SUCCESS);
    rig_flush(rig);
    put_ok(&reply);
    put_ok(&reply);
    rig_feed_bytes(rig, &reply);
    assert_int_equal(rig->count, 2);
    expect(rig, 0, 2, TAU_STATUS_OUTCOME_UNKNOWN);
    expect(rig, 1, 3, TAU_STATUS_CONNECTION_LOST);
    assert_int_equal(rig_append(rig, 4), TAU_STATUS_CONNECTION_LOST);
    bytes_free(&reply);
}

static void too_long_a_request_is_refused(void **state)
{
    struct rig *rig = *state;
    static uint8_t data[TAU_LIMIT_PAYLOAD_BYTES + 1];
    struct tau_ping_request request = {.ignored = {.data = data, .size = sizeof(data)}};
    rig_ready(rig);
    assert_int_equal(tau_async_ping(rig->async, &request, NULL, NULL), TAU_STATUS_INVALID_ARGUMENT);
    assert_int_equal(rig->core->pending.count, 0);
    assert_int_equal(tau_output_waiting(&rig->core->output), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(pipelined_requests_complete_in_order),
        CASE(requests_made_before_the_handshake_wait_for_it),
        CASE(a_late_reply_is_dropped),
        CASE(an_unsent_write_that_times_out_is_never_sent),
        CASE(what_times_out_at_the_front_leaves_the_output),
        CASE(deadlines_run_from_when_they_are_started),
        CASE(deadlines_are_started_for_what_is_left),
        CASE(what_was_given_up_has_no_deadline),
        CASE(a_full_table_would_block),
        CASE(a_full_output_would_block),
        CASE(a_stream_is_delivered_and_renews_its_deadline),
        CASE(a_silent_stream_times_out),
        CASE(a_stopped_stream_is_cancelled_and_drained),
        CASE(stopping_at_the_last_batch_sends_no_cancel),
        CASE(a_stopped_stream_leaves_other_reads_alone),
        CASE(a_bad_batch_ends_its_stream_only),
        CASE(a_stream_that_was_given_up_does_not_end_again),
        CASE(the_first_unsent_write_that_times_out_is_not_sent),
        CASE(cancelling_reports_what_the_server_says),
        CASE(a_cancel_needs_a_server_and_a_place),
        CASE(an_undecodable_response_fails_its_request_only),
        CASE(no_memory_is_survived_everywhere),
        CASE(closing_in_a_callback_completes_the_rest),
        CASE(too_long_a_request_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
