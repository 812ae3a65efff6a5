// SPDX-License-Identifier: MIT
// Rows: those of buckets with points, and between them those of gaps.
#include "emission.h"

#include <assert.h>
#include <math.h>
#include <string.h>

// Where rows are written.
struct rows {
    const struct taud_aggregate_plan *plan;
    int64_t *starts;
    double *const *columns;
    size_t count, capacity;
};

void taud_aggregate_emission_init(struct taud_aggregate_emission *emission,
                                  const struct taud_aggregate_plan *plan)
{
    memset(emission, 0, sizeof *emission);
    emission->plan = plan;
}

// The next bucket with points; NULL where the window has none.
static struct taud_aggregate_bucket *search(struct taud_aggregate_emission *emission,
                                            const struct taud_aggregate_window *window,
                                            uint32_t *ret_number)
{
    if (!window)
        return NULL;
    uint32_t i = emission->searched;
    i = i < emission->next ? emission->next : i;
    i = i < window->used_first ? window->used_first : i;
    while (i < window->used_end && window->buckets[i - window->first].count == 0)
        i++;
    emission->searched = i;
    *ret_number = i;
    return i < window->used_end ? &window->buckets[i - window->first] : NULL;
}

static void read_values(const struct taud_aggregate_plan *plan,
                        struct taud_aggregate_bucket *bucket,
                        double values[TAUD_AGGREGATE_COLUMNS_MAX])
{
    for (size_t i = 0; i < plan->column_count; i++)
        values[i] = taud_aggregate_bucket_value(bucket, &plan->columns[i]);
}

static void write_row(struct rows *rows, uint32_t bucket, const double *values)
{
    rows->starts[rows->count] = taud_aggregate_bucket_start(rows->plan, bucket);
    for (size_t i = 0; i < rows->plan->column_count; i++)
        rows->columns[i][rows->count] = values[i];
    rows->count++;
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
static void fill_gap(struct taud_aggregate_emission *emission, struct rows *rows, uint32_t end,
                     const double *after)
{
    const struct taud_aggregate_plan *plan = emission->plan;
    if (plan->fill == TAUD_AGGREGATE_FILL_NONE) {
        emission->next = end;
        return;
    }
    const struct sides sides = {emission->has_previous ? emission->values : NULL, after,
                                emission->previous, end};
    for (; emission->next < end && rows->count < rows->capacity; emission->next++) {
        double values[TAUD_AGGREGATE_COLUMNS_MAX] = {0};
        for (size_t i = 0; i < plan->column_count; i++)
            values[i] = fill_of(plan, i, emission->next, &sides);
        write_row(rows, emission->next, values);
    }
}

// --- rows -------------------------------------------------------------------------------------

// The rows up to and with that of the bucket, as far as there is room.
static void emit_bucket(struct taud_aggregate_emission *emission, struct rows *rows,
                        struct taud_aggregate_bucket *bucket, uint32_t number)
{
    double values[TAUD_AGGREGATE_COLUMNS_MAX] = {0};
    read_values(emission->plan, bucket, values);
    fill_gap(emission, rows, number, values);
    if (rows->count == rows->capacity)
        return;
    write_row(rows, number, values);
    memcpy(emission->values, values, emission->plan->column_count * sizeof values[0]);
    emission->has_previous = true;
    emission->previous = number;
    emission->next = number + 1;
}

size_t taud_aggregate_emit(struct taud_aggregate_emission *emission,
                           const struct taud_aggregate_window *window, bool last,
                           int64_t *ret_starts, double *const *ret_columns, size_t capacity,
                           bool *ret_more)
{
    const struct taud_aggregate_plan *plan = emission->plan;
    struct rows rows = {.plan = plan, .columns = ret_columns, .capacity = capacity};
    struct taud_aggregate_bucket *bucket;
    uint32_t number = 0;
    rows.starts = ret_starts;
    assert(capacity > 0 && (window || last));
    while ((bucket = search(emission, window, &number)) && rows.count < capacity)
        emit_bucket(emission, &rows, bucket, number);
    if (!bucket && last)
        fill_gap(emission, &rows, plan->bucket_count, NULL);
    else if (!bucket && window && plan->fill != TAUD_AGGREGATE_FILL_LINEAR)
        fill_gap(emission, &rows, window->end, NULL);
    *ret_more = bucket != NULL || rows.count == capacity;
    return rows.count;
}
