// SPDX-License-Identifier: MIT
// Computing what rules are due to have, a piece at a time, by the storage thread: the source is
// read as AGGREGATE reads it, without a lock; what differs from the target is written as any write
// is, past the target's policy. It must not know what makes a rule due.
#include "columns.h"
#include "rollup_rows.h"
#include "state.h"

#include "query/reader.h"

#include <string.h>

enum {
    TURN_ROWS = 4 * TAUD_ROLLUP_ROWS, // a piece ends behind so many rows
    TURN_NS = 10000000,               // or so much time
    SKETCHES = 64,                    // buckets of a window whose quantiles take memory
    WINDOW_BYTES = 16 << 20,
    CHECKS = 64, // of a reader, between looks at what else is due
    RETRY_MS = TAUD_STORAGE_RETRY_MS,
    DAMAGE_RETRY_MS = 60000,
    LOOK_BACK = 64, // times as long a look back for the point before a bucket, each time
};

struct work {
    struct taud_engine *engine;
    const struct taud_rollup_task *task;
    struct taud_aggregate_plan plan;
    struct taud_aggregate_memory memory;
    struct taud_aggregate_window window;
    struct taud_aggregate_series series; // what is known of the source
    struct taud_reader reader;
    struct taud_rollup_rows rows;
    struct taud_rollup_changes changes;
    int64_t starts[TAUD_ROLLUP_ROWS];
    double values[TAUD_ROLLUP_ROWS];
    uint64_t position; // of the log, of what was written
    uint64_t row_count, until_ns;
    unsigned checks;
    bool ordered; // the function looks at what is before the bucket
};

static uint64_t now_ns(const struct taud_engine *engine)
{
    const struct taud_clock *clock = engine->storage.clock;
    return clock->monotonic_ns(clock->context);
}

static struct taud_aggregate_column column_of(const struct taud_rollup_task *task)
{
    return (struct taud_aggregate_column){(enum taud_aggregate_function)task->definition.function,
                                          task->definition.parameter};
}

// Between pieces of the source: what is more urgent is done meanwhile.
static bool goes_on(void *user_data)
{
    struct work *work = user_data;
    if (++work->checks % CHECKS == 0)
        return taud_storage_pause(work->engine);
    return !taud_storage_is_stopping(&work->engine->storage);
}

// --- writing ----------------------------------------------------------------------------------

static enum tau_status write_locked(struct work *work, struct taud_shard *shard,
                                    struct taud_series *target)
{
    struct taud_engine *engine = work->engine;
    const struct taud_rollup_changes *changes = &work->changes;
    struct taud_columns columns = {
        .engine = engine,
        .shard = shard,
        .series = target,
        .timestamps = {changes->timestamps, changes->count, false},
        .values = {changes->values, changes->count, false},
    };
    struct taud_columns_placed placed;
    for (size_t i = 0; i < changes->gone_count; i++) {
        enum tau_status status = taud_delete_locked(engine, shard, target, changes->gone[i].from,
                                                    changes->gone[i].to, &work->position);
        if (status != TAU_STATUS_SUCCESS)
            return status;
    }
    if (changes->count == 0)
        return TAU_STATUS_SUCCESS;
    if (!taud_policy_begin(engine, shard, target) ||
        !taud_columns_place(&columns, true, &placed, &work->position))
        return TAU_STATUS_STORAGE_FULL;
    bool all = placed.late_stored == placed.late && placed.stored == changes->count;
    return all ? TAU_STATUS_SUCCESS : TAU_STATUS_STORAGE_FULL;
}

// Writes what is gathered, unless the rule has ended: then neither its source nor its target need
// be what they were.
static enum tau_status write_changes(struct work *work)
{
    struct taud_engine *engine = work->engine;
    const struct tau_label *target = &work->task->target;
    struct taud_rollup_changes *changes = &work->changes;
    size_t bound = taud_columns_bound(changes->count) + changes->gone_count * TAUD_DELETION_BYTES;
    struct taud_shard *shard;
    if (changes->count == 0 && changes->gone_count == 0)
        return TAU_STATUS_SUCCESS;
    enum tau_status status = taud_log_admit(&engine->log, bound, false);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    pthread_mutex_lock(&engine->rollups.mutex);
    const struct taud_rollup *rule =
        taud_rollup_find(&engine->rollups, taud_engine_hash(engine, target), target);
    status = TAU_STATUS_ROLLUP_NOT_FOUND;
    if (rule && rule->number == work->task->number) {
        struct taud_series *series = taud_engine_lock_series(engine, target, &shard);
        status = write_locked(work, shard, series);
        pthread_mutex_unlock(&shard->mutex);
    }
    pthread_mutex_unlock(&engine->rollups.mutex);
    taud_log_release(&engine->log, bound);
    changes->count = changes->gone_count = 0;
    return status;
}

// Makes of the target up to `to` what was computed.
static enum tau_status settle(struct work *work, struct taud_aggregate_rows *computed, int64_t to)
{
    bool more = true;
    enum tau_status status = TAU_STATUS_SUCCESS;
    while (more && status == TAU_STATUS_SUCCESS) {
        status = taud_rollup_rows_compare(&work->rows, computed, to, &work->changes, &more);
        if (status == TAU_STATUS_SUCCESS)
            status = write_changes(work);
        if (status == TAU_STATUS_SUCCESS && more && !goes_on(work))
            status = TAU_STATUS_CANCELLED;
    }
    return status;
}

// --- reading ----------------------------------------------------------------------------------

// The first point of the source from one instant to another, or the last.
static enum tau_status find_point(struct work *work, struct taud_span span,
                                  enum tau_direction direction, bool *ret_any,
                                  int64_t *ret_timestamp, double *ret_value)
{
    struct taud_range *range;
    size_t count = 0;
    bool end;
    *ret_any = false;
    if (taud_span_is_empty(span))
        return TAU_STATUS_SUCCESS;
    enum tau_status status = taud_range_open(work->engine, &work->task->source, span.from, span.to,
                                             1, direction, &range);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    status = taud_range_next(range, ret_timestamp, ret_value, 1, &count, &end);
    taud_range_close(range);
    *ret_any = count > 0;
    return status;
}

// The latest point before the plan, looked for nearby at first: what is long ago need not be looked
// at, as a rule.
static enum tau_status find_prior(struct work *work)
{
    struct taud_aggregate_series *series = &work->series;
    int64_t from = work->plan.from;
    uint64_t back = work->plan.width;
    enum tau_status status = TAU_STATUS_SUCCESS;
    *series = (struct taud_aggregate_series){
        .end = work->task->newest > work->plan.to ? work->task->newest : work->plan.to};
    while (from > INT64_MIN && !series->has_prior && status == TAU_STATUS_SUCCESS) {
        struct taud_span span = {INT64_MIN, from - 1};
        if (back < (uint64_t)from - (uint64_t)INT64_MIN)
            span.from = (int64_t)((uint64_t)from - back);
        status = find_point(work, span, TAU_DIRECTION_BACKWARD, &series->has_prior,
                            &series->prior_timestamp, &series->prior);
        from = span.from;
        back = back > UINT64_MAX / LOOK_BACK ? UINT64_MAX : back * LOOK_BACK;
    }
    return status;
}

// Plans a span of whole buckets, or the first of them that a plan may have, from the first point
// on. *ret_any: there are points.
static enum tau_status plan(struct work *work, struct taud_span span, bool *ret_any)
{
    const struct taud_record_rollup *definition = &work->task->definition;
    const struct taud_aggregate_column column = column_of(work->task);
    struct taud_aggregate_options options = {.from = span.from,
                                             .to = span.to,
                                             .width = definition->width,
                                             .origin = definition->origin,
                                             .columns = &column,
                                             .column_count = 1};
    enum tau_status status = taud_aggregate_plan_init(&work->plan, &options);
    *ret_any = true;
    if (status != TAU_STATUS_LIMIT_EXCEEDED)
        return status;
    int64_t first = 0;
    double value;
    status = find_point(work, span, TAU_DIRECTION_FORWARD, ret_any, &first, &value);
    if (status != TAU_STATUS_SUCCESS || !*ret_any)
        return status;
    // The end of the last bucket does not leave 64 bits: there are more buckets up to span.to.
    uint64_t ahead = definition->width * (TAUD_AGGREGATE_BUCKETS_MAX - 1);
    options.from = taud_rollup_start(definition, first);
    if ((uint64_t)span.to - (uint64_t)first > ahead)
        options.to = taud_rollup_end(definition, (int64_t)((uint64_t)first + ahead));
    return taud_aggregate_plan_init(&work->plan, &options);
}

// Computes the buckets of a window, from that of the next point on, and makes the target so up to
// *ret_end: the end of the window, or of the plan.
static enum tau_status work_window(struct work *work, int64_t *ret_end)
{
    struct taud_aggregate_rows computed = {.starts = work->starts, .values = work->values};
    const struct taud_aggregate_plan *plan = &work->plan;
    int64_t timestamp = 0;
    bool any, more = false;
    enum tau_status status = taud_reader_peek(&work->reader, &timestamp, &any);
    if (status == TAU_STATUS_SUCCESS && any) {
        taud_aggregate_window_place(&work->window, taud_aggregate_bucket_of(plan, timestamp));
        status = taud_reader_fill(&work->reader, &work->window, goes_on, work, &more);
    }
    if (status != TAU_STATUS_SUCCESS)
        return status;
    if (any) {
        bool begins = work->ordered && !work->series.has_prior;
        if (work->ordered)
            taud_aggregate_window_close(&work->window, &work->series);
        taud_aggregate_read(&work->window, &computed);
        // What was before it may be gone by retention: as it was computed with that, it stays.
        if (begins && work->task->retention > 0)
            work->rows.kept = computed.starts[0];
        work->row_count += computed.count;
    }
    *ret_end = more ? taud_aggregate_bucket_last_instant(plan, work->window.end - 1) : plan->to;
    return settle(work, &computed, *ret_end);
}

static bool is_enough(const struct work *work)
{
    return work->row_count >= TURN_ROWS || now_ns(work->engine) >= work->until_ns;
}

// Computes the plan window by window. `left` becomes what is not done of it.
static enum tau_status work_plan(struct work *work, struct taud_span *left)
{
    const struct taud_aggregate_plan *plan = &work->plan;
    uint32_t capacity =
        (plan->parts & TAUD_AGGREGATE_PART_SKETCH) != 0 ? SKETCHES : TAUD_ROLLUP_ROWS;
    enum tau_status status = taud_reader_open(&work->reader, work->engine, &work->task->source,
                                              plan, plan->from, plan->to, NULL);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    status = taud_aggregate_window_init(&work->window, plan, &work->memory, capacity);
    while (status == TAU_STATUS_SUCCESS) {
        int64_t end;
        status = work_window(work, &end);
        if (status != TAU_STATUS_SUCCESS)
            break;
        left->from = end < INT64_MAX ? end + 1 : end;
        if (end >= plan->to || is_enough(work))
            break;
    }
    taud_aggregate_window_done(&work->window);
    taud_reader_close(&work->reader);
    return status;
}

// Of a span of whole buckets those that are still there: what is gone by retention stays as it was
// computed. Returns SUCCESS, ROLLUP_NOT_FOUND.
static enum tau_status clip(struct work *work, struct taud_span *span)
{
    const struct taud_rollup_task *task = work->task;
    struct taud_shard *shard;
    struct taud_series *target = taud_engine_lock_series(work->engine, &task->target, &shard);
    if (!target)
        return TAU_STATUS_ROLLUP_NOT_FOUND;
    uint64_t retentions[2] = {task->retention, target->retention};
    pthread_mutex_unlock(&shard->mutex);
    for (size_t i = 0; i < 2; i++) {
        int64_t edge = taud_storage_edge(work->engine, retentions[i]);
        if (edge <= span->from)
            continue;
        int64_t gone = taud_rollup_end(&task->definition, edge - 1);
        if (gone >= span->to) {
            *span = taud_span_none();
            break;
        }
        span->from = gone + 1;
    }
    return TAU_STATUS_SUCCESS;
}

static enum tau_status work_clipped(struct work *work, struct taud_span span,
                                    struct taud_span *left)
{
    struct taud_aggregate_rows none = {.count = 0};
    bool any;
    enum tau_status status = plan(work, span, &any);
    if (status == TAU_STATUS_SUCCESS && any && work->ordered)
        status = find_prior(work);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    if (any)
        return work_plan(work, left);
    status = settle(work, &none, span.to);
    if (status == TAU_STATUS_SUCCESS)
        *left = taud_span_none();
    return status;
}

// Makes the target what it has to be in a span of whole buckets. `left` becomes what is not done.
static enum tau_status work_span(struct work *work, struct taud_span span, struct taud_span *left)
{
    *left = span;
    enum tau_status status = clip(work, &span);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    *left = span;
    if (taud_span_is_empty(span))
        return status;
    status = taud_rollup_rows_open(&work->rows, work->engine, &work->task->target, span);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    status = work_clipped(work, span, left);
    taud_rollup_rows_close(&work->rows);
    return status;
}

// Where the function looks at what is before a bucket, the first one behind a span that was
// computed again has to be, too.
static enum tau_status work_next(struct work *work)
{
    const struct taud_rollup_task *task = work->task;
    struct taud_span rest, behind = {task->span.to + 1, task->covered - 1};
    int64_t first = 0;
    double value;
    bool any;
    enum tau_status status = find_point(work, behind, TAU_DIRECTION_FORWARD, &any, &first, &value);
    if (status != TAU_STATUS_SUCCESS || !any)
        return status;
    struct taud_span next = {taud_rollup_start(&task->definition, first),
                             taud_rollup_end(&task->definition, first)};
    return work_span(work, next, &rest);
}

static enum tau_status work_task(struct work *work, struct taud_span *left)
{
    const struct taud_rollup_task *task = work->task;
    enum tau_status status = work_span(work, task->span, left);
    if (status != TAU_STATUS_SUCCESS || !taud_span_is_empty(*left) || !task->again ||
        !work->ordered)
        return status;
    status = work_next(work);
    if (status != TAU_STATUS_SUCCESS)
        *left =
            (struct taud_span){taud_rollup_start(&task->definition, task->span.to), task->span.to};
    return status;
}

static enum tau_status work_piece(struct taud_engine *engine, const struct taud_rollup_task *task,
                                  struct taud_span *left)
{
    const struct taud_allocator *allocator = engine->allocator;
    const struct taud_aggregate_column column = column_of(task);
    struct work *work = allocator->allocate(allocator->context, sizeof *work);
    *left = task->span;
    if (!work)
        return TAU_STATUS_NO_MEMORY;
    work->engine = engine;
    work->task = task;
    work->memory = (struct taud_aggregate_memory){allocator, WINDOW_BYTES, 0};
    work->rows.definition = task->definition;
    work->rows.removes = task->again;
    work->changes.count = work->changes.gone_count = 0;
    work->position = work->row_count = work->checks = 0;
    work->until_ns = now_ns(engine) + TURN_NS;
    work->ordered = (taud_aggregate_needs(&column, 1) & TAUD_AGGREGATE_NEEDS_ORDER) != 0;
    enum tau_status status = work_task(work, left);
    if (work->position > 0)
        taud_log_commit(&engine->log, work->position, TAUD_COMMIT_BACKGROUND);
    allocator->release(allocator->context, work);
    return status;
}

// --- turns ------------------------------------------------------------------------------------

// Whether a rule may be taken now. Rules come in rounds, so that one whose buckets are short is
// computed many buckets at a time.
static bool begin(struct taud_engine *engine)
{
    struct taud_rollups *rollups = &engine->rollups;
    if (atomic_load(&rollups->held_count) > 0 && now_ns(engine) >= rollups->held_until_ns)
        taud_rollups_unhold(engine);
    uint32_t due = atomic_load(&rollups->due_count);
    // Who takes steps decides when, but for those in the middle of a compaction.
    bool waits = !engine->storage.stepped || engine->storage.compactions > 0;
    if (due == 0 || (rollups->round == 0 && waits && now_ns(engine) < rollups->round_at_ns))
        return false;
    if (rollups->round == 0 || !taud_engine_log_has_room(engine)) {
        rollups->round = taud_engine_log_has_room(engine) ? due : 0;
        rollups->round_at_ns = now_ns(engine) + TAUD_ROLLUP_ROUND_MS * 1000000U;
    }
    return rollups->round > 0;
}

static void end(struct taud_engine *engine, const struct taud_rollup_task *task,
                enum tau_status status, struct taud_span left)
{
    struct taud_rollups *rollups = &engine->rollups;
    bool failed = status != TAU_STATUS_SUCCESS && status != TAU_STATUS_CANCELLED;
    if (failed) {
        uint64_t wait_ms = status == TAU_STATUS_INTERNAL_ERROR ? DAMAGE_RETRY_MS : RETRY_MS;
        rollups->held_until_ns = now_ns(engine) + wait_ms * 1000000U;
    }
    // What is left of it is of this round.
    rollups->round -= taud_span_is_empty(left) || failed;
    taud_rollup_give(engine, task, left, failed);
}

bool taud_rollups_turn(struct taud_engine *engine)
{
    struct taud_rollups *rollups = &engine->rollups;
    struct taud_rollup_task task;
    struct taud_span left;
    if (rollups->working || !begin(engine))
        return false;
    if (!taud_rollup_take(engine, &task)) {
        rollups->round = 0;
        return false;
    }
    rollups->working = true;
    uint64_t began_ns = now_ns(engine);
    enum tau_status status = work_piece(engine, &task, &left);
    uint64_t ended_ns = now_ns(engine);
    rollups->rest_until_ns = ended_ns + (ended_ns - began_ns);
    rollups->working = false;
    end(engine, &task, status, left);
    return true;
}

void taud_rollups_interrupt(struct taud_engine *engine)
{
    if (now_ns(engine) >= engine->rollups.rest_until_ns)
        (void)!taud_rollups_turn(engine);
}

uint64_t taud_rollups_rest_ns(struct taud_engine *engine, uint64_t most)
{
    const struct taud_rollups *rollups = &engine->rollups;
    uint64_t now = now_ns(engine), until = now + most;
    if (atomic_load(&engine->log.failed))
        return most;
    if (atomic_load(&rollups->due_count) > 0 && rollups->round_at_ns < until)
        until = rollups->round_at_ns;
    if (atomic_load(&rollups->held_count) > 0 && rollups->held_until_ns < until)
        until = rollups->held_until_ns;
    return until > now ? until - now : 0;
}
