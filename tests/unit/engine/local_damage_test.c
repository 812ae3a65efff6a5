// SPDX-License-Identifier: MIT
// What was durable once and is not there in the local log is told apart from a torn end and put
// aside, and headers that are damaged once are mended; whatever fails meanwhile, the next start
// finds the same.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "replay_rig.h"

#include <errno.h>
#include <stdio.h>

static const char quarantined[] = "quarantine/0000000000000001.log";

// --- damage -----------------------------------------------------------------------------------

// The second of three groups is lost; the bytes of it are kept.
static void expect_second_aside(struct local_rig *rig, uint64_t known_position)
{
    char name[80];
    snprintf(name, sizeof name, "quarantine/log-%016x-%010x-%08x", 1,
             REPLAY_FIRST + REPLAY_FIRST_END, REPLAY_SECOND_END - REPLAY_FIRST_END);
    for (int again = 0; again < 2; again++) { // damage stays, and is found again
        replay_expect(rig, known_position, 2, 144);
        assert_int_equal(replay_outcome.positions[1], 88);
        assert_false(replay_outcome.damaged[0]);
        assert_true(replay_outcome.damaged[1]);
        replay_expect_cut(0, 1, REPLAY_SECOND_END - REPLAY_FIRST_END);
        uint64_t size, all;
        const uint8_t *copy = local_rig_file(rig, name, &size);
        assert_non_null(copy);
        assert_int_equal(size, REPLAY_SECOND_END - REPLAY_FIRST_END);
        assert_memory_equal(
            copy, local_rig_file(rig, replay_name(1), &all) + REPLAY_FIRST + REPLAY_FIRST_END,
            size);
    }
}

static void what_a_later_group_knew_to_be_durable_is_damaged(void **state)
{
    struct local_rig *rig = *state;
    replay_store_three(rig, REPLAY_FIRST_END * 8 + 3, 41);
    expect_second_aside(rig, 0);
}

static void what_was_known_to_be_durable_is_damaged(void **state)
{
    struct local_rig *rig = *state;
    replay_store_three(rig, (REPLAY_SECOND_END - 1) * 8, 0);
    expect_second_aside(rig, 41);
    replay_store_three(rig, (REPLAY_SECOND_END - 1) * 8, 0);
    replay_expect(rig, 40, 1, 40); // the same, but nobody knew of it
}

static void what_is_before_a_later_segment_is_damaged(void **state)
{
    struct local_rig *rig = *state;
    replay_store_three(rig, REPLAY_FIRST_END * 8, 0);
    struct replay_image next = replay_segment(2, 144, 4 * TAUD_IO_BLOCK);
    replay_add_group(&next, 8, 0);
    replay_store(rig, &next);
    replay_expect(rig, 0, 3, 152);
    assert_true(replay_outcome.damaged[1]);
    assert_false(replay_outcome.damaged[2]);
    replay_expect_cut(0, 1, REPLAY_SECOND_END - REPLAY_FIRST_END);

    replay_store_three(rig, REPLAY_SECOND_END * 8,
                       0); // at the end of the segment, where no group follows
    replay_expect(rig, 0, 3, 152);
    assert_int_equal(replay_outcome.positions[2], 144);
    assert_false(replay_outcome.damaged[1]);
    assert_true(replay_outcome.damaged[2]);
    replay_expect_cut(0, 1, REPLAY_END - REPLAY_SECOND_END);
}

static void an_end_that_was_durable_and_is_gone_is_counted(void **state)
{
    struct local_rig *rig = *state;
    replay_store_three(rig, REPLAY_SECOND_END * 8, 0);
    replay_expect(rig, 144, 2, 144);
    replay_expect_cut(REPLAY_END - REPLAY_SECOND_END, 1,
                      REPLAY_END - REPLAY_SECOND_END); // kept aside, and written over
    replay_expect(rig, 144, 2, 144);
    replay_expect_cut(0, 1, 0); // without a trace
}

static void a_segment_without_a_good_header_is_moved_aside(void **state)
{
    struct local_rig *rig = *state;
    for (int named = 0; named < 2; named++) {
        struct replay_image first = replay_segment(named ? 7 : 1, 0, 4 * TAUD_IO_BLOCK);
        replay_add_group(&first, 40, 0);
        if (!named)
            first.bytes[20] = first.bytes[TAUD_IO_BLOCK + 20] = 0xee;
        local_rig_put(rig, replay_name(1), first.bytes, first.header.size);
        struct replay_image next = replay_segment(2, 40, 4 * TAUD_IO_BLOCK);
        replay_add_group(&next, 8, 0);
        replay_store(rig, &next);
        replay_expect(rig, 0, 1, 48);
        assert_true(replay_outcome.damaged[0]);
        replay_expect_cut(0, 1, 4 * TAUD_IO_BLOCK);
        uint64_t size;
        assert_null(local_rig_file(rig, replay_name(1), &size));
        assert_memory_equal(local_rig_file(rig, quarantined, &size), first.bytes,
                            4 * TAUD_IO_BLOCK);
        free(first.bytes);
        disk_remove(rig->disk, "data/quarantine/0000000000000001.log");
    }
}

static void a_damaged_segment_is_never_removed(void **state)
{
    struct local_rig *rig = *state;
    replay_store_three(rig, REPLAY_NO_BIT, 0);
    local_rig_put(rig, replay_name(2), "nonsense", 8); // where one that is prepared could stand
    replay_expect(rig, 0, 3, 144);
    replay_expect_cut(0, 1, 8);
    disk_restart(rig->disk, 0); // and it is there for good
    uint64_t size;
    assert_memory_equal(local_rig_file(rig, "quarantine/0000000000000002.log", &size), "nonsense",
                        8);
    assert_null(local_rig_file(rig, replay_name(2), &size));
}

static void a_segment_missing_between_others_is_damage(void **state)
{
    struct local_rig *rig = *state;
    struct replay_image third = replay_segment(3, 200, 4 * TAUD_IO_BLOCK);
    replay_store_three(rig, REPLAY_NO_BIT, 0);
    replay_add_group(&third, 8, 0);
    replay_store(rig, &third);
    replay_expect(rig, 0, 4, 208);
    assert_true(replay_outcome.damaged[3]);
    replay_expect_cut(0, 1, 0);
}

// --- what is left of an earlier use -----------------------------------------------------------

// Two groups, a third that is torn, and behind them what another segment left.
static void store_used_again(struct local_rig *rig, bool torn_header)
{
    struct replay_image image = replay_segment(1, 0, 4 * TAUD_IO_BLOCK);
    image.header.remains = 1;
    for (uint64_t i = REPLAY_FIRST; i < image.header.size; i++)
        image.bytes[i] = (uint8_t)(i | 1);
    struct replay_image old = image;
    old.header.file_id ^= 1;
    old.offset = REPLAY_FIRST + REPLAY_END + 400;
    old.position = 4000;
    replay_add_group(&old, 800, 4000); // an earlier one is never as far, yet nothing else may tell
    taud_segment_header_encode(image.bytes, &image.header);
    replay_add_group(&image, 40, 0);
    replay_add_group(&image, 48, 40);
    replay_add_group(&image, 56, 88);
    image.bytes[REPLAY_FIRST + (torn_header ? REPLAY_SECOND_END + 20 : REPLAY_END - 1)] ^= 1;
    replay_store(rig, &image);
}

static void remains_are_neither_a_torn_end_nor_good(void **state)
{
    struct local_rig *rig = *state;
    for (int torn_header = 0; torn_header < 2; torn_header++) {
        uint64_t size;
        store_used_again(rig, torn_header);
        replay_expect(rig, 0, 2, 88);
        replay_expect_cut(torn_header ? 0 : REPLAY_END - REPLAY_SECOND_END, 0, 0);
        const uint8_t *bytes = local_rig_file(rig, replay_name(1), &size);
        assert_int_equal(bytes[REPLAY_FIRST + REPLAY_SECOND_END] == 0, !torn_header);
        assert_int_equal(bytes[REPLAY_FIRST + REPLAY_END],
                         (uint8_t)((REPLAY_FIRST + REPLAY_END) | 1));
        replay_expect(rig, 0, 2, 88);
        replay_expect_cut(0, 0, 0);
    }
}

// --- what only an inspection tells ------------------------------------------------------------

// In the header of a segment everything stands twice, or is zero.
static void a_header_may_be_damaged_once(void **state)
{
    struct local_rig *rig = *state;
    uint64_t size;
    for (uint64_t bit = 0; bit < REPLAY_FIRST * 8; bit += bit % TAUD_IO_BLOCK < 1024 ? 1 : 1013) {
        replay_store_three(rig, REPLAY_NO_BIT, 0);
        local_rig_file(rig, replay_name(1), &size)[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(replay_inspect(rig, 0, 0), TAU_STATUS_SUCCESS);
        assert_int_equal(replay_outcome.count, 3);
        assert_int_equal(replay_told.spare, 1);
        assert_int_equal(replay_told.count, 0);
        assert_int_equal(replay_try(rig, 0), TAU_STATUS_SUCCESS); // which mends it
        assert_int_equal(replay_outcome.count, 3);
        assert_int_equal(replay_inspect(rig, 0, 0), TAU_STATUS_SUCCESS);
        assert_int_equal(replay_told.spare, 0);
    }
}

// A power cut may leave zeros where one of them was to be.
static void a_header_may_be_written_once(void **state)
{
    struct local_rig *rig = *state;
    uint64_t size;
    for (int copy = 0; copy < 2; copy++) {
        replay_store_three(rig, REPLAY_NO_BIT, 0);
        memset(local_rig_file(rig, replay_name(1), &size) + copy * 4096, 0, 4096);
        replay_read(rig, 0, 0);
        assert_int_equal(replay_outcome.count, 3);
        assert_int_equal(replay_told.spare, 0);
        const uint8_t *bytes = local_rig_file(rig, replay_name(1), &size);
        assert_memory_equal(bytes, bytes + 4096, 4096);
    }
    assert_int_equal(disk_count(rig->disk, "data/quarantine"), 0);
}

static void what_it_is_told_may_end_it(void **state)
{
    struct local_rig *rig = *state;
    replay_store_three(rig, 20 * 8, 88);
    replay_outcome.refuse_at = 1;
    replay_outcome.refuse = TAU_STATUS_CANCELLED;
    assert_int_equal(replay_inspect(rig, 0, 0), TAU_STATUS_CANCELLED);
    assert_int_equal(replay_outcome.count, 1);
}

// --- disks and memory that fail ---------------------------------------------------------------

// A damaged place in the first segment, a damaged segment, a torn end in the last, one left unused.
static void store_all_kinds(struct local_rig *rig)
{
    static const uint8_t zeros[100];
    local_rig_open(rig);
    replay_outcome = (struct replay_outcome){.refuse = TAU_STATUS_SUCCESS};
    replay_store_three(rig, REPLAY_FIRST_END * 8, 41);
    local_rig_put(rig, replay_name(2), "nonsense", 8);
    struct replay_image third = replay_segment(3, 200, 4 * TAUD_IO_BLOCK);
    replay_add_group(&third, 8, 0);
    replay_add_group(&third, 16, 0);
    third.bytes[third.offset - 1] ^= 1;
    replay_store(rig, &third);
    local_rig_put(rig, replay_name(9), zeros, sizeof zeros);
    const struct taud_io *io = disk_io(rig->disk);
    assert_int_equal(io->sync_directory(io->context, "data/log"), 0);
}

static void expect_all_kinds(struct local_rig *rig)
{
    replay_expect(rig, 0, 3, 208);
    assert_int_equal(replay_outcome.positions[1], 88);
    assert_int_equal(replay_outcome.positions[2], 200);
    assert_true(replay_outcome.damaged[2]);
}

static int run_open(struct local_rig *rig)
{
    return (int)replay_try(rig, 0);
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
        struct replay_image image = replay_segment(i, (i - 1) * 8, 4 * TAUD_IO_BLOCK);
        if (i == 17)
            replay_add_group(&image, 8, 0);
        replay_store(rig, &image);
    }
    unsigned failures = 0;
    enum tau_status status = TAU_STATUS_NO_MEMORY;
    for (unsigned ahead = 1; status != TAU_STATUS_SUCCESS; ahead++) {
        failing_allocator_fail_next(&rig->memory, ahead);
        status = replay_try(rig, 0);
        if (status == TAU_STATUS_SUCCESS)
            break;
        assert_int_equal(status, TAU_STATUS_NO_MEMORY);
        rig->backend->log->close(rig->backend);
        assert_int_equal(atomic_load(&rig->memory.live), 1); // the backend itself
        failures++;
    }
    assert_int_equal(failures, 4);
    assert_int_equal(replay_outcome.count, 1);
    failing_allocator_fail_next(&rig->memory, 2);
    assert_int_equal(taud_local_log_check(rig->local, &rig->error), TAU_STATUS_NO_MEMORY);
    assert_int_equal(taud_local_log_check(rig->local, &rig->error), TAU_STATUS_SUCCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        REPLAY_TEST(what_a_later_group_knew_to_be_durable_is_damaged),
        REPLAY_TEST(what_was_known_to_be_durable_is_damaged),
        REPLAY_TEST(what_is_before_a_later_segment_is_damaged),
        REPLAY_TEST(an_end_that_was_durable_and_is_gone_is_counted),
        REPLAY_TEST(a_segment_without_a_good_header_is_moved_aside),
        REPLAY_TEST(a_damaged_segment_is_never_removed),
        REPLAY_TEST(a_segment_missing_between_others_is_damage),
        REPLAY_TEST(remains_are_neither_a_torn_end_nor_good),
        REPLAY_TEST(a_header_may_be_damaged_once),
        REPLAY_TEST(a_header_may_be_written_once),
        REPLAY_TEST(what_it_is_told_may_end_it),
        cmocka_unit_test(a_call_that_fails_loses_nothing),
        cmocka_unit_test(power_may_be_cut_while_it_is_repaired),
        REPLAY_TEST(without_memory_it_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
