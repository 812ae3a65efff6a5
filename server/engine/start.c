// SPDX-License-Identifier: MIT
// What is stored, brought back at a start: the manifest, the segments that it names, the catalog.
// First all is read and nothing is changed, so that what a later version wrote stays as it is; then
// what is left over is removed and what is damaged is put aside. Whatever is damaged, the rest is
// served.
#include "state.h"

#include <string.h>

struct loading {
    struct taud_engine *engine;
    struct taud_storage *storage;
    struct taud_recovery *recovery;
    struct taud_error *error;
    struct taud_segment **segments; // open ones, by sequence
    uint32_t count;
};

// --- segments ---------------------------------------------------------------------------------

static enum tau_status open_segment(struct loading *loading, struct taud_segment_name name,
                                    struct taud_segment **ret_segment,
                                    enum taud_segment_fault *ret_fault)
{
    struct taud_storage *storage = loading->storage;
    struct taud_segment_scan scan;
    *ret_segment = NULL;
    enum tau_status status = taud_segment_open(&storage->store, storage->codec, name, ret_segment,
                                               ret_fault, loading->error);
    if (status == TAU_STATUS_SUCCESS || *ret_fault != TAUD_SEGMENT_DAMAGED_INDEX)
        return status;
    atomic_fetch_add(&storage->figures.damaged_count, 1);
    return taud_segment_rebuild(&storage->store, storage->codec, name, ret_segment, &scan,
                                ret_fault, loading->error);
}

static void take_segment(struct loading *loading, struct taud_segment *segment)
{
    loading->segments[loading->count++] = segment;
    loading->recovery->segment_count++;
    loading->recovery->stored_points += segment->facts.point_count;
    loading->recovery->stored_bytes += segment->facts.size;
    loading->recovery->lost_count += segment->rebuilt;
    if (segment->facts.point_count > 0)
        taud_shard_see(&loading->engine->shards[0], segment->facts.last_timestamp);
}

// Opens what the manifest names. What cannot be used any more leaves it; the object stays for now.
static enum tau_status open_segments(struct loading *loading)
{
    struct taud_manifest *manifest = &loading->storage->manifest;
    for (uint32_t i = 0; i < manifest->segment_count;) {
        struct taud_segment *segment;
        enum taud_segment_fault fault;
        struct taud_segment_name name = manifest->segments[i].name;
        enum tau_status status = open_segment(loading, name, &segment, &fault);
        if (status == TAU_STATUS_SUCCESS) {
            take_segment(loading, segment);
            i++;
        } else if (fault == TAUD_SEGMENT_MISSING || fault == TAUD_SEGMENT_DAMAGED) {
            atomic_fetch_add(&loading->storage->figures.damaged_count, 1);
            loading->storage->something_lost = true;
            loading->recovery->lost_count++;
            taud_manifest_remove_segment(manifest, name);
        } else {
            return status;
        }
    }
    return TAU_STATUS_SUCCESS;
}

// Tells the series what the segments have of them.
static void introduce_points(struct loading *loading, const struct taud_segment *segment)
{
    for (uint32_t i = 0; i < segment->facts.series_count; i++) {
        struct taud_chunk_run chunks = taud_segment_series(segment, i);
        struct taud_series *series =
            taud_identities_get(&loading->engine->identities, segment->identities[i]);
        if (!series || chunks.count == 0)
            continue;
        int64_t last = segment->last_timestamps[chunks.first + chunks.count - 1];
        if (taud_series_in_order(series, last))
            series->last_timestamp = last;
        series->any = true;
        series->stored = true;
    }
}

// --- the catalog ------------------------------------------------------------------------------

static enum tau_status apply(const uint8_t *records, size_t size, void *user_data)
{
    struct loading *loading = user_data;
    return taud_engine_replay_catalog(loading->engine, records, size, loading->recovery,
                                      loading->error);
}

static enum tau_status read_catalog(struct loading *loading)
{
    struct taud_storage *storage = loading->storage;
    const struct taud_manifest *manifest = &storage->manifest;
    enum tau_status status = TAU_STATUS_SUCCESS;
    for (uint32_t i = 0; i < manifest->catalog_count && status == TAU_STATUS_SUCCESS; i++) {
        enum taud_catalog_fault fault;
        status = taud_catalog_read(&storage->store, &manifest->catalogs[i], apply, loading, &fault,
                                   loading->error);
        // The manifest goes on naming it, so that no later start takes what it said of for dropped.
        if (fault == TAUD_CATALOG_MISSING || fault == TAUD_CATALOG_DAMAGED) {
            atomic_fetch_add(&storage->figures.damaged_count, 1);
            loading->recovery->lost_count++;
            storage->catalog_lost = true;
            status = TAU_STATUS_SUCCESS;
        }
    }
    return status;
}

// --- all --------------------------------------------------------------------------------------

static enum tau_status load(struct loading *loading)
{
    struct taud_engine *engine = loading->engine;
    struct taud_storage *storage = loading->storage;
    const struct taud_allocator *allocator = engine->allocator;
    size_t bytes = ((size_t)storage->manifest.segment_count + 1) * sizeof(struct taud_segment *);
    loading->segments = allocator->allocate(allocator->context, bytes);
    if (!loading->segments)
        return taud_error_set(loading->error, TAU_STATUS_NO_MEMORY, 0,
                              "no memory to open the segments");
    enum tau_status status = open_segments(loading);
    taud_arena_overdraw(&engine->arena, true);
    if (status == TAU_STATUS_SUCCESS)
        status = read_catalog(loading);
    taud_arena_overdraw(&engine->arena, false);
    for (uint32_t i = 0; i < loading->count && status == TAU_STATUS_SUCCESS; i++)
        introduce_points(loading, loading->segments[i]);
    if (status == TAU_STATUS_SUCCESS &&
        !taud_storage_publish(engine, 0, loading->segments, loading->count))
        status = taud_error_set(loading->error, TAU_STATUS_NO_MEMORY, 0,
                                "no memory to open the segments");
    while (loading->count > 0)
        taud_segment_release(loading->segments[--loading->count]);
    allocator->release(allocator->context, (void *)loading->segments);
    return status;
}

enum tau_status taud_storage_load(struct taud_engine *engine, struct taud_recovery *recovery,
                                  struct taud_error *error)
{
    struct taud_storage *storage = &engine->storage;
    struct loading loading = {
        .engine = engine, .storage = storage, .recovery = recovery, .error = error};
    enum tau_status status = taud_root_read(engine->backend, &engine->root, error);
    if (status == TAU_STATUS_SUCCESS)
        status = taud_manifest_find(engine->backend, &engine->root, &storage->manifest,
                                    &storage->something_lost, error);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    storage->flush_sequence = storage->manifest.next_sequence - 1;
    atomic_store(&storage->cut_position, storage->manifest.flush_position);
    atomic_store(&engine->next_identity, storage->manifest.next_identity);
    return load(&loading);
}

enum tau_status taud_storage_tidy(struct taud_engine *engine, struct taud_error *error)
{
    struct taud_storage *storage = &engine->storage;
    enum tau_status status =
        taud_manifest_sweep(engine->backend, &storage->manifest, storage->something_lost, error);
    return status == TAU_STATUS_SUCCESS ? engine->backend->objects->sweep(engine->backend, error)
                                        : status;
}
