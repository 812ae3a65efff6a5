/* SPDX-License-Identifier: MIT */
/*
 * Puts the segments of TCP connections back into their order, each direction for itself: what was
 * sent twice is taken once, what came early waits, and what never came is told as lost.
 */
#ifndef TAU_CLI_DECODE_FLOWS_H
#define TAU_CLI_DECODE_FLOWS_H

#include "decode/packet.h"

/* What waits in one direction for a segment that is missing; beyond it the segment is lost. */
#define CLI_EARLY_BYTES ((size_t)16 * 1024 * 1024)

/* The connections of a capture that are followed; those that begin later are left out. */
#define CLI_FLOW_LIMIT 65536

struct cli_flow;

/* Bytes of a connection, in order. */
struct cli_flow_bytes {
    uint32_t number; /* of the connection, from 0 */
    uint16_t server_port;
    bool reply;            /* the server sent them */
    uint64_t lost;         /* so many bytes are missing before them */
    struct tau_slice data; /* borrowed for the call; empty where only a loss is told */
};

/* Takes the bytes. Returns false to stop. */
typedef bool cli_flow_callback(void *user_data, const struct cli_flow_bytes *bytes);

struct cli_flows {
    struct cli_flow *newest;
    struct cli_flow **buckets; /* NULL until there is a connection */
    bool left_out;             /* there were more than are followed */
    uint32_t count; /* numbers are given from 0 */
    uint16_t server_port;
    cli_flow_callback *on_bytes;
    void *user_data;
};

/* `server_port` tells client and server apart where a connection's beginning is not there. */
void cli_flows_init(struct cli_flows *flows, uint16_t server_port, cli_flow_callback *on_bytes,
                    void *user_data);
void cli_flows_done(struct cli_flows *flows);

/* Takes a segment. Returns false when there is no memory, or the callback stopped it. */
bool cli_flows_add(struct cli_flows *flows, const struct cli_segment *segment);

/* The capture has ended: hands on what still waits, with what is missing before it. */
bool cli_flows_end(struct cli_flows *flows);

#endif
