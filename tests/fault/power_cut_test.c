// SPDX-License-Identifier: MIT
// The power fails at every call of the disk during a script of 500 operations. After it, the engine
// must stand at a state between the last acknowledged operation and the last attempted one, and
// recovering twice must equal recovering once. A disk that skips its syncs must be caught.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "script.h"

#include <stdio.h>

static uint64_t digests[SCRIPT_OPERATIONS + 1];

static unsigned from_environment(const char *name, unsigned usual)
{
    const char *text = getenv(name);
    return text ? (unsigned)strtoul(text, NULL, 10) : usual;
}

// Recovers twice. Returns what is wrong, or NULL.
static const char *check(struct disk *disk, const struct script_options *options,
                         struct script_run run)
{
    struct script_engine engine;
    if (script_start(&engine, options) != TAU_STATUS_SUCCESS)
        return "the engine does not start";
    uint64_t once = script_digest(engine.engine);
    bool quarantined = engine.recovery.quarantined_count > 0;
    script_stop(&engine);
    if (!script_allows(digests, run, once))
        return "it stands at a state that it never passed, or lost something";
    if (quarantined)
        return "a torn end was taken for damage";
    uint64_t files = disk_digest(disk, "data/log");
    if (script_start(&engine, options) != TAU_STATUS_SUCCESS)
        return "it does not start twice";
    uint64_t twice = script_digest(engine.engine);
    uint64_t cut = engine.recovery.cut_bytes;
    script_stop(&engine);
    if (twice != once || cut != 0 || disk_digest(disk, "data/log") != files)
        return "recovering twice differs from recovering once";
    return NULL;
}

// Cuts at the call, restarts, and tells whether everything acknowledged is there. *ret_reached tells
// whether the script got that far.
static bool survives(bool direct, enum taud_durability durability, uint64_t at, uint64_t variant,
                     bool mutant, bool *ret_reached)
{
    struct disk *disk = disk_new(direct);
    struct script_options options = {.disk = disk, .durability = durability};
    struct script_engine engine;
    struct script_run run = {0};
    disk_set_fault(disk, (struct disk_fault){.kind = DISK_FAULT_CUT, .at = at});
    if (mutant)
        disk_skip_syncs(disk);
    if (script_start(&engine, &options) == TAU_STATUS_SUCCESS) {
        run = script_execute(engine.engine, 0);
        script_stop(&engine);
    }
    *ret_reached = disk_fault_happened(disk);
    disk_restart(disk, variant);

    const char *complaint = check(disk, &options, run);
    if (complaint && !mutant)
        print_error("cut at call %llu, variant %llu, direct %d: acknowledged %u, attempted %u: %s\n",
                    (unsigned long long)at, (unsigned long long)variant, direct,
                    run.acknowledged, run.attempted, complaint);
    disk_free(disk);
    return !complaint;
}

static void cut_everywhere(bool direct)
{
    unsigned variants = from_environment("TAU_POWER_CUT_VARIANTS", 3);
    unsigned stride = from_environment("TAU_POWER_CUT_STRIDE", 1);
    bool reached = true;
    for (uint64_t at = 1; reached; at += stride) {
        for (uint64_t variant = 0; variant < variants; variant++)
            assert_true(survives(direct, TAUD_DURABILITY_SYNC, at, variant ? at * 64 + variant : 0,
                                 false, &reached));
    }
}

static void nothing_acknowledged_is_lost_past_the_cache(void **state)
{
    (void)state;
    cut_everywhere(true);
}

static void nothing_acknowledged_is_lost_through_the_cache(void **state)
{
    (void)state;
    cut_everywhere(false);
}

static void a_disk_that_skips_syncs_is_caught(void **state)
{
    (void)state;
    for (int direct = 0; direct < 2; direct++) {
        bool reached = true;
        unsigned lost = 0;
        for (uint64_t at = 40; reached && at < 400; at += 40)
            lost += !survives(direct, TAUD_DURABILITY_SYNC, at, 0, true, &reached);
        assert_true(lost > 0);
    }
}

// Under `os` a power cut may take what was acknowledged, but never leave a hole or a phantom.
static void without_syncs_the_rest_is_still_a_prefix(void **state)
{
    (void)state;
    bool reached = true;
    for (uint64_t at = 5; reached; at += 41) {
        struct disk *disk = disk_new(true);
        struct script_options options = {.disk = disk, .durability = TAUD_DURABILITY_OS};
        struct script_engine engine;
        struct script_run run = {0};
        disk_set_fault(disk, (struct disk_fault){.kind = DISK_FAULT_CUT, .at = at});
        if (script_start(&engine, &options) == TAU_STATUS_SUCCESS) {
            run = script_execute(engine.engine, 0);
            script_stop(&engine);
        }
        reached = disk_fault_happened(disk);
        disk_restart(disk, at * 2 + 2);
        assert_int_equal(script_start(&engine, &options), TAU_STATUS_SUCCESS);
        run.acknowledged = 0;
        assert_true(script_allows(digests, run, script_digest(engine.engine)));
        script_stop(&engine);
        disk_free(disk);
    }
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
        cmocka_unit_test(nothing_acknowledged_is_lost_past_the_cache),
        cmocka_unit_test(nothing_acknowledged_is_lost_through_the_cache),
        cmocka_unit_test(a_disk_that_skips_syncs_is_caught),
        cmocka_unit_test(without_syncs_the_rest_is_still_a_prefix),
    };
    return cmocka_run_group_tests(tests, prepare, NULL);
}
