/* SPDX-License-Identifier: MIT */
/* Hexadecimal text: pairs of digits in any pieces, and what is no digit. */
#include "cli_test.h"
#include "decode/hex.h"

/* Reads a text in pieces. Returns the number of bytes, or -1 where it is wrong. */
static int read_in(const char *text, size_t piece, struct cli_hex *hex, uint8_t *ret_bytes)
{
    size_t done = 0;
    size_t length = strlen(text);
    cli_hex_init(hex);
    for (size_t at = 0; at < length; at += piece) {
        size_t count;
        size_t part = length - at < piece ? length - at : piece;
        bool right = cli_hex_read(hex, text + at, part, ret_bytes + done, &count);
        done += count;
        if (!right) {
            return -1;
        }
    }
    return cli_hex_is_whole(hex) ? (int)done : -1;
}

static void test_text(void **state)
{
    static const uint8_t wanted[] = {0x54, 0x41, 0x55, 0x00, 0xff, 0xAB};
    (void)state;
    for (size_t piece = 1; piece < 24; piece++) {
        uint8_t bytes[16];
        struct cli_hex hex;
        assert_int_equal(read_in("54 41\t5500\r\n\nfF aB\n", piece, &hex, bytes), 6);
        assert_memory_equal(bytes, wanted, sizeof(wanted));
        assert_int_equal(hex.line, 4);
    }
}

static void test_empty(void **state)
{
    uint8_t bytes[4];
    struct cli_hex hex;
    (void)state;
    assert_int_equal(read_in("", 1, &hex, bytes), 0);
    assert_int_equal(read_in(" \n ", 1, &hex, bytes), 0);
}

static void test_wrong(void **state)
{
    static const struct {
        const char *text;
        char wrong;
        uint64_t line;
    } cases[] = {{"00\n0g", 'g', 2},
                 {"0 0", ' ', 1},
                 {"0\n0", '\n', 1},
                 {"x", 'x', 1},
                 {"00\n00\n0x", 'x', 3}};
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint8_t bytes[16];
        struct cli_hex hex;
        assert_int_equal(read_in(cases[i].text, 16, &hex, bytes), -1);
        assert_int_equal(hex.wrong, cases[i].wrong);
        assert_int_equal(hex.line, cases[i].line);
    }
}

static void test_half_a_byte(void **state)
{
    uint8_t bytes[4];
    struct cli_hex hex;
    (void)state;
    assert_int_equal(read_in("001", 16, &hex, bytes), -1);
    assert_int_equal(hex.wrong, 0);
    assert_int_equal(bytes[0], 0);
}

/* A zero byte ends no string and is no blank. */
static void test_zero_byte(void **state)
{
    uint8_t bytes[4];
    size_t count;
    struct cli_hex hex;
    (void)state;
    cli_hex_init(&hex);
    assert_false(cli_hex_read(&hex, "11\0", 3, bytes, &count));
    assert_int_equal(count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),      cmocka_unit_test(test_empty),
        cmocka_unit_test(test_wrong),     cmocka_unit_test(test_half_a_byte),
        cmocka_unit_test(test_zero_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
