// SPDX-License-Identifier: MIT
// Series that are named, and those of a prefix: pages of any size, what is refused, and the share
// of labels.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "workbench.h"

#include "engine/query/selection.h"
#include "engine/state.h"

#include <string.h>

enum { SERIES = 50 };

static void create_all(struct workbench *bench)
{
    for (int i = 0; i < SERIES; i++) {
        char name[32];
        snprintf(name, sizeof name, "s.%02d", i);
        workbench_create(bench, name);
    }
    workbench_create(bench, "t");
}

static struct tau_slice slice_of(const char *text)
{
    return (struct tau_slice){.data = (const uint8_t *)text, .size = strlen(text)};
}

static void expect_series(const struct taud_selection *selection, uint32_t limit, int first,
                          int count)
{
    struct taud_selection_place place = {0};
    struct tau_label labels[SERIES + 1];
    int seen = 0;
    while (!place.ended) {
        uint32_t got = taud_selection_next(selection, &place, limit, labels);
        assert_true(got <= limit && (got == limit || place.ended));
        for (uint32_t i = 0; i < got; i++, seen++) {
            char name[32];
            snprintf(name, sizeof name, "s.%02d", first + seen);
            struct tau_label label = workbench_label(name);
            assert_memory_equal(&labels[i], &label, sizeof label);
        }
    }
    assert_int_equal(seen, count);
    assert_int_equal(taud_selection_next(selection, &place, limit, labels), 0);
}

static void a_prefix_comes_in_pages(void **state)
{
    struct workbench *bench = *state;
    struct taud_selection selection;
    create_all(bench);
    for (uint32_t limit = 1; limit <= SERIES + 1; limit += 7) {
        assert_int_equal(taud_selection_init(&selection, bench->engine, bench->engine->crew,
                                             slice_of("s."), (struct tau_array){0}),
                         TAU_STATUS_SUCCESS);
        expect_series(&selection, limit, 0, SERIES);
        taud_selection_done(&selection);
        assert_int_equal(taud_selection_init(&selection, bench->engine, bench->engine->crew,
                                             slice_of("s.1"), (struct tau_array){0}),
                         TAU_STATUS_SUCCESS);
        expect_series(&selection, limit, 10, 10);
        taud_selection_done(&selection);
    }
}

static void labels_come_as_they_are_named(void **state)
{
    struct workbench *bench = *state;
    struct taud_selection selection;
    struct tau_label labels[SERIES];
    create_all(bench);
    for (int i = 0; i < SERIES; i++) {
        char name[32];
        snprintf(name, sizeof name, "s.%02d", i);
        labels[i] = workbench_label(name);
    }
    assert_int_equal(taud_selection_init(&selection, bench->engine, bench->engine->crew,
                                         slice_of(""),
                                         (struct tau_array){.data = labels, .count = SERIES}),
                     TAU_STATUS_SUCCESS);
    memset(labels, 0, sizeof labels); // the request goes
    for (uint32_t limit = 1; limit <= SERIES + 1; limit += 7)
        expect_series(&selection, limit, 0, SERIES);
    taud_selection_done(&selection);
}

static void what_is_refused(void **state)
{
    struct workbench *bench = *state;
    struct taud_crew *crew = bench->engine->crew;
    struct taud_selection selection;
    struct tau_label labels[] = {workbench_label("t"), workbench_label("none")};
    const struct tau_array both = {.data = labels, .count = 2}, one = {.data = labels, .count = 1};
    create_all(bench);
    assert_int_equal(taud_selection_init(&selection, bench->engine, crew, slice_of(""), both),
                     TAU_STATUS_SERIES_NOT_FOUND);
    assert_int_equal(taud_selection_init(&selection, bench->engine, crew, slice_of("t"), one),
                     TAU_STATUS_INVALID_PAYLOAD);
    assert_int_equal(taud_selection_init(&selection, bench->engine, crew,
                                         slice_of("123456789 123456789 123456789 123"),
                                         (struct tau_array){0}),
                     TAU_STATUS_INVALID_PAYLOAD);
    failing_allocator_fail_next(&bench->memory, 1);
    assert_int_equal(taud_selection_init(&selection, bench->engine, crew, slice_of(""), one),
                     TAU_STATUS_NO_MEMORY);
    assert_true(taud_crew_reserve(crew, TAUD_CREW_LABELS, TAUD_QUERY_LABEL_BYTES - 31));
    assert_int_equal(taud_selection_init(&selection, bench->engine, crew, slice_of(""), one),
                     TAU_STATUS_THROTTLED);
    taud_crew_return(crew, TAUD_CREW_LABELS, TAUD_QUERY_LABEL_BYTES - 31);
    // None of those kept anything of the share.
    assert_true(taud_crew_reserve(crew, TAUD_CREW_LABELS, TAUD_QUERY_LABEL_BYTES));
    taud_crew_return(crew, TAUD_CREW_LABELS, TAUD_QUERY_LABEL_BYTES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORKBENCH_TEST(a_prefix_comes_in_pages),
        WORKBENCH_TEST(labels_come_as_they_are_named),
        WORKBENCH_TEST(what_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
