/* SPDX-License-Identifier: MIT
 *
 * The protocol of Tau as C types: opcodes, statuses, limits, and the fields of every request and
 * response. This header stands alone and is C11 and C++.
 *
 * Generated from the specification in protocol/ by gen/taugen; changes are lost.
 */

#ifndef TAU_PROTOCOL_H
#define TAU_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef TAU_API
#if defined(__GNUC__)
#define TAU_API __attribute__((visibility("default")))
#else
#define TAU_API
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define TAU_PROTOCOL_VERSION 1
#define TAU_DEFAULT_LISTEN   "127.0.0.1:1"

/* The size of the header in front of every payload. */
#define TAU_HEADER_SIZE 10

/* The opcodes of frames that a server sends unasked; those behind them are replies'. */
#define TAU_FIRST_PUSH_OPCODE 0xe0
#define TAU_LAST_PUSH_OPCODE  0xef

/* Stands for a payload's field where an error belongs to none. */
#define TAU_FIELD_NONE 0xFFFF

/* The first 8 bytes of SHA-256 over the canonical layout of the specification. */
#define TAU_SPECIFICATION_FINGERPRINT UINT64_C(0xd593e868b9cc75a1)

/* More follows. */
#define TAU_FLAG_MORE 0x01

/* Feature: Errors with words. */
#define TAU_FEATURE_LONG_ERRORS (UINT64_C(1) << 0)

/* What a frame asks for, or what it answers. */
enum tau_opcode {
    /* Opens the session. */
    TAU_OPCODE_HELLO = 0x01,
    /* Stores a pair. */
    TAU_OPCODE_PUT = 0x02,
    /* Reads a pair. */
    TAU_OPCODE_GET = 0x03,
    /* Reads all moments. */
    TAU_OPCODE_WALK = 0x04,
    /* Blends tints. */
    TAU_OPCODE_BLEND = 0x05,
    /* Success. */
    TAU_OPCODE_OK = 0xf0,
    /* Failure. */
    TAU_OPCODE_ERR = 0xff,
};

/* How a request ended. Those from 0x100 on never cross the wire: the library reports them of
 * itself. A server newer than this header may send others. */
enum tau_status {
    /* Done. */
    TAU_STATUS_SUCCESS = 0x00,
    /* A broken frame. */
    TAU_STATUS_BAD_FRAME = 0x01,
    /* No such operation. */
    TAU_STATUS_BAD_OPCODE = 0x02,
    /* Say hello first. */
    TAU_STATUS_DENIED = 0x03,
    /* A broken payload. */
    TAU_STATUS_INVALID_PAYLOAD = 0x04,
    /* Perhaps it happened. */
    TAU_STATUS_UNKNOWN_OUTCOME = 0x05,
    /* Too late. */
    TAU_STATUS_TIMEOUT = 0x100,
};

/* What a caller may do about a status. */
enum tau_status_class {
    TAU_STATUS_CLASS_OK,      /* nothing: it is done */
    TAU_STATUS_CLASS_REQUEST, /* mend the request */
    TAU_STATUS_CLASS_RETRY,   /* send the same request again, later */
    TAU_STATUS_CLASS_FATAL,   /* give up: this connection or server will not do it */
    TAU_STATUS_CLASS_UNKNOWN, /* find out: the write may or may not have happened */
};

/* The limits of the protocol. A server may run with lower ones; it tells them. */
/* The largest payload. (in bytes; number 1) */
#define TAU_LIMIT_PAYLOAD_BYTES 1000
/* The largest payload of a stranger. (in bytes; number 2) */
#define TAU_LIMIT_UNAUTHENTICATED_PAYLOAD_BYTES 40
/* The largest frame of a stream. (in bytes; number 3) */
#define TAU_LIMIT_STREAM_FRAME_BYTES 200
/* The most items. (in items; number 4) */
#define TAU_LIMIT_ITEMS 10

/* A borrowed run of bytes. Whoever gives one says until when the bytes stay. */
struct tau_slice {
    const uint8_t *data;
    size_t size;
};

/* A borrowed array of elements. With `wire_order` false, `data` points at elements as they are in
 * memory (int64_t, double, struct tau_row and so on, aligned as the language asks). With
 * `wire_order` true it points at the bytes of a received payload: elements lie behind each other
 * without padding, big-endian, at any alignment; read them with the functions below. Encoders take
 * both. */
struct tau_array {
    const void *data;
    size_t count;
    bool wire_order;
};

/* A key. */
struct tau_label {
    uint8_t bytes[32];
};

/* A key and a time. */
struct tau_pair {
    struct tau_label key; /* The key. */
    int64_t moment;       /* The time. In seconds. */
};

/* A colour. */
enum tau_colour {
    TAU_COLOUR_RED = 0,  /* As a rose. */
    TAU_COLOUR_BLUE = 1, /* As the sky. */
};

/* A shade. A later version may add values. */
enum tau_shade {
    TAU_SHADE_LIGHT = 0, /* As the day. */
    TAU_SHADE_DARK = 1,  /* As the night. */
};

/* A colour and its shade. */
struct tau_tint {
    int64_t moment;         /* The time. In seconds. */
    enum tau_colour colour; /* The colour. */
    enum tau_shade shade;   /* The shade. */
};

/* Requests and responses. What a decoder fills in is borrowed from the payload that it
 * was given. Operations without a struct have an empty payload. */

/* HELLO: Opens the session. */
struct tau_hello_request {
    struct tau_label key; /* The key. */
};

/* PUT: Stores a pair. */
struct tau_put_request {
    struct tau_label key; /* The key. */
    int64_t moment;       /* The time. In seconds. */
    double weight;        /* The weight. */
};

/* GET: Reads a pair. */
struct tau_get_request {
    enum tau_colour colour;  /* The colour. */
    bool exact;              /* Whether exactly. */
    struct tau_slice note;   /* A note. */
    bool has_after;
    int64_t after;           /* Not before. In seconds. */
    bool has_reason;         /* Whether the fields below are there. */
    struct tau_slice reason; /* What for. Version 1 added it; an older side leaves it out. */
};

struct tau_get_response {
    bool has_pair;
    struct tau_pair pair;   /* The pair. */
    uint16_t count;         /* How many. Encoders take it from `pairs`. */
    struct tau_array pairs; /* The others. Elements: struct tau_pair. */
    int64_t latest;         /* The last one's time. No meaning while `count` is 0. In seconds. */
    bool has_shade;         /* Whether the fields below are there. */
    enum tau_shade shade;   /* Its shade. Version 1 added it; an older side leaves it out. */
    bool has_rumour_count;  /* Whether the fields below are there. */
    /* How many rumours. Version 1 added it; an older side leaves it out. Encoders take it from
     * `rumours`. */
    uint8_t rumour_count;
    /* When it was heard of. Version 1 added it; an older side leaves it out. In seconds.
     * Elements: int64_t. */
    struct tau_array rumours;
};

/* WALK: Reads all moments. */
struct tau_walk_request {
    uint32_t limit; /* The most. */
};

struct tau_walk_response {
    struct tau_array moments; /* Moments. In seconds. Elements: int64_t. */
};

/* BLEND: Blends tints. */
struct tau_blend_request {
    struct tau_tint ground;  /* What lies below. */
    bool has_glaze;
    struct tau_tint glaze;   /* What lies above. */
    uint8_t tint_count;      /* How many tints. Encoders take it from `tints` and `shades`. */
    struct tau_array tints;  /* What is blended. Elements: struct tau_tint. */
    struct tau_array shades; /* How strong each is. Elements: enum tau_shade. */
};

struct tau_blend_response {
    struct tau_array colours; /* What came of it. Elements: enum tau_colour. */
};

/* ERR: Failure. */
struct tau_err {
    enum tau_status status; /* Why. */
    bool has_long_errors;   /* Whether the fields below are there. */
    struct tau_slice text;  /* In words. */
};

/**
 * The name of an opcode.
 *
 * Returns: a static text; "unknown" for a number that has no name here.
 * Thread: any. Blocks: no.
 */
TAU_API const char *tau_opcode_name(enum tau_opcode value);

/**
 * Finds an opcode by its name.
 *
 * Returns: whether there is one; where there is none, *ret stays as it is.
 * Thread: any. Blocks: no.
 */
TAU_API bool tau_opcode_from_name(const char *name, enum tau_opcode *ret);

/**
 * The name of a status.
 *
 * Returns: a static text; "unknown" for a number that has no name here.
 * Thread: any. Blocks: no.
 */
TAU_API const char *tau_status_name(enum tau_status value);

/**
 * Finds a status by its name.
 *
 * Returns: whether there is one; where there is none, *ret stays as it is.
 * Thread: any. Blocks: no.
 */
TAU_API bool tau_status_from_name(const char *name, enum tau_status *ret);

/**
 * The status in words, one sentence.
 *
 * Returns: a static text; words that say so for a status that this version does not know.
 * Thread: any. Blocks: no.
 */
TAU_API const char *tau_status_text(enum tau_status status);

/**
 * The class of a status: what a caller may do about it.
 *
 * Returns: the class; a status that this version does not know is of class request.
 * Thread: any. Blocks: no.
 */
TAU_API enum tau_status_class tau_status_class_of(enum tau_status status);

/**
 * The name of a class of statuses.
 *
 * Returns: a static text; "unknown" for a number that is none.
 * Thread: any. Blocks: no.
 */
TAU_API const char *tau_status_class_name(enum tau_status_class status_class);

/**
 * The name of a value of enum tau_colour.
 *
 * Returns: a static text; "unknown" for a number that has no name here.
 * Thread: any. Blocks: no.
 */
TAU_API const char *tau_colour_name(enum tau_colour value);

/**
 * Finds a value of enum tau_colour by its name.
 *
 * Returns: whether there is one; where there is none, *ret stays as it is.
 * Thread: any. Blocks: no.
 */
TAU_API bool tau_colour_from_name(const char *name, enum tau_colour *ret);

/**
 * The name of a value of enum tau_shade.
 *
 * Returns: a static text; "unknown" for a number that has no name here.
 * Thread: any. Blocks: no.
 */
TAU_API const char *tau_shade_name(enum tau_shade value);

/**
 * Finds a value of enum tau_shade by its name.
 *
 * Returns: whether there is one; where there is none, *ret stays as it is.
 * Thread: any. Blocks: no.
 */
TAU_API bool tau_shade_from_name(const char *name, enum tau_shade *ret);

/**
 * Reads one element of an array of enum tau_colour, in whichever order the array is.
 *
 * Shapes: `index` is less than array.count; any other is a programmer's error.
 * Thread: any. Blocks: no.
 */
TAU_API enum tau_colour tau_colour_at(struct tau_array array, size_t index);

/**
 * Reads elements of an array of enum tau_colour, in whichever order the array is.
 *
 * Shapes: `count` elements from the element `first` on, all of which the array has; `ret` has room
 * for them.
 * Thread: any. Blocks: no.
 */
TAU_API void tau_colour_copy(struct tau_array array, size_t first, size_t count,
                             enum tau_colour *ret);

/**
 * Reads one element of an array of int64_t, in whichever order the array is.
 *
 * Shapes: `index` is less than array.count; any other is a programmer's error.
 * Thread: any. Blocks: no.
 */
TAU_API int64_t tau_i64_at(struct tau_array array, size_t index);

/**
 * Reads elements of an array of int64_t, in whichever order the array is.
 *
 * Shapes: `count` elements from the element `first` on, all of which the array has; `ret` has room
 * for them.
 * Thread: any. Blocks: no.
 */
TAU_API void tau_i64_copy(struct tau_array array, size_t first, size_t count, int64_t *ret);

/**
 * Reads one element of an array of struct tau_pair, in whichever order the array is.
 *
 * Shapes: `index` is less than array.count; any other is a programmer's error.
 * Thread: any. Blocks: no.
 */
TAU_API struct tau_pair tau_pair_at(struct tau_array array, size_t index);

/**
 * Reads elements of an array of struct tau_pair, in whichever order the array is.
 *
 * Shapes: `count` elements from the element `first` on, all of which the array has; `ret` has room
 * for them.
 * Thread: any. Blocks: no.
 */
TAU_API void tau_pair_copy(struct tau_array array, size_t first, size_t count,
                           struct tau_pair *ret);

/**
 * Reads one element of an array of enum tau_shade, in whichever order the array is.
 *
 * Shapes: `index` is less than array.count; any other is a programmer's error.
 * Thread: any. Blocks: no.
 */
TAU_API enum tau_shade tau_shade_at(struct tau_array array, size_t index);

/**
 * Reads elements of an array of enum tau_shade, in whichever order the array is.
 *
 * Shapes: `count` elements from the element `first` on, all of which the array has; `ret` has room
 * for them.
 * Thread: any. Blocks: no.
 */
TAU_API void tau_shade_copy(struct tau_array array, size_t first, size_t count,
                            enum tau_shade *ret);

/**
 * Reads one element of an array of struct tau_tint, in whichever order the array is.
 *
 * Shapes: `index` is less than array.count; any other is a programmer's error.
 * Thread: any. Blocks: no.
 */
TAU_API struct tau_tint tau_tint_at(struct tau_array array, size_t index);

/**
 * Reads elements of an array of struct tau_tint, in whichever order the array is.
 *
 * Shapes: `count` elements from the element `first` on, all of which the array has; `ret` has room
 * for them.
 * Thread: any. Blocks: no.
 */
TAU_API void tau_tint_copy(struct tau_array array, size_t first, size_t count,
                           struct tau_tint *ret);

#ifdef __cplusplus
}
#endif

#endif
