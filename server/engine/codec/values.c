// SPDX-License-Identifier: MIT
// Which scheme: FAST takes decimals with the pair that was good for the chunk before, or leaves the
// values as they are; otherwise each scheme that could win is tried and the smallest is kept.
#include "values.h"

#include "alp.h"
#include "alp_rd.h"
#include "column.h"
#include "squeeze.h"

enum {
    PAIR_AGE = 64,    // chunks for which a pair is kept unquestioned
    RAW_AGE = 16,     // and for which nobody asks whether values have become decimals
    BITS_MORE = 6,    // a chunk that takes so many more bits a value has another pair tried
    RUNS_IN = 4,      // runs are tried where there are at most that many times fewer than values
    MARGIN = 8,       // zstd has to win one part in so many
    SQUEEZE_MIN = 32, // fewer values are not worth it
    PLANES = 1,
};

static uint64_t bits_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

// --- adding up -----------------------------------------------------------------------------------

void codec_values_add(struct taud_codec *codec, const double *values, size_t from, size_t to,
                      enum codec_wanted wanted, struct codec_lanes *lanes)
{
    size_t at = from;
    for (; at < to && at % CODEC_LANES != 0; at++)
        codec_lanes_add(lanes, at, values[at - from]);
    size_t rows = (to - at) / CODEC_LANES;
    codec->kernels->sums->add[wanted](values + (at - from), rows, lanes);
    for (at += rows * CODEC_LANES; at < to; at++)
        codec_lanes_add(lanes, at, values[at - from]);
}

// --- writing -------------------------------------------------------------------------------------

static bool constant(struct taud_codec *codec, const double *values, size_t count)
{
    return bits_of(values[count - 1]) == bits_of(values[0]) &&
           bits_of(values[count / 2]) == bits_of(values[0]) &&
           codec->kernels->even_steps((const uint64_t *)(const void *)values, count, 0);
}

static size_t write_raw(const double *values, size_t count, uint8_t *out, uint8_t *ret_scheme)
{
    *ret_scheme = CODEC_VALUES_RAW;
    taud_copy_words(out, values, count);
    return count * 8;
}

static size_t write_constant(const double *values, uint8_t *out, uint8_t *ret_scheme)
{
    *ret_scheme = CODEC_VALUES_CONSTANT;
    taud_copy_words(out, values, 1);
    return 8;
}

static struct codec_pair pair_of(const struct taud_chunk_hint *hint)
{
    return (struct codec_pair){hint->exponent, hint->factor};
}

static bool has_pair(const struct taud_chunk_hint *hint)
{
    return hint->scheme == CODEC_VALUES_ALP && hint->exponent <= CODEC_EXPONENT_MAX &&
           hint->factor <= hint->exponent && hint->age < PAIR_AGE;
}

static void remember(struct taud_chunk_hint *hint, struct codec_pair pair, size_t size,
                     size_t count, bool searched)
{
    *hint = (struct taud_chunk_hint){.scheme = CODEC_VALUES_ALP,
                                     .exponent = pair.exponent,
                                     .factor = pair.factor,
                                     .bits = (uint8_t)(size * 8 / count),
                                     .age = searched ? 0 : (uint8_t)(hint->age + 1)};
}

// Decimals by a pair, in fewer than 8 bytes a value; 0 where that cannot be.
static size_t write_decimals(struct taud_codec *codec, const double *values, size_t count,
                             struct codec_pair pair, uint8_t *out, struct codec_alp_facts *facts)
{
    uint8_t *trial = codec->candidates[1];
    size_t size = codec_alp_encode_narrow(codec, values, count, pair, out, facts);
    if (size != 0)
        return size;
    size = codec_alp_encode(codec, values, count, pair, TAUD_EFFORT_FAST, trial, facts);
    if (size >= count * 8)
        return 0;
    memcpy(out, trial, size);
    return size;
}

// Decimals; 0 where the values had better stay as they are.
static size_t write_fast(struct taud_codec *codec, const double *values, size_t count,
                         struct taud_chunk_hint *hint, uint8_t *out, struct codec_alp_facts *facts)
{
    struct codec_pair pair;
    size_t size = 0;
    if (hint->scheme == CODEC_VALUES_RAW && hint->age > 0) {
        hint->age--;
        return 0;
    }
    if (has_pair(hint)) {
        pair = pair_of(hint);
        size = write_decimals(codec, values, count, pair, out, facts);
        if (size != 0 && size * 8 <= count * (hint->bits + (size_t)BITS_MORE)) {
            remember(hint, pair, size, count, false);
            return size;
        }
    }
    if (codec_alp_search(codec, values, count, false, &pair))
        size = write_decimals(codec, values, count, pair, out, facts);
    else
        size = 0;
    if (size != 0) {
        remember(hint, pair, size, count, true);
        return size;
    }
    *hint = (struct taud_chunk_hint){.scheme = CODEC_VALUES_RAW, .age = RAW_AGE};
    return 0;
}

// The smallest section that was found so far, at `out`; the next candidate is written to `trial`.
struct contest {
    uint8_t *out;
    uint8_t *trial;
    size_t size;
    uint8_t scheme;
};

static void enter(struct contest *contest, size_t size, enum codec_values_scheme scheme)
{
    if (size == 0 || size >= contest->size)
        return;
    memcpy(contest->out, contest->trial, size);
    contest->size = size;
    contest->scheme = (uint8_t)scheme;
}

// zstd over the values as they are, or over their bytes in planes.
static void try_squeezed(struct taud_codec *codec, const double *values, size_t count,
                         struct contest *contest)
{
    for (unsigned layout = 0; layout <= PLANES; layout++) {
        size_t limit = contest->scheme == CODEC_VALUES_SQUEEZED
                           ? contest->size
                           : contest->size - contest->size / MARGIN;
        if (layout == PLANES) {
            for (size_t i = 0; i < count; i++)
                codec->sorted[i] = bits_of(values[i]);
            codec_split_planes(codec->sorted, count, 8, codec->planes);
        } else {
            taud_copy_words(codec->planes, values, count);
        }
        contest->trial[0] = (uint8_t)layout;
        size_t size = codec_squeeze(codec, CODEC_REPEATS, codec->planes, count * 8,
                                    contest->trial + 1, limit);
        if (size != 0 && 1 + size < limit)
            enter(contest, 1 + size, CODEC_VALUES_SQUEEZED);
    }
}

static size_t write_smallest(struct taud_codec *codec, const double *values, size_t count,
                             enum taud_codec_effort effort, unsigned depth, uint8_t *out,
                             uint8_t *ret_scheme);

// Runs of equal values: lengths, and the values as a section of their own.
static size_t write_runs(struct taud_codec *codec, const double *values, size_t count,
                         enum taud_codec_effort effort, uint8_t *out)
{
    size_t runs = 0, first = 0;
    for (size_t i = 1; i <= count; i++) {
        if (i < count && bits_of(values[i]) == bits_of(values[first]))
            continue;
        codec->value_lengths[runs] = i - first - 1;
        codec->run_values[runs++] = values[first];
        first = i;
    }
    if (runs > count / RUNS_IN)
        return 0;
    codec_store_u16(out, runs);
    uint8_t *at = out + 2;
    at += codec_column_encode(codec, codec->value_lengths, runs, false, effort, at);
    uint8_t *scheme = at++;
    at += write_smallest(codec, codec->run_values, runs, effort, 1, at, scheme);
    return (size_t)(at - out);
}

static size_t write_smallest(struct taud_codec *codec, const double *values, size_t count,
                             enum taud_codec_effort effort, unsigned depth, uint8_t *out,
                             uint8_t *ret_scheme)
{
    if (constant(codec, values, count))
        return write_constant(values, out, ret_scheme);
    struct codec_pair pair;
    struct codec_alp_facts facts;
    struct contest contest = {.out = out, .trial = codec->candidates[1 + depth]};
    contest.size = write_raw(values, count, out, &contest.scheme);
    if (codec_alp_search(codec, values, count, true, &pair))
        enter(&contest, codec_alp_encode(codec, values, count, pair, effort, contest.trial, &facts),
              CODEC_VALUES_ALP);
    if (contest.size > count * 5)
        enter(&contest, codec_alp_rd_encode(codec, values, count, contest.trial),
              CODEC_VALUES_ALP_RD);
    if (depth == 0)
        enter(&contest, write_runs(codec, values, count, effort, contest.trial), CODEC_VALUES_RUNS);
    if (effort == TAUD_EFFORT_BEST && count >= SQUEEZE_MIN)
        try_squeezed(codec, values, count, &contest);
    *ret_scheme = contest.scheme;
    return contest.size;
}

size_t codec_values_encode(struct taud_codec *codec, const double *values, size_t count,
                           enum taud_codec_effort effort, struct taud_chunk_hint *hint,
                           uint8_t *out, uint8_t *ret_scheme, struct codec_lanes *lanes)
{
    struct codec_alp_facts facts = {.exact = false};
    size_t size;
    if (constant(codec, values, count)) {
        size = write_constant(values, out, ret_scheme);
    } else if (effort != TAUD_EFFORT_FAST) {
        size = write_smallest(codec, values, count, effort, 0, out, ret_scheme);
    } else {
        *ret_scheme = CODEC_VALUES_ALP;
        size = write_fast(codec, values, count, hint, out, &facts);
        if (size == 0) {
            facts.exact = false;
            size = write_raw(values, count, out, ret_scheme);
        }
    }
    codec_lanes_init(lanes);
    if (facts.exact) {
        memcpy(lanes->sum, facts.sum, sizeof lanes->sum);
        lanes->low[0] = facts.low;
        lanes->high[0] = facts.high;
        lanes->count = count;
    } else {
        codec_values_add(codec, values, 0, count, CODEC_EXTREMES, lanes);
    }
    return size;
}

// --- reading -------------------------------------------------------------------------------------

// A section, or that of the values of its runs.
struct section {
    const uint8_t *bytes;
    size_t size;
    size_t count;
    uint8_t scheme;
};

static struct codec_cursor cursor_of(const struct section *section)
{
    return (struct codec_cursor){.at = section->bytes, .end = section->bytes + section->size};
}

static bool whole(const struct codec_cursor *cursor)
{
    return !cursor->failed && cursor->at == cursor->end;
}

static bool open_alp(const struct section *section, struct codec_alp *ret)
{
    struct codec_cursor cursor = cursor_of(section);
    return codec_alp_open(&cursor, section->count, ret) && whole(&cursor);
}

static bool open_alp_rd(const struct section *section, struct codec_alp_rd *ret)
{
    struct codec_cursor cursor = cursor_of(section);
    return codec_alp_rd_open(&cursor, section->count, ret) && whole(&cursor);
}

// The lengths of runs, and the section of their values.
static bool open_runs(const struct section *section, struct codec_column *lengths,
                      struct section *ret)
{
    struct codec_cursor cursor = cursor_of(section);
    ret->count = codec_take_u16(&cursor);
    if (ret->count == 0 || ret->count > section->count ||
        !codec_column_open(&cursor, ret->count, lengths))
        return false;
    ret->scheme = codec_take_u8(&cursor);
    ret->bytes = cursor.at;
    ret->size = (size_t)(cursor.end - cursor.at);
    return !cursor.failed && ret->scheme != CODEC_VALUES_RUNS;
}

static bool check(const struct section *section)
{
    struct codec_alp alp;
    struct codec_alp_rd rd;
    struct codec_column lengths;
    struct section inner;
    switch (section->scheme) {
    case CODEC_VALUES_RAW:
        return section->size == section->count * 8;
    case CODEC_VALUES_CONSTANT:
        return section->size == 8;
    case CODEC_VALUES_ALP:
        return open_alp(section, &alp);
    case CODEC_VALUES_ALP_RD:
        return open_alp_rd(section, &rd);
    case CODEC_VALUES_RUNS:
        return open_runs(section, &lengths, &inner) && check(&inner);
    case CODEC_VALUES_SQUEEZED:
        return section->size > 1 && section->bytes[0] <= PLANES;
    default:
        return false;
    }
}

static struct section section_of(const struct taud_chunk *chunk)
{
    return (struct section){.bytes = chunk->values,
                            .size = chunk->values_size,
                            .count = chunk->count,
                            .scheme = chunk->values_scheme};
}

bool codec_values_check(const struct taud_chunk *chunk)
{
    struct section section = section_of(chunk);
    return check(&section);
}

static bool read_squeezed(struct taud_codec *codec, const struct section *section, double *out)
{
    if (!codec_unsqueeze(codec, section->bytes + 1, section->size - 1, codec->planes,
                         section->count * 8))
        return false;
    if (section->bytes[0] == PLANES) {
        codec->kernels->join_planes(codec->planes, section->count, 8, codec->integers);
        memcpy(out, codec->integers, section->count * 8);
    } else {
        taud_copy_words(out, codec->planes, section->count);
    }
    return true;
}

static bool read_runs(struct taud_codec *codec, const struct section *section, double *out);

// Values `from` to `to` - 1 of a section to their places in `out`, which has room for 1,024.
static bool read_section(struct taud_codec *codec, const struct section *section, size_t from,
                         size_t to, double *out)
{
    struct codec_alp alp;
    struct codec_alp_rd rd;
    switch (section->scheme) {
    case CODEC_VALUES_RAW:
        taud_copy_words(out + from, section->bytes + from * 8, to - from);
        return true;
    case CODEC_VALUES_CONSTANT:
        taud_copy_words(out + from, section->bytes, 1);
        for (size_t i = from + 1; i < to; i++)
            out[i] = out[from];
        return true;
    case CODEC_VALUES_ALP:
        return open_alp(section, &alp) && codec_alp_read(codec, &alp, from, to, out);
    case CODEC_VALUES_ALP_RD:
        return open_alp_rd(section, &rd) && codec_alp_rd_read(codec, &rd, out);
    case CODEC_VALUES_RUNS:
        return read_runs(codec, section, out);
    default:
        return read_squeezed(codec, section, out);
    }
}

// The values come to codec->run_values, and each as often as its length says to `out`.
static bool read_runs(struct taud_codec *codec, const struct section *section, double *out)
{
    struct codec_column lengths;
    struct section inner;
    size_t at = 0;
    if (!open_runs(section, &lengths, &inner) || !check(&inner) ||
        !codec_column_read(codec, &lengths, codec->value_lengths) ||
        !read_section(codec, &inner, 0, inner.count, codec->run_values))
        return false;
    for (size_t run = 0; run < inner.count; run++) {
        if (codec->value_lengths[run] >= section->count - at)
            return false;
        for (size_t end = at + (size_t)codec->value_lengths[run] + 1; at < end; at++)
            out[at] = codec->run_values[run];
        if (at == section->count && run + 1 < inner.count)
            return false;
    }
    return at == section->count;
}

bool codec_values_read(struct taud_codec *codec, const struct taud_chunk *chunk, size_t from,
                       size_t to, double *out)
{
    struct section section = section_of(chunk);
    if (to - from == CODEC_POINTS) // there is room for what the schemes touch
        return read_section(codec, &section, from, to, out);
    if (!read_section(codec, &section, from, to, codec->values))
        return false;
    memcpy(out, codec->values + from, (to - from) * sizeof *out);
    return true;
}

bool codec_values_are_summed(uint8_t scheme, const uint8_t *bytes, size_t size)
{
    return scheme == CODEC_VALUES_ALP && codec_alp_is_summed(bytes, size);
}

bool codec_values_at(struct taud_codec *codec, const struct taud_chunk *chunk, size_t index,
                     double *ret)
{
    struct section section = section_of(chunk);
    struct codec_alp alp;
    struct codec_alp_rd rd;
    if (section.scheme == CODEC_VALUES_ALP && open_alp(&section, &alp) &&
        codec_alp_at(codec, &alp, index, ret))
        return true;
    if (section.scheme == CODEC_VALUES_ALP_RD && open_alp_rd(&section, &rd)) {
        *ret = codec_alp_rd_at(&rd, index);
        return true;
    }
    return codec_values_read(codec, chunk, index, index + 1, ret);
}

bool codec_values_aggregate(struct taud_codec *codec, const struct taud_chunk *chunk, size_t from,
                            size_t to, enum codec_wanted wanted, struct codec_lanes *lanes)
{
    struct section section = section_of(chunk);
    struct codec_alp alp;
    if (section.scheme == CODEC_VALUES_ALP && open_alp(&section, &alp) && codec_alp_addable(&alp))
        return codec_alp_add(codec, &alp, from, to, wanted, lanes);
    if (!read_section(codec, &section, from, to, codec->values))
        return false;
    codec_values_add(codec, codec->values + from, from, to, wanted, lanes);
    return true;
}

bool codec_values_lift(struct taud_codec *codec, const struct taud_chunk *chunk, size_t from,
                       size_t to, struct codec_lifted *ret)
{
    struct section section = section_of(chunk);
    struct codec_alp alp;
    *ret = (struct codec_lifted){.values = NULL};
    if (section.scheme == CODEC_VALUES_ALP && open_alp(&section, &alp) && codec_alp_addable(&alp)) {
        ret->items = codec_alp_lift(codec, &alp, from, to, &ret->start);
        ret->spread = codec_column_spread(&alp.column);
        ret->scale = alp.scale;
        return ret->items != NULL;
    }
    ret->values = codec->values;
    return read_section(codec, &section, from, to, codec->values);
}

bool codec_values_moments(struct taud_codec *codec, const struct taud_chunk *chunk,
                          struct codec_lifted *ret, struct codec_moments *ret_moments)
{
    struct section section = section_of(chunk);
    struct codec_alp alp;
    *ret = (struct codec_lifted){.values = NULL};
    if (section.scheme != CODEC_VALUES_ALP || !open_alp(&section, &alp) || !codec_alp_addable(&alp))
        return false;
    ret->spread = codec_column_spread(&alp.column);
    ret->scale = alp.scale;
    return ret->spread < CODEC_MOMENT_LIMIT &&
           codec_column_moments(codec, &alp.column, &ret->start, ret_moments);
}
