// SPDX-License-Identifier: MIT
// The bytes of a segment, as FORMAT.md has them: header, records, footer. Only segment_*.c and
// their tests include it.
#ifndef TAUD_ENGINE_STORE_SEGMENT_FORMAT_H
#define TAUD_ENGINE_STORE_SEGMENT_FORMAT_H

#include "segment.h"

enum {
    TAUD_SEGMENT_FORMAT = 1,
    TAUD_SEGMENT_FOOT_BYTES = 104,
    TAUD_RECORD_MIN = 6 + TAUD_CHUNK_HEADER_BYTES,
    TAUD_RECORD_FRAME_MAX = 17, // check, identity and size at their longest
    TAUD_RECORD_MAX = TAUD_RECORD_FRAME_MAX + TAUD_CHUNK_BYTES_MAX,
};

enum taud_segment_part {
    TAUD_PART_GOOD,
    TAUD_PART_DAMAGED,
    TAUD_PART_FUTURE, // of a later version: *ret_version says of which
};

void taud_segment_head_encode(const struct taud_segment_facts *facts,
                              uint8_t out[TAUD_SEGMENT_HEAD_BYTES]);
// Fills what a header holds: the name, the file id and the last sequence.
enum taud_segment_part taud_segment_head_decode(const uint8_t bytes[TAUD_SEGMENT_HEAD_BYTES],
                                                struct taud_segment_facts *ret_facts,
                                                uint32_t *ret_version);

void taud_segment_foot_encode(const struct taud_segment_facts *facts,
                              uint8_t out[TAUD_SEGMENT_FOOT_BYTES]);
// Fills everything but the size.
enum taud_segment_part taud_segment_foot_decode(const uint8_t bytes[TAUD_SEGMENT_FOOT_BYTES],
                                                struct taud_segment_facts *ret_facts,
                                                uint32_t *ret_version);

// A chunk as it stands in a segment.
struct taud_segment_record {
    uint64_t identity;
    const uint8_t *chunk;
    size_t chunk_size;
    size_t size; // of all of it
};

// Writes what stands before a chunk. Returns its size, at most TAUD_RECORD_FRAME_MAX.
size_t taud_segment_frame_encode(uint64_t file_id, uint64_t offset, uint64_t identity,
                                 const void *chunk, size_t size,
                                 uint8_t out[TAUD_RECORD_FRAME_MAX]);
// Reads a record that begins at `bytes`, of which there are `size`, without its checksum. Returns
// false where none fits there.
bool taud_segment_record_look(const uint8_t *bytes, size_t size, struct taud_segment_record *ret);
// The same, of one that begins at `offset` of the segment, with its checksum.
bool taud_segment_record_decode(uint64_t file_id, uint64_t offset, const uint8_t *bytes,
                                size_t size, struct taud_segment_record *ret);

#endif
