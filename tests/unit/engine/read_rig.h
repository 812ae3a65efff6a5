// SPDX-License-Identifier: MIT
// One series of an engine that has just what readers need, and a model of it: points come in order
// and late, generations are cut and stored as a test says, ranges are deleted. Whatever is read
// must be what the model has.
#ifndef READ_RIG_H
#define READ_RIG_H

#include "merge_rig.h"

#include "engine/state.h"

enum { READ_RIG_TIME = 8000, READ_RIG_SEGMENTS = MERGE_RIG_SEGMENTS };

// Points of the model by their timestamps, which are 0 to READ_RIG_TIME - 1.
struct read_rig_points {
    bool there[READ_RIG_TIME];
    double values[READ_RIG_TIME];
};

struct read_rig {
    struct merge_rig places;
    struct taud_engine engine;
    struct taud_shard *shard;
    struct taud_series *series;
    struct taud_clock clock;
    int64_t now; // that the clock tells
    uint64_t next_sequence;
    uint32_t pending; // the generation that was cut and is not stored; 0: none
    int64_t next;     // timestamp of a point that is in order
    uint64_t random;
    struct read_rig_points points;     // as they are to be seen
    struct read_rig_points old, young; // of the pending generation, and of the present one
};

void read_rig_init(struct read_rig *rig, uint64_t seed);
void read_rig_done(struct read_rig *rig);

// One of these: points in order or late, or as chunks; a range deleted; a cut, or what was cut
// stored.
void read_rig_change(struct read_rig *rig);

void read_rig_append(struct read_rig *rig, int64_t timestamp, double value);
void read_rig_delete(struct read_rig *rig, int64_t from, int64_t to);
void read_rig_cut(struct read_rig *rig);
void read_rig_store(struct read_rig *rig);  // what was cut: it is in a segment and in memory
void read_rig_detach(struct read_rig *rig); // what was stored: no longer in memory

uint32_t read_rig_dice(struct read_rig *rig, uint32_t sides);

#endif
