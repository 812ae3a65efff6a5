/* SPDX-License-Identifier: MIT */
/*
 * CSV (RFC 4180, with plain line ends) and TSV. A field of CSV is quoted where it must be, and
 * where it is an empty text: an empty label is a label, an absent value is not.
 */
#include "format/delimited.h"

#include <string.h>

#include "format/writer.h"

static bool needs_quotes(struct cli_text text)
{
    if (text.size == 0 || text.data[0] == ' ' || text.data[text.size - 1] == ' ') {
        return true;
    }
    for (size_t i = 0; i < text.size; i++) {
        if (memchr(",\"\r\n", text.data[i], 4) != NULL) {
            return true;
        }
    }
    return false;
}

void cli_csv_field(FILE *out, struct cli_text text)
{
    if (!needs_quotes(text)) {
        fwrite(text.data, 1, text.size, out);
        return;
    }
    fputc('"', out);
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '"') {
            fputc('"', out);
        }
        fputc(text.data[i], out);
    }
    fputc('"', out);
}

static void csv_cell(FILE *out, const struct cli_cell *cell, struct cli_text text)
{
    if (cell->kind == CLI_CELL_LABEL || cell->kind == CLI_CELL_TEXT) {
        cli_csv_field(out, text);
    } else {
        fwrite(text.data, 1, text.size, out);
    }
}

/* TSV has no quotes: what would end a field is written as an escape. Labels never hold any. */
static void tsv_cell(FILE *out, const struct cli_cell *cell, struct cli_text text)
{
    (void)cell;
    for (size_t i = 0; i < text.size; i++) {
        switch (text.data[i]) {
        case '\t':
            fputs("\\t", out);
            break;
        case '\n':
            fputs("\\n", out);
            break;
        case '\r':
            fputs("\\r", out);
            break;
        default:
            fputc(text.data[i], out);
        }
    }
}

static void write_row(struct cli_writer *writer, const struct cli_cell *cells, char delimiter,
                      void (*write_cell)(FILE *, const struct cli_cell *, struct cli_text))
{
    char room[CLI_CELL_TEXT_SIZE];
    for (size_t i = 0; i < writer->column_count; i++) {
        if (i > 0) {
            fputc(delimiter, writer->out);
        }
        write_cell(writer->out, &cells[i], cli_cell_to_text(&cells[i], writer->time_format, room));
    }
    fputc('\n', writer->out);
}

static void write_header(struct cli_writer *writer, char delimiter)
{
    for (size_t i = 0; i < writer->column_count; i++) {
        if (i > 0) {
            fputc(delimiter, writer->out);
        }
        fputs(writer->columns[i].name, writer->out);
    }
    fputc('\n', writer->out);
}

static void csv_begin(struct cli_writer *writer)
{
    write_header(writer, ',');
}

static void csv_row(struct cli_writer *writer, const struct cli_cell *cells)
{
    write_row(writer, cells, ',', csv_cell);
}

static void tsv_begin(struct cli_writer *writer)
{
    write_header(writer, '\t');
}

static void tsv_row(struct cli_writer *writer, const struct cli_cell *cells)
{
    write_row(writer, cells, '\t', tsv_cell);
}

static void delimited_end(struct cli_writer *writer)
{
    (void)writer;
}

static void csv_record(struct cli_writer *writer, const struct cli_cell *cells, size_t main)
{
    (void)main;
    csv_begin(writer);
    csv_row(writer, cells);
}

static void tsv_record(struct cli_writer *writer, const struct cli_cell *cells, size_t main)
{
    (void)main;
    tsv_begin(writer);
    tsv_row(writer, cells);
}

/* What separates fields and lines is quoted here, or escaped. */
#define KEPT "\t\n\r"

const struct cli_writer_methods cli_csv_methods = {
    .kept = KEPT, .begin = csv_begin, .row = csv_row, .end = delimited_end, .record = csv_record};

const struct cli_writer_methods cli_tsv_methods = {
    .kept = KEPT, .begin = tsv_begin, .row = tsv_row, .end = delimited_end, .record = tsv_record};
