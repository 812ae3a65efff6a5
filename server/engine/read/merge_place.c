// SPDX-License-Identifier: MIT
// Reads the units of places: finds those of which something is to be seen, holds the bytes of the
// one that has been begun, and decodes a window of it at a time. What is decoded is held against
// what the index, or the chunk's summary, says of it. It must not know which place comes next.
#include "merge_place.h"

#include <string.h>

// Points of a window, and how many units may be begun that have one of this size.
static const struct {
    uint32_t points;
    uint32_t units;
} windows[MERGE_WINDOWS] = {{MERGE_POINTS, 16}, {128, 256}, {16, UINT32_MAX}};

// --- what goes wrong --------------------------------------------------------------------------

enum tau_status merge_no_memory(struct taud_merge *merge)
{
    return merge->status = taud_error_set(&merge->error, TAU_STATUS_NO_MEMORY, 0,
                                          "no memory to read series %llu",
                                          (unsigned long long)merge->options.identity);
}

enum tau_status merge_refuse(struct taud_merge *merge, const struct merge_place *place,
                             uint32_t unit)
{
    unsigned long long identity = merge->options.identity;
    if (place->kind == MERGE_SEGMENT) {
        const struct taud_segment *segment = merge->readers[place->detail].segment;
        char name[TAUD_SEGMENT_NAME_BYTES];
        taud_segment_object_name(segment->facts.name, name);
        return merge->status = taud_error_set(
                   &merge->error, TAU_STATUS_INTERNAL_ERROR, 0,
                   "%s: the chunk of series %llu at offset %llu is not what the "
                   "index says",
                   name, identity, (unsigned long long)taud_segment_offset(segment, unit));
    }
    return merge->status = taud_error_set(&merge->error, TAU_STATUS_INTERNAL_ERROR, 0,
                                          "a chunk of series %llu in memory is damaged", identity);
}

// --- units ------------------------------------------------------------------------------------

void merge_unit_bounds(const struct taud_merge *merge, const struct merge_place *place,
                       uint32_t unit, int64_t *ret_first, int64_t *ret_last)
{
    if (place->kind == MERGE_SEGMENT) {
        const struct taud_segment *segment = merge->readers[place->detail].segment;
        *ret_first = segment->first_timestamps[unit];
        *ret_last = segment->last_timestamps[unit];
    } else if (place->kind == MERGE_SEALED) {
        *ret_first = merge->sealed[unit]->summary.first_timestamp;
        *ret_last = merge->sealed[unit]->summary.last_timestamp;
    } else {
        *ret_first = place->timestamps[0];
        *ret_last = place->timestamps[place->detail - 1];
    }
}

bool merge_place_skip(struct taud_merge *merge, struct merge_place *place, int64_t *ret_key)
{
    const struct taud_merge_options *options = &merge->options;
    for (; place->low < place->high; merge_place_end(merge, place)) {
        int64_t first, last;
        merge_unit_bounds(merge, place, merge_next_unit(merge, place), &first, &last);
        first = first > options->from ? first : options->from;
        last = last < options->to ? last : options->to;
        if (first > last ||
            taud_hidden_look(&merge->hidden, place->sequence, first, last) == TAUD_HIDDEN_ALL)
            continue;
        *ret_key = merge_key(merge, options->descending ? last : first);
        return true;
    }
    return false;
}

static enum tau_status read_from_segment(struct taud_merge *merge, struct merge_reader *reader,
                                         uint32_t unit, struct taud_chunk_bytes *ret)
{
    uint64_t identity = merge->options.identity;
    bool damaged;
    if (!merge->options.past_cache)
        return taud_segment_read(reader->segment, identity, unit, ret, &damaged, &merge->error);
    if (!reader->has_cursor && !taud_segment_cursor_init(&reader->cursor, reader->segment))
        return merge_no_memory(merge);
    reader->has_cursor = true;
    ret->block = NULL;
    return taud_segment_cursor_read(&reader->cursor, identity, unit, &ret->data, &ret->size,
                                    &damaged, &merge->error);
}

enum tau_status merge_read_unit(struct taud_merge *merge, const struct merge_place *place,
                                uint32_t unit, struct taud_chunk_bytes *ret_bytes)
{
    if (place->kind == MERGE_SEGMENT)
        return merge->status =
                   read_from_segment(merge, &merge->readers[place->detail], unit, ret_bytes);
    const struct taud_sealed *sealed = merge->sealed[unit];
    *ret_bytes = (struct taud_chunk_bytes){.data = sealed->bytes, .size = sealed->size};
    return TAU_STATUS_SUCCESS;
}

void merge_give_back(const struct taud_merge *merge, struct taud_chunk_bytes *bytes)
{
    if (bytes->block)
        taud_cache_release(merge->options.allocator, bytes->block);
    *bytes = (struct taud_chunk_bytes){.block = NULL};
}

enum tau_status merge_open_unit(struct taud_merge *merge, const struct merge_place *place,
                                uint32_t unit, const struct taud_chunk_bytes *bytes,
                                struct taud_chunk *ret_chunk)
{
    int64_t first, last;
    merge_unit_bounds(merge, place, unit, &first, &last);
    if (!taud_chunk_open(bytes->data, bytes->size, ret_chunk) ||
        ret_chunk->first_timestamp != first ||
        (uint64_t)last - (uint64_t)first < ret_chunk->count - 1)
        return merge_refuse(merge, place, unit);
    return TAU_STATUS_SUCCESS;
}

static enum tau_status load_summaries(struct taud_merge *merge, const struct merge_place *place,
                                      struct merge_reader *reader, uint32_t unit)
{
    uint32_t block = unit / TAUD_COLUMN_MAX;
    if (reader->summaries && reader->block == block)
        return TAU_STATUS_SUCCESS;
    taud_cache_release(merge->options.allocator, reader->summaries);
    reader->summaries = NULL;
    reader->block = block;
    enum tau_status status =
        taud_segment_hold_summaries(reader->segment, merge->options.codec, block,
                                    !merge->options.past_cache, &reader->summaries);
    if (status == TAU_STATUS_SUCCESS)
        return status;
    return status == TAU_STATUS_NO_MEMORY ? merge_no_memory(merge)
                                          : merge_refuse(merge, place, unit);
}

enum tau_status merge_summary(struct taud_merge *merge, const struct merge_place *place,
                              uint32_t unit, struct taud_chunk_summary *ret)
{
    if (place->kind == MERGE_SEALED) {
        *ret = merge->sealed[unit]->summary;
        return TAU_STATUS_SUCCESS;
    }
    struct merge_reader *reader = &merge->readers[place->detail];
    uint32_t at = unit % TAUD_COLUMN_MAX;
    if (load_summaries(merge, place, reader, unit) != TAU_STATUS_SUCCESS)
        return merge->status;
    const struct taud_chunk_columns *columns = taud_segment_held_columns(reader->summaries);
    *ret = (struct taud_chunk_summary){
        .count = columns->counts[at],
        .number_count = columns->number_counts[at],
        .first_timestamp = reader->segment->first_timestamps[unit],
        .last_timestamp = reader->segment->last_timestamps[unit],
        .first = columns->firsts[at],
        .last = columns->lasts[at],
        .low = columns->lows[at],
        .high = columns->highs[at],
        .sum = columns->sums[at],
    };
    return TAU_STATUS_SUCCESS;
}

// --- beginning and ending ---------------------------------------------------------------------

static struct merge_unit *take_unit(struct taud_merge *merge)
{
    const struct taud_allocator *allocator = merge->options.allocator;
    uint8_t window = 0;
    while (merge->unit_count >= windows[window].units)
        window++;
    struct merge_unit *unit = merge->free_units[window];
    if (unit)
        merge->free_units[window] = unit->next;
    else
        unit = allocator->allocate(allocator->context,
                                   sizeof *unit + windows[window].points * 2 * sizeof(int64_t));
    if (!unit)
        return NULL;
    merge->unit_count++;
    *unit = (struct merge_unit){.window = window};
    return unit;
}

static void give_unit(struct taud_merge *merge, struct merge_unit *unit)
{
    merge_give_back(merge, &unit->held);
    unit->next = merge->free_units[unit->window];
    merge->free_units[unit->window] = unit;
    merge->unit_count--;
}

// The first of ascending timestamps that is not before `timestamp`.
static uint32_t lower_bound(const int64_t *timestamps, uint32_t count, int64_t timestamp)
{
    uint32_t low = 0;
    while (low < count) {
        uint32_t middle = low + (count - low) / 2;
        if (timestamps[middle] < timestamp)
            low = middle + 1;
        else
            count = middle;
    }
    return low;
}

// The number of the first point of a unit that is not before `timestamp`, which lies in its bounds.
static bool find_point(struct taud_merge *merge, const struct merge_place *place,
                       const struct merge_unit *unit, int64_t timestamp, uint32_t *ret)
{
    int64_t found;
    if (place->kind != MERGE_COLUMNS)
        return taud_chunk_find(merge->options.codec, &unit->chunk, timestamp, ret, &found);
    *ret = lower_bound(place->timestamps, place->detail, timestamp);
    return true;
}

// Which points of a unit are asked for.
static bool clip(struct taud_merge *merge, const struct merge_place *place, struct merge_unit *unit)
{
    int64_t from = merge->options.from, to = merge->options.to;
    unit->low = 0;
    unit->high = place->kind == MERGE_COLUMNS ? place->detail : unit->chunk.count;
    if ((from > unit->first && !find_point(merge, place, unit, from, &unit->low)) ||
        (to < unit->last && !find_point(merge, place, unit, to + 1, &unit->high)))
        return false;
    unit->first = from > unit->first ? from : unit->first;
    unit->last = to < unit->last ? to : unit->last;
    return unit->low <= unit->high;
}

enum tau_status merge_place_begin(struct taud_merge *merge, struct merge_place *place)
{
    uint32_t number = merge_next_unit(merge, place);
    struct merge_unit *unit = take_unit(merge);
    if (!unit)
        return merge_no_memory(merge);
    place->unit = unit;
    merge_unit_bounds(merge, place, number, &unit->first, &unit->last);
    if (place->kind != MERGE_COLUMNS &&
        (merge_read_unit(merge, place, number, &unit->held) != TAU_STATUS_SUCCESS ||
         merge_open_unit(merge, place, number, &unit->held, &unit->chunk) != TAU_STATUS_SUCCESS))
        return merge->status;
    if (!clip(merge, place, unit))
        return merge_refuse(merge, place, number);
    unit->hidden = taud_hidden_look(&merge->hidden, place->sequence, unit->first, unit->last) !=
                   TAUD_HIDDEN_NOTHING;
    return merge_place_load(merge, place);
}

void merge_place_end(struct taud_merge *merge, struct merge_place *place)
{
    if (place->unit)
        give_unit(merge, place->unit);
    place->unit = NULL;
    if (merge->options.descending)
        place->high--;
    else
        place->low++;
}

// --- windows ----------------------------------------------------------------------------------

bool merge_is_sound(const struct taud_merge *merge, const int64_t *timestamps, uint32_t count,
                    int64_t first, int64_t last)
{
    return timestamps[0] >= first && timestamps[count - 1] <= last &&
           taud_codec_ascending(merge->options.codec, timestamps, count);
}

static void turn(int64_t *timestamps, double *values, uint32_t count)
{
    for (uint32_t i = 0; i < count / 2; i++) {
        uint32_t other = count - 1 - i;
        int64_t timestamp = timestamps[i];
        double value = values[i];
        timestamps[i] = timestamps[other];
        timestamps[other] = timestamp;
        values[i] = values[other];
        values[other] = value;
    }
}

// Decodes or copies points `from` to `to` - 1 of a unit.
static bool take_points(struct taud_merge *merge, const struct merge_place *place,
                        const struct merge_unit *unit, uint32_t from, uint32_t to,
                        int64_t *timestamps, double *values)
{
    struct taud_codec *codec = merge->options.codec;
    if (place->kind == MERGE_COLUMNS) {
        memcpy(timestamps, place->timestamps + from, (to - from) * sizeof *timestamps);
        memcpy(values, place->values + from, (to - from) * sizeof *values);
        return true;
    }
    return taud_chunk_timestamps(codec, &unit->chunk, from, to, timestamps) &&
           merge_is_sound(merge, timestamps, to - from, unit->first, unit->last) &&
           taud_chunk_values(codec, &unit->chunk, from, to, values);
}

// Whether the points of a window fit what the unit is, and the window before.
static bool fits(const struct merge_unit *unit, const int64_t *timestamps, uint32_t from,
                 uint32_t to, bool descending)
{
    int64_t first = timestamps[0], last = timestamps[to - from - 1];
    if (unit->continued && (descending ? last == unit->last : first == unit->first))
        return false;
    return to != unit->chunk.count || last == unit->last;
}

// Fills the buffer with the next points.
static enum tau_status fill(struct taud_merge *merge, const struct merge_place *place,
                            struct merge_unit *unit)
{
    bool descending = merge->options.descending;
    uint32_t points = windows[unit->window].points;
    uint32_t from = unit->low, to = unit->high;
    if (to - from > points && descending)
        from = to - points;
    else if (to - from > points)
        to = from + points;
    int64_t *timestamps = unit->buffer;
    double *values = (double *)(void *)(unit->buffer + points);
    uint32_t count = to - from;
    if (!take_points(merge, place, unit, from, to, timestamps, values) ||
        !fits(unit, timestamps, from, to, descending))
        return merge_refuse(merge, place, merge_next_unit(merge, place));
    unit->continued = true;
    if (descending) {
        unit->high = from;
        unit->last = timestamps[0];
    } else {
        unit->low = to;
        unit->first = timestamps[count - 1];
    }
    if (unit->hidden)
        count = taud_hidden_filter(&merge->hidden, place->sequence, timestamps, values, count);
    if (descending)
        turn(timestamps, values, count);
    unit->timestamps = timestamps;
    unit->values = values;
    unit->count = count;
    return TAU_STATUS_SUCCESS;
}

enum tau_status merge_place_load(struct taud_merge *merge, struct merge_place *place)
{
    struct merge_unit *unit = place->unit;
    enum tau_status status = TAU_STATUS_SUCCESS;
    unit->at = unit->count = 0;
    if (place->kind == MERGE_COLUMNS && !merge->options.descending && !unit->hidden) {
        unit->timestamps = place->timestamps + unit->low; // where they stand already
        unit->values = place->values + unit->low;
        unit->count = unit->high - unit->low;
        unit->low = unit->high;
        return status;
    }
    while (status == TAU_STATUS_SUCCESS && unit->count == 0 && unit->low < unit->high)
        status = fill(merge, place, unit);
    return status;
}

// --- giving back ------------------------------------------------------------------------------

void merge_drop_places(struct taud_merge *merge)
{
    for (uint32_t i = 0; i < merge->place_count; i++) {
        if (merge->places[i].unit)
            give_unit(merge, merge->places[i].unit);
    }
    merge_give_back(merge, &merge->held);
    taud_hidden_done(&merge->hidden);
    merge->place_count = merge->sealed_count = merge->heap_count = 0;
}

void merge_drop_readers(struct taud_merge *merge)
{
    const struct taud_allocator *allocator = merge->options.allocator;
    for (uint32_t i = 0; i < merge->reader_count; i++) {
        struct merge_reader *reader = &merge->readers[i];
        if (reader->has_cursor)
            taud_segment_cursor_done(&reader->cursor);
        taud_cache_release(allocator, reader->summaries);
        taud_segment_release(reader->segment);
    }
    for (uint32_t i = 0; i < MERGE_WINDOWS; i++) {
        for (struct merge_unit *unit = merge->free_units[i], *next; unit; unit = next) {
            next = unit->next;
            allocator->release(allocator->context, unit);
        }
    }
}
