// SPDX-License-Identifier: MIT
// Groups of several series. A step is a window of buckets of a group; its parts are runs of the
// group's series, which threads take one after the other, each into a window of its own, and join
// in the order in which they were taken: so the result does not depend on how many threads there
// are. Where the range is narrowed to the points, a step of its own looks for the first and the
// last.
#include "aggregate_parts.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

enum {
    PARTS = 16,  // that a small group is divided into
    WINDOWS = 4, // no more than these are not worth narrowing a range for
};

struct taud_group {
    struct taud_aggregate_query *query;
    _Atomic unsigned references;
    uint64_t number, size; // series; UINT64_MAX: all of a prefix
    struct tau_label label;
    struct taud_selection_place place; // of its first series
    // Under the feed's lock.
    bool planned, surveying;
    struct taud_aggregate_plan plan;
    uint32_t next_bucket;
};

// The part of a step that is the same for both kinds.
struct work {
    struct taud_step step; // first
    struct taud_group *group;
    pthread_mutex_t mutex; // covers all below
    pthread_cond_t joined_more;
    struct taud_selection_place place;
    uint64_t left; // series that no thread has taken
    uint64_t next_part, joined;
    enum tau_status status;
};

struct survey {
    struct work work; // first
    struct taud_points_bounds bounds;
};

struct span {
    struct work work;    // first
    uint32_t first, end; // buckets
    bool has_window;
    struct taud_aggregate_memory memory;
    struct taud_aggregate_window window; // of all parts that were joined
};

// A thread's part of a step.
struct part {
    uint64_t number;
    uint32_t count;
    struct taud_selection_place place; // of its first series
    uint64_t left;                     // with it
    struct tau_label labels[TAUD_QUERY_PAGE];
};

// --- groups -----------------------------------------------------------------------------------

// Moves a place over some labels. Those of a prefix come to an end by themselves.
static void pass_over(const struct taud_aggregate_query *query, struct taud_selection_place *place,
                      uint64_t count)
{
    if (query->selection.labels) {
        place->index += (uint32_t)count;
        place->ended = place->index == query->selection.count;
    } else {
        place->ended = true;
    }
}

struct taud_group *taud_group_new(struct taud_aggregate_query *query, uint64_t size,
                                  enum tau_status *ret_status)
{
    const struct taud_allocator *allocator = query->feed.allocator;
    struct taud_selection_place first = query->place;
    struct tau_label label;
    if (taud_selection_next(&query->selection, &first, 1, &label) == 0) {
        query->place.ended = true;
        return NULL;
    }
    struct taud_group *group = allocator->allocate(allocator->context, sizeof *group);
    if (!group) {
        *ret_status = TAU_STATUS_NO_MEMORY;
        return NULL;
    }
    if (query->selection.labels && size > query->selection.count - query->place.index)
        size = query->selection.count - query->place.index;
    *group = (struct taud_group){.query = query,
                                 .number = query->next_group++,
                                 .size = size,
                                 .label = label,
                                 .place = query->place,
                                 .plan = query->plan};
    atomic_init(&group->references, 1);
    uint32_t few = WINDOWS * taud_aggregate_query_window(query);
    group->planned =
        !query->narrows || (query->plan.bucket_count > 0 && query->plan.bucket_count <= few);
    pass_over(query, &query->place, size);
    return group;
}

void taud_group_release(struct taud_group *group)
{
    if (group && atomic_fetch_sub_explicit(&group->references, 1, memory_order_acq_rel) == 1)
        taud_feed_release(&group->query->feed, group);
}

// --- parts ------------------------------------------------------------------------------------

static uint32_t part_size(const struct work *work)
{
    uint64_t size = work->group->size == UINT64_MAX ? work->next_part + 1
                                                    : (work->group->size + PARTS - 1) / PARTS;
    return size < TAUD_QUERY_PAGE ? (uint32_t)size : TAUD_QUERY_PAGE;
}

// Takes the next series. Returns false when none are left, or the step has failed.
static bool take_part(struct work *work, struct part *part)
{
    pthread_mutex_lock(&work->mutex);
    if (taud_feed_cancelled(work->step.feed) && work->status == TAU_STATUS_SUCCESS)
        work->status = TAU_STATUS_CANCELLED;
    uint64_t limit = part_size(work);
    limit = limit < work->left ? limit : work->left;
    part->count = 0;
    part->place = work->place;
    part->left = work->left;
    if (limit > 0 && work->status == TAU_STATUS_SUCCESS)
        part->count = taud_selection_next(&work->group->query->selection, &work->place,
                                          (uint32_t)limit, part->labels);
    work->left = work->place.ended ? 0 : work->left - part->count;
    if (part->count > 0)
        part->number = work->next_part++;
    pthread_mutex_unlock(&work->mutex);
    return part->count > 0;
}

// Undoes that it was taken, where no other thread takes any.
static void put_back(struct work *work, const struct part *part)
{
    pthread_mutex_lock(&work->mutex);
    assert(work->next_part == part->number + 1);
    work->place = part->place;
    work->left = part->left;
    work->next_part = part->number;
    work->step.unfinished = true;
    pthread_mutex_unlock(&work->mutex);
}

static void fail(struct work *work, enum tau_status status)
{
    if (work->status == TAU_STATUS_SUCCESS)
        work->status = status;
}

// Waits for the turn of a part, which those before it do not wait for. Returns with the lock.
static void begin_joining(struct work *work, const struct part *part)
{
    pthread_mutex_lock(&work->mutex);
    while (work->joined != part->number)
        pthread_cond_wait(&work->joined_more, &work->mutex);
}

static void end_joining(struct work *work)
{
    work->joined++;
    pthread_cond_broadcast(&work->joined_more);
    pthread_mutex_unlock(&work->mutex);
}

static struct taud_step *begin_work(struct taud_group *group, size_t size)
{
    struct work *work = (struct work *)taud_feed_step(&group->query->feed, size);
    if (!work)
        return NULL;
    work->group = group;
    work->place = group->place;
    work->left = group->size;
    work->status = TAU_STATUS_SUCCESS;
    pthread_mutex_init(&work->mutex, NULL);
    pthread_cond_init(&work->joined_more, NULL);
    atomic_fetch_add_explicit(&group->references, 1, memory_order_relaxed);
    return &work->step;
}

static void end_work(struct work *work)
{
    pthread_cond_destroy(&work->joined_more);
    pthread_mutex_destroy(&work->mutex);
    taud_group_release(work->group);
}

// --- looking for the first and the last point -------------------------------------------------

static void widen(struct taud_points_bounds *bounds, const struct taud_points_bounds *other)
{
    if (!other->any)
        return;
    bounds->first = bounds->any && bounds->first < other->first ? bounds->first : other->first;
    bounds->last = bounds->any && bounds->last > other->last ? bounds->last : other->last;
    bounds->any = true;
}

static bool survey_part(struct taud_crew_task *task, struct taud_crew_member *member)
{
    struct survey *survey = (struct survey *)task;
    struct work *work = &survey->work;
    struct taud_points_bounds bounds = {0};
    struct part part;
    (void)member;
    if (!take_part(work, &part))
        return false;
    enum tau_status status = TAU_STATUS_SUCCESS;
    for (uint32_t i = 0; i < part.count && status == TAU_STATUS_SUCCESS; i++) {
        struct taud_points_bounds found = {0};
        status = taud_points_survey(work->group->query->engine, &part.labels[i], &found);
        if (status == TAU_STATUS_SERIES_NOT_FOUND)
            status = TAU_STATUS_SUCCESS;
        widen(&bounds, &found);
    }
    begin_joining(work, &part);
    fail(work, status);
    widen(&survey->bounds, &bounds);
    end_joining(work);
    return true;
}

static void finish_survey(struct taud_step *step)
{
    struct survey *survey = (struct survey *)step;
    struct taud_group *group = survey->work.group;
    struct taud_aggregate_plan plan;
    enum tau_status status = survey->work.status;
    if (status == TAU_STATUS_SUCCESS)
        status = taud_aggregate_query_plan(group->query, &survey->bounds, &plan);
    step->status = status;
    pthread_mutex_lock(&step->feed->mutex);
    group->surveying = false;
    group->planned = true;
    if (status == TAU_STATUS_SUCCESS)
        group->plan = plan;
    else
        group->plan.bucket_count = 0;
    pthread_mutex_unlock(&step->feed->mutex);
}

static void drop_survey(struct taud_step *step)
{
    end_work((struct work *)step);
}

// --- a window of buckets ----------------------------------------------------------------------

// Reads one series into a window, of its own where the plan needs order.
static enum tau_status read_series(struct span *span, const struct tau_label *label,
                                   struct taud_aggregate_window *window)
{
    const struct taud_group *group = span->work.group;
    const struct taud_aggregate_plan *plan = &group->plan;
    bool ordered = (plan->needs & TAUD_AGGREGATE_NEEDS_ORDER) != 0, more;
    struct taud_points_bounds bounds;
    struct taud_reader reader;
    enum tau_status status =
        taud_reader_open(&reader, group->query->engine, label, plan,
                         taud_aggregate_bucket_first_instant(plan, span->first),
                         taud_aggregate_bucket_last_instant(plan, span->end - 1),
                         ordered ? &bounds : NULL);
    if (status != TAU_STATUS_SUCCESS)
        return status == TAU_STATUS_SERIES_NOT_FOUND ? TAU_STATUS_SUCCESS : status;
    status = taud_reader_fill(&reader, window, taud_feed_goes_on, span->work.step.feed, &more);
    if (status == TAU_STATUS_SUCCESS && ordered) {
        struct taud_aggregate_series series = {
            .has_prior = bounds.has_prior,
            .prior_timestamp = bounds.prior_timestamp,
            .prior = bounds.prior,
            .end = bounds.last,
        };
        if (bounds.any)
            taud_aggregate_window_close(window, &series);
    }
    taud_reader_close(&reader);
    return status;
}

// All series of a part, in order, each by itself where the plan needs that.
static enum tau_status read_part(struct span *span, const struct part *part,
                                 struct taud_aggregate_window *own,
                                 struct taud_aggregate_window *whole)
{
    enum tau_status status = TAU_STATUS_SUCCESS;
    for (uint32_t i = 0; i < part->count && status == TAU_STATUS_SUCCESS; i++) {
        if (own)
            taud_aggregate_window_place(own, span->first);
        status = read_series(span, &part->labels[i], own ? own : whole);
        if (own && status == TAU_STATUS_SUCCESS)
            status = taud_aggregate_window_combine(whole, own);
    }
    return status;
}

// Adds the window of a part, or takes it over if it is the first.
static enum tau_status join_window(struct span *span, struct taud_aggregate_window *whole)
{
    if (span->has_window)
        return taud_aggregate_window_combine(&span->window, whole);
    taud_aggregate_window_move(&span->window, &span->memory, whole);
    span->has_window = true;
    return TAU_STATUS_SUCCESS;
}

static void join_part(struct span *span, const struct part *part, enum tau_status status,
                      struct taud_aggregate_window *whole)
{
    begin_joining(&span->work, part);
    if (status == TAU_STATUS_SUCCESS)
        status = join_window(span, whole);
    fail(&span->work, status);
    end_joining(&span->work);
}

static bool span_part(struct taud_crew_task *task, struct taud_crew_member *member)
{
    struct span *span = (struct span *)task;
    const struct taud_aggregate_plan *plan = &span->work.group->plan;
    uint32_t capacity = taud_aggregate_query_window(span->work.group->query);
    bool order = (plan->needs & TAUD_AGGREGATE_NEEDS_ORDER) != 0;
    struct taud_aggregate_window whole, own;
    struct part part;
    if (!take_part(&span->work, &part))
        return false;
    enum tau_status status = taud_aggregate_window_init(&whole, plan, &member->memory, capacity);
    if (status == TAU_STATUS_SUCCESS)
        taud_aggregate_window_place(&whole, span->first);
    enum tau_status other = TAU_STATUS_SUCCESS;
    if (order)
        other = taud_aggregate_window_init(&own, plan, &member->memory, capacity);
    status = status == TAU_STATUS_SUCCESS ? other : status;
    if (status == TAU_STATUS_SUCCESS)
        status = read_part(span, &part, order ? &own : NULL, &whole);
    if (order)
        taud_aggregate_window_done(&own);
    bool more = status != TAU_STATUS_CANCELLED || !taud_feed_is_handed_over(span->work.step.feed);
    if (more)
        join_part(span, &part, status, &whole);
    else
        put_back(&span->work, &part);
    taud_aggregate_window_done(&whole);
    return more;
}

// The rows of the window; NULL where it leaves nothing to tell.
static struct taud_sheet *make_sheet(const struct span *span, enum tau_status *ret_status)
{
    const struct taud_group *group = span->work.group;
    const struct taud_aggregate_window *window = &span->window;
    const struct taud_feed *feed = span->work.step.feed;
    struct taud_sheet *sheet =
        taud_sheet_new(feed, group->plan.column_count, 1, window->used_end - window->used_first);
    if (!sheet) {
        *ret_status = TAU_STATUS_NO_MEMORY;
        return NULL;
    }
    taud_sheet_add(sheet, group->number, &group->label, window,
                   span->end == group->plan.bucket_count);
    if (sheet->run_count > 0)
        return sheet;
    taud_feed_release(feed, sheet);
    return NULL;
}

static void finish_span(struct taud_step *step)
{
    struct span *span = (struct span *)step;
    struct taud_sheet *sheet = NULL;
    step->status = span->work.status;
    step->unfinished = false;
    if (step->status == TAU_STATUS_SUCCESS && span->has_window)
        sheet = make_sheet(span, &step->status);
    if (span->has_window)
        taud_aggregate_window_done(&span->window);
    span->has_window = false;
    step->result = sheet ? &sheet->result : NULL;
}

static void drop_span(struct taud_step *step)
{
    struct span *span = (struct span *)step;
    if (span->has_window)
        taud_aggregate_window_done(&span->window);
    end_work(&span->work);
}

// --- the next step ----------------------------------------------------------------------------

static struct taud_step *prepare_survey(struct taud_group *group)
{
    struct taud_step *step = begin_work(group, sizeof(struct survey));
    if (!step)
        return NULL;
    step->task.work = survey_part;
    step->finish = finish_survey;
    step->drop = drop_survey;
    group->surveying = true;
    return step;
}

static struct taud_step *prepare_span(struct taud_group *group)
{
    struct span *span = (struct span *)(void *)begin_work(group, sizeof *span);
    if (!span)
        return NULL;
    uint32_t most = taud_aggregate_query_window(group->query);
    uint32_t left = group->plan.bucket_count - group->next_bucket;
    span->first = group->next_bucket;
    span->end = span->first + (left < most ? left : most);
    span->memory = (struct taud_aggregate_memory){.allocator = group->query->feed.allocator,
                                                  .limit_bytes = TAUD_QUERY_TASK_BYTES};
    group->next_bucket = span->end;
    span->work.step.task.work = span_part;
    span->work.step.finish = finish_span;
    span->work.step.drop = drop_span;
    return &span->work.step;
}

struct taud_step *taud_group_prepare(struct taud_group *group, bool *ret_end,
                                     enum tau_status *ret_status)
{
    *ret_end = false;
    if (group->surveying)
        return NULL;
    *ret_end = group->planned && group->next_bucket == group->plan.bucket_count;
    if (*ret_end)
        return NULL;
    struct taud_step *step = group->planned ? prepare_span(group) : prepare_survey(group);
    if (!step)
        *ret_status = TAU_STATUS_NO_MEMORY;
    return step;
}
