/* SPDX-License-Identifier: MIT */
/* How the server's specification comes, or why it does not, and operations that are not in it. */
#include "specification/fetch.h"
#include "strange_server.h"

static void connect(struct command_rig *rig)
{
    assert_int_equal(cli_connect(rig->cli), CLI_OK);
}

/* Fetches what must not be fetched; returns the exit code. The words are in the capture. */
static int fetch_in_vain(struct command_rig *rig)
{
    struct cli_document *document = NULL;
    connect(rig);
    int code = cli_fetch_document(rig->cli, rig->cli->client, &document);
    assert_null(document);
    capture_flush(&rig->capture);
    return code;
}

static void test_document(void **state)
{
    struct command_rig *rig = *state;
    struct cli_document *document = NULL;
    plan_strange_document(rig);
    connect(rig);
    assert_int_equal(cli_fetch_document(rig->cli, rig->cli->client, &document), CLI_OK);
    assert_string_equal(cli_fetch_operation(rig->cli, document, "flow")->name, "FLOW");
    assert_null(cli_fetch_operation(rig->cli, document, "flaw"));
    assert_null(cli_fetch_operation(rig->cli, document, "else"));
    capture_flush(&rig->capture);
    assert_string_equal(rig->capture.err,
                        "tau-cli: the server has no operation `flaw`; did you mean FLOW?\n"
                        "tau-cli: the server has no operation `else`; tau-cli spec lists them\n");
    cli_document_free(document);
}

static void test_no_document(void **state)
{
    struct command_rig *rig = *state;
    plan_document(rig, "{\"name\":\"tau\"");
    assert_int_equal(fetch_in_vain(rig), CLI_ERROR);
    assert_non_null(strstr(rig->capture.err, "the server's specification cannot be read: the "
                                             "document: line 1, column 13"));
}

static void test_refusal(void **state)
{
    struct command_rig *rig = *state;
    rig_refuse(rig, TAU_OPCODE_SPECIFICATION, TAU_STATUS_THROTTLED);
    assert_int_equal(fetch_in_vain(rig), CLI_REFUSED);
}

/* A server from before it has none. */
static void test_older_server(void **state)
{
    struct command_rig *rig = *state;
    uint8_t nothing[64];
    struct tau_writer out = tau_writer_over(nothing, sizeof(nothing));
    struct tau_negotiate_response response = {.server_name = tau_slice_text("old")};
    assert_true(tau_negotiate_response_encode(&response, &out));
    rig_reply(rig, TAU_OPCODE_NEGOTIATE, &out);
    assert_int_equal(fetch_in_vain(rig), CLI_ERROR);
    assert_string_equal(rig->capture.err,
                        "tau-cli: the server does not offer SPECIFICATION (not_supported)\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {RIG_TEST(test_document), RIG_TEST(test_no_document),
                                       RIG_TEST(test_refusal), RIG_TEST(test_older_server)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
