// SPDX-License-Identifier: MIT
// Every decoder of the codec on any bytes: the first byte chooses the payload. What is accepted
// must encode again, to the same bytes unless later versions may have added some, must be decoded
// from those, and must not fit a buffer that is one byte too small. What is refused must say where,
// within the input.

#include <string.h>

#include "fuzz.h"
#include "tally.h"
#include "tau_tables.h"
#include "wire/slice.h"

enum { REFUSED, ACCEPTED, OUTCOMES };

static struct tally tally = {
    .columns = {"refused", "accepted"}, .column_count = OUTCOMES, .needed = 1 << ACCEPTED};

static void *allocate(size_t size)
{
    void *block = calloc(1, size ? size : 1);
    fuzz_require(block != NULL, "no memory");
    return block;
}

// Encodes what was decoded from `input`. Returns how long it is; the bytes are the caller's.
static uint8_t *check_encoding(const struct tau_payload_info *payload, const void *value,
                               struct tau_slice input, size_t *ret_size)
{
    size_t size = payload->size(value);
    fuzz_require(size <= input.size, "the encoding is longer than what was decoded");
    fuzz_require(size == input.size || payload->extensible, "bytes at the end were overlooked");
    uint8_t *data = allocate(size);
    struct tau_writer out = {.data = data, .capacity = size};
    fuzz_require(payload->encode(value, &out) && out.size == size,
                 "a decoded value is not encoded");
    fuzz_require(size == 0 || memcmp(data, input.data, size) == 0, "decode and encode differ");
    if (size > 0) {
        uint8_t *less = allocate(size - 1); // a block of its own, so that a sanitizer sees its end
        struct tau_writer small = {.data = less, .capacity = size - 1};
        fuzz_require(!payload->encode(value, &small) && small.size == 0, "an encoder overran");
        free(less);
    }
    *ret_size = size;
    return data;
}

static void check_accepted(const struct tau_payload_info *payload, const void *value,
                           struct tau_slice input)
{
    size_t size, size_again;
    uint8_t *data = check_encoding(payload, value, input, &size);
    void *value_again = allocate(payload->c_size);
    struct tau_decode_error error = {0};
    enum tau_status status = payload->decode(tau_slice_of(data, size), value_again, &error);
    fuzz_require(status == TAU_STATUS_SUCCESS, "what was encoded is not decoded");
    free(check_encoding(payload, value_again, tau_slice_of(data, size), &size_again));
    fuzz_require(size_again == size, "the second encoding is shorter");
    free(value_again);
    free(data);
}

void fuzz_one(const uint8_t *data, size_t size)
{
    if (size < 1)
        return;
    size_t place = data[0] % TAU_PAYLOAD_COUNT;
    const struct tau_payload_info *payload = &tau_payloads[place];
    struct tau_slice input = {.data = data + 1, .size = size - 1};
    struct tau_decode_error error = {0};
    void *value = allocate(payload->c_size);
    bool accepted = payload->decode(input, value, &error) == TAU_STATUS_SUCCESS;
    tally_add(&tally, place, accepted ? ACCEPTED : REFUSED);
    if (accepted) {
        check_accepted(payload, value, input);
    } else {
        fuzz_require(error.offset <= input.size, "the error lies behind the payload");
        fuzz_require(error.field < payload->field_count || error.field == TAU_FIELD_NONE,
                     "the error names no field");
        fuzz_require(error.expected != NULL, "the error does not say what was expected");
    }
    free(value);
}

static const char *row_name(size_t row)
{
    return row < TAU_PAYLOAD_COUNT ? tau_payloads[row].name : NULL;
}

int fuzz_report(FILE *out)
{
    return tally_print(&tally, row_name, out);
}
