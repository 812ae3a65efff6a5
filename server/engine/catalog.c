// SPDX-License-Identifier: MIT
// Series come and go here: the shard's table, the ordered index, identities, their records in the
// log and for the next flush; and they are listed. It must not know what a series holds.
#include "state.h"

#include "record.h"

#include <string.h>

struct taud_series *taud_engine_lock_series(struct taud_engine *engine,
                                            const struct tau_label *label,
                                            struct taud_shard **ret_shard)
{
    uint64_t hash = taud_engine_hash(engine, label);
    struct taud_shard *shard = &engine->shards[taud_shard_number(hash)];
    pthread_mutex_lock(&shard->mutex);
    struct taud_series *series = taud_shard_find(shard, hash, label);
    if (series)
        *ret_shard = shard;
    else
        pthread_mutex_unlock(&shard->mutex);
    return series;
}

bool taud_engine_has_series(struct taud_engine *engine, const struct tau_label *label)
{
    struct taud_shard *shard;
    if (!taud_engine_lock_series(engine, label, &shard))
        return false;
    pthread_mutex_unlock(&shard->mutex);
    return true;
}

void taud_batch_sort(const struct taud_engine *engine, const void *requests, size_t stride,
                     size_t count, struct taud_batch *ret)
{
    uint16_t next[TAUD_SHARDS + 1] = {0};
    for (size_t i = 0; i < count; i++) {
        uint64_t hash = taud_hash_label(&engine->hash_key, (const uint8_t *)requests + i * stride);
        unsigned shard = taud_shard_number(hash);
        ret->hashes[i] = hash;
        next[shard + 1]++;
        taud_table_prefetch(&engine->shards[shard].table, hash);
    }
    for (size_t i = 0; i < TAUD_SHARDS; i++)
        next[i + 1] = (uint16_t)(next[i + 1] + next[i]);
    memcpy(ret->starts, next, sizeof next);
    for (size_t i = 0; i < count; i++) {
        unsigned shard = taud_shard_number(ret->hashes[i]);
        ret->order[next[shard]++] = (uint8_t)i;
        taud_table_prefetch_named(&engine->shards[shard].table, ret->hashes[i]);
    }
}

bool taud_catalog_add(struct taud_engine *engine, struct taud_shard *shard,
                      struct taud_series *series)
{
    series->generation = atomic_load_explicit(&engine->storage.generation, memory_order_relaxed);
    if (!taud_table_insert(&shard->table, &series->named))
        return false;
    pthread_mutex_lock(&engine->index_mutex);
    bool added = taud_index_insert(&engine->index, &series->named.label);
    pthread_mutex_unlock(&engine->index_mutex);
    if (!added)
        taud_table_remove(&shard->table, &series->named);
    else
        atomic_fetch_add(&engine->series_count, 1);
    return added;
}

// Takes a series out of table and index.
static void take_out(struct taud_engine *engine, struct taud_shard *shard,
                     struct taud_series *series)
{
    taud_table_remove(&shard->table, &series->named);
    pthread_mutex_lock(&engine->index_mutex);
    taud_index_remove(&engine->index, &series->named.label);
    pthread_mutex_unlock(&engine->index_mutex);
    atomic_fetch_sub(&engine->series_count, 1);
}

void taud_catalog_drop(struct taud_engine *engine, struct taud_shard *shard,
                       struct taud_series *series, struct taud_run **ret_run)
{
    uint32_t generation = atomic_load_explicit(&engine->storage.generation, memory_order_relaxed);
    take_out(engine, shard, series);
    atomic_fetch_add(&engine->storage.drop_count, 1);
    series->dropped = generation;
    *ret_run = NULL;
    if (!taud_series_is_behind(series, generation))
        taud_series_clear(series, &engine->arena, ret_run);
}

void taud_catalog_forget(struct taud_engine *engine, struct taud_shard *shard,
                         struct taud_series *series)
{
    take_out(engine, shard, series);
    taud_identities_remove(&engine->identities, series->identity);
    taud_series_release(series, &engine->arena);
}

static void encode_create(uint8_t *out, const void *user_data)
{
    const struct taud_series *series = user_data;
    taud_record_header(out, TAUD_RECORD_CREATE_SERIES, 0, 0);
    taud_store_u64(out + 8, series->identity);
    memcpy(out + 16, &series->named.label, sizeof series->named.label);
}

static void encode_drop(uint8_t *out, const void *user_data)
{
    const struct taud_series *series = user_data;
    taud_record_header(out, TAUD_RECORD_DROP_SERIES, 0, 0);
    taud_store_u64(out + 8, series->identity);
}

// Gives a series its identity and keeps its record for the next flush.
static bool introduce(struct taud_engine *engine, struct taud_series *series)
{
    uint8_t record[TAUD_RECORD_CREATE_SERIES_BYTES];
    if (!taud_identities_append(&engine->identities, series, &engine->next_identity))
        return false;
    encode_create(record, series);
    if (taud_catalog_note(engine, record, sizeof record))
        return true;
    taud_identities_take_back(&engine->identities, series->identity, &engine->next_identity);
    return false;
}

static enum tau_status create_locked(struct taud_engine *engine, struct taud_shard *shard,
                                     const struct tau_label *label, uint64_t hash,
                                     uint64_t *position)
{
    if (taud_shard_find(shard, hash, label))
        return TAU_STATUS_SERIES_ALREADY_EXISTS;
    struct taud_series *series = taud_series_new(&engine->arena, label, hash, 0);
    if (!series)
        return TAU_STATUS_STORAGE_FULL;
    bool added = taud_catalog_add(engine, shard, series);
    // Only now, so that there are no more identities than records of creation: replay relies on it.
    if (!added || !introduce(engine, series)) {
        if (added)
            take_out(engine, shard, series);
        taud_series_release(series, &engine->arena);
        return TAU_STATUS_STORAGE_FULL;
    }
    taud_raise(position, taud_log_append_record(&engine->log, TAUD_RECORD_CREATE_SERIES_BYTES,
                                                encode_create, series));
    return TAU_STATUS_SUCCESS;
}

enum tau_status taud_engine_create_series(struct taud_engine *engine, const struct tau_label *label,
                                          uint64_t *position)
{
    uint64_t hash = taud_engine_hash(engine, label);
    struct taud_shard *shard = &engine->shards[taud_shard_number(hash)];
    enum tau_status status = taud_log_admit(&engine->log, TAUD_RECORD_CREATE_SERIES_BYTES, false);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    pthread_mutex_lock(&shard->mutex);
    status = create_locked(engine, shard, label, hash, position);
    pthread_mutex_unlock(&shard->mutex);
    taud_log_release(&engine->log, TAUD_RECORD_CREATE_SERIES_BYTES);
    return status;
}

static enum tau_status drop_locked(struct taud_engine *engine, struct taud_shard *shard,
                                   struct taud_series *series, struct taud_run **ret_run,
                                   uint64_t *position)
{
    uint8_t record[TAUD_RECORD_DROP_SERIES_BYTES];
    encode_drop(record, series);
    if (!taud_catalog_note(engine, record, sizeof record))
        return TAU_STATUS_STORAGE_FULL;
    taud_raise(position, taud_log_append_record(&engine->log, TAUD_RECORD_DROP_SERIES_BYTES,
                                                encode_drop, series));
    taud_catalog_drop(engine, shard, series, ret_run);
    return TAU_STATUS_SUCCESS;
}

enum tau_status taud_engine_drop_series(struct taud_engine *engine, const struct tau_label *label,
                                        uint64_t *position)
{
    enum tau_status status = taud_log_admit(&engine->log, TAUD_RECORD_DROP_SERIES_BYTES, true);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    struct taud_shard *shard;
    struct taud_run *run = NULL;
    pthread_mutex_lock(&engine->rollups.mutex);
    struct taud_series *series = taud_engine_lock_series(engine, label, &shard);
    status = TAU_STATUS_SERIES_NOT_FOUND;
    if (series) {
        status = drop_locked(engine, shard, series, &run, position);
        pthread_mutex_unlock(&shard->mutex);
    }
    // It is there until a flush has stored that it is not, and no cut comes before this.
    if (status == TAU_STATUS_SUCCESS)
        taud_rollups_leave(engine, series);
    pthread_mutex_unlock(&engine->rollups.mutex);
    taud_log_release(&engine->log, TAUD_RECORD_DROP_SERIES_BYTES);
    if (run)
        taud_run_release(run, &engine->arena);
    if (status == TAU_STATUS_SUCCESS)
        taud_storage_consider(engine);
    return status;
}

void taud_engine_list_series(struct taud_engine *engine, struct tau_slice prefix,
                             const struct tau_label *cursor, size_t limit,
                             struct tau_label *ret_labels, size_t *ret_count, bool *ret_more)
{
    struct tau_label from = {{0}};
    bool exclusive = false;
    *ret_count = 0;
    *ret_more = false;
    if (prefix.size > sizeof from.bytes)
        return;
    if (prefix.size > 0)
        memcpy(from.bytes, prefix.data, prefix.size);
    if (cursor && memcmp(cursor, &from, sizeof from) >= 0) {
        from = *cursor;
        exclusive = true;
    }
    pthread_mutex_lock(&engine->index_mutex);
    *ret_count =
        taud_index_list(&engine->index, &from, exclusive, prefix, limit, ret_labels, ret_more);
    pthread_mutex_unlock(&engine->index_mutex);
}
