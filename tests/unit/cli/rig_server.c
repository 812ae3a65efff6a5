/* SPDX-License-Identifier: MIT */
/*
 * One loop over poll: listener, a pipe that stops it, connections. Every buffer is there before the
 * thread starts.
 */
#include "rig_server.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tau_codec.h"
#include "wire/bytes.h"
#include "wire/slice.h"

#define PEER_LIMIT   8
#define PLAN_LIMIT   64
#define RECORD_LIMIT 65536
#define KEPT_BYTES   ((size_t)1 << 22)
#define INPUT_BYTES  (TAU_HEADER_SIZE + (size_t)TAU_LIMIT_PAYLOAD_BYTES)

struct peer {
    int fd; /* -1 for none */
    uint8_t *input;
    size_t size;
};

struct rig_server {
    char address[32];
    int listener;
    int stop[2];
    pthread_t thread;
    bool running;
    struct peer peers[PEER_LIMIT];
    uint8_t output[4096]; /* of an answer that was not encoded beforehand */
    pthread_mutex_t lock; /* what follows */
    struct rig_plan plans[PLAN_LIMIT];
    size_t plan_count;
    size_t unplanned[256]; /* requests that nobody planned, by opcode */
    size_t counts[256];    /* requests by opcode */
    struct rig_record records[RECORD_LIMIT];
    size_t record_count;
    uint8_t kept[KEPT_BYTES];
    size_t kept_size;
};

/* --- books ----------------------------------------------------------------------------------- */

static void keep(struct rig_server *server, uint8_t opcode, struct tau_slice payload)
{
    struct rig_record record = {
        .opcode = opcode, .offset = server->kept_size, .size = payload.size};
    record.kept = payload.size <= KEPT_BYTES - server->kept_size;
    if (record.kept && payload.size > 0) {
        memcpy(server->kept + server->kept_size, payload.data, payload.size);
        server->kept_size += payload.size;
    }
    if (server->record_count < RECORD_LIMIT) {
        server->records[server->record_count++] = record;
    }
    server->counts[opcode]++;
}

/* The plan that is next for an opcode: the first that was not used, else the last. */
static struct rig_plan *next_plan(struct rig_server *server, uint8_t opcode)
{
    struct rig_plan *found = NULL;
    for (size_t i = 0; i < server->plan_count; i++) {
        struct rig_plan *plan = &server->plans[i];
        if (plan->opcode == opcode && (found == NULL || found->used)) {
            found = plan;
        }
    }
    return found;
}

/* Keeps a request and finds out what is to be done; false when nobody planned it. */
static bool look_up(struct rig_server *server, uint8_t opcode, struct tau_slice payload,
                    struct rig_plan *ret_plan)
{
    pthread_mutex_lock(&server->lock);
    keep(server, opcode, payload);
    struct rig_plan *plan = next_plan(server, opcode);
    if (plan != NULL) {
        plan->used = true;
        *ret_plan = *plan;
    }
    pthread_mutex_unlock(&server->lock);
    return plan != NULL;
}

/* --- answers --------------------------------------------------------------------------------- */

static bool send_all(const struct peer *peer, const uint8_t *data, size_t size)
{
    size_t sent = 0;
    while (sent < size) {
        ssize_t part = send(peer->fd, data + sent, size - sent, MSG_NOSIGNAL);
        if (part <= 0) {
            return false;
        }
        sent += (size_t)part;
    }
    return true;
}

/* Sends the payload that was written behind the room for a header. */
static bool send_payload(struct rig_server *server, const struct peer *peer, uint8_t opcode,
                         size_t size)
{
    struct tau_header header = {.opcode = opcode, .payload_length = (uint32_t)size};
    tau_header_store(server->output, &header);
    return send_all(peer, server->output, TAU_HEADER_SIZE + size);
}

static bool send_negotiated(struct rig_server *server, const struct peer *peer)
{
    struct tau_operation_fingerprint operations[TAU_OPERATION_COUNT];
    for (size_t i = 0; i < TAU_OPERATION_COUNT; i++) {
        operations[i].opcode = tau_operations[i].opcode;
        operations[i].fingerprint = tau_operations[i].fingerprint;
    }
    struct tau_negotiate_response response = {
        .server_name = tau_slice_text("rig"),
        .operation_count = TAU_OPERATION_COUNT,
        .operations = {.data = operations, .count = TAU_OPERATION_COUNT},
    };
    struct tau_writer out =
        tau_writer_over(server->output + TAU_HEADER_SIZE, sizeof(server->output) - TAU_HEADER_SIZE);
    return tau_negotiate_response_encode(&response, &out) &&
           send_payload(server, peer, TAU_OPCODE_OK, out.size);
}

static bool send_accepted(struct rig_server *server, const struct peer *peer, uint8_t opcode,
                          struct tau_slice payload)
{
    struct tau_batch_append_request columns = {.count = 0};
    struct tau_multi_append_request rows = {.count = 0};
    bool is_rows = opcode == TAU_OPCODE_MULTI_APPEND;
    enum tau_status status = is_rows ? tau_multi_append_request_decode(payload, &rows, NULL)
                                     : tau_batch_append_request_decode(payload, &columns, NULL);
    size_t count = is_rows ? rows.rows.count : columns.timestamps.count;
    struct tau_batch_append_response response = {.accepted = (uint32_t)count};
    struct tau_writer out =
        tau_writer_over(server->output + TAU_HEADER_SIZE, sizeof(server->output) - TAU_HEADER_SIZE);
    return status == TAU_STATUS_SUCCESS && tau_batch_append_response_encode(&response, &out) &&
           send_payload(server, peer, TAU_OPCODE_OK, out.size);
}

/* What is answered unless it was planned. */
static bool answer_unplanned(struct rig_server *server, const struct peer *peer, uint8_t opcode)
{
    switch (opcode) {
    case TAU_OPCODE_CONNECT:
        return send_payload(server, peer, TAU_OPCODE_OK, 0);
    case TAU_OPCODE_NEGOTIATE:
        return send_negotiated(server, peer);
    case TAU_OPCODE_PING:
        return send_payload(server, peer, TAU_OPCODE_PONG, 0);
    case TAU_OPCODE_DISCONNECT:
        return false;
    default:
        pthread_mutex_lock(&server->lock);
        server->unplanned[opcode]++;
        pthread_mutex_unlock(&server->lock);
        server->output[TAU_HEADER_SIZE] = TAU_STATUS_INTERNAL_ERROR;
        return send_payload(server, peer, TAU_OPCODE_ERR, 1);
    }
}

/* Does what is to be done with a request. Returns false when the connection is to be closed. */
static bool answer(struct rig_server *server, const struct peer *peer, uint8_t opcode,
                   struct tau_slice payload)
{
    struct rig_plan plan;
    if (!look_up(server, opcode, payload, &plan)) {
        return answer_unplanned(server, peer, opcode);
    }
    if (plan.interrupts) {
        kill(getpid(), SIGINT);
    }
    switch (plan.deed) {
    case RIG_FRAME:
        return send_all(peer, plan.frame, plan.size);
    case RIG_ACCEPT:
        return send_accepted(server, peer, opcode, payload);
    case RIG_SILENCE:
        return true;
    default:
        return false;
    }
}

/* --- connections ----------------------------------------------------------------------------- */

static void hang_up(struct peer *peer)
{
    close(peer->fd);
    peer->fd = -1;
}

/* Reads a header; opcodes that the library does not know may be planned too. */
static bool read_header(const uint8_t *at, struct tau_header *ret_header)
{
    enum tau_status status = tau_header_decode(at, ret_header, NULL);
    if (status != TAU_STATUS_BAD_OPCODE) {
        return status == TAU_STATUS_SUCCESS;
    }
    *ret_header = (struct tau_header){.opcode = at[4], .payload_length = tau_load_u32(at + 6)};
    return ret_header->payload_length <= TAU_LIMIT_PAYLOAD_BYTES;
}

static bool execute_frames(struct rig_server *server, struct peer *peer)
{
    size_t at = 0;
    bool going = true;
    while (going && peer->size - at >= TAU_HEADER_SIZE) {
        struct tau_header header;
        if (!read_header(peer->input + at, &header)) {
            return false;
        }
        if (peer->size - at - TAU_HEADER_SIZE < header.payload_length) {
            break;
        }
        going = answer(server, peer, header.opcode,
                       tau_slice_of(peer->input + at + TAU_HEADER_SIZE, header.payload_length));
        at += TAU_HEADER_SIZE + header.payload_length;
    }
    peer->size -= at;
    memmove(peer->input, peer->input + at, peer->size);
    return going;
}

static void serve(struct rig_server *server, struct peer *peer)
{
    ssize_t count = recv(peer->fd, peer->input + peer->size, INPUT_BYTES - peer->size, 0);
    peer->size += count > 0 ? (size_t)count : 0;
    if (count <= 0 || !execute_frames(server, peer)) {
        hang_up(peer);
    }
}

static void welcome(struct rig_server *server)
{
    int fd = accept(server->listener, NULL, NULL);
    for (size_t i = 0; i < PEER_LIMIT && fd >= 0; i++) {
        if (server->peers[i].fd < 0) {
            server->peers[i].fd = fd;
            server->peers[i].size = 0;
            return;
        }
    }
    close(fd);
}

static void *run(void *argument)
{
    struct rig_server *server = argument;
    for (;;) {
        struct pollfd items[PEER_LIMIT + 2] = {{.fd = server->stop[0], .events = POLLIN},
                                               {.fd = server->listener, .events = POLLIN}};
        for (size_t i = 0; i < PEER_LIMIT; i++) {
            items[i + 2] = (struct pollfd){.fd = server->peers[i].fd, .events = POLLIN};
        }
        if (poll(items, PEER_LIMIT + 2, -1) < 0) {
            continue;
        }
        if (items[0].revents != 0) {
            break;
        }
        for (size_t i = 0; i < PEER_LIMIT; i++) {
            if (items[i + 2].revents != 0) {
                serve(server, &server->peers[i]);
            }
        }
        if (items[1].revents != 0) {
            welcome(server);
        }
    }
    for (size_t i = 0; i < PEER_LIMIT; i++) {
        if (server->peers[i].fd >= 0) {
            hang_up(&server->peers[i]);
        }
    }
    return NULL;
}

/* --- starting and stopping ------------------------------------------------------------------- */

static bool listen_somewhere(struct rig_server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof(address);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (server->listener < 0 ||
        bind(server->listener, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(server->listener, PEER_LIMIT) != 0 ||
        getsockname(server->listener, (struct sockaddr *)&address, &size) != 0) {
        return false;
    }
    snprintf(server->address, sizeof(server->address), "127.0.0.1:%u", ntohs(address.sin_port));
    return true;
}

/* The thread takes no signal: they are the command's. */
static bool start_thread(struct rig_server *server)
{
    sigset_t all;
    sigset_t old;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &old);
    server->running = pthread_create(&server->thread, NULL, run, server) == 0;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return server->running;
}

struct rig_server *rig_server_start(void)
{
    struct rig_server *server = calloc(1, sizeof(*server));
    if (server == NULL) {
        return NULL;
    }
    pthread_mutex_init(&server->lock, NULL);
    bool ok = listen_somewhere(server) && pipe(server->stop) == 0;
    for (size_t i = 0; i < PEER_LIMIT; i++) {
        server->peers[i] = (struct peer){.fd = -1, .input = malloc(INPUT_BYTES)};
        ok = ok && server->peers[i].input != NULL;
    }
    if (!ok || !start_thread(server)) {
        rig_server_free(server);
        return NULL;
    }
    return server;
}

void rig_server_stop(struct rig_server *server)
{
    if (!server->running) {
        return;
    }
    if (write(server->stop[1], "", 1) != 1) {
        abort();
    }
    pthread_join(server->thread, NULL);
    close(server->stop[0]);
    close(server->stop[1]);
    close(server->listener);
    server->running = false;
}

size_t rig_server_disappointments(const struct rig_server *server)
{
    size_t count = 0;
    for (size_t i = 0; i < 256; i++) {
        if (server->unplanned[i] > 0) {
            fprintf(stderr, "%zu requests 0x%02zx came that were not planned\n",
                    server->unplanned[i], i);
            count++;
        }
    }
    for (size_t i = 0; i < server->plan_count; i++) {
        if (!server->plans[i].used) {
            fprintf(stderr, "plan %zu, for 0x%02x, was never asked for\n", i,
                    server->plans[i].opcode);
            count++;
        }
    }
    return count;
}

void rig_server_free(struct rig_server *server)
{
    rig_server_stop(server);
    for (size_t i = 0; i < PEER_LIMIT; i++) {
        free(server->peers[i].input);
    }
    for (size_t i = 0; i < server->plan_count; i++) {
        free(server->plans[i].frame);
    }
    pthread_mutex_destroy(&server->lock);
    free(server);
}

/* --- for the test ---------------------------------------------------------------------------- */

const char *rig_server_address(const struct rig_server *server)
{
    return server->address;
}

void rig_server_plan(struct rig_server *server, const struct rig_plan *plan)
{
    pthread_mutex_lock(&server->lock);
    if (server->plan_count == PLAN_LIMIT) {
        abort();
    }
    server->plans[server->plan_count++] = *plan;
    pthread_mutex_unlock(&server->lock);
}

void rig_server_interrupt(struct rig_server *server)
{
    pthread_mutex_lock(&server->lock);
    server->plans[server->plan_count - 1].interrupts = true;
    pthread_mutex_unlock(&server->lock);
}

size_t rig_server_count(struct rig_server *server, uint8_t opcode)
{
    pthread_mutex_lock(&server->lock);
    size_t count = server->counts[opcode];
    pthread_mutex_unlock(&server->lock);
    return count;
}

bool rig_server_request(struct rig_server *server, uint8_t opcode, size_t index,
                        struct tau_slice *ret_payload)
{
    bool found = false;
    pthread_mutex_lock(&server->lock);
    for (size_t i = 0; i < server->record_count && !found; i++) {
        const struct rig_record *record = &server->records[i];
        if (record->opcode != opcode) {
            continue;
        }
        found = index-- == 0 && record->kept;
        *ret_payload = tau_slice_of(server->kept + record->offset, record->size);
        if (index == SIZE_MAX) {
            break;
        }
    }
    pthread_mutex_unlock(&server->lock);
    return found;
}
