// SPDX-License-Identifier: MIT
// Appending to the local log: the bytes are those of FORMAT.md, a group lies where it was placed,
// what was to be durable is, and a disk that is full or broken is told apart. What happens when
// two appends end in either order is tests/fault/overlap_test.c.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "local_rig.h"

#include "engine/crc32c.h"

#include <errno.h>

enum { HEADER = TAUD_GROUP_HEADER_BYTES, FIRST = TAUD_SEGMENT_HEADER_BYTES, EPOCH = 3 };
enum { STREAM_BYTES = 12 << 20, ROOM = LOCAL_RIG_SEGMENT_BYTES - FIRST };

static const char first[] = "log/0000000000000001.log", second[] = "log/0000000000000002.log";

static struct local_rig rig;
static uint8_t stream[STREAM_BYTES]; // what the log holds, by position
static uint64_t stored;              // how far
static uint64_t read_end;
static unsigned read_count;

static enum tau_status take_group(const struct taud_log_group *group, bool damaged_before,
                                  void *user_data)
{
    (void)user_data;
    assert_false(damaged_before);
    assert_int_equal(group->position, read_end);
    assert_memory_equal(group->data, stream + group->position, group->size);
    read_end = group->position + group->size;
    read_count++;
    return TAU_STATUS_SUCCESS;
}

static void open_log(uint64_t epoch)
{
    struct taud_log_report report;
    read_end = 0;
    read_count = 0;
    local_rig_open(&rig);
    assert_int_equal(rig.backend->log->open(rig.backend, 0, 0, take_group, NULL, &report,
                                            &rig.error),
                     TAU_STATUS_SUCCESS);
    assert_int_equal(report.quarantined_count, 0);
    assert_int_equal(rig.backend->log->start(rig.backend, epoch, &rig.error), TAU_STATUS_SUCCESS);
}

static void begin(bool direct)
{
    local_rig_init(&rig, direct);
    stored = 0;
    open_log(EPOCH);
}

static int setup(void **state)
{
    (void)state;
    begin(true);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    local_rig_done(&rig);
    return 0;
}

// What a restart that forgets all that was not durable finds.
static void expect_durable(uint64_t end, unsigned groups)
{
    local_rig_renew(&rig);
    disk_restart(rig.disk, 0);
    open_log(EPOCH + 1);
    assert_int_equal(read_end, end);
    assert_int_equal(read_count, groups);
}

struct answer {
    unsigned calls;
    enum tau_status status;
    int os_error;
};

static void take_answer(enum tau_status status, int os_error, void *user_data)
{
    struct answer *answer = user_data;
    *answer = (struct answer){answer->calls + 1, status, os_error};
}

// Appends as many groups of these sizes as are taken at a time; *ret_taken may be NULL.
static struct answer append(const size_t *sizes, size_t count, bool sync, size_t *ret_taken)
{
    struct taud_log_group groups[8];
    struct taud_log_place *place = NULL;
    struct answer answer = {0};
    uint64_t position = stored;
    for (size_t i = 0; i < count; i++) {
        groups[i] = (struct taud_log_group){position, stream + position, sizes[i]};
        position += sizes[i];
    }
    const struct taud_log_operations *log = rig.backend->log;
    size_t taken = log->place(rig.backend, groups, count, sync, true, &place);
    assert_true(taken >= 1 && taken <= count);
    log->append(rig.backend, place, groups, taken, sync, take_answer, &answer);
    assert_int_equal(answer.calls, 1);
    if (answer.status == TAU_STATUS_SUCCESS)
        stored = groups[taken - 1].position + groups[taken - 1].size;
    if (ret_taken)
        *ret_taken = taken;
    return answer;
}

static enum tau_status append_one(size_t size, bool sync)
{
    return append(&size, 1, sync, NULL).status;
}

static struct answer sync_log(void)
{
    struct answer answer = {0};
    rig.backend->log->sync(rig.backend, take_answer, &answer);
    assert_int_equal(answer.calls, 1);
    return answer;
}

static void fail_call(uint64_t at, int error, bool for_good)
{
    disk_set_fault(rig.disk,
                   (struct disk_fault){
                       .kind = DISK_FAULT_ERROR, .at = at, .error = error, .for_good = for_good});
}

static void repair(void)
{
    disk_set_fault(rig.disk, (struct disk_fault){0});
}

// --- bytes ------------------------------------------------------------------------------------

// The group that stands there, with what it has to hold.
static struct taud_group_header expect_group(const char *name, uint64_t offset, uint64_t position,
                                             uint32_t size)
{
    uint64_t all;
    const uint8_t *bytes = local_rig_file(&rig, name, &all) + offset;
    struct taud_group_header header = {0};
    assert_true(offset + HEADER + size <= all);
    assert_true(taud_group_header_decode(bytes, &header));
    assert_int_equal(header.file_id, rig.local->current.file_id);
    assert_int_equal(header.offset, offset);
    assert_int_equal(header.epoch, EPOCH);
    assert_int_equal(header.position, position);
    assert_int_equal(header.size, size);
    assert_int_equal(header.content_crc, taud_crc32c(0, stream + position, size));
    assert_memory_equal(bytes + HEADER, stream + position, size);
    return header;
}

static void the_first_group_brings_the_header(void **state)
{
    (void)state;
    uint64_t size;
    struct taud_segment_header header = {0};
    const uint8_t *bytes = local_rig_file(&rig, first, &size);
    assert_int_equal(size, LOCAL_RIG_SEGMENT_BYTES);
    assert_int_equal(taud_segment_header_decode(bytes, &header), TAUD_HEADER_NONE);
    assert_int_equal(append_one(64, true), TAU_STATUS_SUCCESS);
    assert_int_equal(taud_segment_header_decode(bytes, &header), TAUD_HEADER_GOOD);
    assert_memory_equal(&header, &rig.local->current, sizeof header);
    assert_int_equal(header.sequence, 1);
    assert_int_equal(header.epoch, EPOCH);
    assert_int_equal(header.position, 0);
    assert_int_equal(header.size, size);
    assert_int_equal(expect_group(first, FIRST, 0, 64).synced_position, 0);
}

static void groups_follow_each_other_without_a_gap(void **state)
{
    (void)state;
    size_t taken;
    assert_int_equal(append((size_t[]){8, 5000, 16}, 3, true, &taken).status, TAU_STATUS_SUCCESS);
    assert_int_equal(taken, 3);
    assert_int_equal(append_one(24, true), TAU_STATUS_SUCCESS);
    assert_int_equal(append_one(4000, true), TAU_STATUS_SUCCESS);
    expect_group(first, FIRST, 0, 8);
    expect_group(first, FIRST + HEADER + 8, 8, 5000);
    assert_int_equal(expect_group(first, FIRST + 2 * HEADER + 5008, 5008, 16).synced_position, 0);
    assert_int_equal(expect_group(first, FIRST + 3 * HEADER + 5024, 5024, 24).synced_position,
                     5024);
    assert_int_equal(expect_group(first, FIRST + 4 * HEADER + 5048, 5048, 4000).synced_position,
                     5048);
    assert_int_equal(append_one(8, true), TAU_STATUS_SUCCESS);
    uint64_t size, end = FIRST + 6 * HEADER + 9056;
    const uint8_t *bytes = local_rig_file(&rig, first, &size);
    for (uint64_t i = end; i < size; i++)
        assert_int_equal(bytes[i], 0);
    expect_durable(9056, 6);
}

// Every write, as it comes: whole blocks, of which the first may be the last of the write before.
static struct {
    uint64_t offset, size;
    unsigned count;
    bool same; // what was written over was the same
} writes;

static int64_t watch_write(void *context, int file, const void *data, size_t size, uint64_t offset)
{
    uint64_t present, kept = rig.local->block ? writes.offset : 0;
    const uint8_t *bytes = local_rig_file(&rig, first, &present);
    writes.same = kept <= offset || memcmp(bytes + offset, data, kept - offset) == 0;
    writes.offset = offset;
    writes.size = size;
    writes.count++;
    return disk_io(context)->write(context, file, data, size, offset);
}

static void the_last_block_is_written_again_with_the_same_bytes(void **state)
{
    (void)state;
    struct taud_io watching = *disk_io(rig.disk);
    watching.write = watch_write;
    rig.local->io = &watching;
    uint64_t end = FIRST;
    static const size_t sizes[] = {40, 8, 3936, 4040, 8, 2000, 2000};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint64_t block = end / TAUD_IO_BLOCK * TAUD_IO_BLOCK;
        writes.count = 0;
        writes.offset = end; // so far the bytes have to stay
        repair();
        assert_int_equal(append_one(sizes[i], true), TAU_STATUS_SUCCESS);
        end += HEADER + sizes[i];
        assert_int_equal(writes.count, 1);
        assert_int_equal(disk_calls(rig.disk), 1); // it needs no sync
        assert_int_equal(writes.offset, i == 0 ? 0 : block);
        assert_int_equal(writes.offset + writes.size, taud_local_next_block(end));
        assert_true(writes.same || i == 0);
    }
    rig.local->io = disk_io(rig.disk);
}

static void a_group_fills_a_segment_to_its_last_byte(void **state)
{
    (void)state;
    assert_int_equal(append_one(ROOM - HEADER - HEADER - 8, true), TAU_STATUS_SUCCESS);
    assert_int_equal(append_one(8, true), TAU_STATUS_SUCCESS);
    assert_int_equal(rig.local->current.sequence, 1);
    assert_int_equal(rig.backend->log->room(rig.backend), 0);
    assert_int_equal(append_one(8, true), TAU_STATUS_SUCCESS);
    assert_int_equal(rig.local->current.sequence, 2);
    assert_int_equal(expect_group(second, FIRST, ROOM - 2 * HEADER, 8).synced_position,
                     ROOM - 2 * HEADER);
    expect_durable(ROOM - 2 * HEADER + 8, 3);
}

static void as_many_groups_are_taken_as_fit(void **state)
{
    (void)state;
    static const size_t sizes[] = {8000, 8000, ROOM - 3 * HEADER - 16000 + 8, 8};
    size_t taken;
    assert_int_equal(append(sizes, 4, true, &taken).status, TAU_STATUS_SUCCESS);
    assert_int_equal(taken, 2); // the third is 8 bytes too large, and none is left out between
    assert_int_equal(append(sizes + 2, 2, true, &taken).status, TAU_STATUS_SUCCESS);
    assert_int_equal(taken, 1); // alone in a new segment
    assert_int_equal(rig.local->current.sequence, 2);
    assert_int_equal(append(sizes + 3, 1, true, &taken).status, TAU_STATUS_SUCCESS);
    expect_durable(16000 + sizes[2] + 8, 4);
}

static void the_largest_group_has_a_segment_of_its_own_size(void **state)
{
    (void)state;
    assert_int_equal(append_one(8, true), TAU_STATUS_SUCCESS);
    assert_int_equal(append_one(TAUD_LOG_GROUP_BYTES_MAX, true), TAU_STATUS_SUCCESS);
    assert_int_equal(rig.local->current.size,
                     taud_local_next_block(FIRST + HEADER + TAUD_LOG_GROUP_BYTES_MAX));
    expect_group(second, FIRST, 8, TAUD_LOG_GROUP_BYTES_MAX);
    assert_int_equal(append_one(8, true), TAU_STATUS_SUCCESS);
    expect_durable(16 + TAUD_LOG_GROUP_BYTES_MAX, 3);
}

// --- what is durable --------------------------------------------------------------------------

static void what_was_to_be_durable_survives(void **state)
{
    (void)state;
    for (int direct = 0; direct < 2; direct++) {
        begin(direct);
        assert_int_equal(append_one(80, false), TAU_STATUS_SUCCESS);
        assert_int_equal(append_one(160, true), TAU_STATUS_SUCCESS); // and all before it
        assert_int_equal(append_one(240, false), TAU_STATUS_SUCCESS);
        expect_durable(240, 2);
        local_rig_done(&rig);
    }
}

static void a_sync_makes_the_rest_durable(void **state)
{
    (void)state;
    for (int direct = 0; direct < 2; direct++) {
        begin(direct);
        for (int i = 0; i < 6; i++) // over two segments
            assert_int_equal(append_one(8000, false), TAU_STATUS_SUCCESS);
        assert_int_equal(sync_log().status, TAU_STATUS_SUCCESS);
        repair();
        assert_int_equal(sync_log().status, TAU_STATUS_SUCCESS);
        assert_int_equal(disk_calls(rig.disk), 0); // there was nothing more
        assert_int_equal(append_one(8, false), TAU_STATUS_SUCCESS);
        uint64_t offset = rig.local->offset - HEADER - 8;
        assert_int_equal(
            expect_group(rig.local->current.sequence == 2 ? second : first, offset, 48000, 8)
                .synced_position,
            48000);
        expect_durable(48000, 6);
        local_rig_done(&rig);
    }
}

static void the_first_group_of_a_segment_knows_all_before_it_to_be_durable(void **state)
{
    (void)state;
    assert_int_equal(append_one(ROOM - HEADER - HEADER - 8, false), TAU_STATUS_SUCCESS);
    assert_int_equal(append_one(8, false), TAU_STATUS_SUCCESS);
    const uint64_t last = FIRST + ROOM - HEADER - 8, end = ROOM - 2 * HEADER;
    assert_int_equal(expect_group(first, last, end - 8, 8).synced_position, 0);
    assert_int_equal(append_one(8, false), TAU_STATUS_SUCCESS);
    assert_int_equal(expect_group(second, FIRST, end, 8).synced_position, end);
    expect_durable(end, 2);
}

// The planted bug.
static void syncs_that_do_nothing_are_caught(void **state)
{
    (void)state;
    disk_skip_syncs(rig.disk);
    assert_int_equal(append_one(80, true), TAU_STATUS_SUCCESS);
    local_rig_renew(&rig);
    disk_restart(rig.disk, 0);
    open_log(EPOCH + 1);
    assert_int_equal(read_end, 0);
}

// --- places side by side ----------------------------------------------------------------------

static size_t place_second(bool sync, struct taud_log_place **ret_place)
{
    struct taud_log_group group = {stored + 48, stream + stored + 48, 80};
    return rig.backend->log->place(rig.backend, &group, 1, sync, false, ret_place);
}

// Whether a second append may begin while one of 48 bytes is underway, which is ended then.
static bool may_join(bool sync_first, bool sync)
{
    struct taud_log_group group = {stored, stream + stored, 48};
    struct taud_log_place *place, *other = NULL;
    struct answer answer = {0}, other_answer = {0};
    const struct taud_log_operations *log = rig.backend->log;
    assert_int_equal(log->place(rig.backend, &group, 1, sync_first, true, &place), 1);
    size_t joined = place_second(sync, &other);
    log->append(rig.backend, place, &group, 1, sync_first, take_answer, &answer);
    assert_int_equal(answer.status, TAU_STATUS_SUCCESS);
    stored += 48;
    if (joined > 0) {
        group = (struct taud_log_group){stored, stream + stored, 80};
        log->append(rig.backend, other, &group, 1, sync, take_answer, &other_answer);
        assert_int_equal(other_answer.status, TAU_STATUS_SUCCESS);
        stored += 80;
    }
    return joined > 0;
}

static void only_durable_writes_of_whole_blocks_go_side_by_side(void **state)
{
    (void)state;
    begin(false);
    assert_int_equal(append_one(8, true), TAU_STATUS_SUCCESS);
    assert_false(may_join(true, true)); // the disk cannot write past the cache
    local_rig_done(&rig);
    begin(true);
    assert_false(may_join(true, true)); // the first brings the segment's header
    assert_true(may_join(true, true));
    assert_false(may_join(true, false));
    assert_false(may_join(false, true));
    assert_false(may_join(true, true)); // a sync of all before it has to follow
    assert_true(may_join(true, true));
    expect_durable(stored, 8);
    local_rig_done(&rig);
}

// Places of 48 and 80 bytes behind 8, ended in either order.
static void end_two_places(bool second_first)
{
    struct taud_log_place *places[3] = {NULL};
    struct taud_log_group groups[2] = {{8, stream + 8, 48}, {56, stream + 56, 80}};
    const struct taud_log_operations *log = rig.backend->log;
    assert_int_equal(append_one(8, true), TAU_STATUS_SUCCESS);
    assert_int_equal(log->place(rig.backend, &groups[0], 1, true, true, &places[0]), 1);
    assert_int_equal(place_second(true, &places[1]), 1);
    assert_int_equal(place_second(true, &places[2]), 0);
    assert_null(places[2]);
    assert_int_equal(places[0]->start, FIRST + HEADER + 8);
    assert_int_equal(places[1]->start, FIRST + TAUD_IO_BLOCK);
    for (int i = 0; i < 2; i++) {
        struct answer answer = {0};
        int which = i ^ second_first;
        log->append(rig.backend, places[which], &groups[which], 1, true, take_answer, &answer);
        assert_int_equal(answer.status, TAU_STATUS_SUCCESS);
        if (i == 0)
            assert_int_equal(rig.local->synced_position, second_first ? 8 : 56);
    }
}

static void a_second_place_is_the_next_block_and_a_third_there_is_none(void **state)
{
    (void)state;
    const uint64_t block = FIRST + TAUD_IO_BLOCK;
    for (int second_first = 0; second_first < 2; second_first++) {
        begin(true);
        end_two_places(second_first);
        // The second was placed when nothing more than that was known to be durable.
        assert_int_equal(expect_group(first, block, 56, 80).synced_position, 8);
        stored = 136;
        assert_int_equal(append_one(8, true), TAU_STATUS_SUCCESS);
        assert_int_equal(expect_group(first, block + HEADER + 80, 136, 8).synced_position, 136);
        expect_durable(144, 4);
        local_rig_done(&rig);
    }
}

// --- failures ---------------------------------------------------------------------------------

static void fill_disk(bool direct, int error)
{
    begin(direct);
    uint64_t calls = 0;
    for (int i = 0; i < 8; i++) { // within a segment, and on the way to the next
        uint64_t offset = rig.local->offset, position = rig.local->position;
        struct answer answer;
        fail_call(1, error, true);
        answer = append(&(size_t){8000}, 1, false, NULL);
        calls += disk_calls(rig.disk);
        assert_int_equal(answer.status, TAU_STATUS_STORAGE_FULL);
        assert_int_equal(answer.os_error, error);
        assert_int_equal(rig.local->offset, offset);
        assert_int_equal(rig.local->position, position);
        repair();
        assert_int_equal(append_one(8000, true), TAU_STATUS_SUCCESS);
    }
    assert_true(calls >= 8);
    expect_durable(64000, 8);
    local_rig_done(&rig);
}

static void a_full_disk_leaves_all_as_it_was(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++)
        fill_disk(i % 2, i < 2 ? ENOSPC : EDQUOT);
}


// Fails the write of an append, or the sync, or that of log->sync.
static void after_a_failure_nothing_is_taken(void **state)
{
    (void)state;
    static const struct {
        bool direct;
        uint64_t at; // 0: in log->sync
        int error, expected;
    } failures[] = {
        {true, 1, EIO, EIO},     {false, 1, EROFS, EROFS}, {false, 2, EIO, EIO},
        {false, 2, ENOSPC, EIO}, {true, 0, EIO, EIO},      {false, 0, ENOSPC, EIO},
        {false, 2, EDQUOT, EIO},
    };
    for (size_t i = 0; i < sizeof failures / sizeof failures[0]; i++) {
        struct answer answer;
        begin(failures[i].direct);
        assert_int_equal(append_one(80, true), TAU_STATUS_SUCCESS);
        if (failures[i].at == 0)
            assert_int_equal(append_one(80, false), TAU_STATUS_SUCCESS);
        fail_call(failures[i].at ? failures[i].at : 1, failures[i].error, false);
        answer = failures[i].at ? append(&(size_t){80}, 1, true, NULL) : sync_log();
        assert_int_equal(answer.status, TAU_STATUS_INTERNAL_ERROR);
        assert_int_equal(answer.os_error, failures[i].expected);
        repair();
        assert_int_equal(append_one(80, true), TAU_STATUS_INTERNAL_ERROR);
        assert_int_equal(append_one(80, false), TAU_STATUS_INTERNAL_ERROR);
        assert_int_equal(sync_log().status, TAU_STATUS_INTERNAL_ERROR);
        assert_int_equal(disk_calls(rig.disk), 0); // it does not come to the disk
        rig.backend->log->close(rig.backend);
        rig.backend->close(rig.backend);
        disk_restart(rig.disk, 0);
        open_log(EPOCH + 1);
        assert_true(read_end >= 80);
        stored = read_end;
        assert_int_equal(append_one(80, true), TAU_STATUS_SUCCESS); // a new start may
        local_rig_done(&rig);
    }
}

// A group that is written in pieces, in a segment that is ready for it.
static void no_piece_of_a_large_group_fails_unheard(void **state)
{
    (void)state;
    for (uint64_t at = 1; at <= 3; at++) {
        begin(true);
        rig.local->segment_bytes = TAUD_SEGMENT_BYTES_FIRST;
        assert_int_equal(rig.backend->log->prepare(rig.backend), TAU_STATUS_SUCCESS);
        assert_int_equal(append_one(ROOM, true), TAU_STATUS_SUCCESS);
        assert_int_equal(rig.local->current.size, TAUD_SEGMENT_BYTES_FIRST);
        fail_call(at, EIO, false);
        assert_int_equal(append_one(5 << 20, true), TAU_STATUS_INTERNAL_ERROR);
        assert_int_equal(disk_calls(rig.disk), at);
        local_rig_done(&rig);
    }
}

// --- room, start and close --------------------------------------------------------------------

static void room_is_what_is_left_or_what_is_prepared(void **state)
{
    (void)state;
    const struct taud_log_operations *log = rig.backend->log;
    assert_int_equal(log->room(rig.backend), ROOM);
    assert_int_equal(append_one(1000, true), TAU_STATUS_SUCCESS);
    assert_int_equal(log->room(rig.backend), ROOM - HEADER - 1000);
    assert_int_equal(log->prepare(rig.backend), TAU_STATUS_SUCCESS);
    assert_int_equal(log->room(rig.backend), ROOM); // a group may be as large as that
    assert_int_equal(append_one(1000, true), TAU_STATUS_SUCCESS);
    assert_int_equal(log->room(rig.backend), ROOM);
    assert_int_equal(append_one(ROOM - HEADER, true), TAU_STATUS_SUCCESS);
    assert_int_equal(log->room(rig.backend), 0);
    assert_true(log->needs_prepare(rig.backend));
}

// Many times around: what is read back begins where it was trimmed, and nothing of an earlier use
// of the same blocks is taken for good.
static void a_log_that_is_trimmed_goes_around(void **state)
{
    (void)state;
    const struct taud_log_operations *log = rig.backend->log;
    unsigned used_again = 0;
    for (int i = 0; i < 61; i++) { // the last segment is half full then
        assert_int_equal(append_one(9000, i % 2), TAU_STATUS_SUCCESS);
        if (log->needs_prepare(rig.backend))
            assert_int_equal(log->prepare(rig.backend), TAU_STATUS_SUCCESS);
        used_again += rig.local->current.remains != 0;
        assert_int_equal(log->trim(rig.backend, stored - 9000, &rig.error), TAU_STATUS_SUCCESS);
        assert_true(disk_count(rig.disk, "data/log") <= 3 + TAUD_SPARE_SEGMENTS_MAX);
    }
    assert_true(used_again > 40);
    assert_int_equal(sync_log().status, TAU_STATUS_SUCCESS);
    local_rig_renew(&rig);
    disk_restart(rig.disk, 0);
    struct taud_log_report report;
    local_rig_open(&rig);
    read_end = stored - 9000;
    read_count = 0;
    assert_int_equal(rig.backend->log->open(rig.backend, stored - 9000, 0, take_group, NULL,
                                            &report, &rig.error),
                     TAU_STATUS_SUCCESS);
    assert_int_equal(read_count, 1);
    assert_int_equal(read_end, stored);
    assert_int_equal(report.cut_bytes, 0); // what is left of an earlier use is no torn end
    assert_int_equal(report.quarantined_count, 0);
}

static void a_start_goes_on_under_its_epoch(void **state)
{
    (void)state;
    assert_int_equal(append_one(80, true), TAU_STATUS_SUCCESS);
    expect_durable(80, 1);
    assert_int_equal(rig.local->current.sequence, 1);
    assert_int_equal(append_one(160, true), TAU_STATUS_SUCCESS);
    uint64_t size;
    struct taud_group_header header;
    const uint8_t *bytes = local_rig_file(&rig, first, &size) + FIRST + HEADER + 80;
    assert_true(taud_group_header_decode(bytes, &header));
    assert_int_equal(header.epoch, EPOCH + 1);
    assert_int_equal(header.synced_position, 80);
    expect_durable(240, 2);
}

static void a_log_may_be_opened_and_closed_ever_again(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 50; i++) { // more than may be open at a time
        assert_int_equal(append_one(8, i % 2), TAU_STATUS_SUCCESS);
        rig.backend->log->close(rig.backend);
        rig.backend->close(rig.backend);
        open_log(EPOCH + 1 + i);
        assert_int_equal(read_end, stored);
    }
}

static void a_start_without_space_or_disk_says_so(void **state)
{
    (void)state;
    struct taud_log_report report;
    static const struct {
        int error;
        enum tau_status status;
    } failures[] = {{ENOSPC, TAU_STATUS_STORAGE_FULL},
                    {EDQUOT, TAU_STATUS_STORAGE_FULL},
                    {EIO, TAU_STATUS_INTERNAL_ERROR}};
    local_rig_init(&rig, true);
    local_rig_open(&rig);
    const struct taud_log_operations *log = rig.backend->log;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(log->open(rig.backend, 0, 0, take_group, NULL, &report, &rig.error),
                         TAU_STATUS_SUCCESS);
        assert_int_equal(atomic_load(&rig.memory.live), 2);
        assert_true(taud_local_take_buffers(rig.local)); // they are there
        assert_int_equal(atomic_load(&rig.memory.live), 2);
        fail_call(1, failures[i].error, true);
        assert_int_equal(log->start(rig.backend, 1, &rig.error), failures[i].status);
        assert_int_equal(rig.error.os_error, failures[i].error);
        assert_int_equal(log->room(rig.backend), 0);
        repair();
        log->close(rig.backend);
        log->close(rig.backend);
        assert_int_equal(atomic_load(&rig.memory.live), 1); // the backend itself
    }
    failing_allocator_fail_next(&rig.memory, 2);
    assert_int_equal(log->open(rig.backend, 0, 0, take_group, NULL, &report, &rig.error),
                     TAU_STATUS_NO_MEMORY);
    local_rig_done(&rig);
}

#define LOG_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOG_TEST(the_first_group_brings_the_header),
        LOG_TEST(groups_follow_each_other_without_a_gap),
        LOG_TEST(the_last_block_is_written_again_with_the_same_bytes),
        LOG_TEST(a_group_fills_a_segment_to_its_last_byte),
        LOG_TEST(as_many_groups_are_taken_as_fit),
        LOG_TEST(the_largest_group_has_a_segment_of_its_own_size),
        cmocka_unit_test(what_was_to_be_durable_survives),
        cmocka_unit_test(a_sync_makes_the_rest_durable),
        LOG_TEST(the_first_group_of_a_segment_knows_all_before_it_to_be_durable),
        LOG_TEST(syncs_that_do_nothing_are_caught),
        cmocka_unit_test(only_durable_writes_of_whole_blocks_go_side_by_side),
        cmocka_unit_test(a_second_place_is_the_next_block_and_a_third_there_is_none),
        cmocka_unit_test(a_full_disk_leaves_all_as_it_was),
        cmocka_unit_test(after_a_failure_nothing_is_taken),
        cmocka_unit_test(no_piece_of_a_large_group_fails_unheard),
        LOG_TEST(room_is_what_is_left_or_what_is_prepared),
        LOG_TEST(a_log_that_is_trimmed_goes_around),
        LOG_TEST(a_start_goes_on_under_its_epoch),
        LOG_TEST(a_log_may_be_opened_and_closed_ever_again),
        cmocka_unit_test(a_start_without_space_or_disk_says_so),
    };
    for (size_t i = 0; i < sizeof stream; i++)
        stream[i] = (uint8_t)(i * 7 + i / 253 + 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
