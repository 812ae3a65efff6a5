/* SPDX-License-Identifier: MIT */
/*
 * The asynchronous face between its loop and its socket: one end of a pair of sockets is the
 * client's, the test is the server at the other and calls what a loop would call. How connections
 * are opened is in async_opening_test.c.
 */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "loopback.h"
#include "rig.h"
#include "tau_codec.h"

/* --- a client on a pair of sockets ----------------------------------------------------------- */

struct bench {
    struct rig rig;
    struct tau_async *async;
    int peer; /* the server's end; -1 when it was closed */
};

static struct bench *begin(const struct tau_options *options)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    assert_non_null(bench);
    memset(&rig_memory, 0, sizeof(rig_memory));
    memset(&fake_resolver, 0, sizeof(fake_resolver));
    assert_true(rig_begin(&bench->rig, options));
    rig_ready(&bench->rig);
    bench->async = bench->rig.async;
    bench->peer = rig_plug(&bench->rig);
    return bench;
}

static void end(struct bench *bench)
{
    if (bench->async != NULL)
        rig_end(&bench->rig);
    else
        bytes_free(&bench->rig.out);
    if (bench->peer >= 0)
        close(bench->peer);
    free(bench);
    assert_int_equal(rig_memory.live_blocks, 0);
}

static void serve(struct bench *bench, struct bytes *bytes)
{
    assert_int_equal(write(bench->peer, bytes->data, bytes->size), bytes->size);
    bytes_free(bytes);
}

static void hang_up(struct bench *bench)
{
    close(bench->peer);
    bench->peer = -1;
}

/* What the server can read now. */
static size_t arrived(const struct bench *bench)
{
    static uint8_t room[1 << 20];
    ssize_t size = recv(bench->peer, room, sizeof(room), 0);
    return size > 0 ? (size_t)size : 0;
}

static enum tau_status ended(const struct bench *bench, size_t place)
{
    assert_true(place < bench->rig.count);
    return bench->rig.log[place].status;
}

/* --- receiving and sending ------------------------------------------------------------------- */

static void a_turn_receives_and_sends(void **state)
{
    (void)state;
    struct bench *bench = begin(NULL);
    struct bytes reply = {0};
    assert_int_equal(rig_query(&bench->rig, 1), TAU_STATUS_SUCCESS);
    assert_int_equal(tau_async_wanted(bench->async), TAU_EVENT_READ | TAU_EVENT_WRITE);
    tau_async_on_ready(bench->async, TAU_EVENT_WRITE);
    assert_int_equal(tau_async_wanted(bench->async), TAU_EVENT_READ);
    assert_true(arrived(bench) > 0);
    assert_int_equal(rig_query(&bench->rig, 2), TAU_STATUS_SUCCESS);
    put_value(&reply, 5.0);
    serve(bench, &reply);
    tau_async_on_ready(bench->async, TAU_EVENT_READ);
    assert_int_equal(ended(bench, 0), TAU_STATUS_SUCCESS);
    assert_true(arrived(bench) > 0); // the second went out in the same turn
    end(bench);
}

/* A blocking call's answer is borrowed from the input until the next receive. Sending may receive,
   to learn why it failed: so the turn that received must not send. */
static void a_blocking_clients_turn_receives_once_and_sends_nothing(void **state)
{
    (void)state;
    struct bench *bench = begin(NULL);
    struct bytes replies = {0};
    bench->async->single_receive = true;
    assert_int_equal(rig_query(&bench->rig, 1), TAU_STATUS_SUCCESS);
    tau_async_on_ready(bench->async, 0);
    assert_true(arrived(bench) > 0);
    assert_int_equal(rig_query(&bench->rig, 2), TAU_STATUS_SUCCESS);
    put_value(&replies, 5.0);
    serve(bench, &replies);
    tau_async_on_ready(bench->async, TAU_EVENT_READ);
    assert_int_equal(ended(bench, 0), TAU_STATUS_SUCCESS);
    assert_int_equal(arrived(bench), 0);
    assert_true(tau_core_has_output(bench->rig.core));
    tau_async_on_ready(bench->async, 0);
    assert_true(arrived(bench) > 0);
    end(bench);
}

#define REFUSED 30000

struct answer {
    bool came;
    struct tau_array refused; /* borrowed */
};

static void borrow_answer(void *user_data, enum tau_status status,
                          const struct tau_batch_append_response *response,
                          const struct tau_error *error)
{
    struct answer *answer = user_data;
    (void)error;
    answer->came = status == TAU_STATUS_SUCCESS;
    if (answer->came)
        answer->refused = response->refused;
}

/* An answer for which the input buffer has to grow. */
static void put_long_answer(struct bytes *bytes)
{
    struct tau_refused_row *rows = calloc(REFUSED, sizeof(*rows));
    size_t capacity = REFUSED * sizeof(*rows); /* more than it takes */
    uint8_t *data = malloc(capacity);
    assert_non_null(rows);
    assert_non_null(data);
    for (uint32_t i = 0; i < REFUSED; i++)
        rows[i] = (struct tau_refused_row){.row = i, .status = TAU_STATUS_OUT_OF_ORDER};
    struct tau_batch_append_response response = {.refused_count = REFUSED,
                                                 .refused = {.data = rows, .count = REFUSED}};
    struct tau_writer out = tau_writer_over(data, capacity);
    assert_true(tau_batch_append_response_encode(&response, &out));
    put_frame(bytes, TAU_OPCODE_OK, 0, data, out.size);
    free(rows);
    free(data);
}

static void ask_for_long_answer(struct bench *bench, struct answer *answer)
{
    int64_t timestamp = 1;
    double value = 1;
    struct tau_batch_append_request request = {
        .label = {.bytes = "cpu.load"},
        .count = 1,
        .timestamps = {.data = &timestamp, .count = 1},
        .values = {.data = &value, .count = 1},
    };
    assert_int_equal(tau_async_batch_append(bench->async, &request, borrow_answer, answer),
                     TAU_STATUS_SUCCESS);
    tau_async_on_ready(bench->async, 0);
    assert_true(arrived(bench) > 0);
}

/* The second receive would come over the first one's answers. */
static void a_blocking_clients_turn_leaves_the_rest_in_the_socket(void **state)
{
    (void)state;
    for (int single = 0; single < 2; single++) {
        struct bench *bench = begin(NULL);
        struct answer answer = {.came = false};
        struct bytes reply = {0};
        bench->async->single_receive = single != 0;
        ask_for_long_answer(bench, &answer);
        put_long_answer(&reply);
        ssize_t sent = write(bench->peer, reply.data, reply.size - 1);
        assert_true(sent > (ssize_t)TAU_INPUT_BASE_SIZE);
        tau_async_on_ready(bench->async, TAU_EVENT_READ);
        assert_int_equal(tau_input_bytes(&bench->rig.core->input).size,
                         single ? (ssize_t)TAU_INPUT_BASE_SIZE : sent);
        hang_up(bench);
        bytes_free(&reply);
        tau_async_free(bench->async); // which ends a write that was sent
        bench->async = NULL;
        end(bench);
    }
}

/* The rules above where they would hurt: the server is gone, another request waits to be sent, and
   the buffer in which the answer lies is larger than the next receive wants it. */
static void a_borrowed_answer_outlives_a_server_that_is_gone(void **state)
{
    (void)state;
    struct bench *bench = begin(NULL);
    struct answer answer = {.came = false};
    struct bytes reply = {0};
    bench->async->single_receive = true;
    ask_for_long_answer(bench, &answer);
    assert_int_equal(rig_query(&bench->rig, 2), TAU_STATUS_SUCCESS);
    put_long_answer(&reply);
    size_t sent = 0;
    while (!answer.came) {
        if (sent < reply.size) {
            size_t part = reply.size - sent < 32768 ? reply.size - sent : 32768;
            assert_int_equal(write(bench->peer, reply.data + sent, part), part);
            sent += part;
            if (sent == reply.size)
                hang_up(bench);
        }
        tau_async_on_ready(bench->async, TAU_EVENT_READ);
    }
    assert_int_equal(answer.refused.count, REFUSED);
    for (uint32_t i = 0; i < REFUSED; i++)
        assert_int_equal(tau_refused_row_at(answer.refused, i).row, i);
    assert_int_equal(tau_async_link(bench->async), TAU_LINK_READY);
    tau_async_on_ready(bench->async, 0); // which finds that the server is gone
    assert_int_equal(ended(bench, 0), TAU_STATUS_CONNECTION_LOST);
    bytes_free(&reply);
    end(bench);
}

/* The server answered before it closed: a failure to send is not the whole story. */
static void the_servers_last_words_are_read_when_sending_fails(void **state)
{
    (void)state;
    struct bench *bench = begin(NULL);
    struct bytes reply = {0};
    assert_int_equal(rig_append(&bench->rig, 1), TAU_STATUS_SUCCESS);
    tau_async_flush(bench->async);
    (void)arrived(bench);
    put_error(&reply, TAU_STATUS_THROTTLED);
    serve(bench, &reply);
    hang_up(bench);
    assert_int_equal(rig_append(&bench->rig, 2), TAU_STATUS_SUCCESS);
    tau_async_flush(bench->async);
    assert_int_equal(ended(bench, 0), TAU_STATUS_THROTTLED); // and not of unknown outcome
    assert_int_equal(ended(bench, 1), TAU_STATUS_CONNECTION_LOST);
    assert_int_equal(tau_async_link(bench->async), TAU_LINK_CLOSED);
    assert_int_equal(tau_async_fd(bench->async), -1);
    end(bench);
}

static void a_failure_to_send_without_a_word_is_a_lost_connection(void **state)
{
    (void)state;
    struct bench *bench = begin(NULL);
    hang_up(bench);
    assert_int_equal(rig_append(&bench->rig, 1), TAU_STATUS_SUCCESS);
    tau_async_flush(bench->async);
    assert_int_equal(ended(bench, 0), TAU_STATUS_CONNECTION_LOST);
    assert_int_equal(bench->rig.core->loss.system_error, EPIPE);
    assert_int_equal(tau_async_fd(bench->async), -1);
    end(bench);
}

static void a_closed_connection_is_noticed_by_reading(void **state)
{
    (void)state;
    struct bench *bench = begin(NULL);
    assert_int_equal(rig_append(&bench->rig, 1), TAU_STATUS_SUCCESS);
    tau_async_flush(bench->async);
    (void)arrived(bench);
    hang_up(bench);
    tau_async_on_ready(bench->async, TAU_EVENT_READ);
    assert_int_equal(ended(bench, 0), TAU_STATUS_OUTCOME_UNKNOWN);
    assert_int_equal(tau_async_fd(bench->async), -1);
    assert_int_equal(tau_async_wanted(bench->async), 0);
    end(bench);
}

static void no_memory_to_receive_ends_the_connection(void **state)
{
    (void)state;
    struct bench *bench = begin(NULL);
    assert_int_equal(rig_query(&bench->rig, 1), TAU_STATUS_SUCCESS);
    tau_input_done(&bench->rig.core->input); // so that it has to be allocated anew
    fake_memory_exhaust(&rig_memory);
    tau_async_on_ready(bench->async, TAU_EVENT_READ);
    assert_int_equal(ended(bench, 0), TAU_STATUS_NO_MEMORY);
    assert_int_equal(tau_async_fd(bench->async), -1);
    end(bench);
}

static void ignore_end(void *user_data, enum tau_status status, const struct tau_error *error)
{
    (void)user_data;
    (void)status;
    (void)error;
}

/* Pings of 64 KiB, more than a socket takes. */
static void a_full_socket_is_left_until_the_loop_says_so(void **state)
{
    (void)state;
    static uint8_t data[64 * 1024];
    struct bench *bench = begin(NULL);
    struct tau_ping_request request = {.ignored = {.data = data, .size = sizeof(data)}};
    for (int i = 0; i < 64; i++)
        assert_int_equal(tau_async_ping(bench->async, &request, ignore_end, NULL),
                         TAU_STATUS_SUCCESS);
    size_t left = 64 * (TAU_HEADER_SIZE + sizeof(data));
    tau_async_flush(bench->async);
    assert_true(bench->async->write_blocked);
    assert_int_equal(tau_async_wanted(bench->async), TAU_EVENT_READ | TAU_EVENT_WRITE);
    left -= arrived(bench);
    uint64_t sent = bench->rig.core->output.sent;
    tau_async_flush(bench->async); // asks the socket nothing before the loop has seen room
    assert_int_equal(bench->rig.core->output.sent, sent);
    for (int turn = 0; turn < 1000 && left > 0; turn++) {
        tau_async_on_ready(bench->async, TAU_EVENT_WRITE);
        left -= arrived(bench);
    }
    assert_int_equal(left, 0);
    assert_int_equal(tau_async_wanted(bench->async), TAU_EVENT_READ);
    end(bench);
}

/* --- what the loop is told ------------------------------------------------------------------- */

static void count_change(void *user_data)
{
    ++*(unsigned *)user_data;
}

static void the_loop_is_told_once_that_there_is_output(void **state)
{
    (void)state;
    struct bench *bench = begin(NULL);
    unsigned changes = 0;
    tau_async_on_ready(bench->async, 0);
    tau_async_set_changed(bench->async, count_change, &changes);
    assert_int_equal(rig_query(&bench->rig, 1), TAU_STATUS_SUCCESS);
    assert_int_equal(changes, 1);
    assert_int_equal(rig_query(&bench->rig, 2), TAU_STATUS_SUCCESS);
    assert_int_equal(changes, 1);
    tau_async_on_ready(bench->async, 0);
    assert_int_equal(changes, 1); // within a turn the loop looks by itself
    assert_int_equal(rig_query(&bench->rig, 3), TAU_STATUS_SUCCESS);
    assert_int_equal(changes, 2);
    tau_async_on_ready(bench->async, 0);
    tau_async_set_changed(bench->async, NULL, NULL);
    assert_int_equal(rig_query(&bench->rig, 4), TAU_STATUS_SUCCESS);
    assert_int_equal(changes, 2);
    end(bench);
}

static void the_timeout_is_that_of_what_comes_first(void **state)
{
    (void)state;
    struct bench *bench = begin(NULL);
    assert_int_equal(tau_async_timeout_ms(bench->async), -1);
    tau_async_set_timeout_ms(bench->async, 0);
    assert_int_equal(rig_query(&bench->rig, 1), TAU_STATUS_SUCCESS);
    assert_int_equal(tau_async_timeout_ms(bench->async), -1);
    tau_async_set_timeout_ms(bench->async, UINT32_MAX);
    assert_int_equal(rig_query(&bench->rig, 2), TAU_STATUS_SUCCESS);
    assert_int_equal(tau_async_timeout_ms(bench->async), INT_MAX);
    tau_async_set_timeout_ms(bench->async, 60000);
    assert_int_equal(rig_query(&bench->rig, 3), TAU_STATUS_SUCCESS);
    int timeout_ms = tau_async_timeout_ms(bench->async);
    assert_true(timeout_ms > 50000 && timeout_ms <= 60000 + 20);
    bench->rig.core->next_deadline_ns = tau_clock_now_ns() - 1;
    assert_int_equal(tau_async_timeout_ms(bench->async), 0);
    end(bench);
}

static int64_t last_deadline_ns(const struct bench *bench)
{
    const struct tau_pending_ring *pending = &bench->rig.core->pending;
    return tau_pending_at(pending, pending->count - 1)->deadline_ns;
}

/* Its time runs from the next turn on, or from the flush, so the loop has to turn at once. */
static void no_request_times_out_early(void **state)
{
    (void)state;
    const int64_t timeout_ns = 1000 * TAU_NS_PER_MS;
    struct tau_ping_request request = {0};
    struct bench *bench = begin(NULL);
    for (int flush = 0; flush < 2; flush++) {
        assert_int_equal(tau_async_ping(bench->async, &request, ignore_end, NULL),
                         TAU_STATUS_SUCCESS);
        int64_t made_ns = tau_clock_now_ns();
        assert_int_equal(last_deadline_ns(bench), TAU_NEVER);
        assert_int_equal(tau_async_timeout_ms(bench->async), 0);
        if (flush)
            tau_async_flush(bench->async);
        else
            tau_async_on_ready(bench->async, 0);
        assert_true(last_deadline_ns(bench) >= made_ns + timeout_ns);
        assert_true(last_deadline_ns(bench) <= tau_clock_now_ns() + timeout_ns);
        assert_true(tau_async_timeout_ms(bench->async) > 0);
    }
    end(bench);
}

struct late_request {
    struct tau_async *async;
    int64_t made_ns;
};

static void ask_late(void *user_data, enum tau_status status, const struct tau_error *error)
{
    struct late_request *late = user_data;
    struct tau_ping_request request = {0};
    (void)error;
    assert_int_equal(status, TAU_STATUS_SUCCESS);
    usleep(3000);
    late->made_ns = tau_clock_now_ns();
    assert_int_equal(tau_async_ping(late->async, &request, ignore_end, NULL), TAU_STATUS_SUCCESS);
}

/* The turn's own time is from before its callbacks. */
static void nor_does_one_that_a_slow_callback_makes(void **state)
{
    (void)state;
    struct tau_ping_request request = {0};
    struct bytes reply = {0};
    struct bench *bench = begin(NULL);
    struct late_request late = {.async = bench->async};
    assert_int_equal(tau_async_ping(bench->async, &request, ask_late, &late), TAU_STATUS_SUCCESS);
    tau_async_flush(bench->async);
    put_frame(&reply, TAU_OPCODE_PONG, 0, NULL, 0);
    serve(bench, &reply);
    tau_async_on_ready(bench->async, TAU_EVENT_READ);
    assert_true(late.made_ns > 0);
    assert_true(last_deadline_ns(bench) >= late.made_ns + 1000 * TAU_NS_PER_MS);
    assert_true(tau_async_timeout_ms(bench->async) > 0); // there is no need of another turn
    end(bench);
}

/* --- timers ---------------------------------------------------------------------------------- */

struct alarm {
    struct tau_timer timer; /* the first, so that its callback finds the rest */
    struct tau_async *async;
    unsigned rung;
};

static void ring(struct tau_timer *timer, int64_t now_ns)
{
    struct alarm *alarm = (struct alarm *)(void *)timer;
    assert_true(now_ns >= timer->deadline_ns);
    alarm->rung++;
    tau_async_remove_timer(alarm->async, timer);
}

static void timers_expire_when_they_are_due(void **state)
{
    (void)state;
    struct bench *bench = begin(NULL);
    struct alarm alarms[3];
    for (size_t i = 0; i < 3; i++) {
        alarms[i] = (struct alarm){.async = bench->async, .timer = {.expire = ring}};
        tau_async_add_timer(bench->async, &alarms[i].timer);
    }
    alarms[0].timer.deadline_ns = tau_clock_now_ns();
    alarms[1].timer.deadline_ns = tau_clock_now_ns() + 3600 * 1000 * TAU_NS_PER_MS;
    alarms[2].timer.deadline_ns = tau_clock_now_ns();
    assert_int_equal(tau_async_timeout_ms(bench->async), 0);
    tau_async_on_ready(bench->async, 0);
    assert_int_equal(alarms[0].rung, 1);
    assert_int_equal(alarms[1].rung, 0);
    assert_int_equal(alarms[2].rung, 1);
    assert_true(tau_async_timeout_ms(bench->async) > 3500 * 1000);
    alarms[1].timer.deadline_ns = TAU_NEVER;
    assert_int_equal(tau_async_timeout_ms(bench->async), -1);
    tau_async_remove_timer(bench->async, &alarms[1].timer);
    assert_null(bench->async->timers);
    end(bench);
}

/* --- the end of a connection ------------------------------------------------------------------ */

/* A descriptor that comes back under the same number is another: a loop sees that only if there was
   none in between. So the turn that loses a connection does not make the next one. */
static void the_turn_that_loses_a_socket_opens_none(void **state)
{
    (void)state;
    struct tau_options options;
    struct sockaddr_in address;
    int listener = loopback_listen(&address);
    struct bytes reply = {0};
    rig_options(&options);
    options.address = "db.example";
    options.reconnect = true;
    struct bench *bench = begin(&options);
    fake_resolver_add(&address);
    assert_int_equal(rig_query(&bench->rig, 1), TAU_STATUS_SUCCESS);
    tau_async_flush(bench->async);
    put_value(&reply, 1.0); // a connection that did something is made again at once
    serve(bench, &reply);
    tau_async_on_ready(bench->async, TAU_EVENT_READ);
    assert_int_equal(ended(bench, 0), TAU_STATUS_SUCCESS);
    hang_up(bench);
    tau_async_on_ready(bench->async, TAU_EVENT_READ);
    assert_int_equal(tau_async_fd(bench->async), -1);
    assert_int_equal(tau_async_timeout_ms(bench->async), 0);
    assert_int_equal(fake_resolver.asked, 0);
    tau_async_on_ready(bench->async, 0);
    assert_true(tau_async_fd(bench->async) >= 0);
    assert_int_equal(fake_resolver.asked, 1);
    end(bench);
    close(listener);
}

/* --- making and freeing ---------------------------------------------------------------------- */

static void a_client_is_made_whole_or_not_at_all(void **state)
{
    (void)state;
    struct fake_memory memory = {.fail_at = 1};
    struct tau_allocator allocator = fake_allocator(&memory);
    struct tau_options options;
    struct tau_async *async = NULL;
    struct tau_error error;
    tau_options_init(&options);
    options.allocator = &allocator;
    assert_int_equal(tau_async_new(&options, &async, &error), TAU_STATUS_NO_MEMORY);
    assert_int_equal(error.status, TAU_STATUS_NO_MEMORY);
    options.address = "no:port:at:all]";
    options.max_outstanding = 0;
    assert_int_equal(tau_async_new(&options, &async, &error), TAU_STATUS_INVALID_ARGUMENT);
    assert_null(async);
    assert_int_equal(memory.live_blocks, 0);
    tau_async_free(NULL);
}

static void free_in_callback(void *user_data, enum tau_status status, const struct tau_error *error)
{
    struct bench *bench = user_data;
    (void)status;
    (void)error;
    tau_async_free(bench->async);
    tau_async_connect(bench->async); // of which nothing comes any more
    assert_int_equal(tau_async_link(bench->async), TAU_LINK_CLOSED);
    assert_int_equal(tau_async_fd(bench->async), -1);
}

/* The memory stays until the outermost call returns, and the rest completes before. */
static void freeing_in_a_callback_ends_everything(void **state)
{
    (void)state;
    struct bench *bench = begin(NULL);
    struct bytes reply = {0};
    struct tau_ping_request request = {0};
    assert_int_equal(tau_async_ping(bench->async, &request, free_in_callback, bench),
                     TAU_STATUS_SUCCESS);
    assert_int_equal(rig_append(&bench->rig, 1), TAU_STATUS_SUCCESS);
    tau_async_flush(bench->async);
    put_frame(&reply, TAU_OPCODE_PONG, 0, NULL, 0);
    put_ok(&reply);
    serve(bench, &reply);
    tau_async_on_ready(bench->async, TAU_EVENT_READ);
    assert_int_equal(bench->rig.count, 1);
    assert_int_equal(ended(bench, 0), TAU_STATUS_OUTCOME_UNKNOWN);
    bench->async = NULL;
    end(bench);
}

static void free_when_closed(void *user_data, enum tau_link_state link,
                             const struct tau_error *error)
{
    struct bench *bench = user_data;
    if (link != TAU_LINK_CLOSED)
        return;
    assert_int_equal(error->status, TAU_STATUS_CONNECTION_LOST);
    tau_async_free(bench->async);
    bench->async = NULL;
}

static void a_client_may_be_freed_when_its_link_is_lost(void **state)
{
    (void)state;
    struct bench *bench = begin(NULL);
    bench->async->settings.on_link = free_when_closed;
    bench->async->settings.link_user_data = bench;
    hang_up(bench);
    tau_async_on_ready(bench->async, TAU_EVENT_READ);
    assert_null(bench->async);
    end(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_turn_receives_and_sends),
        cmocka_unit_test(a_blocking_clients_turn_receives_once_and_sends_nothing),
        cmocka_unit_test(a_blocking_clients_turn_leaves_the_rest_in_the_socket),
        cmocka_unit_test(a_borrowed_answer_outlives_a_server_that_is_gone),
        cmocka_unit_test(the_servers_last_words_are_read_when_sending_fails),
        cmocka_unit_test(a_failure_to_send_without_a_word_is_a_lost_connection),
        cmocka_unit_test(a_closed_connection_is_noticed_by_reading),
        cmocka_unit_test(no_memory_to_receive_ends_the_connection),
        cmocka_unit_test(a_full_socket_is_left_until_the_loop_says_so),
        cmocka_unit_test(the_loop_is_told_once_that_there_is_output),
        cmocka_unit_test(the_timeout_is_that_of_what_comes_first),
        cmocka_unit_test(no_request_times_out_early),
        cmocka_unit_test(nor_does_one_that_a_slow_callback_makes),
        cmocka_unit_test(timers_expire_when_they_are_due),
        cmocka_unit_test(the_turn_that_loses_a_socket_opens_none),
        cmocka_unit_test(a_client_is_made_whole_or_not_at_all),
        cmocka_unit_test(freeing_in_a_callback_ends_everything),
        cmocka_unit_test(a_client_may_be_freed_when_its_link_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
