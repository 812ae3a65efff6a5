// SPDX-License-Identifier: MIT
// The rows of a result: buckets in ascending order as columns, gaps filled, in pieces of any size.
// It holds one row, whatever the size of the result. It must not know where rows go.
#ifndef TAUD_AGGREGATE_EMISSION_H
#define TAUD_AGGREGATE_EMISSION_H

#include "window.h"

struct taud_aggregate_emission {
    const struct taud_aggregate_plan *plan;
    uint32_t next;     // the bucket whose row comes next, if it has one
    uint32_t searched; // no bucket before this one, from `next` on, has points
    bool has_previous; // there was a row with points, and the newest is:
    uint32_t previous;
    double values[TAUD_AGGREGATE_COLUMNS_MAX];
};

// The plan is borrowed for as long as the emission is used.
void taud_aggregate_emission_init(struct taud_aggregate_emission *emission,
                                  const struct taud_aggregate_plan *plan);

// Writes the next rows, at most `capacity` (from 1): the starts of their buckets, and into
// columns[i] what the plan's column i tells of them. `window` is closed, if the plan needs order,
// and lies behind those that were given before; buckets between them have no points. *ret_more asks
// for another call with the same window; else the next one is due. `last` says that none follows,
// and that all buckets up to the plan's last get their rows; the window may then be NULL. Rows of
// gaps that are filled linearly come when the points behind them are known.
size_t taud_aggregate_emit(struct taud_aggregate_emission *emission,
                           const struct taud_aggregate_window *window, bool last,
                           int64_t *ret_starts, double *const *ret_columns, size_t capacity,
                           bool *ret_more);

#endif
