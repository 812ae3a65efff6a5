/* SPDX-License-Identifier: MIT */
/*
 * The event loop of plain poll: what it watches, how long it waits, and that it lets every client
 * do what it can.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <tau/operations.h>
#include <tau/poll.h>

#include "chain.h"
#include "fake_server.h"

static void events_are_translated_both_ways(void **state)
{
    (void)state;
    assert_int_equal(tau_poll_events(0), 0);
    assert_int_equal(tau_poll_events(TAU_EVENT_READ), POLLIN);
    assert_int_equal(tau_poll_events(TAU_EVENT_WRITE), POLLOUT);
    assert_int_equal(tau_poll_events(TAU_EVENT_READ | TAU_EVENT_WRITE), POLLIN | POLLOUT);
    assert_int_equal(tau_poll_seen(0), 0);
    assert_int_equal(tau_poll_seen(POLLIN), TAU_EVENT_READ);
    assert_int_equal(tau_poll_seen(POLLOUT), TAU_EVENT_WRITE);
    assert_int_equal(tau_poll_seen(POLLIN | POLLOUT), TAU_EVENT_READ | TAU_EVENT_WRITE);
}

/* Whatever ends a connection is found by reading. */
static void every_kind_of_end_is_read(void **state)
{
    (void)state;
    assert_int_equal(tau_poll_seen(POLLHUP), TAU_EVENT_READ);
    assert_int_equal(tau_poll_seen(POLLERR), TAU_EVENT_READ);
    assert_int_equal(tau_poll_seen(POLLNVAL), TAU_EVENT_READ);
}

static void several_clients_take_turns(void **state)
{
    (void)state;
    struct fake_server servers[2];
    struct fake_plan plan = {0};
    struct tau_async *clients[2];
    struct chain chains[2] = {{.next = 0, .end = 500}, {.next = 1000, .end = 1300}};
    for (size_t i = 0; i < 2; i++) {
        assert_true(fake_server_start(&servers[i], &plan));
        clients[i] = chain_connect(servers[i].address, NULL, NULL);
        chains[i].async = clients[i];
        chain_ask(&chains[i]);
    }
    while (tau_async_outstanding(clients[0]) + tau_async_outstanding(clients[1]) > 0)
        assert_true(tau_poll_turn(clients, 2, 5000) >= 0);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(chains[i].next, chains[i].end);
        assert_int_equal(chains[i].lost, 0);
        tau_async_free(clients[i]);
        fake_server_stop(&servers[i]);
    }
}

static void a_reconnecting_client_is_followed(void **state)
{
    (void)state;
    struct fake_server server;
    struct fake_plan plan = {0};
    struct chain chain = {.next = FAKE_CLOSE - 3, .end = FAKE_CLOSE + 3};
    assert_true(fake_server_start(&server, &plan));
    chain.async = chain_connect(server.address, NULL, NULL);
    chain_ask(&chain);
    while (tau_async_outstanding(chain.async) > 0)
        assert_true(tau_poll_turn(&chain.async, 1, 5000) >= 0);
    assert_int_equal(chain.next, FAKE_CLOSE + 3);
    assert_int_equal(chain.lost, 1);
    assert_int_equal(fake_server_connections(&server), 2);
    tau_async_free(chain.async);
    fake_server_stop(&server);
}

static int64_t now_ms(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static struct tau_async *idle_client(const struct fake_server *server)
{
    struct tau_async *async = chain_connect(server->address, NULL, NULL);
    while (tau_async_link(async) != TAU_LINK_READY)
        assert_true(tau_poll_turn(&async, 1, 5000) >= 0);
    return async;
}

static void a_turn_waits_as_long_as_it_is_told(void **state)
{
    (void)state;
    struct fake_server server;
    struct fake_plan plan = {0};
    assert_true(fake_server_start(&server, &plan));
    struct tau_async *async = idle_client(&server);
    int64_t begin_ms = now_ms();
    assert_int_equal(tau_poll_turn(&async, 1, 30), 0);
    assert_true(now_ms() - begin_ms >= 30 - 1);
    begin_ms = now_ms();
    assert_int_equal(tau_poll_turn(&async, 1, 0), 0);
    assert_true(now_ms() - begin_ms < 1000);
    tau_async_free(async);
    fake_server_stop(&server);
}

static void note_status(void *user_data, enum tau_status status,
                        const struct tau_query_point_response *response,
                        const struct tau_error *error)
{
    (void)response;
    (void)error;
    *(enum tau_status *)user_data = status;
}

/* A deadline of a client ends the wait, even one that was to last for ever. */
static void a_clients_own_deadline_comes_first(void **state)
{
    (void)state;
    const int waits[] = {-1, 60000};
    struct fake_server server;
    struct fake_plan plan = {0};
    assert_true(fake_server_start(&server, &plan));
    struct tau_async *async = idle_client(&server);
    tau_async_set_timeout_ms(async, 40);
    for (size_t i = 0; i < 2; i++) {
        struct tau_query_point_request request = {.timestamp = FAKE_SILENT};
        enum tau_status status = TAU_STATUS_SUCCESS;
        int64_t begin_ms = now_ms();
        assert_int_equal(tau_async_query_point(async, &request, note_status, &status),
                         TAU_STATUS_SUCCESS);
        while (tau_async_outstanding(async) > 0)
            assert_true(tau_poll_turn(&async, 1, waits[i]) >= 0);
        assert_int_equal(status, TAU_STATUS_TIMEOUT);
        assert_true(now_ms() - begin_ms >= 40);
        assert_true(now_ms() - begin_ms < 5000);
    }
    tau_async_free(async);
    fake_server_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_are_translated_both_ways),
        cmocka_unit_test(every_kind_of_end_is_read),
        cmocka_unit_test(several_clients_take_turns),
        cmocka_unit_test(a_reconnecting_client_is_followed),
        cmocka_unit_test(a_turn_waits_as_long_as_it_is_told),
        cmocka_unit_test(a_clients_own_deadline_comes_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
