// SPDX-License-Identifier: MIT
// Adding, appending, closing and combining what is known of a bucket.
#include "bucket.h"

#include "fold.h"

#include <assert.h>
#include <math.h>
#include <string.h>

_Static_assert(sizeof(struct taud_aggregate_bucket) == 128, "two lines of the cache");

#define NANOSECONDS 1e9 // in a second

void taud_aggregate_bucket_init(struct taud_aggregate_bucket *bucket)
{
    *bucket = (struct taud_aggregate_bucket){.min = INFINITY, .max = -INFINITY};
}

void taud_aggregate_bucket_done(struct taud_aggregate_bucket *bucket,
                                struct taud_aggregate_memory *memory)
{
    if (bucket->sketch) {
        taud_sketch_done(bucket->sketch, memory);
        taud_aggregate_give(memory, bucket->sketch, sizeof *bucket->sketch);
    }
    bucket->sketch = NULL;
}

static double length(int64_t from, int64_t to)
{
    return (double)((uint64_t)to - (uint64_t)from);
}

// --- sums -------------------------------------------------------------------------------------

// Adds and keeps what was rounded away, so that the error does not grow with the number of pieces.
static void add_sum(struct taud_aggregate_bucket *bucket, double sum)
{
    double before = bucket->sum, after = before + sum;
    if (fabs(before) >= fabs(sum))
        bucket->sum_error += (before - after) + sum;
    else
        bucket->sum_error += (sum - after) + before;
    bucket->sum = after;
}

// What is infinite or NaN has no error that could be added.
static double sum_of(const struct taud_aggregate_bucket *bucket)
{
    return isfinite(bucket->sum) ? bucket->sum + bucket->sum_error : bucket->sum;
}

static double mean_of(const struct taud_aggregate_bucket *bucket)
{
    return sum_of(bucket) / (double)bucket->count;
}

static void widen(struct taud_aggregate_bucket *bucket, double min, double max)
{
    if (min < bucket->min)
        bucket->min = min;
    if (max > bucket->max)
        bucket->max = max;
}

// The deviation of two sets of points that are not counted together yet (Chan, Golub, LeVeque).
static double join_deviations(const struct taud_aggregate_bucket *one,
                              const struct taud_aggregate_bucket *other)
{
    if (one->count == 0 || other->count == 0)
        return one->deviation + other->deviation;
    double first = (double)one->count, second = (double)other->count;
    double distance = mean_of(other) - mean_of(one);
    return one->deviation + other->deviation +
           distance * distance * (first / (first + second) * second);
}

// --- first and last ---------------------------------------------------------------------------

// Chooses among several values at the same instant: the order of the numbers, -0 before +0, and NaN
// below all of them.
static bool greater(double one, double other)
{
    int64_t bits, other_bits;
    if (isnan(one) != isnan(other))
        return isnan(other);
    memcpy(&bits, &one, sizeof bits);
    memcpy(&other_bits, &other, sizeof other_bits);
    bits = bits < 0 ? bits ^ INT64_MAX : bits;
    other_bits = other_bits < 0 ? other_bits ^ INT64_MAX : other_bits;
    return bits > other_bits;
}

static void take_first(struct taud_aggregate_bucket *bucket, int64_t timestamp, double value)
{
    if (bucket->count == 0 || timestamp < bucket->first_timestamp ||
        (timestamp == bucket->first_timestamp && greater(value, bucket->first))) {
        bucket->first_timestamp = timestamp;
        bucket->first = value;
    }
}

static void take_last(struct taud_aggregate_bucket *bucket, int64_t timestamp, double value)
{
    if (bucket->count == 0 || timestamp > bucket->last_timestamp ||
        (timestamp == bucket->last_timestamp && greater(value, bucket->last))) {
        bucket->last_timestamp = timestamp;
        bucket->last = value;
    }
}

// --- adding -----------------------------------------------------------------------------------

static bool ensure_sketch(struct taud_aggregate_bucket *bucket,
                          struct taud_aggregate_memory *memory)
{
    if (bucket->sketch)
        return true;
    bucket->sketch = taud_aggregate_take(memory, sizeof *bucket->sketch);
    if (bucket->sketch)
        taud_sketch_init(bucket->sketch);
    return bucket->sketch != NULL;
}

// What lies between the last point that is there and the first one behind it.
static void bridge(struct taud_aggregate_bucket *bucket, unsigned parts, int64_t timestamp,
                   double value)
{
    if (bucket->count == 0)
        return;
    if ((parts & TAUD_AGGREGATE_PART_HELD) != 0)
        bucket->integral += bucket->last * length(bucket->last_timestamp, timestamp);
    if ((parts & TAUD_AGGREGATE_PART_COUNTER) != 0 && value < bucket->last)
        bucket->increase += bucket->last;
}

// Adds to the sums at most TAUD_AGGREGATE_FOLD_COUNT values; their number is added behind.
static void add_piece(struct taud_aggregate_bucket *bucket, unsigned parts, const double *values,
                      size_t count)
{
    struct taud_aggregate_fold fold;
    taud_aggregate_fold(values, count, &fold);
    if ((parts & TAUD_AGGREGATE_PART_DEVIATION) != 0) {
        struct taud_aggregate_bucket piece = {.count = count, .sum = fold.sum};
        piece.deviation = taud_aggregate_fold_deviation(values, count, mean_of(&piece));
        bucket->deviation = join_deviations(bucket, &piece);
    }
    add_sum(bucket, fold.sum);
    widen(bucket, fold.min, fold.max);
}

bool taud_aggregate_bucket_add(struct taud_aggregate_bucket *bucket, unsigned parts,
                               const struct taud_aggregate_run *run,
                               struct taud_aggregate_memory *memory)
{
    const double *values = run->values;
    size_t count = run->count;
    assert(count > 0);
    bridge(bucket, parts, run->first_timestamp, values[0]);
    take_first(bucket, run->first_timestamp, values[0]);
    take_last(bucket, run->last_timestamp, values[count - 1]);
    if ((parts & TAUD_AGGREGATE_PART_HELD) != 0)
        bucket->integral += taud_aggregate_fold_held(run->timestamps, values, count);
    if ((parts & TAUD_AGGREGATE_PART_COUNTER) != 0)
        bucket->increase += taud_aggregate_fold_resets(values, count);
    if ((parts & TAUD_AGGREGATE_PART_SKETCH) != 0 &&
        !(ensure_sketch(bucket, memory) && taud_sketch_add(bucket->sketch, values, count, memory)))
        return false;
    if ((parts & (TAUD_AGGREGATE_PART_SUM | TAUD_AGGREGATE_PART_EXTREMES)) == 0) {
        bucket->count += count;
        return true;
    }
    for (size_t done = 0; done < count;) {
        size_t piece = count - done;
        piece = piece < TAUD_AGGREGATE_FOLD_COUNT ? piece : TAUD_AGGREGATE_FOLD_COUNT;
        add_piece(bucket, parts, values + done, piece);
        bucket->count += piece;
        done += piece;
    }
    return true;
}

void taud_aggregate_bucket_add_summary(struct taud_aggregate_bucket *bucket,
                                       const struct taud_chunk_summary *summary)
{
    assert(summary->count > 0);
    take_first(bucket, summary->first_timestamp, summary->first);
    take_last(bucket, summary->last_timestamp, summary->last);
    // Its sum is that of the numbers.
    add_sum(bucket, summary->number_count < summary->count ? NAN : summary->sum);
    widen(bucket, summary->low, summary->high);
    bucket->count += summary->count;
}

void taud_aggregate_bucket_add_part(struct taud_aggregate_bucket *bucket, unsigned parts,
                                    const struct taud_chunk_part *part)
{
    if ((parts & TAUD_AGGREGATE_PART_DEVIATION) != 0) {
        const struct taud_aggregate_bucket piece = {
            .count = part->summary.count, .sum = part->summary.sum, .deviation = part->deviation};
        bucket->deviation = join_deviations(bucket, &piece);
    }
    taud_aggregate_bucket_add_summary(bucket, &part->summary);
}

// --- joining ----------------------------------------------------------------------------------

// What is the same for pieces of one series and for several series.
static bool join(struct taud_aggregate_bucket *bucket, const struct taud_aggregate_bucket *other,
                 struct taud_aggregate_memory *memory)
{
    if (other->count == 0)
        return true;
    take_first(bucket, other->first_timestamp, other->first);
    take_last(bucket, other->last_timestamp, other->last);
    bucket->deviation = join_deviations(bucket, other);
    add_sum(bucket, other->sum);
    bucket->sum_error += other->sum_error;
    widen(bucket, other->min, other->max);
    bucket->count += other->count;
    return !other->sketch || (ensure_sketch(bucket, memory) &&
                              taud_sketch_join(bucket->sketch, other->sketch, memory));
}

bool taud_aggregate_bucket_append(struct taud_aggregate_bucket *bucket,
                                  const struct taud_aggregate_bucket *later, unsigned parts,
                                  struct taud_aggregate_memory *memory)
{
    if (later->count == 0)
        return true;
    bridge(bucket, parts, later->first_timestamp, later->first);
    bucket->integral += later->integral;
    bucket->increase += later->increase;
    return join(bucket, later, memory);
}

bool taud_aggregate_bucket_combine(struct taud_aggregate_bucket *bucket,
                                   const struct taud_aggregate_bucket *other,
                                   struct taud_aggregate_memory *memory)
{
    bucket->integral += other->integral;
    bucket->held_ns += other->held_ns;
    bucket->increase += other->increase;
    bucket->rate += other->rate;
    bucket->rate_count += other->rate_count;
    return join(bucket, other, memory);
}

// --- closing ----------------------------------------------------------------------------------

static void close_counter(struct taud_aggregate_bucket *bucket,
                          const struct taud_aggregate_edges *edges)
{
    if (bucket->count == 0)
        return;
    double from = edges->has_prior ? edges->prior : bucket->first;
    if (bucket->first < from)
        bucket->increase += from;
    bucket->increase += bucket->last - from;
    double span = length(edges->has_prior ? edges->prior_timestamp : bucket->first_timestamp,
                         bucket->last_timestamp);
    if (span > 0) {
        bucket->rate = bucket->increase / (span / NANOSECONDS);
        bucket->rate_count = 1;
    }
}

static void close_held(struct taud_aggregate_bucket *bucket,
                       const struct taud_aggregate_edges *edges)
{
    if (bucket->count == 0 && !edges->has_prior)
        return;
    // The last instant is one of the bucket's own and counts in full; the series' last point, where
    // it lies here, has no extent.
    int goes_on = edges->end > edges->last_instant;
    int64_t stop = goes_on ? edges->last_instant : edges->end;
    int64_t begin = edges->has_prior ? edges->first_instant : bucket->first_timestamp;
    if (stop < begin)
        return;
    bucket->held_ns = length(begin, stop) + goes_on;
    if (bucket->count == 0) {
        if (bucket->held_ns > 0)
            bucket->integral = edges->prior * bucket->held_ns;
        return;
    }
    if (begin < bucket->first_timestamp)
        bucket->integral += edges->prior * length(begin, bucket->first_timestamp);
    double tail = length(bucket->last_timestamp, stop) + goes_on;
    if (tail > 0)
        bucket->integral += bucket->last * tail;
}

void taud_aggregate_bucket_close(struct taud_aggregate_bucket *bucket, unsigned parts,
                                 const struct taud_aggregate_edges *edges)
{
    assert(bucket->count == 0 || edges->end >= bucket->last_timestamp);
    assert(!edges->has_prior || edges->prior_timestamp < edges->first_instant);
    if ((parts & TAUD_AGGREGATE_PART_COUNTER) != 0)
        close_counter(bucket, edges);
    if ((parts & TAUD_AGGREGATE_PART_HELD) != 0)
        close_held(bucket, edges);
}

// --- asking -----------------------------------------------------------------------------------

static double deviation_of(const struct taud_aggregate_bucket *bucket, uint64_t degrees)
{
    return degrees > 0 ? sqrt(bucket->deviation / (double)degrees) : NAN;
}

static double calculate(struct taud_aggregate_bucket *bucket,
                        const struct taud_aggregate_column *column)
{
    switch (column->function) {
    case TAUD_AGGREGATE_COUNT:
        return (double)bucket->count;
    case TAUD_AGGREGATE_SUM:
        return sum_of(bucket);
    case TAUD_AGGREGATE_MIN:
        return bucket->min > bucket->max ? NAN : bucket->min;
    case TAUD_AGGREGATE_MAX:
        return bucket->min > bucket->max ? NAN : bucket->max;
    case TAUD_AGGREGATE_STDDEV:
        return deviation_of(bucket, bucket->count - 1);
    case TAUD_AGGREGATE_STDDEV_POPULATION:
        return deviation_of(bucket, bucket->count);
    case TAUD_AGGREGATE_QUANTILE:
        return bucket->sketch ? taud_sketch_quantile(bucket->sketch, column->parameter) : NAN;
    case TAUD_AGGREGATE_TIME_WEIGHTED_AVERAGE:
        return bucket->held_ns > 0 ? bucket->integral / bucket->held_ns : mean_of(bucket);
    case TAUD_AGGREGATE_RATE:
        return bucket->rate_count > 0 ? bucket->rate : NAN;
    case TAUD_AGGREGATE_INCREASE:
        return bucket->increase;
    default:
        return mean_of(bucket);
    }
}

double taud_aggregate_bucket_value(struct taud_aggregate_bucket *bucket,
                                   const struct taud_aggregate_column *column)
{
    assert(bucket->count > 0);
    if (column->function == TAUD_AGGREGATE_FIRST)
        return bucket->first;
    if (column->function == TAUD_AGGREGATE_LAST)
        return bucket->last;
    double value = calculate(bucket, column);
    return isnan(value) ? NAN : value + 0.0; // -0 + 0 is +0
}
