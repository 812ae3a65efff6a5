/* SPDX-License-Identifier: MIT */
/*
 * The table of operations, and the page of one: its words, its payloads field by field, the values
 * of the enumerations in them, and the statuses that it may end with.
 */
#include "specification/explain.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "nearest.h"
#include "specification/assemble.h"

#define CODE_TEXT_SIZE   8
#define OFFSET_TEXT_SIZE 24
#define TYPE_TEXT_SIZE   256

static const char *code_text(const struct cli_spec_operation *operation, char *room)
{
    snprintf(room, CODE_TEXT_SIZE, "0x%02X", operation->code);
    return room;
}

/* Its command's summary, or the first sentence of its documentation on one line. */
static const char *summary_of(const struct cli_spec_operation *operation, char *room, size_t size)
{
    size_t length = 0;
    if (*operation->summary != '\0') {
        return operation->summary;
    }
    for (const char *at = operation->doc; *at != '\0' && length + 1 < size; at++) {
        bool ends = at[0] == '.' && (at[1] == ' ' || at[1] == '\n' || at[1] == '\0');
        if (ends) {
            break;
        }
        room[length++] = *at == '\n' ? ' ' : *at;
    }
    room[length] = '\0';
    return room;
}

void cli_explain_list(const struct cli *cli, const struct cli_document *document,
                      cli_explain_known *known)
{
    static const struct cli_column columns[] = {{"operation", CLI_CELL_TEXT},
                                                {"code", CLI_CELL_TEXT},
                                                {"since", CLI_CELL_U64},
                                                {"known", CLI_CELL_TEXT},
                                                {"summary", CLI_CELL_TEXT}};
    struct cli_writer writer;
    size_t count;
    const struct cli_spec_operation *operations = cli_document_operations(document, &count);
    cli_writer_open(cli, &writer);
    cli_writer_begin(&writer, columns, sizeof(columns) / sizeof(columns[0]));
    for (size_t i = 0; i < count; i++) {
        char code[CODE_TEXT_SIZE];
        char summary[200];
        struct cli_cell cells[] = {
            cli_cell_text(operations[i].name),
            cli_cell_text(code_text(&operations[i], code)),
            cli_cell_u64(operations[i].since),
            cli_cell_text(known(cli, &operations[i])),
            cli_cell_text(summary_of(&operations[i], summary, sizeof(summary))),
        };
        cli_writer_row(&writer, cells);
    }
    cli_writer_end(&writer);
    cli_writer_done(&writer);
}

const struct cli_spec_operation *cli_explain_nearest(const struct cli_document *document,
                                                     const char *name)
{
    const struct cli_spec_operation *nearest = NULL;
    char upper[CLI_SPEC_NAME_LIMIT + 1];
    size_t best = CLI_DISTANCE_LIMIT;
    size_t count;
    const struct cli_spec_operation *operations = cli_document_operations(document, &count);
    size_t length = 0;
    for (; length < CLI_SPEC_NAME_LIMIT && name[length] != '\0'; length++) {
        upper[length] = name[length] == '-' ? '_' : (char)toupper((unsigned char)name[length]);
    }
    upper[length] = '\0';
    for (size_t i = 0; i < count; i++) {
        size_t distance = cli_distance(upper, operations[i].name);
        if (distance < best && distance * 2 <= strlen(operations[i].name)) {
            best = distance;
            nearest = &operations[i];
        }
    }
    return nearest;
}

/* --- one operation --------------------------------------------------------------------------- */

/* Whether the bounds of an integer are closer than those of its type. */
static bool is_bounded(const struct cli_spec_field *field)
{
    const struct cli_spec_type *type = field->type;
    if (type->kind != CLI_SPEC_INTEGER || type->is_time) {
        return false;
    }
    uint64_t most = UINT64_MAX >> (64 - type->size * 8);
    most = type->is_signed ? most / 2 : most;
    return field->maximum < most || field->minimum > 0;
}

/* How a field lies in its payload and what it may hold, in words. */
static const char *type_text(const struct cli_spec_payload *payload,
                             const struct cli_spec_field *field, char *room)
{
    const char *name = field->type->name;
    const size_t size = TYPE_TEXT_SIZE;
    size_t length;
    switch (field->shape) {
    case CLI_SPEC_OPTIONAL:
        snprintf(room, size, "optional %s", name);
        break;
    case CLI_SPEC_SIZED:
        snprintf(room, size, "%s behind its length in %zu bytes, at most %" PRIu64, name,
                 field->prefix, field->max_bytes);
        break;
    case CLI_SPEC_REST:
        snprintf(room, size, "%s to the end", name);
        break;
    case CLI_SPEC_COUNTED_ARRAY:
        snprintf(room, size, "%s[%s], at most %" PRIu64, name,
                 payload->fields[field->count_from].name, field->max_count);
        break;
    case CLI_SPEC_REST_ARRAY:
        snprintf(room, size, "%s[] to the end, at most %" PRIu64, name, field->max_count);
        break;
    case CLI_SPEC_FIXED:
        snprintf(room, size, "%s", name);
        break;
    }
    length = strlen(room);
    if (is_bounded(field)) {
        snprintf(room + length, size - length, " from %" PRId64 " to %" PRIu64, field->minimum,
                 field->maximum);
    }
    return room;
}

/* The bytes of a field: those of one value, `1 or 9`, or `2 to 34`. */
static const char *size_text(const struct cli_spec_field *field, char *room)
{
    size_t size = field->type->size;
    switch (field->shape) {
    case CLI_SPEC_FIXED:
        snprintf(room, OFFSET_TEXT_SIZE, "%zu", size);
        break;
    case CLI_SPEC_OPTIONAL:
        snprintf(room, OFFSET_TEXT_SIZE, "1 or %zu", size + 1);
        break;
    case CLI_SPEC_SIZED:
        snprintf(room, OFFSET_TEXT_SIZE, "%zu + n", field->prefix);
        break;
    case CLI_SPEC_REST:
        snprintf(room, OFFSET_TEXT_SIZE, "n");
        break;
    case CLI_SPEC_COUNTED_ARRAY:
    case CLI_SPEC_REST_ARRAY:
        snprintf(room, OFFSET_TEXT_SIZE, "n x %zu", size);
        break;
    }
    return room;
}

static void add_field_row(struct cli_writer *writer, const char *part,
                          const struct cli_spec_payload *payload,
                          const struct cli_spec_field *field)
{
    char offset[OFFSET_TEXT_SIZE] = "";
    char size[OFFSET_TEXT_SIZE];
    char type[TYPE_TEXT_SIZE];
    char doc[512];
    if (field->offset != CLI_SPEC_NONE) {
        snprintf(offset, sizeof(offset), "%zu", field->offset);
    }
    bool has_unit = *field->unit != '\0';
    snprintf(doc, sizeof(doc), "%s%s%s%s", field->doc, has_unit ? " (" : "", field->unit,
             has_unit ? ")" : "");
    for (char *at = doc; (at = strchr(at, '\n')) != NULL;) {
        *at = ' ';
    }
    struct cli_cell cells[] = {
        cli_cell_text(part),
        cli_cell_text(field->name),
        cli_cell_text(offset),
        cli_cell_text(size_text(field, size)),
        cli_cell_text(type_text(payload, field, type)),
        cli_cell_text(doc),
    };
    cli_writer_row(writer, cells);
}

/* The fields of request and response in one table. */
static void print_fields(const struct cli *cli, const struct cli_spec_operation *operation)
{
    static const struct cli_column columns[] = {{"in", CLI_CELL_TEXT},     {"field", CLI_CELL_TEXT},
                                                {"offset", CLI_CELL_TEXT}, {"bytes", CLI_CELL_TEXT},
                                                {"type", CLI_CELL_TEXT},   {"doc", CLI_CELL_TEXT}};
    struct cli_writer writer;
    cli_writer_open(cli, &writer);
    cli_writer_begin(&writer, columns, sizeof(columns) / sizeof(columns[0]));
    for (size_t i = 0; i < operation->request.field_count; i++) {
        add_field_row(&writer, "request", &operation->request, &operation->request.fields[i]);
    }
    for (size_t i = 0; i < operation->response.field_count; i++) {
        add_field_row(&writer, "response", &operation->response, &operation->response.fields[i]);
    }
    cli_writer_end(&writer);
    cli_writer_done(&writer);
}

static void print_size(FILE *out, const char *name, const struct cli_spec_payload *payload)
{
    if (payload->field_count == 0) {
        fprintf(out, "%s: empty\n", name);
    } else if (payload->min_size == payload->max_size) {
        fprintf(out, "%s: %zu bytes\n", name, payload->min_size);
    } else {
        fprintf(out, "%s: %zu to %zu bytes\n", name, payload->min_size, payload->max_size);
    }
}

/* The values of an enumeration, and the members of a struct. */
static void print_type(FILE *out, const struct cli_spec_type *type)
{
    if (type->kind == CLI_SPEC_ENUM) {
        fprintf(out, "\n%s is one of these%s:\n", type->name,
                type->open ? ", and later of more" : "");
        for (size_t i = 0; i < type->choice_count; i++) {
            fprintf(out, "  %s (%" PRIu64 "): %s\n", type->choices[i].name, type->choices[i].value,
                    type->choices[i].doc);
        }
    } else if (type->kind == CLI_SPEC_STRUCT) {
        fprintf(out, "\n%s, %zu bytes, is made of:\n", type->name, type->size);
        for (size_t i = 0; i < type->member_count; i++) {
            fprintf(out, "  %s at %zu, %s: %s\n", type->members[i].name, type->members[i].offset,
                    type->members[i].type->name, type->members[i].doc);
        }
    }
}

/* The types that were met: those of fields, and those of members. */
struct met {
    const struct cli_spec_type *types[4 * CLI_SPEC_FIELD_LIMIT];
    size_t count;
};

/* A type where it is met first, as far as there is room to remember it. */
static void print_once(FILE *out, const struct cli_spec_type *type, struct met *met)
{
    size_t place = 0;
    while (place < met->count && met->types[place] != type) {
        place++;
    }
    if (place == met->count && place < sizeof(met->types) / sizeof(met->types[0])) {
        met->types[met->count++] = type;
        print_type(out, type);
    }
}

static void print_types(FILE *out, const struct cli_spec_operation *operation)
{
    const struct cli_spec_payload *payloads[] = {&operation->request, &operation->response};
    struct met met = {.count = 0};
    for (size_t i = 0; i < 2; i++) {
        for (size_t j = 0; j < payloads[i]->field_count; j++) {
            const struct cli_spec_type *type = payloads[i]->fields[j].type;
            print_once(out, type, &met);
            for (size_t k = 0; k < type->member_count; k++) {
                print_once(out, type->members[k].type, &met);
            }
        }
    }
}

void cli_explain_operation(const struct cli *cli, const struct cli_document *document,
                           const struct cli_spec_operation *operation, cli_explain_known *known)
{
    FILE *out = cli->out;
    char code[CODE_TEXT_SIZE];
    if (cli->options.format != CLI_FORMAT_TABLE) {
        print_fields(cli, operation);
        return;
    }
    fprintf(out, "%s, opcode %s, since version %" PRIu64 ": a %s for the role %s, answered by %s\n",
            operation->name, code_text(operation, code), operation->since,
            operation->write ? "write" : "read", operation->role,
            operation->stream ? "any number of frames" : "one frame");
    fprintf(out, "known to this tau-cli: %s\n\n%s\n\n", known(cli, operation), operation->doc);
    print_size(out, "request", &operation->request);
    print_size(out, "response", &operation->response);
    if (operation->request.field_count + operation->response.field_count > 0) {
        fputc('\n', out);
        print_fields(cli, operation);
    }
    print_types(out, operation);
    fputs(operation->status_count > 0 ? "\nit may end with:\n" : "", out);
    for (size_t i = 0; i < operation->status_count; i++) {
        const char *doc = cli_document_status(document, operation->statuses[i]);
        fprintf(out, "  %s: %s\n", operation->statuses[i], doc != NULL ? doc : "");
    }
    if (!operation->session) {
        fprintf(out, "\ntau-cli call %s", operation->name);
        cli_assemble_usage(&operation->request, out);
        fputc('\n', out);
    }
}
