/* SPDX-License-Identifier: MIT */
/*
 * The format for people. A table keeps its first rows until it knows how wide its columns are, then
 * prints each row as it comes: a later, wider cell only moves what stands behind it.
 */
#include <stdlib.h>
#include <string.h>

#include "format/writer.h"
#include "terminal/terminal.h"

#define KEPT_ROWS 256

/* The narrowest that a column of times is, since their fractions differ from row to row. */
#define RFC3339_WIDTH 20

#define BOLD  "\033[1m"
#define RESET "\033[0m"

static void pad(FILE *out, size_t count)
{
    for (; count > 0; count--) {
        fputc(' ', out);
    }
}

static void print_cell(struct cli_writer *writer, size_t column, const char *text, size_t size)
{
    size_t width = cli_text_width(text, size);
    size_t missing = writer->widths[column] > width ? writer->widths[column] - width : 0;
    bool right = cli_cell_is_numeric(writer->columns[column].kind);
    bool last = column + 1 == writer->column_count;
    pad(writer->out, right ? missing : 0);
    fwrite(text, 1, size, writer->out);
    pad(writer->out, right || last ? 0 : missing);
    fputs(last ? "\n" : "  ", writer->out);
}

static void widen(struct cli_writer *writer, size_t column, const char *text, size_t size)
{
    size_t width = cli_text_width(text, size);
    if (writer->widths[column] < width) {
        writer->widths[column] = width;
    }
}

static void print_header(struct cli_writer *writer)
{
    fputs(writer->colour ? BOLD : "", writer->out);
    for (size_t i = 0; i < writer->column_count; i++) {
        print_cell(writer, i, writer->columns[i].name, strlen(writer->columns[i].name));
    }
    fputs(writer->colour ? RESET : "", writer->out);
}

void cli_table_forget(struct cli_writer *writer)
{
    if (writer->kept != NULL) {
        for (size_t i = 0; i < writer->kept_count * writer->column_count; i++) {
            free(writer->kept[i]);
        }
        free(writer->kept);
    }
    writer->kept = NULL;
    writer->kept_count = 0;
}

/* Prints the header and the rows that were kept; from here on rows are printed as they come. */
void cli_table_settle(struct cli_writer *writer)
{
    if (writer->kept == NULL) {
        return;
    }
    print_header(writer);
    for (size_t row = 0; row < writer->kept_count; row++) {
        for (size_t i = 0; i < writer->column_count; i++) {
            const char *text = writer->kept[row * writer->column_count + i];
            print_cell(writer, i, text, strlen(text));
        }
    }
    cli_table_forget(writer);
}

static void table_begin(struct cli_writer *writer)
{
    cli_table_forget(writer);
    memset(writer->widths, 0, sizeof(writer->widths));
    for (size_t i = 0; i < writer->column_count; i++) {
        widen(writer, i, writer->columns[i].name, strlen(writer->columns[i].name));
        if (writer->columns[i].kind == CLI_CELL_TIME && writer->time_format == CLI_TIME_RFC3339 &&
            writer->widths[i] < RFC3339_WIDTH) {
            writer->widths[i] = RFC3339_WIDTH;
        }
    }
    writer->kept = calloc(KEPT_ROWS * writer->column_count, sizeof(*writer->kept));
    if (writer->kept == NULL) {
        print_header(writer);
    }
}

/* Keeps a row, unless it is not to be kept or there is no memory for it. */
static bool keep(struct cli_writer *writer, const struct cli_text *texts)
{
    if (writer->kept == NULL || writer->kept_count == KEPT_ROWS) {
        return false;
    }
    char **row = writer->kept + writer->kept_count * writer->column_count;
    for (size_t i = 0; i < writer->column_count; i++) {
        row[i] = strndup(texts[i].data, texts[i].size);
        if (row[i] == NULL) {
            for (; i > 0; i--) {
                free(row[i - 1]);
            }
            return false;
        }
        widen(writer, i, texts[i].data, texts[i].size);
    }
    writer->kept_count++;
    return true;
}

static void table_row(struct cli_writer *writer, const struct cli_cell *cells)
{
    char rooms[CLI_COLUMN_LIMIT][CLI_CELL_TEXT_SIZE];
    struct cli_text texts[CLI_COLUMN_LIMIT];
    const size_t count = writer->column_count;
    for (size_t i = 0; i < count; i++) {
        texts[i] = cli_cell_to_text(&cells[i], writer->time_format, rooms[i]);
    }
    if (keep(writer, texts)) {
        return;
    }
    cli_table_settle(writer);
    for (size_t i = 0; i < count; i++) {
        print_cell(writer, i, texts[i].data, texts[i].size);
    }
}

static void table_record(struct cli_writer *writer, const struct cli_cell *cells, size_t main)
{
    char room[CLI_CELL_TEXT_SIZE];
    size_t width = 0;
    if (main != CLI_MAIN_NONE) {
        struct cli_text text = cli_cell_to_text(&cells[main], writer->time_format, room);
        fwrite(text.data, 1, text.size, writer->out);
        fputc('\n', writer->out);
        return;
    }
    for (size_t i = 0; i < writer->column_count; i++) {
        size_t name_width = strlen(writer->columns[i].name);
        width = width < name_width ? name_width : width;
    }
    for (size_t i = 0; i < writer->column_count; i++) {
        const char *name = writer->columns[i].name;
        struct cli_text text = cli_cell_to_text(&cells[i], writer->time_format, room);
        fprintf(writer->out, "%s%s%s", writer->colour ? BOLD : "", name,
                writer->colour ? RESET : "");
        pad(writer->out, width - strlen(name) + 2);
        fwrite(text.data, 1, text.size, writer->out);
        fputc('\n', writer->out);
    }
}

const struct cli_writer_methods cli_table_methods = {
    .kept = "",
    .begin = table_begin,
    .row = table_row,
    .end = cli_table_settle,
    .record = table_record,
};
