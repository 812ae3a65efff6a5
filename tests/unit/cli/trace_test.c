/* SPDX-License-Identifier: MIT */
/* What --trace prints: a line for each frame on standard error, both ways, and no certificate. */
#include "command_rig.h"
#include "decode/trace.h"

static const char certificate[] =
    "4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b";

static void test_command(void **state)
{
    struct command_rig *rig = *state;
    setenv("TAU_CERTIFICATE", certificate, 1);
    rig_ok(rig, TAU_OPCODE_APPEND);
    assert_int_equal(rig_run(rig, "append cpu 5 2.5 --trace --time ns"), CLI_OK);
    assert_string_equal(rig->out, "");
    assert_non_null(strstr(rig->err, "> CONNECT flags=0x00 length=32 certificate=hidden\n"));
    assert_non_null(strstr(rig->err, "< OK to CONNECT flags=0x00 length=0\n"));
    assert_non_null(strstr(rig->err, "> NEGOTIATE flags=0x00 length="));
    assert_non_null(strstr(rig->err, "< OK to NEGOTIATE flags=0x00 length="));
    assert_non_null(strstr(rig->err, "> APPEND flags=0x00 length=48 label=\"cpu\" timestamp=5 "
                                     "value=2.5\n"
                                     "< OK to APPEND flags=0x00 length=0\n"));
    assert_null(strstr(rig->err, "KKKK"));
    assert_null(strstr(rig->err, "4b4b"));
    unsetenv("TAU_CERTIFICATE");
}

static void test_refusal(void **state)
{
    struct command_rig *rig = *state;
    rig_refuse(rig, TAU_OPCODE_APPEND, TAU_STATUS_SERIES_NOT_FOUND);
    assert_int_equal(rig_run(rig, "append cpu 5 1 --trace"), CLI_REFUSED);
    assert_non_null(strstr(rig->err, "< ERR to APPEND "));
    assert_non_null(strstr(rig->err, "status=series_not_found"));
}

/* At a prompt the option holds for its command, and the answers still find their requests. */
static void test_prompt(void **state)
{
    struct command_rig *rig = *state;
    rig->cli->interactive = true;
    rig_ok(rig, TAU_OPCODE_APPEND);
    assert_int_equal(rig_run(rig, "append cpu 5 1"), CLI_OK);
    assert_null(strstr(rig->err, "> "));
    assert_int_equal(rig_run(rig, "append cpu 6 1 --trace"), CLI_OK);
    assert_non_null(strstr(rig->err, "< OK to APPEND "));
    assert_null(strstr(rig->err, "CONNECT"));
    assert_int_equal(rig_run(rig, "append cpu 7 1"), CLI_OK);
    assert_null(strstr(rig->err, "APPEND "));
}

static void test_without(void **state)
{
    struct command_rig *rig = *state;
    rig_ok(rig, TAU_OPCODE_APPEND);
    rig_expect(rig, "append cpu 5 1", CLI_OK, "", "");
    assert_null(rig->cli->trace);
}

/* Clients of one command are traced apart: each keeps its own requests. */
static void test_another(void **state)
{
    static const uint8_t ping[] = "TAU\1\3\0\0\0\0\0";
    static const uint8_t pong[] = "TAU\1\4\0\0\0\0\0";
    const struct tau_slice sent = {.data = ping, .size = TAU_HEADER_SIZE};
    const struct tau_slice received = {.data = pong, .size = TAU_HEADER_SIZE};
    struct command_rig *rig = *state;
    struct tau_options one;
    struct tau_options other;
    struct cli_trace *added = NULL;
    bool enabled = true;
    tau_options_init(&one);
    assert_true(cli_trace_another(&one, &added));
    assert_null(added);
    assert_null(one.on_trace);
    struct cli_trace *first = cli_trace_new(rig->cli->err, &enabled, CLI_TIME_NS);
    assert_non_null(first);
    cli_trace_attach(first, &one);
    other = one;
    assert_true(cli_trace_another(&other, &added));
    assert_non_null(added);
    assert_ptr_not_equal(other.trace_user_data, one.trace_user_data);
    one.on_trace(one.trace_user_data, TAU_TRACE_SENT, sent);
    other.on_trace(other.trace_user_data, TAU_TRACE_RECEIVED, received);
    one.on_trace(one.trace_user_data, TAU_TRACE_RECEIVED, received);
    enabled = false;
    one.on_trace(one.trace_user_data, TAU_TRACE_SENT, sent);
    capture_flush(&rig->capture);
    assert_string_equal(rig->capture.err, "> PING flags=0x00 length=0 ignored=0x\n"
                                          "< PONG to an unknown request flags=0x00 length=0\n"
                                          "< PONG to PING flags=0x00 length=0\n");
    cli_trace_free(first);
    cli_trace_free(added);
    cli_trace_free(NULL);
}

/* Another connection answers nothing that was asked on the one before. */
static void test_another_connection(void **state)
{
    static const uint8_t connect[TAU_HEADER_SIZE + 32] = "TAU\1\1\0\0\0\0\40";
    static const uint8_t ping[] = "TAU\1\3\0\0\0\0\0";
    static const uint8_t ok[] = "TAU\1\xf0\0\0\0\0\0";
    struct command_rig *rig = *state;
    struct tau_options options;
    bool enabled = true;
    struct cli_trace *trace = cli_trace_new(rig->cli->err, &enabled, CLI_TIME_NS);
    assert_non_null(trace);
    tau_options_init(&options);
    cli_trace_attach(trace, &options);
    options.on_trace(trace, TAU_TRACE_SENT, (struct tau_slice){ping, TAU_HEADER_SIZE});
    options.on_trace(trace, TAU_TRACE_SENT, (struct tau_slice){connect, sizeof(connect)});
    options.on_trace(trace, TAU_TRACE_RECEIVED, (struct tau_slice){ok, TAU_HEADER_SIZE});
    capture_flush(&rig->capture);
    assert_string_equal(rig->capture.err, "> PING flags=0x00 length=0 ignored=0x\n"
                                          "> CONNECT flags=0x00 length=32 certificate=hidden\n"
                                          "< OK to CONNECT flags=0x00 length=0\n");
    cli_trace_free(trace);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(test_command), RIG_TEST(test_refusal), RIG_TEST(test_prompt),
        RIG_TEST(test_without), RIG_TEST(test_another), RIG_TEST(test_another_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
