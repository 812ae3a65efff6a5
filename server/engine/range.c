// SPDX-License-Identifier: MIT
// Streams over the points of a series: a snapshot of it, and a merge over that which is made with
// the first step. Between steps a stream holds one decoded chunk at most for each place that
// overlaps there, and no codec: thousands of them may wait for their readers.
#include "read/snapshot.h"

#include <string.h>

struct taud_range {
    struct taud_engine *engine;
    struct taud_snapshot snapshot;
    struct taud_merge *merge; // NULL before the first step
    struct taud_piece piece;  // what is there of it from `taken` on
    uint32_t taken;
    uint64_t left; // of the limit
    bool descending;
    bool ended;
    enum tau_status status; // what ended it
};

enum tau_status taud_range_open(struct taud_engine *engine, const struct tau_label *label,
                                int64_t from, int64_t to, uint64_t limit,
                                enum tau_direction direction, struct taud_range **ret_range)
{
    const struct taud_allocator *allocator = engine->allocator;
    struct taud_range *range = allocator->allocate(allocator->context, sizeof *range);
    if (!range)
        return TAU_STATUS_NO_MEMORY;
    memset(range, 0, sizeof *range);
    range->engine = engine;
    range->left = limit > 0 ? limit : UINT64_MAX;
    range->descending = direction == TAU_DIRECTION_BACKWARD;
    enum tau_status status = taud_snapshot_open(&range->snapshot, engine, label, from, to);
    if (status == TAU_STATUS_SUCCESS)
        *ret_range = range;
    else
        allocator->release(allocator->context, range);
    return status;
}

// With a codec for the time of a step.
static enum tau_status begin_step(struct taud_range *range, struct taud_codec *codec)
{
    const struct taud_snapshot_order order = {
        .codec = codec,
        .from = INT64_MIN,
        .to = INT64_MAX,
        .descending = range->descending,
        .only_columns = true,
    };
    if (range->merge)
        taud_merge_use(range->merge, codec);
    else
        range->merge = taud_snapshot_merge(&range->snapshot, &order);
    return range->merge ? TAU_STATUS_SUCCESS : TAU_STATUS_NO_MEMORY;
}

// Has the next piece where the last one was used up, and sees where the end is.
static enum tau_status look_ahead(struct taud_range *range)
{
    if (range->left > 0 && range->taken < range->piece.count)
        return TAU_STATUS_SUCCESS;
    range->taken = 0;
    range->piece.count = 0;
    if (range->left > 0) {
        struct taud_error error;
        enum tau_status status = taud_merge_next(range->merge, &range->piece, &error);
        if (status != TAU_STATUS_SUCCESS)
            return taud_engine_count_damage(range->engine, status, &error);
    }
    range->ended = range->piece.count == 0;
    return TAU_STATUS_SUCCESS;
}

// Copies what fits, piece by piece. What was copied is good when a later piece is not.
static enum tau_status copy(struct taud_range *range, int64_t *timestamps, double *values,
                            size_t capacity, size_t *ret_count)
{
    size_t done = 0;
    enum tau_status status = look_ahead(range);
    while (status == TAU_STATUS_SUCCESS && !range->ended && done < capacity) {
        const struct taud_piece *piece = &range->piece;
        uint64_t count = piece->count - range->taken;
        count = count < range->left ? count : range->left;
        count = count < capacity - done ? count : capacity - done;
        memcpy(timestamps + done, piece->timestamps + range->taken, count * sizeof *timestamps);
        memcpy(values + done, piece->values + range->taken, count * sizeof *values);
        range->taken += (uint32_t)count;
        range->left -= count;
        done += count;
        status = look_ahead(range);
    }
    *ret_count = done;
    return status;
}

enum tau_status taud_range_next(struct taud_range *range, int64_t *ret_timestamps,
                                double *ret_values, size_t capacity, size_t *ret_count,
                                bool *ret_end)
{
    *ret_count = 0;
    *ret_end = range->ended;
    if (range->status != TAU_STATUS_SUCCESS || range->ended)
        return range->status;
    struct taud_codec *codec = taud_codecs_take(&range->engine->codecs);
    range->status = codec ? begin_step(range, codec) : TAU_STATUS_NO_MEMORY;
    if (range->status == TAU_STATUS_SUCCESS)
        range->status = copy(range, ret_timestamps, ret_values, capacity, ret_count);
    taud_codecs_give(&range->engine->codecs, codec);
    *ret_end = range->ended;
    return *ret_count > 0 ? TAU_STATUS_SUCCESS : range->status;
}

void taud_range_close(struct taud_range *range)
{
    if (!range)
        return;
    const struct taud_allocator *allocator = range->engine->allocator;
    taud_merge_free(range->merge);
    taud_snapshot_done(&range->snapshot);
    allocator->release(allocator->context, range);
}
