// SPDX-License-Identifier: MIT
// Rules come, go and are listed: what is refused and in which order, limits at their edge, circles,
// and the end of a rule with either of its series.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rollup_rig.h"

static void create_series(struct workbench *bench, const char *names)
{
    char name[2] = "";
    for (; *names; names++) {
        name[0] = *names;
        workbench_create(bench, name);
    }
}

static void checks_come_in_order(void **state)
{
    struct workbench *bench = *state;
    struct tau_rollup rule = rollup_rig_rule("x", "y", 0, (enum tau_aggregate_function)13);
    create_series(bench, "abc");
    assert_int_equal(taud_engine_create_rollup(bench->engine, &rule, &bench->position),
                     TAU_STATUS_INVALID_PAYLOAD);
    rule.width = 1;
    assert_int_equal(taud_engine_create_rollup(bench->engine, &rule, &bench->position),
                     TAU_STATUS_INVALID_PAYLOAD);
    rule.function = TAU_AGGREGATE_FUNCTION_QUANTILE;
    rule.parameter = 1.5;
    assert_int_equal(taud_engine_create_rollup(bench->engine, &rule, &bench->position),
                     TAU_STATUS_INVALID_PAYLOAD);
    rule.function = TAU_AGGREGATE_FUNCTION_SUM; // does not look at it
    assert_int_equal(taud_engine_create_rollup(bench->engine, &rule, &bench->position),
                     TAU_STATUS_SERIES_NOT_FOUND);
    assert_int_equal(rollup_rig_try(bench, "x", "y", 0), TAU_STATUS_INVALID_PAYLOAD);
    assert_int_equal(rollup_rig_try(bench, "a", "y", 1), TAU_STATUS_SERIES_NOT_FOUND);
    assert_int_equal(rollup_rig_try(bench, "x", "a", 1), TAU_STATUS_SERIES_NOT_FOUND);
    assert_int_equal(rollup_rig_try(bench, "a", "a", 1), TAU_STATUS_INVALID_PAYLOAD);
    assert_int_equal(rollup_rig_count(bench), 0);
    assert_int_equal(rollup_rig_try(bench, "a", "b", UINT64_MAX), TAU_STATUS_SUCCESS);
    assert_int_equal(rollup_rig_try(bench, "a", "a", 1), TAU_STATUS_ROLLUP_ALREADY_EXISTS);
    assert_int_equal(rollup_rig_drop(bench, "b"), TAU_STATUS_ROLLUP_NOT_FOUND);
    assert_int_equal(rollup_rig_drop(bench, "a"), TAU_STATUS_SUCCESS);
    assert_int_equal(rollup_rig_drop(bench, "a"), TAU_STATUS_ROLLUP_NOT_FOUND);
    assert_int_equal(rollup_rig_try(bench, "a", "b", 1), TAU_STATUS_SUCCESS);
}

static void circles_are_refused(void **state)
{
    struct workbench *bench = *state;
    create_series(bench, "abcde");
    assert_int_equal(rollup_rig_try(bench, "b", "a", 1), TAU_STATUS_SUCCESS);
    assert_int_equal(rollup_rig_try(bench, "a", "b", 1), TAU_STATUS_INVALID_PAYLOAD);
    assert_int_equal(rollup_rig_try(bench, "d", "c", 1), TAU_STATUS_SUCCESS);
    assert_int_equal(rollup_rig_try(bench, "c", "b", 1), TAU_STATUS_SUCCESS);
    assert_int_equal(rollup_rig_try(bench, "a", "d", 1), TAU_STATUS_INVALID_PAYLOAD);
    assert_int_equal(rollup_rig_try(bench, "e", "a", 1), TAU_STATUS_SUCCESS);
    assert_int_equal(rollup_rig_drop(bench, "c"), TAU_STATUS_SUCCESS);
    assert_int_equal(rollup_rig_try(bench, "a", "d", 1), TAU_STATUS_SUCCESS);
    assert_int_equal(rollup_rig_try(bench, "c", "e", 1), TAU_STATUS_INVALID_PAYLOAD);
}

static void a_target_takes_late_points(void **state)
{
    struct workbench *bench = *state;
    create_series(bench, "ab");
    storage_rig_set_policy(bench, "a", TAUD_ORDER_REJECT, 12345);
    assert_int_equal(rollup_rig_try(bench, "a", "b", 1), TAU_STATUS_SUCCESS);
    for (unsigned i = 0; i < 2; i++) {
        struct tau_describe_series_response told = workbench_describe(bench, "a");
        assert_int_equal(told.order, TAU_ORDER_POLICY_LAST);
        assert_int_equal(told.retention, 12345);
        workbench_start(bench);
    }
}

static void a_rule_ends_with_its_series(void **state)
{
    struct workbench *bench = *state;
    create_series(bench, "abcd");
    assert_int_equal(rollup_rig_try(bench, "b", "a", 1), TAU_STATUS_SUCCESS);
    assert_int_equal(rollup_rig_try(bench, "c", "a", 1), TAU_STATUS_SUCCESS);
    assert_int_equal(rollup_rig_try(bench, "d", "b", 1), TAU_STATUS_SUCCESS);
    storage_rig_append(bench, "a", 0, 10, 1);
    assert_int_equal(workbench_try_drop(bench, "b"), TAU_STATUS_SUCCESS); // target and source
    assert_int_equal(rollup_rig_count(bench), 1);
    workbench_create(bench, "b");
    assert_int_equal(rollup_rig_count(bench), 1);
    assert_int_equal(rollup_rig_drop(bench, "b"), TAU_STATUS_ROLLUP_NOT_FOUND);
    workbench_start(bench);
    assert_int_equal(rollup_rig_count(bench), 1);
    assert_int_equal(workbench_try_drop(bench, "a"), TAU_STATUS_SUCCESS);
    assert_int_equal(rollup_rig_count(bench), 0);
    storage_rig_flush(bench);
    workbench_start(bench);
    assert_int_equal(rollup_rig_count(bench), 0);
    assert_int_equal(bench->recovery.refused_count, 0);
    workbench_create(bench, "a");
    assert_int_equal(rollup_rig_try(bench, "b", "a", 1), TAU_STATUS_SUCCESS);
}

static void pages_ascend(void **state)
{
    struct workbench *bench = *state;
    enum { RULES = 150 };
    struct tau_label cursor;
    struct tau_rollup found[RULES + 1];
    char name[8], source[8];
    size_t count = 0, seen = 0;
    bool more = true;
    for (unsigned i = 0; i < 10; i++) {
        snprintf(source, sizeof source, "s%u", i);
        workbench_create(bench, source);
    }
    for (unsigned i = 0; i < RULES; i++) {
        snprintf(name, sizeof name, "t%03u", i * 7 % RULES);
        snprintf(source, sizeof source, "s%u", i % 10);
        workbench_create(bench, name);
        assert_int_equal(rollup_rig_try(bench, name, source, 1 + i), TAU_STATUS_SUCCESS);
    }
    for (size_t limit = 1; more; limit = limit * 3 + 1) {
        taud_engine_list_rollups(bench->engine, seen ? &cursor : NULL, limit, found, &count, &more);
        assert_true(count == limit || (!more && count < limit));
        for (size_t i = 0; i < count; i++, seen++) {
            snprintf(name, sizeof name, "t%03u", (unsigned)seen);
            cursor = workbench_label(name);
            assert_memory_equal(&found[i].target, &cursor, sizeof cursor);
            assert_int_equal((found[i].width - 1) * 7 % RULES, seen);
            assert_true(found[i].settled == INT64_MIN);
            assert_int_equal(found[i].state, TAU_ROLLUP_STATE_SETTLED);
            assert_true(found[i].parameter == 0.5);
        }
        limit = limit > 100 ? 100 : limit;
    }
    assert_int_equal(seen, RULES);
    taud_engine_list_rollups(bench->engine, NULL, 0, found, &count, &more);
    assert_true(count == 0 && more);
}

static void a_source_has_sixteen(void **state)
{
    struct workbench *bench = *state;
    char name[8];
    create_series(bench, "ab");
    for (unsigned i = 0; i < TAU_LIMIT_SOURCE_ROLLUPS; i++) {
        snprintf(name, sizeof name, "t%u", i);
        workbench_create(bench, name);
        assert_int_equal(rollup_rig_try(bench, name, "a", 1), TAU_STATUS_SUCCESS);
    }
    assert_int_equal(rollup_rig_try(bench, "b", "a", 1), TAU_STATUS_LIMIT_EXCEEDED);
    assert_int_equal(rollup_rig_try(bench, "b", "t3", 1), TAU_STATUS_SUCCESS);
    assert_int_equal(rollup_rig_drop(bench, "b"), TAU_STATUS_SUCCESS);
    assert_int_equal(rollup_rig_drop(bench, "t7"), TAU_STATUS_SUCCESS);
    assert_int_equal(rollup_rig_try(bench, "b", "a", 1), TAU_STATUS_SUCCESS);
}

static void all_that_there_may_be(void **state)
{
    struct workbench *bench = *state;
    char name[12], source[12];
    create_series(bench, "ab");
    for (unsigned i = 0; i < TAU_LIMIT_ROLLUPS; i++) {
        snprintf(name, sizeof name, "t%u", i);
        snprintf(source, sizeof source, "s%u", i / TAU_LIMIT_SOURCE_ROLLUPS);
        workbench_create(bench, name);
        if (i % TAU_LIMIT_SOURCE_ROLLUPS == 0)
            workbench_create(bench, source);
        if (rollup_rig_try(bench, name, source, 1) != TAU_STATUS_SUCCESS)
            fail();
    }
    assert_int_equal(rollup_rig_try(bench, "a", "b", 1), TAU_STATUS_LIMIT_EXCEEDED);
    assert_int_equal(rollup_rig_drop(bench, "t77"), TAU_STATUS_SUCCESS);
    assert_int_equal(rollup_rig_try(bench, "a", "b", 1), TAU_STATUS_SUCCESS);
    assert_int_equal(rollup_rig_try(bench, "t77", "b", 1), TAU_STATUS_LIMIT_EXCEEDED);
    storage_rig_flush(bench);
    workbench_start(bench);
    assert_int_equal(bench->recovery.refused_count, 0);
    assert_int_equal(rollup_rig_try(bench, "t77", "b", 1), TAU_STATUS_LIMIT_EXCEEDED);
    assert_int_equal(rollup_rig_drop(bench, "a"), TAU_STATUS_SUCCESS);
    assert_int_equal(rollup_rig_try(bench, "t77", "b", 1), TAU_STATUS_SUCCESS);
}

static void without_memory_nothing_changes(void **state)
{
    struct workbench *bench = *state;
    struct tau_label target = workbench_label("b");
    uint64_t position = bench->position;
    unsigned refused = 0;
    create_series(bench, "ab");
    RIG_EACH_FAILURE(bench, {
        enum tau_status status = rollup_rig_try(bench, "b", "a", 1);
        refused += status == TAU_STATUS_STORAGE_FULL;
        assert_true(status == TAU_STATUS_SUCCESS || status == TAU_STATUS_STORAGE_FULL);
        assert_int_equal(rollup_rig_count(bench), status == TAU_STATUS_SUCCESS);
        assert_int_equal(taud_engine_drop_rollup(bench->engine, &target, &position),
                         status == TAU_STATUS_SUCCESS ? TAU_STATUS_SUCCESS
                                                      : TAU_STATUS_ROLLUP_NOT_FOUND);
    });
    assert_true(refused > 0); // the first page of sources
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORAGE_RIG_TEST(checks_come_in_order),
        STORAGE_RIG_TEST(circles_are_refused),
        STORAGE_RIG_TEST(a_target_takes_late_points),
        STORAGE_RIG_TEST(a_rule_ends_with_its_series),
        STORAGE_RIG_TEST(pages_ascend),
        STORAGE_RIG_TEST(a_source_has_sixteen),
        STORAGE_RIG_TEST(all_that_there_may_be),
        STORAGE_RIG_TEST(without_memory_nothing_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
