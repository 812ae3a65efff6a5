// SPDX-License-Identifier: MIT
//
// JSON through jansson. The labels of the benchmark are text, which is what JSON can carry.

#include "codec.h"

#include <string.h>

#include <jansson.h>

// Writes the value and gives it up.
static bool dump(json_t *value, struct encoded *ret)
{
    if (value == NULL)
        return false;
    ret->size = json_dumpb(value, (char *)ret->bytes, ret->capacity, JSON_COMPACT);
    json_decref(value);
    return ret->size > 0 && ret->size <= ret->capacity;
}

static json_t *load(const struct encoded *message)
{
    return json_loadb((const char *)message->bytes, message->size, 0, NULL);
}

static bool take_label(const char *text, size_t size, uint8_t ret[LABEL_BYTES])
{
    if (size != LABEL_BYTES)
        return false;
    memcpy(ret, text, LABEL_BYTES);
    return true;
}

static size_t encode_appends(const struct append *values, size_t count, struct encoded *ret)
{
    for (size_t i = 0; i < count; i++) {
        json_t *object =
            json_pack("{s:s#,s:I,s:f}", "label", values[i].label, LABEL_BYTES, "timestamp",
                      (json_int_t)values[i].timestamp, "value", values[i].value);
        if (!dump(object, &ret[i]))
            return i;
    }
    return count;
}

static size_t decode_appends(const struct encoded *messages, size_t count, struct append *ret)
{
    for (size_t i = 0; i < count; i++) {
        json_t *object = load(&messages[i]);
        const char *label;
        size_t size;
        json_int_t timestamp;
        bool whole = json_unpack(object, "{s:s%,s:I,s:F}", "label", &label, &size, "timestamp",
                                 &timestamp, "value", &ret[i].value) == 0 &&
                     take_label(label, size, ret[i].label);
        json_decref(object);
        if (!whole)
            return i;
        ret[i].timestamp = timestamp;
    }
    return count;
}

static size_t encode_queries(const struct query_point *values, size_t count, struct encoded *ret)
{
    for (size_t i = 0; i < count; i++) {
        json_t *object = json_pack("{s:s#,s:I}", "label", values[i].label, LABEL_BYTES, "timestamp",
                                   (json_int_t)values[i].timestamp);
        if (!dump(object, &ret[i]))
            return i;
    }
    return count;
}

static size_t decode_queries(const struct encoded *messages, size_t count, struct query_point *ret)
{
    for (size_t i = 0; i < count; i++) {
        json_t *object = load(&messages[i]);
        const char *label;
        size_t size;
        json_int_t timestamp;
        bool whole = json_unpack(object, "{s:s%,s:I}", "label", &label, &size, "timestamp",
                                 &timestamp) == 0 &&
                     take_label(label, size, ret[i].label);
        json_decref(object);
        if (!whole)
            return i;
        ret[i].timestamp = timestamp;
    }
    return count;
}

static size_t encode_batches(const struct batch_append *values, size_t count, struct encoded *ret)
{
    for (size_t i = 0; i < count; i++) {
        json_t *timestamps = json_array(), *column = json_array();
        for (size_t p = 0; p < values[i].count; p++) {
            json_array_append_new(timestamps, json_integer(values[i].timestamps[p]));
            json_array_append_new(column, json_real(values[i].values[p]));
        }
        json_t *object = json_pack("{s:s#,s:o,s:o}", "label", values[i].label, LABEL_BYTES,
                                   "timestamps", timestamps, "values", column);
        if (!dump(object, &ret[i]))
            return i;
    }
    return count;
}

static bool take_columns(const json_t *timestamps, const json_t *values, struct batch_append *ret)
{
    ret->count = json_array_size(values);
    if (ret->count > BATCH_POINTS || json_array_size(timestamps) != ret->count)
        return false;
    for (size_t i = 0; i < ret->count; i++) {
        ret->timestamps[i] = json_integer_value(json_array_get(timestamps, i));
        ret->values[i] = json_real_value(json_array_get(values, i));
    }
    return true;
}

static size_t decode_batches(const struct encoded *messages, size_t count, struct batch_append *ret)
{
    for (size_t i = 0; i < count; i++) {
        json_t *object = load(&messages[i]), *timestamps, *values;
        const char *label;
        size_t size;
        bool whole = json_unpack(object, "{s:s%,s:o,s:o}", "label", &label, &size, "timestamps",
                                 &timestamps, "values", &values) == 0 &&
                     take_label(label, size, ret[i].label) &&
                     take_columns(timestamps, values, &ret[i]);
        json_decref(object);
        if (!whole)
            return i;
    }
    return count;
}

const struct codec jansson_codec = {
    .name = "jansson",
    .encode_appends = encode_appends,
    .decode_appends = decode_appends,
    .encode_queries = encode_queries,
    .decode_queries = decode_queries,
    .encode_batches = encode_batches,
    .decode_batches = decode_batches,
};
