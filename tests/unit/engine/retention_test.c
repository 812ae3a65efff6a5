// SPDX-License-Identifier: MIT
// Retention while the wall clock jumps, and while points come that are from the future: what is
// younger than the retention, by the clock or by the newest point of all, whichever is earlier, is
// there whatever was flushed, compacted or started again meanwhile; what is older is not seen.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "storage_rig.h"

#include <stdio.h>

enum { SERIES = 3, POINTS_MAX = 40000, BATCH_MAX = 2000, DAY = 1000, ROUNDS = 60 };

static const struct {
    const char *label;
    int64_t retention; // 0: for ever
} kinds[SERIES] = {{"for ever", 0}, {"a day", DAY}, {"a week", 7 * DAY}};

// What is known of a series: its timestamps, and before which of them they may be gone.
struct known {
    int64_t timestamps[POINTS_MAX];
    unsigned count;
    int64_t gone_before;
};

static struct known known[SERIES];
static int64_t newest; // of all

static int64_t edge_of(unsigned series)
{
    int64_t now = storage_rig_now.realtime_ns < newest ? storage_rig_now.realtime_ns : newest;
    int64_t retention = kinds[series].retention;
    return retention == 0 || now < INT64_MIN + retention ? INT64_MIN : now - retention;
}

static void append(struct workbench *bench, unsigned series, int64_t from, unsigned count)
{
    struct known *mine = &known[series];
    assert_true(mine->count + count <= POINTS_MAX);
    storage_rig_append(bench, kinds[series].label, from, count, 1);
    for (unsigned i = 0; i < count; i++)
        mine->timestamps[mine->count++] = from + i;
    if (newest < from + count - 1)
        newest = from + count - 1;
}

// Lets an hour pass by the clock that does not jump, in which all is done that is due.
static void settle(struct workbench *bench)
{
    for (unsigned i = 0; i < SERIES; i++) {
        if (known[i].gone_before < edge_of(i))
            known[i].gone_before = edge_of(i);
    }
    for (int minutes = 0; minutes < 60; minutes += 20) {
        storage_rig_now.monotonic_ns += UINT64_C(1200000000000);
        storage_rig_settle(bench);
    }
}

// How many points are seen from an instant on; each must have been appended.
static unsigned count_from(struct workbench *bench, unsigned series, int64_t from)
{
    struct tau_label label = workbench_label(kinds[series].label);
    const struct known *mine = &known[series];
    struct taud_range *range;
    int64_t timestamps[512];
    double values[512];
    unsigned found = 0, at = 0;
    bool end = false;
    assert_int_equal(taud_range_open(bench->engine, &label, from, INT64_MAX, 0,
                                     TAU_DIRECTION_FORWARD, &range),
                     TAU_STATUS_SUCCESS);
    while (!end) {
        size_t count;
        assert_int_equal(taud_range_next(range, timestamps, values, 512, &count, &end),
                         TAU_STATUS_SUCCESS);
        for (size_t i = 0; i < count; i++, at++, found++) {
            while (at < mine->count && mine->timestamps[at] < timestamps[i])
                at++;
            assert_true(at < mine->count && mine->timestamps[at] == timestamps[i]);
        }
    }
    taud_range_close(range);
    return found;
}

static unsigned expected_from(unsigned series, int64_t from)
{
    unsigned count = 0;
    for (unsigned i = 0; i < known[series].count; i++)
        count += known[series].timestamps[i] >= from;
    return count;
}

static void check(struct workbench *bench)
{
    for (unsigned i = 0; i < SERIES; i++) {
        int64_t edge = edge_of(i), sure = known[i].gone_before > edge ? known[i].gone_before : edge;
        assert_int_equal(count_from(bench, i, sure), expected_from(i, sure));
        assert_int_equal(count_from(bench, i, INT64_MIN), count_from(bench, i, edge));
    }
}

static void begin(struct workbench *bench)
{
    newest = INT64_MIN;
    storage_rig_now.realtime_ns = 0;
    for (unsigned i = 0; i < SERIES; i++) {
        known[i].count = 0;
        known[i].gone_before = INT64_MIN;
        workbench_create(bench, kinds[i].label);
        storage_rig_set_policy(bench, kinds[i].label, TAUD_ORDER_STRICT,
                               (uint64_t)kinds[i].retention);
    }
}

static uint64_t state_of_dice;

static int64_t draw(int64_t below)
{
    state_of_dice = state_of_dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (int64_t)((state_of_dice >> 33) % (uint64_t)below);
}

// Time goes on, by and by; the clock shows it, or jumps; a device may be far ahead.
static void nothing_goes_early_whatever_the_clock_says(void **state)
{
    struct workbench *bench = *state;
    static const int64_t jumps[] = {0, 0, 0, 365 * DAY, -365 * DAY, 3 * DAY, -3 * DAY, DAY / 24};
    state_of_dice = 9;
    begin(bench);
    int64_t time = 1000 * DAY;
    for (int round = 0; round < ROUNDS; round++) {
        storage_rig_now.realtime_ns = time + jumps[draw(8)];
        unsigned series = (unsigned)draw(SERIES), count = 1 + (unsigned)draw(BATCH_MAX);
        const struct known *mine = &known[series];
        int64_t last = mine->count > 0 ? mine->timestamps[mine->count - 1] : INT64_MIN;
        int64_t at = draw(12) == 0 ? time + 50 * DAY : time; // of a device that is ahead
        if (last < at)
            append(bench, series, at, count < DAY ? count : DAY);
        if (draw(4) == 0)
            storage_rig_flush(bench);
        if (draw(2) == 0)
            settle(bench);
        check(bench);
        if (draw(6) == 0) {
            workbench_start(bench);
            check(bench);
        }
        time += draw(2 * DAY) + DAY;
    }
}

// What a compaction of all leaves.
static uint64_t stored_points(struct workbench *bench)
{
    struct taud_engine_statistics figures;
    assert_int_equal(storage_rig_work(bench, TAUD_WORK_COMPACT, NULL), TAU_STATUS_SUCCESS);
    taud_engine_statistics(bench->engine, &figures);
    return figures.stored_points;
}

// A clock that jumped ahead takes nothing, nor does a point from the future, nor both by themselves
// at different times; and what is too old by both goes.
static void both_have_to_be_ahead(void **state)
{
    struct workbench *bench = *state;
    begin(bench);
    const int64_t time = 1000 * DAY;
    append(bench, 1, time, DAY);
    storage_rig_flush(bench);
    storage_rig_now.realtime_ns = time + 365 * DAY;
    settle(bench);
    check(bench);
    assert_int_equal(stored_points(bench), DAY);
    storage_rig_now.realtime_ns = time + DAY - 1;
    append(bench, 0, time + 365 * DAY, 10);
    storage_rig_flush(bench);
    settle(bench);
    check(bench);
    assert_int_equal(stored_points(bench), DAY + 10);
    storage_rig_now.realtime_ns = INT64_MIN; // beyond the other end
    settle(bench);
    check(bench);
    assert_int_equal(stored_points(bench), DAY + 10);
    storage_rig_now.realtime_ns = time + 3 * DAY;
    settle(bench);
    check(bench);
    assert_int_equal(stored_points(bench), 10);
    assert_int_equal(storage_rig_count(bench, kinds[1].label), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORAGE_RIG_TEST(nothing_goes_early_whatever_the_clock_says),
        STORAGE_RIG_TEST(both_have_to_be_ahead),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
