/* SPDX-License-Identifier: MIT */
/*
 * A pcap file is a header and records; a pcapng file is blocks, each with its type and length, of
 * which sections, interfaces and packets are read and the others passed over. Formats:
 * draft-ietf-opsawg-pcap and draft-ietf-opsawg-pcapng.
 */
#include "decode/capture.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK_MAX ((size_t)16 * 1024 * 1024)

#define BLOCK_SECTION   0x0A0D0D0A
#define BLOCK_INTERFACE 1
#define BLOCK_SIMPLE    3
#define BLOCK_ENHANCED  6

#define ORDER_MAGIC         0x1A2B3C4D
#define PCAP_MICROSECONDS   0xA1B2C3D4
#define PCAP_NANOSECONDS    0xA1B23C4D
#define PCAP_LINK_TYPE_MASK 0x0FFFFFFF

static const char ends_early[] = "the file ends within a packet";
static const char damaged[] = "the file is damaged";

static uint32_t little(const uint8_t *from)
{
    return (uint32_t)from[3] << 24 | (uint32_t)from[2] << 16 | (uint32_t)from[1] << 8 | from[0];
}

static uint32_t big(const uint8_t *from)
{
    return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}

/* `swapped` means big-endian: the tests of the magic begin with the little end. */
static uint32_t load(const struct cli_capture *capture, const uint8_t *from)
{
    return capture->swapped ? big(from) : little(from);
}

static uint32_t load_u16(const struct cli_capture *capture, const uint8_t *from)
{
    return capture->swapped ? (uint32_t)from[0] << 8 | from[1] : (uint32_t)from[1] << 8 | from[0];
}

static bool is_pcap_magic(uint32_t number)
{
    return number == PCAP_MICROSECONDS || number == PCAP_NANOSECONDS;
}

bool cli_capture_is_one(const uint8_t magic[CLI_CAPTURE_MAGIC_SIZE])
{
    return is_pcap_magic(little(magic)) || is_pcap_magic(big(magic)) ||
           little(magic) == BLOCK_SECTION;
}

/* Makes room for a block or a record. */
static bool reserve(struct cli_capture *capture, size_t size)
{
    if (size <= capture->capacity) {
        return true;
    }
    uint8_t *packet = realloc(capture->packet, size);
    if (packet == NULL) {
        return false;
    }
    capture->packet = packet;
    capture->capacity = size;
    return true;
}

/* Reads so many bytes into the packet's room. Returns NULL or what is wrong. */
static const char *read_whole(struct cli_capture *capture, size_t size)
{
    if (size > BLOCK_MAX) {
        return damaged;
    }
    if (!reserve(capture, size)) {
        return "out of memory";
    }
    return fread(capture->packet, 1, size, capture->in) == size ? NULL : ends_early;
}

/* --- pcapng ---------------------------------------------------------------------------------- */

/* Reads a section's header behind its type. It tells the order of bytes of all that follows. */
static const char *begin_section(struct cli_capture *capture)
{
    uint8_t head[8];
    if (fread(head, 1, sizeof(head), capture->in) != sizeof(head)) {
        return ends_early;
    }
    capture->swapped = big(head + 4) == ORDER_MAGIC;
    capture->interfaces = 0;
    uint32_t length = load(capture, head);
    if ((!capture->swapped && little(head + 4) != ORDER_MAGIC) || length < 28 || length % 4 != 0) {
        return damaged;
    }
    return read_whole(capture, length - 12);
}

static const char *add_interface(struct cli_capture *capture, size_t size)
{
    if (size < 8 || capture->interfaces == CLI_CAPTURE_INTERFACES) {
        return size < 8 ? damaged : "the file has too many interfaces";
    }
    capture->links[capture->interfaces++] = load_u16(capture, capture->packet);
    return NULL;
}

/* The packet in the block that was read. */
static const char *take_packet(const struct cli_capture *capture, uint32_t type, size_t size,
                               uint32_t *ret_link, struct tau_slice *ret_packet)
{
    size_t head = type == BLOCK_ENHANCED ? 20 : 4;
    if (size < head) {
        return damaged;
    }
    uint32_t interface = type == BLOCK_ENHANCED ? load(capture, capture->packet) : 0;
    size_t held = load(capture, capture->packet + (type == BLOCK_ENHANCED ? 12 : 0));
    if (type == BLOCK_SIMPLE && held > size - head) {
        held = size - head; /* it states how long the packet was, not how much is kept */
    }
    if (held > size - head || interface >= capture->interfaces) {
        return damaged;
    }
    *ret_link = capture->links[interface];
    *ret_packet = (struct tau_slice){.data = capture->packet + head, .size = held};
    return NULL;
}

/* Reads one block. *ret_found says whether it held a packet. */
static const char *read_block(struct cli_capture *capture, const uint8_t *head, bool *ret_found,
                              uint32_t *ret_link, struct tau_slice *ret_packet)
{
    uint8_t length_bytes[4];
    uint32_t type = load(capture, head);
    if (little(head) == BLOCK_SECTION) {
        return begin_section(capture);
    }
    if (fread(length_bytes, 1, sizeof(length_bytes), capture->in) != sizeof(length_bytes)) {
        return ends_early;
    }
    uint32_t length = load(capture, length_bytes);
    if (length < 12 || length % 4 != 0) {
        return damaged;
    }
    const char *wrong = read_whole(capture, length - 8);
    if (wrong != NULL) {
        return wrong;
    }
    size_t size = length - 12; /* without the length at the end */
    if (type == BLOCK_INTERFACE) {
        return add_interface(capture, size);
    }
    *ret_found = type == BLOCK_ENHANCED || type == BLOCK_SIMPLE;
    return *ret_found ? take_packet(capture, type, size, ret_link, ret_packet) : NULL;
}

/* --- pcap ------------------------------------------------------------------------------------ */

static const char *begin_pcap(struct cli_capture *capture)
{
    const char *wrong = read_whole(capture, 20);
    if (wrong == NULL) {
        capture->links[0] = load(capture, capture->packet + 16) & PCAP_LINK_TYPE_MASK;
        capture->interfaces = 1;
    }
    return wrong;
}

/* `head` is the first part of a record, of which the rest is read. */
static const char *read_record(struct cli_capture *capture, const uint8_t *head,
                               struct tau_slice *ret_packet)
{
    uint8_t rest[12];
    (void)head; /* the seconds of its time */
    if (fread(rest, 1, sizeof(rest), capture->in) != sizeof(rest)) {
        return ends_early;
    }
    size_t size = load(capture, rest + 4);
    const char *wrong = read_whole(capture, size);
    *ret_packet = (struct tau_slice){.data = capture->packet, .size = size};
    return wrong;
}

/* --- both ------------------------------------------------------------------------------------ */

const char *cli_capture_begin(struct cli_capture *capture, FILE *in,
                              const uint8_t magic[CLI_CAPTURE_MAGIC_SIZE])
{
    *capture = (struct cli_capture){.in = in};
    if (little(magic) == BLOCK_SECTION) {
        capture->next_generation = true;
        return begin_section(capture);
    }
    capture->swapped = is_pcap_magic(big(magic));
    return begin_pcap(capture);
}

void cli_capture_done(struct cli_capture *capture)
{
    free(capture->packet);
    capture->packet = NULL;
}

enum cli_capture_step cli_capture_next(struct cli_capture *capture, uint32_t *ret_link,
                                       struct tau_slice *ret_packet, const char **ret_reason)
{
    uint8_t head[4];
    for (;;) {
        bool found = true;
        size_t size = fread(head, 1, sizeof(head), capture->in);
        if (size == 0) {
            return CLI_CAPTURE_END;
        }
        *ret_reason = size < sizeof(head) ? ends_early : NULL;
        *ret_link = capture->links[0];
        if (*ret_reason == NULL && capture->next_generation) {
            found = false;
            *ret_reason = read_block(capture, head, &found, ret_link, ret_packet);
        } else if (*ret_reason == NULL) {
            *ret_reason = read_record(capture, head, ret_packet);
        }
        if (*ret_reason != NULL) {
            return CLI_CAPTURE_BAD;
        }
        if (found) {
            return CLI_CAPTURE_PACKET;
        }
    }
}
