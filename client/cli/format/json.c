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

/* The length of the valid UTF-8 sequence at `text`, or 0, and the character that it is. */
static size_t utf8_length(const unsigned char *text, size_t size, uint32_t *ret_point)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = text[0] < 0x80       ? 1
                    : text[0] >> 5 == 6  ? 2
                    : text[0] >> 4 == 14 ? 3
                    : text[0] >> 3 == 30 ? 4
                                         : 0;
    if (length == 0 || length > size) {
        return 0;
    }
    uint32_t point = length == 1 ? text[0] : text[0] & (0xFFu >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        if (text[i] >> 6 != 2) {
            return 0;
        }
        point = point << 6 | (text[i] & 0x3F);
    }
    bool surrogate = point >= 0xD800 && point < 0xE000;
    *ret_point = point;
    return point < smallest[length] || surrogate || point > 0x10FFFF ? 0 : length;
}

void cli_json_string(FILE *out, struct cli_text text)
{
    const unsigned char *bytes = (const unsigned char *)text.data;
    fputc('"', out);
    for (size_t i = 0; i < text.size;) {
        uint32_t point;
        size_t length = utf8_length(bytes + i, text.size - i, &point);
        if (bytes[i] == '"' || bytes[i] == '\\') {
            fprintf(out, "\\%c", bytes[i]);
        } else if (length == 0) {
            fputs("\\ufffd", out);
        } else if (tau_utf8_printable(bytes + i, text.size - i) == 0) {
            fprintf(out, "\\u%04x", (unsigned)point); /* all of these have four digits */
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
                  (cell->kind == CLI_CELL_TIME && time_format == CLI_TIME_RFC3339) ||
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
