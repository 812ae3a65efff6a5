/* SPDX-License-Identifier: MIT */
/*
 * Writes the data of a command in the format that the user asked for. Rows are written as they
 * come, so a result of any length takes bounded memory. It must not know clients or commands.
 *
 *     cli_writer_begin -> cli_writer_row ... -> cli_writer_end     many rows
 *     cli_writer_record                                           one answer
 */
#ifndef TAU_CLI_FORMAT_WRITER_H
#define TAU_CLI_FORMAT_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "format/cell.h"

#define CLI_COLUMN_LIMIT 32

/* No column of a record stands for the whole. */
#define CLI_MAIN_NONE SIZE_MAX

enum cli_format {
    CLI_FORMAT_TABLE,
    CLI_FORMAT_CSV,
    CLI_FORMAT_TSV,
    CLI_FORMAT_JSON,
    CLI_FORMAT_JSONL
};

struct cli_column {
    const char *name;
    enum cli_cell_kind kind;
};

struct cli_writer;

/*
 * One format. `begin` may be called again after `end`. The text of cells is made plain but for the
 * characters of `kept`; a format without any deals with all bytes itself.
 */
struct cli_writer_methods {
    const char *kept;
    void (*begin)(struct cli_writer *writer);
    void (*row)(struct cli_writer *writer, const struct cli_cell *cells);
    void (*end)(struct cli_writer *writer);
    void (*record)(struct cli_writer *writer, const struct cli_cell *cells, size_t main);
};

struct cli_writer {
    FILE *out; /* borrowed */
    enum cli_time_format time_format;
    bool colour;
    const struct cli_writer_methods *methods;
    const struct cli_column *columns; /* borrowed from begin to end */
    size_t column_count;
    uint64_t row_count;
    /* A table's first rows, kept until the widths of its columns are known. */
    char **kept;
    size_t kept_count;
    size_t widths[CLI_COLUMN_LIMIT];
};

void cli_writer_init(struct cli_writer *writer, FILE *out, enum cli_format format,
                     enum cli_time_format time_format, bool colour);

/* Frees what an unfinished table keeps. */
void cli_writer_done(struct cli_writer *writer);

/* `columns` are borrowed until cli_writer_end; at most CLI_COLUMN_LIMIT. */
void cli_writer_begin(struct cli_writer *writer, const struct cli_column *columns, size_t count);

/* `cells` are as many as there are columns. */
void cli_writer_row(struct cli_writer *writer, const struct cli_cell *cells);

void cli_writer_end(struct cli_writer *writer);

/* Writes rows that a table still keeps, and flushes: for rows that somebody waits for. */
void cli_writer_flush(struct cli_writer *writer);

/*
 * Writes one answer. `main` is the column that a table prints alone, for example the value of a
 * point, or CLI_MAIN_NONE to print all, one a line.
 */
void cli_writer_record(struct cli_writer *writer, const struct cli_column *columns,
                       const struct cli_cell *cells, size_t count, size_t main);

/* Reads the name of a format. */
bool cli_format_from_text(const char *text, enum cli_format *ret_format);

/* Reads the name of a format of times. */
bool cli_time_format_from_text(const char *text, enum cli_time_format *ret_format);

/* The names of the formats, one after the other; NULL behind the last. */
const char *cli_format_name(size_t index);
const char *cli_time_format_name(size_t index);

/* A string and a cell as JSON writes them, for what is no row. */
void cli_json_string(FILE *out, struct cli_text text);
void cli_json_cell(FILE *out, enum cli_time_format time_format, const struct cli_cell *cell);

/* The formats, and what only a table needs. */
extern const struct cli_writer_methods cli_table_methods;
extern const struct cli_writer_methods cli_csv_methods;
extern const struct cli_writer_methods cli_tsv_methods;
extern const struct cli_writer_methods cli_json_methods;
extern const struct cli_writer_methods cli_jsonl_methods;
void cli_table_settle(struct cli_writer *writer);
void cli_table_forget(struct cli_writer *writer);

#endif
