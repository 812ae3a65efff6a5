/* SPDX-License-Identifier: MIT */
/*
 * Streams are found by their number, which is their place. One that is passed over keeps its place.
 */
#include "decode/decoder.h"

#include <stdlib.h>
#include <string.h>

/* One direction, and where its pieces go. */
struct half {
    struct cli_decoder_stream *stream;
    struct cli_splitter splitter;
    bool reply;
};

struct cli_decoder_stream {
    struct cli_decoder *decoder;
    uint32_t number; /* CLI_NO_STREAM where there is but one */
    bool mixed;
    bool begun; /* some of its bytes have come */
    bool passed_over;
    struct cli_conversation conversation;
    struct half halves[2];
};

void cli_decoder_init(struct cli_decoder *decoder, struct cli_printer *printer)
{
    *decoder = (struct cli_decoder){.printer = printer};
}

static void stream_free(struct cli_decoder_stream *stream)
{
    if (stream != NULL) {
        cli_splitter_done(&stream->halves[0].splitter);
        cli_splitter_done(&stream->halves[1].splitter);
        cli_conversation_done(&stream->conversation);
        free(stream);
    }
}

void cli_decoder_done(struct cli_decoder *decoder)
{
    for (size_t i = 0; i < decoder->count; i++) {
        stream_free(decoder->streams[i]);
    }
    free(decoder->streams);
    cli_decoder_init(decoder, decoder->printer);
}

static bool on_piece(void *user_data, const struct cli_piece *piece)
{
    struct half *half = user_data;
    struct cli_decoder_stream *stream = half->stream;
    struct cli_decoder *decoder = stream->decoder;
    struct cli_frame frame;
    bool reply = half->reply;
    bool ok = true;
    if (stream->mixed) {
        reply = tau_frame_kinds[piece->header.opcode] == TAU_FRAME_REPLY;
    }
    if (piece->kind == CLI_PIECE_FRAME) {
        struct tau_slice payload = {.data = piece->bytes.data + TAU_HEADER_SIZE,
                                    .size = piece->header.payload_length};
        ok = cli_conversation_add(&stream->conversation, reply, &piece->header, payload, &frame);
        cli_printer_frame(decoder->printer, stream->number, &frame);
    } else {
        ok = reply || piece->kind != CLI_PIECE_HEADER ||
             cli_conversation_add_refused(&stream->conversation, piece->header.opcode);
        cli_printer_refused(decoder->printer, stream->number, reply, piece);
    }
    return ok;
}

/* Makes a stream in the next place. */
static struct cli_decoder_stream *add_stream(struct cli_decoder *decoder, uint32_t number)
{
    struct cli_decoder_stream **streams =
        realloc(decoder->streams, (decoder->count + 1) * sizeof(struct cli_decoder_stream *));
    struct cli_decoder_stream *stream = calloc(1, sizeof(*stream));
    if (streams != NULL) {
        decoder->streams = streams;
    }
    if (streams == NULL || stream == NULL) {
        free(stream);
        return NULL;
    }
    stream->decoder = decoder;
    stream->number = number;
    for (size_t i = 0; i < 2; i++) {
        stream->halves[i].stream = stream;
        stream->halves[i].reply = i == 1;
        cli_splitter_init(&stream->halves[i].splitter, on_piece, &stream->halves[i]);
    }
    cli_conversation_init(&stream->conversation);
    decoder->streams[decoder->count++] = stream;
    return stream;
}

/* The number behind the last colon of an address. */
uint16_t cli_default_port(void)
{
    return (uint16_t)strtoul(strrchr(TAU_DEFAULT_LISTEN, ':') + 1, NULL, 10);
}

/* Whether the first bytes of a connection are Tau's. */
static bool is_tau(const struct cli_flow_bytes *bytes)
{
    size_t size = bytes->data.size < 3 ? bytes->data.size : 3;
    return bytes->server_port == cli_default_port() ||
           (size > 0 && memcmp(bytes->data.data, "TAU", size) == 0);
}

static struct cli_decoder_stream *find_stream(struct cli_decoder *decoder,
                                              const struct cli_flow_bytes *bytes)
{
    while (decoder->count <= bytes->number) {
        if (add_stream(decoder, (uint32_t)decoder->count) == NULL) {
            return NULL;
        }
    }
    struct cli_decoder_stream *stream = decoder->streams[bytes->number];
    if (!stream->begun) {
        stream->begun = true;
        stream->passed_over = !is_tau(bytes);
    }
    return stream;
}

bool cli_decoder_feed(struct cli_decoder *decoder, const struct cli_flow_bytes *bytes)
{
    struct cli_decoder_stream *stream = find_stream(decoder, bytes);
    if (stream == NULL) {
        return false;
    }
    if (stream->passed_over) {
        return true;
    }
    struct cli_splitter *splitter = &stream->halves[bytes->reply].splitter;
    return (bytes->lost == 0 || cli_splitter_lose(splitter, bytes->lost)) &&
           cli_splitter_feed(splitter, bytes->data.data, bytes->data.size);
}

bool cli_decoder_feed_mixed(struct cli_decoder *decoder, const uint8_t *data, size_t size)
{
    if (decoder->count == 0) {
        if (add_stream(decoder, CLI_NO_STREAM) == NULL) {
            return false;
        }
        decoder->streams[0]->mixed = true;
    }
    return cli_splitter_feed(&decoder->streams[0]->halves[0].splitter, data, size);
}

bool cli_decoder_end(struct cli_decoder *decoder)
{
    bool ok = true;
    for (size_t i = 0; i < decoder->count && ok; i++) {
        struct cli_decoder_stream *stream = decoder->streams[i];
        ok = cli_splitter_end(&stream->halves[0].splitter) &&
             cli_splitter_end(&stream->halves[1].splitter);
    }
    return ok;
}
