/* SPDX-License-Identifier: MIT */
/* Capture files in both formats and both orders of bytes; files that end early or lie. */
#include "cli_test.h"
#include "decode/capture.h"

struct file {
    uint8_t data[8192];
    size_t size;
    bool big; /* the order of its bytes */
};

static void put_u32(struct file *file, uint32_t number)
{
    for (int i = 0; i < 4; i++) {
        file->data[file->size++] = (uint8_t)(number >> 8 * (file->big ? 3 - i : i));
    }
}

static void put_u16(struct file *file, uint32_t number)
{
    file->data[file->size++] = (uint8_t)(number >> (file->big ? 8 : 0));
    file->data[file->size++] = (uint8_t)(number >> (file->big ? 0 : 8));
}

static void put(struct file *file, const char *data)
{
    memcpy(file->data + file->size, data, strlen(data));
    file->size += strlen(data);
}

static void put_pcap(struct file *file, uint32_t magic)
{
    const uint32_t numbers[] = {magic, 0x00040002, 0, 0, 65535, 101};
    for (size_t i = 0; i < COUNT(numbers); i++) {
        put_u32(file, numbers[i]);
    }
}

static void put_record(struct file *file, const char *data)
{
    put_u32(file, 1);
    put_u32(file, 2);
    put_u32(file, (uint32_t)strlen(data));
    put_u32(file, 1000);
    put(file, data);
}

static void put_section(struct file *file)
{
    put_u32(file, 0x0A0D0D0A);
    put_u32(file, 28);
    put_u32(file, 0x1A2B3C4D);
    put_u32(file, 1);
    put_u32(file, UINT32_MAX);
    put_u32(file, UINT32_MAX);
    put_u32(file, 28);
}

static void put_interface(struct file *file, uint32_t link)
{
    put_u32(file, 1);
    put_u32(file, 20);
    put_u16(file, link);
    put_u16(file, 0);
    put_u32(file, 0);
    put_u32(file, 20);
}

/* A packet of 4 bytes, of which `held` are stated. */
static void put_enhanced(struct file *file, uint32_t interface, const char *data, uint32_t held)
{
    put_u32(file, 6);
    put_u32(file, 36);
    put_u32(file, interface);
    put_u32(file, 0);
    put_u32(file, 0);
    put_u32(file, held);
    put_u32(file, 1000);
    put(file, data);
    put_u32(file, 36);
}

/* `length` is how long the packet was before it was cut to 4 bytes. */
static void put_simple(struct file *file, const char *data, uint32_t length)
{
    put_u32(file, 3);
    put_u32(file, 20);
    put_u32(file, length);
    put(file, data);
    put_u32(file, 20);
}

/* Reads a file as the command does. `ret_text` is LINK:PACKET of each, and how it ended. */
static void read_file(struct file *file, size_t size, char *ret_text)
{
    struct cli_capture capture;
    struct tau_slice packet;
    const char *reason = NULL;
    uint32_t link;
    uint8_t magic[4];
    FILE *in = fmemopen(file->data, size, "rb");
    ret_text[0] = '\0';
    assert_non_null(in);
    assert_int_equal(fread(magic, 1, 4, in), 4);
    assert_true(cli_capture_is_one(magic));
    const char *wrong = cli_capture_begin(&capture, in, magic);
    enum cli_capture_step step = wrong != NULL ? CLI_CAPTURE_BAD : CLI_CAPTURE_PACKET;
    while (wrong == NULL &&
           (step = cli_capture_next(&capture, &link, &packet, &reason)) == CLI_CAPTURE_PACKET) {
        sprintf(ret_text + strlen(ret_text), "%u:%.*s ", link, (int)packet.size,
                (const char *)packet.data);
    }
    strcat(ret_text, step == CLI_CAPTURE_END ? "end" : wrong != NULL ? wrong : reason);
    cli_capture_done(&capture);
    fclose(in);
}

static void expect(struct file *file, const char *wanted)
{
    char text[512];
    read_file(file, file->size, text);
    assert_string_equal(text, wanted);
}

static void test_pcap(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct file file = {.big = i % 2 == 1};
        put_pcap(&file, i < 2 ? 0xA1B2C3D4 : 0xA1B23C4D);
        expect(&file, "end");
        put_record(&file, "one");
        put_record(&file, "");
        put_record(&file, "three");
        expect(&file, "101:one 101: 101:three end");
    }
}

static void test_pcapng(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct file file = {.big = i == 1};
        put_section(&file);
        put_interface(&file, 1);
        put_interface(&file, 276);
        put_enhanced(&file, 1, "abcd", 3);
        put_u32(&file, 5); /* statistics, passed over */
        put_u32(&file, 12);
        put_u32(&file, 12);
        put_simple(&file, "wxyz", 4);
        put_simple(&file, "cut ", 1000);
        file.big = !file.big; /* a second section, in the other order */
        put_section(&file);
        put_interface(&file, 113);
        put_enhanced(&file, 0, "efgh", 4);
        expect(&file, "276:abc 1:wxyz 1:cut  113:efgh end");
    }
}

/* Wherever a file ends, what was whole is read and nothing beyond. */
static void test_every_end(void **state)
{
    char text[512];
    struct file pcap = {.size = 0};
    struct file pcapng = {.size = 0};
    (void)state;
    put_pcap(&pcap, 0xA1B2C3D4);
    put_record(&pcap, "one");
    for (size_t size = 4; size < pcap.size; size++) {
        read_file(&pcap, size, text);
        assert_string_equal(text, size == 24 ? "end" : "the file ends within a packet");
    }
    put_section(&pcapng);
    put_interface(&pcapng, 1);
    put_enhanced(&pcapng, 0, "abcd", 4);
    for (size_t size = 4; size < pcapng.size; size++) {
        read_file(&pcapng, size, text);
        bool between = size == 28 || size == 48;
        assert_string_equal(text, between ? "end" : "the file ends within a packet");
    }
}

static void test_lies(void **state)
{
    struct file file = {.size = 0};
    (void)state;
    put_pcap(&file, 0xA1B2C3D4);
    put_u32(&file, 0);
    put_u32(&file, 0);
    put_u32(&file, 0x7FFFFFFF); /* a record of 2 GiB */
    put_u32(&file, 0);
    expect(&file, "the file is damaged");
    file.size = 0;
    put_section(&file);
    put_interface(&file, 1);
    size_t good = file.size;
    put_enhanced(&file, 1, "abcd", 4); /* there is no interface 1 */
    expect(&file, "the file is damaged");
    file.size = good;
    put_enhanced(&file, 0, "abcd", 5); /* more than the block holds */
    expect(&file, "the file is damaged");
    file.size = good;
    put_u32(&file, 6);
    put_u32(&file, 8); /* shorter than any block */
    expect(&file, "the file is damaged");
    file.size = 4;
    put_u32(&file, 28);
    put_u32(&file, 0x11111111);
    expect(&file, "the file is damaged");
}

/* Blocks of lengths that no block has, each with as many bytes behind it as it states. */
static void test_lengths(void **state)
{
    struct file file = {.size = 0};
    (void)state;
    for (uint32_t length = 24; length <= 30; length += 6) { /* too short, and no words of 4 bytes */
        file.size = 0;
        put_u32(&file, 0x0A0D0D0A);
        put_u32(&file, length);
        put_u32(&file, 0x1A2B3C4D);
        file.size = length;
        expect(&file, "the file is damaged");
    }
    file.size = 0;
    put_section(&file);
    size_t good = file.size;
    put_u32(&file, 5);
    put_u32(&file, 14);
    file.size = good + 14;
    expect(&file, "the file is damaged");
    file.size = good;
    put_u32(&file, 1); /* an interface without its fields */
    put_u32(&file, 16);
    file.size = good + 16;
    expect(&file, "the file is damaged");
}

static void test_interfaces(void **state)
{
    struct file file = {.size = 0};
    (void)state;
    put_section(&file);
    for (uint32_t i = 0; i < CLI_CAPTURE_INTERFACES; i++) {
        put_interface(&file, i);
    }
    size_t most = file.size;
    put_enhanced(&file, CLI_CAPTURE_INTERFACES - 1, "last", 4);
    char wanted[32];
    sprintf(wanted, "%u:last end", (unsigned)CLI_CAPTURE_INTERFACES - 1);
    expect(&file, wanted);
    file.size = most;
    put_interface(&file, 1);
    expect(&file, "the file has too many interfaces");
}

/* What else stands in the field of the link, such as the length of a check sum, is not its type. */
static void test_link_of_pcap(void **state)
{
    struct file file = {.size = 0};
    (void)state;
    put_pcap(&file, 0xA1B2C3D4);
    file.size -= 4;
    put_u32(&file, 0xF0000000 | 101);
    put_record(&file, "one");
    expect(&file, "101:one end");
}

static void test_magic(void **state)
{
    (void)state;
    assert_false(cli_capture_is_one((const uint8_t *)"5441"));
    assert_false(cli_capture_is_one((const uint8_t *)"TAU\1"));
    assert_false(cli_capture_is_one((const uint8_t *)"\x1f\x8b\x08\x00"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pcap),       cmocka_unit_test(test_pcapng),
        cmocka_unit_test(test_every_end),  cmocka_unit_test(test_lies),
        cmocka_unit_test(test_magic),      cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_interfaces), cmocka_unit_test(test_link_of_pcap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
