// SPDX-License-Identifier: MIT
// Chunks of a segment are good when their points are those of which the index tells; each number of
// a summary counts, and what cannot be read is told apart from what is damaged.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "store_rig.h"

#include "engine/check/verify.h"

#include <errno.h>
#include <math.h>

static const struct store_shape shape = {{7, 1}, .series = 2, .chunks = 3, .points = 20};
static const struct taud_segment_name other = {9, 0};

static int setup(void **state)
{
    static struct store_rig rig;
    store_rig_init(&rig);
    store_rig_write(&rig, shape);
    *state = &rig;
    return 0;
}

static int teardown(void **state)
{
    store_rig_done(*state);
    return 0;
}

// The verdict on one chunk of a segment.
static enum taud_chunk_verdict judge(struct store_rig *rig, struct taud_segment_name name,
                                     uint64_t identity, uint32_t chunk,
                                     struct taud_verified_chunk *ret)
{
    struct taud_segment *segment = store_rig_open(rig, name);
    struct taud_verifier *verifier = taud_verifier_new(segment, rig->codec);
    assert_non_null(verifier);
    enum taud_chunk_verdict verdict =
        taud_verify_chunk(verifier, identity, chunk, ret, &rig->local.error);
    taud_verifier_free(verifier);
    taud_segment_release(segment);
    return verdict;
}

static void every_chunk_is_good(void **state)
{
    struct store_rig *rig = *state;
    struct store_chunk chunk;
    struct taud_verified_chunk found;
    for (uint32_t i = 0; i < 6; i++) {
        store_rig_chunk(rig, i < 3 ? 10 : 20, i % 3, 20, &chunk);
        assert_int_equal(judge(rig, shape.name, i < 3 ? 10 : 20, i, &found), TAUD_VERDICT_GOOD);
        assert_int_equal(found.indexed_count, 20);
        assert_memory_equal(&found.summary, &chunk.summary, sizeof chunk.summary);
    }
}

static void no_byte_of_a_chunk_is_missed(void **state)
{
    struct store_rig *rig = *state;
    struct taud_segment *segment = store_rig_open(rig, shape.name);
    uint64_t size, offset = taud_segment_offset(segment, 4);
    uint8_t *bytes = store_rig_bytes(rig, shape.name, &size);
    struct taud_verified_chunk found;
    for (uint64_t at = offset; at < offset + segment->sizes[4]; at++) {
        bytes[at] ^= 0x10;
        assert_int_equal(judge(rig, shape.name, 20, 4, &found), TAUD_VERDICT_DAMAGED);
        assert_int_equal(found.indexed_count, 20);
        assert_int_equal(judge(rig, shape.name, 20, 5, &found), TAUD_VERDICT_GOOD);
        bytes[at] ^= 0x10;
    }
    assert_int_equal(judge(rig, shape.name, 10, 4, &found), TAUD_VERDICT_DAMAGED); // another's
    taud_segment_release(segment);
}

// Writes a segment of one chunk whose summary was changed.
static void write_other(struct store_rig *rig, const struct store_chunk *chunk,
                        const struct taud_chunk_summary *summary)
{
    struct taud_segment_facts facts = {.name = other, .last_sequence = 9, .file_id = 99};
    struct taud_segment_writer *writer;
    assert_int_equal(taud_segment_writer_new(&rig->store, rig->codec, &facts, &writer, NULL),
                     TAU_STATUS_SUCCESS);
    assert_int_equal(
        taud_segment_writer_add(writer, 5, summary, chunk->bytes, chunk->size, NULL),
        TAU_STATUS_SUCCESS);
    assert_int_equal(taud_segment_writer_finish(writer, &facts, NULL), TAU_STATUS_SUCCESS);
}

static void the_index_must_tell_of_these_points(void **state)
{
    struct store_rig *rig = *state;
    struct store_chunk chunk;
    struct taud_verified_chunk found;
    store_rig_chunk(rig, 5, 0, 20, &chunk);
    for (int i = 0; i < 10; i++) {
        struct taud_chunk_summary wrong = chunk.summary;
        wrong.count += i == 1;
        wrong.number_count -= i == 2;
        wrong.first_timestamp -= i == 3;
        wrong.last_timestamp += i == 4;
        wrong.first += i == 5;
        wrong.last += i == 6;
        wrong.low -= i == 7;
        wrong.high += i == 8;
        wrong.sum += i == 9;
        write_other(rig, &chunk, &wrong);
        assert_int_equal(judge(rig, other, 5, 0, &found),
                         i == 0 ? TAUD_VERDICT_GOOD : TAUD_VERDICT_OTHER);
        assert_memory_equal(&found.summary, &chunk.summary, sizeof chunk.summary);
    }
}

// NaN is NaN, and 0 is -0.
static void what_is_equal_does_not_differ(void **state)
{
    struct store_rig *rig = *state;
    struct store_chunk chunk;
    struct taud_verified_chunk found;
    store_rig_chunk(rig, 5, 0, 3, &chunk);
    for (int all_nan = 0; all_nan < 2; all_nan++) {
        for (int i = 0; i < 3; i++)
            chunk.values[i] = all_nan ? (double)NAN : i == 1 ? -0.0 : 0.0;
        chunk.size = taud_chunk_encode(rig->codec, chunk.timestamps, chunk.values, 3,
                                       TAUD_EFFORT_FAST, NULL, chunk.bytes, &chunk.summary);
        chunk.summary.low = all_nan ? -(double)NAN : -chunk.summary.low;
        write_other(rig, &chunk, &chunk.summary);
        assert_int_equal(judge(rig, other, 5, 0, &found), TAUD_VERDICT_GOOD);
    }
}

static void what_cannot_be_read_is_not_damaged(void **state)
{
    struct store_rig *rig = *state;
    struct taud_verified_chunk found;
    struct taud_segment *segment = store_rig_open(rig, shape.name);
    struct taud_verifier *verifier = taud_verifier_new(segment, rig->codec);
    disk_set_fault(rig->local.disk,
                   (struct disk_fault){DISK_FAULT_ERROR, 1, .for_good = true, .error = EIO});
    assert_int_equal(taud_verify_chunk(verifier, 10, 0, &found, &rig->local.error),
                     TAUD_VERDICT_UNREADABLE);
    assert_int_equal(rig->local.error.os_error, EIO);
    disk_set_fault(rig->local.disk, (struct disk_fault){.kind = DISK_FAULT_NONE});
    assert_int_equal(taud_verify_chunk(verifier, 10, 0, &found, NULL), TAUD_VERDICT_GOOD);
    taud_verifier_free(verifier);
    taud_segment_release(segment);
}

static void without_memory_there_is_none(void **state)
{
    struct store_rig *rig = *state;
    struct taud_segment *segment = store_rig_open(rig, shape.name);
    for (unsigned i = 1; i <= 2; i++) {
        failing_allocator_fail_next(&rig->local.memory, i);
        assert_null(taud_verifier_new(segment, rig->codec));
    }
    taud_verifier_free(NULL);
    taud_segment_release(segment);
}

#define VERIFY_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        VERIFY_TEST(every_chunk_is_good),
        VERIFY_TEST(no_byte_of_a_chunk_is_missed),
        VERIFY_TEST(the_index_must_tell_of_these_points),
        VERIFY_TEST(what_is_equal_does_not_differ),
        VERIFY_TEST(what_cannot_be_read_is_not_damaged),
        VERIFY_TEST(without_memory_there_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
