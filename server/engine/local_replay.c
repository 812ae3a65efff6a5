// SPDX-License-Identifier: MIT
// Reads the local log back. A place where no good group stands is the torn end of the log, unless
// something proves that it had once been synced: a later segment in use, a later group written when
// more was durable than ends here, or the position that a clean stop left. Then it is damage: the
// bytes are copied to quarantine/ and reading goes on behind them. An inspection goes the same way,
// but tells of damage instead, and leaves everything as it is.
#include "local.h"

#include "crc32c.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct replay {
    struct taud_local *local;
    taud_log_replay_callback *callback;
    void *user_data;
    const struct taud_log_inspection *inspection; // NULL where it is not one
    struct taud_log_report *report;
    struct taud_error *error;
    uint64_t from_position; // nothing before it is needed
    uint64_t known_position;
    uint64_t expected;     // position of the next group
    uint64_t least_epoch;  // of the next group
    bool damaged_before;
    bool begun;               // a segment in use was found
    bool mends;               // a header has a damaged copy, which is written anew at the end
    bool mending;             // and that is now
    uint64_t damage_count;    // so far
    // The segment that is read, through a window.
    const struct taud_found_segment *segment;
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
                          status == -ENOMEM            ? TAU_STATUS_NO_MEMORY
                          : taud_local_is_full(status) ? TAU_STATUS_STORAGE_FULL
                                                       : TAU_STATUS_INTERNAL_ERROR,
                          -status, "cannot read the log in %s/log", local->directory);
}

enum tau_status taud_local_log_check(struct taud_local *local, struct taud_error *error)
{
    struct taud_found_segments list;
    int status = taud_local_find_segments(local, &list);
    enum tau_status result = TAU_STATUS_SUCCESS;
    for (size_t i = 0; i < list.count && status == 0 && result == TAU_STATUS_SUCCESS; i++) {
        if (list.items[i].kind == TAUD_HEADER_FUTURE)
            result = taud_error_set(error, TAU_STATUS_INTERNAL_ERROR, 0,
                                    "the log in %s/log is of a later format than this server "
                                    "knows; it was not touched",
                                    local->directory);
    }
    taud_local_free_segments(&list);
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

// The good group that follows: at `*offset`, or at the block behind it when it was written while
// the one before was underway.
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

// All before it is read, or not needed.
static uint64_t reached(const struct replay *replay)
{
    return replay->expected > replay->from_position ? replay->expected : replay->from_position;
}

// Whether a group from `offset` on was written when more than what is reached was durable.
static bool later_proof(struct replay *replay, uint64_t offset)
{
    struct taud_group_header header;
    while (find_group(replay, offset, &offset, &header)) {
        if (header.synced_position > reached(replay))
            return true;
        offset += TAUD_GROUP_HEADER_BYTES + header.size;
    }
    return false;
}

// Behind all that was written into the segment from `offset` on, as far as that can be told from
// what is left of an earlier use: by the headers of its groups, whose content may be torn.
static uint64_t written_end(struct replay *replay, uint64_t offset)
{
    const uint8_t *bytes;
    uint64_t end = offset;
    for (uint64_t at = offset; (bytes = look(replay, at, TAUD_GROUP_HEADER_BYTES)) != NULL;
         at += TAUD_LOG_ALIGNMENT) {
        struct taud_group_header header;
        if (!taud_group_header_decode(bytes, &header) || header.offset != at ||
            header.file_id != replay->segment->header.file_id)
            continue;
        uint64_t group_end = at + TAUD_GROUP_HEADER_BYTES + header.size;
        if (group_end > end)
            end = group_end < replay->segment->size ? group_end : replay->segment->size;
    }
    return end;
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

// --- damage -----------------------------------------------------------------------------------

// Counts what lies in quarantine then, or would.
static void count_damage(struct replay *replay, uint64_t bytes)
{
    struct taud_local *local = replay->local;
    replay->damage_count++;
    if (replay->inspection) {
        replay->report->quarantined_count++;
        replay->report->quarantined_bytes += bytes;
    } else {
        local->quarantined_count++;
        local->quarantined_bytes += bytes;
    }
}

// Tells an inspection of bytes of a segment, by which the positions up to `to` are lost.
static enum tau_status tell(struct replay *replay, const struct taud_found_segment *segment,
                            struct taud_log_damage damage)
{
    char name[40];
    if (!replay->inspection)
        return TAU_STATUS_SUCCESS;
    snprintf(name, sizeof name, "log/%016llx.log",
             (unsigned long long)(segment ? segment->sequence : 0));
    damage.place = segment ? name : "log";
    return replay->inspection->damage(&damage, replay->inspection->user_data);
}

// What is missing up to `position` and is nowhere.
static enum tau_status lose(struct replay *replay, uint64_t offset, uint64_t position)
{
    struct taud_log_damage damage = {
        .offset = offset, .from = reached(replay), .to = position};
    count_damage(replay, 0);
    replay->damaged_before = true;
    return tell(replay, replay->segment, damage);
}

static enum tau_status copy_aside(struct replay *replay, uint64_t from, uint64_t to)
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
    return TAU_STATUS_SUCCESS;
}

// Puts bytes of the segment aside that are damaged; the log goes on at `position`.
static enum tau_status put_aside(struct replay *replay, uint64_t from, uint64_t to,
                                 uint64_t position)
{
    enum tau_status status = TAU_STATUS_SUCCESS;
    if (replay->inspection)
        status = tell(replay, replay->segment,
                      (struct taud_log_damage){.offset = from,
                                               .size = to - from,
                                               .from = reached(replay),
                                               .to = position});
    else
        status = copy_aside(replay, from, to);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    count_damage(replay, to - from);
    replay->damaged_before = true;
    return status;
}

// Counts a beginning of the log that is not there, unless it was moved aside as a whole.
static enum tau_status lose_beginning(struct replay *replay, uint64_t position)
{
    if (replay->damage_count > 0) {
        replay->damaged_before = true;
        return TAU_STATUS_SUCCESS;
    }
    return lose(replay, 0, position);
}

static bool is_zero(const uint8_t *bytes, size_t size)
{
    while (size > 0 && bytes[size - 1] == 0)
        size--;
    return size == 0;
}

// Writes a block of the header anew, by its other copy; `keep` says that it has something else.
static enum tau_status mend_header(struct replay *replay, size_t at, bool keep)
{
    struct taud_local *local = replay->local;
    const struct taud_io *io = local->io;
    uint8_t bytes[TAUD_SEGMENT_HEADER_BYTES];
    char path[TAUD_PATH_BYTES];
    uint64_t end = at + TAUD_IO_BLOCK;
    enum tau_status kept = TAU_STATUS_SUCCESS;
    if (keep)
        kept = copy_aside(replay, at, end < replay->segment->size ? end : replay->segment->size);
    if (kept != TAU_STATUS_SUCCESS)
        return kept;
    taud_segment_header_encode(bytes, &replay->segment->header);
    taud_local_segment_path(local, path, replay->segment->sequence);
    int file = io->open(io->context, path, TAUD_IO_WRITE, 0);
    int status = file < 0 ? file : 0;
    if (status == 0)
        status = taud_io_write_all(io, file, bytes + at, TAUD_IO_BLOCK, at);
    if (status == 0)
        status = io->sync(io->context, file);
    if (file >= 0)
        io->close(io->context, file);
    return status == 0 ? TAU_STATUS_SUCCESS : file_error(local, status, replay->error);
}

static enum tau_status see_copy(struct replay *replay, size_t at, bool written)
{
    struct taud_log_damage damage = {.offset = at, .size = TAUD_IO_BLOCK, .spare = true};
    if (replay->inspection)
        return tell(replay, replay->segment, damage);
    replay->mends = true;
    return replay->mending ? mend_header(replay, at, written) : TAU_STATUS_SUCCESS;
}

// Tells an inspection of what is damaged in the header of a segment that has one good copy of it;
// else notes that there is something, and mends it once nothing can refuse the log any more. A copy
// of zeros is no damage: the power was cut while both were written.
static enum tau_status see_header(struct replay *replay)
{
    enum tau_status status = TAU_STATUS_SUCCESS;
    uint64_t left = replay->segment->size; // of a file that was cut off
    size_t size = left < TAUD_SEGMENT_HEADER_BYTES ? (size_t)left : TAUD_SEGMENT_HEADER_BYTES;
    const uint8_t *first = look(replay, 0, size);
    uint8_t bytes[TAUD_SEGMENT_HEADER_BYTES] = {0};
    if (!first)
        return status;
    memcpy(bytes, first, size);
    for (size_t at = 0; at < sizeof bytes && status == TAU_STATUS_SUCCESS; at += TAUD_IO_BLOCK) {
        struct taud_segment_header header;
        uint8_t alone[TAUD_SEGMENT_HEADER_BYTES] = {0};
        memcpy(alone, bytes + at, TAUD_SEGMENT_COPY_BYTES);
        bool written = !is_zero(bytes + at, TAUD_IO_BLOCK);
        if (replay->inspection && !written)
            continue;
        if (taud_segment_header_decode(alone, &header) != TAUD_HEADER_GOOD ||
            header.sequence != replay->segment->sequence ||
            !is_zero(bytes + at + TAUD_SEGMENT_COPY_BYTES,
                     TAUD_IO_BLOCK - TAUD_SEGMENT_COPY_BYTES))
            status = see_copy(replay, at, written);
    }
    return status;
}

// --- one segment ------------------------------------------------------------------------------

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

// Hands a group on, if something of it is needed.
static enum tau_status deliver(struct replay *replay, const struct taud_group_header *header,
                               const uint8_t *content)
{
    struct taud_log_group group = {header->position, content, header->size};
    bool damaged_before = replay->damaged_before || header->position > reached(replay);
    replay->expected = header->position + header->size;
    replay->least_epoch = header->epoch;
    if (replay->expected <= replay->from_position)
        return TAU_STATUS_SUCCESS;
    enum tau_status status = replay->callback(&group, damaged_before, replay->user_data);
    replay->damaged_before = false;
    replay->report->read_bytes += TAUD_GROUP_HEADER_BYTES + header->size;
    if (status == TAU_STATUS_INTERNAL_ERROR && replay->error)
        name_group(replay, header);
    return status;
}

// Where damage ends behind which the segment has no good group. In the last one, that was used
// before, it is followed by what nobody misses: once the damage was copied and the end of the log
// zeroed, that is no damage.
static uint64_t damaged_end(struct replay *replay, const struct taud_found_segment *next,
                            uint64_t offset)
{
    if (next || !replay->segment->header.remains)
        return used_end(replay, offset);
    uint64_t end = written_end(replay, offset);
    const uint8_t *bytes = look(replay, offset, TAUD_GROUP_HEADER_BYTES);
    bool emptied = bytes && is_zero(bytes, TAUD_GROUP_HEADER_BYTES);
    return end > offset || emptied ? end : used_end(replay, offset);
}

// What to do where no good group stands at *offset. Sets *offset to where reading goes on, or
// *ret_end when the segment has nothing more.
static enum tau_status judge_gap(struct replay *replay, const struct taud_found_segment *next,
                                 uint64_t *offset, bool *ret_end)
{
    struct taud_group_header header;
    uint64_t found = 0;
    bool any = find_group(replay, *offset, &found, &header);
    bool known = replay->known_position > reached(replay);
    bool missing = next ? next->header.position > reached(replay) : known;
    if (any && header.position <= replay->from_position) { // nothing of it is needed
        *offset = found;
        return TAU_STATUS_SUCCESS;
    }
    if (any && (next || known || later_proof(replay, found))) {
        enum tau_status status = put_aside(replay, *offset, found, header.position);
        *offset = found;
        return status;
    }
    *ret_end = true;
    if (!missing || replay->io_status != 0)
        return TAU_STATUS_SUCCESS;
    uint64_t end = damaged_end(replay, next, *offset);
    uint64_t position = next ? next->header.position : replay->known_position;
    enum tau_status status = end > *offset ? put_aside(replay, *offset, end, position)
                                           : lose(replay, *offset, position);
    replay->expected = position;
    return status;
}

// Reads a segment in use; `next` is the one in use behind it, or NULL. *ret_end is where its groups
// end.
static enum tau_status replay_segment(struct replay *replay, const struct taud_found_segment *next,
                                      uint64_t *ret_end)
{
    uint64_t offset = TAUD_SEGMENT_HEADER_BYTES;
    enum tau_status status = see_header(replay);
    if (replay->segment->header.epoch > replay->least_epoch)
        replay->least_epoch = replay->segment->header.epoch;
    if (replay->segment->header.position > reached(replay)) {
        replay->damaged_before = true;
        if (!replay->begun && status == TAU_STATUS_SUCCESS)
            status = lose_beginning(replay, replay->segment->header.position);
        replay->expected = replay->segment->header.position;
    }
    replay->begun = true;
    for (bool end = false; !end && status == TAU_STATUS_SUCCESS;) {
        struct taud_group_header header;
        const uint8_t *content;
        if (next_group(replay, &offset, &header, &content)) {
            status = deliver(replay, &header, content);
            offset += TAUD_GROUP_HEADER_BYTES + header.size;
        } else {
            status = judge_gap(replay, next, &offset, &end);
        }
        if (status == TAU_STATUS_SUCCESS && replay->io_status != 0)
            return file_error(replay->local, replay->io_status, replay->error);
    }
    *ret_end = offset;
    return status;
}

// --- repair -----------------------------------------------------------------------------------

// Zeroes the last segment behind `end`, gives it its full size again, and makes it the current one.
static int take_over(struct replay *replay, uint64_t end)
{
    struct taud_local *local = replay->local;
    const struct taud_io *io = local->io;
    bool remains = replay->segment->header.remains;
    uint64_t used = remains ? written_end(replay, end) : used_end(replay, end);
    if (replay->io_status != 0)
        return replay->io_status;
    replay->report->cut_bytes += used - end;
    if (replay->inspection)
        return 0;
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
    local->current = replay->segment->header;
    local->offset = end;
    local->fresh = false;
    size_t partial = (size_t)(end % TAUD_IO_BLOCK);
    int64_t count = taud_io_read_all(io, local->file, local->block, partial, end - partial);
    return count < 0 ? (int)count : 0;
}

static int move_aside(struct taud_local *local, const struct taud_found_segment *segment)
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
    return status;
}

// A segment without a good header: all in it is lost.
static enum tau_status lose_segment(struct replay *replay, const struct taud_found_segment *segment)
{
    struct taud_log_damage damage = {
        .size = segment->size, .from = reached(replay), .to = reached(replay)};
    count_damage(replay, segment->size);
    return tell(replay, segment, damage);
}

// Keeps a prepared segment that comes next, removes others.
static int sort_unused(struct taud_local *local, const struct taud_found_segment *segment)
{
    char path[TAUD_PATH_BYTES];
    if (segment->sequence == local->current_sequence + 1 &&
        segment->size > TAUD_SEGMENT_HEADER_BYTES && segment->size % TAUD_IO_BLOCK == 0) {
        local->next_state = TAUD_NEXT_READY;
        local->next_size = segment->size;
        local->next_remains = true; // nobody looked
        return 0;
    }
    taud_local_segment_path(local, path, segment->sequence);
    return local->io->unlink(local->io->context, path);
}

static int open_file(struct replay *replay, const struct taud_found_segment *segment)
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

static enum tau_status replay_file(struct replay *replay, const struct taud_found_segment *segment,
                                   const struct taud_found_segment *next)
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
    if (!replay->inspection) {
        local->current_sequence = segment->sequence;
        local->current_used = true;
    }
    return result;
}

static enum tau_status mend_segment(struct replay *replay,
                                       const struct taud_found_segment *segment)
{
    int status = open_file(replay, segment);
    if (status != 0)
        return file_error(replay->local, status, replay->error);
    enum tau_status result = see_header(replay);
    replay->local->io->close(replay->local->io->context, replay->file);
    return result;
}

// Puts right what is damaged, once nothing can refuse the log any more, in the segments from
// `first` on; the last one in use stands before `last`.
static enum tau_status put_right(struct replay *replay, const struct taud_found_segments *list,
                                 size_t first, size_t last)
{
    enum tau_status result = TAU_STATUS_SUCCESS;
    replay->mending = true;
    for (size_t i = first; i < list->count && result == TAU_STATUS_SUCCESS; i++) {
        const struct taud_found_segment *segment = &list->items[i];
        int status = 0;
        if (segment->kind == TAUD_HEADER_DAMAGED || (segment->kind != TAUD_HEADER_GOOD && i < last))
            status = move_aside(replay->local, segment);
        else if (segment->kind == TAUD_HEADER_GOOD && replay->mends)
            result = mend_segment(replay, segment);
        if (status != 0)
            result = file_error(replay->local, status, replay->error);
    }
    return result;
}

// Segments that a trim left, at the end as well.
static void remove_passed(struct taud_local *local, const struct taud_found_segments *list,
                          size_t count)
{
    char path[TAUD_PATH_BYTES];
    for (size_t i = 0; i < count; i++) {
        taud_local_segment_path(local, path, list->items[i].sequence);
        local->io->unlink(local->io->context, path); // else the next trim does it
    }
}

// All segments in order; those without a good header were prepared and not used, or are damaged.
static enum tau_status replay_all(struct replay *replay, const struct taud_found_segments *list)
{
    struct taud_local *local = replay->local;
    size_t last = list->count, passed = taud_local_count_passed(list, replay->from_position);
    while (last > 0 && list->items[last - 1].kind != TAUD_HEADER_GOOD)
        last--;
    for (size_t i = passed; i < list->count; i++) {
        const struct taud_found_segment *segment = &list->items[i], *next = NULL;
        for (size_t k = i + 1; k < last && !next; k++)
            next = list->items[k].kind == TAUD_HEADER_GOOD ? &list->items[k] : NULL;
        int status = 0;
        enum tau_status result = TAU_STATUS_SUCCESS;
        if (segment->kind == TAUD_HEADER_GOOD)
            result = replay_file(replay, segment, next);
        else if (segment->kind == TAUD_HEADER_DAMAGED || i < last)
            result = lose_segment(replay, segment);
        else if (!replay->inspection)
            status = sort_unused(local, segment);
        if (status != 0)
            result = file_error(local, status, replay->error);
        if (result != TAU_STATUS_SUCCESS)
            return result;
    }
    enum tau_status result = TAU_STATUS_SUCCESS;
    if (!replay->begun && replay->known_position > replay->from_position)
        result = lose_beginning(replay, replay->known_position);
    if (!replay->inspection && result == TAU_STATUS_SUCCESS)
        result = put_right(replay, list, passed, last);
    if (!replay->inspection)
        remove_passed(local, list, passed);
    return result;
}

// Finds the segments and reads them all.
static enum tau_status run(struct replay *replay)
{
    struct taud_local *local = replay->local;
    const struct taud_allocator *allocator = local->allocator;
    struct taud_found_segments list = {.local = local};
    enum tau_status status = TAU_STATUS_SUCCESS;
    memset(replay->report, 0, sizeof *replay->report);
    replay->window = allocator->reserve(allocator->context, WINDOW_BYTES);
    int found = replay->window ? 0 : -ENOMEM;
    if (found == 0 && !replay->inspection)
        found = taud_local_sweep_log(local);
    if (found == 0)
        found = taud_local_find_segments(local, &list);
    if (found != 0)
        status = file_error(local, found, replay->error);
    else
        status = replay_all(replay, &list);
    taud_local_free_segments(&list);
    if (replay->window)
        allocator->unreserve(allocator->context, replay->window, WINDOW_BYTES);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    uint64_t end = reached(replay);
    replay->report->end_position = end > replay->known_position ? end : replay->known_position;
    replay->report->highest_epoch = replay->least_epoch;
    return status;
}

enum tau_status taud_local_log_inspect(struct taud_backend *backend, uint64_t from_position,
                                       uint64_t known_position,
                                       const struct taud_log_inspection *inspection,
                                       struct taud_log_report *ret_report, struct taud_error *error)
{
    struct replay replay = {
        .local = taud_local_of(backend),
        .callback = inspection->group,
        .user_data = inspection->user_data,
        .inspection = inspection,
        .report = ret_report,
        .error = error,
        .from_position = from_position,
        .known_position = known_position,
    };
    return run(&replay);
}

enum tau_status taud_local_log_open(struct taud_backend *backend, uint64_t from_position,
                                    uint64_t known_position, taud_log_replay_callback *callback,
                                    void *user_data, struct taud_log_report *ret_report,
                                    struct taud_error *error)
{
    struct taud_local *local = taud_local_of(backend);
    struct replay replay = {
        .local = local,
        .callback = callback,
        .user_data = user_data,
        .report = ret_report,
        .error = error,
        .from_position = from_position,
        .known_position = known_position,
    };
    local->current = (struct taud_segment_header){0};
    local->current_sequence = 0;
    local->current_used = false;
    local->next_state = TAUD_NEXT_NONE;
    local->spare_count = 0;
    local->offset = 0;
    if (!taud_local_take_buffers(local))
        return file_error(local, -ENOMEM, error);
    enum tau_status status = run(&replay);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    local->position = local->synced_position = ret_report->end_position;
    local->trimmed_position = from_position;
    ret_report->quarantined_count = local->quarantined_count;
    ret_report->quarantined_bytes = local->quarantined_bytes;
    return TAU_STATUS_SUCCESS;
}
