// SPDX-License-Identifier: MIT
// The script with flushes, compactions and a snapshot in between, by an engine that is stepped, so
// that every run makes the same calls: with the power cut at each of them, and each of them
// failing. After a start the engine stands at a state between the last acknowledged operation and
// the last attempted one, and nothing is on the disk but what counts.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "script.h"

#include <errno.h>

static uint64_t digests[SCRIPT_OPERATIONS + 1];

static unsigned from_environment(const char *name, unsigned usual)
{
    const char *text = getenv(name);
    return text ? (unsigned)strtoul(text, NULL, 10) : usual;
}

// What is left over, or NULL.
static const char *look_for_remains(struct disk *disk, struct taud_engine *engine)
{
    struct taud_engine_statistics figures;
    taud_engine_statistics(engine, &figures);
    if (disk_count(disk, "data/segments") != figures.segment_count)
        return "there are segments that nothing names";
    if (disk_count(disk, "data/manifests") > 1 || disk_count(disk, "data/unfinished") > 0)
        return "manifests or unfinished files are left over";
    return disk_count(disk, "data/quarantine") > 0 ? "something is in quarantine" : NULL;
}

// Starts twice. Returns what is wrong, or NULL.
static const char *judge(struct disk *disk, struct script_run run)
{
    struct script_options options = {.disk = disk, .stepped = true};
    uint64_t first = 0;
    for (int start = 0; start < 2; start++) {
        struct script_engine engine;
        if (script_start(&engine, &options) != TAU_STATUS_SUCCESS)
            return "it does not start";
        uint64_t digest = script_digest(engine.engine);
        bool damaged = engine.recovery.quarantined_count > 0 || engine.recovery.lost_count > 0 ||
                       engine.recovery.refused_count > 0;
        const char *remains = look_for_remains(disk, engine.engine);
        script_stop(&engine);
        if (digest == 0 || !script_allows(digests, run, digest))
            return "it stands at a state that it never passed, or lost something";
        if (damaged)
            return "something is taken for damaged";
        if (start > 0 && digest != first)
            return "starting twice differs from starting once";
        if (remains)
            return remains;
        first = digest;
    }
    return NULL;
}

// Runs with a fault, and judges. *ret_reached tells whether there was that call.
static const char *try_fault(struct disk_fault fault, uint64_t seed, bool skips_syncs,
                             struct script_run *ret_run, bool *ret_reached)
{
    struct disk *disk = disk_new(seed % 2 == 0);
    struct script_options options = {.disk = disk, .stepped = true};
    struct script_engine engine;
    struct script_run run = {0};
    disk_set_fault(disk, fault);
    if (skips_syncs)
        disk_skip_syncs(disk);
    if (script_start(&engine, &options) == TAU_STATUS_SUCCESS) {
        run = script_execute_storing(engine.engine, 0);
        script_stop(&engine);
    }
    *ret_reached = disk_calls(disk) >= fault.at;
    *ret_run = run;
    disk_restart(disk, seed);
    const char *complaint = judge(disk, run);
    if (complaint && !skips_syncs)
        print_error("call %llu, error %d, seed %llu: acknowledged %u, attempted %u: %s\n",
                    (unsigned long long)fault.at, fault.error, (unsigned long long)seed,
                    run.acknowledged, run.attempted, complaint);
    disk_free(disk);
    return complaint;
}

// The usual run takes one call of some, each with the next of the ways in which the disk comes
// back; TAU_STORING_STRIDE=1 takes every call with all of them.
static void try_everywhere(struct disk_fault fault, unsigned stride, unsigned seeds,
                           bool must_finish)
{
    bool reached = true;
    bool all = getenv("TAU_STORING_STRIDE") != NULL;
    uint64_t usual = 0;
    stride = from_environment("TAU_STORING_STRIDE", stride);
    for (fault.at = 1; reached; fault.at += stride, usual = (usual + 1) % seeds) {
        for (uint64_t seed = all ? 0 : usual; seed < (all ? seeds : usual + 1); seed++) {
            struct script_run run;
            assert_null(try_fault(fault, seed ? fault.at * 64 + seed : 0, false, &run, &reached));
            if (must_finish)
                assert_int_equal(run.acknowledged, SCRIPT_OPERATIONS);
        }
    }
    assert_true(fault.at > 500);
}

static void without_a_fault_all_is_there(void **state)
{
    (void)state;
    struct script_run run;
    bool reached;
    assert_null(try_fault((struct disk_fault){.kind = DISK_FAULT_NONE, .at = UINT64_MAX}, 1, false,
                          &run, &reached));
    assert_int_equal(run.acknowledged, SCRIPT_OPERATIONS);
}

static void power_may_be_cut_at_any_call(void **state)
{
    (void)state;
    try_everywhere((struct disk_fault){.kind = DISK_FAULT_CUT}, 17, 3, false);
}

static void an_error_once(void **state)
{
    (void)state;
    try_everywhere((struct disk_fault){DISK_FAULT_ERROR, .error = EIO}, 41, 2, false);
}

static void an_error_for_good(void **state)
{
    (void)state;
    try_everywhere((struct disk_fault){DISK_FAULT_ERROR, .for_good = true, .error = EIO}, 41, 2,
                   false);
}

static void no_space_once(void **state)
{
    (void)state;
    try_everywhere((struct disk_fault){DISK_FAULT_ERROR, .error = ENOSPC}, 61, 2, false);
}

static void interrupted(void **state)
{
    (void)state;
    try_everywhere((struct disk_fault){DISK_FAULT_ERROR, .error = EINTR}, 97, 1, true);
}

static void moved_in_part(void **state)
{
    (void)state;
    try_everywhere((struct disk_fault){.kind = DISK_FAULT_SHORT}, 97, 1, true);
}

// The planted bug.
static void a_disk_that_skips_syncs_is_caught(void **state)
{
    (void)state;
    struct script_run run;
    bool reached;
    unsigned caught = 0;
    for (uint64_t at = 100; at < 2000; at += 100)
        caught += try_fault((struct disk_fault){.kind = DISK_FAULT_CUT, .at = at}, 0, true, &run,
                            &reached) != NULL;
    assert_true(caught > 0);
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
        cmocka_unit_test(without_a_fault_all_is_there),
        cmocka_unit_test(power_may_be_cut_at_any_call),
        cmocka_unit_test(an_error_once),
        cmocka_unit_test(an_error_for_good),
        cmocka_unit_test(no_space_once),
        cmocka_unit_test(interrupted),
        cmocka_unit_test(moved_in_part),
        cmocka_unit_test(a_disk_that_skips_syncs_is_caught),
    };
    return cmocka_run_group_tests(tests, prepare, NULL);
}
