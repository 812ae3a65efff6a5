/* SPDX-License-Identifier: MIT */
/* tau-cli decode: files of text and of packets, formats, and what cannot be read. */
#include <unistd.h>

#include "command_rig.h"
#include "decode/flows.h"

static char path[] = "/tmp/tau-decode-XXXXXX";

/* Runs the command over a file of these bytes, with options. */
static int decode(struct command_rig *rig, const void *data, size_t size, const char *options)
{
    char line[256];
    strcpy(path + strlen(path) - 6, "XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, size), size);
    close(fd);
    snprintf(line, sizeof(line), "decode %s %s", options, path);
    int code = rig_run(rig, line);
    unlink(path);
    return code;
}

static int decode_text(struct command_rig *rig, const char *text, const char *options)
{
    return decode(rig, text, strlen(text), options);
}

static void test_text(void **state)
{
    struct command_rig *rig = *state;
    assert_int_equal(decode_text(rig, "5441550102 0000000000\n54 41 55 01 F0 00 00 00 00 00", ""),
                     CLI_OK);
    assert_string_equal(rig->out, "> DISCONNECT flags=0x00 length=0\n"
                                  "< OK to DISCONNECT flags=0x00 length=0\n");
    assert_string_equal(rig->err, "");
    assert_int_equal(decode_text(rig, "", ""), CLI_OK);
    assert_string_equal(rig->out, "");
    assert_int_equal(decode_text(rig, "54", ""), CLI_OK);
    assert_string_equal(rig->out, "> 1 bytes of a frame that is not whole\n");
}

static void test_formats(void **state)
{
    struct command_rig *rig = *state;
    assert_int_equal(decode_text(rig, "54415501020000000000", "--format json"), CLI_OK);
    assert_string_equal(rig->out, "[\n  {\"direction\": \"request\", \"opcode\": \"DISCONNECT\", "
                                  "\"code\": 2, \"operation\": \"DISCONNECT\", \"flags\": 0, "
                                  "\"length\": 0, \"fields\": {}, \"error\": null}\n]\n");
    assert_int_equal(decode_text(rig, "", "--format jsonl"), CLI_OK);
    assert_string_equal(rig->out, "");
    assert_int_equal(decode_text(rig, "", "--format csv"), CLI_USAGE);
    assert_int_equal(decode_text(rig, "", "--format tsv"), CLI_USAGE);
    assert_non_null(strstr(rig->err, "--format is table, json or jsonl here"));
}

static void test_wrong_text(void **state)
{
    struct command_rig *rig = *state;
    assert_int_equal(decode_text(rig, "54415501020000000000\n5g", ""), CLI_ERROR);
    assert_string_equal(rig->out, "> DISCONNECT flags=0x00 length=0\n");
    assert_non_null(strstr(rig->err, "line 2: `g` is no hexadecimal digit"));
    assert_int_equal(decode_text(rig, "5441550", ""), CLI_ERROR);
    assert_non_null(strstr(rig->err, "line 1: a byte is two hexadecimal digits"));
}

/* A pcap of one packet of bare IPv4 that holds these bytes. */
static size_t make_capture(uint8_t *room, uint8_t link, const char *data, size_t size)
{
    const uint8_t head[] = {0xd4,
                            0xc3,
                            0xb2,
                            0xa1,
                            2,
                            0,
                            4,
                            0,
                            0,
                            0,
                            0,
                            0,
                            0,
                            0,
                            0,
                            0,
                            0,
                            0,
                            1,
                            0,
                            link,
                            0,
                            0,
                            0,
                            0,
                            0,
                            0,
                            0,
                            0,
                            0,
                            0,
                            0,
                            (uint8_t)(40 + size),
                            0,
                            0,
                            0,
                            (uint8_t)(40 + size),
                            0,
                            0,
                            0};
    const uint8_t ip[] = {0x45, 0,    0,    (uint8_t)(40 + size),
                          0,    0,    0,    0,
                          64,   6,    0,    0,
                          1,    1,    1,    1,
                          2,    2,    2,    2,
                          1,    1,    0x1E, 0x15,
                          0,    0,    0,    1,
                          0,    0,    0,    0,
                          0x50, 0x10, 0,    0,
                          0,    0,    0,    0};
    memcpy(room, head, sizeof(head));
    memcpy(room + sizeof(head), ip, sizeof(ip));
    memcpy(room + sizeof(head) + sizeof(ip), data, size);
    return sizeof(head) + sizeof(ip) + size;
}

static void test_capture(void **state)
{
    struct command_rig *rig = *state;
    uint8_t room[256];
    size_t size = make_capture(room, 101, "TAU\1\2\0\0\0\0\0", 10);
    assert_int_equal(decode(rig, room, size, ""), CLI_OK);
    assert_string_equal(rig->out, "[0] > DISCONNECT flags=0x00 length=0\n");
    assert_int_equal(decode(rig, room, size - 1, ""), CLI_ERROR);
    assert_string_equal(rig->out, "");
    assert_non_null(strstr(rig->err, "the file ends within a packet"));
    assert_int_equal(decode(rig, room, 20, ""), CLI_ERROR);
    size = make_capture(room, 147, "TAU\1\2\0\0\0\0\0", 10);
    assert_int_equal(decode(rig, room, size, ""), CLI_ERROR);
    assert_non_null(strstr(rig->err, "packets of link type 147 cannot be read"));
}

/* One connection more than are followed, each by its opening. */
static void test_too_many_connections(void **state)
{
    enum { HEAD = 24, PACKET = 16 + 40, SOURCE = HEAD + 16 + 12, FLAGS = HEAD + 16 + 20 + 13 };
    struct command_rig *rig = *state;
    uint8_t first[HEAD + PACKET];
    make_capture(first, 101, "", 0);
    first[FLAGS] = CLI_TCP_SYN;
    uint8_t *room = malloc(HEAD + (CLI_FLOW_LIMIT + 1) * (size_t)PACKET);
    assert_non_null(room);
    uint8_t *end = room + HEAD;
    memcpy(room, first, HEAD);
    for (uint32_t i = 0; i <= CLI_FLOW_LIMIT; i++, end += PACKET) {
        first[SOURCE + 1] = (uint8_t)(i >> 16);
        first[SOURCE + 2] = (uint8_t)(i >> 8);
        first[SOURCE + 3] = (uint8_t)i;
        memcpy(end, first + HEAD, PACKET);
    }
    assert_int_equal(decode(rig, room, (size_t)(end - room) - PACKET, ""), CLI_OK);
    assert_string_equal(rig->err, "");
    assert_int_equal(decode(rig, room, (size_t)(end - room), ""), CLI_ERROR);
    assert_non_null(strstr(rig->err, "more than 65536 connections"));
    free(room);
}

static void test_files(void **state)
{
    struct command_rig *rig = *state;
    rig_expect_failure(rig, "decode /nowhere/at/all", CLI_ERROR, "No such file");
    rig_expect_failure(rig, "decode /tmp", CLI_ERROR, "Is a directory");
    rig_expect_failure(rig, "decode one two", CLI_USAGE, "too many");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(test_text),    RIG_TEST(test_formats), RIG_TEST(test_wrong_text),
        RIG_TEST(test_capture), RIG_TEST(test_too_many_connections), RIG_TEST(test_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
