// SPDX-License-Identifier: MIT
// The storage thread: work that is asked for, in its order; what comes of failures; the reserve of
// the disk; and the thread itself, which does by itself what steps do here.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "storage_rig.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

static enum tau_status state_of(struct workbench *bench, uint64_t ticket)
{
    uint64_t done, total;
    return taud_engine_work_state(bench->engine, ticket, &done, &total, &bench->error);
}

static uint64_t begin(struct workbench *bench, enum taud_work kind)
{
    uint64_t ticket = 0;
    assert_int_equal(taud_engine_work_begin(bench->engine, kind, NULL, &ticket),
                     TAU_STATUS_SUCCESS);
    return ticket;
}

static void some_points(struct workbench *bench)
{
    workbench_create(bench, "series");
    storage_rig_append(bench, "series", 0, 3000, 1);
}

static void work_is_done_in_its_order(void **state)
{
    struct workbench *bench = *state;
    some_points(bench);
    uint64_t compact = begin(bench, TAUD_WORK_COMPACT), flush = begin(bench, TAUD_WORK_FLUSH);
    assert_true(flush > compact);
    assert_int_equal(state_of(bench, flush), TAU_STATUS_WOULD_BLOCK);
    storage_rig_settle(bench);
    assert_int_equal(state_of(bench, compact), TAU_STATUS_SUCCESS);
    assert_int_equal(state_of(bench, flush), TAU_STATUS_SUCCESS);
    struct taud_engine_statistics figures;
    taud_engine_statistics(bench->engine, &figures);
    assert_int_equal(figures.flush_count, 1); // it serves both
    assert_int_equal(figures.compaction_count, 1);
    storage_rig_flush(bench); // nothing to do
    taud_engine_statistics(bench->engine, &figures);
    assert_int_equal(figures.flush_count, 1);
}

static void what_makes_no_sense_is_refused(void **state)
{
    struct workbench *bench = *state;
    static const char *const names[] = {NULL, "", ".hidden", "a/b", "..", "with space", "\xc3\xa4"};
    char long_name[TAUD_SNAPSHOT_NAME_MAX + 2];
    uint64_t ticket = 0;
    memset(long_name, 'a', sizeof long_name);
    long_name[sizeof long_name - 1] = '\0';
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_int_equal(
            taud_engine_work_begin(bench->engine, TAUD_WORK_SNAPSHOT, names[i], &ticket),
            TAU_STATUS_INVALID_ARGUMENT);
    assert_int_equal(taud_engine_work_begin(bench->engine, TAUD_WORK_SNAPSHOT, long_name, &ticket),
                     TAU_STATUS_INVALID_ARGUMENT);
    assert_int_equal(taud_engine_work_begin(bench->engine, TAUD_WORK_KINDS, NULL, &ticket),
                     TAU_STATUS_INVALID_ARGUMENT);
    long_name[TAUD_SNAPSHOT_NAME_MAX] = '\0';
    assert_int_equal(taud_engine_work_begin(bench->engine, TAUD_WORK_SNAPSHOT, long_name, &ticket),
                     TAU_STATUS_SUCCESS);
    assert_int_equal(state_of(bench, 0), TAU_STATUS_INVALID_ARGUMENT);
    assert_int_equal(state_of(bench, ticket + 1), TAU_STATUS_INVALID_ARGUMENT);
}

static void only_so_much_work_waits(void **state)
{
    struct workbench *bench = *state;
    uint64_t first = 0, ticket;
    some_points(bench);
    for (int i = 0; i < TAUD_STORAGE_TICKETS; i++) {
        ticket = begin(bench, TAUD_WORK_FLUSH);
        first = first ? first : ticket;
    }
    assert_int_equal(taud_engine_work_begin(bench->engine, TAUD_WORK_FLUSH, NULL, &ticket),
                     TAU_STATUS_LIMIT_EXCEEDED);
    storage_rig_settle(bench);
    assert_int_equal(state_of(bench, first), TAU_STATUS_SUCCESS);
    (void)begin(bench, TAUD_WORK_FLUSH); // takes the place of the first
    assert_int_equal(state_of(bench, first), TAU_STATUS_INVALID_ARGUMENT);
    assert_int_equal(state_of(bench, first + 1), TAU_STATUS_SUCCESS);
}

// The flush waits a second, and does it as soon as there is space. The reserve is for what frees
// space.
static void a_full_disk_costs_nothing_but_time(void **state)
{
    struct workbench *bench = *state;
    struct taud_engine_statistics figures;
    struct taud_error error;
    some_points(bench);
    storage_rig_flush(bench);
    storage_rig_settle(bench);
    assert_true(storage_rig_storage(bench)->reserve.has[TAUD_RESERVE_WORK]);
    assert_int_equal(disk_count(bench->storage.disk, "data/reserve"), 2);
    storage_rig_append(bench, "series", 5000, 3000, 1);
    staged_storage_break(&bench->storage, ENOSPC);
    assert_int_equal(storage_rig_work(bench, TAUD_WORK_FLUSH, NULL), TAU_STATUS_STORAGE_FULL);
    assert_true(storage_rig_storage(bench)->reserve.has[TAUD_RESERVE_WORK]);
    storage_rig_now.monotonic_ns += UINT64_C(1100000000);
    storage_rig_delete(bench, "series", 0, 9);
    assert_int_equal(storage_rig_work(bench, TAUD_WORK_FLUSH, NULL), TAU_STATUS_STORAGE_FULL);
    assert_false(storage_rig_storage(bench)->reserve.has[TAUD_RESERVE_WORK]);
    taud_engine_statistics(bench->engine, &figures);
    assert_true(figures.storing_waits);
    assert_false(figures.storing_failed);
    assert_true(taud_engine_failure(bench->engine, &error));
    assert_int_equal(error.status, TAU_STATUS_STORAGE_FULL);
    staged_storage_break(&bench->storage, 0);
    assert_int_equal(storage_rig_count(bench, "series"), 5990);
    assert_int_equal(storage_rig_settle(bench), 0); // not before its time
    storage_rig_now.monotonic_ns += UINT64_C(1100000000);
    assert_true(storage_rig_settle(bench) > 0);
    taud_engine_statistics(bench->engine, &figures);
    assert_false(figures.storing_waits);
    assert_int_equal(figures.stored_points, 6000);
    assert_true(storage_rig_storage(bench)->reserve.has[TAUD_RESERVE_WORK]);
}

static void another_failure_ends_the_storing(void **state)
{
    struct workbench *bench = *state;
    struct taud_engine_statistics figures;
    struct taud_error error;
    uint64_t ticket;
    assert_false(taud_engine_failure(bench->engine, &error));
    some_points(bench);
    staged_storage_break(&bench->storage, EIO);
    assert_int_equal(storage_rig_work(bench, TAUD_WORK_FLUSH, NULL), TAU_STATUS_INTERNAL_ERROR);
    staged_storage_break(&bench->storage, 0);
    taud_engine_statistics(bench->engine, &figures);
    assert_true(figures.storing_failed);
    assert_int_equal(figures.state, TAUD_ENGINE_WRITABLE); // the log goes on
    assert_true(taud_engine_failure(bench->engine, &error));
    assert_true(error.text[0] != '\0');
    assert_int_equal(taud_engine_work_begin(bench->engine, TAUD_WORK_FLUSH, NULL, &ticket),
                     TAU_STATUS_READ_ONLY);
    storage_rig_append(bench, "series", 9000, 1, 1);
    assert_int_equal(storage_rig_settle(bench), 0);
    assert_true(taud_engine_log_has_room(bench->engine)); // no flush is worth waiting for
    workbench_start(bench);
    assert_int_equal(storage_rig_count(bench, "series"), 3001);
    storage_rig_flush(bench);
}

static void nothing_is_stored_once_the_log_failed(void **state)
{
    struct workbench *bench = *state;
    uint64_t ticket;
    some_points(bench);
    uint64_t flush = begin(bench, TAUD_WORK_FLUSH);
    workbench_fail_log(bench);
    staged_storage_break(&bench->storage, 0);
    assert_int_equal(storage_rig_settle(bench), 0);
    assert_int_equal(state_of(bench, flush), TAU_STATUS_INTERNAL_ERROR);
    assert_int_equal(storage_rig_manifest(bench)->number, 0);
    assert_int_equal(taud_engine_work_begin(bench->engine, TAUD_WORK_FLUSH, NULL, &ticket),
                     TAU_STATUS_READ_ONLY);
}

static void numbers_of_files_are_not_used_twice(void **state)
{
    struct workbench *bench = *state;
    uint64_t numbers[100];
    for (int i = 0; i < 100; i++) {
        numbers[i] = taud_storage_file_id(storage_rig_storage(bench));
        for (int k = 0; k < i; k++)
            assert_true(numbers[k] != numbers[i]);
    }
    workbench_start(bench); // of another epoch
    uint64_t other = taud_storage_file_id(storage_rig_storage(bench));
    for (int k = 0; k < 100; k++)
        assert_true(numbers[k] != other);
}

static void count_call(void *user_data)
{
    atomic_fetch_add((_Atomic unsigned *)user_data, 1);
}

static void the_thread_does_it_by_itself(void **state)
{
    struct workbench *bench = *state;
    struct taud_engine_statistics figures;
    _Atomic unsigned calls = 0;
    bench->options.stepped = false;
    bench->options.clock = NULL;
    bench->options.flush_log_bytes = 20000;
    workbench_start(bench);
    assert_int_equal(taud_engine_on_durable(bench->engine, count_call, &calls), TAU_STATUS_SUCCESS);
    some_points(bench);
    workbench_work(bench, TAUD_WORK_FLUSH);
    while (atomic_load(&calls) == 0) // its end may be seen before it is told
        sched_yield();
    int64_t at = 5000;
    do { // nobody asks
        for (int i = 0; i < 10; i++, at += 2)
            storage_rig_append(bench, "series", at, 2, 1);
        taud_engine_commit(bench->engine, bench->position, TAUD_COMMIT_INLINE);
        taud_engine_statistics(bench->engine, &figures);
        sched_yield();
    } while (figures.flush_count < 6 || figures.compaction_count < 1);
    workbench_start(bench); // an end in the middle of whatever there is
    assert_true(bench->recovery.stored_points > 3000);
    assert_int_equal(bench->recovery.refused_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORAGE_RIG_TEST(work_is_done_in_its_order),
        STORAGE_RIG_TEST(what_makes_no_sense_is_refused),
        STORAGE_RIG_TEST(only_so_much_work_waits),
        STORAGE_RIG_TEST(a_full_disk_costs_nothing_but_time),
        STORAGE_RIG_TEST(another_failure_ends_the_storing),
        STORAGE_RIG_TEST(nothing_is_stored_once_the_log_failed),
        STORAGE_RIG_TEST(numbers_of_files_are_not_used_twice),
        STORAGE_RIG_TEST(the_thread_does_it_by_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
