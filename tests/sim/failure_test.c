// SPDX-License-Identifier: MIT
// Every call of the disk fails once, and then for good: with an error, for want of space,
// interrupted, in part; while a course runs, and while the engine recovers. It answers with an
// error, waits for space, or takes no further writes; reads go on; what it acknowledged is there
// after the next start, and after the first failed write or sync it acknowledges nothing.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "episode.h"
#include "operations.h"
#include "course.h"

#include <errno.h>
#include <string.h>

static const struct disk_fault faults[] = {
    {.kind = DISK_FAULT_ERROR, .error = EIO},
    {.kind = DISK_FAULT_ERROR, .error = EIO, .for_good = true},
    {.kind = DISK_FAULT_ERROR, .error = ENOSPC},
    {.kind = DISK_FAULT_ERROR, .error = ENOSPC, .for_good = true},
    {.kind = DISK_FAULT_ERROR, .error = EINTR},
    {.kind = DISK_FAULT_SHORT},
};
enum { FAULTS = sizeof faults / sizeof faults[0], FIRST_HARMLESS = 4 };

struct trial {
    bool direct;
    struct disk_fault fault;
    bool harmless; // nobody must notice
    enum mutant mutant;
    // What came of it.
    bool reached, read_only;
    uint64_t flushes, compactions; // until its end
    bool aged;                     // something was too old
    char complaint[400];
};

// Starts under the fault; where that fails, without it.
static void start(struct world *world, struct trial *trial)
{
    disk_set_fault(world->disk, trial->fault);
    if (world_start(world) == TAU_STATUS_SUCCESS)
        return;
    if (trial->harmless)
        world_complain(world, "it does not start: %s", world->error.text);
    trial->reached = true;
    disk_set_fault(world->disk, (struct disk_fault){0});
    if (world_start(world) != TAU_STATUS_SUCCESS)
        world_complain(world, "it does not start after the fault: %s", world->error.text);
}

// The fault is over: unless the log failed, all goes on by itself.
static void go_on(struct world *world)
{
    world->now_ns += UINT64_C(1000000000);
    taud_engine_commit(world->engine, world->position, TAUD_COMMIT_BACKGROUND);
    world_step_until_idle(world);
    world_acknowledge(world);
    struct taud_engine_statistics statistics;
    taud_engine_statistics(world->engine, &statistics);
    if (world->read_only)
        return;
    if (statistics.state != TAUD_ENGINE_WRITABLE || world->acknowledged < world->write_count)
        world_complain(world, "it does not go on after the fault");
}

static bool try(struct trial *trial)
{
    struct world world;
    struct world_settings settings = course_settings(trial->direct, trial->mutant);
    world_init(&world, &settings);
    world.faulty = !trial->harmless;
    start(&world, trial);
    if (world_is_well(&world))
        course_run(&world, episode_number("TAU_SIM_COURSE", 100, COURSE_LENGTH));
    trial->reached = trial->reached || disk_calls(world.disk) >= trial->fault.at;
    disk_set_fault(world.disk, (struct disk_fault){0});
    if (world_is_well(&world))
        operations_check(&world);
    if (world_is_well(&world))
        go_on(&world);
    if (world_is_well(&world)) {
        struct taud_engine_statistics statistics;
        taud_engine_statistics(world.engine, &statistics);
        trial->flushes = statistics.flush_count;
        trial->compactions = statistics.compaction_count;
        const struct model_series *retained = &world.now.series[RETAINED];
        trial->aged = model_sure_count(retained) < retained->count;
    }
    trial->read_only = world.read_only;
    if (world_is_well(&world))
        world_restart(&world, WORLD_END_CUT, 0);
    memcpy(trial->complaint, world.complaint, sizeof trial->complaint);
    world_done(&world);
    return trial->complaint[0] == '\0';
}

// At every call, but where TAU_SIM_STRIDE leaves some out. Returns how often the engine took no
// more writes.
static unsigned fail_everywhere(size_t kind)
{
    unsigned read_only = 0, stride = episode_number("TAU_SIM_STRIDE", 1, 1);
    for (int direct = 0; direct < 2; direct++) {
        bool reached = true;
        for (uint64_t at = 1 + (kind + (unsigned)direct) % stride; reached; at += stride) {
            struct trial trial = {
                .direct = direct, .fault = faults[kind], .harmless = kind >= FIRST_HARMLESS};
            trial.fault.at = at;
            if (!try(&trial)) {
                print_error("fault %zu at call %llu, direct %d: %s\n", kind, (unsigned long long)at,
                            direct, trial.complaint);
                fail();
            }
            read_only += trial.read_only;
            reached = trial.reached;
            if (!reached) // without a fault
                assert_true(trial.flushes > 1 && trial.compactions > 0 && trial.aged);
        }
    }
    return read_only;
}

static void an_error_once(void **state)
{
    (void)state;
    assert_true(fail_everywhere(0) > 20 / episode_number("TAU_SIM_STRIDE", 1, 1));
}

static void an_error_for_good(void **state)
{
    (void)state;
    assert_true(fail_everywhere(1) > 20);
}

static void no_space_once(void **state)
{
    (void)state;
    fail_everywhere(2);
}

static void no_space_for_good(void **state)
{
    (void)state;
    fail_everywhere(3);
}

static void interrupted(void **state)
{
    (void)state;
    assert_int_equal(fail_everywhere(4), 0);
}

static void moved_in_part(void **state)
{
    (void)state;
    assert_int_equal(fail_everywhere(5), 0);
}

// --- while it recovers ------------------------------------------------------------------------

// Starts on a copy of what a power cut left, with a fault, and once more without. Returns whether
// there was that call.
static bool fail_recovery(struct world *before, struct disk *left, struct disk_fault fault,
                          uint64_t seed)
{
    struct world world;
    struct world_view view;
    struct disk *copy = disk_copy(left);
    const char *complaint = NULL;
    world_init_on(&world, &before->settings, copy);
    world_age_all(before);
    world_take_age(&world, before);
    disk_set_fault(copy, fault);
    enum tau_status status = world_start(&world);
    bool reached = disk_calls(copy) >= fault.at;
    disk_set_fault(copy, (struct disk_fault){0});
    if (status == TAU_STATUS_SUCCESS && world_look(&world, &view, &complaint) &&
        !world_allows(before, view.digest))
        complaint = "it starts without what it cannot read";
    disk_halt(copy);
    world_stop(&world);
    disk_restart(copy, seed);
    if (!complaint && world_start(&world) != TAU_STATUS_SUCCESS)
        complaint = world.error.text;
    if (!complaint && world_look(&world, &view, &complaint) &&
        !world_allows(before, view.digest))
        complaint = "something is lost, or was never there";
    if (!complaint && world.recovery.quarantined_count > 0)
        complaint = "a failed read was taken for damage";
    if (complaint)
        print_error("operation %u, error %d at call %llu: %s\n", before->step, fault.error,
                    (unsigned long long)fault.at, complaint);
    assert_null(complaint);
    world_done(&world);
    return reached;
}

static void every_call_of_a_recovery_fails(void **state)
{
    (void)state;
    unsigned images = episode_number("TAU_SIM_IMAGES", 4, 60);
    for (unsigned i = 0; i < images; i++) {
        struct world world;
        struct world_settings settings = course_settings(i % 2, MUTANT_NONE);
        settings.seed += i;
        world_init(&world, &settings);
        assert_int_equal(world_start(&world), TAU_STATUS_SUCCESS);
        course_run(&world, 100 + (unsigned)world_draw(&world, 400));
        assert_true(world_is_well(&world));
        struct disk *left = disk_power_cut(world.disk, 100 + i);
        for (size_t kind = 0; kind < FAULTS; kind++) {
            struct disk_fault fault = faults[kind];
            for (fault.at = 1; fail_recovery(&world, left, fault, fault.at); fault.at++)
                continue;
            assert_true(fault.at > 10);
        }
        disk_free(left);
        world_done(&world);
    }
}

// --- planted bugs -----------------------------------------------------------------------------

static unsigned count_caught(enum mutant mutant, bool direct)
{
    unsigned caught = 0;
    for (uint64_t at = 40; at < 240; at += 3) {
        struct trial trial = {.direct = direct, .fault = faults[0], .mutant = mutant};
        trial.fault.at = at;
        caught += !try(&trial);
    }
    return caught;
}

static void an_engine_that_does_not_hear_failed_syncs_is_caught(void **state)
{
    (void)state;
    assert_true(count_caught(MUTANT_DEAF_TO_SYNCS, false) > 0);
}

static void an_engine_that_tries_a_failed_sync_again_is_caught(void **state)
{
    (void)state;
    assert_true(count_caught(MUTANT_SYNCS_AGAIN, false) > 0);
}

static void an_engine_that_does_not_hear_failed_writes_is_caught(void **state)
{
    (void)state;
    assert_true(count_caught(MUTANT_DEAF_TO_WRITES, true) > 0);
    assert_true(count_caught(MUTANT_DEAF_TO_WRITES, false) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_once),
        cmocka_unit_test(an_error_for_good),
        cmocka_unit_test(no_space_once),
        cmocka_unit_test(no_space_for_good),
        cmocka_unit_test(interrupted),
        cmocka_unit_test(moved_in_part),
        cmocka_unit_test(every_call_of_a_recovery_fails),
        cmocka_unit_test(an_engine_that_does_not_hear_failed_syncs_is_caught),
        cmocka_unit_test(an_engine_that_tries_a_failed_sync_again_is_caught),
        cmocka_unit_test(an_engine_that_does_not_hear_failed_writes_is_caught),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
