// SPDX-License-Identifier: MIT
// Flushes and merges of real segments, with each call of the disk failing, and the power cut at
// each. The next start finds every point of what was done and of nothing that was not, each once,
// in whole segments, and no object besides.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "disk.h"

#include "engine/store/manifest_store.h"
#include "engine/store/segment_cursor.h"

#include <errno.h>

enum { SERIES = 3, POINTS = 10, FLUSHES = 4, STEP_BYTES = 100 };

struct world {
    struct disk *disk;
    struct taud_backend *backend;
    struct taud_store store;
    struct taud_root root;
    struct taud_manifest manifest;
    unsigned flushed;   // flushes that succeeded
    unsigned attempted; // and those that were begun
};

static struct taud_codec *codec; // of the one thread that there is

// --- what a server does -----------------------------------------------------------------------

// Takes hold of what is there. Returns SUCCESS, or what the first failure says.
static enum tau_status start(struct world *world)
{
    struct taud_local_options options = {.directory = "data", .io = disk_io(world->disk)};
    bool lost = false;
    world->backend = NULL;
    taud_manifest_init(&world->manifest, taud_allocator_system());
    enum tau_status status = taud_local_backend_new(&options, &world->backend, NULL);
    assert_int_equal(status, TAU_STATUS_SUCCESS);
    world->store =
        (struct taud_store){.backend = world->backend, .allocator = taud_allocator_system()};
    status = world->backend->open(world->backend, NULL);
    if (status == TAU_STATUS_SUCCESS)
        status = taud_root_read(world->backend, &world->root, NULL);
    if (status == TAU_STATUS_SUCCESS)
        status = taud_manifest_find(world->backend, &world->root, &world->manifest, &lost, NULL);
    if (status == TAU_STATUS_SUCCESS)
        status = taud_manifest_sweep(world->backend, &world->manifest, lost, NULL);
    if (status == TAU_STATUS_SUCCESS)
        status = world->backend->objects->sweep(world->backend, NULL);
    world->root.epoch++;
    if (status == TAU_STATUS_SUCCESS)
        status = taud_root_write(world->backend, &world->root, NULL);
    return status;
}

static void stop(struct world *world)
{
    taud_manifest_done(&world->manifest);
    world->backend->close(world->backend);
    world->backend->free(world->backend);
}

// Lets the root name `next`. On failure `name` is removed, as far as that is known to be right.
static enum tau_status commit(struct world *world, struct taud_manifest *next,
                              const struct taud_segment_facts *facts)
{
    char name[TAUD_SEGMENT_NAME_BYTES];
    const struct taud_manifest_segment entry = taud_manifest_segment_of(facts);
    assert_true(taud_manifest_add_segment(next, &entry));
    enum tau_status status = taud_manifest_commit(world->backend, &world->root, next, NULL);
    taud_segment_object_name(facts->name, name);
    if (status == TAU_STATUS_SUCCESS) {
        taud_manifest_done(&world->manifest);
        world->manifest = *next;
        return status;
    }
    taud_manifest_done(next);
    if (status != TAU_STATUS_OUTCOME_UNKNOWN)
        (void)!world->backend->objects->remove(world->backend, name, NULL);
    return status;
}

static enum tau_status add_flush(struct taud_segment_writer *writer, uint64_t identity,
                                 unsigned flush)
{
    uint8_t chunk[TAUD_CHUNK_BYTES_MAX];
    int64_t timestamps[POINTS];
    double values[POINTS];
    struct taud_chunk_summary summary;
    for (int i = 0; i < POINTS; i++) {
        timestamps[i] = (int64_t)flush * 1000 + i;
        values[i] = flush;
    }
    size_t size = taud_chunk_encode(codec, timestamps, values, POINTS, TAUD_EFFORT_FAST, NULL,
                                    chunk, &summary);
    return taud_segment_writer_add(writer, identity, &summary, chunk, size, NULL);
}

static enum tau_status flush_next(struct world *world)
{
    struct taud_manifest next;
    struct taud_segment_writer *writer;
    uint64_t sequence = world->manifest.next_sequence;
    struct taud_segment_facts facts = {
        .name = {sequence, 0}, .last_sequence = sequence, .file_id = sequence * 7919};
    unsigned number = ++world->attempted;
    enum tau_status status = taud_segment_writer_new(&world->store, codec, &facts, &writer, NULL);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    for (uint64_t identity = 1; identity <= SERIES && status == TAU_STATUS_SUCCESS; identity++)
        status = add_flush(writer, identity, number);
    if (status != TAU_STATUS_SUCCESS) {
        taud_segment_writer_abandon(writer);
        return status;
    }
    status = taud_segment_writer_finish(writer, &facts, NULL);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    assert_true(taud_manifest_copy(&world->manifest, &next));
    next.flush_position = number * STEP_BYTES;
    status = commit(world, &next, &facts);
    world->flushed += status == TAU_STATUS_SUCCESS;
    return status;
}

// Copies every chunk of a series, segment by segment.
static enum tau_status copy_series(struct taud_segment **segments, uint32_t count,
                                   uint64_t identity, struct taud_segment_writer *writer)
{
    enum tau_status status = TAU_STATUS_SUCCESS;
    for (uint32_t i = 0; i < count && status == TAU_STATUS_SUCCESS; i++) {
        struct taud_segment_cursor cursor;
        struct taud_chunk_run run = taud_segment_find(segments[i], identity, INT64_MIN, INT64_MAX);
        assert_true(taud_segment_cursor_init(&cursor, segments[i]));
        for (uint32_t k = run.first; k < run.first + run.count && status == TAU_STATUS_SUCCESS;
             k++) {
            const uint8_t *chunk;
            size_t size;
            bool damaged;
            double value = (double)(segments[i]->first_timestamps[k] / 1000);
            struct taud_chunk_summary summary = {
                .count = POINTS,
                .number_count = POINTS,
                .first_timestamp = segments[i]->first_timestamps[k],
                .last_timestamp = segments[i]->last_timestamps[k],
                .first = value,
                .last = value,
                .low = value,
                .high = value,
                .sum = value * POINTS,
            };
            status = taud_segment_cursor_read(&cursor, identity, k, &chunk, &size, &damaged, NULL);
            if (status == TAU_STATUS_SUCCESS)
                status = taud_segment_writer_add(writer, identity, &summary, chunk, size, NULL);
        }
        taud_segment_cursor_done(&cursor);
    }
    return status;
}

static enum tau_status write_merged(struct world *world, struct taud_segment **segments,
                                    uint32_t count, struct taud_segment_facts *facts)
{
    struct taud_segment_writer *writer;
    enum tau_status status = taud_segment_writer_new(&world->store, codec, facts, &writer, NULL);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    for (uint64_t identity = 1; identity <= SERIES && status == TAU_STATUS_SUCCESS; identity++)
        status = copy_series(segments, count, identity, writer);
    if (status == TAU_STATUS_SUCCESS)
        return taud_segment_writer_finish(writer, facts, NULL);
    taud_segment_writer_abandon(writer);
    return status;
}

static enum tau_status commit_merged(struct world *world, const struct taud_segment_facts *facts)
{
    struct taud_manifest next, before;
    assert_true(taud_manifest_copy(&world->manifest, &next));
    assert_true(taud_manifest_copy(&world->manifest, &before));
    while (next.segment_count > 0)
        taud_manifest_remove_segment(&next, next.segments[0].name);
    enum tau_status status = commit(world, &next, facts);
    for (uint32_t i = 0; i < before.segment_count && status == TAU_STATUS_SUCCESS; i++) {
        char name[TAUD_SEGMENT_NAME_BYTES];
        taud_segment_object_name(before.segments[i].name, name);
        (void)!world->backend->objects->remove(world->backend, name, NULL);
    }
    taud_manifest_done(&before);
    return status;
}

// Makes one segment of all.
static enum tau_status merge(struct world *world)
{
    struct taud_segment *segments[FLUSHES];
    const struct taud_manifest *manifest = &world->manifest;
    struct taud_segment_facts facts = {.name = {1, 0}, .file_id = world->root.manifest * 104729};
    enum tau_status status = TAU_STATUS_SUCCESS;
    uint32_t count = 0;
    for (; count < manifest->segment_count && status == TAU_STATUS_SUCCESS; count++) {
        enum taud_segment_fault fault;
        status = taud_segment_open(&world->store, codec, manifest->segments[count].name,
                                   &segments[count], &fault, NULL);
        if (status != TAU_STATUS_SUCCESS)
            break;
        facts.last_sequence = manifest->segments[count].last_sequence;
        if (facts.name.level <= manifest->segments[count].name.level)
            facts.name.level = manifest->segments[count].name.level + 1;
    }
    if (status == TAU_STATUS_SUCCESS)
        status = write_merged(world, segments, count, &facts);
    while (count > 0)
        taud_segment_release(segments[--count]);
    return status == TAU_STATUS_SUCCESS ? commit_merged(world, &facts) : status;
}

// Returns what the first failure says. All that was done before it counts.
static enum tau_status run_all(struct world *world)
{
    enum tau_status status = flush_next(world);
    status = status == TAU_STATUS_SUCCESS ? flush_next(world) : status;
    status = status == TAU_STATUS_SUCCESS ? merge(world) : status;
    status = status == TAU_STATUS_SUCCESS ? flush_next(world) : status;
    status = status == TAU_STATUS_SUCCESS ? flush_next(world) : status;
    return status == TAU_STATUS_SUCCESS ? merge(world) : status;
}

// --- what has to be there ---------------------------------------------------------------------

static bool chunk_is_whole(struct taud_segment *segment, uint64_t identity, uint32_t chunk,
                           unsigned flush)
{
    struct taud_chunk_bytes bytes;
    struct taud_chunk view;
    double values[POINTS];
    bool damaged;
    if (taud_segment_read(segment, identity, chunk, &bytes, &damaged, NULL) != TAU_STATUS_SUCCESS)
        return false;
    bool whole = taud_chunk_intact(bytes.data, bytes.size) &&
                 taud_chunk_open(bytes.data, bytes.size, &view) && view.count == POINTS &&
                 taud_chunk_values(codec, &view, 0, POINTS, values);
    for (int i = 0; i < POINTS && whole; i++)
        whole = values[i] >= flush && values[i] <= flush;
    taud_segment_give_back(&segment->store, &bytes);
    return whole;
}

// How often a flush of a series is in the segments; more than 1 when one is not whole.
static unsigned count_flush(struct world *world, uint64_t identity, unsigned flush)
{
    unsigned found = 0;
    for (uint32_t i = 0; i < world->manifest.segment_count; i++) {
        struct taud_segment *segment;
        enum taud_segment_fault fault;
        if (taud_segment_open(&world->store, codec, world->manifest.segments[i].name, &segment,
                              &fault, NULL) != TAU_STATUS_SUCCESS)
            return 2;
        struct taud_chunk_run chunks = taud_segment_find(segment, identity, (int64_t)flush * 1000,
                                                         (int64_t)flush * 1000 + POINTS - 1);
        for (uint32_t k = chunks.first; k < chunks.first + chunks.count; k++)
            found += chunk_is_whole(segment, identity, k, flush) ? 1 : 2;
        taud_segment_release(segment);
    }
    return found;
}

// Starts again. Returns what is wrong, or NULL.
static const char *judge(struct disk *disk, const struct world *before)
{
    struct world world = {.disk = disk};
    const char *complaint = NULL;
    if (start(&world) != TAU_STATUS_SUCCESS)
        complaint = "it does not start";
    unsigned flushes = (unsigned)(world.manifest.flush_position / STEP_BYTES);
    if (!complaint && (flushes < before->flushed || flushes > before->attempted))
        complaint = "a flush is lost, or one is there that never was";
    for (unsigned flush = 1; flush <= before->attempted && !complaint; flush++) {
        for (uint64_t identity = 1; identity <= SERIES; identity++) {
            if (count_flush(&world, identity, flush) != (flush <= flushes))
                complaint = "a point is lost, damaged, there twice, or was never flushed";
        }
    }
    if (!complaint &&
        (disk_count(disk, "data/segments") != world.manifest.segment_count ||
         disk_count(disk, "data/unfinished") != 0 || disk_count(disk, "data/quarantine") != 0 ||
         disk_count(disk, "data/manifests") != (world.manifest.number > 0)))
        complaint = "something is left over, or in quarantine";
    stop(&world);
    return complaint;
}

// --- faults -----------------------------------------------------------------------------------

// Runs with a fault, restarts and judges. *ret_reached tells whether there was that call.
static const char *try_fault(struct disk_fault fault, uint64_t seed, bool skips_syncs,
                             bool *ret_reached)
{
    struct world world = {.disk = disk_new(false)};
    disk_set_fault(world.disk, fault);
    if (skips_syncs)
        disk_skip_syncs(world.disk);
    enum tau_status status = start(&world);
    if (status == TAU_STATUS_SUCCESS)
        status = run_all(&world);
    *ret_reached = disk_calls(world.disk) >= fault.at;
    if (!*ret_reached && !skips_syncs)
        assert_int_equal(status, TAU_STATUS_SUCCESS);
    stop(&world);
    disk_restart(world.disk, seed);
    const char *complaint = judge(world.disk, &world);
    if (!complaint)
        complaint = judge(world.disk, &world); // and once more
    disk_free(world.disk);
    return complaint;
}

static void try_everywhere(struct disk_fault fault, uint64_t seeds)
{
    bool reached = true;
    for (fault.at = 1; reached; fault.at++) {
        for (uint64_t seed = 0; seed < seeds; seed++) {
            const char *complaint = try_fault(fault, seed, false, &reached);
            if (complaint)
                print_error("call %llu, seed %llu: %s\n", (unsigned long long)fault.at,
                            (unsigned long long)seed, complaint);
            assert_null(complaint);
        }
    }
    assert_true(fault.at > 100);
}

static void power_may_be_cut_at_any_call(void **state)
{
    (void)state;
    try_everywhere((struct disk_fault){.kind = DISK_FAULT_CUT}, 20);
}

static void an_error_once(void **state)
{
    (void)state;
    try_everywhere((struct disk_fault){.kind = DISK_FAULT_ERROR, .error = EIO}, 2);
}

static void an_error_for_good(void **state)
{
    (void)state;
    try_everywhere((struct disk_fault){DISK_FAULT_ERROR, .for_good = true, .error = EIO}, 2);
}

static void no_space(void **state)
{
    (void)state;
    try_everywhere((struct disk_fault){DISK_FAULT_ERROR, .error = ENOSPC}, 2);
    try_everywhere((struct disk_fault){DISK_FAULT_ERROR, .for_good = true, .error = ENOSPC}, 2);
}

// Interrupted and partial calls are no failure at all.
static void moved_in_part_and_interrupted(void **state)
{
    (void)state;
    static const struct disk_fault faults[] = {
        {DISK_FAULT_SHORT, .for_good = false, .error = 0},
        {DISK_FAULT_ERROR, .for_good = false, .error = EINTR},
    };
    for (int i = 0; i < 2; i++) {
        struct disk_fault fault = faults[i];
        bool reached = true;
        for (fault.at = 1; reached; fault.at += 3) {
            struct world world = {.disk = disk_new(false)};
            disk_set_fault(world.disk, fault);
            assert_int_equal(start(&world), TAU_STATUS_SUCCESS);
            assert_int_equal(run_all(&world), TAU_STATUS_SUCCESS);
            reached = disk_calls(world.disk) >= fault.at;
            assert_int_equal(world.flushed, FLUSHES);
            stop(&world);
            disk_restart(world.disk, 0);
            assert_null(judge(world.disk, &world));
            disk_free(world.disk);
        }
    }
}

// The planted bug.
static void a_disk_that_skips_syncs_is_caught(void **state)
{
    (void)state;
    bool reached;
    unsigned caught = 0;
    for (uint64_t at = 40; at < 200; at += 20)
        caught +=
            try_fault((struct disk_fault){DISK_FAULT_CUT, .at = at}, 0, true, &reached) != NULL;
    assert_true(caught > 0);
}

static int prepare(void **state)
{
    (void)state;
    codec = taud_codec_new(taud_allocator_system());
    return codec == NULL;
}

static int finish(void **state)
{
    (void)state;
    taud_codec_free(codec);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(power_may_be_cut_at_any_call),
        cmocka_unit_test(an_error_once),
        cmocka_unit_test(an_error_for_good),
        cmocka_unit_test(no_space),
        cmocka_unit_test(moved_in_part_and_interrupted),
        cmocka_unit_test(a_disk_that_skips_syncs_is_caught),
    };
    return cmocka_run_group_tests(tests, prepare, finish);
}
