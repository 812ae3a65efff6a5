// SPDX-License-Identifier: MIT
// Where to cut is decided on a sample: the more bits on the left, the more of them the dictionary
// replaces, and the more values it does not know.
#include "alp_rd.h"

#include "alp.h"
#include "packing.h"

enum {
    LEFT_MAX = 16,
    SAMPLE = 128,
    EXCEPTION_BITS = 32,
    EXCEPTIONS_IN = 4, // at most one value in so many
};

static uint64_t bits_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

struct dictionary {
    unsigned count;
    unsigned hits; // how many of the sample it knows
    uint16_t left[CODEC_DICTIONARY_MAX];
    uint16_t uses[CODEC_DICTIONARY_MAX];
};

// Keeps the most frequent, in falling order.
static void offer(struct dictionary *dictionary, unsigned left, unsigned uses)
{
    unsigned place = dictionary->count;
    while (place > 0 && dictionary->uses[place - 1] < uses)
        place--;
    if (place == CODEC_DICTIONARY_MAX)
        return;
    if (dictionary->count < CODEC_DICTIONARY_MAX)
        dictionary->count++;
    else
        dictionary->hits -= dictionary->uses[CODEC_DICTIONARY_MAX - 1];
    for (unsigned i = dictionary->count - 1; i > place; i--) {
        dictionary->left[i] = dictionary->left[i - 1];
        dictionary->uses[i] = dictionary->uses[i - 1];
    }
    dictionary->left[place] = (uint16_t)left;
    dictionary->uses[place] = (uint16_t)uses;
    dictionary->hits += uses;
}

// The dictionary of a sample in ascending order, of which `width` bits are looked at.
static struct dictionary dictionary_of(const uint16_t *sample, size_t count, unsigned width)
{
    struct dictionary dictionary = {0};
    for (size_t i = 0, first = 0; i < count; first = i) {
        unsigned left = (unsigned)sample[first] >> (LEFT_MAX - width);
        while (i < count && (unsigned)sample[i] >> (LEFT_MAX - width) == left)
            i++;
        offer(&dictionary, left, (unsigned)(i - first));
    }
    return dictionary;
}

static size_t draw_sample(const double *values, size_t count, uint16_t sample[SAMPLE])
{
    size_t size = count < SAMPLE ? count : SAMPLE;
    for (size_t i = 0; i < size; i++) {
        size_t from = i * count / size + i * 5 % (count / size); // not in step with what repeats
        uint16_t left = (uint16_t)(bits_of(values[from]) >> (64 - LEFT_MAX));
        size_t place = i;
        for (; place > 0 && sample[place - 1] > left; place--)
            sample[place] = sample[place - 1];
        sample[place] = left;
    }
    return size;
}

static unsigned code_width_of(unsigned dictionary_count)
{
    return codec_bits(dictionary_count - 1);
}

// The cut that costs least; the width on the left.
static unsigned choose(const double *values, size_t count, struct dictionary *ret)
{
    uint16_t sample[SAMPLE];
    size_t size = draw_sample(values, count, sample), best = SIZE_MAX;
    unsigned best_width = 0;
    for (unsigned width = 1; width <= LEFT_MAX; width++) {
        struct dictionary dictionary = dictionary_of(sample, size, width);
        size_t cost = size * (64 - width + code_width_of(dictionary.count)) +
                      (size - dictionary.hits) * EXCEPTION_BITS;
        if (cost < best) {
            best = cost;
            best_width = width;
            *ret = dictionary;
        }
    }
    return best_width;
}

size_t codec_alp_rd_encode(struct taud_codec *codec, const double *values, size_t count,
                           uint8_t *out)
{
    struct dictionary dictionary = {0};
    uint16_t positions[CODEC_POINTS], lefts[CODEC_POINTS];
    unsigned right_width = 64 - choose(values, count, &dictionary);
    unsigned code_width = code_width_of(dictionary.count);
    size_t missed = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t bits = bits_of(values[i]), left = bits >> right_width;
        unsigned code = 0;
        while (code < dictionary.count && dictionary.left[code] != left)
            code++;
        if (code == dictionary.count) {
            positions[missed] = (uint16_t)i;
            lefts[missed++] = (uint16_t)left;
            code = 0;
        }
        codec->sorted[i] = code;
        codec->integers[i] = bits & codec_mask(right_width);
    }
    if (missed > count / EXCEPTIONS_IN)
        return 0;
    uint8_t *at = out;
    *at++ = (uint8_t)right_width;
    *at++ = (uint8_t)dictionary.count;
    for (unsigned i = 0; i < dictionary.count; i++, at += 2)
        codec_store_u16(at, dictionary.left[i]);
    codec_store_u16(at, missed);
    at += 2;
    codec_pack(codec, codec->sorted, count, code_width, at);
    at += codec_packed_bytes(count, code_width);
    codec_pack(codec, codec->integers, count, right_width, at);
    at += codec_packed_bytes(count, right_width);
    for (size_t i = 0; i < missed; i++, at += 2)
        codec_store_u16(at, positions[i]);
    for (size_t i = 0; i < missed; i++, at += 2)
        codec_store_u16(at, lefts[i]);
    return (size_t)(at - out);
}

bool codec_alp_rd_open(struct codec_cursor *cursor, size_t count, struct codec_alp_rd *ret)
{
    *ret = (struct codec_alp_rd){.count = count, .right_width = codec_take_u8(cursor)};
    unsigned dictionary_count = codec_take_u8(cursor);
    if (cursor->failed || ret->right_width < 64 - LEFT_MAX || ret->right_width > 63 ||
        dictionary_count < 1 || dictionary_count > CODEC_DICTIONARY_MAX)
        return false;
    for (unsigned i = 0; i < dictionary_count; i++)
        ret->dictionary[i] = codec_take_u16(cursor) & codec_mask(64 - ret->right_width);
    ret->exception_count = codec_take_u16(cursor);
    ret->code_width = code_width_of(dictionary_count);
    ret->codes = codec_take(cursor, codec_packed_bytes(count, ret->code_width));
    ret->rights = codec_take(cursor, codec_packed_bytes(count, ret->right_width));
    ret->positions = codec_take(cursor, ret->exception_count * 2);
    ret->lefts = codec_take(cursor, ret->exception_count * 2);
    return !cursor->failed;
}

bool codec_alp_rd_read(struct taud_codec *codec, const struct codec_alp_rd *rd, double *out)
{
    uint64_t *bits = codec->integers;
    if (!codec_check_positions(rd->positions, rd->exception_count, rd->count))
        return false;
    codec_unpack(codec, rd->rights, rd->count, rd->right_width, 0, bits);
    codec_unpack_narrow(codec, rd->codes, rd->count, rd->code_width, 0, 0, rd->count,
                        codec->narrow);
    codec->kernels->join(codec->narrow, rd->dictionary, rd->count, rd->right_width, bits);
    for (size_t i = 0; i < rd->exception_count; i++) {
        size_t position = codec_load_u16(rd->positions + i * 2);
        uint64_t left = codec_load_u16(rd->lefts + i * 2);
        bits[position] = (bits[position] & codec_mask(rd->right_width)) | left << rd->right_width;
    }
    memcpy(out, bits, rd->count * sizeof *out);
    return true;
}

double codec_alp_rd_at(const struct codec_alp_rd *rd, size_t index)
{
    size_t exception = codec_find_position(rd->positions, rd->exception_count, index);
    uint64_t left =
        exception < rd->exception_count
            ? codec_load_u16(rd->lefts + exception * 2)
            : rd->dictionary[codec_packed_at(rd->codes, rd->count, rd->code_width, index)];
    uint64_t bits =
        left << rd->right_width | codec_packed_at(rd->rights, rd->count, rd->right_width, index);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}
