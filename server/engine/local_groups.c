// SPDX-License-Identifier: MIT
// Groups of a segment, found through a window: a block of memory that holds the largest of them.
#include "local_groups.h"

#include "crc32c.h"

enum { WINDOW_BYTES = TAUD_LOG_GROUP_BYTES_MAX + (64 << 10) };

int taud_groups_init(struct taud_group_reader *reader, struct taud_local *local)
{
    const struct taud_allocator *allocator = local->allocator;
    *reader = (struct taud_group_reader){.local = local, .file = -1};
    reader->window = allocator->reserve(allocator->context, WINDOW_BYTES);
    return reader->window ? 0 : -ENOMEM;
}

void taud_groups_done(struct taud_group_reader *reader)
{
    const struct taud_allocator *allocator = reader->local->allocator;
    if (reader->window)
        allocator->unreserve(allocator->context, reader->window, WINDOW_BYTES);
    reader->window = NULL;
}

int taud_groups_open(struct taud_group_reader *reader, const struct taud_found_segment *segment)
{
    const struct taud_io *io = reader->local->io;
    char path[TAUD_PATH_BYTES];
    taud_local_segment_path(reader->local, path, segment->sequence);
    reader->segment = segment;
    reader->window_start = 0;
    reader->window_size = 0;
    reader->file = io->open(io->context, path, TAUD_IO_READ, 0);
    return reader->file < 0 ? reader->file : 0;
}

void taud_groups_close(struct taud_group_reader *reader)
{
    const struct taud_io *io = reader->local->io;
    io->close(io->context, reader->file);
    reader->file = -1;
}

const uint8_t *taud_groups_look(struct taud_group_reader *reader, uint64_t offset, size_t size)
{
    if (reader->io_status != 0 || offset > reader->segment->size ||
        reader->segment->size - offset < size)
        return NULL;
    if (offset < reader->window_start ||
        offset + size > reader->window_start + reader->window_size) {
        int64_t count =
            taud_io_read_all(reader->local->io, reader->file, reader->window, WINDOW_BYTES, offset);
        if (count < 0) {
            reader->io_status = (int)count;
            return NULL;
        }
        reader->window_start = offset;
        reader->window_size = (size_t)count;
        if (reader->window_size < size)
            return NULL;
    }
    return reader->window + (offset - reader->window_start);
}

// A good group at `offset` that may follow what was read.
static bool group_at(struct taud_group_reader *reader, uint64_t offset,
                     struct taud_group_header *ret, const uint8_t **ret_content)
{
    const uint8_t *bytes = taud_groups_look(reader, offset, TAUD_GROUP_HEADER_BYTES);
    if (!bytes || !taud_group_header_decode(bytes, ret) ||
        ret->file_id != reader->segment->header.file_id || ret->offset != offset ||
        ret->epoch < reader->least_epoch || ret->position < reader->expected)
        return false;
    bytes = taud_groups_look(reader, offset, TAUD_GROUP_HEADER_BYTES + ret->size);
    if (!bytes)
        return false;
    *ret_content = bytes + TAUD_GROUP_HEADER_BYTES;
    return taud_crc32c(0, *ret_content, ret->size) == ret->content_crc;
}

bool taud_groups_next(struct taud_group_reader *reader, uint64_t *offset,
                      struct taud_group_header *ret, const uint8_t **ret_content)
{
    if (group_at(reader, *offset, ret, ret_content))
        return true;
    uint64_t block = taud_local_next_block(*offset);
    if (!group_at(reader, block, ret, ret_content) || ret->position != reader->expected)
        return false;
    *offset = block;
    return true;
}

bool taud_groups_find(struct taud_group_reader *reader, uint64_t offset, uint64_t *ret_offset,
                      struct taud_group_header *ret)
{
    const uint8_t *content;
    for (; taud_groups_look(reader, offset, TAUD_GROUP_HEADER_BYTES);
         offset += TAUD_LOG_ALIGNMENT) {
        if (group_at(reader, offset, ret, &content)) {
            *ret_offset = offset;
            return true;
        }
    }
    return false;
}

// --- ends -------------------------------------------------------------------------------------

uint64_t taud_groups_written_end(struct taud_group_reader *reader, uint64_t offset)
{
    const uint8_t *bytes;
    uint64_t end = offset;
    for (uint64_t at = offset;
         (bytes = taud_groups_look(reader, at, TAUD_GROUP_HEADER_BYTES)) != NULL;
         at += TAUD_LOG_ALIGNMENT) {
        struct taud_group_header header;
        if (!taud_group_header_decode(bytes, &header) || header.offset != at ||
            header.file_id != reader->segment->header.file_id)
            continue;
        uint64_t group_end = at + TAUD_GROUP_HEADER_BYTES + header.size;
        if (group_end > end)
            end = group_end < reader->segment->size ? group_end : reader->segment->size;
    }
    return end;
}

uint64_t taud_groups_used_end(struct taud_group_reader *reader, uint64_t offset)
{
    uint64_t end = offset;
    const size_t step = 8;
    for (uint64_t at = offset; at < reader->segment->size; at += step) {
        uint64_t left = reader->segment->size - at;
        const uint8_t *bytes = taud_groups_look(reader, at, left < step ? (size_t)left : step);
        for (size_t i = 0; bytes && i < step && i < left; i++) {
            if (bytes[i] != 0)
                end = at + i + 1;
        }
    }
    return end;
}
