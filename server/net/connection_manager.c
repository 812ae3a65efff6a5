// SPDX-License-Identifier: MIT
// The memory of a worker's connections.
#include "net/connection_manager.h"

#include <stdlib.h>
#include <string.h>

enum { SLAB_CONNECTIONS = 128 };

struct taud_slab {
    struct taud_slab *next;
    struct taud_connection connections[SLAB_CONNECTIONS];
};

void taud_connection_manager_init(struct taud_connection_manager *manager)
{
    *manager = (struct taud_connection_manager){0};
}

void taud_connection_manager_done(struct taud_connection_manager *manager)
{
    while (manager->slabs != NULL) {
        struct taud_slab *slab = manager->slabs;
        manager->slabs = slab->next;
        free(slab);
    }
    manager->free = NULL;
}

static bool add_slab(struct taud_connection_manager *manager)
{
    struct taud_slab *slab = calloc(1, sizeof *slab);
    if (slab == NULL)
        return false;
    slab->next = manager->slabs;
    manager->slabs = slab;
    for (size_t index = SLAB_CONNECTIONS; index-- > 0;) {
        slab->connections[index].next_free = manager->free;
        manager->free = &slab->connections[index];
    }
    return true;
}

struct taud_connection *taud_connection_manager_take(struct taud_connection_manager *manager)
{
    if (manager->free == NULL && !add_slab(manager))
        return NULL;
    struct taud_connection *connection = manager->free;
    manager->free = connection->next_free;
    memset(connection, 0, sizeof *connection);
    connection->used = true;
    manager->count++;
    return connection;
}

void taud_connection_manager_give(struct taud_connection_manager *manager,
                                  struct taud_connection *connection)
{
    connection->used = false;
    connection->next_free = manager->free;
    manager->free = connection;
    manager->count--;
}

void taud_connection_manager_each(struct taud_connection_manager *manager,
                                  void (*call)(struct taud_connection *connection))
{
    for (struct taud_slab *slab = manager->slabs; slab != NULL; slab = slab->next) {
        for (size_t index = 0; index < SLAB_CONNECTIONS; index++) {
            if (slab->connections[index].used)
                call(&slab->connections[index]);
        }
    }
}
