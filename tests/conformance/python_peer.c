/* SPDX-License-Identifier: MIT
 *
 * The generated codec behind a pipe, for a test that compares it with the Python codec. Standard
 * input brings messages, standard output says of each what the decoder found:
 *
 *   message:  u8 length of a name, the payload's name ("" for a header), u32 size, bytes
 *   payload:  u8 status; if 0 u32 size and the bytes that the value is encoded to again,
 *             else u16 field and u32 offset
 *   header:   of the whole: u8 status, u32 offset, u8 opcode, u8 flags, u32 length; then, for the
 *             machine that reads byte by byte, split at each point: u8 status, u8 done, u8 taken,
 *             and when it is done u8 opcode, u8 flags, u32 length
 *
 * Numbers are big-endian, the status of a header that is not whole is 0xFF.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dump.h"
#include "tau_header_oracle.h"
#include "tau_tables.h"

#define NOT_WHOLE 0xFF

static void put(uint64_t number, unsigned size)
{
    while (size-- > 0)
        putchar((int)(number >> 8 * size & 0xFF));
}

static uint8_t *take(size_t size)
{
    uint8_t *bytes = malloc(size > 0 ? size : 1);
    if (bytes == NULL || fread(bytes, 1, size, stdin) != size)
        exit(2);
    return bytes;
}

static size_t take_size(void)
{
    uint8_t *bytes = take(4);
    size_t size =
        (size_t)bytes[0] << 24 | (size_t)bytes[1] << 16 | (size_t)bytes[2] << 8 | bytes[3];
    free(bytes);
    return size;
}

/* The bytes of a value, encoded from both orders of arrays: they must be the same. */
static void answer_value(const struct tau_payload_info *payload, void *value)
{
    size_t size = payload->size(value);
    uint8_t *once = malloc(2 * size + 1);
    if (once == NULL)
        exit(2);
    struct tau_writer out = tau_writer_over(once, size);
    bool encoded = payload->encode(value, &out);
    struct tau_writer native = tau_writer_over(once + size, size);
    make_native(payload, value);
    encoded = payload->encode(value, &native) && encoded;
    free_native(payload, value);
    if (!encoded || memcmp(once, once + size, size) != 0)
        exit(3);
    put(TAU_STATUS_SUCCESS, 1);
    put(size, 4);
    fwrite(once, 1, size, stdout);
    free(once);
}

static void answer_payload(const char *name, struct tau_slice bytes)
{
    const struct tau_payload_info *payload = tau_payload_find(name);
    if (payload == NULL)
        exit(2);
    void *value = calloc(1, payload->c_size);
    struct tau_decode_error error = {0};
    if (value == NULL)
        exit(2);
    enum tau_status status = payload->decode(bytes, value, &error);
    if (status == TAU_STATUS_SUCCESS) {
        answer_value(payload, value);
    } else {
        put(status, 1);
        put(error.field, 2);
        put(error.offset, 4);
    }
    free(value);
}

static void put_header(const struct tau_header *header)
{
    put(header->opcode, 1);
    put(header->flags, 1);
    put(header->payload_length, 4);
}

static void answer_split(struct tau_slice bytes, size_t split)
{
    struct tau_header_oracle oracle;
    tau_header_oracle_init(&oracle);
    tau_header_oracle_feed(&oracle, bytes.data, split);
    tau_header_oracle_feed(&oracle, bytes.data + split, bytes.size - split);
    put(oracle.status, 1);
    put(oracle.done, 1);
    put(oracle.taken, 1);
    if (oracle.done)
        put_header(&oracle.header);
}

static void answer_header(struct tau_slice bytes)
{
    struct tau_header header = {0};
    struct tau_decode_error error = {0};
    unsigned status = NOT_WHOLE;
    if (bytes.size >= TAU_HEADER_SIZE)
        status = tau_header_decode(bytes.data, &header, &error);
    if (status != TAU_STATUS_SUCCESS)
        header = (struct tau_header){0};
    put(status, 1);
    put(error.offset, 4);
    put_header(&header);
    for (size_t split = 0; split <= bytes.size; split++)
        answer_split(bytes, split);
}

int main(void)
{
    int length;
    while ((length = getchar()) != EOF) {
        char name[256] = {0};
        uint8_t *given = take((size_t)length);
        memcpy(name, given, (size_t)length);
        free(given);
        size_t size = take_size();
        uint8_t *bytes = take(size);
        struct tau_slice slice = {bytes, size};
        if (length == 0)
            answer_header(slice);
        else
            answer_payload(name, slice);
        free(bytes);
    }
    return fflush(stdout) == 0 ? 0 : 2;
}
