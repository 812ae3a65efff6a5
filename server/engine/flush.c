// SPDX-License-Identifier: MIT
// A flush: what memory has of one generation becomes a segment and an object of the catalog, the
// manifest names them, and only then the memory goes. A series that nobody has touched since the
// cut still has its points in its heads: they are copied out and emptied at the end, so that a
// flush needs no memory of the kind that it is there to free. It must not know when a flush is due.
#include "chunker.h"
#include "state.h"

#include <string.h>

enum { SMALL_CHUNK = 64 };

// What a series has of the generation.
struct gathered {
    struct taud_run *run; // with a reference; NULL for none
    struct taud_chunk_hint hint;
    struct taud_sealed **chunks; // in order, then late ones
    size_t room;                 // for them
    uint32_t count, late_count;
    uint32_t head_count, late_head_count;
    int64_t timestamps[2][TAUD_HEAD_POINTS]; // head, late head
    double values[2][TAUD_HEAD_POINTS];
};

struct flush {
    struct taud_engine *engine;
    struct taud_storage *storage;
    struct taud_segment_writer *writer; // NULL until there is something to write
    struct taud_merge *merge;           // likewise
    struct taud_error *error;
    struct gathered gathered;
    struct taud_chunker chunker;
    struct taud_view *deleted; // tombstones, where what was removed since the cut is left out
};

// --- the cut ----------------------------------------------------------------------------------

static void lock_shards(struct taud_engine *engine)
{
    for (size_t i = 0; i < TAUD_SHARDS; i++)
        pthread_mutex_lock(&engine->shards[i].mutex);
}

static void unlock_shards(struct taud_engine *engine)
{
    for (size_t i = TAUD_SHARDS; i-- > 0;)
        pthread_mutex_unlock(&engine->shards[i].mutex);
}

// Puts the blocks that were used behind what became of the catalog. Returns all of that.
static struct taud_catalog_block *append_note(struct taud_engine *engine,
                                              struct taud_catalog_block *catalog,
                                              struct taud_catalog_block *blocks)
{
    struct taud_catalog_block **last = &catalog;
    while (*last)
        last = &(*last)->next;
    while (blocks && blocks->used > 0) {
        *last = blocks;
        last = &blocks->next;
        blocks = blocks->next;
    }
    *last = NULL;
    taud_catalog_blocks_free(engine->allocator, blocks);
    return catalog;
}

// With the locks of the lenses and the rollups.
static void cut_locked(struct taud_engine *engine, struct taud_catalog_block *note)
{
    struct taud_storage *storage = &engine->storage;
    struct taud_catalog_block *catalog;
    lock_shards(engine);
    uint32_t generation = atomic_load(&storage->generation);
    uint64_t position = atomic_load(&engine->log.next_position);
    uint64_t next_identity = atomic_load(&engine->next_identity);
    atomic_store(&storage->generation, generation + 1);
    atomic_store(&storage->cut_position, position);
    atomic_store(&storage->cut_drops, atomic_load(&storage->drop_count));
    storage->flush_sequence = storage->manifest.next_sequence;
    for (size_t i = 0; i < TAUD_SHARDS; i++)
        taud_pool_close(&engine->shards[i].pool);
    catalog = taud_catalog_delta_take(&storage->catalog);
    taud_rollups_note(engine, note);
    unlock_shards(engine);
    storage->cut = (struct taud_cut){.pending = true,
                                     .generation = generation,
                                     .sequence = storage->manifest.next_sequence,
                                     .position = position,
                                     .next_identity = next_identity,
                                     .catalog = append_note(engine, catalog, note)};
}

// Returns false when there is no memory.
static bool cut(struct taud_engine *engine)
{
    struct taud_catalog_block *note;
    pthread_rwlock_wrlock(&engine->lens_lock);
    pthread_mutex_lock(&engine->rollups.mutex);
    bool prepared = taud_rollups_prepare_note(engine, &note);
    if (prepared)
        cut_locked(engine, note);
    pthread_mutex_unlock(&engine->rollups.mutex);
    pthread_rwlock_unlock(&engine->lens_lock);
    return prepared;
}

// --- gathering --------------------------------------------------------------------------------

// The run of the generation or before, without a lock of its own.
static struct taud_run *run_of(const struct taud_series *series, uint32_t generation)
{
    struct taud_run *run = series->run;
    if (run && run->generation > generation)
        run = run->older;
    return run;
}

static void copy_head(struct gathered *gathered, unsigned place, const struct taud_head *head)
{
    if (head->count == 0)
        return;
    memcpy(gathered->timestamps[place], head->points, head->count * sizeof(int64_t));
    memcpy(gathered->values[place], taud_head_values(head), head->count * sizeof(double));
}

// Copies what the series has, if there is room for the addresses of its chunks; else it says how
// much is needed. With the shard's lock.
static size_t gather_locked(struct gathered *gathered, const struct taud_series *series,
                            uint32_t generation)
{
    struct taud_run *run = run_of(series, generation);
    bool behind = series->generation <= generation;
    size_t needed = run ? (size_t)run->chunks.count + run->late.count : 0;
    if (needed > gathered->room)
        return needed;
    gathered->run = run;
    gathered->count = run ? run->chunks.count : 0;
    gathered->late_count = run ? run->late.count : 0;
    for (uint32_t i = 0; i < gathered->count; i++)
        gathered->chunks[i] = taud_run_chunk(run, i);
    for (uint32_t i = 0; i < gathered->late_count; i++)
        gathered->chunks[gathered->count + i] = taud_run_late(run, i);
    if (run)
        taud_run_retain(run);
    gathered->hint = series->hint;
    gathered->head_count = behind ? series->head.count : 0;
    gathered->late_head_count = behind ? series->late.count : 0;
    if (behind) {
        copy_head(gathered, 0, &series->head);
        copy_head(gathered, 1, &series->late);
    }
    return 0;
}

static bool make_room(struct flush *flush, size_t count)
{
    const struct taud_allocator *allocator = flush->engine->allocator;
    struct gathered *gathered = &flush->gathered;
    size_t room = count + count / 4;
    allocator->release(allocator->context, (void *)gathered->chunks);
    gathered->chunks = allocator->allocate(allocator->context, room * sizeof *gathered->chunks);
    gathered->room = gathered->chunks ? room : 0;
    return gathered->chunks != NULL;
}

static enum tau_status no_memory(struct flush *flush)
{
    return taud_error_set(flush->error, TAU_STATUS_NO_MEMORY, 0, "no memory to flush");
}

// A series that was dropped before the cut counts for nothing; one dropped since is as it was then.
static bool counts(const struct taud_cut *made, const struct taud_series *series)
{
    return series->dropped == 0 || (series->dropped > made->generation && !made->leaves_removed);
}

static enum tau_status gather(struct flush *flush, uint64_t identity, uint64_t hash)
{
    struct taud_engine *engine = flush->engine;
    uint32_t generation = flush->storage->cut.generation;
    struct taud_shard *shard = &engine->shards[taud_shard_number(hash)];
    struct gathered *gathered = &flush->gathered;
    for (;;) {
        size_t needed = 0;
        gathered->run = NULL;
        gathered->count = gathered->late_count = 0;
        gathered->head_count = gathered->late_head_count = 0;
        pthread_mutex_lock(&shard->mutex);
        const struct taud_series *series = taud_identities_find(&engine->identities, identity);
        if (series && counts(&flush->storage->cut, series))
            needed = gather_locked(gathered, series, generation);
        pthread_mutex_unlock(&shard->mutex);
        if (needed == 0)
            return TAU_STATUS_SUCCESS;
        if (!make_room(flush, needed))
            return no_memory(flush);
    }
}

// --- writing ----------------------------------------------------------------------------------

static enum tau_status have_segment(struct flush *flush)
{
    struct taud_storage *storage = flush->storage;
    if (flush->writer)
        return TAU_STATUS_SUCCESS;
    struct taud_segment_facts facts = {.name = {storage->cut.sequence, 0},
                                       .last_sequence = storage->cut.sequence,
                                       .file_id = taud_storage_file_id(storage)};
    enum tau_status status = taud_segment_writer_new(&storage->store, storage->codec, &facts,
                                                     &flush->writer, flush->error);
    flush->chunker.writer = flush->writer;
    return status;
}

// Without late points all stands in order.
static enum tau_status write_in_order(struct flush *flush)
{
    struct gathered *gathered = &flush->gathered;
    struct taud_chunker *chunker = &flush->chunker;
    enum tau_status status = have_segment(flush);
    for (uint32_t i = 0; i < gathered->count && status == TAU_STATUS_SUCCESS; i++) {
        const struct taud_sealed *sealed = gathered->chunks[i];
        status = taud_chunker_add_whole(chunker, &sealed->summary, sealed->bytes, sealed->size,
                                        flush->error);
    }
    if (status == TAU_STATUS_SUCCESS)
        status = taud_chunker_add_columns(chunker, gathered->timestamps[0], gathered->values[0],
                                          gathered->head_count, flush->error);
    return status;
}

static const struct taud_tombstone *tombstones_of(const struct flush *flush, uint64_t identity,
                                                  uint32_t *ret_count)
{
    *ret_count = 0;
    return flush->deleted ? taud_view_tombstones(flush->deleted, identity, ret_count) : NULL;
}

static bool restart_merge(struct flush *flush, uint64_t identity)
{
    uint32_t count;
    const struct taud_tombstone *tombstones = tombstones_of(flush, identity, &count);
    if (flush->merge)
        return taud_merge_restart(flush->merge, identity, tombstones, count);
    struct taud_merge_options options = {.allocator = flush->engine->allocator,
                                         .codec = flush->storage->codec,
                                         .identity = identity,
                                         .tombstones = tombstones,
                                         .tombstone_count = count,
                                         .from = INT64_MIN,
                                         .to = INT64_MAX};
    flush->merge = taud_merge_new(&options);
    return flush->merge != NULL;
}

// All of it may have been deleted, so that there is nothing to begin a segment for.
static enum tau_status take_pieces(struct flush *flush)
{
    struct taud_piece piece;
    for (;;) {
        enum tau_status status = taud_merge_next(flush->merge, &piece, flush->error);
        if (status != TAU_STATUS_SUCCESS || piece.count == 0)
            return status;
        status = have_segment(flush);
        if (status == TAU_STATUS_SUCCESS)
            status = taud_chunker_add_piece(&flush->chunker, flush->merge, &piece, flush->error);
        if (status != TAU_STATUS_SUCCESS)
            return status;
    }
}

static enum tau_status write_merged(struct flush *flush, uint64_t identity)
{
    struct gathered *gathered = &flush->gathered;
    uint64_t sequence = flush->storage->cut.sequence;
    if (!restart_merge(flush, identity))
        return no_memory(flush);
    struct taud_merge *merge = flush->merge;
    bool added = taud_merge_add_sealed(merge, gathered->chunks, gathered->count, sequence) &&
                 taud_merge_add_columns(merge, gathered->timestamps[0], gathered->values[0],
                                        gathered->head_count, sequence) &&
                 taud_merge_add_late(merge, gathered->chunks + gathered->count,
                                     gathered->late_count, sequence) &&
                 taud_merge_add_columns(merge, gathered->timestamps[1], gathered->values[1],
                                        gathered->late_head_count, sequence);
    return added ? take_pieces(flush) : no_memory(flush);
}

static enum tau_status write_gathered(struct flush *flush, uint64_t identity)
{
    struct gathered *gathered = &flush->gathered;
    uint32_t count;
    bool merged = gathered->late_count > 0 || gathered->late_head_count > 0 ||
                  tombstones_of(flush, identity, &count);
    if (!merged && gathered->count == 0 && gathered->head_count == 0)
        return TAU_STATUS_SUCCESS;
    taud_chunker_begin(&flush->chunker, identity, &gathered->hint);
    enum tau_status status = merged ? write_merged(flush, identity) : write_in_order(flush);
    return status == TAU_STATUS_SUCCESS ? taud_chunker_end(&flush->chunker, flush->error) : status;
}

// Tells the next series that may have something of the generation.
static bool next_series(struct taud_engine *engine, uint64_t from, uint64_t *ret_identity,
                        uint64_t *ret_hash)
{
    return taud_identities_next(&engine->identities, from, ret_identity, ret_hash) &&
           *ret_identity < engine->storage.cut.next_identity;
}

static enum tau_status write_all(struct flush *flush)
{
    struct taud_engine *engine = flush->engine;
    enum tau_status status = TAU_STATUS_SUCCESS;
    uint64_t identity = 0, hash;
    for (; status == TAU_STATUS_SUCCESS && next_series(engine, identity, &identity, &hash);
         identity++) {
        status = gather(flush, identity, hash);
        if (status == TAU_STATUS_SUCCESS)
            status = write_gathered(flush, identity);
        if (flush->gathered.run)
            taud_run_release(flush->gathered.run, &engine->arena);
        if (status == TAU_STATUS_SUCCESS && taud_storage_is_stopping(flush->storage))
            status = TAU_STATUS_WOULD_BLOCK;
    }
    return status;
}

static void remove_segment(struct taud_engine *engine, struct taud_segment_name segment)
{
    char name[TAUD_SEGMENT_NAME_BYTES];
    taud_segment_object_name(segment, name);
    (void)!engine->backend->objects->remove(engine->backend, name, NULL);
}

// Writes the segment and opens it, before anything names it.
static enum tau_status write_segment(struct flush *flush)
{
    struct taud_storage *storage = flush->storage;
    struct taud_segment_facts facts;
    enum taud_segment_fault fault;
    enum tau_status status = write_all(flush);
    if (status != TAU_STATUS_SUCCESS || !flush->writer) {
        taud_segment_writer_abandon(flush->writer);
        return status;
    }
    status = taud_segment_writer_finish(flush->writer, &facts, flush->error);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    status = taud_segment_open(&storage->store, storage->codec, facts.name, &storage->cut.segment,
                               &fault, flush->error);
    if (status != TAU_STATUS_SUCCESS)
        remove_segment(flush->engine, facts.name);
    return status;
}

// --- the manifest -----------------------------------------------------------------------------

static bool is_worth_folding(const struct taud_engine *engine)
{
    enum { SERIES_BYTES = 48 + 24, SOME = 64 << 10 };
    const struct taud_manifest *manifest = &engine->storage.manifest;
    uint64_t whole = atomic_load(&engine->series_count) * SERIES_BYTES + SOME, bytes = 0;
    for (uint32_t i = 0; i < manifest->catalog_count; i++)
        bytes += manifest->catalogs[i].size;
    return !engine->storage.catalog_lost && manifest->catalog_count > 0 &&
           (manifest->catalog_count >= TAUD_CATALOG_OBJECTS_MAX || bytes > 2 * whole);
}

// Stores what became of the catalog, or all of it in place of what there is.
static enum tau_status write_catalog(struct taud_engine *engine, struct taud_manifest *next,
                                     struct taud_error *error)
{
    struct taud_storage *storage = &engine->storage;
    struct taud_catalog_block *folded = NULL;
    struct taud_manifest_catalog object;
    const struct taud_catalog_block *blocks = storage->cut.catalog;
    enum tau_status status = TAU_STATUS_SUCCESS;
    bool fold = blocks && is_worth_folding(engine);
    if (fold) {
        status = taud_catalog_fold(&storage->store, next->catalogs, next->catalog_count, blocks,
                                   &folded, error);
        blocks = folded;
        while (status == TAU_STATUS_SUCCESS && next->catalog_count > 0)
            taud_manifest_remove_catalog(next, next->catalogs[0].number);
    }
    if (status == TAU_STATUS_SUCCESS && blocks) {
        status = taud_catalog_write(&storage->store, next->next_catalog, blocks, &object, error);
        if (status == TAU_STATUS_SUCCESS && !taud_manifest_add_catalog(next, &object))
            status = taud_error_set(error, TAU_STATUS_NO_MEMORY, 0, "no memory for a manifest");
    }
    taud_catalog_blocks_free(engine->allocator, folded);
    return status;
}

// What was deleted before the cut.
static bool add_tombstones(struct taud_storage *storage, struct taud_manifest *next)
{
    bool added = true;
    pthread_mutex_lock(&storage->mutex);
    for (uint32_t i = 0; i < storage->tombstone_count && added; i++) {
        if (storage->tombstones[i].generation <= storage->cut.generation)
            added = taud_manifest_add_tombstone(next, &storage->tombstones[i].tombstone);
    }
    pthread_mutex_unlock(&storage->mutex);
    return added;
}

// They are in the manifest now.
static void forget_tombstones(struct taud_storage *storage)
{
    uint32_t kept = 0;
    pthread_mutex_lock(&storage->mutex);
    for (uint32_t i = 0; i < storage->tombstone_count; i++) {
        if (storage->tombstones[i].generation > storage->cut.generation)
            storage->tombstones[kept++] = storage->tombstones[i];
    }
    storage->garbage_known &= kept == storage->tombstone_count;
    storage->tombstone_count = kept;
    pthread_mutex_unlock(&storage->mutex);
}

static enum tau_status compose(struct taud_engine *engine, struct taud_manifest *next,
                               struct taud_error *error)
{
    struct taud_storage *storage = &engine->storage;
    const struct taud_cut *made = &storage->cut;
    next->flush_position = made->position;
    next->next_identity = made->next_identity;
    next->next_sequence = made->sequence + 1;
    if ((made->segment && !taud_storage_name_segment(next, made->segment)) ||
        !add_tombstones(storage, next))
        return taud_error_set(error, TAU_STATUS_NO_MEMORY, 0, "no memory for a manifest");
    return write_catalog(engine, next, error);
}

// Removes the catalog objects that one manifest names and another does not.
static void remove_catalogs(struct taud_engine *engine, const struct taud_manifest *of,
                            const struct taud_manifest *without)
{
    char name[TAUD_NUMBER_NAME_BYTES];
    for (uint32_t i = 0; i < of->catalog_count; i++) {
        if (taud_manifest_names_catalog(without, of->catalogs[i].number))
            continue;
        taud_catalog_object_name(of->catalogs[i].number, name);
        (void)!engine->backend->objects->remove(engine->backend, name, NULL);
    }
}

static enum tau_status commit(struct taud_engine *engine, struct taud_error *error)
{
    struct taud_storage *storage = &engine->storage;
    struct taud_manifest next;
    if (!taud_manifest_copy(&storage->manifest, &next))
        return taud_error_set(error, TAU_STATUS_NO_MEMORY, 0, "no memory for a manifest");
    enum tau_status status = compose(engine, &next, error);
    if (status == TAU_STATUS_SUCCESS)
        status = taud_manifest_commit(engine->backend, storage->root, &next, error);
    if (status == TAU_STATUS_SUCCESS) {
        struct taud_manifest before = storage->manifest;
        storage->manifest = next;
        remove_catalogs(engine, &before, &next);
        taud_manifest_done(&before);
        forget_tombstones(storage);
    } else {
        if (status != TAU_STATUS_OUTCOME_UNKNOWN)
            remove_catalogs(engine, &next, &storage->manifest);
        taud_manifest_done(&next);
    }
    return status;
}

// --- afterwards -------------------------------------------------------------------------------

// What readers see from now on: the segment with the others, in place of the memory.
static bool publish(struct taud_engine *engine)
{
    struct taud_storage *storage = &engine->storage;
    const struct taud_allocator *allocator = engine->allocator;
    struct taud_view *view = taud_views_take(&storage->views);
    uint32_t count = view->segment_count;
    struct taud_segment **segments =
        allocator->allocate(allocator->context, (count + 1) * sizeof *segments);
    bool published = segments != NULL;
    if (published) {
        memcpy((void *)segments, (void *)view->segments, count * sizeof *segments);
        if (storage->cut.segment)
            segments[count++] = storage->cut.segment;
        published = taud_storage_publish(engine, storage->cut.generation, segments, count);
    }
    allocator->release(allocator->context, (void *)segments);
    taud_view_release(view);
    return published;
}

// Gives back what a series has of the generation, or all of it where it is stored that it is gone.
static void leave(struct taud_engine *engine, uint64_t identity, uint64_t hash)
{
    uint32_t generation = engine->storage.cut.generation;
    struct taud_shard *shard = &engine->shards[taud_shard_number(hash)];
    struct taud_run *run = NULL;
    pthread_mutex_lock(&shard->mutex);
    struct taud_series *series = taud_identities_find(&engine->identities, identity);
    bool gone = series && series->dropped != 0 && series->dropped <= generation;
    if (gone) {
        taud_identities_remove(&engine->identities, identity);
    } else if (series) {
        bool behind = series->generation <= generation;
        bool heads = behind && (series->head.count > 0 || series->late.count > 0);
        run = taud_series_detach(series, &engine->arena, generation);
        series->stored |= heads || run;
    }
    pthread_mutex_unlock(&shard->mutex);
    if (run)
        taud_run_release(run, &engine->arena);
    if (gone)
        taud_series_release(series, &engine->arena);
}

static void leave_all(struct taud_engine *engine)
{
    uint64_t identity = 0, hash;
    for (; next_series(engine, identity, &identity, &hash); identity++)
        leave(engine, identity, hash);
}

static enum tau_status finish(struct taud_engine *engine, struct taud_error *error)
{
    struct taud_storage *storage = &engine->storage;
    if (!publish(engine))
        return taud_error_set(error, TAU_STATUS_NO_MEMORY, 0, "no memory to open a segment");
    leave_all(engine);
    atomic_fetch_add(&storage->figures.flush_count, 1);
    if (storage->cut.segment)
        atomic_fetch_add(&storage->figures.flush_bytes, storage->cut.segment->facts.size);
    taud_segment_release(storage->cut.segment);
    storage->garbage_known &= !storage->cut.catalog;
    taud_catalog_blocks_free(engine->allocator, storage->cut.catalog);
    storage->reserve.due = true;
    storage->cut = (struct taud_cut){.pending = false};
    return TAU_STATUS_SUCCESS;
}

// --- all --------------------------------------------------------------------------------------

// A segment that was written is named by no manifest.
static void take_back_segment(struct taud_engine *engine)
{
    struct taud_cut *made = &engine->storage.cut;
    struct taud_segment *segment = made->segment;
    made->segment = NULL;
    if (segment)
        remove_segment(engine, segment->facts.name);
    taud_segment_release(segment);
}

// Returns false when there is no memory.
static bool take_deletions(struct flush *flush)
{
    bool by_log;
    flush->deleted = NULL;
    if (!flush->storage->cut.leaves_removed)
        return true;
    flush->deleted = taud_storage_tombstones(flush->engine, &by_log);
    return flush->deleted != NULL;
}

static enum tau_status store(struct taud_engine *engine, struct taud_error *error)
{
    const struct taud_allocator *allocator = engine->allocator;
    struct flush *flush = allocator->allocate(allocator->context, sizeof *flush);
    if (!flush)
        return taud_error_set(error, TAU_STATUS_NO_MEMORY, 0, "no memory to flush");
    flush->engine = engine;
    flush->storage = &engine->storage;
    flush->writer = NULL;
    flush->merge = NULL;
    flush->error = error;
    flush->gathered.chunks = NULL;
    flush->gathered.room = 0;
    taud_chunker_init(&flush->chunker,
                      &(struct taud_chunker_options){.codec = engine->storage.codec,
                                                     .effort = TAUD_EFFORT_FAST,
                                                     .small = SMALL_CHUNK});
    enum tau_status status = take_deletions(flush) ? write_segment(flush) : no_memory(flush);
    taud_view_release(flush->deleted);
    taud_merge_free(flush->merge);
    allocator->release(allocator->context, (void *)flush->gathered.chunks);
    allocator->release(allocator->context, flush);
    if (status == TAU_STATUS_SUCCESS && engine->storage.cut.leaves_removed &&
        !taud_storage_await_log(engine))
        status = taud_error_set(error, TAU_STATUS_STORAGE_FULL, 0,
                                "the log has no space for what was dropped or deleted");
    if (status == TAU_STATUS_SUCCESS)
        status = commit(engine, error);
    if (status == TAU_STATUS_SUCCESS && engine->storage.cut.leaves_removed)
        engine->storage.relied_position = atomic_load(&engine->log.next_position);
    if (status == TAU_STATUS_SUCCESS)
        engine->storage.cut.committed = true;
    else if (status != TAU_STATUS_OUTCOME_UNKNOWN)
        take_back_segment(engine);
    // What was dropped or deleted meanwhile need not find room the next time.
    if (status == TAU_STATUS_STORAGE_FULL)
        engine->storage.cut.leaves_removed = true;
    return status;
}

enum tau_status taud_flush(struct taud_engine *engine, struct taud_error *error)
{
    struct taud_storage *storage = &engine->storage;
    enum tau_status status = TAU_STATUS_SUCCESS;
    if (!storage->cut.pending && !cut(engine))
        return taud_error_set(error, TAU_STATUS_NO_MEMORY, 0, "no memory for a cut");
    if (!storage->cut.committed)
        status = store(engine, error);
    return status == TAU_STATUS_SUCCESS ? finish(engine, error) : status;
}
