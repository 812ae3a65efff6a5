// SPDX-License-Identifier: MIT
// Segments: immutable objects of compressed chunks, sorted by series and time, with an index of
// what each chunk holds. One is written once, from one end to the other, in bounded memory; then
// opened, its index in memory, and read by any number of threads. It must not know which segments
// there are.
#ifndef TAUD_ENGINE_STORE_SEGMENT_H
#define TAUD_ENGINE_STORE_SEGMENT_H

#include "../backend.h"
#include "cache.h"
#include "index_block.h"
#include "segment_name.h"

// What segments stand on. It outlives them.
struct taud_store {
    struct taud_backend *backend;
    const struct taud_allocator *allocator;
    struct taud_cache *cache; // may be NULL: every read goes to the backend
};

enum { TAUD_SEGMENT_HEAD_BYTES = 64 }; // the first record stands behind them

// What is known of a segment as a whole.
struct taud_segment_facts {
    struct taud_segment_name name;
    uint64_t last_sequence;
    uint64_t file_id; // random: tells it apart from others that its name or its blocks on disk had
    uint64_t size;    // of the object
    uint64_t index_offset;
    uint64_t chunk_count;
    uint64_t point_count;
    uint64_t series_count;
    int64_t first_timestamp; // the least and the greatest of all series; 0 where there is no point
    int64_t last_timestamp;
};

// --- writing ----------------------------------------------------------------------------------

struct taud_segment_writer;

// Begins a segment, of which `facts` gives name, last sequence and file id. The codec is the
// writer's until its end. Memory is some 500 KiB, and about 12 bytes more for each chunk. Returns
// SUCCESS, NO_MEMORY, STORAGE_FULL, INTERNAL_ERROR. Every writer ends with finish or abandon, which
// free it.
enum tau_status taud_segment_writer_new(const struct taud_store *store, struct taud_codec *codec,
                                        const struct taud_segment_facts *facts,
                                        struct taud_segment_writer **ret_writer,
                                        struct taud_error *error);

// Adds a chunk, copied; the summary is its own. Identities ascend, and of one series each chunk
// begins behind the last timestamp of the one before. Returns as above, and INVALID_ARGUMENT for a
// chunk that does not belong there, after which the writer goes on.
enum tau_status taud_segment_writer_add(struct taud_segment_writer *writer, uint64_t identity,
                                        const struct taud_chunk_summary *summary, const void *chunk,
                                        size_t size, struct taud_error *error);

// About the size that it would have if it were finished now.
uint64_t taud_segment_writer_size(const struct taud_segment_writer *writer);
// Bytes of memory that it takes, without the codec.
uint64_t taud_segment_writer_memory(const struct taud_segment_writer *writer);

// Writes index and footer; the segment has its name and is durable on return. Of one that failed
// nothing is left.
enum tau_status taud_segment_writer_finish(struct taud_segment_writer *writer,
                                           struct taud_segment_facts *ret_facts,
                                           struct taud_error *error);
void taud_segment_writer_abandon(struct taud_segment_writer *writer); // accepts NULL

// --- reading ----------------------------------------------------------------------------------

// An open segment. Nothing here changes until the last reference is released; the columns are for
// whoever looks through all of it, as the summaries are. Chunks are numbered in their order.
struct taud_segment {
    struct taud_segment_facts facts;
    bool rebuilt;      // of the chunks alone: its index or its footer is damaged
    bool head_damaged; // while its footer is good, and says the same

    struct taud_store store;
    struct taud_object *object;
    uint64_t owner; // its number in the cache
    _Atomic uint64_t references;
    // Of the storage thread: bytes of chunks that nobody can see any more; whether a chunk turned
    // out to be damaged, so that all stays as it is; whether it is being compacted.
    uint64_t garbage;
    bool spoiled, busy;

    void *columns; // what follows
    uint64_t columns_bytes;
    uint64_t *identities;      // of each series, ascending
    uint32_t *first_chunks;    // of each series, and the number of all chunks behind the last
    int64_t *first_timestamps; // of each chunk
    int64_t *last_timestamps;
    uint32_t *offsets; // of the records, from that of their block
    uint16_t *sizes;   // of the records

    uint32_t block_count;    // of the index, TAUD_COLUMN_MAX chunks each but for the last
    uint64_t *block_offsets; // of the first record of each
    uint64_t *block_starts;  // where each block is in `index`, and one more
    uint8_t *index;          // as it is stored
    uint64_t index_bytes;
};

// What is wrong with a segment that cannot be opened.
enum taud_segment_fault {
    TAUD_SEGMENT_NO_FAULT, // it could not be read: the status says why
    TAUD_SEGMENT_MISSING,
    TAUD_SEGMENT_DAMAGED_INDEX, // taud_segment_rebuild opens it
    TAUD_SEGMENT_DAMAGED,       // header and footer are: nothing in it can be told to be good
    TAUD_SEGMENT_FUTURE,        // of a later format; it was not touched
};

// Opens a segment: reads and checks its index. The codec is used during the call. Returns SUCCESS,
// with one reference, NO_MEMORY, INTERNAL_ERROR; *ret_fault says more about the last.
enum tau_status taud_segment_open(const struct taud_store *store, struct taud_codec *codec,
                                  struct taud_segment_name name, struct taud_segment **ret_segment,
                                  enum taud_segment_fault *ret_fault, struct taud_error *error);

void taud_segment_retain(struct taud_segment *segment);
void taud_segment_release(struct taud_segment *segment); // accepts NULL

// Bytes of memory that it takes.
uint64_t taud_segment_memory(const struct taud_segment *segment);

// Some chunks that follow each other.
struct taud_chunk_run {
    uint32_t first;
    uint32_t count;
};

// The chunks of a series that reach into `from` to `to`, both included; in a gap of its own a chunk
// need not have a point there.
struct taud_chunk_run taud_segment_find(const struct taud_segment *segment, uint64_t identity,
                                        int64_t from, int64_t to);
// The same of one timestamp, which at most one chunk reaches to. Returns false where none does.
bool taud_segment_find_chunk(const struct taud_segment *segment, uint64_t identity,
                             int64_t timestamp, uint32_t *ret_chunk);

// All chunks of the series that is number `series` in the segment.
static inline struct taud_chunk_run taud_segment_series(const struct taud_segment *segment,
                                                        uint32_t series)
{
    uint32_t first = segment->first_chunks[series];
    return (struct taud_chunk_run){first, segment->first_chunks[series + 1] - first};
}

// Where the record of a chunk begins in the object.
static inline uint64_t taud_segment_offset(const struct taud_segment *segment, uint32_t chunk)
{
    return segment->block_offsets[chunk / TAUD_COLUMN_MAX] + segment->offsets[chunk];
}

// The summaries of the chunks from block * TAUD_COLUMN_MAX on. Returns how many.
uint32_t taud_segment_summaries(const struct taud_segment *segment, struct taud_codec *codec,
                                uint32_t block, struct taud_chunk_columns *ret_columns);

// The same, decoded once for all who ask while the cache has them; unless they are `kept` the cache
// is only looked into. Released as a block of the cache. Returns SUCCESS, NO_MEMORY,
// INTERNAL_ERROR.
enum tau_status taud_segment_hold_summaries(const struct taud_segment *segment,
                                            struct taud_codec *codec, uint32_t block, bool kept,
                                            struct taud_cache_block **ret_held);

static inline const struct taud_chunk_columns *
taud_segment_held_columns(const struct taud_cache_block *held)
{
    return (const struct taud_chunk_columns *)(const void *)held->data;
}

// The bytes of a chunk, held until they are given back, whatever becomes of the segment.
struct taud_chunk_bytes {
    const uint8_t *data;
    size_t size;
    struct taud_cache_block *block;
};

// Reads a chunk of a series and checks it: whatever came from the backend is checked once. Returns
// SUCCESS, NO_MEMORY, INTERNAL_ERROR; *ret_damaged then says whether this chunk is damaged, which
// says nothing of others.
enum tau_status taud_segment_read(struct taud_segment *segment, uint64_t identity, uint32_t chunk,
                                  struct taud_chunk_bytes *ret_bytes, bool *ret_damaged,
                                  struct taud_error *error);
void taud_segment_give_back(const struct taud_store *store, const struct taud_chunk_bytes *bytes);

// The same in steps, for whoever reads several chunks and does each step for all of them, so that
// memory is waited for once: two that bring near, then one that takes what the cache has, NULL
// where that is nothing, and brings the chunk near; then the reading, which takes the block over.
void taud_segment_prefetch(const struct taud_segment *segment, uint32_t chunk, bool block);
struct taud_cache_block *taud_segment_hold(const struct taud_segment *segment, uint32_t chunk);
enum tau_status taud_segment_read_held(struct taud_segment *segment, uint64_t identity,
                                       uint32_t chunk, struct taud_cache_block *held,
                                       struct taud_chunk_bytes *ret_bytes, bool *ret_damaged,
                                       struct taud_error *error);

// --- what is left of a damaged one ------------------------------------------------------------

struct taud_segment_scan {
    uint64_t chunk_count;   // that are good
    uint64_t damaged_count; // places that are not
    uint64_t damaged_bytes; // their sizes; index and footer are not meant
};

// Opens a segment by its chunks alone, without its index; the object stays as it is. Returns as
// taud_segment_open.
enum tau_status taud_segment_rebuild(const struct taud_store *store, struct taud_codec *codec,
                                     struct taud_segment_name name,
                                     struct taud_segment **ret_segment,
                                     struct taud_segment_scan *ret_scan,
                                     enum taud_segment_fault *ret_fault, struct taud_error *error);

#endif
