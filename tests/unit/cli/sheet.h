/* SPDX-License-Identifier: MIT */
/*
 * A writer on memory, for the tests of the formats.
 */
#ifndef TAU_TESTS_SHEET_H
#define TAU_TESTS_SHEET_H

#include "cli_test.h"

#include "format/writer.h"

struct sheet {
    struct cli_writer writer;
    FILE *out;
    char *text;
    size_t size;
};

static inline void sheet_begin(struct sheet *sheet, enum cli_format format,
                               enum cli_time_format time_format)
{
    sheet->out = open_memstream(&sheet->text, &sheet->size);
    assert_non_null(sheet->out);
    cli_writer_init(&sheet->writer, sheet->out, format, time_format, false);
}

/* What was written so far must be this. */
static inline void sheet_expect(struct sheet *sheet, const char *expected)
{
    fflush(sheet->out);
    assert_string_equal(sheet->text, expected);
}

static inline void sheet_end(struct sheet *sheet)
{
    cli_writer_done(&sheet->writer);
    fclose(sheet->out);
    free(sheet->text);
}

/* Writes one row of one column of text; what was written must be this. */
static inline void sheet_expect_text(enum cli_format format, const char *text, size_t size,
                                     const char *expected)
{
    static const struct cli_column column = {"t", CLI_CELL_TEXT};
    struct cli_cell cell = {.kind = CLI_CELL_TEXT, .as.text = {.data = text, .size = size}};
    struct sheet sheet;
    sheet_begin(&sheet, format, CLI_TIME_NS);
    cli_writer_record(&sheet.writer, &column, &cell, 1, CLI_MAIN_NONE);
    sheet_expect(&sheet, expected);
    sheet_end(&sheet);
}

#endif
