// SPDX-License-Identifier: MIT
//
// Tau's generated codec: whole frames, so header and payload are written and checked as in a client
// or server. What the peers make has no frame around it yet.

#include "codec.h"

#include <string.h>

#include "tau_codec.h"

// Writes the header of a frame whose payload has `size` bytes, if there is room for all.
static inline bool put_header(struct tau_writer *out, enum tau_opcode opcode, size_t size)
{
    struct tau_header header = {.opcode = (uint8_t)opcode, .payload_length = (uint32_t)size};
    uint8_t *at = tau_writer_reserve(out, TAU_HEADER_SIZE);
    if (at == NULL)
        return false;
    tau_header_store(at, &header);
    return true;
}

// The payload of a whole frame of this operation, else nothing.
static inline bool take_payload(const struct encoded *message, enum tau_opcode opcode,
                                struct tau_slice *ret)
{
    struct tau_header header;
    if (message->size < TAU_HEADER_SIZE ||
        tau_header_decode(message->bytes, &header, NULL) != TAU_STATUS_SUCCESS ||
        header.opcode != opcode || message->size - TAU_HEADER_SIZE != header.payload_length)
        return false;
    *ret = (struct tau_slice){message->bytes + TAU_HEADER_SIZE, header.payload_length};
    return true;
}

static size_t encode_appends(const struct append *values, size_t count, struct encoded *ret)
{
    for (size_t i = 0; i < count; i++) {
        struct tau_writer out = tau_writer_over(ret[i].bytes, ret[i].capacity);
        struct tau_append_request request = {.timestamp = values[i].timestamp,
                                             .value = values[i].value};
        memcpy(request.label.bytes, values[i].label, LABEL_BYTES);
        if (!put_header(&out, TAU_OPCODE_APPEND, tau_append_request_size(&request)) ||
            !tau_append_request_encode(&request, &out))
            return i;
        ret[i].size = out.size;
    }
    return count;
}

static size_t decode_appends(const struct encoded *messages, size_t count, struct append *ret)
{
    for (size_t i = 0; i < count; i++) {
        struct tau_slice payload;
        struct tau_append_request request;
        if (!take_payload(&messages[i], TAU_OPCODE_APPEND, &payload) ||
            tau_append_request_decode(payload, &request, NULL) != TAU_STATUS_SUCCESS)
            return i;
        memcpy(ret[i].label, request.label.bytes, LABEL_BYTES);
        ret[i].timestamp = request.timestamp;
        ret[i].value = request.value;
    }
    return count;
}

static size_t encode_queries(const struct query_point *values, size_t count, struct encoded *ret)
{
    for (size_t i = 0; i < count; i++) {
        struct tau_writer out = tau_writer_over(ret[i].bytes, ret[i].capacity);
        struct tau_query_point_request request = {.timestamp = values[i].timestamp};
        memcpy(request.label.bytes, values[i].label, LABEL_BYTES);
        if (!put_header(&out, TAU_OPCODE_QUERY_POINT, tau_query_point_request_size(&request)) ||
            !tau_query_point_request_encode(&request, &out))
            return i;
        ret[i].size = out.size;
    }
    return count;
}

static size_t decode_queries(const struct encoded *messages, size_t count, struct query_point *ret)
{
    for (size_t i = 0; i < count; i++) {
        struct tau_slice payload;
        struct tau_query_point_request request;
        if (!take_payload(&messages[i], TAU_OPCODE_QUERY_POINT, &payload) ||
            tau_query_point_request_decode(payload, &request, NULL) != TAU_STATUS_SUCCESS)
            return i;
        memcpy(ret[i].label, request.label.bytes, LABEL_BYTES);
        ret[i].timestamp = request.timestamp;
    }
    return count;
}

static size_t encode_batches(const struct batch_append *values, size_t count, struct encoded *ret)
{
    for (size_t i = 0; i < count; i++) {
        struct tau_writer out = tau_writer_over(ret[i].bytes, ret[i].capacity);
        struct tau_batch_append_request request = {
            .timestamps = {values[i].timestamps, values[i].count, false},
            .values = {values[i].values, values[i].count, false}};
        memcpy(request.label.bytes, values[i].label, LABEL_BYTES);
        size_t size = tau_batch_append_request_size(&request);
        if (!put_header(&out, TAU_OPCODE_BATCH_APPEND, size) ||
            !tau_batch_append_request_encode(&request, &out))
            return i;
        ret[i].size = out.size;
    }
    return count;
}

static size_t decode_batches(const struct encoded *messages, size_t count, struct batch_append *ret)
{
    for (size_t i = 0; i < count; i++) {
        struct tau_slice payload;
        struct tau_batch_append_request request;
        if (!take_payload(&messages[i], TAU_OPCODE_BATCH_APPEND, &payload) ||
            tau_batch_append_request_decode(payload, &request, NULL) != TAU_STATUS_SUCCESS ||
            request.count > BATCH_POINTS)
            return i;
        memcpy(ret[i].label, request.label.bytes, LABEL_BYTES);
        tau_i64_copy(request.timestamps, 0, request.count, ret[i].timestamps);
        tau_f64_copy(request.values, 0, request.count, ret[i].values);
        ret[i].count = request.count;
    }
    return count;
}

const struct codec tau_codec = {
    .name = "tau",
    .encode_appends = encode_appends,
    .decode_appends = decode_appends,
    .encode_queries = encode_queries,
    .decode_queries = decode_queries,
    .encode_batches = encode_batches,
    .decode_batches = decode_batches,
};
