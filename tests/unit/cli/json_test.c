/* SPDX-License-Identifier: MIT */
/* JSON: each kind of cell, strings that stay valid, arrays of none, one and more rows. */
#include <math.h>

#include "sheet.h"

static void expect_cell(struct cli_cell cell, enum cli_time_format time_format,
                        const char *expected)
{
    struct cli_column column = {"x", cell.kind};
    struct sheet sheet;
    sheet_begin(&sheet, CLI_FORMAT_JSON, time_format);
    cli_writer_record(&sheet.writer, &column, &cell, 1, 0);
    sheet_expect(&sheet, expected);
    sheet_end(&sheet);
}

static void test_cells(void **state)
{
    struct tau_label label = label_of("a\\xFFb");
    (void)state;
    expect_cell((struct cli_cell){.kind = CLI_CELL_NONE}, CLI_TIME_NS, "{\"x\": null}\n");
    expect_cell(cli_cell_duration(1500000000), CLI_TIME_RFC3339, "{\"x\": \"1s500ms\"}\n");
    expect_cell(cli_cell_duration(1500000000), CLI_TIME_S, "{\"x\": 1.5}\n");
    expect_cell(cli_cell_label(&label), CLI_TIME_NS, "{\"x\": \"a\\\\xFFb\"}\n");
    expect_cell(cli_cell_f64(-0.5), CLI_TIME_NS, "{\"x\": -0.5}\n");
    expect_cell(cli_cell_u64(UINT64_MAX), CLI_TIME_NS, "{\"x\": 18446744073709551615}\n");
    expect_cell((struct cli_cell){.kind = CLI_CELL_I64, .as.i64 = -7}, CLI_TIME_NS,
                "{\"x\": -7}\n");
    expect_cell((struct cli_cell){.kind = CLI_CELL_BOOL, .as.boolean = true}, CLI_TIME_NS,
                "{\"x\": true}\n");
    expect_cell(cli_cell_text("true"), CLI_TIME_NS, "{\"x\": \"true\"}\n");
}

/* Times are numbers in a unit and strings otherwise. */
static void test_times(void **state)
{
    (void)state;
    expect_cell(cli_cell_time(1500000000), CLI_TIME_RFC3339,
                "{\"x\": \"1970-01-01T00:00:01.500Z\"}\n");
    expect_cell(cli_cell_time(1500000000), CLI_TIME_S, "{\"x\": 1.5}\n");
    expect_cell(cli_cell_time(-1), CLI_TIME_NS, "{\"x\": -1}\n");
}

static void test_what_json_has_no_number_for(void **state)
{
    (void)state;
    expect_cell(cli_cell_f64((double)NAN), CLI_TIME_NS, "{\"x\": \"nan(0x7ff8000000000000)\"}\n");
    expect_cell(cli_cell_f64((double)INFINITY), CLI_TIME_NS, "{\"x\": \"inf\"}\n");
    expect_cell(cli_cell_f64(-(double)INFINITY), CLI_TIME_NS, "{\"x\": \"-inf\"}\n");
}

/* Text of a server is not trusted: what is written stays valid UTF-8. */
static void test_strings(void **state)
{
    static const struct {
        const char *text;
        const char *json;
    } cases[] = {
        {"a\\b\n", "a\\\\b\\u000a"},
        {"\"", "\\\""},
        {"\x1F\x7F\xC2\x9B\xE2\x80\xAE", "\\u001f\\u007f\\u009b\\u202e"},
        {"\xC3\xA9", "\xC3\xA9"},
        {"\xF0\x9B\xB2\xA0\xF3\xA0\x81\x81", "\\ud82f\\udca0\\udb40\\udc41"},
        {"\xC3", "\\ufffd"},
        {"\xC3"
         "a",
         "\\ufffda"},
        {"\x80", "\\ufffd"},
        {"\xC0\x80", "\\ufffd\\ufffd"},
        {"\xC1\xBF", "\\ufffd\\ufffd"},
        {"\xE0\x9F\xBF", "\\ufffd\\ufffd\\ufffd"},
        {"\xE0\xA0\x80", "\xE0\xA0\x80"},
        {"\xED\x9F\xBF", "\xED\x9F\xBF"},
        {"\xED\xA0\x80", "\\ufffd\\ufffd\\ufffd"},
        {"\xED\xBF\xBF", "\\ufffd\\ufffd\\ufffd"},
        {"\xEE\x80\x80", "\xEE\x80\x80"},
        {"\xF0\x8F\xBF\xBF", "\\ufffd\\ufffd\\ufffd\\ufffd"},
        {"\xF0\x9F\x98\x80", "\xF0\x9F\x98\x80"},
        {"\xF4\x8F\xBF\xBF", "\xF4\x8F\xBF\xBF"},
        {"\xF4\x90\x80\x80", "\\ufffd\\ufffd\\ufffd\\ufffd"},
        {"\xF8\x88\x80\x80\x80", "\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char expected[128];
        snprintf(expected, sizeof(expected), "{\"t\": \"%s\"}\n", cases[i].json);
        sheet_expect_text(CLI_FORMAT_JSON, cases[i].text, strlen(cases[i].text), expected);
    }
    sheet_expect_text(CLI_FORMAT_JSON, "a\0b", 3, "{\"t\": \"a\\u0000b\"}\n");
}

/* A sequence that goes on behind the text's end is cut, and not read on. */
static void test_string_that_ends_early(void **state)
{
    (void)state;
    sheet_expect_text(CLI_FORMAT_JSON, "\xE6\xB8\xA9", 2, "{\"t\": \"\\ufffd\\ufffd\"}\n");
}

static void write_rows(struct sheet *sheet, size_t count)
{
    static const struct cli_column columns[] = {{"a", CLI_CELL_U64}, {"b\"", CLI_CELL_U64}};
    cli_writer_begin(&sheet->writer, columns, 2);
    for (size_t i = 0; i < count; i++) {
        struct cli_cell cells[] = {cli_cell_u64(i), cli_cell_u64(i * 2)};
        cli_writer_row(&sheet->writer, cells);
    }
    cli_writer_end(&sheet->writer);
}

static void test_arrays(void **state)
{
    struct sheet sheet;
    (void)state;
    sheet_begin(&sheet, CLI_FORMAT_JSON, CLI_TIME_NS);
    write_rows(&sheet, 0);
    write_rows(&sheet, 1);
    write_rows(&sheet, 2);
    sheet_expect(&sheet, "[]\n"
                         "[\n  {\"a\": 0, \"b\\\"\": 0}\n]\n"
                         "[\n  {\"a\": 0, \"b\\\"\": 0},\n  {\"a\": 1, \"b\\\"\": 2}\n]\n");
    sheet_end(&sheet);
}

static void test_lines(void **state)
{
    struct sheet sheet;
    (void)state;
    sheet_begin(&sheet, CLI_FORMAT_JSONL, CLI_TIME_NS);
    write_rows(&sheet, 0);
    sheet_expect(&sheet, "");
    write_rows(&sheet, 2);
    sheet_expect(&sheet, "{\"a\": 0, \"b\\\"\": 0}\n{\"a\": 1, \"b\\\"\": 2}\n");
    sheet_end(&sheet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cells),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_what_json_has_no_number_for),
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_string_that_ends_early),
        cmocka_unit_test(test_arrays),
        cmocka_unit_test(test_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
