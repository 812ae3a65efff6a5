// SPDX-License-Identifier: MIT
// Header, records and footer of a segment as bytes. Every checksum covers the file id, and that of
// a record the place too: what was good in another file or elsewhere in this one is not good here.
#include "segment_format.h"

#include "../bytes.h"
#include "../codec/cursor.h"
#include "../crc32c.h"

#include <string.h>

static const char head_magic[8] = {'T', 'A', 'U', 'S', 'E', 'G', '\r', '\n'};
static const char foot_magic[8] = {'T', 'A', 'U', 'E', 'N', 'D', '\r', '\n'};

// What header and footer begin with, for ever.
static void encode_start(const struct taud_segment_facts *facts, const char magic[8], uint8_t *out)
{
    memcpy(out, magic, 8);
    taud_store_u32(out + 8, TAUD_SEGMENT_FORMAT);
    taud_store_u32(out + 12, facts->name.level);
    taud_store_u64(out + 16, facts->file_id);
    taud_store_u64(out + 24, facts->name.sequence);
    taud_store_u64(out + 32, facts->last_sequence);
}

// The checksum, in the last four bytes, tells a later version from a damaged number.
static enum taud_segment_part decode_start(const uint8_t *bytes, size_t size, const char magic[8],
                                           struct taud_segment_facts *ret, uint32_t *ret_version)
{
    if (memcmp(bytes, magic, 8) != 0 ||
        taud_load_u32(bytes + size - 4) != taud_crc32c(0, bytes, size - 4))
        return TAUD_PART_DAMAGED;
    uint32_t version = taud_load_u32(bytes + 8);
    if (version > TAUD_SEGMENT_FORMAT) {
        *ret_version = version;
        return TAUD_PART_FUTURE;
    }
    ret->name.level = taud_load_u32(bytes + 12);
    ret->file_id = taud_load_u64(bytes + 16);
    ret->name.sequence = taud_load_u64(bytes + 24);
    ret->last_sequence = taud_load_u64(bytes + 32);
    bool good = version == TAUD_SEGMENT_FORMAT && ret->last_sequence >= ret->name.sequence;
    return good ? TAUD_PART_GOOD : TAUD_PART_DAMAGED;
}

void taud_segment_head_encode(const struct taud_segment_facts *facts,
                              uint8_t out[TAUD_SEGMENT_HEAD_BYTES])
{
    memset(out, 0, TAUD_SEGMENT_HEAD_BYTES);
    encode_start(facts, head_magic, out);
    taud_store_u32(out + 60, taud_crc32c(0, out, 60));
}

enum taud_segment_part taud_segment_head_decode(const uint8_t bytes[TAUD_SEGMENT_HEAD_BYTES],
                                                struct taud_segment_facts *ret_facts,
                                                uint32_t *ret_version)
{
    return decode_start(bytes, TAUD_SEGMENT_HEAD_BYTES, head_magic, ret_facts, ret_version);
}

void taud_segment_foot_encode(const struct taud_segment_facts *facts,
                              uint8_t out[TAUD_SEGMENT_FOOT_BYTES])
{
    memset(out, 0, TAUD_SEGMENT_FOOT_BYTES);
    encode_start(facts, foot_magic, out);
    taud_store_u64(out + 40, facts->index_offset);
    taud_store_u64(out + 48, facts->chunk_count);
    taud_store_u64(out + 56, facts->point_count);
    taud_store_u64(out + 64, facts->series_count);
    taud_store_u64(out + 72, (uint64_t)facts->first_timestamp);
    taud_store_u64(out + 80, (uint64_t)facts->last_timestamp);
    taud_store_u32(out + 100, taud_crc32c(0, out, 100));
}

enum taud_segment_part taud_segment_foot_decode(const uint8_t bytes[TAUD_SEGMENT_FOOT_BYTES],
                                                struct taud_segment_facts *ret_facts,
                                                uint32_t *ret_version)
{
    enum taud_segment_part part =
        decode_start(bytes, TAUD_SEGMENT_FOOT_BYTES, foot_magic, ret_facts, ret_version);
    if (part != TAUD_PART_GOOD)
        return part;
    ret_facts->index_offset = taud_load_u64(bytes + 40);
    ret_facts->chunk_count = taud_load_u64(bytes + 48);
    ret_facts->point_count = taud_load_u64(bytes + 56);
    ret_facts->series_count = taud_load_u64(bytes + 64);
    ret_facts->first_timestamp = (int64_t)taud_load_u64(bytes + 72);
    ret_facts->last_timestamp = (int64_t)taud_load_u64(bytes + 80);
    return part;
}

static uint32_t record_check(uint64_t file_id, uint64_t offset, const uint8_t *frame,
                             size_t frame_size, const void *chunk, size_t size)
{
    uint8_t place[16];
    taud_store_u64(place, file_id);
    taud_store_u64(place + 8, offset);
    uint32_t crc = taud_crc32c(0, place, sizeof place);
    crc = taud_crc32c(crc, frame + 4, frame_size - 4);
    return taud_crc32c(crc, chunk, size);
}

size_t taud_segment_frame_encode(uint64_t file_id, uint64_t offset, uint64_t identity,
                                 const void *chunk, size_t size, uint8_t out[TAUD_RECORD_FRAME_MAX])
{
    uint8_t *end = codec_put_variable(out + 4, identity);
    end = codec_put_variable(end, size);
    size_t frame_size = (size_t)(end - out);
    taud_store_u32(out, record_check(file_id, offset, out, frame_size, chunk, size));
    return frame_size;
}

bool taud_segment_record_look(const uint8_t *bytes, size_t size, struct taud_segment_record *ret)
{
    struct codec_cursor cursor = {.at = bytes, .end = bytes + size};
    codec_take(&cursor, 4);
    ret->identity = codec_take_variable(&cursor);
    uint64_t chunk_size = codec_take_variable(&cursor);
    if (cursor.failed || chunk_size == 0 || chunk_size > TAUD_CHUNK_BYTES_MAX)
        return false;
    ret->chunk_size = (size_t)chunk_size;
    ret->chunk = codec_take(&cursor, ret->chunk_size);
    ret->size = (size_t)(cursor.at - bytes);
    return ret->chunk != NULL;
}

bool taud_segment_record_decode(uint64_t file_id, uint64_t offset, const uint8_t *bytes,
                                size_t size, struct taud_segment_record *ret)
{
    if (!taud_segment_record_look(bytes, size, ret))
        return false;
    size_t frame_size = ret->size - ret->chunk_size;
    return taud_load_u32(bytes) ==
           record_check(file_id, offset, bytes, frame_size, ret->chunk, ret->chunk_size);
}
