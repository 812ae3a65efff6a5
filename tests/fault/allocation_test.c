// SPDX-License-Identifier: MIT
// Every allocation of the engine fails, once and then for good: no crash, no leak, an error that
// says so, and nothing acknowledged is lost.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "failing_allocator.h"
#include "script.h"

static uint64_t digests[SCRIPT_OPERATIONS + 1];

// Returns whether the allocation that should have failed was asked for.
static bool run_with(unsigned fail_at, bool for_good)
{
    struct failing_allocator failing;
    failing_allocator_init(&failing, fail_at, for_good);
    struct disk *disk = disk_new(true);
    struct script_options options = {.disk = disk, .allocator = &failing.table};
    struct script_engine engine;
    struct script_run run = {0};
    if (script_start(&engine, &options) == TAU_STATUS_SUCCESS) {
        run = script_execute(engine.engine, 0);
        script_stop(&engine);
    } else {
        assert_true(engine.error.text[0] != '\0');
    }
    assert_int_equal(atomic_load(&failing.live), 0);
    disk_restart(disk, 1);
    options.allocator = NULL;
    assert_int_equal(script_start(&engine, &options), TAU_STATUS_SUCCESS);
    assert_true(script_allows(digests, run, script_digest(engine.engine)));
    script_stop(&engine);
    disk_free(disk);
    return atomic_load(&failing.calls) >= fail_at;
}

static void each_allocation_fails_once(void **state)
{
    (void)state;
    for (unsigned i = 1; run_with(i, false); i++)
        ;
}

static void all_allocations_fail_from_one_on(void **state)
{
    (void)state;
    for (unsigned i = 1; run_with(i, true); i += 3)
        ;
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
        cmocka_unit_test(each_allocation_fails_once),
        cmocka_unit_test(all_allocations_fail_from_one_on),
    };
    return cmocka_run_group_tests(tests, prepare, NULL);
}
