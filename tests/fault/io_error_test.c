// SPDX-License-Identifier: MIT
// Calls of the disk fail under an engine with its own threads, once and for good: EIO, ENOSPC,
// EINTR, a part only. It answers with an error, waits for space, or refuses further writes, and
// never waits for ever. What happens at each call by itself is the simulator's to try.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "script.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <time.h>

static uint64_t digests[SCRIPT_OPERATIONS + 1];

// The planted bug: a failed sync is not heard.
static const struct taud_io *deaf_below;

static int deaf_sync(void *context, int file)
{
    deaf_below->sync(context, file);
    return 0;
}

// Returns what is wrong, or NULL. *ret_reached: whether there was such a call.
static const char *run_with(bool direct, struct disk_fault fault, bool deaf, bool *ret_reached,
                            struct script_run *ret_run)
{
    struct disk *disk = disk_new(direct);
    struct taud_io between = *disk_io(disk);
    struct script_options options = {.disk = disk};
    if (deaf) {
        between.sync = deaf_sync;
        options.io = &between;
        deaf_below = disk_io(disk);
    }
    struct script_engine engine;
    struct script_run run = {0};
    const char *complaint = NULL;
    disk_set_fault(disk, fault);
    if (script_start(&engine, &options) == TAU_STATUS_SUCCESS) {
        run = script_execute(engine.engine, 0);
        script_digest(engine.engine); // reads go on, whatever happened
        disk_set_fault(disk, (struct disk_fault){0});
        if (run.last == TAU_STATUS_OUTCOME_UNKNOWN || run.last == TAU_STATUS_READ_ONLY) {
            struct tau_label label = {{1}};
            uint64_t position = 0;
            if (taud_engine_create_series(engine.engine, &label, &position) != TAU_STATUS_READ_ONLY)
                complaint = "a write is taken after the log failed";
        }
        script_stop(&engine);
    }
    *ret_reached = disk_fault_happened(disk) || disk_calls(disk) == 0;
    *ret_run = run;
    disk_restart(disk, 0);
    options.io = NULL;
    if (!complaint && script_start(&engine, &options) != TAU_STATUS_SUCCESS) {
        complaint = "it does not start again";
    } else if (!complaint) {
        if (!script_allows(digests, run, script_digest(engine.engine)))
            complaint = "something acknowledged is lost";
        script_stop(&engine);
    }
    disk_free(disk);
    return complaint;
}

// TAU_FAULT_STRIDE=1 fails every call, the usual run one of 31.
static void fail_everywhere(struct disk_fault fault, bool must_finish)
{
    const char *text = getenv("TAU_FAULT_STRIDE");
    unsigned stride = text ? (unsigned)strtoul(text, NULL, 10) : 31;
    for (int direct = 0; direct < 2; direct++) {
        // The calls of a run without faults, with some to spare: those of the background differ.
        for (fault.at = 1; fault.at < 700; fault.at += stride) {
            bool reached;
            struct script_run run;
            const char *complaint = run_with(direct, fault, false, &reached, &run);
            if (complaint)
                print_error("call %llu, error %d: %s (acknowledged %u)\n",
                            (unsigned long long)fault.at, fault.error, complaint,
                            run.acknowledged);
            assert_null(complaint);
            if (must_finish)
                assert_int_equal(run.acknowledged, SCRIPT_OPERATIONS);
        }
    }
}

static void an_error_once(void **state)
{
    (void)state;
    fail_everywhere((struct disk_fault){.kind = DISK_FAULT_ERROR, .error = EIO}, false);
}

static void an_error_for_good(void **state)
{
    (void)state;
    fail_everywhere((struct disk_fault){.kind = DISK_FAULT_ERROR, .error = EIO, .for_good = true},
                    false);
}

static void no_space_once(void **state)
{
    (void)state;
    fail_everywhere((struct disk_fault){.kind = DISK_FAULT_ERROR, .error = ENOSPC}, false);
}

static void interrupted(void **state)
{
    (void)state;
    fail_everywhere((struct disk_fault){.kind = DISK_FAULT_ERROR, .error = EINTR}, true);
}

static void moved_in_part(void **state)
{
    (void)state;
    fail_everywhere((struct disk_fault){.kind = DISK_FAULT_SHORT}, true);
}

static void an_engine_that_does_not_hear_failed_syncs_is_caught(void **state)
{
    (void)state;
    unsigned caught = 0;
    struct disk_fault fault = {.kind = DISK_FAULT_ERROR, .error = EIO};
    for (fault.at = 50; fault.at < 150; fault.at++) {
        bool reached;
        struct script_run run;
        caught += run_with(false, fault, true, &reached, &run) != NULL;
    }
    assert_true(caught > 0);
}

// --- a full disk ------------------------------------------------------------------------------

static void writes_resume_when_there_is_space_again(void **state)
{
    (void)state;
    struct disk *disk = disk_new(true);
    struct script_options options = {.disk = disk};
    struct script_engine engine;
    assert_int_equal(script_start(&engine, &options), TAU_STATUS_SUCCESS);
    disk_set_fault(disk, (struct disk_fault){
                             .kind = DISK_FAULT_ERROR, .at = 1, .error = ENOSPC, .for_good = true});
    struct tau_label label = {{0}};
    uint64_t position = 0;
    enum tau_status status = taud_engine_create_series(engine.engine, &label, &position);
    assert_int_equal(status, TAU_STATUS_SUCCESS);
    taud_engine_commit(engine.engine, position, TAUD_COMMIT_INLINE);
    assert_int_equal(taud_engine_outcome(engine.engine, position), TAU_STATUS_WOULD_BLOCK);
    struct tau_label other = {{1}};
    assert_int_equal(taud_engine_create_series(engine.engine, &other, &position),
                     TAU_STATUS_STORAGE_FULL);
    struct taud_engine_statistics statistics;
    taud_engine_statistics(engine.engine, &statistics);
    assert_int_equal(statistics.state, TAUD_ENGINE_DISK_FULL);

    disk_set_fault(disk, (struct disk_fault){0});
    while (taud_engine_outcome(engine.engine, position) == TAU_STATUS_WOULD_BLOCK)
        sched_yield();
    assert_int_equal(taud_engine_outcome(engine.engine, position), TAU_STATUS_SUCCESS);
    do
        status = taud_engine_create_series(engine.engine, &other, &position);
    while (status == TAU_STATUS_STORAGE_FULL);
    assert_int_equal(status, TAU_STATUS_SUCCESS);
    script_stop(&engine);
    disk_free(disk);
}

// A sync that is due in an hour does not put the next try at a full disk off until then.
static void writes_resume_long_before_the_next_sync(void **state)
{
    (void)state;
    struct disk *disk = disk_new(true);
    struct taud_local_options local = {.directory = "data", .io = disk_io(disk), .file_seed = 1};
    struct taud_engine_options options = {.memory_bytes = 8 << 20,
                                          .durability = TAUD_DURABILITY_INTERVAL,
                                          .sync_interval_ms = 3600 * 1000};
    struct taud_engine *engine;
    struct taud_error error;
    assert_int_equal(taud_local_backend_new(&local, &options.backend, &error), TAU_STATUS_SUCCESS);
    assert_int_equal(taud_engine_new(&options, &engine, &error), TAU_STATUS_SUCCESS);
    assert_int_equal(taud_engine_startup(engine, NULL, &error), TAU_STATUS_SUCCESS);
    uint64_t position = 0;
    for (uint8_t number = 0; number < 2; number++) {
        struct tau_label label = {{number}};
        assert_int_equal(taud_engine_create_series(engine, &label, &position), TAU_STATUS_SUCCESS);
        taud_engine_commit(engine, position, TAUD_COMMIT_INLINE);
        disk_set_fault(disk, (struct disk_fault){.kind = DISK_FAULT_ERROR,
                                                 .at = 1,
                                                 .error = ENOSPC,
                                                 .for_good = true});
    }
    disk_set_fault(disk, (struct disk_fault){0});
    time_t until = time(NULL) + 10;
    while (taud_engine_outcome(engine, position) == TAU_STATUS_WOULD_BLOCK && time(NULL) < until)
        sched_yield();
    assert_int_equal(taud_engine_outcome(engine, position), TAU_STATUS_SUCCESS);
    taud_engine_free(engine);
    options.backend->free(options.backend);
    disk_free(disk);
}

static int prepare(void **state)
{
    (void)state;
    script_expect(digests);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_once),
        cmocka_unit_test(an_error_for_good),
        cmocka_unit_test(no_space_once),
        cmocka_unit_test(interrupted),
        cmocka_unit_test(moved_in_part),
        cmocka_unit_test(an_engine_that_does_not_hear_failed_syncs_is_caught),
        cmocka_unit_test(writes_resume_when_there_is_space_again),
        cmocka_unit_test(writes_resume_long_before_the_next_sync),
    };
    return cmocka_run_group_tests(tests, prepare, NULL);
}
