/* SPDX-License-Identifier: MIT */
/*
 * How the asynchronous face opens a connection to a host of several addresses: one socket at a
 * time, each address with its share of the time, and none for a turn of the loop in between.
 */
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "async_parts.h"
#include "loopback.h"

/* A client on its way, and what it told of it. */
struct opening {
    struct tau_async *async;
    struct sockaddr_in addresses[2];
    int lowest; /* the descriptor that the next socket gets */
    enum tau_link_state link;
    struct tau_error error;
};

static void note_link(void *user_data, enum tau_link_state link, const struct tau_error *error)
{
    struct opening *opening = user_data;
    opening->link = link;
    if (error != NULL)
        opening->error = *error;
}

/* A client of a host that has both addresses. */
static void begin_opening(struct opening *opening, uint32_t connect_timeout_ms)
{
    struct tau_options options;
    memset(&fake_resolver, 0, sizeof(fake_resolver));
    fake_resolver_add(&opening->addresses[0]);
    fake_resolver_add(&opening->addresses[1]);
    tau_options_init(&options);
    options.address = "db.example";
    options.connect_timeout_ms = connect_timeout_ms;
    options.on_link = note_link;
    options.link_user_data = opening;
    opening->lowest = lowest_descriptor();
    assert_int_equal(tau_async_new(&options, &opening->async, NULL), TAU_STATUS_SUCCESS);
    assert_int_equal(tau_async_fd(opening->async), -1);
}

/* Turns the loop until there is no socket: what the loop must see between two of them. Whatever was
   opened until then has the lowest descriptor, so the one before it was closed. */
static void turn_until_without_socket(struct opening *opening)
{
    do {
        assert_int_equal(tau_async_fd(opening->async), opening->lowest);
        assert_int_equal(tau_async_wanted(opening->async), TAU_EVENT_WRITE);
        struct pollfd item = {.fd = tau_async_fd(opening->async), .events = POLLOUT};
        assert_true(poll(&item, 1, tau_async_timeout_ms(opening->async)) >= 0);
        tau_async_on_ready(opening->async, item.revents != 0 ? TAU_EVENT_WRITE : 0);
    } while (tau_async_fd(opening->async) >= 0);
    assert_int_equal(tau_async_wanted(opening->async), 0);
    assert_int_equal(lowest_descriptor(), opening->lowest);
}

/* The second address is tried in a turn of its own, and reached. */
static void check_second_address(struct opening *opening, uint16_t port)
{
    struct sockaddr_in reached = {0};
    socklen_t size = sizeof(reached);
    assert_int_equal(tau_async_timeout_ms(opening->async), 0);
    for (int turn = 0; turn < 100 && !tau_core_is_open(&opening->async->core); turn++)
        tau_async_on_ready(opening->async, 0);
    assert_true(tau_core_is_open(&opening->async->core));
    assert_int_equal(tau_async_fd(opening->async), opening->lowest);
    assert_int_equal(getpeername(tau_async_fd(opening->async), (struct sockaddr *)&reached, &size),
                     0);
    assert_int_equal(reached.sin_port, port);
    assert_int_equal(fake_resolver.asked, 1);
    assert_int_equal(tau_async_link(opening->async), TAU_LINK_CONNECTING);
}

static void an_address_that_refuses_leads_to_the_next(void **state)
{
    (void)state;
    struct opening opening;
    int nobody = loopback_refuse(&opening.addresses[0]);
    int listener = loopback_listen(&opening.addresses[1]);
    begin_opening(&opening, 5000);
    tau_async_on_ready(opening.async, 0);
    if (opening.async->candidate == 0) // else the refusal was there at once
        turn_until_without_socket(&opening);
    check_second_address(&opening, opening.addresses[1].sin_port);
    tau_async_free(opening.async);
    close(listener);
    close(nobody);
}

/* Of two addresses the first has half of the time. */
static void an_address_that_swallows_all_does_not_keep_the_next(void **state)
{
    (void)state;
    struct opening opening;
    struct loopback_full full = loopback_fill(&opening.addresses[0]);
    int listener = loopback_listen(&opening.addresses[1]);
    begin_opening(&opening, 1000);
    int64_t begin_ns = tau_clock_now_ns();
    tau_async_on_ready(opening.async, 0);
    turn_until_without_socket(&opening);
    assert_true(tau_clock_now_ns() - begin_ns >= 500 * TAU_NS_PER_MS);
    check_second_address(&opening, opening.addresses[1].sin_port);
    tau_async_free(opening.async);
    close(listener);
    loopback_close(full);
}

/* Turns the loop until it is known that no address can be reached. */
static void check_failure(struct opening *opening)
{
    opening->error = (struct tau_error){.status = TAU_STATUS_SUCCESS};
    tau_async_on_ready(opening->async, 0);
    for (int turn = 0; turn < 100 && tau_async_link(opening->async) != TAU_LINK_CLOSED; turn++)
        tau_async_on_ready(opening->async, 0);
    assert_int_equal(opening->link, TAU_LINK_CLOSED);
    assert_int_equal(opening->error.status, TAU_STATUS_CONNECTION_FAILED);
    assert_int_equal(opening->error.system_error, ECONNREFUSED);
    assert_int_equal(lowest_descriptor(), opening->lowest);
    assert_int_equal(tau_async_timeout_ms(opening->async), -1);
}

static void nobody_at_any_address_is_a_failure(void **state)
{
    (void)state;
    struct opening opening;
    int nobody[2] = {loopback_refuse(&opening.addresses[0]),
                     loopback_refuse(&opening.addresses[1])};
    begin_opening(&opening, 5000);
    check_failure(&opening);
    tau_async_connect(opening.async); // for which the loop is to turn at once
    assert_int_equal(tau_async_timeout_ms(opening.async), 0);
    check_failure(&opening);
    assert_int_equal(fake_resolver.asked, 2);
    tau_async_free(opening.async);
    close(nobody[0]);
    close(nobody[1]);
}

/* There the attempt fails within the call that makes it. */
static void a_path_that_is_not_there_is_a_failure(void **state)
{
    (void)state;
    struct opening opening = {.link = TAU_LINK_CONNECTING};
    struct tau_options options;
    tau_options_init(&options);
    options.address = "unix:/nowhere/tau.sock";
    options.on_link = note_link;
    options.link_user_data = &opening;
    opening.lowest = lowest_descriptor();
    assert_int_equal(tau_async_new(&options, &opening.async, NULL), TAU_STATUS_SUCCESS);
    tau_async_on_ready(opening.async, 0);
    assert_int_equal(opening.link, TAU_LINK_CLOSED);
    assert_int_equal(opening.error.system_error, ENOENT);
    assert_int_equal(lowest_descriptor(), opening.lowest);
    tau_async_free(opening.async);
}

static void a_name_that_is_unknown_is_a_failure(void **state)
{
    (void)state;
    struct opening opening = {.addresses = {{.sin_family = AF_INET}, {.sin_family = AF_INET}}};
    begin_opening(&opening, 5000);
    fake_resolver.failure = EAI_NONAME;
    tau_async_on_ready(opening.async, 0);
    assert_int_equal(opening.link, TAU_LINK_CLOSED);
    assert_int_equal(opening.error.status, TAU_STATUS_CONNECTION_FAILED);
    assert_non_null(strstr(opening.error.message, "cannot resolve db.example"));
    tau_async_free(opening.async);
}

static int user_timeout_with(uint32_t request_timeout_ms, const struct sockaddr_in *address)
{
    struct tau_options options;
    struct tau_async *async;
    int value = -1;
    socklen_t size = sizeof(value);
    memset(&fake_resolver, 0, sizeof(fake_resolver));
    fake_resolver_add(address);
    tau_options_init(&options);
    options.request_timeout_ms = request_timeout_ms;
    assert_int_equal(tau_async_new(&options, &async, NULL), TAU_STATUS_SUCCESS);
    tau_async_on_ready(async, 0);
    assert_int_equal(getsockopt(tau_async_fd(async), IPPROTO_TCP, TCP_USER_TIMEOUT, &value, &size),
                     0);
    tau_async_free(async);
    return value;
}

static void a_silent_network_is_given_some_time(void **state)
{
    (void)state;
    struct sockaddr_in address;
    int listener = loopback_listen(&address);
    assert_int_equal(user_timeout_with(0, &address), 0);
    assert_int_equal(user_timeout_with(1, &address), 10000);
    assert_int_equal(user_timeout_with(10001, &address), 10001);
    close(listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_that_refuses_leads_to_the_next),
        cmocka_unit_test(an_address_that_swallows_all_does_not_keep_the_next),
        cmocka_unit_test(nobody_at_any_address_is_a_failure),
        cmocka_unit_test(a_path_that_is_not_there_is_a_failure),
        cmocka_unit_test(a_name_that_is_unknown_is_a_failure),
        cmocka_unit_test(a_silent_network_is_given_some_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
