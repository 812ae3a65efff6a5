// SPDX-License-Identifier: MIT
// Writes a data directory with two segments, a catalog object and the manifest that names them, and
// to standard output what is in the segments: for each chunk u64 sequence, u64 identity, u64 number
// of points, timestamps, values. Ends with three zeros.

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/catalog_store.h"
#include "engine/record.h"
#include "engine/store/manifest_store.h"
#include "engine/store/segment.h"

enum { MAX = TAUD_CHUNK_POINTS_MAX, FLUSH_POSITION = 4096, DELETED = 6, NAMED = 9 };

struct sample {
    struct taud_segment_name name;
    uint64_t last_sequence;
    uint32_t series, chunks; // chunks of each series
    uint32_t points;         // of the first chunk; each next one has as many more
};

static struct taud_store store;
static struct taud_codec *codec;
static struct taud_error error;

static void must(enum tau_status status)
{
    if (status == TAU_STATUS_SUCCESS)
        return;
    fprintf(stderr, "store_samples: %s\n", error.text);
    exit(1);
}

static void put(const void *data, size_t size)
{
    if (fwrite(data, 1, size, stdout) != size)
        exit(1);
}

static double value(uint64_t identity, uint32_t i)
{
    if (identity % 5 == 4)
        return NAN;
    if (identity % 5 == 3 && i % 9 == 2)
        return i % 2 ? NAN : -INFINITY;
    return (double)(identity * 7 + i * i % 101) / (identity % 3 ? 10 : 7) - 20;
}

// The next chunk of a series, behind *at.
static void add(struct taud_segment_writer *writer, uint64_t sequence, uint64_t identity,
                uint32_t count, int64_t *at)
{
    static int64_t timestamps[MAX];
    static double values[MAX];
    static uint8_t bytes[TAUD_CHUNK_BYTES_MAX];
    struct taud_chunk_summary summary;
    for (uint32_t i = 0; i < count; i++) {
        timestamps[i] = *at += (int64_t)(1000000 + identity % 4 * (i % 7));
        values[i] = value(identity, i);
    }
    size_t size = taud_chunk_encode(codec, timestamps, values, count, TAUD_EFFORT_FAST, NULL, bytes,
                                    &summary);
    must(taud_segment_writer_add(writer, identity, &summary, bytes, size, &error));
    const uint64_t head[3] = {sequence, identity, count};
    put(head, sizeof head);
    put(timestamps, count * sizeof *timestamps);
    put(values, count * sizeof *values);
}

static void write_segment(const struct sample *sample, struct taud_manifest *manifest)
{
    struct taud_segment_facts facts = {.name = sample->name,
                                       .last_sequence = sample->last_sequence,
                                       .file_id = UINT64_C(0xfedcba9876543210) + sample->series};
    struct taud_segment_writer *writer;
    must(taud_segment_writer_new(&store, codec, &facts, &writer, &error));
    for (uint64_t identity = 1; identity <= sample->series; identity++) {
        int64_t at = identity % 2 ? -1000000000 : INT64_C(1700000000000000000);
        for (uint32_t i = 0; i < sample->chunks; i++) {
            uint32_t count = sample->points * (i + 1);
            add(writer, sample->name.sequence, identity, count < MAX ? count : MAX, &at);
        }
    }
    must(taud_segment_writer_finish(writer, &facts, &error));
    const struct taud_manifest_segment entry = taud_manifest_segment_of(&facts);
    if (!taud_manifest_add_segment(manifest, &entry))
        exit(1);
}

static void add_record(struct taud_catalog_delta *delta, const uint8_t *record, size_t size)
{
    if (!taud_catalog_delta_add(delta, record, size))
        exit(1);
}

// A chain of rules from series 1, of which one was dropped, and how far two are.
static void write_rules(struct taud_catalog_delta *delta)
{
    uint8_t record[TAUD_RECORD_CREATE_ROLLUP_BYTES];
    for (uint64_t target = 2; target <= 5; target++) {
        const struct taud_record_rollup rollup = {.target = target,
                                                  .source = target - 1,
                                                  .width = target * 60,
                                                  .origin = -7,
                                                  .parameter = 0.5,
                                                  .function = (uint8_t)(target + 5)};
        taud_record_create_rollup(record, &rollup);
        add_record(delta, record, sizeof record);
    }
    taud_record_rollup_progress(record, 3, -187, INT64_MIN, -1000);
    add_record(delta, record, TAUD_RECORD_ROLLUP_PROGRESS_BYTES);
    taud_record_rollup_progress(record, 4, 233, 1, 0);
    add_record(delta, record, TAUD_RECORD_ROLLUP_PROGRESS_BYTES);
    taud_record_drop_rollup(record, 5);
    add_record(delta, record, TAUD_RECORD_DROP_ROLLUP_BYTES);
}

// Series 1 to NAMED, a policy of the last, and rules.
static void write_catalog(struct taud_manifest *manifest)
{
    struct taud_catalog_delta delta;
    struct taud_manifest_catalog entry;
    uint8_t record[TAUD_RECORD_CREATE_SERIES_BYTES];
    taud_catalog_delta_init(&delta, store.allocator, UINT64_MAX);
    for (uint64_t identity = 1; identity <= NAMED; identity++) {
        memset(record, 0, sizeof record);
        taud_record_header(record, TAUD_RECORD_CREATE_SERIES, 0, 0);
        taud_store_u64(record + 8, identity);
        snprintf((char *)record + 16, 32, "series.%u", (unsigned)identity);
        add_record(&delta, record, sizeof record);
    }
    taud_record_policy(record, NAMED, 2, 86400);
    add_record(&delta, record, TAUD_RECORD_POLICY_BYTES);
    write_rules(&delta);
    struct taud_catalog_block *blocks = taud_catalog_delta_take(&delta);
    must(taud_catalog_write(&store, 1, blocks, &entry, &error));
    taud_catalog_blocks_free(store.allocator, blocks);
    taud_catalog_delta_done(&delta);
    if (!taud_manifest_add_catalog(manifest, &entry))
        exit(1);
}

static void write_directory(struct taud_backend *backend)
{
    static const struct sample samples[] = {{{1, 0}, 1, 1100, 1, 3}, {{2, 1}, 4, 9, 5, 260}};
    struct taud_root root;
    struct taud_manifest manifest;
    bool lost;
    taud_manifest_init(&manifest, store.allocator);
    must(taud_root_read(backend, &root, &error));
    must(taud_manifest_find(backend, &root, &manifest, &lost, &error));
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++)
        write_segment(&samples[i], &manifest);
    write_catalog(&manifest);
    const struct taud_tombstone tombstone = {
        .identity = DELETED, .from = -5, .to = INT64_MAX, .sequence = 1};
    if (!taud_manifest_add_tombstone(&manifest, &tombstone))
        exit(1);
    manifest.flush_position = root.known_position = FLUSH_POSITION;
    root.epoch = 3;
    must(taud_manifest_commit(backend, &root, &manifest, &error));
    taud_manifest_done(&manifest);
}

int main(int argc, char **argv)
{
    struct taud_backend *backend;
    if (argc != 2)
        return 1;
    struct taud_local_options options = {.directory = argv[1], .file_seed = 1};
    must(taud_local_backend_new(&options, &backend, &error));
    must(backend->open(backend, &error));
    store = (struct taud_store){.backend = backend, .allocator = taud_allocator_system()};
    codec = taud_codec_new(store.allocator);
    if (codec == NULL)
        return 1;
    write_directory(backend);
    const uint64_t end[3] = {0, 0, 0};
    put(end, sizeof end);
    taud_codec_free(codec);
    backend->close(backend);
    backend->free(backend);
    return fflush(stdout) != 0;
}
