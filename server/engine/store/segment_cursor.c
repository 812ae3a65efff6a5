// SPDX-License-Identifier: MIT
// One buffer, filled from where the wanted record begins. Every record is checked when it is asked
// for, since each is asked for once. The system's cache is emptied behind the reader, so that the
// pages of one piece serve for the next. It must not know who reads.
#include "segment_cursor.h"

#include "segment_load.h"

bool taud_segment_cursor_init(struct taud_segment_cursor *cursor, struct taud_segment *segment)
{
    const struct taud_allocator *allocator = segment->store.allocator;
    uint8_t *buffer = allocator->allocate(allocator->context, TAUD_SEGMENT_CURSOR_BYTES);
    if (!buffer)
        return false;
    taud_segment_retain(segment);
    *cursor = (struct taud_segment_cursor){.segment = segment, .buffer = buffer};
    return true;
}

// From the beginning on each time: a cache lets go of its pages only where all of one is meant, and
// they may be larger than the buffer.
static void forget(const struct taud_segment_cursor *cursor)
{
    struct taud_segment *segment = cursor->segment;
    if (cursor->size > 0)
        segment->store.backend->objects->forget(segment->object, cursor->offset + cursor->size, 0);
}

void taud_segment_cursor_done(struct taud_segment_cursor *cursor)
{
    const struct taud_allocator *allocator = cursor->segment->store.allocator;
    forget(cursor);
    allocator->release(allocator->context, cursor->buffer);
    taud_segment_release(cursor->segment);
}

// Fills the buffer from `offset` on, with records alone.
static enum tau_status fill(struct taud_segment_cursor *cursor, uint64_t offset,
                            struct taud_error *error)
{
    struct taud_segment *segment = cursor->segment;
    uint64_t left = segment->facts.index_offset - offset;
    size_t size = left < TAUD_SEGMENT_CURSOR_BYTES ? (size_t)left : TAUD_SEGMENT_CURSOR_BYTES;
    forget(cursor);
    cursor->size = 0;
    enum tau_status status =
        segment->store.backend->objects->read(segment->object, cursor->buffer, size, offset, error);
    if (status == TAU_STATUS_SUCCESS) {
        cursor->offset = offset;
        cursor->size = size;
    }
    return status;
}

enum tau_status taud_segment_cursor_read(struct taud_segment_cursor *cursor, uint64_t identity,
                                         uint32_t chunk, const uint8_t **ret_chunk,
                                         size_t *ret_size, bool *ret_damaged,
                                         struct taud_error *error)
{
    const struct taud_segment *segment = cursor->segment;
    uint64_t offset = taud_segment_offset(segment, chunk);
    size_t size = segment->sizes[chunk];
    struct taud_segment_record record;
    *ret_damaged = false;
    if (offset < cursor->offset || offset + size > cursor->offset + cursor->size) {
        enum tau_status status = fill(cursor, offset, error);
        if (status != TAU_STATUS_SUCCESS)
            return status;
    }
    if (!taud_segment_record_decode(segment->facts.file_id, offset,
                                    cursor->buffer + (offset - cursor->offset), size, &record) ||
        record.identity != identity || record.size != size) {
        *ret_damaged = true;
        return taud_segment_refuse_chunk(segment, identity, chunk, error);
    }
    *ret_chunk = record.chunk;
    *ret_size = record.chunk_size;
    return TAU_STATUS_SUCCESS;
}
