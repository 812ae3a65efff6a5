/* SPDX-License-Identifier: MIT */
/*
 * A line is made in memory and written at once, so that lines of clients in several threads do not
 * mix. A CONNECT that is sent begins another connection: nothing waits for its answer any more.
 */
#include "decode/trace.h"

#include <stdlib.h>

#include "decode/printer.h"

struct cli_trace {
    FILE *err;
    const bool *enabled;
    enum cli_time_format time_format;
    struct cli_conversation conversation;
};

struct cli_trace *cli_trace_new(FILE *err, const bool *enabled, enum cli_time_format time_format)
{
    struct cli_trace *trace = calloc(1, sizeof(*trace));
    if (trace != NULL) {
        trace->err = err;
        trace->enabled = enabled;
        trace->time_format = time_format;
        cli_conversation_init(&trace->conversation);
    }
    return trace;
}

void cli_trace_free(struct cli_trace *trace)
{
    if (trace != NULL) {
        cli_conversation_done(&trace->conversation);
        free(trace);
    }
}

static void print(const struct cli_trace *trace, const struct cli_frame *frame)
{
    struct cli_printer printer;
    char *line = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&line, &size);
    if (memory == NULL) {
        return;
    }
    cli_printer_begin(&printer, memory, CLI_FORMAT_TABLE, trace->time_format);
    cli_printer_frame(&printer, CLI_NO_STREAM, frame);
    if (fclose(memory) == 0) {
        fwrite(line, 1, size, trace->err);
    }
    free(line);
}

/* Without memory to note a request its answer cannot be told; the trace goes on. */
static void on_frame(void *user_data, enum tau_trace_direction direction, struct tau_slice bytes)
{
    struct cli_trace *trace = user_data;
    struct cli_frame frame;
    struct tau_header header;
    struct tau_slice payload = {.data = bytes.data + TAU_HEADER_SIZE,
                                .size = bytes.size - TAU_HEADER_SIZE};
    if (tau_header_decode(bytes.data, &header, NULL) != TAU_STATUS_SUCCESS) {
        return; /* the client makes none and takes none */
    }
    if (direction == TAU_TRACE_SENT && header.opcode == TAU_OPCODE_CONNECT) {
        cli_conversation_forget(&trace->conversation);
    }
    (void)cli_conversation_add(&trace->conversation, direction == TAU_TRACE_RECEIVED, &header,
                               payload, &frame);
    if (*trace->enabled) {
        print(trace, &frame);
    }
}

void cli_trace_attach(struct cli_trace *trace, struct tau_options *options)
{
    options->on_trace = on_frame;
    options->trace_user_data = trace;
}

bool cli_trace_another(struct tau_options *options, struct cli_trace **ret_trace)
{
    *ret_trace = NULL;
    if (options->on_trace == NULL) {
        return true;
    }
    const struct cli_trace *like = options->trace_user_data;
    *ret_trace = cli_trace_new(like->err, like->enabled, like->time_format);
    if (*ret_trace != NULL) {
        cli_trace_attach(*ret_trace, options);
    }
    return *ret_trace != NULL;
}
