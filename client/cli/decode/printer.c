/* SPDX-License-Identifier: MIT */
/*
 * The two ways to print. Both walk the same fields and name the same faults; the text leaves out
 * what makes a line too long to read, JSON leaves out nothing.
 */
#include "decode/printer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "decode/fields.h"

/* What a line of text holds of arrays and of bytes. */
#define TEXT_ELEMENTS 16
#define TEXT_BYTES    64

static bool is_json(const struct cli_printer *printer)
{
    return printer->format != CLI_FORMAT_TABLE;
}

static struct cli_text text_of(const char *text)
{
    return (struct cli_text){.data = text, .size = strlen(text)};
}

/* --- fields ---------------------------------------------------------------------------------- */

static void name_value(struct cli_printer *printer, const char *name)
{
    if (is_json(printer)) {
        fputs(printer->first ? "" : ", ", printer->out);
    } else {
        fputs(printer->first ? "" : " ", printer->out);
    }
    printer->first = false;
    if (name != NULL && is_json(printer)) {
        cli_json_string(printer->out, text_of(name));
        fputs(": ", printer->out);
    } else if (name != NULL) {
        fprintf(printer->out, "%s=", name);
    }
}

static void print_text_cell(struct cli_printer *printer, const struct cli_cell *cell)
{
    char room[CLI_CELL_TEXT_SIZE];
    struct cli_text text = cli_cell_to_text(cell, printer->time_format, room);
    if (cell->kind == CLI_CELL_NONE) {
        fputs("none", printer->out);
    } else if (cell->kind == CLI_CELL_LABEL) {
        cli_json_string(printer->out, text);
    } else {
        fwrite(text.data, 1, text.size, printer->out);
    }
}

/* The text of a peer: quoted and escaped, so that it cannot be taken for anything else. */
static void print_foreign_text(struct cli_printer *printer, struct cli_text text)
{
    bool cut = !is_json(printer) && text.size > TEXT_BYTES;
    size_t size = text.size;
    if (cut) {
        text.size = TEXT_BYTES;
    }
    cli_json_string(printer->out, text);
    if (cut) {
        fprintf(printer->out, "...(%zu bytes)", size);
    }
}

static void on_value(void *user_data, const char *name, const struct cli_cell *cell)
{
    struct cli_printer *printer = user_data;
    name_value(printer, name);
    if (is_json(printer)) {
        cli_json_cell(printer->out, printer->time_format, cell);
    } else if (cell->kind == CLI_CELL_TEXT) {
        print_foreign_text(printer, cell->as.text);
    } else {
        print_text_cell(printer, cell);
    }
}

static void on_word(void *user_data, const char *name, const char *word)
{
    struct cli_printer *printer = user_data;
    const char *quote = is_json(printer) ? "\"" : "";
    name_value(printer, name);
    fprintf(printer->out, "%s%s%s", quote, word, quote);
}

static void on_bytes(void *user_data, const char *name, struct tau_slice bytes)
{
    struct cli_printer *printer = user_data;
    bool cut = !is_json(printer) && bytes.size > TEXT_BYTES;
    size_t size = cut ? TEXT_BYTES : bytes.size;
    name_value(printer, name);
    fputs(is_json(printer) ? "\"" : "0x", printer->out);
    for (size_t i = 0; i < size; i++) {
        fprintf(printer->out, "%02x", bytes.data[i]);
    }
    if (cut) {
        fprintf(printer->out, "...(%zu bytes)", bytes.size);
    }
    fputs(is_json(printer) ? "\"" : "", printer->out);
}

static void on_open_array(void *user_data, const char *name, size_t count)
{
    struct cli_printer *printer = user_data;
    name_value(printer, name);
    fputc('[', printer->out);
    printer->first = true;
    printer->cut = !is_json(printer) && count > TEXT_ELEMENTS ? count : 0;
}

static void on_close_array(void *user_data)
{
    struct cli_printer *printer = user_data;
    if (printer->cut > 0) {
        fprintf(printer->out, " ...(%zu in all)", printer->cut);
    }
    fputc(']', printer->out);
    printer->first = false;
}

static void on_open_struct(void *user_data, const char *name)
{
    struct cli_printer *printer = user_data;
    name_value(printer, name);
    fputc('{', printer->out);
    printer->first = true;
}

static void on_close_struct(void *user_data)
{
    struct cli_printer *printer = user_data;
    fputc('}', printer->out); /* behind its last member; no struct is without any */
}

static struct cli_field_sink make_sink(struct cli_printer *printer)
{
    return (struct cli_field_sink){
        .value = on_value,
        .word = on_word,
        .bytes = on_bytes,
        .open_array = on_open_array,
        .close_array = on_close_array,
        .open_struct = on_open_struct,
        .close_struct = on_close_struct,
        .max_elements = is_json(printer) ? SIZE_MAX : TEXT_ELEMENTS,
        .user_data = printer,
    };
}

/* --- lines ----------------------------------------------------------------------------------- */

void cli_printer_begin(struct cli_printer *printer, FILE *out, enum cli_format format,
                       enum cli_time_format time_format)
{
    *printer = (struct cli_printer){.out = out, .format = format, .time_format = time_format};
    fputs(format == CLI_FORMAT_JSON ? "[" : "", out);
}

void cli_printer_end(struct cli_printer *printer)
{
    if (printer->format == CLI_FORMAT_JSON) {
        fputs(printer->printed == 0 ? "]\n" : "\n]\n", printer->out);
    }
}

static void begin_line(struct cli_printer *printer, uint32_t stream, bool reply)
{
    if (printer->format == CLI_FORMAT_JSON) {
        fputs(printer->printed == 0 ? "\n  " : ",\n  ", printer->out);
    }
    printer->printed++;
    printer->first = true;
    if (is_json(printer)) {
        fputc('{', printer->out);
        if (stream != CLI_NO_STREAM) {
            fprintf(printer->out, "\"stream\": %" PRIu32 ", ", stream);
        }
        fprintf(printer->out, "\"direction\": \"%s\"", reply ? "reply" : "request");
    } else {
        if (stream != CLI_NO_STREAM) {
            fprintf(printer->out, "[%" PRIu32 "] ", stream);
        }
        fputc(reply ? '<' : '>', printer->out);
    }
}

static void end_line(struct cli_printer *printer)
{
    fputs(is_json(printer) ? "}" : "", printer->out);
    fputs(printer->format == CLI_FORMAT_JSON ? "" : "\n", printer->out);
}

static void print_error(struct cli_printer *printer, const struct cli_field_result *result)
{
    const char *status = tau_status_name(result->status);
    if (is_json(printer)) {
        fprintf(printer->out, ", \"error\": {\"status\": \"%s\", \"field\": ", status);
        if (result->field != NULL) {
            cli_json_string(printer->out, text_of(result->field));
        } else {
            fputs("null", printer->out);
        }
        fprintf(printer->out, ", \"offset\": %" PRIu32 "}", result->offset);
    } else {
        fprintf(printer->out, " error=%s field=%s offset=%" PRIu32, status,
                result->field != NULL ? result->field : "none", result->offset);
    }
}

static void print_text_head(struct cli_printer *printer, const struct cli_frame *frame)
{
    uint8_t opcode = frame->header.opcode;
    fprintf(printer->out, " %s", tau_opcode_name(opcode));
    if (frame->reply) {
        fprintf(printer->out, " to %s",
                frame->operation != NULL ? frame->operation->name : "an unknown request");
    }
    fprintf(printer->out, " flags=0x%02x length=%" PRIu32, frame->header.flags,
            frame->header.payload_length);
}

static void print_json_head(struct cli_printer *printer, const struct cli_frame *frame)
{
    const struct cli_cell operation = frame->operation != NULL
                                          ? cli_cell_text(frame->operation->name)
                                          : (struct cli_cell){.kind = CLI_CELL_NONE};
    fprintf(printer->out, ", \"opcode\": \"%s\", \"code\": %u, \"operation\": ",
            tau_opcode_name(frame->header.opcode), frame->header.opcode);
    cli_json_cell(printer->out, printer->time_format, &operation);
    fprintf(printer->out, ", \"flags\": %u, \"length\": %" PRIu32, frame->header.flags,
            frame->header.payload_length);
}

static void walk_json(struct cli_printer *printer, const struct cli_frame *frame,
                      struct cli_field_result *ret_result)
{
    struct cli_field_sink sink = make_sink(printer);
    fputs(", \"fields\": ", printer->out);
    printer->first = true;
    fputs(frame->readable ? "{" : "null", printer->out);
    cli_fields_walk(frame, &sink, ret_result);
    fputs(frame->readable ? "}" : "", printer->out);
    if (ret_result->extra > 0) {
        fprintf(printer->out, ", \"extra\": %zu", ret_result->extra);
    }
}

static void walk_text(struct cli_printer *printer, const struct cli_frame *frame,
                      struct cli_field_result *ret_result)
{
    struct cli_field_sink sink = make_sink(printer);
    printer->first = false;
    cli_fields_walk(frame, &sink, ret_result);
    if (ret_result->extra > 0) {
        fprintf(printer->out, " extra=%zu bytes", ret_result->extra);
    }
}

bool cli_printer_frame(struct cli_printer *printer, uint32_t stream, const struct cli_frame *frame)
{
    struct cli_field_result result;
    begin_line(printer, stream, frame->reply);
    if (is_json(printer)) {
        print_json_head(printer, frame);
        walk_json(printer, frame, &result);
    } else {
        print_text_head(printer, frame);
        walk_text(printer, frame, &result);
    }
    if (result.status != TAU_STATUS_SUCCESS) {
        print_error(printer, &result);
    } else if (is_json(printer)) {
        fputs(", \"error\": null", printer->out);
    }
    end_line(printer);
    return result.status == TAU_STATUS_SUCCESS;
}

static const char *words_of(const struct cli_piece *piece)
{
    switch (piece->kind) {
    case CLI_PIECE_CUT:
        return "bytes of a frame that is not whole";
    case CLI_PIECE_LOST:
        return "bytes are missing";
    case CLI_PIECE_HEADER:
        return "bytes of a frame that is refused";
    default:
        return "bytes that are no frame";
    }
}

void cli_printer_refused(struct cli_printer *printer, uint32_t stream, bool reply,
                         const struct cli_piece *piece)
{
    struct cli_field_result result = {.status = piece->status, .offset = piece->offset};
    begin_line(printer, stream, reply);
    if (is_json(printer)) {
        fprintf(printer->out, ", \"bytes\": %" PRIu64 ", \"words\": \"%s\"", piece->size,
                words_of(piece));
    } else {
        fprintf(printer->out, " %" PRIu64 " %s", piece->size, words_of(piece));
    }
    if (piece->kind == CLI_PIECE_HEADER && is_json(printer)) {
        fprintf(printer->out, ", \"code\": %u", piece->header.opcode);
    } else if (piece->kind == CLI_PIECE_HEADER) {
        fprintf(printer->out, " opcode=0x%02x", piece->header.opcode);
    }
    if (result.status != TAU_STATUS_SUCCESS) {
        print_error(printer, &result);
    } else if (is_json(printer)) {
        fputs(", \"error\": null", printer->out);
    }
    end_line(printer);
}
