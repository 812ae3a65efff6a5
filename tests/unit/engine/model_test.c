// SPDX-License-Identifier: MIT
// Random operations on the engine and on a plain model beside it: arrays and loops. Every answer must
// be equal, and so must everything after each restart. TAU_MODEL_SEED repeats a run,
// TAU_MODEL_OPERATIONS makes it longer.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "script.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { SERIES = 40, LENSES = 24, BATCH = 600, TRANSFORMS = 9 };

struct model_series {
    bool exists;
    size_t count, capacity;
    int64_t *timestamps;
    double *values;
};

struct model_lens {
    bool exists;
    unsigned source;
    unsigned count;
    unsigned transforms[16];
};

static struct model_series series[SERIES];
static struct model_lens lenses[LENSES];
static uint64_t random_state, position;
static struct disk *disk;
static struct script_engine under_test;

static const char *const transform_names[TRANSFORMS] = {
    "identity", "celsius_to_fahrenheit", "fahrenheit_to_celsius", "celsius_to_kelvin",
    "kelvin_to_celsius", "meters_to_feet", "feet_to_meters", "returns", "log_return",
};

static uint64_t draw(uint64_t below)
{
    random_state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = random_state;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (z ^ (z >> 31)) % below;
}

// Labels that differ at the first byte, in the middle or at the last.
static struct tau_label label_of(unsigned number)
{
    struct tau_label label = {{0}};
    if (number % 3 == 0)
        label.bytes[0] = (uint8_t)(number * 6);
    else if (number % 3 == 1)
        snprintf((char *)label.bytes, 32, "cpu.%u", number);
    else
        memset(label.bytes, 'x', 31), label.bytes[31] = (uint8_t)number;
    return label;
}

static double draw_value(void)
{
    static const double special[] = {0.0, -0.0, INFINITY, -INFINITY, 5e-324, 1.7976931348623157e308};
    uint64_t bits = draw(UINT64_MAX);
    double value;
    switch (draw(4)) {
    case 0:
        return special[draw(6)];
    case 1:
        memcpy(&value, &bits, sizeof value); // any bits, NaN payloads too
        return value;
    default:
        return (double)draw(1000) / 10;
    }
}

static bool same(double a, double b)
{
    // The bits are meant. NOLINTNEXTLINE(bugprone-suspicious-memory-comparison,cert-*)
    return memcmp(&a, &b, sizeof a) == 0;
}

static int64_t draw_timestamp(const struct model_series *model)
{
    int64_t last = model->count ? model->timestamps[model->count - 1] : (int64_t)draw(1000) - 500;
    switch (draw(8)) {
    case 0:
        return last - (int64_t)draw(50);
    case 1:
        return last;
    case 2:
        return last + (int64_t)draw(100000);
    default:
        return last + 10;
    }
}

static enum tau_status model_append(struct model_series *model, int64_t timestamp, double value)
{
    if (!model->exists)
        return TAU_STATUS_SERIES_NOT_FOUND;
    if (model->count > 0 && timestamp <= model->timestamps[model->count - 1])
        return TAU_STATUS_OUT_OF_ORDER;
    if (model->count == model->capacity) {
        model->capacity = model->capacity ? model->capacity * 2 : 16;
        model->timestamps = realloc(model->timestamps, model->capacity * 8);
        model->values = realloc(model->values, model->capacity * 8);
    }
    model->timestamps[model->count] = timestamp;
    model->values[model->count++] = value;
    return TAU_STATUS_SUCCESS;
}

static void try_create_or_drop(void)
{
    unsigned number = (unsigned)draw(SERIES);
    struct tau_label label = label_of(number);
    struct model_series *model = &series[number];
    if (draw(10) < 6) {
        assert_int_equal(taud_engine_create_series(under_test.engine, &label, &position),
                         model->exists ? TAU_STATUS_SERIES_ALREADY_EXISTS : TAU_STATUS_SUCCESS);
        model->exists = true;
    } else {
        assert_int_equal(taud_engine_drop_series(under_test.engine, &label, &position),
                         model->exists ? TAU_STATUS_SUCCESS : TAU_STATUS_SERIES_NOT_FOUND);
        model->exists = false;
        model->count = 0;
    }
}

static void try_append(void)
{
    static struct tau_append_request points[BATCH];
    static enum tau_status statuses[BATCH], expected[BATCH];
    size_t count = draw(3) == 0 ? 1 : 1 + draw(BATCH);
    for (size_t i = 0; i < count; i++) {
        unsigned number = (unsigned)draw(SERIES);
        points[i].label = label_of(number);
        points[i].timestamp = draw_timestamp(&series[number]);
        points[i].value = draw_value();
        expected[i] = model_append(&series[number], points[i].timestamp, points[i].value);
    }
    taud_engine_append(under_test.engine, points, count, statuses, &position);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(statuses[i], expected[i]);
}

static void store_swapped(uint8_t *out, const void *word)
{
    uint64_t value;
    memcpy(&value, word, 8);
    value = __builtin_bswap64(value);
    memcpy(out, &value, 8);
}

static void try_columns(void)
{
    static int64_t timestamps[BATCH * 8];
    static double values[BATCH * 8];
    static uint8_t wire[2][BATCH * 64];
    static struct tau_refused_row refused[BATCH * 8];
    unsigned number = (unsigned)draw(SERIES);
    struct model_series *model = &series[number];
    struct tau_label label = label_of(number);
    size_t count = draw(BATCH * 8), refused_count = 0, next = 0;
    bool wire_order = draw(2), even = draw(2);
    int64_t at = draw_timestamp(model);
    for (size_t i = 0; i < count; i++, at += even || draw(50) ? 10 : -15) {
        timestamps[i] = at;
        values[i] = draw_value();
        store_swapped(wire[0] + i * 8, &timestamps[i]);
        store_swapped(wire[1] + i * 8, &values[i]);
    }
    struct tau_array columns[2] = {
        {wire_order ? (const void *)wire[0] : timestamps, count, wire_order},
        {wire_order ? (const void *)wire[1] : values, count, wire_order},
    };
    enum tau_status status = taud_engine_append_columns(
        under_test.engine, &label, columns[0], columns[1], refused, &refused_count, &position);
    if (!model->exists) {
        assert_int_equal(status, TAU_STATUS_SERIES_NOT_FOUND);
        return;
    }
    assert_int_equal(status, TAU_STATUS_SUCCESS);
    for (size_t i = 0; i < count; i++) {
        if (model_append(model, timestamps[i], values[i]) == TAU_STATUS_SUCCESS)
            continue;
        assert_true(next < refused_count);
        assert_int_equal(refused[next].row, i);
        assert_int_equal(refused[next++].status, TAU_STATUS_OUT_OF_ORDER);
    }
    assert_int_equal(next, refused_count);
}

static void try_rows(void)
{
    static struct tau_row rows[BATCH];
    static struct tau_refused_row refused[BATCH];
    size_t count = draw(BATCH), refused_count = 0, next = 0;
    enum tau_status expected[BATCH];
    for (size_t i = 0; i < count; i++) {
        unsigned number = (unsigned)draw(SERIES);
        rows[i] = (struct tau_row){label_of(number), draw_timestamp(&series[number]), draw_value()};
        expected[i] = model_append(&series[number], rows[i].timestamp, rows[i].value);
    }
    assert_int_equal(taud_engine_append_rows(under_test.engine,
                                             (struct tau_array){rows, count, false}, refused,
                                             &refused_count, &position),
                     TAU_STATUS_SUCCESS);
    for (size_t i = 0; i < count; i++) {
        if (expected[i] == TAU_STATUS_SUCCESS)
            continue;
        assert_true(next < refused_count);
        assert_int_equal(refused[next].row, i);
        assert_int_equal(refused[next++].status, expected[i]);
    }
    assert_int_equal(next, refused_count);
}

static void try_query(void)
{
    struct tau_query_point_request points[300];
    struct tau_query_point_response responses[300];
    enum tau_status statuses[300];
    unsigned numbers[300];
    size_t count = 1 + draw(300);
    for (size_t i = 0; i < count; i++) {
        numbers[i] = (unsigned)draw(SERIES);
        const struct model_series *model = &series[numbers[i]];
        points[i].label = label_of(numbers[i]);
        points[i].timestamp = model->count && draw(4) ? model->timestamps[draw(model->count)]
                                                      : (int64_t)draw(100000);
    }
    taud_engine_query_points(under_test.engine, points, count, responses, statuses);
    for (size_t i = 0; i < count; i++) {
        const struct model_series *model = &series[numbers[i]];
        size_t at = 0;
        assert_int_equal(statuses[i],
                         model->exists ? TAU_STATUS_SUCCESS : TAU_STATUS_SERIES_NOT_FOUND);
        if (!model->exists)
            continue;
        while (at < model->count && model->timestamps[at] != points[i].timestamp)
            at++;
        assert_int_equal(responses[i].has_value, at < model->count);
        if (at < model->count)
            assert_true(same(responses[i].value, model->values[at]));
    }
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

static void try_range(void)
{
    unsigned number = (unsigned)draw(SERIES);
    const struct model_series *model = &series[number];
    struct tau_label label = label_of(number);
    int64_t from = draw(5) ? away(draw_timestamp(model), -(int64_t)draw(20000)) : INT64_MIN;
    int64_t to = draw(5) ? away(from, (int64_t)draw(30000) - 10) : INT64_MAX;
    if (from == INT64_MIN && to != INT64_MAX)
        to = draw_timestamp(model);
    bool backward = draw(2);
    uint64_t limit = draw(2) ? draw(2000) : 0, taken = 0;
    struct taud_range *range = NULL;
    enum tau_status status =
        taud_range_open(under_test.engine, &label, from, to, limit,
                        backward ? TAU_DIRECTION_BACKWARD : TAU_DIRECTION_FORWARD, &range);
    assert_int_equal(status, model->exists ? TAU_STATUS_SUCCESS : TAU_STATUS_SERIES_NOT_FOUND);
    if (!range)
        return;
    int64_t timestamps[700];
    double values[700];
    size_t given = 0, count, used = 0;
    bool end = false;
    for (size_t i = 0; i < model->count; i++) {
        size_t at = backward ? model->count - 1 - i : i;
        if (model->timestamps[at] < from || model->timestamps[at] > to)
            continue;
        if (limit != 0 && taken == limit)
            break;
        taken++;
        while (used == given && !end) {
            taud_range_next(range, timestamps, values, 1 + draw(700), &count, &end);
            given = count;
            used = 0;
        }
        assert_true(used < given);
        assert_int_equal(timestamps[used], model->timestamps[at]);
        assert_true(same(values[used++], model->values[at]));
    }
    while (!end) {
        assert_int_equal(used, given);
        taud_range_next(range, timestamps, values, 700, &given, &end);
        used = 0;
    }
    assert_int_equal(used, given);
    taud_range_close(range);
}

// --- lenses -----------------------------------------------------------------------------------

static bool find_lens_or_series(unsigned number, struct model_lens *ret)
{
    // Names of sources: series by their labels; lens names are another alphabet.
    if (!series[number].exists)
        return false;
    *ret = (struct model_lens){.exists = true, .source = number};
    return true;
}

static struct tau_label lens_label(unsigned number)
{
    struct tau_label label = {{0}};
    snprintf((char *)label.bytes, 32, "lens.%02u", number);
    return label;
}

static void try_create_lens(void)
{
    unsigned number = (unsigned)draw(LENSES), source = (unsigned)draw(SERIES + LENSES);
    unsigned transform = (unsigned)draw(TRANSFORMS + 1);
    struct tau_create_lens_request request = {.label = lens_label(number)};
    struct model_lens made = {0};
    bool found;
    if (source < SERIES) {
        request.source = label_of(source);
        found = find_lens_or_series(source, &made);
    } else {
        request.source = lens_label(source - SERIES);
        found = lenses[source - SERIES].exists;
        made = lenses[source - SERIES];
    }
    snprintf((char *)request.transform.bytes, 32, "%s",
             transform < TRANSFORMS ? transform_names[transform] : "squared");
    enum tau_status expected = transform == TRANSFORMS  ? TAU_STATUS_INVALID_PAYLOAD
                               : lenses[number].exists  ? TAU_STATUS_LENS_ALREADY_EXISTS
                               : !found                 ? TAU_STATUS_SERIES_NOT_FOUND
                               : made.count == 16       ? TAU_STATUS_LIMIT_EXCEEDED
                                                        : TAU_STATUS_SUCCESS;
    assert_int_equal(taud_engine_create_lens(under_test.engine, &request, &position), expected);
    if (expected != TAU_STATUS_SUCCESS)
        return;
    made.transforms[made.count++] = transform;
    lenses[number] = made;
}

static void try_compose_or_drop(void)
{
    unsigned number = (unsigned)draw(LENSES), a = (unsigned)draw(LENSES), b = (unsigned)draw(LENSES);
    struct tau_label label = lens_label(number);
    if (draw(2)) {
        assert_int_equal(taud_engine_drop_lens(under_test.engine, &label, &position),
                         lenses[number].exists ? TAU_STATUS_SUCCESS : TAU_STATUS_LENS_NOT_FOUND);
        lenses[number].exists = false;
        return;
    }
    struct tau_compose_lens_request request = {label, lens_label(a), lens_label(b)};
    enum tau_status expected =
        lenses[number].exists                            ? TAU_STATUS_LENS_ALREADY_EXISTS
        : !lenses[a].exists || !lenses[b].exists         ? TAU_STATUS_LENS_NOT_FOUND
        : lenses[a].count + lenses[b].count > 16         ? TAU_STATUS_LIMIT_EXCEEDED
                                                         : TAU_STATUS_SUCCESS;
    assert_int_equal(taud_engine_compose_lens(under_test.engine, &request, &position), expected);
    if (expected != TAU_STATUS_SUCCESS)
        return;
    struct model_lens made = lenses[a];
    for (unsigned i = 0; i < lenses[b].count; i++)
        made.transforms[made.count++] = lenses[b].transforms[i];
    lenses[number] = made;
}

// The lens by its definition: the last transform applied to the lens of those before it.
static bool evaluate(const struct model_lens *lens, unsigned count, size_t at, double *ret)
{
    const struct model_series *model = &series[lens->source];
    if (count == 0) {
        *ret = model->values[at];
        return true;
    }
    double v, before;
    if (!evaluate(lens, count - 1, at, &v))
        return false;
    switch (lens->transforms[count - 1]) {
    case 0: *ret = v; return true;
    case 1: *ret = v * 9 / 5 + 32; return true;
    case 2: *ret = (v - 32) * 5 / 9; return true;
    case 3: *ret = v + 273.15; return true;
    case 4: *ret = v - 273.15; return true;
    case 5: *ret = v / 0.3048; return true;
    case 6: *ret = v * 0.3048; return true;
    default:
        if (at == 0 || !evaluate(lens, count - 1, at - 1, &before))
            return false;
        *ret = lens->transforms[count - 1] == 7 ? v / before - 1 : log(v / before);
        return true;
    }
}

static void try_query_lens(void)
{
    unsigned number = (unsigned)draw(LENSES);
    const struct model_lens *lens = &lenses[number];
    const struct model_series *model = &series[lens->source];
    struct tau_label label = lens_label(number);
    struct tau_query_lens_response response;
    size_t at = model->count ? draw(4) ? draw(model->count) : draw(3) % model->count : 0;
    int64_t timestamp = model->count ? model->timestamps[at] : 0;
    enum tau_status expected = !lens->exists    ? TAU_STATUS_LENS_NOT_FOUND
                               : !model->exists ? TAU_STATUS_SERIES_NOT_FOUND
                                                : TAU_STATUS_SUCCESS;
    assert_int_equal(taud_engine_query_lens(under_test.engine, &label, timestamp, &response),
                     expected);
    if (expected != TAU_STATUS_SUCCESS)
        return;
    double value;
    bool found = model->count > 0 && evaluate(lens, lens->count, at, &value);
    assert_int_equal(response.has_value, found);
    if (found)
        assert_true(same(response.value, value) || (isnan(value) && isnan(response.value)));
}

// --- all of it --------------------------------------------------------------------------------

static int compare_labels(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct tau_label));
}

static void check_listing(void)
{
    struct tau_label expected[SERIES], page[SERIES], cursor;
    size_t count = 0, seen = 0, got;
    bool more = true, first = true;
    struct tau_label prefix = {.bytes = "cpu."};
    size_t prefix_size = draw(2) ? 4 : 0;
    for (unsigned i = 0; i < SERIES; i++) {
        struct tau_label label = label_of(i);
        if (series[i].exists && memcmp(&label, &prefix, prefix_size) == 0)
            expected[count++] = label;
    }
    qsort(expected, count, sizeof expected[0], compare_labels);
    while (more) {
        taud_engine_list_series(under_test.engine, (struct tau_slice){prefix.bytes, prefix_size},
                                first ? NULL : &cursor, 1 + draw(10), page, &got, &more);
        first = false;
        for (size_t i = 0; i < got; i++, seen++) {
            assert_true(seen < count);
            assert_memory_equal(&page[i], &expected[seen], sizeof page[i]);
            cursor = page[i];
        }
    }
    assert_int_equal(seen, count);
}

static void check_everything(void)
{
    for (unsigned i = 0; i < SERIES; i++) {
        struct tau_label label = label_of(i);
        struct tau_describe_series_response description;
        struct tau_query_latest_response latest;
        enum tau_status expected =
            series[i].exists ? TAU_STATUS_SUCCESS : TAU_STATUS_SERIES_NOT_FOUND;
        assert_int_equal(taud_engine_describe(under_test.engine, &label, &description), expected);
        assert_int_equal(taud_engine_latest(under_test.engine, &label, &latest), expected);
        if (!series[i].exists)
            continue;
        assert_int_equal(description.point_count, series[i].count);
        assert_int_equal(latest.has_point, series[i].count > 0);
        if (series[i].count == 0)
            continue;
        assert_int_equal(description.first_timestamp, series[i].timestamps[0]);
        assert_int_equal(description.last_timestamp, series[i].timestamps[series[i].count - 1]);
        assert_int_equal(latest.point.timestamp, description.last_timestamp);
        assert_true(same(latest.point.value, series[i].values[series[i].count - 1]));
    }
    check_listing();
}

static const struct script_options *options(void)
{
    static struct script_options given;
    given = (struct script_options){.disk = disk, .segment_bytes = 1 << 20};
    return &given;
}

static void restart(void)
{
    script_stop(&under_test);
    assert_int_equal(script_start(&under_test, options()), TAU_STATUS_SUCCESS);
    assert_int_equal(under_test.recovery.cut_bytes, 0);
    assert_int_equal(under_test.recovery.refused_count, 0);
    position = 0;
    check_everything();
}

static void step(void)
{
    switch (draw(16)) {
    case 0: case 1: try_create_or_drop(); break;
    case 2: case 3: case 4: try_append(); break;
    case 5: try_columns(); break;
    case 6: try_rows(); break;
    case 7: case 8: try_query(); break;
    case 9: case 10: try_range(); break;
    case 11: try_create_lens(); break;
    case 12: try_compose_or_drop(); break;
    case 13: case 14: try_query_lens(); break;
    default: check_listing(); break;
    }
}

static void the_engine_equals_the_model(void **state)
{
    (void)state;
    const char *seed = getenv("TAU_MODEL_SEED"), *length = getenv("TAU_MODEL_OPERATIONS");
    random_state = seed ? strtoull(seed, NULL, 0) : (uint64_t)time(NULL);
    unsigned operations = length ? (unsigned)strtoul(length, NULL, 10) : 4000;
    print_message("TAU_MODEL_SEED=%llu\n", (unsigned long long)random_state);
    disk = disk_new(true);
    assert_int_equal(script_start(&under_test, options()), TAU_STATUS_SUCCESS);
    for (unsigned i = 0; i < operations; i++) {
        step();
        if (draw(8) == 0)
            taud_engine_commit(under_test.engine, position,
                               draw(2) ? TAUD_COMMIT_INLINE : TAUD_COMMIT_BACKGROUND);
        if (draw(400) == 0)
            restart();
    }
    check_everything();
    restart();
    script_stop(&under_test);
    disk_free(disk);
    for (unsigned i = 0; i < SERIES; i++) {
        free(series[i].timestamps);
        free(series[i].values);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_engine_equals_the_model)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
