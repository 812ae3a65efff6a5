// SPDX-License-Identifier: MIT
// What a store of series has to hold. Every function is as simple as its definition.
#include "model.h"

#include "engine/policy.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t mix(uint64_t z)
{
    z += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint64_t model_point_digest(int64_t timestamp, uint64_t value)
{
    return mix(mix((uint64_t)timestamp) ^ value);
}

uint64_t model_series_digest(unsigned number, bool exists, unsigned order, uint64_t retention,
                             size_t count, uint64_t points)
{
    uint64_t policy = mix(number + 1 + ((uint64_t)order << 32)) + mix(~retention);
    return exists ? mix(mix(policy) ^ mix(count) ^ points) : 0;
}

uint64_t model_lens_digest(unsigned number, bool exists)
{
    return exists ? mix(~(uint64_t)number) : 0;
}

uint64_t model_rollup_digest(unsigned number, const struct model_rollup *rollup)
{
    uint64_t digest = rollup->target ? mix(number + 1000) : 0;
    return rollup->exists ? digest + mix(mix(digest ^ rollup->source) ^
                                         (rollup->width << 8 | rollup->function))
                          : digest;
}

uint64_t model_digest(const struct model *model)
{
    uint64_t digest = 0;
    for (unsigned i = 0; i < MODEL_SERIES; i++) {
        const struct model_series *series = &model->series[i];
        digest += model_series_digest(i, series->exists, series->order, series->retention,
                                      model_sure_count(series), series->digest);
    }
    for (unsigned i = 0; i < MODEL_LENSES; i++)
        digest += model_lens_digest(i, model->lenses[i].exists);
    for (unsigned i = 0; i < MODEL_ROLLUPS; i++)
        digest += model_rollup_digest(i, &model->rollups[i]);
    return digest;
}

size_t model_find(const struct model_series *series, int64_t timestamp)
{
    size_t low = 0, high = series->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (series->timestamps[middle] < timestamp)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

// --- age --------------------------------------------------------------------------------------

bool model_is_sure(const struct model_series *series, int64_t timestamp)
{
    return !series->forgets || timestamp >= series->floor;
}

size_t model_sure_count(const struct model_series *series)
{
    return series->count - (series->forgets ? model_find(series, series->floor) : 0);
}

int64_t model_edge(const struct model *model, uint64_t retention, int64_t newest)
{
    int64_t from = model->wall < newest ? model->wall : newest;
    uint64_t room = (uint64_t)from - (uint64_t)INT64_MIN;
    return retention == 0 || retention > room ? INT64_MIN : (int64_t)((uint64_t)from - retention);
}

static bool raise_floor(struct model_series *series, int64_t floor)
{
    if (series->forgets ? floor <= series->floor : floor == INT64_MIN)
        return false;
    size_t first = series->forgets ? model_find(series, series->floor) : 0;
    for (size_t i = first, end = model_find(series, floor); i < end; i++)
        series->digest -= model_point_digest(series->timestamps[i], series->values[i]);
    series->forgets = true;
    series->floor = floor;
    return true;
}

bool model_age(struct model *model)
{
    bool moved = false;
    for (unsigned i = 0; i < MODEL_SERIES; i++)
        moved |= model_age_series(model, i, model->series[i].retention);
    return moved;
}

bool model_age_series(struct model *model, unsigned number, uint64_t retention)
{
    return raise_floor(&model->series[number], model_edge(model, retention, model->newest));
}

void model_take_age(struct model *model, const struct model *from)
{
    model->wall = from->wall;
    model->newest = from->newest;
    for (unsigned i = 0; i < MODEL_SERIES; i++) {
        if (from->series[i].forgets)
            raise_floor(&model->series[i], from->series[i].floor);
    }
}

uint64_t model_age_digest(const struct model *model)
{
    uint64_t digest = mix((uint64_t)model->wall);
    for (unsigned i = 0; i < MODEL_SERIES; i++) {
        if (model->series[i].forgets)
            digest += mix(mix(i) ^ (uint64_t)model->series[i].floor);
    }
    return digest;
}

// --- points -----------------------------------------------------------------------------------

static void grow(struct model_series *series, size_t count)
{
    if (count <= series->capacity)
        return;
    series->capacity = count * 2;
    series->timestamps = realloc(series->timestamps, series->capacity * sizeof(int64_t));
    series->values = realloc(series->values, series->capacity * sizeof(uint64_t));
    if (!series->timestamps || !series->values)
        abort();
}

static void put_point(struct model_series *series, int64_t timestamp, uint64_t value)
{
    size_t at = model_find(series, timestamp);
    bool there = at < series->count && series->timestamps[at] == timestamp;
    bool sure = model_is_sure(series, timestamp);
    if (there) {
        series->digest -= sure ? model_point_digest(timestamp, series->values[at]) : 0;
    } else {
        grow(series, series->count + 1);
        memmove(series->timestamps + at + 1, series->timestamps + at,
                (series->count - at) * sizeof(int64_t));
        memmove(series->values + at + 1, series->values + at,
                (series->count - at) * sizeof(uint64_t));
        series->count++;
    }
    series->timestamps[at] = timestamp;
    series->values[at] = value;
    series->digest += sure ? model_point_digest(timestamp, value) : 0;
    if (!series->appended || timestamp > series->last)
        series->last = timestamp;
    series->appended = true;
}

static void empty(struct model_series *series, bool exists)
{
    series->exists = exists;
    series->order = TAUD_ORDER_STRICT;
    series->retention = 0;
    series->appended = false;
    series->count = 0;
    series->digest = 0;
}

// What comes in order is still judged by the newest point that there ever was.
static void delete_points(struct model_series *series, int64_t from, int64_t to)
{
    size_t first = model_find(series, from), end = model_find(series, to);
    if (end < series->count && series->timestamps[end] == to)
        end++;
    for (size_t i = first; i < end; i++) {
        if (model_is_sure(series, series->timestamps[i]))
            series->digest -= model_point_digest(series->timestamps[i], series->values[i]);
    }
    memmove(series->timestamps + first, series->timestamps + end,
            (series->count - end) * sizeof(int64_t));
    memmove(series->values + first, series->values + end,
            (series->count - end) * sizeof(uint64_t));
    series->count -= end - first;
}

// A source is gone.
static void end_rollups(struct model *model, unsigned source)
{
    for (unsigned i = 0; i < MODEL_ROLLUPS; i++)
        model->rollups[i].exists = model->rollups[i].exists && model->rollups[i].source != source;
}

void model_apply(struct model *model, const struct effect *effect)
{
    switch (effect->kind) {
    case EFFECT_CREATE:
        empty(&model->series[effect->number], true);
        break;
    case EFFECT_DROP:
        empty(&model->series[effect->number], false);
        end_rollups(model, effect->number);
        break;
    case EFFECT_POINT:
        put_point(&model->series[effect->number], effect->timestamp, effect->value);
        break;
    case EFFECT_DELETE:
        if (model->series[effect->number].count > 0)
            delete_points(&model->series[effect->number], effect->timestamp, effect->to);
        break;
    case EFFECT_POLICY:
        model->series[effect->number].order = effect->order;
        model->series[effect->number].retention = effect->retention;
        break;
    case EFFECT_LENS:
        model->lenses[effect->number] = effect->lens;
        break;
    case EFFECT_ROLLUP:
        model->rollups[effect->number] = effect->rollup;
        if (!effect->rollup.target)
            end_rollups(model, MODEL_SERIES + effect->number);
        break;
    }
}

void model_copy(struct model *to, const struct model *from)
{
    for (unsigned i = 0; i < MODEL_SERIES; i++) {
        struct model_series *series = &to->series[i];
        const struct model_series *given = &from->series[i];
        struct model_series kept = *series;
        grow(&kept, given->count);
        *series = *given;
        series->capacity = kept.capacity;
        series->timestamps = kept.timestamps;
        series->values = kept.values;
        if (given->count > 0) {
            memcpy(series->timestamps, given->timestamps, given->count * sizeof(int64_t));
            memcpy(series->values, given->values, given->count * sizeof(uint64_t));
        }
    }
    memcpy(to->lenses, from->lenses, sizeof to->lenses);
    memcpy(to->rollups, from->rollups, sizeof to->rollups);
}

void model_done(struct model *model)
{
    for (unsigned i = 0; i < MODEL_SERIES; i++) {
        free(model->series[i].timestamps);
        free(model->series[i].values);
    }
    *model = (struct model){0};
}

static double as_double(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

// What becomes of a value where there is one already; false: it stays.
static bool fold_values(unsigned order, uint64_t old, uint64_t value, uint64_t *ret)
{
    double a = as_double(old), b = as_double(value), sum = a + b;
    *ret = value;
    switch ((enum taud_order)order) {
    case TAUD_ORDER_LAST:
        return true;
    case TAUD_ORDER_MIN:
        return !isnan(b) && (isnan(a) || b < a);
    case TAUD_ORDER_MAX:
        return !isnan(b) && (isnan(a) || b > a);
    case TAUD_ORDER_SUM:
        if (!isnan(a))
            memcpy(ret, &sum, sizeof sum);
        return !isnan(b);
    default:
        return false;
    }
}

enum tau_status model_judge(const struct model *model, unsigned number, int64_t timestamp,
                            uint64_t value, uint64_t *ret_value, bool *ret_changes)
{
    const struct model_series *series = &model->series[number];
    *ret_value = value;
    *ret_changes = true;
    if (!series->exists)
        return TAU_STATUS_SERIES_NOT_FOUND;
    if (!series->appended || timestamp > series->last)
        return TAU_STATUS_SUCCESS;
    size_t at = model_find(series, timestamp);
    bool there = at < series->count && series->timestamps[at] == timestamp;
    if (series->order == TAUD_ORDER_STRICT || (series->order == TAUD_ORDER_REJECT && there))
        return TAU_STATUS_OUT_OF_ORDER;
    if (there)
        *ret_changes = fold_values(series->order, series->values[at], value, ret_value);
    return TAU_STATUS_SUCCESS;
}

// --- lenses -----------------------------------------------------------------------------------

static const char *const transform_names[MODEL_TRANSFORMS + 1] = {
    "identity",       "celsius_to_fahrenheit", "fahrenheit_to_celsius",
    "celsius_to_kelvin", "kelvin_to_celsius",  "meters_to_feet",
    "feet_to_meters", "returns",               "log_return",
    "squared",
};

const char *model_transform_name(unsigned transform)
{
    return transform_names[transform];
}

static double transformed(unsigned transform, double v, double before)
{
    switch (transform) {
    case 0:
        return v;
    case 1:
        return v * 9 / 5 + 32;
    case 2:
        return (v - 32) * 5 / 9;
    case 3:
        return v + 273.15;
    case 4:
        return v - 273.15;
    case 5:
        return v / 0.3048;
    case 6:
        return v * 0.3048;
    case 7:
        return v / before - 1;
    default:
        return log(v / before);
    }
}

// Transforms the point and as many before it as the transforms can ask for, one after the other.
// The last two of them need the point before, so each leaves one less.
bool model_evaluate(const struct model *model, const struct model_lens *lens, size_t at,
                    double *ret_value)
{
    const struct model_series *series = &model->series[lens->source];
    double values[TAU_LIMIT_LENS_TRANSFORMS + 1];
    size_t count = at < lens->count ? at + 1 : (size_t)lens->count + 1;
    for (size_t i = 0; i < count; i++) // the newest first
        memcpy(&values[i], &series->values[at - i], sizeof values[i]);
    for (unsigned k = 0; k < lens->count; k++) {
        bool relative = lens->transforms[k] >= 7;
        if (relative && --count == 0)
            return false;
        for (size_t i = 0; i < count; i++)
            values[i] = transformed(lens->transforms[k], values[i], relative ? values[i + 1] : 0);
    }
    *ret_value = values[0];
    return true;
}

// --- labels -----------------------------------------------------------------------------------

struct tau_label model_label(unsigned number)
{
    struct tau_label label = {{0}};
    if (number % 3 == 0) {
        label.bytes[0] = (uint8_t)(number * 6);
    } else if (number % 3 == 1) {
        snprintf((char *)label.bytes, sizeof label.bytes, "cpu.%u", number);
    } else {
        memset(label.bytes, 'x', sizeof label.bytes - 1);
        label.bytes[sizeof label.bytes - 1] = (uint8_t)number;
    }
    return label;
}

struct tau_label model_rollup_source(unsigned source)
{
    return source < MODEL_SERIES ? model_label(source) : model_rollup_label(source - MODEL_SERIES);
}

struct tau_label model_rollup_label(unsigned number)
{
    struct tau_label label = {{0}};
    snprintf((char *)label.bytes, sizeof label.bytes, "rollup.%02u", number);
    return label;
}

struct tau_label model_lens_label(unsigned number)
{
    struct tau_label label = {{0}};
    snprintf((char *)label.bytes, sizeof label.bytes, "lens.%02u", number);
    return label;
}
