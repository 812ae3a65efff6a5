// SPDX-License-Identifier: MIT
// Values are lifted once; then each part goes through the kernels in whole rows of lanes from its
// first value on, and what is left one by one: the sums have the bits of those of a column with the
// same values, wherever in a chunk they are. The deviation of decimals comes from the exact moments
// of their integers. That of others takes a second pass around their mean, by which what is wrong
// in the mean itself is known (the corrected two-pass algorithm; Chan, Golub, LeVeque, "Algorithms
// for Computing the Sample Variance", 1983).
#include "fold.h"

#include "values.h"

#include <assert.h>
#include <math.h>

__extension__ typedef unsigned __int128 wide;

static double value_at(const struct codec_lifted *lifted, size_t index)
{
    if (lifted->values)
        return lifted->values[index];
    int64_t integer = lifted->start + (int32_t)lifted->items[index];
    return (double)integer * lifted->scale.factor * lifted->scale.fraction;
}

// --- sums ----------------------------------------------------------------------------------------

static void add_rows(struct taud_codec *codec, const struct codec_lifted *lifted, size_t first,
                     size_t rows, enum codec_wanted wanted, struct codec_lanes *lanes)
{
    if (lifted->values)
        codec->kernels->sums->add[wanted](lifted->values + first, rows, lanes);
    else
        codec->kernels->sums->alp_add_narrow[wanted](lifted->items + first, rows, lifted->start,
                                                     &lifted->scale, lanes);
}

static void add_up(struct taud_codec *codec, const struct codec_lifted *lifted,
                   enum codec_wanted wanted, struct taud_chunk_part *part)
{
    struct taud_chunk_summary *summary = &part->summary;
    struct codec_lanes lanes;
    size_t rows = (part->to - part->from) / CODEC_LANES;
    codec_lanes_init(&lanes);
    add_rows(codec, lifted, part->from, rows, wanted, &lanes);
    for (size_t i = part->from + rows * CODEC_LANES; i < part->to; i++)
        codec_lanes_add(&lanes, i - part->from, value_at(lifted, i));
    summary->count = part->to - part->from;
    summary->number_count = (uint32_t)lanes.count;
    summary->first = value_at(lifted, part->from);
    summary->last = value_at(lifted, part->to - 1);
    summary->low = wanted == CODEC_EXTREMES ? codec_lanes_low(&lanes) : NAN;
    summary->high = wanted == CODEC_EXTREMES ? codec_lanes_high(&lanes) : NAN;
    summary->sum = codec_lanes_join(lanes.sum);
}

// --- deviations ----------------------------------------------------------------------------------

static void add_distance(struct codec_distances *distances, size_t index, double distance)
{
    distances->sum[index % CODEC_LANES] += distance;
    distances->squares[index % CODEC_LANES] += distance * distance;
}

static void distance_rows(struct taud_codec *codec, const struct codec_lifted *lifted, size_t first,
                          size_t rows, double mean, struct codec_distances *distances)
{
    if (lifted->values)
        codec->kernels->sums->distances(lifted->values + first, rows, mean, distances);
    else
        codec->kernels->sums->alp_distances(lifted->items + first, rows, lifted->start,
                                            &lifted->scale, mean, distances);
}

// That of integers by their moments, which lie around `origin`. Values are such integers scaled,
// and by two roundings no more than 2^-52 of themselves beside that. Where none is further from
// zero than 2^20 of their standard deviations, that is less than 2^-31 of the deviation; where
// integers are not divided there is no rounding. False elsewhere.
static bool deviate_exactly(const struct codec_moments *moments, const struct codec_lifted *lifted,
                            int64_t origin, size_t count, double *ret)
{
    uint64_t sum = moments->sum < 0 ? 0 - (uint64_t)moments->sum : (uint64_t)moments->sum;
    double spread = (double)((wide)moments->squares * count - (wide)sum * sum);
    double limit = (fabs((double)origin) + (double)lifted->spread) * 0x1p-20 * (double)count;
    double unit = lifted->scale.factor * lifted->scale.fraction;
    if (lifted->scale.fraction < 1 && spread > 0 && spread < limit * limit)
        return false;
    *ret = spread / (double)count * unit * unit;
    return true;
}

// Of values `from` to `to` - 1. A NaN among them makes it one.
static double deviate(struct taud_codec *codec, const struct codec_lifted *lifted, size_t from,
                      size_t to, double mean)
{
    struct codec_distances distances = {{0}, {0}};
    struct codec_moments moments = {0, 0};
    double exact;
    if (!lifted->values && lifted->spread < CODEC_MOMENT_LIMIT) {
        const uint32_t *items = lifted->items + from;
        codec->kernels->sums->moments(items, to - from, *items, &moments);
        if (deviate_exactly(&moments, lifted, lifted->start + (int32_t)*items, to - from, &exact))
            return exact;
    }
    size_t rows = (to - from) / CODEC_LANES;
    distance_rows(codec, lifted, from, rows, mean, &distances);
    for (size_t i = from + rows * CODEC_LANES; i < to; i++)
        add_distance(&distances, i - from, value_at(lifted, i) - mean);
    double left = codec_lanes_join(distances.sum);
    double deviation = codec_lanes_join(distances.squares) - left * left / (double)(to - from);
    return deviation < 0 ? 0 : deviation;
}

// --- for callers ---------------------------------------------------------------------------------

bool codec_fold_parts(struct taud_codec *codec, const struct taud_chunk *chunk, unsigned wanted,
                      struct taud_chunk_part *parts, uint32_t part_count)
{
    enum codec_wanted sums = (wanted & TAUD_FOLD_EXTREMES) != 0 ? CODEC_EXTREMES : CODEC_SUM;
    struct codec_lifted lifted;
    if (!codec_values_lift(codec, chunk, parts[0].from, parts[part_count - 1].to, &lifted))
        return false;
    for (uint32_t i = 0; i < part_count; i++) {
        struct taud_chunk_part *part = &parts[i];
        assert(part->from < part->to && (i == 0 || part->from >= parts[i - 1].to));
        add_up(codec, &lifted, sums, part);
        part->deviation = NAN;
        if ((wanted & TAUD_FOLD_DEVIATION) != 0 &&
            part->summary.number_count == part->summary.count)
            part->deviation = deviate(codec, &lifted, part->from, part->to,
                                      part->summary.sum / part->summary.count);
    }
    return true;
}

bool codec_fold_deviation(struct taud_codec *codec, const struct taud_chunk *chunk, double mean,
                          double *ret)
{
    struct codec_lifted lifted;
    struct codec_moments moments;
    if (codec_values_moments(codec, chunk, &lifted, &moments) &&
        deviate_exactly(&moments, &lifted, lifted.start, chunk->count, ret))
        return true;
    if (!codec_values_lift(codec, chunk, 0, chunk->count, &lifted))
        return false;
    *ret = deviate(codec, &lifted, 0, chunk->count, mean);
    return true;
}
