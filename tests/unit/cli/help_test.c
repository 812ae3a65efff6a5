/* SPDX-License-Identifier: MIT */
/* Help comes from the table: every command, every option, no line that is too long. */
#include "arguments.h"
#include "cli_test.h"
#include "help.h"
#include "tau_cli_commands.h"

static void assert_lines_fit(const char *text)
{
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");
        if (length > 94) {
            fail_msg("%zu columns: %.*s", length, (int)length, text);
        }
        text += length + (text[length] != '\0');
    }
}

static void test_program(void **state)
{
    struct capture capture;
    (void)state;
    capture_begin(&capture);
    cli_help_program(&capture.cli, capture.cli.out);
    capture_flush(&capture);
    for (size_t i = 0; i < tau_cli_command_count; i++) {
        assert_non_null(strstr(capture.out, tau_cli_commands[i].name));
        assert_non_null(strstr(capture.out, tau_cli_commands[i].summary));
    }
    assert_non_null(strstr(capture.out, "exit codes: 0 ok, 1 error,"));
    assert_non_null(strstr(capture.out, "partial import\n"));
    assert_non_null(strstr(capture.out, "written \\xHH."));
    assert_lines_fit(capture.out);
    capture_end(&capture);
}

static void test_commands(void **state)
{
    (void)state;
    for (size_t i = 0; i < tau_cli_command_count; i++) {
        const struct cli_command *command = &tau_cli_commands[i];
        struct capture capture;
        assert_true((command->run == NULL) != (command->generic == NULL));
        assert_true(command->syntax->option_count <= CLI_OPTION_LIMIT);
        capture_begin(&capture);
        cli_help_command(&capture.cli, capture.cli.out, command);
        capture_flush(&capture);
        assert_non_null(strstr(capture.out, command->summary));
        for (size_t j = 0; j < command->syntax->argument_count; j++) {
            assert_non_null(strstr(capture.out, command->syntax->arguments[j].name));
        }
        for (size_t j = 0; j < command->syntax->option_count; j++) {
            assert_non_null(strstr(capture.out, command->syntax->options[j].name));
        }
        assert_lines_fit(capture.out);
        capture_end(&capture);
    }
}

/* A letter or a name that a command shares with the options of all commands would hide them. */
static void test_no_option_twice(void **state)
{
    (void)state;
    for (size_t i = 0; i < tau_cli_command_count; i++) {
        const struct cli_syntax *syntax = tau_cli_commands[i].syntax;
        for (size_t j = 0; j < syntax->option_count; j++) {
            for (size_t k = 0; k < cli_global_option_count; k++) {
                const struct cli_option *global = &cli_global_options[k];
                assert_string_not_equal(syntax->options[j].name, global->name);
                assert_true(global->letter == 0 || syntax->options[j].letter != global->letter);
            }
        }
    }
}

static void test_find(void **state)
{
    (void)state;
    assert_string_equal(cli_command_find("append")->name, "append");
    assert_null(cli_command_find("appen"));
    assert_string_equal(cli_command_nearest("apend")->name, "append");
    assert_string_equal(cli_command_nearest("lens-creat")->name, "lens-create");
    assert_string_equal(cli_command_nearest("gte")->name, "get");
    /* Each is near to both, and the first of the table must not win. */
    assert_string_equal(cli_command_nearest("lens-lst")->name, "lens-list");
    assert_string_equal(cli_command_nearest("lens-gt")->name, "lens-get");
    assert_null(cli_command_nearest("xyzzy"));
    assert_null(cli_command_nearest(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_program),
        cmocka_unit_test(test_commands),
        cmocka_unit_test(test_no_option_twice),
        cmocka_unit_test(test_find),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
