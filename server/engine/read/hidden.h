// SPDX-License-Identifier: MIT
// What of one series is deleted: tombstones that overlap in any way, as intervals that do not, each
// with the greatest sequence of those that it is in. A place is hidden where that is its sequence
// or a later one. It must not know places.
#ifndef TAUD_ENGINE_READ_HIDDEN_H
#define TAUD_ENGINE_READ_HIDDEN_H

#include "../store/manifest.h"

struct taud_hidden_interval {
    int64_t from, to; // both included
    uint64_t sequence;
};

// All zero hides nothing.
struct taud_hidden {
    const struct taud_allocator *allocator;
    struct taud_hidden_interval *intervals; // ascending
    uint32_t count;
};

// Returns false when there is no memory; then it needs no done. One that hides nothing takes none.
bool taud_hidden_init(struct taud_hidden *hidden, const struct taud_allocator *allocator,
                      const struct taud_tombstone *tombstones, uint32_t count);
void taud_hidden_done(struct taud_hidden *hidden);

enum taud_hidden_share { TAUD_HIDDEN_NOTHING, TAUD_HIDDEN_SOME, TAUD_HIDDEN_ALL };

// How much of the time from `first` to `last`, both included, is hidden in a place.
enum taud_hidden_share taud_hidden_look(const struct taud_hidden *hidden, uint64_t sequence,
                                        int64_t first, int64_t last);

// Takes out what is hidden of points that ascend. Returns how many are left.
uint32_t taud_hidden_filter(const struct taud_hidden *hidden, uint64_t sequence,
                            int64_t *timestamps, double *values, uint32_t count);

#endif
