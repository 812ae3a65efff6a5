/* SPDX-License-Identifier: MIT */
/*
 * Values are read by the kind of their type, checked against the bounds of their field, and
 * appended big-endian. Counts come from the arrays that they count.
 */
#include "specification/assemble.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "format/number.h"

/* What is being assembled. */
struct assembly {
    const struct cli *cli;
    const struct cli_spec_operation *operation;
    const char *texts[CLI_SPEC_FIELD_LIMIT]; /* of each field, or NULL */
    size_t counts[CLI_SPEC_FIELD_LIMIT];     /* elements of each array; what each count says */
    struct cli_payload *payload;
    int code;
};

/* --- bytes ----------------------------------------------------------------------------------- */

static bool put(struct assembly *assembly, const void *data, size_t size)
{
    struct cli_payload *payload = assembly->payload;
    if (size > TAU_LIMIT_PAYLOAD_BYTES - payload->size) {
        cli_complain(assembly->cli, "the request is longer than %d bytes", TAU_LIMIT_PAYLOAD_BYTES);
        assembly->code = CLI_USAGE;
        return false;
    }
    if (payload->capacity - payload->size < size) {
        size_t capacity = (payload->size + size) * 2;
        uint8_t *moved = realloc(payload->data, capacity);
        if (moved == NULL) {
            assembly->code = cli_failed(assembly->cli, NULL, TAU_STATUS_NO_MEMORY, NULL);
            return false;
        }
        payload->data = moved;
        payload->capacity = capacity;
    }
    if (size > 0) {
        memcpy(payload->data + payload->size, data, size);
    }
    payload->size += size;
    return true;
}

static bool put_integer(struct assembly *assembly, uint64_t value, size_t size)
{
    uint8_t bytes[sizeof(value)];
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(value >> 8 * (size - 1 - i));
    }
    return put(assembly, bytes, size);
}

static int digit_of(char letter)
{
    static const char digits[] = "0123456789abcdef";
    const char *found = letter != '\0' ? strchr(digits, tolower((unsigned char)letter)) : NULL;
    return found != NULL ? (int)(found - digits) : -1;
}

/* Reads bytes, of which any may be written \xHH, in place. False where an escape is wrong. */
static bool unescape(char *text, size_t *ret_size)
{
    size_t size = 0;
    for (const char *at = text; *at != '\0'; at++) {
        char byte = *at;
        if (byte == '\\') {
            int high = at[1] == 'x' ? digit_of(at[2]) : -1;
            int low = high >= 0 ? digit_of(at[3]) : -1;
            if (low < 0) {
                return false;
            }
            byte = (char)(high * 16 + low);
            at += 3;
        }
        text[size++] = byte;
    }
    *ret_size = size;
    return true;
}

/* --- values ---------------------------------------------------------------------------------- */

static bool refuse(struct assembly *assembly)
{
    assembly->code = CLI_USAGE;
    return false;
}

static bool put_signed(struct assembly *assembly, const struct cli_spec_field *field,
                       const struct cli_spec_type *type, const char *name, const char *text)
{
    bool own = type == field->type;
    int64_t value;
    int64_t most = INT64_MAX >> (64 - type->size * 8);
    int64_t low = own ? field->minimum : -most - 1;
    int64_t high = own && field->maximum < (uint64_t)most ? (int64_t)field->maximum : most;
    if (type->is_time) {
        return cli_read_time(assembly->cli, name, text, &value)
                   ? put_integer(assembly, (uint64_t)value, type->size)
                   : refuse(assembly);
    }
    if (!cli_i64_from_text(text, low, high, &value)) {
        cli_complain(assembly->cli, "%s: `%s` is not a whole number from %lld to %lld", name, text,
                     (long long)low, (long long)high);
        return refuse(assembly);
    }
    return put_integer(assembly, (uint64_t)value, type->size);
}

static bool put_unsigned(struct assembly *assembly, const struct cli_spec_field *field,
                         const struct cli_spec_type *type, const char *name, const char *text)
{
    bool own = type == field->type;
    uint64_t value;
    uint64_t most = UINT64_MAX >> (64 - type->size * 8);
    uint64_t low = own && field->minimum > 0 ? (uint64_t)field->minimum : 0;
    uint64_t high = own && field->maximum < most ? field->maximum : most;
    return cli_read_count(assembly->cli, name, text, low, high, &value)
               ? put_integer(assembly, value, type->size)
               : refuse(assembly);
}

static bool put_choice(struct assembly *assembly, const struct cli_spec_type *type,
                       const char *name, const char *text)
{
    uint64_t value;
    for (size_t i = 0; i < type->choice_count; i++) {
        if (strcmp(type->choices[i].name, text) == 0) {
            return put_integer(assembly, type->choices[i].value, type->size);
        }
    }
    if (type->open && cli_u64_from_text(text, 0, UINT64_MAX >> (64 - type->size * 8), &value)) {
        return put_integer(assembly, value, type->size);
    }
    cli_complain(assembly->cli, "%s: `%s` is not allowed; it is %sone of:", name, text,
                 type->open ? "a number or " : "");
    for (size_t i = 0; i < type->choice_count; i++) {
        fprintf(assembly->cli->err, "  %s\n", type->choices[i].name);
    }
    return refuse(assembly);
}

static bool put_truth(struct assembly *assembly, const char *name, const char *text)
{
    bool value = strcmp(text, "true") == 0;
    if (!value && strcmp(text, "false") != 0) {
        cli_complain(assembly->cli, "%s: `%s` is neither true nor false", name, text);
        return refuse(assembly);
    }
    return put_integer(assembly, value, 1);
}

static bool put_float(struct assembly *assembly, const char *name, const char *text)
{
    double value;
    uint64_t bits;
    if (!cli_read_value(assembly->cli, name, text, &value)) {
        return refuse(assembly);
    }
    memcpy(&bits, &value, sizeof(bits));
    return put_integer(assembly, bits, sizeof(bits));
}

/* So many bytes, zero bytes behind what was given. */
static bool put_bytes(struct assembly *assembly, const struct cli_spec_type *type, const char *name,
                      char *text)
{
    static const uint8_t zeros[64];
    char *given = strdup(text);
    size_t size = 0;
    bool ok = given != NULL && unescape(given, &size) && size <= type->size;
    if (!ok) {
        cli_complain(assembly->cli,
                     "%s: `%s` is not at most %zu bytes, of which any may be written \\xHH", name,
                     text, type->size);
        free(given);
        return refuse(assembly);
    }
    ok = put(assembly, given, size);
    for (size_t left = type->size - size; ok && left > 0;) {
        size_t part = left < sizeof(zeros) ? left : sizeof(zeros);
        ok = put(assembly, zeros, part);
        left -= part;
    }
    free(given);
    return ok;
}

static bool put_scalar(struct assembly *assembly, const struct cli_spec_field *field,
                       const struct cli_spec_type *type, const char *name, char *text)
{
    switch (type->kind) {
    case CLI_SPEC_INTEGER:
        return type->is_signed ? put_signed(assembly, field, type, name, text)
                               : put_unsigned(assembly, field, type, name, text);
    case CLI_SPEC_FLOAT:
        return put_float(assembly, name, text);
    case CLI_SPEC_BOOL:
        return put_truth(assembly, name, text);
    case CLI_SPEC_STATUS:
    case CLI_SPEC_ENUM:
        return put_choice(assembly, type, name, text);
    case CLI_SPEC_BYTES:
        return put_bytes(assembly, type, name, text);
    case CLI_SPEC_STRUCT:
    case CLI_SPEC_TEXT:
    case CLI_SPEC_BLOB:
        break;
    }
    return refuse(assembly); /* a document with such a value here was not read */
}

/* The members of a struct stand one behind the other, as far as a struct has no holes. */
static bool put_struct(struct assembly *assembly, const struct cli_spec_field *field, char *text)
{
    const struct cli_spec_type *type = field->type;
    size_t start = assembly->payload->size;
    char *rest = text;
    for (size_t i = 0; i < type->member_count; i++) {
        const struct cli_spec_member *member = &type->members[i];
        char name[2 * CLI_SPEC_NAME_LIMIT + 2];
        char *part = rest != NULL ? strsep(&rest, "/") : NULL;
        snprintf(name, sizeof(name), "%s.%s", field->name, member->name);
        if (part == NULL) {
            cli_complain(assembly->cli, "%s is missing: %s", name, member->doc);
            return refuse(assembly);
        }
        if (assembly->payload->size - start != member->offset) {
            cli_complain(assembly->cli, "%s does not stand behind the member before it", name);
            return refuse(assembly);
        }
        if (!put_scalar(assembly, field, member->type, name, part)) {
            return false;
        }
    }
    if (rest != NULL) {
        cli_complain(assembly->cli, "%s: `%s` is too much; it has %zu members parted by slashes",
                     field->name, rest, type->member_count);
        return refuse(assembly);
    }
    return true;
}

static bool put_value(struct assembly *assembly, const struct cli_spec_field *field, char *text)
{
    return field->type->kind == CLI_SPEC_STRUCT
               ? put_struct(assembly, field, text)
               : put_scalar(assembly, field, field->type, field->name, text);
}

static bool put_array(struct assembly *assembly, const struct cli_spec_field *field, char *text)
{
    char *rest = *text != '\0' ? text : NULL;
    while (rest != NULL) {
        if (!put_value(assembly, field, strsep(&rest, ","))) {
            return false;
        }
    }
    return true;
}

/* Text or bytes, behind their length where they have one. */
static bool put_run(struct assembly *assembly, const struct cli_spec_field *field, char *text)
{
    size_t size = strlen(text);
    uint64_t most = field->max_bytes;
    if (field->prefix > 0 && most > UINT64_MAX >> (64 - field->prefix * 8)) {
        most = UINT64_MAX >> (64 - field->prefix * 8);
    }
    if (field->type->kind == CLI_SPEC_BLOB && !unescape(text, &size)) {
        cli_complain(assembly->cli, "%s: `%s`: a backslash begins \\xHH", field->name, text);
        return refuse(assembly);
    }
    if (size > most) {
        cli_complain(assembly->cli, "%s: %zu bytes are more than the %llu that are allowed",
                     field->name, size, (unsigned long long)most);
        return refuse(assembly);
    }
    return put_integer(assembly, size, field->prefix) && put(assembly, text, size);
}

/* --- fields ---------------------------------------------------------------------------------- */

static bool is_array(const struct cli_spec_field *field)
{
    return field->shape == CLI_SPEC_COUNTED_ARRAY || field->shape == CLI_SPEC_REST_ARRAY;
}

static bool put_field(struct assembly *assembly, size_t place)
{
    const struct cli_spec_field *field = &assembly->operation->request.fields[place];
    if (field->is_count) {
        return put_integer(assembly, assembly->counts[place], field->type->size);
    }
    const char *given = assembly->texts[place];
    if (field->shape == CLI_SPEC_OPTIONAL && !put_integer(assembly, given != NULL, 1)) {
        return false;
    }
    if (given == NULL) {
        return true; /* what may be left out */
    }
    char *text = strdup(given);
    if (text == NULL) {
        assembly->code = cli_failed(assembly->cli, NULL, TAU_STATUS_NO_MEMORY, NULL);
        return false;
    }
    bool ok;
    if (is_array(field)) {
        ok = put_array(assembly, field, text);
    } else if (field->shape == CLI_SPEC_SIZED || field->shape == CLI_SPEC_REST) {
        ok = put_run(assembly, field, text);
    } else {
        ok = put_value(assembly, field, text);
    }
    free(text);
    return ok;
}

/* Names the fields that can be given. */
static bool refuse_name(struct assembly *assembly, const char *given, size_t length)
{
    const struct cli_spec_operation *operation = assembly->operation;
    cli_complain(assembly->cli, "%s has no field `%.*s`%s", operation->name, (int)length, given,
                 operation->request.field_count > 0 ? "; it takes:" : ": it takes none");
    for (size_t i = 0; i < operation->request.field_count; i++) {
        const struct cli_spec_field *field = &operation->request.fields[i];
        if (!field->is_count) {
            fprintf(assembly->cli->err, "  %s\n", field->name);
        }
    }
    return refuse(assembly);
}

static bool take_assignment(struct assembly *assembly, const char *given)
{
    const struct cli_spec_payload *request = &assembly->operation->request;
    size_t length = strcspn(given, "=");
    size_t place = 0;
    if (given[length] != '=') {
        cli_complain(assembly->cli, "`%s` is not FIELD=VALUE", given);
        return refuse(assembly);
    }
    while (place < request->field_count &&
           (strlen(request->fields[place].name) != length ||
            strncmp(request->fields[place].name, given, length) != 0)) {
        place++;
    }
    if (place == request->field_count) {
        return refuse_name(assembly, given, length);
    }
    const struct cli_spec_field *field = &request->fields[place];
    if (field->is_count) {
        cli_complain(assembly->cli, "%s follows from the arrays that it counts", field->name);
        return refuse(assembly);
    }
    if (assembly->texts[place] != NULL) {
        cli_complain(assembly->cli, "%s is given twice", field->name);
        return refuse(assembly);
    }
    assembly->texts[place] = given + length + 1;
    return true;
}

static size_t count_elements(const char *text)
{
    size_t count = text != NULL && *text != '\0' ? 1 : 0;
    for (const char *at = text; count > 0 && *at != '\0'; at++) {
        count += *at == ',';
    }
    return count;
}

/* Counts the elements of arrays; those that share a count have as many. */
static bool count_arrays(struct assembly *assembly)
{
    const struct cli_spec_payload *request = &assembly->operation->request;
    const struct cli_spec_field *counted[CLI_SPEC_FIELD_LIMIT] = {NULL};
    for (size_t i = 0; i < request->field_count; i++) {
        const struct cli_spec_field *field = &request->fields[i];
        if (!is_array(field)) {
            continue;
        }
        size_t count = count_elements(assembly->texts[i]);
        if (count > field->max_count) {
            cli_complain(assembly->cli, "%s: %zu elements are more than the %llu that are allowed",
                         field->name, count, (unsigned long long)field->max_count);
            return refuse(assembly);
        }
        if (field->count_from == CLI_SPEC_NONE) {
            continue;
        }
        if (count > request->fields[field->count_from].maximum) {
            cli_complain(assembly->cli, "%s: %zu elements are more than %s can say", field->name,
                         count, request->fields[field->count_from].name);
            return refuse(assembly);
        }
        if ((int64_t)count < request->fields[field->count_from].minimum) {
            cli_complain(assembly->cli, "%s: %zu elements are fewer than the %lld that are needed",
                         field->name, count, (long long)request->fields[field->count_from].minimum);
            return refuse(assembly);
        }
        size_t *shared = &assembly->counts[field->count_from];
        const struct cli_spec_field *other = counted[field->count_from];
        if (other != NULL && *shared != count) {
            cli_complain(assembly->cli, "%s has %zu elements and %s has %zu: they go together",
                         other->name, *shared, field->name, count);
            return refuse(assembly);
        }
        counted[field->count_from] = field;
        *shared = count;
    }
    return true;
}

/* Whether a field may be left out in the middle: what it then is stands in its bytes. */
static bool may_lack(const struct cli_spec_field *field)
{
    return field->is_count || field->shape == CLI_SPEC_OPTIONAL || field->shape == CLI_SPEC_REST ||
           is_array(field);
}

/* How many fields are written: those behind the last that is given, and were added later, are not.
 */
static size_t written_fields(const struct assembly *assembly)
{
    const struct cli_spec_payload *request = &assembly->operation->request;
    size_t count = request->field_count;
    while (count > 0 && request->fields[count - 1].late && assembly->texts[count - 1] == NULL &&
           assembly->counts[count - 1] == 0) {
        count--;
    }
    return count;
}

static bool assemble(struct assembly *assembly, char *const *assignments, size_t count)
{
    const struct cli_spec_payload *request = &assembly->operation->request;
    for (size_t i = 0; i < count; i++) {
        if (!take_assignment(assembly, assignments[i])) {
            return false;
        }
    }
    if (!count_arrays(assembly)) {
        return false;
    }
    size_t written = written_fields(assembly);
    for (size_t i = 0; i < written; i++) {
        const struct cli_spec_field *field = &request->fields[i];
        if (assembly->texts[i] == NULL && !may_lack(field)) {
            cli_complain(assembly->cli, "%s is missing: %s", field->name, field->doc);
            return refuse(assembly);
        }
        if (!put_field(assembly, i)) {
            return false;
        }
    }
    return true;
}

int cli_assemble(const struct cli *cli, const struct cli_spec_operation *operation,
                 char *const *assignments, size_t count, struct cli_payload *ret_payload)
{
    struct assembly assembly = {
        .cli = cli, .operation = operation, .payload = ret_payload, .code = CLI_OK};
    *ret_payload = (struct cli_payload){.data = NULL};
    (void)assemble(&assembly, assignments, count);
    return assembly.code;
}

void cli_payload_free(struct cli_payload *payload)
{
    free(payload->data);
    *payload = (struct cli_payload){.data = NULL};
}

void cli_assemble_usage(const struct cli_spec_payload *request, FILE *out)
{
    for (size_t i = 0; i < request->field_count; i++) {
        const struct cli_spec_field *field = &request->fields[i];
        bool optional = may_lack(field) || field->late;
        if (!field->is_count) {
            fprintf(out, " %s%s=%s%s%s", optional ? "[" : "", field->name, field->type->name,
                    is_array(field) ? ",..." : "", optional ? "]" : "");
        }
    }
}
