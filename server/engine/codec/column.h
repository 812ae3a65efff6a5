// SPDX-License-Identifier: MIT
// Columns of 64-bit integers, of timestamps as of values that were made integers: as they are or as
// differences, divided by what divides them all, taken from a base, packed to one width; what is
// too far from the base stands behind as patches. Or squeezed by zstd instead of packed.
#ifndef TAUD_ENGINE_CODEC_COLUMN_H
#define TAUD_ENGINE_CODEC_COLUMN_H

#include "codec.h"

enum { CODEC_PATCHES_MAX = 255, CODEC_POSITION_BITS = 10 };

// How a column is stored. Item i is offset + divisor * y[i]; y[i] itself (order 0), or y[i] - y[i -
// 1] (order 1), is base + what is packed. In order 1 start stands for y[-1], and is chosen so that
// nothing but 0 is packed for y[0]; where sums are narrow, they are made modulo 2^32 as signed
// distances from start. All else is modulo 2^64.
struct codec_column {
    uint8_t order;
    bool narrow_sums;
    bool squeezed;
    uint8_t width;
    uint8_t patch_width;
    uint8_t low_width; // of the bits that are packed while those above are squeezed
    uint16_t patch_count;
    uint16_t count;
    uint16_t squeezed_bytes;
    uint64_t base;
    uint64_t start;
    uint64_t divisor; // 1 where there is none
    uint64_t offset;
    size_t bytes; // of all
    const uint8_t *body;
    const uint8_t *patches; // strings of bits: position, distance from the base in zigzag
};

enum {
    // Room for any column: its description, 1,024 items of 64 bits, and as many patches as pay.
    CODEC_COLUMN_BYTES_MAX = CODEC_BYTES + 128,
};

// Finds a good way to store `count` items, 1 to 1,024, and writes them to `out`, which has room for
// CODEC_COLUMN_BYTES_MAX. Returns the size. `divides` lets it look for a common divisor; the items
// are changed where there is one.
size_t codec_column_encode(struct taud_codec *codec, uint64_t *items, size_t count, bool divides,
                           enum taud_codec_effort effort, uint8_t *out);

// The same in steps, for items that are packed as they are: their extremes are known, or for order
// 1, of sums that are narrow, those of their differences. What is written is ret->bytes, a head and
// what codec_pack makes of the distances from the base.
void codec_column_plan_plain(size_t count, uint8_t order, uint64_t first, int64_t low, int64_t high,
                             struct codec_column *ret);
uint8_t *codec_column_write_head(const struct codec_column *column, uint8_t *out);

// The width of what lies between two numbers.
static inline uint8_t codec_range_width(int64_t low, int64_t high)
{
    return (uint8_t)codec_bits((uint64_t)high - (uint64_t)low);
}

// Reads the description of a column of `count` items. Fails in the cursor.
bool codec_column_open(struct codec_cursor *cursor, size_t count, struct codec_column *ret);

// All items; `out` has room for whole rows. Fails where what is squeezed or patched is damaged.
bool codec_column_read(struct taud_codec *codec, const struct codec_column *column, uint64_t *out);

// Whether items can be had as 32-bit distances from one number; and those of items `from` to `to` -
// 1 at their places, in codec->narrow or codec->sums. Patches of order 0 are left to the caller.
// NULL where patches are damaged.
bool codec_column_liftable(const struct codec_column *column);
const uint32_t *codec_column_lift(struct taud_codec *codec, const struct codec_column *column,
                                  size_t from, size_t to, int64_t *ret_start);

// How far from each other two items may be, by what is said of the column before them; UINT64_MAX
// where that says nothing.
uint64_t codec_column_spread(const struct codec_column *column);

// The moments of all items, taken from *ret_origin; the spread is less than CODEC_MOMENT_LIMIT.
// False where patches are damaged.
bool codec_column_moments(struct taud_codec *codec, const struct codec_column *column,
                          int64_t *ret_origin, struct codec_moments *ret);

// One item, without the others: by its place, or by the sum of the differences up to it. False
// where it cannot be had so, or where patches are damaged.
bool codec_column_at(struct taud_codec *codec, const struct codec_column *column, size_t index,
                     uint64_t *ret);

// Whether it is a sum in a column whose description begins with this byte.
bool codec_column_is_summed(uint8_t flags);

// Where items lead as steps: out[0] = first, out[i] = out[i - 1] + item i. Item 0 is passed over.
// False where the column is damaged.
bool codec_column_walk(struct taud_codec *codec, const struct codec_column *column, uint64_t first,
                       uint64_t *out);

// Whether the description alone says that each step leads up, and all of them together no further
// than `room`. Then the first place that is at least `distance`, from 1, beyond out[0] is found
// without walking: its index and its distance; `count` and 0 where there is none.
bool codec_column_climbs(const struct codec_column *column, uint64_t room);
uint32_t codec_column_reach(struct taud_codec *codec, const struct codec_column *column,
                            uint64_t distance, uint64_t *ret_distance);

// Patch i: its place among what is packed, and the number that stands there.
static inline uint32_t codec_patch(const struct codec_column *column, size_t i, uint64_t *ret)
{
    unsigned bits = CODEC_POSITION_BITS + column->patch_width;
    uint64_t position = codec_get_bits(column->patches, i * bits, CODEC_POSITION_BITS);
    uint64_t distance =
        codec_get_bits(column->patches, i * bits + CODEC_POSITION_BITS, column->patch_width);
    *ret = column->base + codec_unzigzag(distance);
    return (uint32_t)position;
}

// The same for all of them in a row. `*next` is 0 at first and the place behind the patch then;
// false where places do not ascend, or lead out of the column.
static inline bool codec_next_patch(const struct codec_column *column, size_t i, size_t *next,
                                    uint64_t *ret)
{
    size_t position = codec_patch(column, i, ret);
    if (position < *next || position >= column->count)
        return false;
    *next = position + 1;
    return true;
}

#endif
