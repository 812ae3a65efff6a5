// SPDX-License-Identifier: MIT
// Points of many series: a page of labels is a step, done by one thread, series by series. When its
// columns are full the step stops, and goes on with others. Results are taken here, of all scans.
#include "scan_parts.h"

#include "../state.h"

#include <math.h>
#include <string.h>

struct page {
    struct taud_step step; // first
    uint32_t count, next;  // labels; those before `next` are done
    // The series at `next`, while it is open.
    struct taud_points *points;
    struct taud_points_piece piece;
    uint32_t used; // of the piece
    uint64_t left; // points that are still wanted
    struct tau_label labels[TAUD_QUERY_PAGE];
};

static struct taud_scan *scan_of(const struct page *page)
{
    return (struct taud_scan *)page->step.feed;
}

// --- reading ----------------------------------------------------------------------------------

static enum tau_status open_series(struct page *page)
{
    const struct taud_scan *scan = scan_of(page);
    const struct taud_points_options options = {
        .from = scan->from,
        .to = scan->to,
        .limit = scan->bounded ? 0 : scan->limit,
        .descending = scan->descending,
    };
    page->used = page->piece.count = 0;
    page->left = scan->limit == 0 ? UINT64_MAX : scan->limit;
    enum tau_status status =
        taud_points_open(scan->engine, &page->labels[page->next], &options, &page->points, NULL);
    if (status != TAU_STATUS_SERIES_NOT_FOUND)
        return status;
    page->next++;
    return TAU_STATUS_SUCCESS;
}

static void close_series(struct page *page)
{
    taud_points_close(page->points);
    page->points = NULL;
    page->next++;
}

// Brings a piece with points that are not used. At the end its count is 0.
static enum tau_status find_piece(struct page *page)
{
    const struct taud_scan *scan = scan_of(page);
    while (page->used == page->piece.count) {
        if (taud_feed_cancelled(&scan->feed))
            return TAU_STATUS_CANCELLED;
        page->used = 0;
        enum tau_status status = taud_points_next(page->points, &page->piece);
        if (status != TAU_STATUS_SUCCESS || page->piece.count == 0)
            return status;
        if (taud_scan_may_want(scan, &page->piece))
            return taud_points_decode(page->points, &page->piece, true);
        page->used = page->piece.count;
    }
    return TAU_STATUS_SUCCESS;
}

// Takes points of the piece, as far as there is room and more are wanted. Returns how many.
static size_t take_points(struct page *page, struct taud_scan_columns *columns)
{
    const struct taud_scan *scan = scan_of(page);
    size_t room = columns->capacity - columns->count, count = 0;
    room = room < page->left ? room : (size_t)page->left;
    int64_t *timestamps = columns->timestamps + columns->count;
    double *values = columns->values + columns->count;
    const struct taud_points_piece *piece = &page->piece;
    if (!scan->bounded) {
        count = piece->count - page->used < room ? piece->count - page->used : room;
        memcpy(timestamps, piece->timestamps + page->used, count * sizeof *timestamps);
        memcpy(values, piece->values + page->used, count * sizeof *values);
        page->used += (uint32_t)count;
    }
    for (; scan->bounded && page->used < piece->count && count < room; page->used++) {
        timestamps[count] = piece->timestamps[page->used];
        values[count] = piece->values[page->used];
        count += values[count] >= scan->low && values[count] <= scan->high;
    }
    page->left -= count;
    columns->count += count;
    return count;
}

// Takes of the open series what there is room for, as a run.
static enum tau_status read_series(struct page *page, struct taud_scan_columns *columns)
{
    struct taud_scan_run *run = &columns->runs[columns->run_count];
    *run = (struct taud_scan_run){.label = page->labels[page->next]};
    enum tau_status status = taud_points_begin(page->points);
    while (status == TAU_STATUS_SUCCESS && (status = find_piece(page)) == TAU_STATUS_SUCCESS &&
           page->piece.count > 0 && page->left > 0 && columns->count < columns->capacity)
        run->count += take_points(page, columns);
    taud_points_pause(page->points);
    columns->run_count += run->count > 0;
    if (status == TAU_STATUS_SUCCESS && (page->piece.count == 0 || page->left == 0))
        close_series(page);
    return status;
}

static bool work(struct taud_crew_task *task, struct taud_crew_member *member)
{
    struct page *page = (struct page *)task;
    struct taud_step *step = &page->step;
    struct taud_scan_columns *columns = taud_scan_columns_begin(step);
    (void)member;
    while (step->status == TAU_STATUS_SUCCESS && page->next < page->count && !step->unfinished) {
        if (taud_feed_cancelled(step->feed))
            step->status = TAU_STATUS_CANCELLED;
        else if (!page->points)
            step->status = open_series(page);
        else if (columns->count < columns->capacity)
            step->status = read_series(page, columns);
        else
            step->unfinished = true;
    }
    taud_scan_columns_end(step, columns);
    return false;
}

static void drop(struct taud_step *step)
{
    taud_points_close(((struct page *)step)->points);
}

// --- steps ------------------------------------------------------------------------------------

static struct taud_step *prepare(struct taud_feed *feed, bool *ret_end, enum tau_status *ret_status)
{
    struct taud_scan *scan = (struct taud_scan *)feed;
    struct page *page = (struct page *)taud_feed_step(feed, sizeof *page);
    if (!page) {
        *ret_status = TAU_STATUS_NO_MEMORY;
        return NULL;
    }
    // Pages grow, so that a few series are spread over the threads too.
    uint32_t limit = scan->page_count < TAUD_QUERY_PAGE ? scan->page_count + 1 : TAUD_QUERY_PAGE;
    page->count = taud_selection_next(&scan->selection, &scan->place, limit, page->labels);
    *ret_end = scan->place.ended;
    scan->page_count++;
    if (page->count == 0) {
        taud_feed_release(feed, page);
        return NULL;
    }
    page->step.task.work = work;
    page->step.task.single = true;
    page->step.finish = taud_scan_finish;
    page->step.drop = drop;
    return &page->step;
}

static const struct taud_feed_kind kind = {
    .result_bytes = TAUD_QUERY_COLUMN_BYTES, .prepare = prepare, .free = taud_scan_free};

// --- for all scans ----------------------------------------------------------------------------

enum tau_status taud_scan_new(struct taud_engine *engine, const struct taud_feed_kind *kind_of,
                              const struct taud_scan_options *options, taud_query_wake *wake,
                              void *user_data, struct taud_scan **ret_scan)
{
    const struct taud_allocator *allocator = engine->allocator;
    struct taud_scan *scan = allocator->allocate(allocator->context, sizeof *scan);
    if (!scan)
        return TAU_STATUS_NO_MEMORY;
    memset(scan, 0, sizeof *scan);
    scan->engine = engine;
    scan->from = options->from;
    scan->to = options->to;
    scan->low = options->low;
    scan->high = options->high;
    scan->bounded = !(options->low == -INFINITY && options->high == INFINITY);
    scan->descending = options->direction == TAU_DIRECTION_BACKWARD;
    scan->limit = options->limit;
    taud_feed_init(&scan->feed, kind_of, allocator, engine->crew, wake, user_data);
    enum tau_status status = taud_selection_init(&scan->selection, engine, engine->crew,
                                                 options->prefix, options->labels);
    if (status != TAU_STATUS_SUCCESS) {
        taud_feed_close(&scan->feed);
        return status;
    }
    *ret_scan = scan;
    return TAU_STATUS_SUCCESS;
}

void taud_scan_free(struct taud_feed *feed)
{
    struct taud_scan *scan = (struct taud_scan *)feed;
    const struct taud_allocator *allocator = feed->allocator;
    taud_selection_done(&scan->selection);
    taud_feed_give(feed, (struct taud_result *)scan->columns);
    allocator->release(allocator->context, scan);
}

struct taud_scan_columns *taud_scan_columns_begin(struct taud_step *step)
{
    const struct taud_allocator *allocator = step->feed->allocator;
    // Where there is room ahead they are long: between two results a step waits for who takes them.
    size_t bytes = step->reserved ? TAUD_QUERY_COLUMN_BYTES : TAUD_QUERY_RESULT_BYTES;
    struct taud_scan_columns *columns =
        allocator->allocate(allocator->context, sizeof *columns + bytes);
    step->unfinished = false;
    step->status = columns ? TAU_STATUS_SUCCESS : TAU_STATUS_NO_MEMORY;
    if (!columns)
        return NULL;
    columns->run_count = 0;
    columns->count = 0;
    columns->capacity = bytes / TAUD_SCAN_POINT_BYTES;
    columns->timestamps = columns->memory;
    columns->values = (double *)(void *)(columns->memory + columns->capacity);
    return columns;
}

void taud_scan_columns_end(struct taud_step *step, struct taud_scan_columns *columns)
{
    if (columns && (step->status != TAU_STATUS_SUCCESS || columns->run_count == 0)) {
        taud_feed_release(step->feed, columns);
        columns = NULL;
    }
    step->result = columns ? &columns->result : NULL;
}

void taud_scan_finish(struct taud_step *step)
{
    (void)step;
}

// --- for callers ------------------------------------------------------------------------------

enum tau_status taud_scan_open(struct taud_engine *engine,
                               const struct tau_multi_range_request *request, taud_query_wake *wake,
                               void *user_data, struct taud_scan **ret_scan)
{
    const struct taud_scan_options options = {
        .from = request->from,
        .to = request->to,
        .low = request->low,
        .high = request->high,
        .limit = request->limit,
        .direction = request->direction,
        .prefix = request->prefix,
        .labels = request->labels,
    };
    return taud_scan_new(engine, &kind, &options, wake, user_data, ret_scan);
}

enum tau_status taud_scan_next(struct taud_scan *scan, struct taud_scan_batch *ret_batch,
                               bool *ret_end)
{
    memset(ret_batch, 0, sizeof *ret_batch);
    if (!scan->columns || scan->run == scan->columns->run_count) {
        struct taud_result *result = NULL;
        taud_feed_give(&scan->feed, (struct taud_result *)scan->columns);
        scan->columns = NULL;
        scan->run = 0;
        scan->told = 0;
        enum tau_status status = taud_feed_next(&scan->feed, &result);
        *ret_end = status == TAU_STATUS_SUCCESS && !result;
        if (!result)
            return status;
        scan->columns = (struct taud_scan_columns *)result;
    }
    const struct taud_scan_run *run = &scan->columns->runs[scan->run];
    size_t left = run->count - scan->run_told;
    ret_batch->label = run->label;
    ret_batch->count = left < TAU_LIMIT_SERIES_BATCH_POINTS ? left : TAU_LIMIT_SERIES_BATCH_POINTS;
    ret_batch->timestamps = scan->columns->timestamps + scan->told;
    ret_batch->values = scan->columns->values + scan->told;
    scan->told += ret_batch->count;
    scan->run_told += ret_batch->count;
    if (scan->run_told == run->count) {
        scan->run++;
        scan->run_told = 0;
    }
    *ret_end = scan->run == scan->columns->run_count && taud_feed_is_over(&scan->feed);
    return TAU_STATUS_SUCCESS;
}

void taud_scan_close(struct taud_scan *scan)
{
    if (scan)
        taud_feed_close(&scan->feed);
}
