/* SPDX-License-Identifier: MIT */
/*
 * A server's own specification, as it serves it, read into what explaining and calling need.
 * Nothing in it is trusted: what was read can be walked without another look, since every index,
 * size and count was checked; what does not hold together is refused with words that say where.
 *
 * It must not know clients or terminals.
 */
#ifndef TAU_CLI_SPECIFICATION_DOCUMENT_H
#define TAU_CLI_SPECIFICATION_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <tau/protocol.h>

/* No more of these in one place; a document with more is refused. */
#define CLI_SPEC_FIELD_LIMIT  64
#define CLI_SPEC_NAME_LIMIT   64 /* bytes */
#define CLI_SPEC_CHOICE_LIMIT 65536

/* No such field. */
#define CLI_SPEC_NONE SIZE_MAX

enum cli_spec_kind {
    CLI_SPEC_INTEGER,
    CLI_SPEC_FLOAT,
    CLI_SPEC_BOOL,
    CLI_SPEC_STATUS,
    CLI_SPEC_ENUM,
    CLI_SPEC_BYTES, /* so many raw bytes */
    CLI_SPEC_STRUCT,
    CLI_SPEC_TEXT, /* of any length, as a field's shape says */
    CLI_SPEC_BLOB
};

enum cli_spec_shape {
    CLI_SPEC_FIXED,
    CLI_SPEC_OPTIONAL,
    CLI_SPEC_SIZED,
    CLI_SPEC_REST,
    CLI_SPEC_COUNTED_ARRAY,
    CLI_SPEC_REST_ARRAY
};

struct cli_spec_choice {
    const char *name;
    const char *doc;
    uint64_t value;
};

struct cli_spec_type;

/* A member of a struct; its type is none that has members or no size. */
struct cli_spec_member {
    const char *name;
    const char *doc;
    const struct cli_spec_type *type;
    size_t offset;
};

struct cli_spec_type {
    const char *name;
    const char *doc;
    enum cli_spec_kind kind;
    bool is_signed;
    bool is_time; /* nanoseconds since 1970 */
    bool open;    /* an enumeration to which values may be added */
    size_t size;  /* of one value; 0 for text and blobs */
    const struct cli_spec_choice *choices;
    size_t choice_count;
    const struct cli_spec_member *members;
    size_t member_count;
};

struct cli_spec_field {
    const char *name;
    const char *doc;
    const char *unit; /* or "" */
    const struct cli_spec_type *type;
    enum cli_spec_shape shape;
    bool late;         /* may be missing at the payload's end: added later, or a feature's */
    size_t offset;     /* CLI_SPEC_NONE where it depends on what stands before */
    size_t prefix;     /* bytes of the length of a sized one */
    size_t count_from; /* the earlier field that counts this array, or CLI_SPEC_NONE */
    bool is_count;     /* of an array behind it */
    size_t needs;      /* the earlier field while which is 0 this means nothing, or CLI_SPEC_NONE */
    int64_t minimum;   /* of an integer */
    uint64_t maximum;
    uint64_t max_count; /* of an array */
    uint64_t max_bytes; /* of text and blobs */
};

struct cli_spec_payload {
    const struct cli_spec_field *fields;
    size_t field_count;
    size_t min_size;
    size_t max_size;
    bool extensible;
};

struct cli_spec_operation {
    const char *name;
    const char *doc;
    const char *summary; /* of its command, or "" */
    const char *role;
    uint8_t code;
    uint8_t reply; /* the opcode of a successful answer */
    uint64_t since;
    bool stream;
    bool write;
    bool session; /* belongs to the connection: not to be called */
    bool negotiated;
    const char **statuses;
    size_t status_count;
    struct cli_spec_payload request;
    struct cli_spec_payload response;
};

struct cli_document;

/* Why a document was refused. */
struct cli_spec_fault {
    char words[256];
};

/*
 * Reads a document. Returns NULL and fills `ret_fault` where it is none, or there is no memory.
 * What is read is the caller's, to be freed with cli_document_free, and refers to nothing outside.
 */
struct cli_document *cli_document_read(struct tau_slice text, struct cli_spec_fault *ret_fault);

/* NULL is allowed. */
void cli_document_free(struct cli_document *document);

/* The operations, in the document's order. */
const struct cli_spec_operation *cli_document_operations(const struct cli_document *document,
                                                         size_t *ret_count);

/* The operation of a name, in whatever case it is written, or NULL. */
const struct cli_spec_operation *cli_document_find(const struct cli_document *document,
                                                   const char *name);

/* What the document says of a status: its words, or NULL where it does not know it. */
const char *cli_document_status(const struct cli_document *document, const char *name);

/* Prints the document, or one operation's part of it, as JSON. Returns false without memory. */
bool cli_document_print(const struct cli_document *document,
                        const struct cli_spec_operation *operation, FILE *out);

#endif
