// SPDX-License-Identifier: MIT
// The rows that one step of an aggregate leaves: runs, each of one group, one behind the other. It
// must not know how they came about or where they go.
#ifndef TAUD_QUERY_SHEET_H
#define TAUD_QUERY_SHEET_H

#include "../aggregate/emission.h"
#include "feed.h"

// Rows of one group, behind those of the run before it.
struct taud_sheet_run {
    uint64_t group;
    struct tau_label label;
    size_t count;
    bool last; // no more rows of this group follow
};

struct taud_sheet {
    struct taud_result result; // first
    size_t column_count;
    size_t run_count, run_capacity;
    size_t row_count, row_capacity;
    struct taud_sheet_run *runs;
    int64_t *starts;
    double *values; // row by row
};

// The most rows of a sheet with so many columns.
static inline size_t taud_sheet_rows_max(size_t column_count)
{
    return TAUD_QUERY_RESULT_BYTES / (sizeof(int64_t) + column_count * sizeof(double));
}

// An empty sheet, or NULL when there is no memory. Released with taud_feed_release.
struct taud_sheet *taud_sheet_new(const struct taud_feed *feed, size_t column_count,
                                  size_t run_capacity, size_t row_capacity);

// Adds the rows of a window as a run, unless there are none and the run is not the last; there is
// room for it.
void taud_sheet_add(struct taud_sheet *sheet, uint64_t group, const struct tau_label *label,
                    const struct taud_aggregate_window *window, bool last);

#endif
