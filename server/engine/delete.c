// SPDX-License-Identifier: MIT
// Deleting a range of a series: what memory has of the present generation goes at once; all that is
// stored, or was cut and is being stored, is hidden by a tombstone with the sequence of the newest
// cut. What is written later has a later sequence, so it is not hidden. It must not know segments.
#include "state.h"

#include "record.h"

#include <string.h>

// Makes room for one more tombstone that waits for its manifest. With the storage's mutex.
static bool reserve(struct taud_storage *storage)
{
    const struct taud_allocator *allocator = storage->store.allocator;
    if (storage->tombstone_count < storage->tombstone_room)
        return true;
    uint32_t room = storage->tombstone_room ? storage->tombstone_room * 2 : 16;
    struct taud_pending_tombstone *larger =
        room < storage->tombstone_room
            ? NULL
            : allocator->allocate(allocator->context, room * sizeof *larger);
    if (!larger)
        return false;
    if (storage->tombstone_count > 0)
        memcpy(larger, storage->tombstones, storage->tombstone_count * sizeof *larger);
    allocator->release(allocator->context, storage->tombstones);
    storage->tombstones = larger;
    storage->tombstone_room = room;
    return true;
}

// Whether the view hides all of the range already.
static bool is_hidden(const struct taud_view *view, const struct taud_tombstone *range)
{
    uint32_t count;
    const struct taud_tombstone *found = taud_view_tombstones(view, range->identity, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (found[i].from <= range->from && found[i].to >= range->to &&
            found[i].sequence >= range->sequence)
            return true;
    }
    return false;
}

static bool clear_memory(struct taud_engine *engine, struct taud_shard *shard,
                         struct taud_series *series, int64_t from, int64_t to)
{
    const struct taud_series_memory memory = {&engine->arena, &shard->pool, shard->codec};
    uint32_t generation = atomic_load_explicit(&engine->storage.generation, memory_order_relaxed);
    return taud_series_is_behind(series, generation) ||
           taud_series_delete(series, &memory, from, to);
}

// Whether anything of the series is, or will be, in segments of sequences that were taken.
static bool may_be_stored(const struct taud_engine *engine, const struct taud_series *series)
{
    uint32_t generation = atomic_load_explicit(&engine->storage.generation, memory_order_relaxed);
    return series->stored || taud_series_is_behind(series, generation) ||
           (series->run && (series->run->generation != generation || series->run->older));
}

// With the storage's mutex, so that the view that is made is still the next one behind what may
// fail.
static bool hide(struct taud_engine *engine, struct taud_shard *shard, struct taud_series *series,
                 const struct taud_tombstone *range)
{
    struct taud_storage *storage = &engine->storage;
    struct taud_view *next = NULL;
    bool needed = !is_hidden(storage->views.current, range);
    if (needed) {
        next = reserve(storage) ? taud_view_with(storage->views.current, range) : NULL;
        if (!next)
            return false;
    }
    if (!clear_memory(engine, shard, series, range->from, range->to)) {
        taud_view_release(next);
        return false;
    }
    if (needed) {
        storage->tombstones[storage->tombstone_count++] = (struct taud_pending_tombstone){
            *range, atomic_load_explicit(&storage->generation, memory_order_relaxed)};
        taud_views_replace(&storage->views, next);
        atomic_fetch_add(&storage->delete_count, 1);
    }
    return true;
}

static bool takes_newest(const struct taud_series *series, int64_t from, int64_t to)
{
    return series->any && series->last_timestamp >= from && series->last_timestamp <= to;
}

// Keeps the newest timestamp where the point that tells it goes: what comes in order is judged by
// it for as long as the series lives.
static bool keep_newest(struct taud_engine *engine, const struct taud_series *series, int64_t from,
                        int64_t to)
{
    uint8_t record[TAUD_RECORD_NEWEST_BYTES];
    if (!takes_newest(series, from, to))
        return true;
    taud_record_newest(record, series->identity, series->last_timestamp);
    return taud_catalog_note(engine, record, sizeof record);
}

static bool delete_everywhere(struct taud_engine *engine, struct taud_shard *shard,
                              struct taud_series *series, int64_t from, int64_t to)
{
    struct taud_storage *storage = &engine->storage;
    if (!keep_newest(engine, series, from, to))
        return false;
    if (!may_be_stored(engine, series))
        return clear_memory(engine, shard, series, from, to);
    struct taud_tombstone range = {series->identity, from, to, storage->flush_sequence};
    pthread_mutex_lock(&storage->mutex);
    bool hidden = hide(engine, shard, series, &range);
    pthread_mutex_unlock(&storage->mutex);
    return hidden;
}

bool taud_storage_delete(struct taud_engine *engine, struct taud_shard *shard,
                         struct taud_series *series, int64_t from, int64_t to)
{
    if (!delete_everywhere(engine, shard, series, from, to))
        return false;
    taud_rollup_mark_deleted(engine, series, from, to);
    return true;
}

struct deletion {
    uint64_t identity;
    int64_t from, to;
};

static void encode(uint8_t *out, const void *user_data)
{
    const struct deletion *deletion = user_data;
    taud_record_delete_range(out, deletion->identity, deletion->from, deletion->to);
}

// Whether a replay of the deletion needs to be told the newest timestamp: it may find the point
// gone already, by a compaction that knew of this deletion or of the next one. `strict` judges by
// it, and rules judge what they have to compute again.
static bool may_need_newest(const struct taud_engine *engine, const struct taud_series *series,
                            int64_t from, int64_t to)
{
    bool ruled = series->source != 0 && series->any && from <= series->last_timestamp;
    return may_be_stored(engine, series) && (ruled || takes_newest(series, from, to));
}

static void encode_newest(uint8_t *out, const void *user_data)
{
    const struct taud_series *series = user_data;
    taud_record_newest(out, series->identity, series->last_timestamp);
}

enum tau_status taud_delete_locked(struct taud_engine *engine, struct taud_shard *shard,
                                   struct taud_series *series, int64_t from, int64_t to,
                                   uint64_t *position)
{
    struct deletion deletion = {series->identity, from, to};
    bool told = may_need_newest(engine, series, from, to);
    if (!taud_storage_delete(engine, shard, series, from, to))
        return TAU_STATUS_STORAGE_FULL;
    if (told)
        taud_raise(position, taud_log_append_record(&engine->log, TAUD_RECORD_NEWEST_BYTES,
                                                    encode_newest, series));
    taud_raise(position, taud_log_append_record(&engine->log, TAUD_RECORD_DELETE_RANGE_BYTES,
                                                encode, &deletion));
    return TAU_STATUS_SUCCESS;
}

enum tau_status taud_engine_delete_range(struct taud_engine *engine, const struct tau_label *label,
                                         int64_t from, int64_t to, uint64_t *position)
{
    if (from > to)
        return TAU_STATUS_INVALID_PAYLOAD;
    enum tau_status status = taud_log_admit(&engine->log, TAUD_DELETION_BYTES, true);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    struct taud_shard *shard;
    struct taud_series *series = taud_engine_lock_series(engine, label, &shard);
    status = TAU_STATUS_SERIES_NOT_FOUND;
    if (series) {
        status = taud_delete_locked(engine, shard, series, from, to, position);
        pthread_mutex_unlock(&shard->mutex);
    }
    taud_log_release(&engine->log, TAUD_DELETION_BYTES);
    if (status == TAU_STATUS_STORAGE_FULL)
        taud_storage_consider(engine);
    return status;
}
