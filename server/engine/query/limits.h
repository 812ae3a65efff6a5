// SPDX-License-Identifier: MIT
// The bounds of what queries over many series take, in one place. With T threads, S streams that
// run and 8 tasks open (crew.h):
//
//   working memory      (T + 8) x TAUD_QUERY_TASK_BYTES, and the threads' codecs; of each thread
//                       that takes results 3 x TAUD_QUERY_SMALL_BUCKETS x 128 bytes
//   results ahead       TAUD_QUERY_AHEAD_BYTES for all streams together, until they are sent, with
//                       the moments of conditions that the next of them come from
//   what is asked for   S x TAUD_QUERY_RESULT_BYTES, between its making and its sending, and as
//                       many times TAUD_QUERY_MOMENT_BYTES where there are conditions
//   labels of requests  TAUD_QUERY_LABEL_BYTES for all streams together; beyond that `throttled`
//
// A stream whose client takes nothing holds its labels, and of what is ahead no more than
// TAUD_QUERY_STEPS_MAX results; what that leaves of TAUD_QUERY_AHEAD_BYTES the others share, and
// where nothing is left each of them goes on by one piece of work at a time.
#ifndef TAUD_QUERY_LIMITS_H
#define TAUD_QUERY_LIMITS_H

enum {
    TAUD_QUERY_TASK_BYTES = 8 << 20,    // windows of buckets and sketches of one thread or one task
    TAUD_QUERY_RESULT_BYTES = 64 << 10, // rows or points that one piece of work leaves
    TAUD_QUERY_COLUMN_BYTES = 256 << 10, // the same of points, if it counts as ahead
    TAUD_QUERY_MOMENT_BYTES = 81 << 10,  // at which a condition holds, of one piece of work
    TAUD_QUERY_AHEAD_BYTES = 64 << 20,
    TAUD_QUERY_LABEL_BYTES = 64 << 20,
    TAUD_QUERY_STEPS_MAX = 16, // pieces of work of one stream that are underway or wait to be sent
    TAUD_QUERY_PAGE = 64,      // series that one piece of work reads
    // A query is small that names no more series and has no more buckets. The thread that takes its
    // results makes them itself, as long as it looks at no more pieces of a series (points.h).
    TAUD_QUERY_SMALL_LABELS = 64,
    TAUD_QUERY_SMALL_BUCKETS = 2048,
    TAUD_QUERY_SMALL_PIECES = 64,
};

#endif
