// SPDX-License-Identifier: MIT
// Records of the log: each kind comes back, cut at every byte it is refused, and so is what no server
// of this version writes.
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
        const uint8_t *data = bytes;
        struct taud_record record;
        assert_true(taud_record_decode(&data, &size, &record));
        assert_int_equal(record.identity, 9);
        assert_int_equal(record.values - record.timestamps, mode ? 16 : 24);
    }
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
        {0}, {7}, {255}, {1, 1, 0, 0, 1}, {1, 0, 1, 0, 1}, {1, 0, 0, 0, 0},
        {2, 2, 0, 0, 1}, {2, 0, 0, 0, 0}, {1, 0, 0, 0, 255, 255, 255, 255},
        {2, 1, 0, 0, 255, 255, 255, 255}, {3, 1},
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
        cmocka_unit_test(the_fixed_ones_come_back),
        cmocka_unit_test(nonsense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
