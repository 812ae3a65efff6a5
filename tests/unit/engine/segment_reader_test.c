// SPDX-License-Identifier: MIT
// An open segment: every chunk is found and read as it was written, with a cache and without; what
// is damaged is told of the chunk that it is in, and of no other; threads share it; and what the
// index says are the chunks' own summaries.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "store_rig.h"

#include "engine/store/segment_format.h"

#include <errno.h>
#include <pthread.h>

static const struct store_shape shape = {{7, 1}, .series = 30, .chunks = 50, .points = 60};
enum { ALL = 1500 };

static int setup(void **state)
{
    static struct store_rig rig;
    store_rig_init(&rig);
    rig.store.cache = taud_cache_new(rig.store.allocator, 1 << 20);
    store_rig_write(&rig, shape);
    *state = &rig;
    return 0;
}

static int teardown(void **state)
{
    struct store_rig *rig = *state;
    taud_cache_free(rig->store.cache);
    store_rig_done(rig);
    return 0;
}

static void every_chunk_is_read_as_it_was_written(void **state)
{
    struct store_rig *rig = *state;
    struct taud_segment *segment = store_rig_open(rig, shape.name);
    assert_int_equal(segment->facts.chunk_count, ALL);
    assert_int_equal(segment->facts.series_count, 30);
    assert_int_equal(segment->facts.point_count, ALL * 60);
    assert_int_equal(segment->facts.last_sequence, 9);
    assert_false(segment->rebuilt);
    assert_true(taud_segment_memory(segment) > ALL * 22);
    assert_int_equal(store_rig_count_good(rig, segment, shape), ALL);
    struct taud_cache_statistics statistics;
    taud_cache_statistics(rig->store.cache, &statistics);
    assert_true(statistics.miss_count > 0 && statistics.miss_count < ALL / 20); // they share blocks
    taud_segment_release(segment);
    taud_cache_statistics(rig->store.cache, &statistics);
    assert_int_equal(statistics.block_count, 0); // its blocks are forgotten

    struct taud_cache *cache = rig->store.cache;
    rig->store.cache = NULL;
    segment = store_rig_open(rig, shape.name);
    assert_int_equal(store_rig_count_good(rig, segment, shape), ALL);
    taud_segment_release(segment);
    taud_segment_release(NULL);
    rig->store.cache = cache;
}

static void the_object_may_be_removed_while_it_is_read(void **state)
{
    struct store_rig *rig = *state;
    struct taud_segment *segment = store_rig_open(rig, shape.name);
    char name[TAUD_SEGMENT_NAME_BYTES];
    taud_segment_object_name(shape.name, name);
    taud_segment_retain(segment);
    taud_segment_release(segment);
    assert_int_equal(rig->store.backend->objects->remove(rig->store.backend, name, NULL),
                     TAU_STATUS_SUCCESS);
    assert_int_equal(store_rig_count_good(rig, segment, shape), ALL);
    struct taud_chunk_bytes bytes;
    bool damaged;
    assert_int_equal(taud_segment_read(segment, 10, 0, &bytes, &damaged, NULL), TAU_STATUS_SUCCESS);
    taud_segment_release(segment);
    struct store_chunk expected; // held still
    store_rig_chunk(rig, 10, 0, shape.points, &expected);
    assert_memory_equal(bytes.data, expected.bytes, expected.size);
    taud_segment_give_back(&rig->store, &bytes);
}

// The same, looked for without any order.
static struct taud_chunk_run expected_run(const struct taud_segment *segment, uint64_t identity,
                                          int64_t from, int64_t to)
{
    struct taud_chunk_run run = {0, 0};
    for (uint32_t series = 0; series < segment->facts.series_count; series++) {
        struct taud_chunk_run all = taud_segment_series(segment, series);
        for (uint32_t i = all.first; i < all.first + all.count; i++) {
            if (segment->identities[series] != identity || segment->last_timestamps[i] < from ||
                segment->first_timestamps[i] > to)
                continue;
            run.first = run.count == 0 ? i : run.first;
            run.count++;
        }
    }
    return run;
}

static void expect_run(const struct taud_segment *segment, uint64_t identity, int64_t from,
                       int64_t to)
{
    struct taud_chunk_run found = taud_segment_find(segment, identity, from, to);
    struct taud_chunk_run expected = expected_run(segment, identity, from, to);
    assert_int_equal(found.count, expected.count);
    if (expected.count > 0)
        assert_int_equal(found.first, expected.first);
    if (from == to) {
        uint32_t chunk = UINT32_MAX;
        assert_int_equal(taud_segment_find_chunk(segment, identity, from, &chunk), found.count);
        assert_int_equal(chunk, found.count > 0 ? found.first : UINT32_MAX);
    }
}

static void chunks_are_found_by_series_and_time(void **state)
{
    struct store_rig *rig = *state;
    struct taud_segment *segment = store_rig_open(rig, shape.name);
    int64_t first = segment->facts.first_timestamp, last = segment->facts.last_timestamp;
    static const uint64_t identities[] = {0, 9, 10, 11, 20, 155, 160, 299, 300, 301, UINT64_MAX};
    for (size_t i = 0; i < sizeof identities / sizeof identities[0]; i++) {
        uint64_t identity = identities[i];
        expect_run(segment, identity, INT64_MIN, INT64_MAX);
        expect_run(segment, identity, INT64_MAX, INT64_MAX);
        expect_run(segment, identity, INT64_MIN, INT64_MIN);
        expect_run(segment, identity, last, first);
        for (uint32_t chunk = 0; chunk < shape.chunks; chunk++) {
            int64_t times[2] = {segment->first_timestamps[chunk], segment->last_timestamps[chunk]};
            for (int k = 0; k < 8; k++) {
                int64_t at = times[k % 2] + k / 2 - 1;
                expect_run(segment, identity, at, at);
                expect_run(segment, identity, INT64_MIN, at);
                expect_run(segment, identity, at, INT64_MAX);
                expect_run(segment, identity, at, at + INT64_C(40000000000000));
            }
        }
    }
    taud_segment_release(segment);
}

// Writes a segment of these identities, expects to find each, and none that is not there.
static void expect_all_found(struct store_rig *rig, uint64_t sequence, const uint64_t *identities,
                             unsigned count)
{
    struct taud_segment_facts facts = {.name = {sequence, 0}, .last_sequence = sequence};
    struct taud_segment_writer *writer;
    struct store_chunk chunk;
    assert_int_equal(taud_segment_writer_new(&rig->store, rig->codec, &facts, &writer, NULL),
                     TAU_STATUS_SUCCESS);
    store_rig_chunk(rig, 1, 0, 3, &chunk);
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(taud_segment_writer_add(writer, identities[i], &chunk.summary, chunk.bytes,
                                                 chunk.size, NULL),
                         TAU_STATUS_SUCCESS);
    assert_int_equal(taud_segment_writer_finish(writer, &facts, NULL), TAU_STATUS_SUCCESS);
    struct taud_segment *segment = store_rig_open(rig, facts.name);
    for (unsigned i = 0; i < count; i++) {
        struct taud_chunk_run run = taud_segment_find(segment, identities[i], INT64_MIN, INT64_MAX);
        assert_int_equal(run.count, 1);
        assert_int_equal(run.first, i);
        bool next = i > 0 && identities[i] - 1 == identities[i - 1];
        run = taud_segment_find(segment, identities[i] - 1, INT64_MIN, INT64_MAX);
        assert_int_equal(run.count, next);
    }
    taud_segment_release(segment);
}

// Evenly, nearly so, and with gaps of any size between them.
static void series_are_found_wherever_they_lie(void **state)
{
    enum { COUNT = 2000 };
    uint64_t even[COUNT], nearly[COUNT], uneven[COUNT], random = 1;
    for (uint64_t i = 0; i < COUNT; i++) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407U;
        even[i] = 5 + i * 3;
        nearly[i] = i == 0 ? 7 : nearly[i - 1] + 1 + (random >> 33) % 9;
        uneven[i] = i == 0 ? 1
                           : uneven[i - 1] + 1 + (random >> 33) % 3 +
                                 (i % 100 == 0 ? UINT64_C(1) << (i / 100 * 3) : 0);
    }
    uneven[COUNT - 1] = UINT64_MAX;
    expect_all_found(*state, 20, even, COUNT);
    expect_all_found(*state, 21, nearly, COUNT);
    expect_all_found(*state, 22, uneven, COUNT);
}

static bool same(double a, double b)
{
    uint64_t bits[2];
    memcpy(&bits[0], &a, sizeof a);
    memcpy(&bits[1], &b, sizeof b);
    return bits[0] == bits[1];
}

// A segment with one chunk of one point at each of these times.
static struct taud_segment *points_at(struct store_rig *rig, uint64_t sequence,
                                      const int64_t *timestamps, uint32_t count)
{
    struct taud_segment_facts facts = {
        .name = {sequence, 0}, .last_sequence = sequence, .file_id = 5};
    struct taud_segment_writer *writer;
    assert_int_equal(
        taud_segment_writer_new(&rig->store, rig->codec, &facts, &writer, &rig->local.error),
        TAU_STATUS_SUCCESS);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t bytes[TAUD_CHUNK_BYTES_MAX];
        struct taud_chunk_summary summary;
        double value = i;
        size_t size = taud_chunk_encode(rig->codec, &timestamps[i], &value, 1, TAUD_EFFORT_FAST,
                                        NULL, bytes, &summary);
        assert_int_equal(
            taud_segment_writer_add(writer, 10, &summary, bytes, size, &rig->local.error),
            TAU_STATUS_SUCCESS);
    }
    assert_int_equal(taud_segment_writer_finish(writer, &facts, &rig->local.error),
                     TAU_STATUS_SUCCESS);
    return store_rig_open(rig, facts.name);
}

static void times_are_found_however_uneven_they_are(void **state)
{
    enum { TIMES = 126 };
    struct store_rig *rig = *state;
    int64_t growing[TIMES], even[TIMES], last[TIMES];
    for (int i = 0; i < TIMES; i++) { // from one end of time to the other, each twice as far
        growing[i] = i < 63 ? INT64_MIN + ((INT64_C(1) << i) - 1)
                            : INT64_MAX - ((INT64_C(1) << (TIMES - 1 - i)) - 1);
        even[i] = -500 + (int64_t)i * 10;
        last[i] = i < TIMES - 1 ? i : INT64_MAX;
    }
    const int64_t *const all[] = {growing, even, last};
    for (uint64_t kind = 0; kind < 3; kind++) {
        struct taud_segment *segment = points_at(rig, 20 + kind, all[kind], TIMES);
        for (int i = 0; i < TIMES; i++) {
            int64_t at = all[kind][i];
            expect_run(segment, 10, at, at);
            expect_run(segment, 10, at, INT64_MAX);
            expect_run(segment, 10, INT64_MIN, at);
            expect_run(segment, 10, at == INT64_MAX ? at : at + 1, INT64_MAX);
            expect_run(segment, 10, INT64_MIN, at == INT64_MIN ? at : at - 1);
        }
        taud_segment_release(segment);
    }
}

static void the_index_has_the_summaries(void **state)
{
    struct store_rig *rig = *state;
    struct taud_segment *segment = store_rig_open(rig, shape.name);
    struct taud_chunk_columns columns;
    uint32_t seen = 0;
    for (uint32_t block = 0; block < segment->block_count; block++) {
        uint32_t count = taud_segment_summaries(segment, rig->codec, block, &columns);
        for (uint32_t i = 0; i < count; i++, seen++) {
            struct store_chunk chunk;
            store_rig_chunk(rig, (seen / 50 + 1) * 10, seen % 50, shape.points, &chunk);
            const struct taud_chunk_summary *summary = &chunk.summary;
            assert_int_equal(segment->first_timestamps[seen], summary->first_timestamp);
            assert_int_equal(segment->last_timestamps[seen], summary->last_timestamp);
            assert_int_equal(columns.counts[i], summary->count);
            assert_int_equal(columns.number_counts[i], summary->number_count);
            assert_true(same(columns.firsts[i], summary->first));
            assert_true(same(columns.lasts[i], summary->last));
            assert_true(same(columns.lows[i], summary->low));
            assert_true(same(columns.highs[i], summary->high));
            assert_true(same(columns.sums[i], summary->sum));
        }
    }
    assert_int_equal(seen, ALL);
    taud_segment_release(segment);
}

// They are decoded once while the cache has them; who only looks leaves nothing behind.
static void summaries_are_shared(void **state)
{
    struct store_rig *rig = *state;
    struct taud_segment *segment = store_rig_open(rig, shape.name);
    struct taud_cache_block *looked, *first, *second;
    struct taud_chunk_columns columns;
    struct taud_cache_statistics before, after;
    taud_cache_statistics(rig->store.cache, &before);
    assert_int_equal(taud_segment_hold_summaries(segment, rig->codec, 0, false, &looked),
                     TAU_STATUS_SUCCESS);
    taud_cache_statistics(rig->store.cache, &after);
    assert_int_equal(after.block_count, before.block_count);
    assert_int_equal(taud_segment_hold_summaries(segment, rig->codec, 0, true, &first),
                     TAU_STATUS_SUCCESS);
    assert_int_equal(taud_segment_hold_summaries(segment, rig->codec, 0, true, &second),
                     TAU_STATUS_SUCCESS);
    assert_ptr_not_equal(first, looked);
    assert_ptr_equal(first, second);
    uint32_t count = taud_segment_summaries(segment, rig->codec, 0, &columns);
    const struct taud_chunk_columns *held[] = {taud_segment_held_columns(looked),
                                               taud_segment_held_columns(second)};
    for (int i = 0; i < 2; i++) {
        assert_memory_equal(held[i]->counts, columns.counts, count * sizeof columns.counts[0]);
        assert_memory_equal(held[i]->sums, columns.sums, count * sizeof columns.sums[0]);
    }
    taud_cache_release(rig->store.allocator, looked);
    taud_cache_release(rig->store.allocator, first);
    taud_cache_release(rig->store.allocator, second);
    taud_segment_release(segment);
}

// --- damage -----------------------------------------------------------------------------------

// What is held is given to the reading, or is not there: then that reads it.
static void chunks_are_read_in_steps(void **state)
{
    struct store_rig *rig = *state;
    struct taud_segment *segment = store_rig_open(rig, shape.name);
    for (int cached = 0; cached < 2; cached++) {
        for (uint32_t i = 0; i < shape.chunks; i++) {
            struct taud_chunk_bytes bytes;
            struct store_chunk expected;
            bool damaged;
            taud_segment_prefetch(segment, i, false);
            taud_segment_prefetch(segment, i, true);
            struct taud_cache_block *held = taud_segment_hold(segment, i);
            assert_true(held || !cached);
            assert_int_equal(taud_segment_read_held(segment, 10, i, held, &bytes, &damaged, NULL),
                             TAU_STATUS_SUCCESS);
            store_rig_chunk(rig, 10, i, shape.points, &expected);
            assert_int_equal(bytes.size, expected.size);
            assert_memory_equal(bytes.data, expected.bytes, expected.size);
            taud_segment_give_back(&rig->store, &bytes);
        }
    }
    struct taud_cache_block *held = taud_segment_hold(segment, 0);
    struct taud_chunk_bytes bytes;
    bool damaged;
    assert_int_equal(taud_segment_read_held(segment, 99, 0, held, &bytes, &damaged, NULL),
                     TAU_STATUS_INTERNAL_ERROR); // another's; nothing is held then
    assert_true(damaged);
    taud_segment_release(segment);
}

static void damage_stays_in_its_chunk(void **state)
{
    struct store_rig *rig = *state;
    for (int cached = 0; cached < 2; cached++) {
        struct taud_segment *segment = store_rig_open(rig, shape.name);
        uint64_t size;
        uint8_t *bytes = store_rig_bytes(rig, shape.name, &size);
        bytes[taud_segment_offset(segment, 70) + 40] ^= 4;
        struct taud_chunk_bytes held;
        bool damaged;
        assert_int_equal(taud_segment_read(segment, 20, 70, &held, &damaged, &rig->local.error),
                         TAU_STATUS_INTERNAL_ERROR);
        assert_true(damaged);
        assert_non_null(strstr(rig->local.error.text, "0000000000000007-00000001.seg"));
        assert_non_null(strstr(rig->local.error.text, "series 20 at offset"));
        assert_int_equal(store_rig_count_good(rig, segment, shape), ALL - 1);
        bytes[taud_segment_offset(segment, 70) + 40] ^= 4;
        // A whole chunk of another place, and one of another series.
        assert_int_equal(taud_segment_read(segment, 30, 70, &held, &damaged, NULL),
                         TAU_STATUS_INTERNAL_ERROR);
        assert_true(damaged);
        taud_segment_release(segment);
        taud_cache_free(rig->store.cache);
        rig->store.cache = NULL;
    }
}

static void records_that_changed_places_are_damaged(void **state)
{
    struct store_rig *rig = *state;
    struct taud_segment *segment = store_rig_open(rig, shape.name);
    uint64_t size;
    uint8_t *bytes = store_rig_bytes(rig, shape.name, &size), record[TAUD_RECORD_MAX];
    uint32_t swapped = 0;
    for (uint32_t i = 0; i + 1 < 50; i++) {
        uint8_t *first = bytes + taud_segment_offset(segment, i);
        uint8_t *second = bytes + taud_segment_offset(segment, i + 1);
        if (segment->sizes[i] != segment->sizes[i + 1])
            continue;
        memcpy(record, first, segment->sizes[i]);
        memcpy(first, second, segment->sizes[i]);
        memcpy(second, record, segment->sizes[i]);
        swapped += 2;
        i++;
    }
    assert_true(swapped > 0);
    assert_int_equal(store_rig_count_good(rig, segment, shape), ALL - swapped);
    taud_segment_release(segment);
}

static void a_disk_that_cannot_read_is_no_damage(void **state)
{
    struct store_rig *rig = *state;
    struct taud_segment *segment = store_rig_open(rig, shape.name);
    struct taud_chunk_bytes bytes;
    bool damaged = true;
    disk_set_fault(rig->local.disk, (struct disk_fault){DISK_FAULT_ERROR, .at = 1, .error = EIO});
    assert_int_equal(taud_segment_read(segment, 10, 0, &bytes, &damaged, &rig->local.error),
                     TAU_STATUS_INTERNAL_ERROR);
    assert_false(damaged);
    assert_int_equal(rig->local.error.os_error, EIO);
    disk_set_fault(rig->local.disk, (struct disk_fault){DISK_FAULT_NONE, .at = 0});
    failing_allocator_fail_next(&rig->local.memory, 1);
    assert_int_equal(taud_segment_read(segment, 10, 0, &bytes, &damaged, NULL),
                     TAU_STATUS_NO_MEMORY);
    assert_false(damaged);
    assert_int_equal(store_rig_count_good(rig, segment, shape), ALL);
    taud_segment_release(segment);
}

// --- threads ----------------------------------------------------------------------------------

struct reader {
    struct taud_segment *segment;
    const struct taud_store *store;
    uint64_t state;
    unsigned wrong;
};

static void *read_some(void *user_data)
{
    struct reader *reader = user_data;
    for (unsigned i = 0; i < 5000; i++) {
        reader->state = reader->state * UINT64_C(6364136223846793005) + 1442695040888963407U;
        uint32_t chunk = (uint32_t)((reader->state >> 33) % ALL);
        struct taud_chunk_bytes bytes;
        bool damaged;
        taud_segment_prefetch(reader->segment, chunk, i % 2);
        if (taud_segment_read(reader->segment, (chunk / 50 + 1) * 10, chunk, &bytes, &damaged,
                              NULL) != TAU_STATUS_SUCCESS) {
            reader->wrong++;
            continue;
        }
        reader->wrong += !taud_chunk_intact(bytes.data, bytes.size);
        taud_segment_give_back(reader->store, &bytes);
    }
    return NULL;
}

static void threads_share_it(void **state)
{
    struct store_rig *rig = *state;
    taud_cache_resize(rig->store.cache, 256 << 10); // less than all of it
    struct taud_segment *segment = store_rig_open(rig, shape.name);
    struct reader readers[4];
    pthread_t threads[4];
    for (unsigned i = 0; i < 4; i++) {
        readers[i] = (struct reader){.segment = segment, .store = &rig->store, .state = i};
        assert_int_equal(pthread_create(&threads[i], NULL, read_some, &readers[i]), 0);
    }
    for (unsigned i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(readers[i].wrong, 0);
    }
    taud_segment_release(segment);
}

#define READER_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        READER_TEST(every_chunk_is_read_as_it_was_written),
        READER_TEST(the_object_may_be_removed_while_it_is_read),
        READER_TEST(chunks_are_found_by_series_and_time),
        READER_TEST(series_are_found_wherever_they_lie),
        READER_TEST(times_are_found_however_uneven_they_are),
        READER_TEST(the_index_has_the_summaries),
        READER_TEST(summaries_are_shared),
        READER_TEST(chunks_are_read_in_steps),
        READER_TEST(damage_stays_in_its_chunk),
        READER_TEST(records_that_changed_places_are_damaged),
        READER_TEST(a_disk_that_cannot_read_is_no_damage),
        READER_TEST(threads_share_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
