/* SPDX-License-Identifier: MIT */
/*
 * Finds the TCP segment in one captured packet: Ethernet (VLAN tags too), Linux cooked captures,
 * the loopback of BSD, bare IP; IPv4 and IPv6. Bytes in, views of them out.
 */
#ifndef TAU_CLI_DECODE_PACKET_H
#define TAU_CLI_DECODE_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tau/protocol.h>

/* The kinds of links, as captures number them. */
enum cli_link {
    CLI_LINK_NULL = 0,
    CLI_LINK_ETHERNET = 1,
    CLI_LINK_RAW = 101,
    CLI_LINK_LOOP = 108,
    CLI_LINK_LINUX_SLL = 113,
    CLI_LINK_IPV4 = 228,
    CLI_LINK_IPV6 = 229,
    CLI_LINK_LINUX_SLL2 = 276
};

#define CLI_TCP_FIN 0x01
#define CLI_TCP_SYN 0x02
#define CLI_TCP_RST 0x04
#define CLI_TCP_ACK 0x10

/* An end of a connection. An IPv4 address is held in the first 4 bytes. */
struct cli_endpoint {
    uint8_t address[16];
    uint16_t port;
};

struct cli_segment {
    struct cli_endpoint source;
    struct cli_endpoint destination;
    uint32_t sequence;
    uint8_t flags;
    struct tau_slice data; /* borrowed from the packet; what the capture cut off is missing */
    size_t missing;        /* bytes behind `data` that were sent and not captured */
};

bool cli_link_known(uint32_t link);

/* Returns false when there is no whole TCP header in the packet, or only a fragment of one. */
bool cli_packet_read(uint32_t link, struct tau_slice packet, struct cli_segment *ret_segment);

#endif
