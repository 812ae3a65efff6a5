/* SPDX-License-Identifier: MIT */
/*
 * A client on a libevent base: the base follows it through every change of its descriptor, its
 * events and its timeout, and forgets it when it is detached.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <tau/libevent.h>
#include <tau/operations.h>

#include "chain.h"
#include "fake_server.h"

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
    log->explained = log->explained && lost == (error != NULL);
}

/* A chain on a base. */
struct bench {
    struct chain chain; /* the first, so that its callback finds the rest */
    struct tau_libevent adapter;
    struct event_base *base;
    struct fake_server server;
    struct link_log log;
    bool free_at_end;
};

static void finish(struct chain *chain)
{
    struct bench *bench = (struct bench *)(void *)chain;
    if (bench->free_at_end) {
        tau_libevent_detach(&bench->adapter);
        tau_async_free(chain->async);
        chain->async = NULL;
    }
    event_base_loopbreak(bench->base);
}

static void begin(struct bench *bench, const struct fake_plan *plan, int64_t first, int64_t end)
{
    memset(bench, 0, sizeof(*bench));
    assert_true(fake_server_start(&bench->server, plan));
    bench->base = event_base_new();
    assert_non_null(bench->base);
    bench->log.explained = true;
    bench->chain = (struct chain){.next = first, .end = end, .finished = finish};
    bench->chain.async = chain_connect(bench->server.address, on_link, &bench->log);
    tau_libevent_attach(&bench->adapter, bench->chain.async, bench->base);
}

static void end(struct bench *bench)
{
    tau_libevent_detach(&bench->adapter);
    tau_async_free(bench->chain.async);
    event_base_free(bench->base);
    fake_server_stop(&bench->server);
}

static void run(struct bench *bench)
{
    chain_ask(&bench->chain);
    assert_int_equal(event_base_dispatch(bench->base), 0);
    assert_int_equal(bench->chain.next, bench->chain.end);
}

static void the_base_drives_a_client(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, &(struct fake_plan){0}, 0, 500);
    run(&bench);
    assert_int_equal(bench.chain.lost, 0);
    assert_int_equal(bench.log.count, 1);
    assert_int_equal(bench.log.states[0], TAU_LINK_READY);
    end(&bench);
}

static void the_base_follows_a_reconnecting_client(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, &(struct fake_plan){0}, FAKE_CLOSE - 3, FAKE_CLOSE + 3);
    run(&bench);
    assert_int_equal(bench.chain.lost, 1);
    assert_true(bench.log.count >= 3);
    assert_true(bench.log.explained);
    assert_int_equal(bench.log.states[bench.log.count - 1], TAU_LINK_READY);
    end(&bench);
}

static void the_base_follows_the_way_to_an_old_server(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, &(struct fake_plan){.legacy = true}, 0, 10);
    run(&bench);
    assert_int_equal(bench.chain.lost, 0);
    end(&bench);
}

/* There a connection is made at once, so only the turn without a descriptor tells the loop. */
static void the_base_follows_it_on_a_unix_socket(void **state)
{
    (void)state;
    char address[64];
    struct bench bench;
    snprintf(address, sizeof(address), "unix:/tmp/tau-libevent-test-%d", (int)getpid());
    begin(&bench, &(struct fake_plan){.legacy = true, .address = address}, FAKE_CLOSE - 3,
          FAKE_CLOSE + 3);
    run(&bench);
    assert_int_equal(bench.chain.lost, 1);
    end(&bench);
}

static void a_client_may_be_freed_in_its_callback(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, &(struct fake_plan){0}, 0, 5);
    bench.free_at_end = true;
    run(&bench);
    assert_null(bench.chain.async);
    end(&bench); // detaches what is detached, and frees nothing
}

static void wait_until_ready(struct bench *bench)
{
    while (tau_async_link(bench->chain.async) != TAU_LINK_READY)
        assert_int_equal(event_base_loop(bench->base, EVLOOP_ONCE), 0);
}

/* A request that is made outside of the loop: nothing but `changed` tells the base. */
static void the_base_watches_what_is_wanted(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, &(struct fake_plan){0}, 7, 8);
    wait_until_ready(&bench);
    assert_int_equal(bench.adapter.fd, tau_async_fd(bench.chain.async));
    assert_true(event_pending(&bench.adapter.io, EV_READ, NULL));
    assert_false(event_pending(&bench.adapter.io, EV_WRITE, NULL));
    assert_false(evtimer_pending(&bench.adapter.timer, NULL));
    chain_ask(&bench.chain);
    assert_true(event_pending(&bench.adapter.io, EV_READ, NULL));
    assert_true(event_pending(&bench.adapter.io, EV_WRITE, NULL));
    assert_true(evtimer_pending(&bench.adapter.timer, NULL));
    end(&bench);
}

static void note_status(void *user_data, enum tau_status status,
                        const struct tau_query_point_response *response,
                        const struct tau_error *error)
{
    (void)response;
    (void)error;
    *(enum tau_status *)user_data = status;
}

static void the_base_keeps_the_deadlines(void **state)
{
    (void)state;
    struct bench bench;
    struct tau_query_point_request request = {.timestamp = FAKE_SILENT};
    enum tau_status status = TAU_STATUS_SUCCESS;
    begin(&bench, &(struct fake_plan){0}, 0, 0);
    wait_until_ready(&bench);
    tau_async_set_timeout_ms(bench.chain.async, 40);
    assert_int_equal(tau_async_query_point(bench.chain.async, &request, note_status, &status),
                     TAU_STATUS_SUCCESS);
    while (tau_async_outstanding(bench.chain.async) > 0)
        assert_int_equal(event_base_loop(bench.base, EVLOOP_ONCE), 0);
    assert_int_equal(status, TAU_STATUS_TIMEOUT);
    end(&bench);
}

static void a_detached_client_is_forgotten(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, &(struct fake_plan){0}, 3, 4);
    wait_until_ready(&bench);
    tau_libevent_detach(&bench.adapter);
    chain_ask(&bench.chain); // of which the base is told nothing
    assert_int_equal(event_base_get_num_events(bench.base, EVENT_BASE_COUNT_ADDED), 0);
    assert_int_equal(event_base_dispatch(bench.base), 1); // there is nothing to wait for
    assert_int_equal(bench.chain.next, 3);
    bench.chain.finished = NULL;
    end(&bench); // with which the query ends
    assert_int_equal(bench.chain.lost, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_base_drives_a_client),
        cmocka_unit_test(the_base_follows_a_reconnecting_client),
        cmocka_unit_test(the_base_follows_the_way_to_an_old_server),
        cmocka_unit_test(the_base_follows_it_on_a_unix_socket),
        cmocka_unit_test(a_client_may_be_freed_in_its_callback),
        cmocka_unit_test(the_base_watches_what_is_wanted),
        cmocka_unit_test(the_base_keeps_the_deadlines),
        cmocka_unit_test(a_detached_client_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
