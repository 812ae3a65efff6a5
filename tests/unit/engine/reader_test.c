// SPDX-License-Identifier: MIT
// Points on their way into windows: from wherever a window begins to wherever it ends, in one form
// or another, and CANCEL between two pieces.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "query_rig.h"

#include "engine/query/feed.h"
#include "engine/query/reader.h"

#include <math.h>

enum { POINTS = 3000 };

static struct taud_aggregate_memory memory;

static struct taud_aggregate_plan plan_of(uint64_t width, enum taud_aggregate_function function)
{
    struct taud_aggregate_plan plan;
    const struct taud_aggregate_column column = {function, 0.5};
    const struct taud_aggregate_options options = {
        .to = POINTS - 1, .width = width, .columns = &column, .column_count = 1};
    memory = (struct taud_aggregate_memory){taud_allocator_system(), UINT64_MAX, 0};
    assert_int_equal(taud_aggregate_plan_init(&plan, &options), TAU_STATUS_SUCCESS);
    return plan;
}

// Reads the series in windows of `capacity` buckets, each placed at the next point; returns how
// many points they had, and in ret_windows how many windows there were.
static uint64_t read_all(struct workbench *bench, const struct taud_aggregate_plan *plan,
                         uint32_t capacity, size_t *ret_windows)
{
    struct tau_label label = workbench_label("s");
    struct taud_feed feed = {.allocator = NULL};
    struct taud_reader reader;
    struct taud_points_bounds bounds;
    struct taud_aggregate_window window;
    uint64_t count = 0;
    int64_t timestamp, expected = 0;
    bool any, more = true;
    assert_int_equal(
        taud_reader_open(&reader, bench->engine, &label, plan, plan->from, plan->to, &bounds),
        TAU_STATUS_SUCCESS);
    assert_int_equal(taud_aggregate_window_init(&window, plan, &memory, capacity), 0);
    for (*ret_windows = 0; more; (*ret_windows)++) {
        assert_int_equal(taud_reader_peek(&reader, &timestamp, &any), TAU_STATUS_SUCCESS);
        assert_true(any && timestamp == expected);
        taud_aggregate_window_place(&window, taud_aggregate_bucket_of(plan, timestamp));
        assert_int_equal(taud_reader_fill(&reader, &window, taud_feed_goes_on, &feed, &more),
                         TAU_STATUS_SUCCESS);
        for (uint32_t i = window.used_first; i < window.used_end; i++)
            count += window.buckets[i - window.first].count;
        expected = (int64_t)count;
    }
    assert_int_equal(taud_reader_peek(&reader, &timestamp, &any), TAU_STATUS_SUCCESS);
    assert_false(any);
    taud_aggregate_window_done(&window);
    taud_reader_close(&reader);
    assert_true(memory.used_bytes == 0);
    return count;
}

static void windows_of_any_size(void **state)
{
    struct workbench *bench = *state;
    static const uint64_t widths[] = {1, 7, 1024, 0};
    static const enum taud_aggregate_function functions[] = {
        TAUD_AGGREGATE_COUNT, TAUD_AGGREGATE_QUANTILE, TAUD_AGGREGATE_TIME_WEIGHTED_AVERAGE};
    rig_series(bench, "s", 0, 1, POINTS, 0);
    for (size_t w = 0; w < 4; w++) {
        for (size_t f = 0; f < 3; f++) {
            struct taud_aggregate_plan plan = plan_of(widths[w], functions[f]);
            for (uint32_t capacity = 1; capacity <= POINTS; capacity = capacity * 13 + 1) {
                size_t windows;
                assert_int_equal(read_all(bench, &plan, capacity, &windows), POINTS);
                assert_int_equal(windows, (plan.bucket_count + capacity - 1) / capacity);
            }
        }
    }
}

// Chunks that lie in a window are folded, others cut or given as they are: buckets of any width
// have the mean and the deviation of the numbers 0, 1, 2 ... that lie in them.
static void buckets_of_any_width_are_right(void **state)
{
    struct workbench *bench = *state;
    static const uint64_t widths[] = {5, 100, 700, 1500, 0};
    const struct taud_aggregate_column mean = {TAUD_AGGREGATE_MEAN, 0};
    const struct taud_aggregate_column deviation = {TAUD_AGGREGATE_STDDEV_POPULATION, 0};
    struct tau_label label = workbench_label("s");
    struct taud_feed feed = {.allocator = NULL};
    rig_series(bench, "s", 0, 1, POINTS, 0);
    for (size_t turn = 0; turn < 20; turn++) {
        struct taud_aggregate_plan plan = plan_of(
            widths[turn / 4], turn % 2 ? TAUD_AGGREGATE_MEAN : TAUD_AGGREGATE_STDDEV_POPULATION);
        struct taud_aggregate_window window;
        struct taud_reader reader;
        bool more;
        plan.from = (int64_t)(turn % 4 / 2 * 77); // in the first bucket or behind it
        plan.bucket_count -= plan.width > 0 ? (uint32_t)((uint64_t)plan.from / plan.width) : 0;
        plan.phase = plan.width > 0 ? (uint64_t)plan.from % plan.width : 0;
        assert_int_equal(
            taud_reader_open(&reader, bench->engine, &label, &plan, plan.from, plan.to, NULL),
            TAU_STATUS_SUCCESS);
        assert_int_equal(taud_aggregate_window_init(&window, &plan, &memory, POINTS), 0);
        assert_int_equal(taud_reader_fill(&reader, &window, taud_feed_goes_on, &feed, &more),
                         TAU_STATUS_SUCCESS);
        assert_true(!more && window.used_end - window.used_first == plan.bucket_count);
        for (uint32_t i = 0; i < plan.bucket_count; i++) {
            int64_t first = taud_aggregate_bucket_first_instant(&plan, i);
            double count = (double)(taud_aggregate_bucket_last_instant(&plan, i) - first + 1);
            double right = turn % 2 ? (double)first + (count - 1) / 2
                                    : sqrt((count * count - 1) / 12);
            double got = taud_aggregate_bucket_value(&window.buckets[i],
                                                     turn % 2 ? &mean : &deviation);
            assert_true(window.buckets[i].count == (uint64_t)count);
            assert_true(fabs(got - right) <= 1e-12 * right);
        }
        taud_aggregate_window_done(&window);
        taud_reader_close(&reader);
    }
}

static void cancelled_between_pieces(void **state)
{
    struct workbench *bench = *state;
    struct tau_label label = workbench_label("s");
    struct taud_aggregate_plan plan = plan_of(0, TAUD_AGGREGATE_SUM);
    struct taud_feed feed = {.allocator = NULL};
    struct taud_reader reader;
    struct taud_points_bounds bounds;
    struct taud_aggregate_window window;
    bool more;
    rig_series(bench, "s", 0, 1, POINTS, 0);
    assert_int_equal(taud_reader_open(&reader, bench->engine, &label, &plan, 0, POINTS, &bounds),
                     TAU_STATUS_SUCCESS);
    assert_int_equal(taud_aggregate_window_init(&window, &plan, &memory, 1), 0);
    atomic_store(&feed.cancelled, true);
    assert_int_equal(taud_reader_fill(&reader, &window, taud_feed_goes_on, &feed, &more),
                     TAU_STATUS_CANCELLED);
    assert_true(window.used_end == window.used_first);
    taud_aggregate_window_done(&window);
    taud_reader_close(&reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORKBENCH_TEST(windows_of_any_size),
        WORKBENCH_TEST(buckets_of_any_width_are_right),
        WORKBENCH_TEST(cancelled_between_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
