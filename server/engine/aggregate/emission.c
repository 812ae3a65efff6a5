// SPDX-License-Identifier: MIT
// Rows: those of buckets with points, and between them those of gaps.
#include "emission.h"

#include <assert.h>
#include <math.h>
#include <string.h>

// Where rows are written.
struct output {
    const struct taud_aggregate_plan *plan;
    int64_t *starts;
    double *const *columns;
    size_t count, capacity;
};

void taud_aggregate_read(const struct taud_aggregate_window *window,
                         struct taud_aggregate_rows *rows)
{
    const struct taud_aggregate_plan *plan = window->plan;
    for (uint32_t i = window->used_first; i < window->used_end; i++) {
        struct taud_aggregate_bucket *bucket = &window->buckets[i - window->first];
        if (bucket->count == 0)
            continue;
        double *values = rows->values + rows->count * plan->column_count;
        for (size_t k = 0; k < plan->column_count; k++)
            values[k] = taud_aggregate_bucket_value(bucket, &plan->columns[k]);
        rows->starts[rows->count++] = taud_aggregate_bucket_start(plan, i);
    }
}

void taud_aggregate_emission_init(struct taud_aggregate_emission *emission,
                                  const struct taud_aggregate_plan *plan)
{
    memset(emission, 0, sizeof *emission);
    emission->plan = plan;
}

static void write_row(struct output *output, uint32_t bucket, const double *values)
{
    output->starts[output->count] = taud_aggregate_bucket_start(output->plan, bucket);
    for (size_t i = 0; i < output->plan->column_count; i++)
        output->columns[i][output->count] = values[i];
    output->count++;
}

// --- gaps -------------------------------------------------------------------------------------

// What the rows on both sides of a gap hold.
struct sides {
    const double *before, *after; // NULL where there is none
    uint32_t first, end;          // the numbers of the buckets
};

static double between(double before, double after, double share)
{
    return before == after ? before : before * (1 - share) + after * share;
}

static double fill_of(const struct taud_aggregate_plan *plan, size_t column, uint32_t bucket,
                      const struct sides *sides)
{
    enum taud_aggregate_function function = plan->columns[column].function;
    if (function == TAUD_AGGREGATE_COUNT || function == TAUD_AGGREGATE_INCREASE)
        return 0;
    if (plan->fill == TAUD_AGGREGATE_FILL_VALUE)
        return plan->fill_value;
    if (!sides->before)
        return NAN;
    if (plan->fill == TAUD_AGGREGATE_FILL_PREVIOUS)
        return sides->before[column];
    if (!sides->after)
        return NAN;
    double share = (double)(bucket - sides->first) / (double)(sides->end - sides->first);
    return between(sides->before[column], sides->after[column], share);
}

// Writes rows from `next` on as far as there is room.
static void fill_gap(struct taud_aggregate_emission *emission, struct output *output, uint32_t end,
                     const double *after)
{
    const struct taud_aggregate_plan *plan = emission->plan;
    if (plan->fill == TAUD_AGGREGATE_FILL_NONE) {
        emission->next = end;
        return;
    }
    const struct sides sides = {emission->has_previous ? emission->values : NULL, after,
                                emission->previous, end};
    for (; emission->next < end && output->count < output->capacity; emission->next++) {
        double values[TAUD_AGGREGATE_COLUMNS_MAX] = {0};
        for (size_t i = 0; i < plan->column_count; i++)
            values[i] = fill_of(plan, i, emission->next, &sides);
        write_row(output, emission->next, values);
    }
}

// --- rows -------------------------------------------------------------------------------------

// The rows up to and with that of a bucket with points, as far as there is room. Returns whether
// there was room for them all.
static bool emit_row(struct taud_aggregate_emission *emission, struct output *output,
                     uint32_t bucket, const double *values)
{
    fill_gap(emission, output, bucket, values);
    if (output->count == output->capacity)
        return false;
    write_row(output, bucket, values);
    memcpy(emission->values, values, emission->plan->column_count * sizeof values[0]);
    emission->has_previous = true;
    emission->previous = bucket;
    emission->next = bucket + 1;
    return true;
}

size_t taud_aggregate_emit(struct taud_aggregate_emission *emission,
                           struct taud_aggregate_rows *rows, bool last, int64_t *ret_starts,
                           double *const *ret_columns, size_t capacity, bool *ret_more)
{
    const struct taud_aggregate_plan *plan = emission->plan;
    struct output output = {
        .plan = plan, .starts = ret_starts, .columns = ret_columns, .capacity = capacity};
    assert(capacity > 0 && (rows || last));
    for (; rows && rows->done < rows->count; rows->done++) {
        int64_t start = rows->starts[rows->done];
        uint32_t bucket = taud_aggregate_bucket_of(plan, start < plan->from ? plan->from : start);
        if (!emit_row(emission, &output, bucket, rows->values + rows->done * plan->column_count))
            break;
    }
    bool all = !rows || rows->done == rows->count;
    if (all && last)
        fill_gap(emission, &output, plan->bucket_count, NULL);
    *ret_more = !all || (last && output.count == capacity);
    return output.count;
}
