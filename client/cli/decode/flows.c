/* SPDX-License-Identifier: MIT */
/*
 * Sequence numbers wrap around, so they are compared by their distance. Segments that came early
 * hang in a list in the order of their numbers. Connections are found in a hash table by their two
 * ends, whichever of them speaks.
 */
#include "decode/flows.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS 32768 /* a power of two */

struct early {
    struct early *next;
    uint32_t sequence;
    size_t missing;
    size_t size;
    uint8_t data[];
};

/* One direction of a connection. */
struct half {
    bool begun;
    uint32_t expected;
    struct early *early;
    size_t early_bytes;
};

struct cli_flow {
    struct cli_flow *older;
    struct cli_flow *chained; /* an older one of the same bucket */
    struct cli_endpoint client;
    struct cli_endpoint server;
    uint32_t number;
    bool opening_seen;
    uint32_t opening;      /* the number with which the client opened it */
    struct half halves[2]; /* of the client, of the server */
};

void cli_flows_init(struct cli_flows *flows, uint16_t server_port, cli_flow_callback *on_bytes,
                    void *user_data)
{
    *flows = (struct cli_flows){
        .server_port = server_port, .on_bytes = on_bytes, .user_data = user_data};
}

static void free_early(struct half *half)
{
    while (half->early != NULL) {
        struct early *next = half->early->next;
        free(half->early);
        half->early = next;
    }
    half->early_bytes = 0;
}

void cli_flows_done(struct cli_flows *flows)
{
    while (flows->newest != NULL) {
        struct cli_flow *older = flows->newest->older;
        free_early(&flows->newest->halves[0]);
        free_early(&flows->newest->halves[1]);
        free(flows->newest);
        flows->newest = older;
    }
    free(flows->buckets);
    flows->buckets = NULL;
}

static bool same(const struct cli_endpoint *a, const struct cli_endpoint *b)
{
    return a->port == b->port && memcmp(a->address, b->address, sizeof(a->address)) == 0;
}

static uint32_t hash_end(const struct cli_endpoint *end)
{
    uint32_t hash = 2166136261u ^ end->port; /* FNV-1a */
    for (size_t i = 0; i < sizeof(end->address); i++) {
        hash = (hash ^ end->address[i]) * 16777619u;
    }
    return hash;
}

/* The same for both directions of a connection. */
static size_t bucket_of(const struct cli_segment *segment)
{
    uint32_t sum = hash_end(&segment->source) + hash_end(&segment->destination);
    return ((uint32_t)(sum * 2654435769u) >> 16) & (BUCKETS - 1);
}

static bool is_opening(const struct cli_segment *segment)
{
    return (segment->flags & (CLI_TCP_SYN | CLI_TCP_ACK)) == CLI_TCP_SYN;
}

/* Finds the connection of a segment. One that opens again is another connection. */
static struct cli_flow *find(const struct cli_flows *flows, const struct cli_segment *segment)
{
    struct cli_flow *flow = flows->buckets != NULL ? flows->buckets[bucket_of(segment)] : NULL;
    for (; flow != NULL; flow = flow->chained) {
        bool from_client = same(&flow->client, &segment->source);
        bool matches = from_client ? same(&flow->server, &segment->destination)
                                   : same(&flow->server, &segment->source) &&
                                         same(&flow->client, &segment->destination);
        if (!matches) {
            continue;
        }
        bool again =
            is_opening(segment) && !(flow->opening_seen && flow->opening == segment->sequence);
        return again ? NULL : flow;
    }
    return NULL;
}

/* A connection whose beginning is not there: the server is who has the port, else who did not
   speak first. */
static bool is_from_server(const struct cli_flows *flows, const struct cli_segment *segment)
{
    if ((segment->flags & CLI_TCP_SYN) != 0) {
        return (segment->flags & CLI_TCP_ACK) != 0;
    }
    return segment->source.port == flows->server_port &&
           segment->destination.port != flows->server_port;
}

static struct cli_flow *make(struct cli_flows *flows, const struct cli_segment *segment)
{
    if (flows->buckets == NULL) {
        flows->buckets = calloc(BUCKETS, sizeof(struct cli_flow *));
    }
    struct cli_flow *flow = flows->buckets != NULL ? calloc(1, sizeof(*flow)) : NULL;
    if (flow == NULL) {
        return NULL;
    }
    struct cli_flow **bucket = &flows->buckets[bucket_of(segment)];
    bool from_server = is_from_server(flows, segment);
    flow->client = from_server ? segment->destination : segment->source;
    flow->server = from_server ? segment->source : segment->destination;
    flow->number = flows->count++;
    flow->opening_seen = is_opening(segment);
    flow->opening = segment->sequence;
    flow->older = flows->newest;
    flows->newest = flow;
    flow->chained = *bucket;
    *bucket = flow;
    return flow;
}

/* How far `a` lies behind `b`; negative where it lies before it. */
static int32_t distance(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b);
}

/* Keeps a segment that came early, behind those that come before it. */
static bool keep(struct half *half, const struct cli_segment *segment)
{
    struct early *early = malloc(sizeof(*early) + segment->data.size);
    struct early **link = &half->early;
    if (early == NULL) {
        return false;
    }
    early->sequence = segment->sequence;
    early->missing = segment->missing;
    early->size = segment->data.size;
    if (early->size > 0) {
        memcpy(early->data, segment->data.data, early->size);
    }
    while (*link != NULL && distance((*link)->sequence, early->sequence) <= 0) {
        link = &(*link)->next;
    }
    early->next = *link;
    *link = early;
    half->early_bytes += early->size;
    return true;
}

static bool hand_on(const struct cli_flows *flows, const struct cli_flow *flow, bool reply,
                    struct tau_slice data, uint64_t lost)
{
    struct cli_flow_bytes bytes = {.number = flow->number,
                                   .server_port = flow->server.port,
                                   .reply = reply,
                                   .lost = lost,
                                   .data = data};
    return flows->on_bytes(flows->user_data, &bytes);
}

/* Hands on the part of a segment that was not handed on before. */
static bool deliver(struct cli_flows *flows, struct cli_flow *flow, bool reply, uint32_t sequence,
                    struct tau_slice data, size_t missing)
{
    struct half *half = &flow->halves[reply];
    int32_t ahead = distance(sequence, half->expected);
    uint64_t lost = ahead > 0 ? (uint64_t)ahead : 0;
    size_t old = ahead < 0 ? (size_t) - (int64_t)ahead : 0;
    size_t known = old < data.size ? old : data.size;
    old -= known;
    missing -= old < missing ? old : missing;
    if (data.size == known && missing == 0) {
        return true;
    }
    half->expected = sequence + (uint32_t)(data.size + missing);
    if (known < data.size || lost > 0) {
        data.data += known;
        data.size -= known;
        if (!hand_on(flows, flow, reply, data, lost)) {
            return false;
        }
    }
    return missing == 0 || hand_on(flows, flow, reply, (struct tau_slice){.size = 0}, missing);
}

/* Hands on what waits: all that has its turn, and with `all` what has not. */
static bool release(struct cli_flows *flows, struct cli_flow *flow, bool reply, bool all)
{
    struct half *half = &flow->halves[reply];
    bool ok = true;
    while (ok && half->early != NULL &&
           (all || distance(half->early->sequence, half->expected) <= 0)) {
        struct early *early = half->early;
        half->early = early->next;
        half->early_bytes -= early->size;
        ok = deliver(flows, flow, reply, early->sequence,
                     (struct tau_slice){.data = early->data, .size = early->size}, early->missing);
        free(early);
    }
    return ok;
}

static bool add_data(struct cli_flows *flows, struct cli_flow *flow, bool reply,
                     const struct cli_segment *segment)
{
    struct half *half = &flow->halves[reply];
    if (!half->begun) {
        half->begun = true;
        half->expected = segment->sequence;
    }
    if (distance(segment->sequence, half->expected) > 0) {
        bool full = half->early_bytes + segment->data.size > CLI_EARLY_BYTES;
        return keep(half, segment) && (!full || release(flows, flow, reply, true));
    }
    return deliver(flows, flow, reply, segment->sequence, segment->data, segment->missing) &&
           release(flows, flow, reply, false);
}

bool cli_flows_add(struct cli_flows *flows, const struct cli_segment *segment)
{
    struct cli_segment data = *segment;
    struct cli_flow *flow = find(flows, segment);
    bool empty = segment->data.size + segment->missing == 0;
    if (flow == NULL && empty && (segment->flags & CLI_TCP_SYN) == 0) {
        return true; /* nothing to begin a connection with */
    }
    if (flow == NULL && flows->count == CLI_FLOW_LIMIT) {
        flows->left_out = true;
        return true;
    }
    if (flow == NULL) {
        flow = make(flows, segment);
    }
    if (flow == NULL) {
        return false;
    }
    bool reply = same(&flow->server, &segment->source);
    if ((segment->flags & CLI_TCP_SYN) != 0) {
        struct half *half = &flow->halves[reply];
        data.sequence++;
        half->expected = half->begun ? half->expected : data.sequence;
        half->begun = true;
    }
    return empty || add_data(flows, flow, reply, &data);
}

bool cli_flows_end(struct cli_flows *flows)
{
    bool ok = true;
    for (struct cli_flow *flow = flows->newest; flow != NULL && ok; flow = flow->older) {
        ok = release(flows, flow, false, true) && release(flows, flow, true, true);
    }
    return ok;
}
