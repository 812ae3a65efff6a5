// SPDX-License-Identifier: MIT
// Sealed chunks and the run that lists them. A chunk is counted by those who hold it, the runs that
// share it among them; a run by its series and its readers. Whoever lets go last gives back.
#include "run.h"

#include <string.h>

struct taud_sealed *taud_sealed_new(struct taud_pool *pool, size_t size)
{
    struct taud_sealed *sealed = taud_pool_take(pool, sizeof *sealed + size);
    if (!sealed)
        return NULL;
    atomic_init(&sealed->references, 1);
    sealed->size = (uint32_t)size;
    return sealed;
}

struct taud_sealed *taud_sealed_encode(struct taud_pool *pool, struct taud_codec *codec,
                                       const int64_t *timestamps, const double *values,
                                       uint32_t count, struct taud_chunk_hint *hint)
{
    uint8_t bytes[TAUD_CHUNK_BYTES_MAX];
    struct taud_chunk_summary summary;
    size_t size = taud_chunk_encode(codec, timestamps, values, count, TAUD_EFFORT_FAST, hint, bytes,
                                    &summary);
    struct taud_sealed *sealed = taud_sealed_new(pool, size);
    if (!sealed)
        return NULL;
    sealed->summary = summary;
    memcpy(sealed->bytes, bytes, size);
    return sealed;
}

bool taud_sealed_decode(const struct taud_sealed *sealed, struct taud_codec *codec,
                        int64_t *timestamps, double *values)
{
    struct taud_chunk chunk;
    return taud_chunk_open(sealed->bytes, sealed->size, &chunk) &&
           taud_chunk_timestamps(codec, &chunk, 0, chunk.count, timestamps) &&
           taud_chunk_values(codec, &chunk, 0, chunk.count, values);
}

void taud_sealed_release(struct taud_sealed *sealed, struct taud_arena *arena)
{
    if (atomic_fetch_sub_explicit(&sealed->references, 1, memory_order_acq_rel) == 1)
        taud_pool_give(arena, sealed);
}

struct taud_run *taud_run_new(struct taud_arena *arena, uint32_t generation)
{
    struct taud_run *run = taud_arena_take(arena, TAUD_BLOCK_128);
    if (!run)
        return NULL;
    memset(run, 0, sizeof *run);
    atomic_init(&run->references, 1);
    run->generation = generation;
    return run;
}

static void release_all(struct taud_directory *directory, struct taud_arena *arena)
{
    for (uint32_t i = 0; i < directory->count; i++)
        taud_sealed_release(taud_directory_at(directory, i)->item, arena);
    taud_directory_done(directory, arena);
}

void taud_run_release(struct taud_run *run, struct taud_arena *arena)
{
    if (atomic_fetch_sub_explicit(&run->references, 1, memory_order_acq_rel) != 1)
        return;
    release_all(&run->chunks, arena);
    release_all(&run->late, arena);
    taud_arena_give(arena, run, TAUD_BLOCK_128);
}

bool taud_run_add(struct taud_run *run, struct taud_arena *arena, struct taud_sealed *sealed,
                  bool late)
{
    uint32_t before = run->late.count;
    int64_t first = sealed->summary.first_timestamp;
    if (!taud_directory_add(late ? &run->late : &run->chunks, arena, first, sealed))
        return false;
    run->point_count += sealed->summary.count;
    run->byte_count += sizeof *sealed + sealed->size;
    if (late && run->late_ascending == before &&
        (before == 0 || taud_run_late(run, before - 1)->summary.last_timestamp < first))
        run->late_ascending = before + 1;
    return true;
}

static bool find_in_chunk(const struct taud_sealed *sealed, struct taud_codec *codec,
                          int64_t timestamp, double *ret_value)
{
    double value;
    bool found;
    if (timestamp < sealed->summary.first_timestamp || timestamp > sealed->summary.last_timestamp)
        return false;
    if (!taud_chunk_point(codec, sealed->bytes, sealed->size, timestamp, &found, &value) || !found)
        return false;
    *ret_value = value;
    return true;
}

// In chunks that ascend.
static bool find_ascending(const struct taud_directory *directory, struct taud_codec *codec,
                           int64_t timestamp, double *ret_value)
{
    uint32_t index = taud_directory_find(directory, timestamp);
    return index < directory->count &&
           find_in_chunk(taud_directory_at(directory, index)->item, codec, timestamp, ret_value);
}

bool taud_run_find(const struct taud_run *run, struct taud_codec *codec, int64_t timestamp,
                   double *ret_value)
{
    for (uint32_t i = run->late.count; i-- > run->late_ascending;) {
        const struct taud_directory_entry *entry = taud_directory_at(&run->late, i);
        if (entry->first <= timestamp && find_in_chunk(entry->item, codec, timestamp, ret_value))
            return true;
    }
    struct taud_directory ascending = run->late;
    ascending.count = run->late_ascending;
    return find_ascending(&ascending, codec, timestamp, ret_value) ||
           find_ascending(&run->chunks, codec, timestamp, ret_value);
}

// --- without a range --------------------------------------------------------------------------

struct removal {
    struct taud_run *left;
    struct taud_pool *pool;
    struct taud_codec *codec;
    int64_t from, to;
};

// Adds what of a chunk is outside the range.
static bool keep_part(const struct removal *removal, const struct taud_sealed *sealed, bool late)
{
    int64_t timestamps[TAUD_CHUNK_POINTS_MAX];
    double values[TAUD_CHUNK_POINTS_MAX];
    if (!taud_sealed_decode(sealed, removal->codec, timestamps, values))
        return false;
    uint32_t count = 0;
    for (uint32_t i = 0; i < sealed->summary.count; i++) {
        if (timestamps[i] >= removal->from && timestamps[i] <= removal->to)
            continue;
        timestamps[count] = timestamps[i];
        values[count++] = values[i];
    }
    if (count == 0)
        return true;
    struct taud_sealed *part =
        taud_sealed_encode(removal->pool, removal->codec, timestamps, values, count, NULL);
    if (!part)
        return false;
    bool added = taud_run_add(removal->left, removal->pool->arena, part, late);
    if (!added)
        taud_sealed_release(part, removal->pool->arena);
    return added;
}

static bool reaches_into(const struct taud_sealed *sealed, int64_t from, int64_t to)
{
    return sealed->summary.first_timestamp <= to && sealed->summary.last_timestamp >= from;
}

static bool keep_chunk(const struct removal *removal, struct taud_sealed *sealed, bool late)
{
    const struct taud_chunk_summary *summary = &sealed->summary;
    if (reaches_into(sealed, removal->from, removal->to))
        return (summary->first_timestamp >= removal->from &&
                summary->last_timestamp <= removal->to) ||
               keep_part(removal, sealed, late);
    if (!taud_run_add(removal->left, removal->pool->arena, sealed, late))
        return false;
    taud_sealed_retain(sealed);
    return true;
}

static bool keep_chunks(const struct removal *removal, const struct taud_run *run)
{
    for (uint32_t i = 0; i < run->chunks.count; i++) {
        if (!keep_chunk(removal, taud_run_chunk(run, i), false))
            return false;
    }
    for (uint32_t i = 0; i < run->late.count; i++) {
        if (!keep_chunk(removal, taud_run_late(run, i), true))
            return false;
    }
    return true;
}

bool taud_run_reaches_into(const struct taud_run *run, int64_t from, int64_t to)
{
    uint32_t index = taud_directory_find(&run->chunks, to);
    if (index < run->chunks.count && reaches_into(taud_run_chunk(run, index), from, to))
        return true;
    for (uint32_t i = 0; i < run->late.count; i++) {
        if (reaches_into(taud_run_late(run, i), from, to))
            return true;
    }
    return false;
}

struct taud_run *taud_run_without(struct taud_run *run, struct taud_pool *pool,
                                  struct taud_codec *codec, int64_t from, int64_t to)
{
    struct taud_run *left = taud_run_new(pool->arena, run->generation);
    if (!left)
        return NULL;
    struct removal removal = {left, pool, codec, from, to};
    if (!keep_chunks(&removal, run)) {
        taud_run_release(left, pool->arena);
        return NULL;
    }
    left->older = run->older;
    run->older = NULL;
    return left;
}

uint64_t taud_run_memory(const struct taud_run *run)
{
    return taud_block_bytes(TAUD_BLOCK_128) + taud_directory_memory(&run->chunks) +
           taud_directory_memory(&run->late) + run->byte_count;
}
