/* SPDX-License-Identifier: MIT */
/*
 * What the trace of the options is told: whole frames, both ways, each once, however the bytes are
 * cut; and nothing of requests that never went.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rig.h"
#include "tau_codec.h"
#include "trace.h"

#define TOLD_LIMIT 256

/* What was told. */
struct log {
    size_t count;
    enum tau_trace_direction directions[TOLD_LIMIT];
    uint8_t opcodes[TOLD_LIMIT];
    struct bytes sent;
    struct bytes received;
};

struct bench {
    struct rig rig;
    struct log log;
};

static void on_trace(void *user_data, enum tau_trace_direction direction, struct tau_slice frame)
{
    struct log *log = user_data;
    struct tau_header header;
    assert_true(log->count < TOLD_LIMIT);
    assert_true(frame.size >= TAU_HEADER_SIZE);
    assert_int_equal(tau_header_decode(frame.data, &header, NULL), TAU_STATUS_SUCCESS);
    assert_int_equal(frame.size, TAU_HEADER_SIZE + header.payload_length);
    log->directions[log->count] = direction;
    log->opcodes[log->count++] = header.opcode;
    bytes_add(direction == TAU_TRACE_SENT ? &log->sent : &log->received, frame.data, frame.size);
}

static int setup(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    struct tau_options options;
    memset(&rig_memory, 0, sizeof(rig_memory));
    rig_options(&options);
    options.on_trace = on_trace;
    options.trace_user_data = &bench->log;
    if (!rig_begin(&bench->rig, &options))
        return -1;
    *state = bench;
    return 0;
}

static int teardown(void **state)
{
    struct bench *bench = *state;
    rig_end(&bench->rig);
    bytes_free(&bench->log.sent);
    bytes_free(&bench->log.received);
    free(bench);
    assert_int_equal(rig_memory.live_blocks, 0);
    return 0;
}

static void expect(const struct bench *bench, size_t place, enum tau_trace_direction direction,
                   uint8_t opcode)
{
    assert_true(place < bench->log.count);
    assert_int_equal(bench->log.directions[place], direction);
    assert_int_equal(bench->log.opcodes[place], opcode);
}

/* Tells the client that so many of its bytes went. */
static void send_some(struct bench *bench, size_t size)
{
    struct tau_slice slices[4];
    size_t count = tau_core_output(bench->rig.core, slices, 4);
    assert_true(count > 0);
    assert_true(slices[0].size >= size);
    tau_core_sent(bench->rig.core, size);
}

static void the_handshake_is_told(void **state)
{
    struct bench *bench = *state;
    struct tau_certificate certificate = {{0}};
    rig_ready(&bench->rig);
    assert_int_equal(bench->log.count, 4);
    expect(bench, 0, TAU_TRACE_SENT, TAU_OPCODE_CONNECT);
    expect(bench, 1, TAU_TRACE_SENT, TAU_OPCODE_NEGOTIATE);
    expect(bench, 2, TAU_TRACE_RECEIVED, TAU_OPCODE_OK);
    expect(bench, 3, TAU_TRACE_RECEIVED, TAU_OPCODE_OK);
    assert_memory_equal(bench->log.sent.data + TAU_HEADER_SIZE, certificate.bytes,
                        sizeof(certificate.bytes));
}

/* The hello goes byte by byte: each of its frames is told when its first byte goes. */
static void a_hello_in_pieces_is_told_once(void **state)
{
    struct bench *bench = *state;
    rig_open(&bench->rig);
    for (size_t i = 0; tau_core_has_output(bench->rig.core); i++) {
        send_some(bench, 1);
        assert_int_equal(bench->log.count, i < 42 ? 1 : 2);
    }
    expect(bench, 1, TAU_TRACE_SENT, TAU_OPCODE_NEGOTIATE);
}

static void what_is_told_is_what_went(void **state)
{
    struct bench *bench = *state;
    struct bytes reply = {0};
    rig_ready(&bench->rig);
    size_t hello = bench->log.sent.size;
    size_t greeting = bench->log.received.size;
    for (uintptr_t tag = 1; tag <= 5; tag++)
        assert_int_equal(rig_append(&bench->rig, tag), TAU_STATUS_SUCCESS);
    assert_int_equal(bench->log.count, 4); /* nothing went yet */
    rig_flush(&bench->rig);
    assert_int_equal(bench->log.count, 9);
    assert_int_equal(bench->log.sent.size - hello, bench->rig.out.size);
    assert_memory_equal(bench->log.sent.data + hello, bench->rig.out.data, bench->rig.out.size);
    for (int i = 0; i < 4; i++)
        put_ok(&reply);
    put_detailed_error(&reply, TAU_STATUS_OUT_OF_ORDER, "late");
    rig_feed(&bench->rig, reply.data, reply.size, 3);
    assert_int_equal(bench->log.count, 14);
    expect(bench, 13, TAU_TRACE_RECEIVED, TAU_OPCODE_ERR);
    assert_int_equal(bench->log.received.size - greeting, reply.size);
    assert_memory_equal(bench->log.received.data + greeting, reply.data, reply.size);
    bytes_free(&reply);
}

/* A frame of which a part went is told; after the loss its rest is not, nor is it told again. */
static void a_loss_within_a_frame(void **state)
{
    struct bench *bench = *state;
    struct tau_options options;
    rig_end(&bench->rig);
    rig_options(&options);
    options.on_trace = on_trace;
    options.trace_user_data = &bench->log;
    options.reconnect = true;
    assert_true(rig_begin(&bench->rig, &options));
    rig_ready(&bench->rig);
    assert_int_equal(rig_append(&bench->rig, 1), TAU_STATUS_SUCCESS);
    assert_int_equal(rig_query(&bench->rig, 2), TAU_STATUS_SUCCESS);
    send_some(bench, 7);
    assert_int_equal(bench->log.count, 5);
    expect(bench, 4, TAU_TRACE_SENT, TAU_OPCODE_APPEND);
    rig_lose(&bench->rig);
    bench->rig.now_ns += 60 * 1000 * TAU_NS_PER_MS;
    rig_ready(&bench->rig);
    rig_flush(&bench->rig);
    expect(bench, 5, TAU_TRACE_SENT, TAU_OPCODE_CONNECT);
    assert_int_equal(bench->log.opcodes[bench->log.count - 1], TAU_OPCODE_QUERY_POINT);
    for (size_t i = 5; i < bench->log.count; i++)
        assert_int_not_equal(bench->log.opcodes[i], TAU_OPCODE_APPEND);
}

/* A request that expired unsent goes out as a PING, and so it is told. */
static void what_was_given_up_is_told_as_it_goes(void **state)
{
    struct bench *bench = *state;
    rig_ready(&bench->rig);
    assert_int_equal(rig_append(&bench->rig, 1), TAU_STATUS_SUCCESS);
    send_some(bench, 1);
    assert_int_equal(rig_query(&bench->rig, 2), TAU_STATUS_SUCCESS);
    rig_advance(&bench->rig, 5000);
    rig_flush(&bench->rig);
    assert_int_equal(bench->log.count, 6);
    expect(bench, 4, TAU_TRACE_SENT, TAU_OPCODE_APPEND);
    expect(bench, 5, TAU_TRACE_SENT, TAU_OPCODE_PING);
}

/* What expires before any of it went is dropped, and what comes behind it is told. */
static void what_never_went_is_not_told(void **state)
{
    struct bench *bench = *state;
    rig_ready(&bench->rig);
    assert_int_equal(rig_append(&bench->rig, 1), TAU_STATUS_SUCCESS);
    rig_advance(&bench->rig, 5000);
    assert_false(tau_core_has_output(bench->rig.core));
    assert_int_equal(rig_query(&bench->rig, 2), TAU_STATUS_SUCCESS);
    rig_flush(&bench->rig);
    assert_int_equal(bench->log.count, 5);
    expect(bench, 4, TAU_TRACE_SENT, TAU_OPCODE_QUERY_POINT);
}

static void a_breach_is_not_told(void **state)
{
    struct bench *bench = *state;
    static const uint8_t noise[TAU_HEADER_SIZE] = "nonsense!";
    struct bytes reply = {0};
    rig_ready(&bench->rig);
    rig_feed(&bench->rig, noise, sizeof(noise), 0);
    put_ok(&reply); /* an answer to no request, after the end */
    rig_feed_bytes(&bench->rig, &reply);
    assert_int_equal(bench->log.count, 4);
    bytes_free(&reply);
}

static void without_a_trace_nothing_is_called(void **state)
{
    struct bench *bench = *state;
    rig_end(&bench->rig);
    assert_true(rig_begin(&bench->rig, NULL));
    rig_ready(&bench->rig);
    assert_int_equal(rig_append(&bench->rig, 1), TAU_STATUS_SUCCESS);
    rig_flush(&bench->rig);
    assert_int_equal(bench->log.count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_handshake_is_told),
        TEST(a_hello_in_pieces_is_told_once),
        TEST(what_is_told_is_what_went),
        TEST(a_loss_within_a_frame),
        TEST(what_was_given_up_is_told_as_it_goes),
        TEST(what_never_went_is_not_told),
        TEST(a_breach_is_not_told),
        TEST(without_a_trace_nothing_is_called),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
