// SPDX-License-Identifier: MIT
// Lenses: what each transform computes, the order in which a request is checked, the limit of
// sixteen, and that a lens holds to the label of its source and to no other lens.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "workbench.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static enum tau_status create(struct workbench *bench, const char *label, const char *source,
                              const char *transform)
{
    struct tau_create_lens_request request = {
        workbench_label(label), workbench_label(source), {{0}}};
    memcpy(request.transform.bytes, transform, strlen(transform));
    return taud_engine_create_lens(bench->engine, &request, &bench->position);
}

static enum tau_status compose(struct workbench *bench, const char *label, const char *first,
                               const char *second)
{
    struct tau_compose_lens_request request = {workbench_label(label), workbench_label(first),
                                               workbench_label(second)};
    return taud_engine_compose_lens(bench->engine, &request, &bench->position);
}

static enum tau_status drop(struct workbench *bench, const char *label)
{
    struct tau_label named = workbench_label(label);
    return taud_engine_drop_lens(bench->engine, &named, &bench->position);
}

static enum tau_status query(struct workbench *bench, const char *label, int64_t timestamp,
                             struct tau_query_lens_response *ret)
{
    struct tau_label named = workbench_label(label);
    memset(ret, 0x55, sizeof *ret);
    return taud_engine_query_lens(bench->engine, &named, timestamp, ret);
}

static void expect_shown(struct workbench *bench, const char *label, int64_t timestamp,
                         double expected)
{
    struct tau_query_lens_response response;
    assert_int_equal(query(bench, label, timestamp, &response), TAU_STATUS_SUCCESS);
    assert_true(response.has_value);
    assert_true(fabs(response.value - expected) <= 1e-12 * fabs(expected));
}

static void expect_none(struct workbench *bench, const char *label, int64_t timestamp)
{
    struct tau_query_lens_response response;
    assert_int_equal(query(bench, label, timestamp, &response), TAU_STATUS_SUCCESS);
    assert_false(response.has_value);
}

// A series "s": 100, 110, 99, 99 at 10, 20, 30, 40.
static void make_series(struct workbench *bench)
{
    static const double values[] = {100, 110, 99, 99};
    workbench_create(bench, "s");
    for (int64_t i = 0; i < 4; i++)
        workbench_append(bench, "s", 10 * (i + 1), values[i]);
}

static void a_transform_is_what_its_name_says(void **state)
{
    struct workbench *bench = *state;
    static const struct {
        const char *name;
        double of_100;
    } cases[] = {
        {"identity", 100},
        {"celsius_to_fahrenheit", 212},
        {"fahrenheit_to_celsius", 340.0 / 9},
        {"celsius_to_kelvin", 373.15},
        {"kelvin_to_celsius", -173.15},
        {"meters_to_feet", 100 / 0.3048},
        {"feet_to_meters", 30.48},
    };
    make_series(bench);
    workbench_logged(bench);
    for (unsigned i = 0; i < 7; i++) {
        assert_int_equal(create(bench, cases[i].name, "s", cases[i].name), TAU_STATUS_SUCCESS);
        expect_shown(bench, cases[i].name, 10, cases[i].of_100);
        expect_none(bench, cases[i].name, 11);
        assert_int_equal(workbench_logged(bench), 1); // under a number that is its for ever
        assert_int_equal(bench->records[0].transforms[0], i);
    }
    assert_int_equal(create(bench, "returns", "s", "returns"), TAU_STATUS_SUCCESS);
    assert_int_equal(create(bench, "log", "s", "log_return"), TAU_STATUS_SUCCESS);
    assert_int_equal(workbench_logged(bench), 2);
    assert_int_equal(bench->records[0].transforms[0], 7);
    assert_int_equal(bench->records[1].transforms[0], 8);
    expect_shown(bench, "returns", 20, 110.0 / 100 - 1);
    expect_shown(bench, "returns", 30, 99.0 / 110 - 1);
    expect_shown(bench, "returns", 40, 0);
    expect_shown(bench, "log", 20, log(1.1));
    expect_none(bench, "returns", 10); // there is nothing before it
    expect_none(bench, "log", 10);
    expect_none(bench, "log", 25);
}

static void transforms_are_applied_from_the_source_outwards(void **state)
{
    struct workbench *bench = *state;
    make_series(bench);
    assert_int_equal(create(bench, "k", "s", "celsius_to_kelvin"), TAU_STATUS_SUCCESS);
    assert_int_equal(create(bench, "kf", "k", "celsius_to_fahrenheit"), TAU_STATUS_SUCCESS);
    assert_int_equal(create(bench, "f", "s", "celsius_to_fahrenheit"), TAU_STATUS_SUCCESS);
    assert_int_equal(create(bench, "r", "s", "returns"), TAU_STATUS_SUCCESS);
    assert_int_equal(create(bench, "kr", "k", "returns"), TAU_STATUS_SUCCESS);
    assert_int_equal(compose(bench, "rr", "r", "r"), TAU_STATUS_SUCCESS);
    assert_int_equal(compose(bench, "rk", "r", "k"), TAU_STATUS_SUCCESS);
    expect_shown(bench, "kf", 10, 373.15 * 9 / 5 + 32);
    expect_shown(bench, "kr", 20, 383.15 / 373.15 - 1);
    expect_shown(bench, "rk", 20, 0.1 + 273.15);
    expect_shown(bench, "rr", 30, -0.1 / (110.0 / 100 - 1) - 1);
    expect_none(bench, "rr", 20); // two returns look back twice
    expect_none(bench, "rr", 10);
    assert_int_equal(compose(bench, "kf2", "k", "f"), TAU_STATUS_SUCCESS);
    expect_shown(bench, "kf2", 10, 373.15 * 9 / 5 + 32);
}

// The points looked back on lie in two chunks.
static void looking_back_crosses_a_chunk(void **state)
{
    struct workbench *bench = *state;
    workbench_create(bench, "s");
    for (int64_t i = 0; i < 1030; i++)
        workbench_append(bench, "s", i, (double)(i + 1));
    assert_int_equal(create(bench, "r", "s", "returns"), TAU_STATUS_SUCCESS);
    for (int64_t i = 1020; i < 1030; i++)
        expect_shown(bench, "r", i, (double)(i + 1) / (double)i - 1);
}

static void a_request_is_checked_in_its_order(void **state)
{
    struct workbench *bench = *state;
    make_series(bench);
    assert_int_equal(create(bench, "l", "s", "identity"), TAU_STATUS_SUCCESS);
    uint64_t position = bench->position;
    assert_int_equal(create(bench, "l", "none", "squared"), TAU_STATUS_INVALID_PAYLOAD);
    assert_int_equal(create(bench, "m", "s", "identity "), TAU_STATUS_INVALID_PAYLOAD);
    assert_int_equal(create(bench, "m", "s", "identit"), TAU_STATUS_INVALID_PAYLOAD);
    assert_int_equal(create(bench, "m", "s", ""), TAU_STATUS_INVALID_PAYLOAD);
    assert_int_equal(create(bench, "l", "none", "identity"), TAU_STATUS_LENS_ALREADY_EXISTS);
    assert_int_equal(create(bench, "m", "none", "identity"), TAU_STATUS_SERIES_NOT_FOUND);
    assert_int_equal(create(bench, "m", "m", "identity"), TAU_STATUS_SERIES_NOT_FOUND);
    assert_int_equal(compose(bench, "l", "none", "l"), TAU_STATUS_LENS_ALREADY_EXISTS);
    assert_int_equal(compose(bench, "m", "none", "l"), TAU_STATUS_LENS_NOT_FOUND);
    assert_int_equal(compose(bench, "m", "l", "none"), TAU_STATUS_LENS_NOT_FOUND);
    assert_int_equal(compose(bench, "m", "s", "l"), TAU_STATUS_LENS_NOT_FOUND); // a series is none
    assert_int_equal(drop(bench, "s"), TAU_STATUS_LENS_NOT_FOUND);
    assert_int_equal(bench->position, position);
    assert_int_equal(create(bench, "s", "s", "identity"),
                     TAU_STATUS_SUCCESS); // as a lens it is free
}

static void a_source_is_sought_among_the_series_first(void **state)
{
    struct workbench *bench = *state;
    make_series(bench);
    workbench_create(bench, "other");
    workbench_append(bench, "other", 10, 1);
    assert_int_equal(create(bench, "other", "s", "identity"), TAU_STATUS_SUCCESS);
    assert_int_equal(create(bench, "l", "other", "identity"), TAU_STATUS_SUCCESS);
    expect_shown(bench, "l", 10, 1);
    assert_int_equal(workbench_try_drop(bench, "other"), TAU_STATUS_SUCCESS);
    assert_int_equal(create(bench, "m", "other", "identity"), TAU_STATUS_SUCCESS);
    expect_shown(bench, "m", 10, 100);
}

static void a_lens_holds_to_the_label_of_its_source_and_to_no_lens(void **state)
{
    struct workbench *bench = *state;
    struct tau_query_lens_response response;
    make_series(bench);
    assert_int_equal(create(bench, "a", "s", "celsius_to_kelvin"), TAU_STATUS_SUCCESS);
    assert_int_equal(create(bench, "b", "a", "identity"), TAU_STATUS_SUCCESS);
    assert_int_equal(drop(bench, "a"), TAU_STATUS_SUCCESS);
    assert_int_equal(query(bench, "a", 10, &response), TAU_STATUS_LENS_NOT_FOUND);
    assert_int_equal(drop(bench, "a"), TAU_STATUS_LENS_NOT_FOUND);
    expect_shown(bench, "b", 10, 373.15);
    assert_int_equal(workbench_try_drop(bench, "s"), TAU_STATUS_SUCCESS);
    assert_int_equal(query(bench, "b", 10, &response), TAU_STATUS_SERIES_NOT_FOUND);
    workbench_create(bench, "s");
    expect_none(bench, "b", 10);
    workbench_append(bench, "s", 10, 0);
    expect_shown(bench, "b", 10, 273.15);
}

static void sixteen_transforms_fit_and_one_more_does_not(void **state)
{
    struct workbench *bench = *state;
    char label[8], source[8] = "s";
    make_series(bench);
    for (unsigned i = 1; i <= 16; i++, strcpy(source, label)) {
        snprintf(label, sizeof label, "l%u", i);
        assert_int_equal(create(bench, label, source, i == 1 ? "celsius_to_kelvin" : "identity"),
                         TAU_STATUS_SUCCESS);
    }
    assert_int_equal(create(bench, "more", "l16", "identity"), TAU_STATUS_LIMIT_EXCEEDED);
    assert_int_equal(compose(bench, "more", "l16", "l1"), TAU_STATUS_LIMIT_EXCEEDED);
    assert_int_equal(compose(bench, "more", "l8", "l9"), TAU_STATUS_LIMIT_EXCEEDED);
    assert_int_equal(compose(bench, "just", "l8", "l8"), TAU_STATUS_SUCCESS);
    expect_shown(bench, "l16", 10, 373.15);
    expect_shown(bench, "just", 10, 373.15 + 273.15);
    struct tau_query_lens_response response;
    assert_int_equal(query(bench, "more", 10, &response), TAU_STATUS_LENS_NOT_FOUND);
}

static void sixteen_returns_need_sixteen_points_before(void **state)
{
    struct workbench *bench = *state;
    workbench_create(bench, "s");
    for (int64_t i = 0; i < 18; i++)
        workbench_append(bench, "s", i, exp((double)(i * i)));
    assert_int_equal(create(bench, "l1", "s", "log_return"), TAU_STATUS_SUCCESS);
    expect_shown(bench, "l1", 5, 25 - 16);
    char label[8], half[8] = "l1";
    for (unsigned i = 2; i <= 16; i *= 2, strcpy(half, label)) {
        snprintf(label, sizeof label, "l%u", i);
        assert_int_equal(compose(bench, label, half, half), TAU_STATUS_SUCCESS);
    }
    expect_none(bench, "l16", 15);
    struct tau_query_lens_response response;
    assert_int_equal(query(bench, "l16", 16, &response), TAU_STATUS_SUCCESS);
    assert_true(response.has_value);
}

static void lenses_are_logged_and_come_back(void **state)
{
    struct workbench *bench = *state;
    struct tau_label label = workbench_label("b"), source = workbench_label("s");
    make_series(bench);
    assert_int_equal(create(bench, "a", "s", "celsius_to_kelvin"), TAU_STATUS_SUCCESS);
    workbench_logged(bench);
    assert_int_equal(create(bench, "b", "a", "feet_to_meters"), TAU_STATUS_SUCCESS);
    assert_int_equal(drop(bench, "a"), TAU_STATUS_SUCCESS);
    assert_int_equal(workbench_logged(bench), 2);
    const struct taud_record *record = &bench->records[0];
    assert_int_equal(record->type, TAUD_RECORD_CREATE_LENS);
    assert_memory_equal(&record->label, &label, sizeof label);
    assert_memory_equal(&record->source, &source, sizeof source);
    assert_int_equal(record->count, 2);
    assert_memory_equal(record->transforms, ((uint8_t[16]){3, 6}), 16); // zeros behind
    label = workbench_label("a");
    assert_int_equal(bench->records[1].type, TAUD_RECORD_DROP_LENS);
    assert_memory_equal(&bench->records[1].label, &label, sizeof label);
    workbench_start(bench);
    assert_int_equal(bench->recovery.lens_count, 1);
    expect_shown(bench, "b", 10, 373.15 * 0.3048);
}

static void a_list_is_sorted_and_ends_at_its_limit(void **state)
{
    struct workbench *bench = *state;
    static const char *const names[] = {"c", "a", "b"};
    struct tau_label labels[4];
    size_t count = 9;
    bool more = true;
    make_series(bench);
    taud_engine_list_lenses(bench->engine, 4, labels, &count, &more);
    assert_int_equal(count, 0);
    assert_false(more);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(create(bench, names[i], "s", "identity"), TAU_STATUS_SUCCESS);
    for (size_t limit = 0; limit <= 4; limit++) {
        taud_engine_list_lenses(bench->engine, limit, labels, &count, &more);
        assert_int_equal(count, limit < 3 ? limit : 3);
        assert_int_equal(more, limit < 3);
        for (size_t i = 0; i < count; i++)
            assert_int_equal(labels[i].bytes[0], 'a' + i);
    }
    assert_int_equal(drop(bench, "a"), TAU_STATUS_SUCCESS);
    taud_engine_list_lenses(bench->engine, 4, labels, &count, &more);
    assert_int_equal(count, 2);
    assert_int_equal(labels[0].bytes[0], 'b');
}

static void a_lens_without_memory_leaves_no_trace(void **state)
{
    struct workbench *bench = *state;
    bench->options.memory_bytes = 1 << 20;
    workbench_start(bench);
    make_series(bench);
    char label[32];
    enum tau_status status = TAU_STATUS_SUCCESS;
    unsigned count = 0;
    for (;; count++) {
        snprintf(label, sizeof label, "lens.%u", count);
        status = create(bench, label, "s", "identity");
        if (status != TAU_STATUS_SUCCESS)
            break;
    }
    assert_int_equal(status, TAU_STATUS_STORAGE_FULL);
    assert_true(count > 3000);
    struct taud_engine_statistics figures;
    struct tau_query_lens_response response;
    uint64_t position = bench->position;
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(compose(bench, label, "lens.0", "lens.1"), TAU_STATUS_STORAGE_FULL);
    taud_engine_statistics(bench->engine, &figures);
    assert_int_equal(figures.lens_count, count);
    assert_int_equal(bench->position, position);
    assert_int_equal(query(bench, label, 10, &response), TAU_STATUS_LENS_NOT_FOUND);
    assert_int_equal(drop(bench, "lens.0"), TAU_STATUS_SUCCESS);
    assert_int_equal(create(bench, label, "s", "identity"), TAU_STATUS_SUCCESS);
}

// Memory for the lens itself is there, and none for the page of the index that would list it.
static void a_lens_that_cannot_be_listed_is_taken_back(void **state)
{
    struct workbench *bench = *state;
    char label[32] = "first";
    unsigned count = 0;
    workbench_hold(bench);
    make_series(bench);
    enum tau_status status = create(bench, label, "s", "identity");
    workbench_exhaust_pages(bench);
    for (; status == TAU_STATUS_SUCCESS; count++) {
        snprintf(label, sizeof label, "z.%u", count);
        status = create(bench, label, "s", "identity");
    }
    assert_int_equal(status, TAU_STATUS_STORAGE_FULL);
    assert_true(count > 10 && count < 200); // so it was not the lens
    struct tau_query_lens_response response;
    for (unsigned i = 0; i < 3000; i++) {
        assert_int_equal(query(bench, label, 10, &response), TAU_STATUS_LENS_NOT_FOUND);
        assert_int_equal(create(bench, label, "s", "identity"), TAU_STATUS_STORAGE_FULL);
    }
    struct taud_engine_statistics figures;
    taud_engine_statistics(bench->engine, &figures);
    assert_int_equal(figures.lens_count, count); // the first one, and all but the last
    workbench_work(bench, TAUD_WORK_FLUSH); // what was dropped is gone then
    workbench_create(bench, "small.0000");  // on a page with room, of the size of a lens
}

static void a_failed_log_keeps_the_lenses_as_they_are(void **state)
{
    struct workbench *bench = *state;
    make_series(bench);
    assert_int_equal(create(bench, "a", "s", "identity"), TAU_STATUS_SUCCESS);
    workbench_fail_log(bench);
    assert_int_equal(create(bench, "b", "s", "identity"), TAU_STATUS_READ_ONLY);
    assert_int_equal(compose(bench, "b", "a", "a"), TAU_STATUS_READ_ONLY);
    assert_int_equal(drop(bench, "a"), TAU_STATUS_READ_ONLY);
    expect_shown(bench, "a", 10, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORKBENCH_TEST(a_transform_is_what_its_name_says),
        WORKBENCH_TEST(transforms_are_applied_from_the_source_outwards),
        WORKBENCH_TEST(looking_back_crosses_a_chunk),
        WORKBENCH_TEST(a_request_is_checked_in_its_order),
        WORKBENCH_TEST(a_source_is_sought_among_the_series_first),
        WORKBENCH_TEST(a_lens_holds_to_the_label_of_its_source_and_to_no_lens),
        WORKBENCH_TEST(sixteen_transforms_fit_and_one_more_does_not),
        WORKBENCH_TEST(sixteen_returns_need_sixteen_points_before),
        WORKBENCH_TEST(lenses_are_logged_and_come_back),
        WORKBENCH_TEST(a_list_is_sorted_and_ends_at_its_limit),
        WORKBENCH_TEST(a_lens_without_memory_leaves_no_trace),
        WORKBENCH_TEST(a_lens_that_cannot_be_listed_is_taken_back),
        WORKBENCH_TEST(a_failed_log_keeps_the_lenses_as_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
