// SPDX-License-Identifier: MIT
// Rollup rules come and go here, and are listed: a table and an ordered index of them by their
// target, and for each source a chain of its rules. A rule ends with its source and with its
// target. It must not know what a rule has to compute.
#include "state.h"

#include "policy.h"

#include "aggregate/plan.h"

#include <string.h>

_Static_assert((int)TAUD_AGGREGATE_INCREASE == (int)TAUD_RECORD_FUNCTION_MAX, "as in the log");
_Static_assert(TAU_LIMIT_ROLLUPS % TAUD_ROLLUP_PAGE == 0, "whole pages");

enum { CREATION_BYTES = TAUD_RECORD_CREATE_ROLLUP_BYTES + TAUD_RECORD_POLICY_BYTES };

bool taud_rollups_init(struct taud_engine *engine)
{
    struct taud_rollups *rollups = &engine->rollups;
    if (!taud_table_init(&rollups->table, &engine->arena, TAU_LIMIT_ROLLUPS))
        return false;
    taud_index_init(&rollups->index, &engine->arena);
    rollups->due = (struct taud_rollup_link){&rollups->due, &rollups->due};
    rollups->held = (struct taud_rollup_link){&rollups->held, &rollups->held};
    pthread_mutex_init(&rollups->mutex, NULL);
    pthread_mutex_init(&rollups->queue_mutex, NULL);
    return true;
}

void taud_rollups_done(struct taud_engine *engine)
{
    struct taud_rollups *rollups = &engine->rollups;
    for (size_t i = 0; i < TAUD_ROLLUP_PAGES; i++)
        engine->allocator->release(engine->allocator->context, rollups->pages[i]);
    taud_table_done(&rollups->table);
    pthread_mutex_destroy(&rollups->mutex);
    pthread_mutex_destroy(&rollups->queue_mutex);
}

bool taud_rollup_is_possible(const struct taud_record_rollup *definition)
{
    struct taud_aggregate_plan plan;
    const struct taud_aggregate_column column = {(enum taud_aggregate_function)definition->function,
                                                 definition->parameter};
    const struct taud_aggregate_options options = {
        .width = definition->width, .columns = &column, .column_count = 1};
    return definition->width > 0 && taud_aggregate_plan_init(&plan, &options) == TAU_STATUS_SUCCESS;
}

struct taud_rollup *taud_rollup_find(const struct taud_rollups *rollups, uint64_t hash,
                                     const struct tau_label *target)
{
    return (struct taud_rollup *)(void *)taud_table_find(&rollups->table, hash, target);
}

static struct taud_rollup *rule_of(const struct taud_rollups *rollups,
                                   const struct taud_series *target)
{
    return taud_rollup_find(rollups, target->named.hash, &target->named.label);
}

bool taud_rollup_feeds(const struct taud_rollups *rollups, const struct taud_series *series,
                       const struct taud_series *other)
{
    // A target has one rule, so there is one way up, and rules make no circle.
    while (other != series) {
        const struct taud_rollup *rule = rule_of(rollups, other);
        if (!rule)
            return false;
        other = rule->source;
    }
    return true;
}

// --- sources ----------------------------------------------------------------------------------

// A free place; 0 when there is no memory.
static uint32_t take_source(struct taud_engine *engine)
{
    struct taud_rollups *rollups = &engine->rollups;
    const struct taud_allocator *allocator = engine->allocator;
    uint32_t number = rollups->free_source;
    if (number != 0) {
        rollups->free_source = taud_rollup_source(rollups, number)->rule_count;
        return number;
    }
    // There are no more sources than rules.
    struct taud_rollup_source **page = &rollups->pages[rollups->source_count / TAUD_ROLLUP_PAGE];
    if (!*page) {
        *page = allocator->allocate(allocator->context, TAUD_ROLLUP_PAGE * sizeof **page);
        if (!*page)
            return 0;
        memset(*page, 0, TAUD_ROLLUP_PAGE * sizeof **page);
    }
    return ++rollups->source_count;
}

static void give_source(struct taud_rollups *rollups, uint32_t number)
{
    struct taud_rollup_source *source = taud_rollup_source(rollups, number);
    *source = (struct taud_rollup_source){.rule_count = rollups->free_source};
    rollups->free_source = number;
}

static bool join_source(struct taud_engine *engine, struct taud_rollup *rule)
{
    struct taud_series *series = rule->source;
    if (series->source == 0) {
        uint32_t number = take_source(engine);
        if (number == 0)
            return false;
        *taud_rollup_source(&engine->rollups, number) = (struct taud_rollup_source){.rules = NULL};
        series->source = number;
    }
    struct taud_rollup_source *source = taud_rollup_source(&engine->rollups, series->source);
    rule->next_of_source = source->rules;
    source->rules = rule;
    source->rule_count++;
    return true;
}

static void leave_source(struct taud_engine *engine, struct taud_rollup *rule)
{
    struct taud_series *series = rule->source;
    struct taud_rollup_source *source = taud_rollup_source(&engine->rollups, series->source);
    struct taud_rollup **place = &source->rules;
    while (*place != rule)
        place = &(*place)->next_of_source;
    *place = rule->next_of_source;
    if (--source->rule_count > 0) {
        taud_rollup_source_renew(engine, series);
        return;
    }
    give_source(&engine->rollups, series->source);
    series->source = 0;
}

static bool attach(struct taud_engine *engine, struct taud_rollup *rule)
{
    struct taud_rollups *rollups = &engine->rollups;
    if (!taud_table_insert(&rollups->table, &rule->named))
        return false;
    if (!taud_index_insert(&rollups->index, &rule->named.label)) {
        taud_table_remove(&rollups->table, &rule->named);
        return false;
    }
    if (!join_source(engine, rule)) {
        taud_index_remove(&rollups->index, &rule->named.label);
        taud_table_remove(&rollups->table, &rule->named);
        return false;
    }
    rule->number = ++rollups->last_number;
    taud_rollup_source_renew(engine, rule->source);
    return true;
}

void taud_rollup_detach(struct taud_engine *engine, struct taud_rollup *rule)
{
    struct taud_rollups *rollups = &engine->rollups;
    taud_rollup_unqueue(rollups, rule);
    taud_index_remove(&rollups->index, &rule->named.label);
    taud_table_remove(&rollups->table, &rule->named);
    leave_source(engine, rule);
    taud_arena_give(&engine->arena, rule, TAUD_BLOCK_256);
}

static void end_rule(struct taud_engine *engine, struct taud_rollup *rule)
{
    struct taud_shard *shard = &engine->shards[taud_shard_number(rule->source->named.hash)];
    pthread_mutex_lock(&shard->mutex);
    taud_rollup_detach(engine, rule);
    pthread_mutex_unlock(&shard->mutex);
}

void taud_rollups_leave(struct taud_engine *engine, struct taud_series *series)
{
    struct taud_rollup *rule = rule_of(&engine->rollups, series);
    if (rule && rule->definition.target == series->identity)
        end_rule(engine, rule);
    while (series->source != 0)
        end_rule(engine, taud_rollup_source(&engine->rollups, series->source)->rules);
}

// --- creating ---------------------------------------------------------------------------------

// Two series of two shards, or of one.
struct pair {
    struct taud_shard *shards[2]; // ascending; the second is NULL where both are in one
    struct taud_series *target, *source;
};

static void lock_pair(struct taud_engine *engine, const struct tau_label *target,
                      const struct tau_label *source, struct pair *pair)
{
    uint64_t hashes[2] = {taud_engine_hash(engine, target), taud_engine_hash(engine, source)};
    unsigned first = taud_shard_number(hashes[0]), second = taud_shard_number(hashes[1]);
    pair->shards[0] = &engine->shards[first < second ? first : second];
    pair->shards[1] = first == second ? NULL : &engine->shards[first < second ? second : first];
    pthread_mutex_lock(&pair->shards[0]->mutex);
    if (pair->shards[1])
        pthread_mutex_lock(&pair->shards[1]->mutex);
    pair->target = taud_shard_find(&engine->shards[first], hashes[0], target);
    pair->source = taud_shard_find(&engine->shards[second], hashes[1], source);
}

static void unlock_pair(struct pair *pair)
{
    if (pair->shards[1])
        pthread_mutex_unlock(&pair->shards[1]->mutex);
    pthread_mutex_unlock(&pair->shards[0]->mutex);
}

static enum tau_status check(const struct taud_rollups *rollups, const struct pair *pair)
{
    if (!pair->target || !pair->source)
        return TAU_STATUS_SERIES_NOT_FOUND;
    if (rule_of(rollups, pair->target))
        return TAU_STATUS_ROLLUP_ALREADY_EXISTS;
    if (taud_rollup_feeds(rollups, pair->target, pair->source))
        return TAU_STATUS_INVALID_PAYLOAD;
    uint32_t number = pair->source->source;
    if (rollups->table.count >= TAU_LIMIT_ROLLUPS ||
        (number != 0 &&
         taud_rollup_source(rollups, number)->rule_count >= TAU_LIMIT_SOURCE_ROLLUPS))
        return TAU_STATUS_LIMIT_EXCEEDED;
    return TAU_STATUS_SUCCESS;
}

struct taud_rollup *taud_rollup_new(struct taud_engine *engine,
                                    const struct taud_record_rollup *definition,
                                    const struct taud_series *target, struct taud_series *source)
{
    struct taud_rollup *rule = taud_arena_take(&engine->arena, TAUD_BLOCK_256);
    if (!rule)
        return NULL;
    *rule = (struct taud_rollup){.named = target->named,
                                 .definition = *definition,
                                 .source = source,
                                 .covered = INT64_MIN,
                                 .again = taud_span_none(),
                                 .working = taud_span_none(),
                                 .noted_covered = INT64_MIN,
                                 .noted_again = taud_span_none()};
    if (attach(engine, rule))
        return rule;
    taud_arena_give(&engine->arena, rule, TAUD_BLOCK_256);
    return NULL;
}

static void copy_creation(uint8_t *out, const void *user_data)
{
    memcpy(out, user_data, CREATION_BYTES);
}

static enum tau_status create_locked(struct taud_engine *engine, struct pair *pair,
                                     struct taud_record_rollup *definition, uint64_t *position)
{
    uint8_t records[CREATION_BYTES];
    enum tau_status status = check(&engine->rollups, pair);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    definition->target = pair->target->identity;
    definition->source = pair->source->identity;
    // What is computed again replaces what is there; so does what others write there.
    taud_record_create_rollup(records, definition);
    taud_record_policy(records + TAUD_RECORD_CREATE_ROLLUP_BYTES, definition->target,
                       TAUD_ORDER_LAST, pair->target->retention);
    struct taud_rollup *rule = taud_rollup_new(engine, definition, pair->target, pair->source);
    if (!rule)
        return TAU_STATUS_STORAGE_FULL;
    if (!taud_catalog_note(engine, records, sizeof records)) {
        taud_rollup_detach(engine, rule);
        return TAU_STATUS_STORAGE_FULL;
    }
    pair->target->order = TAUD_ORDER_LAST;
    taud_raise(position,
               taud_log_append_record(&engine->log, sizeof records, copy_creation, records));
    return TAU_STATUS_SUCCESS;
}

enum tau_status taud_engine_create_rollup(struct taud_engine *engine,
                                          const struct tau_rollup *rollup, uint64_t *position)
{
    struct pair pair;
    struct taud_record_rollup definition = {.width = rollup->width,
                                            .origin = rollup->origin,
                                            .parameter = rollup->parameter,
                                            .function = (uint8_t)rollup->function};
    if ((unsigned)rollup->function > TAUD_RECORD_FUNCTION_MAX ||
        !taud_rollup_is_possible(&definition))
        return TAU_STATUS_INVALID_PAYLOAD;
    enum tau_status status = taud_log_admit(&engine->log, CREATION_BYTES, false);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    pthread_mutex_lock(&engine->rollups.mutex);
    lock_pair(engine, &rollup->target, &rollup->source, &pair);
    status = create_locked(engine, &pair, &definition, position);
    unlock_pair(&pair);
    pthread_mutex_unlock(&engine->rollups.mutex);
    taud_log_release(&engine->log, CREATION_BYTES);
    return status;
}

// --- dropping ---------------------------------------------------------------------------------

static void copy_drop(uint8_t *out, const void *user_data)
{
    memcpy(out, user_data, TAUD_RECORD_DROP_ROLLUP_BYTES);
}

static enum tau_status drop_locked(struct taud_engine *engine, const struct tau_label *target,
                                   uint64_t *position)
{
    uint8_t record[TAUD_RECORD_DROP_ROLLUP_BYTES];
    uint64_t hash = taud_engine_hash(engine, target);
    struct taud_rollup *rule = taud_rollup_find(&engine->rollups, hash, target);
    if (!rule)
        return TAU_STATUS_ROLLUP_NOT_FOUND;
    taud_record_drop_rollup(record, rule->definition.target);
    if (!taud_catalog_note(engine, record, sizeof record))
        return TAU_STATUS_STORAGE_FULL;
    taud_raise(position, taud_log_append_record(&engine->log, sizeof record, copy_drop, record));
    end_rule(engine, rule);
    return TAU_STATUS_SUCCESS;
}

enum tau_status taud_engine_drop_rollup(struct taud_engine *engine, const struct tau_label *target,
                                        uint64_t *position)
{
    enum tau_status status = taud_log_admit(&engine->log, TAUD_RECORD_DROP_ROLLUP_BYTES, true);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    pthread_mutex_lock(&engine->rollups.mutex);
    status = drop_locked(engine, target, position);
    pthread_mutex_unlock(&engine->rollups.mutex);
    taud_log_release(&engine->log, TAUD_RECORD_DROP_ROLLUP_BYTES);
    return status;
}

// --- listing ----------------------------------------------------------------------------------

static void tell(struct taud_engine *engine, const struct taud_rollup *rule, struct tau_rollup *ret)
{
    struct taud_shard *shard = &engine->shards[taud_shard_number(rule->source->named.hash)];
    memset(ret, 0, sizeof *ret);
    ret->target = rule->named.label;
    ret->source = rule->source->named.label;
    ret->width = rule->definition.width;
    ret->origin = rule->definition.origin;
    ret->function = (enum tau_aggregate_function)rule->definition.function;
    ret->parameter = rule->definition.parameter;
    pthread_mutex_lock(&shard->mutex);
    ret->settled = taud_rollup_settled(rule);
    ret->state = taud_rollup_is_pending(rule) ? TAU_ROLLUP_STATE_PENDING : TAU_ROLLUP_STATE_SETTLED;
    pthread_mutex_unlock(&shard->mutex);
}

void taud_engine_list_rollups(struct taud_engine *engine, const struct tau_label *cursor,
                              size_t limit, struct tau_rollup *ret, size_t *ret_count,
                              bool *ret_more)
{
    enum { PAGE = 64 };
    struct taud_rollups *rollups = &engine->rollups;
    struct tau_label labels[PAGE], from = {{0}};
    bool exclusive = cursor != NULL;
    if (cursor)
        from = *cursor;
    *ret_count = 0;
    pthread_mutex_lock(&rollups->mutex);
    do {
        size_t page = limit - *ret_count < PAGE ? limit - *ret_count : PAGE;
        size_t count = taud_index_list(&rollups->index, &from, exclusive, (struct tau_slice){0},
                                       page, labels, ret_more);
        for (size_t i = 0; i < count; i++) {
            uint64_t hash = taud_engine_hash(engine, &labels[i]);
            tell(engine, taud_rollup_find(rollups, hash, &labels[i]), &ret[(*ret_count)++]);
            from = labels[i];
        }
        exclusive = true;
    } while (*ret_more && *ret_count < limit);
    pthread_mutex_unlock(&rollups->mutex);
}
