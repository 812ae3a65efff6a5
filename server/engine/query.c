// SPDX-License-Identifier: MIT
// Single points in batches, and the latest one. What memory has is found shard by shard, under the
// shard's lock; what is left is found without a lock in what is stored, against one view for all of
// a batch. The steps of that are taken for several points together, since each of them mostly waits
// for memory.
#include "read/lookup.h"

#include <string.h>

enum { TOGETHER = 32 };

// What is left to be done about a request after memory was looked at.
enum left { LEFT_NOTHING, LEFT_TOMBSTONES, LEFT_SEARCH };

struct query {
    uint64_t identity;
    uint64_t sequence; // of what was found, where tombstones are left
    enum left left;
};

struct batch {
    struct taud_engine *engine;
    const struct tau_query_point_request *points;
    size_t count;
    struct tau_query_point_response *responses;
    enum tau_status *statuses;
    struct query *queries;
    unsigned left; // requests that something is left of
};

// --- memory -----------------------------------------------------------------------------------

// With the shard's lock.
static void query_series(struct taud_engine *engine, const struct taud_shard *shard,
                         const struct taud_series *series, int64_t timestamp,
                         struct tau_query_point_response *ret, struct query *query)
{
    query->identity = series->identity;
    query->sequence = UINT64_MAX;
    if (series->retention > 0 && timestamp < taud_storage_edge(engine, series->retention))
        return;
    ret->has_value = taud_find_in_memory(&engine->storage, series, shard->codec, timestamp,
                                         &ret->value, &query->sequence);
    if (!ret->has_value && series->stored)
        query->left = LEFT_SEARCH;
    else if (ret->has_value && query->sequence != UINT64_MAX)
        query->left = LEFT_TOMBSTONES;
}

static void query_run(struct taud_engine *engine, const struct taud_shard *shard,
                      struct batch *batch, const uint64_t *hashes, const uint8_t *order,
                      size_t count)
{
    struct taud_series *found[TAUD_BATCH];
    for (size_t i = 0; i < count; i++) {
        unsigned place = order[i];
        found[i] = taud_shard_find(shard, hashes[place], &batch->points[place].label);
        if (found[i])
            taud_series_prefetch(found[i], batch->points[place].timestamp);
    }
    for (size_t i = 0; i < count; i++) {
        unsigned place = order[i];
        struct query *query = &batch->queries[place];
        query->left = LEFT_NOTHING;
        batch->statuses[place] = TAU_STATUS_SERIES_NOT_FOUND;
        if (!found[i])
            continue;
        struct tau_query_point_response response = {0};
        query_series(engine, shard, found[i], batch->points[place].timestamp, &response, query);
        batch->responses[place] = response;
        batch->statuses[place] = TAU_STATUS_SUCCESS;
        batch->left += query->left != LEFT_NOTHING;
    }
}

static void query_memory(struct taud_engine *engine, struct batch *batch)
{
    struct taud_batch sorted;
    taud_batch_sort(engine, batch->points, sizeof *batch->points, batch->count, &sorted);
    for (size_t i = 0; i < TAUD_SHARDS; i++) {
        size_t run = (size_t)(sorted.starts[i + 1] - sorted.starts[i]);
        if (run == 0)
            continue;
        struct taud_shard *shard = &engine->shards[i];
        pthread_mutex_lock(&shard->mutex);
        query_run(engine, shard, batch, sorted.hashes, sorted.order + sorted.starts[i], run);
        pthread_mutex_unlock(&shard->mutex);
    }
}

// --- what is stored ---------------------------------------------------------------------------

static void finish(struct batch *batch, unsigned place, enum tau_status status, bool found,
                   double value)
{
    batch->statuses[place] = status;
    batch->responses[place].has_value = found && status == TAU_STATUS_SUCCESS;
    batch->responses[place].value = batch->responses[place].has_value ? value : 0;
}

// The points at these places, at most TOGETHER.
static void search_some(const struct taud_view *view, struct taud_codec *codec, struct batch *batch,
                        const uint8_t *places, unsigned count)
{
    struct taud_search searches[TOGETHER];
    enum tau_status statuses[TOGETHER];
    struct taud_error errors[TOGETHER];
    bool located[TOGETHER];
    for (unsigned i = 0; i < count; i++) {
        const struct query *query = &batch->queries[places[i]];
        int64_t timestamp = batch->points[places[i]].timestamp;
        searches[i] = (struct taud_search){
            .identity = query->identity,
            .timestamp = timestamp,
            .visible_from = taud_visible_from(view, query->identity, timestamp),
            .segment = view->segment_count,
        };
        located[i] = taud_search_locate(&searches[i], view);
    }
    for (unsigned i = 0; i < count; i++) {
        if (located[i])
            taud_search_approach(&searches[i], view);
    }
    for (unsigned i = 0; i < count; i++) {
        if (located[i])
            taud_search_hold(&searches[i], view);
    }
    for (unsigned i = 0; i < count; i++)
        statuses[i] =
            located[i] ? taud_search_read(&searches[i], view, &errors[i]) : TAU_STATUS_SUCCESS;
    for (unsigned i = 0; i < count; i++) {
        bool found = false;
        double value = 0;
        if (located[i] && statuses[i] == TAU_STATUS_SUCCESS)
            statuses[i] = taud_search_look(&searches[i], view, codec, &found, &value, &errors[i]);
        if (located[i] && statuses[i] == TAU_STATUS_SUCCESS && !found)
            statuses[i] = taud_search_finish(&searches[i], view, codec, &found, &value, &errors[i]);
        taud_engine_count_damage(batch->engine, statuses[i], &errors[i]);
        finish(batch, places[i], statuses[i], found, value);
    }
}

static void check_tombstones(const struct taud_view *view, struct batch *batch, unsigned place)
{
    const struct query *query = &batch->queries[place];
    if (query->sequence < taud_visible_from(view, query->identity, batch->points[place].timestamp))
        finish(batch, place, TAU_STATUS_SUCCESS, false, 0);
}

// The view is taken only now: what a flush has moved since memory was looked at is in it.
static void query_stored(struct taud_engine *engine, struct batch *batch)
{
    struct taud_view *view = taud_views_take(&engine->storage.views);
    struct taud_codec *codec = taud_codecs_take(&engine->codecs);
    uint8_t places[TOGETHER];
    unsigned count = 0;
    for (unsigned i = 0; i < batch->count; i++) {
        enum left left = batch->queries[i].left;
        if (left == LEFT_TOMBSTONES)
            check_tombstones(view, batch, i);
        else if (left == LEFT_SEARCH && !codec)
            finish(batch, i, TAU_STATUS_NO_MEMORY, false, 0);
        else if (left == LEFT_SEARCH)
            places[count++] = (uint8_t)i;
        if (count == TOGETHER || (count > 0 && i + 1 == batch->count)) {
            search_some(view, codec, batch, places, count);
            count = 0;
        }
    }
    taud_codecs_give(&engine->codecs, codec);
    taud_view_release(view);
}

void taud_engine_query_points(struct taud_engine *engine,
                              const struct tau_query_point_request *points, size_t count,
                              struct tau_query_point_response *ret_responses,
                              enum tau_status *ret_statuses)
{
    for (size_t done = 0, size; done < count; done += size) {
        struct query queries[TAUD_BATCH];
        size = count - done < TAUD_BATCH ? count - done : TAUD_BATCH;
        struct batch batch = {
            .engine = engine,
            .points = points + done,
            .count = size,
            .responses = ret_responses + done,
            .statuses = ret_statuses + done,
            .queries = queries,
        };
        query_memory(engine, &batch);
        if (batch.left > 0)
            query_stored(engine, &batch);
    }
}

// --- the latest -------------------------------------------------------------------------------

// Whether the point with the greatest timestamp that the series ever had is there, as it mostly is.
static enum tau_status query_last(struct taud_engine *engine, const struct tau_label *label,
                                  struct tau_query_latest_response *ret, bool *ret_any)
{
    struct tau_query_point_request request = {.label = *label};
    struct tau_query_point_response response = {0};
    enum tau_status status = TAU_STATUS_SUCCESS;
    struct query query = {.left = LEFT_NOTHING};
    struct batch batch = {.engine = engine,
                          .points = &request,
                          .count = 1,
                          .responses = &response,
                          .statuses = &status,
                          .queries = &query};
    struct taud_shard *shard;
    const struct taud_series *series = taud_engine_lock_series(engine, label, &shard);
    if (!series)
        return TAU_STATUS_SERIES_NOT_FOUND;
    *ret_any = series->any;
    request.timestamp = series->last_timestamp;
    if (series->any)
        query_series(engine, shard, series, request.timestamp, &response, &query);
    pthread_mutex_unlock(&shard->mutex);
    if (query.left != LEFT_NOTHING)
        query_stored(engine, &batch);
    ret->has_point = status == TAU_STATUS_SUCCESS && response.has_value;
    if (ret->has_point)
        ret->point = (struct tau_point){request.timestamp, response.value};
    return status;
}

enum tau_status taud_engine_latest(struct taud_engine *engine, const struct tau_label *label,
                                   struct tau_query_latest_response *ret)
{
    struct tau_query_latest_response response;
    struct taud_range *range;
    bool any = false, end;
    size_t count;
    memset(&response, 0, sizeof response);
    enum tau_status status = query_last(engine, label, &response, &any);
    if (status == TAU_STATUS_SUCCESS && any && !response.has_point) {
        status =
            taud_range_open(engine, label, INT64_MIN, INT64_MAX, 1, TAU_DIRECTION_BACKWARD, &range);
        if (status == TAU_STATUS_SUCCESS) {
            status = taud_range_next(range, &response.point.timestamp, &response.point.value, 1,
                                     &count, &end);
            response.has_point = status == TAU_STATUS_SUCCESS && count > 0;
            taud_range_close(range);
        }
    }
    if (status == TAU_STATUS_SUCCESS)
        *ret = response;
    return status;
}
