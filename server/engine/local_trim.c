// SPDX-License-Identifier: MIT
// The beginning of the local log goes. A segment holds nothing behind a position when a later one
// in use begins at or before that; headers on the disk say so, no list in memory. Segments of the
// usual size are kept as spares under another name, for the preparation to take, the others are
// removed. Whatever is cut short here, a start finds what it needs, and removes the rest.
#include "local.h"

#include <stdlib.h>
#include <string.h>

// --- finding the segments ---------------------------------------------------------------------

// A name of 16 hexadecimal digits and this ending.
static bool parse_name(const char *name, const char *ending, uint64_t *ret_sequence)
{
    uint64_t value = 0;
    for (int i = 0; i < 16; i++) {
        const char *digits = "0123456789abcdef", *digit = name[i] ? strchr(digits, name[i]) : NULL;
        if (!digit)
            return false;
        value = value << 4 | (uint64_t)(digit - digits);
    }
    *ret_sequence = value;
    return strcmp(name + 16, ending) == 0;
}

static int add_name(const char *name, void *user_data)
{
    struct taud_found_segments *list = user_data;
    const struct taud_allocator *allocator = list->local->allocator;
    uint64_t sequence;
    if (!parse_name(name, ".log", &sequence))
        return 0;
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 16;
        struct taud_found_segment *items =
            allocator->allocate(allocator->context, capacity * sizeof *items);
        if (!items)
            return -ENOMEM;
        if (list->count > 0)
            memcpy(items, list->items, list->count * sizeof *items);
        allocator->release(allocator->context, list->items);
        list->items = items;
        list->capacity = capacity;
    }
    memset(&list->items[list->count], 0, sizeof *list->items);
    list->items[list->count++].sequence = sequence;
    return 0;
}

static int by_sequence(const void *a, const void *b)
{
    const struct taud_found_segment *left = a, *right = b;
    return (left->sequence > right->sequence) - (left->sequence < right->sequence);
}

static int read_header(struct taud_local *local, struct taud_found_segment *segment)
{
    const struct taud_io *io = local->io;
    uint8_t bytes[TAUD_SEGMENT_HEADER_BYTES] = {0};
    char path[TAUD_PATH_BYTES];
    taud_local_segment_path(local, path, segment->sequence);
    int file = io->open(io->context, path, TAUD_IO_READ, 0);
    if (file < 0)
        return file;
    int status = io->size(io->context, file, &segment->size);
    int64_t count = status == 0 ? taud_io_read_all(io, file, bytes, sizeof bytes, 0) : status;
    io->close(io->context, file);
    if (count < 0)
        return (int)count;
    segment->kind = taud_segment_header_decode(bytes, &segment->header);
    if (segment->kind == TAUD_HEADER_GOOD && segment->header.sequence != segment->sequence)
        segment->kind = TAUD_HEADER_DAMAGED;
    return 0;
}

int taud_local_find_segments(struct taud_local *local, struct taud_found_segments *list)
{
    char path[TAUD_PATH_BYTES];
    *list = (struct taud_found_segments){.local = local};
    taud_local_path(local, path, "log");
    int status = local->io->list_directory(local->io->context, path, add_name, list);
    if (status == 0 && list->count > 0)
        qsort(list->items, list->count, sizeof *list->items, by_sequence);
    for (size_t i = 0; i < list->count && status == 0; i++)
        status = read_header(local, &list->items[i]);
    return status;
}

void taud_local_free_segments(struct taud_found_segments *list)
{
    list->local->allocator->release(list->local->allocator->context, list->items);
}

size_t taud_local_count_passed(const struct taud_found_segments *list, uint64_t position)
{
    size_t count = list->count;
    while (count > 0 && (list->items[count - 1].kind != TAUD_HEADER_GOOD ||
                         list->items[count - 1].header.position > position))
        count--;
    return count > 0 ? count - 1 : 0; // the one that holds the position stays
}

// --- what a start removes ---------------------------------------------------------------------

static int remove_spare(const char *name, void *user_data)
{
    struct taud_local *local = user_data;
    char path[TAUD_PATH_BYTES];
    uint64_t sequence;
    if (parse_name(name, ".spare", &sequence)) {
        taud_local_spare_path(local, path, sequence);
        local->io->unlink(local->io->context, path); // else the next start does it
    }
    return 0;
}

int taud_local_sweep_log(struct taud_local *local)
{
    char path[TAUD_PATH_BYTES];
    taud_local_path(local, path, TAUD_PREPARING_NAME);
    local->io->unlink(local->io->context, path); // mostly it is not there
    taud_local_path(local, path, "log");
    return local->io->list_directory(local->io->context, path, remove_spare, local);
}

// --- trim -------------------------------------------------------------------------------------

struct trim {
    struct taud_local *local;
    uint64_t spares[TAUD_SPARE_SEGMENTS_MAX];
    unsigned spare_count, spare_max;
};

static int give_up(struct trim *trim, const struct taud_found_segment *segment)
{
    struct taud_local *local = trim->local;
    char path[TAUD_PATH_BYTES], spare[TAUD_PATH_BYTES];
    taud_local_segment_path(local, path, segment->sequence);
    if (trim->spare_count == trim->spare_max || segment->size != local->segment_bytes)
        return local->io->unlink(local->io->context, path);
    taud_local_spare_path(local, spare, segment->sequence);
    int status = local->io->rename(local->io->context, path, spare);
    if (status == 0)
        trim->spares[trim->spare_count++] = segment->sequence;
    return status;
}

// Spares that may come back under their old names after a power cut must not be written to.
static void drop_spares(struct trim *trim)
{
    char path[TAUD_PATH_BYTES];
    while (trim->spare_count > 0) {
        taud_local_spare_path(trim->local, path, trim->spares[--trim->spare_count]);
        trim->local->io->unlink(trim->local->io->context, path);
    }
}

// The first `count` go, the oldest first.
static int give_up_all(struct trim *trim, const struct taud_found_segments *list, size_t count)
{
    const struct taud_io *io = trim->local->io;
    char folder[TAUD_PATH_BYTES];
    int status = 0;
    for (size_t i = 0; i < count && status == 0; i++)
        status = give_up(trim, &list->items[i]);
    taud_local_path(trim->local, folder, "log");
    int synced = count > 0 ? io->sync_directory(io->context, folder) : 0;
    if (synced != 0)
        drop_spares(trim);
    return status != 0 ? status : synced;
}

enum tau_status taud_local_trim(struct taud_backend *backend, uint64_t position,
                                struct taud_error *error)
{
    struct taud_local *local = taud_local_of(backend);
    struct taud_found_segments list;
    pthread_mutex_lock(&local->mutex);
    struct trim trim = {.local = local, .spare_max = TAUD_SPARE_SEGMENTS_MAX - local->spare_count};
    if (local->trimmed_position < position)
        local->trimmed_position = position;
    pthread_mutex_unlock(&local->mutex);
    int status = taud_local_find_segments(local, &list);
    if (status == 0)
        status = give_up_all(&trim, &list, taud_local_count_passed(&list, position));
    taud_local_free_segments(&list);
    pthread_mutex_lock(&local->mutex);
    while (trim.spare_count > 0) // only this function adds any
        local->spares[local->spare_count++] = trim.spares[--trim.spare_count];
    pthread_mutex_unlock(&local->mutex);
    if (status == 0)
        return TAU_STATUS_SUCCESS;
    return taud_error_set(error,
                          status == -ENOMEM            ? TAU_STATUS_NO_MEMORY
                          : taud_local_is_full(status) ? TAU_STATUS_STORAGE_FULL
                                                       : TAU_STATUS_INTERNAL_ERROR,
                          -status, "cannot trim the log in %s/log", local->directory);
}
