// SPDX-License-Identifier: MIT
// The inside of a merge: its places, and how what stands in one is read. A place is a row of units,
// which are chunks or one pair of columns; of a unit that has been begun a window of points is in
// memory, in the order of the merge. Only merge.c, merge_place.c and their tests include it.
#ifndef TAUD_ENGINE_READ_MERGE_PLACE_H
#define TAUD_ENGINE_READ_MERGE_PLACE_H

#include "../store/segment_cursor.h"
#include "hidden.h"
#include "merge.h"

enum {
    MERGE_POINTS = TAUD_CHUNK_POINTS_MAX,
    // Sizes of windows: whole chunks while few units overlap, less of each where many do.
    MERGE_WINDOWS = 3,
};

// What a segment is read with; it outlives the series.
struct merge_reader {
    struct taud_segment *segment; // a reference
    struct taud_segment_cursor cursor;
    bool has_cursor;
    struct taud_cache_block *summaries; // of `block`; NULL before there are any
    uint32_t block;
};

// A unit that has been begun.
struct merge_unit {
    struct merge_unit *next; // in the list of those that are free
    struct taud_chunk chunk;
    struct taud_chunk_bytes held; // its block is NULL where nothing has to be given back
    int64_t first, last;          // within which what is wanted has to lie
    uint32_t low, high;           // points that are wanted and were in no window yet
    const int64_t *timestamps;    // the window
    const double *values;
    uint32_t at, count; // in the window: those from `at` on were not taken yet
    bool hidden;        // in part
    bool continued;     // it had a window before, which ends at `first`, or at `last`
    uint8_t window;     // its size
    int64_t buffer[];   // timestamps, then values, of a whole window
};

enum merge_kind { MERGE_SEGMENT, MERGE_SEALED, MERGE_COLUMNS };

struct merge_place {
    uint64_t sequence;
    struct merge_unit *unit; // the one that has been begun; NULL: the next one has not
    uint32_t low, high;      // units that are left, with the one that has been begun
    uint32_t detail;         // the number of the reader; the count of points
    uint8_t kind;            // enum merge_kind
    const int64_t *timestamps;
    const double *values;
};

struct merge_entry {
    int64_t key; // the next timestamp, or one before it, so that the next to come has the least
    uint32_t place;
};

struct taud_merge {
    struct taud_merge_options options;
    int64_t mask; // a timestamp's key is the timestamp with these bits turned
    struct taud_hidden hidden;
    struct merge_reader *readers;
    uint32_t reader_count, reader_room, reader_hint;
    struct taud_sealed **sealed; // of all places
    uint32_t sealed_count, sealed_room;
    struct merge_place *places; // the oldest first
    uint32_t place_count, place_room;
    struct merge_entry *heap; // of places that have a unit left
    uint32_t heap_count, heap_room;
    struct merge_unit *free_units[MERGE_WINDOWS];
    uint32_t unit_count; // that have been begun

    enum tau_status status;
    struct taud_error error;
    bool begun; // a piece was asked for
    bool any;   // a piece came, or is being made; `last` is its end
    int64_t last;
    uint32_t lent;  // points of the first place's window that the piece is
    uint32_t count; // points of the piece that are in the columns below

    // The piece, where it is a whole chunk or cut from one: then it begins with point `whole_from`,
    // and of the summary only count and timestamps are there, those of the piece.
    struct merge_place *whole;
    uint32_t whole_unit, whole_from;
    bool whole_open, whole_cut;
    struct taud_chunk chunk;
    struct taud_chunk_bytes held;
    struct taud_chunk_summary summary;
    int64_t timestamps[MERGE_POINTS];
    double values[MERGE_POINTS];
};

static inline int64_t merge_key(const struct taud_merge *merge, int64_t timestamp)
{
    return timestamp ^ merge->mask;
}

// The unit that is next in a place that has one.
static inline uint32_t merge_next_unit(const struct taud_merge *merge,
                                       const struct merge_place *place)
{
    return merge->options.descending ? place->high - 1 : place->low;
}

// From and to where a unit reaches.
void merge_unit_bounds(const struct taud_merge *merge, const struct merge_place *place,
                       uint32_t unit, int64_t *ret_first, int64_t *ret_last);

// Passes over units of which nothing is to be seen. Returns false when none is left, else the key
// of the next one.
bool merge_place_skip(struct taud_merge *merge, struct merge_place *place, int64_t *ret_key);

// Begins the next unit: reads it, and has its first window, which may be empty: then there is
// nothing of it to come.
enum tau_status merge_place_begin(struct taud_merge *merge, struct merge_place *place);

// Has the next window of a unit, whose window was used up; empty as above.
enum tau_status merge_place_load(struct taud_merge *merge, struct merge_place *place);

// Goes behind the unit that was begun.
void merge_place_end(struct taud_merge *merge, struct merge_place *place);

// Reads the bytes of a chunk. `ret_bytes` is given back by merge_give_back.
enum tau_status merge_read_unit(struct taud_merge *merge, const struct merge_place *place,
                                uint32_t unit, struct taud_chunk_bytes *ret_bytes);
void merge_give_back(const struct taud_merge *merge, struct taud_chunk_bytes *bytes);

// Opens a chunk whose bytes were read, and sees whether it begins as it should.
enum tau_status merge_open_unit(struct taud_merge *merge, const struct merge_place *place,
                                uint32_t unit, const struct taud_chunk_bytes *bytes,
                                struct taud_chunk *ret_chunk);

// The summary of a chunk.
enum tau_status merge_summary(struct taud_merge *merge, const struct merge_place *place,
                              uint32_t unit, struct taud_chunk_summary *ret);

// Whether timestamps ascend, and lie from `first` to `last`.
bool merge_is_sound(const struct taud_merge *merge, const int64_t *timestamps, uint32_t count,
                    int64_t first, int64_t last);

// Says, and remembers, what is wrong.
enum tau_status merge_no_memory(struct taud_merge *merge);
enum tau_status merge_refuse(struct taud_merge *merge, const struct merge_place *place,
                             uint32_t unit);

// Gives back what is there for a series, and what is there for all.
void merge_drop_places(struct taud_merge *merge);
void merge_drop_readers(struct taud_merge *merge);

#endif
