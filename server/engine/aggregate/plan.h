// SPDX-License-Identifier: MIT
// What an aggregate is: the functions, the buckets of time and what fills the gaps between them. A
// plan is a request that was found good, with what follows from it. It must not know series,
// storage or the wire; the definitions below are the ones that users are told.
//
// Points. A series is a run of points with ascending timestamps. Those from `from` to `to`, both
// included, take part. Several series may form one group, which has one result.
//
// Buckets. Bucket k holds the instants of [origin + k * width, origin + (k + 1) * width), for every
// whole k, positive or not, so that buckets do not move with `from`. A bucket is told by its start,
// or by INT64_MIN where the start lies before that. The first and the last bucket are cut at `from`
// and `to`. A width of 0 makes one bucket, which starts at `from` and ends with `to`.
//
// Functions, over the points of a bucket:
//   count          how many points there are, NaN included.
//   sum            of all values.
//   min, max       the least and the greatest value. A zero is told as +0.
//   mean           sum / count.
//   first, last    the value with the earliest or the latest timestamp, bit for bit. In a group the
//                  greatest, where several series have a point at that instant.
//   stddev         the standard deviation of a sample (division by count - 1), as in SQL and
//                  InfluxDB; NaN for a single point.
//   stddev_population  that of the whole (division by count), as in PromQL; 0 for a single point.
//   quantile       parameter p from 0 to 1: the value at rank p * (n - 1) of the n values in
//                  ascending order, counted from 0 and interpolated linearly between neighbours, as
//                  PromQL's quantile and SQL's percentile_cont. Exact for up to 128 values; beyond
//                  that as sketch.h states: the values on both sides of the rank are wrong by at
//                  most 1/257 of themselves, unless the bucket spreads over many powers of two.
//   time_weighted_average  of the value in force, which is that of the latest point up to an
//                  instant, also of one before the bucket or before `from`. Each value weighs as
//                  long as it is in force: until the next point, or the end of the bucket, or `to`.
//                  Time before the series' first point and after its last one (which may lie behind
//                  `to`) has no weight, so the last value is not drawn out. A bucket in which no
//                  time has weight gives the mean of its points.
//   increase       of a counter: from the latest point before the bucket (also before `from`; where
//                  there is none, from the first in the bucket) to its last point. A value that is
//                  lower than the one before it shows that the counter began anew from 0, as in
//                  Prometheus. Nothing is extrapolated: the increases of adjoining buckets add up
//                  to the increase over all of them.
//   rate           the increase, divided by the seconds between the two points that it spans, a
//                  timestamp being a nanosecond. NaN where there is only one point.
//
// NaN. What picks by order (min, max, quantile) passes over NaN, unless there is nothing else. What
// calculates (sum, mean, stddev, time_weighted_average, increase, rate) is NaN when a value is, as
// in PromQL. A counter that is infinite at some time has an increase that is not finite. A NaN that
// is told is the quiet one without payload, but for first and last.
//
// Accuracy. count, min, max, first and last are exact. sum is wrong by at most 2^-44 of the sum of
// the magnitudes, however many points there are and in whatever pieces they come; mean likewise.
// The deviation does not cancel for values far from 0; that of decimals is made of exact integers
// where a chunk has them, so that its last digits may change with a flush (codec/chunk.h). What
// overflows on the way is infinite or NaN.
//
// Groups. count, sum, min, max, mean, stddev and quantile are those of all points of all series.
// rate and increase are the sums over the series; a series that tells no rate adds none. The
// time_weighted_average is the mean of the values in force, weighted by time: a series without a
// point in the bucket takes part with the value that is in force.
//
// Gaps. A bucket without a point of the group is a gap. With fill `none` it has no row. Otherwise
// it has one in which count and increase are 0, and the other columns hold
//   previous       what the nearest row with points before it holds;
//   linear         what lies on the straight line between the nearest rows with points before and
//                  after it, by the numbers of the buckets;
//   value          the value that was asked for.
// Where such a row is missing (previous: before the first; linear: also after the last), it is NaN.
#ifndef TAUD_AGGREGATE_PLAN_H
#define TAUD_AGGREGATE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tau/protocol.h>

enum {
    TAUD_AGGREGATE_COLUMNS_MAX = 16,      // functions in one plan
    TAUD_AGGREGATE_BUCKETS_MAX = 1 << 20, // buckets from `from` to `to`
};

enum taud_aggregate_function {
    TAUD_AGGREGATE_COUNT,
    TAUD_AGGREGATE_SUM,
    TAUD_AGGREGATE_MIN,
    TAUD_AGGREGATE_MAX,
    TAUD_AGGREGATE_MEAN,
    TAUD_AGGREGATE_FIRST,
    TAUD_AGGREGATE_LAST,
    TAUD_AGGREGATE_STDDEV,
    TAUD_AGGREGATE_STDDEV_POPULATION,
    TAUD_AGGREGATE_QUANTILE,
    TAUD_AGGREGATE_TIME_WEIGHTED_AVERAGE,
    TAUD_AGGREGATE_RATE,
    TAUD_AGGREGATE_INCREASE,
    TAUD_AGGREGATE_FUNCTIONS,
};

enum taud_aggregate_fill {
    TAUD_AGGREGATE_FILL_NONE,
    TAUD_AGGREGATE_FILL_PREVIOUS,
    TAUD_AGGREGATE_FILL_LINEAR,
    TAUD_AGGREGATE_FILL_VALUE,
    TAUD_AGGREGATE_FILLS,
};

// What the functions of a plan must be given; bits.
enum taud_aggregate_needs {
    // The values of a chunk, also when it lies in one bucket. Without this bit its summary is
    // enough.
    TAUD_AGGREGATE_NEEDS_VALUES = 1 << 0,
    // Its timestamps as well.
    TAUD_AGGREGATE_NEEDS_TIMESTAMPS = 1 << 1,
    // The points of one series in ascending order and in a window of its own, that is closed with
    // the point before the window. Without this bit all series of a group may go into one window in
    // any order, and it is not closed.
    TAUD_AGGREGATE_NEEDS_ORDER = 1 << 2,
};

// What a bucket has to keep track of besides count, first and last; bits.
enum taud_aggregate_parts {
    TAUD_AGGREGATE_PART_SUM = 1 << 0,
    TAUD_AGGREGATE_PART_DEVIATION = 1 << 1, // squares of the distances from the mean
    TAUD_AGGREGATE_PART_SKETCH = 1 << 2,    // quantiles
    TAUD_AGGREGATE_PART_HELD = 1 << 3,      // values weighted by time
    TAUD_AGGREGATE_PART_COUNTER = 1 << 4,   // increase and rate
    TAUD_AGGREGATE_PART_EXTREMES = 1 << 5,  // min, max
};

struct taud_aggregate_column {
    enum taud_aggregate_function function;
    double parameter; // of quantile: p; others do not look at it
};

struct taud_aggregate_options {
    int64_t from, to; // both included; none when from > to
    uint64_t width;   // nanoseconds; 0: one bucket
    int64_t origin;
    enum taud_aggregate_fill fill;
    double fill_value; // of TAUD_AGGREGATE_FILL_VALUE
    const struct taud_aggregate_column *columns;
    size_t column_count;
};

// Buckets of a plan have numbers from 0, the one that holds `from`.
struct taud_aggregate_plan {
    int64_t from, to;
    uint64_t width;
    uint64_t phase; // how far `from` lies in bucket 0
    uint32_t bucket_count;
    unsigned needs; // of enum taud_aggregate_needs
    unsigned parts; // of enum taud_aggregate_parts
    enum taud_aggregate_fill fill;
    double fill_value;
    struct taud_aggregate_column columns[TAUD_AGGREGATE_COLUMNS_MAX];
    size_t column_count;
};

// Checks a request. With fill `none` the caller does well to narrow `from` and `to` to the points
// that there are, for a width of any size then stays within the bound of buckets; with a width
// above 0 this does not change the result. Returns SUCCESS; INVALID_ARGUMENT: no column, an unknown
// function or fill, a quantile outside of 0 to 1; LIMIT_EXCEEDED: more than
// TAUD_AGGREGATE_COLUMNS_MAX or TAUD_AGGREGATE_BUCKETS_MAX.
enum tau_status taud_aggregate_plan_init(struct taud_aggregate_plan *plan,
                                         const struct taud_aggregate_options *options);

// What a set of columns needs: bits of enum taud_aggregate_needs. Their functions are known.
unsigned taud_aggregate_needs(const struct taud_aggregate_column *columns, size_t count);

// How far an instant lies from the start of the bucket that holds it, for a width above 0.
uint64_t taud_aggregate_phase(int64_t instant, int64_t origin, uint64_t width);

// Whether parts of chunks may come folded (taud_chunk_fold): nothing else of the values is needed.
bool taud_aggregate_folds(const struct taud_aggregate_plan *plan);

// The number of the bucket that holds `timestamp`, which lies in from..to.
uint32_t taud_aggregate_bucket_of(const struct taud_aggregate_plan *plan, int64_t timestamp);

// What a bucket is told by.
int64_t taud_aggregate_bucket_start(const struct taud_aggregate_plan *plan, uint32_t bucket);

// The first and the last instant of a bucket that lie in from..to.
int64_t taud_aggregate_bucket_first_instant(const struct taud_aggregate_plan *plan,
                                            uint32_t bucket);
int64_t taud_aggregate_bucket_last_instant(const struct taud_aggregate_plan *plan, uint32_t bucket);

// Whether all instants from `first` to `last` lie in from..to and in one bucket: then a chunk that
// reaches from one to the other may come as its summary, if that is enough.
bool taud_aggregate_fits(const struct taud_aggregate_plan *plan, int64_t first, int64_t last);

#endif
