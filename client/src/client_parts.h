/* SPDX-License-Identifier: MIT */
/*
 * The inside of a blocking client, for the batching writer that waits on one.
 */
#ifndef TAU_CLIENT_PARTS_H
#define TAU_CLIENT_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include <tau/client.h>

#include "async_parts.h"

struct tau_client {
    struct tau_async *async;
};

/* Tells whether what is waited for is there. */
typedef bool tau_client_reached(const struct tau_client *client, const void *goal);

/* Sends and receives until the goal is reached (true) or a time has come (false). */
bool tau_client_run(struct tau_client *client, tau_client_reached *reached, const void *goal,
                    int64_t until_ns);

/* Before a request: notices that the server closed a connection which was silent for long. */
void tau_client_look(struct tau_client *client);

/* When a wait that begins now has to end. */
int64_t tau_client_deadline_ns(const struct tau_client *client);

#endif
