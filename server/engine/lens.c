// SPDX-License-Identifier: MIT
// Lenses: named transforms over live series. A lens is resolved when it is made, into the label of
// a series and a list of transforms; so no lens depends on another.
#include "state.h"

#include "record.h"

#include <math.h>
#include <string.h>

// The numbers stand in the log: never changed, only added to.
enum transform {
    TRANSFORM_IDENTITY,
    TRANSFORM_CELSIUS_TO_FAHRENHEIT,
    TRANSFORM_FAHRENHEIT_TO_CELSIUS,
    TRANSFORM_CELSIUS_TO_KELVIN,
    TRANSFORM_KELVIN_TO_CELSIUS,
    TRANSFORM_METERS_TO_FEET,
    TRANSFORM_FEET_TO_METERS,
    TRANSFORM_RETURNS,
    TRANSFORM_LOG_RETURN,
    TRANSFORM_COUNT,
};

static bool find_transform(const struct tau_transform_name *name, uint8_t *ret_transform)
{
    static const char names[TRANSFORM_COUNT][sizeof name->bytes] = {
        "identity",         "celsius_to_fahrenheit", "fahrenheit_to_celsius",
        "celsius_to_kelvin", "kelvin_to_celsius",     "meters_to_feet",
        "feet_to_meters",   "returns",               "log_return",
    };
    for (size_t i = 0; i < TRANSFORM_COUNT; i++) {
        if (memcmp(name->bytes, names[i], sizeof name->bytes) == 0) {
            *ret_transform = (uint8_t)i;
            return true;
        }
    }
    return false;
}

static bool looks_back(uint8_t transform)
{
    return transform == TRANSFORM_RETURNS || transform == TRANSFORM_LOG_RETURN;
}

static double apply_simple(uint8_t transform, double v)
{
    switch (transform) {
    case TRANSFORM_CELSIUS_TO_FAHRENHEIT:
        return v * 9 / 5 + 32;
    case TRANSFORM_FAHRENHEIT_TO_CELSIUS:
        return (v - 32) * 5 / 9;
    case TRANSFORM_CELSIUS_TO_KELVIN:
        return v + 273.15;
    case TRANSFORM_KELVIN_TO_CELSIUS:
        return v - 273.15;
    case TRANSFORM_METERS_TO_FEET:
        return v / 0.3048;
    case TRANSFORM_FEET_TO_METERS:
        return v * 0.3048;
    default:
        return v;
    }
}

// Applies one transform to consecutive points, oldest first; one that looks back uses up the
// oldest. Returns how many are left.
static size_t apply(uint8_t transform, double *values, size_t count)
{
    if (transform == TRANSFORM_IDENTITY)
        return count;
    if (!looks_back(transform)) {
        for (size_t i = 0; i < count; i++)
            values[i] = apply_simple(transform, values[i]);
        return count;
    }
    for (size_t i = 0; i + 1 < count; i++) {
        double ratio = values[i + 1] / values[i];
        values[i] = transform == TRANSFORM_RETURNS ? ratio - 1 : log(ratio);
    }
    return count > 0 ? count - 1 : 0;
}

static struct taud_lens *find_lens(struct taud_engine *engine, const struct tau_label *label)
{
    uint64_t hash = taud_engine_hash(engine, label);
    return (struct taud_lens *)(void *)taud_table_find(&engine->lenses, hash, label);
}

bool taud_lens_add(struct taud_engine *engine, const struct taud_lens *lens)
{
    struct taud_lens *stored = taud_arena_take(&engine->arena, TAUD_BLOCK_128);
    if (!stored)
        return false;
    *stored = *lens;
    stored->named.hash = taud_engine_hash(engine, &lens->named.label);
    if (taud_table_insert(&engine->lenses, &stored->named)) {
        if (taud_index_insert(&engine->lens_index, &stored->named.label))
            return true;
        taud_table_remove(&engine->lenses, &stored->named);
    }
    taud_arena_give(&engine->arena, stored, TAUD_BLOCK_128);
    return false;
}

void taud_lens_remove(struct taud_engine *engine, struct taud_lens *lens)
{
    taud_table_remove(&engine->lenses, &lens->named);
    taud_index_remove(&engine->lens_index, &lens->named.label);
    taud_arena_give(&engine->arena, lens, TAUD_BLOCK_128);
}

bool taud_lens_known(const struct taud_lens *lens)
{
    for (size_t i = 0; i < lens->transform_count; i++) {
        if (lens->transforms[i] >= TRANSFORM_COUNT)
            return false;
    }
    return true;
}

static void encode_create(uint8_t *out, const void *user_data)
{
    const struct taud_lens *lens = user_data;
    taud_record_header(out, TAUD_RECORD_CREATE_LENS, 0, lens->transform_count);
    memcpy(out + 8, &lens->named.label, sizeof lens->named.label);
    memcpy(out + 40, &lens->source, sizeof lens->source);
    memset(out + 72, 0, sizeof lens->transforms);
    memcpy(out + 72, lens->transforms, lens->transform_count);
}

static void encode_drop(uint8_t *out, const void *user_data)
{
    taud_record_header(out, TAUD_RECORD_DROP_LENS, 0, 0);
    memcpy(out + 8, user_data, sizeof(struct tau_label));
}

static bool append_transforms(struct taud_lens *lens, const uint8_t *transforms, size_t count)
{
    if (lens->transform_count + count > TAU_LIMIT_LENS_TRANSFORMS)
        return false;
    memcpy(lens->transforms + lens->transform_count, transforms, count);
    lens->transform_count = (uint8_t)(lens->transform_count + count);
    return true;
}

static bool series_exists(struct taud_engine *engine, const struct tau_label *label)
{
    struct taud_shard *shard;
    struct taud_series *series = taud_engine_lock_series(engine, label, &shard);
    if (series)
        pthread_mutex_unlock(&shard->mutex);
    return series != NULL;
}

// Makes the lens of a CREATE_LENS, with the lens lock.
static enum tau_status resolve_create(struct taud_engine *engine,
                                      const struct tau_create_lens_request *request,
                                      uint8_t transform, struct taud_lens *lens)
{
    if (find_lens(engine, &request->label))
        return TAU_STATUS_LENS_ALREADY_EXISTS;
    lens->source = request->source;
    if (!series_exists(engine, &request->source)) {
        const struct taud_lens *source = find_lens(engine, &request->source);
        if (!source)
            return TAU_STATUS_SERIES_NOT_FOUND;
        lens->source = source->source;
        append_transforms(lens, source->transforms, source->transform_count);
    }
    if (!append_transforms(lens, &transform, 1))
        return TAU_STATUS_LIMIT_EXCEEDED;
    return TAU_STATUS_SUCCESS;
}

static enum tau_status resolve_compose(struct taud_engine *engine,
                                       const struct tau_compose_lens_request *request,
                                       struct taud_lens *lens)
{
    if (find_lens(engine, &request->label))
        return TAU_STATUS_LENS_ALREADY_EXISTS;
    const struct taud_lens *first = find_lens(engine, &request->first);
    const struct taud_lens *second = find_lens(engine, &request->second);
    if (!first || !second)
        return TAU_STATUS_LENS_NOT_FOUND;
    lens->source = first->source;
    if (!append_transforms(lens, first->transforms, first->transform_count) ||
        !append_transforms(lens, second->transforms, second->transform_count))
        return TAU_STATUS_LIMIT_EXCEEDED;
    return TAU_STATUS_SUCCESS;
}

// Stores and logs a resolved lens, with the lens lock.
static enum tau_status store_lens(struct taud_engine *engine, const struct taud_lens *lens,
                                  uint64_t *position)
{
    if (engine->lenses.count >= TAU_LIMIT_LENSES)
        return TAU_STATUS_LIMIT_EXCEEDED;
    uint8_t record[TAUD_RECORD_CREATE_LENS_BYTES];
    encode_create(record, lens);
    if (!taud_lens_add(engine, lens))
        return TAU_STATUS_STORAGE_FULL;
    if (!taud_catalog_note(engine, record, sizeof record)) {
        taud_lens_remove(engine, find_lens(engine, &lens->named.label));
        return TAU_STATUS_STORAGE_FULL;
    }
    taud_raise(position, taud_log_append_record(&engine->log, TAUD_RECORD_CREATE_LENS_BYTES,
                                                encode_create, lens));
    return TAU_STATUS_SUCCESS;
}

enum tau_status taud_engine_create_lens(struct taud_engine *engine,
                                        const struct tau_create_lens_request *request,
                                        uint64_t *position)
{
    uint8_t transform;
    struct taud_lens lens = {.named.label = request->label};
    if (!find_transform(&request->transform, &transform))
        return TAU_STATUS_INVALID_PAYLOAD;
    enum tau_status status = taud_log_admit(&engine->log, TAUD_RECORD_CREATE_LENS_BYTES, false);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    pthread_rwlock_wrlock(&engine->lens_lock);
    status = resolve_create(engine, request, transform, &lens);
    if (status == TAU_STATUS_SUCCESS)
        status = store_lens(engine, &lens, position);
    pthread_rwlock_unlock(&engine->lens_lock);
    taud_log_release(&engine->log, TAUD_RECORD_CREATE_LENS_BYTES);
    return status;
}

enum tau_status taud_engine_compose_lens(struct taud_engine *engine,
                                         const struct tau_compose_lens_request *request,
                                         uint64_t *position)
{
    struct taud_lens lens = {.named.label = request->label};
    enum tau_status status = taud_log_admit(&engine->log, TAUD_RECORD_CREATE_LENS_BYTES, false);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    pthread_rwlock_wrlock(&engine->lens_lock);
    status = resolve_compose(engine, request, &lens);
    if (status == TAU_STATUS_SUCCESS)
        status = store_lens(engine, &lens, position);
    pthread_rwlock_unlock(&engine->lens_lock);
    taud_log_release(&engine->log, TAUD_RECORD_CREATE_LENS_BYTES);
    return status;
}

enum tau_status taud_engine_drop_lens(struct taud_engine *engine, const struct tau_label *label,
                                      uint64_t *position)
{
    enum tau_status status = taud_log_admit(&engine->log, TAUD_RECORD_DROP_LENS_BYTES, true);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    uint8_t record[TAUD_RECORD_DROP_LENS_BYTES];
    encode_drop(record, label);
    pthread_rwlock_wrlock(&engine->lens_lock);
    struct taud_lens *lens = find_lens(engine, label);
    if (!lens) {
        status = TAU_STATUS_LENS_NOT_FOUND;
    } else if (!taud_catalog_note(engine, record, sizeof record)) {
        status = TAU_STATUS_STORAGE_FULL;
    } else {
        taud_lens_remove(engine, lens);
        taud_raise(position, taud_log_append_record(&engine->log, TAUD_RECORD_DROP_LENS_BYTES,
                                                    encode_drop, label));
    }
    pthread_rwlock_unlock(&engine->lens_lock);
    taud_log_release(&engine->log, TAUD_RECORD_DROP_LENS_BYTES);
    return status;
}

// The value at exactly `timestamp`, and at most `back` before it, oldest first; none when there is
// none.
static enum tau_status fetch_window(struct taud_engine *engine, const struct tau_label *label,
                                    int64_t timestamp, size_t back,
                                    double values[TAU_LIMIT_LENS_TRANSFORMS + 1], size_t *ret_count)
{
    int64_t timestamps[TAU_LIMIT_LENS_TRANSFORMS + 1];
    double newest_first[TAU_LIMIT_LENS_TRANSFORMS + 1];
    struct taud_range *range;
    size_t count;
    bool end;
    enum tau_status status = taud_range_open(engine, label, INT64_MIN, timestamp, back + 1,
                                             TAU_DIRECTION_BACKWARD, &range);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    status = taud_range_next(range, timestamps, newest_first, back + 1, &count, &end);
    taud_range_close(range);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    if (count > 0 && timestamps[0] != timestamp)
        count = 0;
    for (size_t i = 0; i < count; i++)
        values[i] = newest_first[count - 1 - i];
    *ret_count = count;
    return status;
}

// The same without any before it, which is mostly so.
static enum tau_status fetch_one(struct taud_engine *engine, const struct tau_label *label,
                                 int64_t timestamp, double *ret_value, size_t *ret_count)
{
    const struct tau_query_point_request request = {.label = *label, .timestamp = timestamp};
    struct tau_query_point_response response;
    enum tau_status status;
    taud_engine_query_points(engine, &request, 1, &response, &status);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    *ret_count = response.has_value;
    *ret_value = response.value;
    return status;
}

enum tau_status taud_engine_query_lens(struct taud_engine *engine, const struct tau_label *label,
                                       int64_t timestamp, struct tau_query_lens_response *ret)
{
    pthread_rwlock_rdlock(&engine->lens_lock);
    const struct taud_lens *found = find_lens(engine, label);
    struct taud_lens lens = {0};
    if (found)
        lens = *found;
    pthread_rwlock_unlock(&engine->lens_lock);
    if (!found)
        return TAU_STATUS_LENS_NOT_FOUND;

    size_t back = 0;
    for (size_t i = 0; i < lens.transform_count; i++)
        back += looks_back(lens.transforms[i]);
    double values[TAU_LIMIT_LENS_TRANSFORMS + 1];
    size_t count = 0;
    enum tau_status status =
        back == 0 ? fetch_one(engine, &lens.source, timestamp, values, &count)
                  : fetch_window(engine, &lens.source, timestamp, back, values, &count);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    for (size_t i = 0; i < lens.transform_count && count > 0; i++)
        count = apply(lens.transforms[i], values, count);
    memset(ret, 0, sizeof *ret);
    ret->has_value = count > 0;
    if (count > 0)
        memcpy(&ret->value, &values[count - 1], sizeof ret->value);
    return TAU_STATUS_SUCCESS;
}

void taud_engine_list_lenses(struct taud_engine *engine, size_t limit, struct tau_label *ret_labels,
                             size_t *ret_count, bool *ret_more)
{
    struct tau_label from = {{0}};
    pthread_rwlock_rdlock(&engine->lens_lock);
    *ret_count = taud_index_list(&engine->lens_index, &from, false, (struct tau_slice){0}, limit,
                                 ret_labels, ret_more);
    pthread_rwlock_unlock(&engine->lens_lock);
}
