// SPDX-License-Identifier: MIT
// Pieces are those of a merge over a snapshot. A codec is held for as long as a call takes, or a
// row of them, so any number of series may be open.
#include "points.h"

#include "../read/snapshot.h"

#include <string.h>

struct taud_points {
    struct taud_engine *engine;
    struct taud_snapshot snapshot;
    struct taud_merge *merge;
    struct taud_codec *codec; // NULL while none is held
    struct taud_piece piece;  // the last one
    uint64_t left;           // of the limit
};

// --- what is known ----------------------------------------------------------------------------

// The first piece of an order. Returns SUCCESS, NO_MEMORY, INTERNAL_ERROR; the merge is the
// caller's to free, whatever comes.
static enum tau_status first_piece(const struct taud_snapshot *snapshot,
                                   const struct taud_snapshot_order *order,
                                   struct taud_merge **ret_merge, struct taud_piece *ret_piece)
{
    struct taud_error error;
    *ret_merge = taud_snapshot_merge(snapshot, order);
    if (!*ret_merge)
        return TAU_STATUS_NO_MEMORY;
    return taud_engine_count_damage(snapshot->engine,
                                    taud_merge_next(*ret_merge, ret_piece, &error), &error);
}

// The least or the greatest timestamp.
static enum tau_status find_end(const struct taud_snapshot *snapshot, struct taud_codec *codec,
                                bool descending, struct taud_points_bounds *bounds)
{
    const struct taud_snapshot_order order = {
        .codec = codec, .from = INT64_MIN, .to = INT64_MAX, .descending = descending};
    struct taud_merge *merge;
    struct taud_piece piece;
    enum tau_status status = first_piece(snapshot, &order, &merge, &piece);
    if (status == TAU_STATUS_SUCCESS) {
        bounds->any = piece.count > 0;
        *(descending ? &bounds->last : &bounds->first) = descending ? piece.last : piece.first;
    }
    taud_merge_free(merge);
    return status;
}

// The latest point before `from`.
static enum tau_status find_prior(const struct taud_snapshot *snapshot, struct taud_codec *codec,
                                  int64_t from, struct taud_points_bounds *bounds)
{
    if (from == INT64_MIN)
        return TAU_STATUS_SUCCESS;
    const struct taud_snapshot_order order = {.codec = codec,
                                              .from = INT64_MIN,
                                              .to = from - 1,
                                              .descending = true,
                                              .only_columns = true};
    struct taud_merge *merge;
    struct taud_piece piece;
    enum tau_status status = first_piece(snapshot, &order, &merge, &piece);
    if (status == TAU_STATUS_SUCCESS && piece.count > 0) {
        bounds->has_prior = true;
        bounds->prior_timestamp = piece.timestamps[0];
        bounds->prior = piece.values[0];
    }
    taud_merge_free(merge);
    return status;
}

static enum tau_status find_bounds(const struct taud_snapshot *snapshot, struct taud_codec *codec,
                                   struct taud_points_bounds *bounds)
{
    enum tau_status status = find_end(snapshot, codec, false, bounds);
    if (status == TAU_STATUS_SUCCESS && bounds->any)
        status = find_end(snapshot, codec, true, bounds);
    return status;
}

enum tau_status taud_points_survey(struct taud_engine *engine, const struct tau_label *label,
                                   struct taud_points_bounds *ret_bounds)
{
    struct taud_points_bounds bounds = {.any = false};
    struct taud_snapshot snapshot;
    enum tau_status status = taud_snapshot_open(&snapshot, engine, label, INT64_MIN, INT64_MAX);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    struct taud_codec *codec = taud_codecs_take(&engine->codecs);
    status = codec ? find_bounds(&snapshot, codec, &bounds) : TAU_STATUS_NO_MEMORY;
    taud_codecs_give(&engine->codecs, codec);
    taud_snapshot_done(&snapshot);
    if (status == TAU_STATUS_SUCCESS)
        *ret_bounds = bounds;
    return status;
}

// --- pieces -----------------------------------------------------------------------------------

// Makes the merge of an open snapshot, and what is wanted beside it.
static enum tau_status begin(struct taud_points *points, const struct taud_points_options *options,
                             struct taud_codec *codec, struct taud_points_bounds *bounds)
{
    const struct taud_snapshot_order order = {.codec = codec,
                                              .from = options->from,
                                              .to = options->to,
                                              .descending = options->descending,
                                              .cuts_chunks = true};
    enum tau_status status = TAU_STATUS_SUCCESS;
    if (bounds)
        status = find_bounds(&points->snapshot, codec, bounds);
    if (status == TAU_STATUS_SUCCESS && bounds && options->prior)
        status = find_prior(&points->snapshot, codec, options->from, bounds);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    points->merge = taud_snapshot_merge(&points->snapshot, &order);
    return points->merge ? TAU_STATUS_SUCCESS : TAU_STATUS_NO_MEMORY;
}

enum tau_status taud_points_open(struct taud_engine *engine, const struct tau_label *label,
                                 const struct taud_points_options *options,
                                 struct taud_points **ret_points,
                                 struct taud_points_bounds *ret_bounds)
{
    const struct taud_allocator *allocator = engine->allocator;
    struct taud_points_bounds bounds = {.any = false};
    struct taud_points *points = allocator->allocate(allocator->context, sizeof *points);
    if (!points)
        return TAU_STATUS_NO_MEMORY;
    memset(points, 0, sizeof *points);
    points->engine = engine;
    points->left = options->limit > 0 ? options->limit : UINT64_MAX;
    enum tau_status status =
        taud_snapshot_open(&points->snapshot, engine, label, ret_bounds ? INT64_MIN : options->from,
                           ret_bounds ? INT64_MAX : options->to);
    if (status != TAU_STATUS_SUCCESS) {
        allocator->release(allocator->context, points);
        return status;
    }
    struct taud_codec *codec = taud_codecs_take(&engine->codecs);
    status =
        codec ? begin(points, options, codec, ret_bounds ? &bounds : NULL) : TAU_STATUS_NO_MEMORY;
    taud_codecs_give(&engine->codecs, codec);
    if (status != TAU_STATUS_SUCCESS) {
        taud_points_close(points);
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
    taud_points_pause(points);
    taud_merge_free(points->merge);
    taud_snapshot_done(&points->snapshot);
    allocator->release(allocator->context, points);
}

enum tau_status taud_points_begin(struct taud_points *points)
{
    if (points->codec)
        return TAU_STATUS_SUCCESS;
    points->codec = taud_codecs_take(&points->engine->codecs);
    if (!points->codec)
        return TAU_STATUS_NO_MEMORY;
    taud_merge_use(points->merge, points->codec);
    return TAU_STATUS_SUCCESS;
}

void taud_points_pause(struct taud_points *points)
{
    if (points->codec)
        taud_codecs_give(&points->engine->codecs, points->codec);
    points->codec = NULL;
}

static enum tau_status decode(struct taud_points *points, unsigned parts)
{
    struct taud_error error;
    enum tau_status status = taud_merge_decode(points->merge, &points->piece, parts, &error);
    return taud_engine_count_damage(points->engine, status, &error);
}

// Leaves of a piece what the limit lets through, as columns.
static enum tau_status cut(struct taud_points *points)
{
    struct taud_piece *piece = &points->piece;
    uint32_t count = (uint32_t)points->left;
    enum tau_status status = decode(points, TAUD_PIECE_VALUES | TAUD_PIECE_TIMESTAMPS);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    int64_t begins = piece->timestamps[0], ends = piece->timestamps[count - 1];
    piece->summary = NULL;
    piece->count = count;
    piece->first = begins < ends ? begins : ends;
    piece->last = begins < ends ? ends : begins;
    return TAU_STATUS_SUCCESS;
}

static enum tau_status next(struct taud_points *points)
{
    struct taud_error error;
    enum tau_status status = taud_merge_next(points->merge, &points->piece, &error);
    if (status != TAU_STATUS_SUCCESS)
        return taud_engine_count_damage(points->engine, status, &error);
    if (points->piece.count > points->left)
        status = cut(points);
    if (status == TAU_STATUS_SUCCESS)
        points->left -= points->piece.count;
    return status;
}

static void tell(const struct taud_points *points, struct taud_points_piece *ret_piece)
{
    const struct taud_piece *piece = &points->piece;
    *ret_piece = (struct taud_points_piece){
        .count = piece->count,
        .first = piece->first,
        .last = piece->last,
        .summary = piece->summary,
        .timestamps = piece->timestamps,
        .values = piece->values,
    };
}

enum tau_status taud_points_next(struct taud_points *points, struct taud_points_piece *ret_piece)
{
    if (points->left == 0) {
        *ret_piece = (struct taud_points_piece){.count = 0};
        return TAU_STATUS_SUCCESS;
    }
    bool held = points->codec != NULL;
    enum tau_status status = taud_points_begin(points);
    if (status == TAU_STATUS_SUCCESS)
        status = next(points);
    if (!held)
        taud_points_pause(points);
    if (status == TAU_STATUS_SUCCESS)
        tell(points, ret_piece);
    return status;
}

enum tau_status taud_points_decode(struct taud_points *points, struct taud_points_piece *piece,
                                   bool timestamps)
{
    unsigned parts = TAUD_PIECE_VALUES | (timestamps ? TAUD_PIECE_TIMESTAMPS : 0U);
    if (piece->values && (!timestamps || piece->timestamps))
        return TAU_STATUS_SUCCESS;
    bool held = points->codec != NULL;
    enum tau_status status = taud_points_begin(points);
    if (status == TAU_STATUS_SUCCESS)
        status = decode(points, parts);
    if (!held)
        taud_points_pause(points);
    if (status == TAU_STATUS_SUCCESS)
        tell(points, piece);
    return status;
}

enum tau_status taud_points_fold(struct taud_points *points, unsigned wanted, const int64_t *ends,
                                 uint32_t end_count, struct taud_chunk_part *ret_parts,
                                 uint32_t *ret_count)
{
    struct taud_error error;
    bool held = points->codec != NULL;
    enum tau_status status = taud_points_begin(points);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    status = taud_merge_fold(points->merge, &points->piece, wanted, ends, end_count, ret_parts,
                             ret_count, &error);
    if (!held)
        taud_points_pause(points);
    return taud_engine_count_damage(points->engine, status, &error);
}
