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
    unsigned source = draw_series(world);
    struct model_rollup made = {.target = true,
                                .exists = true,
                                .source = (uint8_t)source,
                                .function = (uint8_t)world_draw(world, 3),
                                .width = 1 + world_draw(world, 300)};
    struct tau_rollup rule = {.target = model_rollup_label(effect.number),
                              .source = model_label(source),
                              .width = made.width,
                              .origin = 7,
                              .function = functions[made.function]};
    enum tau_status expected = TAU_STATUS_SUCCESS;
    if (source % RETAINED_OF == RETAINED)
        return; // nobody can tell what of it was there
    if (!world->now.series[source].exists)
        expected = TAU_STATUS_SERIES_NOT_FOUND;
    else if (rollup->exists)
        expected = TAU_STATUS_ROLLUP_ALREADY_EXISTS;
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

// The digest of the points of all buckets that are over.
static uint64_t expected_digest(const struct model *model, const struct model_rollup *rollup)
{
    const struct model_series *series = &model->series[rollup->source];
    uint64_t digest = 0;
    if (!series->appended)
        return 0;
    int64_t over = start_of(rollup, series->last);
    for (size_t i = 0, end; i < series->count; i = end) {
        int64_t start = start_of(rollup, series->timestamps[i]);
        for (end = i; end < series->count && start_of(rollup, series->timestamps[end]) == start;)
            end++;
        uint64_t values[] = {bits_of((double)(end - i)), series->values[i],
                             series->values[end - 1]};
        if (start < over)
            digest += model_point_digest(start, values[rollup->function]);
    }
    return digest;
}

static bool digest_target(struct world *world, unsigned number, uint64_t *ret_digest)
{
    struct tau_label label = model_rollup_label(number);
    struct taud_range *range;
    int64_t timestamps[PAGE];
    double values[PAGE];
    bool end = false;
    *ret_digest = 0;
    enum tau_status status = taud_range_open(world->engine, &label, INT64_MIN, INT64_MAX, 0,
                                             TAU_DIRECTION_FORWARD, &range);
    if (status != TAU_STATUS_SUCCESS)
        return false;
    while (!end && status == TAU_STATUS_SUCCESS) {
        size_t count;
        status = taud_range_next(range, timestamps, values, PAGE, &count, &end);
        for (size_t i = 0; i < count; i++)
            *ret_digest += model_point_digest(timestamps[i], bits_of(values[i]));
    }
    taud_range_close(range);
    return status == TAU_STATUS_SUCCESS;
}

static void check_rollup(struct world *world, const struct tau_rollup *told, unsigned number)
{
    const struct model_rollup *rollup = &world->now.rollups[number];
    uint64_t digest;
    if (told->state != TAU_ROLLUP_STATE_SETTLED)
        world_complain(world, "rollup %u is never settled", number);
    else if (!digest_target(world, number, &digest))
        world_complain(world, "the target of rollup %u cannot be read", number);
    else if (digest != expected_digest(&world->now, rollup))
        world_complain(world, "the target of rollup %u, %u of series %u over %llu, differs", number,
                       rollup->function, rollup->source, (unsigned long long)rollup->width);
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
    for (unsigned source = 0; source < MODEL_SERIES; source++) {
        struct tau_label label = model_label(source);
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
