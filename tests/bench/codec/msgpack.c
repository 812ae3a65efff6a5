// SPDX-License-Identifier: MIT
//
// msgpack-c. A message is an array of its fields, which is quicker and shorter than a map of names;
// a column is an array of numbers. Buffers are used again, as is the memory of the decoder.

#include "codec.h"

#include <string.h>

#include <msgpack.h>

// Writes into the bytes of one message.
static int write_bytes(void *data, const char *bytes, size_t size)
{
    struct encoded *to = data;
    if (to->capacity - to->size < size)
        return -1;
    memcpy(to->bytes + to->size, bytes, size);
    to->size += size;
    return 0;
}

static bool pack_label(msgpack_packer *packer, const uint8_t label[LABEL_BYTES])
{
    return msgpack_pack_bin(packer, LABEL_BYTES) == 0 &&
           msgpack_pack_bin_body(packer, label, LABEL_BYTES) == 0;
}

static msgpack_packer packer_over(struct encoded *ret, bool *ret_begun, size_t fields)
{
    msgpack_packer packer;
    ret->size = 0;
    msgpack_packer_init(&packer, ret, write_bytes);
    *ret_begun = msgpack_pack_array(&packer, fields) == 0;
    return packer;
}

// Decodes a whole message, an array of this many fields that begins with a label.
static const msgpack_object *unpack(const struct encoded *message, msgpack_zone *zone,
                                    uint32_t fields, msgpack_object *object)
{
    size_t offset = 0;
    if (msgpack_unpack((const char *)message->bytes, message->size, &offset, zone, object) !=
            MSGPACK_UNPACK_SUCCESS ||
        object->type != MSGPACK_OBJECT_ARRAY || object->via.array.size != fields)
        return NULL;
    const msgpack_object *label = &object->via.array.ptr[0];
    if (label->type != MSGPACK_OBJECT_BIN || label->via.bin.size != LABEL_BYTES)
        return NULL;
    return object->via.array.ptr;
}

static bool take_integer(const msgpack_object *object, int64_t *ret)
{
    *ret = object->via.i64;
    return object->type == MSGPACK_OBJECT_NEGATIVE_INTEGER ||
           (object->type == MSGPACK_OBJECT_POSITIVE_INTEGER && object->via.u64 <= INT64_MAX);
}

static bool take_number(const msgpack_object *object, double *ret)
{
    *ret = object->via.f64;
    return object->type == MSGPACK_OBJECT_FLOAT64;
}

static size_t encode_appends(const struct append *values, size_t count, struct encoded *ret)
{
    for (size_t i = 0; i < count; i++) {
        bool begun;
        msgpack_packer packer = packer_over(&ret[i], &begun, 3);
        if (!begun || !pack_label(&packer, values[i].label) ||
            msgpack_pack_int64(&packer, values[i].timestamp) != 0 ||
            msgpack_pack_double(&packer, values[i].value) != 0)
            return i;
    }
    return count;
}

static size_t decode_appends(const struct encoded *messages, size_t count, struct append *ret)
{
    msgpack_zone zone;
    size_t done = 0;
    if (!msgpack_zone_init(&zone, MSGPACK_ZONE_CHUNK_SIZE))
        return 0;
    for (; done < count; done++) {
        msgpack_object object;
        const msgpack_object *fields = unpack(&messages[done], &zone, 3, &object);
        if (fields == NULL || !take_integer(&fields[1], &ret[done].timestamp) ||
            !take_number(&fields[2], &ret[done].value))
            break;
        memcpy(ret[done].label, fields[0].via.bin.ptr, LABEL_BYTES);
        msgpack_zone_clear(&zone);
    }
    msgpack_zone_destroy(&zone);
    return done;
}

static size_t encode_queries(const struct query_point *values, size_t count, struct encoded *ret)
{
    for (size_t i = 0; i < count; i++) {
        bool begun;
        msgpack_packer packer = packer_over(&ret[i], &begun, 2);
        if (!begun || !pack_label(&packer, values[i].label) ||
            msgpack_pack_int64(&packer, values[i].timestamp) != 0)
            return i;
    }
    return count;
}

static size_t decode_queries(const struct encoded *messages, size_t count, struct query_point *ret)
{
    msgpack_zone zone;
    size_t done = 0;
    if (!msgpack_zone_init(&zone, MSGPACK_ZONE_CHUNK_SIZE))
        return 0;
    for (; done < count; done++) {
        msgpack_object object;
        const msgpack_object *fields = unpack(&messages[done], &zone, 2, &object);
        if (fields == NULL || !take_integer(&fields[1], &ret[done].timestamp))
            break;
        memcpy(ret[done].label, fields[0].via.bin.ptr, LABEL_BYTES);
        msgpack_zone_clear(&zone);
    }
    msgpack_zone_destroy(&zone);
    return done;
}

static bool pack_columns(msgpack_packer *packer, const struct batch_append *value)
{
    bool whole = msgpack_pack_array(packer, value->count) == 0;
    for (size_t i = 0; whole && i < value->count; i++)
        whole = msgpack_pack_int64(packer, value->timestamps[i]) == 0;
    whole = whole && msgpack_pack_array(packer, value->count) == 0;
    for (size_t i = 0; whole && i < value->count; i++)
        whole = msgpack_pack_double(packer, value->values[i]) == 0;
    return whole;
}

static size_t encode_batches(const struct batch_append *values, size_t count, struct encoded *ret)
{
    for (size_t i = 0; i < count; i++) {
        bool begun;
        msgpack_packer packer = packer_over(&ret[i], &begun, 3);
        if (!begun || !pack_label(&packer, values[i].label) || !pack_columns(&packer, &values[i]))
            return i;
    }
    return count;
}

static bool take_columns(const msgpack_object *fields, struct batch_append *ret)
{
    const msgpack_object *timestamps = &fields[1], *values = &fields[2];
    if (timestamps->type != MSGPACK_OBJECT_ARRAY || values->type != MSGPACK_OBJECT_ARRAY ||
        timestamps->via.array.size != values->via.array.size ||
        values->via.array.size > BATCH_POINTS)
        return false;
    ret->count = values->via.array.size;
    for (size_t i = 0; i < ret->count; i++) {
        if (!take_integer(&timestamps->via.array.ptr[i], &ret->timestamps[i]) ||
            !take_number(&values->via.array.ptr[i], &ret->values[i]))
            return false;
    }
    return true;
}

static size_t decode_batches(const struct encoded *messages, size_t count, struct batch_append *ret)
{
    msgpack_zone zone;
    size_t done = 0;
    if (!msgpack_zone_init(&zone, MSGPACK_ZONE_CHUNK_SIZE))
        return 0;
    for (; done < count; done++) {
        msgpack_object object;
        const msgpack_object *fields = unpack(&messages[done], &zone, 3, &object);
        if (fields == NULL || !take_columns(fields, &ret[done]))
            break;
        memcpy(ret[done].label, fields[0].via.bin.ptr, LABEL_BYTES);
        msgpack_zone_clear(&zone);
    }
    msgpack_zone_destroy(&zone);
    return done;
}

const struct codec msgpack_codec = {
    .name = "msgpack-c",
    .encode_appends = encode_appends,
    .decode_appends = decode_appends,
    .encode_queries = encode_queries,
    .decode_queries = decode_queries,
    .encode_batches = encode_batches,
    .decode_batches = decode_batches,
};
