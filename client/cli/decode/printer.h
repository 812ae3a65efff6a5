/* SPDX-License-Identifier: MIT */
/*
 * Prints frames, each on a line: as text for people, or as an object of JSON with every value.
 *
 *     > APPEND flags=0x00 length=48 label="kitchen" timestamp=... value=21.5
 *     < OK to APPEND flags=0x00 length=0
 *     < ERR to APPEND flags=0x00 length=1 status=out_of_order
 */
#ifndef TAU_CLI_DECODE_PRINTER_H
#define TAU_CLI_DECODE_PRINTER_H

#include <stdio.h>

#include "decode/conversation.h"
#include "decode/splitter.h"
#include "format/writer.h"

/* No stream: what is printed comes from one connection. */
#define CLI_NO_STREAM UINT32_MAX

struct cli_printer {
    FILE *out;              /* borrowed */
    enum cli_format format; /* table, json or jsonl */
    enum cli_time_format time_format;
    size_t printed;
    bool first; /* no value of the open object or array was printed yet */
    size_t cut; /* elements of the open array that are left out */
};

void cli_printer_begin(struct cli_printer *printer, FILE *out, enum cli_format format,
                       enum cli_time_format time_format);
void cli_printer_end(struct cli_printer *printer);

/* Prints a frame. `stream` numbers the connection. Returns whether it was right. */
bool cli_printer_frame(struct cli_printer *printer, uint32_t stream, const struct cli_frame *frame);

/* Prints what is no frame. */
void cli_printer_refused(struct cli_printer *printer, uint32_t stream, bool reply,
                         const struct cli_piece *piece);

#endif
