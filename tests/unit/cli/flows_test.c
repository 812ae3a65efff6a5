/* SPDX-License-Identifier: MIT */
/* Segments come back into their order: late, twice, overlapping, lost, around the wrap of numbers.
 */
#include "cli_test.h"
#include "decode/flows.h"

#define CLIENT_PORT 300
#define SERVER_PORT 7701

/* What was handed on: N> or N< and bytes, with (lost) before them. */
static char told[1024];
static struct cli_flows flows;

static bool on_bytes(void *user_data, const struct cli_flow_bytes *bytes)
{
    size_t used = strlen(told);
    (void)user_data;
    assert_true(bytes->data.size > 0 || bytes->lost > 0);
    if (bytes->lost > 0) {
        used += (size_t)sprintf(told + used, "(%llu)", (unsigned long long)bytes->lost);
    }
    sprintf(told + used, "%u%c%.*s ", bytes->number, bytes->reply ? '<' : '>',
            (int)bytes->data.size, bytes->data.size > 0 ? (const char *)bytes->data.data : "");
    return true;
}

static size_t counted;
static uint64_t counted_lost;

static bool count_bytes(void *user_data, const struct cli_flow_bytes *bytes)
{
    (void)user_data;
    counted += bytes->data.size;
    counted_lost += bytes->lost;
    return true;
}

static int setup(void **state)
{
    (void)state;
    told[0] = '\0';
    cli_flows_init(&flows, SERVER_PORT, on_bytes, NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    cli_flows_done(&flows);
    assert_null(flows.newest);
    return 0;
}

static void add_ports(uint16_t source, uint16_t destination, uint32_t sequence, uint8_t flags,
                      const char *text, size_t missing)
{
    struct cli_segment segment = {.source = {.port = source},
                                  .destination = {.port = destination},
                                  .sequence = sequence,
                                  .flags = flags,
                                  .data = {.data = (const uint8_t *)text, .size = strlen(text)},
                                  .missing = missing};
    assert_true(cli_flows_add(&flows, &segment));
}

static void add(uint32_t sequence, const char *text)
{
    add_ports(CLIENT_PORT, SERVER_PORT, sequence, CLI_TCP_ACK, text, 0);
}

static void expect(const char *wanted)
{
    assert_string_equal(told, wanted);
    told[0] = '\0';
}

static void test_both_directions(void **state)
{
    (void)state;
    add_ports(CLIENT_PORT, SERVER_PORT, 99, CLI_TCP_SYN, "", 0);
    add_ports(SERVER_PORT, CLIENT_PORT, 499, CLI_TCP_SYN | CLI_TCP_ACK, "", 0);
    add(100, "ab");
    add_ports(SERVER_PORT, CLIENT_PORT, 500, CLI_TCP_ACK, "xy", 0);
    add(102, "c");
    expect("0>ab 0<xy 0>c ");
}

static void test_late_and_twice(void **state)
{
    (void)state;
    add(100, "ab");
    add(106, "gh");
    add(104, "ef");
    add(104, "ef");
    expect("0>ab ");
    add(102, "cd");
    expect("0>cd 0>ef 0>gh ");
    add(100, "abcd");
    add(103, "defghij"); /* the end of it is new */
    expect("0>ij ");
}

static void test_wrap(void **state)
{
    (void)state;
    add(UINT32_MAX - 1, "ab");
    add(2, "ef");
    add(0, "cd");
    add(UINT32_MAX, "bcdef");
    add(4, "gh");
    expect("0>ab 0>cd 0>ef 0>gh ");
}

static void test_lost(void **state)
{
    (void)state;
    add(100, "ab");
    add(112, "mn");
    add(110, "kl");
    expect("0>ab ");
    assert_true(cli_flows_end(&flows));
    expect("(8)0>kl 0>mn ");
}

/* A capture that kept only the beginning of each packet. */
static void test_cut_packets(void **state)
{
    (void)state;
    add_ports(CLIENT_PORT, SERVER_PORT, 100, CLI_TCP_ACK, "ab", 5);
    add(107, "h");
    expect("0>ab (5)0> 0>h ");
    add_ports(CLIENT_PORT, SERVER_PORT, 100, CLI_TCP_ACK, "ab", 5); /* sent twice */
    expect("");
}

/* Too much waits: the missing segment is given up. */
static void test_bound(void **state)
{
    static char text[60001];
    uint32_t sequence = 103;
    (void)state;
    memset(text, 'x', 60000);
    add(100, "ab");
    flows.on_bytes = count_bytes;
    counted = counted_lost = 0;
    for (size_t waiting = 0; waiting <= CLI_EARLY_BYTES; waiting += 60000) {
        assert_int_equal(counted, 0);
        add(sequence, text);
        sequence += 60000;
    }
    assert_true(counted > CLI_EARLY_BYTES);
    assert_int_equal(counted_lost, 1);
    add(102, "c"); /* too late */
    assert_int_equal(counted, sequence - 103);
}

/* What waited and had its turn counts no more: each pair comes the wrong way around. */
static void test_bound_of_what_waits(void **state)
{
    static char text[60001];
    uint32_t sequence = 102;
    (void)state;
    memset(text, 'x', 60000);
    add(100, "ab");
    flows.on_bytes = count_bytes;
    counted = counted_lost = 0;
    for (size_t waited = 0; waited <= CLI_EARLY_BYTES; waited += 60000) {
        add(sequence + 60000, text);
        add(sequence, text);
        sequence += 120000;
    }
    assert_int_equal(counted, sequence - 102);
    add(sequence + 60000, text);
    assert_int_equal(counted, sequence - 102);
    assert_int_equal(counted_lost, 0);
}

static void test_who_is_the_server(void **state)
{
    (void)state;
    add_ports(SERVER_PORT, CLIENT_PORT, 5, CLI_TCP_ACK, "reply", 0); /* by its port */
    add_ports(400, 9000, 5, CLI_TCP_ACK, "first", 0);                /* who spoke first */
    add_ports(9000, 400, 5, CLI_TCP_ACK, "then", 0);
    add_ports(9000, 500, 5, CLI_TCP_SYN | CLI_TCP_ACK, "", 0); /* by how it opened */
    add_ports(9000, 500, 6, CLI_TCP_ACK, "answer", 0);
    expect("0<reply 1>first 1<then 2<answer ");
}

/* The same ports again, later. */
static void test_again(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 2; i++) {
        add_ports(CLIENT_PORT, SERVER_PORT, 99 + i * 1000, CLI_TCP_SYN, "", 0);
        add_ports(CLIENT_PORT, SERVER_PORT, 99 + i * 1000, CLI_TCP_SYN, "", 0);
        add(100 + i * 1000, "ab");
        add_ports(CLIENT_PORT, SERVER_PORT, 99 + i * 1000, CLI_TCP_SYN, "", 0);
    }
    expect("0>ab 1>ab ");
}

static void test_nothing_to_begin_with(void **state)
{
    (void)state;
    add(100, "");
    add_ports(CLIENT_PORT, SERVER_PORT, 100, CLI_TCP_RST, "", 0);
    assert_int_equal(flows.count, 0);
    expect("");
}

/* An end of a connection for each number; the number's bits are spread over address and port. */
static struct cli_endpoint client_end(uint32_t number)
{
    struct cli_endpoint end = {.port = (uint16_t)(1024 + (number & 0xFF))};
    end.address[12] = 10;
    end.address[14] = (uint8_t)(number >> 16);
    end.address[15] = (uint8_t)(number >> 8);
    return end;
}

static uint32_t last_number;

static bool note_number(void *user_data, const struct cli_flow_bytes *bytes)
{
    (void)user_data;
    last_number = bytes->number;
    counted++;
    return true;
}

/* As many connections as are followed are told apart, in both directions; no more are begun. */
static void test_many(void **state)
{
    const struct cli_endpoint server = {.port = SERVER_PORT};
    struct cli_segment segment = {.flags = CLI_TCP_ACK,
                                  .data = {.data = (const uint8_t *)"ab", .size = 2}};
    (void)state;
    flows.on_bytes = note_number;
    counted = 0;
    for (uint32_t reply = 0; reply < 2; reply++) {
        for (uint32_t i = 0; i < CLI_FLOW_LIMIT; i++) {
            segment.source = reply ? server : client_end(i);
            segment.destination = reply ? client_end(i) : server;
            assert_true(cli_flows_add(&flows, &segment));
            assert_int_equal(last_number, i);
        }
    }
    assert_int_equal(flows.count, CLI_FLOW_LIMIT);
    assert_int_equal(counted, 2 * CLI_FLOW_LIMIT);
    assert_false(flows.left_out);
    segment.destination = client_end(CLI_FLOW_LIMIT);
    assert_true(cli_flows_add(&flows, &segment));
    assert_true(flows.left_out);
    assert_int_equal(counted, 2 * CLI_FLOW_LIMIT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_both_directions),
        TEST(test_late_and_twice),
        TEST(test_wrap),
        TEST(test_lost),
        TEST(test_cut_packets),
        TEST(test_bound),
        TEST(test_bound_of_what_waits),
        TEST(test_who_is_the_server),
        TEST(test_again),
        TEST(test_nothing_to_begin_with),
        TEST(test_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
