// SPDX-License-Identifier: MIT
// The storage thread: what is due first, what comes of a failure, and what others asked for. A
// flush goes before everything, also in the middle of a compaction, since writers may wait for it.
//
//   flush and trim of the log -> a piece of a rollup -> work that was asked for -> compaction
//   -> the reserve of the disk
//
// A full disk costs nothing but time: the flush comes again each second, and what gives space back
// may take the reserve. What fails otherwise, or may have happened or not, ends the storing until
// the next start; memory then fills, and the log goes on as long as it can. It must not know how a
// flush or a compaction is done.
#include "state.h"

#include <string.h>

enum {
    IDLE_MS = 10000, // between looks at what nobody tells of: what has grown too old
    TRIM_MS = 10000, // between looks at memory that nobody needs any more, at least
};

// --- life -------------------------------------------------------------------------------------

static void on_commit(void *user_data)
{
    taud_storage_consider(user_data);
}

static bool init_parts(struct taud_engine *engine, const struct taud_engine_options *options)
{
    struct taud_storage *storage = &engine->storage;
    const struct taud_allocator *allocator = options->allocator;
    storage->store = (struct taud_store){
        .backend = options->backend,
        .allocator = allocator,
        .cache = taud_cache_new(allocator, options->memory_bytes / TAUD_CACHE_SHARE),
    };
    storage->codec = taud_codec_new(allocator);
    storage->compaction_codec = taud_codec_new(allocator);
    storage->views.current = taud_view_new(allocator, 0, NULL, 0, NULL, 0);
    return storage->store.cache && storage->codec && storage->compaction_codec &&
           storage->views.current &&
           taud_log_add_listener(&engine->log, on_commit, engine) == TAU_STATUS_SUCCESS;
}

bool taud_storage_init(struct taud_engine *engine, const struct taud_engine_options *options)
{
    struct taud_storage *storage = &engine->storage;
    storage->clock = options->clock;
    storage->stepped = options->stepped;
    storage->flush_log_bytes =
        options->flush_log_bytes ? options->flush_log_bytes : TAUD_STORAGE_LOG_BYTES;
    storage->root = &engine->root;
    storage->reserve = (struct taud_reserve){.backend = options->backend};
    storage->next_ticket = 1;
    atomic_store(&storage->generation, 1);
    memcpy(&storage->file_seed, options->seed, sizeof storage->file_seed);
    taud_manifest_init(&storage->manifest, options->allocator);
    taud_catalog_delta_init(&storage->catalog, options->allocator, TAUD_CATALOG_WAITING_MAX);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&storage->due, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&storage->mutex, NULL);
    pthread_mutex_init(&storage->views.mutex, NULL);
    if (init_parts(engine, options))
        return true;
    taud_storage_done(engine);
    return false;
}

void taud_storage_done(struct taud_engine *engine)
{
    struct taud_storage *storage = &engine->storage;
    const struct taud_allocator *allocator = storage->store.allocator;
    taud_segment_release(storage->cut.segment);
    taud_catalog_blocks_free(allocator, storage->cut.catalog);
    taud_view_release(storage->views.current);
    taud_cache_free(storage->store.cache);
    taud_codec_free(storage->codec);
    taud_codec_free(storage->compaction_codec);
    taud_manifest_done(&storage->manifest);
    taud_catalog_delta_done(&storage->catalog);
    allocator->release(allocator->context, storage->tombstones);
    pthread_cond_destroy(&storage->due);
    pthread_mutex_destroy(&storage->mutex);
    pthread_mutex_destroy(&storage->views.mutex);
}

static uint64_t now_ns(const struct taud_storage *storage)
{
    return storage->clock->monotonic_ns(storage->clock->context);
}

// Sleeps until something is told, or for a while: a short one where something is to come again, or
// where the disk is full, on which others may have made space. With the mutex.
static void rest(struct taud_engine *engine)
{
    struct taud_storage *storage = &engine->storage;
    bool waits = storage->retry_at_ns != 0 || storage->compact_at_ns != 0 ||
                 taud_storage_is_short_of_disk(engine);
    uint64_t milliseconds = waits ? TAUD_STORAGE_RETRY_MS : IDLE_MS;
    uint64_t at = now_ns(storage) + taud_rollups_rest_ns(engine, milliseconds * 1000000U);
    struct timespec until = {.tv_sec = (time_t)(at / 1000000000U),
                             .tv_nsec = (long)(at % 1000000000U)};
    if (!storage->woken && !taud_storage_is_stopping(storage))
        pthread_cond_timedwait(&storage->due, &storage->mutex, &until);
    storage->woken = false;
}

// Has some memory ready for writers, and gives back what nobody needs.
static void tend_memory(struct taud_engine *engine)
{
    struct taud_storage *storage = &engine->storage;
    uint64_t now = now_ns(storage);
    taud_arena_stock_up(&engine->arena);
    if (now < storage->trim_at_ns)
        return;
    storage->trim_at_ns = now + (uint64_t)TRIM_MS * 1000000U;
    taud_arena_trim(&engine->arena);
}

static void *storage_main(void *user_data)
{
    struct taud_engine *engine = user_data;
    struct taud_storage *storage = &engine->storage;
    while (!taud_storage_is_stopping(storage)) {
        tend_memory(engine);
        if (taud_storage_turn(engine))
            continue;
        pthread_mutex_lock(&storage->mutex);
        rest(engine);
        pthread_mutex_unlock(&storage->mutex);
    }
    return NULL;
}

enum tau_status taud_storage_start(struct taud_engine *engine, struct taud_error *error)
{
    struct taud_storage *storage = &engine->storage;
    storage->retention_at_ns = now_ns(storage);
    storage->reserve.due = true;
    if (storage->stepped)
        return TAU_STATUS_SUCCESS;
    int failure = pthread_create(&storage->thread, NULL, storage_main, engine);
    if (failure != 0)
        return taud_error_set(error, TAU_STATUS_NO_MEMORY, failure,
                              "cannot start the storage thread");
    storage->running = true;
    return TAU_STATUS_SUCCESS;
}

void taud_storage_wake(struct taud_engine *engine)
{
    struct taud_storage *storage = &engine->storage;
    pthread_mutex_lock(&storage->mutex);
    storage->woken = true;
    pthread_cond_signal(&storage->due);
    pthread_mutex_unlock(&storage->mutex);
}

void taud_storage_stop(struct taud_engine *engine)
{
    struct taud_storage *storage = &engine->storage;
    atomic_store(&storage->stopping, true);
    taud_storage_wake(engine);
    if (storage->running)
        pthread_join(storage->thread, NULL);
    storage->running = false;
}

void taud_storage_consider(struct taud_engine *engine)
{
    if (taud_storage_needs_flush(engine) || taud_arena_is_low(&engine->arena))
        taud_storage_wake(engine);
}

// --- failures ---------------------------------------------------------------------------------

void taud_storage_note_damage(struct taud_engine *engine, const struct taud_error *error)
{
    struct taud_storage *storage = &engine->storage;
    atomic_fetch_add_explicit(&storage->figures.damaged_count, 1, memory_order_relaxed);
    if (atomic_load(&storage->damaged))
        return;
    pthread_mutex_lock(&storage->mutex);
    if (!atomic_exchange(&storage->damaged, true)) {
        storage->damage = *error;
        atomic_store(&storage->damage_is_news, true);
        storage->woken = true;
        pthread_cond_signal(&storage->due);
    }
    pthread_mutex_unlock(&storage->mutex);
}

void taud_storage_note(struct taud_storage *storage, const struct taud_error *error)
{
    pthread_mutex_lock(&storage->mutex);
    storage->failure = *error;
    pthread_mutex_unlock(&storage->mutex);
}

void taud_storage_fail(struct taud_storage *storage, const struct taud_error *error)
{
    taud_storage_note(storage, error);
    atomic_store(&storage->failed, true);
}

// Ends tickets that wait for a flush that failed, or all.
static void refuse_tickets(struct taud_storage *storage, const struct taud_error *error)
{
    pthread_mutex_lock(&storage->mutex);
    for (size_t i = 0; i < TAUD_STORAGE_TICKETS; i++) {
        struct taud_ticket *ticket = &storage->tickets[i];
        if (ticket->number == 0 || ticket->status != TAU_STATUS_WOULD_BLOCK)
            continue;
        ticket->status =
            error->status == TAU_STATUS_STORAGE_FULL || error->status == TAU_STATUS_NO_MEMORY
                ? error->status
                : TAU_STATUS_INTERNAL_ERROR;
        ticket->error = *error;
    }
    atomic_store(&storage->asked, false);
    pthread_mutex_unlock(&storage->mutex);
}

// Ends those who waited for nothing but a flush.
static void end_flush_tickets(struct taud_storage *storage)
{
    pthread_mutex_lock(&storage->mutex);
    for (size_t i = 0; i < TAUD_STORAGE_TICKETS; i++) {
        struct taud_ticket *ticket = &storage->tickets[i];
        if (ticket->number != 0 && ticket->kind == TAUD_WORK_FLUSH &&
            ticket->status == TAU_STATUS_WOULD_BLOCK &&
            ticket->position <= storage->manifest.flush_position)
            ticket->status = TAU_STATUS_SUCCESS;
    }
    pthread_mutex_unlock(&storage->mutex);
}

// Whether something was dropped or deleted whose space is not yet given back.
static bool may_free_space(struct taud_storage *storage)
{
    pthread_mutex_lock(&storage->mutex);
    bool deleted = storage->tombstone_count > 0;
    pthread_mutex_unlock(&storage->mutex);
    return deleted || storage->collects ||
           taud_storage_removals(storage) != storage->removals_seen;
}

// Gives the disk's reserve up, for what will give more back. Returns whether there was one.
static bool give_up_reserve(struct taud_engine *engine)
{
    struct taud_storage *storage = &engine->storage;
    return may_free_space(storage) && taud_reserve_give_up(&storage->reserve, TAUD_RESERVE_WORK);
}

static void judge_flush_failure(struct taud_engine *engine, enum tau_status status,
                                const struct taud_error *error)
{
    struct taud_storage *storage = &engine->storage;
    if (status == TAU_STATUS_WOULD_BLOCK) // the end of the server
        return;
    if (status == TAU_STATUS_STORAGE_FULL && give_up_reserve(engine))
        return; // and at once again
    if (status == TAU_STATUS_STORAGE_FULL || status == TAU_STATUS_NO_MEMORY) {
        atomic_store(&storage->full, true);
        storage->retry_at_ns = now_ns(storage) + TAUD_STORAGE_RETRY_MS * 1000000U;
        taud_storage_note(storage, error);
    } else {
        taud_storage_fail(storage, error);
    }
    refuse_tickets(storage, error);
}

// --- flushes ----------------------------------------------------------------------------------

static bool flush_is_due(struct taud_engine *engine)
{
    struct taud_storage *storage = &engine->storage;
    if (atomic_load(&storage->failed) || atomic_load(&engine->log.failed))
        return false;
    if (storage->retry_at_ns != 0 && now_ns(storage) < storage->retry_at_ns)
        return false;
    if (storage->cut.pending)
        return true;
    if (atomic_load(&engine->log.next_position) == atomic_load(&storage->cut_position))
        return false;
    if (taud_storage_needs_flush(engine))
        return true;
    // In the middle of a compaction those who ask are served now and then, so that it comes to an
    // end.
    return atomic_load(&storage->asked_position) > atomic_load(&storage->cut_position) &&
           (storage->compactions == 0 ||
            now_ns(storage) >= storage->flushed_at_ns + TAUD_STORAGE_RETRY_MS * 1000000U);
}

// What is left over after a failure goes with the next one.
static void trim(struct taud_engine *engine)
{
    struct taud_storage *storage = &engine->storage;
    struct taud_error error = {.status = TAU_STATUS_SUCCESS};
    if (engine->backend->log->trim(engine->backend, storage->manifest.flush_position, &error) !=
        TAU_STATUS_SUCCESS)
        taud_storage_note(storage, &error);
}

static void flush(struct taud_engine *engine)
{
    struct taud_storage *storage = &engine->storage;
    struct taud_error error = {.status = TAU_STATUS_SUCCESS};
    atomic_store(&storage->flushing, true);
    storage->retry_at_ns = 0;
    enum tau_status status = taud_flush(engine, &error);
    storage->flushed_at_ns = now_ns(storage);
    if (status == TAU_STATUS_SUCCESS) {
        if (!storage->garbage_known) // a compaction that failed may find more to leave out
            storage->compact_at_ns = 0;
        atomic_store(&storage->full, false);
        atomic_store(&storage->flushing, false);
        trim(engine);
        end_flush_tickets(storage);
    } else {
        error.status = status;
        judge_flush_failure(engine, status, &error);
    }
    taud_log_notify(&engine->log);
}

static bool flush_if_due(struct taud_engine *engine)
{
    bool due = flush_is_due(engine);
    if (due)
        flush(engine);
    return due;
}

// --- the view ---------------------------------------------------------------------------------

// Of the manifest, and what no manifest names yet. With the mutex. NULL when there is no memory.
static struct taud_tombstone *gather_tombstones(const struct taud_storage *storage,
                                                uint32_t *ret_count)
{
    const struct taud_allocator *allocator = storage->store.allocator;
    const struct taud_manifest *manifest = &storage->manifest;
    uint32_t count = manifest->tombstone_count;
    struct taud_tombstone *all = allocator->allocate(
        allocator->context, ((size_t)count + storage->tombstone_count + 1) * sizeof *all);
    if (!all)
        return NULL;
    if (count > 0)
        memcpy(all, manifest->tombstones, count * sizeof *all);
    for (uint32_t i = 0; i < storage->tombstone_count; i++)
        all[count++] = storage->tombstones[i].tombstone;
    *ret_count = count;
    return all;
}

struct taud_view *taud_storage_tombstones(struct taud_engine *engine, bool *ret_by_log)
{
    struct taud_storage *storage = &engine->storage;
    const struct taud_allocator *allocator = storage->store.allocator;
    uint32_t count;
    pthread_mutex_lock(&storage->mutex);
    struct taud_tombstone *all = gather_tombstones(storage, &count);
    *ret_by_log = storage->tombstone_count > 0;
    pthread_mutex_unlock(&storage->mutex);
    struct taud_view *view = all ? taud_view_new(allocator, 0, NULL, 0, all, count) : NULL;
    allocator->release(allocator->context, all);
    return view;
}

static void count_segments(struct taud_engine *engine, struct taud_segment *const *segments,
                           uint32_t count)
{
    struct taud_storage_figures *figures = &engine->storage.figures;
    uint64_t bytes = 0, points = 0, memory = 0;
    for (uint32_t i = 0; i < count; i++) {
        bytes += segments[i]->facts.size;
        points += segments[i]->facts.point_count;
        memory += taud_segment_memory(segments[i]);
    }
    atomic_store(&figures->segment_count, count);
    atomic_store(&figures->stored_bytes, bytes);
    atomic_store(&figures->stored_points, points);
    taud_storage_divide(engine, memory);
}

bool taud_storage_publish(struct taud_engine *engine, uint32_t generation,
                          struct taud_segment *const *segments, uint32_t count)
{
    struct taud_storage *storage = &engine->storage;
    const struct taud_allocator *allocator = storage->store.allocator;
    uint32_t tombstone_count;
    struct taud_view *view = NULL;
    pthread_mutex_lock(&storage->mutex);
    struct taud_tombstone *tombstones = gather_tombstones(storage, &tombstone_count);
    if (tombstones)
        view = taud_view_new(allocator, generation, segments, count, tombstones, tombstone_count);
    struct taud_view *before = view ? taud_views_exchange(&storage->views, view) : NULL;
    pthread_mutex_unlock(&storage->mutex);
    taud_view_release(before); // it may be the last that knows a segment, whose file is closed then
    allocator->release(allocator->context, tombstones);
    if (view)
        count_segments(engine, segments, count);
    return view != NULL;
}

bool taud_storage_name_segment(struct taud_manifest *manifest, const struct taud_segment *segment)
{
    const struct taud_manifest_segment entry = taud_manifest_segment_of(&segment->facts);
    return taud_manifest_add_segment(manifest, &entry);
}

bool taud_storage_await_log(struct taud_engine *engine)
{
    enum { TRIES = 200, WAIT_NS = 5000000 };
    struct taud_log *log = &engine->log;
    struct taud_storage *storage = &engine->storage;
    uint64_t position = atomic_load(&log->next_position);
    taud_log_commit(log, position, TAUD_COMMIT_INLINE);
    for (int i = 0; i < TRIES && !storage->stepped; i++) {
        if (atomic_load(&log->durable_position) >= position || atomic_load(&log->failed) ||
            taud_storage_is_stopping(storage))
            break;
        uint64_t at = storage->clock->monotonic_ns(storage->clock->context) + WAIT_NS;
        struct timespec until = {.tv_sec = (time_t)(at / 1000000000U),
                                 .tv_nsec = (long)(at % 1000000000U)};
        pthread_mutex_lock(&storage->mutex);
        pthread_cond_timedwait(&storage->due, &storage->mutex, &until);
        pthread_mutex_unlock(&storage->mutex);
    }
    return atomic_load(&log->durable_position) >= position && taud_log_sync(log);
}

uint64_t taud_storage_file_id(struct taud_storage *storage)
{
    uint64_t word = storage->file_seed + storage->root->epoch * UINT64_C(0x9e3779b97f4a7c15) +
                    ++storage->file_count * UINT64_C(0xd1342543de82ef95);
    word = (word ^ (word >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    word = (word ^ (word >> 27)) * UINT64_C(0x94d049bb133111eb);
    return word ^ (word >> 31);
}

// --- work that was asked for ------------------------------------------------------------------

static bool is_snapshot_name(const char *name)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
    size_t length = name ? strlen(name) : 0;
    return length > 0 && length <= TAUD_SNAPSHOT_NAME_MAX && name[0] != '.' &&
           strspn(name, letters) == length;
}

// A place for one more; the one that ended first makes room. NULL while all are underway.
static struct taud_ticket *free_ticket(struct taud_storage *storage)
{
    struct taud_ticket *found = NULL;
    for (size_t i = 0; i < TAUD_STORAGE_TICKETS; i++) {
        struct taud_ticket *ticket = &storage->tickets[i];
        if (ticket->number == 0)
            return ticket;
        if (ticket->status != TAU_STATUS_WOULD_BLOCK && (!found || ticket->number < found->number))
            found = ticket;
    }
    return found;
}

enum tau_status taud_engine_work_begin(struct taud_engine *engine, enum taud_work kind,
                                       const char *name, uint64_t *ret_ticket)
{
    struct taud_storage *storage = &engine->storage;
    if (kind >= TAUD_WORK_KINDS || (kind == TAUD_WORK_SNAPSHOT && !is_snapshot_name(name)))
        return TAU_STATUS_INVALID_ARGUMENT;
    if (atomic_load(&storage->failed) || atomic_load(&engine->log.failed))
        return TAU_STATUS_READ_ONLY;
    pthread_mutex_lock(&storage->mutex);
    struct taud_ticket *ticket = free_ticket(storage);
    if (ticket) {
        *ticket = (struct taud_ticket){.number = storage->next_ticket++,
                                       .kind = kind,
                                       .status = TAU_STATUS_WOULD_BLOCK,
                                       .position = atomic_load(&engine->log.next_position)};
        if (kind == TAUD_WORK_SNAPSHOT)
            memcpy(ticket->directory, name, strlen(name) + 1);
        *ret_ticket = ticket->number;
        atomic_store(&storage->asked, true);
        atomic_store(&storage->asked_position, ticket->position);
        storage->woken = true;
        pthread_cond_signal(&storage->due);
    }
    pthread_mutex_unlock(&storage->mutex);
    return ticket ? TAU_STATUS_SUCCESS : TAU_STATUS_LIMIT_EXCEEDED;
}

// With the mutex.
static struct taud_ticket *find_ticket(struct taud_storage *storage, uint64_t number)
{
    for (size_t i = 0; i < TAUD_STORAGE_TICKETS; i++) {
        if (number != 0 && storage->tickets[i].number == number)
            return &storage->tickets[i];
    }
    return NULL;
}

enum tau_status taud_engine_work_state(struct taud_engine *engine, uint64_t number,
                                       uint64_t *ret_done, uint64_t *ret_total,
                                       struct taud_error *error)
{
    struct taud_storage *storage = &engine->storage;
    enum tau_status status = TAU_STATUS_INVALID_ARGUMENT;
    pthread_mutex_lock(&storage->mutex);
    const struct taud_ticket *ticket = find_ticket(storage, number);
    if (ticket) {
        status = ticket->status;
        *ret_done = ticket->done;
        *ret_total = ticket->total;
        if (error)
            *error = ticket->error;
    } else {
        (void)!taud_error_set(error, status, 0, "there is no work of that number");
    }
    pthread_mutex_unlock(&storage->mutex);
    return status;
}

void taud_storage_progress(struct taud_storage *storage, uint64_t number, uint64_t done,
                           uint64_t total)
{
    pthread_mutex_lock(&storage->mutex);
    struct taud_ticket *ticket = find_ticket(storage, number);
    if (ticket) {
        ticket->done = done;
        ticket->total = total;
    }
    pthread_mutex_unlock(&storage->mutex);
}

// Copies the first ticket that is not done, and says whether any is behind what is stored.
static bool next_ticket(struct taud_storage *storage, struct taud_ticket *ret)
{
    const struct taud_ticket *first = NULL;
    pthread_mutex_lock(&storage->mutex);
    for (size_t i = 0; i < TAUD_STORAGE_TICKETS; i++) {
        const struct taud_ticket *ticket = &storage->tickets[i];
        if (ticket->number != 0 && ticket->status == TAU_STATUS_WOULD_BLOCK &&
            (!first || ticket->number < first->number))
            first = ticket;
    }
    if (first)
        *ret = *first;
    else
        atomic_store(&storage->asked, false);
    pthread_mutex_unlock(&storage->mutex);
    return first != NULL;
}

static void end_ticket(struct taud_engine *engine, uint64_t number, enum tau_status status,
                       const struct taud_error *error)
{
    struct taud_storage *storage = &engine->storage;
    pthread_mutex_lock(&storage->mutex);
    struct taud_ticket *ticket = find_ticket(storage, number);
    if (ticket) {
        ticket->status = status;
        ticket->error = *error;
        ticket->error.status = status;
        if (status == TAU_STATUS_SUCCESS)
            ticket->done = ticket->total;
    }
    pthread_mutex_unlock(&storage->mutex);
    taud_log_notify(&engine->log);
}

// A snapshot has no log, so its manifest must say itself what was known from the log alone where
// points were left out: that a series or a range is gone, or what a series retains.
static enum tau_status copy_snapshot(struct taud_engine *engine, const char *directory,
                                     struct taud_error *error)
{
    const struct taud_storage *storage = &engine->storage;
    enum { FLUSHES = 2 }; // the first may be of a cut that was made before
    for (unsigned i = 0; i < FLUSHES; i++) {
        if (storage->manifest.flush_position < storage->relied_position)
            flush(engine);
    }
    if (storage->manifest.flush_position < storage->relied_position)
        return taud_error_set(error, TAU_STATUS_STORAGE_FULL, 0,
                              "what is in the snapshot cannot be flushed");
    return taud_snapshot_copy(engine, directory, error);
}

// Does the first piece of work that somebody asked for. What was written before it is stored by
// now.
static bool work_on_ticket(struct taud_engine *engine)
{
    struct taud_ticket ticket;
    struct taud_error error = {.status = TAU_STATUS_SUCCESS};
    enum tau_status status = TAU_STATUS_SUCCESS;
    bool done;
    if (!atomic_load(&engine->storage.asked) || !next_ticket(&engine->storage, &ticket))
        return false;
    if (engine->storage.manifest.flush_position < ticket.position)
        return false; // its flush is held up
    if (ticket.kind == TAUD_WORK_COMPACT) {
        engine->storage.compact_depth++;
        status = taud_compact(engine, ticket.number, &done, &error);
        engine->storage.compact_depth--;
    } else if (ticket.kind == TAUD_WORK_SNAPSHOT) {
        status = copy_snapshot(engine, ticket.directory, &error);
    }
    if (status != TAU_STATUS_WOULD_BLOCK) // the end of the server
        end_ticket(engine, ticket.number, status, &error);
    return true;
}

// --- all --------------------------------------------------------------------------------------

static bool compact(struct taud_engine *engine)
{
    struct taud_storage *storage = &engine->storage;
    struct taud_error error = {.status = TAU_STATUS_SUCCESS};
    bool done = false;
    if (storage->compact_at_ns != 0 && now_ns(storage) < storage->compact_at_ns)
        return false;
    storage->compact_depth++;
    enum tau_status status = taud_compact(engine, 0, &done, &error);
    storage->compact_depth--;
    storage->compact_at_ns = 0;
    if (status == TAU_STATUS_STORAGE_FULL && give_up_reserve(engine))
        return true; // and at once again
    if (status != TAU_STATUS_SUCCESS && status != TAU_STATUS_WOULD_BLOCK) {
        uint64_t wait_ms = status == TAU_STATUS_STORAGE_FULL ? TAUD_STORAGE_RETRY_MS
                                                             : TAUD_STORAGE_COMPACT_RETRY_MS;
        storage->compact_at_ns = now_ns(storage) + wait_ms * 1000000U;
        taud_storage_note(storage, &error);
        taud_log_notify(&engine->log);
    }
    return done;
}

bool taud_storage_pause(struct taud_engine *engine)
{
    struct taud_storage *storage = &engine->storage;
    if (!storage->stepped) // there nobody does
        tend_memory(engine);
    // One, and then what it came in between goes on: the next may be due at once.
    bool flushed = !taud_storage_is_stopping(storage) && flush_if_due(engine);
    // What is flushed during a long compaction becomes few segments meanwhile, too.
    if (flushed && storage->compactions == 1 && storage->compact_depth == 1 &&
        !engine->rollups.working)
        (void)!compact(engine);
    if (!atomic_load(&engine->log.failed))
        taud_rollups_interrupt(engine);
    return !taud_storage_is_stopping(storage);
}

bool taud_storage_turn(struct taud_engine *engine)
{
    struct taud_storage *storage = &engine->storage;
    if (taud_storage_is_stopping(storage))
        return false;
    if (atomic_exchange(&storage->damage_is_news, false))
        taud_log_notify(&engine->log);
    if (atomic_load(&storage->failed) || atomic_load(&engine->log.failed)) {
        struct taud_error error = {.status = TAU_STATUS_INTERNAL_ERROR,
                                   .text = "the log or the stored data failed"};
        if (atomic_load(&storage->asked))
            refuse_tickets(storage, &error);
        return !atomic_load(&engine->log.failed) && taud_rollups_turn(engine);
    }
    // By turns: however much there is to flush, the rest is not put off for ever. A flush that
    // becomes due meanwhile is done in the middle of a compaction.
    storage->others_first = !storage->others_first;
    if (storage->others_first && (work_on_ticket(engine) || compact(engine)))
        return true;
    return flush_if_due(engine) || taud_rollups_turn(engine) || work_on_ticket(engine) ||
           compact(engine) || taud_reserve_renew(&storage->reserve);
}
