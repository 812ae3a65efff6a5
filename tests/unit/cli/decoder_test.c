/* SPDX-License-Identifier: MIT */
/* Bytes of several connections become lines; connections that are not Tau's do not. */
#include "cli_test.h"
#include "decode/decoder.h"

static struct cli_decoder decoder;
static struct cli_printer printer;
static char *text;
static size_t text_size;
static FILE *out;

static int setup(void **state)
{
    (void)state;
    out = open_memstream(&text, &text_size);
    assert_non_null(out);
    cli_printer_begin(&printer, out, CLI_FORMAT_TABLE, CLI_TIME_NS);
    cli_decoder_init(&decoder, &printer);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    cli_decoder_done(&decoder);
    fclose(out);
    free(text);
    return 0;
}

static void feed(uint32_t number, uint16_t port, bool reply, const void *data, size_t size,
                 uint64_t lost)
{
    struct cli_flow_bytes bytes = {.number = number,
                                   .server_port = port,
                                   .reply = reply,
                                   .lost = lost,
                                   .data = {.data = data, .size = size}};
    assert_true(cli_decoder_feed(&decoder, &bytes));
}

static void expect(const char *wanted)
{
    assert_true(cli_decoder_end(&decoder));
    fflush(out);
    assert_string_equal(text, wanted);
}

static const char ping[] = "TAU\1\3\0\0\0\0\0";
static const char pong[] = "TAU\1\4\0\0\0\0\0";
static const char disconnect[] = "TAU\1\2\0\0\0\0\0";
static const char ok[] = "TAU\1\xF0\0\0\0\0\0";

static void test_port(void **state)
{
    (void)state;
    assert_int_equal(cli_default_port(), 7701);
}

static void test_connections_apart(void **state)
{
    (void)state;
    feed(0, 7701, false, ping, 10, 0);
    feed(1, 7701, false, disconnect, 7, 0);
    feed(0, 7701, true, pong, 10, 0);
    feed(1, 7701, false, disconnect + 7, 3, 0);
    feed(1, 7701, true, ok, 10, 0);
    expect("[0] > PING flags=0x00 length=0 ignored=0x\n"
           "[0] < PONG to PING flags=0x00 length=0\n"
           "[1] > DISCONNECT flags=0x00 length=0\n"
           "[1] < OK to DISCONNECT flags=0x00 length=0\n");
}

static void test_others_are_passed_over(void **state)
{
    (void)state;
    feed(0, 80, false, "GET / HTTP/1.0", 14, 0);
    feed(2, 9000, false, disconnect, 10, 0);
    feed(0, 80, true, disconnect, 10, 0);
    feed(1, 7701, false, "noise", 5, 0);
    expect("[2] > DISCONNECT flags=0x00 length=0\n"
           "[1] > 5 bytes that are no frame error=bad_magic field=none offset=0\n");
}

static void test_lost_and_cut(void **state)
{
    (void)state;
    feed(0, 7701, false, disconnect, 6, 0);
    feed(0, 7701, false, disconnect, 10, 20);
    feed(0, 7701, true, ok, 4, 0);
    expect("[0] > 6 bytes of a frame that is not whole\n"
           "[0] > 20 bytes are missing\n"
           "[0] > DISCONNECT flags=0x00 length=0\n"
           "[0] < 4 bytes of a frame that is not whole\n");
}

static void test_mixed(void **state)
{
    (void)state;
    assert_true(cli_decoder_feed_mixed(&decoder, (const uint8_t *)ping, 10));
    assert_true(cli_decoder_feed_mixed(&decoder, (const uint8_t *)disconnect, 10));
    assert_true(cli_decoder_feed_mixed(&decoder, (const uint8_t *)pong, 10));
    assert_true(cli_decoder_feed_mixed(&decoder, (const uint8_t *)ok, 10));
    expect("> PING flags=0x00 length=0 ignored=0x\n"
           "> DISCONNECT flags=0x00 length=0\n"
           "< PONG to PING flags=0x00 length=0\n"
           "< OK to DISCONNECT flags=0x00 length=0\n");
}

/* A request of no known operation is answered too: what follows keeps its answer. */
static void test_refused_request(void **state)
{
    static const char unknown[] = "TAU\1\xEE\0\0\0\0\0";
    (void)state;
    feed(0, 7701, false, unknown, 10, 0);
    feed(0, 7701, false, disconnect, 10, 0);
    feed(0, 7701, true, "TAU\1\xFF\0\0\0\0\1\3", 11, 0);
    feed(0, 7701, true, ok, 10, 0);
    assert_true(cli_decoder_end(&decoder));
    fflush(out);
    assert_non_null(strstr(text, "opcode=0xee error=bad_opcode"));
    assert_non_null(strstr(text, "< ERR to an unknown request flags=0x00 length=1 "
                                 "status=bad_opcode"));
    assert_non_null(strstr(text, "< OK to DISCONNECT"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_port),
        TEST(test_connections_apart),
        TEST(test_others_are_passed_over),
        TEST(test_lost_and_cut),
        TEST(test_mixed),
        TEST(test_refused_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
