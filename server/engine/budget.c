// SPDX-License-Identifier: MIT
// How memory is divided, and when it asks for a flush. The bound of the server holds points and
// catalog (the arena), blocks of segments (the cache) and the indexes of segments; what the indexes
// take, the arena has less. Above a quarter of the arena what is not flushed is flushed, above a
// half writers wait. Not in it are the log's buffers, which fill where the disk is slower than the
// writers, and what a query or a compaction works with. It must not know how a flush is done. The
// figures of the engine are here too.
#include "state.h"

enum {
    FLUSH_SHARE = 4,     // of the arena that may be unflushed before it is flushed
    WAIT_SHARE = 2,      // and before writers wait
    ARENA_SHARE_MIN = 4, // of all memory that is the arena's however large the indexes are
    // What table, index and identities need for a series beside itself, and about for itself.
    CATALOG_SERIES_BYTES = 128 + 72,
    CATALOG_WAITING_BYTES = 16 << 20, // of the catalog, before it is flushed
    // A flush that would store less than that share of what there is helps nobody.
    WORTH_SHARE = 16,
    WORTH_BYTES_MAX = 16 << 20,
    DROPPED_SHARE = 64, // the same of series that were dropped, when memory is nearly full
    SCARCE_WORTH_BYTES = 1 << 20, // of log, when the next segment of the log finds no space
};

uint64_t taud_storage_unflushed(const struct taud_engine *engine)
{
    uint64_t used = taud_arena_used(&engine->arena);
    uint64_t catalog =
        atomic_load_explicit(&engine->series_count, memory_order_relaxed) * CATALOG_SERIES_BYTES;
    return used > catalog ? used - catalog : 0;
}

// How much log there is since the last cut.
static uint64_t log_since_cut(const struct taud_engine *engine)
{
    uint64_t cut = atomic_load_explicit(&engine->storage.cut_position, memory_order_relaxed);
    uint64_t next = atomic_load_explicit(&engine->log.next_position, memory_order_relaxed);
    return next > cut ? next - cut : 0;
}

// Memory counts by slabs, which empty slowly: without new points another flush would free nothing.
static bool is_worth_it(const struct taud_engine *engine, uint64_t unflushed)
{
    uint64_t worth = unflushed / WORTH_SHARE;
    return log_since_cut(engine) >= (worth < WORTH_BYTES_MAX ? worth : WORTH_BYTES_MAX);
}

// Whether a flush may give the log space. On a full disk nothing but what frees space is written:
// that counts once it is flushed.
static bool is_short_of_disk(const struct taud_engine *engine, uint64_t since)
{
    const struct taud_log *log = &engine->log;
    uint64_t most = engine->storage.flush_log_bytes / WORTH_SHARE;
    if (atomic_load_explicit(&log->disk_full, memory_order_relaxed))
        return true;
    return atomic_load_explicit(&log->prepare_full, memory_order_relaxed) &&
           (atomic_load_explicit(&engine->storage.catalog.bytes, memory_order_relaxed) > 0 ||
            since >= (most < SCARCE_WORTH_BYTES ? most : SCARCE_WORTH_BYTES));
}

// Whether series that were dropped, and leave memory with the next flush, are worth one. Without
// points nothing else makes it due, and nothing could be written any more.
static bool is_short_of_series(const struct taud_engine *engine)
{
    const struct taud_storage *storage = &engine->storage;
    uint64_t used = taud_arena_used(&engine->arena), bound = taud_arena_bound(&engine->arena);
    uint64_t dropped = atomic_load_explicit(&storage->drop_count, memory_order_relaxed) -
                       atomic_load_explicit(&storage->cut_drops, memory_order_relaxed);
    return used > bound / 8 * 7 && dropped * CATALOG_SERIES_BYTES > used / DROPPED_SHARE;
}

bool taud_storage_needs_flush(const struct taud_engine *engine)
{
    const struct taud_storage *storage = &engine->storage;
    uint64_t since = log_since_cut(engine), unflushed = taud_storage_unflushed(engine);
    if (since == 0)
        return false;
    if (since >= storage->flush_log_bytes ||
        atomic_load_explicit(&storage->catalog.bytes, memory_order_relaxed) > CATALOG_WAITING_BYTES)
        return true;
    if (is_short_of_disk(engine, since) || is_short_of_series(engine))
        return true;
    return unflushed > taud_arena_bound(&engine->arena) / FLUSH_SHARE &&
           is_worth_it(engine, unflushed);
}

bool taud_storage_is_short_of_disk(const struct taud_engine *engine)
{
    return atomic_load_explicit(&engine->storage.full, memory_order_relaxed) ||
           atomic_load_explicit(&engine->log.disk_full, memory_order_relaxed) ||
           atomic_load_explicit(&engine->log.prepare_full, memory_order_relaxed);
}

bool taud_storage_is_pressed(const struct taud_engine *engine)
{
    const struct taud_storage *storage = &engine->storage;
    uint64_t unflushed = taud_storage_unflushed(engine);
    if (unflushed <= taud_arena_bound(&engine->arena) / WAIT_SHARE ||
        atomic_load_explicit(&storage->failed, memory_order_relaxed) ||
        atomic_load_explicit(&storage->full, memory_order_relaxed))
        return false;
    return atomic_load_explicit(&storage->flushing, memory_order_relaxed) ||
           is_worth_it(engine, unflushed);
}

void taud_storage_divide(struct taud_engine *engine, uint64_t index_bytes)
{
    uint64_t all = engine->memory_bytes, least = all / ARENA_SHARE_MIN;
    uint64_t left = all - all / TAUD_CACHE_SHARE;
    left = left > index_bytes ? left - index_bytes : 0;
    taud_arena_limit(&engine->arena, left > least ? left : least);
    atomic_store(&engine->storage.figures.index_bytes, index_bytes);
}

int64_t taud_storage_edge(struct taud_engine *engine, uint64_t retention)
{
    if (retention == 0)
        return INT64_MIN;
    const struct taud_clock *clock = engine->storage.clock;
    int64_t newest = INT64_MIN, now = clock->realtime_ns(clock->context);
    for (size_t i = 0; i < TAUD_SHARDS; i++) {
        int64_t seen = atomic_load_explicit(&engine->shards[i].newest, memory_order_relaxed);
        newest = seen > newest ? seen : newest;
    }
    int64_t from = now < newest ? now : newest;
    // The distance to the beginning of time, without an overflow.
    uint64_t room = (uint64_t)from - (uint64_t)INT64_MIN;
    return retention > room ? INT64_MIN : (int64_t)((uint64_t)from - retention);
}

// --- figures ----------------------------------------------------------------------------------

static void tell_stored(struct taud_engine *engine, struct taud_engine_statistics *ret)
{
    const struct taud_storage *storage = &engine->storage;
    const struct taud_storage_figures *figures = &storage->figures;
    struct taud_cache_statistics cache;
    taud_cache_statistics(storage->store.cache, &cache);
    ret->storing_failed = atomic_load(&storage->failed);
    ret->storing_waits = atomic_load(&storage->full);
    ret->segment_count = atomic_load(&figures->segment_count);
    ret->stored_bytes = atomic_load(&figures->stored_bytes);
    ret->stored_points = atomic_load(&figures->stored_points);
    ret->unflushed_bytes = taud_storage_unflushed(engine);
    ret->index_bytes = atomic_load(&figures->index_bytes);
    ret->cache_bytes = cache.memory_bytes;
    ret->cache_hits = cache.hit_count;
    ret->cache_misses = cache.miss_count;
    ret->flush_count = atomic_load(&figures->flush_count);
    ret->flush_bytes = atomic_load(&figures->flush_bytes);
    ret->compaction_count = atomic_load(&figures->compaction_count);
    ret->compaction_read_bytes = atomic_load(&figures->compaction_read_bytes);
    ret->compaction_written_bytes = atomic_load(&figures->compaction_written_bytes);
    ret->damaged_count = atomic_load(&figures->damaged_count);
}

void taud_engine_statistics(const struct taud_engine *engine, struct taud_engine_statistics *ret)
{
    // The locks of the lenses and the cache are taken; nothing that a caller can see changes.
    struct taud_engine *mutable = (struct taud_engine *)(uintptr_t)engine;
    const struct taud_log *log = &engine->log;
    *ret = (struct taud_engine_statistics){
        .state = TAUD_ENGINE_WRITABLE,
        .failure = atomic_load(&log->failure),
        .memory_limit_bytes = engine->memory_bytes,
        .series_count = atomic_load(&engine->series_count),
        .log_position = atomic_load(&log->next_position),
        .durable_position = atomic_load(&log->durable_position),
        .commit_count = atomic_load(&log->commit_count),
        .commit_bytes = atomic_load(&log->commit_bytes),
    };
    tell_stored(mutable, ret);
    ret->memory_used_bytes = taud_arena_used(&engine->arena) + ret->index_bytes + ret->cache_bytes;
    if (atomic_load(&log->disk_full) || atomic_load(&log->prepare_full))
        ret->state = TAUD_ENGINE_DISK_FULL;
    if (atomic_load(&log->failed))
        ret->state = TAUD_ENGINE_READ_ONLY;
    pthread_rwlock_rdlock(&mutable->lens_lock);
    ret->lens_count = engine->lenses.count;
    pthread_rwlock_unlock(&mutable->lens_lock);
}

unsigned taud_engine_conditions(const struct taud_engine *engine)
{
    unsigned conditions = 0;
    if (atomic_load_explicit(&engine->log.failed, memory_order_relaxed))
        conditions |= TAUD_CONDITION_LOG_FAILED;
    if (atomic_load_explicit(&engine->log.disk_full, memory_order_relaxed))
        conditions |= TAUD_CONDITION_LOG_FULL;
    if (atomic_load_explicit(&engine->storage.failed, memory_order_relaxed))
        conditions |= TAUD_CONDITION_STORING_FAILED;
    else if (atomic_load_explicit(&engine->storage.full, memory_order_relaxed))
        conditions |= TAUD_CONDITION_STORING_WAITS;
    if (atomic_load_explicit(&engine->storage.damaged, memory_order_relaxed))
        conditions |= TAUD_CONDITION_DAMAGED;
    return conditions;
}

bool taud_engine_awaits_flush(struct taud_engine *engine)
{
    if (!taud_storage_is_pressed(engine))
        return false;
    taud_storage_consider(engine);
    return true;
}

bool taud_engine_failure(struct taud_engine *engine, struct taud_error *ret)
{
    struct taud_storage *storage = &engine->storage;
    pthread_mutex_lock(&storage->mutex);
    *ret = storage->failure;
    pthread_mutex_unlock(&storage->mutex);
    return ret->status != TAU_STATUS_SUCCESS;
}

bool taud_engine_damage(struct taud_engine *engine, struct taud_error *ret)
{
    struct taud_storage *storage = &engine->storage;
    pthread_mutex_lock(&storage->mutex);
    *ret = storage->damage;
    pthread_mutex_unlock(&storage->mutex);
    return ret->status != TAU_STATUS_SUCCESS;
}
