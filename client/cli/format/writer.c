/* SPDX-License-Identifier: MIT */
/*
 * Chooses the format and hands the rows to it.
 */
#include "format/writer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "format/plain.h"

static const struct {
    const char *name;
    const struct cli_writer_methods *methods;
} formats[] = {
    [CLI_FORMAT_TABLE] = {"table", &cli_table_methods},
    [CLI_FORMAT_CSV] = {"csv", &cli_csv_methods},
    [CLI_FORMAT_TSV] = {"tsv", &cli_tsv_methods},
    [CLI_FORMAT_JSON] = {"json", &cli_json_methods},
    [CLI_FORMAT_JSONL] = {"jsonl", &cli_jsonl_methods},
};

#define FORMAT_COUNT (sizeof(formats) / sizeof(formats[0]))

static const char *const time_formats[] = {
    [CLI_TIME_RFC3339] = "rfc3339", [CLI_TIME_S] = "s",   [CLI_TIME_MS] = "ms",
    [CLI_TIME_US] = "us",           [CLI_TIME_NS] = "ns",
};

#define TIME_FORMAT_COUNT (sizeof(time_formats) / sizeof(time_formats[0]))

void cli_writer_init(struct cli_writer *writer, FILE *out, enum cli_format format,
                     enum cli_time_format time_format, bool colour)
{
    *writer = (struct cli_writer){
        .out = out,
        .time_format = time_format,
        .colour = colour,
        .methods = formats[format].methods,
    };
}

void cli_writer_done(struct cli_writer *writer)
{
    cli_table_forget(writer);
}

void cli_writer_begin(struct cli_writer *writer, const struct cli_column *columns, size_t count)
{
    assert(count > 0 && count <= CLI_COLUMN_LIMIT);
    writer->columns = columns;
    writer->column_count = count;
    writer->row_count = 0;
    writer->methods->begin(writer);
}

/* --- text of others -------------------------------------------------------------------------- */

static bool is_fit(const struct cli_writer *writer, const struct cli_cell *cell)
{
    const char *kept = writer->methods->kept;
    return cell->kind != CLI_CELL_TEXT || kept == NULL || cli_is_plain(cell->as.text, kept);
}

/*
 * The cells of a row with their texts made plain: those that were given where all are, else
 * `room`. Copies are put into `copies`, which comes full of NULL, and belong to the caller.
 */
static const struct cli_cell *make_fit(const struct cli_writer *writer,
                                       const struct cli_cell *cells, struct cli_cell *room,
                                       char **copies)
{
    bool fit = true;
    for (size_t i = 0; i < writer->column_count; i++) {
        fit = is_fit(writer, &cells[i]) && fit;
    }
    if (fit) {
        return cells;
    }
    for (size_t i = 0; i < writer->column_count; i++) {
        room[i] = cells[i];
        if (!is_fit(writer, &cells[i])) {
            struct cli_text copy = cli_plain_copy(cells[i].as.text, writer->methods->kept);
            copies[i] = (char *)copy.data;
            room[i].as.text = copy.data != NULL ? copy : (struct cli_text){.data = "?", .size = 1};
        }
    }
    return room;
}

static void free_copies(const struct cli_writer *writer, char **copies)
{
    for (size_t i = 0; i < writer->column_count; i++) {
        free(copies[i]);
    }
}

/* --- rows ------------------------------------------------------------------------------------ */

void cli_writer_row(struct cli_writer *writer, const struct cli_cell *cells)
{
    struct cli_cell room[CLI_COLUMN_LIMIT];
    char *copies[CLI_COLUMN_LIMIT] = {NULL};
    writer->methods->row(writer, make_fit(writer, cells, room, copies));
    writer->row_count++;
    free_copies(writer, copies);
}

void cli_writer_end(struct cli_writer *writer)
{
    writer->methods->end(writer);
}

void cli_writer_flush(struct cli_writer *writer)
{
    if (writer->methods == &cli_table_methods) {
        cli_table_settle(writer);
    }
    fflush(writer->out);
}

void cli_writer_record(struct cli_writer *writer, const struct cli_column *columns,
                       const struct cli_cell *cells, size_t count, size_t main)
{
    struct cli_cell room[CLI_COLUMN_LIMIT];
    char *copies[CLI_COLUMN_LIMIT] = {NULL};
    assert(count > 0 && count <= CLI_COLUMN_LIMIT);
    writer->columns = columns;
    writer->column_count = count;
    writer->row_count = 0;
    writer->methods->record(writer, make_fit(writer, cells, room, copies), main);
    free_copies(writer, copies);
}

bool cli_format_from_text(const char *text, enum cli_format *ret_format)
{
    for (size_t i = 0; i < FORMAT_COUNT; i++) {
        if (strcmp(text, formats[i].name) == 0) {
            *ret_format = (enum cli_format)i;
            return true;
        }
    }
    return false;
}

bool cli_time_format_from_text(const char *text, enum cli_time_format *ret_format)
{
    for (size_t i = 0; i < TIME_FORMAT_COUNT; i++) {
        if (strcmp(text, time_formats[i]) == 0) {
            *ret_format = (enum cli_time_format)i;
            return true;
        }
    }
    return false;
}

const char *cli_format_name(size_t index)
{
    return index < FORMAT_COUNT ? formats[index].name : NULL;
}

const char *cli_time_format_name(size_t index)
{
    return index < TIME_FORMAT_COUNT ? time_formats[index] : NULL;
}
