/* SPDX-License-Identifier: MIT */
/*
 * A server's address as people write it, taken apart. Pure text: nothing is resolved here.
 */
#ifndef TAU_ADDRESS_H
#define TAU_ADDRESS_H

#include <stdbool.h>

#include <tau/error.h>

/* The longest name of a host, and a path that fits into a socket's address. */
#define TAU_ADDRESS_HOST_SIZE 256

struct tau_address {
    bool local;                       /* a path of a Unix socket, in host */
    char host[TAU_ADDRESS_HOST_SIZE]; /* a name, an address without brackets, or a path */
    char port[6];                     /* decimal */
};

/* HOST, HOST:PORT, IPV6, [IPV6], [IPV6]:PORT or unix:PATH; NULL for the default. Returns success or
   invalid_argument. */
enum tau_status tau_address_parse(const char *text, struct tau_address *ret_address,
                                  struct tau_error *error);

#endif
