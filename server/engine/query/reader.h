// SPDX-License-Identifier: MIT
// Bringing the points of one series into windows of buckets, in the form that asks for the least of
// it: a summary, values, or columns. It must not know groups and steps.
#ifndef TAUD_QUERY_READER_H
#define TAUD_QUERY_READER_H

#include "../aggregate/window.h"
#include "points.h"

// Begins as zeros.
struct taud_reader {
    struct taud_points *points; // NULL while it is not open
    struct taud_points_piece piece;
    size_t used;    // of the piece's points
    bool has_piece; // there is one, with points that are not used
};

// Opens the points from `from` to `to`, ascending. Returns as taud_points_open.
enum tau_status taud_reader_open(struct taud_reader *reader, struct taud_engine *engine,
                                 const struct tau_label *label,
                                 const struct taud_aggregate_plan *plan, int64_t from, int64_t to,
                                 struct taud_points_bounds *ret_bounds);
void taud_reader_close(struct taud_reader *reader);

// The timestamp of the next point, or *ret_any is false. Returns as taud_points_next.
enum tau_status taud_reader_peek(struct taud_reader *reader, int64_t *ret_timestamp, bool *ret_any);

// Whether a reader may go on.
typedef bool taud_reader_check(void *user_data);

// Adds points to the window until it takes no more or there are no more. *ret_more: there are.
// Asks before each piece: CANCELLED. Returns also as taud_points_next.
enum tau_status taud_reader_fill(struct taud_reader *reader, struct taud_aggregate_window *window,
                                 taud_reader_check *check, void *user_data, bool *ret_more);

#endif
