// SPDX-License-Identifier: MIT
// What stands at a position of the stream is the same in every segment, so that any group tells
// whether it is the right one. It must not know how the log is read.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "replay_rig.h"

#include "engine/crc32c.h"

#include <stdio.h>

enum { FILE_ID = 0xf11e, EPOCH = 5 };

// --- laying segments down ---------------------------------------------------------------------

struct replay_image replay_segment(uint64_t sequence, uint64_t position, uint64_t size)
{
    struct replay_image image = {
        .header = {.sequence = sequence,
                   .file_id = FILE_ID + sequence,
                   .epoch = EPOCH,
                   .position = position,
                   .size = size},
        .bytes = calloc(1, size),
        .offset = REPLAY_FIRST,
        .position = position,
    };
    taud_segment_header_encode(image.bytes, &image.header);
    return image;
}

// The stream: what stands at a position is the same in every test.
static uint8_t byte_at(uint64_t position)
{
    return (uint8_t)(position * 7 + position / 253 + 1);
}

void replay_write_group(struct replay_image *image, struct taud_group_header header)
{
    uint8_t *content = image->bytes + image->offset + REPLAY_HEADER;
    for (uint32_t i = 0; i < header.size; i++)
        content[i] = byte_at(header.position + i);
    header.content_crc = taud_crc32c(0, content, header.size);
    taud_group_header_encode(image->bytes + image->offset, &header);
    image->offset += REPLAY_HEADER + header.size;
    image->position = header.position + header.size;
}

struct taud_group_header replay_next_group(const struct replay_image *image, uint32_t size,
                                           uint64_t synced_position)
{
    return (struct taud_group_header){.file_id = image->header.file_id,
                                      .offset = image->offset,
                                      .epoch = image->header.epoch,
                                      .position = image->position,
                                      .synced_position = synced_position,
                                      .size = size};
}

void replay_add_group(struct replay_image *image, uint32_t size, uint64_t synced_position)
{
    replay_write_group(image, replay_next_group(image, size, synced_position));
}

const char *replay_name(uint64_t sequence)
{
    static char name[40];
    snprintf(name, sizeof name, "log/%016llx.log", (unsigned long long)sequence);
    return name;
}

void replay_store(struct local_rig *rig, struct replay_image *image)
{
    local_rig_put(rig, replay_name(image->header.sequence), image->bytes, image->header.size);
    free(image->bytes);
}

void replay_store_three(struct local_rig *rig, uint64_t bit, uint64_t synced_position)
{
    struct replay_image image = replay_segment(1, 0, 4 * TAUD_IO_BLOCK);
    replay_add_group(&image, 40, 0);
    replay_add_group(&image, 48, 0);
    replay_add_group(&image, 56, synced_position);
    if (bit != REPLAY_NO_BIT)
        image.bytes[REPLAY_FIRST + bit / 8] ^= (uint8_t)(1 << bit % 8);
    replay_store(rig, &image);
}

void replay_store_later(struct local_rig *rig, uint64_t sequence, uint64_t position)
{
    struct replay_image image = replay_segment(sequence, position, 4 * TAUD_IO_BLOCK);
    replay_add_group(&image, 8, position);
    replay_store(rig, &image);
}

// --- reading them back ------------------------------------------------------------------------

struct replay_outcome replay_outcome;
struct replay_told replay_told;

static enum tau_status take_group(const struct taud_log_group *group, bool damaged_before,
                                  void *user_data)
{
    struct replay_outcome *out = user_data;
    for (size_t i = 0; i < group->size; i++) {
        if (group->data[i] != byte_at(group->position + i))
            fail_msg("the content at position %zu is another", (size_t)group->position + i);
    }
    assert_true(out->count < REPLAY_GROUPS_MAX);
    out->positions[out->count] = group->position;
    out->damaged[out->count++] = damaged_before;
    if (out->refuse != TAU_STATUS_SUCCESS && out->count == out->refuse_at)
        return taud_error_set(out->error, out->refuse, 0, "not to be read");
    return TAU_STATUS_SUCCESS;
}

static enum tau_status take_damage(const struct taud_log_damage *damage, void *user_data)
{
    assert_ptr_equal(user_data, &replay_outcome);
    assert_true(strncmp(damage->place, "log", 3) == 0 && damage->to >= damage->from);
    replay_told.spare += damage->spare;
    if (!damage->spare) {
        assert_true(damage->from >= replay_told.to);
        replay_told.count++;
        replay_told.bytes += damage->size;
        replay_told.to = damage->to;
    }
    return TAU_STATUS_SUCCESS;
}

enum tau_status replay_inspect(struct local_rig *rig, uint64_t from_position,
                               uint64_t known_position)
{
    const struct taud_log_inspection inspection = {take_group, take_damage, &replay_outcome};
    uint64_t digest = disk_digest(rig->disk, "");
    replay_outcome.count = 0;
    replay_outcome.error = &rig->error;
    replay_told = (struct replay_told){0};
    enum tau_status status =
        rig->backend->log->inspect(rig->backend, from_position, known_position, &inspection,
                                   &replay_outcome.report, &rig->error);
    assert_int_equal(disk_digest(rig->disk, ""), digest);
    return status;
}

enum tau_status replay_try_from(struct local_rig *rig, uint64_t from_position,
                                uint64_t known_position)
{
    replay_outcome.count = 0;
    replay_outcome.error = &rig->error;
    rig->backend->log->close(rig->backend);
    rig->local->quarantined_count = rig->local->quarantined_bytes = 0;
    return rig->backend->log->open(rig->backend, from_position, known_position, take_group,
                                   &replay_outcome, &replay_outcome.report, &rig->error);
}

void replay_read(struct local_rig *rig, uint64_t from_position, uint64_t known_position)
{
    assert_int_equal(replay_inspect(rig, from_position, known_position), TAU_STATUS_SUCCESS);
    struct replay_outcome before = replay_outcome;
    assert_int_equal(replay_try_from(rig, from_position, known_position), TAU_STATUS_SUCCESS);
    assert_memory_equal(&replay_outcome, &before, sizeof replay_outcome);
    assert_int_equal(replay_told.count, replay_outcome.report.quarantined_count);
    assert_int_equal(replay_told.bytes, replay_outcome.report.quarantined_bytes);
}

enum tau_status replay_try(struct local_rig *rig, uint64_t known_position)
{
    return replay_try_from(rig, 0, known_position);
}

void replay_expect(struct local_rig *rig, uint64_t known_position, unsigned count,
                   uint64_t end_position)
{
    replay_read(rig, 0, known_position);
    assert_int_equal(replay_outcome.count, count);
    assert_int_equal(replay_outcome.report.end_position, end_position);
}

void replay_expect_cut(uint64_t cut, uint64_t quarantined_count, uint64_t quarantined_bytes)
{
    assert_int_equal(replay_outcome.report.cut_bytes, cut);
    assert_int_equal(replay_outcome.report.quarantined_count, quarantined_count);
    assert_int_equal(replay_outcome.report.quarantined_bytes, quarantined_bytes);
}

int replay_set_up(void **state)
{
    static struct local_rig rig;
    local_rig_init(&rig, true);
    local_rig_open(&rig);
    replay_outcome = (struct replay_outcome){.refuse = TAU_STATUS_SUCCESS};
    *state = &rig;
    return 0;
}

int replay_tear_down(void **state)
{
    local_rig_done(*state);
    return 0;
}
