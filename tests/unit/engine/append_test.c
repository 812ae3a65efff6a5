// SPDX-License-Identifier: MIT
// Single points in batches: each is judged by itself and in the order given, at every size at which
// a batch is cut, and the log holds exactly what was accepted.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "workbench.h"

#include <stdio.h>
#include <string.h>

enum { SERIES = 40, POINTS = 800 };

static struct tau_label numbered(unsigned number)
{
    char text[32];
    snprintf(text, sizeof text, "series.%u", number);
    return workbench_label(text);
}

static void create_numbered(struct workbench *bench, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct tau_label label = numbered(i);
        assert_int_equal(taud_engine_create_series(bench->engine, &label, &bench->position),
                         TAU_STATUS_SUCCESS);
    }
}

static void each_point_is_judged_by_itself_in_the_order_given(void **state)
{
    struct workbench *bench = *state;
    struct tau_label a = workbench_label("a"), b = workbench_label("b"), c = workbench_label("c");
    workbench_create(bench, "a");
    workbench_create(bench, "b");
    const struct {
        struct tau_append_request point;
        enum tau_status expected;
    } cases[] = {
        {{a, 10, 1}, TAU_STATUS_SUCCESS},      {{c, 10, 2}, TAU_STATUS_SERIES_NOT_FOUND},
        {{a, 10, 3}, TAU_STATUS_OUT_OF_ORDER}, {{b, 5, 4}, TAU_STATUS_SUCCESS},
        {{a, 11, 5}, TAU_STATUS_SUCCESS},      {{a, 9, 6}, TAU_STATUS_OUT_OF_ORDER},
        {{b, 4, 7}, TAU_STATUS_OUT_OF_ORDER},  {{a, 12, 8}, TAU_STATUS_SUCCESS},
    };
    enum { COUNT = sizeof cases / sizeof cases[0] };
    struct tau_append_request points[COUNT];
    enum tau_status statuses[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        points[i] = cases[i].point;
    taud_engine_append(bench->engine, points, COUNT, statuses, &bench->position);
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(statuses[i], cases[i].expected);
    assert_int_equal(workbench_describe(bench, "a").point_count, 3);
    assert_int_equal(workbench_describe(bench, "b").point_count, 1);
    assert_int_equal(workbench_describe(bench, "a").last_timestamp, 12);
}

// Every fifth point has no series. 256 is where a batch is cut.
static void a_batch_of_any_size_puts_every_status_in_its_place(void **state)
{
    struct workbench *bench = *state;
    static const size_t sizes[] = {0, 1, 2, 255, 256, 257, 512, 513, POINTS};
    static struct tau_append_request points[POINTS];
    static struct tau_query_point_request asked[POINTS];
    static struct tau_query_point_response found[POINTS];
    static enum tau_status statuses[POINTS + 1];
    int64_t timestamp = 0;
    create_numbered(bench, SERIES);
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
        for (size_t i = 0; i < sizes[k]; i++, timestamp++) {
            struct tau_label label = numbered((unsigned)(i % 5 == 4 ? SERIES : i % SERIES));
            points[i] = (struct tau_append_request){label, timestamp, (double)timestamp / 3};
            asked[i] = (struct tau_query_point_request){label, timestamp};
        }
        memset(statuses, 0xff, sizeof statuses);
        taud_engine_append(bench->engine, points, sizes[k], statuses, &bench->position);
        assert_true((int)statuses[sizes[k]] == -1); // nothing behind the last one is written
        for (size_t i = 0; i < sizes[k]; i++)
            assert_int_equal(statuses[i],
                             i % 5 == 4 ? TAU_STATUS_SERIES_NOT_FOUND : TAU_STATUS_SUCCESS);
        taud_engine_query_points(bench->engine, asked, sizes[k], found, statuses);
        for (size_t i = 0; i < sizes[k]; i++) {
            if (i % 5 == 4)
                continue;
            assert_true(found[i].has_value && found[i].value == points[i].value);
        }
    }
}

static void the_log_holds_what_was_accepted_and_no_more(void **state)
{
    struct workbench *bench = *state;
    enum { COUNT = 600 };
    static struct tau_append_request points[COUNT];
    static enum tau_status statuses[COUNT];
    create_numbered(bench, SERIES);
    workbench_logged(bench);
    for (size_t i = 0; i < COUNT; i++)
        points[i] = (struct tau_append_request){numbered((unsigned)(i % (SERIES + 1))),
                                                i % 7 == 6 ? -1 : (int64_t)i, (double)i};
    taud_engine_append(bench->engine, points, COUNT, statuses, &bench->position);
    size_t accepted = 0, seen = 0;
    for (size_t i = 0; i < COUNT; i++)
        accepted += statuses[i] == TAU_STATUS_SUCCESS;
    assert_true(accepted > COUNT / 2 && accepted < COUNT);

    // Identities are given from 1 on; points of one series stand in their order.
    int64_t last[SERIES + 1];
    for (size_t i = 0; i <= SERIES; i++)
        last[i] = INT64_MIN;
    size_t record_count = workbench_logged(bench);
    for (size_t k = 0; k < record_count; k++) {
        const struct taud_record *record = &bench->records[k];
        assert_int_equal(record->type, TAUD_RECORD_POINTS);
        for (size_t i = 0; i < record->count; i++, seen++) {
            const uint8_t *point = record->points + i * TAUD_RECORD_POINT_BYTES;
            uint64_t identity = taud_load_u64(point);
            int64_t timestamp = (int64_t)taud_load_u64(point + 8);
            assert_true(identity >= 1 && identity <= SERIES && timestamp < COUNT);
            assert_true(timestamp > last[identity]);
            last[identity] = timestamp;
            size_t place = timestamp < 0 ? 0 : (size_t)timestamp;
            assert_true(timestamp < 0 || place % (SERIES + 1) == identity - 1);
            if (timestamp >= 0)
                assert_int_equal(taud_load_u64(point + 16), workbench_bits((double)place));
        }
    }
    assert_int_equal(seen, accepted);
}

static void the_position_rises_with_what_is_stored_and_never_falls(void **state)
{
    struct workbench *bench = *state;
    workbench_create(bench, "a");
    uint64_t before = bench->position;
    workbench_append(bench, "a", 1, 1);
    assert_true(bench->position >= before + TAUD_RECORD_POINT_BYTES);
    assert_int_equal(workbench_logged(bench), 2);
    before = bench->position;
    assert_int_equal(workbench_try_append(bench, "a", 1, 1), TAU_STATUS_OUT_OF_ORDER);
    assert_int_equal(workbench_try_append(bench, "b", 1, 1), TAU_STATUS_SERIES_NOT_FOUND);
    assert_int_equal(bench->position, before);
    workbench_create(bench, "b"); // logged right behind, so refusals logged nothing
    assert_int_equal(bench->position, before + TAUD_RECORD_CREATE_SERIES_BYTES);
    before = bench->position;
    bench->position = UINT64_MAX;
    workbench_append(bench, "a", 2, 1);
    assert_true(bench->position == UINT64_MAX);
    bench->position = before;
}

static void every_timestamp_and_every_bit_of_a_value_is_kept(void **state)
{
    struct workbench *bench = *state;
    static const uint64_t patterns[] = {UINT64_C(0x7ff8000000000001), UINT64_C(0xfff0000000000000),
                                        UINT64_C(0x8000000000000000), UINT64_C(0x0000000000000001),
                                        UINT64_C(0x7ff0dead0000beef)};
    static const int64_t timestamps[] = {INT64_MIN, -1, 0, 1, INT64_MAX};
    struct tau_label label = workbench_label("a");
    workbench_create(bench, "a");
    workbench_logged(bench);
    for (size_t i = 0; i < 5; i++) {
        double value;
        memcpy(&value, &patterns[i], sizeof value);
        workbench_append(bench, "a", timestamps[i], value);
    }
    assert_int_equal(workbench_try_append(bench, "a", INT64_MAX, 1), TAU_STATUS_OUT_OF_ORDER);
    size_t at = 0, count = workbench_logged(bench);
    for (size_t k = 0; k < count; k++) {
        for (size_t i = 0; i < bench->records[k].count; i++, at++) {
            const uint8_t *point = bench->records[k].points + i * TAUD_RECORD_POINT_BYTES;
            struct tau_query_point_request asked = {label, timestamps[at]};
            struct tau_query_point_response found;
            enum tau_status status;
            taud_engine_query_points(bench->engine, &asked, 1, &found, &status);
            assert_true(found.has_value && workbench_bits(found.value) == patterns[at]);
            assert_true((int64_t)taud_load_u64(point + 8) == timestamps[at]);
            assert_true(taud_load_u64(point + 16) == patterns[at]);
        }
    }
    assert_int_equal(at, 5);
}

static void points_without_memory_are_refused_and_the_others_stored(void **state)
{
    struct workbench *bench = *state;
    workbench_hold(bench);
    workbench_create(bench, "full");
    workbench_create(bench, "other");
    workbench_append(bench, "other", 1, 1); // there is room behind it
    uint64_t stored = workbench_fill(bench, "full", 0);
    uint64_t before = bench->position;
    struct tau_append_request points[3] = {{workbench_label("full"), INT64_MAX - 1, 1},
                                           {workbench_label("other"), 2, 2},
                                           {workbench_label("full"), INT64_MAX, 1}};
    enum tau_status statuses[3];
    taud_engine_append(bench->engine, points, 3, statuses, &bench->position);
    assert_int_equal(statuses[0], TAU_STATUS_STORAGE_FULL);
    assert_int_equal(statuses[1], TAU_STATUS_SUCCESS);
    assert_int_equal(statuses[2], TAU_STATUS_STORAGE_FULL);
    assert_true(bench->position - before <= TAUD_RECORD_POINT_BYTES + TAUD_RECORD_HEADER_BYTES);
    assert_int_equal(workbench_describe(bench, "full").point_count, stored);
    workbench_start(bench);
    assert_int_equal(workbench_describe(bench, "full").point_count, stored);
    assert_int_equal(workbench_describe(bench, "other").last_timestamp, 2);
}

// More points than one batch of 256.
static void refused_throughout(struct workbench *bench, enum tau_status expected)
{
    enum { COUNT = 300 };
    struct tau_append_request points[COUNT];
    enum tau_status statuses[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        points[i] = (struct tau_append_request){workbench_label("a"), (int64_t)i, 1};
    uint64_t before = bench->position;
    taud_engine_append(bench->engine, points, COUNT, statuses, &bench->position);
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(statuses[i], expected);
    assert_int_equal(bench->position, before);
    assert_int_equal(workbench_describe(bench, "a").point_count, 0);
}

static void a_full_disk_refuses_every_point(void **state)
{
    struct workbench *bench = *state;
    workbench_create(bench, "a");
    workbench_fill_disk(bench);
    refused_throughout(bench, TAU_STATUS_STORAGE_FULL);
}

static void a_failed_log_refuses_every_point(void **state)
{
    struct workbench *bench = *state;
    workbench_create(bench, "a");
    workbench_fail_log(bench);
    refused_throughout(bench, TAU_STATUS_READ_ONLY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORKBENCH_TEST(each_point_is_judged_by_itself_in_the_order_given),
        WORKBENCH_TEST(a_batch_of_any_size_puts_every_status_in_its_place),
        WORKBENCH_TEST(the_log_holds_what_was_accepted_and_no_more),
        WORKBENCH_TEST(the_position_rises_with_what_is_stored_and_never_falls),
        WORKBENCH_TEST(every_timestamp_and_every_bit_of_a_value_is_kept),
        WORKBENCH_TEST(points_without_memory_are_refused_and_the_others_stored),
        WORKBENCH_TEST(a_full_disk_refuses_every_point),
        WORKBENCH_TEST(a_failed_log_refuses_every_point),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
