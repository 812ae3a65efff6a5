// SPDX-License-Identifier: MIT
// The order in which pieces come: a heap of places by the next timestamp of each, of equal ones the
// newest first, since it wins. A chunk is passed on whole where it ends before any other place
// begins; else the first place gives what lies before the second one, and what has the timestamp of
// the last point that came is passed over. It must not know how a place is read.
#include "merge_place.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum { LENT_MIN = 64 }; // fewer points are copied together with others

// --- made and freed ---------------------------------------------------------------------------

static void begin(struct taud_merge *merge)
{
    merge->status = TAU_STATUS_SUCCESS;
    merge->begun = merge->any = false;
    merge->lent = merge->count = merge->reader_hint = 0;
    merge->whole = NULL;
}

struct taud_merge *taud_merge_new(const struct taud_merge_options *options)
{
    const struct taud_allocator *allocator = options->allocator;
    struct taud_merge *merge = allocator->allocate(allocator->context, sizeof *merge);
    if (!merge)
        return NULL;
    memset(merge, 0, offsetof(struct taud_merge, summary));
    merge->options = *options;
    merge->mask = options->descending ? -1 : 0;
    begin(merge);
    if (taud_hidden_init(&merge->hidden, allocator, options->tombstones, options->tombstone_count))
        return merge;
    allocator->release(allocator->context, merge);
    return NULL;
}

bool taud_merge_restart(struct taud_merge *merge, uint64_t identity,
                        const struct taud_tombstone *tombstones, uint32_t tombstone_count)
{
    merge_drop_places(merge);
    begin(merge);
    merge->options.identity = identity;
    if (taud_hidden_init(&merge->hidden, merge->options.allocator, tombstones, tombstone_count))
        return true;
    merge_no_memory(merge);
    return false;
}

void taud_merge_use(struct taud_merge *merge, struct taud_codec *codec)
{
    merge->options.codec = codec;
}

void taud_merge_free(struct taud_merge *merge)
{
    if (!merge)
        return;
    const struct taud_allocator *allocator = merge->options.allocator;
    merge_drop_places(merge);
    merge_drop_readers(merge);
    allocator->release(allocator->context, merge->readers);
    allocator->release(allocator->context, merge->sealed);
    allocator->release(allocator->context, merge->places);
    allocator->release(allocator->context, merge->heap);
    allocator->release(allocator->context, merge);
}

// --- places -----------------------------------------------------------------------------------

// Makes room for `more` items behind `count`.
static bool reserve(const struct taud_merge *merge, void **items, size_t size, uint32_t count,
                    uint32_t *room, uint32_t more)
{
    const struct taud_allocator *allocator = merge->options.allocator;
    if (more <= *room - count)
        return true;
    if (more > UINT32_MAX / 2 - count)
        return false;
    uint32_t wanted = count + more > 2 * *room ? count + more : 2 * *room;
    void *larger = allocator->allocate(allocator->context, wanted * size);
    if (!larger)
        return false;
    if (count > 0)
        memcpy(larger, *items, count * size);
    allocator->release(allocator->context, *items);
    *items = larger;
    *room = wanted;
    return true;
}

static bool add_place(struct taud_merge *merge, const struct merge_place *place)
{
    void *places = merge->places;
    bool done = reserve(merge, &places, sizeof *place, merge->place_count, &merge->place_room, 1);
    merge->places = places;
    if (done)
        merge->places[merge->place_count++] = *place;
    return done;
}

// The reader of a segment, made where there is none. Segments mostly come in the same order.
static bool find_reader(struct taud_merge *merge, struct taud_segment *segment, uint32_t *ret)
{
    for (uint32_t i = 0; i < merge->reader_count; i++) {
        uint32_t number = (merge->reader_hint + i) % merge->reader_count;
        if (merge->readers[number].segment != segment)
            continue;
        *ret = number;
        merge->reader_hint = number + 1;
        return true;
    }
    void *readers = merge->readers;
    bool done = reserve(merge, &readers, sizeof *merge->readers, merge->reader_count,
                        &merge->reader_room, 1);
    merge->readers = readers;
    if (!done)
        return false;
    taud_segment_retain(segment);
    *ret = merge->reader_count;
    merge->readers[merge->reader_count++] = (struct merge_reader){.segment = segment};
    return true;
}

bool taud_merge_add_segment(struct taud_merge *merge, struct taud_segment *segment)
{
    struct taud_chunk_run run =
        taud_segment_find(segment, merge->options.identity, merge->options.from, merge->options.to);
    struct merge_place place = {
        .kind = MERGE_SEGMENT,
        .sequence = segment->facts.last_sequence,
        .low = run.first,
        .high = run.first + run.count,
    };
    return run.count == 0 ||
           (find_reader(merge, segment, &place.detail) && add_place(merge, &place));
}

// The first of chunks that ascend that does not end before `timestamp`, or, with `behind`, that
// begins behind it.
static uint32_t find_sealed(struct taud_sealed *const *chunks, uint32_t count, int64_t timestamp,
                            bool behind)
{
    uint32_t low = 0;
    while (low < count) {
        uint32_t middle = low + (count - low) / 2;
        const struct taud_chunk_summary *summary = &chunks[middle]->summary;
        if (behind ? summary->first_timestamp <= timestamp : summary->last_timestamp < timestamp)
            low = middle + 1;
        else
            count = middle;
    }
    return low;
}

bool taud_merge_add_sealed(struct taud_merge *merge, struct taud_sealed *const *chunks,
                           uint32_t count, uint64_t sequence)
{
    uint32_t low = find_sealed(chunks, count, merge->options.from, false);
    uint32_t high = find_sealed(chunks, count, merge->options.to, true);
    if (low >= high)
        return true;
    void *sealed = merge->sealed;
    bool done = reserve(merge, &sealed, sizeof *merge->sealed, merge->sealed_count,
                        &merge->sealed_room, high - low);
    merge->sealed = sealed;
    if (!done)
        return false;
    memcpy(merge->sealed + merge->sealed_count, chunks + low, (high - low) * sizeof *chunks);
    struct merge_place place = {
        .kind = MERGE_SEALED,
        .sequence = sequence,
        .low = merge->sealed_count,
        .high = merge->sealed_count + (high - low),
    };
    if (!add_place(merge, &place))
        return false;
    merge->sealed_count = place.high;
    return true;
}

bool taud_merge_add_late(struct taud_merge *merge, struct taud_sealed *const *chunks,
                         uint32_t count, uint64_t sequence)
{
    for (uint32_t begun = 0, end; begun < count; begun = end) {
        end = begun + 1;
        while (end < count &&
               chunks[end]->summary.first_timestamp > chunks[end - 1]->summary.last_timestamp)
            end++;
        if (!taud_merge_add_sealed(merge, chunks + begun, end - begun, sequence))
            return false;
    }
    return true;
}

bool taud_merge_add_columns(struct taud_merge *merge, const int64_t *timestamps,
                            const double *values, uint32_t count, uint64_t sequence)
{
    struct merge_place place = {
        .kind = MERGE_COLUMNS,
        .sequence = sequence,
        .high = 1,
        .detail = count,
        .timestamps = timestamps,
        .values = values,
    };
    return count == 0 || timestamps[0] > merge->options.to ||
           timestamps[count - 1] < merge->options.from || add_place(merge, &place);
}

// --- the heap ---------------------------------------------------------------------------------

static bool is_before(const struct merge_entry *left, const struct merge_entry *right)
{
    return left->key < right->key || (left->key == right->key && left->place > right->place);
}

static void sink(struct taud_merge *merge, uint32_t at)
{
    struct merge_entry *heap = merge->heap, moved = heap[at];
    uint32_t child;
    while ((child = 2 * at + 1) < merge->heap_count) {
        if (child + 1 < merge->heap_count && is_before(&heap[child + 1], &heap[child]))
            child++;
        if (!is_before(&heap[child], &moved))
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = moved;
}

// Puts the first place where it belongs now, after it went on.
static enum tau_status settle(struct taud_merge *merge, struct merge_place *place)
{
    struct merge_unit *unit = place->unit;
    struct merge_entry *top = &merge->heap[0];
    if (unit && unit->at < unit->count) {
        top->key = merge_key(merge, unit->timestamps[unit->at]);
    } else {
        if (unit)
            merge_place_end(merge, place);
        if (!merge_place_skip(merge, place, &top->key))
            *top = merge->heap[--merge->heap_count];
    }
    if (merge->heap_count > 1)
        sink(merge, 0);
    return merge->status;
}

// Goes `count` points on in the first place.
static enum tau_status take(struct taud_merge *merge, struct merge_place *place, uint32_t count)
{
    struct merge_unit *unit = place->unit;
    unit->at += count;
    if (unit->at == unit->count && merge_place_load(merge, place) != TAU_STATUS_SUCCESS)
        return merge->status;
    return settle(merge, place);
}

// The key of the place that comes behind the first one. Returns false when there is none.
static bool second_key(const struct taud_merge *merge, int64_t *ret)
{
    const struct merge_entry *heap = merge->heap;
    if (merge->heap_count < 2)
        return false;
    *ret = merge->heap_count > 2 && heap[2].key < heap[1].key ? heap[2].key : heap[1].key;
    return true;
}

static enum tau_status prepare(struct taud_merge *merge)
{
    void *heap = merge->heap;
    bool done =
        reserve(merge, &heap, sizeof *merge->heap, 0, &merge->heap_room, merge->place_count);
    merge->heap = heap;
    if (!done)
        return merge_no_memory(merge);
    for (uint32_t i = 0; i < merge->place_count; i++) {
        struct merge_entry *entry = &merge->heap[merge->heap_count];
        entry->place = i;
        merge->heap_count += merge_place_skip(merge, &merge->places[i], &entry->key);
    }
    for (uint32_t i = merge->heap_count / 2; i-- > 0;)
        sink(merge, i);
    merge->begun = true;
    return TAU_STATUS_SUCCESS;
}

// --- pieces -----------------------------------------------------------------------------------

// Whether the next unit of the first place, not begun, can be passed on as it is, or but for what
// `from` and `to` cut off.
static bool is_whole(const struct taud_merge *merge, const struct merge_place *place, bool *ret_cut)
{
    const struct taud_merge_options *options = &merge->options;
    int64_t first, last, other;
    if (options->only_columns || place->kind == MERGE_COLUMNS)
        return false;
    merge_unit_bounds(merge, place, merge_next_unit(merge, place), &first, &last);
    *ret_cut = first < options->from || last > options->to;
    if (*ret_cut && (!options->cuts_chunks || options->descending))
        return false;
    first = first > options->from ? first : options->from;
    last = last < options->to ? last : options->to;
    int64_t begins = merge_key(merge, options->descending ? last : first);
    int64_t ends = merge_key(merge, options->descending ? first : last);
    return (!merge->any || begins > merge_key(merge, merge->last)) &&
           (!second_key(merge, &other) || ends < other) &&
           taud_hidden_look(&merge->hidden, place->sequence, first, last) == TAUD_HIDDEN_NOTHING;
}

static enum tau_status pass_whole(struct taud_merge *merge, struct merge_place *place,
                                  struct taud_piece *piece)
{
    uint32_t number = merge_next_unit(merge, place);
    struct taud_chunk_summary *summary = &merge->summary;
    if (merge_summary(merge, place, number, summary) != TAU_STATUS_SUCCESS)
        return merge->status;
    *piece = (struct taud_piece){
        .count = summary->count,
        .first = summary->first_timestamp,
        .last = summary->last_timestamp,
        .summary = summary,
    };
    merge->whole = place;
    merge->whole_unit = number;
    merge->whole_from = 0;
    merge->whole_open = merge->whole_cut = false;
    merge->any = true;
    merge->last = merge->options.descending ? piece->first : piece->last;
    merge_place_end(merge, place);
    return settle(merge, place);
}

// How many of a chunk's points, of even steps, are not behind `end`.
static uint32_t even_to(const struct taud_chunk_summary *summary, uint64_t step, int64_t end)
{
    if (end < summary->first_timestamp)
        return 0;
    if (end >= summary->last_timestamp)
        return summary->count;
    return (uint32_t)(((uint64_t)end - (uint64_t)summary->first_timestamp) / step) + 1;
}

// Passes on what is asked for of a chunk of even steps. *ret_done remains false where it is none:
// then it was only read.
static enum tau_status pass_cut(struct taud_merge *merge, struct merge_place *place,
                                struct taud_piece *piece, bool *ret_done)
{
    const struct taud_merge_options *options = &merge->options;
    uint32_t number = merge_next_unit(merge, place);
    int64_t first, last;
    uint64_t step;
    merge_unit_bounds(merge, place, number, &first, &last);
    if (merge_read_unit(merge, place, number, &merge->held) != TAU_STATUS_SUCCESS ||
        merge_open_unit(merge, place, number, &merge->held, &merge->chunk) != TAU_STATUS_SUCCESS)
        return merge->status;
    if (!taud_chunk_is_even(&merge->chunk, &step)) {
        merge_give_back(merge, &merge->held);
        return TAU_STATUS_SUCCESS;
    }
    const struct taud_chunk_summary all = {
        .count = merge->chunk.count, .first_timestamp = first, .last_timestamp = last};
    if ((uint64_t)first + step * (all.count - 1) != (uint64_t)last)
        return merge_refuse(merge, place, number);
    uint32_t from = options->from > first ? even_to(&all, step, options->from - 1) : 0;
    uint32_t to = even_to(&all, step, options->to);
    *ret_done = from < to;
    if (from == to) { // it reaches over all that is asked for, and has none of it
        merge_give_back(merge, &merge->held);
        return TAU_STATUS_SUCCESS;
    }
    merge->summary = (struct taud_chunk_summary){
        .count = to - from,
        .first_timestamp = (int64_t)((uint64_t)first + step * from),
        .last_timestamp = (int64_t)((uint64_t)first + step * (to - 1)),
    };
    *piece = (struct taud_piece){.count = to - from,
                                 .first = merge->summary.first_timestamp,
                                 .last = merge->summary.last_timestamp};
    merge->whole = place;
    merge->whole_unit = number;
    merge->whole_from = from;
    merge->whole_open = merge->whole_cut = true;
    merge->any = true;
    merge->last = piece->last;
    merge_place_end(merge, place);
    return settle(merge, place);
}

// How many points of a window come before the second place does; at least the first.
static uint32_t run_length(const struct taud_merge *merge, const struct merge_unit *unit)
{
    uint32_t low = unit->at + 1, step = 1, high;
    int64_t limit;
    if (!second_key(merge, &limit))
        return unit->count - unit->at;
    for (high = low; high < unit->count && merge_key(merge, unit->timestamps[high]) < limit;
         step *= 2) {
        low = high + 1;
        high = high + step < unit->count ? high + step : unit->count;
    }
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (merge_key(merge, unit->timestamps[middle]) < limit)
            low = middle + 1;
        else
            high = middle;
    }
    return low - unit->at;
}

static void fill_columns(const struct taud_merge *merge, struct taud_piece *piece,
                         const int64_t *timestamps, const double *values, uint32_t count)
{
    int64_t begins = timestamps[0], ends = timestamps[count - 1];
    bool descending = merge->options.descending;
    *piece = (struct taud_piece){
        .count = count,
        .first = descending ? ends : begins,
        .last = descending ? begins : ends,
        .timestamps = timestamps,
        .values = values,
    };
}

// Points of the first place from its window: lent where they are many, else copied behind those
// that are there.
static enum tau_status pass_points(struct taud_merge *merge, struct merge_place *place,
                                   struct taud_piece *piece, bool *ret_done)
{
    const struct merge_unit *unit = place->unit;
    uint32_t count = run_length(merge, unit);
    const int64_t *timestamps = unit->timestamps + unit->at;
    const double *values = unit->values + unit->at;
    if (count >= LENT_MIN) {
        *ret_done = true;
        if (merge->count > 0)
            return TAU_STATUS_SUCCESS;
        merge->lent = count < MERGE_POINTS ? count : MERGE_POINTS;
        fill_columns(merge, piece, timestamps, values, merge->lent);
        merge->any = true;
        merge->last = timestamps[merge->lent - 1];
        return TAU_STATUS_SUCCESS;
    }
    count = count < MERGE_POINTS - merge->count ? count : MERGE_POINTS - merge->count;
    memcpy(merge->timestamps + merge->count, timestamps, count * sizeof *timestamps);
    memcpy(merge->values + merge->count, values, count * sizeof *values);
    merge->count += count;
    merge->any = true;
    merge->last = timestamps[count - 1];
    *ret_done = merge->count == MERGE_POINTS;
    return take(merge, place, count);
}

// One step towards the next piece.
static enum tau_status step(struct taud_merge *merge, struct taud_piece *piece, bool *ret_done)
{
    struct merge_place *place = &merge->places[merge->heap[0].place];
    bool cut;
    if (!place->unit && is_whole(merge, place, &cut)) {
        *ret_done = merge->count > 0 || !cut;
        if (merge->count > 0)
            return TAU_STATUS_SUCCESS;
        enum tau_status status = cut ? pass_cut(merge, place, piece, ret_done)
                                     : pass_whole(merge, place, piece);
        if (*ret_done || status != TAU_STATUS_SUCCESS)
            return status;
    }
    if (!place->unit) {
        enum tau_status status = merge_place_begin(merge, place);
        return status == TAU_STATUS_SUCCESS ? settle(merge, place) : status;
    }
    if (merge->any && place->unit->timestamps[place->unit->at] == merge->last)
        return take(merge, place, 1);
    return pass_points(merge, place, piece, ret_done);
}

// Leaves the piece that came before behind.
static enum tau_status leave(struct taud_merge *merge)
{
    uint32_t lent = merge->lent;
    merge_give_back(merge, &merge->held);
    merge->whole = NULL;
    merge->lent = merge->count = 0;
    return lent > 0 ? take(merge, &merge->places[merge->heap[0].place], lent) : merge->status;
}

static enum tau_status report(const struct taud_merge *merge, struct taud_error *error)
{
    if (merge->status != TAU_STATUS_SUCCESS && error)
        *error = merge->error;
    return merge->status;
}

enum tau_status taud_merge_next(struct taud_merge *merge, struct taud_piece *ret_piece,
                                struct taud_error *error)
{
    struct taud_piece piece = {.count = 0};
    bool done = false;
    if (merge->status == TAU_STATUS_SUCCESS && !merge->begun)
        prepare(merge);
    if (merge->status == TAU_STATUS_SUCCESS)
        leave(merge);
    while (merge->status == TAU_STATUS_SUCCESS && !done && merge->heap_count > 0)
        step(merge, &piece, &done);
    if (merge->status != TAU_STATUS_SUCCESS)
        return report(merge, error);
    if (merge->count > 0)
        fill_columns(merge, &piece, merge->timestamps, merge->values, merge->count);
    *ret_piece = piece;
    return TAU_STATUS_SUCCESS;
}

// --- whole chunks -----------------------------------------------------------------------------

static enum tau_status open_whole(struct taud_merge *merge)
{
    if (merge->whole_open)
        return TAU_STATUS_SUCCESS;
    if ((!merge->held.data && merge_read_unit(merge, merge->whole, merge->whole_unit,
                                              &merge->held) != TAU_STATUS_SUCCESS) ||
        merge_open_unit(merge, merge->whole, merge->whole_unit, &merge->held, &merge->chunk) !=
            TAU_STATUS_SUCCESS)
        return merge->status;
    if (merge->chunk.count != merge->summary.count)
        return merge_refuse(merge, merge->whole, merge->whole_unit);
    merge->whole_open = true;
    return TAU_STATUS_SUCCESS;
}

static void turn_timestamps(int64_t *timestamps, uint32_t count)
{
    for (uint32_t i = 0; i < count / 2; i++) {
        int64_t kept = timestamps[i];
        timestamps[i] = timestamps[count - 1 - i];
        timestamps[count - 1 - i] = kept;
    }
}

static void turn_values(double *values, uint32_t count)
{
    for (uint32_t i = 0; i < count / 2; i++) {
        double kept = values[i];
        values[i] = values[count - 1 - i];
        values[count - 1 - i] = kept;
    }
}

static bool decode_timestamps(struct taud_merge *merge)
{
    const struct taud_chunk_summary *summary = &merge->summary;
    uint32_t count = summary->count;
    uint32_t from = merge->whole_from;
    if (!taud_chunk_timestamps(merge->options.codec, &merge->chunk, from, from + count,
                               merge->timestamps) ||
        !merge_is_sound(merge, merge->timestamps, count, summary->first_timestamp,
                        summary->last_timestamp) ||
        merge->timestamps[count - 1] != summary->last_timestamp)
        return false;
    if (merge->options.descending)
        turn_timestamps(merge->timestamps, count);
    return true;
}

static bool decode_values(struct taud_merge *merge)
{
    uint32_t count = merge->summary.count, from = merge->whole_from;
    if (!taud_chunk_values(merge->options.codec, &merge->chunk, from, from + count, merge->values))
        return false;
    if (merge->options.descending)
        turn_values(merge->values, count);
    return true;
}

enum tau_status taud_merge_decode(struct taud_merge *merge, struct taud_piece *piece,
                                  unsigned parts, struct taud_error *error)
{
    bool timestamps = (parts & TAUD_PIECE_TIMESTAMPS) && !piece->timestamps;
    bool values = (parts & TAUD_PIECE_VALUES) && !piece->values;
    if (merge->status == TAU_STATUS_SUCCESS && (timestamps || values) &&
        open_whole(merge) == TAU_STATUS_SUCCESS &&
        ((timestamps && !decode_timestamps(merge)) || (values && !decode_values(merge))))
        merge_refuse(merge, merge->whole, merge->whole_unit);
    if (merge->status != TAU_STATUS_SUCCESS)
        return report(merge, error);
    if (timestamps)
        piece->timestamps = merge->timestamps;
    if (values)
        piece->values = merge->values;
    return TAU_STATUS_SUCCESS;
}

// --- folding whole chunks ---------------------------------------------------------------------

// How many points are not behind `end`, of timestamps that were decoded; at least `from`.
static uint32_t column_to(const int64_t *timestamps, uint32_t from, uint32_t count, int64_t end)
{
    while (from < count) {
        uint32_t middle = from + (count - from) / 2;
        if (timestamps[middle] <= end)
            from = middle + 1;
        else
            count = middle;
    }
    return count;
}

// Cuts the open chunk at the ends. Timestamps are decoded only where steps are not even. Returns
// how many parts there are; 0 where it is damaged.
static uint32_t cut_whole(struct taud_merge *merge, const int64_t *ends, uint32_t end_count,
                          struct taud_chunk_part *parts)
{
    const struct taud_chunk_summary *summary = &merge->summary;
    uint64_t step = 0, first = (uint64_t)summary->first_timestamp;
    uint32_t from = 0, count = 0;
    bool even = taud_chunk_is_even(&merge->chunk, &step);
    if (even ? first + step * (summary->count - 1) != (uint64_t)summary->last_timestamp
             : !decode_timestamps(merge))
        return 0;
    for (uint32_t i = 0; i < end_count; i++) {
        uint32_t to = even ? even_to(summary, step, ends[i])
                           : column_to(merge->timestamps, from, summary->count, ends[i]);
        if (to == from)
            continue;
        struct taud_chunk_part *part = &parts[count++];
        *part = (struct taud_chunk_part){.from = merge->whole_from + from,
                                         .to = merge->whole_from + to};
        part->summary.first_timestamp =
            even ? (int64_t)(first + step * from) : merge->timestamps[from];
        part->summary.last_timestamp =
            even ? (int64_t)(first + step * (to - 1)) : merge->timestamps[to - 1];
        from = to;
    }
    assert(from == summary->count);
    return count;
}

// All of the chunk: what its summary tells needs no look at the values.
static bool fold_whole(struct taud_merge *merge, unsigned wanted, struct taud_chunk_part *part)
{
    const struct taud_chunk_summary *summary = &merge->summary;
    *part = (struct taud_chunk_part){.to = summary->count, .summary = *summary, .deviation = NAN};
    return (wanted & TAUD_FOLD_DEVIATION) == 0 || summary->number_count < summary->count ||
           taud_chunk_deviation(merge->options.codec, &merge->chunk,
                                summary->sum / summary->count, &part->deviation);
}

enum tau_status taud_merge_fold(struct taud_merge *merge, struct taud_piece *piece, unsigned wanted,
                                const int64_t *ends, uint32_t end_count,
                                struct taud_chunk_part *ret_parts, uint32_t *ret_count,
                                struct taud_error *error)
{
    uint32_t count = 1;
    bool good = false;
    assert(merge->whole && end_count > 0 && ends[end_count - 1] >= piece->last);
    assert(!merge->options.descending);
    if (merge->status == TAU_STATUS_SUCCESS)
        open_whole(merge);
    if (merge->status == TAU_STATUS_SUCCESS && ends[0] >= piece->last && !merge->whole_cut) {
        good = fold_whole(merge, wanted, ret_parts);
    } else if (merge->status == TAU_STATUS_SUCCESS) {
        count = cut_whole(merge, ends, end_count, ret_parts);
        good = count > 0 && taud_chunk_fold(merge->options.codec, &merge->chunk, wanted, ret_parts,
                                            count);
    }
    if (merge->status == TAU_STATUS_SUCCESS && !good)
        merge_refuse(merge, merge->whole, merge->whole_unit);
    if (merge->status == TAU_STATUS_SUCCESS)
        *ret_count = count;
    return report(merge, error);
}

enum tau_status taud_merge_bytes(struct taud_merge *merge, const struct taud_piece *piece,
                                 const uint8_t **ret_bytes, size_t *ret_size,
                                 struct taud_error *error)
{
    (void)piece;
    if (merge->status == TAU_STATUS_SUCCESS && open_whole(merge) == TAU_STATUS_SUCCESS &&
        !taud_chunk_intact(merge->held.data, merge->held.size))
        merge_refuse(merge, merge->whole, merge->whole_unit);
    if (merge->status != TAU_STATUS_SUCCESS)
        return report(merge, error);
    *ret_bytes = merge->held.data;
    *ret_size = merge->held.size;
    return TAU_STATUS_SUCCESS;
}
