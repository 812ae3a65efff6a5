// SPDX-License-Identifier: MIT
// Latest points of many series: as of any time and no older than another, in the order of the
// labels, and memory that ends.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "query_rig.h"

enum { SERIES = 100 };

struct found {
    size_t count;
    struct tau_row rows[SERIES];
    enum tau_status status;
};

static struct found ask(struct workbench *bench, const struct tau_multi_latest_request *request)
{
    struct taud_latest *latest = NULL;
    struct found found = {0};
    _Atomic int wakes = 0;
    bool end = false;
    found.status = taud_latest_open(bench->engine, request, rig_wake, &wakes, &latest);
    while (found.status == TAU_STATUS_SUCCESS && !end) {
        const struct tau_row *rows = NULL;
        size_t count;
        RIG_NEXT(&wakes, found.status, taud_latest_next(latest, &rows, &count, &end));
        if (found.status != TAU_STATUS_SUCCESS)
            break;
        assert_true(count <= TAU_LIMIT_LATEST_BATCH_ROWS && (count > 0 || end));
        assert_true(found.count + count <= SERIES);
        if (count > 0)
            memcpy(found.rows + found.count, rows, count * sizeof *rows);
        found.count += count;
    }
    taud_latest_close(latest);
    return found;
}

// Series number i has points at i, i + 10, ... i + 90, of values 0 to 9; each tenth has none.
static void fill(struct workbench *bench)
{
    for (int i = 0; i < SERIES; i++) {
        char name[32];
        snprintf(name, sizeof name, "s.%02d", i);
        rig_series(bench, name, i, 10, i % 10 == 9 ? 0 : 10, 0);
    }
}

static struct tau_multi_latest_request as_of(int64_t from, int64_t to)
{
    return (struct tau_multi_latest_request){.from = from, .to = to, .prefix = rig_slice("s.")};
}

static void as_of_any_time(void **state)
{
    struct workbench *bench = *state;
    fill(bench);
    static const int64_t ranges[][2] = {
        {INT64_MIN, INT64_MAX}, {INT64_MIN, 50}, {40, 50}, {45, 44}, {200, INT64_MAX}};
    for (size_t k = 0; k < sizeof ranges / sizeof ranges[0]; k++) {
        struct tau_multi_latest_request request = as_of(ranges[k][0], ranges[k][1]);
        struct found found = ask(bench, &request);
        assert_int_equal(found.status, TAU_STATUS_SUCCESS);
        size_t at = 0;
        for (int i = 0; i < SERIES; i++) {
            int64_t last = -1;
            for (int64_t t = i; t <= i + 90 && i % 10 != 9; t += 10)
                last = t >= ranges[k][0] && t <= ranges[k][1] ? t : last;
            if (last < 0)
                continue;
            char name[32];
            snprintf(name, sizeof name, "s.%02d", i);
            struct tau_label label = workbench_label(name);
            assert_memory_equal(&found.rows[at].label, &label, sizeof label);
            assert_int_equal(found.rows[at].timestamp, last);
            assert_true(found.rows[at++].value == (double)((last - i) / 10));
        }
        assert_int_equal(found.count, at);
    }
}

static void in_the_order_of_the_labels(void **state)
{
    struct workbench *bench = *state;
    fill(bench);
    struct tau_label labels[] = {workbench_label("s.20"), workbench_label("s.09"),
                                 workbench_label("s.10"), workbench_label("s.20")};
    struct tau_multi_latest_request request = as_of(INT64_MIN, INT64_MAX);
    request.prefix.size = 0;
    request.labels = (struct tau_array){.data = labels, .count = 4};
    struct found found = ask(bench, &request);
    assert_int_equal(found.count, 3);
    assert_true(found.rows[0].timestamp == 110 && found.rows[1].timestamp == 100 &&
                found.rows[2].timestamp == 110);
    labels[2] = workbench_label("none");
    assert_int_equal(ask(bench, &request).status, TAU_STATUS_SERIES_NOT_FOUND);
    taud_latest_close(NULL);
}

static void memory_ends(void **state)
{
    struct workbench *bench = *state;
    fill(bench);
    struct tau_multi_latest_request request = as_of(INT64_MIN, INT64_MAX);
    assert_int_equal(ask(bench, &request).status, TAU_STATUS_SUCCESS); // the threads start
    size_t failures = 0;
    RIG_EACH_FAILURE(bench, {
        struct found found = ask(bench, &request);
        assert_true(found.status == TAU_STATUS_SUCCESS || found.status == TAU_STATUS_NO_MEMORY);
        assert_true(found.status != TAU_STATUS_SUCCESS || found.count == SERIES - SERIES / 10);
        failures += found.status == TAU_STATUS_NO_MEMORY;
    });
    assert_true(failures > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORKBENCH_TEST(as_of_any_time),
        WORKBENCH_TEST(in_the_order_of_the_labels),
        WORKBENCH_TEST(memory_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
