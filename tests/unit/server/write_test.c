// SPDX-License-Identifier: MIT
// The handlers that store points: each row judged by itself, what both batch operations answer, the
// place in the log, and memory that ends.
#include "service_rig.h"

// A refused row as a test writes it down.
struct refused {
    uint32_t row;
    enum tau_status status;
};

static void expect_refused(struct tau_array rows, const struct refused *expected, size_t count)
{
    assert_int_equal(rows.count, count);
    assert_false(rows.wire_order);
    for (size_t index = 0; index < count; index++) {
        struct tau_refused_row row = tau_refused_row_at(rows, index);
        assert_int_equal(row.row, expected[index].row);
        assert_int_equal(row.status, expected[index].status);
    }
}

static uint64_t point_count(struct service_rig *s, const char *label)
{
    struct tau_describe_series_request request = {label_of(label)};
    struct tau_describe_series_response response;
    assert_int_equal(taud_handle_describe_series(next_request(s), &request, &response),
                     TAU_STATUS_SUCCESS);
    return response.point_count;
}

// --- APPEND --------------------------------------------------------------------------------------

static void judges_each_request_of_a_run(void **state)
{
    struct service_rig *s = *state;
    create_series(s, "a");
    create_series(s, "b");
    struct tau_append_request requests[] = {
        {label_of("a"), 10, 1.0}, {label_of("a"), 10, 2.0},        {label_of("none"), 11, 1.0},
        {label_of("b"), 5, 1.0},  {label_of("a"), INT64_MAX, 3.0}, {label_of("b"), INT64_MIN, 1.0},
    };
    const enum tau_status expected[] = {
        TAU_STATUS_SUCCESS, TAU_STATUS_OUT_OF_ORDER, TAU_STATUS_SERIES_NOT_FOUND,
        TAU_STATUS_SUCCESS, TAU_STATUS_SUCCESS,      TAU_STATUS_OUT_OF_ORDER,
    };
    enum tau_status statuses[6];
    taud_handle_append(next_request(s), requests, 6, statuses);
    assert_memory_equal(statuses, expected, sizeof expected);
    assert_true(s->context.log_position > 0);
    assert_int_equal(point_count(s, "a"), 2);
    assert_int_equal(point_count(s, "b"), 1);
    taud_handle_append(next_request(s), requests + 1, 2, statuses);
    assert_int_equal(statuses[0], TAU_STATUS_OUT_OF_ORDER);
    assert_int_equal(statuses[1], TAU_STATUS_SERIES_NOT_FOUND);
    assert_int_equal(s->context.log_position, 0); // nothing was written
}

// --- BATCH_APPEND --------------------------------------------------------------------------------

static enum tau_status append_columns(struct service_rig *s, const char *label,
                                      const int64_t *timestamps, size_t count,
                                      struct tau_batch_append_response *ret_response)
{
    static const double values[8] = {0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5};
    assert_true(count <= 8);
    struct tau_batch_append_request request = {
        .label = label_of(label),
        .count = (uint32_t)count,
        .timestamps = {.data = timestamps, .count = count},
        .values = {.data = values, .count = count},
    };
    return taud_handle_batch_append(next_request(s), &request, ret_response);
}

static void names_the_refused_rows_of_a_column(void **state)
{
    struct service_rig *s = *state;
    create_series(s, "a");
    const int64_t timestamps[] = {5, 5, 7, 6, 8};
    const struct refused expected[] = {{1, TAU_STATUS_OUT_OF_ORDER}, {3, TAU_STATUS_OUT_OF_ORDER}};
    struct tau_batch_append_response response;
    assert_int_equal(append_columns(s, "a", timestamps, 5, &response), TAU_STATUS_SUCCESS);
    assert_int_equal(response.accepted, 3);
    assert_int_equal(response.refused_count, 2);
    expect_refused(response.refused, expected, 2);
    assert_true(s->context.log_position > 0);
    assert_int_equal(point_count(s, "a"), 3);
    struct tau_query_point_request where = {label_of("a"), 8};
    struct tau_query_point_response found;
    enum tau_status status;
    taud_handle_query_point(next_request(s), &where, 1, &found, &status);
    assert_true(found.has_value && found.value == 4.5); // the value of its own row
}

static void answers_for_columns_at_both_ends(void **state)
{
    struct service_rig *s = *state;
    create_series(s, "a");
    const int64_t timestamps[] = {1, 2};
    struct tau_batch_append_response response;
    assert_int_equal(append_columns(s, "a", timestamps, 0, &response), TAU_STATUS_SUCCESS);
    assert_int_equal(response.accepted, 0);
    assert_int_equal(response.refused_count, 0);
    assert_int_equal(append_columns(s, "a", timestamps, 2, &response), TAU_STATUS_SUCCESS);
    assert_int_equal(response.accepted, 2);
    expect_refused(response.refused, NULL, 0);
    const struct refused all[] = {{0, TAU_STATUS_OUT_OF_ORDER}, {1, TAU_STATUS_OUT_OF_ORDER}};
    assert_int_equal(append_columns(s, "a", timestamps, 2, &response), TAU_STATUS_SUCCESS);
    assert_int_equal(response.accepted, 0);
    expect_refused(response.refused, all, 2);
    assert_int_equal(s->context.log_position, 0);
}

static void refuses_columns_as_a_whole(void **state)
{
    struct service_rig *s = *state;
    const int64_t timestamps[] = {1, 2};
    struct tau_batch_append_response response = {.accepted = 77};
    assert_int_equal(append_columns(s, "none", timestamps, 2, &response),
                     TAU_STATUS_SERIES_NOT_FOUND);
    create_series(s, "a");
    struct tau_batch_append_request uneven = {.label = label_of("a"), .count = 2};
    uneven.timestamps = (struct tau_array){.data = timestamps, .count = 2};
    uneven.values = (struct tau_array){.data = timestamps, .count = 1};
    assert_int_equal(taud_handle_batch_append(next_request(s), &uneven, &response),
                     TAU_STATUS_INVALID_PAYLOAD);
    assert_int_equal(response.accepted, 77); // untouched
    assert_int_equal(s->context.log_position, 0);
    assert_int_equal(point_count(s, "a"), 0);
}

// --- MULTI_APPEND --------------------------------------------------------------------------------

static enum tau_status append_rows(struct service_rig *s, const struct tau_row *rows, size_t count,
                                   struct tau_multi_append_response *ret_response)
{
    struct tau_multi_append_request request = {.count = (uint32_t)count,
                                               .rows = {.data = rows, .count = count}};
    return taud_handle_multi_append(next_request(s), &request, ret_response);
}

static void names_the_refused_rows_of_many_series(void **state)
{
    struct service_rig *s = *state;
    create_series(s, "a");
    create_series(s, "b");
    const struct tau_row rows[] = {
        {label_of("none"), 1, 1.0}, {label_of("b"), 4, 1.0}, {label_of("a"), 3, 1.0},
        {label_of("b"), 4, 2.0},    {label_of("a"), 9, 1.0},
    };
    const struct refused expected[] = {{0, TAU_STATUS_SERIES_NOT_FOUND},
                                       {3, TAU_STATUS_OUT_OF_ORDER}};
    struct tau_multi_append_response response;
    assert_int_equal(append_rows(s, rows, 5, &response), TAU_STATUS_SUCCESS);
    assert_int_equal(response.accepted, 3);
    assert_int_equal(response.refused_count, 2);
    expect_refused(response.refused, expected, 2);
    assert_true(s->context.log_position > 0);
    assert_int_equal(point_count(s, "a"), 2);
    assert_int_equal(point_count(s, "b"), 1);
    assert_int_equal(append_rows(s, rows, 0, &response), TAU_STATUS_SUCCESS);
    assert_int_equal(response.accepted + response.refused_count, 0);
}

static void refuses_more_rows_than_the_limit(void **state)
{
    struct service_rig *s = *state;
    create_series(s, "a");
    struct tau_row *rows = calloc(TAU_LIMIT_MULTI_ROWS + 1, sizeof *rows);
    for (int64_t index = 0; index <= TAU_LIMIT_MULTI_ROWS; index++)
        rows[index] = (struct tau_row){label_of("a"), index, 0.0};
    struct tau_multi_append_response response = {.accepted = 77};
    assert_int_equal(append_rows(s, rows, TAU_LIMIT_MULTI_ROWS + 1, &response),
                     TAU_STATUS_INVALID_PAYLOAD);
    assert_int_equal(response.accepted, 77);
    assert_int_equal(append_rows(s, rows, TAU_LIMIT_MULTI_ROWS, &response), TAU_STATUS_SUCCESS);
    assert_int_equal(response.accepted, TAU_LIMIT_MULTI_ROWS);
    assert_int_equal(append_rows(s, rows, TAU_LIMIT_MULTI_ROWS, &response), TAU_STATUS_SUCCESS);
    assert_int_equal(response.accepted, 0);
    assert_int_equal(response.refused.count, TAU_LIMIT_MULTI_ROWS); // there was room for all
    struct tau_refused_row last = tau_refused_row_at(response.refused, TAU_LIMIT_MULTI_ROWS - 1);
    assert_int_equal(last.row, TAU_LIMIT_MULTI_ROWS - 1);
    free(rows);
}

// --- without memory ------------------------------------------------------------------------------

// Where the refused rows could not be named, nothing may be stored: the client could not know what.
static void stores_nothing_without_memory_for_the_answer(void **state)
{
    struct service_rig *s = *state;
    create_series(s, "a");
    const int64_t timestamp = 1;
    const struct tau_row row = {label_of("a"), 1, 1.0};
    struct tau_batch_append_response batch;
    struct tau_multi_append_response multi;
    memory_fault_after(0);
    enum tau_status status = append_columns(s, "a", &timestamp, 1, &batch);
    assert_true(memory_fault_end());
    assert_int_equal(status, TAU_STATUS_INTERNAL_ERROR);
    memory_fault_after(0);
    status = append_rows(s, &row, 1, &multi);
    assert_true(memory_fault_end());
    assert_int_equal(status, TAU_STATUS_INTERNAL_ERROR);
    assert_int_equal(s->context.log_position, 0);
    assert_int_equal(point_count(s, "a"), 0);
}

static void deletes_a_range(void **state)
{
    struct service_rig *s = *state;
    struct tau_decode_error detail = {.field = TAU_FIELD_NONE};
    create_series(s, "a");
    append_points(s, "a", 0, 100);
    struct tau_delete_range_request request = {label_of("a"), 10, 19};
    struct taud_context *context = next_request(s);
    assert_int_equal(taud_handle_delete_range(context, &request), TAU_STATUS_SUCCESS);
    assert_true(context->log_position > 0);
    assert_int_equal(point_count(s, "a"), 90);
    context = next_request(s);
    context->detail = &detail;
    request.to = 9;
    assert_int_equal(taud_handle_delete_range(context, &request), TAU_STATUS_INVALID_PAYLOAD);
    assert_int_equal(detail.field, TAUD_FIELD_DELETE_RANGE_TO.number);
    context->detail = NULL;
    request = (struct tau_delete_range_request){label_of("none"), 0, 1};
    assert_int_equal(taud_handle_delete_range(next_request(s), &request),
                     TAU_STATUS_SERIES_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVICE_CASE(judges_each_request_of_a_run),
        SERVICE_CASE(names_the_refused_rows_of_a_column),
        SERVICE_CASE(answers_for_columns_at_both_ends),
        SERVICE_CASE(refuses_columns_as_a_whole),
        SERVICE_CASE(names_the_refused_rows_of_many_series),
        SERVICE_CASE(refuses_more_rows_than_the_limit),
        SERVICE_CASE(deletes_a_range),
        SERVICE_CASE(stores_nothing_without_memory_for_the_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
