// SPDX-License-Identifier: MIT
// A socket that accepts connections. It says whom to hand them to, and backs off when the process
// has no descriptors left, instead of spinning on what it cannot accept.
#ifndef TAUD_NET_LISTENER_H
#define TAUD_NET_LISTENER_H

#include "net/address.h"
#include "observe/log.h"

#include <event2/event.h>

// Takes over an accepted socket.
typedef void taud_listener_accepted(void *user_data, int file, const struct taud_address *peer);

struct taud_listener {
    int file;
    bool bound_path; // a unix socket lies in the file system, to be removed at the end
    struct taud_address address;
    struct event *accept_event;
    struct event *retry_event;
    struct taud_log *log;
    struct taud_log_gate gate;
    taud_listener_accepted *accepted;
    void *user_data;
};

struct taud_listener_options {
    struct taud_address address;
    int backlog;
    struct taud_log *log;
    taud_listener_accepted *accepted;
    void *user_data;
};

// Takes the address, but does not accept yet. Returns false and sets errno when it cannot.
__attribute__((warn_unused_result)) bool
taud_listener_bind(struct taud_listener *listener, const struct taud_listener_options *options);

// Accepts from now on, in this event loop. `address` then holds the port that it got. Returns false
// and sets errno.
__attribute__((warn_unused_result)) bool
taud_listener_startup(struct taud_listener *listener, struct event_base *base, int backlog);

// Stops accepting and closes the socket. Accepts one that was never bound.
void taud_listener_done(struct taud_listener *listener);

#endif
