/* SPDX-License-Identifier: MIT */
/*
 * JSON: rows are an array of objects, or an object a line; one answer is one object. What JSON has
 * no number for (NaN, infinities) is a string that the program reads back. A label's bytes that are
 * no UTF-8 are escaped before they get here; what a terminal may not be given is escaped as JSON
 * has it.
 */
#include <math.h>
#include <string.h>

#include "format/writer.h"
#include "wire/utf8.h"

/* A character as JSON escapes it: beyond four digits as a pair of surrogates. */
static void write_escape(FILE *out, uint32_t point)
{
    if (point < 0x10000) {
        fprintf(out, "\\u%04x", (unsigned)point);
    } else {
        fprintf(out, "\\u%04x\\u%04x", (unsigned)(0xD7C0 + (point >> 10)),
                (unsigned)(0xDC00 + (point & 0x3FF)));
    }
}

void cli_json_string(FILE *out, struct cli_text text)
{
    const unsigned char *bytes = (const unsigned char *)text.data;
    fputc('"', out);
    for (size_t i = 0; i < text.size;) {
        uint32_t point = 0;
        size_t length = tau_utf8_character(bytes + i, text.size - i, &point);
        if (bytes[i] == '"' || bytes[i] == '\\') {
            fprintf(out, "\\%c", bytes[i]);
        } else if (length == 0) {
            fputs("\\ufffd", out);
        } else if (tau_utf8_printable(bytes + i, text.size - i) == 0) {
            write_escape(out, point);
        } else {
            fwrite(bytes + i, 1, length, out);
        }
        i += length == 0 ? 1 : length;
    }
    fputc('"', out);
}

void cli_json_cell(FILE *out, enum cli_time_format time_format, const struct cli_cell *cell)
{
    char room[CLI_CELL_TEXT_SIZE];
    struct cli_text text = cli_cell_to_text(cell, time_format, room);
    bool string = cell->kind == CLI_CELL_LABEL || cell->kind == CLI_CELL_TEXT ||
                  ((cell->kind == CLI_CELL_TIME || cell->kind == CLI_CELL_DURATION) &&
                   time_format == CLI_TIME_RFC3339) ||
                  (cell->kind == CLI_CELL_F64 && !isfinite(cell->as.f64));
    if (cell->kind == CLI_CELL_NONE) {
        fputs("null", out);
    } else if (string) {
        cli_json_string(out, text);
    } else {
        fwrite(text.data, 1, text.size, out);
    }
}

static void write_object(struct cli_writer *writer, const struct cli_cell *cells)
{
    fputc('{', writer->out);
    for (size_t i = 0; i < writer->column_count; i++) {
        const char *name = writer->columns[i].name;
        fputs(i > 0 ? ", " : "", writer->out);
        cli_json_string(writer->out, (struct cli_text){.data = name, .size = strlen(name)});
        fputs(": ", writer->out);
        cli_json_cell(writer->out, writer->time_format, &cells[i]);
    }
    fputc('}', writer->out);
}

static void json_begin(struct cli_writer *writer)
{
    fputc('[', writer->out);
}

static void json_row(struct cli_writer *writer, const struct cli_cell *cells)
{
    fputs(writer->row_count == 0 ? "\n  " : ",\n  ", writer->out);
    write_object(writer, cells);
}

static void json_end(struct cli_writer *writer)
{
    fputs(writer->row_count == 0 ? "]\n" : "\n]\n", writer->out);
}

static void jsonl_nothing(struct cli_writer *writer)
{
    (void)writer;
}

static void jsonl_row(struct cli_writer *writer, const struct cli_cell *cells)
{
    write_object(writer, cells);
    fputc('\n', writer->out);
}

static void json_record(struct cli_writer *writer, const struct cli_cell *cells, size_t main)
{
    (void)main;
    jsonl_row(writer, cells);
}

const struct cli_writer_methods cli_json_methods = {
    .begin = json_begin, .row = json_row, .end = json_end, .record = json_record};

const struct cli_writer_methods cli_jsonl_methods = {
    .begin = jsonl_nothing, .row = jsonl_row, .end = jsonl_nothing, .record = json_record};
