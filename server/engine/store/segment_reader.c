// SPDX-License-Identifier: MIT
// Opens segments, finds chunks in their columns and reads them. Records that begin in the same 16
// KiB are read and cached together, and checked once, when they come from the backend; only where
// one of them was found damaged each is checked again when it is asked for.
#include "segment_load.h"

#include <assert.h>

static enum tau_status read_index(struct taud_segment_opening *opening)
{
    struct taud_segment *segment = opening->segment;
    const struct taud_allocator *allocator = opening->store.allocator;
    uint64_t from = segment->facts.index_offset;
    uint64_t size = segment->facts.size - TAUD_SEGMENT_FOOT_BYTES - from;
    uint8_t *index = allocator->allocate(allocator->context, (size_t)size + 1);
    if (!index)
        return taud_segment_no_memory(opening);
    enum tau_status status = opening->store.backend->objects->read(
        segment->object, index, (size_t)size, from, opening->error);
    if (status == TAU_STATUS_SUCCESS)
        status = taud_segment_load(opening, index, (size_t)size);
    if (status != TAU_STATUS_SUCCESS)
        allocator->release(allocator->context, index);
    return status;
}

enum tau_status taud_segment_open(const struct taud_store *store, struct taud_codec *codec,
                                  struct taud_segment_name name, struct taud_segment **ret_segment,
                                  enum taud_segment_fault *ret_fault, struct taud_error *error)
{
    struct taud_segment_opening opening = {
        .store = *store, .codec = codec, .ret_fault = ret_fault, .error = error};
    enum tau_status status = taud_segment_begin_open(&opening, name);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    if (opening.has_foot)
        status = read_index(&opening);
    else
        status = taud_segment_refuse(&opening, TAUD_SEGMENT_DAMAGED_INDEX, "has a damaged footer");
    if (status == TAU_STATUS_SUCCESS)
        *ret_segment = opening.segment;
    else
        taud_segment_release(opening.segment);
    return status;
}

void taud_segment_retain(struct taud_segment *segment)
{
    atomic_fetch_add_explicit(&segment->references, 1, memory_order_relaxed);
}

void taud_segment_release(struct taud_segment *segment)
{
    if (!segment || atomic_fetch_sub_explicit(&segment->references, 1, memory_order_acq_rel) != 1)
        return;
    const struct taud_allocator *allocator = segment->store.allocator;
    if (segment->store.cache)
        taud_cache_forget(segment->store.cache, segment->owner);
    segment->store.backend->objects->close(segment->object);
    allocator->release(allocator->context, segment->index);
    allocator->release(allocator->context, segment->columns);
    allocator->release(allocator->context, segment);
}

uint64_t taud_segment_memory(const struct taud_segment *segment)
{
    return sizeof *segment + segment->columns_bytes + segment->index_bytes;
}

// --- finding ----------------------------------------------------------------------------------

enum { BY_IDENTITY = 0 };
static const uint64_t BY_TIME = UINT64_C(1) << 63; // what turns timestamps into numbers that ascend

// The first of ascending numbers from `low` to `high` - 1 that is not below `wanted`; `high` for
// none. `turn` turns bits of them. Identities are given in order, and chunks mostly are as long as
// their neighbours: so where a number would be if all were even is mostly where it is.
static uint32_t search(const uint64_t *numbers, uint64_t turn, uint32_t low, uint32_t high,
                       uint64_t wanted)
{
    for (unsigned guesses = 0; guesses < 3 && high - low > 8; guesses++) {
        uint64_t first = numbers[low] ^ turn, last = numbers[high - 1] ^ turn;
        if (wanted <= first)
            return low;
        if (wanted > last)
            return high;
        double share = (double)(wanted - first) / (double)(last - first);
        uint32_t guess = low + (uint32_t)(share * (double)(high - 1 - low));
        if ((numbers[guess] ^ turn) >= wanted) {
            high = guess + 1;
            low = guess > low + 4 && (numbers[guess - 4] ^ turn) < wanted ? guess - 3 : low;
        } else {
            low = guess + 1;
            high = high - low > 4 && (numbers[low + 3] ^ turn) >= wanted ? low + 4 : high;
        }
    }
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if ((numbers[middle] ^ turn) < wanted)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

// The same of the timestamps of chunks.
static uint32_t search_timestamp(const int64_t *timestamps, uint32_t low, uint32_t high, int64_t at)
{
    return search((const uint64_t *)(const void *)timestamps, BY_TIME, low, high,
                  (uint64_t)at ^ BY_TIME);
}

// The chunks of a series.
static struct taud_chunk_run find_series(const struct taud_segment *segment, uint64_t identity)
{
    uint32_t count = (uint32_t)segment->facts.series_count;
    uint32_t series = search(segment->identities, BY_IDENTITY, 0, count, identity);
    if (series == count || segment->identities[series] != identity)
        return (struct taud_chunk_run){0, 0};
    return taud_segment_series(segment, series);
}

bool taud_segment_find_chunk(const struct taud_segment *segment, uint64_t identity,
                             int64_t timestamp, uint32_t *ret_chunk)
{
    struct taud_chunk_run all = find_series(segment, identity);
    uint32_t end = all.first + all.count;
    uint32_t chunk = search_timestamp(segment->last_timestamps, all.first, end, timestamp);
    if (chunk == end || segment->first_timestamps[chunk] > timestamp)
        return false;
    *ret_chunk = chunk;
    return true;
}

struct taud_chunk_run taud_segment_find(const struct taud_segment *segment, uint64_t identity,
                                        int64_t from, int64_t to)
{
    struct taud_chunk_run none = {0, 0};
    struct taud_chunk_run all = find_series(segment, identity);
    uint32_t end = all.first + all.count;
    if (from > to)
        return none;
    uint32_t first = search_timestamp(segment->last_timestamps, all.first, end, from);
    if (to < INT64_MAX)
        end = search_timestamp(segment->first_timestamps, first, end, to + 1);
    return first < end ? (struct taud_chunk_run){first, end - first} : none;
}

uint32_t taud_segment_summaries(const struct taud_segment *segment, struct taud_codec *codec,
                                uint32_t block, struct taud_chunk_columns *ret_columns)
{
    uint64_t start = segment->block_starts[block];
    return taud_index_block_columns(codec, segment->index + start,
                                    (size_t)(segment->block_starts[block + 1] - start),
                                    ret_columns);
}

// With a block's number: their key, no window's.
static const uint64_t SUMMARIES = UINT64_C(1) << 63;

_Static_assert(offsetof(struct taud_cache_block, data) % _Alignof(struct taud_chunk_columns) == 0,
               "columns stand in a block as they are");

enum tau_status taud_segment_hold_summaries(const struct taud_segment *segment,
                                            struct taud_codec *codec, uint32_t block, bool kept,
                                            struct taud_cache_block **ret_held)
{
    const struct taud_store *store = &segment->store;
    uint64_t key = SUMMARIES | block;
    struct taud_cache_block *held =
        store->cache ? taud_cache_find(store->cache, segment->owner, key) : NULL;
    if (!held) {
        held = taud_cache_make(store->allocator, segment->owner, key,
                               sizeof(struct taud_chunk_columns));
        if (!held)
            return TAU_STATUS_NO_MEMORY;
        struct taud_chunk_columns *columns = (struct taud_chunk_columns *)(void *)held->data;
        if (taud_segment_summaries(segment, codec, block, columns) == 0) {
            taud_cache_release(store->allocator, held);
            return TAU_STATUS_INTERNAL_ERROR;
        }
        if (kept && store->cache)
            held = taud_cache_insert(store->cache, held);
    }
    *ret_held = held;
    return TAU_STATUS_SUCCESS;
}

// --- reading ----------------------------------------------------------------------------------

enum { RECORD_NEAR_BYTES = 64 }; // its frame and the chunk's header are not far from its start

static uint64_t window_of(const struct taud_segment *segment, uint32_t chunk)
{
    return taud_segment_offset(segment, chunk) / TAUD_SEGMENT_BLOCK_BYTES;
}

// Checks what was read: all records of the run, whose first one begins at block->start.
static void check_records(const struct taud_segment *segment, struct taud_chunk_run run,
                          struct taud_cache_block *block)
{
    for (uint32_t i = run.first; i < run.first + run.count; i++) {
        struct taud_segment_record record;
        uint64_t offset = taud_segment_offset(segment, i);
        if (!taud_segment_record_decode(segment->facts.file_id, offset,
                                        block->data + (offset - block->start), segment->sizes[i],
                                        &record))
            block->damaged_count++;
    }
}

static enum tau_status fetch(struct taud_segment *segment, uint32_t chunk,
                             struct taud_cache_block **ret_block, struct taud_error *error)
{
    const struct taud_store *store = &segment->store;
    uint64_t window = window_of(segment, chunk);
    uint32_t first = chunk, end = chunk + 1;
    while (first > 0 && window_of(segment, first - 1) == window)
        first--;
    while (end < segment->facts.chunk_count && window_of(segment, end) == window)
        end++;
    uint64_t start = taud_segment_offset(segment, first);
    uint64_t size = taud_segment_offset(segment, end - 1) + segment->sizes[end - 1] - start;
    struct taud_cache_block *block =
        taud_cache_make(store->allocator, segment->owner, window, (uint32_t)size);
    if (!block)
        return taud_error_set(error, TAU_STATUS_NO_MEMORY, 0, "no memory for a piece of a segment");
    enum tau_status status =
        store->backend->objects->read(segment->object, block->data, (size_t)size, start, error);
    if (status != TAU_STATUS_SUCCESS) {
        taud_cache_release(store->allocator, block);
        return status;
    }
    block->start = start;
    check_records(segment, (struct taud_chunk_run){first, end - first}, block);
    *ret_block = store->cache ? taud_cache_insert(store->cache, block) : block;
    return TAU_STATUS_SUCCESS;
}

enum tau_status taud_segment_refuse_chunk(const struct taud_segment *segment, uint64_t identity,
                                          uint32_t chunk, struct taud_error *error)
{
    char name[TAUD_SEGMENT_NAME_BYTES];
    taud_segment_object_name(segment->facts.name, name);
    return taud_error_set(error, TAU_STATUS_INTERNAL_ERROR, 0,
                          "%s: the chunk of series %llu at offset %llu, %u bytes, is damaged", name,
                          (unsigned long long)identity,
                          (unsigned long long)taud_segment_offset(segment, chunk),
                          (unsigned)segment->sizes[chunk]);
}

void taud_segment_prefetch(const struct taud_segment *segment, uint32_t chunk, bool block)
{
    if (segment->store.cache)
        taud_cache_prefetch(segment->store.cache, segment->owner, window_of(segment, chunk), block);
}

struct taud_cache_block *taud_segment_hold(const struct taud_segment *segment, uint32_t chunk)
{
    struct taud_cache *cache = segment->store.cache;
    struct taud_cache_block *block =
        cache ? taud_cache_find(cache, segment->owner, window_of(segment, chunk)) : NULL;
    if (block) {
        const uint8_t *record = block->data + (taud_segment_offset(segment, chunk) - block->start);
        __builtin_prefetch(record);
        __builtin_prefetch(record + RECORD_NEAR_BYTES);
    }
    return block;
}

enum tau_status taud_segment_read(struct taud_segment *segment, uint64_t identity, uint32_t chunk,
                                  struct taud_chunk_bytes *ret_bytes, bool *ret_damaged,
                                  struct taud_error *error)
{
    return taud_segment_read_held(segment, identity, chunk, taud_segment_hold(segment, chunk),
                                  ret_bytes, ret_damaged, error);
}

enum tau_status taud_segment_read_held(struct taud_segment *segment, uint64_t identity,
                                       uint32_t chunk, struct taud_cache_block *held,
                                       struct taud_chunk_bytes *ret_bytes, bool *ret_damaged,
                                       struct taud_error *error)
{
    struct taud_cache_block *block = held;
    *ret_damaged = false;
    if (!block) {
        enum tau_status status = fetch(segment, chunk, &block, error);
        if (status != TAU_STATUS_SUCCESS)
            return status;
        assert(block);
    }
    struct taud_segment_record record;
    uint64_t offset = taud_segment_offset(segment, chunk);
    const uint8_t *bytes = block->data + (offset - block->start);
    size_t size = segment->sizes[chunk];
    bool good =
        block->damaged_count == 0
            ? taud_segment_record_look(bytes, size, &record)
            : taud_segment_record_decode(segment->facts.file_id, offset, bytes, size, &record);
    if (!good || record.identity != identity || record.size != size) {
        taud_cache_release(segment->store.allocator, block);
        *ret_damaged = true;
        return taud_segment_refuse_chunk(segment, identity, chunk, error);
    }
    *ret_bytes = (struct taud_chunk_bytes){record.chunk, record.chunk_size, block};
    return TAU_STATUS_SUCCESS;
}

void taud_segment_give_back(const struct taud_store *store, const struct taud_chunk_bytes *bytes)
{
    taud_cache_release(store->allocator, bytes->block);
}
