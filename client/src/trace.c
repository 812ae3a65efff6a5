/* SPDX-License-Identifier: MIT */
/*
 * A frame lies in one piece in the hello or in one block of the output, so it can be told whole
 * when its first byte goes, however little of it the system took. What is dropped without being
 * sent always ends where a frame ends.
 */
#include "trace.h"

#include "wire/bytes.h"

/* The place of the payload's length in a header. */
#define LENGTH_OFFSET 6

static size_t frame_size(const uint8_t *frame)
{
    return TAU_HEADER_SIZE + (size_t)tau_load_u32(frame + LENGTH_OFFSET);
}

static void tell(const struct tau_core *core, enum tau_trace_direction direction,
                 const uint8_t *frame, size_t size)
{
    struct tau_slice slice = {.data = frame, .size = size};
    core->config.on_trace(core->config.trace_user_data, direction, slice);
}

static void tell_hello(const struct tau_core *core, size_t sent)
{
    size_t end = core->hello_sent + sent;
    for (size_t at = 0; at < end; at += frame_size(core->hello + at)) {
        if (at >= core->hello_sent)
            tell(core, TAU_TRACE_SENT, core->hello + at, frame_size(core->hello + at));
    }
}

void tau_trace_sent(struct tau_core *core, size_t hello_size, size_t output_size)
{
    uint64_t end = core->output.sent + output_size;
    tell_hello(core, hello_size);
    if (core->traced < core->output.sent)
        core->traced = core->output.sent;
    while (core->traced < end) {
        const uint8_t *frame = tau_output_at(&core->output, core->traced);
        tell(core, TAU_TRACE_SENT, frame, frame_size(frame));
        core->traced += frame_size(frame);
    }
}

void tau_trace_received(const struct tau_core *core, const uint8_t *frame, uint32_t payload_size)
{
    tell(core, TAU_TRACE_RECEIVED, frame, TAU_HEADER_SIZE + (size_t)payload_size);
}
