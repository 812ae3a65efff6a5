// SPDX-License-Identifier: MIT
// The handlers of series: what they pass on to the engine and back, pages of labels, and memory
// that ends.
#include "service_rig.h"

static enum tau_status create(struct service_rig *s, const char *label)
{
    struct tau_create_series_request request = {label_of(label)};
    return taud_handle_create_series(next_request(s), &request);
}

static enum tau_status drop(struct service_rig *s, const char *label)
{
    struct tau_drop_series_request request = {label_of(label)};
    return taud_handle_drop_series(next_request(s), &request);
}

static void creates_once_and_says_where_in_the_log(void **state)
{
    struct service_rig *s = *state;
    assert_int_equal(create(s, "a"), TAU_STATUS_SUCCESS);
    uint64_t first = s->context.log_position;
    assert_true(first > 0);
    assert_int_equal(create(s, "a"), TAU_STATUS_SERIES_ALREADY_EXISTS);
    assert_int_equal(s->context.log_position, 0); // nothing was written: no reply has to wait
    assert_int_equal(create(s, "b"), TAU_STATUS_SUCCESS);
    assert_true(s->context.log_position > first);
}

static void never_lowers_the_position_of_a_turn(void **state)
{
    struct service_rig *s = *state;
    struct tau_create_series_request request = {label_of("a")};
    s->context.log_position = UINT64_MAX; // of an earlier write in the same turn
    assert_int_equal(taud_handle_create_series(&s->context, &request), TAU_STATUS_SUCCESS);
    assert_true(s->context.log_position == UINT64_MAX);
}

static void drops_what_there_is(void **state)
{
    struct service_rig *s = *state;
    assert_int_equal(drop(s, "a"), TAU_STATUS_SERIES_NOT_FOUND);
    assert_int_equal(s->context.log_position, 0);
    create_series(s, "a");
    create_series(s, "b");
    assert_int_equal(drop(s, "a"), TAU_STATUS_SUCCESS);
    assert_true(s->context.log_position > 0);
    assert_int_equal(drop(s, "a"), TAU_STATUS_SERIES_NOT_FOUND);
    assert_int_equal(create(s, "b"), TAU_STATUS_SERIES_ALREADY_EXISTS);
}

// --- LIST_SERIES ---------------------------------------------------------------------------------

// Lists a page, and expects the labels that `expected` names with a letter each.
static void expect_page(struct service_rig *s, const struct tau_list_series_request *request,
                        const char *expected, bool more)
{
    struct tau_list_series_response response = {.more = !more};
    assert_int_equal(taud_handle_list_series(next_request(s), request, &response),
                     TAU_STATUS_SUCCESS);
    assert_int_equal(response.labels.count, strlen(expected));
    assert_int_equal(response.more, more);
    assert_false(response.labels.wire_order);
    for (size_t index = 0; index < response.labels.count; index++) {
        struct tau_label label = tau_label_at(response.labels, index);
        assert_int_equal(label.bytes[0], 's');
        assert_int_equal(label.bytes[1], expected[index]);
    }
}

static void lists_in_pages(void **state)
{
    struct service_rig *s = *state;
    const char *const labels[] = {"sd", "sb", "other", "sa", "sc"};
    for (size_t index = 0; index < 5; index++)
        create_series(s, labels[index]);
    struct tau_list_series_request request = {.prefix = {.data = (const uint8_t *)"s", .size = 1},
                                              .cursor = label_of("sb"), // not yet to be heeded
                                              .limit = 2};
    expect_page(s, &request, "ab", true);
    request.has_cursor = true;
    expect_page(s, &request, "cd", false);
    request.limit = 1;
    expect_page(s, &request, "c", true);
    request.cursor = label_of("sd");
    expect_page(s, &request, "", false);
    request.has_cursor = false;
    request.limit = TAU_LIMIT_LIST_PAGE;
    expect_page(s, &request, "abcd", false);
}

static void lists_a_page_of_the_largest_size(void **state)
{
    struct service_rig *s = *state;
    for (int number = 0; number <= TAU_LIMIT_LIST_PAGE; number++) {
        char label[32];
        snprintf(label, sizeof label, "%04d", number);
        create_series(s, label);
    }
    struct tau_list_series_request request = {.limit = TAU_LIMIT_LIST_PAGE};
    struct tau_list_series_response response;
    assert_int_equal(taud_handle_list_series(next_request(s), &request, &response),
                     TAU_STATUS_SUCCESS);
    assert_int_equal(response.labels.count, TAU_LIMIT_LIST_PAGE);
    assert_true(response.more);
    struct tau_label last = tau_label_at(response.labels, TAU_LIMIT_LIST_PAGE - 1);
    assert_string_equal((const char *)last.bytes, "1999");
}

static void fails_to_list_without_memory(void **state)
{
    struct service_rig *s = *state;
    create_series(s, "a");
    struct tau_list_series_request request = {.limit = TAU_LIMIT_LIST_PAGE};
    struct tau_list_series_response response;
    struct taud_context *context = next_request(s);
    memory_fault_after(0);
    enum tau_status status = taud_handle_list_series(context, &request, &response);
    assert_true(memory_fault_end());
    assert_int_equal(status, TAU_STATUS_INTERNAL_ERROR);
    assert_int_equal(taud_handle_list_series(context, &request, &response), TAU_STATUS_SUCCESS);
    assert_int_equal(response.labels.count, 1);
}

// --- DESCRIBE_SERIES -----------------------------------------------------------------------------

static void describes(void **state)
{
    struct service_rig *s = *state;
    struct tau_describe_series_request request = {label_of("a")};
    struct tau_describe_series_response response;
    assert_int_equal(taud_handle_describe_series(next_request(s), &request, &response),
                     TAU_STATUS_SERIES_NOT_FOUND);
    create_series(s, "a");
    append_points(s, "a", -5, 100);
    assert_int_equal(taud_handle_describe_series(next_request(s), &request, &response),
                     TAU_STATUS_SUCCESS);
    assert_int_equal(response.point_count, 100);
    assert_int_equal(response.first_timestamp, -5);
    assert_int_equal(response.last_timestamp, 94);
    assert_int_equal(response.order, TAU_ORDER_POLICY_STRICT);
    assert_int_equal(s->context.log_position, 0); // a read waits for nothing
}

static void changes_a_policy(void **state)
{
    struct service_rig *s = *state;
    struct tau_decode_error detail = {.field = TAU_FIELD_NONE};
    struct tau_set_policy_request request = {label_of("a"), TAU_ORDER_POLICY_STRICT, 7};
    struct tau_describe_series_request question = {label_of("a")};
    struct tau_describe_series_response answer;
    assert_int_equal(taud_handle_set_policy(next_request(s), &request),
                     TAU_STATUS_SERIES_NOT_FOUND);
    create_series(s, "a");
    for (int order = TAU_ORDER_POLICY_STRICT; order <= TAU_ORDER_POLICY_SUM; order++) {
        request.order = (enum tau_order_policy)order;
        request.retention = UINT64_MAX - (uint64_t)order;
        struct taud_context *context = next_request(s);
        assert_int_equal(taud_handle_set_policy(context, &request), TAU_STATUS_SUCCESS);
        assert_true(context->log_position > 0);
        assert_int_equal(taud_handle_describe_series(next_request(s), &question, &answer),
                         TAU_STATUS_SUCCESS);
        assert_int_equal(answer.order, order);
        assert_true(answer.has_retention && answer.retention == request.retention);
    }
    struct taud_context *context = next_request(s);
    context->detail = &detail;
    request.order = (enum tau_order_policy)(TAU_ORDER_POLICY_SUM + 1);
    assert_int_equal(taud_handle_set_policy(context, &request), TAU_STATUS_INVALID_PAYLOAD);
    assert_int_equal(detail.field, TAUD_FIELD_SET_POLICY_ORDER.number);
    context->detail = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVICE_CASE(creates_once_and_says_where_in_the_log),
        SERVICE_CASE(never_lowers_the_position_of_a_turn),
        SERVICE_CASE(drops_what_there_is),
        SERVICE_CASE(lists_in_pages),
        SERVICE_CASE(lists_a_page_of_the_largest_size),
        SERVICE_CASE(fails_to_list_without_memory),
        SERVICE_CASE(describes),
        SERVICE_CASE(changes_a_policy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
