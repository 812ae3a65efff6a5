// SPDX-License-Identifier: MIT
// Cutting runs of points at the edges of buckets. Buckets are made ready when they are touched, so
// that a large window costs nothing for a series with few points.
#include "window.h"

#include <assert.h>
#include <string.h>

enum tau_status taud_aggregate_window_init(struct taud_aggregate_window *window,
                                           const struct taud_aggregate_plan *plan,
                                           struct taud_aggregate_memory *memory, uint32_t capacity)
{
    assert(capacity > 0);
    memset(window, 0, sizeof *window);
    window->plan = plan;
    window->memory = memory;
    window->capacity = capacity < plan->bucket_count ? capacity : plan->bucket_count;
    window->buckets = taud_aggregate_take(memory, window->capacity * sizeof *window->buckets);
    if (!window->buckets && window->capacity > 0)
        return TAU_STATUS_NO_MEMORY;
    taud_aggregate_window_place(window, 0);
    return TAU_STATUS_SUCCESS;
}

static struct taud_aggregate_bucket *slot(const struct taud_aggregate_window *window,
                                          uint32_t bucket)
{
    return &window->buckets[bucket - window->first];
}

void taud_aggregate_window_place(struct taud_aggregate_window *window, uint32_t first)
{
    for (uint32_t i = window->used_first; i < window->used_end; i++)
        taud_aggregate_bucket_done(slot(window, i), window->memory);
    assert(first <= window->plan->bucket_count);
    uint32_t left = window->plan->bucket_count - first;
    window->first = first;
    window->end = first + (left < window->capacity ? left : window->capacity);
    window->used_first = window->used_end = first;
}

void taud_aggregate_window_done(struct taud_aggregate_window *window)
{
    taud_aggregate_window_place(window, window->first);
    taud_aggregate_give(window->memory, window->buckets,
                        window->capacity * sizeof *window->buckets);
    window->buckets = NULL;
    window->capacity = 0;
}

void taud_aggregate_window_move(struct taud_aggregate_window *window,
                                struct taud_aggregate_memory *memory,
                                struct taud_aggregate_window *other)
{
    uint64_t bytes = other->memory->used_bytes;
    *window = *other;
    window->memory = memory;
    memory->used_bytes += bytes;
    other->memory->used_bytes = 0;
    other->buckets = NULL;
    other->capacity = 0;
    other->used_end = other->used_first;
}

// The bucket, made ready with all between it and those that are.
static struct taud_aggregate_bucket *touch(struct taud_aggregate_window *window, uint32_t bucket)
{
    assert(bucket >= window->first && bucket < window->end);
    if (window->used_first == window->used_end)
        window->used_first = window->used_end = bucket;
    while (bucket >= window->used_end)
        taud_aggregate_bucket_init(slot(window, window->used_end++));
    while (bucket < window->used_first)
        taud_aggregate_bucket_init(slot(window, --window->used_first));
    return slot(window, bucket);
}

// --- adding -----------------------------------------------------------------------------------

// How many of the ascending timestamps are not later than `last`. Looks in steps that double, so
// that short runs are found with few looks in long columns.
static size_t count_to(const int64_t *timestamps, size_t count, int64_t last)
{
    if (count == 0 || timestamps[count - 1] <= last)
        return count;
    size_t known = 0, step = 1; // timestamps before `known` are not later
    while (step <= count && timestamps[step - 1] <= last) {
        known = step;
        step *= 2;
    }
    size_t beyond = step <= count ? step - 1 : count - 1; // this one is later
    while (known < beyond) {
        size_t middle = known + (beyond - known) / 2;
        if (timestamps[middle] <= last)
            known = middle + 1;
        else
            beyond = middle;
    }
    return known;
}

enum tau_status taud_aggregate_window_add(struct taud_aggregate_window *window,
                                          const int64_t *timestamps, const double *values,
                                          size_t count, size_t *ret_used)
{
    const struct taud_aggregate_plan *plan = window->plan;
    *ret_used = 0;
    if (window->first == window->end || count == 0)
        return TAU_STATUS_SUCCESS;
    int64_t from = taud_aggregate_bucket_first_instant(plan, window->first);
    int64_t to = taud_aggregate_bucket_last_instant(plan, window->end - 1);
    size_t done = from > timestamps[0] ? count_to(timestamps, count, from - 1) : 0;
    while (done < count && timestamps[done] <= to) {
        uint32_t bucket = taud_aggregate_bucket_of(plan, timestamps[done]);
        int64_t last = taud_aggregate_bucket_last_instant(plan, bucket);
        struct taud_aggregate_run run = {
            .count = count_to(timestamps + done, count - done, last),
            .timestamps = timestamps + done,
            .values = values + done,
            .first_timestamp = timestamps[done],
        };
        run.last_timestamp = run.timestamps[run.count - 1];
        if (!taud_aggregate_bucket_add(touch(window, bucket), plan->parts, &run, window->memory))
            return TAU_STATUS_NO_MEMORY;
        done += run.count;
    }
    *ret_used = done;
    return TAU_STATUS_SUCCESS;
}

enum taud_aggregate_form taud_aggregate_window_wants(const struct taud_aggregate_window *window,
                                                     int64_t first, int64_t last)
{
    const struct taud_aggregate_plan *plan = window->plan;
    if (window->first == window->end || first > plan->to ||
        last < taud_aggregate_bucket_first_instant(plan, window->first))
        return TAUD_AGGREGATE_FORM_NOTHING;
    if (first > taud_aggregate_bucket_last_instant(plan, window->end - 1))
        return TAUD_AGGREGATE_FORM_LATER;
    if ((plan->needs & TAUD_AGGREGATE_NEEDS_TIMESTAMPS) != 0 ||
        !taud_aggregate_fits(plan, first, last))
        return TAUD_AGGREGATE_FORM_COLUMNS;
    return (plan->needs & TAUD_AGGREGATE_NEEDS_VALUES) != 0 ? TAUD_AGGREGATE_FORM_VALUES
                                                            : TAUD_AGGREGATE_FORM_SUMMARY;
}

enum tau_status taud_aggregate_window_add_values(struct taud_aggregate_window *window,
                                                 int64_t first, int64_t last, const double *values,
                                                 size_t count)
{
    const struct taud_aggregate_plan *plan = window->plan;
    assert(taud_aggregate_fits(plan, first, last));
    assert((plan->needs & TAUD_AGGREGATE_NEEDS_TIMESTAMPS) == 0);
    struct taud_aggregate_bucket *bucket = touch(window, taud_aggregate_bucket_of(plan, first));
    const struct taud_aggregate_run run = {
        .count = count, .values = values, .first_timestamp = first, .last_timestamp = last};
    return taud_aggregate_bucket_add(bucket, plan->parts, &run, window->memory)
               ? TAU_STATUS_SUCCESS
               : TAU_STATUS_NO_MEMORY;
}

void taud_aggregate_window_add_summary(struct taud_aggregate_window *window,
                                       const struct taud_chunk_summary *summary)
{
    assert(taud_aggregate_fits(window->plan, summary->first_timestamp, summary->last_timestamp));
    assert((window->plan->needs & TAUD_AGGREGATE_NEEDS_VALUES) == 0);
    uint32_t bucket = taud_aggregate_bucket_of(window->plan, summary->first_timestamp);
    taud_aggregate_bucket_add_summary(touch(window, bucket), summary);
}

uint32_t taud_aggregate_window_ends(const struct taud_aggregate_window *window, int64_t first,
                                    int64_t last, int64_t *ends, uint32_t most,
                                    unsigned *ret_wanted)
{
    const struct taud_aggregate_plan *plan = window->plan;
    if (!taud_aggregate_folds(plan) || window->first == window->end ||
        first < taud_aggregate_bucket_first_instant(plan, window->first) ||
        last > taud_aggregate_bucket_last_instant(plan, window->end - 1))
        return 0;
    uint32_t bucket = taud_aggregate_bucket_of(plan, first);
    uint32_t count = taud_aggregate_bucket_of(plan, last) + 1 - bucket;
    if (count > most)
        return 0;
    for (uint32_t i = 0; i < count; i++)
        ends[i] = taud_aggregate_bucket_last_instant(plan, bucket + i);
    *ret_wanted = 0;
    if ((plan->parts & TAUD_AGGREGATE_PART_EXTREMES) != 0)
        *ret_wanted |= TAUD_FOLD_EXTREMES;
    if ((plan->parts & TAUD_AGGREGATE_PART_DEVIATION) != 0)
        *ret_wanted |= TAUD_FOLD_DEVIATION;
    return count;
}

void taud_aggregate_window_add_part(struct taud_aggregate_window *window,
                                    const struct taud_chunk_part *part)
{
    const struct taud_chunk_summary *summary = &part->summary;
    assert(taud_aggregate_fits(window->plan, summary->first_timestamp, summary->last_timestamp));
    assert(taud_aggregate_folds(window->plan));
    uint32_t bucket = taud_aggregate_bucket_of(window->plan, summary->first_timestamp);
    taud_aggregate_bucket_add_part(touch(window, bucket), window->plan->parts, part);
}

// --- joining ----------------------------------------------------------------------------------

enum tau_status taud_aggregate_window_append(struct taud_aggregate_window *window,
                                             const struct taud_aggregate_window *later)
{
    for (uint32_t i = later->used_first; i < later->used_end; i++) {
        if (!taud_aggregate_bucket_append(touch(window, i), slot(later, i), window->plan->parts,
                                          window->memory))
            return TAU_STATUS_NO_MEMORY;
    }
    return TAU_STATUS_SUCCESS;
}

enum tau_status taud_aggregate_window_combine(struct taud_aggregate_window *window,
                                              const struct taud_aggregate_window *other)
{
    for (uint32_t i = other->used_first; i < other->used_end; i++) {
        if (!taud_aggregate_bucket_combine(touch(window, i), slot(other, i), window->memory))
            return TAU_STATUS_NO_MEMORY;
    }
    return TAU_STATUS_SUCCESS;
}

// Makes the buckets ready in which a value of the series is in force, though no point lies there.
static void touch_held(struct taud_aggregate_window *window,
                       const struct taud_aggregate_series *series)
{
    const struct taud_aggregate_plan *plan = window->plan;
    bool used = window->used_first < window->used_end;
    if (window->first == window->end || (!used && !series->has_prior) ||
        series->end < taud_aggregate_bucket_first_instant(plan, window->first))
        return;
    uint32_t last = window->end - 1;
    if (series->end < taud_aggregate_bucket_last_instant(plan, last))
        last = taud_aggregate_bucket_of(plan, series->end);
    if (series->has_prior)
        touch(window, window->first);
    touch(window, last);
}

void taud_aggregate_window_close(struct taud_aggregate_window *window,
                                 struct taud_aggregate_series *series)
{
    const struct taud_aggregate_plan *plan = window->plan;
    if ((plan->parts & TAUD_AGGREGATE_PART_HELD) != 0)
        touch_held(window, series);
    for (uint32_t i = window->used_first; i < window->used_end; i++) {
        struct taud_aggregate_bucket *bucket = slot(window, i);
        taud_aggregate_bucket_close(
            bucket, plan->parts,
            &(struct taud_aggregate_edges){
                .first_instant = taud_aggregate_bucket_first_instant(plan, i),
                .last_instant = taud_aggregate_bucket_last_instant(plan, i),
                .has_prior = series->has_prior,
                .prior_timestamp = series->prior_timestamp,
                .prior = series->prior,
                .end = series->end,
            });
        if (bucket->count > 0) {
            series->has_prior = true;
            series->prior_timestamp = bucket->last_timestamp;
            series->prior = bucket->last;
        }
    }
}
