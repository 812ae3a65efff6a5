// SPDX-License-Identifier: MIT
// Points of many series: in order of the labels, in both directions, between bounds, with limits,
// in batches of any number, and memory that ends.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "query_rig.h"

#include <math.h>

enum { SERIES = 100, POINTS = 200, LONG = 20000 };

struct found {
    size_t count, batches;
    double sum;
    int64_t first, last;
    char labels[SERIES + 1]; // the last digit of each, as they come
    enum tau_status status;
};

static struct found ask(struct workbench *bench, const struct tau_multi_range_request *request)
{
    struct taud_scan *scan = NULL;
    struct taud_scan_batch batch;
    struct found found = {0};
    _Atomic int wakes = 0;
    bool end = false;
    struct tau_label label = {{0}};
    found.status = taud_scan_open(bench->engine, request, rig_wake, &wakes, &scan);
    while (found.status == TAU_STATUS_SUCCESS && !end) {
        RIG_NEXT(&wakes, found.status, taud_scan_next(scan, &batch, &end));
        if (found.status != TAU_STATUS_SUCCESS)
            break;
        assert_true(batch.count <= TAU_LIMIT_SERIES_BATCH_POINTS && (batch.count > 0 || end));
        found.batches += batch.count > 0;
        for (size_t i = 0; i < batch.count; i++) {
            found.first = found.count == 0 ? batch.timestamps[i] : found.first;
            found.last = batch.timestamps[i];
            found.sum += batch.values[i];
            found.count++;
        }
        if (batch.count > 0 && memcmp(&label, &batch.label, sizeof label) != 0)
            found.labels[strlen(found.labels)] = (char)batch.label.bytes[2];
        label = batch.count > 0 ? batch.label : label;
    }
    taud_scan_close(scan);
    return found;
}

static struct tau_multi_range_request everything(const char *prefix)
{
    return (struct tau_multi_range_request){.from = INT64_MIN,
                                            .to = INT64_MAX,
                                            .low = -INFINITY,
                                            .high = INFINITY,
                                            .prefix = rig_slice(prefix)};
}

static void series_come_in_their_order(void **state)
{
    struct workbench *bench = *state;
    for (char name[] = "s.a"; name[2] <= 'z'; name[2]++)
        rig_series(bench, name, 0, 1, name[2] == 'm' ? 0 : POINTS, 0);
    struct tau_multi_range_request request = everything("s.");
    struct found found = ask(bench, &request);
    assert_int_equal(found.status, TAU_STATUS_SUCCESS);
    assert_string_equal(found.labels, "abcdefghijklnopqrstuvwxyz");
    assert_int_equal(found.count, 25 * POINTS);
    request.limit = 7;
    request.direction = TAU_DIRECTION_BACKWARD;
    found = ask(bench, &request);
    assert_int_equal(found.count, 25 * 7);
    assert_true(found.first == POINTS - 1 && found.last == POINTS - 7);
    struct tau_label labels[] = {workbench_label("s.c"), workbench_label("s.a"),
                                 workbench_label("s.m"), workbench_label("s.b")};
    request = everything("");
    request.labels = (struct tau_array){.data = labels, .count = 4};
    found = ask(bench, &request);
    assert_string_equal(found.labels, "cab");
}

static void long_series_come_in_batches(void **state)
{
    struct workbench *bench = *state;
    rig_series(bench, "s.a", 0, 1, LONG, 0);
    rig_series(bench, "s.b", 0, 1, LONG, 0);
    for (int backward = 0; backward < 2; backward++) {
        struct tau_multi_range_request request = everything("s.");
        request.direction = backward ? TAU_DIRECTION_BACKWARD : TAU_DIRECTION_FORWARD;
        struct found found = ask(bench, &request);
        assert_int_equal(found.count, 2 * LONG);
        assert_true(found.sum == (double)LONG * (LONG - 1));
        assert_true(found.batches >= 2 * LONG / TAU_LIMIT_SERIES_BATCH_POINTS);
        assert_int_equal(found.first, backward ? LONG - 1 : 0);
        assert_int_equal(found.last, backward ? 0 : LONG - 1);
        request.limit = LONG - 1;
        assert_int_equal(ask(bench, &request).count, 2 * (LONG - 1));
    }
}

static void values_lie_between_bounds(void **state)
{
    struct workbench *bench = *state;
    rig_series(bench, "s.a", 0, 1, LONG, 0);
    workbench_append(bench, "s.a", LONG, (double)NAN);
    struct tau_multi_range_request request = everything("");
    assert_int_equal(ask(bench, &request).count, LONG + 1);
    request.low = 0;
    assert_int_equal(ask(bench, &request).count, LONG);
    request.low = 5000;
    request.high = 5009;
    struct found found = ask(bench, &request);
    assert_true(found.count == 10 && found.first == 5000 && found.last == 5009);
    request.limit = 3; // of those that lie there
    request.direction = TAU_DIRECTION_BACKWARD;
    found = ask(bench, &request);
    assert_true(found.count == 3 && found.first == 5009 && found.last == 5007);
    request.low = 6000;
    assert_int_equal(ask(bench, &request).count, 0);
}

static void what_is_refused(void **state)
{
    struct workbench *bench = *state;
    struct tau_label label = workbench_label("none");
    struct tau_multi_range_request request = everything("");
    assert_int_equal(ask(bench, &request).status, TAU_STATUS_SUCCESS); // of nothing
    request.labels = (struct tau_array){.data = &label, .count = 1};
    assert_int_equal(ask(bench, &request).status, TAU_STATUS_SERIES_NOT_FOUND);
    taud_scan_close(NULL);
}

static void memory_ends(void **state)
{
    struct workbench *bench = *state;
    rig_series(bench, "s.a", 0, 1, 10000, 0);
    rig_series(bench, "s.b", 0, 1, 10, 0);
    struct tau_multi_range_request request = everything("s.");
    assert_int_equal(ask(bench, &request).status, TAU_STATUS_SUCCESS); // the threads start
    size_t failures = 0;
    RIG_EACH_FAILURE(bench, {
        struct found found = ask(bench, &request);
        assert_true(found.status == TAU_STATUS_SUCCESS || found.status == TAU_STATUS_NO_MEMORY);
        assert_true(found.status != TAU_STATUS_SUCCESS || found.count == 10010);
        failures += found.status == TAU_STATUS_NO_MEMORY;
    });
    assert_true(failures > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORKBENCH_TEST(series_come_in_their_order),
        WORKBENCH_TEST(long_series_come_in_batches),
        WORKBENCH_TEST(values_lie_between_bounds),
        WORKBENCH_TEST(what_is_refused),
        WORKBENCH_TEST(memory_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
