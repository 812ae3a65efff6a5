// SPDX-License-Identifier: MIT
// Looks from the newest to the oldest, and stops where it finds the timestamp or where a tombstone
// hides all that is left. Nothing is allocated for what the cache has.
#include "lookup.h"

#include <string.h>

// --- memory -----------------------------------------------------------------------------------

static bool find_in_head(const struct taud_head *head, int64_t timestamp, double *ret_value)
{
    uint32_t index = head->count > 0 ? taud_head_find(head, timestamp) : 0;
    if (index == head->count || head->points[index] != timestamp)
        return false;
    *ret_value = taud_head_values(head)[index];
    return true;
}

// In the heads and the run of their generation; NULL where that is not the newest one.
static bool find_newest(const struct taud_series *series, const struct taud_run *run,
                        struct taud_codec *codec, int64_t timestamp, double *ret_value)
{
    if (find_in_head(&series->late, timestamp, ret_value))
        return true;
    // Late chunks are newer than the head; chunks in order have nothing that it has.
    bool late = run && run->late.count > 0;
    return (late && taud_run_find(run, codec, timestamp, ret_value)) ||
           find_in_head(&series->head, timestamp, ret_value) ||
           (run && !late && taud_run_find(run, codec, timestamp, ret_value));
}

bool taud_find_in_memory(const struct taud_storage *storage, const struct taud_series *series,
                         struct taud_codec *codec, int64_t timestamp, double *ret_value,
                         uint64_t *ret_sequence)
{
    if (!series->any || timestamp > series->last_timestamp)
        return false;
    const struct taud_run *run = series->run;
    bool same = run && run->generation == series->generation;
    *ret_sequence = taud_storage_sequence(storage, series->generation);
    if (find_newest(series, same ? run : NULL, codec, timestamp, ret_value))
        return true;
    for (run = same ? run->older : run; run; run = run->older) {
        *ret_sequence = taud_storage_sequence(storage, run->generation);
        if (taud_run_find(run, codec, timestamp, ret_value))
            return true;
    }
    return false;
}

// --- segments ---------------------------------------------------------------------------------

uint64_t taud_visible_from(const struct taud_view *view, uint64_t identity, int64_t timestamp)
{
    uint32_t count;
    uint64_t visible = 0;
    const struct taud_tombstone *tombstones = taud_view_tombstones(view, identity, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (tombstones[i].from <= timestamp && timestamp <= tombstones[i].to &&
            tombstones[i].sequence >= visible)
            visible = tombstones[i].sequence + 1;
    }
    return visible;
}

bool taud_search_locate(struct taud_search *search, const struct taud_view *view)
{
    while (search->segment > 0) {
        struct taud_segment *segment = view->segments[--search->segment];
        const struct taud_segment_facts *facts = &segment->facts;
        if (facts->last_sequence < search->visible_from)
            break;
        if (search->timestamp < facts->first_timestamp || search->timestamp > facts->last_timestamp)
            continue;
        if (!taud_segment_find_chunk(segment, search->identity, search->timestamp, &search->chunk))
            continue;
        search->held = NULL;
        taud_segment_prefetch(segment, search->chunk, false);
        return true;
    }
    search->segment = 0;
    return false;
}

void taud_search_approach(const struct taud_search *search, const struct taud_view *view)
{
    taud_segment_prefetch(view->segments[search->segment], search->chunk, true);
}

void taud_search_hold(struct taud_search *search, const struct taud_view *view)
{
    search->held = taud_segment_hold(view->segments[search->segment], search->chunk);
}

enum tau_status taud_search_read(struct taud_search *search, const struct taud_view *view,
                                 struct taud_error *error)
{
    struct taud_segment *segment = view->segments[search->segment];
    struct taud_cache_block *held = search->held;
    bool damaged;
    if (!held)
        held = taud_segment_hold(segment, search->chunk);
    search->held = NULL;
    enum tau_status status = taud_segment_read_held(segment, search->identity, search->chunk, held,
                                                    &search->bytes, &damaged, error);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    int64_t first = segment->first_timestamps[search->chunk];
    double width = (double)segment->last_timestamps[search->chunk] - (double)first + 1;
    taud_chunk_prefetch(search->bytes.data, search->bytes.size,
                        ((double)search->timestamp - (double)first) / width);
    return status;
}

static enum tau_status refuse(const struct taud_search *search, const struct taud_segment *segment,
                              struct taud_error *error)
{
    char name[TAUD_SEGMENT_NAME_BYTES];
    taud_segment_object_name(segment->facts.name, name);
    return taud_error_set(error, TAU_STATUS_INTERNAL_ERROR, 0,
                          "%s: the chunk of series %llu at offset %llu cannot be decoded", name,
                          (unsigned long long)search->identity,
                          (unsigned long long)taud_segment_offset(segment, search->chunk));
}

enum tau_status taud_search_look(struct taud_search *search, const struct taud_view *view,
                                 struct taud_codec *codec, bool *ret_found, double *ret_value,
                                 struct taud_error *error)
{
    const struct taud_segment *segment = view->segments[search->segment];
    bool good = taud_chunk_point(codec, search->bytes.data, search->bytes.size, search->timestamp,
                                 ret_found, ret_value);
    taud_segment_give_back(&segment->store, &search->bytes);
    return good ? TAU_STATUS_SUCCESS : refuse(search, segment, error);
}

enum tau_status taud_search_finish(struct taud_search *search, const struct taud_view *view,
                                   struct taud_codec *codec, bool *ret_found, double *ret_value,
                                   struct taud_error *error)
{
    *ret_found = false;
    while (!*ret_found && taud_search_locate(search, view)) {
        enum tau_status status = taud_search_read(search, view, error);
        if (status == TAU_STATUS_SUCCESS)
            status = taud_search_look(search, view, codec, ret_found, ret_value, error);
        if (status != TAU_STATUS_SUCCESS)
            return status;
    }
    return TAU_STATUS_SUCCESS;
}

// --- both -------------------------------------------------------------------------------------

static enum tau_status search_all(struct taud_engine *engine, const struct taud_view *view,
                                  const struct taud_series *series, struct taud_codec *codec,
                                  int64_t timestamp, uint64_t visible_from, bool *ret_found,
                                  double *ret_value)
{
    struct taud_search search = {
        .identity = series->identity,
        .timestamp = timestamp,
        .visible_from = visible_from,
        .segment = view->segment_count,
    };
    struct taud_error error;
    enum tau_status status = taud_search_finish(&search, view, codec, ret_found, ret_value, &error);
    return taud_engine_count_damage(engine, status, &error);
}

enum tau_status taud_lookup(struct taud_engine *engine, const struct taud_shard *shard,
                            const struct taud_series *series, int64_t timestamp, bool *ret_found,
                            double *ret_value)
{
    uint64_t sequence = UINT64_MAX;
    enum tau_status status = TAU_STATUS_SUCCESS;
    *ret_found = taud_find_in_memory(&engine->storage, series, shard->codec, timestamp, ret_value,
                                     &sequence);
    if (series->retention > 0 && timestamp < taud_storage_edge(engine, series->retention))
        *ret_found = false;
    else if (*ret_found ? sequence != UINT64_MAX : series->stored) {
        struct taud_view *view = taud_views_take(&engine->storage.views);
        uint64_t visible_from = taud_visible_from(view, series->identity, timestamp);
        if (*ret_found)
            *ret_found = sequence >= visible_from;
        else
            status = search_all(engine, view, series, shard->codec, timestamp, visible_from,
                                ret_found, ret_value);
        taud_view_release(view);
    }
    return status;
}
