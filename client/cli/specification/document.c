/* SPDX-License-Identifier: MIT */
/*
 * Reads the document with jansson and turns it into tables. Every value is asked for by its kind
 * and its bounds; the first that is missing or wrong ends the reading, with the path to it.
 */
#include "specification/document.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "format/plain.h"

#define OPERATION_LIMIT 256
#define TYPE_LIMIT      1024
#define TYPE_SIZE_LIMIT 65536

/* Blocks of a document, freed with it. */
struct block {
    struct block *next;
    max_align_t data[];
};

struct cli_document {
    json_t *root;
    struct block *blocks;
    struct cli_spec_type *types;
    size_t type_count;
    struct cli_spec_operation *operations;
    json_t **operation_parts;
    size_t operation_count;
    const struct cli_spec_choice *statuses;
    size_t status_count;
};

/* What is being read, and what was found to be wrong with it. */
struct reader {
    struct cli_document *document;
    struct cli_spec_fault *fault;
    const char *place; /* the operation or the type, for words */
    const char *part;  /* the field or the member in it, or NULL */
    bool failed;
};

/* --- faults and memory ----------------------------------------------------------------------- */

static void fail(struct reader *reader, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The first fault counts. */
static void fail(struct reader *reader, const char *format, ...)
{
    char words[160];
    va_list arguments;
    if (reader->failed) {
        return;
    }
    va_start(arguments, format);
    vsnprintf(words, sizeof(words), format, arguments);
    va_end(arguments);
    reader->failed = true;
    snprintf(reader->fault->words, sizeof(reader->fault->words), "%.40s%s%.40s: %s", reader->place,
             reader->part != NULL ? "." : "", reader->part != NULL ? reader->part : "", words);
}

/* Zeroed memory that lives as long as the document; never NULL unless reading has failed. */
static void *take(struct reader *reader, size_t count, size_t size)
{
    struct block *block = calloc(1, sizeof(*block) + (count + 1) * size);
    if (block == NULL) {
        fail(reader, "no memory");
        return NULL;
    }
    block->next = reader->document->blocks;
    reader->document->blocks = block;
    return block->data;
}

/* --- values ---------------------------------------------------------------------------------- */

/* A text that may go to a terminal. */
static const char *read_plain(struct reader *reader, const json_t *object, const char *key,
                              const char *kept)
{
    const char *text = json_string_value(json_object_get(object, key));
    if (text == NULL ||
        !cli_is_plain((struct cli_text){.data = text, .size = strlen(text)}, kept)) {
        fail(reader, "`%s` is no text, or has characters that cannot be shown", key);
        return "";
    }
    return text;
}

/* A text of one line. */
static const char *read_text(struct reader *reader, const json_t *object, const char *key)
{
    return read_plain(reader, object, key, "");
}

/* A text of any number of lines. */
static const char *read_doc(struct reader *reader, const json_t *object)
{
    return read_plain(reader, object, "doc", "\n");
}

/* A text of one line that may be missing or null. */
static const char *read_optional_text(struct reader *reader, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return value == NULL || json_is_null(value) ? "" : read_text(reader, object, key);
}

/* A name is a word of letters, digits and underscores. */
static const char *check_name(struct reader *reader, const char *name)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
    size_t length = strlen(name);
    if (length == 0 || length > CLI_SPEC_NAME_LIMIT || strspn(name, letters) != length) {
        fail(reader, "a name is no word of at most %d letters", CLI_SPEC_NAME_LIMIT);
        return "";
    }
    return name;
}

static const char *read_name(struct reader *reader, const json_t *object)
{
    return check_name(reader, read_text(reader, object, "name"));
}

static bool read_truth(struct reader *reader, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_boolean(value)) {
        fail(reader, "`%s` is neither true nor false", key);
    }
    return json_is_true(value);
}

/* The digits of a number that JSON does not hold exactly. */
static bool number_of_text(const char *text, bool *ret_negative, uint64_t *ret_magnitude)
{
    char *end;
    *ret_negative = text[0] == '-';
    const char *digits = text + *ret_negative;
    if (strspn(digits, "0123456789") != strlen(digits) || strlen(digits) - 1 >= 20) {
        return false;
    }
    *ret_magnitude = strtoull(digits, &end, 10);
    return strlen(digits) < 20 || (*ret_magnitude != UINT64_MAX && digits[0] == '1') ||
           strcmp(digits, "18446744073709551615") == 0;
}

/* A number, written as one or as its digits; false where there is none. */
static bool number_of(const json_t *value, bool *ret_negative, uint64_t *ret_magnitude)
{
    if (json_is_integer(value)) {
        json_int_t number = json_integer_value(value);
        *ret_negative = number < 0;
        *ret_magnitude = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
        return true;
    }
    return json_is_string(value) &&
           number_of_text(json_string_value(value), ret_negative, ret_magnitude);
}

static uint64_t read_count(struct reader *reader, const json_t *object, const char *key,
                           uint64_t maximum)
{
    bool negative;
    uint64_t magnitude;
    if (!number_of(json_object_get(object, key), &negative, &magnitude) ||
        (negative && magnitude > 0) || magnitude > maximum) {
        fail(reader, "`%s` is no number from 0 to %llu", key, (unsigned long long)maximum);
        return 0;
    }
    return magnitude;
}

/* A number that may be missing or null. */
static uint64_t read_count_or(struct reader *reader, const json_t *object, const char *key,
                              uint64_t maximum, uint64_t otherwise)
{
    const json_t *value = json_object_get(object, key);
    if (value == NULL || json_is_null(value)) {
        return otherwise;
    }
    return read_count(reader, object, key, maximum);
}

/* The elements of an array, of which there are at most so many. */
static size_t read_length(struct reader *reader, const json_t *array, const char *what,
                          size_t maximum)
{
    size_t count = json_array_size(array);
    if (!json_is_array(array) || count > maximum) {
        fail(reader, "`%s` is no list of at most %zu", what, maximum);
        return 0;
    }
    return count;
}

/* One of some words. */
static size_t read_word(struct reader *reader, const json_t *object, const char *key,
                        const char *const *words, size_t count)
{
    const char *text = read_text(reader, object, key);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(text, words[i]) == 0) {
            return i;
        }
    }
    fail(reader, "`%s` is `%.40s`, which this tau-cli does not know", key, text);
    return 0;
}

#define WORD_COUNT(words) (sizeof(words) / sizeof((words)[0]))

/* --- types ----------------------------------------------------------------------------------- */

static const struct cli_spec_type *find_type(struct reader *reader, const char *name)
{
    for (size_t i = 0; i < reader->document->type_count; i++) {
        if (strcmp(reader->document->types[i].name, name) == 0) {
            return &reader->document->types[i];
        }
    }
    fail(reader, "there is no type `%.40s`", name);
    return &reader->document->types[0];
}

static void read_choices(struct reader *reader, const json_t *list, const char *value_key,
                         const struct cli_spec_choice **ret_choices, size_t *ret_count)
{
    size_t count = read_length(reader, list, "values", CLI_SPEC_CHOICE_LIMIT);
    struct cli_spec_choice *choices = take(reader, count, sizeof(*choices));
    for (size_t i = 0; i < count && !reader->failed; i++) {
        const json_t *value = json_array_get(list, i);
        choices[i].name = read_name(reader, value);
        choices[i].doc = read_doc(reader, value);
        choices[i].value = read_count(reader, value, value_key, UINT64_MAX);
    }
    *ret_choices = choices;
    *ret_count = reader->failed ? 0 : count;
}

/* Which sizes a value of a kind may have. */
static bool is_size_of(enum cli_spec_kind kind, size_t size)
{
    switch (kind) {
    case CLI_SPEC_INTEGER:
    case CLI_SPEC_ENUM:
        return size == 1 || size == 2 || size == 4 || size == 8;
    case CLI_SPEC_FLOAT:
        return size == 8;
    case CLI_SPEC_BOOL:
    case CLI_SPEC_STATUS:
        return size == 1;
    case CLI_SPEC_BYTES:
    case CLI_SPEC_STRUCT:
        return size > 0;
    case CLI_SPEC_TEXT:
    case CLI_SPEC_BLOB:
        return size == 0;
    }
    return false;
}

static void read_type(struct reader *reader, const char *name, const json_t *part,
                      struct cli_spec_type *type)
{
    static const char *const kinds[] = {"integer", "float",  "bool", "status", "enum",
                                        "bytes",   "struct", "text", "blob"};
    const char *alias = read_optional_text(reader, part, "alias_of");
    type->name = check_name(reader, name);
    reader->place = type->name;
    type->doc = read_doc(reader, part);
    type->kind = (enum cli_spec_kind)read_word(reader, part, "kind", kinds, WORD_COUNT(kinds));
    type->size = (size_t)read_count(reader, part, "size", TYPE_SIZE_LIMIT);
    type->is_signed = read_truth(reader, part, "signed");
    type->is_time = type->kind == CLI_SPEC_INTEGER && type->size == 8 && type->is_signed &&
                    (strcmp(name, "timestamp") == 0 || strcmp(alias, "timestamp") == 0);
    if (!is_size_of(type->kind, type->size)) {
        fail(reader, "a value of this kind has no size of %zu", type->size);
    }
    if (type->kind == CLI_SPEC_ENUM) {
        type->open = read_truth(reader, part, "open");
        read_choices(reader, json_object_get(part, "values"), "value", &type->choices,
                     &type->choice_count);
    } else if (type->kind == CLI_SPEC_STATUS) {
        type->open = true;
        type->choices = reader->document->statuses;
        type->choice_count = reader->document->status_count;
    }
}

/* Members lie within their struct and have no members themselves. */
static void read_members(struct reader *reader, const json_t *part, struct cli_spec_type *type)
{
    const json_t *list = json_object_get(part, "members");
    size_t count = read_length(reader, list, "members", CLI_SPEC_FIELD_LIMIT);
    struct cli_spec_member *members = take(reader, count, sizeof(*members));
    for (size_t i = 0; i < count && !reader->failed; i++) {
        const json_t *member = json_array_get(list, i);
        members[i].name = read_name(reader, member);
        reader->part = members[i].name;
        members[i].doc = read_doc(reader, member);
        members[i].type = find_type(reader, read_text(reader, member, "type"));
        members[i].offset = (size_t)read_count(reader, member, "offset", TYPE_SIZE_LIMIT);
        const struct cli_spec_type *inner = members[i].type;
        if (inner->kind == CLI_SPEC_STRUCT || inner->size == 0 ||
            members[i].offset + inner->size > type->size) {
            fail(reader, "it does not lie in a struct of %zu bytes", type->size);
        }
        reader->part = NULL;
    }
    type->members = members;
    type->member_count = count;
}

static void read_types(struct reader *reader)
{
    struct cli_document *document = reader->document;
    json_t *parts = json_object_get(document->root, "types");
    size_t count = json_object_size(parts);
    const char *name;
    json_t *part;
    reader->place = "types";
    if (count == 0 || count > TYPE_LIMIT) {
        fail(reader, "there are none, or more than %d", TYPE_LIMIT);
        return;
    }
    document->types = take(reader, count, sizeof(*document->types));
    if (document->types == NULL) {
        return;
    }
    json_object_foreach(parts, name, part)
    {
        reader->place = "a type";
        read_type(reader, name, part, &document->types[document->type_count++]);
    }
    size_t place = 0;
    json_object_foreach(parts, name, part)
    {
        struct cli_spec_type *type = &document->types[place++];
        reader->place = name;
        if (!reader->failed && type->kind == CLI_SPEC_STRUCT) {
            read_members(reader, part, type);
        }
    }
}

/* --- fields ---------------------------------------------------------------------------------- */

/* The earlier field of a name that a key gives, or CLI_SPEC_NONE where there is no such key. */
static size_t read_earlier(struct reader *reader, const json_t *part, const char *key,
                           const struct cli_spec_field *fields, size_t count)
{
    const char *name = read_optional_text(reader, part, key);
    if (*name == '\0') {
        return CLI_SPEC_NONE;
    }
    for (size_t i = 0; i < count; i++) {
        bool whole =
            fields[i].type->kind == CLI_SPEC_INTEGER || fields[i].type->kind == CLI_SPEC_BOOL;
        if (strcmp(fields[i].name, name) == 0 && fields[i].shape == CLI_SPEC_FIXED && whole) {
            return i;
        }
    }
    fail(reader, "`%s` names no earlier count: `%.40s`", key, name);
    return CLI_SPEC_NONE;
}

/* The bounds of an integer: those of its type, and closer ones where the field has them. */
static void read_bounds(struct reader *reader, const json_t *part, struct cli_spec_field *field)
{
    unsigned bits = (unsigned)(field->type->size > 0 ? field->type->size : 1) * 8;
    bool is_signed = field->type->is_signed;
    uint64_t most = bits < 64 ? (UINT64_C(1) << bits) - 1 : UINT64_MAX;
    bool negative;
    uint64_t magnitude;
    field->maximum = is_signed ? most / 2 : most;
    field->minimum = is_signed ? -(int64_t)(most / 2) - 1 : 0;
    if (field->type->kind != CLI_SPEC_INTEGER) {
        return;
    }
    field->maximum = read_count_or(reader, part, "maximum", field->maximum, field->maximum);
    const json_t *minimum = json_object_get(part, "minimum");
    if (minimum == NULL) {
        return;
    }
    if (!number_of(minimum, &negative, &magnitude) || magnitude - negative > INT64_MAX) {
        fail(reader, "`minimum` is no number that fits");
        return;
    }
    field->minimum = negative ? -(int64_t)(magnitude - 1) - 1 : (int64_t)magnitude;
}

/* Whether a type can lie in a field of a shape. */
static bool is_type_of(enum cli_spec_shape shape, const struct cli_spec_type *type)
{
    switch (shape) {
    case CLI_SPEC_SIZED:
        return type->size == 0;
    case CLI_SPEC_REST:
        return type->kind == CLI_SPEC_BLOB || type->kind == CLI_SPEC_TEXT;
    default:
        return type->size > 0;
    }
}

static void read_field(struct reader *reader, const json_t *part, struct cli_spec_field *fields,
                       size_t place)
{
    static const char *const shapes[] = {"fixed", "optional",      "sized",
                                         "rest",  "counted_array", "rest_array"};
    struct cli_spec_field *field = &fields[place];
    const uint64_t most = TAU_LIMIT_PAYLOAD_BYTES;
    field->name = read_name(reader, part);
    reader->part = field->name;
    field->doc = read_doc(reader, part);
    field->unit = read_optional_text(reader, part, "unit");
    field->type = find_type(reader, read_text(reader, part, "type"));
    field->shape =
        (enum cli_spec_shape)read_word(reader, part, "shape", shapes, WORD_COUNT(shapes));
    if (reader->failed) {
        return;
    }
    if (!is_type_of(field->shape, field->type)) {
        fail(reader, "its type `%.40s` cannot lie so", field->type->name);
    }
    uint64_t offset = read_count_or(reader, part, "offset", most, UINT64_MAX);
    field->offset = offset == UINT64_MAX ? CLI_SPEC_NONE : (size_t)offset;
    field->max_count = read_count_or(reader, part, "max_count", most, most);
    field->max_bytes = read_count_or(reader, part, "max_bytes", most, most);
    field->prefix = (size_t)read_count_or(reader, part, "prefix", 8, 0);
    bool prefixed = field->prefix == 1 || field->prefix == 2 || field->prefix == 4;
    if (field->shape == CLI_SPEC_SIZED && !prefixed) {
        fail(reader, "its length has no 1, 2 or 4 bytes");
    }
    field->late =
        json_object_get(part, "since") != NULL || json_object_get(part, "feature") != NULL;
    field->count_from = read_earlier(reader, part, "count_field", fields, place);
    field->needs = read_earlier(reader, part, "only_with", fields, place);
    if ((field->shape == CLI_SPEC_COUNTED_ARRAY) != (field->count_from != CLI_SPEC_NONE)) {
        fail(reader, "`count_field` does not fit its shape");
    } else if (field->count_from != CLI_SPEC_NONE) {
        fields[field->count_from].is_count = true;
    }
    read_bounds(reader, part, field);
    reader->part = NULL;
}

static void read_payload(struct reader *reader, const json_t *operation, const char *key,
                         struct cli_spec_payload *payload)
{
    const json_t *part = json_object_get(operation, key);
    const json_t *list = json_object_get(part, "fields");
    size_t count = read_length(reader, list, key, CLI_SPEC_FIELD_LIMIT);
    struct cli_spec_field *fields = take(reader, count, sizeof(*fields));
    payload->min_size = (size_t)read_count(reader, part, "min_size", TAU_LIMIT_PAYLOAD_BYTES);
    payload->max_size = (size_t)read_count(reader, part, "max_size", TAU_LIMIT_PAYLOAD_BYTES);
    payload->extensible = read_truth(reader, part, "extensible");
    for (size_t i = 0; i < count && !reader->failed; i++) {
        read_field(reader, json_array_get(list, i), fields, i);
    }
    payload->fields = fields;
    payload->field_count = reader->failed ? 0 : count;
}

/* --- operations ------------------------------------------------------------------------------ */

/* The opcode of the reply of a name. */
static uint8_t find_reply(struct reader *reader, const char *name)
{
    const json_t *list = json_object_get(reader->document->root, "replies");
    size_t place;
    json_t *reply;
    json_array_foreach(list, place, reply)
    {
        if (strcmp(read_optional_text(reader, reply, "name"), name) == 0) {
            return (uint8_t)read_count(reader, reply, "code", UINT8_MAX);
        }
    }
    fail(reader, "there is no reply `%.40s`", name);
    return 0;
}

static void read_operation(struct reader *reader, const json_t *part,
                           struct cli_spec_operation *operation)
{
    static const char *const kinds[] = {"unary", "stream"};
    static const char *const effects[] = {"read", "write"};
    const json_t *statuses = json_object_get(part, "statuses");
    const json_t *cli = json_object_get(part, "cli");
    reader->place = "an operation";
    operation->name = read_name(reader, part);
    reader->place = operation->name;
    operation->doc = read_doc(reader, part);
    operation->role = read_text(reader, part, "role");
    operation->summary = read_optional_text(reader, cli, "summary");
    operation->code = (uint8_t)read_count(reader, part, "code", UINT8_MAX);
    operation->reply = find_reply(reader, read_text(reader, part, "reply"));
    operation->since = read_count(reader, part, "since", UINT32_MAX);
    operation->stream = read_word(reader, part, "kind", kinds, 2) == 1;
    operation->write = read_word(reader, part, "effect", effects, 2) == 1;
    operation->negotiated = read_truth(reader, part, "negotiated");
    operation->session =
        strcmp(read_text(reader, part, "scope"), "session") == 0 && !json_is_object(cli);
    operation->status_count = read_length(reader, statuses, "statuses", UINT8_MAX);
    operation->statuses = take(reader, operation->status_count, sizeof(*operation->statuses));
    for (size_t i = 0; i < operation->status_count && !reader->failed; i++) {
        const char *name = json_string_value(json_array_get(statuses, i));
        operation->statuses[i] = check_name(reader, name != NULL ? name : "");
    }
    read_payload(reader, part, "request", &operation->request);
    read_payload(reader, part, "response", &operation->response);
}

static void read_service(struct reader *reader, const json_t *service)
{
    struct cli_document *document = reader->document;
    const json_t *list = json_object_get(service, "operations");
    reader->place = "a service";
    size_t room = OPERATION_LIMIT - document->operation_count;
    size_t count = read_length(reader, list, "operations", room);
    for (size_t i = 0; i < count && !reader->failed; i++) {
        json_t *part = json_array_get(list, i);
        document->operation_parts[document->operation_count] = part;
        read_operation(reader, part, &document->operations[document->operation_count]);
        document->operation_count++;
    }
}

static void read_all(struct reader *reader)
{
    struct cli_document *document = reader->document;
    const json_t *services = json_object_get(document->root, "services");
    reader->place = "statuses";
    read_choices(reader, json_object_get(document->root, "statuses"), "code", &document->statuses,
                 &document->status_count);
    read_types(reader);
    document->operations = take(reader, OPERATION_LIMIT, sizeof(*document->operations));
    document->operation_parts = take(reader, OPERATION_LIMIT, sizeof(*document->operation_parts));
    reader->place = "the document";
    size_t count = read_length(reader, services, "services", OPERATION_LIMIT);
    for (size_t i = 0; i < count && !reader->failed; i++) {
        read_service(reader, json_array_get(services, i));
    }
}

/* --- the document ---------------------------------------------------------------------------- */

struct cli_document *cli_document_read(struct tau_slice text, struct cli_spec_fault *ret_fault)
{
    json_error_t error;
    struct cli_document *document = calloc(1, sizeof(*document));
    struct reader reader = {
        .document = document, .fault = ret_fault, .place = "the document", .part = NULL};
    if (document == NULL) {
        fail(&reader, "no memory");
        return NULL;
    }
    document->root = json_loadb((const char *)text.data, text.size, 0, &error);
    if (document->root == NULL) {
        fail(&reader, "line %d, column %d: %.100s", error.line, error.column, error.text);
    } else {
        read_all(&reader);
    }
    if (reader.failed) {
        cli_document_free(document);
        return NULL;
    }
    return document;
}

void cli_document_free(struct cli_document *document)
{
    if (document == NULL) {
        return;
    }
    while (document->blocks != NULL) {
        struct block *block = document->blocks;
        document->blocks = block->next;
        free(block);
    }
    json_decref(document->root);
    free(document);
}

const struct cli_spec_operation *cli_document_operations(const struct cli_document *document,
                                                         size_t *ret_count)
{
    *ret_count = document->operation_count;
    return document->operations;
}

const struct cli_spec_operation *cli_document_find(const struct cli_document *document,
                                                   const char *name)
{
    for (size_t i = 0; i < document->operation_count; i++) {
        if (strcasecmp(document->operations[i].name, name) == 0) {
            return &document->operations[i];
        }
    }
    return NULL;
}

const char *cli_document_status(const struct cli_document *document, const char *name)
{
    for (size_t i = 0; i < document->status_count; i++) {
        if (strcmp(document->statuses[i].name, name) == 0) {
            return document->statuses[i].doc;
        }
    }
    return NULL;
}

bool cli_document_print(const struct cli_document *document,
                        const struct cli_spec_operation *operation, FILE *out)
{
    const json_t *part = operation == NULL
                             ? document->root
                             : document->operation_parts[operation - document->operations];
    char *text = json_dumps(part, JSON_INDENT(1) | JSON_ENSURE_ASCII);
    if (text == NULL) {
        return false;
    }
    fputs(text, out);
    fputc('\n', out);
    free(text);
    return true;
}
