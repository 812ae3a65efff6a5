// SPDX-License-Identifier: MIT
// Everything that has sockets: listeners, workers, signals. The main thread accepts and hands each
// connection to the worker that has the fewest; it stays there.
#ifndef TAUD_NET_NETWORK_H
#define TAUD_NET_NETWORK_H

#include "config/config.h"
#include "engine/engine.h"
#include "observe/log.h"
#include "observe/statistics.h"

#include <stdbool.h>
#include <stdio.h>

struct taud_network;

enum { TAUD_NETWORK_ERROR_SIZE = 512 };

struct taud_network_error {
    bool usage; // an option is wrong
    char text[TAUD_NETWORK_ERROR_SIZE];
};

struct taud_network_options {
    const struct taud_config *config;
    struct taud_engine *engine;
    struct taud_log *log;
};

// Holds back SIGTERM, SIGINT and SIGHUP in this thread and in those that it starts, for good: a
// network reads them when it runs, so that they cut neither a start nor an orderly stop short. For
// whoever makes a network, before there is another thread.
void taud_network_hold_signals(void);

// Makes the network: memory, event loops, addresses read. No socket, no thread. All that the
// options point to is borrowed. Returns NULL and one line in the error.
__attribute__((warn_unused_result)) struct taud_network *
taud_network_new(const struct taud_network_options *options, struct taud_network_error *ret_error);

// Takes the addresses, without accepting. So a port that is in use is found before a long replay.
__attribute__((warn_unused_result)) bool taud_network_bind(struct taud_network *network,
                                                           struct taud_network_error *ret_error);

// Starts the workers and accepts clients that have the certificate.
__attribute__((warn_unused_result)) bool
taud_network_startup(struct taud_network *network, const struct tau_certificate *certificate,
                     struct taud_network_error *ret_error);

// Writes the addresses on which it accepts, with blanks between.
void taud_network_addresses(const struct taud_network *network, FILE *out);

// Serves until SIGTERM or SIGINT. SIGHUP opens the log anew.
void taud_network_run(struct taud_network *network);

// Accepts no more, lets the workers finish what they have read, and waits for their end.
void taud_network_stop(struct taud_network *network);

// Adds up a counter over all workers. Any thread.
uint64_t taud_network_counter(const struct taud_network *network, enum taud_counter counter);

// Accepts NULL. Must have been stopped, if it was started.
void taud_network_free(struct taud_network *network);

#endif
