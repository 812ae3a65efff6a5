// SPDX-License-Identifier: MIT
// Every chunk follows from its series and number, so that a test knows what any segment holds
// without keeping it. It must not know how segments are stored.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "store_rig.h"

#include <stdio.h>

static const int64_t minute = INT64_C(60000000000), begin = INT64_C(1700000000000000000);

static void use_backend(struct store_rig *rig)
{
    local_rig_open(&rig->local);
    rig->store.backend = rig->local.backend;
    rig->store.allocator = &rig->local.memory.table;
}

void store_rig_init(struct store_rig *rig)
{
    memset(rig, 0, sizeof *rig);
    local_rig_init(&rig->local, false);
    rig->codec = taud_codec_new(taud_allocator_system());
    assert_non_null(rig->codec);
    use_backend(rig);
}

void store_rig_done(struct store_rig *rig)
{
    taud_codec_free(rig->codec);
    local_rig_done(&rig->local);
}

void store_rig_renew(struct store_rig *rig)
{
    local_rig_renew(&rig->local);
    use_backend(rig);
}

void store_rig_chunk(struct store_rig *rig, uint64_t identity, uint32_t number, uint32_t count,
                     struct store_chunk *ret)
{
    int64_t start = begin + (int64_t)number * ((int64_t)count * minute + 60 * minute);
    for (uint32_t i = 0; i < count; i++) {
        ret->timestamps[i] = start + (int64_t)i * minute;
        ret->values[i] = (double)((identity * 7 + number * 3 + i * i) % 101);
    }
    ret->size = taud_chunk_encode(rig->codec, ret->timestamps, ret->values, count, TAUD_EFFORT_FAST,
                                  NULL, ret->bytes, &ret->summary);
}

enum tau_status store_rig_try_write(struct store_rig *rig, struct store_shape shape,
                                    struct taud_segment_facts *ret_facts)
{
    struct taud_segment_facts facts = {.name = shape.name,
                                       .last_sequence = shape.name.sequence + 2,
                                       .file_id = UINT64_C(0x0123456789abcdef)};
    struct taud_segment_writer *writer;
    enum tau_status status =
        taud_segment_writer_new(&rig->store, rig->codec, &facts, &writer, &rig->local.error);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    for (uint32_t i = 0; i < shape.series * shape.chunks && status == TAU_STATUS_SUCCESS; i++) {
        struct store_chunk chunk;
        uint64_t identity = (i / shape.chunks + 1) * 10;
        store_rig_chunk(rig, identity, i % shape.chunks, shape.points, &chunk);
        status = taud_segment_writer_add(writer, identity, &chunk.summary, chunk.bytes, chunk.size,
                                         &rig->local.error);
    }
    if (status == TAU_STATUS_SUCCESS)
        return taud_segment_writer_finish(writer, ret_facts, &rig->local.error);
    taud_segment_writer_abandon(writer);
    return status;
}

struct taud_segment_facts store_rig_write(struct store_rig *rig, struct store_shape shape)
{
    struct taud_segment_facts facts;
    assert_int_equal(store_rig_try_write(rig, shape, &facts), TAU_STATUS_SUCCESS);
    return facts;
}

struct taud_segment *store_rig_open(struct store_rig *rig, struct taud_segment_name name)
{
    struct taud_segment *segment = NULL;
    enum taud_segment_fault fault;
    assert_int_equal(
        taud_segment_open(&rig->store, rig->codec, name, &segment, &fault, &rig->local.error),
        TAU_STATUS_SUCCESS);
    return segment;
}

uint8_t *store_rig_bytes(struct store_rig *rig, struct taud_segment_name name, uint64_t *ret_size)
{
    char text[TAUD_SEGMENT_NAME_BYTES];
    taud_segment_object_name(name, text);
    return local_rig_file(&rig->local, text, ret_size);
}

static bool is_good(struct store_rig *rig, const struct taud_segment *segment, uint64_t identity,
                    uint32_t chunk, const struct taud_chunk_bytes *bytes, struct store_shape shape)
{
    struct store_chunk expected = {.size = 0};
    for (uint32_t number = 0; number < shape.chunks; number++) {
        store_rig_chunk(rig, identity, number, shape.points, &expected);
        if (expected.summary.first_timestamp == segment->first_timestamps[chunk])
            return expected.summary.last_timestamp == segment->last_timestamps[chunk] &&
                   expected.size == bytes->size &&
                   memcmp(expected.bytes, bytes->data, bytes->size) == 0;
    }
    return false;
}

uint32_t store_rig_count_good(struct store_rig *rig, struct taud_segment *segment,
                              struct store_shape shape)
{
    uint32_t good = 0;
    for (uint32_t series = 0; series < segment->facts.series_count; series++) {
        uint64_t identity = segment->identities[series];
        struct taud_chunk_run run = taud_segment_series(segment, series);
        for (uint32_t i = run.first; i < run.first + run.count; i++) {
            struct taud_chunk_bytes bytes = {0};
            bool damaged = false;
            enum tau_status status =
                taud_segment_read(segment, identity, i, &bytes, &damaged, &rig->local.error);
            assert_int_equal(status == TAU_STATUS_SUCCESS, !damaged);
            if (status != TAU_STATUS_SUCCESS)
                continue;
            assert_true(is_good(rig, segment, identity, i, &bytes, shape));
            taud_segment_give_back(&rig->store, &bytes);
            good++;
        }
    }
    return good;
}
