/* SPDX-License-Identifier: MIT */
/* Lines of text and objects of JSON: heads, values, faults, and what is left out of long lines. */
#include "cli_test.h"
#include "decode/printer.h"

static char *text;
static size_t text_size;
static FILE *out;
static struct cli_printer printer;

static void begin(enum cli_format format)
{
    out = open_memstream(&text, &text_size);
    assert_non_null(out);
    cli_printer_begin(&printer, out, format, CLI_TIME_NS);
}

static void end(void)
{
    cli_printer_end(&printer);
    fclose(out);
    free(text);
}

static void expect(const char *wanted)
{
    cli_printer_end(&printer);
    fclose(out);
    assert_string_equal(text, wanted);
    free(text);
}

static struct cli_frame frame_of(bool reply, uint8_t opcode, uint8_t asked, const char *layout,
                                 const void *payload, size_t size)
{
    return (struct cli_frame){.reply = reply,
                              .header = {.opcode = opcode, .payload_length = (uint32_t)size},
                              .operation = tau_operation_find(asked),
                              .layout = layout != NULL ? tau_payload_find(layout) : NULL,
                              .readable = layout != NULL,
                              .payload = {.data = payload, .size = size}};
}

static struct cli_frame append_frame(void)
{
    static uint8_t room[64];
    struct tau_writer writer = tau_writer_over(room, sizeof(room));
    struct tau_append_request request = {.label = label_of("a \"b"), .timestamp = 5, .value = 2.5};
    assert_true(tau_append_request_encode(&request, &writer));
    return frame_of(false, TAU_OPCODE_APPEND, TAU_OPCODE_APPEND, "append_request", room,
                    writer.size);
}

static void test_text(void **state)
{
    struct cli_frame frame = append_frame();
    (void)state;
    begin(CLI_FORMAT_TABLE);
    assert_true(cli_printer_frame(&printer, CLI_NO_STREAM, &frame));
    frame.payload.size -= 9;
    frame.header.payload_length -= 9;
    assert_false(cli_printer_frame(&printer, 3, &frame));
    frame = frame_of(true, TAU_OPCODE_ERR, TAU_OPCODE_APPEND, "err", "\x0B", 1);
    assert_true(cli_printer_frame(&printer, CLI_NO_STREAM, &frame));
    frame = frame_of(true, TAU_OPCODE_OK, 0, NULL, "abc", 3);
    frame.header.flags = TAU_FLAG_MORE;
    assert_true(cli_printer_frame(&printer, CLI_NO_STREAM, &frame));
    expect(
        "> APPEND flags=0x00 length=48 label=\"a \\\"b\" timestamp=5 value=2.5\n"
        "[3] > APPEND flags=0x00 length=39 error=invalid_payload field=timestamp offset=39\n"
        "< ERR to APPEND flags=0x00 length=1 status=out_of_order field=none offset=none text=none\n"
        "< OK to an unknown request flags=0x01 length=3\n");
}

static void test_json(void **state)
{
    struct cli_frame frame = append_frame();
    (void)state;
    begin(CLI_FORMAT_JSON);
    cli_printer_frame(&printer, 7, &frame);
    frame = frame_of(true, TAU_OPCODE_OK, 0, NULL, "abc", 3);
    cli_printer_frame(&printer, CLI_NO_STREAM, &frame);
    expect("[\n  {\"stream\": 7, \"direction\": \"request\", \"opcode\": \"APPEND\", \"code\": 32, "
           "\"operation\": \"APPEND\", \"flags\": 0, \"length\": 48, \"fields\": {\"label\": "
           "\"a \\\"b\", \"timestamp\": 5, \"value\": 2.5}, \"error\": null},\n"
           "  {\"direction\": \"reply\", \"opcode\": \"OK\", \"code\": 240, \"operation\": null, "
           "\"flags\": 0, \"length\": 3, \"fields\": null, \"error\": null}\n]\n");
    begin(CLI_FORMAT_JSON);
    expect("[]\n");
}

static void test_faults(void **state)
{
    struct cli_piece piece = {.kind = CLI_PIECE_NOISE, .size = 3, .status = TAU_STATUS_BAD_MAGIC};
    (void)state;
    begin(CLI_FORMAT_TABLE);
    cli_printer_refused(&printer, CLI_NO_STREAM, false, &piece);
    piece = (struct cli_piece){.kind = CLI_PIECE_LOST, .size = 1000};
    cli_printer_refused(&printer, 0, true, &piece);
    piece = (struct cli_piece){.kind = CLI_PIECE_HEADER,
                               .header = {.opcode = 0xEE},
                               .size = 10,
                               .status = TAU_STATUS_BAD_OPCODE,
                               .offset = 4};
    cli_printer_refused(&printer, CLI_NO_STREAM, false, &piece);
    piece = (struct cli_piece){.kind = CLI_PIECE_CUT, .size = 12};
    cli_printer_refused(&printer, CLI_NO_STREAM, false, &piece);
    expect("> 3 bytes that are no frame error=bad_magic field=none offset=0\n"
           "[0] < 1000 bytes are missing\n"
           "> 10 bytes of a frame that is refused opcode=0xee error=bad_opcode field=none "
           "offset=4\n"
           "> 12 bytes of a frame that is not whole\n");
    begin(CLI_FORMAT_JSONL);
    cli_printer_refused(&printer, CLI_NO_STREAM, false, &piece);
    piece = (struct cli_piece){.kind = CLI_PIECE_HEADER,
                               .header = {.opcode = 0xEE, .flags = 1},
                               .size = 10,
                               .status = TAU_STATUS_BAD_OPCODE,
                               .offset = 4};
    cli_printer_refused(&printer, 2, true, &piece);
    expect("{\"direction\": \"request\", \"bytes\": 12, \"words\": \"bytes of a frame that is not "
           "whole\", \"error\": null}\n"
           "{\"stream\": 2, \"direction\": \"reply\", \"bytes\": 10, \"words\": \"bytes of a frame "
           "that is refused\", \"code\": 238, \"error\": {\"status\": \"bad_opcode\", \"field\": "
           "null, \"offset\": 4}}\n");
}

/* A line stays short, an object is whole. */
static void test_long(void **state)
{
    static uint8_t payload[400];
    struct cli_frame frame =
        frame_of(false, TAU_OPCODE_PING, TAU_OPCODE_PING, "ping_request", payload, 100);
    (void)state;
    begin(CLI_FORMAT_TABLE);
    cli_printer_frame(&printer, CLI_NO_STREAM, &frame);
    fflush(out);
    assert_non_null(strstr(text, "00...(100 bytes)\n"));
    assert_int_equal(strlen(text), strlen("> PING flags=0x00 length=100 ignored=0x") + 128 +
                                       strlen("...(100 bytes)\n"));
    payload[3] = 17;
    frame = frame_of(true, TAU_OPCODE_OK, TAU_OPCODE_QUERY_RANGE, "query_range_response", payload,
                     4 + 17 * 16);
    cli_printer_frame(&printer, CLI_NO_STREAM, &frame);
    fflush(out);
    assert_non_null(strstr(text, "timestamps=[0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 ...(17 in all)] "));
    end();
    begin(CLI_FORMAT_JSONL);
    cli_printer_frame(&printer, CLI_NO_STREAM, &frame);
    fflush(out);
    assert_non_null(strstr(text, "[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], "));
    end();
}

/* What a peer calls itself cannot be taken for anything else. */
static void test_foreign_text(void **state)
{
    static const char words[] = "x\ny\" error=none";
    uint8_t room[64];
    struct tau_writer writer = tau_writer_over(room, sizeof(room));
    struct tau_err error = {.status = TAU_STATUS_BAD_FLAGS,
                            .has_detailed_errors = true,
                            .text = {.data = (const uint8_t *)words, .size = strlen(words)}};
    (void)state;
    assert_true(tau_err_encode(&error, &writer));
    struct cli_frame frame =
        frame_of(true, TAU_OPCODE_ERR, TAU_OPCODE_PING, "err", room, writer.size);
    begin(CLI_FORMAT_TABLE);
    cli_printer_frame(&printer, CLI_NO_STREAM, &frame);
    expect("< ERR to PING flags=0x00 length=24 status=bad_flags field=0 offset=0 "
           "text=\"x\\u000ay\\\" error=none\"\n");
}

/* An error whose words are so long ends a line with these. */
static void expect_words(size_t size, const char *wanted)
{
    uint8_t room[128];
    struct tau_writer writer = tau_writer_over(room, sizeof(room));
    char words[71];
    struct tau_err error = {.status = TAU_STATUS_BAD_FLAGS,
                            .has_detailed_errors = true,
                            .text = {.data = (const uint8_t *)words, .size = size}};
    memset(words, 'w', sizeof(words));
    assert_true(tau_err_encode(&error, &writer));
    struct cli_frame frame =
        frame_of(true, TAU_OPCODE_ERR, TAU_OPCODE_PING, "err", room, writer.size);
    begin(CLI_FORMAT_TABLE);
    cli_printer_frame(&printer, CLI_NO_STREAM, &frame);
    cli_printer_end(&printer);
    fclose(out);
    assert_non_null(strstr(text, wanted));
    free(text);
}

static void test_long_text(void **state)
{
    (void)state;
    expect_words(70, "www\"...(70 bytes)\n");
    expect_words(65, "www\"...(65 bytes)\n");
    expect_words(64, "www\"\n");
}

/* As many elements as a line holds are all that there are. */
static void test_full_line(void **state)
{
    static uint8_t payload[4 + 16 * 16];
    struct cli_frame frame = frame_of(true, TAU_OPCODE_OK, TAU_OPCODE_QUERY_RANGE,
                                      "query_range_response", payload, sizeof(payload));
    (void)state;
    payload[3] = 16;
    begin(CLI_FORMAT_TABLE);
    cli_printer_frame(&printer, CLI_NO_STREAM, &frame);
    expect("< OK to QUERY_RANGE flags=0x00 length=260 count=16 "
           "timestamps=[0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0] "
           "values=[0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0]\n");
}

/* Bytes of a later version behind a payload are counted. */
static void test_extra(void **state)
{
    static const uint8_t payload[32 + 2] = "cpu";
    struct cli_frame frame = frame_of(false, TAU_OPCODE_DESCRIBE_SERIES, TAU_OPCODE_DESCRIBE_SERIES,
                                      "describe_series_request", payload, sizeof(payload));
    (void)state;
    begin(CLI_FORMAT_TABLE);
    assert_true(cli_printer_frame(&printer, CLI_NO_STREAM, &frame));
    expect("> DESCRIBE_SERIES flags=0x00 length=34 label=\"cpu\" extra=2 bytes\n");
    begin(CLI_FORMAT_JSONL);
    assert_true(cli_printer_frame(&printer, CLI_NO_STREAM, &frame));
    expect("{\"direction\": \"request\", \"opcode\": \"DESCRIBE_SERIES\", \"code\": 19, "
           "\"operation\": \"DESCRIBE_SERIES\", \"flags\": 0, \"length\": 34, \"fields\": "
           "{\"label\": \"cpu\"}, \"extra\": 2, \"error\": null}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),         cmocka_unit_test(test_json),
        cmocka_unit_test(test_faults),       cmocka_unit_test(test_long),
        cmocka_unit_test(test_foreign_text), cmocka_unit_test(test_long_text),
        cmocka_unit_test(test_full_line),    cmocka_unit_test(test_extra),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
