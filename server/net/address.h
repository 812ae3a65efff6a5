// SPDX-License-Identifier: MIT
// Addresses as people write them: HOST:PORT, [IPV6]:PORT, unix:PATH.
#ifndef TAUD_NET_ADDRESS_H
#define TAUD_NET_ADDRESS_H

#include "transport/penalty.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

enum { TAUD_ADDRESS_TEXT_SIZE = 128 };

struct taud_address {
    struct sockaddr_storage storage;
    socklen_t size;
};

// Reads an address to listen on. HOST is an IPv4 address or a name that resolves to one or to an
// IPv6 address. Returns false when it is none of the three forms, or the name does not resolve.
__attribute__((warn_unused_result)) bool taud_address_parse(const char *text,
                                                            struct taud_address *ret_address);

// Writes the address in the form that taud_address_parse reads; a longer path is cut.
void taud_address_format(const struct taud_address *address, char text[TAUD_ADDRESS_TEXT_SIZE]);

bool taud_address_is_unix(const struct taud_address *address);

// Whether it is an IP address at which this machine speaks to itself.
bool taud_address_is_loopback(const struct taud_address *address);

// The path of a unix address.
const char *taud_address_path(const struct taud_address *address);

// What stands for the peer when wrong certificates are counted: an IPv4 address, the network of an
// IPv6 address (64 bits), or all of this machine's for a unix socket.
struct taud_penalty_key taud_address_penalty_key(const struct taud_address *address);

#endif
