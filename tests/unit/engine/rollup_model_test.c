// SPDX-License-Identifier: MIT
// Random writes, late ones, deletes, flushes, compactions, starts, and rules that come and go:
// whenever nothing is due, every target has just what AGGREGATE says of its source. Seeds come from
// TAU_TEST_SEEDS (how many) or TAU_TEST_SEED (one).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rollup_rig.h"

enum { RULES = 9, STEPS = 60, SEEDS = 25 };

struct world {
    struct workbench *bench;
    uint64_t random;
    bool any;
    int64_t last; // the newest timestamp that the source ever had
    bool rules[RULES];
    uint64_t width;
};

static uint64_t draw(struct world *world, uint64_t below)
{
    world->random += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = world->random;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (z ^ (z >> 31)) % below;
}

static const char *target_of(size_t rule)
{
    static const char *const names[RULES] = {"t0", "t1", "t2", "t3", "t4", "t5", "t6", "t7", "t8"};
    return names[rule];
}

// The last is made of the first.
static void create(struct world *world, size_t rule)
{
    static const enum tau_aggregate_function functions[RULES] = {
        TAU_AGGREGATE_FUNCTION_SUM,      TAU_AGGREGATE_FUNCTION_COUNT,
        TAU_AGGREGATE_FUNCTION_MIN,      TAU_AGGREGATE_FUNCTION_LAST,
        TAU_AGGREGATE_FUNCTION_QUANTILE, TAU_AGGREGATE_FUNCTION_STDDEV,
        TAU_AGGREGATE_FUNCTION_INCREASE, TAU_AGGREGATE_FUNCTION_TIME_WEIGHTED_AVERAGE,
        TAU_AGGREGATE_FUNCTION_MAX,
    };
    struct tau_rollup made = rollup_rig_rule(target_of(rule), rule == RULES - 1 ? "t0" : "s",
                                             1 + draw(world, world->width), functions[rule]);
    made.origin = (int64_t)draw(world, 2000) - 1000;
    assert_int_equal(
        taud_engine_create_rollup(world->bench->engine, &made, &world->bench->position),
        TAU_STATUS_SUCCESS);
    world->rules[rule] = true;
}

// --- what happens -----------------------------------------------------------------------------

static void append(struct world *world, int64_t first, size_t count, int64_t step)
{
    static struct tau_refused_row refused[2000];
    static int64_t timestamps[2000];
    static double values[2000];
    struct tau_label label = workbench_label("s");
    size_t refused_count;
    for (size_t i = 0; i < count; i++) {
        timestamps[i] = first + (int64_t)i * step;
        values[i] = (double)draw(world, 64);
    }
    assert_int_equal(taud_engine_append_columns(world->bench->engine, &label,
                                                workbench_timestamps(timestamps, count),
                                                workbench_values(values, count), refused,
                                                &refused_count, &world->bench->position),
                     TAU_STATUS_SUCCESS);
    assert_int_equal(refused_count, 0);
    int64_t last = timestamps[count - 1];
    world->last = world->any && world->last > last ? world->last : last;
    world->any = true;
}

static void append_somewhere(struct world *world)
{
    int64_t last = world->any ? world->last : -300;
    int64_t step = 1 + (int64_t)draw(world, 20);
    size_t count = draw(world, 8) ? 1 + draw(world, 20) : 250 + draw(world, 400);
    switch (draw(world, 4)) {
    case 0: // late
        append(world, last - (int64_t)draw(world, 3000), count, step);
        break;
    case 1: // across the newest point
        append(world, last - 50, count, step);
        break;
    default:
        append(world, last + 1 + (int64_t)(draw(world, 5) ? draw(world, 30) : draw(world, 2000)),
               count, step);
        break;
    }
}

static void delete_some(struct world *world)
{
    int64_t from = world->last - (int64_t)draw(world, 3000);
    int64_t to = from + (int64_t)(draw(world, 3) ? draw(world, 60) : draw(world, 4000));
    if (draw(world, 12) == 0)
        from = INT64_MIN;
    storage_rig_delete(world->bench, "s", from, to);
}

static void change_rule(struct world *world)
{
    size_t rule = draw(world, RULES);
    if (draw(world, 4) == 0) { // it goes on whatever the policy says
        storage_rig_set_policy(world->bench, target_of(rule), TAUD_ORDER_STRICT, 0);
    } else if (world->rules[rule]) {
        assert_int_equal(rollup_rig_drop(world->bench, target_of(rule)), TAU_STATUS_SUCCESS);
        storage_rig_delete(world->bench, target_of(rule), INT64_MIN, INT64_MAX);
        world->rules[rule] = false;
    } else {
        create(world, rule);
    }
}

static void take_steps(struct world *world)
{
    for (uint64_t left = draw(world, 8); left > 0; left--)
        taud_engine_step(world->bench->engine, TAUD_TASK_STORE);
}

static void store(struct world *world)
{
    struct taud_error error;
    if (draw(world, 3) > 0)
        (void)taud_flush(world->bench->engine, &error); // before anything is computed
    else
        assert_int_equal(storage_rig_work(world->bench, TAUD_WORK_COMPACT, NULL),
                         TAU_STATUS_SUCCESS);
}

static void check(struct world *world)
{
    struct workbench *bench = world->bench;
    static struct rollup_rig_points points;
    storage_rig_settle(bench);
    rollup_rig_read(bench, "s", &points);
    bool whole = points.count > 0 && points.timestamps[points.count - 1] == world->last;
    for (size_t i = 0; i < RULES; i++) {
        if (!world->rules[i])
            continue;
        struct tau_rollup rule = rollup_rig_find(bench, target_of(i));
        struct taud_record_rollup buckets = {.width = rule.width, .origin = rule.origin};
        if (i + 1 < RULES && world->any)
            assert_true(rule.settled == taud_rollup_start(&buckets, world->last));
        // Where the newest point is gone, AGGREGATE says of time behind the others that no value is
        // in force in it.
        if (rule.function != TAU_AGGREGATE_FUNCTION_TIME_WEIGHTED_AVERAGE || whole)
            rollup_rig_check(bench, target_of(i));
    }
}

static void happen(struct world *world)
{
    uint64_t choice = draw(world, 100);
    if (choice < 45)
        append_somewhere(world);
    else if (choice < 60)
        delete_some(world);
    else if (choice < 78)
        take_steps(world);
    else if (choice < 84)
        change_rule(world);
    else if (choice < 90)
        store(world);
    else if (choice < 95)
        workbench_start(world->bench);
    else
        check(world);
}

static void run(struct workbench *bench, uint64_t seed)
{
    struct world world = {.bench = bench, .random = seed};
    world.width = draw(&world, 3) ? 100 : 1000;
    workbench_create(bench, "s");
    storage_rig_set_policy(bench, "s", TAUD_ORDER_LAST, 0);
    for (size_t i = 0; i < RULES; i++) {
        workbench_create(bench, target_of(i));
        if (draw(&world, 3) > 0)
            create(&world, i);
    }
    for (unsigned step = 0; step < STEPS; step++)
        happen(&world);
    check(&world);
    for (size_t i = 0; i < RULES; i++)
        assert_int_equal(workbench_try_drop(bench, target_of(i)), TAU_STATUS_SUCCESS);
    assert_int_equal(workbench_try_drop(bench, "s"), TAU_STATUS_SUCCESS);
    assert_int_equal(rollup_rig_count(bench), 0);
}

static void targets_are_what_aggregate_says(void **state)
{
    const char *only = getenv("TAU_TEST_SEED"), *seeds = getenv("TAU_TEST_SEEDS");
    uint64_t first = only ? strtoull(only, NULL, 10) : 1;
    uint64_t count = only ? 1 : seeds ? strtoull(seeds, NULL, 10) : SEEDS;
    for (uint64_t seed = first; seed < first + count; seed++) {
        if (only || seeds)
            print_message("seed %llu\n", (unsigned long long)seed);
        run(*state, seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {STORAGE_RIG_TEST(targets_are_what_aggregate_says)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
