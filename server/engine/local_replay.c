// SPDX-License-Identifier: MIT
// Reads the local log back. A place where no good group stands is the torn end of the log, unless
// something proves that it had once been synced: a later segment in use, a later group written when
// more was durable than ends here, or the position that a clean stop left. Then it is damage: the
// bytes are copied to quarantine/ and reading goes on behind them.
#include "local.h"

#include "crc32c.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct segment {
    uint64_t sequence; // by its name
    enum taud_header_kind kind;
    struct taud_segment_header header;
    uint64_t size; // of the file
};

struct segment_list {
    struct taud_local *local;
    struct segment *items;
    size_t count, capacity;
};

struct replay {
    struct taud_local *local;
    taud_log_replay_callback *callback;
    void *user_data;
    struct taud_log_report *report;
    struct taud_error *error;
    uint64_t known_position;
    uint64_t expected;     // position of the next group
    uint64_t least_epoch;  // of the next group
    bool damaged_before;
    // The segment that is read, through a window.
    const struct segment *segment;
    int file;
    int io_status;
    uint8_t *window;
    uint64_t window_start;
    size_t window_size;
};

enum { WINDOW_BYTES = TAUD_LOG_GROUP_BYTES_MAX + (64 << 10), ZERO_BYTES = 64 << 10 };

static enum tau_status file_error(struct taud_local *local, int status, struct taud_error *error)
{
    return taud_error_set(error,
                          status == -ENOMEM   ? TAU_STATUS_NO_MEMORY
                          : status == -ENOSPC ? TAU_STATUS_STORAGE_FULL
                                              : TAU_STATUS_INTERNAL_ERROR,
                          -status, "cannot read the log in %s/log", local->directory);
}

// --- finding the segments ---------------------------------------------------------------------

static bool parse_name(const char *name, uint64_t *ret_sequence)
{
    uint64_t value = 0;
    for (int i = 0; i < 16; i++) {
        const char *digits = "0123456789abcdef", *digit = name[i] ? strchr(digits, name[i]) : NULL;
        if (!digit)
            return false;
        value = value << 4 | (uint64_t)(digit - digits);
    }
    *ret_sequence = value;
    return strcmp(name + 16, ".log") == 0;
}

static int add_name(const char *name, void *user_data)
{
    struct segment_list *list = user_data;
    const struct taud_allocator *allocator = list->local->allocator;
    uint64_t sequence;
    if (!parse_name(name, &sequence))
        return 0;
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 16;
        struct segment *items =
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
    const struct segment *left = a, *right = b;
    return (left->sequence > right->sequence) - (left->sequence < right->sequence);
}

static int read_header(struct taud_local *local, struct segment *segment)
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

static int find_segments(struct taud_local *local, struct segment_list *list)
{
    char path[TAUD_PATH_BYTES];
    *list = (struct segment_list){.local = local};
    taud_local_path(local, path, "log");
    int status = local->io->list_directory(local->io->context, path, add_name, list);
    if (status == 0 && list->count > 0)
        qsort(list->items, list->count, sizeof *list->items, by_sequence);
    for (size_t i = 0; i < list->count && status == 0; i++)
        status = read_header(local, &list->items[i]);
    return status;
}

static void free_segments(struct segment_list *list)
{
    list->local->allocator->release(list->local->allocator->context, list->items);
}

enum tau_status taud_local_log_check(struct taud_local *local, struct taud_error *error)
{
    struct segment_list list;
    int status = find_segments(local, &list);
    enum tau_status result = TAU_STATUS_SUCCESS;
    for (size_t i = 0; i < list.count && status == 0 && result == TAU_STATUS_SUCCESS; i++) {
        if (list.items[i].kind == TAUD_HEADER_FUTURE)
            result = taud_error_set(error, TAU_STATUS_INTERNAL_ERROR, 0,
                                    "the log in %s/log is of a later format than this server knows; "
                                    "it was not touched", local->directory);
    }
    free_segments(&list);
    return status != 0 ? file_error(local, status, error) : result;
}

// --- reading one segment ----------------------------------------------------------------------

// `size` bytes of the segment at `offset`; NULL when it is too short or cannot be read.
static const uint8_t *look(struct replay *replay, uint64_t offset, size_t size)
{
    if (replay->io_status != 0 || offset > replay->segment->size ||
        replay->segment->size - offset < size)
        return NULL;
    if (offset < replay->window_start ||
        offset + size > replay->window_start + replay->window_size) {
        int64_t count = taud_io_read_all(replay->local->io, replay->file, replay->window,
                                         WINDOW_BYTES, offset);
        if (count < 0) {
            replay->io_status = (int)count;
            return NULL;
        }
        replay->window_start = offset;
        replay->window_size = (size_t)count;
        if (replay->window_size < size)
            return NULL;
    }
    return replay->window + (offset - replay->window_start);
}

// A good group at `offset` that may follow what was read.
static bool group_at(struct replay *replay, uint64_t offset, struct taud_group_header *ret,
                     const uint8_t **ret_content)
{
    const uint8_t *bytes = look(replay, offset, TAUD_GROUP_HEADER_BYTES);
    if (!bytes || !taud_group_header_decode(bytes, ret) ||
        ret->file_id != replay->segment->header.file_id || ret->offset != offset ||
        ret->epoch < replay->least_epoch || ret->position < replay->expected)
        return false;
    bytes = look(replay, offset, TAUD_GROUP_HEADER_BYTES + ret->size);
    if (!bytes)
        return false;
    *ret_content = bytes + TAUD_GROUP_HEADER_BYTES;
    return taud_crc32c(0, *ret_content, ret->size) == ret->content_crc;
}

// The good group that follows: at `*offset`, or at the block behind it when it was written while the
// one before was underway.
static bool next_group(struct replay *replay, uint64_t *offset, struct taud_group_header *ret,
                       const uint8_t **ret_content)
{
    if (group_at(replay, *offset, ret, ret_content))
        return true;
    uint64_t block = taud_local_next_block(*offset);
    if (!group_at(replay, block, ret, ret_content) || ret->position != replay->expected)
        return false;
    *offset = block;
    return true;
}

// The first good group at or behind `offset`; false when there is none.
static bool find_group(struct replay *replay, uint64_t offset, uint64_t *ret_offset,
                       struct taud_group_header *ret)
{
    const uint8_t *content;
    for (; look(replay, offset, TAUD_GROUP_HEADER_BYTES); offset += TAUD_LOG_ALIGNMENT) {
        if (group_at(replay, offset, ret, &content)) {
            *ret_offset = offset;
            return true;
        }
    }
    return false;
}

// Whether a group from `offset` on was written when more than `expected` was durable.
static bool later_proof(struct replay *replay, uint64_t offset)
{
    struct taud_group_header header;
    while (find_group(replay, offset, &offset, &header)) {
        if (header.synced_position > replay->expected)
            return true;
        offset += TAUD_GROUP_HEADER_BYTES + header.size;
    }
    return false;
}

// Behind the last byte from `offset` on that is not zero; `offset` when there is none.
static uint64_t used_end(struct replay *replay, uint64_t offset)
{
    uint64_t end = offset;
    const size_t step = 8;
    for (uint64_t at = offset; at < replay->segment->size; at += step) {
        uint64_t left = replay->segment->size - at;
        const uint8_t *bytes = look(replay, at, left < step ? (size_t)left : step);
        for (size_t i = 0; bytes && i < step && i < left; i++) {
            if (bytes[i] != 0)
                end = at + i + 1;
        }
    }
    return end;
}

static enum tau_status put_aside(struct replay *replay, uint64_t from, uint64_t to)
{
    struct taud_local *local = replay->local;
    for (uint64_t at = from; at < to;) {
        size_t size = to - at < TAUD_LOG_GROUP_BYTES_MAX ? (size_t)(to - at)
                                                         : (size_t)TAUD_LOG_GROUP_BYTES_MAX;
        const uint8_t *bytes = look(replay, at, size);
        if (!bytes)
            return file_error(local, replay->io_status ? replay->io_status : -EIO, replay->error);
        char name[80];
        snprintf(name, sizeof name, "quarantine/log-%016llx-%010llx-%08zx",
                 (unsigned long long)replay->segment->sequence, (unsigned long long)at, size);
        enum tau_status status =
            local->backend.objects->put(&local->backend, name, bytes, size, replay->error);
        if (status != TAU_STATUS_SUCCESS)
            return status;
        at += size;
    }
    local->quarantined_count++;
    local->quarantined_bytes += to - from;
    replay->damaged_before = true;
    return TAU_STATUS_SUCCESS;
}

// Says of a group that was refused where it stands.
static void name_group(struct replay *replay, const struct taud_group_header *header)
{
    char reason[sizeof replay->error->text];
    memcpy(reason, replay->error->text, sizeof reason);
    taud_error_set(replay->error, replay->error->status, 0,
                   "log/%016llx.log, group at offset %llu: %s; the log is left as it is",
                   (unsigned long long)replay->segment->sequence,
                   (unsigned long long)header->offset, reason);
}

static enum tau_status deliver(struct replay *replay, const struct taud_group_header *header,
                               const uint8_t *content)
{
    struct taud_log_group group = {header->position, content, header->size};
    enum tau_status status = replay->callback(
        &group, replay->damaged_before || header->position > replay->expected, replay->user_data);
    replay->damaged_before = false;
    replay->expected = header->position + header->size;
    replay->least_epoch = header->epoch;
    replay->report->read_bytes += TAUD_GROUP_HEADER_BYTES + header->size;
    if (status == TAU_STATUS_INTERNAL_ERROR && replay->error)
        name_group(replay, header);
    return status;
}

// What to do where no good group stands at *offset. Sets *offset to where reading goes on, or
// *ret_end when the segment has nothing more.
static enum tau_status judge_gap(struct replay *replay, const struct segment *next,
                                 uint64_t *offset, bool *ret_end)
{
    struct taud_group_header header;
    uint64_t found = 0;
    bool any = find_group(replay, *offset, &found, &header);
    bool known = replay->known_position > replay->expected;
    bool missing = next ? next->header.position > replay->expected : known;
    if (any && (next || known || later_proof(replay, found))) {
        enum tau_status status = put_aside(replay, *offset, found);
        *offset = found;
        return status;
    }
    *ret_end = true;
    if (!missing || replay->io_status != 0)
        return TAU_STATUS_SUCCESS;
    uint64_t end = used_end(replay, *offset);
    if (end > *offset)
        return put_aside(replay, *offset, end);
    replay->local->quarantined_count++; // lost without a trace
    replay->damaged_before = true;
    return TAU_STATUS_SUCCESS;
}

// Reads a segment in use; `next` is the one in use behind it, or NULL. *ret_end is where its groups end.
static enum tau_status replay_segment(struct replay *replay, const struct segment *next,
                                      uint64_t *ret_end)
{
    uint64_t offset = TAUD_SEGMENT_HEADER_BYTES;
    if (replay->segment->header.epoch > replay->least_epoch)
        replay->least_epoch = replay->segment->header.epoch;
    if (replay->segment->header.position > replay->expected)
        replay->damaged_before = true;
    for (bool end = false; !end;) {
        struct taud_group_header header;
        const uint8_t *content;
        enum tau_status status;
        if (next_group(replay, &offset, &header, &content)) {
            status = deliver(replay, &header, content);
            offset += TAUD_GROUP_HEADER_BYTES + header.size;
        } else {
            status = judge_gap(replay, next, &offset, &end);
        }
        if (status != TAU_STATUS_SUCCESS)
            return status;
        if (replay->io_status != 0)
            return file_error(replay->local, replay->io_status, replay->error);
    }
    *ret_end = offset;
    return TAU_STATUS_SUCCESS;
}

// --- repair -----------------------------------------------------------------------------------

// Zeroes the last segment behind `end`, gives it its full size again, and makes it the current one.
static int take_over(struct replay *replay, uint64_t end)
{
    struct taud_local *local = replay->local;
    const struct taud_io *io = local->io;
    uint64_t used = used_end(replay, end);
    if (replay->io_status != 0)
        return replay->io_status;
    int status = taud_local_open_files(local, replay->segment->sequence);
    static const uint8_t zeros[ZERO_BYTES];
    for (uint64_t at = end; at < used && status == 0; at += ZERO_BYTES) {
        size_t size = used - at < ZERO_BYTES ? (size_t)(used - at) : (size_t)ZERO_BYTES;
        status = taud_io_write_all(io, local->file, zeros, size, at);
    }
    if (status == 0 && replay->segment->size < replay->segment->header.size)
        status = io->preallocate(io->context, local->file, replay->segment->header.size);
    if (status == 0)
        status = io->sync(io->context, local->file);
    if (status != 0)
        return status;
    replay->report->cut_bytes += used - end;
    local->current = replay->segment->header;
    local->offset = end;
    local->fresh = false;
    size_t partial = (size_t)(end % TAUD_IO_BLOCK);
    int64_t count = taud_io_read_all(io, local->file, local->block, partial, end - partial);
    return count < 0 ? (int)count : 0;
}

static int move_aside(struct taud_local *local, const struct segment *segment)
{
    const struct taud_io *io = local->io;
    char from[TAUD_PATH_BYTES], to[TAUD_PATH_BYTES], name[64];
    snprintf(name, sizeof name, "quarantine/%016llx.log", (unsigned long long)segment->sequence);
    taud_local_segment_path(local, from, segment->sequence);
    taud_local_path(local, to, "quarantine");
    int status = io->make_directory(io->context, to, 0700);
    taud_local_path(local, to, name);
    if (status == 0)
        status = io->rename(io->context, from, to);
    taud_local_path(local, to, "quarantine");
    taud_local_path(local, from, "log");
    if (status == 0)
        status = io->sync_directory(io->context, to);
    if (status == 0)
        status = io->sync_directory(io->context, from);
    local->quarantined_count++;
    local->quarantined_bytes += segment->size;
    return status;
}

// Keeps a prepared segment that comes next, removes others.
static int sort_unused(struct taud_local *local, const struct segment *segment)
{
    char path[TAUD_PATH_BYTES];
    if (segment->sequence == local->current_sequence + 1 &&
        segment->size > TAUD_SEGMENT_HEADER_BYTES && segment->size % TAUD_IO_BLOCK == 0) {
        local->next_state = TAUD_NEXT_READY;
        local->next_size = segment->size;
        return 0;
    }
    taud_local_segment_path(local, path, segment->sequence);
    return local->io->unlink(local->io->context, path);
}

static int open_file(struct replay *replay, const struct segment *segment)
{
    const struct taud_io *io = replay->local->io;
    char path[TAUD_PATH_BYTES];
    taud_local_segment_path(replay->local, path, segment->sequence);
    replay->segment = segment;
    replay->window_start = 0;
    replay->window_size = 0;
    replay->file = io->open(io->context, path, TAUD_IO_READ, 0);
    return replay->file < 0 ? replay->file : 0;
}

static enum tau_status replay_file(struct replay *replay, const struct segment *segment,
                                   const struct segment *next)
{
    struct taud_local *local = replay->local;
    uint64_t end = 0;
    int status = open_file(replay, segment);
    if (status != 0)
        return file_error(local, status, replay->error);
    enum tau_status result = replay_segment(replay, next, &end);
    if (result == TAU_STATUS_SUCCESS && !next) {
        status = take_over(replay, end);
        if (status != 0)
            result = file_error(local, status, replay->error);
    }
    local->io->close(local->io->context, replay->file);
    local->current_sequence = segment->sequence;
    local->current_used = true;
    return result;
}

// All segments in order; those without a good header were prepared and not used, or are damaged.
static enum tau_status replay_all(struct replay *replay, const struct segment_list *list)
{
    struct taud_local *local = replay->local;
    size_t last = list->count;
    while (last > 0 && list->items[last - 1].kind != TAUD_HEADER_GOOD)
        last--;
    for (size_t i = 0; i < list->count; i++) {
        const struct segment *segment = &list->items[i], *next = NULL;
        for (size_t k = i + 1; k < last && !next; k++)
            next = list->items[k].kind == TAUD_HEADER_GOOD ? &list->items[k] : NULL;
        int status = 0;
        enum tau_status result = TAU_STATUS_SUCCESS;
        if (segment->kind == TAUD_HEADER_GOOD)
            result = replay_file(replay, segment, next);
        else if (segment->kind == TAUD_HEADER_DAMAGED || i < last)
            status = move_aside(local, segment);
        else
            status = sort_unused(local, segment);
        if (status != 0)
            result = file_error(local, status, replay->error);
        if (result != TAU_STATUS_SUCCESS)
            return result;
    }
    return TAU_STATUS_SUCCESS;
}

static bool take_buffers(struct replay *replay)
{
    struct taud_local *local = replay->local;
    const struct taud_allocator *allocator = local->allocator;
    replay->window = allocator->reserve(allocator->context, WINDOW_BYTES);
    return taud_local_take_buffers(local) && replay->window;
}

// A segment whose preparation was cut short holds nothing, and may hold the last of the disk.
static void remove_unfinished(struct taud_local *local)
{
    char path[TAUD_PATH_BYTES];
    taud_local_path(local, path, TAUD_PREPARING_NAME);
    local->io->unlink(local->io->context, path); // mostly it is not there
}

enum tau_status taud_local_log_open(struct taud_backend *backend, uint64_t known_position,
                                    taud_log_replay_callback *callback, void *user_data,
                                    struct taud_log_report *ret_report, struct taud_error *error)
{
    struct taud_local *local = taud_local_of(backend);
    struct replay replay = {
        .local = local,
        .callback = callback,
        .user_data = user_data,
        .report = ret_report,
        .error = error,
        .known_position = known_position,
    };
    struct segment_list list = {.local = local};
    memset(ret_report, 0, sizeof *ret_report);
    local->current = (struct taud_segment_header){0};
    local->current_sequence = 0;
    local->current_used = false;
    local->next_state = TAUD_NEXT_NONE;
    local->offset = 0;
    enum tau_status status = TAU_STATUS_SUCCESS;
    remove_unfinished(local);
    int found = take_buffers(&replay) ? find_segments(local, &list) : -ENOMEM;
    if (found != 0)
        status = file_error(local, found, error);
    else
        status = replay_all(&replay, &list);
    free_segments(&list);
    if (replay.window)
        local->allocator->unreserve(local->allocator->context, replay.window, WINDOW_BYTES);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    local->position = replay.expected > known_position ? replay.expected : known_position;
    local->synced_position = local->position;
    ret_report->end_position = local->position;
    ret_report->highest_epoch = replay.least_epoch;
    ret_report->quarantined_count = local->quarantined_count;
    ret_report->quarantined_bytes = local->quarantined_bytes;
    return TAU_STATUS_SUCCESS;
}
