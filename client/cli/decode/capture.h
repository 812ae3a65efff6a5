/* SPDX-License-Identifier: MIT */
/*
 * Reads the packets of a capture file: pcap, in either order of bytes and either unit of time, and
 * pcapng. Times are left out: nothing here asks for them.
 */
#ifndef TAU_CLI_DECODE_CAPTURE_H
#define TAU_CLI_DECODE_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <tau/protocol.h>

/* What tells a capture from anything else. */
#define CLI_CAPTURE_MAGIC_SIZE 4

#define CLI_CAPTURE_INTERFACES 64

struct cli_capture {
    FILE *in; /* borrowed */
    bool next_generation;
    bool swapped; /* the file's numbers are in the other order of bytes */
    uint32_t links[CLI_CAPTURE_INTERFACES];
    size_t interfaces;
    uint8_t *packet; /* owned; grows up to the largest block that is read */
    size_t capacity;
};

enum cli_capture_step { CLI_CAPTURE_PACKET, CLI_CAPTURE_END, CLI_CAPTURE_BAD };

/* Whether a file that begins with these bytes is a capture. */
bool cli_capture_is_one(const uint8_t magic[CLI_CAPTURE_MAGIC_SIZE]);

/* Begins to read `in`, of which the magic was read already. Returns NULL or what is wrong. */
const char *cli_capture_begin(struct cli_capture *capture, FILE *in,
                              const uint8_t magic[CLI_CAPTURE_MAGIC_SIZE]);
void cli_capture_done(struct cli_capture *capture);

/* Reads the next packet; it is borrowed until the next call. *ret_reason says what is bad. */
enum cli_capture_step cli_capture_next(struct cli_capture *capture, uint32_t *ret_link,
                                       struct tau_slice *ret_packet, const char **ret_reason);

#endif
