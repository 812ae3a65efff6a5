// SPDX-License-Identifier: MIT
// Some neighbouring buckets of a plan at once: of a piece of one series, of a series, of a group.
// This is where points become buckets. It must not know series, chunks and segments: it is given
// columns and summaries.
//
// One series, any number of buckets: place the window at bucket 0; give it points until it takes no
// more; close it; read its rows (emission.h); place it at the bucket of the next point; and so on.
//
// A group whose plan does not need order: the points of all series go into one window, which is not
// closed. With order: each series goes into a window of its own, which is closed with what is known
// of the series and then combined into that of the group; so does a series without points there, if
// it has one before: its value may be in force.
//
// Several processors: a series may be cut in time, each piece into a window of its own, and the
// windows appended, earlier to later, before the first is closed. Where cuts lie between buckets
// nothing has to be appended, if each window is closed with the point before it. Series of a group
// may be spread over processors, each with a window for the group, and those combined.
#ifndef TAUD_AGGREGATE_WINDOW_H
#define TAUD_AGGREGATE_WINDOW_H

#include "bucket.h"

struct taud_aggregate_window {
    const struct taud_aggregate_plan *plan;
    struct taud_aggregate_memory *memory;
    struct taud_aggregate_bucket *buckets;
    uint32_t capacity;
    uint32_t first, end;           // the numbers of its buckets, `end` not included
    uint32_t used_first, used_end; // those that were touched since it was placed
};

// What is known of a series beside the points that are in a window.
struct taud_aggregate_series {
    bool has_prior; // there is a point before the window, or before `from`; the latest:
    int64_t prior_timestamp;
    double prior;
    int64_t end; // the timestamp of its last point of all, also behind `to`
};

// Makes a window of at most `capacity` buckets (from 1), 128 bytes each, and places it at bucket 0.
// Plan and memory are borrowed until taud_aggregate_window_done. Returns SUCCESS or NO_MEMORY.
enum tau_status taud_aggregate_window_init(struct taud_aggregate_window *window,
                                           const struct taud_aggregate_plan *plan,
                                           struct taud_aggregate_memory *memory, uint32_t capacity);
void taud_aggregate_window_done(struct taud_aggregate_window *window);

// Makes a window of another, which has used all that is in use of its memory, and is empty
// afterwards, and still to be done with. What it used counts towards `memory` from now on.
void taud_aggregate_window_move(struct taud_aggregate_window *window,
                                struct taud_aggregate_memory *memory,
                                struct taud_aggregate_window *other);

// Empties the window and places it where `first` is its first bucket.
void taud_aggregate_window_place(struct taud_aggregate_window *window, uint32_t first);

// Adds points with ascending timestamps. Those before the window or before `from` are passed over;
// *ret_used says how many were dealt with: less than `count` when the next one lies behind the
// window or behind `to`. Returns SUCCESS or NO_MEMORY: then the window can only be placed anew or
// done.
enum tau_status taud_aggregate_window_add(struct taud_aggregate_window *window,
                                          const int64_t *timestamps, const double *values,
                                          size_t count, size_t *ret_used);

// In which form a chunk, or any run of points, is to be given to a window.
enum taud_aggregate_form {
    TAUD_AGGREGATE_FORM_NOTHING, // it lies before the window, or outside of from..to
    TAUD_AGGREGATE_FORM_SUMMARY, // taud_aggregate_window_add_summary
    TAUD_AGGREGATE_FORM_VALUES,  // taud_aggregate_window_add_values
    TAUD_AGGREGATE_FORM_COLUMNS, // taud_aggregate_window_add
    TAUD_AGGREGATE_FORM_LATER,   // it lies behind the window: when that was closed and placed anew
};

// The one that asks for the least of a run of points from `first` to `last`. A run that is cut by
// the end of the window comes as columns, and its rest again when the window was placed anew.
enum taud_aggregate_form taud_aggregate_window_wants(const struct taud_aggregate_window *window,
                                                     int64_t first, int64_t last);

// A run whose timestamps are not wanted. Returns as taud_aggregate_window_add.
enum tau_status taud_aggregate_window_add_values(struct taud_aggregate_window *window,
                                                 int64_t first, int64_t last, const double *values,
                                                 size_t count);

// A run whose values are not wanted either.
void taud_aggregate_window_add_summary(struct taud_aggregate_window *window,
                                       const struct taud_chunk_summary *summary);

// A chunk that may come in parts, folded, and lies within from..to and the window: the last
// instants of the buckets that it reaches into, at most `most`. Returns how many there are; 0 where
// it may not, or there are more. *ret_wanted is of enum taud_chunk_fold.
uint32_t taud_aggregate_window_ends(const struct taud_aggregate_window *window, int64_t first,
                                    int64_t last, int64_t *ends, uint32_t most,
                                    unsigned *ret_wanted);

// One of these parts.
void taud_aggregate_window_add_part(struct taud_aggregate_window *window,
                                    const struct taud_chunk_part *part);

// Appends a later piece of the same series. `later` has the same plan and touches buckets of
// `window` only. Returns as taud_aggregate_window_add.
enum tau_status taud_aggregate_window_append(struct taud_aggregate_window *window,
                                             const struct taud_aggregate_window *later);

// All points of the series that lie in the window are there. Sets what is before the next window in
// `series`.
void taud_aggregate_window_close(struct taud_aggregate_window *window,
                                 struct taud_aggregate_series *series);

// Adds a closed window of another series or of a part of the group, as append does.
enum tau_status taud_aggregate_window_combine(struct taud_aggregate_window *window,
                                              const struct taud_aggregate_window *other);

#endif
