// SPDX-License-Identifier: MIT
// What rules have to compute: writes and deletes mark it under the lock of their shard, rules with
// something due wait in a queue, and the storage thread takes a range of one at a time. It must not
// know how that is computed, nor how rules come and go.
#include "state.h"

#include "aggregate/plan.h"

// --- buckets ----------------------------------------------------------------------------------

int64_t taud_rollup_start(const struct taud_record_rollup *definition, int64_t instant)
{
    uint64_t phase = taud_aggregate_phase(instant, definition->origin, definition->width);
    uint64_t room = (uint64_t)instant - (uint64_t)INT64_MIN;
    return room < phase ? INT64_MIN : (int64_t)((uint64_t)instant - phase);
}

int64_t taud_rollup_end(const struct taud_record_rollup *definition, int64_t instant)
{
    uint64_t phase = taud_aggregate_phase(instant, definition->origin, definition->width);
    uint64_t left = definition->width - 1 - phase;
    uint64_t room = (uint64_t)INT64_MAX - (uint64_t)instant;
    return room < left ? INT64_MAX : (int64_t)((uint64_t)instant + left);
}

// --- the queue --------------------------------------------------------------------------------

static void put_last(struct taud_rollup_link *list, struct taud_rollup_link *link)
{
    link->after = list;
    link->before = list->before;
    list->before->after = link;
    list->before = link;
}

static void take_out(struct taud_rollup_link *link)
{
    link->before->after = link->after;
    link->after->before = link->before;
    *link = (struct taud_rollup_link){NULL, NULL};
}

static struct taud_rollup *rule_of(struct taud_rollup_link *link)
{
    return (struct taud_rollup *)(void *)((uint8_t *)link - offsetof(struct taud_rollup, link));
}

static void queue(struct taud_engine *engine, struct taud_rollup *rule, bool held)
{
    struct taud_rollups *rollups = &engine->rollups;
    bool first = false;
    rule->queued = true;
    pthread_mutex_lock(&rollups->queue_mutex);
    rule->held = held;
    put_last(held ? &rollups->held : &rollups->due, &rule->link);
    if (held)
        atomic_fetch_add(&rollups->held_count, 1);
    else
        first = atomic_fetch_add(&rollups->due_count, 1) == 0;
    pthread_mutex_unlock(&rollups->queue_mutex);
    if (first)
        taud_storage_wake(engine);
}

void taud_rollup_unqueue(struct taud_rollups *rollups, struct taud_rollup *rule)
{
    pthread_mutex_lock(&rollups->queue_mutex);
    if (rule->link.before) {
        take_out(&rule->link);
        atomic_fetch_sub(rule->held ? &rollups->held_count : &rollups->due_count, 1);
    }
    pthread_mutex_unlock(&rollups->queue_mutex);
}

void taud_rollups_unhold(struct taud_engine *engine)
{
    struct taud_rollups *rollups = &engine->rollups;
    pthread_mutex_lock(&rollups->queue_mutex);
    while (rollups->held.after != &rollups->held) {
        struct taud_rollup_link *link = rollups->held.after;
        take_out(link);
        rule_of(link)->held = false;
        put_last(&rollups->due, link);
        atomic_fetch_sub(&rollups->held_count, 1);
        atomic_fetch_add(&rollups->due_count, 1);
    }
    pthread_mutex_unlock(&rollups->queue_mutex);
}

// --- what is due ------------------------------------------------------------------------------

// Where the bucket of the newest point starts: what ends before it is over.
static int64_t over(const struct taud_rollup *rule)
{
    const struct taud_series *source = rule->source;
    return source->any ? taud_rollup_start(&rule->definition, source->last_timestamp) : INT64_MIN;
}

static bool has_again(const struct taud_rollup *rule)
{
    return !taud_span_is_empty(rule->again) && rule->again.from < rule->covered;
}

static bool is_due(const struct taud_rollup *rule)
{
    return has_again(rule) || over(rule) > rule->covered;
}

int64_t taud_rollup_settled(const struct taud_rollup *rule)
{
    struct taud_span open = taud_span_join(rule->again, rule->working);
    int64_t start = taud_rollup_start(&rule->definition, open.from);
    return taud_span_is_empty(open) || start > rule->covered ? rule->covered : start;
}

bool taud_rollup_is_pending(const struct taud_rollup *rule)
{
    return is_due(rule) || !taud_span_is_empty(rule->working);
}

void taud_rollup_source_renew(struct taud_engine *engine, const struct taud_series *series)
{
    struct taud_rollup_source *source = taud_rollup_source(&engine->rollups, series->source);
    source->closes = INT64_MAX;
    source->covered = INT64_MIN;
    for (struct taud_rollup *rule = source->rules; rule; rule = rule->next_of_source) {
        int64_t end = INT64_MIN; // without points: the first one is looked at
        if (series->any)
            end = taud_rollup_end(&rule->definition, series->last_timestamp);
        if (end < source->closes)
            source->closes = end == INT64_MAX ? end : end + 1;
        source->covered = rule->covered > source->covered ? rule->covered : source->covered;
        // One that is being computed is queued when that is done.
        if (!rule->queued && taud_span_is_empty(rule->working) && is_due(rule))
            queue(engine, rule, false);
    }
}

void taud_rollup_mark(struct taud_engine *engine, struct taud_series *series, int64_t from,
                      int64_t to)
{
    const struct taud_rollup_source *source = taud_rollup_source(&engine->rollups, series->source);
    if (to < source->closes && from >= source->covered)
        return;
    for (struct taud_rollup *rule = source->rules; rule; rule = rule->next_of_source) {
        if (from >= rule->covered)
            continue;
        struct taud_span changed = {from, to < rule->covered ? to : rule->covered - 1};
        rule->again = taud_span_join(rule->again, changed);
    }
    taud_rollup_source_renew(engine, series);
}

// Also what was not computed yet is marked: at a start it may have been, before the power went.
void taud_rollup_mark_deleted(struct taud_engine *engine, struct taud_series *series, int64_t from,
                              int64_t to)
{
    if (series->source == 0 || !series->any || from > series->last_timestamp)
        return;
    const struct taud_rollup_source *source = taud_rollup_source(&engine->rollups, series->source);
    struct taud_span gone = {from, to < series->last_timestamp ? to : series->last_timestamp};
    for (struct taud_rollup *rule = source->rules; rule; rule = rule->next_of_source)
        rule->again = taud_span_join(rule->again, gone);
    taud_rollup_source_renew(engine, series);
}

// --- taking -----------------------------------------------------------------------------------

static struct taud_shard *shard_of(struct taud_engine *engine, const struct taud_series *series)
{
    return &engine->shards[taud_shard_number(series->named.hash)];
}

// Chooses what is computed: again before anew. With the lock of the source's shard.
static bool choose(struct taud_rollup *rule, struct taud_rollup_task *task)
{
    task->again = has_again(rule);
    if (task->again) {
        int64_t end = taud_rollup_end(&rule->definition, rule->again.to);
        int64_t last = end < rule->covered ? end : rule->covered - 1;
        task->span =
            (struct taud_span){taud_rollup_start(&rule->definition, rule->again.from), last};
        if (rule->again.to > last)
            rule->again.from = rule->covered;
        else
            rule->again = taud_span_none();
    } else {
        if (over(rule) <= rule->covered)
            return false;
        task->span = (struct taud_span){rule->covered, over(rule) - 1};
        rule->covered = over(rule);
    }
    rule->working = task->span;
    rule->advances = !task->again;
    return true;
}

static bool take(struct taud_engine *engine, struct taud_rollup *rule,
                 struct taud_rollup_task *task)
{
    struct taud_shard *shard = shard_of(engine, rule->source);
    pthread_mutex_lock(&shard->mutex);
    rule->queued = false;
    bool chosen = choose(rule, task);
    if (chosen) {
        task->number = rule->number;
        task->target = rule->named.label;
        task->source = rule->source->named.label;
        task->definition = rule->definition;
        task->retention = rule->source->retention;
        task->newest = rule->source->last_timestamp;
        task->covered = rule->covered;
        taud_rollup_source_renew(engine, rule->source);
    }
    pthread_mutex_unlock(&shard->mutex);
    return chosen;
}

bool taud_rollup_take(struct taud_engine *engine, struct taud_rollup_task *ret_task)
{
    struct taud_rollups *rollups = &engine->rollups;
    bool taken = false;
    pthread_mutex_lock(&rollups->mutex);
    while (!taken) {
        pthread_mutex_lock(&rollups->queue_mutex);
        struct taud_rollup_link *link = rollups->due.after;
        bool any = link != &rollups->due;
        if (any) {
            take_out(link);
            atomic_fetch_sub(&rollups->due_count, 1);
        }
        pthread_mutex_unlock(&rollups->queue_mutex);
        if (!any)
            break;
        taken = take(engine, rule_of(link), ret_task);
    }
    pthread_mutex_unlock(&rollups->mutex);
    return taken;
}

// With the lock of the source's shard.
static void put_back(struct taud_rollup *rule, const struct taud_rollup_task *task,
                     struct taud_span left)
{
    rule->working = taud_span_none();
    if (taud_span_is_empty(left))
        return;
    if (task->again)
        rule->again = taud_span_join(rule->again, left);
    else
        rule->covered = left.from;
}

void taud_rollup_give(struct taud_engine *engine, const struct taud_rollup_task *task,
                      struct taud_span left, bool held)
{
    struct taud_rollups *rollups = &engine->rollups;
    uint64_t hash = taud_engine_hash(engine, &task->target);
    pthread_mutex_lock(&rollups->mutex);
    struct taud_rollup *rule = taud_rollup_find(rollups, hash, &task->target);
    if (rule && rule->number == task->number) {
        struct taud_shard *shard = shard_of(engine, rule->source);
        pthread_mutex_lock(&shard->mutex);
        put_back(rule, task, left);
        if (held)
            queue(engine, rule, true);
        taud_rollup_source_renew(engine, rule->source);
        pthread_mutex_unlock(&shard->mutex);
    }
    pthread_mutex_unlock(&rollups->mutex);
}
