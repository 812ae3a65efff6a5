/* SPDX-License-Identifier: MIT */
/*
 * From the bytes of any number of connections to printed frames: each connection has a splitter for
 * either direction and a conversation that matches replies with requests.
 */
#ifndef TAU_CLI_DECODE_DECODER_H
#define TAU_CLI_DECODE_DECODER_H

#include "decode/flows.h"
#include "decode/printer.h"

struct cli_decoder_stream;

/* The port that a server of Tau has by default. */
uint16_t cli_default_port(void);

struct cli_decoder {
    struct cli_printer *printer; /* borrowed */
    struct cli_decoder_stream **streams;
    size_t count;
};

void cli_decoder_init(struct cli_decoder *decoder, struct cli_printer *printer);
void cli_decoder_done(struct cli_decoder *decoder);

/* Takes bytes of a captured connection; a connection that is not Tau's is passed over: one whose
   server has another port than Tau's and whose first bytes are no magic. Returns false when there
   is no memory. */
bool cli_decoder_feed(struct cli_decoder *decoder, const struct cli_flow_bytes *bytes);

/* Takes bytes in which requests and replies stand one behind the other; the opcode tells which. */
bool cli_decoder_feed_mixed(struct cli_decoder *decoder, const uint8_t *data, size_t size);

/* The input has ended: prints what is not whole. */
bool cli_decoder_end(struct cli_decoder *decoder);

#endif
