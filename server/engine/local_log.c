// SPDX-License-Identifier: MIT
// Appending to the local log: groups are framed into an aligned buffer and written in whole blocks.
// The last block of an append is usually not full; the next append writes it again with the same
// bytes first, or, while the one before is still underway, begins at the block behind it. What an
// append changes of the state for good changes when it has succeeded; an append that finds the disk
// full takes back the places from its own on.
#include "local.h"

#include "crc32c.h"

#include <errno.h>
#include <string.h>

struct writer {
    struct taud_local *local;
    struct taud_log_place *place;
    int file;
    uint64_t base; // of the buffer in the file
    size_t used;
    int status;
};

enum { PLACE_BYTES = TAUD_WRITE_BUFFER_BYTES + TAUD_IO_BLOCK };
enum { BUFFERS_BYTES = TAUD_LOG_APPENDS_MAX * PLACE_BYTES + TAUD_IO_BLOCK };

bool taud_local_take_buffers(struct taud_local *local)
{
    if (local->buffers)
        return true;
    local->buffers = local->allocator->reserve(local->allocator->context, BUFFERS_BYTES);
    if (!local->buffers)
        return false;
    local->block = local->buffers + TAUD_LOG_APPENDS_MAX * PLACE_BYTES;
    for (size_t i = 0; i < TAUD_LOG_APPENDS_MAX; i++) {
        local->places[i].buffer = local->buffers + i * PLACE_BYTES;
        local->places[i].tail = local->places[i].buffer + TAUD_WRITE_BUFFER_BYTES;
    }
    return true;
}

// --- writing ----------------------------------------------------------------------------------

static void flush(struct writer *writer)
{
    if (writer->status == 0)
        writer->status = taud_io_write_all(writer->local->io, writer->file, writer->place->buffer,
                                           writer->used, writer->base);
    writer->base += writer->used;
    writer->used = 0;
}

static void put(struct writer *writer, const uint8_t *data, size_t size)
{
    while (size > 0 && writer->status == 0) {
        size_t room = TAUD_WRITE_BUFFER_BYTES - writer->used;
        size_t step = size < room ? size : room;
        memcpy(writer->place->buffer + writer->used, data, step);
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
                                         .synced_position = writer->place->synced_position,
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
        taud_segment_header_encode(writer->place->buffer, &local->current);
        writer->used = TAUD_SEGMENT_HEADER_BYTES;
        return;
    }
    writer->used = (size_t)(writer->place->start % TAUD_IO_BLOCK);
    writer->base = writer->place->start - writer->used;
    memcpy(writer->place->buffer, local->block, writer->used);
}

// Fills the last block with zeros and writes it; what it holds is kept for the next append.
static void finish(struct writer *writer)
{
    struct taud_log_place *place = writer->place;
    size_t partial = writer->used % TAUD_IO_BLOCK;
    if (partial > 0) {
        memcpy(place->tail, place->buffer + writer->used - partial, partial);
        memset(place->buffer + writer->used, 0, TAUD_IO_BLOCK - partial);
        writer->used += TAUD_IO_BLOCK - partial;
    }
    if (writer->used > 0)
        flush(writer);
}

static int write_groups(struct taud_local *local, struct taud_log_place *place, int file,
                        const struct taud_log_group *groups, size_t count)
{
    struct writer writer = {.local = local, .place = place, .file = file};
    begin(&writer);
    for (size_t i = 0; i < count; i++)
        put_group(&writer, &groups[i]);
    finish(&writer);
    return writer.status;
}

// A sync that failed is lost, whatever it says.
static int sync_file(struct taud_local *local)
{
    int status = local->io->sync(local->io->context, local->file);
    return taud_local_is_full(status) ? -EIO : status;
}

// --- places -----------------------------------------------------------------------------------

// How many of the groups fit the segment from `start` on, and where they end.
static size_t count_fitting(const struct taud_local *local, uint64_t start,
                            const struct taud_log_group *groups, size_t count, uint64_t *ret_end)
{
    size_t fitting = 0;
    *ret_end = start;
    while (fitting < count) {
        uint64_t end = *ret_end + TAUD_GROUP_HEADER_BYTES + groups[fitting].size;
        if (end > local->current.size)
            break;
        *ret_end = end;
        fitting++;
    }
    return fitting;
}

// Whether an append may begin behind those that are underway: only writes that are durable when
// they return and change nothing but their own blocks go side by side.
static bool may_join(const struct taud_local *local, bool sync)
{
    return sync && !local->exclusive && !local->rolled_back && !local->failed &&
           local->underway < TAUD_LOG_APPENDS_MAX && local->direct_file >= 0 && !local->fresh &&
           !local->unsynced;
}

static struct taud_log_place *free_place(struct taud_local *local)
{
    struct taud_log_place *place = local->places;
    while (place->busy)
        place++;
    return place;
}

static size_t local_place(struct taud_backend *backend, const struct taud_log_group *groups,
                          size_t count, bool sync, bool alone, struct taud_log_place **ret_place)
{
    struct taud_local *local = taud_local_of(backend);
    pthread_mutex_lock(&local->mutex);
    uint64_t start = alone ? local->offset : taud_local_next_block(local->offset), end;
    size_t fitting = 0;
    if (alone || may_join(local, sync))
        fitting = count_fitting(local, start, groups, count, &end);
    bool rolls = alone && fitting == 0;
    if (rolls) { // into a segment that holds one group, whatever its size
        fitting = 1;
        end = start;
    }
    if (fitting > 0) {
        struct taud_log_place *place = free_place(local);
        place->busy = true;
        place->rolls = rolls;
        place->start = start;
        place->end = end;
        place->start_position = groups[0].position;
        place->end_position = groups[fitting - 1].position + groups[fitting - 1].size;
        place->synced_position = local->synced_position;
        if (alone)
            local->exclusive = rolls || !sync || local->fresh || local->unsynced ||
                               local->direct_file < 0;
        local->offset = end;
        local->position = place->end_position;
        local->newest = place;
        local->underway++;
        *ret_place = place;
    }
    pthread_mutex_unlock(&local->mutex);
    return fitting;
}

// The place in a new segment. Alone.
static int roll(struct taud_local *local, struct taud_log_place *place, size_t size)
{
    int status = taud_local_roll(local, place->start_position, TAUD_GROUP_HEADER_BYTES + size);
    pthread_mutex_lock(&local->mutex);
    if (status == 0) {
        place->start = TAUD_SEGMENT_HEADER_BYTES;
        place->end = place->start + TAUD_GROUP_HEADER_BYTES + size;
        place->synced_position = local->synced_position;
        local->offset = place->end;
    }
    pthread_mutex_unlock(&local->mutex);
    return status;
}

// Everything before the first of those underway; with the mutex.
static uint64_t find_synced(const struct taud_local *local)
{
    uint64_t position = local->position;
    for (size_t i = 0; i < TAUD_LOG_APPENDS_MAX; i++) {
        const struct taud_log_place *place = &local->places[i];
        if (place->busy && place->start_position < position)
            position = place->start_position;
    }
    return position;
}

// The end of an append, well or not.
static void land(struct taud_local *local, struct taud_log_place *place, bool sync, int status)
{
    pthread_mutex_lock(&local->mutex);
    place->busy = false;
    local->underway--;
    if (taud_local_is_full(status)) {
        local->rolled_back = true;
        if (place->start_position < local->position) {
            local->offset = place->start;
            local->position = place->start_position;
        }
    } else if (status != 0) {
        local->failed = true;
    } else {
        local->current_used = true;
        if (local->exclusive) {
            local->fresh = false;
            local->unsynced = !sync;
        }
        if (sync)
            local->synced_position = find_synced(local);
    }
    if (local->underway == 0) {
        if (!local->rolled_back && !local->failed)
            memcpy(local->block, local->newest->tail, local->offset % TAUD_IO_BLOCK);
        local->rolled_back = false;
        local->exclusive = false;
    }
    pthread_mutex_unlock(&local->mutex);
}

void taud_local_update_room(struct taud_local *local)
{
    pthread_mutex_lock(&local->mutex);
    uint64_t room = local->file >= 0 ? local->current.size - local->offset : 0;
    uint64_t next = local->next_state == TAUD_NEXT_READY ? local->next_size : 0;
    // Not both: what does not fit the rest of the one leaves it empty and goes into the other.
    if (next > room + TAUD_SEGMENT_HEADER_BYTES)
        room = next - TAUD_SEGMENT_HEADER_BYTES;
    atomic_store(&local->room, room);
    pthread_mutex_unlock(&local->mutex);
}

static bool has_failed(struct taud_local *local)
{
    pthread_mutex_lock(&local->mutex);
    bool failed = local->failed;
    pthread_mutex_unlock(&local->mutex);
    return failed;
}

// Returns 0 or a negative errno.
static int append(struct taud_local *local, struct taud_log_place *place,
                  const struct taud_log_group *groups, size_t count, bool sync)
{
    int status = has_failed(local) ? -EIO : 0;
    if (status == 0 && place->rolls)
        status = roll(local, place, groups[0].size);
    if (status != 0)
        return status;
    bool direct = sync && local->direct_file >= 0;
    status = write_groups(local, place, direct ? local->direct_file : local->file, groups, count);
    if (status == 0 && sync && (!direct || local->unsynced))
        status = sync_file(local);
    return status;
}

static void complete(int status, taud_log_completion *completion, void *user_data)
{
    if (status == 0)
        completion(TAU_STATUS_SUCCESS, 0, user_data);
    else if (taud_local_is_full(status))
        completion(TAU_STATUS_STORAGE_FULL, -status, user_data);
    else
        completion(TAU_STATUS_INTERNAL_ERROR, -status, user_data);
}

static void local_append(struct taud_backend *backend, struct taud_log_place *place,
                         const struct taud_log_group *groups, size_t count, bool sync,
                         taud_log_completion *completion, void *user_data)
{
    struct taud_local *local = taud_local_of(backend);
    int status = append(local, place, groups, count, sync);
    land(local, place, sync, status);
    taud_local_update_room(local);
    complete(status, completion, user_data);
}

static void local_sync(struct taud_backend *backend, taud_log_completion *completion,
                       void *user_data)
{
    struct taud_local *local = taud_local_of(backend);
    int status = has_failed(local) ? -EIO : 0;
    if (status == 0 && local->unsynced)
        status = sync_file(local);
    pthread_mutex_lock(&local->mutex);
    if (status == 0) {
        local->unsynced = false;
        local->synced_position = local->position;
    } else {
        local->failed = true;
    }
    pthread_mutex_unlock(&local->mutex);
    complete(status, completion, user_data);
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
    int status = local->file >= 0 ? 0 : taud_local_roll(local, local->position, 0);
    taud_local_update_room(local);
    if (status == 0)
        return TAU_STATUS_SUCCESS;
    return taud_error_set(error,
                          taud_local_is_full(status) ? TAU_STATUS_STORAGE_FULL
                                                     : TAU_STATUS_INTERNAL_ERROR,
                          -status, "cannot prepare the log in %s", local->directory);
}

static void local_log_close(struct taud_backend *backend)
{
    struct taud_local *local = taud_local_of(backend);
    taud_local_close_files(local);
    if (local->buffers)
        local->allocator->unreserve(local->allocator->context, local->buffers, BUFFERS_BYTES);
    local->buffers = NULL;
}

const struct taud_log_operations taud_local_log = {
    .open = taud_local_log_open,
    .inspect = taud_local_log_inspect,
    .start = local_start,
    .place = local_place,
    .append = local_append,
    .sync = local_sync,
    .prepare = taud_local_prepare,
    .needs_prepare = taud_local_needs_prepare,
    .trim = taud_local_trim,
    .room = local_room,
    .close = local_log_close,
};
