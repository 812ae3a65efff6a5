/* SPDX-License-Identifier: MIT */
/* The dispatch: which command runs, help, words that are no command, options that hold once. */
#include "command_rig.h"

static void test_written_by_hand(void **state)
{
    struct command_rig *rig = *state;
    assert_int_equal(rig_run(rig, "ping"), CLI_OK);
    assert_int_equal(rig_requests(rig, TAU_OPCODE_PING), 1);
}

static void test_generic(void **state)
{
    struct command_rig *rig = *state;
    rig_ok(rig, TAU_OPCODE_CREATE_SERIES);
    rig_expect(rig, "create kitchen", CLI_OK, "", "");
    assert_int_equal(rig_requests(rig, TAU_OPCODE_CREATE_SERIES), 1);
}

static void test_unknown(void **state)
{
    struct command_rig *rig = *state;
    rig_expect(rig, "pign", CLI_USAGE, "",
               "tau-cli: there is no command `pign`; did you mean `ping`?\n");
    rig_expect(rig, "frobnicate", CLI_USAGE, "",
               "tau-cli: there is no command `frobnicate`; --help lists them\n");
    rig->cli->interactive = true;
    rig_expect(rig, "frobnicate", CLI_USAGE, "",
               "there is no command `frobnicate`; help lists them\n");
}

static void test_help(void **state)
{
    struct command_rig *rig = *state;
    assert_int_equal(rig_run(rig, "help"), CLI_OK);
    assert_non_null(strstr(rig->out, "append"));
    assert_non_null(strstr(rig->out, "watch"));
    assert_string_equal(rig->err, "");
    assert_int_equal(rig_run(rig, "help append"), CLI_OK);
    assert_non_null(strstr(rig->out, "--create"));
    assert_string_equal(rig->err, "");
    rig_expect_failure(rig, "help appendd", CLI_USAGE, "did you mean `append`?");
    assert_int_equal(rig_requests(rig, TAU_OPCODE_CONNECT), 0);
}

/* Options behind a command hold for it alone; its failure changes nothing about that. */
static void test_options_hold_once(void **state)
{
    struct command_rig *rig = *state;
    struct cli_options before = rig->cli->options;
    assert_int_equal(rig_run(rig, "ping --format jsonl --timeout 5s"), CLI_OK);
    assert_int_equal(rig->out[0], '{');
    assert_memory_equal(&rig->cli->options, &before, sizeof(before));
    assert_int_equal(rig_run(rig, "ping --format csv --count none"), CLI_USAGE);
    assert_memory_equal(&rig->cli->options, &before, sizeof(before));
}

/* The command's name stands in its own messages and in no other. */
static void test_name_in_messages(void **state)
{
    struct command_rig *rig = *state;
    assert_int_equal(rig_run(rig, "ping --count 0"), CLI_USAGE);
    assert_ptr_equal(strstr(rig->err, "tau-cli: ping: --count"), rig->err);
    assert_null(rig->cli->command);
    assert_int_equal(rig_run(rig, "pingg"), CLI_USAGE);
    assert_ptr_equal(strstr(rig->err, "tau-cli: there is no"), rig->err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(test_written_by_hand),   RIG_TEST(test_generic),
        RIG_TEST(test_unknown),           RIG_TEST(test_help),
        RIG_TEST(test_options_hold_once), RIG_TEST(test_name_in_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
