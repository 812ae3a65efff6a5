// SPDX-License-Identifier: MIT
// The handlers that ask many series: what they tell of a request that is wrong, batches as the
// engine gives them, the alarm that rings when a batch is there, and memory that ends.
#include "service_rig.h"

#include <math.h>
#include <poll.h>

#include "transport/alarm.h"
#include "transport/session.h"

// A service rig with a mailbox and a session for alarms.
struct asker {
    struct service_rig *s;
    struct taud_session session;
    _Atomic int wakes;
};

static void count_wake(void *user_data)
{
    atomic_fetch_add((_Atomic int *)user_data, 1);
}

static int setup(void **state)
{
    struct asker *a = calloc(1, sizeof *a);
    service_setup((void **)&a->s);
    a->session.identity = 7;
    a->s->context.session = &a->session;
    a->s->context.identity = 7;
    a->s->context.mailbox = taud_mailbox_new(count_wake, &a->wakes);
    assert_non_null(a->s->context.mailbox);
    *state = a;
    return 0;
}

static int teardown(void **state)
{
    struct asker *a = *state;
    struct taud_message *message = taud_mailbox_close(a->s->context.mailbox);
    for (struct taud_message *next; message != NULL; message = next) {
        next = message->next;
        taud_alarm_drop((struct taud_alarm *)message);
    }
    taud_mailbox_release(a->s->context.mailbox);
    void *rig = a->s;
    service_teardown(&rig);
    free(a);
    return 0;
}

// Waits until the stream's alarm rang.
static void await(struct asker *a)
{
    for (int look = 0; look < 10000; look++) {
        struct taud_message *message = taud_mailbox_collect(a->s->context.mailbox);
        if (message != NULL) {
            assert_null(message->next);
            assert_ptr_equal(taud_alarm_answer((struct taud_alarm *)message), &a->session);
            return;
        }
        poll(NULL, 0, 1);
    }
    fail_msg("the alarm does not ring");
}

#define NEXT(a, name, stream, batch, end)                                                          \
    do {                                                                                           \
        enum tau_status status_;                                                                   \
        while ((status_ = taud_next_##name(next_request((a)->s), stream, batch, end)) ==           \
               TAUD_PENDING)                                                                       \
            await(a);                                                                              \
        assert_int_equal(status_, TAU_STATUS_SUCCESS);                                             \
    } while (0)

static const struct tau_aggregate_column columns[] = {{TAU_AGGREGATE_FUNCTION_SUM, 0},
                                                      {TAU_AGGREGATE_FUNCTION_COUNT, 0}};

static struct tau_aggregate_request sums(const char *prefix)
{
    return (struct tau_aggregate_request){
        .from = INT64_MIN,
        .to = INT64_MAX,
        .width = 10,
        .functions = {.data = columns, .count = 2},
        .prefix = {.data = (const uint8_t *)prefix, .size = strlen(prefix)},
    };
}

static void tells_rows_of_buckets(void **state)
{
    struct asker *a = *state;
    create_series(a->s, "a.1");
    create_series(a->s, "a.2");
    append_points(a->s, "a.1", 0, 20);
    append_points(a->s, "a.2", 5, 5);
    struct tau_aggregate_request request = sums("a.");
    void *stream = NULL;
    assert_int_equal(taud_open_aggregate(next_request(a->s), &request, &stream),
                     TAU_STATUS_SUCCESS);
    struct tau_aggregate_response batch;
    bool end = false;
    NEXT(a, aggregate, stream, &batch, &end);
    assert_false(end);
    assert_int_equal(batch.group, 0);
    assert_memory_equal(batch.label.bytes, label_of("a.1").bytes, 32);
    assert_int_equal(batch.row_count, 2);
    assert_int_equal(batch.value_count, 4);
    assert_true(tau_i64_at(batch.starts, 0) == 0 && tau_i64_at(batch.starts, 1) == 10);
    assert_true(tau_f64_at(batch.values, 0) == 45 && tau_f64_at(batch.values, 1) == 145);
    assert_true(tau_f64_at(batch.values, 2) == 10 && tau_f64_at(batch.values, 3) == 10);
    NEXT(a, aggregate, stream, &batch, &end);
    assert_int_equal(batch.group, 1);
    assert_int_equal(batch.row_count, 1);
    assert_true(tau_f64_at(batch.values, 0) == 35 && tau_f64_at(batch.values, 1) == 5);
    if (!end)
        NEXT(a, aggregate, stream, &batch, &end);
    assert_true(end);
    taud_close_aggregate(stream);
}

static void tells_points_between_bounds(void **state)
{
    struct asker *a = *state;
    create_series(a->s, "a");
    append_points(a->s, "a", 0, 100);
    struct tau_multi_range_request request = {
        .from = 0, .to = 50, .low = 40, .high = INFINITY, .limit = 3};
    void *stream = NULL;
    assert_int_equal(taud_open_multi_range(next_request(a->s), &request, &stream),
                     TAU_STATUS_SUCCESS);
    struct tau_multi_range_response batch;
    bool end = false;
    NEXT(a, multi_range, stream, &batch, &end);
    assert_int_equal(batch.count, 3);
    for (size_t index = 0; index < 3; index++) {
        assert_int_equal(tau_i64_at(batch.timestamps, index), 40 + index);
        assert_true(tau_f64_at(batch.values, index) == 40 + (double)index);
    }
    if (!end)
        NEXT(a, multi_range, stream, &batch, &end);
    assert_true(end);
    taud_close_multi_range(stream);
}

static void tells_points_where_another_is_between_bounds(void **state)
{
    struct asker *a = *state;
    create_series(a->s, "a");
    create_series(a->s, "b");
    append_points(a->s, "a", 0, 100);
    append_points(a->s, "b", 41, 100);
    const struct tau_label labels[] = {label_of("a"), label_of("b")};
    struct tau_multi_range_where_request request = {
        .from = 0,
        .to = 50,
        .low = 40,
        .high = INFINITY,
        .limit = 3,
        .group_size = 2,
        .labels = {.data = labels, .count = 2},
    };
    void *stream = NULL;
    assert_int_equal(taud_open_multi_range_where(next_request(a->s), &request, &stream),
                     TAU_STATUS_SUCCESS);
    struct tau_multi_range_where_response batch;
    bool end = false;
    for (size_t series = 0; series < 2; series++) {
        NEXT(a, multi_range_where, stream, &batch, &end);
        assert_memory_equal(batch.label.bytes, labels[series].bytes, 32);
        assert_int_equal(batch.count, 3 - series);
        assert_int_equal(tau_i64_at(batch.timestamps, 0), 40 + series);
        assert_true(tau_f64_at(batch.values, 0) == 40 + (double)series);
    }
    if (!end)
        NEXT(a, multi_range_where, stream, &batch, &end);
    assert_true(end);
    taud_close_multi_range_where(stream);
}

static void tells_latest_points(void **state)
{
    struct asker *a = *state;
    create_series(a->s, "a");
    create_series(a->s, "b");
    append_points(a->s, "b", 0, 100);
    struct tau_multi_latest_request request = {.from = INT64_MIN, .to = 33};
    void *stream = NULL;
    assert_int_equal(taud_open_multi_latest(next_request(a->s), &request, &stream),
                     TAU_STATUS_SUCCESS);
    struct tau_multi_latest_response batch;
    bool end = false;
    NEXT(a, multi_latest, stream, &batch, &end);
    assert_int_equal(batch.count, 1);
    struct tau_row row = tau_row_at(batch.rows, 0);
    assert_true(row.timestamp == 33 && row.value == 33);
    assert_memory_equal(row.label.bytes, label_of("b").bytes, 32);
    if (!end)
        NEXT(a, multi_latest, stream, &batch, &end);
    assert_true(end);
    taud_close_multi_latest(stream);
}

// The rest goes to the threads of queries, with the same rows.
static void does_few_small_ones_at_once(void **state)
{
    struct asker *a = *state;
    create_series(a->s, "a");
    append_points(a->s, "a", 0, 20);
    struct tau_label label = label_of("a");
    struct tau_aggregate_request named = sums(""), large = sums("a");
    named.labels = (struct tau_array){.data = &label, .count = 1};
    named.from = large.from = 0;
    named.to = large.to = 19;
    a->s->context.small_left = 2;
    for (unsigned round = 0; round < 5; round++) {
        void *stream = NULL;
        struct tau_aggregate_response batch;
        bool end = false, is_large = round == 1;
        struct taud_context *context = next_request(a->s);
        assert_int_equal(taud_open_aggregate(context, is_large ? &large : &named, &stream),
                         TAU_STATUS_SUCCESS);
        assert_int_equal(context->small_left, round < 2 ? 1 : 0);
        if (round == 0 || round == 2)
            assert_int_equal(taud_next_aggregate(context, stream, &batch, &end),
                             TAU_STATUS_SUCCESS);
        else
            NEXT(a, aggregate, stream, &batch, &end);
        assert_int_equal(batch.row_count, 2);
        assert_true(tau_f64_at(batch.values, 0) == 45 && tau_f64_at(batch.values, 1) == 145);
        taud_close_aggregate(stream);
    }
}

// A client that has waited for a second gets a frame, with or without rows.
static void says_that_it_is_at_work(void **state)
{
    struct asker *a = *state;
    size_t empty = 0;
    create_series(a->s, "a");
    append_points(a->s, "a", 0, 50000);
    struct tau_aggregate_request request = sums("a");
    for (int round = 0; round < 20; round++) {
        void *stream = NULL;
        struct tau_aggregate_response batch = {0};
        bool end = false;
        struct taud_context *context = next_request(a->s);
        context->now_ms = 5000;
        assert_int_equal(taud_open_aggregate(context, &request, &stream), TAU_STATUS_SUCCESS);
        context->now_ms = 5999;
        context->again_ms = 0;
        enum tau_status status = taud_next_aggregate(context, stream, &batch, &end);
        if (status == TAUD_PENDING) {
            assert_int_equal(context->again_ms, 6000);
            context->now_ms = 6000;
            assert_int_equal(taud_next_aggregate(context, stream, &batch, &end),
                             TAU_STATUS_SUCCESS);
            assert_false(end && batch.row_count == 0);
            empty += batch.row_count == 0;
        }
        taud_close_aggregate(stream);
    }
    assert_true(empty > 0);
}

static void names_the_field_that_is_wrong(void **state)
{
    struct asker *a = *state;
    struct tau_decode_error detail = {.field = TAU_FIELD_NONE};
    void *stream = a;
    const struct tau_aggregate_column wrong = {TAU_AGGREGATE_FUNCTION_QUANTILE, 2};
    struct tau_aggregate_request request = sums("");
    request.functions = (struct tau_array){.data = &wrong, .count = 1};
    struct taud_context *context = next_request(a->s);
    context->detail = &detail;
    assert_int_equal(taud_open_aggregate(context, &request, &stream), TAU_STATUS_INVALID_PAYLOAD);
    assert_int_equal(detail.field, TAUD_FIELD_AGGREGATE_FUNCTIONS.number);
    struct tau_multi_range_request range = {.low = NAN, .high = 1};
    assert_int_equal(taud_open_multi_range(context, &range, &stream), TAU_STATUS_INVALID_PAYLOAD);
    assert_int_equal(detail.field, TAUD_FIELD_MULTI_RANGE_LOW.number);
    range = (struct tau_multi_range_request){.low = 1, .high = NAN};
    assert_int_equal(taud_open_multi_range(context, &range, &stream), TAU_STATUS_INVALID_PAYLOAD);
    assert_int_equal(detail.field, TAUD_FIELD_MULTI_RANGE_HIGH.number);
    const struct tau_label labels[3] = {{{0}}};
    struct tau_multi_range_where_request where = {
        .low = NAN, .high = 1, .group_size = 2, .labels = {.data = labels, .count = 3}};
    assert_int_equal(taud_open_multi_range_where(context, &where, &stream),
                     TAU_STATUS_INVALID_PAYLOAD);
    assert_int_equal(detail.field, TAUD_FIELD_MULTI_RANGE_WHERE_LOW.number);
    where.low = 1, where.high = NAN;
    assert_int_equal(taud_open_multi_range_where(context, &where, &stream),
                     TAU_STATUS_INVALID_PAYLOAD);
    assert_int_equal(detail.field, TAUD_FIELD_MULTI_RANGE_WHERE_HIGH.number);
    where.high = 1;
    assert_int_equal(taud_open_multi_range_where(context, &where, &stream),
                     TAU_STATUS_INVALID_PAYLOAD);
    assert_int_equal(detail.field, TAUD_FIELD_MULTI_RANGE_WHERE_GROUP_SIZE.number);
    context->detail = NULL;
    assert_ptr_equal(stream, a); // there is nothing to close
}

static void opens_nothing_without_memory(void **state)
{
    struct asker *a = *state;
    create_series(a->s, "a");
    append_points(a->s, "a", 0, 10);
    struct tau_aggregate_request request = sums("a");
    size_t refused = 0;
    for (bool refusing = true; refusing; refused++) {
        void *stream = NULL;
        struct taud_context *context = next_request(a->s);
        memory_fault_after(refused);
        enum tau_status status = taud_open_aggregate(context, &request, &stream);
        refusing = memory_fault_end();
        assert_true(
            status == TAU_STATUS_SUCCESS ||
            (refusing && (status == TAU_STATUS_INTERNAL_ERROR || status == TAU_STATUS_NO_MEMORY)));
        if (status == TAU_STATUS_SUCCESS)
            taud_close_aggregate(stream);
    }
    assert_true(refused > 3);
}

static void a_stream_may_be_closed_at_any_time(void **state)
{
    struct asker *a = *state;
    create_series(a->s, "a");
    append_points(a->s, "a", 0, 50000);
    struct tau_aggregate_request request = sums("a");
    for (int round = 0; round < 50; round++) {
        void *stream = NULL;
        struct tau_aggregate_response batch;
        bool end = false;
        assert_int_equal(taud_open_aggregate(next_request(a->s), &request, &stream),
                         TAU_STATUS_SUCCESS);
        for (int turn = 0; turn < round % 4; turn++)
            (void)taud_next_aggregate(next_request(a->s), stream, &batch, &end);
        taud_close_aggregate(stream);
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(tells_rows_of_buckets),
        CASE(tells_points_between_bounds),
        CASE(tells_points_where_another_is_between_bounds),
        CASE(tells_latest_points),
        CASE(does_few_small_ones_at_once),
        CASE(says_that_it_is_at_work),
        CASE(names_the_field_that_is_wrong),
        CASE(opens_nothing_without_memory),
        CASE(a_stream_may_be_closed_at_any_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
