// SPDX-License-Identifier: MIT
// How rules outlive a start: a cut notes in the catalog how far each of them is, and the records of
// catalog and log are applied again. It must not know how a rule computes.
#include "policy.h"
#include "replay.h"
#include "state.h"

#include <string.h>

// --- the note of a cut ------------------------------------------------------------------------

enum {
    RECORDS_OF_A_BLOCK = (int)TAUD_CATALOG_BLOCK_BYTES / (int)TAUD_RECORD_ROLLUP_PROGRESS_BYTES,
};

bool taud_rollups_prepare_note(struct taud_engine *engine, struct taud_catalog_block **ret_blocks)
{
    const struct taud_allocator *allocator = engine->allocator;
    struct taud_catalog_block *blocks = NULL;
    for (uint64_t room = 0; room < engine->rollups.table.count; room += RECORDS_OF_A_BLOCK) {
        struct taud_catalog_block *block = allocator->allocate(allocator->context, sizeof *block);
        if (!block) {
            taud_catalog_blocks_free(allocator, blocks);
            return false;
        }
        block->used = 0;
        block->next = blocks;
        blocks = block;
    }
    *ret_blocks = blocks;
    return true;
}

// Writes a record where the rule is not as the catalog has it. What is being computed counts as not
// computed: the piece may end behind the cut. Returns the block for the next record.
static struct taud_catalog_block *note(struct taud_rollup *rule, struct taud_catalog_block *block)
{
    int64_t covered = rule->covered;
    struct taud_span again = rule->again;
    if (!taud_span_is_empty(rule->working) && rule->advances)
        covered = rule->working.from;
    else if (!taud_span_is_empty(rule->working))
        again = taud_span_join(again, rule->working);
    if (covered == rule->noted_covered && again.from == rule->noted_again.from &&
        again.to == rule->noted_again.to)
        return block;
    rule->noted_covered = covered;
    rule->noted_again = again;
    if (TAUD_CATALOG_BLOCK_BYTES - block->used < TAUD_RECORD_ROLLUP_PROGRESS_BYTES)
        block = block->next;
    taud_record_rollup_progress(block->bytes + block->used, rule->definition.target, covered,
                                again.from, again.to);
    block->used += TAUD_RECORD_ROLLUP_PROGRESS_BYTES;
    return block;
}

void taud_rollups_note(struct taud_engine *engine, struct taud_catalog_block *blocks)
{
    struct taud_rollups *rollups = &engine->rollups;
    for (uint32_t number = 1; blocks && number <= rollups->source_count; number++) {
        struct taud_rollup *rule = taud_rollup_source(rollups, number)->rules;
        for (; rule; rule = rule->next_of_source)
            blocks = note(rule, blocks);
    }
}

// --- replay -----------------------------------------------------------------------------------

static struct taud_series *series_of(struct taud_engine *engine, uint64_t identity)
{
    struct taud_series *series = taud_identities_get(&engine->identities, identity);
    return series && series->dropped == 0 ? series : NULL;
}

// The rule of a target; NULL when there is none.
static struct taud_rollup *rule_of(struct taud_engine *engine, uint64_t target)
{
    const struct taud_series *series = series_of(engine, target);
    return series ? taud_rollup_find(&engine->rollups, series->named.hash, &series->named.label)
                  : NULL;
}

// What cannot be beside a new rule was dropped in a piece of the log, or of the catalog, that is
// lost.
static void make_way(struct taud_engine *engine, const struct taud_series *target,
                     const struct taud_series *source)
{
    struct taud_rollups *rollups = &engine->rollups;
    struct taud_rollup *rule = rule_of(engine, target->identity);
    if (rule)
        taud_rollup_detach(engine, rule);
    if (taud_rollup_feeds(rollups, target, source))
        taud_rollup_detach(engine, rule_of(engine, source->identity));
}

static enum tau_status apply_create(struct taud_engine *engine, const struct taud_record *record)
{
    struct taud_series *target = series_of(engine, record->rollup.target);
    struct taud_series *source = series_of(engine, record->rollup.source);
    if (!taud_rollup_is_possible(&record->rollup))
        return TAU_STATUS_INTERNAL_ERROR;
    if (!target || !source || target == source)
        return TAU_STATUS_ROLLUP_NOT_FOUND;
    make_way(engine, target, source);
    if (engine->rollups.table.count >= TAU_LIMIT_ROLLUPS)
        return TAU_STATUS_ROLLUP_NOT_FOUND;
    return taud_rollup_new(engine, &record->rollup, target, source) ? TAU_STATUS_SUCCESS
                                                                    : TAU_STATUS_STORAGE_FULL;
}

static enum tau_status apply_progress(struct taud_engine *engine, const struct taud_record *record)
{
    struct taud_rollup *rule = rule_of(engine, record->identity);
    if (!rule)
        return TAU_STATUS_ROLLUP_NOT_FOUND;
    rule->covered = taud_rollup_start(&rule->definition, record->covered);
    rule->again = taud_span_none();
    if (record->mode == TAUD_PROGRESS_AGAIN)
        rule->again = (struct taud_span){record->from, record->to};
    rule->noted_covered = rule->covered;
    rule->noted_again = rule->again;
    taud_rollup_source_renew(engine, rule->source);
    return TAU_STATUS_SUCCESS;
}

enum tau_status taud_rollups_replay(struct taud_engine *engine, const struct taud_record *record)
{
    if (record->type == TAUD_RECORD_CREATE_ROLLUP)
        return apply_create(engine, record);
    if (record->type == TAUD_RECORD_ROLLUP_PROGRESS)
        return apply_progress(engine, record);
    struct taud_rollup *rule = rule_of(engine, record->rollup.target);
    if (!rule)
        return TAU_STATUS_ROLLUP_NOT_FOUND;
    taud_rollup_detach(engine, rule);
    return TAU_STATUS_SUCCESS;
}

void taud_rollups_resume(struct taud_engine *engine)
{
    struct taud_rollups *rollups = &engine->rollups;
    for (uint32_t number = 1; number <= rollups->source_count; number++) {
        const struct taud_rollup *rule = taud_rollup_source(rollups, number)->rules;
        if (rule)
            taud_rollup_source_renew(engine, rule->source);
    }
}
