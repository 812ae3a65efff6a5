// SPDX-License-Identifier: MIT
// Segments of the local log: their headers are those of FORMAT.md and no bit of them may differ, a
// prepared one is whole before its name appears, and the step to the next leaves nothing half done.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "local_rig.h"

#include "engine/crc32c.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

enum { SECOND_COPY = TAUD_IO_BLOCK, COPY = TAUD_SEGMENT_COPY_BYTES };

static const struct taud_segment_header segment = {.sequence = 0x0102030405060708,
                                                   .file_id = 0x1112131415161718,
                                                   .epoch = 0x2122232425262728,
                                                   .position = 0x3132333435363738,
                                                   .size = 0x4142434445464748,
                                                   .remains = 1};

static const struct taud_group_header group = {.file_id = 0x0102030405060708,
                                               .offset = 0x1112131415161718,
                                               .epoch = 0x2122232425262728,
                                               .position = 0x3132333435363738,
                                               .synced_position = 0x4142434445464748,
                                               .size = 0x00010208,
                                               .content_crc = 0x51525354};

// --- headers ----------------------------------------------------------------------------------

static void a_segment_header_is_as_the_format_says_twice(void **state)
{
    (void)state;
    uint8_t bytes[TAUD_SEGMENT_HEADER_BYTES];
    static const uint8_t zeros[TAUD_SEGMENT_HEADER_BYTES];
    memset(bytes, 0xee, sizeof bytes);
    taud_segment_header_encode(bytes, &segment);
    assert_memory_equal(bytes, "TAULOG\r\n\1\0\0\0\0\40\0\0", 16);
    assert_memory_equal(bytes + 16, "\10\7\6\5\4\3\2\1\x18\x17\x16\x15\x14\x13\x12\x11", 16);
    assert_memory_equal(bytes + 32,
                        "\x28\x27\x26\x25\x24\x23\x22\x21\x38\x37\x36\x35\x34\x33\x32\x31", 16);
    assert_memory_equal(bytes + 48, "\x48\x47\x46\x45\x44\x43\x42\x41\1\0\0\0", 12);
    assert_int_equal(taud_load_u32(bytes + 60), taud_crc32c(0, bytes, 60));
    assert_memory_equal(bytes, bytes + SECOND_COPY, COPY);
    assert_memory_equal(bytes + COPY, zeros, SECOND_COPY - COPY);
    assert_memory_equal(bytes + SECOND_COPY + COPY, zeros, SECOND_COPY - COPY);
}

static void expect_segment(const uint8_t *bytes)
{
    struct taud_segment_header back = {0};
    assert_int_equal(taud_segment_header_decode(bytes, &back), TAUD_HEADER_GOOD);
    assert_memory_equal(&back, &segment, sizeof segment);
}

static enum taud_header_kind kind_of(const uint8_t *bytes)
{
    struct taud_segment_header back;
    return taud_segment_header_decode(bytes, &back);
}

static void either_copy_will_do(void **state)
{
    (void)state;
    uint8_t bytes[TAUD_SEGMENT_HEADER_BYTES];
    taud_segment_header_encode(bytes, &segment);
    for (size_t bit = 0; bit < COPY * 8; bit++) {
        uint8_t mask = (uint8_t)(1 << bit % 8);
        bytes[bit / 8] ^= mask;
        expect_segment(bytes);
        bytes[SECOND_COPY + bit / 8] ^= mask;
        assert_int_equal(kind_of(bytes), TAUD_HEADER_DAMAGED);
        bytes[bit / 8] ^= mask;
        expect_segment(bytes);
        bytes[SECOND_COPY + bit / 8] ^= mask;
    }
}

static void zeros_are_no_header_and_a_torn_one_is_damage(void **state)
{
    (void)state;
    uint8_t bytes[TAUD_SEGMENT_HEADER_BYTES] = {0};
    assert_int_equal(kind_of(bytes), TAUD_HEADER_NONE);
    taud_segment_header_encode(bytes, &segment);
    memset(bytes, 0, COPY);
    expect_segment(bytes);
    bytes[SECOND_COPY] ^= 1;
    assert_int_equal(kind_of(bytes), TAUD_HEADER_DAMAGED);
    taud_segment_header_encode(bytes, &segment);
    memset(bytes + SECOND_COPY, 0, COPY);
    expect_segment(bytes);
    bytes[0] ^= 1;
    assert_int_equal(kind_of(bytes), TAUD_HEADER_DAMAGED);
}

static void another_magic_is_damage_and_a_later_version_is_said(void **state)
{
    (void)state;
    uint8_t bytes[TAUD_SEGMENT_HEADER_BYTES];
    taud_segment_header_encode(bytes, &segment);
    bytes[0] = 'X';
    taud_store_u32(bytes + 60, taud_crc32c(0, bytes, 60));
    memcpy(bytes + SECOND_COPY, bytes, COPY);
    assert_int_equal(kind_of(bytes), TAUD_HEADER_DAMAGED);
    taud_segment_header_encode(bytes, &segment);
    bytes[8] = 2;
    assert_int_equal(kind_of(bytes), TAUD_HEADER_GOOD); // without its checksum it is a bad copy
    taud_store_u32(bytes + 60, taud_crc32c(0, bytes, 60));
    assert_int_equal(kind_of(bytes), TAUD_HEADER_FUTURE);
    memcpy(bytes + SECOND_COPY, bytes, COPY);
    bytes[0] ^= 1;
    assert_int_equal(kind_of(bytes), TAUD_HEADER_FUTURE);
}

static void a_group_header_is_as_the_format_says(void **state)
{
    (void)state;
    uint8_t bytes[TAUD_GROUP_HEADER_BYTES];
    struct taud_group_header back = {0};
    taud_group_header_encode(bytes, &group);
    assert_memory_equal(bytes, "TGRP", 4);
    assert_int_equal(taud_load_u32(bytes + 4), taud_crc32c(0, bytes + 8, 48));
    assert_memory_equal(bytes + 8, "\10\7\6\5\4\3\2\1\x18\x17\x16\x15\x14\x13\x12\x11", 16);
    assert_memory_equal(bytes + 24,
                        "\x28\x27\x26\x25\x24\x23\x22\x21\x38\x37\x36\x35\x34\x33\x32\x31", 16);
    assert_memory_equal(bytes + 40, "\x48\x47\x46\x45\x44\x43\x42\x41\x08\2\1\0\x54\x53\x52\x51",
                        16);
    assert_true(taud_group_header_decode(bytes, &back));
    assert_memory_equal(&back, &group, sizeof group);
    for (size_t bit = 0; bit < sizeof bytes * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(taud_group_header_decode(bytes, &back));
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void a_group_has_a_size_within_its_bounds(void **state)
{
    (void)state;
    static const struct {
        uint32_t size;
        bool good;
    } sizes[] = {
        {0, false},
        {8, true},
        {12, false},
        {8 << 20, true},
        {(8 << 20) + 8, false},
        {UINT32_MAX - 7, false},
    };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint8_t bytes[TAUD_GROUP_HEADER_BYTES];
        struct taud_group_header header = group, back;
        header.size = sizes[i].size;
        taud_group_header_encode(bytes, &header);
        assert_int_equal(taud_group_header_decode(bytes, &back), sizes[i].good);
    }
}

static void each_segment_is_twice_the_one_before_up_to_the_bound(void **state)
{
    (void)state;
    static const struct {
        uint64_t bound, sequence, size;
    } sizes[] = {
        {64 << 20, 1, 8 << 20},
        {64 << 20, 2, 16 << 20},
        {64 << 20, 4, 64 << 20},
        {64 << 20, 5, 64 << 20},
        {64 << 20, UINT64_MAX, 64 << 20},
        {20 << 20, 2, 16 << 20},
        {20 << 20, 3, 20 << 20},
        {16 << 10, 1, 16 << 10},
        {8 << 20, 2, 8 << 20},
        {UINT64_C(1) << 40, 100, UINT64_C(1) << 40},
    };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct taud_local local = {.segment_bytes = sizes[i].bound};
        assert_int_equal(taud_local_segment_size(&local, sizes[i].sequence), sizes[i].size);
    }
}

// --- preparation ------------------------------------------------------------------------------

enum { MADE_BYTES = (1 << 20) + 2 * TAUD_IO_BLOCK }; // more than is zeroed at a time

static const char made[] = "log/0000000000000001.log", next[] = "log/0000000000000002.log";

static bool is_zeroed(struct local_rig *rig, const char *name, uint64_t size)
{
    uint64_t present;
    const uint8_t *bytes = local_rig_file(rig, name, &present);
    return bytes && present == size && bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0;
}

static unsigned log_names(struct local_rig *rig)
{
    return disk_count(rig->disk, "data/log");
}

static int make(struct local_rig *rig)
{
    return taud_local_make_segment(rig->local, 1, MADE_BYTES);
}

// There is no segment yet, or the whole one.
static bool whole_or_none(struct local_rig *rig)
{
    uint64_t size;
    return !local_rig_file(rig, made, &size) || is_zeroed(rig, made, MADE_BYTES);
}

static void leave_old_remains(struct local_rig *rig)
{
    uint8_t remains[100];
    local_rig_open(rig);
    memset(remains, 0xee, sizeof remains);
    local_rig_put(rig, "log/preparing.tmp", remains, sizeof remains);
}

static void check_made(struct local_rig *rig, int answer, bool failed)
{
    uint64_t size;
    if (answer == 0)
        assert_true(is_zeroed(rig, made, MADE_BYTES));
    else
        assert_true(failed && answer == -EIO && whole_or_none(rig));
    assert_null(local_rig_file(rig, "log/preparing.tmp", &size));
}

static void a_segment_is_made_whole_or_not_at_all(void **state)
{
    (void)state;
    for (int direct = 0; direct < 2; direct++) {
        struct local_rig_trial trial = {leave_old_remains, make, check_made, .direct = direct};
        struct disk_fault fault = {.kind = DISK_FAULT_ERROR, .error = EIO};
        assert_true(local_rig_try_each_call(&trial, fault) >= 8);
        fault.error = EINTR;
        local_rig_try_each_call(&trial, fault);
        local_rig_try_each_call(&trial, (struct disk_fault){.kind = DISK_FAULT_SHORT});
    }
}

static uint64_t power_seed;

static bool survives(struct local_rig *rig, int answer)
{
    disk_restart(rig->disk, power_seed);
    return answer == 0 ? is_zeroed(rig, made, MADE_BYTES) : whole_or_none(rig);
}

static void check_survives(struct local_rig *rig, int answer, bool failed)
{
    (void)failed;
    assert_true(survives(rig, answer));
}

static void power_may_be_cut_while_one_is_made(void **state)
{
    (void)state;
    for (power_seed = 0; power_seed < 6; power_seed++) {
        struct local_rig_trial trial = {leave_old_remains, make, check_survives,
                                        .direct = power_seed % 2};
        local_rig_try_each_call(&trial, (struct disk_fault){.kind = DISK_FAULT_CUT});
    }
}

// The planted bug.
static void syncs_that_do_nothing_are_caught(void **state)
{
    struct local_rig *rig = *state;
    disk_skip_syncs(rig->disk);
    power_seed = 0;
    assert_false(survives(rig, make(rig)));
}

static uint64_t written_bytes;

static int64_t count_write(void *context, int file, const void *data, size_t size, uint64_t offset)
{
    int64_t count = disk_io(context)->write(context, file, data, size, offset);
    assert_int_equal(offset, written_bytes);
    written_bytes += count > 0 ? (uint64_t)count : 0;
    return count;
}

// Room that is only promised would still have to be found when it is written.
static void every_block_of_a_segment_is_written(void **state)
{
    struct local_rig *rig = *state;
    struct taud_io counting = *disk_io(rig->disk);
    counting.write = count_write;
    written_bytes = 0;
    rig->local->io = &counting;
    assert_int_equal(make(rig), 0);
    assert_int_equal(written_bytes, MADE_BYTES);
    rig->local->io = disk_io(rig->disk);
    for (uint64_t i = 2; i < 80; i++) // more than may be open at a time
        assert_int_equal(taud_local_make_segment(rig->local, i, 4 * TAUD_IO_BLOCK), 0);
}

static void without_memory_nothing_is_made(void **state)
{
    struct local_rig *rig = *state;
    failing_allocator_fail_next(&rig->memory, 1);
    assert_int_equal(make(rig), -ENOMEM);
    assert_int_equal(log_names(rig), 0);
    assert_int_equal(make(rig), 0);
    assert_int_equal(log_names(rig), 1);
}

static void one_is_prepared_once_the_present_one_is_in_use(void **state)
{
    struct local_rig *rig = *state;
    const uint64_t ready = LOCAL_RIG_SEGMENT_BYTES - TAUD_SEGMENT_HEADER_BYTES;
    assert_int_equal(taud_local_roll(rig->local, 0, 0), 0);
    assert_false(taud_local_needs_prepare(rig->backend));
    rig->local->current_used = true;
    assert_true(taud_local_needs_prepare(rig->backend));
    assert_int_equal(taud_local_prepare(rig->backend), TAU_STATUS_SUCCESS);
    assert_true(is_zeroed(rig, next, LOCAL_RIG_SEGMENT_BYTES));
    assert_int_equal(atomic_load(&rig->local->room), ready);
    assert_false(taud_local_needs_prepare(rig->backend));
    disk_set_fault(rig->disk, (struct disk_fault){0});
    assert_int_equal(taud_local_prepare(rig->backend), TAU_STATUS_SUCCESS);
    assert_int_equal(disk_calls(rig->disk), 0); // there is one already
    assert_int_equal(atomic_load(&rig->local->room), ready);
}

static void a_preparation_without_space_says_so_and_comes_again(void **state)
{
    struct local_rig *rig = *state;
    assert_int_equal(taud_local_roll(rig->local, 0, 0), 0);
    rig->local->current_used = true;
    static const struct {
        int error;
        enum tau_status status;
    } failures[] = {{ENOSPC, TAU_STATUS_STORAGE_FULL},
                    {EDQUOT, TAU_STATUS_STORAGE_FULL},
                    {EIO, TAU_STATUS_INTERNAL_ERROR}};
    for (size_t i = 0; i < 3; i++) {
        struct disk_fault fault = {
            .kind = DISK_FAULT_ERROR, .at = 3, .for_good = true, .error = failures[i].error};
        disk_set_fault(rig->disk, fault);
        assert_int_equal(taud_local_prepare(rig->backend), failures[i].status);
        disk_set_fault(rig->disk, (struct disk_fault){0});
        assert_int_equal(atomic_load(&rig->local->room),
                         LOCAL_RIG_SEGMENT_BYTES - TAUD_SEGMENT_HEADER_BYTES); // of the present one
        assert_true(taud_local_needs_prepare(rig->backend));
    }
    assert_int_equal(taud_local_prepare(rig->backend), TAU_STATUS_SUCCESS);
    assert_true(is_zeroed(rig, next, LOCAL_RIG_SEGMENT_BYTES));
}

// --- on a disk with little space --------------------------------------------------------------

enum { USUAL_BYTES = 4 << 20, HELD_BYTES = 1 << 20 };

// A log that holds so much which is stored nowhere else, on a disk with so much space left.
static void leave_space(struct local_rig *rig, uint64_t bytes)
{
    struct taud_local *local = rig->local;
    disk_set_capacity(rig->disk, 0);
    local->segment_bytes = USUAL_BYTES;
    local->position = local->trimmed_position + HELD_BYTES;
    local->current_used = true;
    local->next_state = TAUD_NEXT_NONE;
    disk_remove(rig->disk, "data/log/0000000000000002.log");
    disk_set_capacity(rig->disk, disk_used(rig->disk) + bytes);
}

static void there_is_space_for_all_of_the_log_once_more(void **state)
{
    struct local_rig *rig = *state;
    struct taud_local *local = rig->local;
    const uint64_t least = TAUD_SEGMENT_BYTES_LEAST, taken = HELD_BYTES + least;
    assert_int_equal(taud_local_roll(local, 0, 0), 0);
    leave_space(rig, taken + (uint64_t)2 * USUAL_BYTES);
    assert_int_equal(taud_local_prepare(rig->backend), TAU_STATUS_SUCCESS);
    assert_int_equal(local->next_size, USUAL_BYTES);
    leave_space(rig, taken + (uint64_t)2 * USUAL_BYTES - 1);
    assert_int_equal(taud_local_prepare(rig->backend), TAU_STATUS_SUCCESS);
    assert_int_equal(local->next_size, USUAL_BYTES / 2);
    leave_space(rig, taken + 2 * least);
    assert_int_equal(taud_local_prepare(rig->backend), TAU_STATUS_SUCCESS);
    assert_int_equal(local->next_size, least);
    leave_space(rig, taken + 2 * least - 1);
    assert_int_equal(taud_local_prepare(rig->backend), TAU_STATUS_STORAGE_FULL);
    assert_int_equal(log_names(rig), 1);
    local->trimmed_position = local->position; // what it held is stored elsewhere now
    assert_int_equal(taud_local_prepare(rig->backend), TAU_STATUS_SUCCESS);
    assert_int_equal(local->next_size, least << 1);
}

// What was admitted has to go somewhere.
static void a_segment_that_is_needed_is_made_in_any_space(void **state)
{
    struct local_rig *rig = *state;
    assert_int_equal(taud_local_roll(rig->local, 0, 0), 0);
    leave_space(rig, HELD_BYTES);
    assert_int_equal(taud_local_roll(rig->local, 0, 100), 0);
    assert_int_equal(rig->local->current.size, TAUD_SEGMENT_BYTES_LEAST);
}

static void a_spare_is_given_up_where_there_is_little_space(void **state)
{
    struct local_rig *rig = *state;
    static const uint8_t used[USUAL_BYTES];
    uint64_t size;
    assert_int_equal(taud_local_roll(rig->local, 0, 0), 0);
    local_rig_put(rig, "log/0000000000000009.spare", used, sizeof used);
    leave_space(rig, HELD_BYTES);
    rig->local->spares[rig->local->spare_count++] = 9;
    assert_int_equal(taud_local_prepare(rig->backend), TAU_STATUS_SUCCESS);
    assert_null(local_rig_file(rig, "log/0000000000000009.spare", &size));
    assert_int_equal(rig->local->next_size, USUAL_BYTES / 4);
    assert_false(rig->local->next_remains);
}

// --- the step to the next ---------------------------------------------------------------------

static void the_next_segment_begins_where_the_log_stands(void **state)
{
    struct local_rig *rig = *state;
    struct taud_local *local = rig->local;
    uint64_t ids[3];
    local->epoch = 7;
    for (uint64_t i = 0; i < 3; i++) {
        local->current_used = true;
        assert_int_equal(taud_local_roll(local, 1000 + i, 0), 0);
        assert_int_equal(local->current.sequence, i + 1);
        assert_int_equal(local->current.epoch, 7);
        assert_int_equal(local->current.position, 1000 + i);
        assert_int_equal(local->current.size, LOCAL_RIG_SEGMENT_BYTES);
        assert_int_equal(local->current_sequence, i + 1);
        assert_int_equal(local->offset, TAUD_SEGMENT_HEADER_BYTES);
        assert_true(local->fresh);
        assert_false(local->current_used);
        ids[i] = local->current.file_id;
        assert_true(i == 0 || ids[i] != ids[i - 1]);
    }
    assert_int_equal(log_names(rig), 3);
    assert_true(ids[0] != ids[2]);
    local->current_sequence = 1; // as if the second were gone
    assert_int_equal(taud_local_roll(local, 1001, 0), 0);
    assert_true(local->current.file_id != ids[1]);
}

static uint64_t first_id(uint64_t seed, uint64_t epoch)
{
    struct local_rig rig;
    local_rig_init(&rig, true);
    local_rig_open(&rig);
    rig.local->file_seed = seed;
    rig.local->epoch = epoch;
    assert_int_equal(taud_local_roll(rig.local, 0, 0), 0);
    uint64_t id = rig.local->current.file_id;
    local_rig_done(&rig);
    return id;
}

static void a_name_used_again_is_another_file(void **state)
{
    (void)state;
    assert_true(first_id(1, 1) != first_id(2, 1));
    assert_true(first_id(1, 1) != first_id(1, 2));
    assert_true(first_id(1, 1) == first_id(1, 1));
}

static void a_segment_is_larger_when_a_group_needs_it(void **state)
{
    struct local_rig *rig = *state;
    const uint64_t fits = LOCAL_RIG_SEGMENT_BYTES - TAUD_SEGMENT_HEADER_BYTES;
    assert_int_equal(taud_local_roll(rig->local, 0, fits), 0);
    assert_int_equal(rig->local->current.size, LOCAL_RIG_SEGMENT_BYTES);
    assert_int_equal(taud_local_roll(rig->local, 0, fits + 1), 0);
    assert_int_equal(rig->local->current.size, LOCAL_RIG_SEGMENT_BYTES + TAUD_IO_BLOCK);
    assert_true(is_zeroed(rig, next, LOCAL_RIG_SEGMENT_BYTES + TAUD_IO_BLOCK));

    assert_int_equal(taud_local_prepare(rig->backend), TAU_STATUS_SUCCESS); // which is too small
    assert_int_equal(taud_local_roll(rig->local, 0, 100000), 0);
    assert_int_equal(rig->local->current.size, 27 * TAUD_IO_BLOCK);
    assert_int_equal(rig->local->current.sequence, 3);
    assert_int_equal(log_names(rig), 3);
}

// A file that was used before; it says so in its header.
static void a_spare_becomes_the_next_segment(void **state)
{
    struct local_rig *rig = *state;
    static uint8_t used[LOCAL_RIG_SEGMENT_BYTES];
    uint64_t size;
    memset(used, 0xee, sizeof used);
    for (int i = 0; i < 2; i++) {
        local_rig_put(rig, "log/0000000000000009.spare", used, sizeof used);
        assert_int_equal(taud_local_reuse_segment(rig->local, 9, 1), 0);
        const uint8_t *bytes = local_rig_file(rig, made, &size);
        assert_int_equal(size, sizeof used);
        assert_true(bytes[0] == 0 && memcmp(bytes, bytes + 1, TAUD_SEGMENT_HEADER_BYTES - 1) == 0);
        assert_memory_equal(bytes + TAUD_SEGMENT_HEADER_BYTES, used,
                            sizeof used - TAUD_SEGMENT_HEADER_BYTES);
        assert_int_equal(log_names(rig), 1);
    }
    assert_int_equal(taud_local_reuse_segment(rig->local, 9, 2), -ENOENT); // it is taken
    assert_int_equal(log_names(rig), 1);
}

static void what_is_prepared_is_taken_as_it_is(void **state)
{
    struct local_rig *rig = *state;
    assert_int_equal(taud_local_prepare(rig->backend), TAU_STATUS_SUCCESS);
    disk_set_fault(rig->disk, (struct disk_fault){0});
    const uint64_t fits = LOCAL_RIG_SEGMENT_BYTES - TAUD_SEGMENT_HEADER_BYTES;
    assert_int_equal(taud_local_roll(rig->local, 0, fits), 0);
    assert_true(disk_calls(rig->disk) <= 2); // it is opened, no more
    assert_int_equal(rig->local->next_state, TAUD_NEXT_NONE);
}

// The disk, whose syncs take their time.
static int slow_sync(void *context, int file)
{
    usleep(20000);
    return disk_io(context)->sync(context, file);
}

static void *prepare_slowly(void *user_data)
{
    struct local_rig *rig = user_data;
    assert_int_equal(taud_local_prepare(rig->backend), TAU_STATUS_SUCCESS);
    return NULL;
}

static void a_preparation_that_runs_is_waited_for(void **state)
{
    struct local_rig *rig = *state;
    struct taud_io slow = *disk_io(rig->disk);
    enum taud_next_state next_state = TAUD_NEXT_NONE;
    pthread_t thread;
    slow.sync = slow_sync;
    rig->local->io = &slow;
    assert_int_equal(pthread_create(&thread, NULL, prepare_slowly, rig), 0);
    while (next_state == TAUD_NEXT_NONE) {
        pthread_mutex_lock(&rig->local->mutex);
        next_state = rig->local->next_state;
        pthread_mutex_unlock(&rig->local->mutex);
    }
    assert_int_equal(taud_local_roll(rig->local, 0, 1), 0);
    pthread_join(thread, NULL);
    assert_int_equal(log_names(rig), 1); // made once
    assert_int_equal(rig->local->current.size, LOCAL_RIG_SEGMENT_BYTES);
    rig->local->io = disk_io(rig->disk);
}

static void all_before_is_synced_first(void **state)
{
    struct local_rig *rig = *state;
    struct taud_local *local = rig->local;
    assert_int_equal(taud_local_roll(local, 0, 0), 0);
    assert_int_equal(taud_local_prepare(rig->backend), TAU_STATUS_SUCCESS);
    static const int errors[] = {EROFS, ENOSPC, EDQUOT};
    for (int error = 0; error < 3; error++) {
        struct disk_fault fault = {.kind = DISK_FAULT_ERROR, .at = 1, .error = errors[error]};
        local->unsynced = true;
        disk_set_fault(rig->disk, fault);
        // A sync that failed for want of space has lost what it was to keep: it is not tried again.
        assert_int_equal(taud_local_roll(local, 640, 0), error ? -EIO : -EROFS);
        assert_true(local->unsynced);
        assert_int_equal(local->synced_position, 0);
        assert_int_equal(local->current.sequence, 1);
    }
    disk_set_fault(rig->disk, (struct disk_fault){0});
    assert_int_equal(taud_local_roll(local, 640, 0), 0);
    assert_false(local->unsynced);
    assert_int_equal(local->synced_position, 640);
}

static void begin_first(struct local_rig *rig)
{
    local_rig_open(rig);
    assert_int_equal(taud_local_roll(rig->local, 0, 0), 0);
    rig->local->offset = 9000;
    rig->local->fresh = false;
}

static int run_roll(struct local_rig *rig)
{
    return taud_local_roll(rig->local, 808, 0);
}

static int roll_error;

static void check_roll(struct local_rig *rig, int answer, bool failed)
{
    struct taud_local *local = rig->local;
    if (answer != 0) {
        assert_true(failed);
        assert_int_equal(answer, -roll_error);
        assert_int_equal(local->current.sequence, 1);
        assert_int_equal(local->current_sequence, 1);
        assert_int_equal(local->offset, 9000);
        assert_false(local->fresh);
        assert_true(local->file >= 0);
        assert_int_equal(run_roll(rig), 0);
    }
    assert_int_equal(local->current.sequence, 2);
    assert_int_equal(local->current.position, 808);
    uint64_t size;
    assert_int_equal(local->io->write(local->io->context, local->file, "x", 1, 9000), 1);
    assert_int_equal(local_rig_file(rig, next, &size)[9000], 'x');
}

static void a_step_that_fails_leaves_all_as_it_was(void **state)
{
    (void)state;
    static const int errors[] = {EIO, ENOSPC};
    for (size_t i = 0; i < 2; i++) {
        struct local_rig_trial trial = {begin_first, run_roll, check_roll, .direct = true};
        roll_error = errors[i];
        struct disk_fault fault = {.kind = DISK_FAULT_ERROR, .error = errors[i]};
        assert_true(local_rig_try_each_call(&trial, fault) >= 8);
    }
}

static void files_are_open_both_ways_where_the_disk_can(void **state)
{
    (void)state;
    for (int direct = 0; direct < 2; direct++) {
        struct local_rig rig;
        local_rig_init(&rig, direct);
        local_rig_open(&rig);
        assert_int_equal(make(&rig), 0);
        assert_int_equal(taud_local_open_files(rig.local, 1), 0);
        int file = rig.local->file;
        assert_true(file >= 0);
        assert_int_equal(rig.local->direct_file >= 0, direct);
        assert_int_equal(taud_local_open_files(rig.local, 2), -ENOENT);
        assert_int_equal(rig.local->file, file);
        taud_local_close_files(rig.local);
        taud_local_close_files(rig.local);
        assert_int_equal(rig.local->file, -1);
        assert_int_equal(rig.local->direct_file, -1);
        for (int i = 0; i < 200; i++) // more than may be open at a time
            assert_int_equal(taud_local_open_files(rig.local, 1), 0);
        local_rig_done(&rig);
    }
}

static int setup(void **state)
{
    static struct local_rig rig;
    local_rig_init(&rig, true);
    local_rig_open(&rig);
    *state = &rig;
    return 0;
}

static int teardown(void **state)
{
    local_rig_done(*state);
    return 0;
}

#define RIG_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_segment_header_is_as_the_format_says_twice),
        cmocka_unit_test(either_copy_will_do),
        cmocka_unit_test(zeros_are_no_header_and_a_torn_one_is_damage),
        cmocka_unit_test(another_magic_is_damage_and_a_later_version_is_said),
        cmocka_unit_test(a_group_header_is_as_the_format_says),
        cmocka_unit_test(a_group_has_a_size_within_its_bounds),
        cmocka_unit_test(each_segment_is_twice_the_one_before_up_to_the_bound),
        cmocka_unit_test(a_segment_is_made_whole_or_not_at_all),
        cmocka_unit_test(power_may_be_cut_while_one_is_made),
        RIG_TEST(syncs_that_do_nothing_are_caught),
        RIG_TEST(every_block_of_a_segment_is_written),
        RIG_TEST(without_memory_nothing_is_made),
        RIG_TEST(one_is_prepared_once_the_present_one_is_in_use),
        RIG_TEST(a_preparation_without_space_says_so_and_comes_again),
        RIG_TEST(the_next_segment_begins_where_the_log_stands),
        cmocka_unit_test(a_name_used_again_is_another_file),
        RIG_TEST(a_segment_is_larger_when_a_group_needs_it),
        RIG_TEST(there_is_space_for_all_of_the_log_once_more),
        RIG_TEST(a_segment_that_is_needed_is_made_in_any_space),
        RIG_TEST(a_spare_is_given_up_where_there_is_little_space),
        RIG_TEST(a_spare_becomes_the_next_segment),
        RIG_TEST(what_is_prepared_is_taken_as_it_is),
        RIG_TEST(a_preparation_that_runs_is_waited_for),
        RIG_TEST(all_before_is_synced_first),
        cmocka_unit_test(a_step_that_fails_leaves_all_as_it_was),
        cmocka_unit_test(files_are_open_both_ways_where_the_disk_can),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
