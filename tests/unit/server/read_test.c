// SPDX-License-Identifier: MIT
// The handlers that read points: what was found and what was not, ranges in batches, and memory
// that ends in the middle of a range.
#include "service_rig.h"

enum { BATCH = TAU_LIMIT_RANGE_BATCH_POINTS };

static void finds_exactly_the_timestamp(void **state)
{
    struct service_rig *s = *state;
    create_series(s, "a");
    append_points(s, "a", 10, 3);
    struct tau_query_point_request requests[] = {
        {label_of("a"), 12}, {label_of("none"), 12}, {label_of("a"), 13}, {label_of("a"), 10}};
    struct tau_query_point_response responses[4] = {{.has_value = false}};
    enum tau_status statuses[4];
    taud_handle_query_point(next_request(s), requests, 4, responses, statuses);
    assert_int_equal(statuses[0], TAU_STATUS_SUCCESS);
    assert_true(responses[0].has_value && responses[0].value == 12);
    assert_int_equal(statuses[1], TAU_STATUS_SERIES_NOT_FOUND);
    assert_int_equal(statuses[2], TAU_STATUS_SUCCESS);
    assert_false(responses[2].has_value);
    assert_int_equal(statuses[3], TAU_STATUS_SUCCESS);
    assert_true(responses[3].has_value && responses[3].value == 10);
    assert_int_equal(s->context.log_position, 0);
}

static void finds_the_latest(void **state)
{
    struct service_rig *s = *state;
    struct tau_query_latest_request request = {label_of("a")};
    struct tau_query_latest_response response;
    assert_int_equal(taud_handle_query_latest(next_request(s), &request, &response),
                     TAU_STATUS_SERIES_NOT_FOUND);
    create_series(s, "a");
    assert_int_equal(taud_handle_query_latest(next_request(s), &request, &response),
                     TAU_STATUS_SUCCESS);
    assert_false(response.has_point);
    append_points(s, "a", -9, 4);
    assert_int_equal(taud_handle_query_latest(next_request(s), &request, &response),
                     TAU_STATUS_SUCCESS);
    assert_true(response.has_point);
    assert_int_equal(response.point.timestamp, -6);
    assert_true(response.point.value == -6);
}

// --- QUERY_RANGE -------------------------------------------------------------------------------

static void *open_range(struct service_rig *s, const struct tau_query_range_request *request)
{
    void *stream = NULL;
    assert_int_equal(taud_open_query_range(next_request(s), request, &stream), TAU_STATUS_SUCCESS);
    assert_non_null(stream);
    return stream;
}

// Takes one batch, which must hold `count` points from `first` on, `step` apart.
static void expect_batch(struct service_rig *s, void *stream, int64_t first, int64_t step,
                         size_t count, bool end)
{
    struct tau_query_range_response batch;
    bool ret_end = !end;
    assert_int_equal(taud_next_query_range(next_request(s), stream, &batch, &ret_end),
                     TAU_STATUS_SUCCESS);
    assert_int_equal(batch.count, count);
    assert_int_equal(batch.timestamps.count, count);
    assert_int_equal(batch.values.count, count);
    assert_int_equal(ret_end, end);
    for (size_t index = 0; index < count; index++) {
        int64_t expected = first + step * (int64_t)index;
        assert_int_equal(tau_i64_at(batch.timestamps, index), expected);
        assert_true(tau_f64_at(batch.values, index) == (double)expected);
    }
}

static void reads_what_the_request_says(void **state)
{
    struct service_rig *s = *state;
    create_series(s, "a");
    append_points(s, "a", 0, 100);
    struct tau_query_range_request request = {.label = label_of("a"), .from = 20, .to = 29};
    void *stream = open_range(s, &request);
    expect_batch(s, stream, 20, 1, 10, true);
    taud_close_query_range(stream);
    request.direction = TAU_DIRECTION_BACKWARD;
    request.limit = 4;
    stream = open_range(s, &request);
    expect_batch(s, stream, 29, -1, 4, true);
    taud_close_query_range(stream);
    request = (struct tau_query_range_request){.label = label_of("a"), .from = 30, .to = 29};
    stream = open_range(s, &request);
    expect_batch(s, stream, 0, 1, 0, true);
    taud_close_query_range(stream);
}

static void reads_in_batches_that_fit_a_frame(void **state)
{
    struct service_rig *s = *state;
    create_series(s, "a");
    append_points(s, "a", 0, 2 * BATCH + 1);
    struct tau_query_range_request request = {
        .label = label_of("a"), .from = INT64_MIN, .to = BATCH - 1};
    void *stream = open_range(s, &request);
    expect_batch(s, stream, 0, 1, BATCH, true); // full, and the last
    taud_close_query_range(stream);
    request.to = INT64_MAX;
    stream = open_range(s, &request);
    expect_batch(s, stream, 0, 1, BATCH, false);
    expect_batch(s, stream, BATCH, 1, BATCH, false);
    expect_batch(s, stream, 2 * BATCH, 1, 1, true);
    taud_close_query_range(stream);
}

static void shows_the_series_as_it_was(void **state)
{
    struct service_rig *s = *state;
    create_series(s, "a");
    append_points(s, "a", 0, BATCH + 5);
    struct tau_query_range_request request = {
        .label = label_of("a"), .from = INT64_MIN, .to = INT64_MAX};
    void *stream = open_range(s, &request);
    expect_batch(s, stream, 0, 1, BATCH, false);
    append_points(s, "a", BATCH + 5, 10);
    struct tau_drop_series_request drop = {label_of("a")};
    assert_int_equal(taud_handle_drop_series(next_request(s), &drop), TAU_STATUS_SUCCESS);
    expect_batch(s, stream, BATCH, 1, 5, true);
    taud_close_query_range(stream);
}

static void opens_no_range_that_cannot_be(void **state)
{
    struct service_rig *s = *state;
    struct tau_query_range_request request = {.label = label_of("none"), .to = 1};
    void *stream = &request;
    assert_int_equal(taud_open_query_range(next_request(s), &request, &stream),
                     TAU_STATUS_SERIES_NOT_FOUND);
    create_series(s, "a");
    append_points(s, "a", 0, 1);
    request.label = label_of("a");
    struct taud_context *context = next_request(s);
    memory_fault_after(0);
    enum tau_status status = taud_open_query_range(context, &request, &stream);
    assert_true(memory_fault_end());
    assert_int_equal(status, TAU_STATUS_NO_MEMORY);
    assert_ptr_equal(stream, &request); // untouched by both: there is nothing to close
}

static void loses_no_point_when_memory_ends_between_batches(void **state)
{
    struct service_rig *s = *state;
    create_series(s, "a");
    append_points(s, "a", 0, BATCH + 5);
    struct tau_query_range_request request = {
        .label = label_of("a"), .from = INT64_MIN, .to = INT64_MAX};
    void *stream = open_range(s, &request);
    expect_batch(s, stream, 0, 1, BATCH, false);
    for (size_t column = 0; column < 2; column++) {
        struct tau_query_range_response batch;
        bool end;
        struct taud_context *context = next_request(s);
        memory_fault_after(column);
        enum tau_status status = taud_next_query_range(context, stream, &batch, &end);
        assert_true(memory_fault_end());
        assert_int_equal(status, TAU_STATUS_INTERNAL_ERROR);
    }
    expect_batch(s, stream, BATCH, 1, 5, true);
    taud_close_query_range(stream);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVICE_CASE(finds_exactly_the_timestamp),
        SERVICE_CASE(finds_the_latest),
        SERVICE_CASE(reads_what_the_request_says),
        SERVICE_CASE(reads_in_batches_that_fit_a_frame),
        SERVICE_CASE(shows_the_series_as_it_was),
        SERVICE_CASE(opens_no_range_that_cannot_be),
        SERVICE_CASE(loses_no_point_when_memory_ends_between_batches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
