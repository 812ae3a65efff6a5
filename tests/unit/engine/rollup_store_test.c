// SPDX-License-Identifier: MIT
// Rules outlive starts, from the log and from the catalog, with how far they were at the last cut;
// what the catalog has is told once; and records that only damage can leave do no harm.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rollup_rig.h"

static struct taud_rollup *rule_of(struct workbench *bench, const char *target)
{
    struct tau_label label = workbench_label(target);
    uint64_t hash = taud_engine_hash(bench->engine, &label);
    return taud_rollup_find(&bench->engine->rollups, hash, &label);
}

static uint64_t identity_of(struct workbench *bench, const char *label)
{
    return workbench_describe(bench, label).identity;
}

// A rule "t" of "s", and points.
static void begin(struct workbench *bench)
{
    workbench_create(bench, "s");
    storage_rig_set_policy(bench, "s", TAUD_ORDER_LAST, 0);
    rollup_rig_create(bench, "t", "s", 10, TAU_AGGREGATE_FUNCTION_INCREASE);
    storage_rig_append(bench, "s", 0, 1000, 1);
}

static void expect_same(struct workbench *bench, const struct tau_rollup *before)
{
    struct tau_rollup after = rollup_rig_find(bench, "t");
    assert_memory_equal(&after, before, sizeof after);
    assert_int_equal(bench->recovery.refused_count, 0);
}

static void rules_come_back(void **state)
{
    struct workbench *bench = *state;
    begin(bench);
    struct tau_rollup rule = rollup_rig_find(bench, "t");
    assert_true(rule.settled == INT64_MIN && rule.state == TAU_ROLLUP_STATE_PENDING);
    workbench_start(bench); // from the log
    expect_same(bench, &rule);
    storage_rig_settle(bench);
    workbench_start(bench); // the log does not say what was computed
    expect_same(bench, &rule);
    storage_rig_settle(bench);
    storage_rig_flush(bench);
    rule = rollup_rig_find(bench, "t");
    assert_true(rule.settled == 990 && rule.state == TAU_ROLLUP_STATE_SETTLED);
    workbench_start(bench); // from the catalog
    expect_same(bench, &rule);
    assert_int_equal(rollup_rig_drop(bench, "t"), TAU_STATUS_SUCCESS);
    workbench_start(bench);
    assert_int_equal(rollup_rig_count(bench), 0);
    storage_rig_flush(bench);
    workbench_start(bench);
    assert_int_equal(rollup_rig_count(bench), 0);
}

static uint64_t catalog_bytes(struct workbench *bench)
{
    const struct taud_manifest *manifest = storage_rig_manifest(bench);
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < manifest->catalog_count; i++)
        bytes += manifest->catalogs[i].size;
    return bytes;
}

static void a_cut_notes_what_changed(void **state)
{
    struct workbench *bench = *state;
    begin(bench);
    storage_rig_settle(bench);
    storage_rig_flush(bench);
    uint64_t bytes = catalog_bytes(bench);
    workbench_append(bench, "s", 1000, 1); // the rule is due, and not worked yet
    struct taud_error error;
    assert_int_equal(taud_flush(bench->engine, &error), TAU_STATUS_SUCCESS);
    assert_int_equal(catalog_bytes(bench), bytes);
    storage_rig_settle(bench);
    workbench_append(bench, "s", 77, 1);
    assert_int_equal(taud_flush(bench->engine, &error), TAU_STATUS_SUCCESS);
    assert_int_equal(catalog_bytes(bench), bytes + 32 + 8 + TAUD_RECORD_ROLLUP_PROGRESS_BYTES);
    workbench_start(bench);
    struct taud_rollup *rule = rule_of(bench, "t");
    assert_true(rule->covered == 1000 && rule->again.from == 77 && rule->again.to == 77);
    assert_int_equal(rollup_rig_find(bench, "t").settled, 70);
    storage_rig_settle(bench);
    rollup_rig_check(bench, "t");
}

// A piece that is underway when the cut comes may end behind it.
static void what_is_at_work_counts_as_not_done(void **state)
{
    struct workbench *bench = *state;
    struct taud_rollup_task task;
    struct taud_error error;
    begin(bench);
    for (unsigned again = 0; again < 2; again++) {
        if (again)
            storage_rig_append(bench, "s", 123, 300, 2);
        assert_true(taud_rollup_take(bench->engine, &task));
        assert_int_equal(task.again, again);
        workbench_append(bench, "s", 2000 + again, 1);
        assert_int_equal(taud_flush(bench->engine, &error), TAU_STATUS_SUCCESS);
        workbench_start(bench);
        struct taud_rollup *rule = rule_of(bench, "t");
        assert_true(again ? rule->again.from == 120 && rule->again.to == 729
                          : rule->covered == INT64_MIN);
        storage_rig_settle(bench);
        rollup_rig_check(bench, "t");
    }
}

static void a_cut_waits_for_memory(void **state)
{
    struct workbench *bench = *state;
    struct taud_error error;
    begin(bench);
    failing_allocator_fail_next(&bench->memory, 1);
    assert_int_equal(taud_flush(bench->engine, &error), TAU_STATUS_NO_MEMORY);
    assert_false(bench->engine->storage.cut.pending);
    assert_int_equal(taud_flush(bench->engine, &error), TAU_STATUS_SUCCESS);
    storage_rig_settle(bench);
    rollup_rig_check(bench, "t");
}

// --- what only damage leaves ------------------------------------------------------------------

static enum tau_status create(struct workbench *bench, const char *target, const char *source)
{
    struct taud_record record = {.type = TAUD_RECORD_CREATE_ROLLUP,
                                 .rollup = {.target = identity_of(bench, target),
                                            .source = identity_of(bench, source),
                                            .width = 7,
                                            .function = (uint8_t)TAU_AGGREGATE_FUNCTION_SUM}};
    return taud_rollups_replay(bench->engine, &record);
}

static void a_lost_drop_makes_way(void **state)
{
    struct workbench *bench = *state;
    workbench_create(bench, "a");
    workbench_create(bench, "b");
    workbench_create(bench, "c");
    assert_int_equal(create(bench, "b", "a"), TAU_STATUS_SUCCESS);
    assert_int_equal(create(bench, "c", "b"), TAU_STATUS_SUCCESS);
    assert_int_equal(create(bench, "b", "a"), TAU_STATUS_SUCCESS); // the same again
    assert_int_equal(rollup_rig_count(bench), 2);
    assert_int_equal(create(bench, "a", "c"), TAU_STATUS_SUCCESS); // a circle
    assert_int_equal(rollup_rig_count(bench), 2);
    assert_null(rule_of(bench, "c"));
    assert_int_equal(create(bench, "c", "c"), TAU_STATUS_ROLLUP_NOT_FOUND);
}

static void records_of_nothing_are_passed_over(void **state)
{
    struct workbench *bench = *state;
    workbench_create(bench, "a");
    struct taud_record record = {.type = TAUD_RECORD_DROP_ROLLUP,
                                 .rollup.target = identity_of(bench, "a")};
    assert_int_equal(taud_rollups_replay(bench->engine, &record), TAU_STATUS_ROLLUP_NOT_FOUND);
    record = (struct taud_record){.type = TAUD_RECORD_ROLLUP_PROGRESS, .identity = 12345};
    assert_int_equal(taud_rollups_replay(bench->engine, &record), TAU_STATUS_ROLLUP_NOT_FOUND);
    record = (struct taud_record){
        .type = TAUD_RECORD_CREATE_ROLLUP,
        .rollup = {.target = identity_of(bench, "a"), .source = 12345, .width = 1}};
    assert_int_equal(taud_rollups_replay(bench->engine, &record), TAU_STATUS_ROLLUP_NOT_FOUND);
    record.rollup.function = (uint8_t)TAU_AGGREGATE_FUNCTION_QUANTILE;
    record.rollup.parameter = 2;
    assert_int_equal(taud_rollups_replay(bench->engine, &record), TAU_STATUS_INTERNAL_ERROR);
    assert_int_equal(rollup_rig_count(bench), 0);
}

// A deletion that a compaction took out before the power went, and the next one with it: the rule
// has to compute anew what both changed.
static void what_a_compaction_took_out_is_computed_anew(void **state)
{
    struct workbench *bench = *state;
    workbench_create(bench, "s");
    rollup_rig_create(bench, "t", "s", 10, TAU_AGGREGATE_FUNCTION_SUM);
    storage_rig_append(bench, "s", 0, 200, 1);
    storage_rig_settle(bench);
    storage_rig_flush(bench);
    rollup_rig_check(bench, "t");
    storage_rig_delete(bench, "s", 50, 149);
    storage_rig_delete(bench, "s", 150, 1000);
    storage_rig_compact_first(bench);
    workbench_start(bench);
    storage_rig_settle(bench);
    assert_int_equal(storage_rig_count(bench, "s"), 50);
    rollup_rig_check(bench, "t");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORAGE_RIG_TEST(rules_come_back),
        STORAGE_RIG_TEST(a_cut_notes_what_changed),
        STORAGE_RIG_TEST(what_is_at_work_counts_as_not_done),
        STORAGE_RIG_TEST(a_cut_waits_for_memory),
        STORAGE_RIG_TEST(a_lost_drop_makes_way),
        STORAGE_RIG_TEST(records_of_nothing_are_passed_over),
        STORAGE_RIG_TEST(what_a_compaction_took_out_is_computed_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
