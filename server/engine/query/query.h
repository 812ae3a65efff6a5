// SPDX-License-Identifier: MIT
// Questions to many series at once: aggregates over buckets of time, points of a range, or of the
// moments at which another series has a value between bounds, latest points. Each is a stream whose
// results the engine's query threads make ahead, in bounded memory (limits.h), for the thread that
// takes them. Beside engine.h the only header of these that others include.
//
// A query is opened, asked for batches and closed by one thread at a time, between the engine's
// startup and its stop. It looks at its request only while it is opened. When a batch is not there
// yet, `next` returns WOULD_BLOCK and `wake` is called once when it is worth while to ask again. It
// is called on a thread of the engine with a lock of the query held, and never once the query is
// closed: it must only wake somebody. Closing waits for nothing: work that is underway stops at the
// next chunk.
//
// Opening also returns NO_MEMORY and THROTTLED: the labels of streams that run take too much.
// A batch may also end with NO_MEMORY or INTERNAL_ERROR, and then so does every later one.
#ifndef TAUD_QUERY_QUERY_H
#define TAUD_QUERY_QUERY_H

#include "../engine.h"

typedef void taud_query_wake(void *user_data);

// --- aggregates over buckets of time --------------------------------------------------------

struct taud_aggregate_query;

struct taud_aggregate_batch {
    uint64_t group;
    struct tau_label label; // of the group's first series
    size_t row_count;       // 0 only in a last batch
    size_t value_count;     // rows times functions
};

// Returns SUCCESS, SERIES_NOT_FOUND, INVALID_ARGUMENT (a function or its parameter),
// INVALID_PAYLOAD (groups and labels that do not go together), LIMIT_EXCEEDED (buckets).
enum tau_status taud_aggregate_query_open(struct taud_engine *engine,
                                          const struct tau_aggregate_request *request,
                                          taud_query_wake *wake, void *user_data,
                                          struct taud_aggregate_query **ret_query);

// Whether it takes so little that the caller does it himself, in his calls of next: a fraction of a
// millisecond where blocks are cached. Who has done enough of that lets the threads of queries do
// it, as they do all that is larger; before the first call of next.
bool taud_aggregate_query_is_small(const struct taud_aggregate_query *query);
void taud_aggregate_query_hand_over(struct taud_aggregate_query *query);

// The next rows of a group: starts of buckets, and their values, a column for each function one
// behind the other. At most TAU_LIMIT_AGGREGATE_BATCH_ROWS and _VALUES, for which there is room.
// Returns SUCCESS, WOULD_BLOCK, LIMIT_EXCEEDED (buckets of this group).
enum tau_status taud_aggregate_query_next(struct taud_aggregate_query *query,
                                          struct taud_aggregate_batch *ret_batch,
                                          int64_t *ret_starts, double *ret_values, bool *ret_end);
void taud_aggregate_query_close(struct taud_aggregate_query *query); // accepts NULL

// --- points of a range ------------------------------------------------------------------------

struct taud_scan;

struct taud_scan_batch {
    struct tau_label label;
    size_t count; // 0 only in a last batch
    const int64_t *timestamps;
    const double *values;
};

// Returns SUCCESS, SERIES_NOT_FOUND, INVALID_PAYLOAD (a prefix and labels).
enum tau_status taud_scan_open(struct taud_engine *engine,
                               const struct tau_multi_range_request *request, taud_query_wake *wake,
                               void *user_data, struct taud_scan **ret_scan);

// A scan of groups of series: of each the points at the timestamps at which the first of them has a
// value between the bounds. Returns SUCCESS, SERIES_NOT_FOUND, INVALID_PAYLOAD (labels that do not
// make whole groups).
enum tau_status taud_scan_open_where(struct taud_engine *engine,
                                     const struct tau_multi_range_where_request *request,
                                     taud_query_wake *wake, void *user_data,
                                     struct taud_scan **ret_scan);

// The next points, at most TAU_LIMIT_SERIES_BATCH_POINTS; they stay until the next call. Returns
// SUCCESS, WOULD_BLOCK.
enum tau_status taud_scan_next(struct taud_scan *scan, struct taud_scan_batch *ret_batch,
                               bool *ret_end);
void taud_scan_close(struct taud_scan *scan); // accepts NULL

// --- latest points ----------------------------------------------------------------------------

struct taud_latest;

// Returns as taud_scan_open.
enum tau_status taud_latest_open(struct taud_engine *engine,
                                 const struct tau_multi_latest_request *request,
                                 taud_query_wake *wake, void *user_data,
                                 struct taud_latest **ret_latest);

// The next rows, at most TAU_LIMIT_LATEST_BATCH_ROWS; they stay until the next call. Returns
// SUCCESS, WOULD_BLOCK.
enum tau_status taud_latest_next(struct taud_latest *latest, const struct tau_row **ret_rows,
                                 size_t *ret_count, bool *ret_end);
void taud_latest_close(struct taud_latest *latest); // accepts NULL

#endif
