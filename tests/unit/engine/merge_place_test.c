// SPDX-License-Identifier: MIT
// Units of places by themselves: what of them is wanted, and in which windows it comes; chunks that
// lie about their times between two windows, which the merge sees only when many overlap; and that
// what is held for a unit is given back.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "merge_rig.h"

#include "engine/read/merge_place.h"

#include <string.h>

enum { POINTS = 1000, MANY = 300 };

static struct merge_rig rig;
static int64_t timestamps[POINTS];
static double values[POINTS];
static const struct merge_rig_points all = {timestamps, values, POINTS};

// A merge of one place: of columns, of a chunk in memory, of one in a segment.
static struct taud_merge *make(struct taud_merge_options options, enum merge_kind kind)
{
    struct taud_merge *merge = taud_merge_new(&options);
    assert_non_null(merge);
    if (kind == MERGE_COLUMNS)
        assert_true(taud_merge_add_columns(merge, timestamps, values, POINTS, 1));
    else if (kind == MERGE_SEALED)
        assert_true(taud_merge_add_sealed(merge, rig.sealed, 1, 1));
    else
        assert_true(taud_merge_add_segment(merge, rig.segments[0]));
    return merge;
}

// Goes through the windows of the only unit; returns how many there are.
static unsigned windows_of(struct taud_merge *merge, int64_t first, int64_t last)
{
    struct merge_place *place = &merge->places[0];
    bool descending = merge->options.descending;
    int64_t step = descending ? -10 : 10, next = descending ? last : first;
    unsigned count = 0;
    int64_t key;
    assert_true(merge_place_skip(merge, place, &key));
    assert_int_equal(merge_place_begin(merge, place), TAU_STATUS_SUCCESS);
    for (; place->unit->count > 0; count++) {
        for (uint32_t i = 0; i < place->unit->count; i++, next += step) {
            assert_int_equal(place->unit->timestamps[i], next);
            assert_true(place->unit->values[i] == (double)next);
        }
        assert_int_equal(merge_place_load(merge, place), TAU_STATUS_SUCCESS);
    }
    assert_int_equal(next, descending ? first - 10 : last + 10);
    merge_place_end(merge, place);
    assert_false(merge_place_skip(merge, place, &key));
    return count;
}

static void windows_cover_what_is_wanted(void **state)
{
    static const struct {
        int64_t from, to, first, last;
    } cases[] = {
        {INT64_MIN, INT64_MAX, 0, 9990},
        {0, 9990, 0, 9990},
        {1, 9989, 10, 9980},
        {10, 10, 10, 10},
        {2555, 7777, 2560, 7770},
        {-5, 3, 0, 0},
        {9990, INT64_MAX, 9990, 9990},
    };
    (void)state;
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (unsigned kind = 0; kind < 6; kind++) {
            struct taud_merge_options options = merge_rig_options(&rig);
            options.from = cases[i].from;
            options.to = cases[i].to;
            options.descending = kind >= 3;
            struct taud_merge *merge = make(options, kind % 3);
            assert_int_equal(windows_of(merge, cases[i].first, cases[i].last), 1);
            taud_merge_free(merge);
        }
    }
}

static void where_many_units_are_begun_windows_are_small(void **state)
{
    static const struct {
        uint32_t begun;
        unsigned windows;
    } cases[] = {{0, 1}, {15, 1}, {16, 8}, {255, 8}, {256, 63}};
    (void)state;
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (unsigned kind = 0; kind < 6; kind++) {
            struct taud_merge_options options = merge_rig_options(&rig);
            options.descending = kind >= 3;
            struct taud_merge *merge = make(options, kind % 3);
            merge->unit_count = cases[i].begun;
            // Columns that ascend stand where they are.
            unsigned expected = kind == MERGE_COLUMNS ? 1 : cases[i].windows;
            assert_int_equal(windows_of(merge, 0, 9990), expected);
            assert_int_equal(merge->unit_count, cases[i].begun);
            taud_merge_free(merge);
        }
    }
}

static void what_is_hidden_is_in_no_window(void **state)
{
    const struct taud_tombstone tombstones[] = {{MERGE_RIG_IDENTITY, 500, 9989, 1},
                                                {MERGE_RIG_IDENTITY, 0, 5, 1}};
    (void)state;
    for (unsigned kind = 0; kind < 6; kind++) {
        struct taud_merge_options options = merge_rig_options(&rig);
        struct merge_place *place;
        uint32_t count = 0;
        int64_t key;
        options.descending = kind >= 3;
        options.tombstones = tombstones;
        options.tombstone_count = 2;
        struct taud_merge *merge = make(options, kind % 3);
        merge->unit_count = 20; // windows of 128, most of which stay empty
        place = &merge->places[0];
        assert_true(merge_place_skip(merge, place, &key));
        assert_int_equal(key, options.descending ? ~INT64_C(9990) : 0);
        assert_int_equal(merge_place_begin(merge, place), TAU_STATUS_SUCCESS);
        while (place->unit->count > 0) {
            count += place->unit->count;
            assert_int_equal(merge_place_load(merge, place), TAU_STATUS_SUCCESS);
        }
        assert_int_equal(count, 49 + 1);
        taud_merge_free(merge); // with the unit that was begun
    }
}

static void a_place_that_is_hidden_has_no_unit(void **state)
{
    const struct taud_tombstone tombstone = {MERGE_RIG_IDENTITY, 0, 9990, 1};
    (void)state;
    for (unsigned kind = 0; kind < 3; kind++) {
        struct taud_merge_options options = merge_rig_options(&rig);
        int64_t key;
        options.tombstones = &tombstone;
        options.tombstone_count = 1;
        struct taud_merge *merge = make(options, kind);
        assert_false(merge_place_skip(merge, &merge->places[0], &key));
        taud_merge_free(merge);
    }
}

// --- lies -------------------------------------------------------------------------------------

static void a_window_begins_behind_the_one_before(void **state)
{
    (void)state;
    for (unsigned descending = 0; descending < 2; descending++) {
        struct taud_merge_options options = merge_rig_options(&rig);
        int64_t key;
        options.descending = descending;
        struct taud_merge *merge = make(options, MERGE_SEALED);
        struct merge_place *place = &merge->places[0];
        merge->unit_count = MANY;
        assert_true(merge_place_skip(merge, place, &key));
        assert_int_equal(merge_place_begin(merge, place), TAU_STATUS_SUCCESS);
        // As if the window before had ended where the next one begins.
        if (descending)
            place->unit->last = timestamps[place->unit->high - 1];
        else
            place->unit->first = timestamps[place->unit->low];
        assert_int_equal(merge_place_load(merge, place), TAU_STATUS_INTERNAL_ERROR);
        assert_non_null(strstr(merge->error.text, "in memory is damaged"));
        taud_merge_free(merge);
    }
}

static void timestamps_have_to_ascend_within_their_bounds(void **state)
{
    static const int64_t good[] = {-3, 0, 5, 6}, equal[] = {1, 2, 2, 3}, falls[] = {1, 3, 2, 4};
    struct taud_merge *merge = make(merge_rig_options(&rig), MERGE_SEALED);
    (void)state;
    assert_true(merge_is_sound(merge, good, 4, -3, 6));
    assert_true(merge_is_sound(merge, good, 1, -3, -3));
    assert_false(merge_is_sound(merge, good, 4, -2, 6));
    assert_false(merge_is_sound(merge, good, 4, -3, 5));
    assert_false(merge_is_sound(merge, equal, 4, 0, 9));
    assert_false(merge_is_sound(merge, falls, 4, 0, 9));
    taud_merge_free(merge);
}

static void bytes_that_are_no_chunk_are_refused(void **state)
{
    struct taud_merge *merge = make(merge_rig_options(&rig), MERGE_SEALED);
    struct taud_chunk chunk;
    struct taud_chunk_bytes bytes;
    (void)state;
    assert_int_equal(merge_read_unit(merge, &merge->places[0], 0, &bytes), TAU_STATUS_SUCCESS);
    assert_int_equal(merge_open_unit(merge, &merge->places[0], 0, &bytes, &chunk),
                     TAU_STATUS_SUCCESS);
    bytes.size = 3;
    assert_int_equal(merge_open_unit(merge, &merge->places[0], 0, &bytes, &chunk),
                     TAU_STATUS_INTERNAL_ERROR);
    taud_merge_free(merge);
}

static int setup(void **state)
{
    (void)state;
    merge_rig_init(&rig, true);
    for (int i = 0; i < POINTS; i++) {
        timestamps[i] = (int64_t)i * 10;
        values[i] = (double)timestamps[i];
    }
    merge_rig_seal(&rig, all);
    merge_rig_segment(&rig, 1, &all, 1, NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    merge_rig_done(&rig);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_cover_what_is_wanted),
        cmocka_unit_test(where_many_units_are_begun_windows_are_small),
        cmocka_unit_test(what_is_hidden_is_in_no_window),
        cmocka_unit_test(a_place_that_is_hidden_has_no_unit),
        cmocka_unit_test(a_window_begins_behind_the_one_before),
        cmocka_unit_test(timestamps_have_to_ascend_within_their_bounds),
        cmocka_unit_test(bytes_that_are_no_chunk_are_refused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
