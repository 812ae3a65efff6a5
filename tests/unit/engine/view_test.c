// SPDX-License-Identifier: MIT
// Views: tombstones are found by their series, in the order in which they were added; segments live
// as long as a view that has them; and a reader keeps what it took while another takes its place.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "failing_allocator.h"
#include "store_rig.h"

#include "engine/view.h"

enum { TOMBSTONES = 500, SERIES = 7 };

static struct taud_tombstone tombstone_of(unsigned number)
{
    return (struct taud_tombstone){
        .identity = 1 + number * 5 % SERIES, .from = (int64_t)number, .to = 1000, .sequence = 1};
}

static void check(const struct taud_view *view, unsigned added)
{
    for (uint64_t identity = 0; identity <= SERIES + 1; identity++) {
        uint32_t count, found = 0;
        const struct taud_tombstone *tombstones = taud_view_tombstones(view, identity, &count);
        for (unsigned i = 0; i < added; i++) {
            struct taud_tombstone expected = tombstone_of(i);
            if (expected.identity != identity)
                continue;
            assert_true(found < count);
            assert_int_equal(tombstones[found].identity, identity);
            assert_int_equal(tombstones[found++].from, expected.from);
        }
        assert_int_equal(found, count);
        assert_true((tombstones == NULL) == (count == 0));
    }
}

static void tombstones_are_found_by_series(void **state)
{
    (void)state;
    struct taud_tombstone tombstones[TOMBSTONES];
    for (unsigned i = 0; i < TOMBSTONES; i++)
        tombstones[i] = tombstone_of(i);
    for (unsigned count = 0; count <= TOMBSTONES; count += count < 20 ? 1 : 97) {
        struct taud_view *view =
            taud_view_new(taud_allocator_system(), 3, NULL, 0, tombstones, count);
        assert_non_null(view);
        assert_int_equal(view->generation, 3);
        check(view, count);
        taud_view_release(view);
    }
    taud_view_release(NULL);
}

static void one_more_goes_behind_those_of_its_series(void **state)
{
    (void)state;
    struct taud_view *view = taud_view_new(taud_allocator_system(), 3, NULL, 0, NULL, 0);
    for (unsigned i = 0; i < 60; i++) {
        struct taud_tombstone tombstone = tombstone_of(i);
        struct taud_view *next = taud_view_with(view, &tombstone);
        assert_non_null(next);
        assert_int_equal(next->generation, 3);
        check(view, i);
        check(next, i + 1);
        taud_view_release(view);
        view = next;
    }
    struct taud_tombstone greatest = {.identity = UINT64_MAX};
    struct taud_view *next = taud_view_with(view, &greatest);
    uint32_t count;
    assert_non_null(taud_view_tombstones(next, UINT64_MAX, &count));
    assert_int_equal(count, 1);
    taud_view_release(next);
    taud_view_release(view);
}

static void segments_live_with_their_views(void **state)
{
    (void)state;
    struct store_rig rig;
    struct taud_views views = {.current = NULL};
    pthread_mutex_init(&views.mutex, NULL);
    store_rig_init(&rig);
    struct store_shape shape = {.name = {1, 0}, .series = 2, .chunks = 1, .points = 3};
    store_rig_write(&rig, shape);
    struct taud_segment *segment = store_rig_open(&rig, shape.name);
    views.current = taud_view_new(rig.store.allocator, 1, &segment, 1, NULL, 0);
    assert_non_null(views.current);
    taud_segment_release(segment); // the view has it
    struct taud_view *taken = taud_views_take(&views);
    taud_views_replace(&views, taud_view_with(taken, &(struct taud_tombstone){.identity = 10}));
    taud_views_replace(&views, taud_view_new(rig.store.allocator, 2, NULL, 0, NULL, 0));
    assert_int_equal(views.current->segment_count, 0);
    assert_ptr_equal(taken->segments[0], segment);
    assert_int_equal(store_rig_count_good(&rig, taken->segments[0], shape), 2);
    taud_view_release(taken);
    struct taud_view *last = taud_views_exchange(&views, NULL);
    assert_int_equal(last->references, 1);
    taud_view_release(last);
    pthread_mutex_destroy(&views.mutex);
    store_rig_done(&rig);
}

static void without_memory_there_is_none(void **state)
{
    (void)state;
    struct failing_allocator memory;
    struct taud_tombstone tombstone = tombstone_of(1);
    failing_allocator_init(&memory, 2, true);
    struct taud_view *view = taud_view_new(&memory.table, 1, NULL, 0, &tombstone, 1);
    assert_non_null(view);
    assert_null(taud_view_with(view, &tombstone));
    assert_null(taud_view_new(&memory.table, 1, NULL, 0, &tombstone, 1));
    taud_view_release(view);
    assert_int_equal(atomic_load(&memory.live), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tombstones_are_found_by_series),
        cmocka_unit_test(one_more_goes_behind_those_of_its_series),
        cmocka_unit_test(segments_live_with_their_views),
        cmocka_unit_test(without_memory_there_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
