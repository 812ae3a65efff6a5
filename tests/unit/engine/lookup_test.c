// SPDX-License-Identifier: MIT
// The point at one timestamp, against the model of a series that changes in every way, wherever it
// is at that moment; tombstones, retention, damage, and steps that are taken one by one.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "read_rig.h"

#include "engine/read/lookup.h"

#include <string.h>

static struct read_rig rig;

static void expect(int64_t timestamp, bool there, double value)
{
    double found_value = -5;
    bool found;
    assert_int_equal(
        taud_lookup(&rig.engine, rig.shard, rig.series, timestamp, &found, &found_value),
        TAU_STATUS_SUCCESS);
    if (found != there || (there && found_value != value))
        fail_msg("at %lld: %d %f instead of %d %f", (long long)timestamp, found, found_value, there,
                 value);
}

static void it_finds_what_the_model_has(void **state)
{
    enum { CHANGES = 60, ROUNDS = 25 };
    (void)state;
    for (uint64_t round = 0; round < ROUNDS; round++) {
        read_rig_init(&rig, round + 1000);
        for (unsigned i = 0; i < CHANGES; i++) {
            read_rig_change(&rig);
            for (unsigned k = 0; k < 200; k++) {
                uint32_t timestamp = read_rig_dice(&rig, READ_RIG_TIME);
                expect(timestamp, rig.points.there[timestamp], rig.points.values[timestamp]);
            }
            expect(-1, false, 0);
            expect(INT64_MIN, false, 0);
            expect(INT64_MAX, false, 0);
        }
        read_rig_done(&rig);
    }
}

static void memory_says_what_may_hide_its_points(void **state)
{
    double value;
    uint64_t sequence = 5;
    (void)state;
    read_rig_init(&rig, 1);
    assert_false(taud_find_in_memory(&rig.engine.storage, rig.series, rig.shard->codec, 0, &value,
                                     &sequence));
    read_rig_append(&rig, 7, 70);
    assert_true(taud_find_in_memory(&rig.engine.storage, rig.series, rig.shard->codec, 7, &value,
                                    &sequence));
    assert_true(value == 70 && sequence == UINT64_MAX);
    read_rig_cut(&rig); // it becomes a segment of sequence 1
    assert_true(taud_find_in_memory(&rig.engine.storage, rig.series, rig.shard->codec, 7, &value,
                                    &sequence));
    assert_true(value == 70 && sequence == 1);
    read_rig_append(&rig, 7, 71);
    assert_true(taud_find_in_memory(&rig.engine.storage, rig.series, rig.shard->codec, 7, &value,
                                    &sequence));
    assert_true(value == 71 && sequence == UINT64_MAX);
    read_rig_done(&rig);
}

static void a_tombstone_hides_up_to_its_sequence(void **state)
{
    const struct taud_tombstone tombstones[] = {
        {9, 0, 100, 4}, {9, 50, 60, 7}, {9, 55, 200, 2}, {10, 0, 100, 9}};
    struct taud_view *view = taud_view_new(taud_allocator_system(), 1, NULL, 0, tombstones, 4);
    (void)state;
    assert_int_equal(taud_visible_from(view, 9, -1), 0);
    assert_int_equal(taud_visible_from(view, 9, 0), 5);
    assert_int_equal(taud_visible_from(view, 9, 50), 8);
    assert_int_equal(taud_visible_from(view, 9, 60), 8);
    assert_int_equal(taud_visible_from(view, 9, 61), 5);
    assert_int_equal(taud_visible_from(view, 9, 101), 3);
    assert_int_equal(taud_visible_from(view, 10, 100), 10);
    assert_int_equal(taud_visible_from(view, 11, 100), 0);
    taud_view_release(view);
}

static void what_is_too_old_is_not_found(void **state)
{
    (void)state;
    read_rig_init(&rig, 1);
    for (int64_t i = 0; i < 2000; i++)
        read_rig_append(&rig, i, 3);
    rig.series->retention = 100;
    expect(1898, false, 0);
    expect(1899, true, 3);
    read_rig_cut(&rig);
    read_rig_store(&rig);
    read_rig_detach(&rig);
    expect(1898, false, 0);
    expect(1899, true, 3);
    read_rig_done(&rig);
}

// --- segments ---------------------------------------------------------------------------------

static int64_t timestamps[100];
static double values[100];

// One segment with a point at every tenth time, value as it says.
static struct taud_segment *segment_of(uint64_t sequence, double value, int64_t first)
{
    struct merge_rig_points points = {timestamps, values, 100};
    for (int i = 0; i < 100; i++) {
        timestamps[i] = first + i * 10;
        values[i] = value;
    }
    return merge_rig_segment(&rig.places, sequence, &points, 1, NULL);
}

static void the_newest_segment_is_searched_first(void **state)
{
    struct taud_segment *segments[3];
    bool found;
    double value;
    (void)state;
    read_rig_init(&rig, 1);
    segments[0] = segment_of(1, 1, 0);
    segments[1] = segment_of(2, 2, 5);
    segments[2] = segment_of(3, 3, 0);
    struct taud_view *view = taud_view_new(taud_allocator_system(), 1, segments, 3, NULL, 0);
    static const struct {
        int64_t timestamp;
        uint64_t visible_from;
        bool found;
        double value;
    } cases[] = {{10, 0, true, 3},  {10, 3, true, 3},  {10, 4, false, 0}, {15, 0, true, 2},
                 {15, 3, false, 0}, {11, 0, false, 0}, {995, 0, true, 2}};
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct taud_search search = {.identity = MERGE_RIG_IDENTITY,
                                     .timestamp = cases[i].timestamp,
                                     .visible_from = cases[i].visible_from,
                                     .segment = 3};
        assert_int_equal(taud_search_finish(&search, view, rig.shard->codec, &found, &value, NULL),
                         TAU_STATUS_SUCCESS);
        assert_int_equal(found, cases[i].found);
        assert_true(!found || value == cases[i].value);
    }
    struct taud_search other = {.identity = 77, .timestamp = 10, .segment = 3};
    assert_false(taud_search_locate(&other, view));
    taud_view_release(view);
    read_rig_done(&rig);
}

static void damage_is_told_and_no_older_value_is_given(void **state)
{
    struct taud_segment *segments[2];
    struct taud_error error = {.text = ""};
    struct taud_search search = {.identity = MERGE_RIG_IDENTITY, .timestamp = 10, .segment = 2};
    bool found = true;
    double value;
    (void)state;
    read_rig_init(&rig, 1);
    segments[0] = segment_of(1, 1, 0);
    segments[1] = segment_of(2, 2, 0);
    merge_rig_on_disk(&rig.places, segments[1], 1)[12] ^= 1;
    struct taud_view *view = taud_view_new(taud_allocator_system(), 1, segments, 2, NULL, 0);
    assert_int_equal(taud_search_finish(&search, view, rig.shard->codec, &found, &value, &error),
                     TAU_STATUS_INTERNAL_ERROR);
    assert_false(found);
    assert_non_null(strstr(error.text, "segments/0000000000000002-"));
    taud_view_release(view);
    read_rig_done(&rig);
}

static void bytes_that_no_codec_wrote_are_told(void **state)
{
    static uint8_t junk[64];
    struct taud_segment *segment;
    struct taud_error error = {.text = ""};
    struct taud_search search = {.identity = MERGE_RIG_IDENTITY, .timestamp = 10};
    bool found;
    double value;
    (void)state;
    read_rig_init(&rig, 1);
    segment = segment_of(2, 2, 0);
    struct taud_view *view = taud_view_new(taud_allocator_system(), 1, &segment, 1, NULL, 0);
    search.bytes = (struct taud_chunk_bytes){.data = junk, .size = 5};
    assert_int_equal(taud_search_look(&search, view, rig.shard->codec, &found, &value, &error),
                     TAU_STATUS_INTERNAL_ERROR);
    assert_non_null(strstr(error.text, "cannot be decoded"));
    taud_view_release(view);
    read_rig_done(&rig);
}

static void no_memory_for_what_is_read_is_told(void **state)
{
    bool found;
    double value;
    (void)state;
    read_rig_init(&rig, 1);
    read_rig_append(&rig, 5, 50);
    read_rig_cut(&rig);
    read_rig_store(&rig);
    read_rig_detach(&rig);
    failing_allocator_fail_next(&rig.places.store.local.memory, 1);
    assert_int_equal(taud_lookup(&rig.engine, rig.shard, rig.series, 5, &found, &value),
                     TAU_STATUS_NO_MEMORY);
    expect(5, true, 50);
    unsigned calls = rig.places.store.local.memory.calls;
    expect(5, true, 50);
    assert_int_equal(rig.places.store.local.memory.calls, calls); // it is in the cache
    read_rig_done(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_finds_what_the_model_has),
        cmocka_unit_test(memory_says_what_may_hide_its_points),
        cmocka_unit_test(a_tombstone_hides_up_to_its_sequence),
        cmocka_unit_test(what_is_too_old_is_not_found),
        cmocka_unit_test(the_newest_segment_is_searched_first),
        cmocka_unit_test(damage_is_told_and_no_older_value_is_given),
        cmocka_unit_test(bytes_that_no_codec_wrote_are_told),
        cmocka_unit_test(no_memory_for_what_is_read_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
