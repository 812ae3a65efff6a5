// SPDX-License-Identifier: MIT
// Which segments are compacted next. Neighbours in sequence of about the same size or smaller
// become one when there are four of them and none is larger than the others together, so that there
// are few segments and each point is moved only as often as its segment can double. A segment in
// which more than a quarter is garbage is made anew by itself, and so is one whose index was lost.
// It must not know how they are merged.
#include "compaction.h"

#include <string.h>

enum {
    NEIGHBOURS_MIN = 4,
    NEIGHBOURS_MAX = 32, // each takes a buffer to read through
    GARBAGE_SHARE = 4,
    SMALLEST_BYTES = 1 << 20, // of the lowest size
    SIZES_MAX = 20,
    ANEW_LEVEL = 2,       // at which every chunk gets a better encoding, once in its life
    RETENTION_MS = 60000, // between two looks for what has grown too old
};

// --- garbage ----------------------------------------------------------------------------------

static bool is_deleted(const struct taud_view *tombstones, uint64_t identity,
                       const struct taud_segment *segment, uint32_t chunk)
{
    uint32_t count;
    const struct taud_tombstone *found = taud_view_tombstones(tombstones, identity, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (found[i].sequence >= segment->facts.last_sequence &&
            found[i].from <= segment->first_timestamps[chunk] &&
            found[i].to >= segment->last_timestamps[chunk])
            return true;
    }
    return false;
}

static uint64_t garbage_of(struct taud_engine *engine, const struct taud_view *tombstones,
                           const struct taud_segment *segment)
{
    uint64_t garbage = 0;
    for (uint32_t i = 0; i < segment->facts.series_count; i++) {
        int64_t edge;
        bool by_log;
        uint64_t identity = segment->identities[i];
        struct taud_chunk_run chunks = taud_segment_series(segment, i);
        bool wanted = taud_compaction_wants(engine, identity, &edge, &by_log);
        for (uint32_t k = chunks.first; k < chunks.first + chunks.count; k++) {
            if (!wanted || segment->last_timestamps[k] < edge ||
                (tombstones->tombstone_count > 0 && is_deleted(tombstones, identity, segment, k)))
                garbage += segment->sizes[k];
        }
    }
    return garbage;
}

// Looks all segments through, when something may have become garbage since the last time.
static void look_for_garbage(struct taud_engine *engine, const struct taud_view *view)
{
    struct taud_storage *storage = &engine->storage;
    uint64_t now = storage->clock->monotonic_ns(storage->clock->context);
    uint64_t removals = taud_storage_removals(storage);
    bool by_log;
    if (storage->garbage_known && !(storage->has_retention && now >= storage->retention_at_ns) &&
        !(taud_storage_is_short_of_disk(engine) && removals != storage->removals_seen))
        return;
    struct taud_view *tombstones = taud_storage_tombstones(engine, &by_log);
    if (!tombstones)
        return; // the next time
    storage->garbage_known = true;
    storage->removals_seen = removals;
    storage->has_retention = false;
    storage->retention_at_ns = now + (uint64_t)RETENTION_MS * 1000000U;
    for (uint32_t i = 0; i < view->segment_count && !taud_storage_is_stopping(storage); i++) {
        view->segments[i]->garbage = garbage_of(engine, tombstones, view->segments[i]);
        if (taud_storage_needs_flush(engine))
            (void)!taud_storage_pause(engine);
    }
    taud_view_release(tombstones);
}

// --- choosing ---------------------------------------------------------------------------------

static bool is_free(const struct taud_segment *segment)
{
    return !segment->spoiled && !segment->busy;
}

static unsigned size_class(const struct taud_segment *segment)
{
    uint64_t bytes = segment->facts.size / SMALLEST_BYTES;
    unsigned class = 0;
    for (; bytes > 0 && class < SIZES_MAX; bytes /= NEIGHBOURS_MIN)
        class ++;
    return class;
}

struct range {
    uint32_t first, count;
};

static uint64_t size_at(const struct taud_view *view, uint32_t index)
{
    return view->segments[index]->facts.size;
}

// Leaves out the largest as long as it is larger than all others together: so what is moved gets at
// least twice its size, and no point is moved more often than that can happen. Of what is small
// anyway nothing.
static struct range balance(const struct taud_view *view, struct range range)
{
    while (range.count >= NEIGHBOURS_MIN) {
        uint64_t sum = 0;
        uint32_t largest = range.first, end = range.first + range.count;
        for (uint32_t i = range.first; i < end; i++) {
            sum += size_at(view, i);
            largest = size_at(view, i) > size_at(view, largest) ? i : largest;
        }
        if (size_at(view, largest) <= sum / 2 || sum < SMALLEST_BYTES)
            return range;
        bool last = largest + 1 == end;
        range.first = last ? range.first : largest + 1;
        range.count = last ? range.count - 1 : end - range.first;
    }
    return (struct range){0, 0};
}

// Neighbours of this size or smaller; none when there are too few.
static struct range neighbours_of(const struct taud_view *view, unsigned class)
{
    struct range range = {0, 0};
    for (uint32_t i = 0; i < view->segment_count; i++) {
        if (!is_free(view->segments[i]) || size_class(view->segments[i]) > class) {
            range.count = 0;
            continue;
        }
        if (range.count++ == 0)
            range.first = i;
        bool ends = i + 1 == view->segment_count || !is_free(view->segments[i + 1]) ||
                    size_class(view->segments[i + 1]) > class;
        if (!ends && range.count < NEIGHBOURS_MAX)
            continue;
        struct range found = balance(view, range);
        if (found.count > 0)
            return found;
        range.count = 0;
    }
    return (struct range){0, 0};
}

// The one of those with much garbage of which least is left: on a disk that is full it needs least
// space.
static struct range most_garbage(const struct taud_view *view)
{
    struct range found = {0, 0};
    uint64_t least = UINT64_MAX;
    for (uint32_t i = 0; i < view->segment_count; i++) {
        const struct taud_segment *segment = view->segments[i];
        bool worth = segment->rebuilt || segment->garbage > segment->facts.size / GARBAGE_SHARE;
        if (!is_free(segment) || !worth || segment->facts.size - segment->garbage >= least)
            continue;
        least = segment->facts.size - segment->garbage;
        found = (struct range){i, 1};
    }
    return found;
}

static struct range choose(struct taud_engine *engine, const struct taud_view *view)
{
    struct range garbage = most_garbage(view);
    engine->storage.collects = garbage.count > 0;
    if (garbage.count > 0 || taud_storage_is_short_of_disk(engine))
        return garbage; // merging others takes space for a while
    for (unsigned class = 0; class <= SIZES_MAX; class ++) {
        struct range range = neighbours_of(view, class);
        if (range.count > 0)
            return range;
    }
    return (struct range){0, 0};
}

// The next neighbours that can be compacted at all, from a place on.
static struct range next_whole(const struct taud_view *view, uint32_t from)
{
    struct range range = {from, 0};
    while (range.first < view->segment_count && view->segments[range.first]->spoiled)
        range.first++;
    while (range.first + range.count < view->segment_count &&
           !view->segments[range.first + range.count]->spoiled)
        range.count++;
    return range;
}

// --- doing it ---------------------------------------------------------------------------------

static void describe_job(const struct taud_view *view, struct range range,
                         struct taud_compaction_job *ret)
{
    ret->segments = view->segments + range.first;
    ret->count = range.count;
    ret->name = ret->segments[0]->facts.name;
    ret->last_sequence = ret->segments[range.count - 1]->facts.last_sequence;
    for (uint32_t i = 0; i < range.count; i++) {
        if (ret->name.level < ret->segments[i]->facts.name.level)
            ret->name.level = ret->segments[i]->facts.name.level;
    }
    ret->name.level++;
    ret->effort = TAUD_EFFORT_THOROUGH;
    ret->anew = ret->name.level == ANEW_LEVEL;
}

static void mark_all_busy(const struct taud_view *view, bool busy)
{
    for (uint32_t i = 0; i < view->segment_count; i++)
        view->segments[i]->busy = busy;
}

// All there is, by every means. What is flushed meanwhile is not meant.
static enum tau_status compact_whole(struct taud_engine *engine, const struct taud_view *view,
                                     uint64_t ticket, struct taud_error *error)
{
    struct taud_compaction_job job = {.ticket = ticket};
    enum tau_status status = TAU_STATUS_SUCCESS;
    struct range range = next_whole(view, 0);
    mark_all_busy(view, true);
    for (uint32_t i = 0; i < view->segment_count; i++)
        job.bytes_total += view->segments[i]->facts.size;
    while (range.count > 0 && status == TAU_STATUS_SUCCESS) {
        describe_job(view, range, &job);
        job.effort = TAUD_EFFORT_BEST;
        job.anew = true;
        status = taud_compaction_run(engine, &job, error);
        for (uint32_t i = 0; i < range.count; i++)
            job.bytes_before += job.segments[i]->facts.size;
        range = next_whole(view, range.first + range.count);
    }
    mark_all_busy(view, false);
    return status;
}

enum tau_status taud_compact(struct taud_engine *engine, uint64_t ticket, bool *ret_done,
                             struct taud_error *error)
{
    struct taud_view *view = taud_views_take(&engine->storage.views);
    enum tau_status status = TAU_STATUS_SUCCESS;
    *ret_done = false;
    if (ticket != 0) {
        *ret_done = true;
        status = compact_whole(engine, view, ticket, error);
    } else {
        look_for_garbage(engine, view);
        // What was flushed meanwhile may have been compacted, too: the segments are others then.
        taud_view_release(view);
        view = taud_views_take(&engine->storage.views);
        struct range range = choose(engine, view);
        struct taud_compaction_job job = {.ticket = 0};
        if (range.count > 0 && !taud_storage_is_stopping(&engine->storage)) {
            *ret_done = true;
            describe_job(view, range, &job);
            status = taud_compaction_run(engine, &job, error);
        }
    }
    taud_view_release(view);
    return status;
}
