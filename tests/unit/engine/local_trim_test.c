// SPDX-License-Identifier: MIT
// The beginning of the local log goes segment by segment, only what holds nothing behind the
// position, and whatever call fails or is cut off, all that is needed stays. What is kept of it is
// used again.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "local_rig.h"

#include <errno.h>
#include <stdio.h>

enum { USUAL = LOCAL_RIG_SEGMENT_BYTES };

static const char *name_of(uint64_t sequence)
{
    static char name[40];
    snprintf(name, sizeof name, "log/%016llx.log", (unsigned long long)sequence);
    return name;
}

static bool is_there(struct local_rig *rig, uint64_t sequence)
{
    uint64_t size;
    return local_rig_file(rig, name_of(sequence), &size) != NULL;
}

// A segment whose groups nobody reads here.
static void store(struct local_rig *rig, uint64_t sequence, uint64_t position, uint64_t size)
{
    uint8_t *bytes = calloc(1, size);
    memset(bytes + TAUD_SEGMENT_HEADER_BYTES, (int)sequence, size - TAUD_SEGMENT_HEADER_BYTES);
    taud_segment_header_encode(bytes, &(struct taud_segment_header){.sequence = sequence,
                                                                    .file_id = sequence,
                                                                    .epoch = 1,
                                                                    .position = position,
                                                                    .size = size});
    local_rig_put(rig, name_of(sequence), bytes, size);
    free(bytes);
}

static void make_durable(struct local_rig *rig)
{
    const struct taud_io *io = disk_io(rig->disk);
    assert_int_equal(io->sync_directory(io->context, "data/log"), 0);
}

// Segments from 3 on that begin at 0, 100, ..., and one that is prepared.
static void store_some(struct local_rig *rig, uint64_t count, uint64_t size)
{
    static const uint8_t zeros[USUAL];
    for (uint64_t i = 0; i < count; i++)
        store(rig, 3 + i, 100 * i, size);
    local_rig_put(rig, name_of(3 + count), zeros, sizeof zeros);
    rig->local->current_sequence = 2 + count;
    make_durable(rig);
}

static enum tau_status trim(struct local_rig *rig, uint64_t position)
{
    return rig->backend->log->trim(rig->backend, position, &rig->error);
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

// --- which go ---------------------------------------------------------------------------------

static void a_segment_goes_when_the_next_begins_there_or_before(void **state)
{
    struct local_rig *rig = *state;
    static const struct {
        uint64_t position, first; // that is left
    } steps[] = {{0, 3}, {99, 3}, {100, 4}, {199, 4}, {300, 6}, {UINT64_MAX, 7}};
    store_some(rig, 5, USUAL);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        assert_int_equal(trim(rig, steps[i].position), TAU_STATUS_SUCCESS);
        for (uint64_t sequence = 3; sequence <= 8; sequence++)
            assert_int_equal(is_there(rig, sequence), sequence >= steps[i].first);
    }
}

static void an_empty_log_has_nothing_to_trim(void **state)
{
    struct local_rig *rig = *state;
    assert_int_equal(trim(rig, UINT64_MAX), TAU_STATUS_SUCCESS);
    store_some(rig, 0, USUAL); // prepared, not in use
    assert_int_equal(trim(rig, UINT64_MAX), TAU_STATUS_SUCCESS);
    assert_true(is_there(rig, 3));
}

// A header that cannot be read says nothing of what is before it.
static void only_a_good_header_lets_others_go(void **state)
{
    struct local_rig *rig = *state;
    uint64_t size;
    store_some(rig, 4, USUAL);
    uint8_t *bytes = local_rig_file(rig, name_of(5), &size);
    bytes[40] ^= 1;
    bytes[TAUD_IO_BLOCK + 40] ^= 1;
    assert_int_equal(trim(rig, 200), TAU_STATUS_SUCCESS);
    assert_true(!is_there(rig, 3) && is_there(rig, 4) && is_there(rig, 5));
    assert_int_equal(trim(rig, 300), TAU_STATUS_SUCCESS);
    assert_true(!is_there(rig, 4) && !is_there(rig, 5) && is_there(rig, 6));
}

static void passed_are_those_before_the_last_that_begins_there(void **state)
{
    (void)state;
    struct taud_found_segment items[] = {
        {.kind = TAUD_HEADER_NONE},
        {.kind = TAUD_HEADER_GOOD, .header.position = 100},
        {.kind = TAUD_HEADER_DAMAGED, .header.position = 100},
        {.kind = TAUD_HEADER_GOOD, .header.position = 200},
        {.kind = TAUD_HEADER_NONE},
    };
    struct taud_found_segments list = {.items = items, .count = 5};
    assert_int_equal(taud_local_count_passed(&list, 99), 0);
    assert_int_equal(taud_local_count_passed(&list, 100), 1);
    assert_int_equal(taud_local_count_passed(&list, 199), 1);
    assert_int_equal(taud_local_count_passed(&list, 200), 3);
    list.count = 0;
    assert_int_equal(taud_local_count_passed(&list, 200), 0);
}

// --- spares -----------------------------------------------------------------------------------

static void some_of_the_usual_size_are_kept(void **state)
{
    struct local_rig *rig = *state;
    store_some(rig, 8, USUAL);
    assert_int_equal(trim(rig, 100), TAU_STATUS_SUCCESS);
    assert_int_equal(rig->local->spare_count, 1);
    assert_int_equal(trim(rig, 700), TAU_STATUS_SUCCESS);
    assert_int_equal(rig->local->spare_count, TAUD_SPARE_SEGMENTS_MAX);
    assert_int_equal(disk_count(rig->disk, "data/log"), 2 + TAUD_SPARE_SEGMENTS_MAX);
}

static void others_are_removed(void **state)
{
    struct local_rig *rig = *state;
    store_some(rig, 3, USUAL + TAUD_IO_BLOCK);
    assert_int_equal(trim(rig, 200), TAU_STATUS_SUCCESS);
    assert_int_equal(rig->local->spare_count, 0);
    assert_int_equal(disk_count(rig->disk, "data/log"), 2);
}

static void expect_used_again(struct local_rig *rig, uint64_t sequence)
{
    static const uint8_t zeros[TAUD_SEGMENT_HEADER_BYTES];
    uint64_t size;
    const uint8_t *bytes = local_rig_file(rig, name_of(sequence), &size);
    assert_non_null(bytes);
    assert_int_equal(size, USUAL);
    assert_memory_equal(bytes, zeros, sizeof zeros);
    assert_true(bytes[TAUD_SEGMENT_HEADER_BYTES] != 0); // what it held is still there
}

static void the_preparation_takes_a_spare_first(void **state)
{
    struct local_rig *rig = *state;
    store_some(rig, 3, USUAL);
    disk_remove(rig->disk, "data/log/0000000000000006.log");
    assert_int_equal(trim(rig, 200), TAU_STATUS_SUCCESS);
    assert_int_equal(rig->local->spare_count, 2);
    assert_int_equal(taud_local_prepare(rig->backend), TAU_STATUS_SUCCESS);
    assert_int_equal(rig->local->spare_count, 1);
    expect_used_again(rig, 6);
    rig->local->epoch = 2;
    assert_int_equal(taud_local_roll(rig->local, 333, 0), 0);
    assert_int_equal(rig->local->current.remains, 1);
    assert_int_equal(rig->local->current.sequence, 6);
    assert_true(rig->local->current.file_id != 3 && rig->local->current.file_id != 4);

    assert_int_equal(taud_local_roll(rig->local, 444, USUAL), 0); // a spare is too small for that
    assert_int_equal(rig->local->current.remains, 0);
    assert_int_equal(rig->local->spare_count, 1);
    assert_int_equal(taud_local_roll(rig->local, 555, 0), 0);
    assert_int_equal(rig->local->current.remains, 1);
    assert_int_equal(rig->local->spare_count, 0);
    assert_int_equal(taud_local_roll(rig->local, 666, 0), 0);
    assert_int_equal(rig->local->current.remains, 0);
}

static void a_start_removes_spares_and_nothing_else(void **state)
{
    struct local_rig *rig = *state;
    static const char *const kept[] = {"log/0000000000000001.spare.old", "log/1.spare",
                                       "log/0000000000000001", "log/notes"};
    for (size_t i = 0; i < 4; i++)
        local_rig_put(rig, kept[i], "else", 4);
    local_rig_put(rig, "log/0000000000000001.spare", "spare", 5);
    local_rig_put(rig, "log/fedcba9876543210.spare", "spare", 5);
    local_rig_put(rig, "log/preparing.tmp", "zeros", 5);
    assert_int_equal(taud_local_sweep_log(rig->local), 0);
    assert_int_equal(disk_count(rig->disk, "data/log"), 4);
}

// --- disks and memory that fail ---------------------------------------------------------------

static void prepare_trial(struct local_rig *rig)
{
    local_rig_open(rig);
    store_some(rig, 8, USUAL);
}

static int run_trim(struct local_rig *rig)
{
    return (int)trim(rig, 650);
}

static enum tau_status refusal;
static uint64_t power_seed;

// What is behind the position is there, byte for byte.
static void expect_needed(struct local_rig *rig)
{
    for (uint64_t sequence = 9; sequence <= 10; sequence++) {
        struct taud_segment_header header;
        uint64_t size;
        const uint8_t *bytes = local_rig_file(rig, name_of(sequence), &size);
        assert_non_null(bytes);
        assert_int_equal(taud_segment_header_decode(bytes, &header), TAUD_HEADER_GOOD);
        for (uint64_t i = TAUD_SEGMENT_HEADER_BYTES; i < size; i += 100)
            assert_int_equal(bytes[i], sequence);
    }
    assert_true(is_there(rig, 11));
}

static void check_trim(struct local_rig *rig, int answer, bool failed)
{
    expect_needed(rig);
    if (answer != TAU_STATUS_SUCCESS) {
        assert_true(failed);
        assert_int_equal(answer, refusal);
        assert_int_equal(rig->error.status, refusal);
        assert_int_equal(trim(rig, 650), TAU_STATUS_SUCCESS);
    }
    assert_false(is_there(rig, 3));
    assert_false(is_there(rig, 8));
    for (unsigned i = 0; i < rig->local->spare_count; i++) { // each is a file of its own
        char name[40];
        uint64_t size;
        snprintf(name, sizeof name, "log/%016llx.spare", (unsigned long long)rig->local->spares[i]);
        assert_non_null(local_rig_file(rig, name, &size));
    }
    disk_restart(rig->disk, 0); // what was told to be done at once is durable
    assert_true(answer != TAU_STATUS_SUCCESS || !is_there(rig, 3));
    expect_needed(rig);
}

static void a_call_that_fails_loses_nothing(void **state)
{
    (void)state;
    struct local_rig_trial trial = {prepare_trial, run_trim, check_trim, .direct = true};
    struct disk_fault fault = {.kind = DISK_FAULT_ERROR, .error = EIO};
    refusal = TAU_STATUS_INTERNAL_ERROR;
    assert_true(local_rig_try_each_call(&trial, fault) > 20);
    fault.error = EDQUOT;
    refusal = TAU_STATUS_STORAGE_FULL;
    local_rig_try_each_call(&trial, fault);
    refusal = TAU_STATUS_SUCCESS;
    local_rig_try_each_call(&trial, (struct disk_fault){.kind = DISK_FAULT_SHORT});
}

static void check_cut(struct local_rig *rig, int answer, bool failed)
{
    (void)answer;
    (void)failed;
    disk_restart(rig->disk, power_seed);
    expect_needed(rig);
}

static void power_may_be_cut_at_any_call(void **state)
{
    (void)state;
    struct local_rig_trial trial = {prepare_trial, run_trim, check_cut, .direct = true};
    for (power_seed = 0; power_seed < 6; power_seed++)
        local_rig_try_each_call(&trial, (struct disk_fault){.kind = DISK_FAULT_CUT});
}

static void prepare_spare(struct local_rig *rig)
{
    const struct taud_io *io = disk_io(rig->disk);
    prepare_trial(rig);
    assert_int_equal(io->unlink(io->context, "data/log/000000000000000b.log"), 0);
    make_durable(rig);
    assert_int_equal(trim(rig, 100), TAU_STATUS_SUCCESS);
    assert_int_equal(rig->local->spare_count, 1);
}

static int run_prepare(struct local_rig *rig)
{
    return (int)taud_local_prepare(rig->backend);
}

// Where the spare cannot be had, a new one is made: only the name must not come before the rest.
static void check_prepare(struct local_rig *rig, int answer, bool failed)
{
    (void)failed;
    if (rig->local->next_state != TAUD_NEXT_READY)
        assert_int_equal(answer, TAU_STATUS_INTERNAL_ERROR);
    disk_restart(rig->disk, power_seed);
    uint64_t size;
    struct taud_segment_header header;
    const uint8_t *bytes = local_rig_file(rig, name_of(11), &size);
    if (answer == TAU_STATUS_SUCCESS || bytes) {
        assert_non_null(bytes);
        assert_int_equal(size, USUAL);
        assert_int_equal(taud_segment_header_decode(bytes, &header), TAUD_HEADER_NONE);
    }
    assert_true(is_there(rig, 4) && is_there(rig, 10));
}

static void a_spare_is_taken_whole_or_not_at_all(void **state)
{
    (void)state;
    for (int direct = 0; direct < 2; direct++) {
        struct local_rig_trial trial = {prepare_spare, run_prepare, check_prepare,
                                        .direct = direct};
        struct disk_fault fault = {.kind = DISK_FAULT_ERROR, .error = EIO};
        for (power_seed = 0; power_seed < 6; power_seed++) {
            assert_true(local_rig_try_each_call(&trial, fault) >= 4);
            local_rig_try_each_call(&trial, (struct disk_fault){.kind = DISK_FAULT_CUT});
        }
    }
}

static void without_memory_nothing_goes(void **state)
{
    struct local_rig *rig = *state;
    store_some(rig, 3, USUAL);
    failing_allocator_fail_next(&rig->memory, 1);
    assert_int_equal(trim(rig, 200), TAU_STATUS_NO_MEMORY);
    assert_int_equal(disk_count(rig->disk, "data/log"), 4);
    assert_int_equal(trim(rig, 200), TAU_STATUS_SUCCESS);
    assert_false(is_there(rig, 4));
}

#define RIG_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(a_segment_goes_when_the_next_begins_there_or_before),
        RIG_TEST(an_empty_log_has_nothing_to_trim),
        RIG_TEST(only_a_good_header_lets_others_go),
        cmocka_unit_test(passed_are_those_before_the_last_that_begins_there),
        RIG_TEST(some_of_the_usual_size_are_kept),
        RIG_TEST(others_are_removed),
        RIG_TEST(the_preparation_takes_a_spare_first),
        RIG_TEST(a_start_removes_spares_and_nothing_else),
        cmocka_unit_test(a_call_that_fails_loses_nothing),
        cmocka_unit_test(power_may_be_cut_at_any_call),
        cmocka_unit_test(a_spare_is_taken_whole_or_not_at_all),
        RIG_TEST(without_memory_nothing_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
