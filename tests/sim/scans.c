// SPDX-License-Identifier: MIT
// Operations that read many series at once: their points, or those at the moments of a condition.
// The first are like the second with groups of one series, each its own condition, so the model of
// both is a loop over moments. While a scan is told the engine flushes, compacts and commits now
// and then, but nobody writes. Some scans are left before their end.
#include "operations.h"

#include "engine/query/query.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LABELS_MAX = 12 };

struct reading {
    struct world *world;
    struct taud_scan *scan;
    bool woken;
    // What is asked for.
    int64_t from, to;
    double low, high;
    uint64_t limit;
    bool backward;
    unsigned group_size, count;
    unsigned numbers[LABELS_MAX]; // of series, all different
    struct tau_label labels[LABELS_MAX];
    // The group that is being told: where it begins in these, its moments, and of each of its
    // series which of them comes next.
    unsigned first;
    int64_t *moments;
    size_t moment_count;
    size_t next[LABELS_MAX];
};

static const struct model_series *series_of(const struct reading *reading, unsigned index)
{
    return &reading->world->now.series[reading->numbers[index]];
}

// --- what is asked for ------------------------------------------------------------------------

// Series that there are, low numbers more often; once in a while one that there is not.
static void draw_numbers(struct reading *reading, unsigned count)
{
    enum { LOW = 6 };
    struct world *world = reading->world;
    unsigned there[MODEL_SERIES], left = 0;
    for (unsigned i = 0; i < MODEL_SERIES; i++) {
        if (world->now.series[i].exists)
            there[left++] = i;
    }
    for (; reading->count < count && left > 0; reading->count++) {
        size_t at = world_draw(world, left < LOW || world_draw(world, 3) == 0 ? left : LOW);
        reading->numbers[reading->count] = there[at];
        memmove(&there[at], &there[at + 1], (--left - at) * sizeof there[0]);
    }
    unsigned other = (unsigned)world_draw(world, MODEL_SERIES);
    if (reading->count > 0 && !world->now.series[other].exists && world_draw(world, 10) == 0)
        reading->numbers[world_draw(world, reading->count)] = other;
}

static int compare_labels(const void *a, const void *b)
{
    struct tau_label first = model_label(*(const unsigned *)a);
    struct tau_label second = model_label(*(const unsigned *)b);
    return memcmp(&first, &second, sizeof first);
}

// Those that a prefix has, in the order of a list.
static void choose_prefix(struct reading *reading, struct tau_slice prefix)
{
    for (unsigned i = 0; i < MODEL_SERIES; i++) {
        struct tau_label label = model_label(i);
        if (reading->world->now.series[i].exists && memcmp(&label, prefix.data, prefix.size) == 0 &&
            reading->count < LABELS_MAX)
            reading->numbers[reading->count++] = i;
    }
    qsort(reading->numbers, reading->count, sizeof reading->numbers[0], compare_labels);
}

static void draw_bounds(struct reading *reading)
{
    struct world *world = reading->world;
    uint64_t bits = draw_value(world);
    switch (world_draw(world, 4)) {
    case 0:
        reading->low = -(double)INFINITY;
        reading->high = (double)INFINITY;
        break;
    case 1: // of many kinds
        memcpy(&reading->low, &bits, sizeof bits);
        reading->high = reading->low;
        break;
    default:
        reading->low = (double)world_draw(world, 100);
        reading->high = reading->low + (double)world_draw(world, 60);
    }
}

// Nothing that may be gone is asked for.
static void draw_question(struct reading *reading)
{
    struct world *world = reading->world;
    draw_range(world, reading->numbers[0], &reading->from, &reading->to);
    draw_bounds(reading);
    reading->limit = world_draw(world, 3) ? 0 : world_draw(world, 400);
    reading->backward = world_draw(world, 2);
    for (unsigned i = 0; i < reading->count; i++) {
        reading->labels[i] = model_label(reading->numbers[i]);
        if (!model_is_sure(series_of(reading, i), reading->from))
            reading->from = series_of(reading, i)->floor;
    }
}

// --- what has to come -------------------------------------------------------------------------

static bool holds(const struct reading *reading, uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    bool bounded = reading->low != -(double)INFINITY || reading->high != (double)INFINITY;
    return !bounded || (value >= reading->low && value <= reading->high);
}

static void begin_group(struct reading *reading, unsigned first)
{
    const struct model_series *series = series_of(reading, first);
    size_t begin = model_find(series, reading->from), end = model_find(series, reading->to);
    end += end < series->count && series->timestamps[end] == reading->to;
    reading->first = first;
    reading->moment_count = 0;
    reading->moments = realloc(reading->moments, (series->count + 1) * sizeof(int64_t));
    if (!reading->moments)
        abort();
    for (size_t i = begin; i < end; i++) {
        size_t at = reading->backward ? end - 1 - (i - begin) : i;
        if (holds(reading, series->values[at]) &&
            (reading->limit == 0 || reading->moment_count < reading->limit))
            reading->moments[reading->moment_count++] = series->timestamps[at];
    }
    memset(reading->next, 0, sizeof reading->next);
}

static const uint64_t *value_at(const struct model_series *series, int64_t timestamp)
{
    size_t at = model_find(series, timestamp);
    bool there = at < series->count && series->timestamps[at] == timestamp;
    return there ? &series->values[at] : NULL;
}

// Whether of the moments before `end` a series has one with a point that was not told.
static bool is_due(struct reading *reading, unsigned member, size_t end)
{
    const struct model_series *series = series_of(reading, reading->first + member);
    size_t *next = &reading->next[member];
    while (*next < end && !value_at(series, reading->moments[*next]))
        ++*next;
    return *next < end;
}

static void end_group(struct reading *reading)
{
    for (unsigned i = 0; i < reading->group_size; i++) {
        if (is_due(reading, i, reading->moment_count))
            world_complain(reading->world, "a scan leaves out series %u at %lld",
                           reading->numbers[reading->first + i],
                           (long long)reading->moments[reading->next[i]]);
    }
}

// Of a piece the condition comes first, at all its moments, and then one series after the other.
static void check_order(struct reading *reading, unsigned member)
{
    unsigned end = member == 0 ? reading->group_size : member;
    for (unsigned i = 1; i < end; i++) {
        if (is_due(reading, i, reading->next[0]))
            world_complain(reading->world, "a scan tells series %u before series %u",
                           reading->numbers[reading->first + member],
                           reading->numbers[reading->first + i]);
    }
}

static void check_points(struct reading *reading, unsigned member,
                         const struct taud_scan_batch *batch)
{
    const struct model_series *series = series_of(reading, reading->first + member);
    size_t end = member == 0 ? reading->moment_count : reading->next[0];
    for (size_t i = 0; i < batch->count; i++) {
        bool due = is_due(reading, member, end);
        int64_t timestamp = due ? reading->moments[reading->next[member]++] : 0;
        if (!due || batch->timestamps[i] != timestamp ||
            memcmp(&batch->values[i], value_at(series, timestamp), sizeof(double)) != 0) {
            world_complain(reading->world, "a scan shows series %u at %lld",
                           reading->numbers[reading->first + member],
                           (long long)batch->timestamps[i]);
            return;
        }
    }
}

static void check_batch(struct reading *reading, const struct taud_scan_batch *batch)
{
    unsigned index = 0;
    while (index < reading->count &&
           memcmp(&reading->labels[index], &batch->label, sizeof batch->label) != 0)
        index++;
    if (index == reading->count || index < reading->first) {
        world_complain(reading->world, "a scan tells a series whose turn it is not");
        return;
    }
    while (index >= reading->first + reading->group_size) {
        end_group(reading);
        begin_group(reading, reading->first + reading->group_size);
    }
    check_order(reading, index - reading->first);
    check_points(reading, index - reading->first, batch);
}

// --- reading ----------------------------------------------------------------------------------

static void wake(void *user_data)
{
    ((struct reading *)user_data)->woken = true;
}

static enum tau_status next_batch(struct reading *reading, struct taud_scan_batch *ret_batch,
                                  bool *ret_end)
{
    enum tau_status status;
    for (;;) {
        reading->woken = false;
        status = taud_scan_next(reading->scan, ret_batch, ret_end);
        if (status != TAU_STATUS_WOULD_BLOCK)
            return status;
        while (!reading->woken && world_step(reading->world, TAUD_TASK_QUERY))
            ;
        if (!reading->woken) {
            world_complain(reading->world, "a scan waits for nothing");
            return status;
        }
    }
}

// A step of what goes on beside: none of a task that is within a step already.
static void step_beside(struct world *world)
{
    bool nesting = world->nesting;
    world->nesting = true; // nobody writes
    enum taud_engine_task task = (enum taud_engine_task)world_draw(world, TAUD_TASK_COUNT);
    world_step(world, world->depth > 0 ? TAUD_TASK_QUERY : task);
    world->nesting = nesting;
}

// Returns whether it came to its end.
static bool read_batches(struct reading *reading)
{
    struct world *world = reading->world;
    uint64_t patience = world_draw(world, 8) ? UINT64_MAX : world_draw(world, 4);
    for (bool end = false; !end; patience--) {
        struct taud_scan_batch batch;
        if (patience == 0 || !world_is_well(world))
            return false;
        enum tau_status status = next_batch(reading, &batch, &end);
        if (status != TAU_STATUS_SUCCESS) {
            if (!world_read_failed(world, status))
                world_complain(world, "a scan ends with status %u", (unsigned)status);
            return false;
        }
        if (batch.count > 0)
            check_batch(reading, &batch);
        else if (!end)
            world_complain(world, "a scan does not go on");
        if (world_draw(world, 4) == 0)
            step_beside(world);
    }
    return true;
}

static void follow(struct reading *reading, enum tau_status status)
{
    struct world *world = reading->world;
    enum tau_status expected = TAU_STATUS_SUCCESS;
    for (unsigned i = 0; i < reading->count; i++) {
        if (!series_of(reading, i)->exists)
            expected = TAU_STATUS_SERIES_NOT_FOUND;
    }
    world_trace(world, " %u series, groups of %u, %lld to %lld: status %u", reading->count,
                reading->group_size, (long long)reading->from, (long long)reading->to,
                (unsigned)status);
    if (status != expected)
        world_complain(world, "a scan gets status %u, not %u", (unsigned)status,
                       (unsigned)expected);
    if (status != TAU_STATUS_SUCCESS)
        return;
    begin_group(reading, 0);
    if (read_batches(reading)) {
        end_group(reading);
        while (reading->first + reading->group_size < reading->count) {
            begin_group(reading, reading->first + reading->group_size);
            end_group(reading);
        }
    }
    taud_scan_close(reading->scan);
    free(reading->moments);
}

void read_scan(struct world *world)
{
    struct reading reading = {.world = world, .group_size = 1};
    struct tau_slice prefix = {(const uint8_t *)"cpu.", 4};
    bool named = world_draw(world, 3) > 0;
    if (named)
        draw_numbers(&reading, 1 + (unsigned)world_draw(world, 6));
    else
        choose_prefix(&reading, prefix);
    if (reading.count == 0)
        return;
    draw_question(&reading);
    const struct tau_multi_range_request request = {
        .from = reading.from,
        .to = reading.to,
        .low = reading.low,
        .high = reading.high,
        .limit = reading.limit,
        .direction = reading.backward ? TAU_DIRECTION_BACKWARD : TAU_DIRECTION_FORWARD,
        .prefix = named ? (struct tau_slice){NULL, 0} : prefix,
        .labels = {.data = reading.labels, .count = named ? reading.count : 0},
    };
    follow(&reading, taud_scan_open(world->engine, &request, wake, &reading, &reading.scan));
}

void read_where(struct world *world)
{
    struct reading reading = {.world = world, .group_size = 1 + (unsigned)world_draw(world, 4)};
    draw_numbers(&reading, reading.group_size * (1 + (unsigned)world_draw(world, 3)));
    reading.count -= reading.count % reading.group_size;
    if (reading.count == 0)
        return;
    draw_question(&reading);
    const struct tau_multi_range_where_request request = {
        .from = reading.from,
        .to = reading.to,
        .low = reading.low,
        .high = reading.high,
        .limit = reading.limit,
        .direction = reading.backward ? TAU_DIRECTION_BACKWARD : TAU_DIRECTION_FORWARD,
        .group_size = reading.group_size,
        .labels = {.data = reading.labels, .count = reading.count},
    };
    follow(&reading, taud_scan_open_where(world->engine, &request, wake, &reading, &reading.scan));
}
