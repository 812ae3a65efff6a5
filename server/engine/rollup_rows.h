// SPDX-License-Identifier: MIT
// What a target has, against what it is to have: the points that are to be written and the ranges
// that are to be deleted, so much at a time. What stands at the start of a bucket is the rule's; it
// must not touch what others wrote elsewhere.
#ifndef TAUD_ENGINE_ROLLUP_ROWS_H
#define TAUD_ENGINE_ROLLUP_ROWS_H

#include "aggregate/emission.h"
#include "rollup.h"

enum {
    TAUD_ROLLUP_ROWS = 1024, // of a window of buckets
    TAUD_ROLLUP_GONE = 64,
    TAUD_ROLLUP_BUFFER = 256, // points of the target that are read at a time
};

// All that is deleted goes before what is written.
struct taud_rollup_changes {
    size_t count;
    int64_t timestamps[TAUD_ROLLUP_ROWS];
    double values[TAUD_ROLLUP_ROWS];
    size_t gone_count;
    struct taud_span gone[TAUD_ROLLUP_GONE];
};

struct taud_rollup_rows {
    struct taud_record_rollup definition;
    bool removes; // points that have no bucket any more
    // A bucket of which a part is gone by retention: if the target has its point, that stays. Its
    // start, or INT64_MAX.
    int64_t kept;
    struct taud_range *range; // of the target, ascending
    size_t at, count;
    bool ended;
    bool goes_on; // the last range to be deleted goes on with the next point
    int64_t timestamps[TAUD_ROLLUP_BUFFER];
    double values[TAUD_ROLLUP_BUFFER];
};

// Begins with what the target has from one instant to another. Returns as taud_range_open.
enum tau_status taud_rollup_rows_open(struct taud_rollup_rows *rows, struct taud_engine *engine,
                                      const struct tau_label *target, struct taud_span span);
void taud_rollup_rows_close(struct taud_rollup_rows *rows);

// Adds to `changes`, empty at first, what makes of all up to `to` what `computed` says, which are
// the rows of all buckets from where the last comparison ended. *ret_more: it is full, and the rest
// comes with another call. Returns as taud_range_next.
enum tau_status taud_rollup_rows_compare(struct taud_rollup_rows *rows,
                                         struct taud_aggregate_rows *computed, int64_t to,
                                         struct taud_rollup_changes *changes, bool *ret_more);

#endif
