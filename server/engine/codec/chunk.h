// SPDX-License-Identifier: MIT
// Chunks: 1 to 1,024 points of one series as few bytes, laid out as FORMAT.md says. This is the
// only header of the room that others include. It knows no files and no series.
//
// Values come back bit for bit. What is read is trusted in nothing: any bytes may be given to
// taud_chunk_open, which takes them or does not; what passes there and is damaged all the same
// makes a call return false, or gives other points, but never harms. Whether the bytes are those
// that were written is for taud_chunk_intact to say.
#ifndef TAUD_ENGINE_CODEC_CHUNK_H
#define TAUD_ENGINE_CODEC_CHUNK_H

#include "../allocator.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TAUD_CHUNK_POINTS_MAX = 1024,
    TAUD_CHUNK_HEADER_BYTES = 18,
    // No chunk is larger: at worst both columns stand as they are.
    TAUD_CHUNK_BYTES_MAX = TAUD_CHUNK_HEADER_BYTES + TAUD_CHUNK_POINTS_MAX * 16,
};

// The sets of instructions that there are kernels for. All give equal bytes and equal results.
enum taud_codec_variant { TAUD_CODEC_BASELINE, TAUD_CODEC_AVX2, TAUD_CODEC_AVX512 };
enum { TAUD_CODEC_VARIANTS = 3 };

// Working memory for one thread at a time, some 400 KiB of which little is touched before BEST, and
// the kernels that it uses.
struct taud_codec;

// With the best variant that the processor has. NULL when there is no memory.
struct taud_codec *taud_codec_new(const struct taud_allocator *allocator);
void taud_codec_free(struct taud_codec *codec);

// False when the processor does not have it; nothing is changed then.
bool taud_codec_use(struct taud_codec *codec, enum taud_codec_variant variant);
const char *taud_codec_variant_name(const struct taud_codec *codec);

// --- writing -------------------------------------------------------------------------------------

enum taud_codec_effort {
    TAUD_EFFORT_FAST,     // what can be found at the speed of ingest
    TAUD_EFFORT_THOROUGH, // every scheme of our own
    TAUD_EFFORT_BEST,     // zstd as well, where it makes a chunk smaller by an eighth
};

// What was good for the last chunk of a series, tried first for the next. Zero at first. It decides
// about size and speed alone. Any bytes are a valid hint.
struct taud_chunk_hint {
    uint8_t scheme;
    uint8_t exponent;
    uint8_t factor;
    uint8_t bits;
    uint8_t age;
};

// Of the values, NaN count for nothing but first and last; `number_count` says how many others
// there are. Without any, low and high are NaN and the sum is 0. The sum is made in eight lanes,
// value i in lane i % 8, joined as ((0 + 4) + (2 + 6)) + ((1 + 5) + (3 + 7)).
struct taud_chunk_summary {
    uint32_t count;
    uint32_t number_count;
    int64_t first_timestamp;
    int64_t last_timestamp;
    double first;
    double last;
    double low;
    double high;
    double sum;
};

// Writes `count` points, 1 to 1,024, timestamps strictly ascending, to `out`, which has room for
// TAUD_CHUNK_BYTES_MAX. `hint` and `ret` may be NULL. Returns the size; cannot fail.
size_t taud_chunk_encode(struct taud_codec *codec, const int64_t *timestamps, const double *values,
                         uint32_t count, enum taud_codec_effort effort,
                         struct taud_chunk_hint *hint, uint8_t *out,
                         struct taud_chunk_summary *ret);

// The same summary without encoding.
void taud_chunk_summarise(struct taud_codec *codec, const int64_t *timestamps, const double *values,
                          uint32_t count, struct taud_chunk_summary *ret);

// --- reading -------------------------------------------------------------------------------------

// A view of a chunk's bytes, which have to stay as long as it is used.
struct taud_chunk {
    const uint8_t *timestamps; // the section of the column, `timestamps_size` bytes
    const uint8_t *values;
    uint32_t timestamps_size;
    uint32_t values_size;
    uint32_t count;
    uint8_t timestamps_scheme;
    uint8_t values_scheme;
    int64_t first_timestamp;
};

// Whether the checksum holds.
bool taud_chunk_intact(const uint8_t *bytes, size_t size);

// Looks at the header and the size of both columns; not at the checksum.
bool taud_chunk_open(const uint8_t *bytes, size_t size, struct taud_chunk *ret);

// Brings near what finding a timestamp and its value will look at: `share`, from 0 to 1, says how
// far into the chunk that is if all is even.
void taud_chunk_prefetch(const uint8_t *bytes, size_t size, double share);

// Timestamps or values `from` to `to` - 1, where from < to <= count. False when they are damaged;
// `out` holds anything then.
bool taud_chunk_timestamps(struct taud_codec *codec, const struct taud_chunk *chunk, uint32_t from,
                           uint32_t to, int64_t *out);
bool taud_chunk_values(struct taud_codec *codec, const struct taud_chunk *chunk, uint32_t from,
                       uint32_t to, double *out);

// Whether each of the timestamps is later than the one before it.
bool taud_codec_ascending(const struct taud_codec *codec, const int64_t *timestamps, size_t count);

// Whether each timestamp is as far from the one before as any other, without a look at them: then
// the step, which is 0 where there is one point. None of them leaves the range of timestamps.
bool taud_chunk_is_even(const struct taud_chunk *chunk, uint64_t *ret_step);

// The index of the first point at or after `timestamp`, and its timestamp; `count` and 0 where
// there is none. Even steps and runs of steps are not decoded for it, and packed steps mostly no
// further than to that point.
bool taud_chunk_find(struct taud_codec *codec, const struct taud_chunk *chunk, int64_t timestamp,
                     uint32_t *ret_index, int64_t *ret_timestamp);

// One value; decoded alone where the scheme stores items by their place.
bool taud_chunk_value_at(struct taud_codec *codec, const struct taud_chunk *chunk, uint32_t index,
                         double *ret);

// The value at exactly this timestamp; *ret_found says whether there is one. For whoever wants one
// point of a chunk: of the columns only what is needed is looked at, so damage may stay unseen
// elsewhere. Returns false where what is needed is damaged.
bool taud_chunk_point(struct taud_codec *codec, const uint8_t *bytes, size_t size,
                      int64_t timestamp, bool *ret_found, double *ret);

// What an aggregate computes. Each includes those before it.
enum taud_chunk_wanted {
    TAUD_WANT_SUM,      // count of numbers, and their sum
    TAUD_WANT_EXTREMES, // low, high
};

// Of the values that are no NaN. What was not asked for is 0; without numbers low and high are NaN.
struct taud_chunk_aggregate {
    uint32_t number_count;
    double sum;
    double low;
    double high;
};

// Over values `from` to `to` - 1, in lanes of the index in the chunk, so that over the whole chunk
// it equals the summary bit for bit.
bool taud_chunk_aggregate(struct taud_codec *codec, const struct taud_chunk *chunk, uint32_t from,
                          uint32_t to, enum taud_chunk_wanted wanted,
                          struct taud_chunk_aggregate *ret);

// Points `from` to `to` - 1 of a chunk, where from < to, and what is known of them.
struct taud_chunk_part {
    uint32_t from, to;
    struct taud_chunk_summary summary;
    // The sum of the squares of the distances of the values from their mean: of decimals within
    // 2^-31 of itself; of others as well as a second pass over doubles tells it.
    double deviation;
};

// What is to be known of a part beside its count, sum, first and last value; bits.
enum taud_chunk_fold {
    TAUD_FOLD_EXTREMES = 1 << 0,  // low, high
    TAUD_FOLD_DEVIATION = 1 << 1, // NaN where one of the values is
};

// Folds ascending parts of one chunk, whose values are unpacked once, and not written out where the
// scheme allows that. The sums of a part are made as taud_chunk_aggregate makes those of a chunk
// with these values. Of the summaries all is set but the timestamps; what was not asked for is NaN.
bool taud_chunk_fold(struct taud_codec *codec, const struct taud_chunk *chunk, unsigned wanted,
                     struct taud_chunk_part *parts, uint32_t part_count);

// The deviation of all values of a chunk, around their mean where it takes one, which is given as
// well as it is known: its own error is taken out again.
bool taud_chunk_deviation(struct taud_codec *codec, const struct taud_chunk *chunk, double mean,
                          double *ret);

#endif
