/* SPDX-License-Identifier: MIT */
/*
 * The generic command: read the arguments, make the call, print the answer. What the fields are
 * stands in the generated tables; nothing here knows any operation.
 */
#include "generic.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "format/number.h"

/* Stores an integer in a member of 1, 2, 4 or 8 bytes. */
static void store(void *member, size_t size, uint64_t value)
{
    uint8_t u8 = (uint8_t)value;
    uint16_t u16 = (uint16_t)value;
    uint32_t u32 = (uint32_t)value;
    switch (size) {
    case sizeof(u8):
        memcpy(member, &u8, size);
        break;
    case sizeof(u16):
        memcpy(member, &u16, size);
        break;
    case sizeof(u32):
        memcpy(member, &u32, size);
        break;
    default:
        assert(size == sizeof(value));
        memcpy(member, &value, sizeof(value));
    }
}

static uint64_t load(const void *member, size_t size)
{
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;
    switch (size) {
    case sizeof(u8):
        memcpy(&u8, member, sizeof(u8));
        return u8;
    case sizeof(u16):
        memcpy(&u16, member, sizeof(u16));
        return u16;
    case sizeof(u32):
        memcpy(&u32, member, sizeof(u32));
        return u32;
    default:
        assert(size == sizeof(u64));
        memcpy(&u64, member, sizeof(u64));
        return u64;
    }
}

/* Sign-extends what `load` has read. */
static int64_t load_signed(const void *member, size_t size)
{
    unsigned unused = (unsigned)(sizeof(uint64_t) - size) * 8;
    return (int64_t)(load(member, size) << unused) >> unused;
}

static bool read_choice(const struct cli *cli, const struct cli_field *field, const char *text,
                        uint64_t *ret_value)
{
    for (size_t i = 0; i < field->choice_count; i++) {
        if (strcmp(field->choices[i].name, text) == 0) {
            *ret_value = field->choices[i].value;
            return true;
        }
    }
    cli_complain(cli, "%s: `%s` is not allowed; it is one of:", field->name, text);
    for (size_t i = 0; i < field->choice_count; i++) {
        fprintf(cli->err, "  %s\n", field->choices[i].name);
    }
    return false;
}

static bool read_signed(const struct cli *cli, const struct cli_field *field, const char *text,
                        void *member)
{
    int64_t value;
    if (!cli_i64_from_text(text, field->minimum, (int64_t)field->maximum, &value)) {
        cli_complain(cli, "%s: `%s` is not a whole number from %lld to %lld", field->name, text,
                     (long long)field->minimum, (long long)field->maximum);
        return false;
    }
    store(member, field->size, (uint64_t)value);
    return true;
}

static bool read_duration(const struct cli *cli, const struct cli_field *field, const char *text,
                          void *member)
{
    char most[CLI_TIME_TEXT_SIZE];
    int64_t value;
    if (!cli_read_duration(cli, field->name, text, field->minimum, &value)) {
        return false;
    }
    if ((uint64_t)value > field->maximum) {
        cli_span_to_text(field->maximum, CLI_TIME_RFC3339, most);
        cli_complain(cli, "%s: `%s` is too long: at most %s", field->name, text, most);
        return false;
    }
    store(member, field->size, (uint64_t)value);
    return true;
}

/* Reads what is stored as an unsigned integer: counts, truth values, choices. */
static bool read_unsigned(const struct cli *cli, const struct cli_field *field, const char *text,
                          void *member)
{
    static const struct cli_choice truths[] = {{"false", 0}, {"true", 1}};
    struct cli_field truth = *field;
    uint64_t value;
    bool ok;
    if (field->kind == CLI_FIELD_ENUM) {
        ok = read_choice(cli, field, text, &value);
    } else if (field->kind == CLI_FIELD_BOOL) {
        truth.choices = truths;
        truth.choice_count = 2;
        ok = read_choice(cli, &truth, text, &value);
    } else {
        ok = cli_read_count(cli, field->name, text, (uint64_t)field->minimum, field->maximum,
                            &value);
    }
    if (ok) {
        store(member, field->size, value);
    }
    return ok;
}

bool cli_field_read(const struct cli *cli, const struct cli_field *field, const char *text,
                    void *request)
{
    unsigned char *member = (unsigned char *)request + field->offset;
    struct tau_label label;
    struct tau_slice slice = {.data = (const uint8_t *)text, .size = strlen(text)};
    int64_t time_ns;
    double value;
    bool ok = true;
    assert(request != NULL);
    switch (field->kind) {
    case CLI_FIELD_UNSIGNED:
    case CLI_FIELD_BOOL:
    case CLI_FIELD_ENUM:
        ok = read_unsigned(cli, field, text, member);
        break;
    case CLI_FIELD_SIGNED:
        ok = read_signed(cli, field, text, member);
        break;
    case CLI_FIELD_F64:
        ok = cli_read_value(cli, field->name, text, &value);
        memcpy(member, &value, ok ? sizeof(value) : 0);
        break;
    case CLI_FIELD_TIME:
        ok = cli_read_time(cli, field->name, text, &time_ns);
        memcpy(member, &time_ns, ok ? sizeof(time_ns) : 0);
        break;
    case CLI_FIELD_DURATION:
        ok = read_duration(cli, field, text, member);
        break;
    case CLI_FIELD_NAME:
        ok = cli_read_label(cli, field->name, text, &label);
        memcpy(member, &label, ok ? sizeof(label) : 0);
        break;
    case CLI_FIELD_TEXT:
        memcpy(member, &slice, sizeof(slice));
        break;
    }
    if (ok && field->has_offset != CLI_NO_OFFSET) {
        *((bool *)((unsigned char *)request + field->has_offset)) = true;
    }
    return ok;
}

static struct cli_cell choice_cell(const struct cli_field *field, uint64_t value)
{
    for (size_t i = 0; i < field->choice_count; i++) {
        if (field->choices[i].value == value) {
            return cli_cell_text(field->choices[i].name);
        }
    }
    return cli_cell_u64(value);
}

struct cli_cell cli_field_cell(const struct cli_field *field, const void *holder)
{
    const unsigned char *member = (const unsigned char *)holder + field->offset;
    struct cli_cell cell = {.kind = CLI_CELL_NONE};
    struct tau_slice slice;
    if (field->has_offset != CLI_NO_OFFSET &&
        !*(const bool *)((const unsigned char *)holder + field->has_offset)) {
        return cell;
    }
    if (field->needs_size != 0 &&
        load((const unsigned char *)holder + field->needs_offset, field->needs_size) == 0) {
        return cell;
    }
    switch (field->kind) {
    case CLI_FIELD_UNSIGNED:
        return cli_cell_u64(load(member, field->size));
    case CLI_FIELD_SIGNED:
        cell.kind = CLI_CELL_I64;
        cell.as.i64 = load_signed(member, field->size);
        break;
    case CLI_FIELD_F64:
        cell.kind = CLI_CELL_F64;
        memcpy(&cell.as.f64, member, sizeof(cell.as.f64));
        break;
    case CLI_FIELD_BOOL:
        cell.kind = CLI_CELL_BOOL;
        cell.as.boolean = load(member, field->size) != 0;
        break;
    case CLI_FIELD_ENUM:
        return choice_cell(field, load(member, field->size));
    case CLI_FIELD_TIME:
        return cli_cell_time(load_signed(member, field->size));
    case CLI_FIELD_DURATION:
        return cli_cell_duration(load(member, field->size));
    case CLI_FIELD_NAME:
        cell.kind = CLI_CELL_LABEL;
        memcpy(&cell.as.label, member, sizeof(cell.as.label));
        break;
    case CLI_FIELD_TEXT:
        memcpy(&slice, member, sizeof(slice));
        cell.kind = CLI_CELL_TEXT;
        cell.as.text = (struct cli_text){.data = (const char *)slice.data, .size = slice.size};
        break;
    }
    return cell;
}

static enum cli_cell_kind column_kind(enum cli_field_kind kind)
{
    static const enum cli_cell_kind kinds[] = {
        [CLI_FIELD_UNSIGNED] = CLI_CELL_U64,      [CLI_FIELD_SIGNED] = CLI_CELL_I64,
        [CLI_FIELD_F64] = CLI_CELL_F64,           [CLI_FIELD_BOOL] = CLI_CELL_BOOL,
        [CLI_FIELD_ENUM] = CLI_CELL_TEXT,         [CLI_FIELD_TIME] = CLI_CELL_TIME,
        [CLI_FIELD_DURATION] = CLI_CELL_DURATION, [CLI_FIELD_NAME] = CLI_CELL_LABEL,
        [CLI_FIELD_TEXT] = CLI_CELL_TEXT,
    };
    return kinds[kind];
}

static void make_columns(const struct cli_field *fields, size_t count,
                         struct cli_column *ret_columns)
{
    assert(count <= CLI_COLUMN_LIMIT);
    for (size_t i = 0; i < count; i++) {
        ret_columns[i] =
            (struct cli_column){.name = fields[i].name, .kind = column_kind(fields[i].kind)};
    }
}

static void print_results(struct cli_writer *writer, const struct cli_operation *operation,
                          const void *response)
{
    struct cli_column columns[CLI_COLUMN_LIMIT];
    struct cli_cell cells[CLI_COLUMN_LIMIT];
    make_columns(operation->results, operation->result_count, columns);
    for (size_t i = 0; i < operation->result_count; i++) {
        cells[i] = cli_field_cell(&operation->results[i], response);
    }
    cli_writer_record(writer, columns, cells, operation->result_count,
                      operation->result_count == 1 ? 0 : CLI_MAIN_NONE);
}

/* Prints the rows of an array. Returns false when there is no memory for one element. */
static bool print_array(struct cli_writer *writer, const struct cli_array *description,
                        const void *response)
{
    struct cli_column columns[CLI_COLUMN_LIMIT];
    struct cli_cell cells[CLI_COLUMN_LIMIT];
    struct tau_array array;
    assert(response != NULL);
    void *element = malloc(description->element_size);
    if (element == NULL) {
        return false;
    }
    memcpy(&array, (const unsigned char *)response + description->offset, sizeof(array));
    make_columns(description->fields, description->field_count, columns);
    cli_writer_begin(writer, columns, description->field_count);
    for (size_t row = 0; row < array.count; row++) {
        description->at(array, row, element);
        for (size_t i = 0; i < description->field_count; i++) {
            cells[i] = cli_field_cell(&description->fields[i], element);
        }
        cli_writer_row(writer, cells);
    }
    cli_writer_end(writer);
    free(element);
    return true;
}

static int print_response(struct cli *cli, const struct cli_operation *operation,
                          const void *response)
{
    struct cli_writer writer;
    bool ok = true;
    cli_writer_open(cli, &writer);
    if (operation->result_count > 0) {
        print_results(&writer, operation, response);
    }
    for (size_t i = 0; i < operation->array_count && ok; i++) {
        ok = print_array(&writer, &operation->arrays[i], response);
    }
    cli_writer_done(&writer);
    if (!ok) {
        return cli_failed(cli, NULL, TAU_STATUS_NO_MEMORY, NULL);
    }
    if (cli->interactive && operation->result_count + operation->array_count == 0) {
        fputs("ok\n", cli->err);
    }
    return CLI_OK;
}

/* Makes the call, with room for what it sends and what it answers. */
static int call(struct cli *cli, const struct cli_operation *operation,
                const struct cli_arguments *arguments)
{
    struct tau_error error;
    void *request = calloc(1, operation->request_size + 1);
    void *response = calloc(1, operation->response_size + 1);
    int code = CLI_OK;
    if (request == NULL || response == NULL) {
        code = cli_failed(cli, NULL, TAU_STATUS_NO_MEMORY, NULL);
    }
    for (size_t i = 0; i < arguments->count && code == CLI_OK; i++) {
        if (!cli_field_read(cli, &operation->arguments[i], arguments->positionals[i], request)) {
            code = CLI_USAGE;
        }
    }
    if (code == CLI_OK) {
        code = cli_connect(cli);
    }
    if (code == CLI_OK) {
        enum tau_status status = operation->call(cli->client, request, response, &error);
        code = status == TAU_STATUS_SUCCESS
                   ? print_response(cli, operation, response)
                   : cli_failed(cli, cli_positional(arguments, 0), status, &error);
    }
    free(request);
    free(response);
    return code;
}

int cli_generic_run(struct cli *cli, const struct cli_command *command, int argc, char **argv)
{
    struct cli_arguments arguments;
    int code;
    if (!cli_arguments_read(cli, command->syntax, argc, argv, &arguments, &code)) {
        return code;
    }
    return call(cli, command->generic, &arguments);
}
