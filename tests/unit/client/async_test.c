/* SPDX-License-Identifier: MIT */
/*
 * The asynchronous client in two event loops: plain poll and libevent.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <tau/client.h>
#include <tau/libevent.h>
#include <tau/poll.h>

#include "fake_server.h"

static const struct tau_label label = {.bytes = "cpu.load"};

struct link_log {
    enum tau_link_state states[64];
    size_t count;
    bool explained; /* every loss came with its reason */
};

static void on_link(void *user_data, enum tau_link_state state, const struct tau_error *error)
{
    struct link_log *log = user_data;
    bool lost = state == TAU_LINK_CLOSED || state == TAU_LINK_WAITING;
    if (log->count < 64)
        log->states[log->count++] = state;
    log->explained = lost == (error != NULL);
}

static struct tau_async *connect_to(const struct fake_server *server, struct link_log *log)
{
    struct tau_options options;
    struct tau_async *async;
    tau_options_init(&options);
    options.address = server->address;
    options.reconnect = true;
    options.on_link = log != NULL ? on_link : NULL;
    options.link_user_data = log;
    assert_int_equal(tau_async_new(&options, &async, NULL), TAU_STATUS_SUCCESS);
    return async;
}

/* A chain of queries: each asks the next one from its callback. */
struct chain {
    struct tau_async *async;
    struct event_base *base;
    struct tau_libevent *adapter;
    int64_t next;
    int64_t end;
    size_t lost;
    bool free_at_end;
};

static void ask(struct chain *chain);

static void finish(struct chain *chain)
{
    if (chain->free_at_end) {
        tau_libevent_detach(chain->adapter);
        tau_async_free(chain->async);
        chain->async = NULL;
    }
    if (chain->base != NULL)
        event_base_loopbreak(chain->base);
}

static void on_value(void *user_data, enum tau_status status,
                     const struct tau_query_point_response *response, const struct tau_error *error)
{
    struct chain *chain = user_data;
    (void)error;
    if (status == TAU_STATUS_CONNECTION_LOST)
        chain->lost++;
    else
        assert_true(response->value == (double)chain->next);
    chain->next++;
    if (chain->next < chain->end)
        ask(chain);
    else
        finish(chain);
}

static void ask(struct chain *chain)
{
    struct tau_query_point_request request = {.label = label, .timestamp = chain->next};
    assert_int_equal(tau_async_query_point(chain->async, &request, on_value, chain),
                     TAU_STATUS_SUCCESS);
}

static void poll_drives_several_clients(void **state)
{
    (void)state;
    struct fake_server servers[2];
    struct fake_plan plan = {0};
    struct tau_async *clients[2];
    struct chain chains[2] = {{.next = 0, .end = 500}, {.next = 1000, .end = 1300}};
    for (size_t i = 0; i < 2; i++) {
        assert_true(fake_server_start(&servers[i], &plan));
        clients[i] = connect_to(&servers[i], NULL);
        chains[i].async = clients[i];
        ask(&chains[i]);
    }
    while (tau_async_outstanding(clients[0]) + tau_async_outstanding(clients[1]) > 0)
        assert_true(tau_poll_turn(clients, 2, 5000) >= 0);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(chains[i].next, chains[i].end);
        tau_async_free(clients[i]);
        fake_server_stop(&servers[i]);
    }
}

static void run_on_libevent(const struct fake_plan *plan, struct chain *chain, struct link_log *log)
{
    struct fake_server server;
    struct tau_libevent adapter;
    assert_true(fake_server_start(&server, plan));
    chain->async = connect_to(&server, log);
    chain->adapter = &adapter;
    chain->base = event_base_new();
    tau_libevent_attach(&adapter, chain->async, chain->base);
    ask(chain);
    event_base_dispatch(chain->base);
    tau_libevent_detach(&adapter);
    tau_async_free(chain->async);
    event_base_free(chain->base);
    fake_server_stop(&server);
}

static void libevent_drives_a_client(void **state)
{
    (void)state;
    struct fake_plan plan = {0};
    struct chain chain = {.next = 0, .end = 500};
    struct link_log log = {0};
    run_on_libevent(&plan, &chain, &log);
    assert_int_equal(chain.next, 500);
    assert_int_equal(chain.lost, 0);
    assert_int_equal(log.count, 1);
    assert_int_equal(log.states[0], TAU_LINK_READY);
}

static void libevent_follows_a_reconnecting_client(void **state)
{
    (void)state;
    struct fake_plan plan = {0};
    struct chain chain = {.next = FAKE_CLOSE - 3, .end = FAKE_CLOSE + 3};
    struct link_log log = {0};
    run_on_libevent(&plan, &chain, &log);
    assert_int_equal(chain.next, FAKE_CLOSE + 3);
    assert_int_equal(chain.lost, 1);
    assert_true(log.count >= 3);
    assert_true(log.explained);
    assert_int_equal(log.states[log.count - 1], TAU_LINK_READY);
}

static void libevent_follows_the_way_to_an_old_server(void **state)
{
    (void)state;
    struct fake_plan plan = {.legacy = true};
    struct chain chain = {.next = 0, .end = 10};
    run_on_libevent(&plan, &chain, NULL);
    assert_int_equal(chain.next, 10);
    assert_int_equal(chain.lost, 0);
}

/* There a connection is made at once, so only the turn without a descriptor tells the loop. */
static void libevent_follows_it_on_a_unix_socket(void **state)
{
    (void)state;
    char address[64];
    struct fake_plan plan = {.legacy = true, .address = address};
    struct chain chain = {.next = FAKE_CLOSE - 3, .end = FAKE_CLOSE + 3};
    snprintf(address, sizeof(address), "unix:/tmp/tau-async-test-%d", (int)getpid());
    run_on_libevent(&plan, &chain, NULL);
    assert_int_equal(chain.next, FAKE_CLOSE + 3);
    assert_int_equal(chain.lost, 1);
}

static void a_client_may_be_freed_in_its_callback(void **state)
{
    (void)state;
    struct fake_plan plan = {0};
    struct chain chain = {.next = 0, .end = 5, .free_at_end = true};
    run_on_libevent(&plan, &chain, NULL);
    assert_null(chain.async);
}

static void count_changes(void *user_data)
{
    ++*(unsigned *)user_data;
}

static void the_loop_is_told_once_that_there_is_output(void **state)
{
    (void)state;
    struct fake_server server;
    struct fake_plan plan = {0};
    struct chain chain = {.next = 0, .end = 1};
    unsigned changes = 0;
    assert_true(fake_server_start(&server, &plan));
    struct tau_async *async = connect_to(&server, NULL);
    while (tau_async_link(async) != TAU_LINK_READY)
        assert_true(tau_poll_turn(&async, 1, 5000) >= 0);
    tau_async_set_changed(async, count_changes, &changes);
    chain.async = async;
    ask(&chain);
    assert_int_equal(changes, 1);
    assert_int_equal(tau_async_wanted(async), TAU_EVENT_READ | TAU_EVENT_WRITE);
    assert_true(tau_async_timeout_ms(async) > 0);
    ask(&chain);
    assert_int_equal(changes, 1);
    tau_async_flush(async);
    assert_int_equal(tau_async_wanted(async), TAU_EVENT_READ);
    chain.end = 0;
    tau_async_free(async);
    assert_int_equal(chain.lost, 2);
    fake_server_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(poll_drives_several_clients),
        cmocka_unit_test(libevent_drives_a_client),
        cmocka_unit_test(libevent_follows_a_reconnecting_client),
        cmocka_unit_test(libevent_follows_the_way_to_an_old_server),
        cmocka_unit_test(libevent_follows_it_on_a_unix_socket),
        cmocka_unit_test(a_client_may_be_freed_in_its_callback),
        cmocka_unit_test(the_loop_is_told_once_that_there_is_output),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
