// SPDX-License-Identifier: MIT
// Pieces are columns that are taken from a range, as many points as a chunk has.
#include "points.h"

#include "../state.h"

#include <assert.h>
#include <string.h>

struct taud_points {
    struct taud_engine *engine;
    struct taud_range *range;
    bool ended;
    int64_t timestamps[TAUD_CHUNK_POINTS_MAX];
    double values[TAUD_CHUNK_POINTS_MAX];
};

enum tau_status taud_points_survey(struct taud_engine *engine, const struct tau_label *label,
                                   struct taud_points_bounds *ret_bounds)
{
    struct tau_describe_series_response found;
    enum tau_status status = taud_engine_describe(engine, label, &found);
    if (status == TAU_STATUS_SUCCESS)
        *ret_bounds = (struct taud_points_bounds){.any = found.point_count > 0,
                                                  .first = found.first_timestamp,
                                                  .last = found.last_timestamp};
    return status;
}

// The latest point before `from`.
static enum tau_status find_prior(struct taud_engine *engine, const struct tau_label *label,
                                  int64_t from, struct taud_points_bounds *bounds)
{
    struct taud_range *range;
    size_t count = 0;
    bool end;
    if (from == INT64_MIN)
        return TAU_STATUS_SUCCESS;
    enum tau_status status =
        taud_range_open(engine, label, INT64_MIN, from - 1, 1, TAU_DIRECTION_BACKWARD, &range);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    taud_range_next(range, &bounds->prior_timestamp, &bounds->prior, 1, &count, &end);
    taud_range_close(range);
    bounds->has_prior = count > 0;
    return TAU_STATUS_SUCCESS;
}

enum tau_status taud_points_open(struct taud_engine *engine, const struct tau_label *label,
                                 const struct taud_points_options *options,
                                 struct taud_points **ret_points,
                                 struct taud_points_bounds *ret_bounds)
{
    const struct taud_allocator *allocator = engine->allocator;
    struct taud_points_bounds bounds = {0};
    enum tau_status status = TAU_STATUS_SUCCESS;
    if (ret_bounds)
        status = taud_points_survey(engine, label, &bounds);
    if (status == TAU_STATUS_SUCCESS && options->prior)
        status = find_prior(engine, label, options->from, &bounds);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    struct taud_points *points = allocator->allocate(allocator->context, sizeof *points);
    if (!points)
        return TAU_STATUS_NO_MEMORY;
    points->engine = engine;
    points->ended = false;
    status = taud_range_open(engine, label, options->from, options->to, options->limit,
                             options->descending ? TAU_DIRECTION_BACKWARD : TAU_DIRECTION_FORWARD,
                             &points->range);
    if (status != TAU_STATUS_SUCCESS) {
        allocator->release(allocator->context, points);
        return status;
    }
    *ret_points = points;
    if (ret_bounds)
        *ret_bounds = bounds;
    return TAU_STATUS_SUCCESS;
}

void taud_points_close(struct taud_points *points)
{
    if (!points)
        return;
    const struct taud_allocator *allocator = points->engine->allocator;
    taud_range_close(points->range);
    allocator->release(allocator->context, points);
}

enum tau_status taud_points_next(struct taud_points *points, struct taud_points_piece *ret_piece)
{
    size_t count = 0;
    memset(ret_piece, 0, sizeof *ret_piece);
    if (!points->ended)
        taud_range_next(points->range, points->timestamps, points->values, TAUD_CHUNK_POINTS_MAX,
                        &count, &points->ended);
    if (count == 0)
        return TAU_STATUS_SUCCESS;
    int64_t one = points->timestamps[0], other = points->timestamps[count - 1];
    *ret_piece = (struct taud_points_piece){
        .count = (uint32_t)count,
        .first = one < other ? one : other,
        .last = one < other ? other : one,
        .timestamps = points->timestamps,
        .values = points->values,
    };
    return TAU_STATUS_SUCCESS;
}

enum tau_status taud_points_decode(struct taud_points *points, struct taud_points_piece *piece,
                                   bool timestamps)
{
    (void)points;
    (void)piece;
    (void)timestamps;
    assert(!piece->summary); // whatever comes is columns
    return TAU_STATUS_SUCCESS;
}
