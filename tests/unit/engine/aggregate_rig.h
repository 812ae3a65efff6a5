// SPDX-License-Identifier: MIT
// What the tests of aggregates over many series share: a request, and all its rows.
#ifndef AGGREGATE_RIG_H
#define AGGREGATE_RIG_H

#include "query_rig.h"

enum { RIG_ROWS = 60000 };

struct rig_rows {
    size_t count, batches;
    uint64_t groups[RIG_ROWS];
    int64_t starts[RIG_ROWS];
    double values[RIG_ROWS]; // of the first column
    enum tau_status status;  // how the query ended
    int wakes;               // of whoever waited
};

static const struct tau_aggregate_column rig_sum = {TAU_AGGREGATE_FUNCTION_SUM, 0};

// The sum over buckets of all that begins with the prefix, without an end in time.
static inline struct tau_aggregate_request rig_request(const char *prefix, uint64_t width)
{
    return (struct tau_aggregate_request){
        .from = INT64_MIN,
        .to = INT64_MAX,
        .width = width,
        .functions = {.data = &rig_sum, .count = 1},
        .prefix = rig_slice(prefix),
    };
}

static inline void rig_take_batch(struct rig_rows *rows, const struct taud_aggregate_batch *batch,
                                  const int64_t *starts, const double *values)
{
    assert_true(rows->count + batch->row_count <= RIG_ROWS);
    for (size_t i = 0; i < batch->row_count; i++, rows->count++) {
        rows->groups[rows->count] = batch->group;
        rows->starts[rows->count] = starts[i];
        rows->values[rows->count] = values[i];
    }
    rows->batches++;
}

// Asks for everything. Returns the rows, which the next call takes over.
static inline struct rig_rows *rig_ask(struct workbench *bench,
                                       const struct tau_aggregate_request *request)
{
    static struct rig_rows rows;
    static int64_t starts[TAU_LIMIT_AGGREGATE_BATCH_ROWS];
    static double values[TAU_LIMIT_AGGREGATE_BATCH_VALUES];
    struct taud_aggregate_query *query = NULL;
    struct taud_aggregate_batch batch;
    _Atomic int wakes = 0;
    bool end = false;
    rows.count = rows.batches = 0;
    rows.status = taud_aggregate_query_open(bench->engine, request, rig_wake, &wakes, &query);
    while (rows.status == TAU_STATUS_SUCCESS && !end) {
        RIG_NEXT(&wakes, rows.status,
                 taud_aggregate_query_next(query, &batch, starts, values, &end));
        if (rows.status != TAU_STATUS_SUCCESS)
            break;
        assert_true(batch.row_count > 0 || end);
        rig_take_batch(&rows, &batch, starts, values);
    }
    taud_aggregate_query_close(query);
    rows.wakes = atomic_load(&wakes);
    return &rows;
}

// The increase, or the sum, over buckets of a hundred timestamps of series that are named: so small
// that it is done at once, unless they are long. Series `i` has `lengths[i]` points, from 0 on, one
// at each timestamp.
static inline struct tau_aggregate_request
rig_small(struct workbench *bench, struct tau_label *labels, const size_t *lengths, size_t count)
{
    struct tau_aggregate_request request = rig_request("", 100);
    request.from = 0;
    for (size_t i = 0; i < count; i++) {
        char name[32];
        snprintf(name, sizeof name, "small.%zu", i);
        labels[i] = workbench_label(name);
        rig_series(bench, name, 0, 1, lengths[i], 0);
        if ((int64_t)lengths[i] > request.to || i == 0)
            request.to = (int64_t)lengths[i] - 1;
    }
    request.labels = (struct tau_array){.data = labels, .count = count};
    return request;
}

static const struct tau_aggregate_column rig_increase = {TAU_AGGREGATE_FUNCTION_INCREASE, 0};

// What a bucket of such a series tells that has all its points.
static inline double rig_small_value(const struct tau_aggregate_request *request, int64_t start)
{
    bool increases = request->functions.data == &rig_increase;
    return increases ? start == 0 ? 99 : 100 : 100 * (double)start + 4950;
}

#endif
