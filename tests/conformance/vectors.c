/* SPDX-License-Identifier: MIT
 *
 * Holds the generated codec against the golden vectors: every right frame is decoded, compared
 * field by field, encoded again from both orders of arrays, cut at every byte, and encoded into
 * every output that is too small; every wrong one must be refused with its status, field and
 * offset. Headers go through the decoder and through the byte-at-a-time machine, split at every
 * point.
 *
 * With --released the vectors are those of a version that is out. What was right then is read as it
 * was then; what was wrong may have become right, as an opcode or a bound that was added since. Of
 * a version whose header bears another number, which its first vector tells, nothing is read.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "dump.h"
#include "tau_header_oracle.h"
#include "vector.h"

enum {
    STEP_BY_STEP = 4096, /* larger payloads are not tried at every single size */
    GUARD = 0xA5,
};

struct run {
    const char *line;
    char *name;
    bool released;
    uint8_t version; /* what the headers of the file bear */
    unsigned checks;
    unsigned failures;
};

static void expect(struct run *run, bool holds, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void expect(struct run *run, bool holds, const char *format, ...)
{
    run->checks++;
    if (holds)
        return;
    va_list arguments;
    run->failures++;
    fprintf(stderr, "%s: ", run->name);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
}

/* --- headers ------------------------------------------------------------------------------ */

static void check_oracle(struct run *run, struct bytes raw, enum tau_status status,
                         const struct tau_header *header)
{
    for (size_t split = 0; split <= raw.size; split++) {
        struct tau_header_oracle oracle;
        tau_header_oracle_init(&oracle);
        tau_header_oracle_feed(&oracle, raw.data, split);
        tau_header_oracle_feed(&oracle, raw.data + split, raw.size - split);
        expect(run, oracle.status == status, "the machine, split at %zu, says %s", split,
               tau_status_name(oracle.status));
        if (status == TAU_STATUS_SUCCESS) {
            expect(run, oracle.done && oracle.taken == TAU_HEADER_SIZE, "the machine is not done");
            expect(run,
                   oracle.header.opcode == header->opcode &&
                       oracle.header.flags == header->flags &&
                       oracle.header.payload_length == header->payload_length,
                   "the machine reads another header, split at %zu", split);
        }
    }
}

static void check_header(struct run *run, const char *text)
{
    struct bytes raw = bytes_from_text(text);
    char *named = member_text(run->line, "status");
    enum tau_status wanted = TAU_STATUS_SUCCESS;
    if (named != NULL && !tau_status_from_name(named, &wanted))
        expect(run, false, "there is no status %s", named);

    struct tau_header header;
    struct tau_decode_error error = {0};
    enum tau_status status = tau_header_decode(raw.data, &header, &error);
    if (run->released && wanted == TAU_STATUS_BAD_OPCODE && status == TAU_STATUS_SUCCESS) {
        free(named);
        free(raw.data);
        return;
    }
    expect(run, status == wanted, "decoded with %s", tau_status_name(status));
    if (wanted == TAU_STATUS_SUCCESS) {
        char read[128];
        snprintf(read, sizeof read, "{\"opcode\":%u,\"flags\":%u,\"payload_length\":%u}",
                 header.opcode, header.flags, header.payload_length);
        char *fields = member_text(run->line, "fields");
        expect(run, strcmp(fields, read) == 0, "reads %s", read);
        free(fields);
        uint8_t stored[TAU_HEADER_SIZE];
        tau_header_store(stored, &header);
        expect(run, memcmp(stored, raw.data, sizeof stored) == 0, "is stored in another way");
    } else {
        expect(run, error.status == wanted, "the error names %s", tau_status_name(error.status));
        expect(run, error.offset == member_number(run->line, "offset"), "fails at %u",
               error.offset);
        expect(run, tau_header_decode(raw.data, &header, NULL) == wanted, "needs the error object");
    }
    check_oracle(run, raw, wanted, &header);
    free(named);
    free(raw.data);
}

/* A frame of a version with another header is refused, whatever is in it. */
static void check_refused(struct run *run, const char *text)
{
    struct bytes raw = bytes_from_text(text);
    if (memcmp(raw.data, "TAU", 3) == 0 && raw.data[3] == run->version) {
        struct tau_header header;
        struct tau_decode_error error = {0};
        enum tau_status status = tau_header_decode(raw.data, &header, &error);
        expect(run, status != TAU_STATUS_SUCCESS, "is taken for a header of today's");
        expect(run, error.offset == 3, "fails at %u, not at its version", error.offset);
        struct bytes head = bytes_cut(raw, 0, TAU_HEADER_SIZE);
        check_oracle(run, head, status, &header);
        free(head.data);
    }
    free(raw.data);
}

/* --- payloads ----------------------------------------------------------------------------- */

struct subject {
    const struct tau_payload_info *payload;
    struct bytes raw;
    void *value; /* what the decoder fills in, filled with GUARD before */
};

static void *value_new(const struct tau_payload_info *payload)
{
    void *value = malloc(payload->c_size);
    if (value == NULL)
        abort();
    memset(value, GUARD, payload->c_size);
    return value;
}

static bool untouched(const struct tau_payload_info *payload, const void *value)
{
    const uint8_t *bytes = value;
    for (size_t i = 0; i < payload->c_size; i++) {
        if (bytes[i] != GUARD)
            return false;
    }
    return true;
}

/* A payload that must be refused, at the given field and offset. */
static void check_refusal(struct run *run, const struct tau_payload_info *payload,
                          struct bytes raw, long field, size_t offset)
{
    void *value = value_new(payload);
    struct tau_slice slice = {raw.data, raw.size};
    struct tau_decode_error error = {0};
    if (run->released && payload->decode(slice, value, NULL) == TAU_STATUS_SUCCESS) {
        free(value);
        return;
    }
    uint16_t number = field < 0 ? TAU_FIELD_NONE : (uint16_t)field;
    enum tau_status status = payload->decode(slice, value, &error);

    expect(run, status == TAU_STATUS_INVALID_PAYLOAD && error.status == status,
           "%zu bytes are decoded with %s", raw.size, tau_status_name(status));
    expect(run, error.field == number, "%zu bytes: field %u, not %u", raw.size, error.field,
           number);
    expect(run, error.offset == offset, "%zu bytes: offset %u, not %zu", raw.size, error.offset,
           offset);
    expect(run, error.expected != NULL, "says nothing of what was expected");
    expect(run, untouched(payload, value), "writes to its result though it fails");
    expect(run, payload->decode(slice, value, NULL) == status, "needs the error object");
    free(value);
}

static void check_cut(struct run *run, const struct subject *subject, size_t size, long field)
{
    struct bytes cut = bytes_cut(subject->raw, 0, size);
    if (field >= 0) {
        check_refusal(run, subject->payload, cut, field, size);
    } else {
        void *value = value_new(subject->payload);
        struct tau_slice slice = {cut.data, cut.size};
        expect(run, subject->payload->decode(slice, value, NULL) == TAU_STATUS_SUCCESS,
               "is refused when cut to %zu bytes", size);
        free(value);
    }
    free(cut.data);
}

/* Goes through the runs `[[field,lengths],...]` that say what each shorter length does. */
static void check_cuts(struct run *run, const struct subject *subject)
{
    const char *at = strstr(run->line, "\"cuts\":[");
    if (at == NULL)
        return;
    size_t size = 0;
    at += strlen("\"cuts\":[");
    while (*at == '[' || *at == ',') {
        at += *at == ',' ? 2 : 1;
        long field = -1;
        char *end = (char *)(uintptr_t)at + strlen("null");
        if (strncmp(at, "null", 4) != 0)
            field = strtol(at, &end, 10);
        size_t count = strtoul(end + 1, &end, 10);
        for (size_t i = 0; i < count; i++)
            check_cut(run, subject, size++, field);
        at = end + 1;
    }
    expect(run, size == subject->raw.size, "states %zu cuts of %zu", size, subject->raw.size);
}

/* Encodes into an output of `capacity` bytes, which stands in a block of that size. */
static void check_small(struct run *run, const struct subject *subject, size_t capacity)
{
    uint8_t *block = malloc(capacity + 1);
    if (block == NULL)
        abort();
    memset(block, GUARD, capacity + 1);
    struct tau_writer out = tau_writer_over(block, capacity);
    bool fits = subject->payload->encode(subject->value, &out);
    expect(run, !fits && out.size == 0, "is encoded into %zu bytes", capacity);
    bool same = true;
    for (size_t i = 0; i <= capacity; i++)
        same = same && block[i] == GUARD;
    expect(run, same, "writes to an output of %zu bytes that is too small", capacity);
    free(block);
}

static void check_encode(struct run *run, const struct subject *subject, size_t size)
{
    const struct tau_payload_info *payload = subject->payload;
    expect(run, payload->size(subject->value) == size, "has the size %zu, not %zu",
           payload->size(subject->value), size);
    uint8_t *block = malloc(size + 1); /* an empty payload needs a block too */
    if (block == NULL)
        abort();
    struct tau_writer out = tau_writer_over(block, size);
    bool fits = payload->encode(subject->value, &out);
    expect(run, fits && out.size == size, "is not encoded into %zu bytes", size);
    expect(run, fits && memcmp(block, subject->raw.data, size) == 0, "is encoded to other bytes");
    free(block);

    size_t step = size > STEP_BY_STEP ? size / 16 : 1;
    for (size_t capacity = 0; capacity < size; capacity += step)
        check_small(run, subject, capacity);
    if (size > 0)
        check_small(run, subject, size - 1);
}

/* Whether the rest of what is read are members that an older version does not have. */
static bool only_missing(const char *rest)
{
    while (*rest == ',') {
        rest = strchr(rest, ':');
        if (rest == NULL || strncmp(rest, ":null", 5) != 0)
            return false;
        rest += 5;
    }
    return strcmp(rest, "}") == 0;
}

/* Whether an older version's reading is the same but for what was added since: members that are
 * missing, and names of values that had none. */
static bool reads_alike(const char *wanted, const char *read)
{
    while (*wanted != '\0' && strcmp(wanted, "}") != 0) {
        if (*wanted >= '0' && *wanted <= '9' && *read == '"') {
            wanted += strspn(wanted, "0123456789");
            read += 1 + strcspn(read + 1, "\"");
        } else if (*wanted++ != *read) {
            return false;
        }
        read++;
    }
    return only_missing(read);
}

static void check_right(struct run *run, struct subject *subject)
{
    const struct tau_payload_info *payload = subject->payload;
    struct tau_slice slice = {subject->raw.data, subject->raw.size};
    long extra = member_number(run->line, "extra");
    enum tau_status status = payload->decode(slice, subject->value, NULL);
    if (run->released && extra > 0)
        return; /* bytes of no version: one that came since may read them */
    expect(run, status == TAU_STATUS_SUCCESS, "is refused with %s", tau_status_name(status));
    if (status != TAU_STATUS_SUCCESS)
        return;

    char *wanted = member_text(run->line, "fields");
    char *dumped = dump_payload(payload, subject->value);
    bool same = run->released ? reads_alike(wanted, dumped) : strcmp(wanted, dumped) == 0;
    expect(run, same, "reads\n  %s, not\n  %s", dumped, wanted);
    free(dumped);
    size_t size = subject->raw.size - (extra > 0 ? (size_t)extra : 0);
    check_encode(run, subject, size);
    make_native(payload, subject->value);
    check_encode(run, subject, size);
    dumped = dump_payload(payload, subject->value);
    same = run->released ? reads_alike(wanted, dumped) : strcmp(wanted, dumped) == 0;
    expect(run, same, "reads differently in the machine's order");
    free_native(payload, subject->value);
    free(dumped);
    free(wanted);
    check_cuts(run, subject);
}

static void check_frame(struct run *run, const char *text)
{
    struct bytes frame = bytes_from_text(text);
    struct tau_header header = {0};
    enum tau_status status = tau_header_decode(frame.data, &header, NULL);
    expect(run, status == TAU_STATUS_SUCCESS, "has a wrong header");
    expect(run, header.payload_length == frame.size - TAU_HEADER_SIZE, "has another length");

    char *name = member_text(run->line, "payload");
    const struct tau_payload_info *payload = tau_payload_find(name);
    expect(run, payload != NULL, "there is no payload %s", name);
    free(name);
    if (payload != NULL) {
        struct subject subject = {
            payload,
            bytes_cut(frame, TAU_HEADER_SIZE, frame.size - TAU_HEADER_SIZE),
            value_new(payload),
        };
        char *refused = member_text(run->line, "status");
        if (refused == NULL)
            check_right(run, &subject);
        else
            check_refusal(run, payload, subject.raw, member_number(run->line, "field"),
                          (size_t)member_number(run->line, "offset"));
        free(refused);
        free(subject.value);
        free(subject.raw.data);
    }
    free(frame.data);
}

/* The number that a header bears. */
static uint8_t header_version(const char *text)
{
    struct bytes raw = bytes_from_text(text);
    uint8_t version = raw.data[3];
    free(raw.data);
    return version;
}

int main(int count, char **arguments)
{
    struct run run = {.released = count == 3 && strcmp(arguments[1], "--released") == 0};
    FILE *file = count == (run.released ? 3 : 2) ? fopen(arguments[count - 1], "r") : NULL;
    if (file == NULL) {
        fprintf(stderr, "usage: conformance_vectors [--released] VECTORS\n");
        return 2;
    }
    char *line = NULL;
    size_t room = 0;
    unsigned lines = 0;
    while (getline(&line, &room, file) > 0) {
        run.line = line;
        run.name = member_text(line, "name");
        char *header = member_text(line, "header");
        char *frame = member_text(line, "frame");
        const char *text = header != NULL ? header : frame;
        if (lines == 0 && text != NULL)
            run.version = header_version(text);
        if (run.released && text != NULL && run.version != TAU_PROTOCOL_VERSION)
            check_refused(&run, text);
        else if (header != NULL)
            check_header(&run, header);
        else if (frame != NULL)
            check_frame(&run, frame);
        else
            expect(&run, false, "neither a header nor a frame");
        free(frame);
        free(header);
        free(run.name);
        lines++;
    }
    free(line);
    fclose(file);
    printf("%u vectors, %u checks, %u failures\n", lines, run.checks, run.failures);
    return run.failures == 0 && lines > 0 ? 0 : 1;
}
