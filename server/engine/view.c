// SPDX-License-Identifier: MIT
// A view is one piece of memory: itself, the addresses of its segments, and its tombstones, sorted.
// The mutex is held for as long as it takes to read an address and count one up, so nobody can find
// a view whose last reference is just going.
#include "view.h"

#include <string.h>

static bool goes_before(const struct taud_tombstone *a, const struct taud_tombstone *b)
{
    return a->identity < b->identity;
}

// Merges two sorted neighbours; equal ones keep their order.
static void merge(const struct taud_tombstone *in, uint32_t left, uint32_t middle, uint32_t right,
                  struct taud_tombstone *out)
{
    uint32_t a = left, b = middle;
    for (uint32_t i = left; i < right; i++) {
        bool from_b = a == middle || (b < right && goes_before(&in[b], &in[a]));
        out[i] = in[from_b ? b++ : a++];
    }
}

static uint32_t least(uint32_t a, uint64_t b)
{
    return b < a ? (uint32_t)b : a;
}

// Sorts by identity, with as much room to work in; what is sorted already costs one look.
static void sort(struct taud_tombstone *tombstones, struct taud_tombstone *room, uint32_t count)
{
    uint32_t sorted = 1;
    while (sorted < count && !goes_before(&tombstones[sorted], &tombstones[sorted - 1]))
        sorted++;
    if (sorted >= count)
        return;
    struct taud_tombstone *in = tombstones, *out = room;
    for (uint64_t width = 1; width < count; width *= 2) {
        for (uint64_t left = 0; left < count; left += 2 * width)
            merge(in, (uint32_t)left, least(count, left + width), least(count, left + 2 * width),
                  out);
        struct taud_tombstone *swapped = in;
        in = out;
        out = swapped;
    }
    if (in != tombstones)
        memcpy(tombstones, in, count * sizeof *in);
}

// One with room for so many tombstones, and the segments.
static struct taud_view *allocate(const struct taud_allocator *allocator, uint32_t generation,
                                  struct taud_segment *const *segments, uint32_t segment_count,
                                  size_t tombstone_room)
{
    struct taud_view *view =
        allocator->allocate(allocator->context, sizeof *view + segment_count * sizeof *segments +
                                                    tombstone_room * sizeof(struct taud_tombstone));
    if (!view)
        return NULL;
    view->references = 1;
    view->generation = generation;
    view->segment_count = segment_count;
    view->tombstone_count = 0;
    view->segments = (struct taud_segment **)(void *)(view + 1);
    view->tombstones = (struct taud_tombstone *)(void *)(view->segments + segment_count);
    view->allocator = allocator;
    for (uint32_t i = 0; i < segment_count; i++) {
        view->segments[i] = segments[i];
        taud_segment_retain(segments[i]);
    }
    return view;
}

struct taud_view *taud_view_new(const struct taud_allocator *allocator, uint32_t generation,
                                struct taud_segment *const *segments, uint32_t segment_count,
                                const struct taud_tombstone *tombstones, uint32_t tombstone_count)
{
    struct taud_view *view =
        allocate(allocator, generation, segments, segment_count, 2 * (size_t)tombstone_count);
    if (!view)
        return NULL;
    view->tombstone_count = tombstone_count;
    if (tombstone_count > 0) {
        memcpy(view->tombstones, tombstones, tombstone_count * sizeof *tombstones);
        sort(view->tombstones, view->tombstones + tombstone_count, tombstone_count);
    }
    return view;
}

// How many tombstones are of identities below this one.
static uint32_t count_below(const struct taud_view *view, uint64_t identity)
{
    uint32_t low = 0, high = view->tombstone_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (view->tombstones[middle].identity < identity)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct taud_view *taud_view_with(const struct taud_view *view,
                                 const struct taud_tombstone *tombstone)
{
    uint32_t count = view->tombstone_count;
    struct taud_view *next = allocate(view->allocator, view->generation, view->segments,
                                      view->segment_count, (size_t)count + 1);
    if (!next)
        return NULL;
    uint32_t place =
        tombstone->identity == UINT64_MAX ? count : count_below(view, tombstone->identity + 1);
    if (place > 0)
        memcpy(next->tombstones, view->tombstones, place * sizeof *tombstone);
    next->tombstones[place] = *tombstone;
    if (place < count)
        memcpy(next->tombstones + place + 1, view->tombstones + place,
               (count - place) * sizeof *tombstone);
    next->tombstone_count = count + 1;
    return next;
}

void taud_view_release(struct taud_view *view)
{
    if (!view || atomic_fetch_sub_explicit(&view->references, 1, memory_order_acq_rel) > 1)
        return;
    for (uint32_t i = 0; i < view->segment_count; i++)
        taud_segment_release(view->segments[i]);
    view->allocator->release(view->allocator->context, view);
}

const struct taud_tombstone *taud_view_tombstones(const struct taud_view *view, uint64_t identity,
                                                  uint32_t *ret_count)
{
    uint32_t first = count_below(view, identity), count = 0;
    while (first + count < view->tombstone_count &&
           view->tombstones[first + count].identity == identity)
        count++;
    *ret_count = count;
    return count > 0 ? view->tombstones + first : NULL;
}

struct taud_view *taud_views_take(struct taud_views *views)
{
    pthread_mutex_lock(&views->mutex);
    struct taud_view *view = views->current;
    atomic_fetch_add_explicit(&view->references, 1, memory_order_relaxed);
    pthread_mutex_unlock(&views->mutex);
    return view;
}

struct taud_view *taud_views_exchange(struct taud_views *views, struct taud_view *next)
{
    pthread_mutex_lock(&views->mutex);
    struct taud_view *before = views->current;
    views->current = next;
    pthread_mutex_unlock(&views->mutex);
    return before;
}

void taud_views_replace(struct taud_views *views, struct taud_view *next)
{
    taud_view_release(taud_views_exchange(views, next));
}
