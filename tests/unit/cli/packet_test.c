/* SPDX-License-Identifier: MIT */
/* Packets of every link that is known, whole, cut, padded, and what is no TCP. */
#include "cli_test.h"
#include "decode/packet.h"

struct packet {
    uint8_t data[256];
    size_t size;
};

static void put(struct packet *packet, const void *data, size_t size)
{
    memcpy(packet->data + packet->size, data, size);
    packet->size += size;
}

static void put_u16(struct packet *packet, unsigned number)
{
    const uint8_t bytes[] = {(uint8_t)(number >> 8), (uint8_t)number};
    put(packet, bytes, 2);
}

/* 20 bytes of TCP header, of port 300 to 7701, and "abc". */
static void put_tcp(struct packet *packet)
{
    static const uint8_t rest[] = {0, 1, 0, 5, 0, 0, 0, 0, 0x50, CLI_TCP_ACK, 0, 0, 0, 0, 0, 0};
    put_u16(packet, 300);
    put_u16(packet, 7701);
    put(packet, rest, sizeof(rest));
    put(packet, "abc", 3);
}

static void put_ipv4(struct packet *packet, uint8_t protocol, unsigned fragment)
{
    uint8_t head[20] = {
        0x45, 0, 0, 43, 0, 0, (uint8_t)(fragment >> 8), (uint8_t)fragment, 64, protocol, 0, 0, 1, 2,
        3,    4, 5, 6,  7, 8};
    put(packet, head, sizeof(head));
    put_tcp(packet);
}

static void put_ipv6(struct packet *packet, bool options)
{
    uint8_t head[40] = {0x60, 0, 0, 0, 0, (uint8_t)(23 + (options ? 8 : 0)), options ? 0 : 6, 64};
    static const uint8_t option[8] = {6, 0};
    head[8] = 0xFE;
    head[39] = 9;
    put(packet, head, sizeof(head));
    put(packet, option, options ? sizeof(option) : 0);
    put_tcp(packet);
}

static struct tau_slice slice_of(const struct packet *packet)
{
    return (struct tau_slice){.data = packet->data, .size = packet->size};
}

/* Reads the packet whole, and with every shorter length, which must not be read beyond. */
static void expect(uint32_t link, const struct packet *packet)
{
    struct cli_segment segment;
    assert_true(cli_link_known(link));
    assert_true(cli_packet_read(link, slice_of(packet), &segment));
    assert_int_equal(segment.source.port, 300);
    assert_int_equal(segment.destination.port, 7701);
    assert_int_equal(segment.sequence, 0x10005);
    assert_int_equal(segment.flags, CLI_TCP_ACK);
    assert_int_equal(segment.data.size, 3);
    assert_memory_equal(segment.data.data, "abc", 3);
    assert_int_equal(segment.missing, 0);
    for (size_t size = 0; size < packet->size; size++) {
        uint8_t *copy = malloc(size + 1);
        assert_non_null(copy);
        memcpy(copy, packet->data, size);
        struct tau_slice cut = {.data = copy, .size = size};
        bool found = cli_packet_read(link, cut, &segment);
        assert_true(found == (packet->size - size <= 3));
        if (found) {
            assert_int_equal(segment.data.size + segment.missing, 3);
        }
        free(copy);
    }
}

static void test_links(void **state)
{
    static const struct {
        uint32_t link;
        size_t header;
        size_t type; /* where the type stands in it, or none */
    } links[] = {{CLI_LINK_ETHERNET, 14, 12},  {CLI_LINK_LINUX_SLL, 16, 14},
                 {CLI_LINK_LINUX_SLL2, 20, 0}, {CLI_LINK_NULL, 4, SIZE_MAX},
                 {CLI_LINK_LOOP, 4, SIZE_MAX}, {CLI_LINK_RAW, 0, SIZE_MAX}};
    (void)state;
    for (size_t i = 0; i < COUNT(links); i++) {
        for (int version = 4; version <= 6; version += 2) {
            struct packet packet = {.size = links[i].header};
            if (links[i].type != SIZE_MAX) {
                struct packet type = {.size = 0};
                put_u16(&type, version == 4 ? 0x0800 : 0x86DD);
                memcpy(packet.data + links[i].type, type.data, 2);
            }
            if (version == 4) {
                put_ipv4(&packet, 6, 0x4000);
            } else {
                put_ipv6(&packet, false);
            }
            expect(links[i].link, &packet);
        }
    }
    assert_false(cli_link_known(147));
}

static void test_tags_and_options(void **state)
{
    struct packet packet = {.size = 12};
    (void)state;
    put_u16(&packet, 0x88A8);
    put_u16(&packet, 5);
    put_u16(&packet, 0x8100);
    put_u16(&packet, 6);
    put_u16(&packet, 0x0800);
    put_ipv4(&packet, 6, 0);
    expect(CLI_LINK_ETHERNET, &packet);
    packet.size = 0;
    put_ipv6(&packet, true);
    expect(CLI_LINK_IPV6, &packet);
}

static void test_addresses(void **state)
{
    struct packet packet = {.size = 0};
    struct cli_segment segment;
    static const uint8_t source[16] = {1, 2, 3, 4};
    (void)state;
    put_ipv4(&packet, 6, 0);
    assert_true(cli_packet_read(CLI_LINK_IPV4, slice_of(&packet), &segment));
    assert_memory_equal(segment.source.address, source, sizeof(source));
    assert_int_equal(segment.destination.address[3], 8);
    packet.size = 0;
    put_ipv6(&packet, false);
    assert_true(cli_packet_read(CLI_LINK_IPV6, slice_of(&packet), &segment));
    assert_int_equal(segment.source.address[0], 0xFE);
    assert_int_equal(segment.destination.address[15], 9);
}

/* Short frames are padded on Ethernet: that is no data. */
static void test_padding(void **state)
{
    struct packet packet = {.size = 0};
    struct cli_segment segment;
    (void)state;
    put_ipv4(&packet, 6, 0);
    put(&packet, "padding", 7);
    assert_true(cli_packet_read(CLI_LINK_RAW, slice_of(&packet), &segment));
    assert_int_equal(segment.data.size, 3);
}

/* The network card was to fill in the length, and the capture was made before it did. */
static void test_no_length(void **state)
{
    struct packet packet = {.size = 0};
    struct cli_segment segment;
    (void)state;
    put_ipv4(&packet, 6, 0);
    packet.data[2] = packet.data[3] = 0;
    assert_true(cli_packet_read(CLI_LINK_RAW, slice_of(&packet), &segment));
    assert_int_equal(segment.data.size, 3);
    packet.size = 0;
    put_ipv6(&packet, true);
    packet.data[4] = packet.data[5] = 0;
    assert_true(cli_packet_read(CLI_LINK_RAW, slice_of(&packet), &segment));
    assert_int_equal(segment.data.size, 3);
    assert_int_equal(segment.missing, 0);
}

static void test_no_segment(void **state)
{
    struct packet packet = {.size = 0};
    struct cli_segment segment;
    (void)state;
    put_ipv4(&packet, 17, 0); /* UDP */
    assert_false(cli_packet_read(CLI_LINK_RAW, slice_of(&packet), &segment));
    packet.size = 0;
    put_ipv4(&packet, 6, 0x2000); /* the first of several fragments */
    assert_false(cli_packet_read(CLI_LINK_RAW, slice_of(&packet), &segment));
    packet.size = 0;
    put_ipv4(&packet, 6, 0);
    packet.data[32] = 0x40; /* a TCP header of 16 bytes */
    assert_false(cli_packet_read(CLI_LINK_RAW, slice_of(&packet), &segment));
    packet.data[32] = 0xF0; /* of 60, which are not there */
    assert_false(cli_packet_read(CLI_LINK_RAW, slice_of(&packet), &segment));
    packet.data[0] = 0x75;
    assert_false(cli_packet_read(CLI_LINK_RAW, slice_of(&packet), &segment));
    assert_false(cli_packet_read(12345, slice_of(&packet), &segment));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_links),      cmocka_unit_test(test_tags_and_options),
        cmocka_unit_test(test_addresses),  cmocka_unit_test(test_padding),
        cmocka_unit_test(test_no_segment), cmocka_unit_test(test_no_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
