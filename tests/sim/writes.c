// SPDX-License-Identifier: MIT
// Operations that write: every shape in which points can come, series, lenses. The model's answer
// is compared with the engine's; what storage refused changes neither.
#include "operations.h"

#include "engine/policy.h"

#include <stdlib.h>
#include <string.h>

enum { POINTS_MAX = 600, COLUMN_MAX = 2400 };

uint64_t draw_value(struct world *world)
{
    static const double special[] = {0.0,        -0.0,   1.0 / 0.0,
                                     -1.0 / 0.0, 5e-324, 1.7976931348623157e308};
    double value = (double)world_draw(world, 1000) / 10;
    uint64_t bits;
    switch (world_draw(world, 8)) {
    case 0:
        return world_draw(world, UINT64_MAX); // any bits, payloads of NaN too
    case 1:
        value = special[world_draw(world, 6)];
        break;
    case 2:
        value = (double)world_draw(world, 100);
        break;
    default:
        break;
    }
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static double as_double(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

// The first few are asked for more often, so that some become long.
static unsigned draw_any_series(struct world *world)
{
    uint64_t number = world_draw(world, MODEL_SERIES);
    return (unsigned)(world_draw(world, 3) == 0 ? number : number % 6);
}

// Mostly one that there is.
unsigned draw_series(struct world *world)
{
    unsigned number = draw_any_series(world);
    for (unsigned i = 0; i < 4 && !world->now.series[number].exists; i++)
        number = draw_any_series(world);
    return number;
}

int64_t draw_timestamp(struct world *world, unsigned number)
{
    const struct model_series *series = &world->now.series[number];
    int64_t last = series->appended ? series->last : (int64_t)world_draw(world, 1000) - 500;
    switch (world_draw(world, 16)) {
    case 0:
        return last - (int64_t)world_draw(world, 50);
    case 1:
        return last;
    case 2:
        return last + (int64_t)world_draw(world, 100000);
    case 3:
        return last - (int64_t)world_draw(world, 100000);
    case 4:
        return series->count > 0 ? series->timestamps[world_draw(world, series->count)] : last;
    default:
        return last + 10;
    }
}

static size_t draw_count(struct world *world, size_t most)
{
    switch (world_draw(world, 16)) {
    case 0:
        return (size_t)world_draw(world, most + 1);
    case 1:
    case 2:
        return (size_t)world_draw(world, 40);
    default:
        return 1 + (size_t)world_draw(world, 4);
    }
}

// What the engine is given for a value: the mutant's is another one.
static uint64_t given_value(struct world *world, uint64_t value)
{
    bool alters = world->settings.mutant == MUTANT_ALTERS && ++world->appended % 97 == 0;
    return alters ? value ^ 1 : value;
}

// Whether nobody knows what is said of such a point: those that it is judged by may be gone, the
// one at its time or the newest.
static bool may_be_either(const struct world *world, unsigned number, int64_t timestamp,
                          enum tau_status status)
{
    const struct model_series *series = &world->now.series[number];
    bool judged = series->order == TAUD_ORDER_REJECT ||
                  (series->order == TAUD_ORDER_STRICT && !model_is_sure(series, series->last));
    return judged && !model_is_sure(series, timestamp) &&
           (status == TAU_STATUS_SUCCESS || status == TAU_STATUS_OUT_OF_ORDER);
}

// Notes an effect where the engine's answer is that of the model.
static void take_point(struct world *world, enum tau_status status, unsigned number,
                       int64_t timestamp, uint64_t value)
{
    world_trace(world, "  %u: %lld: status %u", number, (long long)timestamp, (unsigned)status);
    if (world_refused(world, status))
        return;
    uint64_t stored;
    bool changes;
    enum tau_status expected =
        model_judge(&world->now, number, timestamp, value, &stored, &changes);
    if (status != expected && !may_be_either(world, number, timestamp, status))
        world_complain(world, "a point of series %u at %lld gets status %u, not %u", number,
                       (long long)timestamp, (unsigned)status, (unsigned)expected);
    struct effect effect = {
        .kind = EFFECT_POINT, .number = number, .timestamp = timestamp, .value = stored};
    if (status == TAU_STATUS_SUCCESS && changes)
        world_add_effect(world, &effect);
    effect.value = value; // which it is where the point that was there is gone
    if (status == TAU_STATUS_SUCCESS &&
        !model_is_sure(&world->now.series[number], timestamp))
        world_add_effect(world, &effect);
}

// --- series -----------------------------------------------------------------------------------

void write_create(struct world *world)
{
    struct effect effect = {.kind = EFFECT_CREATE, .number = draw_any_series(world)};
    struct tau_label label = model_label(effect.number);
    enum tau_status expected = world->now.series[effect.number].exists
                                   ? TAU_STATUS_SERIES_ALREADY_EXISTS
                                   : TAU_STATUS_SUCCESS;
    world_change(world, taud_engine_create_series(world->engine, &label, &world->position),
                 expected, &effect);
}

void write_drop(struct world *world)
{
    struct effect effect = {.kind = EFFECT_DROP, .number = draw_series(world)};
    struct tau_label label = model_label(effect.number);
    enum tau_status expected = world->now.series[effect.number].exists
                                   ? TAU_STATUS_SUCCESS
                                   : TAU_STATUS_SERIES_NOT_FOUND;
    world_change(world, taud_engine_drop_series(world->engine, &label, &world->position), expected,
                 &effect);
}

// What takes about half of what a series has, or less, or nothing; or all of it, some day.
static uint64_t draw_retention(struct world *world, unsigned number)
{
    const struct model *model = &world->now;
    const struct model_series *series = &model->series[number];
    int64_t now = model->wall < model->newest ? model->wall : model->newest;
    if (number % RETAINED_OF != RETAINED || world_draw(world, 3) == 0)
        return 0;
    int64_t from = series->count ? series->timestamps[world_draw(world, series->count)] : now;
    switch (world_draw(world, 6)) {
    case 0:
        return 1 + world_draw(world, 100000);
    case 1:
        return UINT64_MAX - world_draw(world, 100);
    default:
        return from < now ? (uint64_t)now - (uint64_t)from : 1000;
    }
}

void write_policy(struct world *world)
{
    struct effect effect = {.kind = EFFECT_POLICY,
                            .number = draw_series(world),
                            .order = (unsigned)world_draw(world, TAUD_ORDER_MAXIMUM + 2)};
    effect.retention = draw_retention(world, effect.number);
    struct tau_label label = model_label(effect.number);
    enum tau_status expected = TAU_STATUS_SUCCESS;
    if (effect.order > TAUD_ORDER_MAXIMUM)
        expected = TAU_STATUS_INVALID_PAYLOAD;
    else if (!world->now.series[effect.number].exists)
        expected = TAU_STATUS_SERIES_NOT_FOUND;
    world_change(world,
                 taud_engine_set_policy(world->engine, &label, (enum tau_order_policy)effect.order,
                                        effect.retention, &world->position),
                 expected, &effect);
}

void write_delete(struct world *world)
{
    struct effect effect = {.kind = EFFECT_DELETE, .number = draw_series(world)};
    const struct model_series *series = &world->now.series[effect.number];
    struct tau_label label = model_label(effect.number);
    effect.timestamp = draw_timestamp(world, effect.number);
    effect.to = effect.timestamp + (int64_t)world_draw(world, 4000) - 20;
    if (world_draw(world, 8) == 0)
        effect.to = series->appended ? series->last : effect.to;
    enum tau_status expected = TAU_STATUS_SUCCESS;
    if (effect.timestamp > effect.to)
        expected = TAU_STATUS_INVALID_PAYLOAD;
    else if (!series->exists)
        expected = TAU_STATUS_SERIES_NOT_FOUND;
    world_change(world,
                 taud_engine_delete_range(world->engine, &label, effect.timestamp, effect.to,
                                          &world->position),
                 expected, &effect);
}

// --- points -----------------------------------------------------------------------------------

// A point for a request of several: mostly behind the one that it was given before.
struct drawn {
    unsigned number;
    int64_t timestamp;
    uint64_t value;
};

static size_t draw_points(struct world *world, struct drawn *ret)
{
    int64_t ahead[MODEL_SERIES] = {0};
    size_t count = draw_count(world, POINTS_MAX);
    for (size_t i = 0; i < count; i++) {
        unsigned number = draw_series(world);
        ret[i] = (struct drawn){number, draw_timestamp(world, number) + ahead[number],
                                draw_value(world)};
        ahead[number] += (int64_t)world_draw(world, 20);
    }
    return count;
}

void write_points(struct world *world)
{
    struct drawn drawn[POINTS_MAX];
    struct tau_append_request points[POINTS_MAX];
    enum tau_status statuses[POINTS_MAX];
    size_t count = draw_points(world, drawn);
    for (size_t i = 0; i < count; i++)
        points[i] =
            (struct tau_append_request){.label = model_label(drawn[i].number),
                                        .timestamp = drawn[i].timestamp,
                                        .value = as_double(given_value(world, drawn[i].value))};
    taud_engine_append(world->engine, points, count, statuses, &world->position);
    world_trace(world, " %zu points", count);
    for (size_t i = 0; i < count; i++)
        world_expect(world, drawn[i].timestamp);
    world_begin_write(world);
    for (size_t i = 0; i < count; i++)
        take_point(world, statuses[i], drawn[i].number, drawn[i].timestamp, drawn[i].value);
    world_end_write(world, true);
}

static void store_swapped(uint8_t *out, uint64_t word)
{
    word = __builtin_bswap64(word);
    memcpy(out, &word, sizeof word);
}

struct columns {
    int64_t timestamps[COLUMN_MAX];
    uint64_t values[COLUMN_MAX];
    uint64_t given[COLUMN_MAX];
    uint8_t wire[2][COLUMN_MAX * 8];
    struct tau_refused_row refused[COLUMN_MAX];
};

static size_t draw_columns(struct world *world, unsigned number, struct columns *ret)
{
    size_t count = draw_count(world, COLUMN_MAX);
    bool even = world_draw(world, 2), walks = world_draw(world, 2);
    int64_t at = draw_timestamp(world, number);
    for (size_t i = 0; i < count; i++) {
        ret->timestamps[i] = at;
        ret->values[i] = walks && i > 0 ? ret->values[i - 1] : draw_value(world);
        ret->given[i] = given_value(world, ret->values[i]);
        store_swapped(ret->wire[0] + i * 8, (uint64_t)ret->timestamps[i]);
        store_swapped(ret->wire[1] + i * 8, ret->given[i]);
        at += even || world_draw(world, 50) ? 10 : (int64_t)world_draw(world, 30) - 15;
    }
    return count;
}

// Compares the rows that were refused with the model's, and takes the others.
static void take_rows(struct world *world, size_t count, const struct drawn *rows,
                      const struct tau_refused_row *refused, size_t refused_count)
{
    size_t next = 0;
    for (size_t i = 0; i < count; i++)
        world_expect(world, rows[i].timestamp);
    world_begin_write(world);
    for (size_t i = 0; i < count; i++) {
        bool is_refused = next < refused_count && refused[next].row == i;
        enum tau_status status = is_refused ? refused[next++].status : TAU_STATUS_SUCCESS;
        take_point(world, status, rows[i].number, rows[i].timestamp, rows[i].value);
    }
    world_end_write(world, false);
    if (next != refused_count)
        world_complain(world, "rows are refused that there are not, or out of order");
}

void write_columns(struct world *world)
{
    unsigned number = draw_series(world);
    struct tau_label label = model_label(number);
    struct columns *columns = malloc(sizeof *columns);
    struct drawn *rows = malloc(COLUMN_MAX * sizeof *rows);
    if (!columns || !rows)
        abort();
    size_t count = draw_columns(world, number, columns), refused_count = 0;
    bool wire = world_draw(world, 2);
    const void *timestamps = wire ? (const void *)columns->wire[0] : columns->timestamps;
    const void *values = wire ? (const void *)columns->wire[1] : columns->given;
    enum tau_status status = taud_engine_append_columns(
        world->engine, &label, (struct tau_array){timestamps, count, wire},
        (struct tau_array){values, count, wire}, columns->refused, &refused_count,
        &world->position);
    world_trace(world, " %u: %zu rows, status %u, %zu refused", number, count, (unsigned)status,
                refused_count);
    enum tau_status expected = world->now.series[number].exists ? TAU_STATUS_SUCCESS
                                                                : TAU_STATUS_SERIES_NOT_FOUND;
    bool taken = !world_refused(world, status);
    if (taken && status != expected)
        world_complain(world, "columns of series %u get status %u", number, (unsigned)status);
    for (size_t i = 0; i < count; i++)
        rows[i] = (struct drawn){number, columns->timestamps[i], columns->values[i]};
    if (taken && status == TAU_STATUS_SUCCESS)
        take_rows(world, count, rows, columns->refused, refused_count);
    free(rows);
    free(columns);
}

void write_rows(struct world *world)
{
    struct drawn drawn[POINTS_MAX];
    struct tau_row rows[POINTS_MAX];
    struct tau_refused_row refused[POINTS_MAX];
    size_t count = draw_points(world, drawn), refused_count = 0;
    for (size_t i = 0; i < count; i++)
        rows[i] = (struct tau_row){model_label(drawn[i].number), drawn[i].timestamp,
                                   as_double(given_value(world, drawn[i].value))};
    enum tau_status status =
        taud_engine_append_rows(world->engine, (struct tau_array){rows, count, false}, refused,
                                &refused_count, &world->position);
    world_trace(world, " %zu rows, status %u, %zu refused", count, (unsigned)status, refused_count);
    if (world_refused(world, status))
        return;
    if (status != TAU_STATUS_SUCCESS)
        world_complain(world, "rows get status %u", (unsigned)status);
    else
        take_rows(world, count, drawn, refused, refused_count);
}

// --- lenses -----------------------------------------------------------------------------------

void write_lens(struct world *world)
{
    struct effect effect = {.kind = EFFECT_LENS,
                            .number = (unsigned)world_draw(world, MODEL_LENSES)};
    unsigned source = (unsigned)world_draw(world, MODEL_SERIES + MODEL_LENSES);
    unsigned transform = (unsigned)world_draw(world, MODEL_TRANSFORMS + 1);
    bool of_series = source < MODEL_SERIES;
    struct tau_create_lens_request request = {
        .label = model_lens_label(effect.number),
        .source = of_series ? model_label(source) : model_lens_label(source - MODEL_SERIES)};
    strcpy((char *)request.transform.bytes, model_transform_name(transform));
    bool found = of_series ? world->now.series[source].exists
                           : world->now.lenses[source - MODEL_SERIES].exists;
    effect.lens = of_series ? (struct model_lens){.exists = true, .source = (uint8_t)source}
                            : world->now.lenses[source - MODEL_SERIES];
    enum tau_status expected = TAU_STATUS_SUCCESS;
    if (transform == MODEL_TRANSFORMS)
        expected = TAU_STATUS_INVALID_PAYLOAD;
    else if (world->now.lenses[effect.number].exists)
        expected = TAU_STATUS_LENS_ALREADY_EXISTS;
    else if (!found)
        expected = TAU_STATUS_SERIES_NOT_FOUND;
    else if (effect.lens.count == TAU_LIMIT_LENS_TRANSFORMS)
        expected = TAU_STATUS_LIMIT_EXCEEDED;
    else
        effect.lens.transforms[effect.lens.count++] = (uint8_t)transform;
    world_change(world, taud_engine_create_lens(world->engine, &request, &world->position),
                 expected, &effect);
}

void write_composition(struct world *world)
{
    struct effect effect = {.kind = EFFECT_LENS,
                            .number = (unsigned)world_draw(world, MODEL_LENSES)};
    unsigned first = (unsigned)world_draw(world, MODEL_LENSES);
    unsigned second = (unsigned)world_draw(world, MODEL_LENSES);
    const struct model_lens *a = &world->now.lenses[first], *b = &world->now.lenses[second];
    struct tau_compose_lens_request request = {model_lens_label(effect.number),
                                               model_lens_label(first), model_lens_label(second)};
    enum tau_status expected = TAU_STATUS_SUCCESS;
    effect.lens = *a;
    if (world->now.lenses[effect.number].exists)
        expected = TAU_STATUS_LENS_ALREADY_EXISTS;
    else if (!a->exists || !b->exists)
        expected = TAU_STATUS_LENS_NOT_FOUND;
    else if (a->count + b->count > TAU_LIMIT_LENS_TRANSFORMS)
        expected = TAU_STATUS_LIMIT_EXCEEDED;
    for (unsigned i = 0; expected == TAU_STATUS_SUCCESS && i < b->count; i++)
        effect.lens.transforms[effect.lens.count++] = b->transforms[i];
    world_change(world, taud_engine_compose_lens(world->engine, &request, &world->position),
                 expected, &effect);
}

void write_lens_drop(struct world *world)
{
    struct effect effect = {.kind = EFFECT_LENS,
                            .number = (unsigned)world_draw(world, MODEL_LENSES)};
    struct tau_label label = model_lens_label(effect.number);
    enum tau_status expected = world->now.lenses[effect.number].exists ? TAU_STATUS_SUCCESS
                                                                       : TAU_STATUS_LENS_NOT_FOUND;
    world_change(world, taud_engine_drop_lens(world->engine, &label, &world->position), expected,
                 &effect);
}
