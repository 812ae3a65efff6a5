// SPDX-License-Identifier: MIT
// The memory of a worker's connections: slabs, from which a connection takes a place and to which
// its close returns it. Slabs are never given back before the worker ends, so memory after a
// million reconnects is that after a thousand, and a stop frees everything in one step.
#ifndef TAUD_NET_CONNECTION_MANAGER_H
#define TAUD_NET_CONNECTION_MANAGER_H

#include "net/connection.h"

struct taud_connection_manager {
    struct taud_slab *slabs;
    struct taud_connection *free; // linked through next_free
    size_t count;                 // places in use
};

void taud_connection_manager_init(struct taud_connection_manager *manager);

// Frees all memory; connections must have been closed.
void taud_connection_manager_done(struct taud_connection_manager *manager);

// Returns zeroed memory, or NULL when there is none.
__attribute__((warn_unused_result)) struct taud_connection *
taud_connection_manager_take(struct taud_connection_manager *manager);

void taud_connection_manager_give(struct taud_connection_manager *manager,
                                  struct taud_connection *connection);

// Calls the function for every place in use; it may give the place back.
void taud_connection_manager_each(struct taud_connection_manager *manager,
                                  void (*call)(struct taud_connection *connection));

#endif
