// SPDX-License-Identifier: MIT
// Writes a segment: records go out through one buffer as they come, the index is kept in memory,
// small, and follows behind them with the footer. It must not know where chunks come from.
#include "index_builder.h"
#include "segment_format.h"

#include <string.h>

enum { BUFFER_BYTES = 256 << 10 };

struct taud_segment_writer {
    struct taud_store store;
    struct taud_index_builder index;
    struct taud_object_writer *object;
    uint64_t offset; // behind what was added
    size_t used;     // of the buffer
    uint8_t *buffer; // in `room`, where a block begins: its blocks need no place in a cache
    char name[TAUD_SEGMENT_NAME_BYTES];
    uint8_t room[BUFFER_BYTES + TAUD_IO_BLOCK];
};

static enum tau_status no_memory(const char *name, struct taud_error *error)
{
    return taud_error_set(error, TAU_STATUS_NO_MEMORY, 0, "no memory to write %s", name);
}

static enum tau_status drain(struct taud_segment_writer *writer, struct taud_error *error)
{
    size_t size = writer->used;
    writer->used = 0;
    return writer->store.backend->objects->write(writer->object, writer->buffer, size, error);
}

static enum tau_status append(struct taud_segment_writer *writer, const void *data, size_t size,
                              struct taud_error *error)
{
    const uint8_t *bytes = data;
    writer->offset += size;
    while (size > 0) {
        if (writer->used == BUFFER_BYTES) {
            enum tau_status status = drain(writer, error);
            if (status != TAU_STATUS_SUCCESS)
                return status;
        }
        size_t room = BUFFER_BYTES - writer->used;
        size_t step = size < room ? size : room;
        memcpy(writer->buffer + writer->used, bytes, step);
        writer->used += step;
        bytes += step;
        size -= step;
    }
    return TAU_STATUS_SUCCESS;
}

enum tau_status taud_segment_writer_new(const struct taud_store *store, struct taud_codec *codec,
                                        const struct taud_segment_facts *facts,
                                        struct taud_segment_writer **ret_writer,
                                        struct taud_error *error)
{
    const struct taud_allocator *allocator = store->allocator;
    char name[TAUD_SEGMENT_NAME_BYTES];
    taud_segment_object_name(facts->name, name);
    struct taud_segment_writer *writer = allocator->allocate(allocator->context, sizeof *writer);
    if (!writer)
        return no_memory(name, error);
    writer->store = *store;
    writer->object = NULL;
    writer->used = 0;
    writer->offset = 0;
    writer->buffer = writer->room + -(uintptr_t)writer->room % TAUD_IO_BLOCK;
    memcpy(writer->name, name, sizeof name);
    if (!taud_index_builder_init(&writer->index, allocator, codec, facts)) {
        allocator->release(allocator->context, writer);
        return no_memory(name, error);
    }
    enum tau_status status =
        store->backend->objects->begin(store->backend, name, &writer->object, error);
    if (status != TAU_STATUS_SUCCESS) {
        taud_segment_writer_abandon(writer);
        return status;
    }
    uint8_t head[TAUD_SEGMENT_HEAD_BYTES];
    taud_segment_head_encode(facts, head);
    (void)!append(writer, head, sizeof head, NULL); // it fits the buffer
    *ret_writer = writer;
    return TAU_STATUS_SUCCESS;
}

enum tau_status taud_segment_writer_add(struct taud_segment_writer *writer, uint64_t identity,
                                        const struct taud_chunk_summary *summary, const void *chunk,
                                        size_t size, struct taud_error *error)
{
    uint8_t frame[TAUD_RECORD_FRAME_MAX];
    if (size == 0 || size > TAUD_CHUNK_BYTES_MAX ||
        !taud_index_builder_accepts(&writer->index, identity, summary))
        return taud_error_set(error, TAU_STATUS_INVALID_ARGUMENT, 0,
                              "a chunk of series %llu does not belong where %s is",
                              (unsigned long long)identity, writer->name);
    uint64_t offset = writer->offset;
    size_t frame_size = taud_segment_frame_encode(writer->index.facts.file_id, offset, identity,
                                                  chunk, size, frame);
    if (!taud_index_builder_add(&writer->index, identity, summary, offset, frame_size + size))
        return no_memory(writer->name, error);
    enum tau_status status = append(writer, frame, frame_size, error);
    return status != TAU_STATUS_SUCCESS ? status : append(writer, chunk, size, error);
}

uint64_t taud_segment_writer_size(const struct taud_segment_writer *writer)
{
    const struct taud_index_builder *index = &writer->index;
    return writer->offset + index->piece_bytes + index->block->count * 12 + TAUD_SEGMENT_FOOT_BYTES;
}

uint64_t taud_segment_writer_memory(const struct taud_segment_writer *writer)
{
    return sizeof *writer + taud_index_builder_memory(&writer->index);
}

void taud_segment_writer_abandon(struct taud_segment_writer *writer)
{
    if (!writer)
        return;
    const struct taud_allocator *allocator = writer->store.allocator;
    writer->store.backend->objects->abandon(writer->object);
    taud_index_builder_done(&writer->index);
    allocator->release(allocator->context, writer);
}

// Everything behind the records.
static enum tau_status write_end(struct taud_segment_writer *writer, struct taud_error *error)
{
    struct taud_segment_facts *facts = &writer->index.facts;
    enum tau_status status = TAU_STATUS_SUCCESS;
    uint8_t foot[TAUD_SEGMENT_FOOT_BYTES];
    if (!taud_index_builder_finish(&writer->index))
        return no_memory(writer->name, error);
    facts->index_offset = writer->offset;
    for (struct taud_index_piece *piece = writer->index.first;
         piece && status == TAU_STATUS_SUCCESS; piece = piece->next)
        status = append(writer, piece->data, piece->size, error);
    taud_segment_foot_encode(facts, foot);
    if (status == TAU_STATUS_SUCCESS)
        status = append(writer, foot, sizeof foot, error);
    if (status == TAU_STATUS_SUCCESS)
        status = drain(writer, error);
    facts->size = writer->offset;
    return status;
}

enum tau_status taud_segment_writer_finish(struct taud_segment_writer *writer,
                                           struct taud_segment_facts *ret_facts,
                                           struct taud_error *error)
{
    struct taud_backend *backend = writer->store.backend;
    enum tau_status status = write_end(writer, error);
    if (status == TAU_STATUS_SUCCESS) {
        status = backend->objects->finish(writer->object, error);
        writer->object = NULL;
        if (status != TAU_STATUS_SUCCESS)
            (void)!backend->objects->remove(backend, writer->name, NULL);
    }
    if (status == TAU_STATUS_SUCCESS)
        *ret_facts = writer->index.facts;
    taud_segment_writer_abandon(writer);
    return status;
}
