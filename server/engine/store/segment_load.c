// SPDX-License-Identifier: MIT
// Opens a segment: what its ends say, then the index, block by block into columns that can be
// searched. Nothing is believed: sizes are held against the object before memory is taken for them,
// and a block that is sound by itself must follow the one before. It must not know what is in a
// chunk.
#include "segment_load.h"

#include <string.h>

enum tau_status taud_segment_refuse(struct taud_segment_opening *opening,
                                    enum taud_segment_fault fault, const char *what)
{
    *opening->ret_fault = fault;
    return taud_error_set(opening->error, TAU_STATUS_INTERNAL_ERROR, 0, "%s %s", opening->name,
                          what);
}

enum tau_status taud_segment_no_memory(struct taud_segment_opening *opening)
{
    return taud_error_set(opening->error, TAU_STATUS_NO_MEMORY, 0, "no memory to open %s",
                          opening->name);
}

// --- header and footer ------------------------------------------------------------------------

static enum tau_status refuse_future(struct taud_segment_opening *opening, uint32_t version)
{
    *opening->ret_fault = TAUD_SEGMENT_FUTURE;
    return taud_error_set(opening->error, TAU_STATUS_INTERNAL_ERROR, 0,
                          "%s is of format %u, this server knows %u; it was not touched",
                          opening->name, version, TAUD_SEGMENT_FORMAT);
}

// Whether a footer fits the object that it ends.
static bool foot_fits(const struct taud_segment_facts *facts, uint64_t size)
{
    return facts->index_offset >= TAUD_SEGMENT_HEAD_BYTES &&
           facts->index_offset <= size - TAUD_SEGMENT_FOOT_BYTES &&
           facts->chunk_count < UINT32_MAX &&
           facts->chunk_count <=
               (facts->index_offset - TAUD_SEGMENT_HEAD_BYTES) / TAUD_RECORD_MIN &&
           facts->series_count <= facts->chunk_count &&
           facts->point_count <= facts->chunk_count * TAUD_CHUNK_POINTS_MAX;
}

// Judges the first and the last bytes of an object of `size`, which has both.
static enum tau_status judge_ends(struct taud_segment_opening *opening,
                                  const uint8_t head[TAUD_SEGMENT_HEAD_BYTES],
                                  const uint8_t foot[TAUD_SEGMENT_FOOT_BYTES], uint64_t size)
{
    struct taud_segment_name name = opening->segment->facts.name;
    struct taud_segment_facts first = {0}, last = {0};
    uint32_t version = 0;
    enum taud_segment_part head_part = taud_segment_head_decode(head, &first, &version);
    enum taud_segment_part foot_part = taud_segment_foot_decode(foot, &last, &version);
    if (head_part == TAUD_PART_FUTURE || foot_part == TAUD_PART_FUTURE)
        return refuse_future(opening, version);
    opening->has_foot = foot_part == TAUD_PART_GOOD && foot_fits(&last, size);
    if (!opening->has_foot && head_part != TAUD_PART_GOOD)
        return taud_segment_refuse(opening, TAUD_SEGMENT_DAMAGED,
                                   "has neither a good header nor a good footer");
    struct taud_segment_facts *facts = &opening->segment->facts;
    opening->segment->head_damaged =
        opening->has_foot &&
        (head_part != TAUD_PART_GOOD || first.file_id != last.file_id ||
         first.last_sequence != last.last_sequence ||
         !taud_segment_name_equal(first.name, last.name));
    *facts = opening->has_foot ? last : first;
    facts->size = size;
    if (!taud_segment_name_equal(facts->name, name))
        return taud_segment_refuse(opening, TAUD_SEGMENT_DAMAGED, "holds another segment");
    return TAU_STATUS_SUCCESS;
}

static enum tau_status read_ends(struct taud_segment_opening *opening)
{
    const struct taud_objects_operations *objects = opening->store.backend->objects;
    struct taud_object *object = opening->segment->object;
    uint8_t head[TAUD_SEGMENT_HEAD_BYTES] = {0}, foot[TAUD_SEGMENT_FOOT_BYTES] = {0};
    uint64_t size = objects->size(object);
    enum tau_status status = TAU_STATUS_SUCCESS;
    if (size >= sizeof head)
        status = objects->read(object, head, sizeof head, 0, opening->error);
    if (status == TAU_STATUS_SUCCESS && size >= sizeof head + sizeof foot)
        status = objects->read(object, foot, sizeof foot, size - sizeof foot, opening->error);
    return status != TAU_STATUS_SUCCESS ? status : judge_ends(opening, head, foot, size);
}

enum tau_status taud_segment_begin_open(struct taud_segment_opening *opening,
                                        struct taud_segment_name name)
{
    const struct taud_store *store = &opening->store;
    struct taud_object *object;
    *opening->ret_fault = TAUD_SEGMENT_NO_FAULT;
    taud_segment_object_name(name, opening->name);
    enum tau_status status =
        store->backend->objects->open(store->backend, opening->name, &object, opening->error);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    if (!object)
        return taud_segment_refuse(opening, TAUD_SEGMENT_MISSING, "is missing");
    struct taud_segment *segment =
        store->allocator->allocate(store->allocator->context, sizeof *segment);
    if (!segment) {
        store->backend->objects->close(object);
        return taud_segment_no_memory(opening);
    }
    memset(segment, 0, sizeof *segment);
    segment->store = *store;
    segment->object = object;
    segment->owner = store->cache ? taud_cache_owner(store->cache) : 0;
    segment->facts.name = name;
    atomic_init(&segment->references, 1);
    opening->segment = segment;
    status = read_ends(opening);
    if (status != TAU_STATUS_SUCCESS)
        taud_segment_release(segment);
    return status;
}

// --- the index --------------------------------------------------------------------------------

static uint8_t *carve(uint8_t **at, size_t count, size_t size)
{
    uint8_t *piece = *at;
    *at += count * size;
    return piece;
}

// Takes memory for the columns, the widest first so that each is aligned.
static bool allocate_columns(struct taud_segment *segment, uint32_t blocks)
{
    const struct taud_allocator *allocator = segment->store.allocator;
    size_t chunks = (size_t)segment->facts.chunk_count;
    size_t series = (size_t)segment->facts.series_count;
    size_t bytes =
        series * 8 + chunks * (8 + 8 + 4 + 2) + ((size_t)blocks * 2 + 1) * 8 + (series + 1) * 4;
    uint8_t *at = segment->columns = allocator->allocate(allocator->context, bytes);
    if (!at)
        return false;
    segment->columns_bytes = bytes;
    segment->block_count = blocks;
    segment->identities = (uint64_t *)(void *)carve(&at, series, 8);
    segment->first_timestamps = (int64_t *)(void *)carve(&at, chunks, 8);
    segment->last_timestamps = (int64_t *)(void *)carve(&at, chunks, 8);
    segment->block_offsets = (uint64_t *)(void *)carve(&at, blocks, 8);
    segment->block_starts = (uint64_t *)(void *)carve(&at, blocks + 1, 8);
    segment->first_chunks = (uint32_t *)(void *)carve(&at, series + 1, 4);
    segment->offsets = (uint32_t *)(void *)carve(&at, chunks, 4);
    segment->sizes = (uint16_t *)(void *)carve(&at, chunks, 2);
    return true;
}

struct load {
    struct taud_segment *segment;
    struct taud_segment_facts seen; // so far
    uint64_t end;                   // of the last record
};

// Whether the first chunk of a block may follow the last one of the block before.
static bool follows(const struct load *load, const struct taud_index_block *block)
{
    const struct taud_segment *segment = load->segment;
    size_t chunks = (size_t)load->seen.chunk_count;
    if (block->offsets[0] < load->end)
        return false;
    if (chunks == 0)
        return true;
    uint64_t identity = segment->identities[load->seen.series_count - 1];
    return block->identities[0] > identity ||
           (block->identities[0] == identity &&
            block->first_timestamps[0] > segment->last_timestamps[chunks - 1]);
}

// Adds a sound block. Returns false where the segment has no room for what it says.
static bool take_block(struct load *load, const struct taud_index_block *block)
{
    struct taud_segment *segment = load->segment;
    struct taud_segment_facts *seen = &load->seen;
    size_t last = block->count - 1;
    if (!follows(load, block) || block->count > segment->facts.chunk_count - seen->chunk_count ||
        block->offsets[last] + block->sizes[last] > segment->facts.index_offset)
        return false;
    segment->block_offsets[seen->chunk_count / TAUD_COLUMN_MAX] = block->offsets[0];
    for (uint32_t i = 0; i < block->count; i++) {
        size_t chunk = (size_t)seen->chunk_count++;
        size_t series = (size_t)seen->series_count;
        if (series == 0 || segment->identities[series - 1] != block->identities[i]) {
            if (seen->series_count == segment->facts.series_count)
                return false;
            segment->identities[series] = block->identities[i];
            segment->first_chunks[series] = (uint32_t)chunk;
            seen->series_count++;
        }
        segment->first_timestamps[chunk] = block->first_timestamps[i];
        segment->last_timestamps[chunk] = block->last_timestamps[i];
        segment->offsets[chunk] = (uint32_t)(block->offsets[i] - block->offsets[0]);
        segment->sizes[chunk] = (uint16_t)block->sizes[i];
        seen->point_count += block->columns.counts[i];
    }
    load->end = block->offsets[last] + block->sizes[last];
    return true;
}

static bool take_index(struct taud_segment_opening *opening, const uint8_t *index, size_t size,
                       struct taud_index_block *block)
{
    struct taud_segment *segment = opening->segment;
    const struct taud_segment_facts *facts = &segment->facts;
    struct load load = {.segment = segment, .end = TAUD_SEGMENT_HEAD_BYTES};
    size_t at = 0;
    for (uint32_t i = 0; i < segment->block_count; i++) {
        size_t own = taud_index_block_size(index + at, size - at);
        segment->block_starts[i] = at;
        if (own == 0 ||
            !taud_index_block_decode(opening->codec, index + at, own, facts->file_id, i, block) ||
            (block->count < TAUD_COLUMN_MAX && i + 1 < segment->block_count) ||
            !take_block(&load, block))
            return false;
        at += own;
    }
    segment->block_starts[segment->block_count] = at;
    segment->first_chunks[facts->series_count] = (uint32_t)facts->chunk_count;
    return at == size && load.seen.chunk_count == facts->chunk_count &&
           load.seen.series_count == facts->series_count &&
           load.seen.point_count == facts->point_count;
}

enum tau_status taud_segment_load(struct taud_segment_opening *opening, uint8_t *index, size_t size)
{
    struct taud_segment *segment = opening->segment;
    const struct taud_allocator *allocator = opening->store.allocator;
    uint64_t blocks = (segment->facts.chunk_count + TAUD_COLUMN_MAX - 1) / TAUD_COLUMN_MAX;
    struct taud_index_block *block = allocator->allocate(allocator->context, sizeof *block);
    if (!block || !allocate_columns(segment, (uint32_t)blocks)) {
        allocator->release(allocator->context, block);
        return taud_segment_no_memory(opening);
    }
    bool good = take_index(opening, index, size, block);
    allocator->release(allocator->context, block);
    if (!good)
        return taud_segment_refuse(opening, TAUD_SEGMENT_DAMAGED_INDEX, "has a damaged index");
    segment->index = index;
    segment->index_bytes = size;
    return TAU_STATUS_SUCCESS;
}
