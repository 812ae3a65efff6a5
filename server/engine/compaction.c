// SPDX-License-Identifier: MIT
// One segment of several that follow each other, or of one in which much is garbage: points in
// order, the newest of equal timestamps, without what was deleted, dropped or is too old. Chunks in
// which nothing changes go over as bytes. What may be left out is what the manifest or the log say
// to be gone, for good: what is gone in memory alone might be there again after a power cut. It
// must not know which segments are worth it.
#include "compaction.h"

#include "store/segment_cursor.h"

#include <string.h>

enum { SMALL_CHUNK = 768, PIECES_AT_A_TIME = 64 };

// --- who is still there -----------------------------------------------------------------------

bool taud_compaction_wants(struct taud_engine *engine, uint64_t identity, int64_t *ret_edge,
                           bool *ret_by_log)
{
    uint64_t found, hash, retention = 0;
    bool there =
        taud_identities_next(&engine->identities, identity, &found, &hash) && found == identity;
    *ret_edge = INT64_MIN;
    *ret_by_log = false;
    if (there) {
        struct taud_shard *shard = &engine->shards[taud_shard_number(hash)];
        pthread_mutex_lock(&shard->mutex);
        const struct taud_series *series = taud_identities_find(&engine->identities, identity);
        there = series && series->dropped == 0;
        retention = there ? series->retention : 0;
        *ret_by_log = retention != 0 || (series && series->dropped != 0);
        pthread_mutex_unlock(&shard->mutex);
        if (*ret_by_log && !there)
            return false;
    }
    if (retention != 0) {
        engine->storage.has_retention = true;
        *ret_edge = taud_storage_edge(engine, retention);
    }
    // Where the catalog is damaged, nobody knows whether an unknown series was dropped.
    return there || engine->storage.catalog_lost;
}

// --- merging ----------------------------------------------------------------------------------

struct compaction {
    struct taud_engine *engine;
    struct taud_storage *storage;
    const struct taud_compaction_job *job;
    struct taud_view *tombstones;       // all there were when it began, sorted
    uint32_t *places;                   // in each segment, of the next series
    struct taud_segment_writer *writer; // NULL until there is a point
    struct taud_merge *merge;
    uint64_t bytes_done;
    bool by_log; // something is left out that the log says alone
    struct taud_error *error;
    struct taud_chunker chunker;
};

static enum tau_status no_memory(struct compaction *compaction)
{
    return taud_error_set(compaction->error, TAU_STATUS_NO_MEMORY, 0, "no memory to compact");
}

// The least identity that is left in any of the segments. Returns false at the end.
static bool next_identity(const struct compaction *compaction, uint64_t *ret_identity)
{
    const struct taud_compaction_job *job = compaction->job;
    bool found = false;
    for (uint32_t i = 0; i < job->count; i++) {
        const struct taud_segment *segment = job->segments[i];
        if (compaction->places[i] == segment->facts.series_count)
            continue;
        uint64_t identity = segment->identities[compaction->places[i]];
        if (!found || identity < *ret_identity)
            *ret_identity = identity;
        found = true;
    }
    return found;
}

static bool add_places(struct compaction *compaction, uint64_t identity)
{
    const struct taud_compaction_job *job = compaction->job;
    bool added = true;
    for (uint32_t i = 0; i < job->count && added; i++) {
        const struct taud_segment *segment = job->segments[i];
        uint32_t place = compaction->places[i];
        if (place < segment->facts.series_count && segment->identities[place] == identity)
            added = taud_merge_add_segment(compaction->merge, job->segments[i]);
    }
    return added;
}

// Moves behind the series in every segment that has it.
static void pass_series(struct compaction *compaction, uint64_t identity)
{
    const struct taud_compaction_job *job = compaction->job;
    for (uint32_t i = 0; i < job->count; i++) {
        const struct taud_segment *segment = job->segments[i];
        uint32_t place = compaction->places[i];
        if (place == segment->facts.series_count || segment->identities[place] != identity)
            continue;
        struct taud_chunk_run chunks = taud_segment_series(segment, place);
        for (uint32_t k = 0; k < chunks.count; k++)
            compaction->bytes_done += segment->sizes[chunks.first + k];
        compaction->places[i]++;
    }
}

static enum tau_status begin_segment(struct compaction *compaction)
{
    struct taud_storage *storage = compaction->storage;
    const struct taud_compaction_job *job = compaction->job;
    struct taud_segment_facts facts = {.name = job->name,
                                       .last_sequence = job->last_sequence,
                                       .file_id = taud_storage_file_id(storage)};
    enum tau_status status = taud_segment_writer_new(
        &storage->store, storage->compaction_codec, &facts, &compaction->writer, compaction->error);
    compaction->chunker.writer = compaction->writer;
    return status;
}

static enum tau_status take_pieces(struct compaction *compaction, int64_t edge)
{
    struct taud_piece piece;
    unsigned count = 0;
    for (;;) {
        enum tau_status status = taud_merge_next(compaction->merge, &piece, compaction->error);
        if (status != TAU_STATUS_SUCCESS || piece.count == 0)
            return status;
        if (piece.last < edge)
            continue;
        if (!compaction->writer)
            status = begin_segment(compaction);
        if (status == TAU_STATUS_SUCCESS)
            status = taud_chunker_add_piece(&compaction->chunker, compaction->merge, &piece,
                                            compaction->error);
        if (status != TAU_STATUS_SUCCESS)
            return status;
        if (++count % PIECES_AT_A_TIME == 0 && !taud_storage_pause(compaction->engine))
            return TAU_STATUS_WOULD_BLOCK;
    }
}

static enum tau_status merge_series(struct compaction *compaction, uint64_t identity)
{
    int64_t edge;
    uint32_t count;
    bool by_log;
    bool wanted = taud_compaction_wants(compaction->engine, identity, &edge, &by_log);
    compaction->by_log |= by_log;
    if (!wanted)
        return TAU_STATUS_SUCCESS;
    const struct taud_tombstone *tombstones =
        taud_view_tombstones(compaction->tombstones, identity, &count);
    if (!taud_merge_restart(compaction->merge, identity, tombstones, count) ||
        !add_places(compaction, identity))
        return no_memory(compaction);
    taud_chunker_begin(&compaction->chunker, identity, NULL);
    enum tau_status status = take_pieces(compaction, edge);
    return status == TAU_STATUS_SUCCESS ? taud_chunker_end(&compaction->chunker, compaction->error)
                                        : status;
}

static enum tau_status merge_all(struct compaction *compaction)
{
    enum tau_status status = TAU_STATUS_SUCCESS;
    uint64_t identity = 0;
    while (status == TAU_STATUS_SUCCESS && next_identity(compaction, &identity)) {
        status = merge_series(compaction, identity);
        pass_series(compaction, identity);
        taud_storage_progress(compaction->storage, compaction->job->ticket,
                              compaction->job->bytes_before + compaction->bytes_done,
                              compaction->job->bytes_total);
        if (status == TAU_STATUS_SUCCESS && !taud_storage_pause(compaction->engine))
            status = TAU_STATUS_WOULD_BLOCK;
    }
    return status;
}

// --- what becomes of it -----------------------------------------------------------------------

// Whether a segment has something that the tombstone hides.
static bool is_hidden_in(const struct taud_segment *segment, const struct taud_tombstone *tombstone)
{
    return segment->facts.last_sequence <= tombstone->sequence &&
           taud_segment_find(segment, tombstone->identity, tombstone->from, tombstone->to).count >
               0;
}

static bool belongs_to(const struct taud_compaction_job *job, const struct taud_segment *segment)
{
    for (uint32_t i = 0; i < job->count; i++) {
        if (job->segments[i] == segment)
            return true;
    }
    return false;
}

static bool was_applied(const struct compaction *compaction, const struct taud_tombstone *tombstone)
{
    uint32_t count;
    const struct taud_tombstone *applied =
        taud_view_tombstones(compaction->tombstones, tombstone->identity, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (applied[i].from == tombstone->from && applied[i].to == tombstone->to &&
            applied[i].sequence == tombstone->sequence)
            return true;
    }
    return false;
}

// Takes out what was applied and hides nothing in any other segment.
static void drop_tombstones(const struct compaction *compaction, const struct taud_view *view,
                            struct taud_manifest *next)
{
    for (uint32_t i = 0; i < next->tombstone_count;) {
        bool needed = !was_applied(compaction, &next->tombstones[i]);
        for (uint32_t k = 0; k < view->segment_count && !needed; k++)
            needed = !belongs_to(compaction->job, view->segments[k]) &&
                     is_hidden_in(view->segments[k], &next->tombstones[i]);
        if (needed)
            i++;
        else
            taud_manifest_remove_tombstone(next, i);
    }
}

static enum tau_status commit(struct compaction *compaction, const struct taud_view *view,
                              const struct taud_segment *made)
{
    struct taud_storage *storage = compaction->storage;
    const struct taud_compaction_job *job = compaction->job;
    struct taud_manifest next;
    if (!taud_manifest_copy(&storage->manifest, &next))
        return no_memory(compaction);
    for (uint32_t i = 0; i < job->count; i++)
        taud_manifest_remove_segment(&next, job->segments[i]->facts.name);
    drop_tombstones(compaction, view, &next);
    enum tau_status status = TAU_STATUS_SUCCESS;
    if (made && !taud_storage_name_segment(&next, made))
        status = no_memory(compaction);
    if (status == TAU_STATUS_SUCCESS)
        status = taud_manifest_commit(compaction->engine->backend, storage->root, &next,
                                      compaction->error);
    if (status == TAU_STATUS_SUCCESS) {
        taud_manifest_done(&storage->manifest);
        storage->manifest = next;
        if (compaction->by_log)
            storage->relied_position = atomic_load(&compaction->engine->log.next_position);
    } else {
        taud_manifest_done(&next);
    }
    return status;
}

// Shows what was made in place of what it was made of.
static bool publish(struct compaction *compaction, const struct taud_view *view,
                    struct taud_segment *made, struct taud_segment **room)
{
    uint32_t count = 0;
    bool placed = made == NULL;
    for (uint32_t i = 0; i < view->segment_count; i++) {
        if (!belongs_to(compaction->job, view->segments[i])) {
            room[count++] = view->segments[i];
        } else if (!placed) {
            room[count++] = made;
            placed = true;
        }
    }
    return taud_storage_publish(compaction->engine, view->generation, room, count);
}

static void remove_object(struct taud_engine *engine, struct taud_segment_name segment)
{
    char name[TAUD_SEGMENT_NAME_BYTES];
    taud_segment_object_name(segment, name);
    (void)!engine->backend->objects->remove(engine->backend, name, NULL);
}

static void count_figures(const struct compaction *compaction, const struct taud_segment *made)
{
    struct taud_storage_figures *figures = &compaction->storage->figures;
    atomic_fetch_add(&figures->compaction_count, 1);
    for (uint32_t i = 0; i < compaction->job->count; i++)
        atomic_fetch_add(&figures->compaction_read_bytes, compaction->job->segments[i]->facts.size);
    if (made)
        atomic_fetch_add(&figures->compaction_written_bytes, made->facts.size);
}

// Lets the manifest name what was made, NULL for nothing. What is committed and cannot be shown for
// want of memory ends the storing: tombstones that were applied are gone from the manifest, not
// from the view.
static enum tau_status replace_in(struct compaction *compaction, const struct taud_view *view,
                                  struct taud_segment *made, struct taud_segment **room)
{
    struct taud_engine *engine = compaction->engine;
    const struct taud_compaction_job *job = compaction->job;
    enum tau_status status = commit(compaction, view, made);
    if (status != TAU_STATUS_SUCCESS) {
        if (made && status != TAU_STATUS_OUTCOME_UNKNOWN)
            remove_object(engine, job->name);
        return status;
    }
    if (!publish(compaction, view, made, room)) {
        status = no_memory(compaction);
        taud_storage_fail(compaction->storage, compaction->error);
    }
    for (uint32_t i = 0; i < job->count; i++)
        remove_object(engine, job->segments[i]->facts.name);
    count_figures(compaction, made);
    return status;
}

static enum tau_status replace(struct compaction *compaction, struct taud_segment *made)
{
    const struct taud_allocator *allocator = compaction->engine->allocator;
    struct taud_view *view = taud_views_take(&compaction->storage->views);
    struct taud_segment **room =
        allocator->allocate(allocator->context, view->segment_count * sizeof *room);
    enum tau_status status =
        room ? replace_in(compaction, view, made, room) : no_memory(compaction);
    if (!room && made)
        remove_object(compaction->engine, compaction->job->name);
    allocator->release(allocator->context, (void *)room);
    taud_view_release(view);
    return status;
}

// Finishes what was written, opens it, and lets it count.
static enum tau_status conclude(struct compaction *compaction)
{
    struct taud_storage *storage = compaction->storage;
    struct taud_segment *made = NULL;
    struct taud_segment_facts facts;
    enum taud_segment_fault fault;
    enum tau_status status = TAU_STATUS_SUCCESS;
    // What was dropped or deleted, or a retention, that no manifest knows yet counts here once the
    // log has it for good: otherwise a power cut could take that back, and not what was left out.
    if (compaction->by_log && !taud_storage_await_log(compaction->engine))
        return taud_error_set(compaction->error, TAU_STATUS_STORAGE_FULL, 0,
                              "the log has no space for what was dropped or deleted");
    if (compaction->writer) {
        status = taud_segment_writer_finish(compaction->writer, &facts, compaction->error);
        compaction->writer = NULL;
        if (status == TAU_STATUS_SUCCESS) {
            status = taud_segment_open(&storage->store, storage->compaction_codec, facts.name,
                                       &made, &fault, compaction->error);
            if (status != TAU_STATUS_SUCCESS)
                remove_object(compaction->engine, facts.name);
        }
    }
    if (status == TAU_STATUS_SUCCESS)
        status = replace(compaction, made);
    taud_segment_release(made);
    return status;
}

// --- damage -----------------------------------------------------------------------------------

// Reads every chunk. One that is damaged keeps its segment from being compacted: the others of it
// are read where they are.
static void look_for_damage(struct taud_engine *engine, struct taud_segment *segment)
{
    struct taud_segment_cursor cursor;
    if (!taud_segment_cursor_init(&cursor, segment))
        return;
    for (uint32_t i = 0; i < segment->facts.series_count; i++) {
        struct taud_chunk_run chunks = taud_segment_series(segment, i);
        for (uint32_t k = chunks.first; k < chunks.first + chunks.count; k++) {
            const uint8_t *chunk;
            size_t size;
            bool damaged = false;
            (void)!taud_segment_cursor_read(&cursor, segment->identities[i], k, &chunk, &size,
                                            &damaged, NULL);
            if (damaged)
                atomic_fetch_add(&engine->storage.figures.damaged_count, 1);
            segment->spoiled |= damaged;
        }
        if (!taud_storage_pause(engine))
            break;
    }
    taud_segment_cursor_done(&cursor);
}

// --- all --------------------------------------------------------------------------------------

static bool prepare(struct compaction *compaction)
{
    const struct taud_compaction_job *job = compaction->job;
    struct taud_storage *storage = compaction->storage;
    const struct taud_allocator *allocator = compaction->engine->allocator;
    struct taud_merge_options options = {.allocator = allocator,
                                         .codec = storage->compaction_codec,
                                         .from = INT64_MIN,
                                         .to = INT64_MAX,
                                         .past_cache = true};
    compaction->writer = NULL;
    compaction->bytes_done = 0;
    compaction->tombstones = taud_storage_tombstones(compaction->engine, &compaction->by_log);
    compaction->places =
        allocator->allocate(allocator->context, job->count * sizeof *compaction->places);
    compaction->merge = taud_merge_new(&options);
    if (compaction->places)
        memset(compaction->places, 0, job->count * sizeof *compaction->places);
    taud_chunker_init(&compaction->chunker,
                      &(struct taud_chunker_options){.codec = storage->compaction_codec,
                                                     .effort = job->effort,
                                                     .small = SMALL_CHUNK,
                                                     .anew = job->anew});
    return compaction->tombstones && compaction->places && compaction->merge;
}

static void mark_busy(const struct taud_compaction_job *job, bool busy)
{
    for (uint32_t i = 0; i < job->count; i++)
        job->segments[i]->busy = busy;
}

enum tau_status taud_compaction_run(struct taud_engine *engine,
                                    const struct taud_compaction_job *job, struct taud_error *error)
{
    const struct taud_allocator *allocator = engine->allocator;
    struct compaction *compaction = allocator->allocate(allocator->context, sizeof *compaction);
    if (!compaction)
        return taud_error_set(error, TAU_STATUS_NO_MEMORY, 0, "no memory to compact");
    compaction->engine = engine;
    compaction->storage = &engine->storage;
    compaction->job = job;
    compaction->error = error;
    engine->storage.compactions++;
    mark_busy(job, true);
    enum tau_status status = prepare(compaction) ? merge_all(compaction) : no_memory(compaction);
    if (status == TAU_STATUS_SUCCESS)
        status = conclude(compaction);
    mark_busy(job, false);
    engine->storage.compactions--;
    taud_segment_writer_abandon(compaction->writer);
    taud_merge_free(compaction->merge);
    taud_view_release(compaction->tombstones);
    allocator->release(allocator->context, compaction->places);
    allocator->release(allocator->context, compaction);
    if (status == TAU_STATUS_OUTCOME_UNKNOWN)
        taud_storage_fail(&engine->storage, error);
    for (uint32_t i = 0; i < job->count && status == TAU_STATUS_INTERNAL_ERROR; i++)
        look_for_damage(engine, job->segments[i]);
    return status;
}
