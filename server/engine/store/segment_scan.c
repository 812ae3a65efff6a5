// SPDX-License-Identifier: MIT
// Opens a segment whose index or footer is damaged by its chunks alone: records say whose they are
// and how large, and where one does not fit the next is looked for byte by byte. The index is made
// again, in memory. It must not change the object.
#include "index_builder.h"
#include "segment_load.h"

#include <string.h>

enum { WINDOW_BYTES = 512 << 10 };

_Static_assert((int)TAUD_INDEX_BLOCK_MAX >= (int)TAUD_RECORD_MAX &&
                   WINDOW_BYTES >= 2 * (int)TAUD_INDEX_BLOCK_MAX,
               "what is looked at lies in the window");

// What a scan works with, in one piece of memory.
struct scan {
    struct taud_segment_opening *opening;
    struct taud_index_builder index;
    struct taud_segment_scan found;
    uint64_t end;    // of what may be records
    uint64_t offset; // of the window
    size_t size;     // of what is in it
    int64_t timestamps[TAUD_CHUNK_POINTS_MAX];
    double values[TAUD_CHUNK_POINTS_MAX];
    uint8_t window[WINDOW_BYTES];
};

// Makes the bytes from `at` on visible, as many as one record or block of the index may have.
static enum tau_status look_at(struct scan *scan, uint64_t at, const uint8_t **ret_bytes,
                               size_t *ret_size)
{
    uint64_t left = scan->end - at;
    uint64_t needed = left < TAUD_INDEX_BLOCK_MAX ? left : (uint64_t)TAUD_INDEX_BLOCK_MAX;
    if (at + needed > scan->offset + scan->size) {
        struct taud_segment_opening *opening = scan->opening;
        uint64_t size = left < WINDOW_BYTES ? left : (uint64_t)WINDOW_BYTES;
        scan->size = 0;
        enum tau_status status = opening->store.backend->objects->read(
            opening->segment->object, scan->window, (size_t)size, at, opening->error);
        if (status != TAU_STATUS_SUCCESS)
            return status;
        scan->offset = at;
        scan->size = (size_t)size;
    }
    *ret_bytes = scan->window + (at - scan->offset);
    *ret_size = scan->size - (size_t)(at - scan->offset);
    return TAU_STATUS_SUCCESS;
}

static bool summarise(struct scan *scan, const struct taud_segment_record *record,
                      struct taud_chunk_summary *ret)
{
    struct taud_codec *codec = scan->opening->codec;
    struct taud_chunk chunk;
    if (!taud_chunk_open(record->chunk, record->chunk_size, &chunk) ||
        !taud_chunk_timestamps(codec, &chunk, 0, chunk.count, scan->timestamps) ||
        !taud_chunk_values(codec, &chunk, 0, chunk.count, scan->values))
        return false;
    taud_chunk_summarise(codec, scan->timestamps, scan->values, chunk.count, ret);
    return true;
}

// Whether the index begins here: then no record follows.
static bool is_index(const struct scan *scan, const uint8_t *bytes, size_t size)
{
    size_t own = taud_index_block_size(bytes, size);
    return own > 0 && own <= TAUD_INDEX_BLOCK_MAX &&
           taud_index_block_intact(bytes, own, scan->opening->segment->facts.file_id, 0);
}

// Goes through all records. `damaged` tells whether what stands before is none.
static enum tau_status scan_records(struct scan *scan)
{
    uint64_t file_id = scan->opening->segment->facts.file_id;
    bool damaged = false;
    for (uint64_t at = TAUD_SEGMENT_HEAD_BYTES; at < scan->end;) {
        const uint8_t *bytes;
        size_t size;
        struct taud_segment_record record;
        struct taud_chunk_summary summary;
        enum tau_status status = look_at(scan, at, &bytes, &size);
        if (status != TAU_STATUS_SUCCESS)
            return status;
        if (taud_segment_record_decode(file_id, at, bytes, size, &record) &&
            summarise(scan, &record, &summary) &&
            taud_index_builder_accepts(&scan->index, record.identity, &summary)) {
            if (!taud_index_builder_add(&scan->index, record.identity, &summary, at, record.size))
                return taud_segment_no_memory(scan->opening);
            at += record.size;
            damaged = false;
            continue;
        }
        if (is_index(scan, bytes, size))
            break;
        scan->found.damaged_count += !damaged;
        scan->found.damaged_bytes++;
        damaged = true;
        at++;
    }
    scan->found.chunk_count = scan->index.facts.chunk_count;
    return TAU_STATUS_SUCCESS;
}

// Puts the blocks of the new index behind each other and takes them.
static enum tau_status load_index(struct scan *scan)
{
    struct taud_segment_opening *opening = scan->opening;
    const struct taud_allocator *allocator = opening->store.allocator;
    struct taud_segment_facts *facts = &opening->segment->facts;
    uint64_t size = facts->size;
    if (!taud_index_builder_finish(&scan->index))
        return taud_segment_no_memory(opening);
    uint8_t *index = allocator->allocate(allocator->context, (size_t)scan->index.piece_bytes + 1);
    if (!index)
        return taud_segment_no_memory(opening);
    size_t used = 0;
    for (const struct taud_index_piece *piece = scan->index.first; piece; piece = piece->next) {
        memcpy(index + used, piece->data, piece->size);
        used += piece->size;
    }
    *facts = scan->index.facts;
    facts->size = size;
    facts->index_offset = scan->end;
    enum tau_status status = taud_segment_load(opening, index, used);
    if (status != TAU_STATUS_SUCCESS)
        allocator->release(allocator->context, index);
    return status;
}

static enum tau_status rebuild(struct taud_segment_opening *opening,
                               struct taud_segment_scan *ret_scan)
{
    const struct taud_allocator *allocator = opening->store.allocator;
    const struct taud_segment_facts *facts = &opening->segment->facts;
    struct scan *scan = allocator->allocate(allocator->context, sizeof *scan);
    if (!scan)
        return taud_segment_no_memory(opening);
    memset(&scan->found, 0, sizeof scan->found);
    scan->opening = opening;
    scan->offset = 0;
    scan->size = 0;
    scan->end = opening->has_foot ? facts->index_offset : facts->size;
    if (!taud_index_builder_init(&scan->index, allocator, opening->codec, facts)) {
        allocator->release(allocator->context, scan);
        return taud_segment_no_memory(opening);
    }
    enum tau_status status = scan_records(scan);
    if (status == TAU_STATUS_SUCCESS)
        status = load_index(scan);
    if (status == TAU_STATUS_SUCCESS)
        *ret_scan = scan->found;
    taud_index_builder_done(&scan->index);
    allocator->release(allocator->context, scan);
    return status;
}

enum tau_status taud_segment_rebuild(const struct taud_store *store, struct taud_codec *codec,
                                     struct taud_segment_name name,
                                     struct taud_segment **ret_segment,
                                     struct taud_segment_scan *ret_scan,
                                     enum taud_segment_fault *ret_fault, struct taud_error *error)
{
    struct taud_segment_opening opening = {
        .store = *store, .codec = codec, .ret_fault = ret_fault, .error = error};
    enum tau_status status = taud_segment_begin_open(&opening, name);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    status = rebuild(&opening, ret_scan);
    if (status == TAU_STATUS_SUCCESS) {
        opening.segment->rebuilt = true;
        *ret_segment = opening.segment;
    } else {
        taud_segment_release(opening.segment);
    }
    return status;
}
