// SPDX-License-Identifier: MIT
// The part that all queries over many series share: a query is a row of steps, which the crew does
// in any order, some of them ahead of whoever takes the results, who gets them in the order of the
// steps. What is ahead is bounded (limits.h). It must not know what steps do.
//
//   prepare --> working --> ready --> its result is taken --> gone
//                  ^                     |
//                  +---------------------+ while it is unfinished
#ifndef TAUD_QUERY_FEED_H
#define TAUD_QUERY_FEED_H

#include "crew.h"
#include "query.h"

#include <pthread.h>
#include <stdatomic.h>

struct taud_feed;

// What a step leaves; the kind knows the rest of it.
struct taud_result {
    bool reserved; // belongs to the feed: it counts towards what is ahead
};

// Made by `prepare`, zeroed but for the functions of its task (`work`, `single`) and `finish`.
struct taud_step {
    struct taud_crew_task task; // first; feed.c sets done
    // When all threads are out of it: sets `result`, or leaves it NULL. May set `unfinished`.
    void (*finish)(struct taud_step *step);
    // Gives back what the step itself holds, not its result. Not for a step that is being worked
    // on.
    void (*drop)(struct taud_step *step);
    struct taud_result *result;
    enum tau_status status; // other than SUCCESS: the query ends here
    bool unfinished;        // it is to be worked on again once its result is taken
    struct taud_feed *feed; // the rest belongs to the feed
    struct taud_step *next;
    size_t size; // of its allocation
    bool working;
    bool reserved; // its result may have the kind's size; else TAUD_QUERY_RESULT_BYTES at most
};

struct taud_feed_kind {
    size_t result_bytes; // the most that a result takes, if there is a share for it
    // Makes the step that comes next with taud_feed_step, and says in *ret_end that none follows.
    // Returns NULL without *ret_end when none can begin before those that are underway are ready.
    // With the feed's lock; one at a time.
    struct taud_step *(*prepare)(struct taud_feed *feed, bool *ret_end,
                                 enum tau_status *ret_status);
    // Gives back the query, when it is closed and no step is left.
    void (*free)(struct taud_feed *feed);
};

struct taud_feed {
    const struct taud_feed_kind *kind;
    const struct taud_allocator *allocator;
    struct taud_crew *crew;
    taud_query_wake *wake;
    void *user_data;
    _Atomic bool cancelled;
    pthread_mutex_t mutex; // covers all below
    struct taud_step *first, **last;
    unsigned step_count;
    unsigned working_count;
    bool all_prepared;
    bool waiting; // somebody is to be woken when there is a result
    bool closed;
    enum tau_status status;
    // While it is alone, the steps are done by the thread that takes the results, and the crew does
    // not know of them: waking others takes longer than a few pieces. When these are used up, or
    // the query is not small from the beginning, all steps are the crew's. Only that thread sets
    // these two.
    bool alone;
    uint32_t alone_left; // pieces that it may look at
};

void taud_feed_init(struct taud_feed *feed, const struct taud_feed_kind *kind,
                    const struct taud_allocator *allocator, struct taud_crew *crew,
                    taud_query_wake *wake, void *user_data);

// Lets the thread that takes results begin alone, before it asks for the first. Steps must ask
// taud_feed_goes_on before each piece then, and where it says no, put back what they have of it and
// be unfinished.
void taud_feed_begin_alone(struct taud_feed *feed);

// Memory for a step of `size` bytes, zeroed; NULL when there is none.
struct taud_step *taud_feed_step(struct taud_feed *feed, size_t size);

// The next result, which is the caller's until taud_feed_give: SUCCESS with NULL when there is none
// left, WOULD_BLOCK when it will be woken, or what ended the query.
enum tau_status taud_feed_next(struct taud_feed *feed, struct taud_result **ret_result);

// Gives back a result. Accepts NULL.
void taud_feed_give(const struct taud_feed *feed, struct taud_result *result);

// Whether there is certainly no result left.
bool taud_feed_is_over(struct taud_feed *feed);

// Ends the query: wakes nobody from now on, and frees it when the last thread is out of it.
void taud_feed_close(struct taud_feed *feed);

static inline bool taud_feed_cancelled(const struct taud_feed *feed)
{
    return atomic_load_explicit(&feed->cancelled, memory_order_relaxed);
}

// Whether a step may look at another piece. For readers, too (reader.h).
static inline bool taud_feed_goes_on(void *user_data)
{
    struct taud_feed *feed = user_data;
    if (taud_feed_cancelled(feed) || (feed->alone && feed->alone_left == 0))
        return false;
    if (feed->alone)
        feed->alone_left--;
    return true;
}

// Whether a step that may not go on is to be left to the crew.
static inline bool taud_feed_is_handed_over(const struct taud_feed *feed)
{
    return feed->alone && feed->alone_left == 0 && !taud_feed_cancelled(feed);
}

static inline void taud_feed_release(const struct taud_feed *feed, void *memory)
{
    feed->allocator->release(feed->allocator->context, memory);
}

#endif
