/* SPDX-License-Identifier: MIT */
/*
 * The server of the workbench for commands: one thread, several connections, frames that were
 * encoded beforehand. It allocates nothing while it serves, so that a test may fail allocations of
 * the command. It is written for these tests alone and says nothing about taud.
 */
#ifndef TAU_TESTS_RIG_SERVER_H
#define TAU_TESTS_RIG_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tau/protocol.h>

enum rig_deed { RIG_FRAME, RIG_ACCEPT, RIG_CLOSE, RIG_SILENCE };

/* What is done with a request. */
struct rig_plan {
    uint8_t opcode;
    enum rig_deed deed;
    bool interrupts; /* raises SIGINT first */
    bool used;
    uint8_t *frame; /* of RIG_FRAME, header included; owned */
    size_t size;
};

/* A request that came. */
struct rig_record {
    uint8_t opcode;
    size_t offset; /* of its payload among the kept bytes */
    size_t size;
    bool kept;
};

struct rig_server;

/* Starts a server on 127.0.0.1 and any port. NULL when that cannot be. */
struct rig_server *rig_server_start(void);

/* Stops serving and listening; what was asked stays readable. May be called twice. */
void rig_server_stop(struct rig_server *server);

/* Says on standard error what was planned or asked in vain, and returns how often. */
size_t rig_server_disappointments(const struct rig_server *server);

void rig_server_free(struct rig_server *server);

const char *rig_server_address(const struct rig_server *server);

/* Adds a plan; its frame becomes the server's. */
void rig_server_plan(struct rig_server *server, const struct rig_plan *plan);

/* Has the plan that was added last raise SIGINT. */
void rig_server_interrupt(struct rig_server *server);

size_t rig_server_count(struct rig_server *server, uint8_t opcode);

/* A payload that came; false when there is no such request or it was too large to be kept. The
   bytes stay until the server is freed. */
bool rig_server_request(struct rig_server *server, uint8_t opcode, size_t index,
                        struct tau_slice *ret_payload);

#endif
