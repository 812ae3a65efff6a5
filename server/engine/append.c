// SPDX-License-Identifier: MIT
// Writing points. A shard's lock covers judging, log and memory, so that the order of the log for
// one series is the order in memory. Single points are taken in batches sorted by shard: one lock
// and one copy into the log for each shard's run, and memory is fetched ahead of its use.
#include "policy.h"
#include "record.h"

#include <string.h>

// A bound for what `count` single points take in the log: each run may begin a record.
static size_t points_bound(size_t count)
{
    return count * (TAUD_RECORD_POINT_BYTES + TAUD_RECORD_HEADER_BYTES);
}

// Appends the run's points to one shard, with its lock.
static void append_run(struct taud_engine *engine, struct taud_shard *shard,
                       const struct tau_append_request *points, const uint64_t *hashes,
                       const uint8_t *order, size_t count, enum tau_status *ret_statuses,
                       uint64_t *position)
{
    struct taud_series *found[TAUD_BATCH];
    uint8_t encoded[TAUD_BATCH * TAUD_RECORD_POINT_BYTES];
    size_t accepted = 0;
    bool kept = false;
    for (size_t i = 0; i < count; i++) {
        unsigned place = order[i];
        found[i] = taud_shard_find(shard, hashes[place], &points[place].label);
        if (found[i] && found[i]->head.points)
            __builtin_prefetch(found[i]->head.points + found[i]->head.count, 1);
    }
    for (size_t i = 0; i < count; i++) {
        unsigned place = order[i];
        const struct tau_append_request *point = &points[place];
        double value = point->value;
        bool logged = false;
        ret_statuses[place] = TAU_STATUS_SERIES_NOT_FOUND;
        if (!found[i])
            continue;
        ret_statuses[place] =
            taud_policy_write(engine, shard, found[i], point->timestamp, &value, &logged);
        if (logged)
            taud_record_point(encoded + accepted++ * TAUD_RECORD_POINT_BYTES, found[i]->identity,
                              point->timestamp, value);
        else
            kept |= ret_statuses[place] == TAU_STATUS_SUCCESS;
    }
    if (accepted > 0)
        taud_raise(position, taud_log_append_points(&engine->log, encoded, accepted));
    else if (kept) // what stands there already must be durable before the reply says so
        taud_raise(position, atomic_load(&engine->log.next_position));
}

static void append_batch(struct taud_engine *engine, const struct tau_append_request *points,
                         size_t count, enum tau_status *ret_statuses, uint64_t *position)
{
    struct taud_batch batch;
    taud_batch_sort(engine, points, sizeof *points, count, &batch);
    for (size_t i = 0; i < TAUD_SHARDS; i++) {
        size_t run = (size_t)(batch.starts[i + 1] - batch.starts[i]);
        if (run == 0)
            continue;
        struct taud_shard *shard = &engine->shards[i];
        pthread_mutex_lock(&shard->mutex);
        append_run(engine, shard, points, batch.hashes, batch.order + batch.starts[i], run,
                   ret_statuses, position);
        pthread_mutex_unlock(&shard->mutex);
    }
}

static void append_one(struct taud_engine *engine, const struct tau_append_request *point,
                       enum tau_status *ret_status, uint64_t *position)
{
    uint64_t hash = taud_engine_hash(engine, &point->label);
    struct taud_shard *shard = &engine->shards[taud_shard_number(hash)];
    uint8_t order = 0;
    pthread_mutex_lock(&shard->mutex);
    append_run(engine, shard, point, &hash, &order, 1, ret_status, position);
    pthread_mutex_unlock(&shard->mutex);
}

void taud_engine_append(struct taud_engine *engine, const struct tau_append_request *points,
                        size_t count, enum tau_status *ret_statuses, uint64_t *position)
{
    for (size_t done = 0, batch; done < count; done += batch) {
        batch = count - done < TAUD_BATCH ? count - done : TAUD_BATCH;
        enum tau_status status = taud_log_admit(&engine->log, points_bound(batch), false);
        if (status != TAU_STATUS_SUCCESS) {
            for (size_t i = 0; i < batch; i++)
                ret_statuses[done + i] = status;
            continue;
        }
        if (batch == 1)
            append_one(engine, points + done, ret_statuses + done, position);
        else
            append_batch(engine, points + done, batch, ret_statuses + done, position);
        taud_log_release(&engine->log, points_bound(batch));
    }
}
