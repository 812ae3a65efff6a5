// SPDX-License-Identifier: MIT
// Reads the log back into memory at the start, alone and without locks; and the catalog's objects,
// whose records are the same. Compressed chunks are decoded once, to be checked and summarised, and
// kept as they are.
#include "replay.h"

#include "policy.h"

#include <stdio.h>
#include <string.h>

enum { AHEAD = 16, CREATES_IN_FLIGHT = 4096 };

static enum tau_status full(const struct taud_replay *replay)
{
    return taud_error_set(replay->error, TAU_STATUS_STORAGE_FULL, 0,
                          "the memory bound of %llu bytes is too small for the stored points",
                          (unsigned long long)replay->engine->memory_bytes);
}

static enum tau_status no_memory(const struct taud_replay *replay)
{
    return taud_error_set(replay->error, TAU_STATUS_NO_MEMORY, 0,
                          "no memory to read the log back");
}

// The series that is there under an identity.
static struct taud_series *series_of(const struct taud_replay *replay, uint64_t identity)
{
    struct taud_series *series = taud_identities_get(&replay->engine->identities, identity);
    return series && series->dropped == 0 ? series : NULL;
}

static struct taud_shard *shard_of(const struct taud_replay *replay,
                                   const struct taud_series *series)
{
    return &replay->engine->shards[taud_shard_number(series->named.hash)];
}

// An identity that was given out once is not given again.
static void see_identity(const struct taud_replay *replay, uint64_t identity)
{
    _Atomic uint64_t *next = &replay->engine->next_identity;
    if (identity >= atomic_load(next) && identity <= replay->identity_max)
        atomic_store(next, identity + 1);
}

static void pass_over(const struct taud_replay *replay, uint64_t identity)
{
    see_identity(replay, identity);
    replay->recovery->refused_count++;
}

// --- points -----------------------------------------------------------------------------------

static bool put_point(const struct taud_replay *replay, struct taud_series *series,
                      int64_t timestamp, double value)
{
    struct taud_shard *shard = shard_of(replay, series);
    struct taud_series_memory memory = taud_shard_memory(replay->engine, shard);
    if (!taud_policy_begin(replay->engine, shard, series))
        return false;
    bool put = taud_series_in_order(series, timestamp)
                   ? taud_series_append(series, &memory, timestamp, value)
                   : taud_series_append_late(series, &memory, timestamp, value);
    if (!put)
        return false;
    taud_shard_see(shard, timestamp);
    taud_rollup_see(replay->engine, series, timestamp, timestamp);
    replay->recovery->point_count++;
    return true;
}

static double load_value(const uint8_t *bytes)
{
    uint64_t bits = taud_load_u64(bytes);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static enum tau_status apply_points(const struct taud_replay *replay,
                                    const struct taud_record *record)
{
    for (uint32_t i = 0; i < record->count; i++) {
        const uint8_t *point = record->points + (size_t)i * TAUD_RECORD_POINT_BYTES;
        if (i + AHEAD < record->count) {
            uint64_t ahead = taud_load_u64(point + (size_t)AHEAD * TAUD_RECORD_POINT_BYTES);
            const char *near = (const char *)series_of(replay, ahead);
            if (near)
                __builtin_prefetch(near + 64);
        }
        uint64_t identity = taud_load_u64(point);
        struct taud_series *series = series_of(replay, identity);
        if (!series)
            pass_over(replay, identity);
        else if (!put_point(replay, series, (int64_t)taud_load_u64(point + 8),
                            load_value(point + 16)))
            return full(replay);
    }
    return TAU_STATUS_SUCCESS;
}

static enum tau_status apply_columns(const struct taud_replay *replay,
                                     const struct taud_record *record)
{
    struct taud_series *series = series_of(replay, record->identity);
    if (!series) {
        pass_over(replay, record->identity);
        return TAU_STATUS_SUCCESS;
    }
    bool stepped = record->mode == TAUD_COLUMNS_STEP;
    uint64_t next = taud_load_u64(record->timestamps);
    uint64_t step = stepped ? taud_load_u64(record->timestamps + 8) : 0;
    for (size_t i = 0; i < record->count; i++, next += step) {
        if (!stepped)
            next = taud_load_u64(record->timestamps + i * 8);
        if (!put_point(replay, series, (int64_t)next, load_value(record->values + i * 8)))
            return full(replay);
    }
    return TAU_STATUS_SUCCESS;
}

// --- chunks -----------------------------------------------------------------------------------

// Decodes a chunk to see that it is one, and for its summary.
static bool examine(struct taud_codec *codec, const uint8_t *bytes, size_t size,
                    struct taud_chunk_summary *ret)
{
    int64_t timestamps[TAUD_CHUNK_POINTS_MAX];
    double values[TAUD_CHUNK_POINTS_MAX];
    struct taud_chunk chunk;
    if (!taud_chunk_intact(bytes, size) || !taud_chunk_open(bytes, size, &chunk) ||
        !taud_chunk_timestamps(codec, &chunk, 0, chunk.count, timestamps) ||
        !taud_chunk_values(codec, &chunk, 0, chunk.count, values) ||
        !taud_codec_ascending(codec, timestamps, chunk.count))
        return false;
    taud_chunk_summarise(codec, timestamps, values, chunk.count, ret);
    return true;
}

static enum tau_status put_chunk(const struct taud_replay *replay, struct taud_series *series,
                                 const uint8_t *bytes, size_t size)
{
    struct taud_shard *shard = shard_of(replay, series);
    struct taud_series_memory memory = taud_shard_memory(replay->engine, shard);
    struct taud_chunk_summary summary;
    if (!examine(shard->codec, bytes, size, &summary))
        return taud_error_set(replay->error, TAU_STATUS_INTERNAL_ERROR, 0,
                              "a record of type %u of series %llu holds a chunk that is not as "
                              "this server knows them: a later version wrote it; start that one",
                              TAUD_RECORD_CHUNKS, (unsigned long long)series->identity);
    if (!taud_policy_begin(replay->engine, shard, series))
        return full(replay);
    struct taud_sealed *sealed = taud_sealed_new(&shard->pool, size);
    if (!sealed)
        return full(replay);
    sealed->summary = summary;
    memcpy(sealed->bytes, bytes, size);
    bool late = !taud_series_in_order(series, summary.first_timestamp);
    if (!taud_series_append_sealed(series, &memory, sealed, late)) {
        taud_sealed_release(sealed, &replay->engine->arena);
        return full(replay);
    }
    taud_shard_see(shard, summary.last_timestamp);
    taud_rollup_see(replay->engine, series, summary.first_timestamp, summary.last_timestamp);
    replay->recovery->point_count += summary.count;
    return TAU_STATUS_SUCCESS;
}

static enum tau_status apply_chunks(const struct taud_replay *replay,
                                    const struct taud_record *record)
{
    struct taud_series *series = series_of(replay, record->identity);
    const uint8_t *at = record->chunks;
    if (!series) {
        pass_over(replay, record->identity);
        return TAU_STATUS_SUCCESS;
    }
    for (uint32_t i = 0; i < record->count; i++) {
        size_t size;
        const uint8_t *bytes = taud_record_next_chunk(&at, &size);
        enum tau_status status = put_chunk(replay, series, bytes, size);
        if (status != TAU_STATUS_SUCCESS)
            return status;
    }
    return TAU_STATUS_SUCCESS;
}

static enum tau_status apply_delete(const struct taud_replay *replay,
                                    const struct taud_record *record)
{
    struct taud_series *series = series_of(replay, record->identity);
    if (!series) {
        pass_over(replay, record->identity);
        return TAU_STATUS_SUCCESS;
    }
    bool deleted = taud_storage_delete(replay->engine, shard_of(replay, series), series,
                                       record->from, record->to);
    return deleted ? TAU_STATUS_SUCCESS : full(replay);
}

// --- the catalog ------------------------------------------------------------------------------

static void drop(const struct taud_replay *replay, struct taud_series *series)
{
    struct taud_engine *engine = replay->engine;
    struct taud_run *run = NULL;
    taud_rollups_leave(engine, series);
    if (replay->stored) {
        taud_catalog_forget(engine, shard_of(replay, series), series);
        return;
    }
    taud_catalog_drop(engine, shard_of(replay, series), series, &run);
    if (run)
        taud_run_release(run, &engine->arena);
}

static enum tau_status apply_drop(const struct taud_replay *replay,
                                  const struct taud_record *record)
{
    struct taud_series *series = series_of(replay, record->identity);
    see_identity(replay, record->identity);
    if (series)
        drop(replay, series);
    else
        replay->recovery->refused_count++;
    return TAU_STATUS_SUCCESS;
}

static enum tau_status apply_create(const struct taud_replay *replay,
                                    const struct taud_record *record)
{
    struct taud_engine *engine = replay->engine;
    uint64_t hash = taud_engine_hash(engine, &record->label);
    struct taud_shard *shard = &engine->shards[taud_shard_number(hash)];
    // A series of this label that is still there was dropped in a piece of the log that is lost.
    // But where the manifest is lost, what is read may be older than the catalog: then it came
    // later.
    struct taud_series *old = taud_shard_find(shard, hash, &record->label);
    if (record->identity > replay->identity_max ||
        taud_identities_get(&engine->identities, record->identity) ||
        (old && old->identity > record->identity)) {
        replay->recovery->refused_count++;
        return TAU_STATUS_SUCCESS;
    }
    see_identity(replay, record->identity);
    if (old)
        drop(replay, old);
    struct taud_series *series =
        taud_series_new(&engine->arena, &record->label, hash, record->identity);
    if (!series)
        return full(replay);
    if (!taud_catalog_add(engine, shard, series)) {
        taud_series_release(series, &engine->arena);
        return full(replay);
    }
    return taud_identities_add(&engine->identities, series) ? TAU_STATUS_SUCCESS
                                                            : no_memory(replay);
}

static enum tau_status apply_policy(const struct taud_replay *replay,
                                    const struct taud_record *record)
{
    struct taud_series *series = series_of(replay, record->identity);
    if (!series) {
        pass_over(replay, record->identity);
        return TAU_STATUS_SUCCESS;
    }
    series->order = record->mode;
    series->retention = record->retention;
    return TAU_STATUS_SUCCESS;
}

static enum tau_status apply_newest(const struct taud_replay *replay,
                                    const struct taud_record *record)
{
    struct taud_series *series = series_of(replay, record->identity);
    if (!series) {
        pass_over(replay, record->identity);
        return TAU_STATUS_SUCCESS;
    }
    if (taud_series_in_order(series, record->newest))
        series->last_timestamp = record->newest;
    series->any = true;
    taud_shard_see(shard_of(replay, series), record->newest); // retention counts from it
    return TAU_STATUS_SUCCESS;
}

static enum tau_status apply_lens(const struct taud_replay *replay,
                                  const struct taud_record *record)
{
    struct taud_engine *engine = replay->engine;
    uint64_t hash = taud_engine_hash(engine, &record->label);
    struct taud_lens *old =
        (struct taud_lens *)(void *)taud_table_find(&engine->lenses, hash, &record->label);
    if (old)
        taud_lens_remove(engine, old);
    if (record->type == TAUD_RECORD_DROP_LENS) {
        replay->recovery->refused_count += !old;
        return TAU_STATUS_SUCCESS;
    }
    struct taud_lens lens = {
        .named.label = record->label,
        .source = record->source,
        .transform_count = (uint8_t)record->count,
    };
    memcpy(lens.transforms, record->transforms, sizeof lens.transforms);
    if (!taud_lens_known(&lens))
        return taud_error_set(replay->error, TAU_STATUS_INTERNAL_ERROR, 0,
                              "a lens with a transform that this server does not have: a later "
                              "version wrote it; start that one");
    return taud_lens_add(engine, &lens) ? TAU_STATUS_SUCCESS : full(replay);
}

static enum tau_status apply_rollup(const struct taud_replay *replay,
                                    const struct taud_record *record)
{
    enum tau_status status = taud_rollups_replay(replay->engine, record);
    see_identity(replay, record->rollup.target);
    see_identity(replay, record->rollup.source);
    if (status == TAU_STATUS_STORAGE_FULL)
        return full(replay);
    if (status == TAU_STATUS_INTERNAL_ERROR)
        return taud_error_set(replay->error, TAU_STATUS_INTERNAL_ERROR, 0,
                              "a rollup that this server does not know: a later version wrote it; "
                              "start that one");
    replay->recovery->refused_count += status != TAU_STATUS_SUCCESS;
    return TAU_STATUS_SUCCESS;
}

// --- records ----------------------------------------------------------------------------------

static bool is_of_catalog(enum taud_record_type type)
{
    return (type >= TAUD_RECORD_CREATE_SERIES && type <= TAUD_RECORD_DROP_LENS) ||
           (type >= TAUD_RECORD_POLICY && type <= TAUD_RECORD_ROLLUP_PROGRESS);
}

enum tau_status taud_replay_apply(struct taud_replay *replay, const struct taud_record *record,
                                  const uint8_t *bytes, size_t size)
{
    if (is_of_catalog(record->type) && !replay->stored &&
        !taud_catalog_note(replay->engine, bytes, size))
        return no_memory(replay);
    switch (record->type) {
    case TAUD_RECORD_POINTS:
        return apply_points(replay, record);
    case TAUD_RECORD_COLUMNS:
        return apply_columns(replay, record);
    case TAUD_RECORD_CHUNKS:
        return apply_chunks(replay, record);
    case TAUD_RECORD_DELETE_RANGE:
        return apply_delete(replay, record);
    case TAUD_RECORD_CREATE_SERIES:
        return apply_create(replay, record);
    case TAUD_RECORD_DROP_SERIES:
        return apply_drop(replay, record);
    case TAUD_RECORD_POLICY:
        return apply_policy(replay, record);
    case TAUD_RECORD_NEWEST:
        return apply_newest(replay, record);
    case TAUD_RECORD_CREATE_LENS:
    case TAUD_RECORD_DROP_LENS:
        return apply_lens(replay, record);
    case TAUD_RECORD_CREATE_ROLLUP:
    case TAUD_RECORD_DROP_ROLLUP:
    case TAUD_RECORD_ROLLUP_PROGRESS:
        return apply_rollup(replay, record);
    }
    return TAU_STATUS_INTERNAL_ERROR;
}

enum tau_status taud_engine_replay_catalog(struct taud_engine *engine, const uint8_t *records,
                                           size_t size, struct taud_recovery *recovery,
                                           struct taud_error *error)
{
    struct taud_replay replay = {
        .engine = engine,
        .recovery = recovery,
        .error = error,
        .stored = true,
        .identity_max = atomic_load(&engine->next_identity) - 1,
    };
    while (size > 0) {
        struct taud_record record;
        const uint8_t *bytes = records;
        if (!taud_record_decode(&records, &size, &record) || !is_of_catalog(record.type))
            return taud_error_set(error, TAU_STATUS_INTERNAL_ERROR, 0,
                                  "a record of type %u in the stored catalog is not as this server "
                                  "knows it: a later version wrote it; start that one",
                                  bytes[0]);
        enum tau_status status =
            taud_replay_apply(&replay, &record, bytes, (size_t)(records - bytes));
        if (status != TAU_STATUS_SUCCESS)
            return status;
    }
    return TAU_STATUS_SUCCESS;
}

// --- the log ----------------------------------------------------------------------------------

struct log_replay {
    struct taud_replay replay;
    uint64_t from_position; // what the log says before it is stored elsewhere
    uint64_t identity_base; // the greatest identity that was known before
};

// A record whose checksum is good is not damaged: what cannot be read was written by a later
// version, and to go on without it would lose it.
static enum tau_status refuse_record(const struct taud_replay *replay,
                                     const struct taud_log_group *group, const uint8_t *record,
                                     size_t size)
{
    char reason[64] = "is not as this server knows that type";
    if (size < TAUD_RECORD_HEADER_BYTES || record[0] < TAUD_RECORD_POINTS ||
        record[0] > TAUD_RECORD_TYPE_LAST)
        snprintf(reason, sizeof reason, "where this server knows types 1 to %u",
                 TAUD_RECORD_TYPE_LAST);
    return taud_error_set(
        replay->error, TAU_STATUS_INTERNAL_ERROR, 0,
        "a record of type %u at %llu of the log, %llu bytes into its group, %s: a later version "
        "wrote it; start that one",
        record[0], (unsigned long long)(group->position + group->size - size),
        (unsigned long long)(group->size - size), reason);
}

// There are no more series than records that create them fit into the log so far, and those that
// were there before it.
static uint64_t greatest_identity(const struct log_replay *log, uint64_t end)
{
    uint64_t behind = end > log->from_position ? end - log->from_position : 0;
    return log->identity_base + behind / TAUD_RECORD_CREATE_SERIES_BYTES + CREATES_IN_FLIGHT;
}

static enum tau_status replay_group(const struct taud_log_group *group, bool damaged_before,
                                    void *user_data)
{
    struct log_replay *log = user_data;
    const uint8_t *data = group->data;
    size_t size = group->size;
    log->replay.identity_max = greatest_identity(log, group->position + size);
    (void)damaged_before; // every record is checked against what is there, after damage or not
    while (size > 0) {
        struct taud_record record;
        const uint8_t *bytes = data;
        if (!taud_record_decode(&data, &size, &record))
            return refuse_record(&log->replay, group, data, size);
        if (group->position + group->size - size <= log->from_position)
            continue;
        enum tau_status status =
            taud_replay_apply(&log->replay, &record, bytes, (size_t)(data - bytes));
        if (status != TAU_STATUS_SUCCESS)
            return status;
        log->replay.recovery->record_count++;
    }
    return TAU_STATUS_SUCCESS;
}

enum tau_status taud_engine_replay(struct taud_engine *engine, uint64_t from_position,
                                   uint64_t known_position, struct taud_recovery *recovery,
                                   struct taud_log_report *ret_report, struct taud_error *error)
{
    struct log_replay log = {
        .replay = {.engine = engine, .recovery = recovery, .error = error},
        .from_position = from_position,
        .identity_base = atomic_load(&engine->next_identity) - 1,
    };
    taud_arena_overdraw(&engine->arena, true);
    enum tau_status status = engine->backend->log->open(
        engine->backend, from_position, known_position, replay_group, &log, ret_report, error);
    taud_arena_overdraw(&engine->arena, false);
    return status;
}
