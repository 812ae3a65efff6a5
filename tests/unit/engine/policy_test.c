// SPDX-License-Identifier: MIT
// Order policies: what each makes of every pair of values, of single points, rows and columns
// alike, that the log holds the outcome, and that a change of policy is a write that stays.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "workbench.h"

#include "engine/policy.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static enum tau_status set_policy(struct workbench *bench, const char *label, unsigned order,
                                  uint64_t retention)
{
    struct tau_label named = workbench_label(label);
    return taud_engine_set_policy(bench->engine, &named, (enum tau_order_policy)order, retention,
                                  &bench->position);
}

static void create(struct workbench *bench, const char *label, unsigned order)
{
    workbench_create(bench, label);
    assert_int_equal(set_policy(bench, label, order, 0), TAU_STATUS_SUCCESS);
}

static bool value_is(struct workbench *bench, const char *label, int64_t timestamp, double expected)
{
    struct tau_query_point_request asked = {workbench_label(label), timestamp};
    struct tau_query_point_response found;
    enum tau_status status;
    taud_engine_query_points(bench->engine, &asked, 1, &found, &status);
    return status == TAU_STATUS_SUCCESS && found.has_value &&
           workbench_bits(found.value) == workbench_bits(expected);
}

// --- one value and another --------------------------------------------------------------------

static void every_policy_decides_between_two_values(void **state)
{
    (void)state;
    static const struct {
        unsigned order;
        double old, value;
        enum taud_order_verdict verdict;
        double result;
    } cases[] = {
        {TAUD_ORDER_STRICT, 1, 2, TAUD_ORDER_REFUSE, 0},
        {TAUD_ORDER_REJECT, 1, 1, TAUD_ORDER_REFUSE, 0},
        {TAUD_ORDER_LAST, 1, 2, TAUD_ORDER_STORE, 2},
        {TAUD_ORDER_LAST, 1, 1, TAUD_ORDER_STORE, 1},
        {TAUD_ORDER_FIRST, 1, 2, TAUD_ORDER_KEEP, 0},
        {TAUD_ORDER_MIN, 2, 1, TAUD_ORDER_STORE, 1},
        {TAUD_ORDER_MIN, 1, 1, TAUD_ORDER_KEEP, 0},
        {TAUD_ORDER_MIN, 1, 2, TAUD_ORDER_KEEP, 0},
        {TAUD_ORDER_MAX, 1, 2, TAUD_ORDER_STORE, 2},
        {TAUD_ORDER_MAX, 2, 2, TAUD_ORDER_KEEP, 0},
        {TAUD_ORDER_MAX, 2, 1, TAUD_ORDER_KEEP, 0},
        {TAUD_ORDER_SUM, 2, 1.5, TAUD_ORDER_STORE, 3.5},
        {TAUD_ORDER_SUM, 2, -2, TAUD_ORDER_STORE, 0},
        {TAUD_ORDER_MIN, NAN, 5, TAUD_ORDER_STORE, 5},
        {TAUD_ORDER_MAX, NAN, 5, TAUD_ORDER_STORE, 5},
        {TAUD_ORDER_SUM, NAN, 5, TAUD_ORDER_STORE, 5},
        {TAUD_ORDER_MIN, 5, NAN, TAUD_ORDER_KEEP, 0},
        {TAUD_ORDER_MAX, 5, NAN, TAUD_ORDER_KEEP, 0},
        {TAUD_ORDER_SUM, 5, NAN, TAUD_ORDER_KEEP, 0},
        {TAUD_ORDER_SUM, INFINITY, 5, TAUD_ORDER_STORE, INFINITY},
        {TAUD_ORDER_MIN, 5, -INFINITY, TAUD_ORDER_STORE, -INFINITY},
        {TAUD_ORDER_MAXIMUM + 1, 1, 2, TAUD_ORDER_REFUSE, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double result = 77;
        assert_int_equal(taud_order_fold(cases[i].order, cases[i].old, cases[i].value, &result),
                         cases[i].verdict);
        assert_true(result == (cases[i].verdict == TAUD_ORDER_STORE ? cases[i].result : 77));
    }
}

// --- writes -----------------------------------------------------------------------------------

enum { WAYS = 3 };

// One point, as a single point, a row, or a column.
static enum tau_status write_by(struct workbench *bench, int way, const char *label,
                                int64_t timestamp, double value)
{
    struct tau_row row = {workbench_label(label), timestamp, value};
    struct tau_refused_row refused;
    size_t refused_count = 0;
    enum tau_status status;
    if (way == 0)
        return workbench_try_append(bench, label, timestamp, value);
    if (way == 1)
        status = taud_engine_append_rows(bench->engine, (struct tau_array){&row, 1, false},
                                         &refused, &refused_count, &bench->position);
    else
        status = taud_engine_append_columns(bench->engine, &row.label,
                                            workbench_timestamps(&timestamp, 1),
                                            workbench_values(&value, 1), &refused, &refused_count,
                                            &bench->position);
    return refused_count > 0 ? refused.status : status;
}

static const struct {
    enum tau_status status;
    double first, second; // what is found after a late 3, and then a late 2, beside a 2.5
} outcomes[] = {
    [TAUD_ORDER_STRICT] = {TAU_STATUS_OUT_OF_ORDER, 2.5, 2.5},
    [TAUD_ORDER_REJECT] = {TAU_STATUS_OUT_OF_ORDER, 2.5, 2.5},
    [TAUD_ORDER_LAST] = {TAU_STATUS_SUCCESS, 3, 2},
    [TAUD_ORDER_FIRST] = {TAU_STATUS_SUCCESS, 2.5, 2.5},
    [TAUD_ORDER_MIN] = {TAU_STATUS_SUCCESS, 2.5, 2},
    [TAUD_ORDER_MAX] = {TAU_STATUS_SUCCESS, 3, 3},
    [TAUD_ORDER_SUM] = {TAU_STATUS_SUCCESS, 5.5, 7.5},
};

// The timestamp is in a chunk, in a head, or in the late head.
static void equal_timestamps_are_treated_by_their_policy_wherever_they_are(void **state)
{
    struct workbench *bench = *state;
    char label[32];
    for (unsigned order = 0; order <= TAUD_ORDER_MAXIMUM; order++) {
        for (int way = 0; way < WAYS; way++) {
            snprintf(label, sizeof label, "series.%u.%d", order, way);
            create(bench, label, order);
            for (int64_t i = 0; i < 1100; i++)
                workbench_append(bench, label, 10 * i, 2.5);
            for (int place = 0; place < 3; place++) {
                int64_t timestamp = place == 0 ? 100 : place == 1 ? 10990 : 105;
                if (place == 2) {
                    enum tau_status expected =
                        order == TAUD_ORDER_STRICT ? TAU_STATUS_OUT_OF_ORDER : TAU_STATUS_SUCCESS;
                    assert_int_equal(write_by(bench, way, label, timestamp, 2.5), expected);
                    if (order == TAUD_ORDER_STRICT)
                        continue;
                }
                assert_int_equal(write_by(bench, way, label, timestamp, 3), outcomes[order].status);
                assert_true(value_is(bench, label, timestamp, outcomes[order].first));
                assert_int_equal(write_by(bench, way, label, timestamp, 2), outcomes[order].status);
                assert_true(value_is(bench, label, timestamp, outcomes[order].second));
            }
        }
    }
    for (int twice = 0; twice < 2; twice++) {
        workbench_start(bench); // the log has what came of it, not what was given
        assert_int_equal(bench->recovery.refused_count, 0);
        for (unsigned order = 0; order <= TAUD_ORDER_MAXIMUM; order++) {
            for (int way = 0; way < WAYS; way++) {
                snprintf(label, sizeof label, "series.%u.%d", order, way);
                assert_true(value_is(bench, label, 100, outcomes[order].second));
                assert_true(value_is(bench, label, 10990, outcomes[order].second));
                assert_true(value_is(bench, label, 90, 2.5));
            }
        }
    }
}

// Who is told that a point is there may rely on it to be durable, though nothing was written for
// it.
static void what_is_kept_waits_for_what_is_there(void **state)
{
    struct workbench *bench = *state;
    create(bench, "a", TAUD_ORDER_FIRST);
    workbench_append(bench, "a", 10, 1);
    uint64_t written = bench->position;
    for (int way = 0; way < WAYS; way++) {
        bench->position = 0;
        assert_int_equal(write_by(bench, way, "a", 10, 2), TAU_STATUS_SUCCESS);
        assert_int_equal(bench->position, written);
    }
    assert_int_equal(workbench_logged(bench), 3);
    assert_true(value_is(bench, "a", 10, 1));
}

// --- changes ----------------------------------------------------------------------------------

static void a_change_of_policy_is_logged_and_stays(void **state)
{
    struct workbench *bench = *state;
    struct tau_describe_series_response description;
    workbench_create(bench, "a");
    workbench_append(bench, "a", 10, 1);
    workbench_logged(bench);
    assert_int_equal(workbench_try_append(bench, "a", 5, 1), TAU_STATUS_OUT_OF_ORDER);
    uint64_t before = bench->position;
    assert_int_equal(set_policy(bench, "a", TAUD_ORDER_LAST, 1234567), TAU_STATUS_SUCCESS);
    assert_int_equal(bench->position, before + TAUD_RECORD_POLICY_BYTES);
    assert_int_equal(workbench_logged(bench), 1);
    assert_int_equal(bench->records[0].type, TAUD_RECORD_POLICY);
    assert_int_equal(bench->records[0].mode, TAUD_ORDER_LAST);
    assert_int_equal(bench->records[0].identity, 1);
    assert_int_equal(bench->records[0].retention, 1234567);
    assert_int_equal(workbench_try_append(bench, "a", 10, 2), TAU_STATUS_SUCCESS);
    for (int round = 0; round < 2; round++) {
        workbench_start(bench);
        description = workbench_describe(bench, "a");
        assert_int_equal(description.order, TAUD_ORDER_LAST);
        assert_int_equal(workbench_try_append(bench, "a", 5 - round, 3), TAU_STATUS_SUCCESS);
    }
    assert_int_equal(set_policy(bench, "a", TAUD_ORDER_STRICT, 0), TAU_STATUS_SUCCESS);
    assert_int_equal(workbench_try_append(bench, "a", 6, 1), TAU_STATUS_OUT_OF_ORDER);
    assert_int_equal(workbench_try_append(bench, "a", 11, 1), TAU_STATUS_SUCCESS);
}

static void what_is_no_policy_is_refused(void **state)
{
    struct workbench *bench = *state;
    assert_int_equal(set_policy(bench, "a", TAUD_ORDER_LAST, 0), TAU_STATUS_SERIES_NOT_FOUND);
    workbench_create(bench, "a");
    uint64_t before = bench->position;
    assert_int_equal(set_policy(bench, "a", TAUD_ORDER_MAXIMUM + 1, 0), TAU_STATUS_INVALID_PAYLOAD);
    assert_int_equal(set_policy(bench, "a", 255, 0), TAU_STATUS_INVALID_PAYLOAD);
    assert_int_equal(bench->position, before);
    assert_int_equal(workbench_describe(bench, "a").order, TAUD_ORDER_STRICT);
    workbench_fail_log(bench);
    assert_int_equal(set_policy(bench, "a", TAUD_ORDER_LAST, 0), TAU_STATUS_READ_ONLY);
    assert_int_equal(workbench_describe(bench, "a").order, TAUD_ORDER_STRICT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_policy_decides_between_two_values),
        WORKBENCH_TEST(equal_timestamps_are_treated_by_their_policy_wherever_they_are),
        WORKBENCH_TEST(what_is_kept_waits_for_what_is_there),
        WORKBENCH_TEST(a_change_of_policy_is_logged_and_stays),
        WORKBENCH_TEST(what_is_no_policy_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
