// SPDX-License-Identifier: MIT
// What a segment is called. A segment holds the points of some sequences that follow each other,
// and is named by the first. A flush makes a new sequence, at level 0; what is made of segments is
// one level above the highest of them, so that no name is ever used for two.
#ifndef TAUD_ENGINE_STORE_SEGMENT_NAME_H
#define TAUD_ENGINE_STORE_SEGMENT_NAME_H

#include <stdbool.h>
#include <stdint.h>

struct taud_segment_name {
    uint64_t sequence;
    uint32_t level;
};

enum { TAUD_SEGMENT_NAME_BYTES = 40 };

#define TAUD_SEGMENTS_FOLDER "segments"

// The name of its object: segments/SEQUENCE-LEVEL.seg, in 16 and in 8 hexadecimal digits.
void taud_segment_object_name(struct taud_segment_name name, char out[TAUD_SEGMENT_NAME_BYTES]);
// Reads it back, without the folder. Returns false where it is no such name.
bool taud_segment_parse_name(const char *text, struct taud_segment_name *ret);

static inline bool taud_segment_name_equal(struct taud_segment_name a, struct taud_segment_name b)
{
    return a.sequence == b.sequence && a.level == b.level;
}

#endif
