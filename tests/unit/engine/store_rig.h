// SPDX-License-Identifier: MIT
// Segments on a disk in memory: chunks that a formula makes, segments of them, and what they must
// say.
#ifndef STORE_RIG_H
#define STORE_RIG_H

#include "local_rig.h"

#include "engine/store/segment.h"

struct store_rig {
    struct local_rig local;
    struct taud_codec *codec;
    struct taud_store store; // its cache is the test's to give and to take
};

void store_rig_init(struct store_rig *rig);
// Nothing of the allocator's may be left.
void store_rig_done(struct store_rig *rig);
// A backend that was not there before, on the disk as it is.
void store_rig_renew(struct store_rig *rig);

struct store_chunk {
    struct taud_chunk_summary summary;
    int64_t timestamps[TAUD_CHUNK_POINTS_MAX];
    double values[TAUD_CHUNK_POINTS_MAX];
    size_t size;
    uint8_t bytes[TAUD_CHUNK_BYTES_MAX];
};

// Chunk `number` of a series: `count` points a minute apart, an hour's gap behind it.
void store_rig_chunk(struct store_rig *rig, uint64_t identity, uint32_t number, uint32_t count,
                     struct store_chunk *ret);

// What a test segment is of: identities 10, 20, ..., of each so many chunks of so many points.
struct store_shape {
    struct taud_segment_name name;
    uint32_t series, chunks, points;
};

// Writes it. Returns what the writer does.
enum tau_status store_rig_try_write(struct store_rig *rig, struct store_shape shape,
                                    struct taud_segment_facts *ret_facts);
struct taud_segment_facts store_rig_write(struct store_rig *rig, struct store_shape shape);
struct taud_segment *store_rig_open(struct store_rig *rig, struct taud_segment_name name);

// The bytes of its object.
uint8_t *store_rig_bytes(struct store_rig *rig, struct taud_segment_name name, uint64_t *ret_size);

// Reads every chunk. Returns how many are as they were written; the others have to be told as
// damaged.
uint32_t store_rig_count_good(struct store_rig *rig, struct taud_segment *segment,
                              struct store_shape shape);

#endif
