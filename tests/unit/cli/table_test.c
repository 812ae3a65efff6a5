/* SPDX-License-Identifier: MIT */
/* Tables: widths, sides, the rows that are kept until widths are known, and memory that ends. */
#include <inttypes.h>

#include "memory_fault.h"
#include "sheet.h"

#define KEPT_ROWS 256

static const struct cli_column number = {"n", CLI_CELL_U64};

static void write_number(struct sheet *sheet, uint64_t value)
{
    struct cli_cell cell = cli_cell_u64(value);
    cli_writer_row(&sheet->writer, &cell);
}

/* Text stands to the left and numbers to the right; nothing hangs over the last column. */
static void test_sides(void **state)
{
    static const struct cli_column columns[] = {
        {"series", CLI_CELL_LABEL}, {"n", CLI_CELL_U64}, {"note", CLI_CELL_TEXT}};
    struct tau_label label = label_of("kitchen");
    struct cli_cell first[] = {cli_cell_label(&label), cli_cell_u64(5), cli_cell_text("a")};
    struct cli_cell second[] = {{.kind = CLI_CELL_NONE}, cli_cell_u64(1234), cli_cell_text("")};
    struct sheet sheet;
    (void)state;
    sheet_begin(&sheet, CLI_FORMAT_TABLE, CLI_TIME_NS);
    cli_writer_begin(&sheet.writer, columns, 3);
    cli_writer_row(&sheet.writer, first);
    cli_writer_row(&sheet.writer, second);
    sheet_expect(&sheet, ""); /* until the widths are known */
    cli_writer_end(&sheet.writer);
    sheet_expect(&sheet, "series      n  note\n"
                         "kitchen     5  a\n"
                         "         1234  \n");
    sheet_end(&sheet);
}

/* A column of times is as wide as one without a fraction, whatever it holds. */
static void test_times(void **state)
{
    static const struct cli_column columns[] = {{"t", CLI_CELL_TIME}, {"v", CLI_CELL_F64}};
    struct cli_cell cells[] = {cli_cell_time(0), cli_cell_f64(1)};
    struct sheet sheet;
    (void)state;
    sheet_begin(&sheet, CLI_FORMAT_TABLE, CLI_TIME_RFC3339);
    cli_writer_begin(&sheet.writer, columns, 2);
    cli_writer_end(&sheet.writer);
    sheet_expect(&sheet, "t                     v\n");
    cli_writer_begin(&sheet.writer, columns, 2);
    cli_writer_row(&sheet.writer, cells);
    cli_writer_end(&sheet.writer);
    sheet_expect(&sheet, "t                     v\n"
                         "t                     v\n"
                         "1970-01-01T00:00:00Z  1\n");
    sheet_end(&sheet);
}

/* More rows than are kept: in order, and none twice or missing. */
static void expect_rows(uint64_t count, uint64_t flush_after)
{
    struct sheet sheet;
    sheet_begin(&sheet, CLI_FORMAT_TABLE, CLI_TIME_NS);
    cli_writer_begin(&sheet.writer, &number, 1);
    for (uint64_t i = 0; i < count; i++) {
        write_number(&sheet, i);
        if (i == flush_after) {
            cli_writer_flush(&sheet.writer);
        }
    }
    cli_writer_end(&sheet.writer);
    fflush(sheet.out);
    char *at = strchr(sheet.text, '\n');
    assert_non_null(at);
    for (uint64_t i = 0; i < count; i++) {
        assert_int_equal(strtoull(at, &at, 10), i);
    }
    assert_string_equal(at, "\n");
    sheet_end(&sheet);
}

static void test_long_tables(void **state)
{
    (void)state;
    expect_rows(KEPT_ROWS - 1, UINT64_MAX);
    expect_rows(KEPT_ROWS, UINT64_MAX);
    expect_rows(KEPT_ROWS + 1, UINT64_MAX);
    expect_rows(1000, UINT64_MAX);
    expect_rows(1000, 10);
}

/* A later, wider cell only moves what stands behind it. */
static void test_wider_cell_after_the_kept_rows(void **state)
{
    static const struct cli_column columns[] = {{"a", CLI_CELL_U64}, {"b", CLI_CELL_U64}};
    struct cli_cell narrow[] = {cli_cell_u64(1), cli_cell_u64(2)};
    struct cli_cell wide[] = {cli_cell_u64(12345), cli_cell_u64(67)};
    struct sheet sheet;
    (void)state;
    sheet_begin(&sheet, CLI_FORMAT_TABLE, CLI_TIME_NS);
    cli_writer_begin(&sheet.writer, columns, 2);
    cli_writer_row(&sheet.writer, narrow);
    cli_writer_flush(&sheet.writer);
    sheet_expect(&sheet, "a  b\n1  2\n");
    cli_writer_row(&sheet.writer, wide);
    cli_writer_row(&sheet.writer, narrow);
    sheet_expect(&sheet, "a  b\n1  2\n12345  67\n1  2\n");
    cli_writer_end(&sheet.writer);
    sheet_end(&sheet);
}

static void test_colour(void **state)
{
    struct sheet sheet;
    struct cli_cell cell = cli_cell_u64(7);
    (void)state;
    sheet_begin(&sheet, CLI_FORMAT_TABLE, CLI_TIME_NS);
    sheet.writer.colour = true;
    cli_writer_begin(&sheet.writer, &number, 1);
    write_number(&sheet, 7);
    cli_writer_end(&sheet.writer);
    cli_writer_record(&sheet.writer, &number, &cell, 1, CLI_MAIN_NONE);
    sheet_expect(&sheet, "\033[1mn\n\033[0m7\n\033[1mn\033[0m  7\n");
    sheet_end(&sheet);
}

/* One answer: one line for each column, or the main one alone. */
static void test_record(void **state)
{
    static const struct cli_column columns[] = {{"a", CLI_CELL_U64}, {"long", CLI_CELL_TEXT}};
    struct cli_cell cells[] = {cli_cell_u64(1), cli_cell_text("x")};
    struct sheet sheet;
    (void)state;
    sheet_begin(&sheet, CLI_FORMAT_TABLE, CLI_TIME_NS);
    cli_writer_record(&sheet.writer, columns, cells, 2, CLI_MAIN_NONE);
    cli_writer_record(&sheet.writer, columns, cells, 2, 1);
    sheet_expect(&sheet, "a     1\nlong  x\nx\n");
    sheet_end(&sheet);
}

/* A table that is given up prints nothing and leaks nothing. */
static void test_unfinished(void **state)
{
    struct sheet sheet;
    (void)state;
    sheet_begin(&sheet, CLI_FORMAT_TABLE, CLI_TIME_NS);
    cli_writer_begin(&sheet.writer, &number, 1);
    write_number(&sheet, 7);
    cli_table_forget(&sheet.writer);
    cli_table_forget(&sheet.writer);
    cli_writer_end(&sheet.writer);
    sheet_expect(&sheet, "");
    cli_writer_begin(&sheet.writer, &number, 1);
    write_number(&sheet, 8);
    sheet_end(&sheet);
}

/* Without memory to keep rows they are printed at once, as wide as the header. */
static void test_no_memory(void **state)
{
    struct sheet sheet;
    (void)state;
    sheet_begin(&sheet, CLI_FORMAT_TABLE, CLI_TIME_NS);
    memory_fault_after(0);
    cli_writer_begin(&sheet.writer, &number, 1);
    assert_true(memory_fault_end());
    write_number(&sheet, 123);
    sheet_expect(&sheet, "n\n123\n");
    cli_writer_end(&sheet.writer);
    sheet_expect(&sheet, "n\n123\n");
    sheet_end(&sheet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sides),       cmocka_unit_test(test_times),
        cmocka_unit_test(test_long_tables), cmocka_unit_test(test_wider_cell_after_the_kept_rows),
        cmocka_unit_test(test_colour),      cmocka_unit_test(test_record),
        cmocka_unit_test(test_unfinished),  cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
