// SPDX-License-Identifier: MIT
// Whether a worker that has nothing left to do looks out for the next request for a moment before
// it sleeps. To wake a thread whose processor has gone idle takes longer than to answer most
// requests, so a client that sends one request at a time mostly waits for that. What is looked for
// in vain is paid from an allowance that the worker's turns fill: it stays a small share of them,
// whatever clients do. Must know neither clock nor events.
#ifndef TAUD_NET_BUSY_POLL_H
#define TAUD_NET_BUSY_POLL_H

#include <stdbool.h>
#include <stdint.h>

enum {
    TAUD_BUSY_POLL_NS = 100 * 1000, // so long: most clients that are woken by a reply are back then
    TAUD_BUSY_POLL_EARNED_NS = 1000,           // by a turn in which a connection was served
    TAUD_BUSY_POLL_SAVED_NS = 1000 * 1000,     // what can be saved up
    TAUD_BUSY_POLL_OWED_NS = 10 * 1000 * 1000, // what can be owed: the process stood still for long
};

struct taud_busy_poll {
    int64_t allowance_ns; // looks out while it is above 0
};

// Begins with all that can be saved up.
void taud_busy_poll_init(struct taud_busy_poll *poll);

// After a turn in which a connection was served. Returns whether to look out now.
bool taud_busy_poll_served(struct taud_busy_poll *poll);

// Nothing came in this time, which is longer than asked for where others had the processor.
void taud_busy_poll_in_vain(struct taud_busy_poll *poll, uint64_t took_ns);

#endif
