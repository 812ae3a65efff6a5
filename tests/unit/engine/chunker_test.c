// SPDX-License-Identifier: MIT
// Points go into a segment as chunks: whole ones as their bytes, small ones together with their
// neighbours, columns in chunks of 1,024; in every mixture the points are those that were given.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "store_rig.h"

#include "engine/chunker.h"

enum { POINTS = 9000, IDENTITY = 5 };

struct bench {
    struct store_rig rig;
    struct taud_segment_writer *writer;
    struct taud_chunker chunker;
    struct taud_codec *codec;
    int64_t timestamps[POINTS];
    double values[POINTS];
    uint32_t given;
    struct taud_segment *segment;
};

static void begin(struct bench *bench, uint32_t small, bool anew)
{
    struct taud_segment_facts facts = {.name = {1, 0}, .last_sequence = 1, .file_id = 9};
    store_rig_init(&bench->rig);
    bench->codec = taud_codec_new(taud_allocator_system());
    assert_int_equal(
        taud_segment_writer_new(&bench->rig.store, bench->rig.codec, &facts, &bench->writer, NULL),
        TAU_STATUS_SUCCESS);
    for (int i = 0; i < POINTS; i++) {
        bench->timestamps[i] = i * 10 + i % 3;
        bench->values[i] = i * 0.25;
    }
    taud_chunker_init(&bench->chunker, &(struct taud_chunker_options){.writer = bench->writer,
                                                                      .codec = bench->codec,
                                                                      .effort = TAUD_EFFORT_FAST,
                                                                      .small = small,
                                                                      .anew = anew});
    taud_chunker_begin(&bench->chunker, IDENTITY, NULL);
}

static void give_columns(struct bench *bench, uint32_t count)
{
    assert_int_equal(taud_chunker_add_columns(&bench->chunker, bench->timestamps + bench->given,
                                              bench->values + bench->given, count, NULL),
                     TAU_STATUS_SUCCESS);
    bench->given += count;
}

// As one who has a chunk does: whole, or its columns. Returns whether it went whole.
static bool give_chunk(struct bench *bench, uint32_t count)
{
    uint8_t bytes[TAUD_CHUNK_BYTES_MAX];
    struct taud_chunk_summary summary;
    if (!taud_chunker_takes_whole(&bench->chunker, count)) {
        give_columns(bench, count);
        return false;
    }
    size_t size = taud_chunk_encode(bench->codec, bench->timestamps + bench->given,
                                    bench->values + bench->given, count, TAUD_EFFORT_FAST, NULL,
                                    bytes, &summary);
    assert_int_equal(taud_chunker_add_whole(&bench->chunker, &summary, bytes, size, NULL),
                     TAU_STATUS_SUCCESS);
    bench->given += count;
    return true;
}

// Ends, and checks that all points are there, in chunks of these counts.
static void end(struct bench *bench, const uint32_t *counts, uint32_t count)
{
    struct taud_segment_facts facts;
    enum taud_segment_fault fault;
    uint32_t seen = 0;
    assert_int_equal(taud_chunker_end(&bench->chunker, NULL), TAU_STATUS_SUCCESS);
    assert_int_equal(taud_chunker_end(&bench->chunker, NULL), TAU_STATUS_SUCCESS); // nothing waits
    assert_int_equal(taud_segment_writer_finish(bench->writer, &facts, NULL), TAU_STATUS_SUCCESS);
    assert_int_equal(facts.point_count, bench->given);
    assert_int_equal(facts.chunk_count, count);
    assert_int_equal(taud_segment_open(&bench->rig.store, bench->codec, facts.name, &bench->segment,
                                       &fault, NULL),
                     TAU_STATUS_SUCCESS);
    for (uint32_t i = 0; i < count; i++) {
        struct taud_chunk_bytes bytes;
        struct taud_chunk chunk;
        int64_t timestamps[TAUD_CHUNK_POINTS_MAX];
        double values[TAUD_CHUNK_POINTS_MAX];
        bool damaged;
        assert_int_equal(taud_segment_read(bench->segment, IDENTITY, i, &bytes, &damaged, NULL),
                         TAU_STATUS_SUCCESS);
        assert_true(taud_chunk_open(bytes.data, bytes.size, &chunk));
        assert_int_equal(chunk.count, counts[i]);
        assert_true(taud_chunk_timestamps(bench->codec, &chunk, 0, chunk.count, timestamps));
        assert_true(taud_chunk_values(bench->codec, &chunk, 0, chunk.count, values));
        assert_memory_equal(timestamps, bench->timestamps + seen, chunk.count * sizeof *timestamps);
        assert_memory_equal(values, bench->values + seen, chunk.count * sizeof *values);
        seen += chunk.count;
        taud_segment_give_back(&bench->rig.store, &bytes);
    }
    assert_int_equal(seen, bench->given);
    taud_segment_release(bench->segment);
    taud_codec_free(bench->codec);
    store_rig_done(&bench->rig);
}

static void columns_fill_chunks(void **state)
{
    struct bench *bench = *state;
    begin(bench, 64, false);
    give_columns(bench, 1);
    give_columns(bench, 1022);
    give_columns(bench, 1);    // full
    give_columns(bench, 1024); // without a copy
    give_columns(bench, 3000);
    const uint32_t counts[] = {1024, 1024, 1024, 1024, 952};
    end(bench, counts, 5);
}

static void whole_chunks_stay_whole(void **state)
{
    struct bench *bench = *state;
    begin(bench, 64, false);
    assert_true(give_chunk(bench, 64));
    assert_true(give_chunk(bench, 1024));
    give_columns(bench, 10);
    assert_true(give_chunk(bench, 1015)); // more than a chunk with what waits
    give_columns(bench, 10);
    assert_false(give_chunk(bench, 1014)); // just a chunk with it
    const uint32_t counts[] = {64, 1024, 10, 1015, 1024};
    end(bench, counts, 5);
}

static void small_ones_are_joined(void **state)
{
    struct bench *bench = *state;
    begin(bench, 64, false);
    for (int i = 0; i < 20; i++)
        assert_false(give_chunk(bench, 63));
    assert_true(give_chunk(bench, 900));
    const uint32_t counts[] = {1024, 236, 900};
    end(bench, counts, 3);
}

static void all_are_made_anew(void **state)
{
    struct bench *bench = *state;
    begin(bench, 1, true);
    for (int i = 0; i < 5; i++)
        assert_false(give_chunk(bench, 1000));
    const uint32_t counts[] = {1024, 1024, 1024, 1024, 904};
    end(bench, counts, 5);
}

static void a_merge_is_taken_over(void **state)
{
    struct bench *bench = *state;
    begin(bench, 64, false);
    struct taud_merge_options options = {.allocator = taud_allocator_system(),
                                         .codec = bench->codec,
                                         .identity = IDENTITY,
                                         .from = INT64_MIN,
                                         .to = INT64_MAX};
    struct taud_merge *merge = taud_merge_new(&options);
    assert_non_null(merge);
    assert_true(taud_merge_add_columns(merge, bench->timestamps, bench->values, 2000, UINT64_MAX));
    struct taud_piece piece;
    while (taud_merge_next(merge, &piece, NULL) == TAU_STATUS_SUCCESS && piece.count > 0)
        assert_int_equal(taud_chunker_add_piece(&bench->chunker, merge, &piece, NULL),
                         TAU_STATUS_SUCCESS);
    taud_merge_free(merge);
    bench->given = 2000;
    const uint32_t counts[] = {1024, 976};
    end(bench, counts, 2);
}

// What does not belong where the segment is, is refused by its writer, and that comes through.
static void failures_come_through(void **state)
{
    struct bench *bench = *state;
    begin(bench, 64, false);
    bench->given = 500;
    give_columns(bench, 1024);
    bench->given = 0;
    assert_int_equal(
        taud_chunker_add_columns(&bench->chunker, bench->timestamps, bench->values, 1024, NULL),
        TAU_STATUS_INVALID_ARGUMENT);
    taud_segment_writer_abandon(bench->writer);
    taud_codec_free(bench->codec);
    store_rig_done(&bench->rig);
}

static int set_up(void **state)
{
    *state = calloc(1, sizeof(struct bench));
    return *state == NULL;
}

static int tear_down(void **state)
{
    free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(columns_fill_chunks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(whole_chunks_stay_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(small_ones_are_joined, set_up, tear_down),
        cmocka_unit_test_setup_teardown(all_are_made_anew, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_merge_is_taken_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(failures_come_through, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
