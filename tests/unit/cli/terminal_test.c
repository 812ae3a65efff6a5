/* SPDX-License-Identifier: MIT */
/* What is found out about the terminal: colour, and the width of text. */
#include <locale.h>

#include "cli_test.h"
#include "terminal/terminal.h"

static bool colour_with(const char *no_color, const char *term)
{
    struct cli_terminal terminal;
    if (no_color != NULL) {
        setenv("NO_COLOR", no_color, 1);
    } else {
        unsetenv("NO_COLOR");
    }
    setenv("TERM", term, 1);
    cli_terminal_init(&terminal);
    return terminal.colour;
}

static void test_colour(void **state)
{
    (void)state;
    assert_true(colour_with(NULL, "xterm"));
    assert_true(colour_with("", "xterm"));
    assert_false(colour_with("1", "xterm"));
    assert_false(colour_with(NULL, "dumb"));
}

static void test_size(void **state)
{
    unsigned columns;
    unsigned rows;
    (void)state;
    cli_terminal_size(-1, 80, 24, &columns, &rows);
    assert_int_equal(columns, 80);
    assert_int_equal(rows, 24);
}

static void test_width(void **state)
{
    (void)state;
    assert_int_equal(cli_text_width("abc", 3), 3);
    assert_int_equal(cli_text_width("", 0), 0);
    assert_int_equal(cli_text_width("\xFF\xFE", 2), 2);
    if (setlocale(LC_CTYPE, "C.UTF-8") != NULL) {
        assert_int_equal(cli_text_width("\u00e9t\u00e9", 5), 3);
        assert_int_equal(cli_text_width("\u6e29", 3), 2);
        assert_int_equal(cli_text_width("\xC3", 1), 1);
        setlocale(LC_CTYPE, "C");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_colour),
        cmocka_unit_test(test_size),
        cmocka_unit_test(test_width),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
