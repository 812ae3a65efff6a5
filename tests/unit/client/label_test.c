/* SPDX-License-Identifier: MIT */
/*
 * Labels and certificates as text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <tau/label.h>

static void check(const char *bytes, size_t size, const char *text)
{
    struct tau_label label;
    struct tau_label back;
    char written[TAU_LABEL_TEXT_SIZE];
    assert_int_equal(tau_label_from_bytes(bytes, size, &label), TAU_STATUS_SUCCESS);
    assert_int_equal(tau_label_to_text(&label, written), strlen(text));
    assert_string_equal(written, text);
    assert_int_equal(tau_label_from_text(written, &back), TAU_STATUS_SUCCESS);
    assert_memory_equal(&label, &back, sizeof(label));
}

static void labels_become_text_and_back(void **state)
{
    (void)state;
    check("", 0, "");
    check("cpu.load", 8, "cpu.load");
    check("a\\b", 3, "a\\x5Cb");
    check("a\0b", 3, "a\\x00b");
    check("tab\t", 4, "tab\\x09");
    check("k\xC3\xBChl", 5, "k\xC3\xBChl");
    check("\xF0\x9F\x98\x80", 4, "\xF0\x9F\x98\x80");
    check("\xC3", 1, "\\xC3");                            /* cut short */
    check("\xC0\x80", 2, "\\xC0\\x80");                   /* overlong */
    check("\xE0\x80\x80", 3, "\\xE0\\x80\\x80");          /* overlong */
    check("\xED\xA0\x80", 3, "\\xED\\xA0\\x80");          /* a surrogate */
    check("\xF4\x90\x80\x80", 4, "\\xF4\\x90\\x80\\x80"); /* beyond Unicode */
    check("\xC2\x9B[2J", 5, "\\xC2\\x9B[2J");             /* a terminal's control */
    /* It turns the text around. NOLINTNEXTLINE(misc-misleading-bidirectional) */
    check("\xE2\x80\xAE", 3, "\\xE2\\x80\\xAE");
}

static void every_byte_survives(void **state)
{
    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        struct tau_label label;
        struct tau_label back;
        char text[TAU_LABEL_TEXT_SIZE];
        memset(label.bytes, byte, sizeof(label.bytes));
        size_t length = tau_label_to_text(&label, text);
        assert_true(length < sizeof(text));
        assert_int_equal(strlen(text), length);
        assert_int_equal(tau_label_from_text(text, &back), TAU_STATUS_SUCCESS);
        assert_memory_equal(&label, &back, sizeof(label));
    }
}

static void bad_text_is_refused(void **state)
{
    (void)state;
    const char *bad[] = {"\\",    "\\x",    "\\x4",
                         "\\xG0", "\\x0G",  "\\n",
                         "\\\\",  "a\\X41", "123456789012345678901234567890123"};
    struct tau_label label = {{1, 2, 3}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(tau_label_from_text(bad[i], &label), TAU_STATUS_INVALID_ARGUMENT);
    assert_int_equal(tau_label_from_bytes("", 33, &label), TAU_STATUS_INVALID_ARGUMENT);
    assert_int_equal(label.bytes[1], 2);
    assert_int_equal(tau_label_from_text("12345678901234567890123456789012", &label),
                     TAU_STATUS_SUCCESS);
}

#define HEX_31 "00112233445566778899aabbccddeeffFFEEDDCCBBAA99887766554433221"

static void certificates_are_read(void **state)
{
    (void)state;
    struct tau_certificate certificate;
    assert_int_equal(tau_certificate_from_hex(" \t" HEX_31 "1F0\r\n", &certificate),
                     TAU_STATUS_SUCCESS);
    assert_int_equal(certificate.bytes[1], 0x11);
    assert_int_equal(certificate.bytes[31], 0xF0);
    assert_int_equal(tau_certificate_from_hex("", &certificate), TAU_STATUS_INVALID_ARGUMENT);
    assert_int_equal(tau_certificate_from_hex(NULL, &certificate), TAU_STATUS_INVALID_ARGUMENT);
    assert_int_equal(tau_certificate_from_hex(HEX_31 "1F", &certificate),
                     TAU_STATUS_INVALID_ARGUMENT);
    assert_int_equal(tau_certificate_from_hex(HEX_31 "1F00", &certificate),
                     TAU_STATUS_INVALID_ARGUMENT);
    assert_int_equal(tau_certificate_from_hex(HEX_31 "1G0", &certificate),
                     TAU_STATUS_INVALID_ARGUMENT);
    assert_int_equal(tau_certificate_from_hex("\n", &certificate), TAU_STATUS_INVALID_ARGUMENT);
    assert_int_equal(certificate.bytes[31], 0xF0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_become_text_and_back),
        cmocka_unit_test(every_byte_survives),
        cmocka_unit_test(bad_text_is_refused),
        cmocka_unit_test(certificates_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
