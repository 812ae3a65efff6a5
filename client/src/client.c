/* SPDX-License-Identifier: MIT */
/*
 * The blocking face: an asynchronous client that brings its own loop. A blocking call makes its
 * request and turns the loop until the callback has come; deadlines are those of the requests.
 */
#include <tau/client.h>

#include <poll.h>

#include "call.h"
#include "client_parts.h"
#include "core_parts.h"
#include "fault.h"

/* A connection that was silent for this long may have been closed by the server: it is looked at
   before a request goes out on it, so that a write is not lost for nothing. */
#define SILENCE_NS ((int64_t)1000000000)

/* --- the loop -------------------------------------------------------------------------------- */

static int wait_ms(const struct tau_async *async, int64_t until_ns)
{
    int timeout_ms = tau_async_timeout_ms(async);
    if (until_ns == TAU_NEVER)
        return timeout_ms;
    int64_t left_ms = (until_ns - tau_clock_now_ns()) / TAU_NS_PER_MS + 1;
    if (left_ms < 0)
        left_ms = 0;
    return timeout_ms >= 0 && timeout_ms < left_ms ? timeout_ms : (int)left_ms;
}

static unsigned wait_for_events(const struct tau_async *async, int64_t until_ns)
{
    unsigned wanted = tau_async_wanted(async);
    struct pollfd item = {.fd = tau_async_fd(async)};
    if ((wanted & TAU_EVENT_READ) != 0)
        item.events |= POLLIN;
    if ((wanted & TAU_EVENT_WRITE) != 0)
        item.events |= POLLOUT;
    if (poll(&item, 1, wait_ms(async, until_ns)) <= 0)
        return 0;
    bool readable = (item.revents & (POLLIN | POLLHUP | POLLERR)) != 0;
    return readable ? TAU_EVENT_READ : TAU_EVENT_WRITE;
}

bool tau_client_run(struct tau_client *client, tau_client_reached *reached, const void *goal,
                    int64_t until_ns)
{
    for (;;) {
        tau_async_on_ready(client->async, 0);
        if (reached(client, goal))
            return true;
        if (until_ns != TAU_NEVER && tau_clock_now_ns() >= until_ns)
            return false;
        unsigned events = wait_for_events(client->async, until_ns);
        if (events == TAU_EVENT_READ) {
            tau_async_on_ready(client->async, events);
            if (reached(client, goal))
                return true;
        }
    }
}

int64_t tau_client_deadline_ns(const struct tau_client *client)
{
    uint32_t timeout_ms = client->async->request_timeout_ms;
    return timeout_ms == 0 ? TAU_NEVER : tau_clock_now_ns() + (int64_t)timeout_ms * TAU_NS_PER_MS;
}

/* --- making, connecting, freeing ------------------------------------------------------------- */

static bool is_settled(const struct tau_client *client, const void *goal)
{
    (void)goal;
    return tau_async_link(client->async) != TAU_LINK_CONNECTING;
}

enum tau_status tau_client_connect(struct tau_client *client, struct tau_error *error)
{
    struct tau_async *async = client->async;
    if (tau_async_is_entered(async))
        return tau_fault(error, TAU_STATUS_INVALID_ARGUMENT, 0,
                         "a blocking call must not be made in a callback");
    if (tau_async_link(async) == TAU_LINK_READY)
        return TAU_STATUS_SUCCESS;
    tau_async_connect(async);
    tau_client_run(client, is_settled, NULL, TAU_NEVER);
    if (tau_async_link(async) == TAU_LINK_READY)
        return TAU_STATUS_SUCCESS;
    tau_fault_copy(error, &async->core.loss);
    return async->core.loss.status;
}

enum tau_status tau_client_new(const struct tau_options *options, struct tau_client **ret_client,
                               struct tau_error *error)
{
    struct tau_async *async;
    enum tau_status status = tau_async_new(options, &async, error);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    struct tau_client *client =
        tau_memory_allocate(&async->settings.core.allocator, sizeof(*client));
    if (client == NULL) {
        tau_async_free(async);
        return tau_fault_status(error, TAU_STATUS_NO_MEMORY);
    }
    async->single_receive = true;
    client->async = async;
    status = tau_client_connect(client, error);
    if (status != TAU_STATUS_SUCCESS) {
        tau_client_free(client);
        return status;
    }
    *ret_client = client;
    return TAU_STATUS_SUCCESS;
}

void tau_client_free(struct tau_client *client)
{
    if (client == NULL)
        return;
    struct tau_allocator allocator = client->async->settings.core.allocator;
    tau_async_free(client->async);
    tau_memory_release(&allocator, client, sizeof(*client));
}

/* --- the pipeline ---------------------------------------------------------------------------- */

struct tau_async *tau_client_pipeline(struct tau_client *client)
{
    return client->async;
}

static bool has_drained(const struct tau_client *client, const void *goal)
{
    const size_t *max_outstanding = goal;
    return tau_async_outstanding(client->async) <= *max_outstanding;
}

enum tau_status tau_client_wait(struct tau_client *client, size_t max_outstanding)
{
    if (tau_async_is_entered(client->async))
        return TAU_STATUS_INVALID_ARGUMENT;
    tau_client_run(client, has_drained, &max_outstanding, TAU_NEVER);
    return TAU_STATUS_SUCCESS;
}

/* --- blocking calls -------------------------------------------------------------------------- */

void tau_client_look(struct tau_client *client)
{
    if (tau_clock_now_ns() - client->async->received_at_ns > SILENCE_NS)
        tau_async_on_ready(client->async, TAU_EVENT_READ);
}

enum tau_status tau_waiter_begin(struct tau_waiter *waiter, struct tau_client *client,
                                 void *response, struct tau_error *error)
{
    struct tau_async *async = client->async;
    if (tau_async_is_entered(async))
        return tau_fault(error, TAU_STATUS_INVALID_ARGUMENT, 0,
                         "a blocking call must not be made in a callback");
    tau_client_look(client);
    *waiter = (struct tau_waiter){
        .client = client,
        .response = response,
        .error = error,
        .deadline_ns = tau_client_deadline_ns(client),
    };
    return TAU_STATUS_SUCCESS;
}

static bool has_fewer_pending(const struct tau_client *client, const void *goal)
{
    const size_t *count = goal;
    return client->async->core.pending.count < *count;
}

bool tau_waiter_make_room(struct tau_waiter *waiter)
{
    size_t count = waiter->client->async->core.pending.count;
    return tau_client_run(waiter->client, has_fewer_pending, &count, waiter->deadline_ns);
}

static bool is_done(const struct tau_client *client, const void *goal)
{
    const struct tau_waiter *waiter = goal;
    (void)client;
    return waiter->done;
}

/* The words for a request that could not be made: what the server does not offer, or why the
   connection ended, if it did. */
static void explain(struct tau_waiter *waiter, enum tau_status status)
{
    const struct tau_call *refused = waiter->client->async->core.refused;
    if (refused != NULL) {
        tau_core_explain(refused, status, waiter->error);
        return;
    }
    const struct tau_error *loss = &waiter->client->async->core.loss;
    if (loss->status != TAU_STATUS_SUCCESS &&
        (status == TAU_STATUS_CONNECTION_LOST || status == loss->status))
        tau_fault_copy(waiter->error, loss);
    else
        tau_fault_status(waiter->error, status);
    if (waiter->error != NULL)
        waiter->error->status = status;
}

enum tau_status tau_waiter_end(struct tau_waiter *waiter, enum tau_status status)
{
    if (status == TAU_STATUS_WOULD_BLOCK)
        status = TAU_STATUS_TIMEOUT;
    if (status != TAU_STATUS_SUCCESS) {
        explain(waiter, status);
        return status;
    }
    tau_client_run(waiter->client, is_done, waiter, TAU_NEVER);
    return waiter->status;
}

void tau_waiter_finish(struct tau_waiter *waiter, enum tau_status status,
                       const struct tau_error *error)
{
    tau_fault_copy(waiter->error, error);
    waiter->status = status;
    waiter->done = true;
}

/* --- about the client ------------------------------------------------------------------------ */

void tau_client_set_timeout_ms(struct tau_client *client, uint32_t timeout_ms)
{
    tau_async_set_timeout_ms(client->async, timeout_ms);
}

bool tau_client_supports(const struct tau_client *client, enum tau_opcode opcode)
{
    return tau_async_supports(client->async, opcode);
}

const struct tau_server_info *tau_client_server(const struct tau_client *client)
{
    return tau_async_server(client->async);
}

const char *tau_client_version(void)
{
    return TAU_VERSION;
}
