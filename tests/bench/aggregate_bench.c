// SPDX-License-Identifier: MIT
// How many values a second one processor aggregates from raw columns: the plain fold against
// reading memory at all, in the cache and beyond it, then each function, and buckets of every size.
//
//     bench_aggregate [MILLIONS_OF_POINTS]
#include "engine/aggregate/emission.h"
#include "engine/aggregate/fold.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { COLUMN = 1024, ROUNDS = 5, STEP = 1000 };

struct columns {
    size_t count;
    int64_t *timestamps;
    double *values;
};

// Of this thread's processor time: other work on the machine does not count.
static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void tell(const char *what, size_t values, double seconds)
{
    printf("%-44s %8.0f M values/s\n", what, (double)values / seconds / 1e6);
}

// What a loop that only reads can do.
static void read_all(const double *values, size_t count, struct taud_aggregate_fold *ret)
{
    typedef uint64_t pair __attribute__((vector_size(16)));
    pair first = {0, 0}, second = first, loaded[2];
    for (size_t i = 0; i + 4 <= count; i += 4) {
        memcpy(loaded, values + i, sizeof loaded);
        first ^= loaded[0];
        second ^= loaded[1];
    }
    first ^= second;
    ret->sum = (double)(first[0] ^ first[1]);
}

typedef void fold_function(const double *values, size_t count, struct taud_aggregate_fold *ret);

// The best of some rounds, over columns that lie `apart` values from each other.
static void time_fold(const char *what, fold_function *fold, const struct columns *columns,
                      size_t apart)
{
    double best = 1e9;
    volatile double kept = 0;
    for (int round = 0; round < ROUNDS; round++) {
        double began = now();
        for (size_t done = 0; done < columns->count; done += COLUMN) {
            struct taud_aggregate_fold result;
            fold(columns->values + (apart > 0 ? done : 0), COLUMN, &result);
            kept = kept + result.sum;
        }
        double seconds = now() - began;
        best = seconds < best ? seconds : best;
    }
    tell(what, columns->count, best);
}

static void fail(void)
{
    fputs("out of memory\n", stderr);
    exit(1);
}

// Columns of 1,024 points through windows into rows, as a request does it.
static void aggregate(const struct taud_aggregate_plan *plan, const struct columns *columns)
{
    static int64_t starts[COLUMN];
    static double results[TAUD_AGGREGATE_COLUMNS_MAX][COLUMN];
    static int64_t row_starts[COLUMN];
    static double row_values[COLUMN * TAUD_AGGREGATE_COLUMNS_MAX];
    double *places[TAUD_AGGREGATE_COLUMNS_MAX];
    struct taud_aggregate_memory memory = {taud_allocator_system(), UINT64_C(1) << 30, 0};
    struct taud_aggregate_series series = {.end = columns->timestamps[columns->count - 1]};
    struct taud_aggregate_window window;
    struct taud_aggregate_emission emission;
    for (size_t i = 0; i < TAUD_AGGREGATE_COLUMNS_MAX; i++)
        places[i] = results[i];
    taud_aggregate_emission_init(&emission, plan);
    if (taud_aggregate_window_init(&window, plan, &memory, COLUMN) != TAU_STATUS_SUCCESS)
        fail();
    for (size_t done = 0; done < columns->count;) {
        size_t used = COLUMN;
        for (; used == COLUMN && done < columns->count; done += used) {
            if (taud_aggregate_window_add(&window, columns->timestamps + done,
                                          columns->values + done, COLUMN,
                                          &used) != TAU_STATUS_SUCCESS)
                fail();
        }
        taud_aggregate_window_close(&window, &series);
        struct taud_aggregate_rows rows = {.starts = row_starts, .values = row_values};
        taud_aggregate_read(&window, &rows);
        for (bool more = true; more;)
            taud_aggregate_emit(&emission, &rows, window.end == plan->bucket_count, starts,
                                places, COLUMN, &more);
        if (window.end < plan->bucket_count)
            taud_aggregate_window_place(&window, window.end);
    }
    taud_aggregate_window_done(&window);
}

static void time_plan(const char *what, const struct columns *columns,
                      const struct taud_aggregate_column *asked, size_t count, uint64_t points)
{
    struct taud_aggregate_plan plan;
    const struct taud_aggregate_options options = {
        .from = 0,
        .to = columns->timestamps[columns->count - 1],
        .width = points * STEP,
        .columns = asked,
        .column_count = count,
    };
    if (taud_aggregate_plan_init(&plan, &options) != TAU_STATUS_SUCCESS)
        return;
    double best = 1e9;
    for (int round = 0; round < ROUNDS; round++) {
        double began = now();
        aggregate(&plan, columns);
        double seconds = now() - began;
        best = seconds < best ? seconds : best;
    }
    char line[64];
    snprintf(line, sizeof line, "%s, %" PRIu64 " points a bucket", what, points);
    tell(points > 0 ? line : what, columns->count, best);
}

static void time_functions(const struct columns *columns)
{
    static const struct {
        const char *name;
        struct taud_aggregate_column column;
    } functions[] = {
        {"sum", {TAUD_AGGREGATE_SUM, 0}},
        {"stddev", {TAUD_AGGREGATE_STDDEV, 0}},
        {"quantile", {TAUD_AGGREGATE_QUANTILE, 0.99}},
        {"time_weighted_average", {TAUD_AGGREGATE_TIME_WEIGHTED_AVERAGE, 0}},
        {"rate", {TAUD_AGGREGATE_RATE, 0}},
    };
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++)
        time_plan(functions[i].name, columns, &functions[i].column, 1, 0);
    static const uint64_t sizes[] = {3, 10, 60, 360, 3600};
    static const struct taud_aggregate_column five[] = {
        {TAUD_AGGREGATE_COUNT, 0}, {TAUD_AGGREGATE_SUM, 0},  {TAUD_AGGREGATE_MIN, 0},
        {TAUD_AGGREGATE_MAX, 0},   {TAUD_AGGREGATE_MEAN, 0},
    };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        time_plan("count, sum, min, max, mean", columns, five, 5, sizes[i]);
}

int main(int argc, char **argv)
{
    double millions = argc > 1 ? strtod(argv[1], NULL) : 3;
    if (!(millions >= 0.01 && millions <= 1000)) {
        fputs("usage: bench_aggregate [MILLIONS_OF_POINTS]\n", stderr);
        return 2;
    }
    struct columns columns = {.count = (size_t)(millions * 1e6) / COLUMN * COLUMN};
    columns.timestamps = malloc(columns.count * sizeof *columns.timestamps);
    columns.values = malloc(columns.count * sizeof *columns.values);
    if (!columns.timestamps || !columns.values)
        fail();
    for (size_t i = 0; i < columns.count; i++) {
        columns.timestamps[i] = (int64_t)i * STEP;
        columns.values[i] = (double)(i * 2654435761U % 10000) / 100;
    }
    time_fold("reading, in the cache", read_all, &columns, 0);
    time_fold("plain fold, in the cache", taud_aggregate_fold, &columns, 0);
    time_fold("the same without AVX2", taud_aggregate_fold_baseline, &columns, 0);
    time_fold("reading, in memory", read_all, &columns, COLUMN);
    time_fold("plain fold, in memory", taud_aggregate_fold, &columns, COLUMN);
    time_functions(&columns);
    free(columns.values);
    free(columns.timestamps);
    return 0;
}
