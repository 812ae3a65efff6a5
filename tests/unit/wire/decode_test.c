/* SPDX-License-Identifier: MIT
 *
 * Tests of wire/decode.c: which field and offset a refusal names, with and without an error object.
 */
#include "wire/decode.h"

#include "check.h"

static const uint16_t sizes[] = {4, 2, 8};

static void test_short_names_the_field(void **state)
{
    (void)state;
    const uint8_t bytes[32] = {0};
    const uint16_t fields[] = {3, 3, 3, 3, 4, 4, 5, 5, 5, 5, 5, 5, 5, 5};
    for (size_t size = 0; size < 14; size++) {
        struct tau_decode_error error;
        struct tau_slice payload = {bytes, 10 + size};
        assert_int_equal(tau_decode_short(&error, payload, sizes, 3, 10),
                         TAU_STATUS_INVALID_PAYLOAD);
        assert_int_equal(error.status, TAU_STATUS_INVALID_PAYLOAD);
        assert_int_equal(error.field, fields[size]);
        assert_int_equal(error.offset, 10 + size);
        assert_non_null(error.expected);
    }
}

static void test_plain(void **state)
{
    (void)state;
    const uint8_t bytes[32] = {0};
    struct tau_decode_error error;
    tau_decode_plain(&error, (struct tau_slice){bytes, 15}, sizes, 14);
    assert_int_equal(error.field, TAU_FIELD_NONE);
    assert_int_equal(error.offset, 14);
    tau_decode_plain(&error, (struct tau_slice){bytes, 5}, sizes, 14);
    assert_int_equal(error.field, 1);
    assert_int_equal(error.offset, 5);
}

static void test_value_and_cut(void **state)
{
    (void)state;
    const uint8_t bytes[32] = {0};
    struct tau_decode_error error;
    assert_int_equal(tau_decode_invalid(&error, 2, 7, "0 or 1"), TAU_STATUS_INVALID_PAYLOAD);
    assert_int_equal(error.status, TAU_STATUS_INVALID_PAYLOAD);
    assert_int_equal(error.field, 2);
    assert_int_equal(error.offset, 7);
    assert_string_equal(error.expected, "0 or 1");
    assert_int_equal(tau_decode_cut(&error, (struct tau_slice){bytes, 9}, 4),
                     TAU_STATUS_INVALID_PAYLOAD);
    assert_int_equal(error.field, 4);
    assert_int_equal(error.offset, 9);
}

static void test_without_error_object(void **state)
{
    (void)state;
    struct tau_slice empty = {NULL, 0};
    assert_int_equal(tau_decode_fail(NULL, TAU_STATUS_BAD_MAGIC, 0, 0, "x"), TAU_STATUS_BAD_MAGIC);
    assert_int_equal(tau_decode_trailing(NULL, 3), TAU_STATUS_INVALID_PAYLOAD);
    assert_int_equal(tau_decode_short(NULL, empty, sizes, 0, 0), TAU_STATUS_INVALID_PAYLOAD);
    assert_int_equal(tau_decode_plain(NULL, empty, sizes, 14), TAU_STATUS_INVALID_PAYLOAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_short_names_the_field),
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_value_and_cut),
        cmocka_unit_test(test_without_error_object),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
