// SPDX-License-Identifier: MIT
// The points of one series as pieces, and what is known of it beside them: all that queries know of
// how series are kept. A piece is a whole chunk that is known by its summary and decoded when asked
// for, or columns. It must not know what is done with them.
#ifndef TAUD_QUERY_POINTS_H
#define TAUD_QUERY_POINTS_H

#include "../codec/chunk.h"
#include "../engine.h"

struct taud_points_options {
    int64_t from, to; // both included
    uint64_t limit;   // points; 0: no limit
    bool descending;
    bool prior; // whether the point before `from` is wanted
};

struct taud_points_piece {
    uint32_t count;                           // 0: there are no more
    int64_t first, last;                      // the least and the greatest timestamp
    const struct taud_chunk_summary *summary; // of a whole chunk; NULL where it is cut, or columns
    const int64_t *timestamps;                // NULL in a chunk that was not decoded
    const double *values;
};

// What is known of a series.
struct taud_points_bounds {
    bool any; // it has points; from the first to the last:
    int64_t first, last;
    bool has_prior; // there is a point before `from`; the latest:
    int64_t prior_timestamp;
    double prior;
};

struct taud_points;

// Shows the series as it is now. `ret_bounds` may be NULL; its prior is there only if it is wanted.
// Returns SUCCESS, SERIES_NOT_FOUND, NO_MEMORY, INTERNAL_ERROR.
enum tau_status taud_points_open(struct taud_engine *engine, const struct tau_label *label,
                                 const struct taud_points_options *options,
                                 struct taud_points **ret_points,
                                 struct taud_points_bounds *ret_bounds);
void taud_points_close(struct taud_points *points); // accepts NULL

// The next piece, until the next call. Returns SUCCESS, NO_MEMORY, INTERNAL_ERROR.
enum tau_status taud_points_next(struct taud_points *points, struct taud_points_piece *ret_piece);

// Decodes what of a chunk is not there yet; the values, or the timestamps as well. Returns
// likewise.
enum tau_status taud_points_decode(struct taud_points *points, struct taud_points_piece *piece,
                                   bool timestamps);

// Folds a chunk that was not decoded, as taud_merge_fold does (read/merge.h). Of ascending points.
// Returns likewise.
enum tau_status taud_points_fold(struct taud_points *points, unsigned wanted, const int64_t *ends,
                                 uint32_t end_count, struct taud_chunk_part *ret_parts,
                                 uint32_t *ret_count);

// Between these two a codec is held, which each call takes for itself otherwise: for whoever asks
// for many pieces in a row. Returns SUCCESS or NO_MEMORY; then none is held.
enum tau_status taud_points_begin(struct taud_points *points);
void taud_points_pause(struct taud_points *points);

// What is known of a series without its points; it has no prior. Returns as taud_points_open.
enum tau_status taud_points_survey(struct taud_engine *engine, const struct tau_label *label,
                                   struct taud_points_bounds *ret_bounds);

#endif
