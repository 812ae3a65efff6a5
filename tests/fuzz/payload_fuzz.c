// SPDX-License-Identifier: MIT
// Every decoder of the codec on any bytes: the first byte chooses the payload. What is accepted must
// encode again, to the same bytes unless later versions may have added some, and must not fit a
// buffer that is one byte too small. What is refused must say where, within the input.

#include <string.h>

#include "fuzz.h"
#include "tau_tables.h"

static void check_accepted(const struct tau_payload_info *payload, const void *value,
                           struct tau_slice input)
{
    size_t size = payload->size(value);
    fuzz_require(size <= input.size, "the encoding is longer than what was decoded");
    fuzz_require(size == input.size || payload->extensible, "bytes at the end were overlooked");
    uint8_t *data = malloc(size ? size : 1);
    fuzz_require(data != NULL, "no memory");
    struct tau_writer out = {.data = data, .capacity = size};
    fuzz_require(payload->encode(value, &out) && out.size == size, "a decoded value is not encoded");
    fuzz_require(memcmp(data, input.data, size) == 0, "decode and encode differ");
    if (size > 0) {
        struct tau_writer small = {.data = data, .capacity = size - 1};
        fuzz_require(!payload->encode(value, &small) && small.size == 0, "an encoder overran");
    }
    free(data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    const struct tau_payload_info *payload = &tau_payloads[data[0] % TAU_PAYLOAD_COUNT];
    struct tau_slice input = {.data = data + 1, .size = size - 1};
    struct tau_decode_error error = {0};
    void *value = calloc(1, payload->c_size);
    fuzz_require(value != NULL, "no memory");
    if (payload->decode(input, value, &error) == TAU_STATUS_SUCCESS) {
        check_accepted(payload, value, input);
    } else {
        fuzz_require(error.offset <= input.size, "the error lies behind the payload");
        fuzz_require(error.field < payload->field_count || error.field == TAU_FIELD_NONE,
                     "the error names no field");
        fuzz_require(error.expected != NULL, "the error does not say what was expected");
    }
    free(value);
    return 0;
}
