// SPDX-License-Identifier: MIT
// The engine's life: memory, then what is stored, the log, and threads, then back in the reverse
// order. And what its log says of durability.
#include "columns.h"

#include <string.h>

enum { MEMORY_BYTES_MIN = 1 << 20 };

static enum tau_status check_options(const struct taud_engine_options *options,
                                     struct taud_error *error)
{
    if (!options->backend)
        return taud_error_set(error, TAU_STATUS_INVALID_ARGUMENT, 0, "no storage backend is given");
    if (options->memory_bytes < MEMORY_BYTES_MIN)
        return taud_error_set(error, TAU_STATUS_INVALID_ARGUMENT, 0,
                              "the memory bound must be at least 1 MiB");
    if (options->durability == TAUD_DURABILITY_INTERVAL && options->sync_interval_ms == 0)
        return taud_error_set(error, TAU_STATUS_INVALID_ARGUMENT, 0,
                              "the interval of syncs must be at least 1 ms");
    if (options->query_threads > TAUD_CREW_THREADS_MAX)
        return taud_error_set(error, TAU_STATUS_INVALID_ARGUMENT, 0,
                              "there may be at most 256 query threads");
    return TAU_STATUS_SUCCESS;
}

static bool init_tables(struct taud_engine *engine)
{
    uint64_t entries = engine->memory_bytes / sizeof(struct taud_series) / 16 + 4096;
    if (!taud_table_init(&engine->lenses, &engine->arena, TAU_LIMIT_LENSES))
        return false;
    if (!taud_rollups_init(engine)) {
        taud_table_done(&engine->lenses);
        return false;
    }
    for (size_t i = 0; i < TAUD_SHARDS; i++) {
        if (taud_table_init(&engine->shards[i].table, &engine->arena, entries))
            continue;
        while (i-- > 0)
            taud_table_done(&engine->shards[i].table);
        taud_rollups_done(engine);
        taud_table_done(&engine->lenses);
        return false;
    }
    return true;
}

static void done_codecs(struct taud_engine *engine)
{
    for (size_t i = 0; i < TAUD_SHARDS; i++)
        taud_codec_free(engine->shards[i].codec);
}

static bool init_shards(struct taud_engine *engine)
{
    bool made = true;
    for (size_t i = 0; i < TAUD_SHARDS; i++) {
        struct taud_shard *shard = &engine->shards[i];
        taud_pool_init(&shard->pool, &engine->arena);
        atomic_init(&shard->newest, INT64_MIN);
        shard->codec = made ? taud_codec_new(engine->allocator) : NULL;
        made = shard->codec != NULL;
    }
    if (made)
        made = init_tables(engine);
    if (!made)
        done_codecs(engine);
    return made;
}

static void done_shards(struct taud_engine *engine)
{
    for (size_t i = 0; i < TAUD_SHARDS; i++)
        taud_table_done(&engine->shards[i].table);
    taud_rollups_done(engine);
    taud_table_done(&engine->lenses);
    done_codecs(engine);
}

static bool init_memory(struct taud_engine *engine, const struct taud_engine_options *options)
{
    uint64_t bytes = options->memory_bytes - options->memory_bytes / TAUD_CACHE_SHARE;
    unsigned threads = options->query_threads == 0 ? 1 : options->query_threads;
    engine->crew = taud_crew_new(options->allocator, options->stepped ? 0 : threads);
    if (!engine->crew)
        return false;
    if (!taud_arena_init(&engine->arena, bytes, options->allocator))
        goto no_arena;
    if (!taud_log_init(&engine->log, options))
        goto no_log;
    if (!init_shards(engine))
        goto no_shards;
    if (!taud_storage_init(engine, options))
        goto no_storage;
    taud_identities_init(&engine->identities, options->allocator);
    taud_codecs_init(&engine->codecs, options->allocator);
    return true;

no_storage:
    done_shards(engine);
no_shards:
    taud_log_done(&engine->log);
no_log:
    taud_arena_done(&engine->arena);
no_arena:
    taud_crew_free(engine->crew);
    return false;
}

// From the allocator, aligned to cache lines; the address that it gave stands before the engine.
static struct taud_engine *allocate(const struct taud_allocator *allocator)
{
    uint8_t *memory = allocator->allocate(
        allocator->context, sizeof(struct taud_engine) + TAUD_CACHE_LINES + sizeof(void *));
    if (!memory)
        return NULL;
    uintptr_t start = (uintptr_t)memory + sizeof(void *) + TAUD_CACHE_LINES - 1;
    uint8_t *aligned = memory + (start / TAUD_CACHE_LINES * TAUD_CACHE_LINES - (uintptr_t)memory);
    memset(aligned, 0, sizeof(struct taud_engine));
    memcpy(aligned - sizeof(void *), &memory, sizeof memory);
    return (struct taud_engine *)(void *)aligned;
}

static void release(struct taud_engine *engine, const struct taud_allocator *allocator)
{
    void *memory;
    memcpy(&memory, (uint8_t *)engine - sizeof(void *), sizeof memory);
    allocator->release(allocator->context, memory);
}

enum tau_status taud_engine_new(const struct taud_engine_options *options,
                                struct taud_engine **ret_engine, struct taud_error *error)
{
    enum tau_status status = check_options(options, error);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    struct taud_engine_options given = *options;
    given.allocator = given.allocator ? given.allocator : taud_allocator_system();
    given.clock = given.clock ? given.clock : taud_clock_system();
    struct taud_engine *engine = allocate(given.allocator);
    if (!engine)
        return taud_error_set(error, TAU_STATUS_NO_MEMORY, 0, "no memory for the engine");
    engine->backend = given.backend;
    engine->allocator = given.allocator;
    engine->memory_bytes = given.memory_bytes;
    if (!init_memory(engine, &given)) {
        release(engine, given.allocator);
        return taud_error_set(error, TAU_STATUS_NO_MEMORY, 0,
                              "no memory for an engine of %llu bytes",
                              (unsigned long long)given.memory_bytes);
    }
    taud_hash_key_init(&engine->hash_key, given.seed);
    for (size_t i = 0; i < TAUD_SHARDS; i++)
        pthread_mutex_init(&engine->shards[i].mutex, NULL);
    pthread_mutex_init(&engine->index_mutex, NULL);
    pthread_rwlock_init(&engine->lens_lock, NULL);
    taud_index_init(&engine->index, &engine->arena);
    taud_index_init(&engine->lens_index, &engine->arena);
    atomic_store(&engine->next_identity, 1);
    *ret_engine = engine;
    return TAU_STATUS_SUCCESS;
}

// --- start and end ----------------------------------------------------------------------------

// `known` is a position that the log is durable to.
static enum tau_status write_root(struct taud_engine *engine, uint64_t known,
                                  struct taud_error *error)
{
    engine->root.known_position = known;
    return taud_root_write(engine->backend, &engine->root, error);
}

// The first one of a start. On a disk without a free block the reserve has some: reads go on over a
// restart.
static enum tau_status write_first_root(struct taud_engine *engine, uint64_t known,
                                        struct taud_error *error)
{
    struct taud_reserve *reserve = &engine->storage.reserve;
    taud_reserve_look(reserve);
    enum tau_status status = write_root(engine, known, error);
    for (unsigned i = 0; i < TAUD_RESERVE_PARTS && status == TAU_STATUS_STORAGE_FULL; i++) {
        if (taud_reserve_give_up(reserve, (enum taud_reserve_part)i))
            status = write_root(engine, known, error);
    }
    return status;
}

static enum tau_status replay_log(struct taud_engine *engine, struct taud_recovery *recovery,
                                  uint64_t *ret_end, struct taud_error *error)
{
    struct taud_log_report report;
    engine->stage = TAUD_STAGE_LOG;
    enum tau_status status =
        taud_engine_replay(engine, engine->storage.manifest.flush_position,
                           engine->root.known_position, recovery, &report, error);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    if (engine->root.epoch < report.highest_epoch)
        engine->root.epoch = report.highest_epoch;
    engine->root.epoch++;
    recovery->epoch = engine->root.epoch;
    recovery->log_bytes = report.read_bytes;
    recovery->cut_bytes = report.cut_bytes;
    recovery->quarantined_count = report.quarantined_count;
    recovery->quarantined_bytes = report.quarantined_bytes;
    *ret_end = report.end_position;
    return status;
}

static enum tau_status start_all(struct taud_engine *engine, struct taud_recovery *recovery,
                                 struct taud_error *error)
{
    uint64_t end;
    enum tau_status status = taud_storage_load(engine, recovery, error);
    if (status == TAU_STATUS_SUCCESS)
        status = replay_log(engine, recovery, &end, error);
    if (status == TAU_STATUS_SUCCESS)
        status = taud_storage_tidy(engine, error);
    if (status == TAU_STATUS_SUCCESS)
        status = write_first_root(engine, end, error);
    if (status == TAU_STATUS_SUCCESS)
        status = engine->backend->log->start(engine->backend, engine->root.epoch, error);
    if (status == TAU_STATUS_SUCCESS)
        status = taud_log_start(&engine->log, end, error);
    if (status == TAU_STATUS_SUCCESS) {
        taud_rollups_resume(engine);
        status = taud_storage_start(engine, error);
        if (status != TAU_STATUS_SUCCESS)
            taud_log_stop(&engine->log);
    }
    return status;
}

static void close_files(struct taud_engine *engine)
{
    if (engine->stage >= TAUD_STAGE_LOG)
        engine->backend->log->close(engine->backend);
    if (engine->stage >= TAUD_STAGE_BACKEND)
        engine->backend->close(engine->backend);
    engine->stage = TAUD_STAGE_STOPPED;
}

enum tau_status taud_engine_startup(struct taud_engine *engine, struct taud_recovery *ret_recovery,
                                    struct taud_error *error)
{
    struct taud_recovery recovery = {0};
    enum tau_status status = engine->backend->open(engine->backend, error);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    engine->stage = TAUD_STAGE_BACKEND;
    status = start_all(engine, &recovery, error);
    if (status != TAU_STATUS_SUCCESS) {
        close_files(engine);
        return status;
    }
    engine->stage = TAUD_STAGE_RUNNING;
    recovery.series_count = atomic_load(&engine->series_count);
    recovery.lens_count = engine->lenses.count;
    if (ret_recovery)
        *ret_recovery = recovery;
    return TAU_STATUS_SUCCESS;
}

bool taud_engine_step(struct taud_engine *engine, enum taud_engine_task task)
{
    switch (task) {
    case TAUD_TASK_COMMIT:
        return taud_log_step_commit(&engine->log);
    case TAUD_TASK_PREPARE:
        return taud_log_step_prepare(&engine->log);
    case TAUD_TASK_STORE:
        return taud_storage_turn(engine);
    case TAUD_TASK_QUERY:
        return taud_crew_step(engine->crew);
    case TAUD_TASK_COUNT:
        break;
    }
    return false;
}

void taud_engine_stop(struct taud_engine *engine)
{
    if (engine->stage != TAUD_STAGE_RUNNING)
        return;
    taud_crew_stop(engine->crew);
    taud_storage_stop(engine);
    taud_log_stop(&engine->log);
    // Only a hint to the next start, which can do without it.
    if (!atomic_load(&engine->log.failed))
        (void)!write_root(engine, atomic_load(&engine->log.durable_position), NULL);
    close_files(engine);
}

void taud_engine_free(struct taud_engine *engine)
{
    if (!engine)
        return;
    taud_engine_stop(engine);
    taud_crew_free(engine->crew);
    taud_storage_done(engine);
    taud_identities_done(&engine->identities);
    taud_codecs_done(&engine->codecs);
    taud_columns_forget_disorder(engine);
    // Series, lenses and all else lie in the arena.
    done_shards(engine);
    for (size_t i = 0; i < TAUD_SHARDS; i++)
        pthread_mutex_destroy(&engine->shards[i].mutex);
    pthread_rwlock_destroy(&engine->lens_lock);
    pthread_mutex_destroy(&engine->index_mutex);
    taud_log_done(&engine->log);
    taud_arena_done(&engine->arena);
    release(engine, engine->allocator);
}

// --- durability -------------------------------------------------------------------------------

uint64_t taud_engine_durable_position(const struct taud_engine *engine)
{
    return atomic_load_explicit(&engine->log.durable_position, memory_order_acquire);
}

enum tau_status taud_engine_outcome(const struct taud_engine *engine, uint64_t position)
{
    // The failure first: what became durable before it must still be seen as durable.
    bool failed = atomic_load(&engine->log.failed);
    if (atomic_load(&engine->log.durable_position) >= position)
        return TAU_STATUS_SUCCESS;
    return failed ? TAU_STATUS_OUTCOME_UNKNOWN : TAU_STATUS_WOULD_BLOCK;
}

void taud_engine_commit(struct taud_engine *engine, uint64_t position, enum taud_commit_mode mode)
{
    taud_log_commit(&engine->log, position, mode);
}

enum tau_status taud_engine_on_durable(struct taud_engine *engine,
                                       taud_engine_durable_callback *callback, void *user_data)
{
    return taud_log_add_listener(&engine->log, callback, user_data);
}

bool taud_engine_log_has_room(const struct taud_engine *engine)
{
    const struct taud_log *log = &engine->log;
    // A write is refused at once then, and the buffer will not empty for long, or ever.
    if (atomic_load_explicit(&log->failed, memory_order_relaxed) ||
        atomic_load_explicit(&log->disk_full, memory_order_relaxed))
        return true;
    if (taud_storage_is_pressed(engine))
        return false;
    return atomic_load_explicit(&log->active_used, memory_order_relaxed) +
               atomic_load_explicit(&log->in_flight, memory_order_relaxed) <=
           TAUD_LOG_BUFFER_BYTES / 2;
}
