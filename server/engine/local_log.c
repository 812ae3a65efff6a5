// SPDX-License-Identifier: MIT
// Appending to the local log: groups are framed into an aligned buffer and written in whole blocks.
// The last block of an append is usually not full; the next append writes it again with the same
// bytes first. Nothing in the state moves before a write has succeeded, so a full disk leaves
// everything as it was.
#include "local.h"

#include "crc32c.h"

#include <errno.h>
#include <string.h>

struct writer {
    struct taud_local *local;
    int file;
    uint64_t base; // of the buffer in the file
    size_t used;
    int status;
};

static void flush(struct writer *writer)
{
    if (writer->status == 0)
        writer->status = taud_io_write_all(writer->local->io, writer->file, writer->local->buffer,
                                           writer->used, writer->base);
    writer->base += writer->used;
    writer->used = 0;
}

static void put(struct writer *writer, const uint8_t *data, size_t size)
{
    while (size > 0 && writer->status == 0) {
        size_t room = TAUD_WRITE_BUFFER_BYTES - writer->used;
        size_t step = size < room ? size : room;
        memcpy(writer->local->buffer + writer->used, data, step);
        writer->used += step;
        data += step;
        size -= step;
        if (writer->used == TAUD_WRITE_BUFFER_BYTES)
            flush(writer);
    }
}

static void put_group(struct writer *writer, const struct taud_log_group *group)
{
    struct taud_local *local = writer->local;
    uint8_t header[TAUD_GROUP_HEADER_BYTES];
    taud_group_header_encode(header, &(struct taud_group_header){
                                         .file_id = local->current.file_id,
                                         .offset = writer->base + writer->used,
                                         .epoch = local->epoch,
                                         .position = group->position,
                                         .synced_position = local->synced_position,
                                         .size = (uint32_t)group->size,
                                         .content_crc = taud_crc32c(0, group->data, group->size),
                                     });
    put(writer, header, sizeof header);
    put(writer, group->data, group->size);
}

// Puts what the buffer has to begin with: the segment's header, or the block that is not full yet.
static void begin(struct writer *writer)
{
    struct taud_local *local = writer->local;
    if (local->fresh) {
        writer->base = 0;
        taud_segment_header_encode(local->buffer, &local->current);
        writer->used = TAUD_SEGMENT_HEADER_BYTES;
        return;
    }
    writer->used = (size_t)(local->offset % TAUD_IO_BLOCK);
    writer->base = local->offset - writer->used;
    memcpy(local->buffer, local->block, writer->used);
}

// Fills the last block with zeros, writes it, and keeps it for the next append.
static uint64_t finish(struct writer *writer)
{
    struct taud_local *local = writer->local;
    uint64_t end = writer->base + writer->used;
    size_t partial = (size_t)(end % TAUD_IO_BLOCK);
    if (partial > 0) {
        memcpy(local->block + TAUD_IO_BLOCK, local->buffer + writer->used - partial, partial);
        memset(local->buffer + writer->used, 0, TAUD_IO_BLOCK - partial);
        writer->used += TAUD_IO_BLOCK - partial;
    }
    if (writer->used > 0)
        flush(writer);
    if (writer->status == 0)
        memcpy(local->block, local->block + TAUD_IO_BLOCK, partial);
    return end;
}

void taud_local_update_room(struct taud_local *local)
{
    pthread_mutex_lock(&local->mutex);
    uint64_t room = local->file >= 0 ? local->current.size - local->offset : 0;
    if (local->next_state == TAUD_NEXT_READY)
        room += local->next_size - TAUD_SEGMENT_HEADER_BYTES;
    atomic_store(&local->room, room);
    pthread_mutex_unlock(&local->mutex);
}

static int sync_file(struct taud_local *local)
{
    int status = local->io->sync(local->io->context, local->file);
    if (status == 0)
        return 0;
    local->failed = true;
    return status == -ENOSPC ? -EIO : status; // a sync that failed is lost, whatever it says
}

// Writes the first groups that fit the segment. Returns 0 or a negative errno.
static int append_groups(struct taud_local *local, const struct taud_log_group *groups,
                         size_t count, bool sync)
{
    uint64_t first = TAUD_GROUP_HEADER_BYTES + groups[0].size;
    if (local->failed)
        return -EIO;
    if (local->current.size - local->offset < first) {
        int status = taud_local_roll(local, first);
        if (status != 0)
            return status;
    }
    bool direct = sync && local->direct_file >= 0;
    struct writer writer = {.local = local, .file = direct ? local->direct_file : local->file};
    begin(&writer);
    uint64_t position = local->position;
    for (size_t i = 0; i < count; i++) {
        uint64_t end = writer.base + writer.used + TAUD_GROUP_HEADER_BYTES + groups[i].size;
        if (end > local->current.size)
            break;
        put_group(&writer, &groups[i]);
        position = groups[i].position + groups[i].size;
    }
    uint64_t end = finish(&writer);
    if (writer.status != 0)
        return writer.status;
    if (sync && (!direct || local->unsynced)) {
        int status = sync_file(local);
        if (status != 0)
            return status;
    }
    local->offset = end;
    local->fresh = false;
    local->position = position;
    local->unsynced = !sync;
    if (sync)
        local->synced_position = position;
    return 0;
}

static void local_append(struct taud_backend *backend, const struct taud_log_group *groups,
                         size_t count, bool sync, taud_log_completion *completion, void *user_data)
{
    struct taud_local *local = taud_local_of(backend);
    int status = append_groups(local, groups, count, sync);
    if (status == 0) {
        pthread_mutex_lock(&local->mutex);
        local->current_used = true;
        pthread_mutex_unlock(&local->mutex);
    } else if (status != -ENOSPC) {
        local->failed = true;
    }
    taud_local_update_room(local);
    if (status == 0)
        completion(TAU_STATUS_SUCCESS, 0, local->position, user_data);
    else if (status == -ENOSPC)
        completion(TAU_STATUS_STORAGE_FULL, ENOSPC, local->position, user_data);
    else
        completion(TAU_STATUS_INTERNAL_ERROR, -status, local->position, user_data);
}

static void local_sync(struct taud_backend *backend, taud_log_completion *completion,
                       void *user_data)
{
    struct taud_local *local = taud_local_of(backend);
    int status = local->failed ? -EIO : 0;
    if (status == 0 && local->unsynced)
        status = sync_file(local);
    if (status == 0) {
        local->unsynced = false;
        local->synced_position = local->position;
    }
    completion(status == 0 ? TAU_STATUS_SUCCESS : TAU_STATUS_INTERNAL_ERROR, -status,
               local->position, user_data);
}

static uint64_t local_room(struct taud_backend *backend)
{
    return atomic_load(&taud_local_of(backend)->room);
}

static enum tau_status local_start(struct taud_backend *backend, uint64_t epoch,
                                   struct taud_error *error)
{
    struct taud_local *local = taud_local_of(backend);
    local->epoch = epoch;
    local->failed = false;
    int status = local->file >= 0 ? 0 : taud_local_roll(local, 0);
    taud_local_update_room(local);
    if (status == 0)
        return TAU_STATUS_SUCCESS;
    return taud_error_set(error, status == -ENOSPC ? TAU_STATUS_STORAGE_FULL : TAU_STATUS_INTERNAL_ERROR,
                          -status, "cannot prepare the log in %s", local->directory);
}

static void local_log_close(struct taud_backend *backend)
{
    struct taud_local *local = taud_local_of(backend);
    taud_local_close_files(local);
    if (local->buffer)
        local->allocator->unreserve(local->allocator->context, local->buffer,
                                    TAUD_WRITE_BUFFER_BYTES + 2 * TAUD_IO_BLOCK);
    local->buffer = NULL;
}

const struct taud_log_operations taud_local_log = {
    .open = taud_local_log_open,
    .start = local_start,
    .append = local_append,
    .sync = local_sync,
    .prepare = taud_local_prepare,
    .needs_prepare = taud_local_needs_prepare,
    .room = local_room,
    .close = local_log_close,
};
