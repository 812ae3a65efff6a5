/* SPDX-License-Identifier: MIT */
/* What a server said does nothing to a terminal, and breaks no table. */
#include "format/plain.h"

#include "memory_fault.h"
#include "sheet.h"

static const struct {
    const char *text;
    const char *plain;
} cases[] = {
    {"", ""},
    {"a b~", "a b~"},
    {"a\\b", "a\\b"},
    {"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"},
    {"\x1B]0;x\x07", "\\x1B]0;x\\x07"},
    {"a\nb\r\t", "a\\x0Ab\\x0D\\x09"},
    {"\x7F", "\\x7F"},
    {"\xC2\x9B"
     "31m",
     "\\xC2\\x9B31m"},
    {"\xC2\xA0", "\xC2\xA0"},
    {"\xE2\x80\xAE"
     "1",
     "\\xE2\\x80\\xAE1"},
    {"\xE2\x81\xA6\xE2\x81\xA9", "\\xE2\\x81\\xA6\\xE2\\x81\\xA9"},
    {"\xE2\x80\xA8", "\\xE2\\x80\\xA8"},
    {"\xEF\xBB\xBF", "\\xEF\\xBB\\xBF"},
    {"\xC3", "\\xC3"},
    {"\xFF\xC0\x80", "\\xFF\\xC0\\x80"},
};

static struct cli_text text_of(const char *text)
{
    return (struct cli_text){.data = text, .size = strlen(text)};
}

static void check(struct cli_text text, const char *kept, const char *expected)
{
    struct sheet sheet;
    struct cli_text copy = cli_plain_copy(text, kept);
    assert_string_equal(copy.data, expected);
    assert_int_equal(copy.size, strlen(expected));
    assert_int_equal(cli_is_plain(text, kept), text.size == copy.size);
    free((char *)copy.data);
    sheet_begin(&sheet, CLI_FORMAT_TABLE, CLI_TIME_NS);
    cli_plain_print(sheet.out, text, kept);
    sheet_expect(&sheet, expected);
    sheet_end(&sheet);
}

static void test_texts(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        check(text_of(cases[i].text), "", cases[i].plain);
    }
    check((struct cli_text){.data = "a\0b", .size = 3}, "", "a\\x00b");
    check((struct cli_text){.data = "a\0b", .size = 3}, "\n", "a\\x00b");
    check(text_of("a\nb\x1B\n"), "\n", "a\nb\\x1B\n");
}

/* A character that is cut off by the end of the text is not read on. */
static void test_the_end(void **state)
{
    (void)state;
    check((struct cli_text){.data = "\xE2\x82\xAC", .size = 2}, "", "\\xE2\\x82");
}

static void test_no_memory(void **state)
{
    (void)state;
    memory_fault_after(0);
    struct cli_text copy = cli_plain_copy(text_of("a"), "");
    assert_true(memory_fault_end());
    assert_null(copy.data);
    assert_int_equal(copy.size, 0);
}

/* Each format of the same foreign text. */
static void test_formats(void **state)
{
    static const char text[] = "\x1B[1m\n,\xC2\x9B\xE2\x80\xAE\x7F\xFF";
    (void)state;
    const size_t size = sizeof(text) - 1;
    sheet_expect_text(CLI_FORMAT_TABLE, text, size,
                      "t  \\x1B[1m\\x0A,\\xC2\\x9B\\xE2\\x80\\xAE\\x7F\\xFF\n");
    sheet_expect_text(CLI_FORMAT_CSV, text, size,
                      "t\n\"\\x1B[1m\n,\\xC2\\x9B\\xE2\\x80\\xAE\\x7F\\xFF\"\n");
    sheet_expect_text(CLI_FORMAT_TSV, text, size,
                      "t\n\\x1B[1m\\n,\\xC2\\x9B\\xE2\\x80\\xAE\\x7F\\xFF\n");
    sheet_expect_text(CLI_FORMAT_JSON, text, size,
                      "{\"t\": \"\\u001b[1m\\u000a,\\u009b\\u202e\\u007f\\ufffd\"}\n");
}

/* The rows of a table line up by what is shown. */
static void test_rows(void **state)
{
    static const struct cli_column columns[] = {{"t", CLI_CELL_TEXT}, {"n", CLI_CELL_U64}};
    struct cli_cell first[] = {cli_cell_text("a\nb"), cli_cell_u64(1)};
    struct cli_cell second[] = {cli_cell_text("c"), cli_cell_u64(2)};
    struct sheet sheet;
    (void)state;
    sheet_begin(&sheet, CLI_FORMAT_TABLE, CLI_TIME_NS);
    cli_writer_begin(&sheet.writer, columns, 2);
    cli_writer_row(&sheet.writer, first);
    cli_writer_row(&sheet.writer, second);
    cli_writer_end(&sheet.writer);
    sheet_expect(&sheet, "t       n\n"
                         "a\\x0Ab  1\n"
                         "c       2\n");
    sheet_end(&sheet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),     cmocka_unit_test(test_the_end),
        cmocka_unit_test(test_no_memory), cmocka_unit_test(test_formats),
        cmocka_unit_test(test_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
