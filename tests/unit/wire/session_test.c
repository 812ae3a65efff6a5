/* SPDX-License-Identifier: MIT
 *
 * Tests of the generated machine of a session: every opcode in every state, and every event.
 */
#include "tau_session.h"

#include "check.h"
#include "tau_codec.h"

static void test_before_authentication(void **state)
{
    (void)state;
    for (unsigned opcode = 0; opcode < 256; opcode++) {
        struct tau_session_verdict verdict = tau_session_check(TAU_SESSION_NEW, (uint8_t)opcode);
        bool legal = opcode == TAU_OPCODE_CONNECT || opcode == TAU_OPCODE_DISCONNECT;
        assert_int_equal(verdict.legal, legal);
        if (!legal) {
            assert_int_equal(verdict.status, TAU_STATUS_NOT_AUTHENTICATED);
            assert_true(verdict.closes);
        }
    }
}

static void test_after_authentication(void **state)
{
    (void)state;
    for (unsigned opcode = 0; opcode < 256; opcode++) {
        struct tau_session_verdict verdict =
            tau_session_check(TAU_SESSION_AUTHENTICATED, (uint8_t)opcode);
        assert_int_equal(verdict.legal, tau_frame_kinds[opcode] == TAU_FRAME_REQUEST);
        if (!verdict.legal) {
            assert_int_equal(verdict.status, TAU_STATUS_BAD_OPCODE);
            assert_false(verdict.closes);
        }
    }
}

static void test_behind_the_last_word(void **state)
{
    (void)state;
    for (unsigned opcode = 0; opcode < 256; opcode++)
        assert_false(tau_session_check(TAU_SESSION_CLOSED, (uint8_t)opcode).legal);
}

static void test_events(void **state)
{
    (void)state;
    static const struct {
        enum tau_session_state from;
        enum tau_session_event event;
        enum tau_session_state to;
    } rows[] = {
        {TAU_SESSION_NEW, TAU_SESSION_EVENT_CONNECT_OK, TAU_SESSION_AUTHENTICATED},
        {TAU_SESSION_NEW, TAU_SESSION_EVENT_CONNECT_FAILED, TAU_SESSION_NEW},
        {TAU_SESSION_NEW, TAU_SESSION_EVENT_CONNECT_EXHAUSTED, TAU_SESSION_CLOSED},
        {TAU_SESSION_NEW, TAU_SESSION_EVENT_DISCONNECT_OK, TAU_SESSION_CLOSED},
        {TAU_SESSION_NEW, TAU_SESSION_EVENT_REFUSED, TAU_SESSION_CLOSED},
        {TAU_SESSION_AUTHENTICATED, TAU_SESSION_EVENT_CONNECT_OK, TAU_SESSION_AUTHENTICATED},
        {TAU_SESSION_AUTHENTICATED, TAU_SESSION_EVENT_CONNECT_FAILED, TAU_SESSION_CLOSED},
        {TAU_SESSION_AUTHENTICATED, TAU_SESSION_EVENT_DISCONNECT_OK, TAU_SESSION_CLOSED},
        {TAU_SESSION_AUTHENTICATED, TAU_SESSION_EVENT_REFUSED, TAU_SESSION_AUTHENTICATED},
        /* No transition: the state stays. */
        {TAU_SESSION_CLOSED, TAU_SESSION_EVENT_CONNECT_OK, TAU_SESSION_CLOSED},
        {TAU_SESSION_CLOSED, TAU_SESSION_EVENT_REFUSED, TAU_SESSION_CLOSED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(tau_session_advance(rows[i].from, rows[i].event), rows[i].to);
    assert_string_equal(tau_session_state_name(TAU_SESSION_AUTHENTICATED), "authenticated");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_before_authentication),
        cmocka_unit_test(test_after_authentication),
        cmocka_unit_test(test_behind_the_last_word),
        cmocka_unit_test(test_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
