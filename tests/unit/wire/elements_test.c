/* SPDX-License-Identifier: MIT
 *
 * Tests of the generated accessors of arrays: both orders give the same elements, from any element
 * on, and encoders take both.
 */
#include "check.h"
#include "tau_codec.h"

enum { COUNT = 5 };

static void make_rows(struct tau_row *rows)
{
    memset(rows, 0, COUNT * sizeof *rows);
    for (size_t i = 0; i < COUNT; i++) {
        rows[i].label.bytes[0] = (uint8_t)('a' + i);
        rows[i].timestamp = -3 + (int64_t)i;
        rows[i].value = 0.5 * (double)i;
    }
}

static void assert_row(struct tau_row row, const struct tau_row *wanted)
{
    assert_memory_equal(row.label.bytes, wanted->label.bytes, sizeof row.label.bytes);
    assert_true(row.timestamp == wanted->timestamp);
    assert_memory_equal(&row.value, &wanted->value, sizeof row.value);
}

static void test_rows(void **state)
{
    (void)state;
    struct tau_row rows[COUNT], copied[COUNT];
    uint8_t wire[COUNT * 48];
    make_rows(rows);
    struct tau_array native = {rows, COUNT, false};
    assert_ptr_equal(tau_row_put(wire, &native), wire + sizeof wire);
    struct tau_array received = {wire, COUNT, true};

    for (size_t i = 0; i < COUNT; i++) {
        assert_row(tau_row_at(native, i), &rows[i]);
        assert_row(tau_row_at(received, i), &rows[i]);
    }
    tau_row_copy(received, 2, 3, copied);
    for (size_t i = 0; i < 3; i++)
        assert_row(copied[i], &rows[2 + i]);
    tau_row_copy(native, 1, 4, copied);
    assert_row(copied[3], &rows[4]);

    uint8_t again[sizeof wire];
    tau_row_put(again, &received);
    assert_memory_equal(again, wire, sizeof wire);
}

static void test_numbers(void **state)
{
    (void)state;
    const int64_t times[COUNT] = {INT64_MIN, -1, 0, 1, INT64_MAX};
    int64_t copied[COUNT];
    uint8_t wire[COUNT * 8];
    struct tau_array native = {times, COUNT, false};
    tau_i64_put(wire, &native);
    struct tau_array received = {wire, COUNT, true};
    for (size_t i = 0; i < COUNT; i++)
        assert_true(tau_i64_at(received, i) == tau_i64_at(native, i));
    tau_i64_copy(received, 0, COUNT, copied);
    assert_memory_equal(copied, times, sizeof times);
    tau_i64_copy(native, 3, 2, copied);
    assert_true(copied[0] == 1 && copied[1] == INT64_MAX);
}

static void test_labels(void **state)
{
    (void)state;
    struct tau_label labels[2] = {{{'x'}}, {{'y'}}}, copied[2];
    struct tau_array array = {labels, 2, true};
    assert_int_equal(tau_label_at(array, 1).bytes[0], 'y');
    tau_label_copy(array, 1, 1, copied);
    assert_int_equal(copied[0].bytes[0], 'y');
}

static void test_empty_arrays(void **state)
{
    (void)state;
    uint8_t room[1];
    struct tau_array none = {NULL, 0, false}, received = {NULL, 0, true};
    assert_ptr_equal(tau_row_put(room, &none), room);
    assert_ptr_equal(tau_label_put(room, &none), room);
    assert_ptr_equal(tau_f64_put(room, &received), room);
    tau_f64_copy(received, 0, 0, NULL);
    tau_label_copy(none, 0, 0, NULL);
}

static void test_columns_of_other_lengths_are_refused(void **state)
{
    (void)state;
    const int64_t times[2] = {1, 2};
    const double values[2] = {1, 2};
    uint8_t room[256];
    struct tau_writer out = tau_writer_over(room, sizeof room);
    struct tau_batch_append_request request = {
        .timestamps = {times, 2, false},
        .values = {values, 1, false},
    };
    assert_false(tau_batch_append_request_encode(&request, &out));
    assert_int_equal(out.size, 0);
    request.values.count = 2;
    assert_true(tau_batch_append_request_encode(&request, &out));
    assert_int_equal(out.size, 32 + 4 + 2 * 16);
    request.timestamps.count = request.values.count = TAU_LIMIT_BATCH_POINTS + 1;
    assert_false(tau_batch_append_request_encode(&request, &out));
}

static void test_illegal_values_are_refused(void **state)
{
    (void)state;
    uint8_t room[256];
    struct tau_writer out = tau_writer_over(room, sizeof room);
    struct tau_query_range_request range = {.direction = (enum tau_direction)7};
    assert_false(tau_query_range_request_encode(&range, &out));
    struct tau_list_series_request list = {.limit = 0};
    assert_false(tau_list_series_request_encode(&list, &out));
    struct tau_err error = {.status = TAU_STATUS_TIMEOUT};
    assert_false(tau_err_encode(&error, &out));
    error.status = TAU_STATUS_OUT_OF_ORDER;
    error.has_detailed_errors = true;
    error.text = (struct tau_slice){(const uint8_t *)"\xff", 1};
    assert_false(tau_err_encode(&error, &out));
    assert_int_equal(out.size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_labels),
        cmocka_unit_test(test_empty_arrays),
        cmocka_unit_test(test_columns_of_other_lengths_are_refused),
        cmocka_unit_test(test_illegal_values_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
