// SPDX-License-Identifier: MIT
// The handlers of lenses: what they pass on to the engine and back, the list, and memory that ends.
#include "service_rig.h"

static enum tau_status create(struct service_rig *s, const char *label, const char *source,
                              const char *transform)
{
    struct tau_create_lens_request request = {.label = label_of(label), .source = label_of(source)};
    memcpy(request.transform.bytes, transform, strlen(transform));
    return taud_handle_create_lens(next_request(s), &request);
}

static enum tau_status compose(struct service_rig *s, const char *label, const char *first,
                               const char *second)
{
    struct tau_compose_lens_request request = {label_of(label), label_of(first), label_of(second)};
    return taud_handle_compose_lens(next_request(s), &request);
}

static enum tau_status drop(struct service_rig *s, const char *label)
{
    struct tau_drop_lens_request request = {label_of(label)};
    return taud_handle_drop_lens(next_request(s), &request);
}

static enum tau_status query(struct service_rig *s, const char *label, int64_t timestamp,
                             struct tau_query_lens_response *ret_response)
{
    struct tau_query_lens_request request = {label_of(label), timestamp};
    return taud_handle_query_lens(next_request(s), &request, ret_response);
}

static void expect_sample(struct service_rig *s, const char *label, int64_t timestamp, double value)
{
    struct tau_query_lens_response response;
    assert_int_equal(query(s, label, timestamp, &response), TAU_STATUS_SUCCESS);
    assert_true(response.has_value);
    assert_true(response.value == value);
    assert_int_equal(s->context.log_position, 0);
}

static void makes_lenses_of_series_and_of_lenses(void **state)
{
    struct service_rig *s = *state;
    create_series(s, "a");
    append_points(s, "a", 100, 2); // the value is the timestamp
    assert_int_equal(create(s, "kelvin", "a", "celsius_to_kelvin"), TAU_STATUS_SUCCESS);
    uint64_t position = s->context.log_position;
    assert_true(position > 0);
    assert_int_equal(create(s, "back", "kelvin", "kelvin_to_celsius"), TAU_STATUS_SUCCESS);
    assert_true(s->context.log_position > position);
    assert_int_equal(create(s, "fahrenheit", "a", "celsius_to_fahrenheit"), TAU_STATUS_SUCCESS);
    assert_int_equal(compose(s, "both", "kelvin", "fahrenheit"), TAU_STATUS_SUCCESS);
    assert_true(s->context.log_position > position);
    assert_int_equal(compose(s, "swapped", "fahrenheit", "kelvin"), TAU_STATUS_SUCCESS);
    double celsius = 101;
    expect_sample(s, "kelvin", 101, celsius + 273.15);
    expect_sample(s, "back", 101, celsius + 273.15 - 273.15);
    expect_sample(s, "both", 101, (celsius + 273.15) * 9 / 5 + 32);
    expect_sample(s, "swapped", 101, celsius * 9 / 5 + 32 + 273.15);
    struct tau_query_lens_response response;
    assert_int_equal(query(s, "both", 102, &response), TAU_STATUS_SUCCESS);
    assert_false(response.has_value);
}

static void passes_refusals_on(void **state)
{
    struct service_rig *s = *state;
    struct tau_query_lens_response response;
    create_series(s, "a");
    assert_int_equal(create(s, "l", "none", "identity"), TAU_STATUS_SERIES_NOT_FOUND);
    assert_int_equal(create(s, "l", "a", "no_such"), TAU_STATUS_INVALID_PAYLOAD);
    assert_int_equal(compose(s, "l", "none", "none"), TAU_STATUS_LENS_NOT_FOUND);
    assert_int_equal(query(s, "l", 1, &response), TAU_STATUS_LENS_NOT_FOUND);
    assert_int_equal(drop(s, "l"), TAU_STATUS_LENS_NOT_FOUND);
    assert_int_equal(s->context.log_position, 0);
    assert_int_equal(create(s, "l", "a", "identity"), TAU_STATUS_SUCCESS);
    assert_int_equal(create(s, "l", "a", "identity"), TAU_STATUS_LENS_ALREADY_EXISTS);
    assert_int_equal(compose(s, "l", "l", "l"), TAU_STATUS_LENS_ALREADY_EXISTS);
    assert_int_equal(s->context.log_position, 0);
    struct tau_drop_series_request source = {label_of("a")};
    assert_int_equal(taud_handle_drop_series(next_request(s), &source), TAU_STATUS_SUCCESS);
    assert_int_equal(query(s, "l", 1, &response), TAU_STATUS_SERIES_NOT_FOUND);
    assert_int_equal(drop(s, "l"), TAU_STATUS_SUCCESS);
    assert_true(s->context.log_position > 0);
    assert_int_equal(drop(s, "l"), TAU_STATUS_LENS_NOT_FOUND);
}

static void names_the_field_of_an_unknown_transform(void **state)
{
    struct service_rig *s = *state;
    struct tau_create_lens_request request = {label_of("l"), label_of("a"), {{'n', 'o'}}};
    struct tau_decode_error detail = {.field = TAU_FIELD_NONE};
    struct taud_context *context = next_request(s);
    context->detail = &detail;
    assert_int_equal(taud_handle_create_lens(context, &request), TAU_STATUS_INVALID_PAYLOAD);
    assert_int_equal(detail.field, 2);
    assert_int_equal(detail.offset, offsetof(struct tau_create_lens_request, transform));
    assert_memory_equal(detail.expected, "transform: ", strlen("transform: "));
    // What is wrong with the series is wrong with no field by itself.
    detail = (struct tau_decode_error){.field = TAU_FIELD_NONE};
    memcpy(request.transform.bytes, "returns", strlen("returns"));
    assert_int_equal(taud_handle_create_lens(context, &request), TAU_STATUS_SERIES_NOT_FOUND);
    assert_int_equal(detail.field, TAU_FIELD_NONE);
    assert_null(detail.expected);
    context->detail = NULL;
}

static void lists_all_in_order(void **state)
{
    struct service_rig *s = *state;
    struct tau_list_lenses_response response = {.labels = {.count = 9}};
    assert_int_equal(taud_handle_list_lenses(next_request(s), &response), TAU_STATUS_SUCCESS);
    assert_int_equal(response.labels.count, 0);
    create_series(s, "a"); // a series is in no list of lenses
    const char *const labels[] = {"m", "z", "b"};
    for (size_t index = 0; index < 3; index++)
        assert_int_equal(create(s, labels[index], "a", "identity"), TAU_STATUS_SUCCESS);
    assert_int_equal(taud_handle_list_lenses(next_request(s), &response), TAU_STATUS_SUCCESS);
    assert_int_equal(response.labels.count, 3);
    assert_false(response.labels.wire_order);
    const char *const sorted[] = {"b", "m", "z"};
    for (size_t index = 0; index < 3; index++) {
        struct tau_label label = tau_label_at(response.labels, index);
        assert_string_equal((const char *)label.bytes, sorted[index]);
    }
}

static void takes_no_memory_for_lenses_that_are_not(void **state)
{
    struct service_rig *s = *state;
    struct tau_list_lenses_response response;
    struct taud_context *context = next_request(s);
    assert_int_equal(taud_handle_list_lenses(context, &response), TAU_STATUS_SUCCESS);
    memory_fault_after(0); // the rest of the smallest block is enough for a second time
    enum tau_status status = taud_handle_list_lenses(context, &response);
    assert_false(memory_fault_end());
    assert_int_equal(status, TAU_STATUS_SUCCESS);
}

static void fails_to_list_without_memory(void **state)
{
    struct service_rig *s = *state;
    struct tau_list_lenses_response response;
    struct taud_context *context = next_request(s);
    memory_fault_after(0);
    enum tau_status status = taud_handle_list_lenses(context, &response);
    assert_true(memory_fault_end());
    assert_int_equal(status, TAU_STATUS_INTERNAL_ERROR);
    assert_int_equal(taud_handle_list_lenses(context, &response), TAU_STATUS_SUCCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVICE_CASE(makes_lenses_of_series_and_of_lenses),
        SERVICE_CASE(passes_refusals_on),
        SERVICE_CASE(names_the_field_of_an_unknown_transform),
        SERVICE_CASE(lists_all_in_order),
        SERVICE_CASE(takes_no_memory_for_lenses_that_are_not),
        SERVICE_CASE(fails_to_list_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
