// SPDX-License-Identifier: MIT
// What is stored, as a reader sees it: the segments by their sequence and the deleted ranges. A
// view never changes; another one takes its place when a flush, a compaction or a delete has
// changed what is stored, and the old one goes when its last reader is done.
#ifndef TAUD_ENGINE_VIEW_H
#define TAUD_ENGINE_VIEW_H

#include "store/manifest.h"
#include "store/segment.h"

#include <pthread.h>

struct taud_view {
    _Atomic uint32_t references;
    uint32_t generation; // what belongs to it and to those before is in the segments
    uint32_t segment_count;
    uint32_t tombstone_count;
    struct taud_segment **segments;    // oldest first, each with a reference
    struct taud_tombstone *tombstones; // by identity, then as they were added
    const struct taud_allocator *allocator;
};

// A view of these, copied; the segments are retained. NULL when there is no memory.
struct taud_view *taud_view_new(const struct taud_allocator *allocator, uint32_t generation,
                                struct taud_segment *const *segments, uint32_t segment_count,
                                const struct taud_tombstone *tombstones, uint32_t tombstone_count);
// The same with one tombstone more.
struct taud_view *taud_view_with(const struct taud_view *view,
                                 const struct taud_tombstone *tombstone);
void taud_view_release(struct taud_view *view); // accepts NULL

// The tombstones of a series, NULL and 0 when there are none.
const struct taud_tombstone *taud_view_tombstones(const struct taud_view *view, uint64_t identity,
                                                  uint32_t *ret_count);

// Where the present view is found.
struct taud_views {
    pthread_mutex_t mutex; // over a pointer and a count
    struct taud_view *current;
};

// The present view with a reference. A reader looks at a series' memory first and takes the view
// then, under the shard's lock or behind it: so nothing is missed that a flush moves meanwhile.
// What belongs to a generation that the view has is skipped in memory.
struct taud_view *taud_views_take(struct taud_views *views);

// Makes `next` the present one, taking its reference over. Returns the one before with its
// reference, or releases that.
struct taud_view *taud_views_exchange(struct taud_views *views, struct taud_view *next);
void taud_views_replace(struct taud_views *views, struct taud_view *next);

#endif
