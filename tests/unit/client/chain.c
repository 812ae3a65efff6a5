/* SPDX-License-Identifier: MIT */
/*
 * The chain of queries. The server of the tests answers a query with its timestamp.
 */
#include "chain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>

#include <cmocka.h>

#include <tau/operations.h>

struct tau_async *chain_connect(const char *address, tau_link_callback *on_link, void *user_data)
{
    struct tau_options options;
    struct tau_async *async;
    tau_options_init(&options);
    options.address = address;
    options.reconnect = true;
    options.on_link = on_link;
    options.link_user_data = user_data;
    assert_int_equal(tau_async_new(&options, &async, NULL), TAU_STATUS_SUCCESS);
    return async;
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
        chain_ask(chain);
    else if (chain->finished != NULL)
        chain->finished(chain);
}

void chain_ask(struct chain *chain)
{
    struct tau_query_point_request request = {.label = {.bytes = "cpu.load"},
                                              .timestamp = chain->next};
    assert_int_equal(tau_async_query_point(chain->async, &request, on_value, chain),
                     TAU_STATUS_SUCCESS);
}
