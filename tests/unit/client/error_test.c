/* SPDX-License-Identifier: MIT */
/*
 * Error objects and the predicates over statuses.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fault.h"

/* An error that was used before: every field holds something of its last life. */
static struct tau_error used_error(void)
{
    struct tau_error error;
    memset(&error, 0x5A, sizeof(error));
    return error;
}

static void check_fields(const struct tau_error *error, enum tau_status status, int system_error)
{
    assert_int_equal(error->status, status);
    assert_int_equal(error->system_error, system_error);
    assert_int_equal(error->field, TAU_FIELD_NONE);
    assert_int_equal(error->offset, 0);
}

static void a_predicate_is_true_for_one_class(void **state)
{
    (void)state;
    for (unsigned status = 0; status <= 0x1FF; status++) {
        enum tau_status_class class = tau_status_class_of(status);
        assert_int_equal(tau_status_is_retryable(status), class == TAU_STATUS_CLASS_RETRY);
        assert_int_equal(tau_status_is_fatal(status), class == TAU_STATUS_CLASS_FATAL);
        assert_int_equal(tau_status_is_outcome_unknown(status), class == TAU_STATUS_CLASS_UNKNOWN);
    }
}

/* What a program relies upon most, whatever the tables say. */
static void a_write_of_unknown_outcome_is_never_retryable(void **state)
{
    (void)state;
    assert_true(tau_status_is_outcome_unknown(TAU_STATUS_OUTCOME_UNKNOWN));
    assert_false(tau_status_is_retryable(TAU_STATUS_OUTCOME_UNKNOWN));
    assert_true(tau_status_is_retryable(TAU_STATUS_WOULD_BLOCK));
    assert_true(tau_status_is_retryable(TAU_STATUS_CONNECTION_LOST));
    assert_true(tau_status_is_fatal(TAU_STATUS_AUTH_FAILED));
    assert_false(tau_status_is_fatal(TAU_STATUS_SUCCESS));
    assert_false(tau_status_is_retryable(TAU_STATUS_OUT_OF_ORDER));
}

static void a_status_brings_its_own_words(void **state)
{
    (void)state;
    struct tau_error error = used_error();
    assert_int_equal(tau_fault_status(&error, TAU_STATUS_THROTTLED), TAU_STATUS_THROTTLED);
    check_fields(&error, TAU_STATUS_THROTTLED, 0);
    assert_string_equal(error.message, tau_status_text(TAU_STATUS_THROTTLED));
}

static void words_are_formatted(void **state)
{
    (void)state;
    struct tau_error error = used_error();
    assert_int_equal(tau_fault(&error, TAU_STATUS_TIMEOUT, 0, "%s after %d ms", "late", 7),
                     TAU_STATUS_TIMEOUT);
    check_fields(&error, TAU_STATUS_TIMEOUT, 0);
    assert_string_equal(error.message, "late after 7 ms");
}

/* A server's words: what a terminal may not be given is escaped, what has no room is left out. */
static void foreign_words_are_quoted(void **state)
{
    (void)state;
    static const char words[] = "no\x1B[2J \xC2\x9B\n\xE2\x80\xAE\xC3\xA9\0";
    struct tau_error error = used_error();
    tau_fault_status(&error, TAU_STATUS_THROTTLED);
    tau_fault_quote(&error,
                    (struct tau_slice){.data = (const uint8_t *)words, .size = sizeof(words) - 1});
    check_fields(&error, TAU_STATUS_THROTTLED, 0);
    assert_string_equal(error.message, "no\\x1B[2J \\xC2\\x9B\\x0A\\xE2\\x80\\xAE\xC3\xA9\\x00");
    uint8_t bells[512];
    memset(bells, 7, sizeof(bells));
    tau_fault_quote(&error, (struct tau_slice){.data = bells, .size = sizeof(bells)});
    assert_int_equal(strlen(error.message), (sizeof(error.message) - 1) / 4 * 4);
}

static void an_errno_is_kept_and_put_into_words(void **state)
{
    (void)state;
    struct tau_error error = used_error();
    char expected[128];
    assert_int_equal(tau_fault(&error, TAU_STATUS_CONNECTION_FAILED, ECONNREFUSED, "no server"),
                     TAU_STATUS_CONNECTION_FAILED);
    check_fields(&error, TAU_STATUS_CONNECTION_FAILED, ECONNREFUSED);
    snprintf(expected, sizeof(expected), "no server: %s", strerror(ECONNREFUSED));
    assert_string_equal(error.message, expected);
}

/* A message of `length` bytes, with an errno's text behind it as far as there is room. What lies
   behind the object stays as it is. */
static void check_length(size_t length)
{
    char words[TAU_ERROR_MESSAGE_SIZE + 2];
    struct {
        struct tau_error error;
        char behind[128];
    } guarded;
    memset(&guarded, 0x5A, sizeof(guarded));
    memset(words, 'w', length);
    words[length] = '\0';
    assert_int_equal(tau_fault(&guarded.error, TAU_STATUS_NO_MEMORY, ENOMEM, "%s", words),
                     TAU_STATUS_NO_MEMORY);
    check_fields(&guarded.error, TAU_STATUS_NO_MEMORY, ENOMEM);
    for (size_t i = 0; i < sizeof(guarded.behind); i++)
        assert_int_equal(guarded.behind[i], 0x5A);
    size_t kept = length < TAU_ERROR_MESSAGE_SIZE ? length : TAU_ERROR_MESSAGE_SIZE - 1;
    char expected[TAU_ERROR_MESSAGE_SIZE + 128];
    int size = snprintf(expected, sizeof(expected), "%.*s: %s", (int)kept, words, strerror(ENOMEM));
    assert_true(size > 0);
    expected[TAU_ERROR_MESSAGE_SIZE - 1] = '\0';
    assert_string_equal(guarded.error.message, expected);
}

static void a_long_message_is_cut_and_ended(void **state)
{
    (void)state;
    check_length(TAU_ERROR_MESSAGE_SIZE - 40);
    check_length(TAU_ERROR_MESSAGE_SIZE - 10);
    check_length(TAU_ERROR_MESSAGE_SIZE - 2);
    check_length(TAU_ERROR_MESSAGE_SIZE - 1);
    check_length(TAU_ERROR_MESSAGE_SIZE);
    check_length(TAU_ERROR_MESSAGE_SIZE + 1);
}

static void the_error_object_is_optional(void **state)
{
    (void)state;
    assert_int_equal(tau_fault_status(NULL, TAU_STATUS_TIMEOUT), TAU_STATUS_TIMEOUT);
    assert_int_equal(tau_fault(NULL, TAU_STATUS_TIMEOUT, EIO, "%d", 1), TAU_STATUS_TIMEOUT);
}

static void a_copy_needs_both_sides(void **state)
{
    (void)state;
    struct tau_error from;
    struct tau_error to = used_error();
    struct tau_error before = to;
    tau_fault(&from, TAU_STATUS_READ_ONLY, EROFS, "the disk");
    from.field = 3;
    from.offset = 44;
    tau_fault_copy(NULL, &from);
    tau_fault_copy(&to, NULL);
    assert_memory_equal(&to, &before, sizeof(to));
    tau_fault_copy(&to, &from);
    assert_int_equal(to.status, TAU_STATUS_READ_ONLY);
    assert_int_equal(to.system_error, EROFS);
    assert_int_equal(to.field, 3);
    assert_int_equal(to.offset, 44);
    assert_string_equal(to.message, from.message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_predicate_is_true_for_one_class),
        cmocka_unit_test(a_write_of_unknown_outcome_is_never_retryable),
        cmocka_unit_test(a_status_brings_its_own_words),
        cmocka_unit_test(words_are_formatted),
        cmocka_unit_test(foreign_words_are_quoted),
        cmocka_unit_test(an_errno_is_kept_and_put_into_words),
        cmocka_unit_test(a_long_message_is_cut_and_ended),
        cmocka_unit_test(the_error_object_is_optional),
        cmocka_unit_test(a_copy_needs_both_sides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
