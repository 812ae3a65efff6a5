/* SPDX-License-Identifier: MIT */
/* Bytes become frames however they come; what is no frame is told and passed over. */
#include "cli_test.h"
#include "decode/splitter.h"

/* What was told, a word each: F5 a frame of 5 bytes of payload, H a header, N3 noise, C2 a cut one,
   L9 lost bytes. */
struct told {
    char words[4096];
    uint8_t opcode; /* of the last piece, 0 where it has none */
    bool stop;
};

static bool on_piece(void *user_data, const struct cli_piece *piece)
{
    static const char letters[] = "FHNCL";
    struct told *told = user_data;
    size_t used = strlen(told->words);
    unsigned long long number =
        piece->kind == CLI_PIECE_FRAME ? piece->header.payload_length : piece->size;
    if (piece->kind == CLI_PIECE_FRAME) {
        assert_int_equal(piece->bytes.size, TAU_HEADER_SIZE + number);
        for (size_t i = TAU_HEADER_SIZE; i < piece->bytes.size; i++) {
            assert_int_equal(piece->bytes.data[i], (uint8_t)i);
        }
    }
    snprintf(told->words + used, sizeof(told->words) - used, "%c%llu ", letters[piece->kind],
             number);
    if (piece->status != TAU_STATUS_SUCCESS) {
        used = strlen(told->words);
        snprintf(told->words + used, sizeof(told->words) - used, "%s@%u ",
                 tau_status_name(piece->status), piece->offset);
    }
    told->opcode = piece->header.opcode;
    return !told->stop;
}

struct bytes {
    uint8_t data[8192];
    size_t size;
};

static void put(struct bytes *bytes, const void *data, size_t size)
{
    memcpy(bytes->data + bytes->size, data, size);
    bytes->size += size;
}

static void put_frame(struct bytes *bytes, uint8_t opcode, uint32_t length, uint32_t held)
{
    struct tau_header header = {.opcode = opcode, .payload_length = length};
    tau_header_store(bytes->data + bytes->size, &header);
    for (uint32_t i = 0; i < held; i++) {
        bytes->data[bytes->size + TAU_HEADER_SIZE + i] = (uint8_t)(TAU_HEADER_SIZE + i);
    }
    bytes->size += TAU_HEADER_SIZE + held;
}

/* Feeds bytes in pieces of each size and expects the same words. */
static void expect(const struct bytes *bytes, const char *words)
{
    for (size_t piece = 1; piece <= bytes->size; piece += piece < 40 ? 1 : 117) {
        struct told told = {.stop = false};
        struct cli_splitter splitter;
        cli_splitter_init(&splitter, on_piece, &told);
        for (size_t at = 0; at < bytes->size; at += piece) {
            size_t part = bytes->size - at < piece ? bytes->size - at : piece;
            assert_true(cli_splitter_feed(&splitter, bytes->data + at, part));
        }
        assert_true(cli_splitter_end(&splitter));
        assert_string_equal(told.words, words);
        cli_splitter_done(&splitter);
    }
}

static void test_frames(void **state)
{
    struct bytes bytes = {.size = 0};
    (void)state;
    put_frame(&bytes, TAU_OPCODE_PING, 0, 0);
    put_frame(&bytes, TAU_OPCODE_PING, 5, 5);
    put_frame(&bytes, TAU_OPCODE_OK, 3000, 3000);
    put_frame(&bytes, TAU_OPCODE_PING, 1, 1);
    expect(&bytes, "F0 F5 F3000 F1 ");
}

static void test_noise(void **state)
{
    struct bytes bytes = {.size = 0};
    (void)state;
    put(&bytes, "T TA TAV", 8);
    put_frame(&bytes, TAU_OPCODE_PING, 2, 2);
    put(&bytes, "TTATA", 5);
    put_frame(&bytes, TAU_OPCODE_PING, 0, 0);
    put(&bytes, "x", 1);
    expect(&bytes, "N8 bad_magic@0 F2 N5 bad_magic@0 F0 N1 bad_magic@0 ");
}

static void test_wrong_headers(void **state)
{
    struct bytes bytes = {.size = 0};
    (void)state;
    put(&bytes, "TAU\2\3\0\0\0\0\0", 10);
    put_frame(&bytes, 0xEE, 4, 4);
    put_frame(&bytes, TAU_OPCODE_PING, TAU_LIMIT_PAYLOAD_BYTES + 1, 0);
    put_frame(&bytes, 0xEE, UINT32_MAX, 0);
    put_frame(&bytes, TAU_OPCODE_PING, 1, 1);
    expect(&bytes, "H10 bad_version@3 H14 bad_opcode@4 H10 payload_too_large@6 "
                   "H10 bad_opcode@4 F1 ");
}

static void test_cut(void **state)
{
    struct bytes bytes = {.size = 0};
    (void)state;
    put_frame(&bytes, TAU_OPCODE_PING, 0, 0);
    put_frame(&bytes, TAU_OPCODE_PING, 9, 4);
    expect(&bytes, "F0 C14 ");
    bytes.size = TAU_HEADER_SIZE + 3;
    expect(&bytes, "F0 C3 ");
}

/* The header of a frame that is cut is told as soon as it is whole. */
static void test_header_of_what_is_cut(void **state)
{
    struct bytes bytes = {.size = 0};
    (void)state;
    put_frame(&bytes, TAU_OPCODE_PING, 9, 4);
    for (size_t size = 1; size <= bytes.size; size++) {
        struct told told = {.stop = false};
        struct cli_splitter splitter;
        cli_splitter_init(&splitter, on_piece, &told);
        assert_true(cli_splitter_feed(&splitter, bytes.data, size));
        assert_true(cli_splitter_end(&splitter));
        assert_int_equal(told.words[0], 'C');
        assert_int_equal(told.opcode, size < TAU_HEADER_SIZE ? 0 : TAU_OPCODE_PING);
        cli_splitter_done(&splitter);
    }
}

static void test_lost(void **state)
{
    struct bytes bytes = {.size = 0};
    struct told told = {.stop = false};
    struct cli_splitter splitter;
    (void)state;
    put_frame(&bytes, TAU_OPCODE_PING, 9, 4);
    cli_splitter_init(&splitter, on_piece, &told);
    assert_true(cli_splitter_feed(&splitter, bytes.data, bytes.size));
    assert_true(cli_splitter_lose(&splitter, 100));
    bytes.size = 0;
    put_frame(&bytes, TAU_OPCODE_PING, 1, 1);
    assert_true(cli_splitter_feed(&splitter, bytes.data, bytes.size));
    assert_true(cli_splitter_end(&splitter));
    assert_string_equal(told.words, "C14 L100 F1 ");
    cli_splitter_done(&splitter);
}

static void test_stop(void **state)
{
    struct bytes bytes = {.size = 0};
    struct told told = {.stop = true};
    struct cli_splitter splitter;
    (void)state;
    put_frame(&bytes, TAU_OPCODE_PING, 0, 0);
    put_frame(&bytes, TAU_OPCODE_PING, 0, 0);
    cli_splitter_init(&splitter, on_piece, &told);
    assert_false(cli_splitter_feed(&splitter, bytes.data, bytes.size));
    assert_string_equal(told.words, "F0 ");
    cli_splitter_done(&splitter);
}

/* The largest frame fits, and no more is ever held. */
static void test_largest(void **state)
{
    struct told told = {.stop = false};
    struct cli_splitter splitter;
    struct tau_header header = {.opcode = TAU_OPCODE_PING,
                                .payload_length = TAU_LIMIT_PAYLOAD_BYTES};
    size_t size = TAU_HEADER_SIZE + TAU_LIMIT_PAYLOAD_BYTES;
    uint8_t *frame = malloc(size);
    (void)state;
    assert_non_null(frame);
    for (size_t i = 0; i < size; i++) {
        frame[i] = (uint8_t)i;
    }
    tau_header_store(frame, &header);
    cli_splitter_init(&splitter, on_piece, &told);
    assert_true(cli_splitter_feed(&splitter, frame, size));
    assert_true(cli_splitter_feed(&splitter, frame, size));
    assert_string_equal(told.words, "F4194304 F4194304 ");
    assert_int_equal(splitter.capacity, size);
    cli_splitter_done(&splitter);
    free(frame);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frames),
        cmocka_unit_test(test_noise),
        cmocka_unit_test(test_wrong_headers),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_header_of_what_is_cut),
        cmocka_unit_test(test_lost),
        cmocka_unit_test(test_stop),
        cmocka_unit_test(test_largest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
