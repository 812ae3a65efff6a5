// SPDX-License-Identifier: MIT
// What opening a segment, rebuilding one and reading its chunks share. Only segment_*.c include it.
#ifndef TAUD_ENGINE_STORE_SEGMENT_LOAD_H
#define TAUD_ENGINE_STORE_SEGMENT_LOAD_H

#include "segment_format.h"

enum {
    TAUD_SEGMENT_BLOCK_BYTES = 16 << 10
}; // of records that begin there are read and cached together

struct taud_segment_opening {
    struct taud_store store;
    struct taud_codec *codec;
    struct taud_segment *segment; // with the object; none of its columns yet
    bool has_foot;                // the facts are complete; else they are those of the header
    char name[TAUD_SEGMENT_NAME_BYTES];
    enum taud_segment_fault *ret_fault;
    struct taud_error *error;
};

// Opens the object and reads header and footer. On failure nothing is left of it.
enum tau_status taud_segment_begin_open(struct taud_segment_opening *opening,
                                        struct taud_segment_name name);

// Takes a whole index into the columns. Returns SUCCESS, NO_MEMORY, or INTERNAL_ERROR with the
// fault TAUD_SEGMENT_DAMAGED_INDEX. `index` is the segment's on success only.
enum tau_status taud_segment_load(struct taud_segment_opening *opening, uint8_t *index,
                                  size_t size);

// Says what is wrong.
enum tau_status taud_segment_refuse(struct taud_segment_opening *opening,
                                    enum taud_segment_fault fault, const char *what);
enum tau_status taud_segment_no_memory(struct taud_segment_opening *opening);

// Says that a chunk is damaged, and where it is.
enum tau_status taud_segment_refuse_chunk(const struct taud_segment *segment, uint64_t identity,
                                          uint32_t chunk, struct taud_error *error);

#endif
