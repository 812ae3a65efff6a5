/* SPDX-License-Identifier: MIT */
/* The title of a chart at every width: what is left out, what is cut, and that it always fits. */
#include <locale.h>

#include "cli_test.h"
#include "plot/title.h"

static struct cli_title title = {.name = "cpu.load.of.the.kitchen",
                                 .point_count = 1000,
                                 .from = "2026-01-01T00:00:00Z",
                                 .to = "2026-01-01T00:16:39Z"};

static char *print(size_t width, bool ascii)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    cli_title_print(&title, width, ascii, out);
    fclose(out);
    return text;
}

static void expect(size_t width, bool ascii, const char *wanted)
{
    char *text = print(width, ascii);
    assert_string_equal(text, wanted);
    free(text);
}

static void test_whole(void **state)
{
    (void)state;
    expect(82, false,
           "cpu.load.of.the.kitchen  1000 points, 2026-01-01T00:00:00Z to 2026-01-01T00:16:39Z\n");
    expect(1000, true,
           "cpu.load.of.the.kitchen  1000 points, 2026-01-01T00:00:00Z to 2026-01-01T00:16:39Z\n");
}

static void test_the_name_is_cut_first(void **state)
{
    (void)state;
    expect(81, true,
           "cpu.load.of.the.kit...  1000 points, 2026-01-01T00:00:00Z to 2026-01-01T00:16:39Z\n");
    expect(71, true, "cpu.load....  1000 points, 2026-01-01T00:00:00Z to 2026-01-01T00:16:39Z\n");
}

static void test_the_times_go_before_the_count(void **state)
{
    (void)state;
    expect(70, true, "cpu.load.of.the.kitchen  1000 points\n");
    expect(36, true, "cpu.load.of.the.kitchen  1000 points\n");
    expect(35, true, "cpu.load.of.the.kit...  1000 points\n");
    expect(25, true, "cpu.load....  1000 points\n");
    expect(24, true, "cpu.load.of.the.kitchen\n");
    expect(10, true, "cpu.loa...\n");
}

/* A character of several bytes or two columns is kept whole or not at all. */
static void test_no_character_is_parted(void **state)
{
    const char *name = title.name;
    (void)state;
    if (setlocale(LC_CTYPE, "C.UTF-8") == NULL) {
        skip();
    }
    title.name = "t\u00e9mp\u00e9rature \u6e29\u5ea6 de la cuisine";
    expect(25, false, "t\u00e9mp\u00e9rature\u2026  1000 points\n");
    expect(26, false, "t\u00e9mp\u00e9rature \u2026  1000 points\n");
    expect(27, false, "t\u00e9mp\u00e9rature \u2026  1000 points\n");
    expect(28, false, "t\u00e9mp\u00e9rature \u6e29\u2026  1000 points\n");
    title.name = name;
    setlocale(LC_CTYPE, "C");
}

static void test_never_wider(void **state)
{
    (void)state;
    for (size_t width = 3; width < 100; width++) {
        char *text = print(width, true);
        assert_in_range(strlen(text), 1, width + 1);
        assert_int_equal(text[strlen(text) - 1], '\n');
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_the_name_is_cut_first),
        cmocka_unit_test(test_the_times_go_before_the_count),
        cmocka_unit_test(test_no_character_is_parted),
        cmocka_unit_test(test_never_wider),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
