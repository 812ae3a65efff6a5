/* SPDX-License-Identifier: MIT */
/*
 * A chain of queries for the tests of event loops: each is asked in the callback of the one before,
 * so the loop has to follow every change of what the client waits for.
 */
#ifndef CHAIN_H
#define CHAIN_H

#include <stddef.h>
#include <stdint.h>

#include <tau/async.h>

struct chain {
    struct tau_async *async;
    int64_t next; /* the timestamp that is asked for */
    int64_t end;
    size_t lost;                           /* queries that ended with the connection */
    void (*finished)(struct chain *chain); /* called in the last callback; NULL for nobody */
};

/* Makes a client of a server's address that reconnects. */
struct tau_async *chain_connect(const char *address, tau_link_callback *on_link, void *user_data);

/* Asks the next query. */
void chain_ask(struct chain *chain);

#endif
