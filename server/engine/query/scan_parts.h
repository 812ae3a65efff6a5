// SPDX-License-Identifier: MIT
// What scans share, whichever series and points they choose: the query, the columns that a step
// leaves, and bounds of values. Only scan.c and where.c include it.
#ifndef TAUD_QUERY_SCAN_PARTS_H
#define TAUD_QUERY_SCAN_PARTS_H

#include "feed.h"
#include "points.h"
#include "selection.h"

enum { TAUD_SCAN_POINT_BYTES = sizeof(int64_t) + sizeof(double) };

_Static_assert(TAUD_QUERY_RESULT_BYTES / TAUD_SCAN_POINT_BYTES >= TAU_LIMIT_SERIES_BATCH_POINTS,
               "columns have room for a batch");

// Points of one series, behind those of the run before it.
struct taud_scan_run {
    struct tau_label label;
    size_t count;
};

struct taud_scan_columns {
    struct taud_result result; // first
    uint32_t run_count;
    size_t count, capacity; // points
    struct taud_scan_run runs[TAUD_QUERY_PAGE];
    int64_t *timestamps;
    double *values;
    int64_t memory[]; // where both are
};

struct taud_scan {
    struct taud_feed feed; // first
    struct taud_engine *engine;
    struct taud_selection selection;
    int64_t from, to;
    double low, high;
    bool bounded; // by values
    bool descending;
    uint64_t limit;      // of each series, or of each group's timestamps; 0: none
    uint32_t page_count; // steps that were prepared
    struct taud_selection_place place;
    uint32_t group_size, next_group; // of where.c
    // What is being told, by the thread that takes batches.
    struct taud_scan_columns *columns;
    uint32_t run;
    size_t told;     // points of the columns
    size_t run_told; // of them those of the run
};

// What of a request all kinds have.
struct taud_scan_options {
    int64_t from, to;
    double low, high;
    uint64_t limit;
    enum tau_direction direction;
    struct tau_slice prefix;
    struct tau_array labels;
};

// Makes a scan whose steps come from `prepare`. Returns as taud_scan_open.
enum tau_status taud_scan_new(struct taud_engine *engine, const struct taud_feed_kind *kind,
                              const struct taud_scan_options *options, taud_query_wake *wake,
                              void *user_data, struct taud_scan **ret_scan);

// Of taud_feed_kind.
void taud_scan_free(struct taud_feed *feed);

// Columns for what a step finds, which begins to be worked on: its status says whether there are.
struct taud_scan_columns *taud_scan_columns_begin(struct taud_step *step);

// The end of its work: the columns are its result, unless there is nothing in them, or it failed.
void taud_scan_columns_end(struct taud_step *step, struct taud_scan_columns *columns);

// Of taud_step: the result is there by then.
void taud_scan_finish(struct taud_step *step);

// Whether some of a piece's values may lie between the bounds.
static inline bool taud_scan_may_want(const struct taud_scan *scan,
                                      const struct taud_points_piece *piece)
{
    const struct taud_chunk_summary *summary = piece->summary;
    return !scan->bounded || !summary ||
           (summary->high >= scan->low && summary->low <= scan->high); // not for NaN
}

#endif
