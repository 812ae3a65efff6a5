// SPDX-License-Identifier: MIT
// What becomes of damage in the local log: an inspection is told, else it is counted, its bytes are
// copied to quarantine/, and once nothing can refuse the log any more headers are mended and
// segments moved aside.
#include "local_reading.h"

#include <stdio.h>
#include <string.h>

enum tau_status taud_reading_failed(const struct taud_log_reading *reading, int status)
{
    return taud_local_log_failed(reading->groups.local, status, reading->error);
}

// --- what is lost -----------------------------------------------------------------------------

// Counts what lies in quarantine then, or would.
static void count_damage(struct taud_log_reading *reading, uint64_t bytes)
{
    struct taud_local *local = reading->groups.local;
    reading->damage_count++;
    if (reading->inspection) {
        reading->report->quarantined_count++;
        reading->report->quarantined_bytes += bytes;
    } else {
        local->quarantined_count++;
        local->quarantined_bytes += bytes;
    }
}

// Tells an inspection of bytes of a segment, by which the positions up to `to` are lost.
static enum tau_status tell(struct taud_log_reading *reading,
                            const struct taud_found_segment *segment, struct taud_log_damage damage)
{
    char name[40];
    if (!reading->inspection)
        return TAU_STATUS_SUCCESS;
    snprintf(name, sizeof name, "log/%016llx.log",
             (unsigned long long)(segment ? segment->sequence : 0));
    damage.place = segment ? name : "log";
    return reading->inspection->damage(&damage, reading->inspection->user_data);
}

enum tau_status taud_reading_lose(struct taud_log_reading *reading, uint64_t offset,
                                  uint64_t position)
{
    struct taud_log_damage damage = {
        .offset = offset, .from = taud_reading_reached(reading), .to = position};
    count_damage(reading, 0);
    reading->damaged_before = true;
    return tell(reading, reading->groups.segment, damage);
}

static enum tau_status copy_aside(struct taud_log_reading *reading, uint64_t from, uint64_t to)
{
    struct taud_local *local = reading->groups.local;
    for (uint64_t at = from; at < to;) {
        size_t size = to - at < TAUD_LOG_GROUP_BYTES_MAX ? (size_t)(to - at)
                                                         : (size_t)TAUD_LOG_GROUP_BYTES_MAX;
        const uint8_t *bytes = taud_groups_look(&reading->groups, at, size);
        if (!bytes)
            return taud_reading_failed(
                reading, reading->groups.io_status ? reading->groups.io_status : -EIO);
        char name[80];
        snprintf(name, sizeof name, "quarantine/log-%016llx-%010llx-%08zx",
                 (unsigned long long)reading->groups.segment->sequence, (unsigned long long)at,
                 size);
        enum tau_status status =
            local->backend.objects->put(&local->backend, name, bytes, size, reading->error);
        if (status != TAU_STATUS_SUCCESS)
            return status;
        at += size;
    }
    return TAU_STATUS_SUCCESS;
}

enum tau_status taud_reading_put_aside(struct taud_log_reading *reading, uint64_t from, uint64_t to,
                                       uint64_t position)
{
    enum tau_status status = TAU_STATUS_SUCCESS;
    if (reading->inspection)
        status = tell(reading, reading->groups.segment,
                      (struct taud_log_damage){.offset = from,
                                               .size = to - from,
                                               .from = taud_reading_reached(reading),
                                               .to = position});
    else
        status = copy_aside(reading, from, to);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    count_damage(reading, to - from);
    reading->damaged_before = true;
    return status;
}

enum tau_status taud_reading_lose_beginning(struct taud_log_reading *reading, uint64_t position)
{
    if (reading->damage_count > 0) {
        reading->damaged_before = true;
        return TAU_STATUS_SUCCESS;
    }
    return taud_reading_lose(reading, 0, position);
}

enum tau_status taud_reading_lose_segment(struct taud_log_reading *reading,
                                          const struct taud_found_segment *segment)
{
    struct taud_log_damage damage = {.size = segment->size,
                                     .from = taud_reading_reached(reading),
                                     .to = taud_reading_reached(reading)};
    count_damage(reading, segment->size);
    return tell(reading, segment, damage);
}

// --- headers ----------------------------------------------------------------------------------

// Writes a block of the header anew, by its other copy; `keep` says that it has something else.
static enum tau_status mend_header(struct taud_log_reading *reading, size_t at, bool keep)
{
    struct taud_local *local = reading->groups.local;
    const struct taud_io *io = local->io;
    uint8_t bytes[TAUD_SEGMENT_HEADER_BYTES];
    char path[TAUD_PATH_BYTES];
    uint64_t end = at + TAUD_IO_BLOCK;
    enum tau_status kept = TAU_STATUS_SUCCESS;
    if (keep)
        kept = copy_aside(
            reading, at, end < reading->groups.segment->size ? end : reading->groups.segment->size);
    if (kept != TAU_STATUS_SUCCESS)
        return kept;
    taud_segment_header_encode(bytes, &reading->groups.segment->header);
    taud_local_segment_path(local, path, reading->groups.segment->sequence);
    int file = io->open(io->context, path, TAUD_IO_WRITE, 0);
    int status = file < 0 ? file : 0;
    if (status == 0)
        status = taud_io_write_all(io, file, bytes + at, TAUD_IO_BLOCK, at);
    if (status == 0)
        status = io->sync(io->context, file);
    if (file >= 0)
        io->close(io->context, file);
    return status == 0 ? TAU_STATUS_SUCCESS : taud_reading_failed(reading, status);
}

static enum tau_status see_copy(struct taud_log_reading *reading, size_t at, bool written)
{
    struct taud_log_damage damage = {.offset = at, .size = TAUD_IO_BLOCK, .spare = true};
    if (reading->inspection)
        return tell(reading, reading->groups.segment, damage);
    reading->mends = true;
    return reading->mending ? mend_header(reading, at, written) : TAU_STATUS_SUCCESS;
}

enum tau_status taud_reading_see_header(struct taud_log_reading *reading)
{
    enum tau_status status = TAU_STATUS_SUCCESS;
    uint64_t left = reading->groups.segment->size; // of a file that was cut off
    size_t size = left < TAUD_SEGMENT_HEADER_BYTES ? (size_t)left : TAUD_SEGMENT_HEADER_BYTES;
    const uint8_t *first = taud_groups_look(&reading->groups, 0, size);
    uint8_t bytes[TAUD_SEGMENT_HEADER_BYTES] = {0};
    if (!first)
        return status;
    memcpy(bytes, first, size);
    for (size_t at = 0; at < sizeof bytes && status == TAU_STATUS_SUCCESS; at += TAUD_IO_BLOCK) {
        struct taud_segment_header header;
        uint8_t alone[TAUD_SEGMENT_HEADER_BYTES] = {0};
        memcpy(alone, bytes + at, TAUD_SEGMENT_COPY_BYTES);
        bool written = !taud_bytes_are_zero(bytes + at, TAUD_IO_BLOCK);
        if (reading->inspection && !written)
            continue;
        if (taud_segment_header_decode(alone, &header) != TAUD_HEADER_GOOD ||
            header.sequence != reading->groups.segment->sequence ||
            !taud_bytes_are_zero(bytes + at + TAUD_SEGMENT_COPY_BYTES,
                                 TAUD_IO_BLOCK - TAUD_SEGMENT_COPY_BYTES))
            status = see_copy(reading, at, written);
    }
    return status;
}

// --- repair -----------------------------------------------------------------------------------

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

static enum tau_status mend_segment(struct taud_log_reading *reading,
                                    const struct taud_found_segment *segment)
{
    int status = taud_groups_open(&reading->groups, segment);
    if (status != 0)
        return taud_reading_failed(reading, status);
    enum tau_status result = taud_reading_see_header(reading);
    taud_groups_close(&reading->groups);
    return result;
}

enum tau_status taud_reading_put_right(struct taud_log_reading *reading,
                                       const struct taud_found_segments *list, size_t first,
                                       size_t last)
{
    enum tau_status result = TAU_STATUS_SUCCESS;
    reading->mending = true;
    for (size_t i = first; i < list->count && result == TAU_STATUS_SUCCESS; i++) {
        const struct taud_found_segment *segment = &list->items[i];
        int status = 0;
        if (segment->kind == TAUD_HEADER_DAMAGED || (segment->kind != TAUD_HEADER_GOOD && i < last))
            status = move_aside(reading->groups.local, segment);
        else if (segment->kind == TAUD_HEADER_GOOD && reading->mends)
            result = mend_segment(reading, segment);
        if (status != 0)
            result = taud_reading_failed(reading, status);
    }
    return result;
}
