/* SPDX-License-Identifier: MIT */
/*
 * One cell of a command's output: a typed value, and its text. Every format prints cells by their
 * type, so a value looks the same wherever it appears.
 */
#ifndef TAU_CLI_FORMAT_CELL_H
#define TAU_CLI_FORMAT_CELL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tau/label.h>
#include <tau/protocol.h>

#include "format/time.h"

enum cli_cell_kind {
    CLI_CELL_NONE, /* no value: empty, in JSON null */
    CLI_CELL_LABEL,
    CLI_CELL_TIME,
    CLI_CELL_DURATION, /* in nanoseconds, as.u64 */
    CLI_CELL_F64,
    CLI_CELL_I64,
    CLI_CELL_U64,
    CLI_CELL_BOOL,
    CLI_CELL_TEXT
};

/* A slice of text that somebody else owns. */
struct cli_text {
    const char *data;
    size_t size;
};

struct cli_cell {
    enum cli_cell_kind kind;
    union {
        struct tau_label label;
        int64_t time_ns;
        double f64;
        int64_t i64;
        uint64_t u64;
        bool boolean;
        struct cli_text text;
    } as;
};

/* The room that the text of any cell but CLI_CELL_TEXT fits in. */
#define CLI_CELL_TEXT_SIZE TAU_LABEL_TEXT_SIZE

static inline struct cli_cell cli_cell_label(const struct tau_label *label)
{
    return (struct cli_cell){.kind = CLI_CELL_LABEL, .as.label = *label};
}

static inline struct cli_cell cli_cell_time(int64_t time_ns)
{
    return (struct cli_cell){.kind = CLI_CELL_TIME, .as.time_ns = time_ns};
}

static inline struct cli_cell cli_cell_duration(uint64_t duration_ns)
{
    return (struct cli_cell){.kind = CLI_CELL_DURATION, .as.u64 = duration_ns};
}

static inline struct cli_cell cli_cell_f64(double value)
{
    return (struct cli_cell){.kind = CLI_CELL_F64, .as.f64 = value};
}

static inline struct cli_cell cli_cell_u64(uint64_t value)
{
    return (struct cli_cell){.kind = CLI_CELL_U64, .as.u64 = value};
}

/* `text` is borrowed as long as the cell is. */
struct cli_cell cli_cell_text(const char *text);

/*
 * The text of a cell: the cell's own where it is text, else written into `room`, which holds
 * CLI_CELL_TEXT_SIZE bytes and must live as long as the text is used.
 */
struct cli_text cli_cell_to_text(const struct cli_cell *cell, enum cli_time_format time_format,
                                 char *room);

/* Whether cells of this kind are aligned to the right in a table. */
bool cli_cell_is_numeric(enum cli_cell_kind kind);

#endif
