// SPDX-License-Identifier: MIT
// Points at the moments at which another series has a value between bounds: against loops over
// lists, for series that were measured together, apart, more often, hardly at all; in both
// directions, with limits, groups of any size, chunks that need not be read, and memory that ends.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "query_rig.h"

#include "engine/state.h"

#include <math.h>

enum { SERIES_MAX = 8, POINTS_MAX = 7000, GROUPS_MAX = 64, LARGE = 300 };

// --- the model --------------------------------------------------------------------------------

struct series {
    struct tau_label label;
    size_t count;
    int64_t timestamps[POINTS_MAX];
    double values[POINTS_MAX];
};

struct model {
    struct series series[SERIES_MAX];
    uint32_t seed;
};

static uint32_t draw(struct model *model, uint32_t below)
{
    model->seed = model->seed * 1664525 + 1013904223;
    return (model->seed >> 8) % below;
}

// A value that is seldom, often or always between 0 and 1, for a while at a time.
static double draw_value(struct model *model, size_t i)
{
    static const uint32_t shares[] = {1000, 0, 10, 100, 500};
    if (draw(model, 50) == 0)
        return (double)NAN;
    return draw(model, 1000) < shares[i / 1500 % 5] ? draw(model, 100) / 100.0 : 2.5;
}

static void fill(struct workbench *bench, struct model *model, unsigned number, size_t count,
                 int64_t first, int64_t step, bool uneven)
{
    struct series *series = &model->series[number];
    char name[] = "w.0";
    name[2] = (char)('0' + number);
    workbench_create(bench, name);
    *series = (struct series){.label = workbench_label(name), .count = count};
    for (size_t i = 0; i < count; i++) {
        series->timestamps[i] = first;
        series->values[i] = draw_value(model, i);
        first += uneven ? 1 + (int64_t)draw(model, (uint32_t)(2 * step)) : step;
    }
    for (size_t done = 0, part; done < count; done += part) {
        struct tau_refused_row refused[1];
        size_t refused_count;
        part = count - done < 999 ? count - done : 999;
        assert_int_equal(
            taud_engine_append_columns(bench->engine, &series->label,
                                       workbench_timestamps(series->timestamps + done, part),
                                       workbench_values(series->values + done, part), refused,
                                       &refused_count, &bench->position),
            TAU_STATUS_SUCCESS);
        assert_int_equal(refused_count, 0);
    }
}

static void make(struct workbench *bench, struct model *model)
{
    fill(bench, model, 0, 7000, 1000, 10, false);
    fill(bench, model, 1, 7000, 1000, 10, false); // together
    fill(bench, model, 2, 6500, 3000, 10, false); // the same moments, other chunks
    fill(bench, model, 3, 7000, 1005, 10, false); // never the same
    fill(bench, model, 4, 7000, 40000, 2, false); // more often
    fill(bench, model, 5, 3000, 0, 12, true);     // now and then the same
    fill(bench, model, 6, 1, 1000, 1, false);
    fill(bench, model, 7, 0, 0, 1, false);
}

static bool is_wanted(const struct tau_multi_range_where_request *request, double value)
{
    return (request->low == -INFINITY && request->high == INFINITY) ||
           (value >= request->low && value <= request->high);
}

static size_t expected_moments(const struct series *condition,
                               const struct tau_multi_range_where_request *request, int64_t *ret)
{
    size_t count = 0;
    bool backward = request->direction == TAU_DIRECTION_BACKWARD;
    for (size_t n = 0; n < condition->count; n++) {
        size_t i = backward ? condition->count - 1 - n : n;
        int64_t timestamp = condition->timestamps[i];
        if (timestamp >= request->from && timestamp <= request->to &&
            is_wanted(request, condition->values[i]) &&
            (request->limit == 0 || count < request->limit))
            ret[count++] = timestamp;
    }
    return count;
}

static const double *value_at(const struct series *series, int64_t timestamp)
{
    size_t low = 0, high = series->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (series->timestamps[middle] < timestamp)
            low = middle + 1;
        else
            high = middle;
    }
    bool there = low < series->count && series->timestamps[low] == timestamp;
    return there ? &series->values[low] : NULL;
}

// --- questions --------------------------------------------------------------------------------

// Batches of a scan, one after the other.
struct asking {
    struct taud_scan *scan;
    _Atomic int wakes;
    struct taud_scan_batch batch;
    bool end;
    enum tau_status status;
};

static void begin(struct asking *asking, struct workbench *bench,
                  const struct tau_multi_range_where_request *request)
{
    *asking = (struct asking){.scan = NULL};
    asking->status =
        taud_scan_open_where(bench->engine, request, rig_wake, &asking->wakes, &asking->scan);
}

// Whether there is another batch with points.
static bool next(struct asking *asking)
{
    if (asking->status != TAU_STATUS_SUCCESS || asking->end)
        return false;
    RIG_NEXT(&asking->wakes, asking->status,
             taud_scan_next(asking->scan, &asking->batch, &asking->end));
    if (asking->status != TAU_STATUS_SUCCESS)
        return false;
    assert_true(asking->batch.count <= TAU_LIMIT_SERIES_BATCH_POINTS);
    assert_true(asking->batch.count > 0 || asking->end);
    return asking->batch.count > 0;
}

static struct tau_multi_range_where_request everything(const struct tau_label *labels, size_t count,
                                                       uint32_t group_size)
{
    return (struct tau_multi_range_where_request){.from = INT64_MIN,
                                                  .to = INT64_MAX,
                                                  .low = 0,
                                                  .high = 1,
                                                  .group_size = group_size,
                                                  .labels = {.data = labels, .count = count}};
}

// What came of the series of a group that is being told.
struct progress {
    const struct series *series;
    size_t moment; // those before it were told, or have no point
};

// Passes over moments without a point.
static void pass_over(struct progress *progress, const int64_t *moments, size_t count)
{
    while (progress->moment < count && !value_at(progress->series, moments[progress->moment]))
        progress->moment++;
}

static void check_batch(struct progress *progress, const int64_t *moments, size_t count,
                        const struct taud_scan_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        pass_over(progress, moments, count);
        assert_true(progress->moment < count);
        assert_int_equal(batch->timestamps[i], moments[progress->moment]);
        assert_memory_equal(&batch->values[i], value_at(progress->series, batch->timestamps[i]),
                            sizeof(double));
        progress->moment++;
    }
    pass_over(progress, moments, count);
}

// Asks, and compares each batch with what has to come: within a piece in the order of the request.
// Returns the points of it all.
static size_t check(struct workbench *bench, const struct model *model, const unsigned *numbers,
                    const struct tau_multi_range_where_request *request)
{
    static int64_t moments[POINTS_MAX];
    struct asking asking;
    size_t total = 0;
    begin(&asking, bench, request);
    bool more = next(&asking);
    for (size_t at = 0; at < request->labels.count; at += request->group_size) {
        struct progress progress[SERIES_MAX] = {{.series = NULL}};
        size_t member = 0, waiting = 0;
        size_t count = expected_moments(&model->series[numbers[at]], request, moments);
        for (size_t i = 0; i < request->group_size; i++) {
            progress[i].series = &model->series[numbers[at + i]];
            pass_over(&progress[i], moments, count);
            waiting += progress[i].moment < count;
        }
        for (; waiting > 0; more = next(&asking)) {
            assert_true(more);
            size_t looked = 0;
            // A batch is of this member or a later one, or the next piece begins.
            while (progress[member].moment == count ||
                   memcmp(&progress[member].series->label, &asking.batch.label, 32) != 0) {
                member = (member + 1) % request->group_size;
                assert_true(looked++ < request->group_size);
            }
            check_batch(&progress[member], moments, count, &asking.batch);
            total += asking.batch.count;
            waiting -= progress[member].moment == count;
            member = (member + 1) % request->group_size;
        }
    }
    assert_false(more);
    assert_int_equal(asking.status, TAU_STATUS_SUCCESS);
    taud_scan_close(asking.scan);
    return total;
}

// --- tests ------------------------------------------------------------------------------------

// A question that was drawn: groups of different series, so that a label says which member it is.
static size_t ask_anything(struct workbench *bench, struct model *model)
{
    struct tau_label labels[GROUPS_MAX];
    unsigned numbers[GROUPS_MAX];
    uint32_t size = 1 + draw(model, SERIES_MAX), groups = 1 + draw(model, GROUPS_MAX / size);
    for (uint32_t i = 0; i < groups * size; i++) {
        uint32_t first = i / size * size;
        numbers[i] = i == first ? draw(model, SERIES_MAX) : (numbers[i - 1] + 1) % SERIES_MAX;
        labels[i] = model->series[numbers[i]].label;
    }
    struct tau_multi_range_where_request request = everything(labels, groups * size, size);
    if (draw(model, 2) == 0) {
        request.from = (int64_t)draw(model, 70000);
        request.to = request.from + (int64_t)draw(model, 30000) - 100;
    }
    if (draw(model, 4) == 0)
        request.low = -INFINITY, request.high = INFINITY;
    else if (draw(model, 4) == 0)
        request.low = 0.5;
    static const uint64_t limits[] = {0, 0, 0, 1, 1024, 4093, 4094, 5000};
    request.limit = limits[draw(model, 8)];
    request.direction = draw(model, 2) ? TAU_DIRECTION_BACKWARD : TAU_DIRECTION_FORWARD;
    return check(bench, model, numbers, &request);
}

static void is_what_loops_find(void **state)
{
    struct workbench *bench = *state;
    struct model *model = calloc(1, sizeof *model);
    size_t points = 0;
    make(bench, model);
    for (int round = 0; round < 150; round++)
        points += ask_anything(bench, model);
    assert_true(points > 100000);
    free(model);
}

// The condition holds in one chunk of many.
static void few_moments_of_many_chunks(void **state)
{
    struct workbench *bench = *state;
    rig_series(bench, "a", 0, 1, 50 * TAUD_CHUNK_POINTS_MAX, 0); // a value is its timestamp
    rig_series(bench, "b", 0, 1, 50 * TAUD_CHUNK_POINTS_MAX, 7);
    const struct tau_label labels[] = {workbench_label("a"), workbench_label("b")};
    struct tau_multi_range_where_request request = everything(labels, 2, 2);
    request.low = 30000;
    request.high = 30004;
    for (int backward = 0; backward < 2; backward++) {
        struct asking asking;
        request.direction = backward ? TAU_DIRECTION_BACKWARD : TAU_DIRECTION_FORWARD;
        begin(&asking, bench, &request);
        for (int i = 0; i < 2; i++) {
            assert_true(next(&asking));
            assert_int_equal(asking.batch.count, 5);
            assert_memory_equal(&asking.batch.label, &labels[i], sizeof labels[i]);
            assert_int_equal(asking.batch.timestamps[0], backward ? 30004 : 30000);
            assert_true(asking.batch.values[4] == (backward ? 30000 : 30004) + 7 * i);
        }
        assert_false(next(&asking));
        taud_scan_close(asking.scan);
    }
}

// More groups than a step takes, and groups larger than what a result has room for.
static void groups_come_in_their_order(void **state)
{
    struct workbench *bench = *state;
    struct tau_label labels[LARGE];
    char name[16];
    for (int i = 0; i < LARGE; i++) {
        snprintf(name, sizeof name, "g%03d", i);
        rig_series(bench, name, 0, 1, 40, 0);
        labels[i] = workbench_label(name);
    }
    static const uint32_t sizes[] = {1, 3, 100, LARGE};
    for (size_t s = 0; s < 4; s++) {
        struct tau_multi_range_where_request request = everything(labels, LARGE, sizes[s]);
        struct asking asking;
        int label = 0;
        request.low = request.high = 33;
        for (begin(&asking, bench, &request); next(&asking); label++) {
            assert_int_equal(asking.batch.count, 1);
            assert_memory_equal(&asking.batch.label, &labels[label], sizeof labels[label]);
            assert_true(asking.batch.timestamps[0] == 33 && asking.batch.values[0] == 33);
        }
        assert_int_equal(label, LARGE);
        taud_scan_close(asking.scan);
    }
}

static void what_is_refused(void **state)
{
    struct workbench *bench = *state;
    struct tau_label labels[] = {workbench_label("a"), workbench_label("b"), workbench_label("c")};
    rig_series(bench, "a", 0, 1, 10, 0);
    rig_series(bench, "b", 0, 1, 10, 0);
    static const struct {
        uint32_t count, group_size;
        enum tau_status status;
    } cases[] = {
        {2, 1, TAU_STATUS_SUCCESS},          {2, 2, TAU_STATUS_SUCCESS},
        {2, 0, TAU_STATUS_INVALID_PAYLOAD},  {0, 1, TAU_STATUS_INVALID_PAYLOAD},
        {1, 2, TAU_STATUS_INVALID_PAYLOAD},  {3, 2, TAU_STATUS_INVALID_PAYLOAD},
        {3, 3, TAU_STATUS_SERIES_NOT_FOUND}, {3, 1, TAU_STATUS_SERIES_NOT_FOUND},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tau_multi_range_where_request request =
            everything(labels, cases[i].count, cases[i].group_size);
        struct asking asking;
        begin(&asking, bench, &request);
        assert_int_equal(asking.status, cases[i].status);
        taud_scan_close(asking.scan);
    }
}

// Series that go while they are being asked are passed over; a group without its condition, too.
static void series_go_meanwhile(void **state)
{
    struct workbench *bench = *state;
    static const char *const names[] = {"a", "b", "c", "d"};
    struct tau_label labels[4 * 40];
    for (size_t i = 0; i < 4; i++)
        rig_series(bench, names[i], 0, 1, 5000, 0);
    for (size_t i = 0; i < 4 * 40; i++)
        labels[i] = workbench_label(names[i % 4]);
    struct tau_multi_range_where_request request = everything(labels, 4 * 40, 2);
    request.high = 5000;
    struct asking asking;
    begin(&asking, bench, &request);
    assert_true(next(&asking));
    assert_int_equal(taud_engine_drop_series(bench->engine, &labels[1], &bench->position),
                     TAU_STATUS_SUCCESS);
    assert_int_equal(taud_engine_drop_series(bench->engine, &labels[2], &bench->position),
                     TAU_STATUS_SUCCESS);
    size_t points[4] = {asking.batch.count, 0, 0, 0};
    while (next(&asking))
        points[asking.batch.label.bytes[0] - (unsigned)'a'] += asking.batch.count;
    assert_int_equal(asking.status, TAU_STATUS_SUCCESS);
    assert_int_equal(points[0], 40 * 5000);
    assert_true(points[1] < 40 * 5000 && points[2] < 40 * 5000);
    assert_int_equal(points[3], points[2]);
    taud_scan_close(asking.scan);
}

static void is_left_at_any_time(void **state)
{
    struct workbench *bench = *state;
    struct tau_label labels[100];
    rig_series(bench, "a", 0, 1, 20000, 0);
    for (size_t i = 0; i < 100; i++)
        labels[i] = workbench_label("a");
    struct tau_multi_range_where_request request = everything(labels, 100, 10);
    request.high = INFINITY;
    for (int batches = 0; batches < 100; batches += 3) {
        struct asking asking;
        begin(&asking, bench, &request);
        for (int i = 0; i < batches; i++)
            assert_true(next(&asking));
        taud_scan_close(asking.scan);
    }
}

static void memory_ends(void **state)
{
    struct workbench *bench = *state;
    rig_series(bench, "a", 0, 1, 10000, 0);
    rig_series(bench, "b", 0, 1, 10000, 0);
    const struct tau_label labels[] = {workbench_label("a"), workbench_label("b")};
    struct tau_multi_range_where_request request = everything(labels, 2, 2);
    request.high = 7000;
    size_t failures = 0, all = 0;
    RIG_EACH_FAILURE(bench, {
        struct asking asking;
        size_t count = 0;
        for (begin(&asking, bench, &request); next(&asking);)
            count += asking.batch.count;
        assert_true(asking.status == TAU_STATUS_SUCCESS || asking.status == TAU_STATUS_NO_MEMORY);
        assert_true(asking.status != TAU_STATUS_SUCCESS || count == 2 * 7001);
        failures += asking.status == TAU_STATUS_NO_MEMORY;
        all += asking.status == TAU_STATUS_SUCCESS;
        taud_scan_close(asking.scan);
    });
    assert_true(failures > 5 && all > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORKBENCH_TEST(is_what_loops_find),
        WORKBENCH_TEST(few_moments_of_many_chunks),
        WORKBENCH_TEST(groups_come_in_their_order),
        WORKBENCH_TEST(what_is_refused),
        WORKBENCH_TEST(series_go_meanwhile),
        WORKBENCH_TEST(is_left_at_any_time),
        WORKBENCH_TEST(memory_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
