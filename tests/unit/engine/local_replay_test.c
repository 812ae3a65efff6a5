// SPDX-License-Identifier: MIT
// The local log read back: what is good comes in order, over all segments or from a position on, a
// torn end is cut, what is prepared is told apart from both, and what is refused stays as it is.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "replay_rig.h"

#include "engine/crc32c.h"

static const char quarantined[] = "quarantine/0000000000000001.log";

// --- what is good -----------------------------------------------------------------------------

static void an_empty_directory_has_no_log(void **state)
{
    struct local_rig *rig = *state;
    replay_expect(rig, 0, 0, 0);
    assert_int_equal(replay_outcome.report.highest_epoch, 0);
    assert_int_equal(replay_outcome.report.read_bytes, 0);
    replay_expect_cut(0, 0, 0);
    assert_int_equal(rig->local->file, -1);
    replay_expect(rig, 640, 0, 640); // no position is used twice
    replay_expect_cut(0, 1, 0);      // and all that was before it is lost
}

static void groups_come_back_in_order_over_all_segments(void **state)
{
    struct local_rig *rig = *state;
    struct replay_image second = replay_segment(2, 72, 5 * TAUD_IO_BLOCK);
    second.header.epoch = 9;
    taud_segment_header_encode(second.bytes, &second.header);
    replay_add_group(&second, 800, 0);
    struct taud_group_header last = replay_next_group(&second, 8, 0);
    last.epoch = 11;
    replay_write_group(&second, last);
    replay_store(rig, &second);
    struct replay_image first = replay_segment(1, 0, 4 * TAUD_IO_BLOCK);
    replay_add_group(&first, 8, 0);
    replay_add_group(&first, 64, 0);
    replay_store(rig, &first);

    for (int again = 0; again < 2; again++) {
        replay_expect(rig, 880, 4, 880);
        for (unsigned i = 0; i < 4; i++)
            assert_false(replay_outcome.damaged[i]);
        assert_int_equal(replay_outcome.positions[2], 72);
        assert_int_equal(replay_outcome.report.highest_epoch, 11);
        assert_int_equal(replay_outcome.report.read_bytes, 4 * REPLAY_HEADER + 880);
        replay_expect_cut(0, 0, 0);
        assert_memory_equal(&rig->local->current, &second.header, sizeof second.header);
        const uint64_t offset = REPLAY_FIRST + 2 * REPLAY_HEADER + 808;
        uint64_t size;
        assert_int_equal(rig->local->offset, offset);
        assert_int_equal(rig->local->synced_position, 880);
        assert_true(rig->local->file >= 0);
        assert_memory_equal(rig->local->block,
                            local_rig_file(rig, replay_name(2), &size) + REPLAY_FIRST,
                            offset - REPLAY_FIRST);
        assert_true(rig->backend->log->needs_prepare(rig->backend));
    }
}

static void a_segment_without_groups_counts_its_epoch(void **state)
{
    struct local_rig *rig = *state;
    for (int group = 0; group < 2; group++) {
        struct replay_image image = replay_segment(1, 0, 4 * TAUD_IO_BLOCK);
        image.header.epoch = 9;
        taud_segment_header_encode(image.bytes, &image.header);
        image.header.epoch = 8; // of a server that was replaced when it was begun
        if (group)
            replay_add_group(&image, 8, 0);
        replay_store(rig, &image);
        replay_expect(rig, 0, 0, 0);
        assert_int_equal(replay_outcome.report.highest_epoch, 9);
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
    replay_expect(rig, 0, 0, 0);
    assert_int_equal(disk_digest(rig->disk, "data/log"), digest);
}

// It may hold the last of a disk that was full, which the start needs.
static void an_unfinished_preparation_is_swept(void **state)
{
    struct local_rig *rig = *state;
    uint64_t size;
    local_rig_put(rig, "log/preparing.tmp", "zeros, some of them", 20);
    replay_expect(rig, 0, 0, 0);
    assert_null(local_rig_file(rig, "log/preparing.tmp", &size));
}

// --- the torn end -----------------------------------------------------------------------------

static void any_bit_that_differs_ends_the_log_there(void **state)
{
    struct local_rig *rig = *state;
    uint64_t size;
    for (uint64_t bit = REPLAY_FIRST_END * 8; bit < REPLAY_END * 8; bit += 5) {
        bool in_third = bit >= REPLAY_SECOND_END * 8;
        uint64_t end = in_third ? REPLAY_SECOND_END : REPLAY_FIRST_END;
        replay_store_three(rig, bit, 40);
        replay_expect(rig, 0, in_third ? 2 : 1, in_third ? 88 : 40);
        replay_expect_cut(REPLAY_END - end, 0, 0);
        assert_int_equal(rig->local->offset, REPLAY_FIRST + end);
        const uint8_t *bytes = local_rig_file(rig, replay_name(1), &size);
        assert_int_equal(bytes[REPLAY_FIRST + end], 0);
        assert_memory_equal(bytes + REPLAY_FIRST + end, bytes + REPLAY_FIRST + end + 1,
                            size - REPLAY_FIRST - end - 1);
        replay_expect(rig, 0, in_third ? 2 : 1, in_third ? 88 : 40);
        replay_expect_cut(0, 0, 0);
    }
}

static void a_group_that_does_not_belong_there_ends_the_log(void **state)
{
    struct local_rig *rig = *state;
    for (int which = 0; which < 4; which++) {
        struct replay_image image = replay_segment(1, 0, 4 * TAUD_IO_BLOCK);
        replay_add_group(&image, 40, 0);
        struct taud_group_header header = replay_next_group(&image, 48, 0);
        header.file_id ^= which == 0;        // of an earlier use of the file
        header.offset += which == 1 ? 8 : 0; // swapped
        header.epoch -= which == 2;          // of a server that was replaced
        header.position -= which == 3 ? 8 : 0;
        replay_write_group(&image, header);
        replay_store(rig, &image);
        replay_expect(rig, 0, 1, 40);
        replay_expect_cut(REPLAY_HEADER + 48, 0, 0);
    }
}

static void a_segment_that_was_cut_off_gets_its_size_again(void **state)
{
    struct local_rig *rig = *state;
    static const uint64_t left[] = {REPLAY_FIRST + REPLAY_END, REPLAY_FIRST + REPLAY_END - 1,
                                    REPLAY_FIRST + REPLAY_SECOND_END + 20, REPLAY_FIRST};
    for (size_t i = 0; i < 4; i++) {
        uint64_t size;
        replay_store_three(rig, REPLAY_NO_BIT, 0);
        disk_truncate(rig->disk, "data/log/0000000000000001.log", left[i]);
        static const unsigned counts[] = {3, 2, 2, 0};
        static const uint64_t ends[] = {144, 88, 88, 0};
        replay_expect(rig, 0, counts[i], ends[i]);
        local_rig_file(rig, replay_name(1), &size);
        assert_int_equal(size, 4 * TAUD_IO_BLOCK);
    }
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
        {2, REPLAY_FIRST, false},
        {2, REPLAY_FIRST + 512, false},
        {2, 100, false},
        {2, 0, false},
    };
    static const uint8_t zeros[5 * TAUD_IO_BLOCK];
    for (size_t i = 0; i < sizeof unused / sizeof unused[0]; i++) {
        struct replay_image first = replay_segment(1, 0, 4 * TAUD_IO_BLOCK);
        uint64_t size;
        replay_add_group(&first, 40, 0);
        replay_store(rig, &first);
        local_rig_put(rig, replay_name(unused[i].sequence), zeros, unused[i].size);
        replay_expect(rig, 0, 1, 40);
        replay_expect_cut(0, 0, 0);
        assert_int_equal(local_rig_file(rig, replay_name(unused[i].sequence), &size) != NULL,
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
    local_rig_put(rig, replay_name(1), zeros, sizeof zeros);
    struct replay_image second = replay_segment(2, 8, 4 * TAUD_IO_BLOCK);
    replay_add_group(&second, 8, 0);
    replay_store(rig, &second);
    replay_expect(rig, 0, 1, 16);
    uint64_t size;
    assert_non_null(local_rig_file(rig, quarantined, &size));
    replay_expect_cut(0, 1, sizeof zeros);
}

// --- from a position on -----------------------------------------------------------------------

static void expect_from(struct local_rig *rig, uint64_t from_position, unsigned count,
                        uint64_t end_position)
{
    replay_read(rig, from_position, 0);
    assert_int_equal(replay_outcome.count, count);
    assert_int_equal(replay_outcome.report.end_position, end_position);
}

static void groups_that_end_before_it_are_passed_over(void **state)
{
    struct local_rig *rig = *state;
    static const struct {
        uint64_t from;
        unsigned count;
        uint64_t end;
    } reads[] = {{0, 3, 144},  {39, 3, 144},  {40, 2, 144},  {41, 2, 144}, {87, 2, 144},
                 {88, 1, 144}, {143, 1, 144}, {144, 0, 144}, {160, 0, 160}};
    for (size_t i = 0; i < sizeof reads / sizeof reads[0]; i++) {
        replay_store_three(rig, REPLAY_NO_BIT, 0);
        expect_from(rig, reads[i].from, reads[i].count, reads[i].end);
        replay_expect_cut(0, 0, 0);
        for (unsigned k = 0; k < replay_outcome.count; k++)
            assert_false(replay_outcome.damaged[k]);
        assert_int_equal(rig->local->offset,
                         REPLAY_FIRST + REPLAY_END); // what is passed over stays
        assert_int_equal(rig->local->position, reads[i].end);
    }
}

// The log ended before it, and went on at it.
static void a_gap_that_ends_before_it_is_none(void **state)
{
    struct local_rig *rig = *state;
    for (int first = 0; first < 2; first++) {
        struct replay_image image = replay_segment(1, 0, 4 * TAUD_IO_BLOCK);
        replay_add_group(&image, 40, 0);
        image.position = 160;
        replay_add_group(&image, 8, 160);
        replay_store(rig, &image);
        expect_from(rig, 160 - (uint64_t)first, 1, 168);
        assert_int_equal(replay_outcome.damaged[0], first);
        replay_expect_cut(0, 0, 0);
    }
}

static void damage_before_it_is_none(void **state)
{
    struct local_rig *rig = *state;
    replay_store_three(rig, REPLAY_FIRST_END * 8, 144);
    expect_from(rig, 88, 1, 144);
    assert_false(replay_outcome.damaged[0]);
    replay_expect_cut(0, 0, 0);
    replay_store_three(rig, REPLAY_FIRST_END * 8, 144);
    expect_from(rig, 87, 1, 144); // a byte of it is needed
    assert_true(replay_outcome.damaged[0]);
    replay_expect_cut(0, 1, REPLAY_SECOND_END - REPLAY_FIRST_END);
}

// A later group that knew less to be durable than is needed proves nothing.
static void a_torn_end_behind_it_is_cut(void **state)
{
    struct local_rig *rig = *state;
    replay_store_three(rig, REPLAY_FIRST_END * 8, 41);
    expect_from(rig, 41, 0, 41);
    replay_expect_cut(REPLAY_END - REPLAY_FIRST_END, 0, 0);
    replay_store_three(rig, REPLAY_SECOND_END * 8, 0);
    expect_from(rig, 120, 0, 120);
    replay_expect_cut(REPLAY_END - REPLAY_SECOND_END, 0, 0);
}

static void a_missing_beginning_is_damage_only_behind_it(void **state)
{
    struct local_rig *rig = *state;
    for (int lost = 0; lost < 2; lost++) {
        replay_store_later(rig, 7, 144);
        expect_from(rig, 144 - (uint64_t)lost, 1, 152);
        assert_int_equal(replay_outcome.damaged[0], lost);
        replay_expect_cut(0, (uint64_t)lost, 0);
        assert_int_equal(rig->local->current_sequence, 7);
    }
    disk_remove(rig->disk, "data/log/0000000000000007.log");
    assert_int_equal(replay_try_from(rig, 144, 144), TAU_STATUS_SUCCESS);
    replay_expect_cut(0, 0, 0);
    assert_int_equal(replay_try_from(rig, 144, 145), TAU_STATUS_SUCCESS);
    replay_expect_cut(0, 1, 0);
    assert_int_equal(replay_outcome.report.end_position, 145);
}

// Whatever they are: what a trim did not come to, or half of it.
static void segments_that_end_before_it_go(void **state)
{
    struct local_rig *rig = *state;
    static const uint8_t zeros[3 * TAUD_IO_BLOCK];
    uint64_t size;
    replay_store_three(rig, REPLAY_FIRST_END * 8, 144);
    local_rig_put(rig, replay_name(2), zeros, sizeof zeros);
    local_rig_put(rig, replay_name(3), "nonsense", 8);
    local_rig_put(rig, "log/0000000000000000.spare", zeros, sizeof zeros);
    replay_store_later(rig, 4, 144);
    replay_store_later(rig, 5, 152);
    replay_outcome.refuse_at = 1;
    replay_outcome.refuse = TAU_STATUS_INTERNAL_ERROR;
    assert_int_equal(replay_try_from(rig, 151, 0), TAU_STATUS_INTERNAL_ERROR);
    assert_int_equal(disk_count(rig->disk, "data/log"), 5); // nothing goes of a log that is refused
    replay_outcome.refuse = TAU_STATUS_SUCCESS;
    expect_from(rig, 151, 2, 160);
    replay_expect_cut(0, 0, 0);
    assert_false(replay_outcome.damaged[0]);
    assert_int_equal(disk_count(rig->disk, "data/log"), 2);
    assert_non_null(local_rig_file(rig, replay_name(4), &size));
    assert_non_null(local_rig_file(rig, replay_name(5), &size));
    expect_from(rig, 152, 1, 160);
    assert_int_equal(disk_count(rig->disk, "data/log"), 1);
}

// --- refusals ---------------------------------------------------------------------------------

static void a_group_that_is_refused_ends_it_and_is_named(void **state)
{
    struct local_rig *rig = *state;
    replay_store_three(rig, REPLAY_NO_BIT, 0);
    uint64_t digest = disk_digest(rig->disk, "");
    replay_outcome.refuse_at = 2;
    replay_outcome.refuse = TAU_STATUS_STORAGE_FULL;
    assert_int_equal(replay_try(rig, 0), TAU_STATUS_STORAGE_FULL);
    assert_int_equal(replay_outcome.count, 2);
    assert_string_equal(rig->error.text, "not to be read");
    replay_outcome.refuse = TAU_STATUS_INTERNAL_ERROR;
    assert_int_equal(replay_try(rig, 0), TAU_STATUS_INTERNAL_ERROR);
    assert_string_equal(rig->error.text, "log/0000000000000001.log, group at offset 8288: "
                                         "not to be read; the log is left as it is");
    assert_int_equal(disk_digest(rig->disk, ""), digest);
}

// What would be mended or moved stays where it is, whichever group is refused; then it is done.
static void damage_in_what_is_refused_stays(void **state)
{
    struct local_rig *rig = *state;
    uint64_t size;
    replay_store_three(rig, REPLAY_NO_BIT, 0);
    local_rig_file(rig, replay_name(1), &size)[TAUD_IO_BLOCK] ^= 1;
    local_rig_put(rig, replay_name(2), "nonsense", 8);
    replay_store_later(rig, 3, 144);
    uint64_t digest = disk_digest(rig->disk, "data/log");
    replay_outcome.refuse = TAU_STATUS_INTERNAL_ERROR;
    for (replay_outcome.refuse_at = 1; replay_outcome.refuse_at <= 4; replay_outcome.refuse_at++) {
        assert_int_equal(replay_try(rig, 0), TAU_STATUS_INTERNAL_ERROR);
        assert_int_equal(replay_outcome.count, replay_outcome.refuse_at);
        assert_int_equal(disk_digest(rig->disk, "data/log"), digest);
    }
    replay_outcome.refuse = TAU_STATUS_SUCCESS;
    assert_int_equal(replay_try(rig, 0), TAU_STATUS_SUCCESS);
    replay_expect_cut(0, 1, 8);
    assert_non_null(local_rig_file(rig, "quarantine/0000000000000002.log", &size));
    assert_int_equal(replay_inspect(rig, 0, 0), TAU_STATUS_SUCCESS);
    assert_int_equal(replay_told.spare, 0);
}

static void a_later_format_anywhere_is_refused_untouched(void **state)
{
    struct local_rig *rig = *state;
    replay_store_three(rig, REPLAY_NO_BIT, 0);
    assert_int_equal(taud_local_log_check(rig->local, &rig->error), TAU_STATUS_SUCCESS);
    struct replay_image second = replay_segment(2, 144, 4 * TAUD_IO_BLOCK);
    second.bytes[8] = 2;
    taud_store_u32(second.bytes + 60, taud_crc32c(0, second.bytes, 60));
    replay_store(rig, &second);
    uint64_t digest = disk_digest(rig->disk, "");
    assert_int_equal(taud_local_log_check(rig->local, &rig->error), TAU_STATUS_INTERNAL_ERROR);
    assert_string_equal(rig->error.text, "the log in data/log is of a later format than this "
                                         "server knows; it was not touched");
    assert_int_equal(disk_digest(rig->disk, ""), digest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        REPLAY_TEST(an_empty_directory_has_no_log),
        REPLAY_TEST(groups_come_back_in_order_over_all_segments),
        REPLAY_TEST(a_segment_without_groups_counts_its_epoch),
        REPLAY_TEST(other_names_are_no_segments),
        REPLAY_TEST(an_unfinished_preparation_is_swept),
        REPLAY_TEST(any_bit_that_differs_ends_the_log_there),
        REPLAY_TEST(a_group_that_does_not_belong_there_ends_the_log),
        REPLAY_TEST(a_segment_that_was_cut_off_gets_its_size_again),
        REPLAY_TEST(only_the_prepared_segment_that_comes_next_is_kept),
        REPLAY_TEST(zeros_before_a_segment_in_use_are_moved_aside),
        REPLAY_TEST(groups_that_end_before_it_are_passed_over),
        REPLAY_TEST(a_gap_that_ends_before_it_is_none),
        REPLAY_TEST(damage_before_it_is_none),
        REPLAY_TEST(a_torn_end_behind_it_is_cut),
        REPLAY_TEST(a_missing_beginning_is_damage_only_behind_it),
        REPLAY_TEST(segments_that_end_before_it_go),
        REPLAY_TEST(a_group_that_is_refused_ends_it_and_is_named),
        REPLAY_TEST(damage_in_what_is_refused_stays),
        REPLAY_TEST(a_later_format_anywhere_is_refused_untouched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
