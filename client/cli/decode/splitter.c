/* SPDX-License-Identifier: MIT */
/*
 * The buffer holds the beginning of one frame at most; whole frames in the input are still copied
 * once, which is nothing beside printing them.
 */
#include "decode/splitter.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 4096
#define FRAME_MAX      ((size_t)TAU_HEADER_SIZE + TAU_LIMIT_PAYLOAD_BYTES)

static const uint8_t magic[] = {'T', 'A', 'U'};

void cli_splitter_init(struct cli_splitter *splitter, cli_piece_callback *on_piece, void *user_data)
{
    *splitter = (struct cli_splitter){.on_piece = on_piece, .user_data = user_data};
}

void cli_splitter_done(struct cli_splitter *splitter)
{
    free(splitter->data);
    splitter->data = NULL;
}

static bool tell(const struct cli_splitter *splitter, const struct cli_piece *piece)
{
    return splitter->on_piece(splitter->user_data, piece);
}

static bool tell_noise(struct cli_splitter *splitter)
{
    struct cli_piece piece = {
        .kind = CLI_PIECE_NOISE, .size = splitter->noise, .status = TAU_STATUS_BAD_MAGIC};
    splitter->noise = 0;
    return piece.size == 0 || tell(splitter, &piece);
}

/* How far from here the next magic may begin. */
static size_t noise_before_magic(const uint8_t *data, size_t size)
{
    for (size_t at = 0; at < size; at++) {
        size_t left = size - at < sizeof(magic) ? size - at : sizeof(magic);
        if (memcmp(data + at, magic, left) == 0) {
            return at;
        }
    }
    return size;
}

/* Judges a header. Returns how many bytes belong together. */
static size_t judge(const uint8_t *data, struct cli_piece *piece)
{
    struct tau_decode_error error = {.status = TAU_STATUS_SUCCESS};
    piece->status = tau_header_decode(data, &piece->header, &error);
    piece->kind = piece->status == TAU_STATUS_SUCCESS ? CLI_PIECE_FRAME : CLI_PIECE_HEADER;
    piece->offset = error.offset;
    bool told = piece->status == TAU_STATUS_SUCCESS || piece->status == TAU_STATUS_BAD_OPCODE;
    bool fits = piece->header.payload_length <= TAU_LIMIT_PAYLOAD_BYTES;
    return TAU_HEADER_SIZE + (told && fits ? (size_t)piece->header.payload_length : 0);
}

/* Tells the first piece of the bytes. Returns how many are done with, 0 when more are needed. */
static size_t take(struct cli_splitter *splitter, const uint8_t *data, size_t size, bool *ret_ok)
{
    struct cli_piece piece = {.size = 0};
    size_t skipped = noise_before_magic(data, size);
    if (skipped > 0) {
        splitter->noise += skipped;
        return skipped;
    }
    if (size < TAU_HEADER_SIZE) {
        return 0;
    }
    size_t whole = judge(data, &piece);
    if (size < whole) {
        return 0;
    }
    piece.bytes = (struct tau_slice){.data = data, .size = whole};
    piece.size = whole;
    *ret_ok = tell_noise(splitter) && tell(splitter, &piece);
    return whole;
}

/* Adds to the buffer. What is taken is at most what the frame in it lacks, so that it stays small;
   a header that is not whole lacks its rest. */
static size_t lacking(const struct cli_splitter *splitter)
{
    struct cli_piece piece = {.size = 0};
    if (splitter->size < TAU_HEADER_SIZE) {
        return TAU_HEADER_SIZE - splitter->size;
    }
    return judge(splitter->data, &piece) - splitter->size;
}

static bool reserve(struct cli_splitter *splitter, size_t size)
{
    size_t capacity = splitter->capacity == 0 ? FIRST_CAPACITY : splitter->capacity;
    while (capacity < size) {
        capacity *= 2;
    }
    capacity = capacity > FRAME_MAX ? FRAME_MAX : capacity;
    uint8_t *data =
        capacity == splitter->capacity ? splitter->data : realloc(splitter->data, capacity);
    if (data == NULL) {
        return false;
    }
    splitter->data = data;
    splitter->capacity = capacity;
    return true;
}

bool cli_splitter_feed(struct cli_splitter *splitter, const uint8_t *data, size_t size)
{
    bool ok = true;
    while (ok && size > 0) {
        size_t part = lacking(splitter);
        part = part < size ? part : size;
        if (!reserve(splitter, splitter->size + part)) {
            return false;
        }
        memcpy(splitter->data + splitter->size, data, part);
        splitter->size += part;
        data += part;
        size -= part;
        size_t done = 0;
        while (ok && splitter->size > 0 &&
               (done = take(splitter, splitter->data, splitter->size, &ok)) > 0) {
            splitter->size -= done;
            memmove(splitter->data, splitter->data + done, splitter->size);
        }
    }
    return ok;
}

/* Tells what was begun and does not go on. */
static bool cut(struct cli_splitter *splitter)
{
    struct cli_piece piece = {.kind = CLI_PIECE_CUT,
                              .size = splitter->size,
                              .bytes = {.data = splitter->data, .size = splitter->size}};
    if (splitter->size >= TAU_HEADER_SIZE) {
        judge(splitter->data, &piece);
        piece.kind = CLI_PIECE_CUT;
    }
    splitter->size = 0;
    return tell_noise(splitter) && (piece.size == 0 || tell(splitter, &piece));
}

bool cli_splitter_lose(struct cli_splitter *splitter, uint64_t size)
{
    struct cli_piece piece = {.kind = CLI_PIECE_LOST, .size = size};
    return cut(splitter) && tell(splitter, &piece);
}

bool cli_splitter_end(struct cli_splitter *splitter)
{
    return cut(splitter);
}
