// SPDX-License-Identifier: MIT
// The arithmetic of buckets. Distances between timestamps are unsigned, for they may be as long as
// all of time; sums that leave 64 bits are avoided or known to come back.
#include "plan.h"

#include <assert.h>
#include <string.h>

struct demand {
    unsigned needs, parts;
};

static struct demand demand_of(enum taud_aggregate_function function)
{
    enum {
        VALUES = TAUD_AGGREGATE_NEEDS_VALUES,
        TIMESTAMPS = TAUD_AGGREGATE_NEEDS_TIMESTAMPS,
        ORDER = TAUD_AGGREGATE_NEEDS_ORDER,
        SUM = TAUD_AGGREGATE_PART_SUM,
        EXTREMES = TAUD_AGGREGATE_PART_EXTREMES,
        DEVIATION = TAUD_AGGREGATE_PART_DEVIATION,
        SKETCH = TAUD_AGGREGATE_PART_SKETCH,
        HELD = TAUD_AGGREGATE_PART_HELD,
        COUNTER = TAUD_AGGREGATE_PART_COUNTER,
    };
    static const struct demand demands[TAUD_AGGREGATE_FUNCTIONS] = {
        [TAUD_AGGREGATE_COUNT] = {0, 0},
        [TAUD_AGGREGATE_SUM] = {0, SUM},
        [TAUD_AGGREGATE_MIN] = {0, EXTREMES},
        [TAUD_AGGREGATE_MAX] = {0, EXTREMES},
        [TAUD_AGGREGATE_MEAN] = {0, SUM},
        [TAUD_AGGREGATE_FIRST] = {0, 0},
        [TAUD_AGGREGATE_LAST] = {0, 0},
        [TAUD_AGGREGATE_STDDEV] = {VALUES, SUM | DEVIATION},
        [TAUD_AGGREGATE_STDDEV_POPULATION] = {VALUES, SUM | DEVIATION},
        [TAUD_AGGREGATE_QUANTILE] = {VALUES, SKETCH},
        [TAUD_AGGREGATE_TIME_WEIGHTED_AVERAGE] = {VALUES | TIMESTAMPS | ORDER, SUM | HELD},
        [TAUD_AGGREGATE_RATE] = {VALUES | ORDER, COUNTER},
        [TAUD_AGGREGATE_INCREASE] = {VALUES | ORDER, COUNTER},
    };
    return demands[function];
}

unsigned taud_aggregate_needs(const struct taud_aggregate_column *columns, size_t count)
{
    unsigned needs = 0;
    for (size_t i = 0; i < count; i++)
        needs |= demand_of(columns[i].function).needs;
    return needs;
}

bool taud_aggregate_folds(const struct taud_aggregate_plan *plan)
{
    return (plan->needs & (TAUD_AGGREGATE_NEEDS_TIMESTAMPS | TAUD_AGGREGATE_NEEDS_ORDER)) == 0 &&
           (plan->parts & TAUD_AGGREGATE_PART_SKETCH) == 0;
}

static uint64_t distance(int64_t from, int64_t to)
{
    return (uint64_t)to - (uint64_t)from;
}

uint64_t taud_aggregate_phase(int64_t instant, int64_t origin, uint64_t width)
{
    if (instant >= origin)
        return distance(origin, instant) % width;
    uint64_t before = distance(instant, origin) % width;
    return before > 0 ? width - before : 0;
}

// (distance + phase) / width; the sum may have 65 bits.
static uint64_t number_of(uint64_t ahead, uint64_t phase, uint64_t width)
{
    return ahead / width + (ahead % width >= width - phase);
}

static bool known(const struct taud_aggregate_column *column)
{
    if ((unsigned)column->function >= TAUD_AGGREGATE_FUNCTIONS)
        return false;
    return column->function != TAUD_AGGREGATE_QUANTILE ||
           (column->parameter >= 0 && column->parameter <= 1);
}

enum tau_status taud_aggregate_plan_init(struct taud_aggregate_plan *plan,
                                         const struct taud_aggregate_options *options)
{
    memset(plan, 0, sizeof *plan);
    if (options->column_count == 0 || (unsigned)options->fill >= TAUD_AGGREGATE_FILLS)
        return TAU_STATUS_INVALID_ARGUMENT;
    if (options->column_count > TAUD_AGGREGATE_COLUMNS_MAX)
        return TAU_STATUS_LIMIT_EXCEEDED;
    for (size_t i = 0; i < options->column_count; i++) {
        if (!known(&options->columns[i]))
            return TAU_STATUS_INVALID_ARGUMENT;
        plan->columns[i] = options->columns[i];
        plan->parts |= demand_of(options->columns[i].function).parts;
    }
    plan->column_count = options->column_count;
    plan->needs = taud_aggregate_needs(plan->columns, plan->column_count);
    plan->fill = options->fill;
    plan->fill_value = options->fill_value;
    plan->from = options->from;
    plan->to = options->to;
    plan->width = options->width;
    plan->phase =
        plan->width > 0 ? taud_aggregate_phase(plan->from, options->origin, plan->width) : 0;
    if (plan->from > plan->to)
        return TAU_STATUS_SUCCESS;
    uint64_t last = 0;
    if (plan->width > 0)
        last = number_of(distance(plan->from, plan->to), plan->phase, plan->width);
    if (last >= TAUD_AGGREGATE_BUCKETS_MAX)
        return TAU_STATUS_LIMIT_EXCEEDED;
    plan->bucket_count = (uint32_t)last + 1;
    return TAU_STATUS_SUCCESS;
}

uint32_t taud_aggregate_bucket_of(const struct taud_aggregate_plan *plan, int64_t timestamp)
{
    assert(timestamp >= plan->from && timestamp <= plan->to);
    if (plan->width == 0)
        return 0;
    return (uint32_t)number_of(distance(plan->from, timestamp), plan->phase, plan->width);
}

// Of a bucket behind the first: it lies in from..to, so that what leaves 64 bits here comes back.
static int64_t start_of(const struct taud_aggregate_plan *plan, uint32_t bucket)
{
    return (int64_t)((uint64_t)plan->from - plan->phase + bucket * plan->width);
}

int64_t taud_aggregate_bucket_start(const struct taud_aggregate_plan *plan, uint32_t bucket)
{
    assert(bucket < plan->bucket_count);
    if (bucket == 0 && distance(INT64_MIN, plan->from) < plan->phase)
        return INT64_MIN;
    return start_of(plan, bucket);
}

int64_t taud_aggregate_bucket_first_instant(const struct taud_aggregate_plan *plan, uint32_t bucket)
{
    assert(bucket < plan->bucket_count);
    return bucket == 0 ? plan->from : start_of(plan, bucket);
}

int64_t taud_aggregate_bucket_last_instant(const struct taud_aggregate_plan *plan, uint32_t bucket)
{
    assert(bucket < plan->bucket_count);
    return bucket + 1 == plan->bucket_count ? plan->to : start_of(plan, bucket + 1) - 1;
}

bool taud_aggregate_fits(const struct taud_aggregate_plan *plan, int64_t first, int64_t last)
{
    return first >= plan->from && last <= plan->to &&
           last <= taud_aggregate_bucket_last_instant(plan, taud_aggregate_bucket_of(plan, first));
}
