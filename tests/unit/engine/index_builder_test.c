// SPDX-License-Identifier: MIT
// The builder of an index takes chunks in their order only, counts what they are of, keeps few
// bytes a chunk, and survives that there is no memory.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "failing_allocator.h"

#include "engine/store/index_builder.h"

static struct taud_codec *codec;
static struct failing_allocator memory;

static struct taud_chunk_summary summary_at(int64_t first, int64_t last, uint32_t count)
{
    return (struct taud_chunk_summary){.count = count,
                                       .number_count = count,
                                       .first_timestamp = first,
                                       .last_timestamp = last,
                                       .first = 1,
                                       .last = 2,
                                       .low = 0,
                                       .high = 100,
                                       .sum = 1000};
}

static bool accepts(const struct taud_index_builder *builder, uint64_t identity, int64_t first,
                    int64_t last, uint32_t count)
{
    struct taud_chunk_summary summary = summary_at(first, last, count);
    return taud_index_builder_accepts(builder, identity, &summary);
}

static void begin(struct taud_index_builder *builder)
{
    struct taud_segment_facts facts = {.name = {5, 2}, .last_sequence = 8, .file_id = 77};
    failing_allocator_init(&memory, 0, false);
    assert_true(taud_index_builder_init(builder, &memory.table, codec, &facts));
}

static void chunks_are_taken_in_their_order(void **state)
{
    (void)state;
    struct taud_index_builder builder;
    begin(&builder);
    assert_true(accepts(&builder, 0, INT64_MIN, INT64_MAX, 1024));
    struct taud_chunk_summary summary = summary_at(100, 200, 50);
    assert_true(taud_index_builder_add(&builder, 7, &summary, 64, 90));
    assert_true(accepts(&builder, 7, 201, 300, 10));
    assert_true(accepts(&builder, 8, 0, 10, 10));
    assert_false(accepts(&builder, 7, 200, 300, 10)); // overlaps
    assert_false(accepts(&builder, 6, 1000, 2000, 10));
    assert_false(accepts(&builder, 8, 10, 9, 1));
    assert_false(accepts(&builder, 8, 0, 0, 2));
    assert_false(accepts(&builder, 8, 0, 10000, 0));
    assert_false(accepts(&builder, 8, 0, 10000, 1025));
    summary.number_count = 51;
    assert_false(taud_index_builder_accepts(&builder, 9, &summary));
    taud_index_builder_done(&builder);
    assert_int_equal(atomic_load(&memory.live), 0);
}

static void a_builder_counts_and_stays_small(void **state)
{
    (void)state;
    struct taud_index_builder builder;
    begin(&builder);
    uint64_t before = taud_index_builder_memory(&builder);
    for (unsigned i = 0; i < 5000; i++) {
        int64_t first = (int64_t)(i % 100) * 10240 - 500;
        struct taud_chunk_summary summary = summary_at(first, first + 10230, 1024);
        assert_true(taud_index_builder_add(&builder, 1 + i / 100, &summary, 64 + i * 900, 900));
    }
    assert_int_equal(builder.piece_count, 4);
    assert_true(taud_index_builder_finish(&builder));
    assert_true(taud_index_builder_finish(&builder)); // there is nothing more to do
    const struct taud_segment_facts *facts = &builder.facts;
    assert_int_equal(builder.piece_count, 5);
    assert_int_equal(facts->chunk_count, 5000);
    assert_int_equal(facts->series_count, 50);
    assert_int_equal(facts->point_count, 5000 * 1024);
    assert_int_equal(facts->first_timestamp, -500);
    assert_int_equal(facts->last_timestamp, 99 * 10240 - 500 + 10230);
    assert_int_equal(facts->name.sequence, 5);
    assert_int_equal(facts->name.level, 2);
    assert_int_equal(facts->last_sequence, 8);
    assert_int_equal(facts->file_id, 77);
    uint64_t grown = taud_index_builder_memory(&builder) - before;
    assert_true(grown >= builder.piece_bytes && grown < 5000 * 4);
    struct taud_index_block *block = malloc(sizeof *block);
    uint64_t number = 0;
    for (const struct taud_index_piece *piece = builder.first; piece; piece = piece->next)
        assert_true(taud_index_block_decode(codec, piece->data, piece->size, 77, number++, block));
    assert_int_equal(block->count, 5000 - 4 * 1024);
    assert_int_equal(block->offsets[block->count - 1], 64 + 4999 * 900);
    free(block);
    taud_index_builder_done(&builder);
    assert_int_equal(atomic_load(&memory.live), 0);
}

static void without_memory_nothing_is_lost(void **state)
{
    (void)state;
    struct taud_index_builder builder;
    struct taud_segment_facts facts = {.file_id = 1};
    failing_allocator_init(&memory, 1, false);
    assert_false(taud_index_builder_init(&builder, &memory.table, codec, &facts));
    begin(&builder);
    for (unsigned i = 0; i < 1025; i++) {
        struct taud_chunk_summary summary = summary_at(i, i, 1);
        if (i == 1024) {
            failing_allocator_fail_next(&memory, 1);
            assert_false(taud_index_builder_add(&builder, 1, &summary, 64 + i * 30, 30));
            assert_int_equal(builder.facts.chunk_count, 1024);
        }
        assert_true(taud_index_builder_add(&builder, 1, &summary, 64 + i * 30, 30));
    }
    failing_allocator_fail_next(&memory, 1);
    assert_false(taud_index_builder_finish(&builder));
    assert_true(taud_index_builder_finish(&builder));
    assert_int_equal(builder.piece_count, 2);
    taud_index_builder_done(&builder);
    assert_int_equal(atomic_load(&memory.live), 0);
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
        cmocka_unit_test(chunks_are_taken_in_their_order),
        cmocka_unit_test(a_builder_counts_and_stays_small),
        cmocka_unit_test(without_memory_nothing_is_lost),
    };
    return cmocka_run_group_tests(tests, prepare, finish);
}
