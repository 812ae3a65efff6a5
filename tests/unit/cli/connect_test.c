/* SPDX-License-Identifier: MIT */
/* The connection of a command: how it is made, kept, made anew, and why it cannot be. */
#include "command_rig.h"

static void test_made_once(void **state)
{
    struct command_rig *rig = *state;
    assert_int_equal(cli_connect(rig->cli), CLI_OK);
    struct tau_client *client = rig->cli->client;
    assert_non_null(client);
    assert_string_equal(tau_client_server(client)->name, "rig");
    assert_int_equal(cli_connect(rig->cli), CLI_OK);
    assert_ptr_equal(rig->cli->client, client);
    assert_int_equal(rig_requests(rig, TAU_OPCODE_CONNECT), 1);
}

static void test_certificate_is_sent(void **state)
{
    struct command_rig *rig = *state;
    static const uint8_t begin[] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};
    assert_int_equal(cli_connect(rig->cli), CLI_OK);
    struct tau_slice payload = rig_request(rig, TAU_OPCODE_CONNECT, 0);
    assert_true(payload.size >= sizeof(begin));
    assert_memory_equal(payload.data, begin, sizeof(begin));
}

/* A connection that the server has closed in the meantime is noticed before a command needs it. */
static void test_made_anew(void **state)
{
    struct command_rig *rig = *state;
    struct tau_ping_request ping = {.ignored = {.size = 0}};
    rig_close(rig, TAU_OPCODE_PING);
    assert_int_equal(cli_connect(rig->cli), CLI_OK);
    assert_int_not_equal(tau_client_ping(rig->cli->client, &ping, NULL), TAU_STATUS_SUCCESS);
    assert_int_equal(cli_connect(rig->cli), CLI_OK);
    assert_int_equal(rig_requests(rig, TAU_OPCODE_CONNECT), 2);
    assert_int_equal(tau_async_link(tau_client_pipeline(rig->cli->client)), TAU_LINK_READY);
}

static void test_closed_while_idle(void **state)
{
    struct command_rig *rig = *state;
    assert_int_equal(cli_connect(rig->cli), CLI_OK);
    rig_stop_server(rig);
    assert_int_equal(cli_connect(rig->cli), CLI_NO_CONNECTION);
    capture_flush(&rig->capture);
    assert_non_null(strstr(rig->capture.err, rig->cli->options.server));
    assert_non_null(strstr(rig->capture.err, "(connection_failed)"));
}

static void test_nobody_listens(void **state)
{
    struct command_rig *rig = *state;
    rig_stop_server(rig);
    assert_int_equal(cli_connect(rig->cli), CLI_NO_CONNECTION);
    assert_null(rig->cli->client);
    capture_flush(&rig->capture);
    assert_non_null(strstr(rig->capture.err, rig->cli->options.server));
}

static void test_certificate_is_refused(void **state)
{
    struct command_rig *rig = *state;
    rig_refuse(rig, TAU_OPCODE_CONNECT, TAU_STATUS_AUTH_FAILED);
    assert_int_equal(cli_connect(rig->cli), CLI_REFUSED);
    assert_null(rig->cli->client);
    capture_flush(&rig->capture);
    assert_non_null(strstr(rig->capture.err, "(auth_failed)"));
}

/* An address that is none is the user's mistake. */
static void test_wrong_address(void **state)
{
    struct command_rig *rig = *state;
    rig->cli->options.server = "127.0.0.1:99999";
    assert_int_equal(cli_connect(rig->cli), CLI_USAGE);
    capture_flush(&rig->capture);
    assert_non_null(strstr(rig->capture.err, "127.0.0.1:99999"));
}

static void test_no_certificate(void **state)
{
    struct command_rig *rig = *state;
    struct tau_options options;
    rig->cli->options.certificate_file = "/nonexistent/certificate";
    assert_int_equal(cli_client_options(rig->cli, &options), CLI_ERROR);
    assert_int_equal(cli_connect(rig->cli), CLI_ERROR);
    capture_flush(&rig->capture);
    assert_non_null(strstr(rig->capture.err, "/nonexistent/certificate"));
    assert_int_equal(rig_requests(rig, TAU_OPCODE_CONNECT), 0);
}

/* A timeout holds for each request; a connection takes no longer than that either. */
static void test_timeouts(void **state)
{
    struct command_rig *rig = *state;
    struct tau_options defaults;
    struct tau_options options;
    tau_options_init(&defaults);
    rig->cli->options.timeout_ms = 7;
    assert_int_equal(cli_client_options(rig->cli, &options), CLI_OK);
    assert_int_equal(options.request_timeout_ms, 7);
    assert_int_equal(options.connect_timeout_ms, 7);
    rig->cli->options.timeout_ms = defaults.connect_timeout_ms + 1;
    assert_int_equal(cli_client_options(rig->cli, &options), CLI_OK);
    assert_int_equal(options.request_timeout_ms, defaults.connect_timeout_ms + 1);
    assert_int_equal(options.connect_timeout_ms, defaults.connect_timeout_ms);
    rig->cli->options.timeout_ms = 0; /* none */
    assert_int_equal(cli_client_options(rig->cli, &options), CLI_OK);
    assert_int_equal(options.request_timeout_ms, 0);
    assert_int_equal(options.connect_timeout_ms, defaults.connect_timeout_ms);
}

/* At the prompt each command may bring a timeout of its own. */
static void test_timeout_of_the_next_command(void **state)
{
    struct command_rig *rig = *state;
    struct tau_ping_request ping = {.ignored = {.size = 0}};
    rig_silence(rig, TAU_OPCODE_PING);
    assert_int_equal(cli_connect(rig->cli), CLI_OK);
    rig->cli->options.timeout_ms = 20;
    assert_int_equal(cli_connect(rig->cli), CLI_OK);
    int64_t began_ns = cli_clock_ns();
    assert_int_equal(tau_client_ping(rig->cli->client, &ping, NULL), TAU_STATUS_TIMEOUT);
    assert_true(cli_clock_ns() - began_ns < 5 * CLI_NS_PER_SECOND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(test_made_once),      RIG_TEST(test_certificate_is_sent),
        RIG_TEST(test_made_anew),      RIG_TEST(test_closed_while_idle),
        RIG_TEST(test_nobody_listens), RIG_TEST(test_certificate_is_refused),
        RIG_TEST(test_wrong_address),  RIG_TEST(test_no_certificate),
        RIG_TEST(test_timeouts),       RIG_TEST(test_timeout_of_the_next_command),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
