// SPDX-License-Identifier: MIT
//
// nanopb with all sizes bounded: no callbacks and no memory but the structs.

#include "codec.h"

#include <string.h>

#include <pb_decode.h>
#include <pb_encode.h>

#include "messages.pb.h"

static bool encode(const pb_msgdesc_t *fields, const void *message, struct encoded *ret)
{
    pb_ostream_t stream = pb_ostream_from_buffer(ret->bytes, ret->capacity);
    bool whole = pb_encode(&stream, fields, message);
    ret->size = stream.bytes_written;
    return whole;
}

static bool decode(const pb_msgdesc_t *fields, const struct encoded *message, void *ret)
{
    pb_istream_t stream = pb_istream_from_buffer(message->bytes, message->size);
    return pb_decode(&stream, fields, ret);
}

static size_t encode_appends(const struct append *values, size_t count, struct encoded *ret)
{
    for (size_t i = 0; i < count; i++) {
        bench_Append message = {.timestamp = values[i].timestamp, .value = values[i].value};
        memcpy(message.label, values[i].label, LABEL_BYTES);
        if (!encode(bench_Append_fields, &message, &ret[i]))
            return i;
    }
    return count;
}

static size_t decode_appends(const struct encoded *messages, size_t count, struct append *ret)
{
    for (size_t i = 0; i < count; i++) {
        bench_Append message;
        if (!decode(bench_Append_fields, &messages[i], &message))
            return i;
        memcpy(ret[i].label, message.label, LABEL_BYTES);
        ret[i].timestamp = message.timestamp;
        ret[i].value = message.value;
    }
    return count;
}

static size_t encode_queries(const struct query_point *values, size_t count, struct encoded *ret)
{
    for (size_t i = 0; i < count; i++) {
        bench_QueryPoint message = {.timestamp = values[i].timestamp};
        memcpy(message.label, values[i].label, LABEL_BYTES);
        if (!encode(bench_QueryPoint_fields, &message, &ret[i]))
            return i;
    }
    return count;
}

static size_t decode_queries(const struct encoded *messages, size_t count, struct query_point *ret)
{
    for (size_t i = 0; i < count; i++) {
        bench_QueryPoint message;
        if (!decode(bench_QueryPoint_fields, &messages[i], &message))
            return i;
        memcpy(ret[i].label, message.label, LABEL_BYTES);
        ret[i].timestamp = message.timestamp;
    }
    return count;
}

// Its columns lie within the message, so an application keeps its points there from the beginning.
// Each message of the run is filled once and encoded ever after.
static const bench_BatchAppend *batch_of(const struct batch_append *values, size_t place)
{
    static bench_BatchAppend messages[BATCH_COUNT];
    bench_BatchAppend *message = &messages[place];
    if (message->values_count != values->count) {
        memcpy(message->label, values->label, LABEL_BYTES);
        memcpy(message->timestamps, values->timestamps, values->count * sizeof(int64_t));
        memcpy(message->values, values->values, values->count * sizeof(double));
        message->timestamps_count = (pb_size_t)values->count;
        message->values_count = (pb_size_t)values->count;
    }
    return message;
}

static size_t encode_batches(const struct batch_append *values, size_t count, struct encoded *ret)
{
    for (size_t i = 0; i < count; i++) {
        if (!encode(bench_BatchAppend_fields, batch_of(&values[i], i), &ret[i]))
            return i;
    }
    return count;
}

static size_t decode_batches(const struct encoded *messages, size_t count, struct batch_append *ret)
{
    static bench_BatchAppend decoded[BATCH_COUNT];
    for (size_t i = 0; i < count; i++) {
        bench_BatchAppend *message = &decoded[i];
        if (!decode(bench_BatchAppend_fields, &messages[i], message) ||
            message->values_count != message->timestamps_count)
            return i;
        memcpy(ret[i].label, message->label, LABEL_BYTES);
        ret[i].timestamps = message->timestamps;
        ret[i].values = message->values;
        ret[i].count = message->values_count;
    }
    return count;
}

const struct codec nanopb_codec = {
    .name = "nanopb",
    .encode_appends = encode_appends,
    .decode_appends = decode_appends,
    .encode_queries = encode_queries,
    .decode_queries = decode_queries,
    .encode_batches = encode_batches,
    .decode_batches = decode_batches,
};
