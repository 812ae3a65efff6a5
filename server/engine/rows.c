// SPDX-License-Identifier: MIT
// Writing rows of many series as one record: the shards that they touch are locked together, in
// ascending order; rows are applied one by one and all taken back when memory ends before they do.
#include "state.h"

#include "record.h"

#include <string.h>

enum { AHEAD = 16 }; // rows between the fetch of a series and its use

struct row_work {
    uint64_t hash;
    struct taud_series *accepted; // NULL for a refused row
};

static void lock_shards(struct taud_engine *engine, uint64_t mask)
{
    for (unsigned i = 0; i < TAUD_SHARDS; i++) {
        if (mask >> i & 1)
            pthread_mutex_lock(&engine->shards[i].mutex);
    }
}

static void unlock_shards(struct taud_engine *engine, uint64_t mask)
{
    for (unsigned i = 0; i < TAUD_SHARDS; i++) {
        if (mask >> i & 1)
            pthread_mutex_unlock(&engine->shards[i].mutex);
    }
}

static void take_back(struct taud_engine *engine, struct row_work *work, size_t count)
{
    for (size_t i = count; i-- > 0;) {
        if (work[i].accepted)
            taud_series_retract(work[i].accepted, 1);
    }
    for (size_t i = 0; i < count; i++) {
        if (work[i].accepted)
            taud_series_trim(work[i].accepted, &engine->arena);
    }
}

// Judges and applies every row. Returns false when memory ended; nothing is applied then.
static bool apply_rows(struct taud_engine *engine, struct tau_array rows, struct row_work *work,
                       uint8_t *encoded, size_t *ret_accepted,
                       struct tau_refused_row *ret_refused, size_t *ret_refused_count)
{
    size_t accepted = 0, refused = 0;
    for (size_t i = 0; i < rows.count; i++) {
        if (i + AHEAD < rows.count) {
            uint64_t ahead = work[i + AHEAD].hash;
            taud_table_prefetch_named(&engine->shards[taud_shard_number(ahead)].table, ahead);
        }
        struct tau_row row = tau_row_at(rows, i);
        struct taud_shard *shard = &engine->shards[taud_shard_number(work[i].hash)];
        struct taud_series *series = taud_shard_find(shard, work[i].hash, &row.label);
        work[i].accepted = NULL;
        if (!series || !taud_series_accepts(series, row.timestamp)) {
            ret_refused[refused++] = (struct tau_refused_row){
                .row = (uint32_t)i,
                .status = series ? TAU_STATUS_OUT_OF_ORDER : TAU_STATUS_SERIES_NOT_FOUND,
            };
            continue;
        }
        if (!taud_series_append(series, &engine->arena, row.timestamp, row.value)) {
            take_back(engine, work, i);
            return false;
        }
        work[i].accepted = series;
        taud_record_point(encoded + accepted++ * TAUD_RECORD_POINT_BYTES, series->identity,
                          row.timestamp, row.value);
    }
    *ret_accepted = accepted;
    *ret_refused_count = refused;
    return true;
}

static enum tau_status append_admitted(struct taud_engine *engine, struct tau_array rows,
                                       struct row_work *work, uint8_t *encoded,
                                       struct tau_refused_row *ret_refused,
                                       size_t *ret_refused_count, uint64_t *position)
{
    uint64_t mask = 0;
    for (size_t i = 0; i < rows.count; i++) {
        struct tau_row row = tau_row_at(rows, i);
        work[i].hash = taud_engine_hash(engine, &row.label);
        mask |= UINT64_C(1) << taud_shard_number(work[i].hash);
        taud_table_prefetch(&engine->shards[taud_shard_number(work[i].hash)].table, work[i].hash);
    }
    size_t accepted = 0;
    lock_shards(engine, mask);
    bool done = apply_rows(engine, rows, work, encoded, &accepted, ret_refused, ret_refused_count);
    if (done && accepted > 0)
        taud_raise(position, taud_log_append_points(&engine->log, encoded, accepted));
    unlock_shards(engine, mask);
    return done ? TAU_STATUS_SUCCESS : TAU_STATUS_STORAGE_FULL;
}

enum tau_status taud_engine_append_rows(struct taud_engine *engine, struct tau_array rows,
                                        struct tau_refused_row *ret_refused,
                                        size_t *ret_refused_count, uint64_t *position)
{
    if (rows.count > TAU_LIMIT_MULTI_ROWS)
        return TAU_STATUS_INVALID_PAYLOAD;
    const struct taud_allocator *allocator = engine->allocator;
    size_t bound = TAUD_RECORD_HEADER_BYTES + rows.count * TAUD_RECORD_POINT_BYTES;
    struct row_work *work =
        allocator->allocate(allocator->context, rows.count * sizeof *work + bound);
    if (!work)
        return TAU_STATUS_NO_MEMORY;
    enum tau_status status = taud_log_admit(&engine->log, bound, false);
    if (status == TAU_STATUS_SUCCESS) {
        status = append_admitted(engine, rows, work, (uint8_t *)(work + rows.count), ret_refused,
                                 ret_refused_count, position);
        taud_log_release(&engine->log, bound);
    }
    allocator->release(allocator->context, work);
    return status;
}
