/* SPDX-License-Identifier: MIT */
/*
 * Addresses of this machine for the tests of the client's sockets: one that accepts, one where
 * nobody listens, one that swallows every attempt; and a resolver that answers what a test wants.
 */
#ifndef LOOPBACK_H
#define LOOPBACK_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#define LOOPBACK_ANSWERS 12

/* Listens on a free port of 127.0.0.1. Returns the descriptor. */
int loopback_listen(struct sockaddr_in *ret_address);

/* A port on which nobody listens, but that nobody else gets while the descriptor is open. */
int loopback_refuse(struct sockaddr_in *ret_address);

/* A listener whose queue is full: an attempt to connect is neither accepted nor refused. */
struct loopback_full {
    int listener;
    int guest;
};

struct loopback_full loopback_fill(struct sockaddr_in *ret_address);
void loopback_close(struct loopback_full full);

/* The lowest descriptor that is free: the same before and after when nothing was left open. */
int lowest_descriptor(void);

/* What getaddrinfo says in a program that is linked with --wrap; the system is asked while it has
   neither answers nor a failure. */
struct fake_resolver {
    struct sockaddr_storage addresses[LOOPBACK_ANSWERS];
    socklen_t sizes[LOOPBACK_ANSWERS];
    size_t count;
    int failure; /* of getaddrinfo, or 0 */
    size_t asked;
    size_t held; /* answers that were not given back */
};

extern struct fake_resolver fake_resolver;

void fake_resolver_add(const struct sockaddr_in *address);

#endif
