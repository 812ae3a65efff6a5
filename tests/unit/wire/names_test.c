/* SPDX-License-Identifier: MIT
 *
 * Tests of the generated names and of the table of operations.
 */
#include "check.h"
#include "tau_codec.h"

static void test_opcodes(void **state)
{
    (void)state;
    enum tau_opcode opcode = TAU_OPCODE_PING;
    assert_string_equal(tau_opcode_name(TAU_OPCODE_BATCH_APPEND), "BATCH_APPEND");
    assert_string_equal(tau_opcode_name((enum tau_opcode)0xEE), "unknown");
    assert_true(tau_opcode_from_name("ERR", &opcode));
    assert_int_equal(opcode, TAU_OPCODE_ERR);
    assert_false(tau_opcode_from_name("err", &opcode));
    assert_false(tau_opcode_from_name("unknown", &opcode));
    assert_int_equal(opcode, TAU_OPCODE_ERR);
}

static void test_statuses(void **state)
{
    (void)state;
    for (int code = 0; code < 0x200; code++) {
        enum tau_status status = (enum tau_status)code, found;
        const char *name = tau_status_name(status);
        if (strcmp(name, "unknown") == 0) {
            assert_int_equal(tau_status_class_of(status), TAU_STATUS_CLASS_REQUEST);
            continue;
        }
        assert_true(tau_status_from_name(name, &found));
        assert_int_equal(found, status);
        assert_int_not_equal(tau_status_text(status)[0], '\0');
    }
    assert_int_equal(tau_status_class_of(TAU_STATUS_OUTCOME_UNKNOWN), TAU_STATUS_CLASS_UNKNOWN);
    assert_int_equal(tau_status_class_of(TAU_STATUS_STORAGE_FULL), TAU_STATUS_CLASS_RETRY);
    assert_string_equal(tau_status_class_name(TAU_STATUS_CLASS_FATAL), "fatal");
}

static void test_operations(void **state)
{
    (void)state;
    size_t found = 0;
    for (unsigned opcode = 0; opcode < 256; opcode++) {
        const struct tau_operation_info *info = tau_operation_find((uint8_t)opcode);
        bool request = tau_frame_kinds[opcode] == TAU_FRAME_REQUEST;
        assert_int_equal(info != NULL, request);
        if (info == NULL)
            continue;
        assert_ptr_equal(info, &tau_operations[found++]);
        assert_int_equal(info->opcode, opcode);
        assert_string_equal(info->name, tau_opcode_name((enum tau_opcode)opcode));
        assert_true(info->min_request_size <= info->max_request_size);
        assert_true(info->max_request_size <= TAU_LIMIT_PAYLOAD_BYTES);
        assert_true(info->fingerprint != 0);
        assert_false(info->write && info->role == TAU_ROLE_READER);
    }
    assert_int_equal(found, TAU_OPERATION_COUNT);
    assert_int_equal(tau_frame_kinds[TAU_OPCODE_PONG], TAU_FRAME_REPLY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_opcodes),
        cmocka_unit_test(test_statuses),
        cmocka_unit_test(test_operations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
