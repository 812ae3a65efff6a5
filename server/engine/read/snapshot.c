// SPDX-License-Identifier: MIT
// Under the lock only counts are noted, references taken and heads copied. What a run has of chunks
// is added to at its end and never taken away from, so its first ones can be listed later; but
// pages of the list may move, so the lock is taken again for a page's worth at a time.
#include "snapshot.h"

#include <assert.h>
#include <string.h>

enum { LISTED_TOGETHER = TAUD_DIRECTORY_PAGE };

// --- with the lock ----------------------------------------------------------------------------

// Notes what of a run belongs to the snapshot, unless the view has it.
static void note_run(struct taud_snapshot *snapshot, const struct taud_series *series,
                     struct taud_run *run)
{
    const struct taud_directory *chunks = &run->chunks;
    if (run->generation <= snapshot->view->generation) {
        snapshot->stored = true;
        return;
    }
    struct taud_snapshot_run noted = {
        .run = run,
        .sequence = taud_storage_sequence(&snapshot->engine->storage, run->generation),
        .late_count = run->late.count,
        .with_heads = run->generation == series->generation,
    };
    uint32_t last = taud_directory_find(chunks, snapshot->to);
    if (last < chunks->count) {
        noted.first = taud_directory_find(chunks, snapshot->from);
        noted.first = noted.first < chunks->count ? noted.first : 0;
        noted.count = last + 1 - noted.first;
    }
    if (noted.count == 0 && noted.late_count == 0)
        return;
    assert(snapshot->run_count < 2);
    taud_run_retain(run);
    snapshot->runs[1] = snapshot->runs[0]; // they come newest first
    snapshot->runs[0] = noted;
    snapshot->run_count++;
}

// The part of a head that is asked for.
static uint32_t clip_head(const struct taud_snapshot *snapshot, const struct taud_head *head,
                          uint32_t *ret_first)
{
    if (head->count == 0 || head->points[0] > snapshot->to ||
        head->points[head->count - 1] < snapshot->from)
        return 0;
    *ret_first = taud_head_find(head, snapshot->from);
    uint32_t end = snapshot->to == INT64_MAX ? head->count : taud_head_find(head, snapshot->to + 1);
    return end - *ret_first;
}

static int64_t *copy_head(int64_t *out, const struct taud_head *head, uint32_t first,
                          uint32_t count)
{
    if (count > 0) {
        memcpy(out, head->points + first, count * sizeof(int64_t));
        memcpy(out + count, taud_head_values(head) + first, count * sizeof(double));
    }
    return out + 2 * (size_t)count;
}

static bool copy_heads(struct taud_snapshot *snapshot, const struct taud_series *series)
{
    const struct taud_allocator *allocator = snapshot->engine->allocator;
    uint32_t first = 0, late_first = 0;
    if (series->generation <= snapshot->view->generation) {
        snapshot->stored = true;
        return true;
    }
    snapshot->head_count = clip_head(snapshot, &series->head, &first);
    snapshot->late_count = clip_head(snapshot, &series->late, &late_first);
    size_t points = (size_t)snapshot->head_count + snapshot->late_count;
    if (points == 0)
        return true;
    snapshot->columns = allocator->allocate(allocator->context, points * 2 * sizeof(int64_t));
    if (!snapshot->columns)
        return false;
    snapshot->head_sequence = taud_storage_sequence(&snapshot->engine->storage, series->generation);
    int64_t *late = copy_head(snapshot->columns, &series->head, first, snapshot->head_count);
    copy_head(late, &series->late, late_first, snapshot->late_count);
    return true;
}

bool taud_snapshot_take(struct taud_snapshot *snapshot, struct taud_engine *engine,
                        const struct taud_series *series, int64_t from, int64_t to)
{
    int64_t edge = taud_storage_edge(engine, series->retention);
    *snapshot = (struct taud_snapshot){
        .engine = engine,
        .view = taud_views_take(&engine->storage.views),
        .identity = series->identity,
        .from = from > edge ? from : edge,
        .to = to,
        .stored = series->stored,
    };
    if (snapshot->from > snapshot->to) { // nothing is asked for, or all of it is too old
        snapshot->stored = false;
        return true;
    }
    if (!copy_heads(snapshot, series)) {
        taud_snapshot_done(snapshot);
        return false;
    }
    for (struct taud_run *run = series->run; run; run = run->older)
        note_run(snapshot, series, run);
    return true;
}

// --- without it -------------------------------------------------------------------------------

static void list(struct taud_shard *shard, const struct taud_directory *directory, uint32_t first,
                 uint32_t count, struct taud_sealed **ret)
{
    for (uint32_t done = 0, end; done < count; done = end) {
        end = count - done < LISTED_TOGETHER ? count : done + LISTED_TOGETHER;
        pthread_mutex_lock(&shard->mutex);
        for (uint32_t i = done; i < end; i++)
            ret[i] = taud_directory_at(directory, first + i)->item;
        pthread_mutex_unlock(&shard->mutex);
    }
}

bool taud_snapshot_complete(struct taud_snapshot *snapshot, struct taud_shard *shard)
{
    const struct taud_allocator *allocator = snapshot->engine->allocator;
    size_t count = 0;
    for (uint32_t i = 0; i < snapshot->run_count; i++)
        count += (size_t)snapshot->runs[i].count + snapshot->runs[i].late_count;
    if (count == 0)
        return true;
    snapshot->chunks = allocator->allocate(allocator->context, count * sizeof *snapshot->chunks);
    if (!snapshot->chunks)
        return false;
    struct taud_sealed **next = snapshot->chunks;
    for (uint32_t i = 0; i < snapshot->run_count; i++) {
        const struct taud_snapshot_run *run = &snapshot->runs[i];
        list(shard, &run->run->chunks, run->first, run->count, next);
        list(shard, &run->run->late, 0, run->late_count, next + run->count);
        next += (size_t)run->count + run->late_count;
    }
    return true;
}

void taud_snapshot_done(struct taud_snapshot *snapshot)
{
    const struct taud_allocator *allocator = snapshot->engine->allocator;
    for (uint32_t i = 0; i < snapshot->run_count; i++)
        taud_run_release(snapshot->runs[i].run, &snapshot->engine->arena);
    allocator->release(allocator->context, snapshot->chunks);
    allocator->release(allocator->context, snapshot->columns);
    taud_view_release(snapshot->view);
}

enum tau_status taud_snapshot_open(struct taud_snapshot *snapshot, struct taud_engine *engine,
                                   const struct tau_label *label, int64_t from, int64_t to)
{
    struct taud_shard *shard;
    const struct taud_series *series = taud_engine_lock_series(engine, label, &shard);
    if (!series)
        return TAU_STATUS_SERIES_NOT_FOUND;
    bool taken = taud_snapshot_take(snapshot, engine, series, from, to);
    pthread_mutex_unlock(&shard->mutex);
    if (!taken)
        return TAU_STATUS_NO_MEMORY;
    if (taud_snapshot_complete(snapshot, shard))
        return TAU_STATUS_SUCCESS;
    taud_snapshot_done(snapshot);
    return TAU_STATUS_NO_MEMORY;
}

// --- merging ----------------------------------------------------------------------------------

static bool add_segments(struct taud_merge *merge, const struct taud_snapshot *snapshot)
{
    const struct taud_view *view = snapshot->view;
    bool done = true;
    for (uint32_t i = 0; snapshot->stored && done && i < view->segment_count; i++)
        done = taud_merge_add_segment(merge, view->segments[i]);
    return done;
}

static bool add_head(struct taud_merge *merge, const struct taud_snapshot *snapshot)
{
    if (snapshot->head_count == 0)
        return true;
    const int64_t *timestamps = snapshot->columns;
    const double *values = (const double *)(const void *)(timestamps + snapshot->head_count);
    return taud_merge_add_columns(merge, timestamps, values, snapshot->head_count,
                                  snapshot->head_sequence);
}

static bool add_late_head(struct taud_merge *merge, const struct taud_snapshot *snapshot)
{
    if (snapshot->late_count == 0)
        return true;
    const int64_t *timestamps = snapshot->columns + 2 * (size_t)snapshot->head_count;
    const double *values = (const double *)(const void *)(timestamps + snapshot->late_count);
    return taud_merge_add_columns(merge, timestamps, values, snapshot->late_count,
                                  snapshot->head_sequence);
}

// In one generation: chunks in order, the head, late chunks, the late head.
static bool add_memory(struct taud_merge *merge, const struct taud_snapshot *snapshot)
{
    struct taud_sealed *const *chunks = snapshot->chunks;
    bool done = true, with_heads = false;
    for (uint32_t i = 0; done && i < snapshot->run_count; i++) {
        const struct taud_snapshot_run *run = &snapshot->runs[i];
        with_heads = run->with_heads;
        done = taud_merge_add_sealed(merge, chunks, run->count, run->sequence) &&
               (!with_heads || add_head(merge, snapshot)) &&
               taud_merge_add_late(merge, chunks + run->count, run->late_count, run->sequence);
        chunks += (size_t)run->count + run->late_count;
    }
    return done && (with_heads || add_head(merge, snapshot)) && add_late_head(merge, snapshot);
}

struct taud_merge *taud_snapshot_merge(const struct taud_snapshot *snapshot,
                                       const struct taud_snapshot_order *order)
{
    struct taud_merge_options options = {
        .allocator = snapshot->engine->allocator,
        .codec = order->codec,
        .identity = snapshot->identity,
        .from = order->from > snapshot->from ? order->from : snapshot->from,
        .to = order->to < snapshot->to ? order->to : snapshot->to,
        .descending = order->descending,
        .only_columns = order->only_columns,
        .cuts_chunks = order->cuts_chunks,
    };
    options.tombstones =
        taud_view_tombstones(snapshot->view, snapshot->identity, &options.tombstone_count);
    struct taud_merge *merge = taud_merge_new(&options);
    if (!merge || (options.from <= options.to &&
                   !(add_segments(merge, snapshot) && add_memory(merge, snapshot)))) {
        taud_merge_free(merge);
        return NULL;
    }
    return merge;
}
