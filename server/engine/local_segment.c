// SPDX-License-Identifier: MIT
// Segments of the local log: their headers, their preparation ahead of need, and the step from one
// to the next. A segment is zeroed and durable before its name appears, so that writing into it
// changes no metadata; of one that is used again only the header is zeroed.
#include "local.h"

#include "crc32c.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char segment_magic[8] = {'T', 'A', 'U', 'L', 'O', 'G', '\r', '\n'};
static const uint32_t group_magic = 0x50524754; // "TGRP"

static void encode_copy(uint8_t *out, const struct taud_segment_header *header)
{
    memset(out, 0, TAUD_SEGMENT_COPY_BYTES);
    memcpy(out, segment_magic, sizeof segment_magic);
    taud_store_u32(out + 8, TAUD_SEGMENT_VERSION);
    taud_store_u32(out + 12, TAUD_SEGMENT_HEADER_BYTES);
    taud_store_u64(out + 16, header->sequence);
    taud_store_u64(out + 24, header->file_id);
    taud_store_u64(out + 32, header->epoch);
    taud_store_u64(out + 40, header->position);
    taud_store_u64(out + 48, header->size);
    taud_store_u32(out + 56, header->remains != 0);
    taud_store_u32(out + 60, taud_crc32c(0, out, 60));
}

void taud_segment_header_encode(uint8_t out[TAUD_SEGMENT_HEADER_BYTES],
                                const struct taud_segment_header *header)
{
    memset(out, 0, TAUD_SEGMENT_HEADER_BYTES);
    encode_copy(out, header);
    encode_copy(out + TAUD_IO_BLOCK, header);
}

static enum taud_header_kind decode_copy(const uint8_t *bytes, struct taud_segment_header *ret)
{
    static const uint8_t zeros[TAUD_SEGMENT_COPY_BYTES];
    if (memcmp(bytes, zeros, sizeof zeros) == 0)
        return TAUD_HEADER_NONE;
    if (memcmp(bytes, segment_magic, sizeof segment_magic) != 0 ||
        taud_crc32c(0, bytes, 60) != taud_load_u32(bytes + 60))
        return TAUD_HEADER_DAMAGED;
    if (taud_load_u32(bytes + 8) > TAUD_SEGMENT_VERSION)
        return TAUD_HEADER_FUTURE;
    ret->sequence = taud_load_u64(bytes + 16);
    ret->file_id = taud_load_u64(bytes + 24);
    ret->epoch = taud_load_u64(bytes + 32);
    ret->position = taud_load_u64(bytes + 40);
    ret->size = taud_load_u64(bytes + 48);
    ret->remains = taud_load_u32(bytes + 56) != 0;
    return TAUD_HEADER_GOOD;
}

enum taud_header_kind taud_segment_header_decode(const uint8_t bytes[TAUD_SEGMENT_HEADER_BYTES],
                                                 struct taud_segment_header *ret)
{
    enum taud_header_kind first = decode_copy(bytes, ret);
    if (first == TAUD_HEADER_GOOD || first == TAUD_HEADER_FUTURE)
        return first;
    enum taud_header_kind second = decode_copy(bytes + TAUD_IO_BLOCK, ret);
    if (second != TAUD_HEADER_NONE)
        return second;
    return first;
}

void taud_group_header_encode(uint8_t out[TAUD_GROUP_HEADER_BYTES],
                              const struct taud_group_header *header)
{
    taud_store_u32(out, group_magic);
    taud_store_u64(out + 8, header->file_id);
    taud_store_u64(out + 16, header->offset);
    taud_store_u64(out + 24, header->epoch);
    taud_store_u64(out + 32, header->position);
    taud_store_u64(out + 40, header->synced_position);
    taud_store_u32(out + 48, header->size);
    taud_store_u32(out + 52, header->content_crc);
    taud_store_u32(out + 4, taud_crc32c(0, out + 8, TAUD_GROUP_HEADER_BYTES - 8));
}

bool taud_group_header_decode(const uint8_t bytes[TAUD_GROUP_HEADER_BYTES],
                              struct taud_group_header *ret)
{
    if (taud_load_u32(bytes) != group_magic ||
        taud_load_u32(bytes + 4) != taud_crc32c(0, bytes + 8, TAUD_GROUP_HEADER_BYTES - 8))
        return false;
    ret->file_id = taud_load_u64(bytes + 8);
    ret->offset = taud_load_u64(bytes + 16);
    ret->epoch = taud_load_u64(bytes + 24);
    ret->position = taud_load_u64(bytes + 32);
    ret->synced_position = taud_load_u64(bytes + 40);
    ret->size = taud_load_u32(bytes + 48);
    ret->content_crc = taud_load_u32(bytes + 52);
    return ret->size > 0 && ret->size <= TAUD_LOG_GROUP_BYTES_MAX &&
           ret->size % TAUD_LOG_ALIGNMENT == 0;
}

uint64_t taud_local_segment_size(const struct taud_local *local, uint64_t sequence)
{
    uint64_t size = TAUD_SEGMENT_BYTES_FIRST;
    for (uint64_t i = 1; i < sequence && size < local->segment_bytes; i++)
        size *= 2;
    return size < local->segment_bytes ? size : local->segment_bytes;
}

// Opens past the cache where that works, else through it.
static int open_direct(struct taud_local *local, const char *path, unsigned flags)
{
    const struct taud_io *io = local->io;
    return io->open(io->context, path, flags | TAUD_IO_DIRECT_SYNC, 0600);
}

static int write_zeros(struct taud_local *local, int file, uint64_t size)
{
    const size_t piece = 1 << 20;
    const struct taud_allocator *allocator = local->allocator;
    void *zeros = allocator->reserve(allocator->context, piece);
    if (!zeros)
        return -ENOMEM;
    int status = 0;
    for (uint64_t offset = 0; offset < size && status == 0; offset += piece) {
        size_t length = size - offset < piece ? (size_t)(size - offset) : piece;
        status = taud_io_write_all(local->io, file, zeros, length, offset);
    }
    allocator->unreserve(allocator->context, zeros, piece);
    return status;
}

static int fill_segment(struct taud_local *local, const char *path, uint64_t size)
{
    const struct taud_io *io = local->io;
    int file = open_direct(local, path, TAUD_IO_WRITE | TAUD_IO_CREATE);
    if (file == -EINVAL || file == -EOPNOTSUPP)
        file = io->open(io->context, path, TAUD_IO_WRITE | TAUD_IO_CREATE, 0600);
    if (file < 0)
        return file;
    int status = io->truncate(io->context, file, 0);
    if (status == 0)
        status = io->preallocate(io->context, file, size);
    if (status == 0)
        status = write_zeros(local, file, size);
    if (status == 0)
        status = io->sync(io->context, file);
    io->close(io->context, file);
    return status;
}

int taud_local_make_segment(struct taud_local *local, uint64_t sequence, uint64_t size)
{
    const struct taud_io *io = local->io;
    char path[TAUD_PATH_BYTES], temporary[TAUD_PATH_BYTES], folder[TAUD_PATH_BYTES];
    taud_local_segment_path(local, path, sequence);
    taud_local_path(local, temporary, TAUD_PREPARING_NAME);
    taud_local_path(local, folder, "log");
    int status = fill_segment(local, temporary, size);
    if (status == 0)
        status = io->rename(io->context, temporary, path);
    if (status == 0)
        return io->sync_directory(io->context, folder);
    io->unlink(io->context, temporary);
    return status;
}

static int clear_header(struct taud_local *local, const char *path)
{
    const struct taud_io *io = local->io;
    int file = open_direct(local, path, TAUD_IO_WRITE);
    if (file == -EINVAL || file == -EOPNOTSUPP)
        file = io->open(io->context, path, TAUD_IO_WRITE, 0);
    if (file < 0)
        return file;
    int status = write_zeros(local, file, TAUD_SEGMENT_HEADER_BYTES);
    if (status == 0)
        status = io->sync(io->context, file);
    io->close(io->context, file);
    return status;
}

int taud_local_reuse_segment(struct taud_local *local, uint64_t spare, uint64_t sequence)
{
    const struct taud_io *io = local->io;
    char path[TAUD_PATH_BYTES], from[TAUD_PATH_BYTES], folder[TAUD_PATH_BYTES];
    taud_local_spare_path(local, from, spare);
    taud_local_segment_path(local, path, sequence);
    taud_local_path(local, folder, "log");
    int status = clear_header(local, from);
    if (status == 0)
        status = io->rename(io->context, from, path);
    if (status == 0)
        return io->sync_directory(io->context, folder);
    io->unlink(io->context, from);
    return status;
}

bool taud_local_needs_prepare(struct taud_backend *backend)
{
    struct taud_local *local = taud_local_of(backend);
    pthread_mutex_lock(&local->mutex);
    bool needed = local->next_state == TAUD_NEXT_NONE && local->current_used;
    pthread_mutex_unlock(&local->mutex);
    return needed;
}

// How large a new segment may be, from `least` to `size`; 0 for not even that. What the log holds
// and what the segment will hold is stored elsewhere one day, and only then goes from here: the
// disk must have space for all of it once more, and for what goes with it.
static uint64_t affordable(const struct taud_local *local, uint64_t unstored, uint64_t least,
                           uint64_t size)
{
    uint64_t space, taken = unstored + TAUD_SEGMENT_BYTES_LEAST;
    if (local->io->space(local->io->context, local->directory, &space) != 0)
        return size;
    uint64_t most = space > taken ? (space - taken) / 2 : 0;
    while (size > most && size / 2 >= least)
        size = size / 2 / TAUD_IO_BLOCK * TAUD_IO_BLOCK;
    return size <= most ? size : 0;
}

static void drop_spare(struct taud_local *local, uint64_t spare)
{
    char path[TAUD_PATH_BYTES];
    taud_local_spare_path(local, path, spare);
    local->io->unlink(local->io->context, path); // else the next start does it
}

// Makes a segment of this size, or where there is no room for it of the half, and so on down to
// `least`.
static int make_what_fits(struct taud_local *local, uint64_t sequence, uint64_t least,
                          uint64_t *size)
{
    int status = taud_local_make_segment(local, sequence, *size);
    while (taud_local_is_full(status) && *size / 2 >= least) {
        *size = *size / 2 / TAUD_IO_BLOCK * TAUD_IO_BLOCK;
        status = taud_local_make_segment(local, sequence, *size);
    }
    return status;
}

// What becomes of a preparation: at first what is to be made.
struct next_segment {
    uint64_t size;
    uint64_t spare; // that is used again; 0 for none
    bool is_short;  // there was less space than the file system told
};

// Makes the segment behind the current one, of at least `needed`: 0 for one that is not needed yet,
// and may wait for space. Without the mutex.
static int make_next(struct taud_local *local, uint64_t unstored, uint64_t needed,
                     struct next_segment *next)
{
    uint64_t sequence = local->current_sequence + 1;
    uint64_t least = needed > TAUD_SEGMENT_BYTES_LEAST ? needed : TAUD_SEGMENT_BYTES_LEAST;
    if (least > next->size)
        least = next->size;
    if (next->spare != 0 && affordable(local, unstored, next->size, next->size) == 0) {
        drop_spare(local, next->spare);
        next->spare = 0;
    }
    if (next->spare != 0 && taud_local_reuse_segment(local, next->spare, sequence) == 0)
        return 0;
    next->spare = 0;
    uint64_t size = affordable(local, unstored, least, next->size);
    if (size == 0 && needed == 0)
        return -ENOSPC;
    size = size == 0 ? least : size;
    next->size = size;
    int status = make_what_fits(local, sequence, least, &next->size);
    next->is_short = next->size < size;
    return status;
}

// Prepares the segment behind the current one, of at least `needed`; with the mutex, and the state
// PREPARING set, which keeps everybody else off.
static int prepare_next(struct taud_local *local, uint64_t needed)
{
    uint64_t usual = taud_local_segment_size(local, local->current_sequence + 1);
    uint64_t unstored = local->position - local->trimmed_position;
    struct next_segment next = {.size = usual < needed ? needed : usual};
    if (next.size == local->segment_bytes && local->spare_count > 0)
        next.spare = local->spares[--local->spare_count];
    pthread_mutex_unlock(&local->mutex);
    int status = make_next(local, unstored, needed, &next);
    pthread_mutex_lock(&local->mutex);
    local->next_state = status == 0 ? TAUD_NEXT_READY : TAUD_NEXT_NONE;
    local->next_size = next.size;
    local->next_remains = next.spare != 0;
    local->next_is_short = next.is_short;
    pthread_cond_broadcast(&local->prepared);
    return status;
}

enum tau_status taud_local_prepare(struct taud_backend *backend)
{
    struct taud_local *local = taud_local_of(backend);
    int status = 0;
    pthread_mutex_lock(&local->mutex);
    if (local->next_state == TAUD_NEXT_NONE) {
        local->next_state = TAUD_NEXT_PREPARING;
        status = prepare_next(local, 0);
    }
    bool is_short = local->next_is_short; // then nothing follows behind it before there is space
    pthread_mutex_unlock(&local->mutex);
    taud_local_update_room(local);
    if (status == 0)
        return is_short ? TAU_STATUS_STORAGE_FULL : TAU_STATUS_SUCCESS;
    return taud_local_is_full(status) ? TAU_STATUS_STORAGE_FULL : TAU_STATUS_INTERNAL_ERROR;
}

void taud_local_close_files(struct taud_local *local)
{
    const struct taud_io *io = local->io;
    if (local->file >= 0)
        io->close(io->context, local->file);
    if (local->direct_file >= 0)
        io->close(io->context, local->direct_file);
    local->file = -1;
    local->direct_file = -1;
}

int taud_local_open_files(struct taud_local *local, uint64_t sequence)
{
    const struct taud_io *io = local->io;
    char path[TAUD_PATH_BYTES];
    taud_local_segment_path(local, path, sequence);
    int file = io->open(io->context, path, TAUD_IO_READ | TAUD_IO_WRITE, 0);
    if (file < 0)
        return file;
    taud_local_close_files(local);
    local->file = file;
    int direct = open_direct(local, path, TAUD_IO_WRITE);
    local->direct_file = direct < 0 ? -1 : direct;
    return 0;
}

// The next segment's file, ready and large enough. With the mutex.
static int await_next(struct taud_local *local, uint64_t size)
{
    while (local->next_state == TAUD_NEXT_PREPARING)
        pthread_cond_wait(&local->prepared, &local->mutex);
    if (local->next_state == TAUD_NEXT_READY && local->next_size >= size)
        return 0;
    local->next_state = TAUD_NEXT_PREPARING;
    return prepare_next(local, size);
}

static uint64_t draw_file_id(struct taud_local *local, uint64_t sequence)
{
    uint64_t words[4] = {local->file_seed, sequence, local->epoch, ++local->file_count};
    uint64_t mixed = taud_crc32c(0, words, sizeof words);
    return local->file_seed ^ (sequence * UINT64_C(0x9e3779b97f4a7c15)) ^ mixed << 32 ^ mixed;
}

int taud_local_roll(struct taud_local *local, uint64_t position, uint64_t bytes)
{
    const struct taud_io *io = local->io;
    uint64_t size = (bytes + TAUD_SEGMENT_HEADER_BYTES + TAUD_IO_BLOCK - 1) / TAUD_IO_BLOCK *
                    TAUD_IO_BLOCK;
    pthread_mutex_lock(&local->mutex);
    int status = await_next(local, size);
    uint64_t sequence = local->current_sequence + 1;
    uint64_t next_size = local->next_size, next_remains = local->next_remains;
    pthread_mutex_unlock(&local->mutex);
    if (status != 0)
        return status;
    if (local->unsynced) {
        status = io->sync(io->context, local->file);
        if (status != 0)
            return taud_local_is_full(status) ? -EIO : status;
        local->unsynced = false;
        pthread_mutex_lock(&local->mutex);
        local->synced_position = position;
        pthread_mutex_unlock(&local->mutex);
    }
    status = taud_local_open_files(local, sequence);
    if (status != 0)
        return status;
    local->current = (struct taud_segment_header){
        .sequence = sequence,
        .file_id = draw_file_id(local, sequence),
        .epoch = local->epoch,
        .position = position,
        .size = next_size,
        .remains = next_remains,
    };
    local->fresh = true;
    pthread_mutex_lock(&local->mutex);
    local->offset = TAUD_SEGMENT_HEADER_BYTES;
    local->current_sequence = sequence;
    local->current_used = false;
    local->next_state = TAUD_NEXT_NONE;
    pthread_mutex_unlock(&local->mutex);
    return 0;
}
