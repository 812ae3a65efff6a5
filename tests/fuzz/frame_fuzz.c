// SPDX-License-Identifier: MIT
// Headers of frames on any bytes: the decoder must say what the machine says that reads byte by
// byte, however the bytes are cut in two. What is accepted is stored again to the same bytes. The
// input is a row of frames; the first header that is refused ends it.

#include <string.h>

#include "fuzz.h"
#include "tau_codec.h" // before what includes it too: its planted copy stands in another folder
#include "tau_header_oracle.h"

static void check_machine(const uint8_t *bytes, size_t size, size_t cut, enum tau_status status,
                          const struct tau_header *header, const struct tau_decode_error *error)
{
    struct tau_header_oracle machine;
    tau_header_oracle_init(&machine);
    tau_header_oracle_feed(&machine, bytes, cut);
    tau_header_oracle_feed(&machine, bytes + cut, size - cut);
    fuzz_require(machine.status == status, "decoder and machine disagree");
    if (status != TAU_STATUS_SUCCESS) {
        fuzz_require(error->offset < TAU_HEADER_SIZE, "the fault is said to lie behind the header");
        return;
    }
    fuzz_require(machine.done && machine.taken == TAU_HEADER_SIZE, "the machine is not done");
    fuzz_require(machine.header.opcode == header->opcode && machine.header.flags == header->flags &&
                     machine.header.payload_length == header->payload_length,
                 "decoder and machine read other fields");
}

// Returns whether the header is right.
static int check_header(const uint8_t bytes[TAU_HEADER_SIZE], struct tau_header *ret)
{
    struct tau_decode_error error = {0};
    enum tau_status status = tau_header_decode(bytes, ret, &error);
    for (size_t cut = 0; cut <= TAU_HEADER_SIZE; cut++)
        check_machine(bytes, TAU_HEADER_SIZE, cut, status, ret, &error);
    if (status != TAU_STATUS_SUCCESS)
        return 0;
    uint8_t stored[TAU_HEADER_SIZE];
    tau_header_store(stored, ret);
    fuzz_require(memcmp(stored, bytes, sizeof stored) == 0, "a header is stored in another way");
    fuzz_require(ret->payload_length <= TAU_LIMIT_PAYLOAD_BYTES, "a payload above the limit");
    return 1;
}

void fuzz_one(const uint8_t *data, size_t size)
{
    size_t at = 0;
    struct tau_header header;
    while (size - at >= TAU_HEADER_SIZE && check_header(data + at, &header)) {
        at += TAU_HEADER_SIZE;
        at += header.payload_length < size - at ? header.payload_length : size - at;
    }
    if (size - at < TAU_HEADER_SIZE) { // the beginning of one: nothing of it may be taken for whole
        struct tau_header_oracle machine;
        tau_header_oracle_init(&machine);
        tau_header_oracle_feed(&machine, data + at, size - at);
        fuzz_require(!machine.done, "the machine is done with a part of a header");
    }
}
