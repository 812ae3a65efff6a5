// SPDX-License-Identifier: MIT
// The mutator of the log target: it knows the records of FORMAT.md, and lets them speak of the same
// few series and lenses. See log_fuzz.c for how an input is laid out.

#include <string.h>

#include "dice.h"
#include "engine/codec/chunk.h"
#include "engine/crc32c.h"
#include "engine/record.h"
#include "fuzz.h"

#ifndef FUZZ_RECORD_TYPES
#define FUZZ_RECORD_TYPES UINT32_MAX // a bit for each that is made
#define FUZZ_SPOILED_IN 1            // the lies among so many that are thought of
#endif

enum { GROUPS_MAX = 32, SIZE_BYTES = 2, PLAIN_IN = 8, GROUP_MAX = 1024, COUNT_MAX = 6 };

static void draw_label(struct dice *dice, uint8_t to[32])
{
    static const char *const labels[] = {"a", "b", "c", ""};
    memset(to, 0, 32);
    memcpy(to, labels[dice_below(dice, 4)], 1);
}

static uint64_t draw_number(struct dice *dice)
{
    switch (dice_below(dice, 6)) {
    case 0:
        return dice_next(dice);
    case 1:
        return (uint64_t)INT64_MAX + dice_below(dice, 3) - 1;
    default:
        return dice_below(dice, 8);
    }
}

static size_t draw_words(struct dice *dice, uint8_t *to, size_t count)
{
    for (size_t i = 0; i < count; i++)
        taud_store_u64(to + i * 8, draw_number(dice));
    return count * 8;
}

// Writes a chunk whose columns stand as they are; once in a while its checksum, or the order of its
// timestamps, is wrong. Returns its size.
static size_t draw_chunk(struct dice *dice, uint8_t *to, uint64_t first)
{
    enum { TIMESTAMPS_RAW = 3, VALUES_RAW = 0 };
    size_t count = 1 + dice_below(dice, COUNT_MAX), size = TAUD_CHUNK_HEADER_BYTES;
    memset(to, 0, size);
    to[4] = (uint8_t)(count - 1);
    to[6] = TIMESTAMPS_RAW;
    to[7] = VALUES_RAW;
    to[8] = (uint8_t)((count - 1) * 8);
    taud_store_u64(to + 10, first);
    for (size_t i = 1; i < count; i++, size += 8) {
        first += dice_once_in(dice, 20) ? draw_number(dice) : 1 + dice_below(dice, 3);
        taud_store_u64(to + size, first);
    }
    size += draw_words(dice, to + size, count);
    uint32_t crc = taud_crc32c(0, to + 4, size - 4);
    taud_store_u32(to, dice_once_in(dice, 20) ? ~crc : crc);
    return size;
}

static size_t draw_chunks(struct dice *dice, uint8_t *to, uint32_t count)
{
    size_t size = draw_words(dice, to, 1);
    for (uint32_t i = 0; i < count; i++) {
        size_t chunk = draw_chunk(dice, to + size + 4, draw_number(dice));
        taud_store_u32(to + size, (uint32_t)chunk);
        size += 4 + chunk;
    }
    while (size % 8 != 0)
        to[size++] = 0;
    return size;
}

// A rule as there may be one, mostly.
static size_t draw_rollup(struct dice *dice, uint8_t *to)
{
    uint8_t words[5 * 8];
    draw_words(dice, words, 5);
    struct taud_record_rollup rollup = {
        .target = taud_load_u64(words),
        .source = taud_load_u64(words + 8),
        .width = taud_load_u64(words + 16),
        .origin = (int64_t)taud_load_u64(words + 24),
        .parameter = dice_below(dice, 8) ? 0.5 : -1,
        .function = (uint8_t)dice_below(dice, TAUD_RECORD_FUNCTION_MAX + 1),
    };
    taud_record_create_rollup(to, &rollup);
    return TAUD_RECORD_CREATE_ROLLUP_BYTES;
}

static size_t draw_lens(struct dice *dice, uint8_t *to, uint32_t count)
{
    draw_label(dice, to);
    draw_label(dice, to + 32);
    memset(to + 64, 0, 16);
    for (uint32_t i = 0; i < count; i++)
        to[64 + i] = (uint8_t)dice_below(dice, 9);
    return 80;
}

// How far a rule is, or that it is as far as it can be.
static size_t draw_progress(struct dice *dice, uint8_t *to, unsigned mode)
{
    size_t size = draw_words(dice, to, 4);
    if (mode == TAUD_PROGRESS_SETTLED)
        memset(to + size - 16, 0, 16);
    return size;
}

// Writes what stands behind the header of a record. Returns its size, and what the header says.
static size_t draw_content(struct dice *dice, enum taud_record_type type, uint8_t *to,
                           unsigned *ret_mode, uint32_t *ret_count)
{
    uint32_t count = 1 + (uint32_t)dice_below(dice, COUNT_MAX);
    *ret_mode = *ret_count = 0;
    switch (type) {
    case TAUD_RECORD_POINTS:
        *ret_count = count;
        return draw_words(dice, to, (size_t)count * 3);
    case TAUD_RECORD_COLUMNS:
        *ret_mode = (unsigned)dice_below(dice, 2);
        *ret_count = count;
        return draw_words(dice, to, 1 + (*ret_mode == TAUD_COLUMNS_STEP ? 2 : count) + count);
    case TAUD_RECORD_CREATE_SERIES:
        draw_label(dice, to + draw_words(dice, to, 1));
        return 8 + 32;
    case TAUD_RECORD_CREATE_LENS:
        *ret_count = count;
        return draw_lens(dice, to, count);
    case TAUD_RECORD_DROP_LENS:
        draw_label(dice, to);
        return 32;
    case TAUD_RECORD_CHUNKS:
        *ret_mode = (unsigned)dice_below(dice, 2);
        *ret_count = (count + 1) / 2;
        return draw_chunks(dice, to, *ret_count);
    case TAUD_RECORD_POLICY:
        *ret_mode = (unsigned)dice_below(dice, TAUD_RECORD_ORDER_MAX + 1);
        return draw_words(dice, to, 2);
    case TAUD_RECORD_ROLLUP_PROGRESS:
        *ret_mode = (unsigned)dice_below(dice, 2);
        return draw_progress(dice, to, *ret_mode);
    case TAUD_RECORD_DELETE_RANGE:
        return draw_words(dice, to, 3);
    case TAUD_RECORD_NEWEST:
        return draw_words(dice, to, 2);
    case TAUD_RECORD_DROP_SERIES:
    case TAUD_RECORD_DROP_ROLLUP:
        return draw_words(dice, to, 1);
    case TAUD_RECORD_CREATE_ROLLUP:
        break; // has its own way
    }
    return 0;
}

// Writes a record. Returns its size, at most GROUP_MAX.
static size_t draw_record(struct dice *dice, uint8_t *to)
{
    enum taud_record_type type;
    unsigned mode;
    uint32_t count;
    do
        type = (enum taud_record_type)(1 + dice_below(dice, TAUD_RECORD_TYPE_LAST));
    while ((FUZZ_RECORD_TYPES >> type & 1) == 0);
    if (type == TAUD_RECORD_CREATE_ROLLUP)
        return draw_rollup(dice, to);
    size_t size = draw_content(dice, type, to + TAUD_RECORD_HEADER_BYTES, &mode, &count);
    taud_record_header(to, type, mode, count);
    return TAUD_RECORD_HEADER_BYTES + size;
}

// Lies in the header of a record: a type, mode or count that nobody wrote, or that is too large for
// it.
static void spoil_record(struct dice *dice, uint8_t *record)
{
    static const uint32_t counts[] = {0,          1,          16,         17,         0x0FFFFFFF,
                                      0x10000000, 0x15555555, 0x20000000, 0x80000000, UINT32_MAX};
    switch (dice_below(dice, 4)) {
    case 0:
        record[dice_below(dice, 4)] = (uint8_t)dice_below(dice, TAUD_RECORD_TYPE_LAST + 3);
        break;
    case 1:
        taud_store_u32(record + 4, taud_load_u32(record + 4) + (uint32_t)dice_below(dice, 3) - 1);
        break;
    default:
        taud_store_u32(record + 4, counts[dice_below(dice, sizeof counts / sizeof counts[0])]);
    }
}

static size_t draw_group(struct dice *dice, uint8_t to[GROUP_MAX * 4])
{
    size_t size = SIZE_BYTES;
    for (size_t records = 1 + dice_below(dice, 3); records > 0; records--) {
        uint8_t *record = to + size;
        size += draw_record(dice, record);
        if (dice_once_in(dice, 12 * FUZZ_SPOILED_IN))
            spoil_record(dice, record);
    }
    to[0] = (uint8_t)(size - SIZE_BYTES);
    to[1] = (uint8_t)((size - SIZE_BYTES) >> 8);
    return size;
}

// Where the groups begin, and where the last one ends. Returns how many there are.
static size_t find_groups(const uint8_t *data, size_t size, size_t starts[GROUPS_MAX + 1])
{
    size_t at = FUZZ_PREFIX, count = 0;
    while (count < GROUPS_MAX && size - at > SIZE_BYTES) {
        size_t content = (size_t)(data[at] | data[at + 1] << 8);
        starts[count++] = at;
        at += SIZE_BYTES + (content < size - at - SIZE_BYTES ? content : size - at - SIZE_BYTES);
    }
    starts[count] = at;
    return count;
}

static size_t put(uint8_t *data, size_t size, size_t max_size, size_t at, const uint8_t *bytes,
                  size_t count)
{
    if (max_size - size < count)
        return size;
    memmove(data + at + count, data + at, size - at);
    memcpy(data + at, bytes, count);
    return size + count;
}

static size_t change(struct dice *dice, uint8_t *data, size_t size, size_t max_size)
{
    uint8_t group[GROUP_MAX * 4];
    size_t starts[GROUPS_MAX + 1];
    size_t count = find_groups(data, size, starts);
    size_t place = dice_below(dice, count);
    size_t choice = dice_below(dice, 8);
    if (count == 0 || choice < 4) {
        size_t at = starts[dice_below(dice, count + 1)];
        size_t group_size = draw_group(dice, group);
        return put(data, size, max_size, at, group, group_size);
    }
    size_t length = starts[place + 1] - starts[place];
    if (choice == 4) { // one less
        memmove(data + starts[place], data + starts[place + 1], size - starts[place + 1]);
        return size - length;
    }
    if (choice == 5) { // the options
        data[dice_below(dice, FUZZ_PREFIX)] = (uint8_t)dice_next(dice);
        return size;
    }
    uint8_t *record = data + starts[place] + SIZE_BYTES;
    if (length >= SIZE_BYTES + TAUD_RECORD_HEADER_BYTES && dice_once_in(dice, FUZZ_SPOILED_IN))
        spoil_record(dice, record);
    return size;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    struct dice dice = {seed};
    if (max_size <= FUZZ_PREFIX || dice_once_in(&dice, PLAIN_IN))
        return LLVMFuzzerMutate(data, size, max_size);
    while (size < FUZZ_PREFIX)
        data[size++] = 0;
    for (size_t times = 1 + dice_below(&dice, 4); times > 0; times--)
        size = change(&dice, data, size, max_size);
    return size;
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
                                 uint8_t *out, size_t max_size, unsigned seed)
{
    struct dice dice = {seed};
    size_t starts_a[GROUPS_MAX + 1], starts_b[GROUPS_MAX + 1];
    if (a_size < FUZZ_PREFIX || b_size < FUZZ_PREFIX)
        return 0;
    size_t count_a = find_groups(a, a_size, starts_a), count_b = find_groups(b, b_size, starts_b);
    size_t end = starts_a[dice_below(&dice, count_a + 1)];
    size_t start = starts_b[dice_below(&dice, count_b + 1)];
    if (end > max_size || b_size - start > max_size - end)
        return 0;
    memcpy(out, a, end);
    memcpy(out + end, b + start, b_size - start);
    return end + b_size - start;
}
