// SPDX-License-Identifier: MIT
// The rows of a result: buckets in ascending order as columns, gaps filled, in pieces of any size.
// It holds one row, whatever the size of the result. It must not know where rows go.
#ifndef TAUD_AGGREGATE_EMISSION_H
#define TAUD_AGGREGATE_EMISSION_H

#include "window.h"

// What is left of a window: the rows of its buckets with points. Arrays are the caller's.
struct taud_aggregate_rows {
    size_t count, done; // how many of them were emitted
    int64_t *starts;
    double *values; // row by row, a value for each column
};

// Appends the rows of a window, which is closed, if the plan needs order. There is room for all
// buckets that were touched, used_end - used_first.
void taud_aggregate_read(const struct taud_aggregate_window *window,
                         struct taud_aggregate_rows *rows);

struct taud_aggregate_emission {
    const struct taud_aggregate_plan *plan;
    uint32_t next;     // the bucket whose row comes next, if it has one
    bool has_previous; // there was a row with points, and the newest is:
    uint32_t previous;
    double values[TAUD_AGGREGATE_COLUMNS_MAX];
};

// The plan is borrowed for as long as the emission is used.
void taud_aggregate_emission_init(struct taud_aggregate_emission *emission,
                                  const struct taud_aggregate_plan *plan);

// Writes the next rows, at most `capacity` (from 1): the starts of their buckets, and into
// columns[i] what the plan's column i tells of them. `rows` lie behind those that were given
// before; buckets between them have no points. *ret_more asks for another call with the same rows;
// else the next ones are due. `last` says that none follow, and that all buckets up to the plan's
// last get their rows; `rows` may then be NULL. Rows of gaps come when the points behind them are
// known.
size_t taud_aggregate_emit(struct taud_aggregate_emission *emission,
                           struct taud_aggregate_rows *rows, bool last, int64_t *ret_starts,
                           double *const *ret_columns, size_t capacity, bool *ret_more);

#endif
