// SPDX-License-Identifier: MIT
// Planning looks at the items in ascending order: for each width the base is best from which most
// of them are within reach, and what is not becomes a patch. That is done where a sample says that
// it pays, or thoroughly; a column is written after it is planned to the byte.
#include "column.h"

#include "packing.h"
#include "squeeze.h"

enum {
    FLAG_ORDER = 1,
    FLAG_DIVISOR = 2,
    FLAG_PATCHES = 4,
    FLAG_SQUEEZED = 8,
    FLAG_NARROW_SUMS = 16,
    FLAGS = 31,
    SAMPLES = 64,
    SQUEEZE_MIN = 64, // smaller columns are not worth a frame of zstd
    MARGIN = 8,       // it has to win one part in so many
    SUMMED_BITS = 22, // of items, of which 1,024 have a sum of 32 bits
    SKEWED_BITS = 6,  // of differences, above the lowest bits that look random
};

// --- planning ------------------------------------------------------------------------------------

static void measure(struct codec_column *column)
{
    size_t bytes = 2 + codec_variable_bytes(codec_zigzag(column->base));
    if (column->order > 0)
        bytes += codec_variable_bytes(codec_zigzag(column->start));
    if (column->divisor > 1)
        bytes += codec_variable_bytes(column->divisor) +
                 codec_variable_bytes(codec_zigzag(column->offset));
    if (column->patch_count > 0)
        bytes += 2 + codec_bit_bytes((size_t)column->patch_count *
                                     (CODEC_POSITION_BITS + (size_t)column->patch_width));
    if (column->squeezed)
        bytes += 3 + codec_packed_bytes(column->count, column->low_width) + column->squeezed_bytes;
    else
        bytes += codec_packed_bytes(column->count, column->width);
    column->bytes = bytes;
}

void codec_column_plan_plain(size_t count, uint8_t order, uint64_t first, int64_t low, int64_t high,
                             struct codec_column *ret)
{
    *ret = (struct codec_column){.count = (uint16_t)count,
                                 .order = order,
                                 .narrow_sums = order > 0,
                                 .base = (uint64_t)low,
                                 .start = order > 0 ? first - (uint64_t)low : 0,
                                 .width = codec_range_width(low, high),
                                 .divisor = 1};
    measure(ret);
}

// Ascending as signed integers: by bytes from the lowest, leaving out those in which all agree.
static const uint64_t *sort(struct taud_codec *codec, const uint64_t *items, size_t count,
                            int64_t low, int64_t high)
{
    uint64_t *from = codec->sorted, *to = codec->sorting;
    for (size_t i = 0; i < count; i++)
        from[i] = items[i] - (uint64_t)low;
    unsigned bits = codec_range_width(low, high);
    for (unsigned shift = 0; shift < bits; shift += 8) {
        uint16_t places[256] = {0};
        for (size_t i = 0; i < count; i++)
            places[from[i] >> shift & 255]++;
        for (size_t i = 0, place = 0; i < 256; i++) {
            size_t here = places[i];
            places[i] = (uint16_t)place;
            place += here;
        }
        for (size_t i = 0; i < count; i++)
            to[places[from[i] >> shift & 255]++] = from[i];
        uint64_t *swap = from;
        from = to;
        to = swap;
    }
    return from;
}

// Where in ascending items the window of 2^width begins that holds most of them.
static size_t best_window(const uint64_t *sorted, size_t count, unsigned width, size_t *ret_first)
{
    uint64_t reach = codec_mask(width);
    size_t best = 0, end = 0;
    for (size_t first = 0; first < count && count - first > best; first++) {
        while (end < count && sorted[end] - sorted[first] <= reach)
            end++;
        if (end - first > best) {
            best = end - first;
            *ret_first = first;
        }
    }
    return best;
}

// Tries narrower widths with patches for what they do not reach.
static void plan_patches(struct taud_codec *codec, const uint64_t *items, int64_t low, int64_t high,
                         struct codec_column *column)
{
    size_t count = column->count;
    const uint64_t *sorted = sort(codec, items, count, low, high);
    for (unsigned width = column->width; width-- > 0;) {
        struct codec_column trial = *column;
        size_t first = 0;
        size_t inside = best_window(sorted, count, width, &first), missed = count - inside;
        if (missed > CODEC_PATCHES_MAX)
            break;
        trial.base = sorted[first] + (uint64_t)low;
        if (trial.order > 0) {
            trial.start = column->start + column->base - trial.base;
            missed -= items[0] - trial.base > codec_mask(width); // it will be 0
        }
        trial.width = (uint8_t)width;
        uint64_t distances = 0;
        for (size_t i = 0; i < first; i++)
            distances |= codec_zigzag(sorted[i] - sorted[first]);
        for (size_t i = first + inside; i < count; i++)
            distances |= codec_zigzag(sorted[i] - sorted[first]);
        trial.patch_width = (uint8_t)codec_bits(distances);
        trial.patch_count = (uint16_t)missed;
        measure(&trial);
        if (trial.bytes < column->bytes)
            *column = trial;
    }
}

// Whether a few of the items lie so much closer together than `width` bits that patches may pay.
static bool has_outliers(const uint64_t *items, size_t count, unsigned width)
{
    size_t step = count < SAMPLES ? 1 : count / SAMPLES;
    int64_t low = (int64_t)items[0], high = low;
    for (size_t i = step; i < count; i += step) {
        int64_t item = (int64_t)items[i];
        low = item < low ? item : low;
        high = item > high ? item : high;
    }
    return codec_range_width(low, high) + 2U <= width;
}

// What is packed in an order: the items, or their differences in codec->residuals, the first of
// which may be anything and gets to be like the second.
static const uint64_t *packed_items(struct taud_codec *codec, const uint64_t *items, size_t count,
                                    uint8_t order)
{
    if (order == 0)
        return items;
    codec->kernels->differences(items, count, codec->residuals);
    codec->residuals[0] = count > 1 ? codec->residuals[1] : 0;
    return codec->residuals;
}

// The best way to store items as they are or as differences. Their extremes are needed for both.
static void plan_orders(struct taud_codec *codec, const uint64_t *items, size_t count,
                        bool thorough, struct codec_column orders[2])
{
    int64_t low, high;
    codec->kernels->range(items, count, &low, &high);
    bool narrow_sums = codec_range_width(low, high) < 31;
    for (uint8_t order = 0; order < 2; order++) {
        struct codec_column *column = &orders[order];
        const uint64_t *packed = packed_items(codec, items, count, order);
        if (order > 0)
            codec->kernels->range(packed, count, &low, &high);
        codec_column_plan_plain(count, order, items[0], low, high, column);
        column->narrow_sums = order > 0 && narrow_sums;
        if (column->width > 0 && (thorough || has_outliers(packed, count, column->width)))
            plan_patches(codec, packed, low, high, column);
    }
}

// --- what divides all items ----------------------------------------------------------------------

static uint64_t common_divisor(uint64_t a, uint64_t b)
{
    while (b != 0) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

// The common divisor of the distances of every so many items from the first; 0 of none.
static uint64_t divisor_of(const uint64_t *items, size_t count, size_t step)
{
    uint64_t divisor = 0;
    for (size_t i = step; i < count && divisor != 1; i += step) {
        uint64_t distance = items[i] - items[0];
        distance = distance >> 63 != 0 ? 0 - distance : distance;
        if (divisor == 0 || distance % divisor != 0)
            divisor = common_divisor(distance, divisor);
    }
    return divisor;
}

// Divides the distances from the first item. Division by an odd number is multiplication by its
// inverse modulo 2^64 where it leaves no rest, and gives something far too large where it does.
static bool divide_by(const uint64_t *items, size_t count, uint64_t divisor, uint64_t *out)
{
    unsigned shift = (unsigned)__builtin_ctzll(divisor);
    uint64_t odd = divisor >> shift, inverse = odd, wrong = 0;
    for (unsigned i = 0; i < 5; i++)
        inverse *= 2 - odd * inverse;
    uint64_t limit = (uint64_t)INT64_MAX / divisor + 1;
    for (size_t i = 0; i < count; i++) {
        uint64_t distance = items[i] - items[0];
        uint64_t quotient = (uint64_t)((int64_t)distance >> shift) * inverse;
        wrong |= (distance & ((UINT64_C(1) << shift) - 1)) | (quotient + limit > 2 * limit);
        out[i] = quotient;
    }
    return wrong == 0;
}

// Divides items by what they have in common: item = offset + divisor * y. A divisor that holds for
// a sample is tried on all, and where it does not hold there is none: only with time to spend are
// all looked at.
static void divide(struct taud_codec *codec, uint64_t *items, size_t count, bool thorough,
                   uint64_t *divisor, uint64_t *offset)
{
    size_t step = thorough || count < SAMPLES ? 1 : count / SAMPLES;
    uint64_t found = divisor_of(items, count, step);
    if (found <= 1 || found > INT64_MAX || !divide_by(items, count, found, codec->sorting))
        return;
    *divisor = found;
    *offset = items[0];
    memcpy(items, codec->sorting, count * sizeof *items);
}

// --- writing -------------------------------------------------------------------------------------

uint8_t *codec_column_write_head(const struct codec_column *column, uint8_t *out)
{
    *out++ =
        (uint8_t)((column->order > 0 ? FLAG_ORDER : 0) | (column->divisor > 1 ? FLAG_DIVISOR : 0) |
                  (column->patch_count > 0 ? FLAG_PATCHES : 0) |
                  (column->squeezed ? FLAG_SQUEEZED : 0) |
                  (column->narrow_sums ? FLAG_NARROW_SUMS : 0));
    *out++ = column->width;
    out = codec_put_variable(out, codec_zigzag(column->base));
    if (column->order > 0)
        out = codec_put_variable(out, codec_zigzag(column->start));
    if (column->divisor > 1) {
        out = codec_put_variable(out, column->divisor);
        out = codec_put_variable(out, codec_zigzag(column->offset));
    }
    if (column->patch_count > 0) {
        *out++ = (uint8_t)column->patch_count;
        *out++ = column->patch_width;
    }
    if (column->squeezed) {
        *out++ = column->low_width;
        codec_store_u16(out, column->squeezed_bytes);
        out += 2;
    }
    return out;
}

static uint8_t *write_packed(struct taud_codec *codec, const uint64_t *items,
                             const struct codec_column *column, uint8_t *out)
{
    const uint64_t *packed = packed_items(codec, items, column->count, column->order);
    uint8_t *body = codec_column_write_head(column, out);
    uint8_t *patches = body + codec_packed_bytes(column->count, column->width);
    unsigned bits = CODEC_POSITION_BITS + column->patch_width;
    uint8_t *end = patches + codec_bit_bytes((size_t)column->patch_count * bits);
    uint64_t mask = codec_mask(column->width);
    memset(patches, 0, (size_t)(end - patches));
    for (size_t i = 0; i < column->count; i++)
        codec->sorted[i] = packed[i] - column->base;
    if (column->order > 0)
        codec->sorted[0] = 0;
    for (size_t i = 0, patch = 0; i < column->count && column->patch_count > 0; i++) {
        uint64_t distance = codec->sorted[i];
        if (distance > mask) {
            codec->sorted[i] = 0;
            codec_put_bits(patches, patch * bits, CODEC_POSITION_BITS, i);
            codec_put_bits(patches, patch * bits + CODEC_POSITION_BITS, column->patch_width,
                           codec_zigzag(distance));
            patch++;
        }
    }
    codec_pack(codec, codec->sorted, column->count, column->width, body);
    return end;
}

// What zstd may be given of a column, taken from its base: the lowest bits look random and are
// packed, the rest is squeezed.
struct split {
    uint8_t low_width;
    enum codec_repetition repetition;
};

// Tries zstd over the bytes above the lowest bits of what a plain column packs, and writes it over
// what is there when it is smaller than `limit`. Returns the new size, or 0.
static size_t write_squeezed(struct taud_codec *codec, const uint64_t *items, struct split split,
                             size_t limit, struct codec_column *column, uint8_t *out)
{
    int64_t low, high;
    size_t count = column->count;
    const uint64_t *packed = packed_items(codec, items, count, column->order);
    codec->kernels->range(packed, count, &low, &high);
    if (column->order > 0)
        column->start = items[0] - (uint64_t)low;
    column->base = (uint64_t)low;
    column->width = codec_range_width(low, high);
    column->low_width = split.low_width;
    column->patch_count = 0;
    column->squeezed = true;
    size_t item_bytes = codec_bit_bytes((size_t)column->width - split.low_width);
    for (size_t i = 0; i < count; i++)
        codec->sorted[i] = i == 0 && column->order > 0 ? 0 : packed[i] - column->base;
    for (size_t i = 0; i < count; i++)
        codec->sorting[i] = codec->sorted[i] >> split.low_width;
    codec_split_planes(codec->sorting, count, item_bytes, codec->planes);
    size_t size = codec_squeeze(codec, split.repetition, codec->planes, count * item_bytes,
                                codec->squeezed, sizeof codec->squeezed);
    column->squeezed_bytes = (uint16_t)size;
    measure(column);
    if (size == 0 || column->bytes >= limit)
        return 0;
    for (size_t i = 0; i < count; i++)
        codec->sorted[i] &= codec_mask(split.low_width);
    out = codec_column_write_head(column, out);
    codec_pack(codec, codec->sorted, count, split.low_width, out);
    memcpy(out + codec_packed_bytes(count, split.low_width), codec->squeezed, size);
    return column->bytes;
}

// Whole bytes, which may repeat, and skewed numbers of few bits.
static size_t squeeze_smallest(struct taud_codec *codec, const uint64_t *items, size_t size,
                               struct codec_column *column, uint8_t *out)
{
    unsigned width = column->width;
    if (column->patch_count > 0) {
        int64_t low, high;
        codec->kernels->range(packed_items(codec, items, column->count, column->order),
                              column->count, &low, &high);
        width = codec_range_width(low, high);
    }
    const struct split splits[] = {
        {0, CODEC_REPEATS},
        {width > SKEWED_BITS && width < 64 ? (uint8_t)(width - SKEWED_BITS) : 0, CODEC_SKEWED}};
    size_t limit = size - size / MARGIN;
    for (size_t i = 0; i < sizeof splits / sizeof splits[0] && width > 0; i++) {
        size_t squeezed = write_squeezed(codec, items, splits[i], limit, column, out);
        if (squeezed != 0)
            size = limit = squeezed;
    }
    return size;
}

size_t codec_column_encode(struct taud_codec *codec, uint64_t *items, size_t count, bool divides,
                           enum taud_codec_effort effort, uint8_t *out)
{
    struct codec_column orders[2], *best = orders;
    uint64_t divisor = 1, offset = 0;
    bool thorough = effort != TAUD_EFFORT_FAST;
    if (divides)
        divide(codec, items, count, thorough, &divisor, &offset);
    plan_orders(codec, items, count, thorough, orders);
    for (unsigned order = 0; order < 2; order++) {
        orders[order].divisor = divisor;
        orders[order].offset = offset;
    }
    if (orders[1].bytes < best->bytes)
        best = &orders[1];
    size_t size = (size_t)(write_packed(codec, items, best, out) - out);
    if (effort != TAUD_EFFORT_BEST || size < SQUEEZE_MIN)
        return size;
    return squeeze_smallest(codec, items, size, best, out);
}

// --- reading -------------------------------------------------------------------------------------

bool codec_column_open(struct codec_cursor *cursor, size_t count, struct codec_column *ret)
{
    unsigned flags = codec_take_u8(cursor);
    *ret = (struct codec_column){
        .count = (uint16_t)count, .width = codec_take_u8(cursor), .divisor = 1};
    ret->order = (flags & FLAG_ORDER) != 0;
    ret->squeezed = (flags & FLAG_SQUEEZED) != 0;
    ret->narrow_sums = (flags & FLAG_NARROW_SUMS) != 0;
    ret->base = codec_unzigzag(codec_take_variable(cursor));
    if (ret->order > 0)
        ret->start = codec_unzigzag(codec_take_variable(cursor));
    if ((flags & FLAG_DIVISOR) != 0) {
        ret->divisor = codec_take_variable(cursor);
        ret->offset = codec_unzigzag(codec_take_variable(cursor));
    }
    if ((flags & FLAG_PATCHES) != 0) {
        ret->patch_count = codec_take_u8(cursor);
        ret->patch_width = codec_take_u8(cursor);
    }
    if (ret->squeezed) {
        ret->low_width = codec_take_u8(cursor);
        ret->squeezed_bytes = codec_take_u16(cursor);
    }
    if (flags > FLAGS || ret->width > 64 || ret->patch_width > 64 || cursor->failed ||
        (ret->squeezed && ret->low_width >= ret->width))
        return false;
    size_t packed = codec_packed_bytes(count, ret->squeezed ? ret->low_width : ret->width);
    ret->body = codec_take(cursor, packed + ret->squeezed_bytes);
    ret->patches =
        codec_take(cursor, codec_bit_bytes((size_t)ret->patch_count *
                                           (CODEC_POSITION_BITS + (size_t)ret->patch_width)));
    return !cursor->failed;
}

static bool read_squeezed(struct taud_codec *codec, const struct codec_column *column,
                          uint64_t *out)
{
    size_t item_bytes = codec_bit_bytes((size_t)column->width - column->low_width);
    const uint8_t *frame = column->body + codec_packed_bytes(column->count, column->low_width);
    if (!codec_unsqueeze(codec, frame, column->squeezed_bytes, codec->planes,
                         column->count * item_bytes))
        return false;
    codec_unpack(codec, column->body, column->count, column->low_width, column->base, out);
    codec->kernels->join_planes(codec->planes, column->count, item_bytes, codec->sorted);
    for (size_t i = 0; i < column->count; i++)
        out[i] += codec->sorted[i] << column->low_width;
    return true;
}

// Items from their differences, in place.
static void add_up(const struct codec_column *column, uint64_t *items)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < column->count; i++) {
        sum += items[i];
        items[i] = column->start + (column->narrow_sums ? (uint64_t)(int64_t)(int32_t)sum : sum);
    }
}

bool codec_column_liftable(const struct codec_column *column)
{
    return !column->squeezed && column->divisor == 1 && column->width <= 32 &&
           (column->order == 0 || column->narrow_sums);
}

// Differences whose sums are narrow, the first `to` of them, to codec->narrow.
static bool lift_steps(struct taud_codec *codec, const struct codec_column *column, size_t to)
{
    codec_unpack_narrow(codec, column->body, column->count, column->width, (uint32_t)column->base,
                        0, to, codec->narrow);
    for (size_t i = 0, next = 0; i < column->patch_count && next < to; i++) {
        uint64_t item;
        if (!codec_next_patch(column, i, &next, &item))
            return false;
        codec->narrow[next - 1] = (uint32_t)item;
    }
    return true;
}

// The same added up from `start` on, to codec->sums.
static bool lift_sums(struct taud_codec *codec, const struct codec_column *column, uint32_t start,
                      size_t to)
{
    if (!lift_steps(codec, column, to))
        return false;
    codec->kernels->add_up_narrow(codec->narrow, (to + CODEC_LANES - 1) / CODEC_LANES, start,
                                  codec->sums);
    return true;
}

// Whether all items are of 32 bits, whatever is packed: those of order 0 as they are; or start and
// all sums of differences, of which none is patched.
static bool near(const struct codec_column *column)
{
    const int64_t step_max = INT64_C(1) << 20, start_max = INT64_C(1) << 30;
    int64_t low = (int64_t)column->base, start = (int64_t)column->start;
    int64_t reach = (int64_t)codec_mask(column->width);
    if (column->order == 0)
        return low >= INT32_MIN && low <= INT32_MAX - reach;
    return column->patch_count == 0 && low >= -step_max && low <= step_max - reach &&
           start >= -start_max && start < start_max;
}

const uint32_t *codec_column_lift(struct taud_codec *codec, const struct codec_column *column,
                                  size_t from, size_t to, int64_t *ret_start)
{
    uint64_t start = column->order > 0 ? column->start : column->base;
    uint32_t folded = 0;
    if (near(column)) {
        folded = (uint32_t)start;
        start = 0;
    } else if (column->order == 0 && column->width == 32) { // beyond what a signed number holds
        folded = UINT32_C(1) << 31;
        start += folded;
    }
    *ret_start = (int64_t)start;
    if (column->order > 0)
        return lift_sums(codec, column, folded, to) ? codec->sums : NULL;
    codec_unpack_narrow(codec, column->body, column->count, column->width, folded,
                        from / CODEC_BLOCK, to, codec->narrow);
    return codec->narrow;
}

static uint64_t magnitude(uint64_t item)
{
    return (int64_t)item < 0 ? 0 - item : item;
}

uint64_t codec_column_spread(const struct codec_column *column)
{
    uint64_t reach = codec_mask(column->width), low = column->base, high = low + reach, item;
    if (!codec_column_liftable(column))
        return UINT64_MAX;
    if (column->order == 0)
        return column->patch_count == 0 ? reach : UINT64_MAX;
    uint64_t step = magnitude(low) > magnitude(high) ? magnitude(low) : magnitude(high);
    for (size_t i = 0; i < column->patch_count; i++) {
        codec_patch(column, i, &item);
        step = magnitude(item) > step ? magnitude(item) : step;
    }
    return step <= UINT32_MAX ? step * column->count : UINT64_MAX;
}

bool codec_column_moments(struct taud_codec *codec, const struct codec_column *column,
                          int64_t *ret_origin, struct codec_moments *ret)
{
    const struct codec_sum_kernels *sums = codec->kernels->sums;
    *ret = (struct codec_moments){0, 0};
    if (column->order == 0) {
        codec_unpack_narrow(codec, column->body, column->count, column->width, 0, 0, column->count,
                            codec->narrow);
        *ret_origin = (int64_t)column->base;
        sums->moments(codec->narrow, column->count, 0, ret);
        return true;
    }
    if (!lift_steps(codec, column, column->count))
        return false;
    *ret_origin = (int64_t)(column->start + (uint64_t)(int64_t)(int32_t)codec->narrow[0]);
    sums->step_moments(codec->narrow, column->count, ret);
    return true;
}

// What is packed, patched, to its places in `out`.
static bool read_packed(struct taud_codec *codec, const struct codec_column *column, uint64_t *out)
{
    if (column->squeezed) {
        if (!read_squeezed(codec, column, out))
            return false;
    } else {
        codec_unpack(codec, column->body, column->count, column->width, column->base, out);
    }
    for (size_t i = 0, next = 0; i < column->patch_count; i++) {
        uint64_t item;
        if (!codec_next_patch(column, i, &next, &item))
            return false;
        out[next - 1] = item;
    }
    return true;
}

bool codec_column_read(struct taud_codec *codec, const struct codec_column *column, uint64_t *out)
{
    if (column->order > 0 && column->narrow_sums && column->width <= 32 && !column->squeezed) {
        if (!lift_sums(codec, column, 0, column->count))
            return false;
        codec->kernels->widen_signed(codec->sums, column->count, column->start, out);
    } else {
        if (!read_packed(codec, column, out))
            return false;
        if (column->order > 0)
            add_up(column, out);
    }
    for (size_t i = 0; i < column->count && column->divisor != 1; i++)
        out[i] = column->offset + column->divisor * out[i];
    return true;
}

// The sum of the differences up to one of them, where such sums are narrow. A patch counts in place
// of what is packed there.
static bool sum_at(struct taud_codec *codec, const struct codec_column *column, size_t index,
                   uint64_t *ret)
{
    const uint32_t base = (uint32_t)column->base;
    uint32_t sum =
        codec_packed_sum(codec, column->body, column->count, column->width, index + 1) +
        base * (uint32_t)(index + 1);
    for (size_t i = 0, next = 0; i < column->patch_count && next <= index; i++) {
        uint64_t item;
        if (!codec_next_patch(column, i, &next, &item))
            return false;
        if (next <= index + 1)
            sum += (uint32_t)item - base -
                   (uint32_t)codec_packed_at(column->body, column->count, column->width, next - 1);
    }
    *ret = column->start + (uint64_t)(int64_t)(int32_t)sum;
    return true;
}

static uint64_t item_at(const struct codec_column *column, size_t index)
{
    uint64_t item;
    for (size_t i = 0; i < column->patch_count; i++)
        if (codec_patch(column, i, &item) == index)
            return item;
    return column->base + codec_packed_at(column->body, column->count, column->width, index);
}

bool codec_column_at(struct taud_codec *codec, const struct codec_column *column, size_t index,
                     uint64_t *ret)
{
    uint64_t item;
    if (column->squeezed)
        return false;
    if (column->order == 0)
        item = item_at(column, index);
    else if (!column->narrow_sums || column->width > 32 || !sum_at(codec, column, index, &item))
        return false;
    *ret = column->divisor == 1 ? item : column->offset + column->divisor * item;
    return true;
}

bool codec_column_is_summed(uint8_t flags)
{
    return (flags & FLAG_ORDER) != 0;
}

// Small items are added up as they are packed; what all of them have more is a number of even
// steps.
static bool sums_are_small(const struct codec_column *column)
{
    return column->order == 0 && !column->squeezed && column->patch_count == 0 &&
           column->width <= SUMMED_BITS;
}

// The even step.
static uint64_t least_step(const struct codec_column *column)
{
    return column->offset + column->divisor * column->base;
}

bool codec_column_walk(struct taud_codec *codec, const struct codec_column *column, uint64_t first,
                       uint64_t *out)
{
    size_t count = column->count;
    if (sums_are_small(column)) {
        codec_unpack_narrow(codec, column->body, count, column->width, 0, 0, count, codec->narrow);
        codec->kernels->add_up_narrow(codec->narrow, (count + CODEC_LANES - 1) / CODEC_LANES, 0,
                                      codec->sums);
        codec->kernels->spread(codec->sums, count, first - codec->sums[0] * column->divisor,
                               least_step(column), column->divisor, out);
        return true;
    }
    if (!codec_column_read(codec, column, out))
        return false;
    out[0] = first;
    for (size_t i = 1; i < count; i++)
        out[i] += out[i - 1];
    return true;
}

// The even steps and what is packed get half of the room each.
bool codec_column_climbs(const struct codec_column *column, uint64_t room)
{
    uint64_t step = least_step(column);
    return sums_are_small(column) && step > 0 && step <= room / 2 / CODEC_POINTS &&
           column->divisor <= room / 2 >> 32;
}

// The first of places `low` to `high` that is so far; `high` is.
static uint32_t search_sums(const struct codec_column *column, const uint32_t *sums, uint32_t low,
                            uint32_t high, uint64_t distance, uint64_t *ret_distance)
{
    uint64_t step = least_step(column);
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (step * middle + column->divisor * sums[middle] < distance)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_distance = step * low + column->divisor * sums[low];
    return low;
}

// Block by block, up to that in which the place is.
uint32_t codec_column_reach(struct taud_codec *codec, const struct codec_column *column,
                            uint64_t distance, uint64_t *ret_distance)
{
    uint32_t count = column->count, passed = 0;
    uint64_t step = least_step(column);
    for (uint32_t from = 0; from < count; from += CODEC_BLOCK) {
        uint32_t to = count - from < CODEC_BLOCK ? count : from + CODEC_BLOCK;
        codec_unpack_narrow(codec, column->body, count, column->width, 0, from / CODEC_BLOCK, to,
                            codec->narrow);
        codec->narrow[from] = from == 0 ? 0 : codec->narrow[from] + passed;
        codec->kernels->add_up_narrow(codec->narrow + from,
                                      (to - from + CODEC_LANES - 1) / CODEC_LANES, 0,
                                      codec->sums + from);
        passed = codec->sums[to - 1];
        if (step * (to - 1) + column->divisor * passed >= distance)
            return search_sums(column, codec->sums, from, to - 1, distance, ret_distance);
    }
    *ret_distance = 0;
    return count;
}
