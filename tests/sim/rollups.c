// SPDX-License-Identifier: MIT
// Rules that keep series of their own up to date: they come and go beside the model's series, and
// whenever nothing is due, each target has what a loop over the points of its source gives,
// whatever was written late, deleted, or lost with the power.
#include "operations.h"

#include "engine/rollup.h"

#include <stdlib.h>
#include <string.h>

enum {
    RETRY_S = 61, // behind which what failed is tried again
    PAGE = 256,
};

static const enum tau_aggregate_function functions[] = {
    TAU_AGGREGATE_FUNCTION_COUNT, TAU_AGGREGATE_FUNCTION_FIRST, TAU_AGGREGATE_FUNCTION_LAST};

// --- writes -----------------------------------------------------------------------------------

static void change_target(struct world *world, unsigned number, bool exists)
{
    struct effect effect = {.kind = EFFECT_ROLLUP, .number = number, .rollup.target = exists};
    struct tau_label label = model_rollup_label(number);
    bool there = world->now.rollups[number].target;
    if (exists)
        world_change(world, taud_engine_create_series(world->engine, &label, &world->position),
                     there ? TAU_STATUS_SERIES_ALREADY_EXISTS : TAU_STATUS_SUCCESS, &effect);
    else
        world_change(world, taud_engine_drop_series(world->engine, &label, &world->position),
                     there ? TAU_STATUS_SUCCESS : TAU_STATUS_SERIES_NOT_FOUND, &effect);
}

// A series; for every third rule the target of one.
static unsigned draw_source(struct world *world, unsigned number)
{
    unsigned series = draw_series(world);
    return number % 3 == 2 ? MODEL_SERIES + series % MODEL_ROLLUPS : series;
}

static bool source_exists(const struct model *model, unsigned source)
{
    return source < MODEL_SERIES ? model->series[source].exists
                                 : model->rollups[source - MODEL_SERIES].target;
}

// Whether a source is this target, or is made of it through some rules.
static bool is_made_of(const struct model *model, unsigned source, unsigned target)
{
    while (source >= MODEL_SERIES && source - MODEL_SERIES != target) {
        const struct model_rollup *rollup = &model->rollups[source - MODEL_SERIES];
        if (!rollup->exists)
            return false;
        source = rollup->source;
    }
    return source >= MODEL_SERIES;
}

void write_rollup(struct world *world)
{
    struct effect effect = {.kind = EFFECT_ROLLUP,
                            .number = (unsigned)world_draw(world, MODEL_ROLLUPS)};
    const struct model_rollup *rollup = &world->now.rollups[effect.number];
    // What one rule left is not for the next.
    bool used = rollup->width > 0 && !rollup->exists;
    if (!rollup->target || used) {
        change_target(world, effect.number, !rollup->target);
        return;
    }
    unsigned source = draw_source(world, effect.number);
    struct model_rollup made = {.target = true,
                                .exists = true,
                                .source = (uint8_t)source,
                                .function = (uint8_t)world_draw(world, 3),
                                .width = 1 + world_draw(world, 300)};
    struct tau_rollup rule = {.target = model_rollup_label(effect.number),
                              .source = model_rollup_source(source),
                              .width = made.width,
                              .origin = 7,
                              .function = functions[made.function]};
    enum tau_status expected = TAU_STATUS_SUCCESS;
    if (source < MODEL_SERIES && source % RETAINED_OF == RETAINED)
        return; // nobody can tell what of it was there
    if (!source_exists(&world->now, source))
        expected = TAU_STATUS_SERIES_NOT_FOUND;
    else if (rollup->exists)
        expected = TAU_STATUS_ROLLUP_ALREADY_EXISTS;
    else if (is_made_of(&world->now, source, effect.number))
        expected = TAU_STATUS_INVALID_PAYLOAD;
    effect.rollup = made;
    world_change(world, taud_engine_create_rollup(world->engine, &rule, &world->position), expected,
                 &effect);
}

void write_rollup_drop(struct world *world)
{
    struct effect effect = {.kind = EFFECT_ROLLUP,
                            .number = (unsigned)world_draw(world, MODEL_ROLLUPS)};
    const struct model_rollup *rollup = &world->now.rollups[effect.number];
    struct tau_label label = model_rollup_label(effect.number);
    if (world_draw(world, 2)) {
        change_target(world, effect.number, false);
        return;
    }
    effect.rollup = *rollup;
    effect.rollup.exists = false;
    world_change(world, taud_engine_drop_rollup(world->engine, &label, &world->position),
                 rollup->exists ? TAU_STATUS_SUCCESS : TAU_STATUS_ROLLUP_NOT_FOUND, &effect);
}

// --- what a target has to have ----------------------------------------------------------------

static uint64_t bits_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static int64_t start_of(const struct model_rollup *rollup, int64_t timestamp)
{
    int64_t width = (int64_t)rollup->width, phase = (timestamp - 7) % width;
    return timestamp - (phase < 0 ? phase + width : phase);
}

// The digest of the points of all buckets before `over`.
static uint64_t digest_buckets(const struct model_rollup *rollup, const struct model_series *source,
                               int64_t over)
{
    uint64_t digest = 0;
    for (size_t i = 0, end; i < source->count; i = end) {
        int64_t start = start_of(rollup, source->timestamps[i]);
        for (end = i; end < source->count && start_of(rollup, source->timestamps[end]) == start;)
            end++;
        uint64_t values[] = {bits_of((double)(end - i)), source->values[i],
                             source->values[end - 1]};
        if (start < over)
            digest += model_point_digest(start, values[rollup->function]);
    }
    return digest;
}

// Reads what a target has; `ret` is to be freed by free_points. Returns false when that fails.
static bool read_target(struct world *world, unsigned number, struct model_series *ret)
{
    struct tau_label label = model_rollup_label(number);
    struct taud_range *range;
    bool end = false;
    *ret = (struct model_series){.count = 0};
    enum tau_status status = taud_range_open(world->engine, &label, INT64_MIN, INT64_MAX, 0,
                                             TAU_DIRECTION_FORWARD, &range);
    if (status != TAU_STATUS_SUCCESS)
        return false;
    while (!end && status == TAU_STATUS_SUCCESS) {
        double values[PAGE];
        size_t count, room = ret->count + PAGE;
        ret->timestamps = realloc(ret->timestamps, room * sizeof *ret->timestamps);
        ret->values = realloc(ret->values, room * sizeof *ret->values);
        if (!ret->timestamps || !ret->values)
            abort();
        status = taud_range_next(range, ret->timestamps + ret->count, values, PAGE, &count, &end);
        for (size_t i = 0; i < count; i++, ret->count++) {
            ret->values[ret->count] = bits_of(values[i]);
            ret->digest += model_point_digest(ret->timestamps[ret->count], bits_of(values[i]));
        }
    }
    taud_range_close(range);
    return status == TAU_STATUS_SUCCESS;
}

static void free_points(struct model_series *points)
{
    free(points->timestamps);
    free(points->values);
}

// What a rule over a series has to give: its buckets are over up to that of the newest point that
// there ever was.
static uint64_t digest_of_series(const struct model *model, const struct model_rollup *rollup)
{
    const struct model_series *series = &model->series[rollup->source];
    return series->appended ? digest_buckets(rollup, series, start_of(rollup, series->last)) : 0;
}

// What a rule over a target has to give: of what that has. How new its newest point ever was only
// the engine knows, since it may have been computed away; never less than what is there.
static uint64_t digest_of_target(struct world *world, const struct model_rollup *rollup,
                                 const struct tau_rollup *told)
{
    struct model_series source;
    unsigned number = rollup->source - MODEL_SERIES;
    uint64_t digest = 0;
    if (!read_target(world, number, &source))
        world_complain(world, "the target of rollup %u cannot be read", number);
    else if (source.count > 0 &&
             told->settled < start_of(rollup, source.timestamps[source.count - 1]))
        world_complain(world, "a rule over rollup %u stands back", number);
    else
        digest = digest_buckets(rollup, &source, told->settled);
    free_points(&source);
    return digest;
}

static void check_rollup(struct world *world, const struct tau_rollup *told, unsigned number)
{
    const struct model_rollup *rollup = &world->now.rollups[number];
    struct model_series target;
    if (told->state != TAU_ROLLUP_STATE_SETTLED) {
        world_complain(world, "rollup %u is never settled", number);
        return;
    }
    uint64_t expected = rollup->source < MODEL_SERIES ? digest_of_series(&world->now, rollup)
                                                      : digest_of_target(world, rollup, told);
    if (!read_target(world, number, &target))
        world_complain(world, "the target of rollup %u cannot be read", number);
    else if (target.digest != expected)
        world_complain(world, "the target of rollup %u, %u of source %u over %llu, differs", number,
                       rollup->function, rollup->source, (unsigned long long)rollup->width);
    free_points(&target);
}

void check_rollups(struct world *world)
{
    struct tau_rollup told[MODEL_ROLLUPS];
    size_t count;
    bool more, nesting = world->nesting;
    if (world->faulty || world->read_only)
        return;
    world->nesting = true; // nothing is written meanwhile
    world_step_until_idle(world);
    world->now_ns += RETRY_S * UINT64_C(1000000000);
    world_step_until_idle(world);
    world->nesting = nesting;
    taud_engine_list_rollups(world->engine, NULL, MODEL_ROLLUPS, told, &count, &more);
    for (size_t i = 0; i < count && world_is_well(world); i++) {
        for (unsigned number = 0; number < MODEL_ROLLUPS; number++) {
            struct tau_label label = model_rollup_label(number);
            if (memcmp(&label, &told[i].target, sizeof label) == 0)
                check_rollup(world, &told[i], number);
        }
    }
}

// --- looking ----------------------------------------------------------------------------------

static bool take_told(const struct tau_rollup *told, struct model_rollup *ret)
{
    for (unsigned source = 0; source < MODEL_SERIES + MODEL_ROLLUPS; source++) {
        struct tau_label label = model_rollup_source(source);
        if (memcmp(&label, &told->source, sizeof label) == 0)
            ret->source = (uint8_t)source;
    }
    for (uint8_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        if (functions[i] == told->function)
            ret->function = i;
    }
    ret->width = told->width;
    ret->exists = true;
    return ret->target && told->origin == 7;
}

bool world_look_at_rollups(struct taud_engine *engine, struct model_rollup ret[MODEL_ROLLUPS])
{
    struct tau_rollup told[MODEL_ROLLUPS + 1];
    size_t count, known = 0;
    bool more;
    taud_engine_list_rollups(engine, NULL, MODEL_ROLLUPS + 1, told, &count, &more);
    for (unsigned i = 0; i < MODEL_ROLLUPS; i++) {
        struct tau_label label = model_rollup_label(i);
        struct tau_query_latest_response latest;
        ret[i] = (struct model_rollup){.target = taud_engine_latest(engine, &label, &latest) !=
                                                 TAU_STATUS_SERIES_NOT_FOUND};
        for (size_t k = 0; k < count; k++) {
            if (memcmp(&told[k].target, &label, sizeof label) == 0)
                known += take_told(&told[k], &ret[i]);
        }
    }
    return known == count && !more;
}
