// SPDX-License-Identifier: MIT
// Values that are kept, then cells that count. The number of a cell is the exponent of a value and
// the first bits of its fraction; at level L the last L bits of that are cut off.
#include "sketch.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum {
    FIRST_CAPACITY = 16,
    FRACTION_BITS = 52,
    CELL_BITS = 7,               // of the fraction
    WHOLE_LEVEL = CELL_BITS + 1, // two powers of two in a cell: both signs fit
    ROUNDING = 32,               // cells are made in such numbers
};

#define SIGN_BIT     (UINT64_C(1) << 63)
#define LEAST_NORMAL (UINT64_C(1) << FRACTION_BITS)
#define INFINITE     (UINT64_C(0x7ff) << FRACTION_BITS)

// The outermost cells of one sign, where there is one.
struct bounds {
    bool any;
    uint32_t low, high;
};

static uint64_t bits_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

void taud_sketch_init(struct taud_sketch *sketch)
{
    memset(sketch, 0, sizeof *sketch);
    sketch->min = INFINITY;
    sketch->max = -INFINITY;
}

static void give_values(struct taud_sketch *sketch, struct taud_aggregate_memory *memory)
{
    taud_aggregate_give(memory, sketch->values, sketch->capacity * sizeof *sketch->values);
    sketch->values = NULL;
    sketch->capacity = 0;
}

void taud_sketch_done(struct taud_sketch *sketch, struct taud_aggregate_memory *memory)
{
    give_values(sketch, memory);
    for (unsigned sign = 0; sign < 2; sign++) {
        struct taud_sketch_cells *cells = &sketch->cells[sign];
        taud_aggregate_give(memory, cells->counts, cells->size * sizeof *cells->counts);
    }
    taud_sketch_init(sketch);
}

// --- room for cells ---------------------------------------------------------------------------

static struct bounds bounds_of(const struct taud_sketch_cells *cells, uint32_t raise)
{
    uint32_t low = 0, high = cells->size;
    while (low < high && cells->counts[low] == 0)
        low++;
    while (high > low && cells->counts[high - 1] == 0)
        high--;
    if (low == high)
        return (struct bounds){0};
    return (struct bounds){true, (cells->base + low) >> raise, (cells->base + high - 1) >> raise};
}

static struct bounds join_bounds(struct bounds one, struct bounds other)
{
    if (!one.any || !other.any)
        return one.any ? one : other;
    return (struct bounds){true, one.low < other.low ? one.low : other.low,
                           one.high > other.high ? one.high : other.high};
}

static uint32_t span_of(struct bounds bounds, uint32_t raise)
{
    return bounds.any ? (bounds.high >> raise) - (bounds.low >> raise) + 1 : 0;
}

// Adds the counts of cells whose numbers lose `raise` bits.
static void pour(struct taud_sketch_cells *into, const struct taud_sketch_cells *from,
                 uint32_t raise)
{
    for (uint32_t i = 0; i < from->size; i++) {
        if (from->counts[i] > 0)
            into->counts[((from->base + i) >> raise) - into->base] += from->counts[i];
    }
}

static bool holds(const struct taud_sketch_cells *cells, struct bounds bounds)
{
    return cells->size > 0 && bounds.low >= cells->base && bounds.high - cells->base < cells->size;
}

static bool rebuild(struct taud_sketch_cells *cells, struct bounds bounds, uint32_t raise,
                    struct taud_aggregate_memory *memory)
{
    struct taud_sketch_cells made = {.base = bounds.low / ROUNDING * ROUNDING};
    made.size = (bounds.high - made.base) / ROUNDING * ROUNDING + ROUNDING;
    made.counts = taud_aggregate_take(memory, made.size * sizeof *made.counts);
    if (!made.counts)
        return false;
    memset(made.counts, 0, made.size * sizeof *made.counts);
    pour(&made, cells, raise);
    taud_aggregate_give(memory, cells->counts, cells->size * sizeof *cells->counts);
    *cells = made;
    return true;
}

// Makes room for cells of these bounds, which are of `level`, the sketch's own or a higher one.
// Joins neighbours as often as it must.
static bool cover(struct taud_sketch *sketch, uint32_t level, const struct bounds wanted[2],
                  struct taud_aggregate_memory *memory)
{
    struct bounds bounds[2];
    uint32_t raise = level - sketch->level;
    for (unsigned sign = 0; sign < 2; sign++)
        bounds[sign] = join_bounds(bounds_of(&sketch->cells[sign], raise), wanted[sign]);
    uint32_t more = 0;
    while (span_of(bounds[0], more) + span_of(bounds[1], more) > TAUD_SKETCH_CELLS)
        more++;
    for (unsigned sign = 0; sign < 2; sign++) {
        struct bounds room = {bounds[sign].any, bounds[sign].low >> more,
                              bounds[sign].high >> more};
        if (!room.any || (raise + more == 0 && holds(&sketch->cells[sign], room)))
            continue;
        if (!rebuild(&sketch->cells[sign], room, raise + more, memory))
            return false;
    }
    sketch->level = level + more;
    assert(sketch->level <= WHOLE_LEVEL);
    return true;
}

// --- adding -----------------------------------------------------------------------------------

static bool count_value(struct taud_sketch *sketch, double value,
                        struct taud_aggregate_memory *memory)
{
    uint64_t bits = bits_of(value), magnitude = bits & ~SIGN_BIT;
    unsigned sign = (unsigned)(bits >> 63);
    if (magnitude < LEAST_NORMAL) {
        sketch->zeros++;
        return true;
    }
    if (magnitude == INFINITE) {
        sketch->infinite[sign]++;
        return true;
    }
    struct taud_sketch_cells *cells = &sketch->cells[sign];
    uint32_t cell = (uint32_t)(magnitude >> (FRACTION_BITS - CELL_BITS + sketch->level));
    if (cell - cells->base >= cells->size) { // unsigned: also where it is lower
        struct bounds wanted[2] = {{0}};
        uint32_t level = sketch->level;
        wanted[sign] = (struct bounds){true, cell, cell};
        if (!cover(sketch, level, wanted, memory))
            return false;
        cell >>= sketch->level - level;
    }
    cells->counts[cell - cells->base]++;
    return true;
}

static bool keep(struct taud_sketch *sketch, double value, struct taud_aggregate_memory *memory)
{
    if (!sketch->values || sketch->count == sketch->capacity) {
        uint32_t capacity = sketch->capacity > 0 ? 2 * sketch->capacity : FIRST_CAPACITY;
        double *grown = taud_aggregate_take(memory, capacity * sizeof *grown);
        if (!grown)
            return false;
        if (sketch->values)
            memcpy(grown, sketch->values, sketch->count * sizeof *grown);
        give_values(sketch, memory);
        sketch->values = grown;
        sketch->capacity = capacity;
    }
    sketch->values[sketch->count] = value;
    return true;
}

// The values that are kept go into cells.
static bool begin_cells(struct taud_sketch *sketch, struct taud_aggregate_memory *memory)
{
    bool done = true;
    for (uint32_t i = 0; i < sketch->count && done; i++)
        done = count_value(sketch, sketch->values[i], memory);
    give_values(sketch, memory);
    return done;
}

static void widen(struct taud_sketch *sketch, double min, double max)
{
    sketch->min = min < sketch->min ? min : sketch->min;
    sketch->max = max > sketch->max ? max : sketch->max;
}

bool taud_sketch_add(struct taud_sketch *sketch, const double *values, size_t count,
                     struct taud_aggregate_memory *memory)
{
    for (size_t i = 0; i < count; i++) {
        double value = values[i];
        if (isnan(value))
            continue;
        if (sketch->count == TAUD_SKETCH_EXACT && !begin_cells(sketch, memory))
            return false;
        if (!(sketch->count < TAUD_SKETCH_EXACT ? keep : count_value)(sketch, value, memory))
            return false;
        sketch->count++;
        widen(sketch, value, value);
    }
    return true;
}

bool taud_sketch_join(struct taud_sketch *sketch, const struct taud_sketch *other,
                      struct taud_aggregate_memory *memory)
{
    if (other->count <= TAUD_SKETCH_EXACT)
        return taud_sketch_add(sketch, other->values, (size_t)other->count, memory);
    if (sketch->count <= TAUD_SKETCH_EXACT && !begin_cells(sketch, memory))
        return false;
    uint32_t level = sketch->level > other->level ? sketch->level : other->level;
    struct bounds wanted[2];
    for (unsigned sign = 0; sign < 2; sign++)
        wanted[sign] = bounds_of(&other->cells[sign], level - other->level);
    if (!cover(sketch, level, wanted, memory))
        return false;
    for (unsigned sign = 0; sign < 2; sign++) {
        pour(&sketch->cells[sign], &other->cells[sign], sketch->level - other->level);
        sketch->infinite[sign] += other->infinite[sign];
    }
    sketch->zeros += other->zeros;
    sketch->count += other->count;
    widen(sketch, other->min, other->max);
    return true;
}

// --- asking -----------------------------------------------------------------------------------

// Shell's sort: nothing to take memory for.
static void sort(double *values, uint32_t count)
{
    static const uint8_t gaps[] = {57, 23, 10, 4, 1};
    for (unsigned g = 0; g < sizeof gaps; g++) {
        for (uint32_t i = gaps[g]; i < count; i++) {
            double value = values[i];
            uint32_t place = i;
            for (; place >= gaps[g] && values[place - gaps[g]] > value; place -= gaps[g])
                values[place] = values[place - gaps[g]];
            values[place] = value;
        }
    }
}

// The magnitude between the bounds of a cell from which neither is further away than the other, as
// a share of itself.
static double magnitude_of(uint32_t cell, uint32_t level)
{
    uint64_t bits = (uint64_t)cell << (FRACTION_BITS - CELL_BITS + level);
    if (level == WHOLE_LEVEL) // the lowest begins at a subnormal number
        return ldexp(1.6, (int)(bits >> FRACTION_BITS) - 1023);
    double low, fraction = 1 + (double)(bits % LEAST_NORMAL) / (double)LEAST_NORMAL;
    memcpy(&low, &bits, sizeof low);
    double ratio = 1 + ldexp(1, (int)level - CELL_BITS) / fraction;
    return low * (2 * ratio / (1 + ratio));
}

// The value with `rank` others before it, for 0 < rank < count - 1.
static double count_up(const struct taud_sketch *sketch, uint64_t rank)
{
    const struct taud_sketch_cells *positive = &sketch->cells[0], *negative = &sketch->cells[1];
    if (rank < sketch->infinite[1])
        return -INFINITY;
    rank -= sketch->infinite[1];
    for (uint32_t i = negative->size; i-- > 0; rank -= negative->counts[i]) {
        if (rank < negative->counts[i])
            return -magnitude_of(negative->base + i, sketch->level);
    }
    if (rank < sketch->zeros)
        return 0;
    rank -= sketch->zeros;
    for (uint32_t i = 0; i < positive->size; rank -= positive->counts[i++]) {
        if (rank < positive->counts[i])
            return magnitude_of(positive->base + i, sketch->level);
    }
    return INFINITY;
}

static double value_at(const struct taud_sketch *sketch, uint64_t rank)
{
    if (sketch->count <= TAUD_SKETCH_EXACT)
        return sketch->values[rank];
    if (rank == 0)
        return sketch->min;
    if (rank == sketch->count - 1)
        return sketch->max;
    double value = count_up(sketch, rank);
    value = value < sketch->min ? sketch->min : value;
    return value > sketch->max ? sketch->max : value;
}

double taud_sketch_quantile(struct taud_sketch *sketch, double p)
{
    if (sketch->count == 0)
        return NAN;
    if (sketch->count <= TAUD_SKETCH_EXACT)
        sort(sketch->values, (uint32_t)sketch->count);
    double rank = p * (double)(sketch->count - 1);
    uint64_t below = (uint64_t)rank;
    double share = rank - (double)below;
    double low = value_at(sketch, below);
    if (!(share > 0))
        return low;
    double high = value_at(sketch, below + 1);
    if (low == high)
        return low;
    double between = low * (1 - share) + high * share;
    between = between < low ? low : between;
    return between > high ? high : between;
}
