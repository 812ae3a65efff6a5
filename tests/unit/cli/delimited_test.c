/* SPDX-License-Identifier: MIT */
/* CSV and TSV: which fields are quoted, what is escaped, and rows that end where they should. */
#include <math.h>

#include "format/delimited.h"
#include "sheet.h"

static void expect_field(const char *field, const char *expected)
{
    struct sheet sheet;
    sheet_begin(&sheet, CLI_FORMAT_CSV, CLI_TIME_NS);
    cli_csv_field(sheet.out, (struct cli_text){.data = field, .size = strlen(field)});
    sheet_expect(&sheet, expected);
    sheet_end(&sheet);
}

static void test_fields_that_need_no_quotes(void **state)
{
    static const char *const fields[] = {"a", "a b", "cpu.load", "-5", "a;b", "a\tb", "\u00e9"};
    (void)state;
    for (size_t i = 0; i < COUNT(fields); i++) {
        expect_field(fields[i], fields[i]);
    }
}

static void test_fields_that_need_quotes(void **state)
{
    (void)state;
    expect_field("", "\"\"");
    expect_field("a,b", "\"a,b\"");
    expect_field("\"", "\"\"\"\"");
    expect_field("a\"b\"c", "\"a\"\"b\"\"c\"");
    expect_field("a\nb", "\"a\nb\"");
    expect_field("a\rb", "\"a\rb\"");
    expect_field(" a", "\" a\"");
    expect_field("a ", "\"a \"");
    expect_field(" ", "\" \"");
}

/* An empty label is a label; an absent value is not. Numbers are never quoted. */
static void test_csv_cells(void **state)
{
    static const struct cli_column columns[] = {
        {"series", CLI_CELL_LABEL}, {"count", CLI_CELL_U64}, {"value", CLI_CELL_F64}};
    struct tau_label label = label_of("");
    struct cli_cell cells[] = {
        cli_cell_label(&label), {.kind = CLI_CELL_NONE}, cli_cell_f64((double)INFINITY)};
    struct sheet sheet;
    (void)state;
    sheet_begin(&sheet, CLI_FORMAT_CSV, CLI_TIME_NS);
    cli_writer_begin(&sheet.writer, columns, 3);
    cli_writer_row(&sheet.writer, cells);
    cli_writer_row(&sheet.writer, cells);
    cli_writer_end(&sheet.writer);
    sheet_expect(&sheet, "series,count,value\n\"\",,inf\n\"\",,inf\n");
    sheet_end(&sheet);
}

static void test_tsv_cells(void **state)
{
    static const struct cli_column columns[] = {{"text", CLI_CELL_TEXT}, {"none", CLI_CELL_U64}};
    struct cli_cell cells[] = {cli_cell_text("a,\"b\""), {.kind = CLI_CELL_NONE}};
    struct sheet sheet;
    (void)state;
    sheet_begin(&sheet, CLI_FORMAT_TSV, CLI_TIME_NS);
    cli_writer_begin(&sheet.writer, columns, 2);
    cli_writer_row(&sheet.writer, cells);
    cli_writer_end(&sheet.writer);
    sheet_expect(&sheet, "text\tnone\na,\"b\"\t\n");
    sheet_end(&sheet);
}

static void test_tsv_escapes(void **state)
{
    (void)state;
    sheet_expect_text(CLI_FORMAT_TSV, "a\tb\nc\rd", 7, "t\na\\tb\\nc\\rd\n");
}

/* One answer is a header and a row, whichever column is the main one. */
static void test_record(void **state)
{
    static const struct cli_column columns[] = {{"a", CLI_CELL_U64}, {"b", CLI_CELL_U64}};
    struct cli_cell cells[] = {cli_cell_u64(1), cli_cell_u64(2)};
    struct sheet sheet;
    (void)state;
    sheet_begin(&sheet, CLI_FORMAT_CSV, CLI_TIME_NS);
    cli_writer_record(&sheet.writer, columns, cells, 2, 1);
    sheet_expect(&sheet, "a,b\n1,2\n");
    sheet_end(&sheet);
    sheet_begin(&sheet, CLI_FORMAT_TSV, CLI_TIME_NS);
    cli_writer_record(&sheet.writer, columns, cells, 2, 0);
    sheet_expect(&sheet, "a\tb\n1\t2\n");
    sheet_end(&sheet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields_that_need_no_quotes),
        cmocka_unit_test(test_fields_that_need_quotes),
        cmocka_unit_test(test_csv_cells),
        cmocka_unit_test(test_tsv_cells),
        cmocka_unit_test(test_tsv_escapes),
        cmocka_unit_test(test_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
