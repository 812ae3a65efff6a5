// SPDX-License-Identifier: MIT
// Records of the log: each kind comes back with what it says and nothing else, cut at every byte
// it is refused, and so is what no server of this version writes.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/record.h"

static void refused_when_cut(const uint8_t *bytes, size_t size)
{
    struct taud_record record;
    for (size_t cut = 0; cut < size; cut++) {
        const uint8_t *data = bytes;
        size_t left = cut;
        assert_false(taud_record_decode(&data, &left, &record));
        assert_ptr_equal(data, bytes);
    }
    const uint8_t *data = bytes;
    size_t left = size;
    assert_true(taud_record_decode(&data, &left, &record));
    assert_int_equal(left, 0);
    assert_ptr_equal(data, bytes + size);
}

// The record that these bytes are, all of them.
static struct taud_record decoded(const uint8_t *bytes, size_t size)
{
    struct taud_record record;
    const uint8_t *data = bytes;
    memset(&record, 0xee, sizeof record); // what its type does not have has to be zero
    assert_true(taud_record_decode(&data, &size, &record));
    assert_int_equal(size, 0);
    return record;
}

static bool is_zero(const void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (((const uint8_t *)bytes)[i] != 0)
            return false;
    }
    return true;
}

static void points_come_back(void **state)
{
    (void)state;
    uint8_t bytes[8 + 2 * TAUD_RECORD_POINT_BYTES];
    taud_record_header(bytes, TAUD_RECORD_POINTS, 0, 2);
    taud_record_point(bytes + 8, 7, -5, 1.5);
    taud_record_point(bytes + 32, UINT64_MAX, INT64_MAX, -0.0);
    refused_when_cut(bytes, sizeof bytes);
    assert_int_equal(taud_load_u64(bytes + 8), 7);
    assert_true((int64_t)taud_load_u64(bytes + 16) == -5);
    assert_true(taud_load_u64(bytes + 48) == UINT64_C(1) << 63);
    struct taud_record record = decoded(bytes, sizeof bytes);
    assert_int_equal(record.type, TAUD_RECORD_POINTS);
    assert_int_equal(record.count, 2);
    assert_ptr_equal(record.points, bytes + 8);
    assert_null(record.timestamps);
    assert_null(record.values);
    assert_int_equal(record.identity, 0);
}

static void columns_come_back(void **state)
{
    (void)state;
    for (int mode = 0; mode < 2; mode++) {
        uint8_t bytes[256] = {0};
        size_t size = taud_record_columns_bytes((enum taud_columns_mode)mode, 3);
        taud_record_header(bytes, TAUD_RECORD_COLUMNS, (unsigned)mode, 3);
        taud_store_u64(bytes + 8, 9);
        refused_when_cut(bytes, size);
        struct taud_record record = decoded(bytes, size);
        assert_int_equal(record.type, TAUD_RECORD_COLUMNS);
        assert_int_equal(record.mode, mode);
        assert_int_equal(record.count, 3);
        assert_int_equal(record.identity, 9);
        assert_ptr_equal(record.timestamps, bytes + 16);
        assert_ptr_equal(record.values, bytes + 16 + (mode ? 16 : 24));
        assert_null(record.points);
    }
}

static void series_come_back(void **state)
{
    (void)state;
    uint8_t bytes[TAUD_RECORD_CREATE_SERIES_BYTES];
    taud_record_header(bytes, TAUD_RECORD_CREATE_SERIES, 0, 0);
    taud_store_u64(bytes + 8, UINT64_MAX - 1);
    memcpy(bytes + 16, "thirty-two bytes of label, whole", 32);
    struct taud_record record = decoded(bytes, sizeof bytes);
    assert_int_equal(record.type, TAUD_RECORD_CREATE_SERIES);
    assert_true(record.identity == UINT64_MAX - 1);
    assert_memory_equal(&record.label, "thirty-two bytes of label, whole", 32);
    assert_true(is_zero(&record.source, sizeof record.source));

    taud_record_header(bytes, TAUD_RECORD_DROP_SERIES, 0, 0);
    record = decoded(bytes, TAUD_RECORD_DROP_SERIES_BYTES);
    assert_int_equal(record.type, TAUD_RECORD_DROP_SERIES);
    assert_true(record.identity == UINT64_MAX - 1);
    assert_true(is_zero(&record.label, sizeof record.label));
}

static void lenses_come_back(void **state)
{
    (void)state;
    uint8_t bytes[TAUD_RECORD_CREATE_LENS_BYTES];
    taud_record_header(bytes, TAUD_RECORD_CREATE_LENS, 0, 1);
    memcpy(bytes + 8, "the lens's own label, 32 of them", 32);
    memcpy(bytes + 40, "the label of the series it's on.", 32);
    memcpy(bytes + 72, "\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17\20", 16);
    struct taud_record record = decoded(bytes, sizeof bytes);
    assert_int_equal(record.type, TAUD_RECORD_CREATE_LENS);
    assert_int_equal(record.count, 1);
    assert_memory_equal(&record.label, bytes + 8, 32);
    assert_memory_equal(&record.source, bytes + 40, 32);
    assert_memory_equal(record.transforms, bytes + 72, 16);
    assert_int_equal(record.identity, 0);

    taud_record_header(bytes, TAUD_RECORD_DROP_LENS, 0, 0);
    record = decoded(bytes, TAUD_RECORD_DROP_LENS_BYTES);
    assert_int_equal(record.type, TAUD_RECORD_DROP_LENS);
    assert_memory_equal(&record.label, bytes + 8, 32);
    assert_true(is_zero(&record.source, sizeof record.source));
    assert_true(is_zero(record.transforms, sizeof record.transforms));
}

static void deletes_and_policies_come_back(void **state)
{
    (void)state;
    uint8_t bytes[TAUD_RECORD_DELETE_RANGE_BYTES];
    taud_record_delete_range(bytes, 77, INT64_MIN, -5);
    refused_when_cut(bytes, sizeof bytes);
    struct taud_record record = decoded(bytes, sizeof bytes);
    assert_int_equal(record.type, TAUD_RECORD_DELETE_RANGE);
    assert_int_equal(record.identity, 77);
    assert_true(record.from == INT64_MIN && record.to == -5);
    assert_int_equal(record.retention, 0);
    taud_record_delete_range(bytes, 77, 3, 3);
    assert_true(decoded(bytes, sizeof bytes).to == 3);
    taud_record_delete_range(bytes, 77, 3, 2); // no range
    const uint8_t *data = bytes;
    size_t size = sizeof bytes;
    assert_false(taud_record_decode(&data, &size, &record));
    assert_ptr_equal(data, bytes);

    taud_record_policy(bytes, 78, TAUD_RECORD_ORDER_MAX, UINT64_MAX);
    refused_when_cut(bytes, TAUD_RECORD_POLICY_BYTES);
    record = decoded(bytes, TAUD_RECORD_POLICY_BYTES);
    assert_int_equal(record.type, TAUD_RECORD_POLICY);
    assert_int_equal(record.mode, TAUD_RECORD_ORDER_MAX);
    assert_int_equal(record.identity, 78);
    assert_true(record.retention == UINT64_MAX && record.from == 0);
    taud_record_policy(bytes, 78, TAUD_RECORD_ORDER_MAX + 1, 0);
    size = TAUD_RECORD_POLICY_BYTES;
    assert_false(taud_record_decode(&data, &size, &record));

    taud_record_newest(bytes, 79, -6);
    refused_when_cut(bytes, TAUD_RECORD_NEWEST_BYTES);
    record = decoded(bytes, TAUD_RECORD_NEWEST_BYTES);
    assert_int_equal(record.type, TAUD_RECORD_NEWEST);
    assert_int_equal(record.identity, 79);
    assert_true(record.newest == -6 && record.retention == 0);
}

static void rollups_come_back(void **state)
{
    (void)state;
    uint8_t bytes[TAUD_RECORD_CREATE_ROLLUP_BYTES];
    struct taud_record_rollup rollup = {.target = 5,
                                        .source = UINT64_MAX,
                                        .width = 60,
                                        .origin = -7,
                                        .parameter = 0.25,
                                        .function = TAUD_RECORD_FUNCTION_MAX};
    taud_record_create_rollup(bytes, &rollup);
    refused_when_cut(bytes, sizeof bytes);
    struct taud_record record = decoded(bytes, sizeof bytes);
    assert_int_equal(record.type, TAUD_RECORD_CREATE_ROLLUP);
    assert_true(record.rollup.target == 5 && record.rollup.source == UINT64_MAX);
    assert_true(record.rollup.width == 60 && record.rollup.origin == -7);
    assert_true(record.rollup.parameter == 0.25);
    assert_int_equal(record.rollup.function, TAUD_RECORD_FUNCTION_MAX);
    const uint8_t *data = bytes;
    size_t size = sizeof bytes;
    rollup.width = 0;
    taud_record_create_rollup(bytes, &rollup);
    assert_false(taud_record_decode(&data, &size, &record));
    rollup.width = 1;
    rollup.function++;
    taud_record_create_rollup(bytes, &rollup);
    assert_false(taud_record_decode(&data, &size, &record));

    taud_record_drop_rollup(bytes, 6);
    refused_when_cut(bytes, TAUD_RECORD_DROP_ROLLUP_BYTES);
    record = decoded(bytes, TAUD_RECORD_DROP_ROLLUP_BYTES);
    assert_int_equal(record.type, TAUD_RECORD_DROP_ROLLUP);
    assert_true(record.rollup.target == 6 && record.rollup.source == 0);

    taud_record_rollup_progress(bytes, 7, -60, 3, 2); // nothing again
    refused_when_cut(bytes, TAUD_RECORD_ROLLUP_PROGRESS_BYTES);
    record = decoded(bytes, TAUD_RECORD_ROLLUP_PROGRESS_BYTES);
    assert_int_equal(record.type, TAUD_RECORD_ROLLUP_PROGRESS);
    assert_int_equal(record.mode, TAUD_PROGRESS_SETTLED);
    assert_true(record.identity == 7 && record.covered == -60 && record.from == 0);
    taud_record_rollup_progress(bytes, 7, -60, -90, -90);
    record = decoded(bytes, TAUD_RECORD_ROLLUP_PROGRESS_BYTES);
    assert_int_equal(record.mode, TAUD_PROGRESS_AGAIN);
    assert_true(record.from == -90 && record.to == -90);
    size = TAUD_RECORD_ROLLUP_PROGRESS_BYTES;
    for (uint8_t mode = 0; mode < 3; mode += 2) {
        bytes[1] = mode;
        assert_false(taud_record_decode(&data, &size, &record));
    }
}

// Chunks of 18 and more bytes, whose content does not matter here.
static void chunks_come_back(void **state)
{
    (void)state;
    static uint8_t bytes[16 + 3 * 16406 + 8];
    static const uint32_t sizes[][3] = {{18, 18, 18}, {19, 16402, 25}, {16402, 16402, 16402}};
    for (size_t k = 0; k < 3; k++) {
        memset(bytes, 0, sizeof bytes);
        taud_record_header(bytes, TAUD_RECORD_CHUNKS, k % 2, 3);
        taud_store_u64(bytes + 8, 5);
        size_t size = TAUD_RECORD_CHUNKS_HEADER_BYTES;
        for (size_t i = 0; i < 3; i++) {
            taud_store_u32(bytes + size, sizes[k][i]);
            memset(bytes + size + 4, (int)i + 1, sizes[k][i]);
            size += 4 + sizes[k][i];
        }
        size_t whole = taud_record_chunks_bytes(size - TAUD_RECORD_CHUNKS_HEADER_BYTES);
        assert_true(whole % 8 == 0 && whole >= size && whole < size + 8);
        if (k < 2)
            refused_when_cut(bytes, whole);
        struct taud_record record = decoded(bytes, whole);
        assert_int_equal(record.mode, k % 2);
        assert_int_equal(record.identity, 5);
        const uint8_t *at = record.chunks;
        for (size_t i = 0; i < 3; i++) {
            size_t chunk_size;
            const uint8_t *chunk = taud_record_next_chunk(&at, &chunk_size);
            assert_int_equal(chunk_size, sizes[k][i]);
            assert_true(chunk[0] == i + 1 && chunk[chunk_size - 1] == i + 1);
        }
        assert_ptr_equal(at, bytes + size);
        for (size_t pad = size; pad < whole; pad++) { // zeros are a part of the form
            bytes[pad] = 1;
            const uint8_t *data = bytes;
            size_t left = whole;
            assert_false(taud_record_decode(&data, &left, &record));
            bytes[pad] = 0;
        }
    }
}

static void chunks_of_no_possible_size_are_refused(void **state)
{
    (void)state;
    static uint8_t bytes[40000];
    static const uint32_t sizes[] = {0, 17, 16403, UINT32_MAX, UINT32_MAX - 3, 39981};
    struct taud_record record;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        memset(bytes, 0, sizeof bytes);
        taud_record_header(bytes, TAUD_RECORD_CHUNKS, 0, 1);
        taud_store_u32(bytes + 16, sizes[i]);
        const uint8_t *data = bytes;
        size_t size = sizeof bytes;
        assert_false(taud_record_decode(&data, &size, &record));
    }
    taud_store_u32(bytes + 16, 20);
    const uint8_t *data = bytes;
    size_t size = 40;
    assert_true(taud_record_decode(&data, &size, &record));
    for (uint32_t count = 0; count < 3; count += 2) { // none, and one more than there are
        taud_record_header(bytes, TAUD_RECORD_CHUNKS, 0, count);
        data = bytes;
        size = 40;
        assert_false(taud_record_decode(&data, &size, &record));
    }
    taud_record_header(bytes, TAUD_RECORD_CHUNKS, 0, UINT32_MAX);
    size = sizeof bytes;
    assert_false(taud_record_decode(&data, &size, &record));
    taud_record_header(bytes, TAUD_RECORD_CHUNKS, 2, 1);
    size = 40;
    assert_false(taud_record_decode(&data, &size, &record));
}

static void one_is_taken_behind_the_other(void **state)
{
    (void)state;
    uint8_t bytes[TAUD_RECORD_DROP_SERIES_BYTES + TAUD_RECORD_DROP_LENS_BYTES + 8] = {0};
    taud_record_header(bytes, TAUD_RECORD_DROP_SERIES, 0, 0);
    taud_record_header(bytes + TAUD_RECORD_DROP_SERIES_BYTES, TAUD_RECORD_DROP_LENS, 0, 0);
    const uint8_t *data = bytes;
    size_t size = sizeof bytes;
    struct taud_record record;
    assert_true(taud_record_decode(&data, &size, &record));
    assert_ptr_equal(data, bytes + TAUD_RECORD_DROP_SERIES_BYTES);
    assert_true(taud_record_decode(&data, &size, &record));
    assert_int_equal(record.type, TAUD_RECORD_DROP_LENS);
    assert_int_equal(size, 8);
    assert_false(taud_record_decode(&data, &size, &record));
    assert_int_equal(size, 8);
}

static void the_fixed_ones_come_back(void **state)
{
    (void)state;
    static const struct {
        enum taud_record_type type;
        size_t size;
        uint32_t count;
    } kinds[] = {
        {TAUD_RECORD_CREATE_SERIES, TAUD_RECORD_CREATE_SERIES_BYTES, 0},
        {TAUD_RECORD_DROP_SERIES, TAUD_RECORD_DROP_SERIES_BYTES, 0},
        {TAUD_RECORD_CREATE_LENS, TAUD_RECORD_CREATE_LENS_BYTES, 16},
        {TAUD_RECORD_DROP_LENS, TAUD_RECORD_DROP_LENS_BYTES, 0},
    };
    for (size_t i = 0; i < 4; i++) {
        uint8_t bytes[128] = {0};
        taud_record_header(bytes, kinds[i].type, 0, kinds[i].count);
        refused_when_cut(bytes, kinds[i].size);
        taud_record_header(bytes, kinds[i].type, 0, 17);
        const uint8_t *data = bytes;
        size_t size = sizeof bytes;
        struct taud_record record;
        assert_false(taud_record_decode(&data, &size, &record));
    }
}

static void nonsense_is_refused(void **state)
{
    (void)state;
    static const uint8_t headers[][8] = {
        {0}, {11}, {255}, {1, 1, 0, 0, 1}, {1, 0, 1, 0, 1}, {1, 0, 0, 0, 0},
        {2, 2, 0, 0, 1}, {2, 0, 0, 0, 0}, {1, 0, 0, 0, 255, 255, 255, 255},
        {2, 1, 0, 0, 255, 255, 255, 255}, {1, 0, 0, 1, 1}, {3, 1}, {4, 1}, {6, 1},
        {5, 0, 0, 0, 0}, {5, 1, 0, 0, 1}, {5, 0, 0, 1, 1}, {4, 0, 1}, {6, 0, 0, 128},
        {7, 0, 0, 0, 1}, {8, 1}, {8, 0, 0, 0, 1}, {9, 7}, {9, 0, 0, 0, 1}, {9, 0, 1},
        {10, 1}, {10, 0, 0, 0, 1},
    };
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        uint8_t bytes[512] = {0};
        memcpy(bytes, headers[i], 8);
        const uint8_t *data = bytes;
        size_t size = sizeof bytes;
        struct taud_record record;
        assert_false(taud_record_decode(&data, &size, &record));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(points_come_back),
        cmocka_unit_test(columns_come_back),
        cmocka_unit_test(series_come_back),
        cmocka_unit_test(lenses_come_back),
        cmocka_unit_test(deletes_and_policies_come_back),
        cmocka_unit_test(rollups_come_back),
        cmocka_unit_test(chunks_come_back),
        cmocka_unit_test(chunks_of_no_possible_size_are_refused),
        cmocka_unit_test(one_is_taken_behind_the_other),
        cmocka_unit_test(the_fixed_ones_come_back),
        cmocka_unit_test(nonsense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
