/* SPDX-License-Identifier: MIT */
/*
 * Options and errors: defaults, checks, older and newer headers, the classes of statuses.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "fault.h"
#include "settings.h"

static enum tau_status read_options(const struct tau_options *options)
{
    struct tau_settings settings;
    return tau_settings_read(options, &settings, NULL);
}

static void the_defaults_are_taken(void **state)
{
    (void)state;
    struct tau_options options;
    struct tau_settings settings;
    tau_options_init(&options);
    assert_int_equal(tau_settings_read(&options, &settings, NULL), TAU_STATUS_SUCCESS);
    assert_string_equal(settings.address.host, "127.0.0.1");
    assert_int_equal(settings.core.connect_timeout_ms, 5000);
    assert_true(settings.core.negotiate);
    assert_true(settings.core.announce_layouts);
    assert_false(settings.core.reconnect);
    assert_int_equal(tau_settings_read(NULL, &settings, NULL), TAU_STATUS_SUCCESS);
    assert_int_equal(settings.core.request_timeout_ms, 30000);
}

static void an_older_header_keeps_working(void **state)
{
    (void)state;
    struct tau_options options;
    struct tau_settings settings;
    memset(&options, 0xEE, sizeof(options));
    tau_options_init_sized(&options, offsetof(struct tau_options, reconnect));
    options.request_timeout_ms = 7;
    assert_int_equal(((unsigned char *)&options)[offsetof(struct tau_options, reconnect)], 0xEE);
    assert_int_equal(tau_settings_read(&options, &settings, NULL), TAU_STATUS_SUCCESS);
    assert_int_equal(settings.core.request_timeout_ms, 7);
    assert_false(settings.core.reconnect);
    assert_true(settings.core.announce_layouts);
    assert_int_equal(settings.core.max_outstanding, 65536);
}

static void a_newer_header_works_as_far_as_it_is_known(void **state)
{
    (void)state;
    struct {
        struct tau_options options;
        unsigned char later[64];
    } newer;
    memset(&newer, 0xEE, sizeof(newer));
    tau_options_init_sized(&newer.options, sizeof(newer));
    assert_int_equal(newer.later[63], 0);
    assert_int_equal(read_options(&newer.options), TAU_STATUS_SUCCESS);
}

static void bad_options_are_refused(void **state)
{
    (void)state;
    static const char long_name[] =
        "12345678901234567890123456789012345678901234567890123456789012345";
    const struct tau_allocator half = {0};
    struct tau_options good;
    struct tau_options options;
    tau_options_init(&good);
    options = good;
    options.size = 0;
    assert_int_equal(read_options(&options), TAU_STATUS_INVALID_ARGUMENT);
    options = good;
    options.max_outstanding = 0;
    assert_int_equal(read_options(&options), TAU_STATUS_INVALID_ARGUMENT);
    options = good;
    options.reconnect = true;
    options.reconnect_first_ms = 0;
    assert_int_equal(read_options(&options), TAU_STATUS_INVALID_ARGUMENT);
    options.reconnect_first_ms = 20000;
    assert_int_equal(read_options(&options), TAU_STATUS_INVALID_ARGUMENT);
    options = good;
    options.allocator = &half;
    assert_int_equal(read_options(&options), TAU_STATUS_INVALID_ARGUMENT);
    options = good;
    options.client_name = long_name;
    assert_int_equal(read_options(&options), TAU_STATUS_INVALID_ARGUMENT);
    options.client_name = long_name + 1;
    assert_int_equal(read_options(&options), TAU_STATUS_SUCCESS);
    options.address = "nowhere:";
    assert_int_equal(read_options(&options), TAU_STATUS_INVALID_ARGUMENT);
}

static void statuses_have_one_class(void **state)
{
    (void)state;
    for (int code = 0; code < 0x200; code++) {
        enum tau_status status = (enum tau_status)code;
        int classes = tau_status_is_retryable(status) + tau_status_is_fatal(status) +
                      tau_status_is_outcome_unknown(status);
        assert_in_range(classes, 0, 1);
    }
    assert_true(tau_status_is_retryable(TAU_STATUS_TIMEOUT));
    assert_true(tau_status_is_fatal(TAU_STATUS_AUTH_FAILED));
    assert_true(tau_status_is_outcome_unknown(TAU_STATUS_OUTCOME_UNKNOWN));
    assert_false(tau_status_is_retryable(TAU_STATUS_OUTCOME_UNKNOWN));
    assert_false(tau_status_is_fatal(TAU_STATUS_OUT_OF_ORDER));
}

static void errors_are_filled_and_bounded(void **state)
{
    (void)state;
    struct tau_error error;
    char text[1000];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    assert_int_equal(tau_fault(&error, TAU_STATUS_CONNECTION_LOST, ECONNRESET, "lost"),
                     TAU_STATUS_CONNECTION_LOST);
    assert_int_equal(error.system_error, ECONNRESET);
    assert_int_equal(error.field, TAU_FIELD_NONE);
    assert_string_equal(error.message, "lost: Connection reset by peer");
    assert_int_equal(tau_fault(&error, TAU_STATUS_TIMEOUT, EPIPE, "%s", text), TAU_STATUS_TIMEOUT);
    assert_int_equal(strlen(error.message), sizeof(error.message) - 1);
    assert_int_equal(tau_fault(NULL, TAU_STATUS_TIMEOUT, 0, "nobody listens"), TAU_STATUS_TIMEOUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_defaults_are_taken),
        cmocka_unit_test(an_older_header_keeps_working),
        cmocka_unit_test(a_newer_header_works_as_far_as_it_is_known),
        cmocka_unit_test(bad_options_are_refused),
        cmocka_unit_test(statuses_have_one_class),
        cmocka_unit_test(errors_are_filled_and_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
