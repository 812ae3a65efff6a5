// SPDX-License-Identifier: MIT
// What the tests of sessions share: a transport without sockets, a log whose progress the test
// decides, frames to send and replies to look at.
#ifndef SESSION_HARNESS_H
#define SESSION_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "probe_handlers.h"
#include "tau_session.h"
#include "transport/session.h"

enum { HARNESS_BYTES = 8 << 20 };

struct bytes {
    uint8_t *data;
    size_t size;
};

struct harness {
    struct taud_transport transport;
    struct taud_session session;
    struct taud_budget budget;
    struct taud_statistics statistics;
    struct taud_mailbox *mailbox;
    struct taud_log_watch log;
    uint64_t durable;   // log position
    uint64_t failed_at; // positions from here on have failed; 0: none
    bool full;          // the log has no room
    bool broken;
    struct bytes kept; // input that was not consumed
    struct bytes sent; // what went out
    size_t wakes;
};

static enum tau_status harness_outcome(void *context, uint64_t position)
{
    struct harness *h = context;
    if (h->failed_at != 0 && position >= h->failed_at)
        return TAU_STATUS_OUTCOME_UNKNOWN;
    return position <= h->durable ? TAU_STATUS_SUCCESS : TAU_STATUS_WOULD_BLOCK;
}

static bool harness_has_room(void *context)
{
    return !((struct harness *)context)->full;
}

static void harness_wake(void *user_data)
{
    ((struct harness *)user_data)->wakes++;
}

static const struct tau_certificate HARNESS_CERTIFICATE = {{1, 2, 3, 4, 5, 6, 7, 8}};

static int harness_setup(void **state)
{
    struct harness *h = calloc(1, sizeof *h);
    probe_reset();
    h->durable = UINT64_MAX;
    h->budget.limit_bytes = 64 << 20;
    h->mailbox = taud_mailbox_new(harness_wake, h);
    h->log = (struct taud_log_watch){
        .context = h, .outcome = harness_outcome, .has_room = harness_has_room};
    h->kept.data = malloc(HARNESS_BYTES);
    h->sent.data = malloc(HARNESS_BYTES);
    struct taud_transport_options options = {.mailbox = h->mailbox,
                                             .budget = &h->budget,
                                             .penalties = taud_penalties_new(),
                                             .statistics = &h->statistics,
                                             .log = &h->log};
    assert_true(taud_transport_init(&h->transport, &options));
    h->transport.certificate = HARNESS_CERTIFICATE;
    h->transport.now_ms = 1000;
    struct taud_penalty_key address = {{127, 0, 0, 1}};
    taud_session_init(&h->session, &h->budget, 42, &address);
    *state = h;
    return 0;
}

static int harness_teardown(void **state)
{
    struct harness *h = *state;
    taud_session_done(&h->session);
    taud_session_reference_done(&probe.reference);
    assert_null(taud_mailbox_close(h->mailbox));
    taud_mailbox_release(h->mailbox);
    taud_penalties_free(h->transport.penalties);
    taud_transport_done(&h->transport);
    // What was taken of the budget was given back.
    assert_int_equal(atomic_load(&h->budget.used_bytes), 0);
    assert_int_equal(probe.streams_open, probe.streams_closed);
    free(h->kept.data);
    free(h->sent.data);
    free(h);
    return 0;
}

// Sends what may go out, at most `most` bytes.
static void harness_send(struct harness *h, size_t most)
{
    taud_reply_flush(&h->transport.reply);
    h->broken = h->broken || h->transport.reply.broken;
    struct tau_slice slices[8];
    size_t count;
    while (most > 0 &&
           (count = taud_output_gather(&h->session.output, &h->budget, &h->log,
                                       h->transport.reply.detailed, slices, 8, &h->broken)) > 0) {
        size_t sent = 0;
        for (size_t index = 0; index < count && sent < most; index++) {
            size_t size = slices[index].size < most - sent ? slices[index].size : most - sent;
            assert_true(h->sent.size + size <= HARNESS_BYTES);
            memcpy(h->sent.data + h->sent.size, slices[index].data, size);
            h->sent.size += size;
            sent += size;
        }
        taud_output_sent(&h->session.output, &h->budget, sent);
        most -= sent;
    }
}

// One turn with what is kept, as a connection does it. Sends at most `most` bytes at its end.
static void harness_turn(struct harness *h, size_t most)
{
    taud_session_begin_turn(&h->session, &h->transport);
    size_t consumed = 0;
    do {
        consumed += taud_session_execute(&h->session, &h->transport, h->kept.data + consumed,
                                         h->kept.size - consumed);
    } while (h->session.wait != TAUD_WAIT_INPUT && h->session.wait != TAUD_WAIT_CLOSED &&
             taud_session_scan(&h->session, &h->transport, h->kept.data + consumed,
                               h->kept.size - consumed));
    memmove(h->kept.data, h->kept.data + consumed, h->kept.size - consumed);
    h->kept.size -= consumed;
    harness_send(h, most);
}

static inline void harness_receive(struct harness *h, const void *data, size_t size)
{
    assert_true(h->kept.size + size <= HARNESS_BYTES);
    if (size > 0)
        memcpy(h->kept.data + h->kept.size, data, size);
    h->kept.size += size;
}

// Sends frames to the session until it has executed all that it can.
static inline void harness_feed(struct harness *h, const void *data, size_t size)
{
    harness_receive(h, data, size);
    do {
        harness_turn(h, SIZE_MAX);
    } while (h->session.wait == TAUD_WAIT_OUTPUT);
}

// --- frames --------------------------------------------------------------------------------------

static inline size_t put_frame(uint8_t *to, uint8_t opcode, uint8_t flags, const void *payload,
                               size_t size)
{
    struct tau_header header = {.opcode = opcode, .flags = flags, .payload_length = (uint32_t)size};
    tau_header_store(to, &header);
    if (size > 0)
        memcpy(to + TAU_HEADER_SIZE, payload, size);
    return TAU_HEADER_SIZE + size;
}

static inline size_t put_append(uint8_t *to, int64_t timestamp)
{
    uint8_t payload[48] = {'s'};
    tau_store_i64(payload + 32, timestamp);
    tau_store_f64(payload + 40, 1.5);
    return put_frame(to, TAU_OPCODE_APPEND, 0, payload, sizeof payload);
}

static inline size_t put_query(uint8_t *to, int64_t timestamp)
{
    uint8_t payload[40] = {'s'};
    tau_store_i64(payload + 32, timestamp);
    return put_frame(to, TAU_OPCODE_QUERY_POINT, 0, payload, sizeof payload);
}

static inline void harness_frame(struct harness *h, uint8_t opcode, const void *payload,
                                 size_t size)
{
    uint8_t *frame = malloc(TAU_HEADER_SIZE + size);
    harness_feed(h, frame, put_frame(frame, opcode, 0, payload, size));
    free(frame);
}

// --- replies -------------------------------------------------------------------------------------

struct reply {
    uint8_t opcode;
    uint8_t flags;
    struct tau_slice payload;
};

// Takes the first frame off what went out.
static inline struct reply take_reply(struct harness *h)
{
    static uint8_t frame[HARNESS_BYTES];
    struct tau_header header;
    assert_true(h->sent.size >= TAU_HEADER_SIZE);
    assert_int_equal(tau_header_decode(h->sent.data, &header, NULL), TAU_STATUS_SUCCESS);
    size_t size = TAU_HEADER_SIZE + header.payload_length;
    assert_true(h->sent.size >= size);
    memcpy(frame, h->sent.data, size);
    memmove(h->sent.data, h->sent.data + size, h->sent.size - size);
    h->sent.size -= size;
    return (struct reply){
        .opcode = header.opcode,
        .flags = header.flags,
        .payload = {.data = frame + TAU_HEADER_SIZE, .size = header.payload_length}};
}

static inline void expect_ok(struct harness *h)
{
    struct reply reply = take_reply(h);
    assert_int_equal(reply.opcode, TAU_OPCODE_OK);
    assert_int_equal(reply.payload.size, 0);
}

static inline void expect_error(struct harness *h, enum tau_status status)
{
    struct reply reply = take_reply(h);
    assert_int_equal(reply.opcode, TAU_OPCODE_ERR);
    assert_int_equal(reply.payload.data[0], status);
}

static inline void expect_pong(struct harness *h)
{
    assert_int_equal(take_reply(h).opcode, TAU_OPCODE_PONG);
}

static inline void expect_nothing(const struct harness *h)
{
    assert_int_equal(h->sent.size, 0);
}

static inline void harness_connect(struct harness *h)
{
    harness_frame(h, TAU_OPCODE_CONNECT, HARNESS_CERTIFICATE.bytes, 32);
    expect_ok(h);
}

#endif
