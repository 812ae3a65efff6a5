// SPDX-License-Identifier: MIT
// A worker with connections over socket pairs, and the real engine behind it: frames in pieces,
// large frames, deadlines, refusal, and an orderly end.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "worker_rig.h"

#include "engine/state.h"

static int start(void **state, uint64_t idle_timeout_ms, uint64_t frame_timeout_ms)
{
    struct worker_rig *f = calloc(1, sizeof *f);
    struct worker_rig_options options = {.idle_timeout_ms = idle_timeout_ms,
                                         .frame_timeout_ms = frame_timeout_ms};
    worker_rig_init(f, &options);
    worker_rig_startup(f);
    *state = f;
    return 0;
}

static int setup(void **state)
{
    return start(state, 60 * 1000, 60 * 1000);
}

static int setup_impatient(void **state)
{
    return start(state, 500, 200);
}

static int teardown(void **state)
{
    struct worker_rig *f = *state;
    worker_rig_done(f);
    free(f);
    return 0;
}

static void serves_byte_by_byte(void **state)
{
    struct worker_rig *f = *state;
    int client = worker_rig_connect(f);
    uint8_t label[32] = "series";
    peer_send(client, TAU_OPCODE_CREATE_SERIES, label, 32);
    peer_expect(client, TAU_OPCODE_OK, NULL, 0);
    uint8_t frame[58] = {0};
    struct tau_header header = {.opcode = TAU_OPCODE_APPEND, .payload_length = 48};
    tau_header_store(frame, &header);
    memcpy(frame + 10, label, 32);
    tau_store_i64(frame + 42, 7);
    tau_store_f64(frame + 50, 1.25);
    for (size_t index = 0; index < sizeof frame; index++)
        peer_send_bytes(client, frame + index, 1);
    peer_expect(client, TAU_OPCODE_OK, NULL, 0);
    peer_send(client, TAU_OPCODE_QUERY_POINT, frame + 10, 40);
    uint8_t found[9] = {1, 0x3F, 0xF4};
    peer_expect(client, TAU_OPCODE_OK, found, 9);
    close(client);
}

// A frame larger than every buffer, in pieces of many sizes, with small ones before and behind it.
static void serves_large_frames(void **state)
{
    struct worker_rig *f = *state;
    int client = worker_rig_connect(f);
    enum { COUNT = 100000 };
    size_t size = 32 + 4 + COUNT * 16;
    uint8_t *payload = calloc(1, size);
    memcpy(payload, "large", 5);
    tau_store_u32(payload + 32, COUNT);
    peer_send(client, TAU_OPCODE_CREATE_SERIES, payload, 32);
    peer_expect(client, TAU_OPCODE_OK, NULL, 0);
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
            peer_send_bytes(client, frames + at, at + step < size + 30 ? step : size + 30 - at);
        peer_expect(client, TAU_OPCODE_PONG, NULL, 0);
        uint8_t stored[8] = {0};
        tau_store_u32(stored, COUNT);
        peer_expect(client, TAU_OPCODE_OK, stored, 8);
        peer_expect(client, TAU_OPCODE_PONG, NULL, 0);
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
    struct worker_rig *f = *state;
    int client = worker_rig_connect(f);
    double began = seconds();
    struct pollfd ended = {.fd = client, .events = POLLIN};
    for (int index = 0; poll(&ended, 1, 50) == 0; index++) // it moves, and still has an end
        peer_send_bytes(client, index < 3 ? &"TAU"[index] : "\x01", index < 4 ? 1 : 0);
    peer_expect_end(client);
    assert_true(seconds() - began > 0.15);
    assert_true(seconds() - began < 5);
    close(client);
}

static void ends_an_idle_connection(void **state)
{
    struct worker_rig *f = *state;
    double began = seconds();
    int client = worker_rig_connect(f);
    peer_expect_end(client);
    assert_true(seconds() - began > 0.4);
    assert_true(seconds() - began < 5);
    close(client);
}

static void refuses_beyond_the_maximum(void **state)
{
    struct worker_rig *f = *state;
    int client = worker_rig_open(f, true);
    peer_expect_error(client, TAU_STATUS_TOO_MANY_CONNECTIONS);
    peer_expect_end(client);
    close(client);
}

static void finishes_what_was_read_at_the_end(void **state)
{
    struct worker_rig *f = *state;
    int clients[10];
    for (int index = 0; index < 10; index++) {
        clients[index] = worker_rig_connect(f);
        for (int number = 0; number < 100; number++)
            peer_send(clients[index], TAU_OPCODE_PING, NULL, 0);
        peer_expect(clients[index], TAU_OPCODE_PONG, NULL, 0);
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
    struct worker_rig *f = *state;
    int client = worker_rig_open(f, false);
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
    for (size_t index = 0; index < sent / TAU_HEADER_SIZE; index++)
        peer_expect_error(client, TAU_STATUS_INVALID_PAYLOAD);
    if (sent % TAU_HEADER_SIZE != 0) {
        peer_send_bytes(client, frames + sent % TAU_HEADER_SIZE, answers * TAU_HEADER_SIZE - sent);
        peer_expect_error(client, TAU_STATUS_INVALID_PAYLOAD);
    }
    peer_send(client, TAU_OPCODE_CONNECT, PEER_CERTIFICATE.bytes, 32);
    peer_expect(client, TAU_OPCODE_OK, NULL, 0);
    close(client);
}

// Another thread's writes have been promised the log's room, and end without having written.
static void goes_on_when_promised_room_is_given_back(void **state)
{
    struct worker_rig *f = *state;
    enum { PROMISED = TAUD_LOG_BUFFER_BYTES / 2 + 1 };
    uint8_t label[32] = "series";
    int client = worker_rig_connect(f);
    assert_int_equal(taud_log_admit(&f->rig.engine->log, PROMISED, false), TAU_STATUS_SUCCESS);
    peer_send(client, TAU_OPCODE_CREATE_SERIES, label, 32);
    assert_true(peer_hears_nothing(client, 50));
    taud_log_release(&f->rig.engine->log, PROMISED);
    peer_expect(client, TAU_OPCODE_OK, NULL, 0);
    close(client);
}

// The log failed while its buffer was full: it stays full, and writes are refused all the same.
static void refuses_writes_of_a_log_that_failed_full(void **state)
{
    struct worker_rig *f = *state;
    enum { PROMISED = TAUD_LOG_BUFFER_BYTES / 2 + 1 };
    uint8_t label[32] = "series";
    enum tau_status statuses[2] = {TAU_STATUS_STORAGE_FULL, TAU_STATUS_READ_ONLY};
    int client = worker_rig_connect(f);
    assert_int_equal(taud_log_admit(&f->rig.engine->log, PROMISED, false), TAU_STATUS_SUCCESS);
    _Atomic bool *faults[2] = {&f->rig.engine->log.disk_full, &f->rig.engine->log.failed};
    for (int fault = 0; fault < 2; fault++) {
        atomic_store(faults[fault], true);
        peer_send(client, TAU_OPCODE_CREATE_SERIES, label, 32);
        peer_expect_error(client, statuses[fault]);
        atomic_store(faults[fault], false);
    }
    taud_log_release(&f->rig.engine->log, PROMISED);
    close(client);
}

#define CASE(name)      cmocka_unit_test_setup_teardown(name, setup, teardown)
#define IMPATIENT(name) cmocka_unit_test_setup_teardown(name, setup_impatient, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(serves_byte_by_byte),
        CASE(goes_on_when_promised_room_is_given_back),
        CASE(refuses_writes_of_a_log_that_failed_full),
        CASE(holds_little_for_a_stranger_who_does_not_read),
        CASE(serves_large_frames),
        IMPATIENT(ends_an_unfinished_frame_by_its_deadline),
        IMPATIENT(ends_an_idle_connection),
        CASE(refuses_beyond_the_maximum),
        CASE(finishes_what_was_read_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
