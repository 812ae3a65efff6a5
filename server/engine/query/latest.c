// SPDX-License-Identifier: MIT
// Latest points of many series: a page of labels is a step, done by one thread.
#include "../state.h"
#include "points.h"
#include "selection.h"

#include "feed.h"

#include <string.h>

enum {
    CAPACITY = TAU_LIMIT_LATEST_BATCH_ROWS,
    FIRST_PAGE = 16, // pages grow by as many, so that some series are spread over the threads too
};

_Static_assert(CAPACITY * sizeof(struct tau_row) <= TAUD_QUERY_RESULT_BYTES,
               "rows are within the bound of a result");

struct rows {
    struct taud_result result; // first
    size_t count;
    struct tau_row rows[];
};

struct taud_latest {
    struct taud_feed feed; // first
    struct taud_engine *engine;
    struct taud_selection selection;
    int64_t from, to;
    struct taud_selection_place place;
    uint32_t page_count;
    struct rows *rows; // that were told last
};

struct page {
    struct taud_step step; // first
    uint32_t count;
    struct tau_label labels[];
};

// Adds the row of a series, if it has one.
static enum tau_status read_series(const struct taud_latest *latest, const struct tau_label *label,
                                   struct rows *rows)
{
    const struct taud_points_options options = {
        .from = latest->from, .to = latest->to, .limit = 1, .descending = true};
    struct taud_points *points;
    struct taud_points_piece piece;
    enum tau_status status = taud_points_open(latest->engine, label, &options, &points, NULL);
    if (status == TAU_STATUS_SERIES_NOT_FOUND)
        return TAU_STATUS_SUCCESS;
    if (status != TAU_STATUS_SUCCESS)
        return status;
    status = taud_points_next(points, &piece);
    if (status == TAU_STATUS_SUCCESS && piece.count > 0)
        status = taud_points_decode(points, &piece, true);
    if (status == TAU_STATUS_SUCCESS && piece.count > 0)
        rows->rows[rows->count++] = (struct tau_row){
            .label = *label, .timestamp = piece.timestamps[0], .value = piece.values[0]};
    taud_points_close(points);
    return status;
}

static bool work(struct taud_crew_task *task, struct taud_crew_member *member)
{
    struct page *page = (struct page *)task;
    struct taud_step *step = &page->step;
    const struct taud_latest *latest = (const struct taud_latest *)step->feed;
    const struct taud_allocator *allocator = step->feed->allocator;
    (void)member;
    struct rows *rows =
        allocator->allocate(allocator->context, sizeof *rows + page->count * sizeof rows->rows[0]);
    step->status = rows ? TAU_STATUS_SUCCESS : TAU_STATUS_NO_MEMORY;
    if (rows)
        rows->count = 0;
    for (uint32_t i = 0; i < page->count && step->status == TAU_STATUS_SUCCESS; i++) {
        step->status = taud_feed_cancelled(step->feed)
                           ? TAU_STATUS_CANCELLED
                           : read_series(latest, &page->labels[i], rows);
    }
    if (rows && (step->status != TAU_STATUS_SUCCESS || rows->count == 0)) {
        taud_feed_release(step->feed, rows);
        rows = NULL;
    }
    step->result = rows ? &rows->result : NULL;
    return false;
}

static void finish(struct taud_step *step)
{
    (void)step; // the result is there
}

static struct taud_step *prepare(struct taud_feed *feed, bool *ret_end, enum tau_status *ret_status)
{
    struct taud_latest *latest = (struct taud_latest *)feed;
    uint64_t size = (uint64_t)FIRST_PAGE * (latest->page_count + 1);
    uint32_t limit = size < CAPACITY ? (uint32_t)size : CAPACITY;
    struct page *page =
        (struct page *)taud_feed_step(feed, sizeof *page + limit * sizeof page->labels[0]);
    if (!page) {
        *ret_status = TAU_STATUS_NO_MEMORY;
        return NULL;
    }
    page->count = taud_selection_next(&latest->selection, &latest->place, limit, page->labels);
    *ret_end = latest->place.ended;
    latest->page_count += size < CAPACITY;
    if (page->count == 0) {
        taud_feed_release(feed, page);
        return NULL;
    }
    page->step.task.work = work;
    page->step.task.single = true;
    page->step.finish = finish;
    return &page->step;
}

static void free_latest(struct taud_feed *feed)
{
    struct taud_latest *latest = (struct taud_latest *)feed;
    const struct taud_allocator *allocator = feed->allocator;
    taud_selection_done(&latest->selection);
    taud_feed_give(feed, (struct taud_result *)latest->rows);
    allocator->release(allocator->context, latest);
}

static const struct taud_feed_kind kind = {
    .result_bytes = TAUD_QUERY_RESULT_BYTES, .prepare = prepare, .free = free_latest};

// --- for callers ------------------------------------------------------------------------------

enum tau_status taud_latest_open(struct taud_engine *engine,
                                 const struct tau_multi_latest_request *request,
                                 taud_query_wake *wake, void *user_data,
                                 struct taud_latest **ret_latest)
{
    const struct taud_allocator *allocator = engine->allocator;
    struct taud_latest *latest = allocator->allocate(allocator->context, sizeof *latest);
    if (!latest)
        return TAU_STATUS_NO_MEMORY;
    memset(latest, 0, sizeof *latest);
    latest->engine = engine;
    latest->from = request->from;
    latest->to = request->to;
    taud_feed_init(&latest->feed, &kind, allocator, engine->crew, wake, user_data);
    enum tau_status status = taud_selection_init(&latest->selection, engine, engine->crew,
                                                 request->prefix, request->labels);
    if (status != TAU_STATUS_SUCCESS) {
        taud_feed_close(&latest->feed);
        return status;
    }
    *ret_latest = latest;
    return TAU_STATUS_SUCCESS;
}

enum tau_status taud_latest_next(struct taud_latest *latest, const struct tau_row **ret_rows,
                                 size_t *ret_count, bool *ret_end)
{
    struct taud_result *result = NULL;
    taud_feed_give(&latest->feed, (struct taud_result *)latest->rows);
    latest->rows = NULL;
    enum tau_status status = taud_feed_next(&latest->feed, &result);
    *ret_count = 0;
    *ret_end = status == TAU_STATUS_SUCCESS && !result;
    if (!result)
        return status;
    latest->rows = (struct rows *)result;
    *ret_rows = latest->rows->rows;
    *ret_count = latest->rows->count;
    *ret_end = taud_feed_is_over(&latest->feed);
    return TAU_STATUS_SUCCESS;
}

void taud_latest_close(struct taud_latest *latest)
{
    if (latest)
        taud_feed_close(&latest->feed);
}
