// SPDX-License-Identifier: MIT
// Reads the log back into memory at the start, alone and without locks. Identities lead to series
// through pages of a directory, which are given back once all series of a page are dropped.
#include "state.h"

#include "record.h"

#include <string.h>

enum { PAGE_IDENTITIES = 4096, AHEAD = 16, CREATES_IN_FLIGHT = 4096 };

struct page {
    uint32_t used;
    struct taud_series *series[PAGE_IDENTITIES];
};

struct replay {
    struct taud_engine *engine;
    struct taud_recovery *recovery;
    struct taud_error *error;
    uint64_t from_position; // what the log says before it is in memory already
    struct page **pages;
    size_t page_capacity;
    uint64_t next_identity;
    uint64_t identity_max; // that the log up to here can have given out
};

static struct taud_series *series_of(const struct replay *replay, uint64_t identity)
{
    uint64_t page = identity / PAGE_IDENTITIES;
    if (page >= replay->page_capacity || !replay->pages[page])
        return NULL;
    return replay->pages[page]->series[identity % PAGE_IDENTITIES];
}

static bool grow_pages(struct replay *replay, uint64_t page)
{
    const struct taud_allocator *allocator = replay->engine->allocator;
    size_t capacity = replay->page_capacity ? replay->page_capacity : 64;
    while (capacity <= page && capacity < SIZE_MAX / 2 / sizeof(void *))
        capacity *= 2;
    if (capacity <= page)
        return false;
    struct page **pages = allocator->allocate(allocator->context, capacity * sizeof(void *));
    if (!pages)
        return false;
    memset((void *)pages, 0, capacity * sizeof(void *));
    if (replay->page_capacity > 0)
        memcpy((void *)pages, (void *)replay->pages, replay->page_capacity * sizeof(void *));
    allocator->release(allocator->context, (void *)replay->pages);
    replay->pages = pages;
    replay->page_capacity = capacity;
    return true;
}

static bool remember(struct replay *replay, struct taud_series *series)
{
    const struct taud_allocator *allocator = replay->engine->allocator;
    uint64_t number = series->identity / PAGE_IDENTITIES;
    if (number >= replay->page_capacity && !grow_pages(replay, number))
        return false;
    struct page *page = replay->pages[number];
    if (!page) {
        page = allocator->allocate(allocator->context, sizeof *page);
        if (!page)
            return false;
        memset(page, 0, sizeof *page);
        replay->pages[number] = page;
    }
    page->series[series->identity % PAGE_IDENTITIES] = series;
    page->used++;
    return true;
}

static void forget(struct replay *replay, const struct taud_series *series)
{
    const struct taud_allocator *allocator = replay->engine->allocator;
    struct page **page = &replay->pages[series->identity / PAGE_IDENTITIES];
    (*page)->series[series->identity % PAGE_IDENTITIES] = NULL;
    if (--(*page)->used == 0) {
        allocator->release(allocator->context, *page);
        *page = NULL;
    }
}

static enum tau_status full(const struct replay *replay)
{
    return taud_error_set(replay->error, TAU_STATUS_STORAGE_FULL, 0,
                          "the memory bound of %llu bytes is too small for the stored points",
                          (unsigned long long)replay->engine->memory_bytes);
}

static void see_identity(struct replay *replay, uint64_t identity)
{
    if (identity >= replay->next_identity && identity <= replay->identity_max)
        replay->next_identity = identity + 1;
}

static enum tau_status replay_points(struct replay *replay, const struct taud_record *record)
{
    struct taud_arena *arena = &replay->engine->arena;
    for (uint32_t i = 0; i < record->count; i++) {
        const uint8_t *point = record->points + (size_t)i * TAUD_RECORD_POINT_BYTES;
        if (i + AHEAD < record->count) {
            uint64_t ahead = taud_load_u64(point + (size_t)AHEAD * TAUD_RECORD_POINT_BYTES);
            const char *near = (const char *)series_of(replay, ahead);
            if (near) {
                __builtin_prefetch(near);
                __builtin_prefetch(near + 64);
            }
        }
        uint64_t identity = taud_load_u64(point), bits = taud_load_u64(point + 16);
        int64_t timestamp = (int64_t)taud_load_u64(point + 8);
        double value;
        memcpy(&value, &bits, sizeof value);
        struct taud_series *series = series_of(replay, identity);
        if (!series || !taud_series_accepts(series, timestamp)) {
            see_identity(replay, identity);
            replay->recovery->refused_count++;
            continue;
        }
        if (!taud_series_append(series, arena, timestamp, value))
            return full(replay);
        replay->recovery->point_count++;
    }
    return TAU_STATUS_SUCCESS;
}

static void place_columns(struct taud_series *series, const struct taud_record *record)
{
    bool stepped = record->mode == TAUD_COLUMNS_STEP;
    uint64_t next = taud_load_u64(record->timestamps);
    uint64_t step = stepped ? taud_load_u64(record->timestamps + 8) : 0;
    for (uint64_t done = 0; done < record->count;) {
        struct taud_span span = taud_series_span(series, series->point_count + done);
        uint64_t left = record->count - done;
        size_t piece = left < span.count ? (size_t)left : span.count;
        taud_copy_words(span.values, record->values + done * 8, piece);
        if (!stepped)
            taud_copy_words(span.timestamps, record->timestamps + done * 8, piece);
        for (size_t i = 0; stepped && i < piece; i++, next += step)
            span.timestamps[i] = (int64_t)next;
        done += piece;
    }
}

static enum tau_status replay_columns(struct replay *replay, const struct taud_record *record)
{
    struct taud_arena *arena = &replay->engine->arena;
    struct taud_series *series = series_of(replay, record->identity);
    bool ascending = false, even;
    if (series) {
        if (!taud_series_reserve(series, arena, record->count))
            return full(replay);
        place_columns(series, record);
        taud_columns_examine(series, record->count, &ascending, &even);
    }
    if (!ascending) {
        see_identity(replay, record->identity);
        replay->recovery->refused_count++;
        if (series)
            taud_series_trim(series, arena);
        return TAU_STATUS_SUCCESS;
    }
    taud_series_publish(series, record->count);
    replay->recovery->point_count += record->count;
    return TAU_STATUS_SUCCESS;
}

static void drop(struct replay *replay, struct taud_series *series)
{
    struct taud_engine *engine = replay->engine;
    struct taud_shard *shard = &engine->shards[taud_shard_number(series->named.hash)];
    forget(replay, series);
    taud_catalog_remove(engine, shard, series);
    taud_series_release(series, &engine->arena);
}

static enum tau_status replay_create(struct replay *replay, const struct taud_record *record)
{
    struct taud_engine *engine = replay->engine;
    uint64_t hash = taud_engine_hash(engine, &record->label);
    struct taud_shard *shard = &engine->shards[taud_shard_number(hash)];
    if (record->identity > replay->identity_max || series_of(replay, record->identity)) {
        replay->recovery->refused_count++;
        return TAU_STATUS_SUCCESS;
    }
    see_identity(replay, record->identity);
    // A series of this label that is still there was dropped in a piece of the log that is lost.
    struct taud_series *old = taud_shard_find(shard, hash, &record->label);
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
    if (!remember(replay, series))
        return taud_error_set(replay->error, TAU_STATUS_NO_MEMORY, 0,
                              "no memory to read the log back");
    return TAU_STATUS_SUCCESS;
}

static enum tau_status replay_lens(struct replay *replay, const struct taud_record *record)
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

// A record whose checksum is good is not damaged: what cannot be read was written by a later
// version, and to go on without it would lose it.
static enum tau_status refuse_record(const struct replay *replay,
                                     const struct taud_log_group *group, const uint8_t *record,
                                     size_t size)
{
    bool known = size >= TAUD_RECORD_HEADER_BYTES && record[0] >= TAUD_RECORD_POINTS &&
                 record[0] <= TAUD_RECORD_DROP_LENS;
    return taud_error_set(
        replay->error, TAU_STATUS_INTERNAL_ERROR, 0,
        "a record of type %u at %llu of the log, %llu bytes into its group, %s: a later version "
        "wrote it; start that one",
        record[0], (unsigned long long)(group->position + group->size - size),
        (unsigned long long)(group->size - size),
        known ? "is not as this server knows that type" : "where this server knows types 1 to 6");
}

static enum tau_status replay_record(struct replay *replay, const struct taud_record *record)
{
    switch (record->type) {
    case TAUD_RECORD_POINTS:
        return replay_points(replay, record);
    case TAUD_RECORD_COLUMNS:
        return replay_columns(replay, record);
    case TAUD_RECORD_CREATE_SERIES:
        return replay_create(replay, record);
    case TAUD_RECORD_DROP_SERIES:
        see_identity(replay, record->identity);
        if (series_of(replay, record->identity))
            drop(replay, series_of(replay, record->identity));
        else
            replay->recovery->refused_count++;
        return TAU_STATUS_SUCCESS;
    case TAUD_RECORD_CREATE_LENS:
    case TAUD_RECORD_DROP_LENS:
        return replay_lens(replay, record);
    }
    return TAU_STATUS_INTERNAL_ERROR;
}

static enum tau_status replay_group(const struct taud_log_group *group, bool damaged_before,
                                    void *user_data)
{
    struct replay *replay = user_data;
    const uint8_t *data = group->data;
    size_t size = group->size;
    replay->identity_max = (group->position + size) / TAUD_RECORD_CREATE_SERIES_BYTES +
                           CREATES_IN_FLIGHT;
    (void)damaged_before; // every record is checked against what is there, after damage or not
    while (size > 0) {
        struct taud_record record;
        if (!taud_record_decode(&data, &size, &record))
            return refuse_record(replay, group, data, size);
        if (group->position + group->size - size <= replay->from_position)
            continue;
        enum tau_status status = replay_record(replay, &record);
        if (status != TAU_STATUS_SUCCESS)
            return status;
        replay->recovery->record_count++;
    }
    return TAU_STATUS_SUCCESS;
}

enum tau_status taud_engine_replay(struct taud_engine *engine, uint64_t from_position,
                                   uint64_t known_position, struct taud_recovery *recovery,
                                   struct taud_log_report *ret_report, struct taud_error *error)
{
    struct replay replay = {.engine = engine,
                            .recovery = recovery,
                            .error = error,
                            .from_position = from_position,
                            .next_identity = 1};
    taud_arena_overdraw(&engine->arena, true);
    enum tau_status status = engine->backend->log->open(engine->backend, from_position,
                                                        known_position, replay_group, &replay, ret_report, error);
    taud_arena_overdraw(&engine->arena, false);
    for (size_t i = 0; i < replay.page_capacity; i++)
        engine->allocator->release(engine->allocator->context, replay.pages[i]);
    engine->allocator->release(engine->allocator->context, (void *)replay.pages);
    atomic_store(&engine->next_identity, replay.next_identity);
    return status;
}
