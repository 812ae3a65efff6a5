/* SPDX-License-Identifier: MIT */
/*
 * Each layer is checked for its length before it is read, and handed what is left. Lengths that the
 * headers state end the data, for short frames are padded on Ethernet.
 */
#include "decode/packet.h"

#include <string.h>

#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_IPV6 0x86DD
#define ETHERTYPE_VLAN 0x8100
#define ETHERTYPE_QINQ 0x88A8
#define PROTOCOL_TCP   6
#define FRAGMENT_MASK  0x3FFF /* more fragments, and the offset of this one */

static uint16_t load_u16(const uint8_t *from)
{
    return (uint16_t)(from[0] << 8 | from[1]);
}

static uint32_t load_u32(const uint8_t *from)
{
    return (uint32_t)load_u16(from) << 16 | load_u16(from + 2);
}

/* Drops the first bytes. Returns false when there are not as many. */
static bool drop(struct tau_slice *slice, size_t size)
{
    if (slice->size < size) {
        return false;
    }
    slice->data += size;
    slice->size -= size;
    return true;
}

/* `rest` begins with the TCP header; `stated` is how long the headers before say that it is. */
static bool read_tcp(struct tau_slice rest, size_t stated, struct cli_segment *segment)
{
    if (rest.size < 20) {
        return false;
    }
    size_t header = (size_t)(rest.data[12] >> 4) * 4;
    segment->source.port = load_u16(rest.data);
    segment->destination.port = load_u16(rest.data + 2);
    segment->sequence = load_u32(rest.data + 4);
    segment->flags = rest.data[13];
    if (header < 20 || stated < header || !drop(&rest, header)) {
        return false;
    }
    stated -= header;
    segment->data = rest;
    if (segment->data.size > stated) {
        segment->data.size = stated;
    }
    segment->missing = stated - segment->data.size;
    return true;
}

static bool read_ipv4(struct tau_slice rest, struct cli_segment *segment)
{
    if (rest.size < 20) {
        return false;
    }
    const uint8_t *ip = rest.data;
    size_t header = (size_t)(ip[0] & 0x0F) * 4;
    size_t total = load_u16(ip + 2);
    bool plain = ip[9] == PROTOCOL_TCP && (load_u16(ip + 6) & FRAGMENT_MASK) == 0;
    if (total == 0) {
        total = rest.size; /* the network card was to fill it in */
    }
    if (!plain || header < 20 || total < header || !drop(&rest, header)) {
        return false;
    }
    memcpy(segment->source.address, ip + 12, 4);
    memcpy(segment->destination.address, ip + 16, 4);
    return read_tcp(rest, total - header, segment);
}

static bool read_ipv6(struct tau_slice rest, struct cli_segment *segment)
{
    if (rest.size < 40) {
        return false;
    }
    const uint8_t *ip = rest.data;
    size_t stated = load_u16(ip + 4);
    uint8_t next = ip[6];
    drop(&rest, 40);
    if (stated == 0) {
        stated = rest.size;
    }
    memcpy(segment->source.address, ip + 8, 16);
    memcpy(segment->destination.address, ip + 24, 16);
    while (next == 0 || next == 43 || next == 60) { /* options and routing, each with its length */
        if (rest.size < 8) {
            return false;
        }
        size_t header = ((size_t)rest.data[1] + 1) * 8;
        next = rest.data[0];
        if (stated < header || !drop(&rest, header)) {
            return false;
        }
        stated -= header;
    }
    return next == PROTOCOL_TCP && read_tcp(rest, stated, segment);
}

static bool read_ip(struct tau_slice rest, struct cli_segment *segment)
{
    uint8_t version = rest.size > 0 ? rest.data[0] >> 4 : 0;
    return version == 4 ? read_ipv4(rest, segment) : version == 6 && read_ipv6(rest, segment);
}

static bool read_ethertype(uint16_t type, struct tau_slice rest, struct cli_segment *segment)
{
    while ((type == ETHERTYPE_VLAN || type == ETHERTYPE_QINQ) && rest.size >= 4) {
        type = load_u16(rest.data + 2);
        drop(&rest, 4);
    }
    return (type == ETHERTYPE_IPV4 || type == ETHERTYPE_IPV6) && read_ip(rest, segment);
}

bool cli_link_known(uint32_t link)
{
    switch (link) {
    case CLI_LINK_NULL:
    case CLI_LINK_ETHERNET:
    case CLI_LINK_RAW:
    case CLI_LINK_LOOP:
    case CLI_LINK_LINUX_SLL:
    case CLI_LINK_IPV4:
    case CLI_LINK_IPV6:
    case CLI_LINK_LINUX_SLL2:
        return true;
    default:
        return false;
    }
}

/* The place of a type of Ethernet and the size of the header that it stands in. */
static bool read_typed(struct tau_slice packet, size_t type_offset, size_t header,
                       struct cli_segment *segment)
{
    struct tau_slice rest = packet;
    return drop(&rest, header) &&
           read_ethertype(load_u16(packet.data + type_offset), rest, segment);
}

bool cli_packet_read(uint32_t link, struct tau_slice packet, struct cli_segment *ret_segment)
{
    struct cli_segment segment = {.sequence = 0};
    struct tau_slice rest = packet;
    bool ok = false;
    switch (link) {
    case CLI_LINK_NULL:
    case CLI_LINK_LOOP:
        ok = drop(&rest, 4) && read_ip(rest, &segment);
        break;
    case CLI_LINK_ETHERNET:
        ok = read_typed(packet, 12, 14, &segment);
        break;
    case CLI_LINK_LINUX_SLL:
        ok = read_typed(packet, 14, 16, &segment);
        break;
    case CLI_LINK_LINUX_SLL2:
        ok = read_typed(packet, 0, 20, &segment);
        break;
    default:
        ok = cli_link_known(link) && read_ip(packet, &segment);
    }
    if (ok) {
        *ret_segment = segment;
    }
    return ok;
}
