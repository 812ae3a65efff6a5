// SPDX-License-Identifier: MIT
// Operations that read: points, ranges in both directions, what is known of a series, lenses,
// lists. Every answer is compared with the model's, bit by bit.
#include "operations.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { QUERIES_MAX = 100, PAGE_MAX = 700 };

static uint64_t bits_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static enum tau_status found(const struct world *world, unsigned number)
{
    return world->now.series[number].exists ? TAU_STATUS_SUCCESS : TAU_STATUS_SERIES_NOT_FOUND;
}

static void expect_status(struct world *world, const char *what, unsigned number,
                          enum tau_status status, enum tau_status expected)
{
    if (status != expected && !world_read_failed(world, status))
        world_complain(world, "%s of %u gets status %u, not %u", what, number, (unsigned)status,
                       (unsigned)expected);
}

// What is before that is too old for sure.
static int64_t least_edge(const struct world *world, unsigned number)
{
    int64_t newest = INT64_MIN;
    for (unsigned i = 0; i < MODEL_SERIES; i++) {
        const struct model_series *series = &world->now.series[i];
        if (model_sure_count(series) > 0 && series->timestamps[series->count - 1] > newest)
            newest = series->timestamps[series->count - 1];
    }
    return model_edge(&world->now, world->now.series[number].retention, newest);
}

// --- points -----------------------------------------------------------------------------------

static void check_point(struct world *world, unsigned number, int64_t timestamp,
                        enum tau_status status, const struct tau_query_point_response *response)
{
    const struct model_series *series = &world->now.series[number];
    expect_status(world, "a point", number, status, found(world, number));
    if (status != TAU_STATUS_SUCCESS)
        return;
    size_t at = model_find(series, timestamp);
    bool there = at < series->count && series->timestamps[at] == timestamp;
    if (!model_is_sure(series, timestamp)) {
        if (response->has_value && (!there || timestamp < least_edge(world, number)))
            world_complain(world, "the point of series %u at %lld is too old", number,
                           (long long)timestamp);
        return;
    }
    if (response->has_value != there || (there && bits_of(response->value) != series->values[at]))
        world_complain(world, "the point of series %u at %lld is another one", number,
                       (long long)timestamp);
}

void read_points(struct world *world)
{
    struct tau_query_point_request points[QUERIES_MAX];
    struct tau_query_point_response responses[QUERIES_MAX];
    enum tau_status statuses[QUERIES_MAX];
    unsigned numbers[QUERIES_MAX];
    size_t count = world_draw(world, 4) == 0 ? 1 + (size_t)world_draw(world, QUERIES_MAX) : 1;
    for (size_t i = 0; i < count; i++) {
        numbers[i] = draw_series(world);
        const struct model_series *series = &world->now.series[numbers[i]];
        points[i].label = model_label(numbers[i]);
        points[i].timestamp = series->count && world_draw(world, 4)
                                  ? series->timestamps[world_draw(world, series->count)]
                                  : draw_timestamp(world, numbers[i]);
    }
    taud_engine_query_points(world->engine, points, count, responses, statuses);
    for (size_t i = 0; i < count; i++)
        check_point(world, numbers[i], points[i].timestamp, statuses[i], &responses[i]);
}

// --- ranges -----------------------------------------------------------------------------------

// The timestamp so far away, or the outermost one there is.
static int64_t away(int64_t timestamp, int64_t step)
{
    int64_t result;
    if (__builtin_add_overflow(timestamp, step, &result))
        return step < 0 ? INT64_MIN : INT64_MAX;
    return result;
}

// Which of the model's points a range shows: from `first` on, `count` of them.
static size_t slice(const struct model_series *series, int64_t from, int64_t to, uint64_t limit,
                    bool backward, size_t *ret_count)
{
    size_t first = model_find(series, from), end = model_find(series, to);
    if (end < series->count && series->timestamps[end] == to)
        end++;
    size_t count = end > first ? end - first : 0;
    if (limit != 0 && count > limit) {
        first = backward ? end - limit : first;
        count = limit;
    }
    *ret_count = count;
    return first;
}

static void check_range(struct world *world, unsigned number, struct taud_range *range,
                        size_t first, size_t count, bool backward)
{
    const struct model_series *series = &world->now.series[number];
    int64_t timestamps[PAGE_MAX];
    double values[PAGE_MAX];
    size_t seen = 0, got;
    bool end = false;
    while (!end && world_is_well(world)) {
        enum tau_status status = taud_range_next(
            range, timestamps, values, 1 + world_draw(world, PAGE_MAX), &got, &end);
        if (status != TAU_STATUS_SUCCESS) {
            expect_status(world, "the next of a range", number, status, TAU_STATUS_SUCCESS);
            return;
        }
        for (size_t i = 0; i < got; i++, seen++) {
            size_t at = backward ? first + count - 1 - seen : first + seen;
            if (seen >= count || timestamps[i] != series->timestamps[at] ||
                bits_of(values[i]) != series->values[at]) {
                world_complain(world, "a range of series %u shows %lld as its point %zu of %zu",
                               number, (long long)timestamps[i], seen, count);
                return;
            }
        }
        if (got == 0 && !end)
            world_complain(world, "a range of series %u does not go on", number);
    }
    if (seen != count)
        world_complain(world, "a range of series %u shows %zu points, not %zu", number, seen,
                       count);
}

static int64_t draw_end(struct world *world, unsigned number, int64_t outermost)
{
    const struct model_series *series = &world->now.series[number];
    switch (world_draw(world, 6)) {
    case 0:
        return outermost;
    case 1:
        return away(draw_timestamp(world, number), -(int64_t)world_draw(world, 20000));
    default:
        return series->count > 0 ? series->timestamps[world_draw(world, series->count)]
                                 : draw_timestamp(world, number);
    }
}

void draw_range(struct world *world, unsigned number, int64_t *ret_from, int64_t *ret_to)
{
    *ret_from = draw_end(world, number, INT64_MIN);
    *ret_to = draw_end(world, number, INT64_MAX);
    if (world_draw(world, 2))
        *ret_to = away(*ret_from, (int64_t)world_draw(world, 3000));
}

// Of what may be gone it shows only what was written, and nothing that is too old.
static void check_old(struct world *world, unsigned number)
{
    const struct model_series *series = &world->now.series[number];
    struct tau_label label = model_label(number);
    int64_t timestamps[PAGE_MAX], edge = least_edge(world, number), before = 0;
    double values[PAGE_MAX];
    size_t seen = 0;
    struct taud_range *range = NULL;
    bool end = false;
    enum tau_status status = taud_range_open(world->engine, &label, INT64_MIN, series->floor - 1, 0,
                                             TAU_DIRECTION_FORWARD, &range);
    expect_status(world, "a range", number, status, found(world, number));
    while (status == TAU_STATUS_SUCCESS && !end && world_is_well(world)) {
        size_t count = 0;
        status = taud_range_next(range, timestamps, values, PAGE_MAX, &count, &end);
        expect_status(world, "the next of a range", number, status, TAU_STATUS_SUCCESS);
        for (size_t i = 0; status == TAU_STATUS_SUCCESS && i < count; i++) {
            size_t at = model_find(series, timestamps[i]);
            bool written = at < series->count && series->timestamps[at] == timestamps[i];
            if (!written || timestamps[i] < edge || (seen++ > 0 && timestamps[i] <= before))
                world_complain(world, "series %u shows %lld, which is too old", number,
                               (long long)timestamps[i]);
            before = timestamps[i];
        }
    }
    taud_range_close(range);
}

void read_range(struct world *world)
{
    unsigned number = draw_series(world);
    struct tau_label label = model_label(number);
    int64_t from, to;
    draw_range(world, number, &from, &to);
    bool backward = world_draw(world, 2);
    uint64_t limit = world_draw(world, 2) ? world_draw(world, 2000) : 0;
    const struct model_series *series = &world->now.series[number];
    if (series->forgets && series->floor > INT64_MIN && world_draw(world, 2))
        check_old(world, number);
    if (!model_is_sure(series, from))
        from = series->floor;
    struct taud_range *range = NULL;
    enum tau_status status =
        taud_range_open(world->engine, &label, from, to, limit,
                        backward ? TAU_DIRECTION_BACKWARD : TAU_DIRECTION_FORWARD, &range);
    expect_status(world, "a range", number, status, found(world, number));
    if (status != TAU_STATUS_SUCCESS)
        return;
    size_t count,
        first = slice(&world->now.series[number], from, to, limit, backward, &count);
    world_trace(world, " %u: %lld to %lld, %zu points", number, (long long)from, (long long)to,
                count);
    check_range(world, number, range, first, count, backward);
    taud_range_close(range);
}

// --- what is known of a series ----------------------------------------------------------------

// Of a series that has points of which nobody knows whether they are still there.
static void check_aged(struct world *world, unsigned number, size_t sure,
                       const struct tau_describe_series_response *description,
                       const struct tau_query_latest_response *latest)
{
    const struct model_series *series = &world->now.series[number];
    size_t most = series->count - model_find(series, least_edge(world, number));
    if (description->point_count < sure || description->point_count > most)
        world_complain(world, "series %u is said to have %llu points, not %zu to %zu", number,
                       (unsigned long long)description->point_count, sure, most);
    if (sure > 0 && (!latest->has_point ||
                     latest->point.timestamp != series->timestamps[series->count - 1] ||
                     bits_of(latest->point.value) != series->values[series->count - 1]))
        world_complain(world, "the latest point of series %u is another one", number);
}

static void check_series(struct world *world, unsigned number)
{
    const struct model_series *series = &world->now.series[number];
    struct tau_label label = model_label(number);
    struct tau_describe_series_response description;
    struct tau_query_latest_response latest;
    enum tau_status status = taud_engine_describe(world->engine, &label, &description);
    expect_status(world, "a description", number, status, found(world, number));
    if (status != TAU_STATUS_SUCCESS)
        return;
    status = taud_engine_latest(world->engine, &label, &latest);
    expect_status(world, "the latest point", number, status, found(world, number));
    if (status != TAU_STATUS_SUCCESS || !world_is_well(world))
        return;
    if ((unsigned)description.order != series->order ||
        description.retention != series->retention)
        world_complain(world, "series %u is said to have order %u, retention %llu", number,
                       (unsigned)description.order, (unsigned long long)description.retention);
    size_t sure = model_sure_count(series);
    if (series->forgets && sure < series->count) {
        check_aged(world, number, sure, &description, &latest);
        return;
    }
    if (description.point_count != series->count || latest.has_point != (series->count > 0)) {
        world_complain(world, "series %u is said to have %llu points, not %zu", number,
                       (unsigned long long)description.point_count, series->count);
        return;
    }
    if (series->count == 0)
        return;
    int64_t last = series->timestamps[series->count - 1];
    if (description.first_timestamp != series->timestamps[0] ||
        description.last_timestamp != last || latest.point.timestamp != last ||
        bits_of(latest.point.value) != series->values[series->count - 1])
        world_complain(world, "the ends of series %u are said to be others", number);
}

void read_series(struct world *world)
{
    check_series(world, draw_series(world));
}

void read_lens(struct world *world)
{
    unsigned number = (unsigned)world_draw(world, MODEL_LENSES);
    const struct model_lens *lens = &world->now.lenses[number];
    const struct model_series *series = &world->now.series[lens->source];
    struct tau_label label = model_lens_label(number);
    struct tau_query_lens_response response;
    size_t at = series->count == 0         ? 0
                : world_draw(world, 4) > 0 ? world_draw(world, series->count)
                                           : world_draw(world, 3) % series->count;
    int64_t timestamp = series->count ? series->timestamps[at] : 0;
    enum tau_status expected = !lens->exists ? TAU_STATUS_LENS_NOT_FOUND
                                             : found(world, lens->source);
    enum tau_status status = taud_engine_query_lens(world->engine, &label, timestamp, &response);
    expect_status(world, "a lens", number, status, expected);
    if (status != TAU_STATUS_SUCCESS)
        return;
    double value = 0;
    if (series->forgets && (at < lens->count ||
                            !model_is_sure(series, series->timestamps[at - lens->count])))
        return; // it may look at points that are gone
    bool there = series->count > 0 && model_evaluate(&world->now, lens, at, &value);
    bool same = bits_of(value) == bits_of(response.value) ||
                (isnan(value) && isnan(response.value));
    if (response.has_value != there || (there && !same))
        world_complain(world, "lens %u shows something else at %lld", number, (long long)timestamp);
}

// --- lists ------------------------------------------------------------------------------------

static int compare_labels(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct tau_label));
}

void read_list(struct world *world)
{
    enum { MOST = MODEL_SERIES + MODEL_ROLLUPS };
    struct tau_label expected[MOST], page[MOST], cursor, prefix = {.bytes = "cpu."};
    size_t count = 0, seen = 0, got, prefix_size = world_draw(world, 2) ? 4 : 0;
    bool more = true;
    for (unsigned i = 0; i < MODEL_SERIES; i++) {
        struct tau_label label = model_label(i);
        if (world->now.series[i].exists && memcmp(&label, &prefix, prefix_size) == 0)
            expected[count++] = label;
    }
    for (unsigned i = 0; i < MODEL_ROLLUPS && prefix_size == 0; i++) {
        if (world->now.rollups[i].target)
            expected[count++] = model_rollup_label(i);
    }
    qsort(expected, count, sizeof expected[0], compare_labels);
    while (more) {
        taud_engine_list_series(world->engine, (struct tau_slice){prefix.bytes, prefix_size},
                                seen == 0 ? NULL : &cursor, 1 + world_draw(world, 10), page, &got,
                                &more);
        if (seen + got > count || memcmp(page, expected + seen, got * sizeof page[0]) != 0 ||
            (got == 0 && more)) {
            world_complain(world, "a list differs behind its first %zu labels of %zu", seen, count);
            return;
        }
        seen += got;
        cursor = page[got > 0 ? got - 1 : 0];
    }
    if (seen != count)
        world_complain(world, "a list has %zu labels, not %zu", seen, count);
}

void operations_check(struct world *world)
{
    struct world_view view;
    const char *complaint;
    if (!world_look(world, &view, &complaint))
        world_complain(world, "%s", complaint);
    else if (view.digest != model_digest(&world->now))
        world_complain(world, "the engine holds something else than the model");
    for (unsigned i = 0; i < MODEL_SERIES; i++)
        check_series(world, i);
    read_list(world);
    check_rollups(world);
}
