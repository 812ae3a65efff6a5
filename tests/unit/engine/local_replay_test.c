// SPDX-License-Identifier: MIT
// The local log read back, from segments that are laid down byte by byte: what is good comes in
// order, a torn end is cut, what was durable once and is not there is told apart from it and put
// aside, and whatever fails, the next start finds the same.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "local_rig.h"

#include "engine/crc32c.h"

#include <errno.h>
#include <stdio.h>

enum { HEADER = TAUD_GROUP_HEADER_BYTES, FIRST = TAUD_SEGMENT_HEADER_BYTES, GROUPS_MAX = 16 };
enum { FILE_ID = 0xf11e, EPOCH = 5 };

static const char quarantined[] = "quarantine/0000000000000001.log";

// --- laying segments down ---------------------------------------------------------------------

struct image {
    struct taud_segment_header header;
    uint8_t *bytes;
    uint64_t offset; // of the next group
    uint64_t position;
};

static struct image segment_of(uint64_t sequence, uint64_t position, uint64_t size)
{
    struct image image = {
        .header = {.sequence = sequence,
                   .file_id = FILE_ID + sequence,
                   .epoch = EPOCH,
                   .position = position,
                   .size = size},
        .bytes = calloc(1, size),
        .offset = FIRST,
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

static void write_group(struct image *image, struct taud_group_header header)
{
    uint8_t *content = image->bytes + image->offset + HEADER;
    for (uint32_t i = 0; i < header.size; i++)
        content[i] = byte_at(header.position + i);
    header.content_crc = taud_crc32c(0, content, header.size);
    taud_group_header_encode(image->bytes + image->offset, &header);
    image->offset += HEADER + header.size;
    image->position = header.position + header.size;
}

static struct taud_group_header next_group(const struct image *image, uint32_t size,
                                           uint64_t synced_position)
{
    return (struct taud_group_header){.file_id = image->header.file_id,
                                      .offset = image->offset,
                                      .epoch = image->header.epoch,
                                      .position = image->position,
                                      .synced_position = synced_position,
                                      .size = size};
}

static void add_group(struct image *image, uint32_t size, uint64_t synced_position)
{
    write_group(image, next_group(image, size, synced_position));
}

static const char *name_of(uint64_t sequence)
{
    static char name[40];
    snprintf(name, sizeof name, "log/%016llx.log", (unsigned long long)sequence);
    return name;
}

static void store(struct local_rig *rig, struct image *image)
{
    local_rig_put(rig, name_of(image->header.sequence), image->bytes, image->header.size);
    free(image->bytes);
}

// --- reading them back ------------------------------------------------------------------------

static struct outcome {
    struct taud_log_report report;
    unsigned count;
    uint64_t positions[GROUPS_MAX];
    bool damaged[GROUPS_MAX];
    enum tau_status refuse; // at this group
    unsigned refuse_at;
    struct taud_error *error;
} outcome;

static enum tau_status take_group(const struct taud_log_group *group, bool damaged_before,
                                  void *user_data)
{
    struct outcome *out = user_data;
    for (size_t i = 0; i < group->size; i++) {
        if (group->data[i] != byte_at(group->position + i))
            fail_msg("the content at position %zu is another", (size_t)group->position + i);
    }
    assert_true(out->count < GROUPS_MAX);
    out->positions[out->count] = group->position;
    out->damaged[out->count++] = damaged_before;
    if (out->refuse != TAU_STATUS_SUCCESS && out->count == out->refuse_at)
        return taud_error_set(out->error, out->refuse, 0, "not to be read");
    return TAU_STATUS_SUCCESS;
}

static struct told {
    unsigned count, spare;
    uint64_t bytes, to; // of those that are not spare; where the last lost position is
} told;

static enum tau_status take_damage(const struct taud_log_damage *damage, void *user_data)
{
    assert_ptr_equal(user_data, &outcome);
    assert_true(strncmp(damage->place, "log", 3) == 0 && damage->to >= damage->from);
    told.spare += damage->spare;
    if (!damage->spare) {
        assert_true(damage->from >= told.to);
        told.count++;
        told.bytes += damage->size;
        told.to = damage->to;
    }
    return TAU_STATUS_SUCCESS;
}

// Inspects it, which must not change anything.
static enum tau_status inspect(struct local_rig *rig, uint64_t from_position,
                               uint64_t known_position)
{
    const struct taud_log_inspection inspection = {take_group, take_damage, &outcome};
    uint64_t digest = disk_digest(rig->disk, "");
    outcome.count = 0;
    outcome.error = &rig->error;
    told = (struct told){0};
    enum tau_status status =
        rig->backend->log->inspect(rig->backend, from_position, known_position, &inspection,
                                   &outcome.report, &rig->error);
    assert_int_equal(disk_digest(rig->disk, ""), digest);
    return status;
}

static enum tau_status try_read_from(struct local_rig *rig, uint64_t from_position,
                                     uint64_t known_position)
{
    outcome.count = 0;
    outcome.error = &rig->error;
    rig->backend->log->close(rig->backend);
    rig->local->quarantined_count = rig->local->quarantined_bytes = 0;
    return rig->backend->log->open(rig->backend, from_position, known_position, take_group,
                                   &outcome, &outcome.report, &rig->error);
}

// Reads it; an inspection before that must have found the same.
static void read_from(struct local_rig *rig, uint64_t from_position, uint64_t known_position)
{
    assert_int_equal(inspect(rig, from_position, known_position), TAU_STATUS_SUCCESS);
    struct outcome before = outcome;
    assert_int_equal(try_read_from(rig, from_position, known_position), TAU_STATUS_SUCCESS);
    assert_memory_equal(&outcome, &before, sizeof outcome);
    assert_int_equal(told.count, outcome.report.quarantined_count);
    assert_int_equal(told.bytes, outcome.report.quarantined_bytes);
}

static enum tau_status try_read(struct local_rig *rig, uint64_t known_position)
{
    return try_read_from(rig, 0, known_position);
}

// Reads and expects so many groups, and this end of the log.
static void expect_groups(struct local_rig *rig, uint64_t known_position, unsigned count,
                          uint64_t end_position)
{
    read_from(rig, 0, known_position);
    assert_int_equal(outcome.count, count);
    assert_int_equal(outcome.report.end_position, end_position);
}

static void expect_cut(uint64_t cut, uint64_t quarantined_count, uint64_t quarantined_bytes)
{
    assert_int_equal(outcome.report.cut_bytes, cut);
    assert_int_equal(outcome.report.quarantined_count, quarantined_count);
    assert_int_equal(outcome.report.quarantined_bytes, quarantined_bytes);
}

static int setup(void **state)
{
    static struct local_rig rig;
    local_rig_init(&rig, true);
    local_rig_open(&rig);
    outcome = (struct outcome){.refuse = TAU_STATUS_SUCCESS};
    *state = &rig;
    return 0;
}

static int teardown(void **state)
{
    local_rig_done(*state);
    return 0;
}

// --- what is good -----------------------------------------------------------------------------

static void an_empty_directory_has_no_log(void **state)
{
    struct local_rig *rig = *state;
    expect_groups(rig, 0, 0, 0);
    assert_int_equal(outcome.report.highest_epoch, 0);
    assert_int_equal(outcome.report.read_bytes, 0);
    expect_cut(0, 0, 0);
    assert_int_equal(rig->local->file, -1);
    expect_groups(rig, 640, 0, 640); // no position is used twice
    expect_cut(0, 1, 0);             // and all that was before it is lost
}

static void groups_come_back_in_order_over_all_segments(void **state)
{
    struct local_rig *rig = *state;
    struct image second = segment_of(2, 72, 5 * TAUD_IO_BLOCK);
    second.header.epoch = 9;
    taud_segment_header_encode(second.bytes, &second.header);
    add_group(&second, 800, 0);
    struct taud_group_header last = next_group(&second, 8, 0);
    last.epoch = 11;
    write_group(&second, last);
    store(rig, &second);
    struct image first = segment_of(1, 0, 4 * TAUD_IO_BLOCK);
    add_group(&first, 8, 0);
    add_group(&first, 64, 0);
    store(rig, &first);

    for (int again = 0; again < 2; again++) {
        expect_groups(rig, 880, 4, 880);
        for (unsigned i = 0; i < 4; i++)
            assert_false(outcome.damaged[i]);
        assert_int_equal(outcome.positions[2], 72);
        assert_int_equal(outcome.report.highest_epoch, 11);
        assert_int_equal(outcome.report.read_bytes, 4 * HEADER + 880);
        expect_cut(0, 0, 0);
        assert_memory_equal(&rig->local->current, &second.header, sizeof second.header);
        const uint64_t offset = FIRST + 2 * HEADER + 808;
        uint64_t size;
        assert_int_equal(rig->local->offset, offset);
        assert_int_equal(rig->local->synced_position, 880);
        assert_true(rig->local->file >= 0);
        assert_memory_equal(rig->local->block, local_rig_file(rig, name_of(2), &size) + FIRST,
                            offset - FIRST);
        assert_true(rig->backend->log->needs_prepare(rig->backend));
    }
}

static void a_segment_without_groups_counts_its_epoch(void **state)
{
    struct local_rig *rig = *state;
    for (int group = 0; group < 2; group++) {
        struct image image = segment_of(1, 0, 4 * TAUD_IO_BLOCK);
        image.header.epoch = 9;
        taud_segment_header_encode(image.bytes, &image.header);
        image.header.epoch = 8; // of a server that was replaced when it was begun
        if (group)
            add_group(&image, 8, 0);
        store(rig, &image);
        expect_groups(rig, 0, 0, 0);
        assert_int_equal(outcome.report.highest_epoch, 9);
    }
}

static void other_names_are_no_segments(void **state)
{
    struct local_rig *rig = *state;
    static const char *const names[] = {
        "log/000000000000000g.log", "log/0000000000000001.log.old", "log/1.log",
        "log/000000000000000A.log", "log/0000000000000001",         "log/notes"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        local_rig_put(rig, names[i], "something else", 14);
    uint64_t digest = disk_digest(rig->disk, "data/log");
    expect_groups(rig, 0, 0, 0);
    assert_int_equal(disk_digest(rig->disk, "data/log"), digest);
}

// It may hold the last of a disk that was full, which the start needs.
static void an_unfinished_preparation_is_swept(void **state)
{
    struct local_rig *rig = *state;
    uint64_t size;
    local_rig_put(rig, "log/preparing.tmp", "zeros, some of them", 20);
    expect_groups(rig, 0, 0, 0);
    assert_null(local_rig_file(rig, "log/preparing.tmp", &size));
}

static void the_largest_groups_are_read_through_the_window(void **state)
{
    struct local_rig *rig = *state;
    const uint32_t most = TAUD_LOG_GROUP_BYTES_MAX;
    struct image image = segment_of(1, 0, FIRST + 2 * (uint64_t)most + 17 * TAUD_IO_BLOCK);
    add_group(&image, (64 << 10) - 104, 0); // so that the next ends 8 bytes behind the window
    add_group(&image, most, 0);
    add_group(&image, 8, 0);
    add_group(&image, most, 0);
    add_group(&image, 16, 0);
    store(rig, &image);
    expect_groups(rig, 0, 5, (64 << 10) - 80 + 2 * (uint64_t)most);
}

// A group that was written while the one before was underway begins a block of its own.
static void a_group_may_stand_at_the_next_block(void **state)
{
    struct local_rig *rig = *state;
    for (int gap = 0; gap < 2; gap++) {
        struct image image = segment_of(1, 0, 6 * TAUD_IO_BLOCK);
        add_group(&image, 80, 0);
        image.offset = taud_local_next_block(image.offset);
        image.position += gap ? 8 : 0; // then it is not the one that follows
        add_group(&image, 160, 0);
        add_group(&image, 8, 0);
        uint64_t end = image.offset;
        store(rig, &image);
        expect_groups(rig, 0, gap ? 1 : 3, gap ? 80 : 248);
        expect_cut(gap ? end - FIRST - HEADER - 80 : 0, 0, 0);
    }
}

// --- the torn end -----------------------------------------------------------------------------

#define NO_BIT UINT64_MAX

// Three groups, of which one bit differs; the last one knew so much to be durable.
static void store_three(struct local_rig *rig, uint64_t bit, uint64_t synced_position)
{
    struct image image = segment_of(1, 0, 4 * TAUD_IO_BLOCK);
    add_group(&image, 40, 0);
    add_group(&image, 48, 0);
    add_group(&image, 56, synced_position);
    if (bit != NO_BIT)
        image.bytes[FIRST + bit / 8] ^= (uint8_t)(1 << bit % 8);
    store(rig, &image);
}

enum {
    FIRST_END = HEADER + 40,
    SECOND_END = FIRST_END + HEADER + 48,
    END = SECOND_END + HEADER + 56
};

static void any_bit_that_differs_ends_the_log_there(void **state)
{
    struct local_rig *rig = *state;
    uint64_t size;
    for (uint64_t bit = FIRST_END * 8; bit < END * 8; bit += 5) {
        bool in_third = bit >= SECOND_END * 8;
        uint64_t end = in_third ? SECOND_END : FIRST_END;
        store_three(rig, bit, 40);
        expect_groups(rig, 0, in_third ? 2 : 1, in_third ? 88 : 40);
        expect_cut(END - end, 0, 0);
        assert_int_equal(rig->local->offset, FIRST + end);
        const uint8_t *bytes = local_rig_file(rig, name_of(1), &size);
        assert_int_equal(bytes[FIRST + end], 0);
        assert_memory_equal(bytes + FIRST + end, bytes + FIRST + end + 1, size - FIRST - end - 1);
        expect_groups(rig, 0, in_third ? 2 : 1, in_third ? 88 : 40);
        expect_cut(0, 0, 0);
    }
}

static void a_group_that_does_not_belong_there_ends_the_log(void **state)
{
    struct local_rig *rig = *state;
    for (int which = 0; which < 4; which++) {
        struct image image = segment_of(1, 0, 4 * TAUD_IO_BLOCK);
        add_group(&image, 40, 0);
        struct taud_group_header header = next_group(&image, 48, 0);
        header.file_id ^= which == 0;        // of an earlier use of the file
        header.offset += which == 1 ? 8 : 0; // swapped
        header.epoch -= which == 2;          // of a server that was replaced
        header.position -= which == 3 ? 8 : 0;
        write_group(&image, header);
        store(rig, &image);
        expect_groups(rig, 0, 1, 40);
        expect_cut(HEADER + 48, 0, 0);
    }
}

static void a_segment_that_was_cut_off_gets_its_size_again(void **state)
{
    struct local_rig *rig = *state;
    static const uint64_t left[] = {FIRST + END, FIRST + END - 1, FIRST + SECOND_END + 20, FIRST};
    for (size_t i = 0; i < 4; i++) {
        uint64_t size;
        store_three(rig, NO_BIT, 0);
        disk_truncate(rig->disk, "data/log/0000000000000001.log", left[i]);
        static const unsigned counts[] = {3, 2, 2, 0};
        static const uint64_t ends[] = {144, 88, 88, 0};
        expect_groups(rig, 0, counts[i], ends[i]);
        local_rig_file(rig, name_of(1), &size);
        assert_int_equal(size, 4 * TAUD_IO_BLOCK);
    }
}

// --- damage -----------------------------------------------------------------------------------

// The second of three groups is lost; the bytes of it are kept.
static void expect_second_aside(struct local_rig *rig, uint64_t known_position)
{
    char name[80];
    snprintf(name, sizeof name, "quarantine/log-%016x-%010x-%08x", 1, FIRST + FIRST_END,
             SECOND_END - FIRST_END);
    for (int again = 0; again < 2; again++) { // damage stays, and is found again
        expect_groups(rig, known_position, 2, 144);
        assert_int_equal(outcome.positions[1], 88);
        assert_false(outcome.damaged[0]);
        assert_true(outcome.damaged[1]);
        expect_cut(0, 1, SECOND_END - FIRST_END);
        uint64_t size, all;
        const uint8_t *copy = local_rig_file(rig, name, &size);
        assert_non_null(copy);
        assert_int_equal(size, SECOND_END - FIRST_END);
        assert_memory_equal(copy, local_rig_file(rig, name_of(1), &all) + FIRST + FIRST_END, size);
    }
}

static void what_a_later_group_knew_to_be_durable_is_damaged(void **state)
{
    struct local_rig *rig = *state;
    store_three(rig, FIRST_END * 8 + 3, 41);
    expect_second_aside(rig, 0);
}

static void what_was_known_to_be_durable_is_damaged(void **state)
{
    struct local_rig *rig = *state;
    store_three(rig, (SECOND_END - 1) * 8, 0);
    expect_second_aside(rig, 41);
    store_three(rig, (SECOND_END - 1) * 8, 0);
    expect_groups(rig, 40, 1, 40); // the same, but nobody knew of it
}

static void what_is_before_a_later_segment_is_damaged(void **state)
{
    struct local_rig *rig = *state;
    store_three(rig, FIRST_END * 8, 0);
    struct image next = segment_of(2, 144, 4 * TAUD_IO_BLOCK);
    add_group(&next, 8, 0);
    store(rig, &next);
    expect_groups(rig, 0, 3, 152);
    assert_true(outcome.damaged[1]);
    assert_false(outcome.damaged[2]);
    expect_cut(0, 1, SECOND_END - FIRST_END);

    store_three(rig, SECOND_END * 8, 0); // at the end of the segment, where no group follows
    expect_groups(rig, 0, 3, 152);
    assert_int_equal(outcome.positions[2], 144);
    assert_false(outcome.damaged[1]);
    assert_true(outcome.damaged[2]);
    expect_cut(0, 1, END - SECOND_END);
}

static void an_end_that_was_durable_and_is_gone_is_counted(void **state)
{
    struct local_rig *rig = *state;
    store_three(rig, SECOND_END * 8, 0);
    expect_groups(rig, 144, 2, 144);
    expect_cut(END - SECOND_END, 1, END - SECOND_END); // kept aside, and written over
    expect_groups(rig, 144, 2, 144);
    expect_cut(0, 1, 0); // without a trace
}

static void a_segment_without_a_good_header_is_moved_aside(void **state)
{
    struct local_rig *rig = *state;
    for (int named = 0; named < 2; named++) {
        struct image first = segment_of(named ? 7 : 1, 0, 4 * TAUD_IO_BLOCK);
        add_group(&first, 40, 0);
        if (!named)
            first.bytes[20] = first.bytes[TAUD_IO_BLOCK + 20] = 0xee;
        local_rig_put(rig, name_of(1), first.bytes, first.header.size);
        struct image next = segment_of(2, 40, 4 * TAUD_IO_BLOCK);
        add_group(&next, 8, 0);
        store(rig, &next);
        expect_groups(rig, 0, 1, 48);
        assert_true(outcome.damaged[0]);
        expect_cut(0, 1, 4 * TAUD_IO_BLOCK);
        uint64_t size;
        assert_null(local_rig_file(rig, name_of(1), &size));
        assert_memory_equal(local_rig_file(rig, quarantined, &size), first.bytes,
                            4 * TAUD_IO_BLOCK);
        free(first.bytes);
        disk_remove(rig->disk, "data/quarantine/0000000000000001.log");
    }
}

static void a_damaged_segment_is_never_removed(void **state)
{
    struct local_rig *rig = *state;
    store_three(rig, NO_BIT, 0);
    local_rig_put(rig, name_of(2), "nonsense", 8); // where one that is prepared could stand
    expect_groups(rig, 0, 3, 144);
    expect_cut(0, 1, 8);
    disk_restart(rig->disk, 0); // and it is there for good
    uint64_t size;
    assert_memory_equal(local_rig_file(rig, "quarantine/0000000000000002.log", &size), "nonsense",
                        8);
    assert_null(local_rig_file(rig, name_of(2), &size));
}

static void a_segment_missing_between_others_is_damage(void **state)
{
    struct local_rig *rig = *state;
    struct image third = segment_of(3, 200, 4 * TAUD_IO_BLOCK);
    store_three(rig, NO_BIT, 0);
    add_group(&third, 8, 0);
    store(rig, &third);
    expect_groups(rig, 0, 4, 208);
    assert_true(outcome.damaged[3]);
    expect_cut(0, 1, 0);
}

// --- what is prepared -------------------------------------------------------------------------

static void only_the_prepared_segment_that_comes_next_is_kept(void **state)
{
    struct local_rig *rig = *state;
    static const struct {
        uint64_t sequence, size;
        bool kept;
    } unused[] = {
        {2, 5 * TAUD_IO_BLOCK, true},
        {3, 5 * TAUD_IO_BLOCK, false},
        {2, FIRST, false},
        {2, FIRST + 512, false},
        {2, 100, false},
        {2, 0, false},
    };
    static const uint8_t zeros[5 * TAUD_IO_BLOCK];
    for (size_t i = 0; i < sizeof unused / sizeof unused[0]; i++) {
        struct image first = segment_of(1, 0, 4 * TAUD_IO_BLOCK);
        uint64_t size;
        add_group(&first, 40, 0);
        store(rig, &first);
        local_rig_put(rig, name_of(unused[i].sequence), zeros, unused[i].size);
        expect_groups(rig, 0, 1, 40);
        expect_cut(0, 0, 0);
        assert_int_equal(local_rig_file(rig, name_of(unused[i].sequence), &size) != NULL,
                         unused[i].kept);
        assert_int_equal(rig->local->next_state, unused[i].kept ? TAUD_NEXT_READY : TAUD_NEXT_NONE);
        if (unused[i].kept) {
            assert_int_equal(rig->local->next_size, unused[i].size);
            assert_int_equal(rig->local->next_remains, 1); // nobody looked what it holds
        }
        disk_remove(rig->disk, "data/log/0000000000000002.log");
    }
}

static void zeros_before_a_segment_in_use_are_moved_aside(void **state)
{
    struct local_rig *rig = *state;
    static const uint8_t zeros[3 * TAUD_IO_BLOCK];
    local_rig_put(rig, name_of(1), zeros, sizeof zeros);
    struct image second = segment_of(2, 8, 4 * TAUD_IO_BLOCK);
    add_group(&second, 8, 0);
    store(rig, &second);
    expect_groups(rig, 0, 1, 16);
    uint64_t size;
    assert_non_null(local_rig_file(rig, quarantined, &size));
    expect_cut(0, 1, sizeof zeros);
}

// --- from a position on -----------------------------------------------------------------------

static void expect_from(struct local_rig *rig, uint64_t from_position, unsigned count,
                        uint64_t end_position)
{
    read_from(rig, from_position, 0);
    assert_int_equal(outcome.count, count);
    assert_int_equal(outcome.report.end_position, end_position);
}

static void groups_that_end_before_it_are_passed_over(void **state)
{
    struct local_rig *rig = *state;
    static const struct {
        uint64_t from;
        unsigned count;
        uint64_t end;
    } reads[] = {{0, 3, 144},  {39, 3, 144},  {40, 2, 144},  {41, 2, 144},  {87, 2, 144},
                 {88, 1, 144}, {143, 1, 144}, {144, 0, 144}, {160, 0, 160}};
    for (size_t i = 0; i < sizeof reads / sizeof reads[0]; i++) {
        store_three(rig, NO_BIT, 0);
        expect_from(rig, reads[i].from, reads[i].count, reads[i].end);
        expect_cut(0, 0, 0);
        for (unsigned k = 0; k < outcome.count; k++)
            assert_false(outcome.damaged[k]);
        assert_int_equal(rig->local->offset, FIRST + END); // what is passed over stays
        assert_int_equal(rig->local->position, reads[i].end);
    }
}

// The log ended before it, and went on at it.
static void a_gap_that_ends_before_it_is_none(void **state)
{
    struct local_rig *rig = *state;
    for (int first = 0; first < 2; first++) {
        struct image image = segment_of(1, 0, 4 * TAUD_IO_BLOCK);
        add_group(&image, 40, 0);
        image.position = 160;
        add_group(&image, 8, 160);
        store(rig, &image);
        expect_from(rig, 160 - (uint64_t)first, 1, 168);
        assert_int_equal(outcome.damaged[0], first);
        expect_cut(0, 0, 0);
    }
}

static void damage_before_it_is_none(void **state)
{
    struct local_rig *rig = *state;
    store_three(rig, FIRST_END * 8, 144);
    expect_from(rig, 88, 1, 144);
    assert_false(outcome.damaged[0]);
    expect_cut(0, 0, 0);
    store_three(rig, FIRST_END * 8, 144);
    expect_from(rig, 87, 1, 144); // a byte of it is needed
    assert_true(outcome.damaged[0]);
    expect_cut(0, 1, SECOND_END - FIRST_END);
}

// A later group that knew less to be durable than is needed proves nothing.
static void a_torn_end_behind_it_is_cut(void **state)
{
    struct local_rig *rig = *state;
    store_three(rig, FIRST_END * 8, 41);
    expect_from(rig, 41, 0, 41);
    expect_cut(END - FIRST_END, 0, 0);
    store_three(rig, SECOND_END * 8, 0);
    expect_from(rig, 120, 0, 120);
    expect_cut(END - SECOND_END, 0, 0);
}

static void store_later(struct local_rig *rig, uint64_t sequence, uint64_t position)
{
    struct image image = segment_of(sequence, position, 4 * TAUD_IO_BLOCK);
    add_group(&image, 8, position);
    store(rig, &image);
}

static void a_missing_beginning_is_damage_only_behind_it(void **state)
{
    struct local_rig *rig = *state;
    for (int lost = 0; lost < 2; lost++) {
        store_later(rig, 7, 144);
        expect_from(rig, 144 - (uint64_t)lost, 1, 152);
        assert_int_equal(outcome.damaged[0], lost);
        expect_cut(0, (uint64_t)lost, 0);
        assert_int_equal(rig->local->current_sequence, 7);
    }
    disk_remove(rig->disk, "data/log/0000000000000007.log");
    assert_int_equal(try_read_from(rig, 144, 144), TAU_STATUS_SUCCESS);
    expect_cut(0, 0, 0);
    assert_int_equal(try_read_from(rig, 144, 145), TAU_STATUS_SUCCESS);
    expect_cut(0, 1, 0);
    assert_int_equal(outcome.report.end_position, 145);
}

// Whatever they are: what a trim did not come to, or half of it.
static void segments_that_end_before_it_go(void **state)
{
    struct local_rig *rig = *state;
    static const uint8_t zeros[3 * TAUD_IO_BLOCK];
    uint64_t size;
    store_three(rig, FIRST_END * 8, 144);
    local_rig_put(rig, name_of(2), zeros, sizeof zeros);
    local_rig_put(rig, name_of(3), "nonsense", 8);
    local_rig_put(rig, "log/0000000000000000.spare", zeros, sizeof zeros);
    store_later(rig, 4, 144);
    store_later(rig, 5, 152);
    outcome.refuse_at = 1;
    outcome.refuse = TAU_STATUS_INTERNAL_ERROR;
    assert_int_equal(try_read_from(rig, 151, 0), TAU_STATUS_INTERNAL_ERROR);
    assert_int_equal(disk_count(rig->disk, "data/log"), 5); // nothing goes of a log that is refused
    outcome.refuse = TAU_STATUS_SUCCESS;
    expect_from(rig, 151, 2, 160);
    expect_cut(0, 0, 0);
    assert_false(outcome.damaged[0]);
    assert_int_equal(disk_count(rig->disk, "data/log"), 2);
    assert_non_null(local_rig_file(rig, name_of(4), &size));
    assert_non_null(local_rig_file(rig, name_of(5), &size));
    expect_from(rig, 152, 1, 160);
    assert_int_equal(disk_count(rig->disk, "data/log"), 1);
}

// --- what is left of an earlier use -----------------------------------------------------------

// Two groups, a third that is torn, and behind them what another segment left.
static void store_used_again(struct local_rig *rig, bool torn_header)
{
    struct image image = segment_of(1, 0, 4 * TAUD_IO_BLOCK);
    image.header.remains = 1;
    for (uint64_t i = FIRST; i < image.header.size; i++)
        image.bytes[i] = (uint8_t)(i | 1);
    struct image old = image;
    old.header.file_id ^= 1;
    old.offset = FIRST + END + 400;
    old.position = 4000;
    add_group(&old, 800, 4000); // an earlier one is never as far, yet nothing else may tell
    taud_segment_header_encode(image.bytes, &image.header);
    add_group(&image, 40, 0);
    add_group(&image, 48, 40);
    add_group(&image, 56, 88);
    image.bytes[FIRST + (torn_header ? SECOND_END + 20 : END - 1)] ^= 1;
    store(rig, &image);
}

static void remains_are_neither_a_torn_end_nor_good(void **state)
{
    struct local_rig *rig = *state;
    for (int torn_header = 0; torn_header < 2; torn_header++) {
        uint64_t size;
        store_used_again(rig, torn_header);
        expect_groups(rig, 0, 2, 88);
        expect_cut(torn_header ? 0 : END - SECOND_END, 0, 0);
        const uint8_t *bytes = local_rig_file(rig, name_of(1), &size);
        assert_int_equal(bytes[FIRST + SECOND_END] == 0, !torn_header);
        assert_int_equal(bytes[FIRST + END], (uint8_t)((FIRST + END) | 1));
        expect_groups(rig, 0, 2, 88);
        expect_cut(0, 0, 0);
    }
}

// --- what only an inspection tells ------------------------------------------------------------

// In the header of a segment everything stands twice, or is zero.
static void a_header_may_be_damaged_once(void **state)
{
    struct local_rig *rig = *state;
    uint64_t size;
    for (uint64_t bit = 0; bit < FIRST * 8; bit += bit % TAUD_IO_BLOCK < 1024 ? 1 : 1013) {
        store_three(rig, NO_BIT, 0);
        local_rig_file(rig, name_of(1), &size)[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(inspect(rig, 0, 0), TAU_STATUS_SUCCESS);
        assert_int_equal(outcome.count, 3);
        assert_int_equal(told.spare, 1);
        assert_int_equal(told.count, 0);
        assert_int_equal(try_read(rig, 0), TAU_STATUS_SUCCESS); // which mends it
        assert_int_equal(outcome.count, 3);
        assert_int_equal(inspect(rig, 0, 0), TAU_STATUS_SUCCESS);
        assert_int_equal(told.spare, 0);
    }
}

// A power cut may leave zeros where one of them was to be.
static void a_header_may_be_written_once(void **state)
{
    struct local_rig *rig = *state;
    uint64_t size;
    for (int copy = 0; copy < 2; copy++) {
        store_three(rig, NO_BIT, 0);
        memset(local_rig_file(rig, name_of(1), &size) + copy * 4096, 0, 4096);
        read_from(rig, 0, 0);
        assert_int_equal(outcome.count, 3);
        assert_int_equal(told.spare, 0);
        const uint8_t *bytes = local_rig_file(rig, name_of(1), &size);
        assert_memory_equal(bytes, bytes + 4096, 4096);
    }
    assert_int_equal(disk_count(rig->disk, "data/quarantine"), 0);
}

static void what_it_is_told_may_end_it(void **state)
{
    struct local_rig *rig = *state;
    store_three(rig, 20 * 8, 88);
    outcome.refuse_at = 1;
    outcome.refuse = TAU_STATUS_CANCELLED;
    assert_int_equal(inspect(rig, 0, 0), TAU_STATUS_CANCELLED);
    assert_int_equal(outcome.count, 1);
}

// --- refusals ---------------------------------------------------------------------------------

static void a_group_that_is_refused_ends_it_and_is_named(void **state)
{
    struct local_rig *rig = *state;
    store_three(rig, NO_BIT, 0);
    uint64_t digest = disk_digest(rig->disk, "");
    outcome.refuse_at = 2;
    outcome.refuse = TAU_STATUS_STORAGE_FULL;
    assert_int_equal(try_read(rig, 0), TAU_STATUS_STORAGE_FULL);
    assert_int_equal(outcome.count, 2);
    assert_string_equal(rig->error.text, "not to be read");
    outcome.refuse = TAU_STATUS_INTERNAL_ERROR;
    assert_int_equal(try_read(rig, 0), TAU_STATUS_INTERNAL_ERROR);
    assert_string_equal(rig->error.text, "log/0000000000000001.log, group at offset 8288: "
                                         "not to be read; the log is left as it is");
    assert_int_equal(disk_digest(rig->disk, ""), digest);
}

// What would be mended or moved stays where it is, whichever group is refused; then it is done.
static void damage_in_what_is_refused_stays(void **state)
{
    struct local_rig *rig = *state;
    uint64_t size;
    store_three(rig, NO_BIT, 0);
    local_rig_file(rig, name_of(1), &size)[TAUD_IO_BLOCK] ^= 1;
    local_rig_put(rig, name_of(2), "nonsense", 8);
    store_later(rig, 3, 144);
    uint64_t digest = disk_digest(rig->disk, "data/log");
    outcome.refuse = TAU_STATUS_INTERNAL_ERROR;
    for (outcome.refuse_at = 1; outcome.refuse_at <= 4; outcome.refuse_at++) {
        assert_int_equal(try_read(rig, 0), TAU_STATUS_INTERNAL_ERROR);
        assert_int_equal(outcome.count, outcome.refuse_at);
        assert_int_equal(disk_digest(rig->disk, "data/log"), digest);
    }
    outcome.refuse = TAU_STATUS_SUCCESS;
    assert_int_equal(try_read(rig, 0), TAU_STATUS_SUCCESS);
    expect_cut(0, 1, 8);
    assert_non_null(local_rig_file(rig, "quarantine/0000000000000002.log", &size));
    assert_int_equal(inspect(rig, 0, 0), TAU_STATUS_SUCCESS);
    assert_int_equal(told.spare, 0);
}

static void a_later_format_anywhere_is_refused_untouched(void **state)
{
    struct local_rig *rig = *state;
    store_three(rig, NO_BIT, 0);
    assert_int_equal(taud_local_log_check(rig->local, &rig->error), TAU_STATUS_SUCCESS);
    struct image second = segment_of(2, 144, 4 * TAUD_IO_BLOCK);
    second.bytes[8] = 2;
    taud_store_u32(second.bytes + 60, taud_crc32c(0, second.bytes, 60));
    store(rig, &second);
    uint64_t digest = disk_digest(rig->disk, "");
    assert_int_equal(taud_local_log_check(rig->local, &rig->error), TAU_STATUS_INTERNAL_ERROR);
    assert_string_equal(rig->error.text, "the log in data/log is of a later format than this "
                                         "server knows; it was not touched");
    assert_int_equal(disk_digest(rig->disk, ""), digest);
}

// --- disks and memory that fail ---------------------------------------------------------------

// A damaged place in the first segment, a damaged segment, a torn end in the last, one left unused.
static void store_all_kinds(struct local_rig *rig)
{
    static const uint8_t zeros[100];
    local_rig_open(rig);
    outcome = (struct outcome){.refuse = TAU_STATUS_SUCCESS};
    store_three(rig, FIRST_END * 8, 41);
    local_rig_put(rig, name_of(2), "nonsense", 8);
    struct image third = segment_of(3, 200, 4 * TAUD_IO_BLOCK);
    add_group(&third, 8, 0);
    add_group(&third, 16, 0);
    third.bytes[third.offset - 1] ^= 1;
    store(rig, &third);
    local_rig_put(rig, name_of(9), zeros, sizeof zeros);
    const struct taud_io *io = disk_io(rig->disk);
    assert_int_equal(io->sync_directory(io->context, "data/log"), 0);
}

static void expect_all_kinds(struct local_rig *rig)
{
    expect_groups(rig, 0, 3, 208);
    assert_int_equal(outcome.positions[1], 88);
    assert_int_equal(outcome.positions[2], 200);
    assert_true(outcome.damaged[2]);
}

static int run_open(struct local_rig *rig)
{
    return (int)try_read(rig, 0);
}

static enum tau_status refusal;

static void check_open(struct local_rig *rig, int answer, bool failed)
{
    if (answer != TAU_STATUS_SUCCESS) {
        assert_true(failed);
        assert_int_equal(answer, refusal);
        assert_int_equal(rig->error.status, refusal);
    }
    expect_all_kinds(rig);
}

static void a_call_that_fails_loses_nothing(void **state)
{
    (void)state;
    struct local_rig_trial trial = {store_all_kinds, run_open, check_open, .direct = true};
    struct disk_fault fault = {.kind = DISK_FAULT_ERROR, .error = EIO};
    refusal = TAU_STATUS_INTERNAL_ERROR;
    assert_true(local_rig_try_each_call(&trial, fault) > 30);
    refusal = TAU_STATUS_STORAGE_FULL;
    fault.error = ENOSPC;
    local_rig_try_each_call(&trial, fault);
    fault.error = EDQUOT;
    local_rig_try_each_call(&trial, fault);
    refusal = TAU_STATUS_SUCCESS;
    local_rig_try_each_call(&trial, (struct disk_fault){.kind = DISK_FAULT_SHORT});
}

static void check_after_cut(struct local_rig *rig, int answer, bool failed)
{
    (void)answer;
    (void)failed;
    disk_restart(rig->disk, 77);
    expect_all_kinds(rig);
}

static void power_may_be_cut_while_it_is_repaired(void **state)
{
    (void)state;
    struct local_rig_trial trial = {store_all_kinds, run_open, check_after_cut, .direct = true};
    local_rig_try_each_call(&trial, (struct disk_fault){.kind = DISK_FAULT_CUT});
}

static void without_memory_it_says_so(void **state)
{
    struct local_rig *rig = *state;
    for (uint64_t i = 1; i <= 17; i++) { // more than the list of them begins with
        struct image image = segment_of(i, (i - 1) * 8, 4 * TAUD_IO_BLOCK);
        if (i == 17)
            add_group(&image, 8, 0);
        store(rig, &image);
    }
    unsigned failures = 0;
    enum tau_status status = TAU_STATUS_NO_MEMORY;
    for (unsigned ahead = 1; status != TAU_STATUS_SUCCESS; ahead++) {
        failing_allocator_fail_next(&rig->memory, ahead);
        status = try_read(rig, 0);
        if (status == TAU_STATUS_SUCCESS)
            break;
        assert_int_equal(status, TAU_STATUS_NO_MEMORY);
        rig->backend->log->close(rig->backend);
        assert_int_equal(atomic_load(&rig->memory.live), 1); // the backend itself
        failures++;
    }
    assert_int_equal(failures, 4);
    assert_int_equal(outcome.count, 1);
    failing_allocator_fail_next(&rig->memory, 2);
    assert_int_equal(taud_local_log_check(rig->local, &rig->error), TAU_STATUS_NO_MEMORY);
    assert_int_equal(taud_local_log_check(rig->local, &rig->error), TAU_STATUS_SUCCESS);
}

#define LOG_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOG_TEST(an_empty_directory_has_no_log),
        LOG_TEST(groups_come_back_in_order_over_all_segments),
        LOG_TEST(a_segment_without_groups_counts_its_epoch),
        LOG_TEST(other_names_are_no_segments),
        LOG_TEST(an_unfinished_preparation_is_swept),
        LOG_TEST(the_largest_groups_are_read_through_the_window),
        LOG_TEST(a_group_may_stand_at_the_next_block),
        LOG_TEST(any_bit_that_differs_ends_the_log_there),
        LOG_TEST(a_group_that_does_not_belong_there_ends_the_log),
        LOG_TEST(a_segment_that_was_cut_off_gets_its_size_again),
        LOG_TEST(what_a_later_group_knew_to_be_durable_is_damaged),
        LOG_TEST(what_was_known_to_be_durable_is_damaged),
        LOG_TEST(what_is_before_a_later_segment_is_damaged),
        LOG_TEST(an_end_that_was_durable_and_is_gone_is_counted),
        LOG_TEST(a_segment_without_a_good_header_is_moved_aside),
        LOG_TEST(a_damaged_segment_is_never_removed),
        LOG_TEST(a_segment_missing_between_others_is_damage),
        LOG_TEST(only_the_prepared_segment_that_comes_next_is_kept),
        LOG_TEST(zeros_before_a_segment_in_use_are_moved_aside),
        LOG_TEST(groups_that_end_before_it_are_passed_over),
        LOG_TEST(a_gap_that_ends_before_it_is_none),
        LOG_TEST(damage_before_it_is_none),
        LOG_TEST(a_torn_end_behind_it_is_cut),
        LOG_TEST(a_missing_beginning_is_damage_only_behind_it),
        LOG_TEST(segments_that_end_before_it_go),
        LOG_TEST(remains_are_neither_a_torn_end_nor_good),
        LOG_TEST(a_header_may_be_damaged_once),
        LOG_TEST(a_header_may_be_written_once),
        LOG_TEST(what_it_is_told_may_end_it),
        LOG_TEST(a_group_that_is_refused_ends_it_and_is_named),
        LOG_TEST(damage_in_what_is_refused_stays),
        LOG_TEST(a_later_format_anywhere_is_refused_untouched),
        cmocka_unit_test(a_call_that_fails_loses_nothing),
        cmocka_unit_test(power_may_be_cut_while_it_is_repaired),
        LOG_TEST(without_memory_it_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
