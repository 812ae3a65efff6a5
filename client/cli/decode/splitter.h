/* SPDX-License-Identifier: MIT */
/*
 * Cuts a stream of bytes, which comes in pieces of any size, into frames. Bytes that are no frame
 * are passed over up to what may be the next one's magic, and told as one piece.
 */
#ifndef TAU_CLI_DECODE_SPLITTER_H
#define TAU_CLI_DECODE_SPLITTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tau_tables.h"

enum cli_piece_kind {
    CLI_PIECE_FRAME,  /* a right header and its whole payload */
    CLI_PIECE_HEADER, /* a header that every receiver refuses, with its payload if it tells one */
    CLI_PIECE_NOISE,  /* bytes between frames */
    CLI_PIECE_CUT,    /* a frame that the input ends within */
    CLI_PIECE_LOST    /* bytes that are missing in the input */
};

struct cli_piece {
    enum cli_piece_kind kind;
    struct tau_header header; /* of a frame, and of what is told of a wrong one */
    struct tau_slice bytes;   /* the frame, header included; empty for noise and lost bytes */
    uint64_t size;            /* how many bytes this is about */
    enum tau_status status;   /* what is wrong */
    uint32_t offset;          /* where in the header */
};

/* Is told of every piece; its bytes are borrowed for the call. Returns false to stop. */
typedef bool cli_piece_callback(void *user_data, const struct cli_piece *piece);

struct cli_splitter {
    uint8_t *data;
    size_t size;
    size_t capacity; /* grows up to the largest frame */
    uint64_t noise;
    cli_piece_callback *on_piece;
    void *user_data;
};

void cli_splitter_init(struct cli_splitter *splitter, cli_piece_callback *on_piece,
                       void *user_data);
void cli_splitter_done(struct cli_splitter *splitter);

/* Takes bytes. Returns false when there is no memory, or the callback stopped it. */
bool cli_splitter_feed(struct cli_splitter *splitter, const uint8_t *data, size_t size);

/* So many bytes are missing here. What was begun is told as cut. */
bool cli_splitter_lose(struct cli_splitter *splitter, uint64_t size);

/* The input has ended. */
bool cli_splitter_end(struct cli_splitter *splitter);

#endif
