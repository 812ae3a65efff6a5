// SPDX-License-Identifier: MIT
// Rules that keep a derived series, the target, up to date: for each bucket of time of a source
// that is over and has points, the target has a point at the bucket's start, whose value a function
// makes of them (aggregate/plan.h). It must not know requests, nor how functions are calculated.
//
// A bucket is over once the source has, or had, a point behind it. What is over and was never
// computed lies between `covered` and the bucket of the source's newest point. What is written or
// deleted before `covered` widens one range that is computed again: more than needed, never less.
// So a rule takes the same room whatever happens, and a write does no more than a few assignments.
//
//                       again: from..to           covered               closes
//   computed            computed again            not computed          not over
//   ---------------|==========================|---------|-----------------|-----------> time
//
// The storage thread takes rules that are due one after the other, computes a piece of bounded
// size, compares it with what the target has, and writes the difference as any write is done. That
// is lost with the power or not as the log has it: a start goes on from where the last cut found
// each rule (note), and reads of the writes behind it in the log, which mark as they did. So
// nothing is computed in a flush, and no flush waits for a rule.
#ifndef TAUD_ENGINE_ROLLUP_H
#define TAUD_ENGINE_ROLLUP_H

#include "catalog_store.h"
#include "index.h"
#include "record.h"
#include "series.h"
#include "table.h"

#include <pthread.h>
#include <stdatomic.h>

struct taud_engine;

enum {
    TAUD_ROLLUP_PAGE = 1024, // sources that are allocated together
    TAUD_ROLLUP_PAGES = TAU_LIMIT_ROLLUPS / TAUD_ROLLUP_PAGE,
    TAUD_ROLLUP_ROUND_MS = 100, // rules that are due are taken in rounds, no sooner than this
};

// Instants from one to another, both included; none when from > to.
struct taud_span {
    int64_t from, to;
};

static inline bool taud_span_is_empty(struct taud_span span)
{
    return span.from > span.to;
}

static inline struct taud_span taud_span_none(void)
{
    return (struct taud_span){INT64_MAX, INT64_MIN};
}

// The least that has all of both.
static inline struct taud_span taud_span_join(struct taud_span a, struct taud_span b)
{
    return (struct taud_span){a.from < b.from ? a.from : b.from, a.to > b.to ? a.to : b.to};
}

// A place in a circular list.
struct taud_rollup_link {
    struct taud_rollup_link *before, *after;
};

struct taud_rollup {
    struct taud_named named; // the target's label
    struct taud_record_rollup definition;
    uint64_t number; // never used again
    struct taud_series *source;

    // With the lock of the source's shard.
    struct taud_rollup *next_of_source;
    int64_t covered;          // the start of a bucket, or INT64_MIN
    struct taud_span again;   // also behind `covered`, where something was deleted
    struct taud_span working; // what the storage thread computes at the moment
    bool advances;            // that was never computed before, and lies before `covered` now
    bool queued;
    struct taud_rollup_link link; // with the mutex of the queue, as is:
    bool held;                    // in which list

    // What the catalog says of it from the last cut on. With the mutex of all.
    int64_t noted_covered;
    struct taud_span noted_again;
};

_Static_assert(sizeof(struct taud_rollup) <= 256, "a rollup fits its block");

// What a write to a source looks at. With the lock of the source's shard.
struct taud_rollup_source {
    struct taud_rollup *rules; // NULL: free
    uint32_t rule_count;       // of a free one: the number of the next
    int64_t closes;            // a point from here on ends a bucket of one of the rules
    int64_t covered;           // one before it changes what a rule has computed
};

struct taud_rollups {
    pthread_mutex_t mutex; // over the coming and going of rules: validate, log, apply
    struct taud_table table;
    struct taud_index index;
    uint64_t last_number;
    // A series' number is 1 + its place. A page stays where it is.
    struct taud_rollup_source *pages[TAUD_ROLLUP_PAGES];
    uint32_t source_count; // that were ever used at a time
    uint32_t free_source;  // the number of one of them; 0: none

    pthread_mutex_t queue_mutex;  // over a few assignments
    struct taud_rollup_link due;  // rules
    struct taud_rollup_link held; // due, but not before a while: they failed
    _Atomic uint32_t due_count, held_count;

    // Of the storage thread alone.
    uint32_t round; // rules that are left of this round
    uint64_t round_at_ns, held_until_ns;
    uint64_t rest_until_ns; // what a piece comes in the middle of goes on until then
    bool working;
};

// --- rollup.c: rules come and go --------------------------------------------------------------

// Memory only. Returns false when there is none.
bool taud_rollups_init(struct taud_engine *engine);
void taud_rollups_done(struct taud_engine *engine);

// Whether there are such rules.
bool taud_rollup_is_possible(const struct taud_record_rollup *definition);

// With the mutex: the rule of a target; NULL when it has none.
struct taud_rollup *taud_rollup_find(const struct taud_rollups *rollups, uint64_t hash,
                                     const struct tau_label *target);

// With the mutex: whether a series is what, by rules, another is made of; also of itself.
bool taud_rollup_feeds(const struct taud_rollups *rollups, const struct taud_series *series,
                       const struct taud_series *other);

// With the mutex and the lock of the source's shard: a rule that has computed nothing, for a target
// that has none; NULL when memory is at its bound. And its end.
struct taud_rollup *taud_rollup_new(struct taud_engine *engine,
                                    const struct taud_record_rollup *definition,
                                    const struct taud_series *target, struct taud_series *source);
void taud_rollup_detach(struct taud_engine *engine, struct taud_rollup *rule);

// With the mutex and no shard's lock: a series was dropped, and its rules end.
void taud_rollups_leave(struct taud_engine *engine, struct taud_series *series);

// What a write to a series that has such a number looks at.
static inline struct taud_rollup_source *taud_rollup_source(const struct taud_rollups *rollups,
                                                            uint32_t number)
{
    return &rollups->pages[(number - 1) / TAUD_ROLLUP_PAGE][(number - 1) % TAUD_ROLLUP_PAGE];
}

// --- rollup_store.c: rules are stored and come back -------------------------------------------

// Room for what taud_rollups_note says, before a cut; with the mutex, which is held until then.
// *ret_blocks may be NULL: there is nothing to say. Returns false when there is no memory.
bool taud_rollups_prepare_note(struct taud_engine *engine, struct taud_catalog_block **ret_blocks);

// In a cut: writes a record of each rule that is not as the catalog has it into the blocks.
void taud_rollups_note(struct taud_engine *engine, struct taud_catalog_block *blocks);

// Before there are threads: applies a record of a rule. Returns SUCCESS, ROLLUP_NOT_FOUND (it
// speaks of what is not there), STORAGE_FULL, INTERNAL_ERROR (only a later version can have written
// it).
enum tau_status taud_rollups_replay(struct taud_engine *engine, const struct taud_record *record);

// When all is read: what is not computed is due.
void taud_rollups_resume(struct taud_engine *engine);

// --- rollup_due.c: what is to be computed -----------------------------------------------------

// The first and the last instant of the bucket that holds one, as far as time goes.
int64_t taud_rollup_start(const struct taud_record_rollup *definition, int64_t instant);
int64_t taud_rollup_end(const struct taud_record_rollup *definition, int64_t instant);

// With the lock of the series' shard: points from one timestamp to another are new, or were
// replaced; or they were deleted.
void taud_rollup_mark(struct taud_engine *engine, struct taud_series *series, int64_t from,
                      int64_t to);
void taud_rollup_mark_deleted(struct taud_engine *engine, struct taud_series *series, int64_t from,
                              int64_t to);

static inline void taud_rollup_see(struct taud_engine *engine, struct taud_series *series,
                                   int64_t from, int64_t to)
{
    if (__builtin_expect(series->source != 0, 0))
        taud_rollup_mark(engine, series, from, to);
}

// With the lock of the source's shard: sets what a write looks at, and queues the rules that are
// due.
void taud_rollup_source_renew(struct taud_engine *engine, const struct taud_series *series);

// With the mutex of the queue taken inside.
void taud_rollup_unqueue(struct taud_rollups *rollups, struct taud_rollup *rule);

// With the lock of the source's shard: all buckets that end before this instant are in the target;
// and whether there is something to compute.
int64_t taud_rollup_settled(const struct taud_rollup *rule);
bool taud_rollup_is_pending(const struct taud_rollup *rule);

// A piece of work, and what has to be known for it without a lock.
struct taud_rollup_task {
    uint64_t number; // of the rule
    struct tau_label target, source;
    struct taud_record_rollup definition;
    uint64_t retention; // of the source
    struct taud_span span;
    bool again;      // it was, or may have been, computed before
    int64_t newest;  // the greatest timestamp that the source ever had
    int64_t covered; // of the rule
};

// Takes the first rule that is due. Returns false when there is none.
bool taud_rollup_take(struct taud_engine *engine, struct taud_rollup_task *ret_task);

// Ends it, with what of the span is left to be computed; `held`: not before a while.
void taud_rollup_give(struct taud_engine *engine, const struct taud_rollup_task *task,
                      struct taud_span left, bool held);

// Those that were held are due again.
void taud_rollups_unhold(struct taud_engine *engine);

// --- rollup_work.c: it is computed ------------------------------------------------------------

// By the storage thread: computes a piece for a rule that is due. Returns whether there was one.
bool taud_rollups_turn(struct taud_engine *engine);

// The same in the middle of what takes long, such as a compaction, which gets as much time as the
// pieces: one begins only when as much has passed as the last one took.
void taud_rollups_interrupt(struct taud_engine *engine);

// How long that thread may rest.
uint64_t taud_rollups_rest_ns(struct taud_engine *engine, uint64_t most);

#endif
