// SPDX-License-Identifier: MIT
// The other end of a connection, as a test holds it: frames out, and what must come back. Nothing
// here waits for ever: a reply that does not come within PEER_PATIENCE_S fails the test.
#ifndef PEER_H
#define PEER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <sys/socket.h>

#include "tau_codec.h"
#include "wire/bytes.h"

enum { PEER_PATIENCE_S = 20 };

extern const struct tau_certificate PEER_CERTIFICATE;

// Gives a socket the patience of a peer. Returns it.
int peer_prepare(int file);

// Connects to an address. Returns the socket.
int peer_open(const struct sockaddr *address, socklen_t size);

void peer_send_bytes(int peer, const void *data, size_t size);
void peer_send(int peer, uint8_t opcode, const void *payload, size_t size);

// Takes one frame, which must have this opcode and payload.
void peer_expect(int peer, uint8_t opcode, const void *payload, size_t size);
void peer_expect_error(int peer, enum tau_status status);
void peer_expect_end(int peer);

// Whether nothing comes for so long.
bool peer_hears_nothing(int peer, int milliseconds);

// Sends CONNECT with PEER_CERTIFICATE, and expects its OK.
void peer_connect(int peer);

// Sends CREATE_SERIES, or APPEND of the value 1.5, without waiting for the reply.
void peer_create(int peer, const char *label);
void peer_append(int peer, const char *label, int64_t timestamp);

#endif
