// SPDX-License-Identifier: MIT
// The storage thread's part is played by hand: a cut raises the generation, and storing it writes
// the model's points of it into a segment, puts a view of that in place, and detaches the memory.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "read_rig.h"

#include <string.h>

enum { ARENA_BYTES = 16 << 20 };

uint32_t read_rig_dice(struct read_rig *rig, uint32_t sides)
{
    uint64_t z = rig->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)((z ^ (z >> 31)) % sides);
}

static int64_t tell_time(void *context)
{
    return ((struct read_rig *)context)->now;
}

void read_rig_init(struct read_rig *rig, uint64_t seed)
{
    static const struct tau_label label = {{'a'}};
    memset(rig, 0, sizeof *rig);
    merge_rig_init(&rig->places, true);
    struct taud_engine *engine = &rig->engine;
    engine->allocator = rig->places.store.store.allocator;
    assert_true(taud_arena_init(&engine->arena, ARENA_BYTES, engine->allocator));
    rig->clock = (struct taud_clock){.context = rig, .realtime_ns = tell_time};
    rig->now = INT64_MAX;
    engine->storage.clock = &rig->clock;
    engine->storage.generation = 1;
    pthread_mutex_init(&engine->storage.views.mutex, NULL);
    engine->storage.views.current = taud_view_new(engine->allocator, 0, NULL, 0, NULL, 0);
    taud_codecs_init(&engine->codecs, engine->allocator);
    rig->shard = &engine->shards[3];
    pthread_mutex_init(&rig->shard->mutex, NULL);
    taud_pool_init(&rig->shard->pool, &engine->arena);
    rig->shard->codec = taud_codec_new(engine->allocator);
    rig->shard->newest = INT64_MIN;
    rig->series = taud_series_new(&engine->arena, &label, 1, MERGE_RIG_IDENTITY);
    assert_true(rig->shard->codec && rig->series && engine->storage.views.current);
    rig->series->generation = 1;
    rig->next_sequence = 1;
    rig->random = seed;
}

void read_rig_done(struct read_rig *rig)
{
    struct taud_engine *engine = &rig->engine;
    taud_series_release(rig->series, &engine->arena);
    taud_pool_close(&rig->shard->pool);
    taud_codec_free(rig->shard->codec);
    taud_codecs_done(&engine->codecs);
    taud_view_release(engine->storage.views.current);
    pthread_mutex_destroy(&engine->storage.views.mutex);
    pthread_mutex_destroy(&rig->shard->mutex);
    assert_int_equal(taud_arena_used(&engine->arena), 0);
    taud_arena_done(&engine->arena);
    merge_rig_done(&rig->places);
}

// --- writing ----------------------------------------------------------------------------------

static struct taud_series_memory memory_of(struct read_rig *rig)
{
    return (struct taud_series_memory){&rig->engine.arena, &rig->shard->pool, rig->shard->codec};
}

// As every change begins.
static struct taud_series_memory begin(struct read_rig *rig)
{
    struct taud_series_memory memory = memory_of(rig);
    uint32_t generation = rig->engine.storage.generation;
    if (taud_series_is_behind(rig->series, generation))
        assert_true(taud_series_freeze(rig->series, &memory, generation));
    return memory;
}

static void note(struct read_rig *rig, int64_t timestamp, double value)
{
    rig->points.there[timestamp] = rig->young.there[timestamp] = true;
    rig->points.values[timestamp] = rig->young.values[timestamp] = value;
    rig->next = timestamp >= rig->next ? timestamp + 1 : rig->next;
    taud_shard_see(rig->shard, timestamp);
}

void read_rig_append(struct read_rig *rig, int64_t timestamp, double value)
{
    struct taud_series_memory memory = begin(rig);
    if (taud_series_in_order(rig->series, timestamp))
        assert_true(taud_series_append(rig->series, &memory, timestamp, value));
    else
        assert_true(taud_series_append_late(rig->series, &memory, timestamp, value));
    note(rig, timestamp, value);
}

// A chunk, in order or late.
static void append_chunk(struct read_rig *rig, int64_t first, uint32_t step, uint32_t count,
                         bool late)
{
    int64_t timestamps[TAUD_CHUNK_POINTS_MAX];
    double values[TAUD_CHUNK_POINTS_MAX];
    struct taud_series_memory memory = begin(rig);
    for (uint32_t i = 0; i < count; i++) {
        timestamps[i] = first + (int64_t)i * step;
        values[i] = read_rig_dice(rig, 1000);
        note(rig, timestamps[i], values[i]);
    }
    struct taud_sealed *sealed =
        taud_sealed_encode(memory.pool, memory.codec, timestamps, values, count, NULL);
    assert_non_null(sealed);
    assert_true(taud_series_append_sealed(rig->series, &memory, sealed, late));
}

static struct taud_view *view_with(struct read_rig *rig, const struct taud_tombstone *tombstone)
{
    struct taud_view *view = taud_view_with(rig->engine.storage.views.current, tombstone);
    assert_non_null(view);
    return view;
}

void read_rig_delete(struct read_rig *rig, int64_t from, int64_t to)
{
    struct taud_series_memory memory = memory_of(rig);
    struct taud_storage *storage = &rig->engine.storage;
    // The newest sequence: that of the generation that was cut, where there is one.
    struct taud_tombstone tombstone = {MERGE_RIG_IDENTITY, from, to, rig->next_sequence - 1};
    if (!taud_series_is_behind(rig->series, storage->generation))
        assert_true(taud_series_delete(rig->series, &memory, from, to));
    taud_views_replace(&storage->views, view_with(rig, &tombstone));
    for (int64_t i = from; i <= to && i < READ_RIG_TIME; i++)
        rig->points.there[i] = rig->young.there[i] = false;
}

// --- storing ----------------------------------------------------------------------------------

void read_rig_cut(struct read_rig *rig)
{
    struct taud_storage *storage = &rig->engine.storage;
    assert_int_equal(rig->pending, 0);
    rig->pending = storage->generation;
    storage->generation++;
    storage->flush_sequence = rig->next_sequence++;
    taud_pool_close(&rig->shard->pool);
    rig->old = rig->young;
    memset(&rig->young, 0, sizeof rig->young);
}

static struct taud_segment *write_segment(struct read_rig *rig)
{
    static int64_t timestamps[READ_RIG_TIME];
    static double values[READ_RIG_TIME];
    static struct merge_rig_points chunks[READ_RIG_TIME];
    uint32_t count = 0, chunk_count = 0, most = 1 + read_rig_dice(rig, TAUD_CHUNK_POINTS_MAX);
    for (int64_t i = 0; i < READ_RIG_TIME; i++) {
        if (!rig->old.there[i])
            continue;
        timestamps[count] = i;
        values[count++] = rig->old.values[i];
    }
    for (uint32_t at = 0; at < count; at += most) {
        uint32_t size = count - at < most ? count - at : most;
        chunks[chunk_count++] = (struct merge_rig_points){timestamps + at, values + at, size};
    }
    if (count == 0)
        return NULL;
    return merge_rig_segment(&rig->places, rig->engine.storage.flush_sequence, chunks, chunk_count,
                             NULL);
}

void read_rig_store(struct read_rig *rig)
{
    struct taud_storage *storage = &rig->engine.storage;
    struct taud_view *current = storage->views.current;
    struct taud_segment *segments[READ_RIG_SEGMENTS + 1];
    uint32_t count = current->segment_count;
    assert_true(rig->pending > 0);
    memcpy(segments, current->segments, count * sizeof *segments);
    segments[count] = write_segment(rig);
    count += segments[count] != NULL;
    struct taud_view *next = taud_view_new(rig->engine.allocator, rig->pending, segments, count,
                                           current->tombstones, current->tombstone_count);
    assert_non_null(next);
    taud_views_replace(&storage->views, next);
}

void read_rig_detach(struct read_rig *rig)
{
    struct taud_run *run = taud_series_detach(rig->series, &rig->engine.arena, rig->pending);
    if (run)
        taud_run_release(run, &rig->engine.arena);
    rig->series->stored = true;
    rig->pending = 0;
}

// --- any change -------------------------------------------------------------------------------

static void append_some(struct read_rig *rig)
{
    uint32_t count = 1 + read_rig_dice(rig, 400), late = read_rig_dice(rig, 3);
    for (uint32_t i = 0; i < count; i++) {
        int64_t timestamp = rig->next + read_rig_dice(rig, 3);
        if (rig->next > 0 && (late == 1 || (late == 2 && read_rig_dice(rig, 4) == 0)))
            timestamp = read_rig_dice(rig, (uint32_t)rig->next);
        if (timestamp < READ_RIG_TIME)
            read_rig_append(rig, timestamp, read_rig_dice(rig, 1000));
    }
}

static void append_some_chunk(struct read_rig *rig)
{
    uint32_t count = 1 + read_rig_dice(rig, 300), step = 1 + read_rig_dice(rig, 3);
    int64_t first = rig->next;
    bool late = rig->next > 0 && read_rig_dice(rig, 2);
    if (late)
        first = read_rig_dice(rig, (uint32_t)rig->next);
    while (count > 0 && first + (int64_t)count * step >= (late ? rig->next : READ_RIG_TIME))
        count /= 2;
    if (count > 0)
        append_chunk(rig, first, step, count, late);
}

void read_rig_change(struct read_rig *rig)
{
    uint32_t from = read_rig_dice(rig, READ_RIG_TIME);
    bool stored = rig->pending > 0 && rig->engine.storage.views.current->generation >= rig->pending;
    switch (read_rig_dice(rig, 8)) {
    case 0:
        read_rig_delete(rig, from, from + read_rig_dice(rig, 500));
        break;
    case 1:
        if (stored)
            read_rig_detach(rig);
        else if (rig->pending > 0)
            read_rig_store(rig);
        else if (rig->places.segment_count < MERGE_RIG_SEGMENTS)
            read_rig_cut(rig);
        break;
    case 2:
    case 3:
        append_some_chunk(rig);
        break;
    default:
        append_some(rig);
    }
}
