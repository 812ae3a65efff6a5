// SPDX-License-Identifier: MIT
// A worker with connections over socket pairs, and the real engine behind it: frames in pieces,
// large frames, deadlines, refusal, and an orderly end.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "engine/state.h"
#include "net/worker.h"

static const struct tau_certificate CERTIFICATE = {{1, 2, 3}};

struct fixture {
    char directory[64];
    struct taud_backend *backend;
    struct taud_engine *engine;
    struct taud_budget budget;
    struct taud_penalties *penalties;
    struct taud_worker *worker;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    snprintf(f->directory, sizeof f->directory, "/tmp/taud-connection-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    struct taud_error error = {.text = ""};
    struct taud_local_options local = {.directory = f->directory, .segment_bytes = 1 << 20};
    assert_int_equal(taud_local_backend_new(&local, &f->backend, &error), TAU_STATUS_SUCCESS);
    struct taud_engine_options options = {.backend = f->backend, .memory_bytes = 64 << 20};
    assert_int_equal(taud_engine_new(&options, &f->engine, &error), TAU_STATUS_SUCCESS);
    f->budget.limit_bytes = 16 << 20;
    f->penalties = taud_penalties_new();
    f->worker = aligned_alloc(_Alignof(struct taud_worker), sizeof *f->worker);
    struct taud_worker_options worker = {.engine = f->engine,
                                         .budget = &f->budget,
                                         .penalties = f->penalties,
                                         .idle_timeout_ms = 500,
                                         .frame_timeout_ms = 200};
    assert_true(taud_worker_init(f->worker, &worker));
    struct taud_recovery recovery;
    assert_int_equal(taud_engine_startup(f->engine, &recovery, &error), TAU_STATUS_SUCCESS);
    assert_true(taud_worker_startup(f->worker, &CERTIFICATE));
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    taud_worker_stop(f->worker);
    taud_worker_join(f->worker);
    taud_engine_stop(f->engine);
    assert_int_equal(f->worker->connections.count, 0);
    assert_int_equal(atomic_load(&f->worker->connection_count), 0);
    assert_int_equal(atomic_load(&f->budget.used_bytes), 0);
    taud_worker_done(f->worker);
    taud_engine_free(f->engine);
    f->backend->free(f->backend);
    taud_penalties_free(f->penalties);
    free(f->worker);
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", f->directory);
    assert_int_equal(system(command), 0);
    free(f);
    return 0;
}

static int open_client(struct fixture *f, bool refuse)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    assert_int_equal(0, setsockopt(pair[1], SOL_SOCKET, SO_RCVTIMEO,
                                   &(struct timeval){.tv_sec = 20}, sizeof(struct timeval)));
    struct taud_penalty_key key = {{0}};
    assert_true(taud_worker_adopt(f->worker, pair[0], &key, refuse));
    return pair[1];
}

static void send_all(int client, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    while (size > 0) {
        ssize_t count = send(client, bytes, size, MSG_NOSIGNAL);
        assert_true(count > 0);
        bytes += count;
        size -= (size_t)count;
    }
}

static void send_frame(int client, uint8_t opcode, const void *payload, size_t size)
{
    uint8_t *frame = malloc(TAU_HEADER_SIZE + size);
    struct tau_header header = {.opcode = opcode, .payload_length = (uint32_t)size};
    tau_header_store(frame, &header);
    if (size > 0)
        memcpy(frame + TAU_HEADER_SIZE, payload, size);
    send_all(client, frame, TAU_HEADER_SIZE + size);
    free(frame);
}

static void expect(int client, uint8_t opcode, const void *payload, size_t size)
{
    uint8_t frame[256];
    assert_int_equal(recv(client, frame, TAU_HEADER_SIZE + size, MSG_WAITALL),
                     TAU_HEADER_SIZE + size);
    assert_int_equal(frame[4], opcode);
    assert_int_equal(tau_load_u32(frame + 6), size);
    if (size > 0)
        assert_memory_equal(frame + TAU_HEADER_SIZE, payload, size);
}

static void expect_end(int client)
{
    uint8_t byte;
    assert_int_equal(recv(client, &byte, 1, 0), 0);
}

static int connect_client(struct fixture *f)
{
    int client = open_client(f, false);
    send_frame(client, TAU_OPCODE_CONNECT, CERTIFICATE.bytes, 32);
    expect(client, TAU_OPCODE_OK, NULL, 0);
    return client;
}

static void serves_byte_by_byte(void **state)
{
    struct fixture *f = *state;
    int client = connect_client(f);
    uint8_t label[32] = "series";
    send_frame(client, TAU_OPCODE_CREATE_SERIES, label, 32);
    expect(client, TAU_OPCODE_OK, NULL, 0);
    uint8_t frame[58] = {0};
    struct tau_header header = {.opcode = TAU_OPCODE_APPEND, .payload_length = 48};
    tau_header_store(frame, &header);
    memcpy(frame + 10, label, 32);
    tau_store_i64(frame + 42, 7);
    tau_store_f64(frame + 50, 1.25);
    for (size_t index = 0; index < sizeof frame; index++)
        send_all(client, frame + index, 1);
    expect(client, TAU_OPCODE_OK, NULL, 0);
    send_frame(client, TAU_OPCODE_QUERY_POINT, frame + 10, 40);
    uint8_t found[9] = {1, 0x3F, 0xF4};
    expect(client, TAU_OPCODE_OK, found, 9);
    close(client);
}

// A frame larger than every buffer, in pieces of many sizes, with small ones before and behind it.
static void serves_large_frames(void **state)
{
    struct fixture *f = *state;
    int client = connect_client(f);
    enum { COUNT = 100000 };
    size_t size = 32 + 4 + COUNT * 16;
    uint8_t *payload = calloc(1, size);
    memcpy(payload, "large", 5);
    tau_store_u32(payload + 32, COUNT);
    send_frame(client, TAU_OPCODE_CREATE_SERIES, payload, 32);
    expect(client, TAU_OPCODE_OK, NULL, 0);
    uint8_t *frames = malloc(size + 30);
    for (int64_t turn = 0; turn < 5; turn++) {
        for (int64_t index = 0; index < COUNT; index++)
            tau_store_i64(payload + 36 + index * 8, turn * COUNT + index);
        struct tau_header ping = {.opcode = TAU_OPCODE_PING};
        struct tau_header batch = {.opcode = TAU_OPCODE_BATCH_APPEND,
                                   .payload_length = (uint32_t)size};
        tau_header_store(frames, &ping);
        tau_header_store(frames + 10, &batch);
        memcpy(frames + 20, payload, size);
        tau_header_store(frames + 20 + size, &ping);
        size_t step = (size_t[]){10000000, 1000, 16384, 65536, 131072}[turn];
        for (size_t at = 0; at < size + 30; at += step)
            send_all(client, frames + at, at + step < size + 30 ? step : size + 30 - at);
        expect(client, TAU_OPCODE_PONG, NULL, 0);
        uint8_t stored[8] = {0};
        tau_store_u32(stored, COUNT);
        expect(client, TAU_OPCODE_OK, stored, 8);
        expect(client, TAU_OPCODE_PONG, NULL, 0);
    }
    free(frames);
    free(payload);
    close(client);
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void ends_an_unfinished_frame_by_its_deadline(void **state)
{
    struct fixture *f = *state;
    int client = connect_client(f);
    double began = seconds();
    struct pollfd ended = {.fd = client, .events = POLLIN};
    for (int index = 0; poll(&ended, 1, 50) == 0; index++) // it moves, and still has an end
        send_all(client, index < 3 ? &"TAU"[index] : "\x01", index < 4 ? 1 : 0);
    expect_end(client);
    assert_true(seconds() - began > 0.15);
    assert_true(seconds() - began < 5);
    close(client);
}

static void ends_an_idle_connection(void **state)
{
    struct fixture *f = *state;
    int client = connect_client(f);
    double began = seconds();
    expect_end(client);
    assert_true(seconds() - began > 0.4);
    close(client);
}

static void refuses_beyond_the_maximum(void **state)
{
    struct fixture *f = *state;
    int client = open_client(f, true);
    uint8_t status = TAU_STATUS_TOO_MANY_CONNECTIONS;
    expect(client, TAU_OPCODE_ERR, &status, 1);
    expect_end(client);
    close(client);
}

static void finishes_what_was_read_at_the_end(void **state)
{
    struct fixture *f = *state;
    int clients[10];
    for (int index = 0; index < 10; index++) {
        clients[index] = connect_client(f);
        for (int number = 0; number < 100; number++)
            send_frame(clients[index], TAU_OPCODE_PING, NULL, 0);
        expect(clients[index], TAU_OPCODE_PONG, NULL, 0);
    }
    taud_worker_stop(f->worker);
    for (int index = 0; index < 10; index++) {
        uint8_t reply[10];
        while (recv(clients[index], reply, sizeof reply, MSG_WAITALL) == sizeof reply)
            assert_int_equal(reply[4], TAU_OPCODE_PONG);
        close(clients[index]);
    }
    taud_worker_join(f->worker);
}

static void holds_little_for_a_stranger_who_does_not_read(void **state)
{
    struct fixture *f = *state;
    int client = open_client(f, false);
    uint8_t frames[64 * TAU_HEADER_SIZE]; // each is refused, for its length, and answered
    struct tau_header header = {.opcode = TAU_OPCODE_CONNECT};
    for (size_t index = 0; index < 64; index++)
        tau_header_store(frames + index * TAU_HEADER_SIZE, &header);
    struct timeval patience = {.tv_usec = 100 * 1000};
    assert_int_equal(setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience), 0);
    size_t sent = 0;
    for (ssize_t count = 1; count > 0; sent += count > 0 ? (size_t)count : 0)
        count = send(client, frames + sent % TAU_HEADER_SIZE, sizeof frames - TAU_HEADER_SIZE,
                     MSG_NOSIGNAL);
    assert_true(atomic_load(&f->budget.used_bytes) <= 32 * 1024);
    // When it reads, it is served on: it may still say who it is.
    size_t answers = (sent + TAU_HEADER_SIZE - 1) / TAU_HEADER_SIZE;
    uint8_t invalid = TAU_STATUS_INVALID_PAYLOAD;
    for (size_t index = 0; index < sent / TAU_HEADER_SIZE; index++)
        expect(client, TAU_OPCODE_ERR, &invalid, 1);
    if (sent % TAU_HEADER_SIZE != 0) {
        send_all(client, frames + sent % TAU_HEADER_SIZE,
                 answers * TAU_HEADER_SIZE - sent);
        expect(client, TAU_OPCODE_ERR, &invalid, 1);
    }
    send_frame(client, TAU_OPCODE_CONNECT, CERTIFICATE.bytes, 32);
    expect(client, TAU_OPCODE_OK, NULL, 0);
    close(client);
}

// Another thread's writes have been promised the log's room, and end without having written.
static void goes_on_when_promised_room_is_given_back(void **state)
{
    struct fixture *f = *state;
    enum { PROMISED = TAUD_LOG_BUFFER_BYTES / 2 + 1 };
    uint8_t label[32] = "series";
    int client = connect_client(f);
    assert_int_equal(taud_log_admit(&f->engine->log, PROMISED, false), TAU_STATUS_SUCCESS);
    send_frame(client, TAU_OPCODE_CREATE_SERIES, label, 32);
    struct pollfd answer = {.fd = client, .events = POLLIN};
    assert_int_equal(poll(&answer, 1, 50), 0);
    taud_log_release(&f->engine->log, PROMISED);
    expect(client, TAU_OPCODE_OK, NULL, 0);
    close(client);
}

// The log failed while its buffer was full: it stays full, and writes are refused all the same.
static void refuses_writes_of_a_log_that_failed_full(void **state)
{
    struct fixture *f = *state;
    enum { PROMISED = TAUD_LOG_BUFFER_BYTES / 2 + 1 };
    uint8_t label[32] = "series";
    uint8_t statuses[2] = {TAU_STATUS_STORAGE_FULL, TAU_STATUS_READ_ONLY};
    int client = connect_client(f);
    assert_int_equal(taud_log_admit(&f->engine->log, PROMISED, false), TAU_STATUS_SUCCESS);
    _Atomic bool *faults[2] = {&f->engine->log.disk_full, &f->engine->log.failed};
    for (int fault = 0; fault < 2; fault++) {
        atomic_store(faults[fault], true);
        send_frame(client, TAU_OPCODE_CREATE_SERIES, label, 32);
        expect(client, TAU_OPCODE_ERR, &statuses[fault], 1);
        atomic_store(faults[fault], false);
    }
    taud_log_release(&f->engine->log, PROMISED);
    close(client);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(serves_byte_by_byte),
        CASE(goes_on_when_promised_room_is_given_back),
        CASE(refuses_writes_of_a_log_that_failed_full),
        CASE(holds_little_for_a_stranger_who_does_not_read),
        CASE(serves_large_frames),
        CASE(ends_an_unfinished_frame_by_its_deadline),
        CASE(ends_an_idle_connection),
        CASE(refuses_beyond_the_maximum),
        CASE(finishes_what_was_read_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
