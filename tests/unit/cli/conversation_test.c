/* SPDX-License-Identifier: MIT */
/* Replies find their requests, however many wait; payloads find their layouts. */
#include "cli_test.h"
#include "decode/conversation.h"

static struct cli_conversation conversation;

static int setup(void **state)
{
    (void)state;
    cli_conversation_init(&conversation);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    cli_conversation_done(&conversation);
    assert_null(conversation.waiting);
    return 0;
}

static struct cli_frame add(bool reply, uint8_t opcode, uint8_t flags)
{
    struct cli_frame frame;
    struct tau_header header = {.opcode = opcode, .flags = flags};
    assert_true(
        cli_conversation_add(&conversation, reply, &header, (struct tau_slice){.size = 0}, &frame));
    assert_int_equal(frame.header.opcode, opcode);
    assert_true(frame.reply == reply);
    return frame;
}

static const char *answered_by(uint8_t opcode, uint8_t flags)
{
    struct cli_frame frame = add(true, opcode, flags);
    return frame.operation == NULL ? "nothing" : frame.operation->name;
}

static void test_layouts(void **state)
{
    (void)state;
    struct cli_frame frame = add(false, TAU_OPCODE_QUERY_POINT, 0);
    assert_string_equal(frame.layout->name, "query_point_request");
    frame = add(true, TAU_OPCODE_OK, 0);
    assert_string_equal(frame.layout->name, "query_point_response");
    assert_string_equal(frame.operation->name, "QUERY_POINT");
    frame = add(false, TAU_OPCODE_PING, 0);
    assert_string_equal(frame.layout->name, "ping_request");
    frame = add(true, TAU_OPCODE_PONG, 0);
    assert_null(frame.layout);
    assert_true(frame.readable);
    frame = add(false, TAU_OPCODE_DISCONNECT, 0);
    assert_true(frame.readable && frame.layout == NULL);
    frame = add(true, TAU_OPCODE_ERR, 0);
    assert_string_equal(frame.layout->name, "err");
    assert_string_equal(frame.operation->name, "DISCONNECT");
}

/* Every operation's payloads are found, so that none is printed without its fields. */
static void test_every_operation(void **state)
{
    (void)state;
    for (size_t i = 0; i < TAU_OPERATION_COUNT; i++) {
        const struct tau_operation_info *operation = &tau_operations[i];
        struct cli_frame frame = add(false, operation->opcode, 0);
        assert_true(frame.readable);
        assert_ptr_equal(frame.operation, operation);
        assert_true((frame.layout != NULL) == (operation->max_request_size > 0));
        frame = add(true, operation->reply, 0);
        assert_true(frame.readable);
        assert_ptr_equal(frame.operation, operation);
        assert_true((frame.layout != NULL) == (operation->max_response_size > 0));
    }
}

static void test_order(void **state)
{
    (void)state;
    for (int round = 0; round < 300; round++) {
        for (int i = 0; i < 3; i++) {
            add(false, TAU_OPCODE_APPEND, 0);
        }
        add(false, TAU_OPCODE_QUERY_RANGE, 0);
    }
    for (int round = 0; round < 300; round++) {
        for (int i = 0; i < 3; i++) {
            assert_string_equal(answered_by(i == 1 ? TAU_OPCODE_ERR : TAU_OPCODE_OK, 0), "APPEND");
        }
        assert_string_equal(answered_by(TAU_OPCODE_OK, TAU_FLAG_MORE), "QUERY_RANGE");
        assert_string_equal(answered_by(TAU_OPCODE_OK, TAU_FLAG_MORE), "QUERY_RANGE");
        assert_string_equal(answered_by(TAU_OPCODE_OK, 0), "QUERY_RANGE");
    }
    assert_string_equal(answered_by(TAU_OPCODE_OK, 0), "nothing");
}

static void test_without_a_request(void **state)
{
    (void)state;
    struct cli_frame frame = add(true, TAU_OPCODE_OK, 0);
    assert_false(frame.readable);
    assert_null(frame.operation);
    frame = add(true, TAU_OPCODE_ERR, 0); /* reads the same whatever it answers */
    assert_true(frame.readable && frame.layout != NULL);
}

static void test_forget_and_refused(void **state)
{
    (void)state;
    add(false, TAU_OPCODE_APPEND, 0);
    cli_conversation_forget(&conversation);
    assert_true(cli_conversation_add_refused(&conversation, 0xEE));
    add(false, TAU_OPCODE_CREATE_SERIES, 0);
    assert_string_equal(answered_by(TAU_OPCODE_ERR, 0), "nothing");
    assert_string_equal(answered_by(TAU_OPCODE_OK, 0), "CREATE_SERIES");
}

/* A capture of one direction only: what waits is bounded, and the oldest are forgotten. */
static void test_limit(void **state)
{
    (void)state;
    add(false, TAU_OPCODE_APPEND, 0);
    for (size_t i = 0; i < CLI_WAITING_LIMIT; i++) {
        add(false, TAU_OPCODE_QUERY_POINT, 0);
    }
    assert_int_equal(conversation.count, CLI_WAITING_LIMIT);
    assert_true(conversation.capacity <= 2 * CLI_WAITING_LIMIT);
    assert_string_equal(answered_by(TAU_OPCODE_OK, 0), "QUERY_POINT");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_layouts),           TEST(test_every_operation),    TEST(test_order),
        TEST(test_without_a_request), TEST(test_forget_and_refused), TEST(test_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
