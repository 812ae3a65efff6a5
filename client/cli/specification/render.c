/* SPDX-License-Identifier: MIT */
/*
 * A payload is walked once, front to back; every size is held against what is left before anything
 * is read. Cells are made of what was found.
 */
#include "specification/render.h"

#include <string.h>

/* --- finding values -------------------------------------------------------------------------- */

static uint64_t load(const uint8_t *at, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++) {
        value = value << 8 | at[i];
    }
    return value;
}

/* Where in a payload the walk is. */
struct walk {
    const uint8_t *at;
    size_t left;
};

static bool take(struct walk *walk, size_t size, struct cli_spec_value *ret_value)
{
    if (walk->left < size) {
        return false;
    }
    *ret_value =
        (struct cli_spec_value){.present = true, .data = walk->at, .size = size, .count = 1};
    walk->at += size;
    walk->left -= size;
    return true;
}

static const char *take_optional(struct walk *walk, const struct cli_spec_field *field,
                                 struct cli_spec_value *ret_value)
{
    struct cli_spec_value mark;
    if (!take(walk, 1, &mark)) {
        return "it ends too early";
    }
    if (mark.data[0] > 1) {
        return "what says whether it is there is neither 0 nor 1";
    }
    if (mark.data[0] == 0) {
        return NULL;
    }
    return take(walk, field->type->size, ret_value) ? NULL : "it ends too early";
}

static const char *take_sized(struct walk *walk, const struct cli_spec_field *field,
                              struct cli_spec_value *ret_value)
{
    struct cli_spec_value length;
    if (!take(walk, field->prefix, &length)) {
        return "it ends too early";
    }
    uint64_t size = load(length.data, length.size);
    if (size > field->max_bytes) {
        return "it is longer than it may be";
    }
    return take(walk, (size_t)size, ret_value) ? NULL : "it ends too early";
}

static const char *take_array(struct walk *walk, const struct cli_spec_field *field, uint64_t count,
                              struct cli_spec_value *ret_value)
{
    size_t size = field->type->size;
    if (count > field->max_count) {
        return "it has more elements than it may have";
    }
    if (count > walk->left / size) {
        return "it ends too early";
    }
    (void)take(walk, (size_t)count * size, ret_value);
    ret_value->count = (size_t)count;
    return NULL;
}

static const char *take_field(struct walk *walk, const struct cli_spec_field *field,
                              const struct cli_spec_value *earlier,
                              struct cli_spec_value *ret_value)
{
    const struct cli_spec_value *counted;
    switch (field->shape) {
    case CLI_SPEC_FIXED:
        return take(walk, field->type->size, ret_value) ? NULL : "it ends too early";
    case CLI_SPEC_OPTIONAL:
        return take_optional(walk, field, ret_value);
    case CLI_SPEC_SIZED:
        return take_sized(walk, field, ret_value);
    case CLI_SPEC_REST:
        return walk->left <= field->max_bytes && take(walk, walk->left, ret_value)
                   ? NULL
                   : "it is longer than it may be";
    case CLI_SPEC_COUNTED_ARRAY:
        counted = &earlier[field->count_from];
        return take_array(walk, field, counted->present ? load(counted->data, counted->size) : 0,
                          ret_value);
    case CLI_SPEC_REST_ARRAY:
        if (walk->left % field->type->size != 0) {
            return "its last element is cut off";
        }
        return take_array(walk, field, walk->left / field->type->size, ret_value);
    }
    return "its shape is not known";
}

const char *cli_spec_find_values(const struct cli_spec_payload *layout, struct tau_slice payload,
                                 struct cli_spec_value *ret_values, size_t *ret_field)
{
    struct walk walk = {.at = payload.data, .left = payload.size};
    for (size_t i = 0; i < layout->field_count; i++) {
        const struct cli_spec_field *field = &layout->fields[i];
        ret_values[i] = (struct cli_spec_value){.present = false};
        if (walk.left == 0 && field->late) {
            continue;
        }
        const char *wrong = take_field(&walk, field, ret_values, &ret_values[i]);
        if (wrong != NULL) {
            *ret_field = i;
            return wrong;
        }
    }
    *ret_field = layout->field_count;
    return walk.left > 0 && !layout->extensible ? "bytes are left behind its last field" : NULL;
}

/* --- cells ----------------------------------------------------------------------------------- */

static struct cli_cell integer_cell(const struct cli_spec_type *type, const uint8_t *at)
{
    uint64_t value = load(at, type->size);
    if (!type->is_signed) {
        return cli_cell_u64(value);
    }
    unsigned unused = (unsigned)(sizeof(value) - type->size) * 8;
    int64_t number = (int64_t)(value << unused) >> unused;
    return type->is_time ? cli_cell_time(number)
                         : (struct cli_cell){.kind = CLI_CELL_I64, .as.i64 = number};
}

static struct cli_cell choice_cell(const struct cli_spec_type *type, const uint8_t *at)
{
    uint64_t value = load(at, type->size);
    for (size_t i = 0; i < type->choice_count; i++) {
        if (type->choices[i].value == value) {
            return cli_cell_text(type->choices[i].name);
        }
    }
    return cli_cell_u64(value);
}

/* A name is a label, or bytes without the zeros that fill it up. */
static struct cli_cell bytes_cell(const struct cli_spec_type *type, const uint8_t *at)
{
    struct cli_cell cell = {.kind = CLI_CELL_TEXT};
    size_t size = type->size;
    if (size == sizeof(cell.as.label)) {
        cell.kind = CLI_CELL_LABEL;
        memcpy(&cell.as.label, at, size);
        return cell;
    }
    while (size > 0 && at[size - 1] == 0) {
        size--;
    }
    cell.as.text = (struct cli_text){.data = (const char *)at, .size = size};
    return cell;
}

static struct cli_cell type_cell(const struct cli_spec_type *type, const uint8_t *at)
{
    struct cli_cell cell = {.kind = CLI_CELL_NONE};
    uint64_t bits;
    switch (type->kind) {
    case CLI_SPEC_INTEGER:
        return integer_cell(type, at);
    case CLI_SPEC_FLOAT:
        bits = load(at, type->size);
        cell.kind = CLI_CELL_F64;
        memcpy(&cell.as.f64, &bits, sizeof(bits));
        break;
    case CLI_SPEC_BOOL:
        cell.kind = CLI_CELL_BOOL;
        cell.as.boolean = at[0] != 0;
        break;
    case CLI_SPEC_STATUS:
    case CLI_SPEC_ENUM:
        return choice_cell(type, at);
    case CLI_SPEC_BYTES:
        return bytes_cell(type, at);
    case CLI_SPEC_STRUCT:
    case CLI_SPEC_TEXT:
    case CLI_SPEC_BLOB:
        break;
    }
    return cell;
}

/* The cell of a column in a row; of what is no array every row has the same. */
static struct cli_cell cell_of(const struct cli_render *render,
                               const struct cli_spec_column *column,
                               const struct cli_spec_value *values, size_t row)
{
    const struct cli_spec_field *field = &render->operation->response.fields[column->field];
    const struct cli_spec_value *value = &values[column->field];
    bool is_array = field->shape == CLI_SPEC_COUNTED_ARRAY || field->shape == CLI_SPEC_REST_ARRAY;
    struct cli_cell cell = {.kind = CLI_CELL_NONE};
    bool meaningless = field->needs != CLI_SPEC_NONE && values[field->needs].present &&
                       load(values[field->needs].data, values[field->needs].size) == 0;
    if (!value->present || meaningless || (is_array && row >= value->count)) {
        return cell;
    }
    if (field->type->size == 0) {
        cell.kind = CLI_CELL_TEXT;
        cell.as.text = (struct cli_text){.data = (const char *)value->data, .size = value->size};
        return cell;
    }
    const uint8_t *at = value->data + (is_array ? row * field->type->size : 0);
    return column->member != NULL ? type_cell(column->member->type, at + column->member->offset)
                                  : type_cell(field->type, at);
}

/* --- columns --------------------------------------------------------------------------------- */

static enum cli_cell_kind column_kind(const struct cli_spec_type *type)
{
    switch (type->kind) {
    case CLI_SPEC_INTEGER:
        return type->is_time ? CLI_CELL_TIME : type->is_signed ? CLI_CELL_I64 : CLI_CELL_U64;
    case CLI_SPEC_FLOAT:
        return CLI_CELL_F64;
    case CLI_SPEC_BOOL:
        return CLI_CELL_BOOL;
    case CLI_SPEC_BYTES:
        return type->size == sizeof(struct tau_label) ? CLI_CELL_LABEL : CLI_CELL_TEXT;
    default:
        return CLI_CELL_TEXT;
    }
}

static void add_column(struct cli_render *render, size_t field, const char *name, bool is_array,
                       const struct cli_spec_member *member)
{
    const struct cli_spec_type *type =
        member != NULL ? member->type : render->operation->response.fields[field].type;
    if (render->count == CLI_COLUMN_LIMIT) {
        render->failed = true;
        return;
    }
    char *own = render->names[render->count];
    size_t length = strlen(name);
    memcpy(own, name, length + 1);
    if (is_array && member == NULL && length > 1 && own[length - 1] == 's') {
        own[length - 1] = '\0';
    }
    render->sources[render->count] = (struct cli_spec_column){.field = field, .member = member};
    render->columns[render->count] = (struct cli_column){.name = own, .kind = column_kind(type)};
    render->count++;
}

static bool is_array_of(const struct cli_render *render, size_t field)
{
    enum cli_spec_shape shape = render->operation->response.fields[field].shape;
    return shape == CLI_SPEC_COUNTED_ARRAY || shape == CLI_SPEC_REST_ARRAY;
}

/* Adds the columns of a field; a struct has one for each member. */
static void add_field(struct cli_render *render, size_t place)
{
    const struct cli_spec_field *field = &render->operation->response.fields[place];
    bool is_array = is_array_of(render, place);
    if (field->type->kind != CLI_SPEC_STRUCT) {
        add_column(render, place, field->name, is_array, NULL);
    }
    for (size_t i = 0; i < field->type->member_count; i++) {
        add_column(render, place, field->type->members[i].name, is_array, &field->type->members[i]);
    }
}

/* --- printing -------------------------------------------------------------------------------- */

static void print_row(struct cli_render *render, const struct cli_spec_value *values, size_t row)
{
    struct cli_cell cells[CLI_COLUMN_LIMIT];
    for (size_t i = 0; i < render->count; i++) {
        cells[i] = cell_of(render, &render->sources[i], values, row);
    }
    cli_writer_row(&render->writer, cells);
}

/* The single values of an answer. */
static void print_record(struct cli_render *render, const struct cli_spec_value *values)
{
    struct cli_cell cells[CLI_COLUMN_LIMIT];
    render->count = 0;
    for (size_t i = 0; i < render->operation->response.field_count; i++) {
        if (!render->operation->response.fields[i].is_count && !is_array_of(render, i)) {
            add_field(render, i);
        }
    }
    for (size_t i = 0; i < render->count; i++) {
        cells[i] = cell_of(render, &render->sources[i], values, 0);
    }
    if (render->count > 0) {
        cli_writer_record(&render->writer, render->columns, cells, render->count,
                          render->count == 1 ? 0 : CLI_MAIN_NONE);
    }
}

/* The arrays that go with the one at a place, from there on: those that share its count. */
static void print_arrays(struct cli_render *render, const struct cli_spec_value *values,
                         size_t place)
{
    const struct cli_spec_payload *response = &render->operation->response;
    size_t count_from = response->fields[place].count_from;
    render->count = 0;
    for (size_t i = place; i < response->field_count; i++) {
        bool shares = count_from != CLI_SPEC_NONE && response->fields[i].count_from == count_from;
        if (i == place || shares) {
            add_field(render, i);
        }
    }
    if (render->count == 0) {
        return; /* of a struct without members */
    }
    cli_writer_begin(&render->writer, render->columns, render->count);
    for (size_t row = 0; row < values[place].count; row++) {
        print_row(render, values, row);
    }
    cli_writer_end(&render->writer);
}

/* Whether an earlier array shares the count of this one, and has printed it. */
static bool is_printed(const struct cli_render *render, size_t place)
{
    const struct cli_spec_field *fields = render->operation->response.fields;
    for (size_t i = 0; i < place; i++) {
        if (fields[place].count_from != CLI_SPEC_NONE &&
            fields[i].count_from == fields[place].count_from) {
            return true;
        }
    }
    return false;
}

static void print_answer(struct cli_render *render, const struct cli_spec_value *values)
{
    print_record(render, values);
    for (size_t i = 0; i < render->operation->response.field_count && !render->failed; i++) {
        if (is_array_of(render, i) && !is_printed(render, i)) {
            print_arrays(render, values, i);
        }
    }
}

/* As many rows as the longest array has elements; without arrays one. */
static void print_batch(struct cli_render *render, const struct cli_spec_value *values)
{
    size_t rows = 0;
    bool has_arrays = false;
    for (size_t i = 0; i < render->operation->response.field_count; i++) {
        if (is_array_of(render, i)) {
            has_arrays = true;
            rows = values[i].count > rows ? values[i].count : rows;
        }
    }
    rows = has_arrays ? rows : 1;
    for (size_t row = 0; row < rows && render->count > 0; row++) {
        print_row(render, values, row);
    }
}

void cli_render_begin(struct cli_render *render, const struct cli *cli,
                      const struct cli_spec_operation *operation)
{
    render->cli = cli;
    render->operation = operation;
    render->count = 0;
    render->failed = false;
    cli_writer_open(cli, &render->writer);
    for (size_t i = 0; i < operation->response.field_count; i++) {
        if (!operation->response.fields[i].is_count) {
            add_field(render, i);
        }
    }
    if (operation->stream && !render->failed && render->count > 0) {
        cli_writer_begin(&render->writer, render->columns, render->count);
    }
}

bool cli_render_frame(struct cli_render *render, struct tau_slice payload)
{
    struct cli_spec_value values[CLI_SPEC_FIELD_LIMIT];
    const struct cli_spec_payload *response = &render->operation->response;
    size_t field;
    if (render->failed) {
        cli_complain(render->cli, "the answer to %s has more than %d columns",
                     render->operation->name, CLI_COLUMN_LIMIT);
        return false;
    }
    const char *wrong = cli_spec_find_values(response, payload, values, &field);
    if (wrong != NULL) {
        render->failed = true;
        cli_complain(render->cli, "the answer to %s is not what the server says of it: %s%s%s",
                     render->operation->name,
                     field < response->field_count ? response->fields[field].name : "",
                     field < response->field_count ? ": " : "", wrong);
        return false;
    }
    if (render->operation->stream) {
        print_batch(render, values);
    } else {
        print_answer(render, values);
    }
    return true;
}

void cli_render_end(struct cli_render *render)
{
    bool is_table = render->operation->stream && render->writer.columns != NULL;
    if (is_table) {
        cli_writer_end(&render->writer);
    }
    cli_writer_done(&render->writer);
}
