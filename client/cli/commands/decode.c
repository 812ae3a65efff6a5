/* SPDX-License-Identifier: MIT */
/*
 * tau-cli decode: prints the frames in hexadecimal text or in a capture file, field by field. It
 * connects to no server; the frames are read by the descriptions that this program was compiled
 * with.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "decode/capture.h"
#include "decode/decoder.h"
#include "decode/hex.h"
#include "tau_cli_commands.h"

#define TEXT_BYTES 65536

static const struct cli_argument arguments_of_decode[] = {
    {.name = "FILE",
     .doc = "hexadecimal text, or a capture (pcap, pcapng); - or nothing for standard input",
     .optional = true},
};

const struct cli_syntax tau_command_decode_syntax = {
    .arguments = arguments_of_decode,
    .argument_count = 1,
    .notes = "Hexadecimal text is frames one behind the other, with white space anywhere between\n"
             "bytes: requests and replies in the order in which they crossed the wire. In a\n"
             "capture the connections are put together from their segments; those whose server\n"
             "has another port than Tau's are looked at if they begin with a frame.\n\n"
             "Formats are table (a line of text for each frame, long arrays cut short), json and\n"
             "jsonl (an object for each frame, everything in it). A certificate is not shown.",
};

/* What is being read, for messages. */
struct input {
    struct cli *cli;
    const char *name;
    FILE *file;
    struct cli_decoder decoder;
};

static int no_memory(const struct input *input)
{
    return cli_failed(input->cli, input->name, TAU_STATUS_NO_MEMORY, NULL);
}

static int read_failed(const struct input *input)
{
    cli_complain(input->cli, "%s: %s", input->name, strerror(errno));
    return CLI_ERROR;
}

static bool on_flow(void *user_data, const struct cli_flow_bytes *bytes)
{
    return cli_decoder_feed(user_data, bytes);
}

/* Reads packets to the end. Packets of no TCP are passed over. */
static int read_packets(struct input *input, struct cli_capture *capture, struct cli_flows *flows)
{
    const char *reason = NULL;
    struct tau_slice packet;
    struct cli_segment segment;
    uint32_t link;
    enum cli_capture_step step;
    while ((step = cli_capture_next(capture, &link, &packet, &reason)) == CLI_CAPTURE_PACKET) {
        if (!cli_link_known(link)) {
            cli_complain(input->cli, "%s: packets of link type %u cannot be read", input->name,
                         link);
            return CLI_ERROR;
        }
        if (cli_packet_read(link, packet, &segment) && !cli_flows_add(flows, &segment)) {
            return no_memory(input);
        }
    }
    if (!cli_flows_end(flows) || !cli_decoder_end(&input->decoder)) {
        return no_memory(input);
    }
    if (step == CLI_CAPTURE_BAD) {
        cli_complain(input->cli, "%s: %s", input->name, reason);
        return CLI_ERROR;
    }
    if (flows->left_out) {
        cli_complain(input->cli,
                     "%s: more than %d connections; those that begin later are left out",
                     input->name, CLI_FLOW_LIMIT);
        return CLI_ERROR;
    }
    return CLI_OK;
}

static int read_capture(struct input *input, const uint8_t *magic)
{
    struct cli_capture capture;
    struct cli_flows flows;
    int code;
    cli_flows_init(&flows, cli_default_port(), on_flow, &input->decoder);
    const char *reason = cli_capture_begin(&capture, input->file, magic);
    if (reason != NULL) {
        cli_complain(input->cli, "%s: %s", input->name, reason);
        code = CLI_ERROR;
    } else {
        code = read_packets(input, &capture, &flows);
    }
    cli_capture_done(&capture);
    cli_flows_done(&flows);
    return code;
}

static int bad_text(const struct input *input, const struct cli_hex *hex)
{
    unsigned char letter = (unsigned char)hex->wrong;
    if (letter > ' ' && letter < 0x7F) {
        cli_complain(input->cli, "%s: line %llu: `%c` is no hexadecimal digit", input->name,
                     (unsigned long long)hex->line, letter);
    } else {
        cli_complain(input->cli, "%s: line %llu: a byte is two hexadecimal digits", input->name,
                     (unsigned long long)hex->line);
    }
    return CLI_ERROR;
}

/* `text` holds `size` characters that were read already. */
static int read_text(struct input *input, char *text, size_t size)
{
    uint8_t bytes[TEXT_BYTES / 2 + 1];
    struct cli_hex hex;
    bool right = true;
    cli_hex_init(&hex);
    while (right && size > 0) {
        size_t count;
        right = cli_hex_read(&hex, text, size, bytes, &count);
        if (!cli_decoder_feed_mixed(&input->decoder, bytes, count)) {
            return no_memory(input);
        }
        size = right ? fread(text, 1, TEXT_BYTES, input->file) : 0;
    }
    if (!cli_decoder_end(&input->decoder)) {
        return no_memory(input);
    }
    return right && cli_hex_is_whole(&hex) ? CLI_OK : bad_text(input, &hex);
}

static int read_any(struct input *input)
{
    char *text = malloc(TEXT_BYTES);
    int code;
    if (text == NULL) {
        return no_memory(input);
    }
    errno = 0;
    size_t size = fread(text, 1, CLI_CAPTURE_MAGIC_SIZE, input->file);
    if (size == CLI_CAPTURE_MAGIC_SIZE && cli_capture_is_one((const uint8_t *)text)) {
        code = read_capture(input, (const uint8_t *)text);
    } else {
        code = read_text(input, text, size);
    }
    if (ferror(input->file) != 0) {
        code = read_failed(input);
    }
    free(text);
    return code;
}

static int decode_file(struct input *input)
{
    struct cli_printer printer;
    const struct cli_options *options = &input->cli->options;
    cli_printer_begin(&printer, input->cli->out, options->format, options->time_format);
    cli_decoder_init(&input->decoder, &printer);
    int code = read_any(input);
    cli_decoder_done(&input->decoder);
    cli_printer_end(&printer);
    return code;
}

int tau_command_decode(struct cli *cli, int argc, char **argv)
{
    struct cli_arguments arguments;
    struct input input = {.cli = cli, .name = "standard input", .file = stdin};
    int code;
    if (!cli_arguments_read(cli, &tau_command_decode_syntax, argc, argv, &arguments, &code)) {
        return code;
    }
    if (cli->options.format == CLI_FORMAT_CSV || cli->options.format == CLI_FORMAT_TSV) {
        cli_complain(cli, "frames are no rows of a table: --format is table, json or jsonl here");
        return CLI_USAGE;
    }
    const char *path = cli_positional(&arguments, 0);
    if (path != NULL && strcmp(path, "-") != 0) {
        input.name = path;
        input.file = fopen(path, "re");
    }
    if (input.file == NULL) {
        return read_failed(&input);
    }
    code = decode_file(&input);
    if (input.file != stdin) {
        fclose(input.file);
    }
    return code;
}
