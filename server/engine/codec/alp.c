// SPDX-License-Identifier: MIT
// The pair is searched by ascending decimals, since the first from which all of a sample comes back
// is the smallest; thoroughly over all pairs, the best five of which are tried on the whole chunk.
// Integers stay below 2^51, where adding and subtracting one number rounds to them.
#include "alp.h"

#include "packing.h"

enum {
    SAMPLE = 32,
    SAMPLE_ROWS = SAMPLE / CODEC_LANES,
    EXCEPTION_BITS = 80,
    KEPT_PAIRS = 5,
    ROOMY_EXPONENT = 14,
    EXCEPTIONS_IN = 4, // at most one value in so many
    OUTLIER_SAMPLE = 32,
    STEPS_WIN = 2,      // bits a value by which differences have to win in FAST
    HOPELESS_BITS = 60, // a value
    HEAD_BYTES = 4,     // before the column of integers
};

static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8, 1e9,
                                1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18};
static const double inverses[] = {1e-0,  1e-1,  1e-2,  1e-3,  1e-4,  1e-5,  1e-6,
                                  1e-7,  1e-8,  1e-9,  1e-10, 1e-11, 1e-12, 1e-13,
                                  1e-14, 1e-15, 1e-16, 1e-17, 1e-18};

static struct codec_scale scale_of(struct codec_pair pair)
{
    return (struct codec_scale){.up = powers[pair.exponent],
                                .down = inverses[pair.factor],
                                .factor = powers[pair.factor],
                                .fraction = inverses[pair.exponent],
                                .unit = powers[pair.exponent - pair.factor]};
}

static double value_of(const struct codec_scale *scale, uint64_t integer)
{
    return (double)(int64_t)integer * scale->factor * scale->fraction;
}

static uint64_t item_at(int64_t start, uint32_t distance)
{
    return (uint64_t)start + (uint64_t)(int64_t)(int32_t)distance;
}

static uint64_t bits_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

// --- rounding ------------------------------------------------------------------------------------

static bool in_range(double low, double high)
{
    return low > -(double)CODEC_INTEGER_MAX && high < (double)CODEC_INTEGER_MAX;
}

// A row of the last values, filled up with the very last.
static void fill_row(const double *values, size_t count, double row[CODEC_LANES])
{
    for (size_t i = 0; i < CODEC_LANES; i++)
        row[i] = values[i < count ? i : count - 1];
}

// Rounds all values to codec->integers, with CODEC_MAGIC_BITS added, and marks the misses. Returns
// whether all came back.
static bool round_all(struct taud_codec *codec, const double *values, size_t count,
                      const struct codec_scale *scale, struct codec_lanes *lanes)
{
    size_t rows = count / CODEC_LANES, rest = count % CODEC_LANES;
    bool all =
        codec->kernels->alp_encode(values, rows, scale, codec->integers, codec->misses, lanes);
    if (rest > 0) {
        struct codec_lanes last = *lanes;
        double row[CODEC_LANES];
        fill_row(values + rows * CODEC_LANES, rest, row);
        codec->kernels->alp_encode(row, 1, scale, codec->integers + rows * CODEC_LANES,
                                   codec->misses + rows, &last);
        codec->misses[rows] &= (uint8_t)((1U << rest) - 1);
        all = all && codec->misses[rows] == 0;
        memcpy(last.sum + rest, lanes->sum + rest, (CODEC_LANES - rest) * sizeof *last.sum);
        *lanes = last;
    }
    lanes->count = count;
    double sum = codec_lanes_join(lanes->sum); // NaN where a value is, which may have come back
    if (sum == sum && in_range(codec_lanes_low(lanes), codec_lanes_high(lanes)))
        return all;
    for (size_t i = 0; i < count; i++) {
        double whole = values[i] * scale->up * scale->down + CODEC_MAGIC - CODEC_MAGIC;
        if (!in_range(whole, whole))
            codec->misses[i / CODEC_LANES] |= (uint8_t)(1U << (i % CODEC_LANES));
    }
    return false;
}

static uint32_t *near_items(struct taud_codec *codec)
{
    return codec->near + CODEC_LANES;
}

// Rounds values that all come back as integers of 32 bits, to near_items, and adds them up. False,
// and anything is left, where one does not.
static bool round_near(struct taud_codec *codec, const double *values, size_t count,
                       const struct codec_scale *scale, double sum[CODEC_LANES])
{
    size_t rows = count / CODEC_LANES, rest = count % CODEC_LANES;
    if (!codec->kernels->alp_encode_narrow(values, rows, scale, near_items(codec), sum))
        return false;
    if (rest == 0)
        return true;
    double row[CODEC_LANES], last[CODEC_LANES];
    fill_row(values + rows * CODEC_LANES, rest, row);
    memcpy(last, sum, sizeof last);
    bool all = codec->kernels->alp_encode_narrow(row, 1, scale,
                                                 near_items(codec) + rows * CODEC_LANES, last);
    memcpy(sum, last, rest * sizeof *sum);
    return all;
}

// Takes the place of each miss by the integer before it, and lists them. Returns how many.
static size_t fill_misses(struct taud_codec *codec, size_t count, uint16_t *positions)
{
    size_t missed = 0, first = 0;
    while (first < count && (codec->misses[first / CODEC_LANES] >> first % CODEC_LANES & 1) != 0)
        first++;
    uint64_t before = first < count ? codec->integers[first] : CODEC_MAGIC_BITS;
    for (size_t row = 0; row * CODEC_LANES < count; row++) {
        unsigned misses = codec->misses[row];
        for (; misses != 0; misses &= misses - 1) {
            size_t index = row * CODEC_LANES + (size_t)__builtin_ctz(misses);
            positions[missed++] = (uint16_t)index;
            codec->integers[index] =
                index == 0 || index < first ? before : codec->integers[index - 1];
        }
    }
    return missed;
}

// --- searching -----------------------------------------------------------------------------------

// How many bits a sample takes with a pair.
static unsigned sample_cost(struct taud_codec *codec, const double sample[SAMPLE],
                            struct codec_pair pair, unsigned *ret_missed)
{
    uint64_t integers[SAMPLE];
    uint8_t misses[SAMPLE_ROWS];
    struct codec_scale scale = scale_of(pair);
    struct codec_lanes lanes;
    int64_t low = INT64_MAX, high = INT64_MIN;
    unsigned missed = 0;
    codec_lanes_init(&lanes);
    codec->kernels->alp_encode(sample, SAMPLE_ROWS, &scale, integers, misses, &lanes);
    for (unsigned i = 0; i < SAMPLE; i++) {
        int64_t integer = (int64_t)(integers[i] - CODEC_MAGIC_BITS);
        if ((misses[i / CODEC_LANES] >> i % CODEC_LANES & 1) != 0 ||
            integer <= -CODEC_INTEGER_MAX || integer >= CODEC_INTEGER_MAX) {
            missed++;
            continue;
        }
        low = integer < low ? integer : low;
        high = integer > high ? integer : high;
    }
    *ret_missed = missed;
    return missed == SAMPLE ? UINT16_MAX
                            : SAMPLE * codec_range_width(low, high) + missed * EXCEPTION_BITS;
}

static void draw_sample(const double *values, size_t count, double sample[SAMPLE])
{
    size_t span = count < SAMPLE ? 1 : count / SAMPLE;
    for (size_t i = 0; i < SAMPLE; i++) // not in step with what repeats
        sample[i] = values[i * count / SAMPLE + i * 5 % span];
}

// By decimals: with an exponent that leaves the most room for rounding, and with the least, which
// suits large numbers.
static bool search_quickly(struct taud_codec *codec, const double *values, size_t count,
                           struct codec_pair *ret)
{
    double sample[SAMPLE];
    unsigned best = UINT16_MAX, missed = 1;
    draw_sample(values, count, sample);
    for (unsigned decimals = 0; decimals <= CODEC_EXPONENT_MAX && missed > 0; decimals++) {
        const unsigned exponents[] = {
            decimals <= ROOMY_EXPONENT ? ROOMY_EXPONENT : CODEC_EXPONENT_MAX, decimals};
        for (unsigned i = decimals == 0; i < 2 && missed > 0; i++) {
            struct codec_pair pair = {(uint8_t)exponents[i], (uint8_t)(exponents[i] - decimals)};
            unsigned cost = sample_cost(codec, sample, pair, &missed);
            if (cost < best) {
                best = cost;
                *ret = pair;
            }
        }
    }
    return best < SAMPLE * HOPELESS_BITS;
}

// How many bits the chunk takes with a pair, about.
static size_t whole_cost(struct taud_codec *codec, const double *values, size_t count,
                         struct codec_pair pair)
{
    struct codec_scale scale = scale_of(pair);
    struct codec_lanes lanes;
    uint16_t positions[CODEC_POINTS];
    int64_t low, high, low_step = 0, high_step = 0;
    codec_lanes_init(&lanes);
    size_t missed = 0;
    if (!round_all(codec, values, count, &scale, &lanes))
        missed = fill_misses(codec, count, positions);
    codec->kernels->range(codec->integers, count, &low, &high);
    codec->kernels->differences(codec->integers, count, codec->residuals);
    if (count > 1)
        codec->kernels->range(codec->residuals + 1, count - 1, &low_step, &high_step);
    size_t width = codec_range_width(low, high),
           step_width = codec_range_width(low_step, high_step);
    return (width < step_width ? width : step_width) * count + missed * EXCEPTION_BITS;
}

static bool search_thoroughly(struct taud_codec *codec, const double *values, size_t count,
                              struct codec_pair *ret)
{
    double sample[SAMPLE];
    struct codec_pair pairs[KEPT_PAIRS];
    unsigned costs[KEPT_PAIRS], kept = 0;
    draw_sample(values, count, sample);
    for (unsigned pair = 0, exponent = CODEC_EXPONENT_MAX; exponent <= CODEC_EXPONENT_MAX;
         exponent--) {
        for (unsigned factor = exponent; factor <= exponent; factor--, pair++) {
            struct codec_pair here = {(uint8_t)exponent, (uint8_t)factor};
            unsigned missed, cost = sample_cost(codec, sample, here, &missed), place = kept;
            if (cost >= SAMPLE * HOPELESS_BITS)
                continue;
            for (; place > 0 && cost < costs[place - 1]; place--) {
                if (place < KEPT_PAIRS) {
                    costs[place] = costs[place - 1];
                    pairs[place] = pairs[place - 1];
                }
            }
            if (place < KEPT_PAIRS) {
                costs[place] = cost;
                pairs[place] = here;
            }
            kept += kept < KEPT_PAIRS;
        }
    }
    size_t best = SIZE_MAX;
    for (unsigned i = 0; i < kept; i++) {
        size_t cost = whole_cost(codec, values, count, pairs[i]);
        if (cost < best) {
            best = cost;
            *ret = pairs[i];
        }
    }
    return kept > 0;
}

bool codec_alp_search(struct taud_codec *codec, const double *values, size_t count, bool thorough,
                      struct codec_pair *ret)
{
    return thorough ? search_thoroughly(codec, values, count, ret)
                    : search_quickly(codec, values, count, ret);
}

// --- writing -------------------------------------------------------------------------------------

// Whether a few of the items, or of their differences, lie so much closer together than all do that
// patches may pay.
static bool has_outliers(const uint32_t *items, size_t count, bool steps, unsigned width)
{
    size_t stride = count < OUTLIER_SAMPLE ? 1 : count / OUTLIER_SAMPLE;
    int32_t low = INT32_MAX, high = INT32_MIN;
    for (size_t i = 0; i < count; i += stride) {
        int32_t item = (int32_t)(items[i] - (steps ? *(items + i - 1) : 0));
        low = item < low ? item : low;
        high = item > high ? item : high;
        if (codec_range_width(low, high) + 2U > width)
            return false;
    }
    return true;
}

// The fast way for integers that lie close together, near_items and `origin`: as they are, or as
// differences where those are smaller by more than they slow down. Returns 0 where patches may pay,
// or where it would take `limit` bytes.
static size_t write_narrow(struct taud_codec *codec, size_t count, int64_t origin,
                           const struct codec_extremes *extremes, size_t limit, uint8_t *out)
{
    struct codec_column column, steps;
    uint32_t *items = near_items(codec);
    uint64_t first = (uint64_t)origin + (uint64_t)(int64_t)(int32_t)items[0];
    codec_column_plan_plain(count, 0, 0, origin + extremes->low, origin + extremes->high, &column);
    codec_column_plan_plain(count, 1, first, extremes->low_step, extremes->high_step, &steps);
    bool climbs = steps.width + (unsigned)STEPS_WIN <= column.width && column.width < 31;
    if (climbs) {
        column = steps;
        *(items - 1) = items[0] - (uint32_t)extremes->low_step;
    }
    if (column.width > 31 || column.bytes >= limit ||
        has_outliers(items, count, climbs, column.width))
        return 0;
    out = codec_column_write_head(&column, out);
    if (climbs)
        codec_pack_steps(codec, items, count, (uint32_t)column.base, column.width, out);
    else
        codec_pack_narrow(codec, items, count, (uint32_t)extremes->low, column.width, out);
    return column.bytes;
}

// Those in codec->integers, with CODEC_MAGIC_BITS added.
static size_t write_integers(struct taud_codec *codec, size_t count, int64_t low, int64_t high,
                             enum taud_codec_effort effort, uint8_t *out)
{
    size_t size = 0;
    bool thorough = effort != TAUD_EFFORT_FAST;
    if (!thorough && codec_range_width(low, high) < 32) {
        struct codec_extremes extremes;
        codec->kernels->narrow(codec->integers, count, (uint64_t)low + CODEC_MAGIC_BITS,
                               near_items(codec));
        codec->kernels->extremes_narrow(near_items(codec), count, &extremes);
        size = write_narrow(codec, count, low, &extremes, SIZE_MAX, out);
    }
    if (size != 0)
        return size;
    for (size_t i = 0; i < count; i++)
        codec->integers[i] -= CODEC_MAGIC_BITS;
    return codec_column_encode(codec, codec->integers, count, thorough, effort, out);
}

static uint8_t *write_head(struct codec_pair pair, size_t missed, uint8_t *out)
{
    out[0] = pair.exponent;
    out[1] = pair.factor;
    codec_store_u16(out + 2, missed);
    return out + HEAD_BYTES;
}

static void learn(struct codec_alp_facts *facts, const struct codec_scale *scale,
                  const double sum[CODEC_LANES], int64_t low, int64_t high)
{
    facts->exact = true;
    facts->low = value_of(scale, (uint64_t)low); // rounding keeps the order
    facts->high = value_of(scale, (uint64_t)high);
    memcpy(facts->sum, sum, sizeof facts->sum);
}

size_t codec_alp_encode_narrow(struct taud_codec *codec, const double *values, size_t count,
                               struct codec_pair pair, uint8_t *out, struct codec_alp_facts *ret)
{
    struct codec_scale scale = scale_of(pair);
    struct codec_extremes extremes;
    double sum[CODEC_LANES] = {0};
    if (pair.factor > CODEC_NEAR_FACTOR_MAX || count * 8 <= HEAD_BYTES ||
        !round_near(codec, values, count, &scale, sum))
        return 0;
    codec->kernels->extremes_narrow(near_items(codec), count, &extremes);
    size_t size =
        write_narrow(codec, count, 0, &extremes, count * 8 - HEAD_BYTES, write_head(pair, 0, out));
    learn(ret, &scale, sum, extremes.low, extremes.high);
    return size == 0 ? 0 : HEAD_BYTES + size;
}

size_t codec_alp_encode(struct taud_codec *codec, const double *values, size_t count,
                        struct codec_pair pair, enum taud_codec_effort effort, uint8_t *out,
                        struct codec_alp_facts *ret)
{
    struct codec_scale scale = scale_of(pair);
    struct codec_lanes lanes;
    uint16_t positions[CODEC_POINTS];
    size_t missed = 0;
    int64_t low, high;
    codec_lanes_init(&lanes);
    ret->exact = round_all(codec, values, count, &scale, &lanes);
    if (ret->exact) {
        low = (int64_t)codec_lanes_low(&lanes);
        high = (int64_t)codec_lanes_high(&lanes);
        learn(ret, &scale, lanes.sum, low, high);
    } else {
        missed = fill_misses(codec, count, positions);
        if (missed > count / EXCEPTIONS_IN)
            return 0;
        codec->kernels->range(codec->integers, count, &low, &high);
        low -= (int64_t)CODEC_MAGIC_BITS;
        high -= (int64_t)CODEC_MAGIC_BITS;
    }
    uint8_t *at = write_head(pair, missed, out);
    at += write_integers(codec, count, low, high, effort, at);
    for (size_t i = 0; i < missed; i++, at += 2)
        codec_store_u16(at, positions[i]);
    for (size_t i = 0; i < missed; i++, at += 8)
        taud_store_u64(at, bits_of(values[positions[i]]));
    return (size_t)(at - out);
}

// --- reading -------------------------------------------------------------------------------------

bool codec_alp_open(struct codec_cursor *cursor, size_t count, struct codec_alp *ret)
{
    struct codec_pair pair = {.exponent = codec_take_u8(cursor)};
    pair.factor = codec_take_u8(cursor);
    ret->exception_count = codec_take_u16(cursor);
    if (cursor->failed || pair.exponent > CODEC_EXPONENT_MAX || pair.factor > pair.exponent ||
        !codec_column_open(cursor, count, &ret->column))
        return false;
    ret->scale = scale_of(pair);
    ret->positions = codec_take(cursor, ret->exception_count * 2);
    ret->exceptions = codec_take(cursor, ret->exception_count * 8);
    return !cursor->failed;
}

bool codec_alp_is_summed(const uint8_t *bytes, size_t size)
{
    return size > HEAD_BYTES && codec_column_is_summed(bytes[HEAD_BYTES]);
}

// Whether integers of at most 32 bits can be made doubles as they are unpacked.
static bool liftable(const struct codec_alp *alp)
{
    const struct codec_column *column = &alp->column;
    int64_t start = (int64_t)(column->order > 0 ? column->start : column->base);
    return codec_column_liftable(column) && start > -CODEC_INTEGER_MAX && start < CODEC_INTEGER_MAX;
}

bool codec_alp_addable(const struct codec_alp *alp)
{
    return liftable(alp) && alp->exception_count == 0 &&
           (alp->column.patch_count == 0 || alp->column.order > 0);
}

bool codec_check_positions(const uint8_t *positions, size_t count, size_t limit)
{
    size_t next = 0;
    for (size_t i = 0; i < count; i++) {
        size_t position = codec_load_u16(positions + i * 2);
        if (position < next || position >= limit)
            return false;
        next = position + 1;
    }
    return true;
}

size_t codec_find_position(const uint8_t *positions, size_t count, size_t position)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (codec_load_u16(positions + middle * 2) < position)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && codec_load_u16(positions + low * 2) == position ? low : count;
}

static bool read_lifted(struct taud_codec *codec, const struct codec_alp *alp, size_t from,
                        size_t to, double *out)
{
    const struct codec_column *column = &alp->column;
    size_t first = from / CODEC_LANES * CODEC_LANES;
    int64_t start;
    const uint32_t *items = codec_column_lift(codec, column, from, to, &start);
    if (items == NULL)
        return false;
    codec->kernels->alp_decode_narrow(items + first, (to - first + CODEC_LANES - 1) / CODEC_LANES,
                                      start, &alp->scale, out + first);
    for (size_t i = 0, next = 0; i < column->patch_count && column->order == 0; i++) {
        uint64_t item;
        if (!codec_next_patch(column, i, &next, &item))
            return false;
        out[next - 1] = value_of(&alp->scale, item);
    }
    return true;
}

bool codec_alp_read(struct taud_codec *codec, const struct codec_alp *alp, size_t from, size_t to,
                    double *out)
{
    size_t count = alp->column.count;
    if (!codec_check_positions(alp->positions, alp->exception_count, count))
        return false;
    if (liftable(alp)) {
        if (!read_lifted(codec, alp, from, to, out))
            return false;
    } else {
        if (!codec_column_read(codec, &alp->column, codec->integers))
            return false;
        codec->kernels->alp_decode_wide(codec->integers, (count + CODEC_LANES - 1) / CODEC_LANES,
                                        &alp->scale, out);
    }
    for (size_t i = 0; i < alp->exception_count; i++)
        taud_copy_words(out + codec_load_u16(alp->positions + i * 2), alp->exceptions + i * 8, 1);
    return true;
}

bool codec_alp_add(struct taud_codec *codec, const struct codec_alp *alp, size_t from, size_t to,
                   enum codec_wanted wanted, struct codec_lanes *lanes)
{
    int64_t start;
    const uint32_t *items = codec_column_lift(codec, &alp->column, from, to, &start);
    size_t at = from;
    if (items == NULL)
        return false;
    for (; at < to && at % CODEC_LANES != 0; at++)
        codec_lanes_add(lanes, at, value_of(&alp->scale, item_at(start, items[at])));
    size_t rows = (to - at) / CODEC_LANES;
    codec->kernels->sums->alp_add_narrow[wanted](items + at, rows, start, &alp->scale, lanes);
    for (at += rows * CODEC_LANES; at < to; at++)
        codec_lanes_add(lanes, at, value_of(&alp->scale, item_at(start, items[at])));
    return true;
}

const uint32_t *codec_alp_lift(struct taud_codec *codec, const struct codec_alp *alp, size_t from,
                               size_t to, int64_t *ret_start)
{
    return codec_column_lift(codec, &alp->column, from, to, ret_start);
}

bool codec_alp_at(struct taud_codec *codec, const struct codec_alp *alp, size_t index, double *ret)
{
    size_t exception = codec_find_position(alp->positions, alp->exception_count, index);
    uint64_t item;
    if (exception < alp->exception_count) {
        taud_copy_words(ret, alp->exceptions + exception * 8, 1);
        return true;
    }
    if (!codec_column_at(codec, &alp->column, index, &item) ||
        !in_range((double)(int64_t)item, (double)(int64_t)item))
        return false;
    *ret = value_of(&alp->scale, item);
    return true;
}
