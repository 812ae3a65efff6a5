// SPDX-License-Identifier: MIT
// Reading points: single ones in batches, the latest, and ranges as streams. A range is a series held
// by reference and two indexes: points do not move, so that is a snapshot.
#include "state.h"

#include <string.h>

static void query_run(struct taud_shard *shard, const struct tau_query_point_request *points,
                      const uint64_t *hashes, const uint8_t *order, size_t count,
                      struct tau_query_point_response *ret_responses,
                      enum tau_status *ret_statuses)
{
    struct taud_series *found[TAUD_BATCH];
    for (size_t i = 0; i < count; i++) {
        unsigned place = order[i];
        found[i] = taud_shard_find(shard, hashes[place], &points[place].label);
        if (found[i])
            taud_series_prefetch(found[i], points[place].timestamp);
    }
    for (size_t i = 0; i < count; i++) {
        unsigned place = order[i];
        ret_statuses[place] = TAU_STATUS_SERIES_NOT_FOUND;
        if (!found[i])
            continue;
        struct tau_query_point_response response = {0};
        response.has_value =
            taud_series_find(found[i], points[place].timestamp, &response.value);
        ret_responses[place] = response;
        ret_statuses[place] = TAU_STATUS_SUCCESS;
    }
}

static void query_batch(struct taud_engine *engine, const struct tau_query_point_request *points,
                        size_t count, struct tau_query_point_response *ret_responses,
                        enum tau_status *ret_statuses)
{
    struct taud_batch batch;
    taud_batch_sort(engine, points, sizeof *points, count, &batch);
    for (size_t i = 0; i < TAUD_SHARDS; i++) {
        size_t run = (size_t)(batch.starts[i + 1] - batch.starts[i]);
        if (run == 0)
            continue;
        struct taud_shard *shard = &engine->shards[i];
        pthread_mutex_lock(&shard->mutex);
        query_run(shard, points, batch.hashes, batch.order + batch.starts[i], run, ret_responses,
                  ret_statuses);
        pthread_mutex_unlock(&shard->mutex);
    }
}

void taud_engine_query_points(struct taud_engine *engine,
                              const struct tau_query_point_request *points, size_t count,
                              struct tau_query_point_response *ret_responses,
                              enum tau_status *ret_statuses)
{
    for (size_t done = 0, batch; done < count; done += batch) {
        batch = count - done < TAUD_BATCH ? count - done : TAUD_BATCH;
        query_batch(engine, points + done, batch, ret_responses + done, ret_statuses + done);
    }
}

enum tau_status taud_engine_latest(struct taud_engine *engine, const struct tau_label *label,
                                   struct tau_query_latest_response *ret)
{
    struct taud_shard *shard;
    struct taud_series *series = taud_engine_lock_series(engine, label, &shard);
    if (!series)
        return TAU_STATUS_SERIES_NOT_FOUND;
    memset(ret, 0, sizeof *ret);
    if (series->point_count > 0) {
        struct taud_span span = taud_series_span(series, series->point_count - 1);
        ret->has_point = true;
        ret->point.timestamp = *span.timestamps;
        memcpy(&ret->point.value, span.values, sizeof ret->point.value);
    }
    pthread_mutex_unlock(&shard->mutex);
    return TAU_STATUS_SUCCESS;
}

struct taud_range {
    struct taud_engine *engine;
    struct taud_shard *shard;
    struct taud_series *series; // a reference
    uint64_t begin, end;        // indexes that are left
    bool backward;
};

// With the shard's lock.
static void select_points(struct taud_range *range, int64_t from, int64_t to, uint64_t limit)
{
    const struct taud_series *series = range->series;
    range->begin = taud_series_lower_bound(series, from);
    range->end = to == INT64_MAX ? series->point_count : taud_series_lower_bound(series, to + 1);
    if (range->end < range->begin)
        range->end = range->begin;
    if (limit == 0 || range->end - range->begin <= limit)
        return;
    if (range->backward)
        range->begin = range->end - limit;
    else
        range->end = range->begin + limit;
}

enum tau_status taud_range_open(struct taud_engine *engine, const struct tau_label *label,
                                int64_t from, int64_t to, uint64_t limit,
                                enum tau_direction direction, struct taud_range **ret_range)
{
    struct taud_range *range = engine->allocator->allocate(engine->allocator->context, sizeof *range);
    if (!range)
        return TAU_STATUS_NO_MEMORY;
    range->engine = engine;
    range->backward = direction == TAU_DIRECTION_BACKWARD;
    range->series = taud_engine_lock_series(engine, label, &range->shard);
    if (!range->series) {
        engine->allocator->release(engine->allocator->context, range);
        return TAU_STATUS_SERIES_NOT_FOUND;
    }
    atomic_fetch_add_explicit(&range->series->references, 1, memory_order_relaxed);
    select_points(range, from, to, limit);
    pthread_mutex_unlock(&range->shard->mutex);
    *ret_range = range;
    return TAU_STATUS_SUCCESS;
}

static void copy_forward(struct taud_range *range, int64_t *timestamps, double *values,
                         size_t count)
{
    for (size_t done = 0; done < count;) {
        struct taud_span span = taud_series_span(range->series, range->begin + done);
        size_t piece = count - done < span.count ? count - done : span.count;
        memcpy(timestamps + done, span.timestamps, piece * 8);
        memcpy(values + done, span.values, piece * 8);
        done += piece;
    }
    range->begin += count;
}

static void copy_backward(struct taud_range *range, int64_t *timestamps, double *values,
                          size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct taud_span span = taud_series_span(range->series, range->end - 1 - i);
        timestamps[i] = *span.timestamps;
        memcpy(&values[i], span.values, 8);
    }
    range->end -= count;
}

void taud_range_next(struct taud_range *range, int64_t *ret_timestamps, double *ret_values,
                     size_t capacity, size_t *ret_count, bool *ret_end)
{
    uint64_t left = range->end - range->begin;
    size_t count = left < capacity ? (size_t)left : capacity;
    pthread_mutex_lock(&range->shard->mutex);
    if (range->backward)
        copy_backward(range, ret_timestamps, ret_values, count);
    else
        copy_forward(range, ret_timestamps, ret_values, count);
    pthread_mutex_unlock(&range->shard->mutex);
    *ret_count = count;
    *ret_end = range->begin == range->end;
}

void taud_range_close(struct taud_range *range)
{
    if (!range)
        return;
    struct taud_engine *engine = range->engine;
    taud_series_release(range->series, &engine->arena);
    taud_arena_trim(&engine->arena);
    engine->allocator->release(engine->allocator->context, range);
}
