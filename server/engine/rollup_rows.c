// SPDX-License-Identifier: MIT
// Two ascending sequences side by side, as in a merge.
#include "rollup_rows.h"

#include "engine.h"

#include <string.h>

enum tau_status taud_rollup_rows_open(struct taud_rollup_rows *rows, struct taud_engine *engine,
                                      const struct tau_label *target, struct taud_span span)
{
    rows->kept = INT64_MAX;
    rows->at = rows->count = 0;
    rows->ended = rows->goes_on = false;
    return taud_range_open(engine, target, span.from, span.to, 0, TAU_DIRECTION_FORWARD,
                           &rows->range);
}

void taud_rollup_rows_close(struct taud_rollup_rows *rows)
{
    taud_range_close(rows->range);
}

// Has the target's next point, if there is one.
static enum tau_status look(struct taud_rollup_rows *rows)
{
    if (rows->at < rows->count || rows->ended)
        return TAU_STATUS_SUCCESS;
    rows->at = 0;
    return taud_range_next(rows->range, rows->timestamps, rows->values, TAUD_ROLLUP_BUFFER,
                           &rows->count, &rows->ended);
}

static bool is_full(const struct taud_rollup_changes *changes)
{
    return changes->count == TAUD_ROLLUP_ROWS || changes->gone_count == TAUD_ROLLUP_GONE;
}

static void write_row(struct taud_rollup_changes *changes, struct taud_aggregate_rows *computed)
{
    changes->timestamps[changes->count] = computed->starts[computed->done];
    changes->values[changes->count++] = computed->values[computed->done++];
}

// A point at the start of a bucket without points.
static void remove_point(struct taud_rollup_rows *rows, struct taud_rollup_changes *changes,
                         int64_t timestamp)
{
    if (rows->goes_on)
        changes->gone[changes->gone_count - 1].to = timestamp;
    else
        changes->gone[changes->gone_count++] = (struct taud_span){timestamp, timestamp};
    rows->goes_on = true;
}

static bool is_start(const struct taud_rollup_rows *rows, int64_t timestamp)
{
    return taud_rollup_start(&rows->definition, timestamp) == timestamp;
}

// The target has a point where a row is.
static void compare_values(struct taud_rollup_rows *rows, struct taud_aggregate_rows *computed,
                           struct taud_rollup_changes *changes)
{
    bool kept = rows->kept == computed->starts[computed->done];
    if (kept ||
        memcmp(&rows->values[rows->at], &computed->values[computed->done], sizeof(double)) == 0) {
        rows->goes_on = false;
        computed->done++;
    } else {
        write_row(changes, computed);
    }
    rows->at++;
}

// The target has a point where no row is.
static void judge_point(struct taud_rollup_rows *rows, struct taud_rollup_changes *changes)
{
    int64_t timestamp = rows->timestamps[rows->at++];
    if (rows->removes && is_start(rows, timestamp))
        remove_point(rows, changes, timestamp);
    else
        rows->goes_on = false;
}

enum tau_status taud_rollup_rows_compare(struct taud_rollup_rows *rows,
                                         struct taud_aggregate_rows *computed, int64_t to,
                                         struct taud_rollup_changes *changes, bool *ret_more)
{
    if (changes->gone_count == 0)
        rows->goes_on = false;
    for (;;) {
        enum tau_status status = look(rows);
        if (status != TAU_STATUS_SUCCESS)
            return status;
        bool point = rows->at < rows->count && rows->timestamps[rows->at] <= to;
        bool row = computed->done < computed->count;
        *ret_more = (point || row) && is_full(changes);
        if (*ret_more || (!point && !row))
            return TAU_STATUS_SUCCESS;
        if (row && (!point || computed->starts[computed->done] < rows->timestamps[rows->at]))
            write_row(changes, computed);
        else if (row && computed->starts[computed->done] == rows->timestamps[rows->at])
            compare_values(rows, computed, changes);
        else
            judge_point(rows, changes);
    }
}
