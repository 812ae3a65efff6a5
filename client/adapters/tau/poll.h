/* SPDX-License-Identifier: MIT */
/*
 * An event loop of plain poll(2) for asynchronous clients: enough for a program that has no loop of
 * its own. Everything is in this header; it needs nothing but <tau/async.h>.
 */
#ifndef TAU_POLL_H
#define TAU_POLL_H

#include <poll.h>
#include <stddef.h>

#include <tau/async.h>

/** The most clients of one turn. */
#define TAU_POLL_MAX 64

static inline short tau_poll_events(unsigned wanted)
{
    int events = 0;
    if (wanted & TAU_EVENT_READ)
        events |= POLLIN;
    if (wanted & TAU_EVENT_WRITE)
        events |= POLLOUT;
    return (short)events;
}

static inline unsigned tau_poll_seen(short revents)
{
    unsigned seen = 0;
    if (revents & (POLLIN | POLLERR | POLLHUP | POLLNVAL))
        seen |= TAU_EVENT_READ;
    if (revents & POLLOUT)
        seen |= TAU_EVENT_WRITE;
    return seen;
}

/**
 * Waits for one turn and lets every client do what it can.
 *
 * Shapes: `clients` holds `count` clients, at most TAU_POLL_MAX; `timeout_ms` is the longest wait,
 * -1 for none but the clients' own. Ownership: the clients are the caller's; none of them may be
 * freed in a callback of this turn. Returns: the number of clients with events, 0 after a timeout,
 * -1 with errno as poll(2). Thread: the clients'. Blocks: yes. Since: 1.0.
 */
static inline int tau_poll_turn(struct tau_async *const *clients, size_t count, int timeout_ms)
{
    struct pollfd items[TAU_POLL_MAX];
    for (size_t i = 0; i < count; i++) {
        int own_ms = tau_async_timeout_ms(clients[i]);
        if (own_ms >= 0 && (timeout_ms < 0 || own_ms < timeout_ms))
            timeout_ms = own_ms;
        items[i].fd = tau_async_fd(clients[i]);
        items[i].events = tau_poll_events(tau_async_wanted(clients[i]));
        items[i].revents = 0;
    }
    int ready = poll(items, (nfds_t)count, timeout_ms);
    if (ready < 0)
        return ready;
    for (size_t i = 0; i < count; i++)
        tau_async_on_ready(clients[i], tau_poll_seen(items[i].revents));
    return ready;
}

#endif
