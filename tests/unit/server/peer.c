// SPDX-License-Identifier: MIT
// The other end of a connection.
#include "peer.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

const struct tau_certificate PEER_CERTIFICATE = {{1, 2, 3}};

int peer_prepare(int file)
{
    struct timeval patience = {.tv_sec = PEER_PATIENCE_S};
    assert_true(file >= 0);
    assert_int_equal(setsockopt(file, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    return file;
}

int peer_open(const struct sockaddr *address, socklen_t size)
{
    int peer = peer_prepare(socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    assert_int_equal(connect(peer, address, size), 0);
    return peer;
}

void peer_send_bytes(int peer, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    while (size > 0) {
        ssize_t count = send(peer, bytes, size, MSG_NOSIGNAL);
        assert_true(count > 0);
        bytes += count;
        size -= (size_t)count;
    }
}

void peer_send(int peer, uint8_t opcode, const void *payload, size_t size)
{
    uint8_t *frame = malloc(TAU_HEADER_SIZE + size);
    struct tau_header header = {.opcode = opcode, .payload_length = (uint32_t)size};
    tau_header_store(frame, &header);
    if (size > 0)
        memcpy(frame + TAU_HEADER_SIZE, payload, size);
    peer_send_bytes(peer, frame, TAU_HEADER_SIZE + size);
    free(frame);
}

void peer_expect(int peer, uint8_t opcode, const void *payload, size_t size)
{
    uint8_t frame[256];
    assert_true(TAU_HEADER_SIZE + size <= sizeof frame);
    assert_int_equal(recv(peer, frame, TAU_HEADER_SIZE + size, MSG_WAITALL),
                     TAU_HEADER_SIZE + size);
    assert_int_equal(frame[4], opcode);
    assert_int_equal(tau_load_u32(frame + 6), size);
    if (size > 0)
        assert_memory_equal(frame + TAU_HEADER_SIZE, payload, size);
}

void peer_expect_error(int peer, enum tau_status status)
{
    peer_expect(peer, TAU_OPCODE_ERR, &(uint8_t){(uint8_t)status}, 1);
}

void peer_expect_end(int peer)
{
    uint8_t byte;
    assert_int_equal(recv(peer, &byte, 1, 0), 0);
}

bool peer_hears_nothing(int peer, int milliseconds)
{
    struct pollfd answer = {.fd = peer, .events = POLLIN};
    return poll(&answer, 1, milliseconds) == 0;
}

void peer_connect(int peer)
{
    peer_send(peer, TAU_OPCODE_CONNECT, PEER_CERTIFICATE.bytes, sizeof PEER_CERTIFICATE.bytes);
    peer_expect(peer, TAU_OPCODE_OK, NULL, 0);
}

void peer_create(int peer, const char *label)
{
    uint8_t payload[32] = {0};
    memcpy(payload, label, strlen(label));
    peer_send(peer, TAU_OPCODE_CREATE_SERIES, payload, sizeof payload);
}

void peer_append(int peer, const char *label, int64_t timestamp)
{
    uint8_t payload[48] = {0};
    memcpy(payload, label, strlen(label));
    tau_store_i64(payload + 32, timestamp);
    tau_store_f64(payload + 40, 1.5);
    peer_send(peer, TAU_OPCODE_APPEND, payload, sizeof payload);
}
