// SPDX-License-Identifier: MIT
// The mutator that knows the specification, for libFuzzer and AFL++: it looks at an input as
// FUZZ_KIND says, as one payload or as frames, and changes fields, frames and their order. Headers
// are put right again, but for a lie now and then; once in so often it leaves the bytes to the
// driver's own mutator.

#include <string.h>
#include <strings.h>

#include "fuzz.h"
#include "message.h"

enum { FRAMES_MAX = 64, PLAIN_IN = 8 };

static const size_t PREFIX = FUZZ_PREFIX;
static const enum fuzz_kind KIND = FUZZ_KIND;

// An input of frames, as it is changed.
struct input {
    struct dice dice;
    uint8_t *data;
    size_t size;
    size_t capacity;
    size_t starts[FRAMES_MAX + 1]; // the last one is where the frames end
    size_t count;
};

// --- which payload stands behind which opcode ----------------------------------------------------

static const struct tau_payload_info *payload_of(const char *operation, const char *kind)
{
    size_t length = strlen(operation);
    for (size_t i = 0; i < TAU_PAYLOAD_COUNT; i++)
        if (strncasecmp(tau_payloads[i].name, operation, length) == 0 &&
            strcmp(tau_payloads[i].name + length, kind) == 0)
            return &tau_payloads[i];
    return NULL;
}

// The operation that the frame in a place of a server's answers, if each before it answered one: of
// most. Else any.
static const struct tau_operation_info *choose_answered(struct input *in, size_t place)
{
    size_t operation = dice_next(&in->dice);
    if (KIND == FUZZ_REPLIES && !dice_once_in(&in->dice, 4))
        operation = in->data[PREFIX - FUZZ_ASKED + place % FUZZ_ASKED];
    return &tau_operations[operation % TAU_OPERATION_COUNT];
}

// What may stand behind the header of the frame in this place; NULL for nothing.
static const struct tau_payload_info *choose_payload(struct input *in, size_t place, uint8_t opcode)
{
    if (opcode == TAU_OPCODE_ERR)
        return tau_payload_find("err");
    if (opcode == TAU_OPCODE_OK)
        return payload_of(choose_answered(in, place)->name, "_response");
    const struct tau_operation_info *operation = tau_operation_find(opcode);
    return operation == NULL ? NULL : payload_of(operation->name, "_request");
}

static uint8_t choose_opcode(struct input *in, size_t place)
{
    if (dice_once_in(&in->dice, 32))
        return (uint8_t)dice_next(&in->dice);
    if (KIND == FUZZ_REPLIES)
        return dice_once_in(&in->dice, 5) ? TAU_OPCODE_ERR : choose_answered(in, place)->reply;
    return tau_operations[dice_below(&in->dice, TAU_OPERATION_COUNT)].opcode;
}

// --- frames --------------------------------------------------------------------------------------

static uint32_t payload_length(const uint8_t *header)
{
    struct tau_header fields;
    return tau_header_decode(header, &fields, NULL) == TAU_STATUS_SUCCESS ? fields.payload_length
                                                                          : 0;
}

static void find_frames(struct input *in)
{
    size_t at = PREFIX;
    in->count = 0;
    while (in->count < FRAMES_MAX && in->size - at >= TAU_HEADER_SIZE) {
        in->starts[in->count++] = at;
        size_t left = in->size - at - TAU_HEADER_SIZE;
        uint32_t length = payload_length(in->data + at);
        at += TAU_HEADER_SIZE + (length < left ? length : left);
    }
    in->starts[in->count] = at;
}

// Puts bytes in the place of [first, end). Returns whether they fit.
static bool replace(struct input *in, size_t first, size_t end, const uint8_t *bytes, size_t size)
{
    if (in->size - (end - first) > in->capacity - size || size > in->capacity)
        return false;
    memmove(in->data + first + size, in->data + end, in->size - end);
    if (size > 0)
        memcpy(in->data + first, bytes, size);
    in->size = in->size - (end - first) + size;
    return true;
}

static size_t make_frame(struct input *in, size_t place, uint8_t frame[FUZZ_INPUT_MAX])
{
    uint8_t opcode = choose_opcode(in, place);
    const struct tau_payload_info *payload = choose_payload(in, place, opcode);
    size_t size = 0;
    if (payload != NULL)
        size = message_make(payload, &in->dice, frame + TAU_HEADER_SIZE,
                            FUZZ_INPUT_MAX / 4 - TAU_HEADER_SIZE);
    bool more = KIND == FUZZ_REPLIES && dice_once_in(&in->dice, 4);
    struct tau_header header = {
        .opcode = opcode, .flags = more ? TAU_FLAG_MORE : 0, .payload_length = (uint32_t)size};
    tau_header_store(frame, &header);
    return TAU_HEADER_SIZE + size;
}

static void insert_frame(struct input *in, bool instead)
{
    uint8_t frame[FUZZ_INPUT_MAX];
    size_t place = dice_below(&in->dice, in->count + 1);
    size_t size = make_frame(in, place, frame);
    size_t end = in->starts[place];
    if (instead && place < in->count)
        end = in->starts[place + 1];
    replace(in, in->starts[place], end, frame, size);
}

// A frame once more, in another place, or a row of it where it stands: requests that come together
// are executed together.
static void repeat_frame(struct input *in)
{
    uint8_t frame[FUZZ_INPUT_MAX];
    size_t place = dice_below(&in->dice, in->count);
    size_t size = in->starts[place + 1] - in->starts[place];
    if (size > sizeof frame)
        return;
    memcpy(frame, in->data + in->starts[place], size);
    bool row = dice_once_in(&in->dice, 2);
    size_t to = in->starts[row ? place : dice_below(&in->dice, in->count + 1)];
    for (size_t times = row ? 1 + dice_below(&in->dice, 4) : 1; times > 0; times--)
        replace(in, to, to, frame, size);
}

static void remove_frame(struct input *in)
{
    size_t place = dice_below(&in->dice, in->count);
    replace(in, in->starts[place], in->starts[place + 1], NULL, 0);
}

static void change_payload(struct input *in)
{
    uint8_t payload[FUZZ_INPUT_MAX];
    size_t place = dice_below(&in->dice, in->count);
    uint8_t *header = in->data + in->starts[place];
    size_t first = in->starts[place] + TAU_HEADER_SIZE, end = in->starts[place + 1];
    size_t size = end - first;
    const struct tau_payload_info *known = choose_payload(in, place, header[4]);
    if (size > sizeof payload)
        return;
    memcpy(payload, in->data + first, size);
    if (known == NULL || dice_once_in(&in->dice, PLAIN_IN))
        size = LLVMFuzzerMutate(payload, size, sizeof payload / 2);
    else
        size = message_change(known, &in->dice, payload, size, sizeof payload / 2);
    struct tau_header fields = {
        .opcode = header[4], .flags = header[5], .payload_length = (uint32_t)size};
    if (replace(in, first, end, payload, size))
        tau_header_store(in->data + in->starts[place], &fields);
}

// A place for a label in a payload, NULL where there is none: labels stand at the front.
static uint8_t *choose_label(struct input *in)
{
    size_t place = dice_below(&in->dice, in->count);
    size_t first = in->starts[place] + TAU_HEADER_SIZE;
    if (first > in->starts[place + 1])
        return NULL;
    size_t count = (in->starts[place + 1] - first) / sizeof(struct tau_label);
    size_t at = first + dice_below(&in->dice, count) * sizeof(struct tau_label);
    return count == 0 ? NULL : in->data + at;
}

// Lets one request speak of what another speaks of.
static void share_label(struct input *in)
{
    const uint8_t *from = choose_label(in);
    uint8_t *to = choose_label(in);
    if (from != NULL && to != NULL)
        memmove(to, from, sizeof(struct tau_label));
}

// One field of a header is wrong, or only different.
static void change_header(struct input *in)
{
    size_t place = dice_below(&in->dice, in->count);
    uint8_t *header = in->data + in->starts[place];
    struct tau_header fields = {
        .opcode = header[4], .flags = header[5], .payload_length = payload_length(header)};
    switch (dice_below(&in->dice, 8)) {
    case 0:
        header[dice_below(&in->dice, 4)] ^= (uint8_t)(1 << dice_below(&in->dice, 8));
        return;
    case 1:
        fields.payload_length = TAU_LIMIT_PAYLOAD_BYTES + (uint32_t)dice_below(&in->dice, 3) - 1;
        break;
    case 2:
        fields.payload_length += (uint32_t)dice_below(&in->dice, 3) - 1;
        break;
    case 3:
    case 4:
        fields.opcode = choose_opcode(in, place);
        break;
    default:
        fields.flags = (uint8_t)(dice_once_in(&in->dice, 2) ? TAU_FLAG_MORE : dice_next(&in->dice));
    }
    tau_header_store(header, &fields);
}

static void change_frames(struct input *in)
{
    find_frames(in);
    size_t choice = dice_below(&in->dice, 18);
    if (in->count == 0 || choice < 3)
        insert_frame(in, false);
    else if (choice < 4)
        insert_frame(in, true);
    else if (choice < 6)
        repeat_frame(in);
    else if (choice < 7)
        remove_frame(in);
    else if (choice < 13)
        change_payload(in);
    else if (choice < 14 && PREFIX > 0)
        in->data[dice_below(&in->dice, PREFIX)] = (uint8_t)dice_next(&in->dice);
    else if (choice < 16)
        change_header(in);
    else
        share_label(in);
}

// --- what the drivers call -----------------------------------------------------------------------

static size_t mutate_payload(struct dice *dice, uint8_t *data, size_t size, size_t max_size)
{
    if (size == 0 || dice_once_in(dice, 8)) {
        data[0] = (uint8_t)dice_below(dice, TAU_PAYLOAD_COUNT);
        size = size == 0 ? 1 : size;
    }
    const struct tau_payload_info *payload = &tau_payloads[data[0] % TAU_PAYLOAD_COUNT];
    for (size_t times = 1 + dice_below(dice, 3); times > 0; times--)
        size = 1 + message_change(payload, dice, data + 1, size - 1, max_size - 1);
    return size;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    struct input in = {.dice = {seed}, .data = data, .size = size, .capacity = max_size};
    if (max_size <= PREFIX + TAU_HEADER_SIZE || dice_once_in(&in.dice, PLAIN_IN))
        return LLVMFuzzerMutate(data, size, max_size);
    if (KIND == FUZZ_PAYLOAD)
        return mutate_payload(&in.dice, data, size, max_size);
    while (in.size < PREFIX)
        data[in.size++] = (uint8_t)dice_next(&in.dice);
    for (size_t times = 1 + dice_below(&in.dice, 4); times > 0; times--)
        change_frames(&in);
    return in.size;
}

static size_t join(struct tau_slice a, struct tau_slice b, uint8_t *out, size_t max_size)
{
    size_t first = a.size < max_size ? a.size : max_size;
    size_t second = b.size < max_size - first ? b.size : max_size - first;
    if (first > 0)
        memcpy(out, a.data, first);
    if (second > 0)
        memcpy(out + first, b.data, second);
    return first + second;
}

// Where one of the frames of an input begins, or its end.
static size_t choose_border(struct dice *dice, const uint8_t *data, size_t size)
{
    struct input in = {.data = (uint8_t *)(uintptr_t)data, .size = size};
    if (size < PREFIX)
        return size;
    find_frames(&in);
    return in.starts[dice_below(dice, in.count + 1)];
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
                                 uint8_t *out, size_t max_size, unsigned seed)
{
    struct dice dice = {seed};
    if (KIND == FUZZ_PAYLOAD) {
        if (a_size == 0 || b_size == 0 || max_size == 0)
            return 0;
        size_t place = a[0] % TAU_PAYLOAD_COUNT;
        out[0] = a[0];
        if (b[0] % TAU_PAYLOAD_COUNT != place)
            return 0;
        return 1 + message_cross(&tau_payloads[place], &dice, tau_slice_of(a + 1, a_size - 1),
                                 tau_slice_of(b + 1, b_size - 1), out + 1, max_size - 1);
    }
    size_t end = choose_border(&dice, a, a_size);
    size_t start = choose_border(&dice, b, b_size);
    return join(tau_slice_of(a, end), tau_slice_of(b + start, b_size - start), out, max_size);
}
