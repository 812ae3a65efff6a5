// SPDX-License-Identifier: MIT
// Which lines are commands, what they say, and what is told of those that are wrong.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/command.h"

#include <stdlib.h>
#include <string.h>

static struct taud_command command;
static struct taud_config_error error;

// Reads a line whose words stand in one text.
static enum taud_config_result read_line(const char *line)
{
    static char text[200];
    char *argv[16] = {"taud"};
    int argc = 1;
    snprintf(text, sizeof text, "%s", line);
    for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
        argv[argc++] = strcmp(word, "''") == 0 ? "" : word;
    argv[argc] = NULL;
    return taud_command_read(argc, argv, &command, &error);
}

static void expect(const char *line, const char *directory, enum taud_command_format format)
{
    assert_int_equal(read_line(line), TAUD_CONFIG_OK);
    assert_int_equal(command.kind, TAUD_COMMAND_CHECK);
    assert_string_equal(command.directory, directory);
    assert_int_equal(command.format, format);
}

static void a_line_may_have_none(void **state)
{
    (void)state;
    static const char *const lines[] = {"", "--data-dir check", "--help", "cheque DIR", "''"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        assert_int_equal(read_line(lines[i]), TAUD_CONFIG_OK);
        assert_int_equal(command.kind, TAUD_COMMAND_NONE);
    }
}

static void directory_and_format_stand_in_any_order(void **state)
{
    (void)state;
    expect("check DIR", "DIR", TAUD_COMMAND_TEXT);
    expect("check --format json DIR", "DIR", TAUD_COMMAND_JSON);
    expect("check DIR --format=json", "DIR", TAUD_COMMAND_JSON);
    expect("check --format json DIR --format=text", "DIR", TAUD_COMMAND_TEXT);
    expect("check -- --help", "--help", TAUD_COMMAND_TEXT);
    expect("check --format json -- -x", "-x", TAUD_COMMAND_JSON);
    expect("check -", "-", TAUD_COMMAND_TEXT);
    assert_int_equal(read_line("repair DIR"), TAUD_CONFIG_OK);
    assert_int_equal(command.kind, TAUD_COMMAND_REPAIR);
    assert_int_equal(read_line("check DIR --help"), TAUD_CONFIG_HELP);
    assert_int_equal(read_line("check -h"), TAUD_CONFIG_HELP);
}

static void a_wrong_line_is_told(void **state)
{
    (void)state;
    static const char *const lines[][2] = {
        {"check", "taud check: no directory; expected taud check DIRECTORY"},
        {"check ''", "taud check: no directory; expected taud check DIRECTORY"},
        {"check --format json", "taud check: no directory; expected taud check DIRECTORY"},
        {"check A B", "unexpected argument \"B\"; expected one directory behind check"},
        {"check A -- B", "unexpected argument \"B\"; expected one directory behind check"},
        {"check A --format", "option --format: \"\" is not allowed; expected text or json"},
        {"check --format=xml A", "option --format: \"xml\" is not allowed; expected text or json"},
        {"check --data-dir A", "option --data-dir is not known; taud check takes --format alone"},
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        assert_int_equal(read_line(lines[i][0]), TAUD_CONFIG_USAGE);
        assert_string_equal(error.text, lines[i][1]);
    }
}

static void every_command_is_described(void **state)
{
    (void)state;
    struct taud_command_text text;
    size_t count = 0;
    char line[100];
    for (; taud_command_text(count, &text); count++) {
        assert_string_equal(text.argument, "DIRECTORY");
        assert_non_null(strstr(text.help, "Exit codes: 0 "));
        snprintf(line, sizeof line, "%s x", text.name);
        assert_int_equal(read_line(line), TAUD_CONFIG_OK);
        assert_true(command.kind != TAUD_COMMAND_NONE);
    }
    assert_true(count > 0);
    const struct taud_command_option *option = taud_command_option();
    for (size_t i = 0; option->choices[i] != NULL; i++) {
        snprintf(line, sizeof line, "check --%s %s x", option->name, option->choices[i]);
        assert_int_equal(read_line(line), TAUD_CONFIG_OK);
        assert_int_equal(command.format, i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_may_have_none),
        cmocka_unit_test(directory_and_format_stand_in_any_order),
        cmocka_unit_test(a_wrong_line_is_told),
        cmocka_unit_test(every_command_is_described),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
