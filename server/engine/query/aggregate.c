// SPDX-License-Identifier: MIT
// Aggregates over many series: what a request asks for, the steps in their order, and the rows of
// their sheets with the gaps filled. Gaps are filled when rows are told, so that they take no room.
#include "aggregate_parts.h"

#include "../state.h"

#include <assert.h>
#include <string.h>

enum {
    // The most that a sketch takes: its cells, and as many while they are moved.
    SKETCH_BYTES = 2 * (TAUD_SKETCH_CELLS + 128) * (int)sizeof(uint64_t),
    WINDOW_BYTES = TAUD_QUERY_TASK_BYTES / 2, // a thread has two
    ROWS = TAU_LIMIT_AGGREGATE_BATCH_ROWS,
    VALUES = TAU_LIMIT_AGGREGATE_BATCH_VALUES,
};

_Static_assert((int)TAUD_AGGREGATE_COLUMNS_MAX == TAU_LIMIT_AGGREGATE_FUNCTIONS, "one limit");
_Static_assert((int)TAUD_AGGREGATE_BUCKETS_MAX == TAU_LIMIT_AGGREGATE_BUCKETS, "one limit");
_Static_assert((int)TAUD_AGGREGATE_INCREASE == TAU_AGGREGATE_FUNCTION_INCREASE, "one numbering");
_Static_assert((int)TAUD_AGGREGATE_FILL_VALUE == TAU_AGGREGATE_FILL_VALUE, "one numbering");

uint32_t taud_aggregate_query_window(const struct taud_aggregate_query *query)
{
    size_t bucket = sizeof(struct taud_aggregate_bucket);
    if ((query->plan.parts & TAUD_AGGREGATE_PART_SKETCH) != 0)
        bucket += sizeof(struct taud_sketch) + SKETCH_BYTES;
    size_t by_memory = WINDOW_BYTES / bucket;
    size_t by_rows = taud_sheet_rows_max(query->plan.column_count);
    return (uint32_t)(by_memory < by_rows ? by_memory : by_rows);
}

enum tau_status taud_aggregate_query_plan(const struct taud_aggregate_query *query,
                                          const struct taud_points_bounds *bounds,
                                          struct taud_aggregate_plan *ret_plan)
{
    struct taud_aggregate_options options = query->options;
    if (query->narrows && !bounds->any)
        options.from = INT64_MAX, options.to = INT64_MIN;
    if (query->narrows && bounds->any) {
        options.from = options.from > bounds->first ? options.from : bounds->first;
        options.to = options.to < bounds->last ? options.to : bounds->last;
    }
    return taud_aggregate_plan_init(ret_plan, &options);
}

// --- steps ------------------------------------------------------------------------------------

static uint64_t group_size(const struct taud_aggregate_query *query)
{
    return query->grouping == TAU_AGGREGATE_GROUPING_SIZED ? query->group_sizes[query->next_group]
                                                           : UINT64_MAX;
}

static struct taud_step *prepare(struct taud_feed *feed, bool *ret_end, enum tau_status *ret_status)
{
    struct taud_aggregate_query *query = (struct taud_aggregate_query *)feed;
    if (query->plan.from > query->plan.to) {
        *ret_end = true;
        return NULL;
    }
    if (query->grouping == TAU_AGGREGATE_GROUPING_EACH)
        return taud_aggregate_page(query, ret_end, ret_status);
    for (;;) {
        bool ended = false;
        if (!query->group && !query->place.ended)
            query->group = taud_group_new(query, group_size(query), ret_status);
        if (!query->group) {
            *ret_end = true;
            return NULL;
        }
        struct taud_step *step = taud_group_prepare(query->group, &ended, ret_status);
        if (!ended)
            return step;
        taud_group_release(query->group);
        query->group = NULL;
    }
}

static void free_query(struct taud_feed *feed)
{
    struct taud_aggregate_query *query = (struct taud_aggregate_query *)feed;
    const struct taud_allocator *allocator = feed->allocator;
    taud_group_release(query->group);
    taud_selection_done(&query->selection);
    taud_feed_give(feed, (struct taud_result *)query->sheet);
    allocator->release(allocator->context, query->group_sizes);
    allocator->release(allocator->context, query);
}

static const struct taud_feed_kind kind = {
    .result_bytes = TAUD_QUERY_RESULT_BYTES, .prepare = prepare, .free = free_query};

// --- opening ----------------------------------------------------------------------------------

static enum tau_status read_columns(struct taud_aggregate_query *query,
                                    const struct tau_aggregate_request *request)
{
    size_t count = request->functions.count;
    if (count == 0 || count > TAUD_AGGREGATE_COLUMNS_MAX)
        return TAU_STATUS_INVALID_ARGUMENT;
    for (size_t i = 0; i < count; i++) {
        struct tau_aggregate_column column = tau_aggregate_column_at(request->functions, i);
        query->columns[i] = (struct taud_aggregate_column){
            (enum taud_aggregate_function)column.function, column.parameter};
    }
    query->options = (struct taud_aggregate_options){
        .from = request->from,
        .to = request->to,
        .width = request->width,
        .origin = request->origin,
        .fill = (enum taud_aggregate_fill)request->fill,
        .fill_value = request->fill_value,
        .columns = query->columns,
        .column_count = count,
    };
    query->narrows = request->fill == TAU_AGGREGATE_FILL_NONE && request->width > 0;
    enum tau_status status = taud_aggregate_plan_init(&query->plan, &query->options);
    return status == TAU_STATUS_LIMIT_EXCEEDED && query->narrows ? TAU_STATUS_SUCCESS : status;
}

static enum tau_status read_groups(struct taud_aggregate_query *query,
                                   const struct tau_aggregate_request *request)
{
    const struct taud_allocator *allocator = query->feed.allocator;
    size_t count = request->group_sizes.count;
    uint64_t sum = 0;
    query->grouping = request->grouping;
    if (request->grouping != TAU_AGGREGATE_GROUPING_SIZED)
        return count == 0 ? TAU_STATUS_SUCCESS : TAU_STATUS_INVALID_PAYLOAD;
    if (count == 0 || request->labels.count == 0)
        return TAU_STATUS_INVALID_PAYLOAD;
    query->group_sizes =
        allocator->allocate(allocator->context, count * sizeof *query->group_sizes);
    if (!query->group_sizes)
        return TAU_STATUS_NO_MEMORY;
    query->group_count = (uint32_t)count;
    for (size_t i = 0; i < count; i++) {
        query->group_sizes[i] = tau_u32_at(request->group_sizes, i);
        if (query->group_sizes[i] == 0)
            return TAU_STATUS_INVALID_PAYLOAD;
        sum += query->group_sizes[i];
    }
    return sum == request->labels.count ? TAU_STATUS_SUCCESS : TAU_STATUS_INVALID_PAYLOAD;
}

// Whether it takes so little that it may be done at once: each series in one window, whose buckets
// have no sketches.
static bool is_small(const struct taud_aggregate_query *query)
{
    const struct taud_aggregate_plan *plan = &query->plan;
    return query->selection.labels && query->selection.count <= TAUD_QUERY_SMALL_LABELS &&
           plan->bucket_count > 0 && plan->bucket_count <= TAUD_QUERY_SMALL_BUCKETS &&
           plan->bucket_count <= taud_aggregate_query_window(query) &&
           (plan->parts & TAUD_AGGREGATE_PART_SKETCH) == 0;
}

enum tau_status taud_aggregate_query_open(struct taud_engine *engine,
                                          const struct tau_aggregate_request *request,
                                          taud_query_wake *wake, void *user_data,
                                          struct taud_aggregate_query **ret_query)
{
    const struct taud_allocator *allocator = engine->allocator;
    struct taud_aggregate_query *query = allocator->allocate(allocator->context, sizeof *query);
    if (!query)
        return TAU_STATUS_NO_MEMORY;
    memset(query, 0, sizeof *query);
    query->engine = engine;
    query->emitted_group = UINT64_MAX;
    taud_feed_init(&query->feed, &kind, allocator, engine->crew, wake, user_data);
    enum tau_status status = read_columns(query, request);
    if (status == TAU_STATUS_SUCCESS)
        status = read_groups(query, request);
    if (status == TAU_STATUS_SUCCESS)
        status = taud_selection_init(&query->selection, engine, engine->crew, request->prefix,
                                     request->labels);
    if (status != TAU_STATUS_SUCCESS) {
        taud_feed_close(&query->feed);
        return status;
    }
    if (is_small(query))
        taud_feed_begin_alone(&query->feed);
    *ret_query = query;
    return TAU_STATUS_SUCCESS;
}

bool taud_aggregate_query_is_small(const struct taud_aggregate_query *query)
{
    return query->feed.alone;
}

void taud_aggregate_query_hand_over(struct taud_aggregate_query *query)
{
    query->feed.alone = false;
}

void taud_aggregate_query_close(struct taud_aggregate_query *query)
{
    if (query)
        taud_feed_close(&query->feed);
}

// --- rows -------------------------------------------------------------------------------------

static size_t capacity_of(const struct taud_aggregate_query *query)
{
    size_t by_values = VALUES / query->plan.column_count;
    return by_values < ROWS ? by_values : ROWS;
}

// The rows of a run as they are.
static size_t copy_rows(struct taud_aggregate_query *query, const struct taud_sheet_run *run,
                        int64_t *starts, double *values, bool *ret_more)
{
    const struct taud_sheet *sheet = query->sheet;
    size_t columns = sheet->column_count, capacity = capacity_of(query);
    size_t left = run->count - query->run_row;
    size_t count = left < capacity ? left : capacity;
    size_t first = query->row + query->run_row;
    memcpy(starts, sheet->starts + first, count * sizeof *starts);
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < columns; k++)
            values[k * count + i] = sheet->values[(first + i) * columns + k];
    }
    query->run_row += count;
    *ret_more = query->run_row < run->count;
    return count;
}

// The rows of a run with those of the gaps before them.
static size_t fill_rows(struct taud_aggregate_query *query, const struct taud_sheet_run *run,
                        int64_t *starts, double *values, bool *ret_more)
{
    const struct taud_sheet *sheet = query->sheet;
    size_t columns = sheet->column_count, capacity = capacity_of(query);
    double *places[TAUD_AGGREGATE_COLUMNS_MAX];
    struct taud_aggregate_rows rows = {
        .count = run->count,
        .done = query->run_row,
        .starts = sheet->starts + query->row,
        .values = sheet->values + query->row * columns,
    };
    if (query->emitted_group != run->group)
        taud_aggregate_emission_init(&query->emission, &query->plan);
    query->emitted_group = run->group;
    for (size_t k = 0; k < columns; k++)
        places[k] = values + k * capacity;
    size_t count =
        taud_aggregate_emit(&query->emission, &rows, run->last, starts, places, capacity, ret_more);
    query->run_row = rows.done;
    for (size_t k = 1; k < columns; k++)
        memmove(values + k * count, places[k], count * sizeof *values);
    return count;
}

// Takes the next sheet once the current one is told. SUCCESS without a sheet: there is none.
static enum tau_status find_sheet(struct taud_aggregate_query *query)
{
    struct taud_result *result = NULL;
    if (query->sheet && query->run < query->sheet->run_count)
        return TAU_STATUS_SUCCESS;
    taud_feed_give(&query->feed, (struct taud_result *)query->sheet);
    query->sheet = NULL;
    query->run = query->row = query->run_row = 0;
    enum tau_status status = taud_feed_next(&query->feed, &result);
    query->sheet = (struct taud_sheet *)result;
    return status;
}

static void end_run(struct taud_aggregate_query *query)
{
    query->row += query->sheet->runs[query->run++].count;
    query->run_row = 0;
}

enum tau_status taud_aggregate_query_next(struct taud_aggregate_query *query,
                                          struct taud_aggregate_batch *ret_batch,
                                          int64_t *ret_starts, double *ret_values, bool *ret_end)
{
    memset(ret_batch, 0, sizeof *ret_batch);
    while (ret_batch->row_count == 0) {
        enum tau_status status = find_sheet(query);
        *ret_end = status == TAU_STATUS_SUCCESS && !query->sheet;
        if (status != TAU_STATUS_SUCCESS || *ret_end)
            return status;
        const struct taud_sheet_run *run = &query->sheet->runs[query->run];
        bool more = false;
        ret_batch->group = run->group;
        ret_batch->label = run->label;
        ret_batch->row_count = query->options.fill == TAUD_AGGREGATE_FILL_NONE
                                   ? copy_rows(query, run, ret_starts, ret_values, &more)
                                   : fill_rows(query, run, ret_starts, ret_values, &more);
        if (!more)
            end_run(query);
    }
    ret_batch->value_count = ret_batch->row_count * query->plan.column_count;
    *ret_end = query->run == query->sheet->run_count && taud_feed_is_over(&query->feed);
    return TAU_STATUS_SUCCESS;
}
