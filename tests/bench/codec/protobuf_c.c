// SPDX-License-Identifier: MIT
//
// protobuf-c, as a careful user would take it: encoded into a buffer that is there, and decoded
// through an allocator that only moves a pointer, instead of through malloc, which costs it more.

#include "codec.h"

#include <stdlib.h>
#include <string.h>

#include "messages.pb-c.h"

struct arena {
    uint8_t *bytes;
    size_t used;
    size_t capacity;
};

static void *arena_alloc(void *data, size_t size)
{
    struct arena *arena = data;
    size_t rounded = (size + 15) & ~(size_t)15;
    if (arena->bytes == NULL || arena->capacity - arena->used < rounded)
        return NULL;
    uint8_t *block = arena->bytes + arena->used;
    arena->used += rounded;
    return block;
}

static void arena_free(void *data, void *block)
{
    (void)data;
    (void)block;
}

// What a run decoded stays until the next run of any of the decoders; it lives as long as the
// program.
static ProtobufCAllocator *fresh_arena(void)
{
    static struct arena arena = {.capacity = 1024 * 1024};
    static ProtobufCAllocator allocator = {arena_alloc, arena_free, &arena};
    if (arena.bytes == NULL)
        arena.bytes = malloc(arena.capacity);
    arena.used = 0;
    return &allocator;
}

static ProtobufCBinaryData borrow_label(const uint8_t label[LABEL_BYTES])
{
    return (ProtobufCBinaryData){LABEL_BYTES, (uint8_t *)(uintptr_t)label};
}

static bool take_label(ProtobufCBinaryData label, uint8_t ret[LABEL_BYTES])
{
    if (label.len != LABEL_BYTES)
        return false;
    memcpy(ret, label.data, LABEL_BYTES);
    return true;
}

static size_t encode_appends(const struct append *values, size_t count, struct encoded *ret)
{
    for (size_t i = 0; i < count; i++) {
        Bench__Append message = BENCH__APPEND__INIT;
        message.label = borrow_label(values[i].label);
        message.timestamp = values[i].timestamp;
        message.value = values[i].value;
        if (bench__append__get_packed_size(&message) > ret[i].capacity)
            return i;
        ret[i].size = bench__append__pack(&message, ret[i].bytes);
    }
    return count;
}

static size_t decode_appends(const struct encoded *messages, size_t count, struct append *ret)
{
    ProtobufCAllocator *allocator = fresh_arena();
    for (size_t i = 0; i < count; i++) {
        Bench__Append *message =
            bench__append__unpack(allocator, messages[i].size, messages[i].bytes);
        if (message == NULL || !take_label(message->label, ret[i].label))
            return i;
        ret[i].timestamp = message->timestamp;
        ret[i].value = message->value;
        bench__append__free_unpacked(message, allocator);
    }
    return count;
}

static size_t encode_queries(const struct query_point *values, size_t count, struct encoded *ret)
{
    for (size_t i = 0; i < count; i++) {
        Bench__QueryPoint message = BENCH__QUERY_POINT__INIT;
        message.label = borrow_label(values[i].label);
        message.timestamp = values[i].timestamp;
        if (bench__query_point__get_packed_size(&message) > ret[i].capacity)
            return i;
        ret[i].size = bench__query_point__pack(&message, ret[i].bytes);
    }
    return count;
}

static size_t decode_queries(const struct encoded *messages, size_t count, struct query_point *ret)
{
    ProtobufCAllocator *allocator = fresh_arena();
    for (size_t i = 0; i < count; i++) {
        Bench__QueryPoint *message =
            bench__query_point__unpack(allocator, messages[i].size, messages[i].bytes);
        if (message == NULL || !take_label(message->label, ret[i].label))
            return i;
        ret[i].timestamp = message->timestamp;
        bench__query_point__free_unpacked(message, allocator);
    }
    return count;
}

static size_t encode_batches(const struct batch_append *values, size_t count, struct encoded *ret)
{
    for (size_t i = 0; i < count; i++) {
        Bench__BatchAppend message = BENCH__BATCH_APPEND__INIT;
        message.label = borrow_label(values[i].label);
        message.n_timestamps = values[i].count;
        message.timestamps = values[i].timestamps;
        message.n_values = values[i].count;
        message.values = values[i].values;
        if (bench__batch_append__get_packed_size(&message) > ret[i].capacity)
            return i;
        ret[i].size = bench__batch_append__pack(&message, ret[i].bytes);
    }
    return count;
}

static size_t decode_batches(const struct encoded *messages, size_t count, struct batch_append *ret)
{
    ProtobufCAllocator *allocator = fresh_arena();
    for (size_t i = 0; i < count; i++) {
        Bench__BatchAppend *message =
            bench__batch_append__unpack(allocator, messages[i].size, messages[i].bytes);
        if (message == NULL || message->n_values != message->n_timestamps ||
            !take_label(message->label, ret[i].label))
            return i;
        ret[i].timestamps = message->timestamps;
        ret[i].values = message->values;
        ret[i].count = message->n_values;
    }
    return count;
}

const struct codec protobuf_c_codec = {
    .name = "protobuf-c",
    .encode_appends = encode_appends,
    .decode_appends = decode_appends,
    .encode_queries = encode_queries,
    .decode_queries = decode_queries,
    .encode_batches = encode_batches,
    .decode_batches = decode_batches,
};
