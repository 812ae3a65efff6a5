// SPDX-License-Identifier: MIT
// Writing rows of many series as one record: the shards that they touch are locked together, in
// ascending order; each row is judged and applied by itself, and the log holds what was accepted.
#include "policy.h"
#include "record.h"

enum { AHEAD = 16 }; // rows between the fetch of a series and its use

static void lock_shards(struct taud_engine *engine, uint64_t mask)
{
    for (unsigned i = 0; i < TAUD_SHARDS; i++) {
        if (mask >> i & 1)
            pthread_mutex_lock(&engine->shards[i].mutex);
    }
}

static void unlock_shards(struct taud_engine *engine, uint64_t mask)
{
    for (unsigned i = 0; i < TAUD_SHARDS; i++) {
        if (mask >> i & 1)
            pthread_mutex_unlock(&engine->shards[i].mutex);
    }
}

struct row_outcome {
    size_t accepted; // rows that are stored, or kept for what is there
    size_t logged;
    size_t refused;
    bool full; // memory was at its bound for one of them
};

static enum tau_status apply_row(struct taud_engine *engine, const struct tau_row *row,
                                 uint64_t hash, uint8_t *encoded, bool *ret_logged)
{
    struct taud_shard *shard = &engine->shards[taud_shard_number(hash)];
    struct taud_series *series = taud_shard_find(shard, hash, &row->label);
    double value = row->value;
    *ret_logged = false;
    if (!series)
        return TAU_STATUS_SERIES_NOT_FOUND;
    enum tau_status status =
        taud_policy_write(engine, shard, series, row->timestamp, &value, ret_logged);
    if (*ret_logged)
        taud_record_point(encoded, series->identity, row->timestamp, value);
    return status;
}

// Judges and applies every row.
static struct row_outcome apply_rows(struct taud_engine *engine, struct tau_array rows,
                                     const uint64_t *hashes, uint8_t *encoded,
                                     struct tau_refused_row *ret_refused)
{
    struct row_outcome outcome = {0};
    for (size_t i = 0; i < rows.count; i++) {
        if (i + AHEAD < rows.count) {
            uint64_t ahead = hashes[i + AHEAD];
            taud_table_prefetch_named(&engine->shards[taud_shard_number(ahead)].table, ahead);
        }
        struct tau_row row = tau_row_at(rows, i);
        bool logged;
        enum tau_status status =
            apply_row(engine, &row, hashes[i], encoded + outcome.logged * TAUD_RECORD_POINT_BYTES,
                      &logged);
        outcome.logged += logged;
        if (status == TAU_STATUS_SUCCESS) {
            outcome.accepted++;
            continue;
        }
        outcome.full |= status == TAU_STATUS_STORAGE_FULL;
        ret_refused[outcome.refused++] =
            (struct tau_refused_row){.row = (uint32_t)i, .status = status};
    }
    return outcome;
}

static enum tau_status append_admitted(struct taud_engine *engine, struct tau_array rows,
                                       uint64_t *hashes, uint8_t *encoded,
                                       struct tau_refused_row *ret_refused,
                                       size_t *ret_refused_count, uint64_t *position)
{
    uint64_t mask = 0;
    for (size_t i = 0; i < rows.count; i++) {
        struct tau_row row = tau_row_at(rows, i);
        hashes[i] = taud_engine_hash(engine, &row.label);
        mask |= UINT64_C(1) << taud_shard_number(hashes[i]);
        taud_table_prefetch(&engine->shards[taud_shard_number(hashes[i])].table, hashes[i]);
    }
    lock_shards(engine, mask);
    struct row_outcome outcome = apply_rows(engine, rows, hashes, encoded, ret_refused);
    if (outcome.logged > 0)
        taud_raise(position, taud_log_append_points(&engine->log, encoded, outcome.logged));
    else if (outcome.accepted > 0) // what stands there must be durable before the reply says so
        taud_raise(position, atomic_load(&engine->log.next_position));
    unlock_shards(engine, mask);
    if (outcome.full && outcome.accepted == 0)
        return TAU_STATUS_STORAGE_FULL;
    *ret_refused_count = outcome.refused;
    return TAU_STATUS_SUCCESS;
}

enum tau_status taud_engine_append_rows(struct taud_engine *engine, struct tau_array rows,
                                        struct tau_refused_row *ret_refused,
                                        size_t *ret_refused_count, uint64_t *position)
{
    if (rows.count > TAU_LIMIT_MULTI_ROWS)
        return TAU_STATUS_INVALID_PAYLOAD;
    const struct taud_allocator *allocator = engine->allocator;
    size_t bound = TAUD_RECORD_HEADER_BYTES + rows.count * TAUD_RECORD_POINT_BYTES;
    uint64_t *hashes =
        allocator->allocate(allocator->context, rows.count * sizeof *hashes + bound);
    if (!hashes)
        return TAU_STATUS_NO_MEMORY;
    enum tau_status status = taud_log_admit(&engine->log, bound, false);
    if (status == TAU_STATUS_SUCCESS) {
        status = append_admitted(engine, rows, hashes, (uint8_t *)(hashes + rows.count),
                                 ret_refused, ret_refused_count, position);
        taud_log_release(&engine->log, bound);
    }
    allocator->release(allocator->context, hashes);
    return status;
}
