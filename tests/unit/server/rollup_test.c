// SPDX-License-Identifier: MIT
// The handlers of rules: what they pass on to the engine and back, which field a refusal names,
// pages, and memory that ends.
#include "service_rig.h"

#include <math.h>

static struct tau_create_rollup_request rule(const char *target, const char *source)
{
    return (struct tau_create_rollup_request){
        .target = label_of(target),
        .source = label_of(source),
        .width = 10,
        .origin = 3,
        .function = TAU_AGGREGATE_FUNCTION_SUM,
    };
}

static enum tau_status create(struct service_rig *s, const char *target, const char *source)
{
    struct tau_create_rollup_request request = rule(target, source);
    return taud_handle_create_rollup(next_request(s), &request);
}

static enum tau_status drop(struct service_rig *s, const char *target)
{
    struct tau_drop_rollup_request request = {label_of(target)};
    return taud_handle_drop_rollup(next_request(s), &request);
}

static void creates_and_drops_and_says_where_in_the_log(void **state)
{
    struct service_rig *s = *state;
    create_series(s, "a");
    create_series(s, "b");
    assert_int_equal(drop(s, "b"), TAU_STATUS_ROLLUP_NOT_FOUND);
    assert_int_equal(s->context.log_position, 0); // nothing was written: no reply has to wait
    assert_int_equal(create(s, "b", "a"), TAU_STATUS_SUCCESS);
    uint64_t first = s->context.log_position;
    assert_true(first > 0);
    assert_int_equal(create(s, "b", "a"), TAU_STATUS_ROLLUP_ALREADY_EXISTS);
    assert_int_equal(s->context.log_position, 0);
    assert_int_equal(drop(s, "b"), TAU_STATUS_SUCCESS);
    assert_true(s->context.log_position > first);
    assert_int_equal(drop(s, "b"), TAU_STATUS_ROLLUP_NOT_FOUND);
}

static void expect_refusal(struct service_rig *s, const struct tau_create_rollup_request *request,
                           enum tau_status status, struct taud_field field)
{
    struct tau_decode_error detail = {.field = TAU_FIELD_NONE};
    struct taud_context *context = next_request(s);
    context->detail = &detail;
    assert_int_equal(taud_handle_create_rollup(context, request), status);
    assert_int_equal(detail.field, field.number);
    context->detail = NULL;
}

static void names_the_field_that_is_wrong(void **state)
{
    struct service_rig *s = *state;
    create_series(s, "a");
    create_series(s, "b");
    struct tau_create_rollup_request request = rule("b", "none");
    expect_refusal(s, &request, TAU_STATUS_SERIES_NOT_FOUND, TAUD_FIELD_CREATE_ROLLUP_SOURCE);
    request = rule("none", "a");
    expect_refusal(s, &request, TAU_STATUS_SERIES_NOT_FOUND, TAUD_FIELD_CREATE_ROLLUP_TARGET);
    request = rule("a", "a");
    expect_refusal(s, &request, TAU_STATUS_INVALID_PAYLOAD, TAUD_FIELD_CREATE_ROLLUP_SOURCE);
    request = rule("b", "a");
    request.function = (enum tau_aggregate_function)(TAU_AGGREGATE_FUNCTION_INCREASE + 1);
    expect_refusal(s, &request, TAU_STATUS_INVALID_PAYLOAD, TAUD_FIELD_CREATE_ROLLUP_FUNCTION);
    static const double wrong[] = {-0.1, 1.1, NAN};
    request.function = TAU_AGGREGATE_FUNCTION_QUANTILE;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        request.parameter = wrong[i];
        expect_refusal(s, &request, TAU_STATUS_INVALID_PAYLOAD, TAUD_FIELD_CREATE_ROLLUP_PARAMETER);
    }
    // Whole labels are compared: one that begins as this one does is another series.
    create_series(s, "long.name");
    request = rule("long", "a");
    expect_refusal(s, &request, TAU_STATUS_SERIES_NOT_FOUND, TAUD_FIELD_CREATE_ROLLUP_TARGET);
}

static void lists_pages(void **state)
{
    struct service_rig *s = *state;
    static const char *const targets[] = {"b", "c", "d"};
    struct tau_list_rollups_request request = {.limit = 2};
    struct tau_list_rollups_response response;
    create_series(s, "a");
    for (size_t i = 0; i < 3; i++) {
        create_series(s, targets[i]);
        assert_int_equal(create(s, targets[i], "a"), TAU_STATUS_SUCCESS);
    }
    assert_int_equal(taud_handle_list_rollups(next_request(s), &request, &response),
                     TAU_STATUS_SUCCESS);
    assert_true(response.more);
    assert_int_equal(response.rollups.count, 2);
    struct tau_rollup found = tau_rollup_at(response.rollups, 1);
    struct tau_label target = label_of("c"), source = label_of("a");
    assert_memory_equal(&found.target, &target, sizeof target);
    assert_memory_equal(&found.source, &source, sizeof source);
    assert_int_equal(found.width, 10);
    assert_int_equal(found.origin, 3);
    assert_int_equal(found.function, TAU_AGGREGATE_FUNCTION_SUM);
    assert_true(found.settled == INT64_MIN);
    request.has_cursor = true;
    request.cursor = found.target;
    assert_int_equal(taud_handle_list_rollups(next_request(s), &request, &response),
                     TAU_STATUS_SUCCESS);
    assert_false(response.more);
    assert_int_equal(response.rollups.count, 1);
    assert_int_equal(s->context.log_position, 0); // a read waits for nothing
}

static void fails_to_list_without_memory(void **state)
{
    struct service_rig *s = *state;
    struct tau_list_rollups_request request = {.limit = TAU_LIMIT_LIST_PAGE};
    struct tau_list_rollups_response response;
    struct taud_context *context = next_request(s);
    memory_fault_after(0);
    enum tau_status status = taud_handle_list_rollups(context, &request, &response);
    assert_true(memory_fault_end());
    assert_int_equal(status, TAU_STATUS_INTERNAL_ERROR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVICE_CASE(creates_and_drops_and_says_where_in_the_log),
        SERVICE_CASE(names_the_field_that_is_wrong),
        SERVICE_CASE(lists_pages),
        SERVICE_CASE(fails_to_list_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
