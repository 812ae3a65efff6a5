// SPDX-License-Identifier: MIT
// Chunks are made by the codec, and segments by their writer, as the engine makes them; only what a
// test wants to lie about is changed between the two.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "merge_rig.h"

#include <string.h>

void merge_rig_init(struct merge_rig *rig, bool cached)
{
    memset(rig, 0, sizeof *rig);
    store_rig_init(&rig->store);
    if (cached)
        rig->store.store.cache = taud_cache_new(rig->store.store.allocator, 1 << 20);
}

void merge_rig_clear(struct merge_rig *rig)
{
    while (rig->sealed_count > 0)
        free(rig->sealed[--rig->sealed_count]);
    while (rig->segment_count > 0)
        taud_segment_release(rig->segments[--rig->segment_count]);
}

void merge_rig_done(struct merge_rig *rig)
{
    merge_rig_clear(rig);
    taud_cache_free(rig->store.store.cache);
    store_rig_done(&rig->store);
}

struct taud_sealed *merge_rig_seal(struct merge_rig *rig, struct merge_rig_points points)
{
    uint8_t bytes[TAUD_CHUNK_BYTES_MAX];
    struct taud_chunk_summary summary;
    size_t size = taud_chunk_encode(rig->store.codec, points.timestamps, points.values,
                                    points.count, TAUD_EFFORT_FAST, NULL, bytes, &summary);
    struct taud_sealed *sealed = malloc(sizeof *sealed + size);
    assert_non_null(sealed);
    assert_true(rig->sealed_count < MERGE_RIG_SEALED);
    memset(sealed, 0, sizeof *sealed);
    sealed->references = 1;
    sealed->size = (uint32_t)size;
    sealed->summary = summary;
    memcpy(sealed->bytes, bytes, size);
    rig->sealed[rig->sealed_count++] = sealed;
    return sealed;
}

static void add_chunk(struct merge_rig *rig, struct taud_segment_writer *writer, uint64_t identity,
                      struct merge_rig_points points, uint32_t number,
                      void (*lie)(uint32_t chunk, struct taud_chunk_summary *summary))
{
    uint8_t bytes[TAUD_CHUNK_BYTES_MAX];
    struct taud_chunk_summary summary;
    size_t size = taud_chunk_encode(rig->store.codec, points.timestamps, points.values,
                                    points.count, TAUD_EFFORT_FAST, NULL, bytes, &summary);
    if (lie)
        lie(number, &summary);
    assert_int_equal(taud_segment_writer_add(writer, identity, &summary, bytes, size, &rig->error),
                     TAU_STATUS_SUCCESS);
}

struct taud_segment *
merge_rig_segment(struct merge_rig *rig, uint64_t sequence, const struct merge_rig_points *chunks,
                  uint32_t count, void (*lie)(uint32_t chunk, struct taud_chunk_summary *summary))
{
    static const int64_t timestamps[] = {INT64_MIN, -7, 0, 7, INT64_MAX};
    static const double values[] = {1e9, 1e9, 1e9, 1e9, 1e9};
    const struct merge_rig_points others = {timestamps, values, 5};
    struct taud_segment_facts facts = {
        .name = {sequence, 0}, .last_sequence = sequence + rig->span, .file_id = sequence * 77};
    struct taud_segment_writer *writer;
    assert_int_equal(
        taud_segment_writer_new(&rig->store.store, rig->store.codec, &facts, &writer, &rig->error),
        TAU_STATUS_SUCCESS);
    add_chunk(rig, writer, MERGE_RIG_IDENTITY - 1, others, 0, NULL);
    for (uint32_t i = 0; i < count; i++)
        add_chunk(rig, writer, MERGE_RIG_IDENTITY, chunks[i], i, lie);
    add_chunk(rig, writer, MERGE_RIG_IDENTITY + 1, others, 0, NULL);
    if (taud_segment_writer_finish(writer, &facts, &rig->error) != TAU_STATUS_SUCCESS)
        fail_msg("%s", rig->error.text);
    assert_true(rig->segment_count < MERGE_RIG_SEGMENTS);
    return rig->segments[rig->segment_count++] = store_rig_open(&rig->store, facts.name);
}

uint8_t *merge_rig_on_disk(struct merge_rig *rig, const struct taud_segment *segment,
                           uint32_t chunk)
{
    uint64_t size;
    return store_rig_bytes(&rig->store, segment->facts.name, &size) +
           taud_segment_offset(segment, chunk);
}

struct taud_merge_options merge_rig_options(struct merge_rig *rig)
{
    return (struct taud_merge_options){
        .allocator = rig->store.store.allocator,
        .codec = rig->store.codec,
        .identity = MERGE_RIG_IDENTITY,
        .from = INT64_MIN,
        .to = INT64_MAX,
    };
}
