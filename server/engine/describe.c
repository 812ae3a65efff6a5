// SPDX-License-Identifier: MIT
// What is known of a series. Its points are counted as they would be read: chunks that overlap
// nothing by their summaries, others one by one. So it costs some nanoseconds for each chunk.
#include "read/snapshot.h"

static enum tau_status count_points(const struct taud_snapshot *snapshot, struct taud_codec *codec,
                                    struct tau_describe_series_response *ret)
{
    const struct taud_snapshot_order order = {.codec = codec, .from = INT64_MIN, .to = INT64_MAX};
    struct taud_merge *merge = codec ? taud_snapshot_merge(snapshot, &order) : NULL;
    enum tau_status status = merge ? TAU_STATUS_SUCCESS : TAU_STATUS_NO_MEMORY;
    struct taud_piece piece = {.count = 1};
    struct taud_error error;
    while (status == TAU_STATUS_SUCCESS && piece.count > 0) {
        status = taud_merge_next(merge, &piece, &error);
        if (status != TAU_STATUS_SUCCESS || piece.count == 0)
            break;
        if (ret->point_count == 0)
            ret->first_timestamp = piece.first;
        ret->last_timestamp = piece.last;
        ret->point_count += piece.count;
    }
    taud_merge_free(merge);
    return taud_engine_count_damage(snapshot->engine, status, &error);
}

enum tau_status taud_engine_describe(struct taud_engine *engine, const struct tau_label *label,
                                     struct tau_describe_series_response *ret)
{
    struct taud_snapshot snapshot;
    struct taud_shard *shard;
    const struct taud_series *series = taud_engine_lock_series(engine, label, &shard);
    if (!series)
        return TAU_STATUS_SERIES_NOT_FOUND;
    struct tau_describe_series_response response = {
        .identity = series->identity,
        .order = (enum tau_order_policy)series->order,
        .memory_bytes = taud_series_bytes(series),
        .has_retention = true,
        .retention = series->retention,
    };
    bool taken = taud_snapshot_take(&snapshot, engine, series, INT64_MIN, INT64_MAX);
    pthread_mutex_unlock(&shard->mutex);
    if (!taken)
        return TAU_STATUS_NO_MEMORY;
    enum tau_status status = TAU_STATUS_NO_MEMORY;
    if (taud_snapshot_complete(&snapshot, shard)) {
        struct taud_codec *codec = taud_codecs_take(&engine->codecs);
        status = count_points(&snapshot, codec, &response);
        taud_codecs_give(&engine->codecs, codec);
    }
    taud_snapshot_done(&snapshot);
    if (status == TAU_STATUS_SUCCESS)
        *ret = response;
    return status;
}
