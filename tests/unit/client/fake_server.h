/* SPDX-License-Identifier: MIT */
/*
 * A small server for the tests of the client's faces: one thread, one connection at a time, on a
 * socket of its own. It keeps what was appended, and misbehaves when it is asked to. It is written
 * for the client's tests alone and says nothing about taud.
 */
#ifndef FAKE_SERVER_H
#define FAKE_SERVER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tau/protocol.h>

/* Timestamps of requests that the server treats in its own way. */
#define FAKE_SLOW   1000001 /* answered after FAKE_SLOW_MS */
#define FAKE_CLOSE  1000010 /* not answered: the connection is closed */
#define FAKE_SILENT 2000001 /* of a query: never answered */

#define FAKE_SLOW_MS 800

struct fake_plan {
    const char *address;     /* "127.0.0.1", "::1" or "unix:PATH"; NULL for the first */
    bool legacy;             /* knows neither NEGOTIATE nor what it offers */
    bool refuse;             /* every certificate is wrong */
    bool mute;               /* accepts and says nothing */
    unsigned close_after_ms; /* closes a connection that was silent for so long; 0 for never */
    unsigned range_batches;  /* of 1,000 points each; the last one is empty */
};

struct fake_server {
    struct fake_plan plan;
    char address[128];
    int listener;
    int stop[2];
    pthread_t thread;
    pthread_mutex_t lock; /* what follows */
    struct tau_row *rows; /* that were accepted, in order */
    size_t row_count;
    size_t row_capacity;
    size_t requests[256]; /* by opcode */
    size_t connections;
};

/* Starts a server. False when the address cannot be had on this machine. */
bool fake_server_start(struct fake_server *server, const struct fake_plan *plan);
void fake_server_stop(struct fake_server *server);

size_t fake_server_requests(struct fake_server *server, uint8_t opcode);
size_t fake_server_connections(struct fake_server *server);
size_t fake_server_rows(struct fake_server *server);

#endif
