/* SPDX-License-Identifier: MIT
 *
 * Tests of wire/utf8.c: every character is valid, every other sequence of up to three bytes is not,
 * and the first wrong byte is found behind runs of any length.
 */
#include "wire/utf8.h"

#include <stdbool.h>

#include "check.h"

static size_t encode(uint32_t c, uint8_t *out)
{
    if (c < 0x80) {
        out[0] = (uint8_t)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (uint8_t)(0xC0 | c >> 6);
        out[1] = (uint8_t)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (uint8_t)(0xE0 | c >> 12);
        out[1] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
        out[2] = (uint8_t)(0x80 | (c & 0x3F));
        return 3;
    }
    out[0] = (uint8_t)(0xF0 | c >> 18);
    out[1] = (uint8_t)(0x80 | (c >> 12 & 0x3F));
    out[2] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
    out[3] = (uint8_t)(0x80 | (c & 0x3F));
    return 4;
}

static void test_every_character(void **state)
{
    (void)state;
    uint8_t bytes[4];
    for (uint32_t c = 0; c < 0x110800; c++) {
        size_t size = encode(c, bytes);
        bool valid = (c < 0xD800 || c > 0xDFFF) && c < 0x110000;
        if (tau_utf8_valid(bytes, size) != (valid ? size : 0))
            fail_msg("U+%X", c);
        for (size_t cut = 1; cut < size; cut++)
            assert_int_equal(tau_utf8_valid(bytes, cut), 0);
    }
}

static void test_what_is_shown(void **state)
{
    static const uint32_t hidden[][2] = {
        {0, 0x1F},          {0x7F, 0x9F},       {0xAD, 0xAD},       {0x34F, 0x34F},
        {0x61C, 0x61C},     {0x115F, 0x1160},   {0x17B4, 0x17B5},   {0x180B, 0x180F},
        {0x200B, 0x200F},   {0x2028, 0x202E},   {0x2060, 0x206F},   {0x3164, 0x3164},
        {0xD800, 0xDFFF},   {0xFE00, 0xFE0F},   {0xFEFF, 0xFEFF},   {0xFFA0, 0xFFA0},
        {0xFFF0, 0xFFFB},   {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF},
        {0x110000, 0x1107FF},
    };
    (void)state;
    uint8_t bytes[4];
    size_t next = 0;
    for (uint32_t c = 0; c < 0x110800; c++) {
        size_t size = encode(c, bytes);
        next += c > hidden[next][1];
        if (tau_utf8_printable(bytes, size) != (c < hidden[next][0] ? size : 0))
            fail_msg("U+%X", c);
        if (size > 1)
            assert_int_equal(tau_utf8_printable(bytes, size - 1), 0);
    }
    assert_int_equal(tau_utf8_printable((const uint8_t *)"\x80", 1), 0);
    assert_int_equal(tau_utf8_printable((const uint8_t *)"\xC0\x80", 2), 0);
}

/* Reads a character by the definition: its number, or false. */
static bool is_character(const uint8_t *bytes, size_t size)
{
    uint8_t again[4];
    uint32_t c = size == 1   ? bytes[0]
                 : size == 2 ? (bytes[0] & 0x1Fu) << 6 | (bytes[1] & 0x3Fu)
                             : (bytes[0] & 0x0Fu) << 12 | (bytes[1] & 0x3Fu) << 6 |
                                   (bytes[2] & 0x3Fu);
    return encode(c, again) == size && memcmp(again, bytes, size) == 0 &&
           (c < 0xD800 || c > 0xDFFF);
}

static void test_every_pair_and_lead(void **state)
{
    (void)state;
    for (unsigned a = 0x80; a < 0x100; a++) {
        for (unsigned b = 0x80; b < 0x100; b++) {
            uint8_t bytes[3] = {(uint8_t)a, (uint8_t)b, 0x80};
            assert_int_equal(tau_utf8_valid(bytes, 2), is_character(bytes, 2) ? 2 : 0);
            if (!is_character(bytes, 2))
                assert_int_equal(tau_utf8_valid(bytes, 3), is_character(bytes, 3) ? 3 : 0);
        }
    }
}

static void test_place_of_the_first_wrong_byte(void **state)
{
    (void)state;
    uint8_t text[64];
    for (size_t at = 0; at < sizeof text; at++) {
        memset(text, 'x', sizeof text);
        text[at] = 0xFF;
        assert_int_equal(tau_utf8_valid(text, sizeof text), at);
        assert_int_equal(tau_utf8_valid(text, at), at);
    }
    assert_int_equal(tau_utf8_valid(NULL, 0), 0);
}

static void test_bytes_as_text(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        const char *text;
    } cases[] = {
        {"", 0, ""},
        {"\0\0", 2, ""},
        {"cpu.\xC3\xA4", 6, "cpu.\xC3\xA4"},
        {"a\0b\0\0", 5, "a\\x00b"},
        {"\\\n\xC3", 3, "\\x5C\\x0A\\xC3"},
        {"\xFF\xFF", 2, "\\xFF\\xFF"}, // the most room
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[TAU_UTF8_ESCAPED_SIZE(8)];
        size_t length = tau_utf8_escape((const uint8_t *)cases[i].bytes, cases[i].size, text);
        assert_string_equal(text, cases[i].text);
        assert_int_equal(length, strlen(text));
        assert_true(length < TAU_UTF8_ESCAPED_SIZE(cases[i].size));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_character),
        cmocka_unit_test(test_what_is_shown),
        cmocka_unit_test(test_every_pair_and_lead),
        cmocka_unit_test(test_place_of_the_first_wrong_byte),
        cmocka_unit_test(test_bytes_as_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
