/* SPDX-License-Identifier: MIT */
/*
 * Plugs an asynchronous client into a libevent base. Everything is in this header, so libtauclient
 * itself does not depend on libevent: a program that includes it links with -levent_core.
 */
#ifndef TAU_LIBEVENT_H
#define TAU_LIBEVENT_H

#include <stdbool.h>
#include <string.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include <tau/async.h>

/** A client on a base. The caller's memory; it stays until it was detached. */
struct tau_libevent {
    struct tau_async *async; /* NULL when detached */
    struct event_base *base;
    struct event io;
    struct event timer;
    int fd; /* that io watches, or -1 */
    unsigned wanted;
};

static inline void tau_libevent_update(struct tau_libevent *adapter);

static inline void tau_libevent_on_event(evutil_socket_t fd, short events, void *user_data)
{
    struct tau_libevent *adapter = (struct tau_libevent *)user_data;
    unsigned seen = 0;
    (void)fd;
    if (events & EV_READ)
        seen |= TAU_EVENT_READ;
    if (events & EV_WRITE)
        seen |= TAU_EVENT_WRITE;
    tau_async_on_ready(adapter->async, seen);
    if (adapter->async != NULL)
        tau_libevent_update(adapter);
}

static inline void tau_libevent_on_changed(void *user_data)
{
    tau_libevent_update((struct tau_libevent *)user_data);
}

static inline void tau_libevent_watch(struct tau_libevent *adapter, int fd, unsigned wanted)
{
    short events = EV_PERSIST;
    if (adapter->fd >= 0)
        event_del(&adapter->io);
    if (wanted & TAU_EVENT_READ)
        events |= EV_READ;
    if (wanted & TAU_EVENT_WRITE)
        events |= EV_WRITE;
    adapter->fd = fd;
    adapter->wanted = wanted;
    if (fd < 0)
        return;
    event_assign(&adapter->io, adapter->base, fd, events, tau_libevent_on_event, adapter);
    event_add(&adapter->io, NULL);
}

/* Makes the base watch what the client wants now. */
static inline void tau_libevent_update(struct tau_libevent *adapter)
{
    int fd = tau_async_fd(adapter->async);
    unsigned wanted = tau_async_wanted(adapter->async);
    int timeout_ms = tau_async_timeout_ms(adapter->async);
    if (fd != adapter->fd || wanted != adapter->wanted)
        tau_libevent_watch(adapter, fd, wanted);
    if (timeout_ms < 0) {
        evtimer_del(&adapter->timer);
    } else {
        struct timeval timeout;
        timeout.tv_sec = timeout_ms / 1000;
        timeout.tv_usec = (timeout_ms % 1000) * 1000;
        evtimer_add(&adapter->timer, &timeout);
    }
}

/**
 * Plugs a client into a base. From here on the base drives it.
 *
 * Ownership: `adapter` is the caller's memory and is filled in; client and base are the caller's
 * and outlive it. Thread: the base's. Blocks: no. Since: 1.0.
 */
static inline void tau_libevent_attach(struct tau_libevent *adapter, struct tau_async *async,
                                       struct event_base *base)
{
    memset(adapter, 0, sizeof(*adapter));
    adapter->async = async;
    adapter->base = base;
    adapter->fd = -1;
    evtimer_assign(&adapter->timer, base, tau_libevent_on_event, adapter);
    tau_async_set_changed(async, tau_libevent_on_changed, adapter);
    tau_libevent_update(adapter);
}

/**
 * Takes a client off its base, before the client is freed. May be called in a callback of the
 * client; the memory of the adapter must then stay until that callback has returned.
 *
 * Thread: the base's. Blocks: no. Since: 1.0.
 */
static inline void tau_libevent_detach(struct tau_libevent *adapter)
{
    if (adapter->async == NULL)
        return;
    tau_async_set_changed(adapter->async, NULL, NULL);
    if (adapter->fd >= 0)
        event_del(&adapter->io);
    evtimer_del(&adapter->timer);
    adapter->async = NULL;
}

#endif
