// SPDX-License-Identifier: MIT
// The records of the log, as FORMAT.md describes them. Encoders write into room that was asked for
// with the size functions; the decoder checks everything and trusts nothing.
#ifndef TAUD_ENGINE_RECORD_H
#define TAUD_ENGINE_RECORD_H

#include "bytes.h"

#include <stdbool.h>

#include <tau/protocol.h>

enum taud_record_type {
    TAUD_RECORD_POINTS = 1,
    TAUD_RECORD_COLUMNS = 2,
    TAUD_RECORD_CREATE_SERIES = 3,
    TAUD_RECORD_DROP_SERIES = 4,
    TAUD_RECORD_CREATE_LENS = 5,
    TAUD_RECORD_DROP_LENS = 6,
    TAUD_RECORD_CHUNKS = 7,
    TAUD_RECORD_DELETE_RANGE = 8,
    TAUD_RECORD_POLICY = 9,
    TAUD_RECORD_NEWEST = 10, // of the catalog's objects, and in the log in front of a deletion
    TAUD_RECORD_CREATE_ROLLUP = 11,
    TAUD_RECORD_DROP_ROLLUP = 12,
    TAUD_RECORD_ROLLUP_PROGRESS = 13, // of the catalog's objects alone
    TAUD_RECORD_TYPE_LAST = TAUD_RECORD_ROLLUP_PROGRESS,
};

enum taud_columns_mode {
    TAUD_COLUMNS_PLAIN = 0,
    TAUD_COLUMNS_STEP = 1, // timestamps are first + i * step
};

// Where the points of chunks stood when they were written; what a reader does with them does not
// depend on it.
enum taud_chunks_mode {
    TAUD_CHUNKS_IN_ORDER = 0,
    TAUD_CHUNKS_LATE = 1,
};

enum {
    TAUD_RECORD_HEADER_BYTES = 8,
    TAUD_RECORD_POINT_BYTES = 24,
    TAUD_RECORD_CREATE_SERIES_BYTES = 8 + 8 + 32,
    TAUD_RECORD_DROP_SERIES_BYTES = 8 + 8,
    TAUD_RECORD_CREATE_LENS_BYTES = 8 + 32 + 32 + 16,
    TAUD_RECORD_DROP_LENS_BYTES = 8 + 32,
    TAUD_RECORD_CHUNKS_HEADER_BYTES = 8 + 8, // then for each chunk its size and its bytes
    TAUD_RECORD_DELETE_RANGE_BYTES = 8 + 8 + 8 + 8,
    TAUD_RECORD_POLICY_BYTES = 8 + 8 + 8,
    TAUD_RECORD_NEWEST_BYTES = 8 + 8 + 8,
    TAUD_DELETION_BYTES = TAUD_RECORD_NEWEST_BYTES + TAUD_RECORD_DELETE_RANGE_BYTES,
    TAUD_RECORD_CREATE_ROLLUP_BYTES = 8 + 5 * 8,
    TAUD_RECORD_DROP_ROLLUP_BYTES = 8 + 8,
    TAUD_RECORD_ROLLUP_PROGRESS_BYTES = 8 + 4 * 8,
    TAUD_RECORD_ORDER_MAX = 6, // of the order policies that this version knows
    TAUD_RECORD_FUNCTION_MAX = 12, // of the functions of a rollup, likewise
};

enum taud_progress_mode {
    TAUD_PROGRESS_SETTLED = 0,
    TAUD_PROGRESS_AGAIN = 1, // a range is to be computed again
};

static inline void taud_record_header(uint8_t *out, enum taud_record_type type, unsigned mode,
                                      uint32_t count)
{
    memset(out, 0, 4);
    out[0] = (uint8_t)type;
    out[1] = (uint8_t)mode;
    taud_store_u32(out + 4, count);
}

static inline size_t taud_record_columns_bytes(enum taud_columns_mode mode, size_t count)
{
    return 8 + 8 + (mode == TAUD_COLUMNS_STEP ? 16 : count * 8) + count * 8;
}

// Of a record of chunks, whose bytes with their sizes are `chunks_size`: up to the next multiple of
// 8.
static inline size_t taud_record_chunks_bytes(size_t chunks_size)
{
    return TAUD_RECORD_CHUNKS_HEADER_BYTES + (chunks_size + 7) / 8 * 8;
}

static inline void taud_record_delete_range(uint8_t out[TAUD_RECORD_DELETE_RANGE_BYTES],
                                            uint64_t identity, int64_t from, int64_t to)
{
    taud_record_header(out, TAUD_RECORD_DELETE_RANGE, 0, 0);
    taud_store_u64(out + 8, identity);
    taud_store_u64(out + 16, (uint64_t)from);
    taud_store_u64(out + 24, (uint64_t)to);
}

static inline void taud_record_policy(uint8_t out[TAUD_RECORD_POLICY_BYTES], uint64_t identity,
                                      unsigned order, uint64_t retention)
{
    taud_record_header(out, TAUD_RECORD_POLICY, order, 0);
    taud_store_u64(out + 8, identity);
    taud_store_u64(out + 16, retention);
}

// The newest timestamp that a series ever had, where its points do not tell it any more.
static inline void taud_record_newest(uint8_t out[TAUD_RECORD_NEWEST_BYTES], uint64_t identity,
                                      int64_t timestamp)
{
    taud_record_header(out, TAUD_RECORD_NEWEST, 0, 0);
    taud_store_u64(out + 8, identity);
    taud_store_u64(out + 16, (uint64_t)timestamp);
}

// A rule that keeps a target up to date, as the record says it.
struct taud_record_rollup {
    uint64_t target, source; // identities
    uint64_t width;
    int64_t origin;
    double parameter;
    uint8_t function;
};

static inline void taud_record_create_rollup(uint8_t out[TAUD_RECORD_CREATE_ROLLUP_BYTES],
                                             const struct taud_record_rollup *rollup)
{
    uint64_t bits;
    memcpy(&bits, &rollup->parameter, sizeof bits);
    taud_record_header(out, TAUD_RECORD_CREATE_ROLLUP, rollup->function, 0);
    taud_store_u64(out + 8, rollup->target);
    taud_store_u64(out + 16, rollup->source);
    taud_store_u64(out + 24, rollup->width);
    taud_store_u64(out + 32, (uint64_t)rollup->origin);
    taud_store_u64(out + 40, bits);
}

static inline void taud_record_drop_rollup(uint8_t out[TAUD_RECORD_DROP_ROLLUP_BYTES],
                                           uint64_t target)
{
    taud_record_header(out, TAUD_RECORD_DROP_ROLLUP, 0, 0);
    taud_store_u64(out + 8, target);
}

// How far the rule of a target was: buckets before `covered` were computed; those that reach into
// from..to, when from <= to, are to be computed again.
static inline void
taud_record_rollup_progress(uint8_t out[TAUD_RECORD_ROLLUP_PROGRESS_BYTES], uint64_t target,
                            int64_t covered, int64_t from, int64_t to)
{
    bool again = from <= to;
    taud_record_header(out, TAUD_RECORD_ROLLUP_PROGRESS,
                       again ? TAUD_PROGRESS_AGAIN : TAUD_PROGRESS_SETTLED, 0);
    taud_store_u64(out + 8, target);
    taud_store_u64(out + 16, (uint64_t)covered);
    taud_store_u64(out + 24, again ? (uint64_t)from : 0);
    taud_store_u64(out + 32, again ? (uint64_t)to : 0);
}

static inline void taud_record_point(uint8_t out[24], uint64_t identity, int64_t timestamp,
                                     double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    taud_store_u64(out, identity);
    taud_store_u64(out + 8, (uint64_t)timestamp);
    taud_store_u64(out + 16, bits);
}

// A record that was read. What its type does not have is zero.
struct taud_record {
    enum taud_record_type type;
    uint8_t mode; // of columns, chunks or progress; POLICY: the order policy
    uint32_t count;
    uint64_t identity;
    struct tau_label label;
    struct tau_label source;
    uint8_t transforms[TAU_LIMIT_LENS_TRANSFORMS];
    const uint8_t *points; // POINTS: count times 24 bytes
    const uint8_t *timestamps; // COLUMNS: count words, or first and step
    const uint8_t *values;     // COLUMNS: count words
    const uint8_t *chunks;     // CHUNKS: count times u32 size and as many bytes
    int64_t from, to;          // DELETE_RANGE, ROLLUP_PROGRESS of mode 1
    uint64_t retention;        // POLICY
    int64_t newest;            // NEWEST
    int64_t covered;           // ROLLUP_PROGRESS, whose identity is the target's
    struct taud_record_rollup rollup; // CREATE_ROLLUP; DROP_ROLLUP: its target alone
};

// Takes the next record from *data, and moves *data and *size behind it. Returns false when there
// is none that is well formed; *data is unchanged then.
bool taud_record_decode(const uint8_t **data, size_t *size, struct taud_record *ret);

// Takes the next chunk of a record of chunks; what is in it is not looked at. `at` is
// record->chunks at first, and this is called no more than record->count times.
static inline const uint8_t *taud_record_next_chunk(const uint8_t **at, size_t *ret_size)
{
    const uint8_t *bytes = *at + 4;
    *ret_size = taud_load_u32(*at);
    *at = bytes + *ret_size;
    return bytes;
}

#endif
