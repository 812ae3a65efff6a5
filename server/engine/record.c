// SPDX-License-Identifier: MIT
// Reads the records of the log. Each fixed part is checked once, in the form `size - pos >= n`.
#include "record.h"

#include "codec/chunk.h"

// The size of a record of chunks, by walking over them; 0 when it is not well formed.
static uint64_t chunks_bytes(const uint8_t *record, size_t size, uint64_t count)
{
    size_t at = TAUD_RECORD_CHUNKS_HEADER_BYTES;
    if (size < at || count == 0)
        return 0;
    for (uint64_t i = 0; i < count; i++) {
        if (size - at < 4)
            return 0;
        size_t bytes = taud_load_u32(record + at);
        at += 4;
        if (bytes < TAUD_CHUNK_HEADER_BYTES || bytes > TAUD_CHUNK_BYTES_MAX || size - at < bytes)
            return 0;
        at += bytes;
    }
    for (; at % 8 != 0; at++) {
        if (at == size || record[at] != 0)
            return 0;
    }
    return at;
}

// The record's size, in 64 bits: no count overflows it; 0 for none that is known.
static uint64_t record_bytes(const uint8_t *header, size_t size)
{
    uint64_t count = taud_load_u32(header + 4);
    unsigned mode = header[1];
    if (header[2] != 0 || header[3] != 0)
        return 0;
    switch (header[0]) {
    case TAUD_RECORD_POINTS:
        return mode == 0 && count > 0 ? 8 + count * TAUD_RECORD_POINT_BYTES : 0;
    case TAUD_RECORD_COLUMNS:
        if (mode > TAUD_COLUMNS_STEP || count == 0)
            return 0;
        return 16 + (mode == TAUD_COLUMNS_STEP ? 16 : count * 8) + count * 8;
    case TAUD_RECORD_CREATE_SERIES:
        return mode == 0 && count == 0 ? TAUD_RECORD_CREATE_SERIES_BYTES : 0;
    case TAUD_RECORD_DROP_SERIES:
        return mode == 0 && count == 0 ? TAUD_RECORD_DROP_SERIES_BYTES : 0;
    case TAUD_RECORD_CREATE_LENS:
        return mode == 0 && count >= 1 && count <= TAU_LIMIT_LENS_TRANSFORMS
                   ? TAUD_RECORD_CREATE_LENS_BYTES
                   : 0;
    case TAUD_RECORD_DROP_LENS:
        return mode == 0 && count == 0 ? TAUD_RECORD_DROP_LENS_BYTES : 0;
    case TAUD_RECORD_CHUNKS:
        return mode <= TAUD_CHUNKS_LATE ? chunks_bytes(header, size, count) : 0;
    case TAUD_RECORD_DELETE_RANGE:
        return mode == 0 && count == 0 ? TAUD_RECORD_DELETE_RANGE_BYTES : 0;
    case TAUD_RECORD_POLICY:
        return mode <= TAUD_RECORD_ORDER_MAX && count == 0 ? TAUD_RECORD_POLICY_BYTES : 0;
    case TAUD_RECORD_NEWEST:
        return mode == 0 && count == 0 ? TAUD_RECORD_NEWEST_BYTES : 0;
    case TAUD_RECORD_CREATE_ROLLUP:
        return mode <= TAUD_RECORD_FUNCTION_MAX && count == 0 ? TAUD_RECORD_CREATE_ROLLUP_BYTES : 0;
    case TAUD_RECORD_DROP_ROLLUP:
        return mode == 0 && count == 0 ? TAUD_RECORD_DROP_ROLLUP_BYTES : 0;
    case TAUD_RECORD_ROLLUP_PROGRESS:
        return mode <= TAUD_PROGRESS_AGAIN && count == 0 ? TAUD_RECORD_ROLLUP_PROGRESS_BYTES : 0;
    default:
        return 0;
    }
}

static void read_rollup(const uint8_t *body, struct taud_record *ret)
{
    uint64_t bits = taud_load_u64(body + 32);
    ret->rollup = (struct taud_record_rollup){
        .target = taud_load_u64(body),
        .source = taud_load_u64(body + 8),
        .width = taud_load_u64(body + 16),
        .origin = (int64_t)taud_load_u64(body + 24),
        .function = ret->mode,
    };
    memcpy(&ret->rollup.parameter, &bits, sizeof bits);
}

// What a rule may not be, or progress without a range.
static bool is_rollup_form(const struct taud_record *record)
{
    if (record->type == TAUD_RECORD_CREATE_ROLLUP)
        return record->rollup.width > 0;
    return record->type != TAUD_RECORD_ROLLUP_PROGRESS || record->mode == TAUD_PROGRESS_AGAIN ||
           (record->from == 0 && record->to == 0);
}

static void read_body(const uint8_t *body, struct taud_record *ret)
{
    switch (ret->type) {
    case TAUD_RECORD_POINTS:
        ret->points = body;
        break;
    case TAUD_RECORD_COLUMNS:
        ret->identity = taud_load_u64(body);
        ret->timestamps = body + 8;
        ret->values = ret->timestamps +
                      (ret->mode == TAUD_COLUMNS_STEP ? 16 : (size_t)ret->count * 8);
        break;
    case TAUD_RECORD_CREATE_SERIES:
        memcpy(&ret->label, body + 8, sizeof ret->label);
        ret->identity = taud_load_u64(body);
        break;
    case TAUD_RECORD_DROP_SERIES:
        ret->identity = taud_load_u64(body);
        break;
    case TAUD_RECORD_CREATE_LENS:
        memcpy(&ret->label, body, sizeof ret->label);
        memcpy(&ret->source, body + 32, sizeof ret->source);
        memcpy(ret->transforms, body + 64, sizeof ret->transforms);
        break;
    case TAUD_RECORD_DROP_LENS:
        memcpy(&ret->label, body, sizeof ret->label);
        break;
    case TAUD_RECORD_CHUNKS:
        ret->identity = taud_load_u64(body);
        ret->chunks = body + 8;
        break;
    case TAUD_RECORD_DELETE_RANGE:
        ret->identity = taud_load_u64(body);
        ret->from = (int64_t)taud_load_u64(body + 8);
        ret->to = (int64_t)taud_load_u64(body + 16);
        break;
    case TAUD_RECORD_POLICY:
        ret->identity = taud_load_u64(body);
        ret->retention = taud_load_u64(body + 8);
        break;
    case TAUD_RECORD_NEWEST:
        ret->identity = taud_load_u64(body);
        ret->newest = (int64_t)taud_load_u64(body + 8);
        break;
    case TAUD_RECORD_CREATE_ROLLUP:
        read_rollup(body, ret);
        break;
    case TAUD_RECORD_DROP_ROLLUP:
        ret->rollup.target = taud_load_u64(body);
        break;
    case TAUD_RECORD_ROLLUP_PROGRESS:
        ret->identity = taud_load_u64(body);
        ret->covered = (int64_t)taud_load_u64(body + 8);
        ret->from = (int64_t)taud_load_u64(body + 16);
        ret->to = (int64_t)taud_load_u64(body + 24);
        break;
    }
}

bool taud_record_decode(const uint8_t **data, size_t *size, struct taud_record *ret)
{
    if (*size < TAUD_RECORD_HEADER_BYTES)
        return false;
    uint64_t bytes = record_bytes(*data, *size);
    if (bytes == 0 || *size < bytes)
        return false;
    memset(ret, 0, sizeof *ret);
    ret->type = (enum taud_record_type)(*data)[0];
    ret->mode = (*data)[1];
    ret->count = taud_load_u32(*data + 4);
    read_body(*data + TAUD_RECORD_HEADER_BYTES, ret);
    if (ret->from > ret->to || !is_rollup_form(ret))
        return false;
    *data += bytes;
    *size -= (size_t)bytes;
    return true;
}
