// SPDX-License-Identifier: MIT
// A rule ends, or gives way to another one, at each read of the disk within a piece of its work:
// what the target has then is what it has when the piece is done, and no later piece is of a rule
// that is gone.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rollup_rig.h"

#include <string.h>

enum { POINTS = 40000, WIDTH = 8, TRIES_MAX = 400 };

struct race {
    struct workbench *bench;
    void (*intrude)(struct workbench *bench);
    unsigned ahead; // reads until then
    bool happened;
    struct rollup_rig_points then; // what the target had
};

static void end_rule(struct workbench *bench)
{
    assert_int_equal(rollup_rig_drop(bench, "t"), TAU_STATUS_SUCCESS);
}

static void end_source(struct workbench *bench)
{
    assert_int_equal(workbench_try_drop(bench, "s"), TAU_STATUS_SUCCESS);
}

static void end_target(struct workbench *bench)
{
    assert_int_equal(workbench_try_drop(bench, "t"), TAU_STATUS_SUCCESS);
    workbench_create(bench, "t");
}

static void make_another(struct workbench *bench)
{
    struct tau_rollup rule = rollup_rig_rule("t", "s", WIDTH, TAU_AGGREGATE_FUNCTION_COUNT);
    end_rule(bench);
    assert_int_equal(taud_engine_create_rollup(bench->engine, &rule, &bench->position),
                     TAU_STATUS_SUCCESS);
}

static void see_call(const struct disk_call *call, void *user_data)
{
    struct race *race = user_data;
    if (call->kind != DISK_READ || !race->bench->engine->rollups.working || race->happened ||
        --race->ahead > 0)
        return;
    race->happened = true;
    race->intrude(race->bench);
    rollup_rig_read(race->bench, "t", &race->then);
}

// A source in a segment of which nothing is in memory, and a rule over it that has done nothing.
static void begin(struct race *race)
{
    struct workbench *bench = race->bench;
    workbench_create(bench, "s");
    rollup_rig_append_noise(bench, "s", POINTS);
    storage_rig_flush(bench);
    rollup_rig_create(bench, "t", "s", WIDTH, TAU_AGGREGATE_FUNCTION_SUM);
    workbench_hold(bench);
    race->happened = false;
    disk_observe(bench->storage.disk, see_call, race);
}

static void expect_same(struct workbench *bench, const struct rollup_rig_points *expected)
{
    static struct rollup_rig_points found;
    rollup_rig_read(bench, "t", &found);
    assert_int_equal(found.count, expected->count);
    assert_memory_equal(found.timestamps, expected->timestamps,
                        found.count * sizeof *found.timestamps);
    assert_memory_equal(found.values, expected->values, found.count * sizeof *found.values);
}

// Takes steps until it has happened, or until nothing is due.
static void step(struct race *race)
{
    while (!race->happened && taud_engine_step(race->bench->engine, TAUD_TASK_STORE))
        ;
    disk_observe(race->bench->storage.disk, NULL, NULL);
}

// Tries it at every read that a rule's work makes. Returns how many there are.
static unsigned race_at_each(struct workbench *bench, void (*intrude)(struct workbench *bench),
                             bool ends)
{
    static struct race race;
    race = (struct race){.bench = bench, .intrude = intrude};
    for (unsigned at = 1; at < TRIES_MAX; at++) {
        race.ahead = at;
        begin(&race);
        step(&race);
        if (!race.happened)
            return at - 1;
        expect_same(bench, &race.then); // the piece has written nothing more
        storage_rig_settle(bench);
        if (ends)
            expect_same(bench, &race.then);
        else
            rollup_rig_check(bench, "t");
        assert_int_equal(rollup_rig_count(bench), !ends);
        (void)workbench_try_drop(bench, "s");
        assert_int_equal(workbench_try_drop(bench, "t"), TAU_STATUS_SUCCESS);
    }
    return TRIES_MAX;
}

static void expect_at_each(void **state, void (*intrude)(struct workbench *bench), bool ends)
{
    unsigned count = race_at_each(*state, intrude, ends);
    if (count < 3 || count >= TRIES_MAX)
        fail_msg("there are %u reads", count);
}

static void a_rule_may_end(void **state)
{
    expect_at_each(state, end_rule, true);
}

static void with_its_source(void **state)
{
    expect_at_each(state, end_source, true);
}

static void with_its_target(void **state)
{
    expect_at_each(state, end_target, true);
}

static void or_give_way_to_another(void **state)
{
    expect_at_each(state, make_another, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORAGE_RIG_TEST(a_rule_may_end),
        STORAGE_RIG_TEST(with_its_source),
        STORAGE_RIG_TEST(with_its_target),
        STORAGE_RIG_TEST(or_give_way_to_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
