// SPDX-License-Identifier: MIT
// The coordinator: makes the parts from the configuration, starts them in order, and stops them in
// the reverse order. It does no I/O itself and knows no connection.
#ifndef TAUD_SERVER_H
#define TAUD_SERVER_H

#include "config/config.h"
#include "observe/log.h"

#include <stdbool.h>
#include <stdio.h>

struct taud_server;

// What went wrong, in one line.
struct taud_server_error {
    bool usage; // an option is wrong
    char text[1024];
};

// Makes all parts: memory only. config and log are borrowed. Returns NULL on failure.
__attribute__((warn_unused_result)) struct taud_server *
taud_server_new(const struct taud_config *config, struct taud_log *log,
                struct taud_server_error *ret_error);

// Opens the data, replays the log, then accepts connections.
__attribute__((warn_unused_result)) bool taud_server_startup(struct taud_server *server,
                                                             char *const environment[],
                                                             struct taud_server_error *ret_error);

// Writes the line that says that the server is there.
void taud_server_announce(const struct taud_server *server, FILE *out);

// Serves until it is told to stop.
void taud_server_run(struct taud_server *server);

// Accepts no more, finishes what was read, makes everything durable.
void taud_server_stop(struct taud_server *server);

// Accepts NULL.
void taud_server_free(struct taud_server *server);

#endif
