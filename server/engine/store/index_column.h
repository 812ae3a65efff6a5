// SPDX-License-Identifier: MIT
// Columns of up to 1,024 numbers in few bytes, for the index of a segment: integers as what is over
// a base, divided and packed to the fewest bits, of themselves or of their steps; values as a
// chunk.
#ifndef TAUD_ENGINE_STORE_INDEX_COLUMN_H
#define TAUD_ENGINE_STORE_INDEX_COLUMN_H

#include "../codec/chunk.h"
#include "../codec/cursor.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TAUD_COLUMN_MAX = TAUD_CHUNK_POINTS_MAX,
    TAUD_INTEGERS_BYTES_MAX = TAUD_COLUMN_MAX * 8 + 32, // that such a column of any numbers takes
    TAUD_VALUES_BYTES_MAX = TAUD_CHUNK_BYTES_MAX + 4,
};

// Writes `count` numbers, 1 to TAUD_COLUMN_MAX, where there is room for the longest column. Returns
// how many bytes.
size_t taud_column_put_integers(const uint64_t *values, size_t count, uint8_t *out);
size_t taud_column_put_values(struct taud_codec *codec, const double *values, uint32_t count,
                              uint8_t *out);

// Reads them back, bit for bit. Returns false where that is no such column.
bool taud_column_take_integers(struct codec_cursor *cursor, size_t count, uint64_t *ret_values);
bool taud_column_take_values(struct taud_codec *codec, struct codec_cursor *cursor, uint32_t count,
                             double *ret_values);

#endif
