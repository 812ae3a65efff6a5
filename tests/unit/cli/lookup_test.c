/* SPDX-License-Identifier: MIT */
/* What a lookup reads before it asks: nothing is asked while an argument or the server is wrong. */
#include "cli_test.h"
#include "lookup.h"

static const struct cli_argument typed[] = {{.name = "THING"}, {.name = "WHEN"}};
static const struct cli_syntax syntax = {.arguments = typed, .argument_count = COUNT(typed)};

static enum tau_status query(struct tau_client *client, const struct tau_label *label,
                             int64_t timestamp, bool *ret_found, double *ret_value,
                             struct tau_error *error)
{
    (void)client;
    (void)label;
    (void)timestamp;
    (void)ret_found;
    (void)ret_value;
    (void)error;
    fail_msg("asked without a connection");
    return TAU_STATUS_SUCCESS;
}

static const struct cli_lookup lookup = {.syntax = &syntax, .query = query};

/* Runs a lookup that must end with this code, say these words, and print no data. */
static void expect(int code, const char *words, const char *label, const char *time)
{
    char *argv[] = {(char *)"look", (char *)label, (char *)time, NULL};
    struct capture capture;
    capture_begin(&capture);
    capture.cli.options.server = "127.0.0.1:1"; /* nobody listens there */
    capture.cli.options.timeout_ms = 2000;
    assert_int_equal(cli_lookup_run(&capture.cli, &lookup, time != NULL ? 3 : 2, argv), code);
    capture_flush(&capture);
    if (strstr(capture.err, words) == NULL) {
        fail_msg("`%s` is not said in: %s", words, capture.err);
    }
    assert_int_equal(capture.out_size, 0);
    tau_client_free(capture.cli.client);
    capture_end(&capture);
}

static void test_arguments_are_named_as_the_syntax_names_them(void **state)
{
    (void)state;
    expect(CLI_USAGE, "WHEN", "thing", NULL);
    expect(CLI_USAGE, "THING", "a\\b", "1");
    expect(CLI_USAGE, "WHEN", "thing", "yesterday");
}

static void test_no_server(void **state)
{
    (void)state;
    setenv("TAU_CERTIFICATE", "0000000000000000000000000000000000000000000000000000000000000000",
           1);
    expect(CLI_NO_CONNECTION, "127.0.0.1:1", "thing", "1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arguments_are_named_as_the_syntax_names_them),
        cmocka_unit_test(test_no_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
