// SPDX-License-Identifier: MIT
// Steps in a row. Whenever something changed, steps at its front that left nothing are taken away,
// and new ones begin at its end as far as they may.
#include "feed.h"

#include <assert.h>
#include <string.h>

static void on_done(struct taud_crew_task *task);

void taud_feed_init(struct taud_feed *feed, const struct taud_feed_kind *kind,
                    const struct taud_allocator *allocator, struct taud_crew *crew,
                    taud_query_wake *wake, void *user_data)
{
    *feed = (struct taud_feed){
        .kind = kind, .allocator = allocator, .crew = crew, .wake = wake, .user_data = user_data};
    feed->last = &feed->first;
    feed->status = TAU_STATUS_SUCCESS;
    atomic_init(&feed->cancelled, false);
    pthread_mutex_init(&feed->mutex, NULL);
}

void taud_feed_begin_alone(struct taud_feed *feed)
{
    feed->alone = true;
    feed->alone_left = TAUD_QUERY_SMALL_PIECES;
}

struct taud_step *taud_feed_step(struct taud_feed *feed, size_t size)
{
    assert(size >= sizeof(struct taud_step));
    struct taud_step *step = feed->allocator->allocate(feed->allocator->context, size);
    if (!step)
        return NULL;
    memset(step, 0, size);
    step->feed = feed;
    step->size = size;
    step->status = TAU_STATUS_SUCCESS;
    step->task.done = on_done;
    return step;
}

static void give_reserve(struct taud_feed *feed, struct taud_step *step)
{
    if (step->reserved)
        taud_crew_return(feed->crew, TAUD_CREW_AHEAD, feed->kind->result_bytes);
    step->reserved = false;
}

void taud_feed_give(const struct taud_feed *feed, struct taud_result *result)
{
    if (result && result->reserved)
        taud_crew_return(feed->crew, TAUD_CREW_AHEAD, feed->kind->result_bytes);
    taud_feed_release(feed, result);
}

static void drop_first(struct taud_feed *feed)
{
    struct taud_step *step = feed->first;
    assert(!step->working);
    feed->first = step->next;
    if (!feed->first)
        feed->last = &feed->first;
    feed->step_count--;
    give_reserve(feed, step);
    if (step->drop)
        step->drop(step);
    taud_feed_release(feed, step->result);
    taud_feed_release(feed, step);
}

static void drop_all(struct taud_feed *feed)
{
    while (feed->first && !feed->first->working)
        drop_first(feed);
}

// No step begins any more; those that are underway stop soon. What is before them is still sent.
static void fail(struct taud_feed *feed, enum tau_status status)
{
    feed->all_prepared = true;
    if (feed->status == TAU_STATUS_SUCCESS)
        feed->status = status;
}

// --- beginning --------------------------------------------------------------------------------

// Whether one more result may come to be: it counts as ahead, unless it is what is waited for.
static bool may_begin(struct taud_feed *feed, bool *ret_reserved)
{
    *ret_reserved = false;
    if (feed->waiting && feed->step_count == 0)
        return true;
    *ret_reserved = feed->step_count < TAUD_QUERY_STEPS_MAX &&
                    taud_crew_reserve(feed->crew, TAUD_CREW_AHEAD, feed->kind->result_bytes);
    return *ret_reserved;
}

static void submit(struct taud_feed *feed, struct taud_step *step)
{
    step->working = true;
    feed->working_count++;
    enum tau_status status = taud_crew_submit(feed->crew, &step->task);
    if (status == TAU_STATUS_SUCCESS)
        return; // it may be done by now
    step->status = status;
    step->working = false;
    feed->working_count--;
}

// Begins as many steps as may be.
static void begin(struct taud_feed *feed)
{
    bool reserved;
    while (!feed->all_prepared && may_begin(feed, &reserved)) {
        bool end = false;
        enum tau_status status = TAU_STATUS_SUCCESS;
        struct taud_step *step = feed->kind->prepare(feed, &end, &status);
        if (!step && reserved)
            taud_crew_return(feed->crew, TAUD_CREW_AHEAD, feed->kind->result_bytes);
        if (status != TAU_STATUS_SUCCESS)
            fail(feed, status);
        feed->all_prepared = feed->all_prepared || end;
        if (!step)
            return;
        step->reserved = reserved;
        *feed->last = step;
        feed->last = &step->next;
        feed->step_count++;
        step->unfinished = feed->alone;
        if (!feed->alone)
            submit(feed, step);
    }
}

// Whether the step at the front can be told something of.
static bool is_ready(const struct taud_step *step)
{
    return !step->working && (step->result || step->status != TAU_STATUS_SUCCESS);
}

// Brings the row forward as far as it goes by itself.
static void advance(struct taud_feed *feed)
{
    struct taud_step *step;
    while ((step = feed->first) && !step->working && !is_ready(step)) {
        if (!step->unfinished)
            drop_first(feed);
        else if (feed->waiting && !feed->alone) // it was left for want of a share
            submit(feed, step);
        else
            break;
    }
    begin(feed);
}

// --- alone ------------------------------------------------------------------------------------

static void hand_over(struct taud_feed *feed)
{
    feed->alone = false;
    for (struct taud_step *step = feed->first; step; step = step->next) {
        if (!is_ready(step) && step->unfinished)
            submit(feed, step);
    }
}

// Works on the step at the front until something can be told of it, as far as it may. No other
// thread knows of the query, but what a step does by itself may take the lock.
static void work_alone(struct taud_feed *feed)
{
    struct taud_crew_member member = {
        .memory = {.allocator = feed->allocator, .limit_bytes = TAUD_QUERY_TASK_BYTES}};
    struct taud_step *step;
    while (feed->alone && (step = feed->first) && !is_ready(step)) {
        step->unfinished = false;
        pthread_mutex_unlock(&feed->mutex);
        while (step->task.work(&step->task, &member)) {
        }
        assert(member.memory.used_bytes == 0);
        if (!step->unfinished)
            step->finish(step);
        pthread_mutex_lock(&feed->mutex);
        if (feed->alone_left == 0)
            hand_over(feed);
        advance(feed);
    }
}

// --- ends -------------------------------------------------------------------------------------

static void destroy(struct taud_feed *feed)
{
    drop_all(feed);
    assert(!feed->first);
    pthread_mutex_destroy(&feed->mutex);
    feed->kind->free(feed);
}

// Wakes whoever waits, once there is something to say.
static void tell(struct taud_feed *feed)
{
    bool over = !feed->first && feed->all_prepared;
    if (!feed->waiting || !(over || (feed->first && is_ready(feed->first))))
        return;
    feed->waiting = false;
    feed->wake(feed->user_data);
}

static void on_done(struct taud_crew_task *task)
{
    struct taud_step *step = (struct taud_step *)task;
    struct taud_feed *feed = step->feed;
    step->finish(step);
    pthread_mutex_lock(&feed->mutex);
    step->working = false;
    feed->working_count--;
    if (!feed->closed) {
        advance(feed);
        tell(feed);
    }
    bool last = feed->closed && feed->working_count == 0;
    pthread_mutex_unlock(&feed->mutex);
    if (last)
        destroy(feed);
}

// Takes the result of the first step, which goes on if it is not finished.
static struct taud_result *take(struct taud_feed *feed)
{
    struct taud_step *step = feed->first;
    struct taud_result *result = step->result;
    step->result = NULL;
    result->reserved = step->reserved;
    step->reserved = false;
    if (!step->unfinished) {
        drop_first(feed);
        return result;
    }
    step->reserved = taud_crew_reserve(feed->crew, TAUD_CREW_AHEAD, feed->kind->result_bytes);
    if (step->reserved && !feed->alone)
        submit(feed, step);
    return result;
}

static enum tau_status look(struct taud_feed *feed, struct taud_result **ret_result)
{
    struct taud_step *step = feed->first;
    if (!step)
        return feed->all_prepared ? feed->status : TAU_STATUS_WOULD_BLOCK;
    if (!is_ready(step))
        return TAU_STATUS_WOULD_BLOCK;
    if (step->status != TAU_STATUS_SUCCESS)
        return step->status;
    *ret_result = take(feed);
    return TAU_STATUS_SUCCESS;
}

enum tau_status taud_feed_next(struct taud_feed *feed, struct taud_result **ret_result)
{
    *ret_result = NULL;
    pthread_mutex_lock(&feed->mutex);
    enum tau_status status = look(feed, ret_result);
    if (status == TAU_STATUS_WOULD_BLOCK) {
        feed->waiting = true;
        advance(feed);
        work_alone(feed);
        status = look(feed, ret_result);
        feed->waiting = status == TAU_STATUS_WOULD_BLOCK;
    }
    if (status == TAU_STATUS_SUCCESS)
        advance(feed);
    pthread_mutex_unlock(&feed->mutex);
    return status;
}

bool taud_feed_is_over(struct taud_feed *feed)
{
    pthread_mutex_lock(&feed->mutex);
    bool over = !feed->first && feed->all_prepared && feed->status == TAU_STATUS_SUCCESS;
    pthread_mutex_unlock(&feed->mutex);
    return over;
}

void taud_feed_close(struct taud_feed *feed)
{
    atomic_store(&feed->cancelled, true);
    pthread_mutex_lock(&feed->mutex);
    feed->closed = true;
    bool last = feed->working_count == 0;
    pthread_mutex_unlock(&feed->mutex);
    if (last)
        destroy(feed);
}
