// SPDX-License-Identifier: MIT
// Series that have a result of their own: a page of labels is a step, done by one thread, series by
// series and window by window. When its sheet is full the step stops between two windows, and goes
// on with another sheet.
#include "aggregate_parts.h"

#include <string.h>

// A range of at most this part of a window is not worth narrowing: the room that a series without
// points in most of it keeps free in a sheet is small.
enum { SMALL_PART = 8 };

struct page {
    struct taud_step step; // first
    uint64_t first_group;
    uint32_t count, next; // labels; those before `next` are done
    // The series at `next`, while its reader is open.
    struct taud_reader reader;
    struct taud_aggregate_plan plan;
    struct taud_aggregate_series series;
    struct tau_label labels[TAUD_QUERY_PAGE];
};

static struct taud_aggregate_query *query_of(const struct page *page)
{
    return (struct taud_aggregate_query *)page->step.feed;
}

// The plan of the series at `next`, which has no more buckets than may be told of.
static enum tau_status make_plan(struct page *page)
{
    const struct taud_aggregate_query *query = query_of(page);
    struct taud_points_bounds bounds;
    uint32_t few = taud_aggregate_query_window(query) / SMALL_PART;
    page->plan = query->plan;
    if (!query->narrows || (page->plan.bucket_count > 0 && page->plan.bucket_count <= few))
        return TAU_STATUS_SUCCESS;
    enum tau_status status =
        taud_points_survey(query->engine, &page->labels[page->next], &bounds);
    return status == TAU_STATUS_SUCCESS ? taud_aggregate_query_plan(query, &bounds, &page->plan)
                                        : status;
}

// Opens the series at `next`. Its points end where its plan does, whatever is written meanwhile.
static enum tau_status open_series(struct page *page)
{
    struct taud_points_bounds bounds = {.any = false};
    enum tau_status status = make_plan(page);
    if (status != TAU_STATUS_SUCCESS || page->plan.bucket_count == 0)
        return status;
    bool ordered = (page->plan.needs & TAUD_AGGREGATE_NEEDS_ORDER) != 0;
    status = taud_reader_open(&page->reader, query_of(page)->engine, &page->labels[page->next],
                              &page->plan, page->plan.from, page->plan.to,
                              ordered ? &bounds : NULL);
    page->series = (struct taud_aggregate_series){
        .has_prior = bounds.has_prior,
        .prior_timestamp = bounds.prior_timestamp,
        .prior = bounds.prior,
        .end = bounds.last,
    };
    return status;
}

// Opens the next series that there is anything to tell of, and passes over others.
static enum tau_status open_next(struct page *page)
{
    for (; page->next < page->count; page->next++) {
        enum tau_status status = open_series(page);
        if (page->reader.points ||
            (status != TAU_STATUS_SUCCESS && status != TAU_STATUS_SERIES_NOT_FOUND))
            return status;
    }
    return TAU_STATUS_SUCCESS;
}

// Adds what the window can take of the open series to the sheet.
static enum tau_status fill_sheet(struct page *page, struct taud_aggregate_window *window,
                                  struct taud_sheet *sheet)
{
    int64_t timestamp = 0;
    bool any, more = false;
    enum tau_status status = taud_reader_peek(&page->reader, &timestamp, &any);
    if (status == TAU_STATUS_SUCCESS && any) {
        taud_aggregate_window_place(window, taud_aggregate_bucket_of(&page->plan, timestamp));
        status = taud_reader_fill(&page->reader, window, taud_feed_goes_on, page->step.feed, &more);
    }
    if (status != TAU_STATUS_SUCCESS)
        return status;
    if ((page->plan.needs & TAUD_AGGREGATE_NEEDS_ORDER) != 0)
        taud_aggregate_window_close(window, &page->series);
    taud_sheet_add(sheet, page->first_group + page->next, &page->labels[page->next], window, !more);
    if (!more) {
        taud_reader_close(&page->reader);
        page->next++;
    }
    return TAU_STATUS_SUCCESS;
}

// One window of the open series.
static enum tau_status work_window(struct page *page, struct taud_crew_member *member,
                                   struct taud_sheet *sheet)
{
    struct taud_aggregate_window window;
    enum tau_status status = taud_aggregate_window_init(
        &window, &page->plan, &member->memory, taud_aggregate_query_window(query_of(page)));
    if (status == TAU_STATUS_SUCCESS)
        status = fill_sheet(page, &window, sheet);
    taud_aggregate_window_done(&window);
    if (status != TAU_STATUS_CANCELLED || !taud_feed_is_handed_over(page->step.feed))
        return status;
    // A small query has a single window: the series is read again.
    taud_reader_close(&page->reader);
    page->step.unfinished = true;
    return TAU_STATUS_SUCCESS;
}

static bool has_room(const struct page *page, const struct taud_sheet *sheet)
{
    uint32_t most = taud_aggregate_query_window(query_of(page));
    uint32_t wanted = page->plan.bucket_count < most ? page->plan.bucket_count : most;
    return sheet->row_capacity - sheet->row_count >= wanted &&
           sheet->run_count < sheet->run_capacity;
}

static bool work(struct taud_crew_task *task, struct taud_crew_member *member)
{
    struct page *page = (struct page *)task;
    struct taud_step *step = &page->step;
    size_t columns = query_of(page)->plan.column_count;
    struct taud_sheet *sheet =
        taud_sheet_new(step->feed, columns, TAUD_QUERY_PAGE, taud_sheet_rows_max(columns));
    step->unfinished = false;
    step->status = sheet ? TAU_STATUS_SUCCESS : TAU_STATUS_NO_MEMORY;
    while (step->status == TAU_STATUS_SUCCESS && page->next < page->count && !step->unfinished) {
        if (taud_feed_cancelled(step->feed))
            step->status = TAU_STATUS_CANCELLED;
        else if (!page->reader.points)
            step->status = open_next(page);
        else if (has_room(page, sheet))
            step->status = work_window(page, member, sheet);
        else
            step->unfinished = true;
    }
    if (sheet && (step->status != TAU_STATUS_SUCCESS || sheet->run_count == 0)) {
        taud_feed_release(step->feed, sheet);
        sheet = NULL;
    }
    step->result = sheet ? &sheet->result : NULL;
    return false;
}

static void finish(struct taud_step *step)
{
    (void)step; // the result is there
}

static void drop(struct taud_step *step)
{
    taud_reader_close(&((struct page *)step)->reader);
}

struct taud_step *taud_aggregate_page(struct taud_aggregate_query *query, bool *ret_end,
                                      enum tau_status *ret_status)
{
    struct page *page = (struct page *)taud_feed_step(&query->feed, sizeof *page);
    if (!page) {
        *ret_status = TAU_STATUS_NO_MEMORY;
        return NULL;
    }
    // Pages grow, so that a few series are spread over the threads too.
    uint32_t limit = query->page_count < TAUD_QUERY_PAGE ? query->page_count + 1 : TAUD_QUERY_PAGE;
    page->count = taud_selection_next(&query->selection, &query->place, limit, page->labels);
    *ret_end = query->place.ended;
    if (page->count == 0) {
        taud_feed_release(&query->feed, page);
        return NULL;
    }
    page->first_group = query->next_group;
    query->next_group += page->count;
    query->page_count++;
    page->step.task.work = work;
    page->step.task.single = true;
    page->step.finish = finish;
    page->step.drop = drop;
    return &page->step;
}
