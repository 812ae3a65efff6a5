// SPDX-License-Identifier: MIT
// Reads the local log back. A place where no good group stands is the torn end of the log, unless
// something proves that it had once been synced: a later segment in use, a later group written when
// more was durable than ends here, or the position that a clean stop left. Then it is damage: the
// bytes are copied to quarantine/ and reading goes on behind them. An inspection goes the same way,
// but tells of damage instead, and leaves everything as it is.
#include "local_reading.h"

#include <string.h>

enum { ZERO_BYTES = 64 << 10 };

enum tau_status taud_local_log_failed(const struct taud_local *local, int status,
                                      struct taud_error *error)
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
    return status != 0 ? taud_local_log_failed(local, status, error) : result;
}

// --- one segment ------------------------------------------------------------------------------

// Says of a group that was refused where it stands.
static void name_group(struct taud_log_reading *reading, const struct taud_group_header *header)
{
    char reason[sizeof reading->error->text];
    memcpy(reason, reading->error->text, sizeof reason);
    taud_error_set(reading->error, reading->error->status, 0,
                   "log/%016llx.log, group at offset %llu: %s; the log is left as it is",
                   (unsigned long long)reading->groups.segment->sequence,
                   (unsigned long long)header->offset, reason);
}

// Hands a group on, if something of it is needed.
static enum tau_status deliver(struct taud_log_reading *reading,
                               const struct taud_group_header *header, const uint8_t *content)
{
    struct taud_log_group group = {header->position, content, header->size};
    bool damaged_before =
        reading->damaged_before || header->position > taud_reading_reached(reading);
    reading->groups.expected = header->position + header->size;
    reading->groups.least_epoch = header->epoch;
    if (reading->groups.expected <= reading->from_position)
        return TAU_STATUS_SUCCESS;
    enum tau_status status = reading->callback(&group, damaged_before, reading->user_data);
    reading->damaged_before = false;
    reading->report->read_bytes += TAUD_GROUP_HEADER_BYTES + header->size;
    if (status == TAU_STATUS_INTERNAL_ERROR && reading->error)
        name_group(reading, header);
    return status;
}

// Whether a group from `offset` on was written when more than what is reached was durable.
static bool later_proof(struct taud_log_reading *reading, uint64_t offset)
{
    struct taud_group_header header;
    while (taud_groups_find(&reading->groups, offset, &offset, &header)) {
        if (header.synced_position > taud_reading_reached(reading))
            return true;
        offset += TAUD_GROUP_HEADER_BYTES + header.size;
    }
    return false;
}

// Where damage ends behind which the segment has no good group. In the last one, that was used
// before, it is followed by what nobody misses: once the damage was copied and the end of the log
// zeroed, that is no damage.
static uint64_t damaged_end(struct taud_log_reading *reading, const struct taud_found_segment *next,
                            uint64_t offset)
{
    if (next || !reading->groups.segment->header.remains)
        return taud_groups_used_end(&reading->groups, offset);
    uint64_t end = taud_groups_written_end(&reading->groups, offset);
    const uint8_t *bytes = taud_groups_look(&reading->groups, offset, TAUD_GROUP_HEADER_BYTES);
    bool emptied = bytes && taud_bytes_are_zero(bytes, TAUD_GROUP_HEADER_BYTES);
    return end > offset || emptied ? end : taud_groups_used_end(&reading->groups, offset);
}

// What to do where no good group stands at *offset. Sets *offset to where reading goes on, or
// *ret_end when the segment has nothing more.
static enum tau_status judge_gap(struct taud_log_reading *reading,
                                 const struct taud_found_segment *next, uint64_t *offset,
                                 bool *ret_end)
{
    struct taud_group_header header;
    uint64_t found = 0;
    bool any = taud_groups_find(&reading->groups, *offset, &found, &header);
    bool known = reading->known_position > taud_reading_reached(reading);
    bool missing = next ? next->header.position > taud_reading_reached(reading) : known;
    if (any && header.position <= reading->from_position) { // nothing of it is needed
        *offset = found;
        return TAU_STATUS_SUCCESS;
    }
    if (any && (next || known || later_proof(reading, found))) {
        enum tau_status status = taud_reading_put_aside(reading, *offset, found, header.position);
        *offset = found;
        return status;
    }
    *ret_end = true;
    if (!missing || reading->groups.io_status != 0)
        return TAU_STATUS_SUCCESS;
    uint64_t end = damaged_end(reading, next, *offset);
    uint64_t position = next ? next->header.position : reading->known_position;
    enum tau_status status = end > *offset ? taud_reading_put_aside(reading, *offset, end, position)
                                           : taud_reading_lose(reading, *offset, position);
    reading->groups.expected = position;
    return status;
}

// Reads a segment in use; `next` is the one in use behind it, or NULL. *ret_end is where its groups
// end.
static enum tau_status replay_segment(struct taud_log_reading *reading,
                                      const struct taud_found_segment *next, uint64_t *ret_end)
{
    uint64_t offset = TAUD_SEGMENT_HEADER_BYTES;
    enum tau_status status = taud_reading_see_header(reading);
    if (reading->groups.segment->header.epoch > reading->groups.least_epoch)
        reading->groups.least_epoch = reading->groups.segment->header.epoch;
    if (reading->groups.segment->header.position > taud_reading_reached(reading)) {
        reading->damaged_before = true;
        if (!reading->begun && status == TAU_STATUS_SUCCESS)
            status = taud_reading_lose_beginning(reading, reading->groups.segment->header.position);
        reading->groups.expected = reading->groups.segment->header.position;
    }
    reading->begun = true;
    for (bool end = false; !end && status == TAU_STATUS_SUCCESS;) {
        struct taud_group_header header;
        const uint8_t *content;
        if (taud_groups_next(&reading->groups, &offset, &header, &content)) {
            status = deliver(reading, &header, content);
            offset += TAUD_GROUP_HEADER_BYTES + header.size;
        } else {
            status = judge_gap(reading, next, &offset, &end);
        }
        if (status == TAU_STATUS_SUCCESS && reading->groups.io_status != 0)
            return taud_reading_failed(reading, reading->groups.io_status);
    }
    *ret_end = offset;
    return status;
}

// --- all segments -----------------------------------------------------------------------------

// Zeroes the last segment behind `end`, gives it its full size again, and makes it the current one.
static int take_over(struct taud_log_reading *reading, uint64_t end)
{
    struct taud_local *local = reading->groups.local;
    const struct taud_io *io = local->io;
    bool remains = reading->groups.segment->header.remains;
    uint64_t used = remains ? taud_groups_written_end(&reading->groups, end)
                            : taud_groups_used_end(&reading->groups, end);
    if (reading->groups.io_status != 0)
        return reading->groups.io_status;
    reading->report->cut_bytes += used - end;
    if (reading->inspection)
        return 0;
    int status = taud_local_open_files(local, reading->groups.segment->sequence);
    static const uint8_t zeros[ZERO_BYTES];
    for (uint64_t at = end; at < used && status == 0; at += ZERO_BYTES) {
        size_t size = used - at < ZERO_BYTES ? (size_t)(used - at) : (size_t)ZERO_BYTES;
        status = taud_io_write_all(io, local->file, zeros, size, at);
    }
    if (status == 0 && reading->groups.segment->size < reading->groups.segment->header.size)
        status = io->preallocate(io->context, local->file, reading->groups.segment->header.size);
    if (status == 0)
        status = io->sync(io->context, local->file);
    if (status != 0)
        return status;
    local->current = reading->groups.segment->header;
    local->offset = end;
    local->fresh = false;
    size_t partial = (size_t)(end % TAUD_IO_BLOCK);
    int64_t count = taud_io_read_all(io, local->file, local->block, partial, end - partial);
    return count < 0 ? (int)count : 0;
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

static enum tau_status replay_file(struct taud_log_reading *reading,
                                   const struct taud_found_segment *segment,
                                   const struct taud_found_segment *next)
{
    struct taud_local *local = reading->groups.local;
    uint64_t end = 0;
    int status = taud_groups_open(&reading->groups, segment);
    if (status != 0)
        return taud_reading_failed(reading, status);
    enum tau_status result = replay_segment(reading, next, &end);
    if (result == TAU_STATUS_SUCCESS && !next) {
        status = take_over(reading, end);
        if (status != 0)
            result = taud_reading_failed(reading, status);
    }
    taud_groups_close(&reading->groups);
    if (!reading->inspection) {
        local->current_sequence = segment->sequence;
        local->current_used = true;
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
static enum tau_status replay_all(struct taud_log_reading *reading,
                                  const struct taud_found_segments *list)
{
    struct taud_local *local = reading->groups.local;
    size_t last = list->count, passed = taud_local_count_passed(list, reading->from_position);
    while (last > 0 && list->items[last - 1].kind != TAUD_HEADER_GOOD)
        last--;
    for (size_t i = passed; i < list->count; i++) {
        const struct taud_found_segment *segment = &list->items[i], *next = NULL;
        for (size_t k = i + 1; k < last && !next; k++)
            next = list->items[k].kind == TAUD_HEADER_GOOD ? &list->items[k] : NULL;
        int status = 0;
        enum tau_status result = TAU_STATUS_SUCCESS;
        if (segment->kind == TAUD_HEADER_GOOD)
            result = replay_file(reading, segment, next);
        else if (segment->kind == TAUD_HEADER_DAMAGED || i < last)
            result = taud_reading_lose_segment(reading, segment);
        else if (!reading->inspection)
            status = sort_unused(local, segment);
        if (status != 0)
            result = taud_reading_failed(reading, status);
        if (result != TAU_STATUS_SUCCESS)
            return result;
    }
    enum tau_status result = TAU_STATUS_SUCCESS;
    if (!reading->begun && reading->known_position > reading->from_position)
        result = taud_reading_lose_beginning(reading, reading->known_position);
    if (!reading->inspection && result == TAU_STATUS_SUCCESS)
        result = taud_reading_put_right(reading, list, passed, last);
    if (!reading->inspection)
        remove_passed(local, list, passed);
    return result;
}

// Finds the segments and reads them all.
static enum tau_status run(struct taud_log_reading *reading, struct taud_local *local)
{
    struct taud_found_segments list = {.local = local};
    enum tau_status status = TAU_STATUS_SUCCESS;
    memset(reading->report, 0, sizeof *reading->report);
    int found = taud_groups_init(&reading->groups, local);
    if (found == 0 && !reading->inspection)
        found = taud_local_sweep_log(local);
    if (found == 0)
        found = taud_local_find_segments(local, &list);
    if (found != 0)
        status = taud_reading_failed(reading, found);
    else
        status = replay_all(reading, &list);
    taud_local_free_segments(&list);
    taud_groups_done(&reading->groups);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    uint64_t end = taud_reading_reached(reading);
    reading->report->end_position = end > reading->known_position ? end : reading->known_position;
    reading->report->highest_epoch = reading->groups.least_epoch;
    return status;
}

enum tau_status taud_local_log_inspect(struct taud_backend *backend, uint64_t from_position,
                                       uint64_t known_position,
                                       const struct taud_log_inspection *inspection,
                                       struct taud_log_report *ret_report, struct taud_error *error)
{
    struct taud_log_reading reading = {
        .callback = inspection->group,
        .user_data = inspection->user_data,
        .inspection = inspection,
        .report = ret_report,
        .error = error,
        .from_position = from_position,
        .known_position = known_position,
    };
    return run(&reading, taud_local_of(backend));
}

enum tau_status taud_local_log_open(struct taud_backend *backend, uint64_t from_position,
                                    uint64_t known_position, taud_log_replay_callback *callback,
                                    void *user_data, struct taud_log_report *ret_report,
                                    struct taud_error *error)
{
    struct taud_local *local = taud_local_of(backend);
    struct taud_log_reading reading = {
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
        return taud_local_log_failed(local, -ENOMEM, error);
    enum tau_status status = run(&reading, local);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    local->position = local->synced_position = ret_report->end_position;
    local->trimmed_position = from_position;
    ret_report->quarantined_count = local->quarantined_count;
    ret_report->quarantined_bytes = local->quarantined_bytes;
    return TAU_STATUS_SUCCESS;
}
