/* SPDX-License-Identifier: MIT */
/*
 * Reads CSV from bytes as they come: RFC 4180 with LF or CRLF, quoted fields that may hold commas,
 * quotes and line ends, and a byte order mark that is skipped. Bytes in, records out; it must not
 * know files. Memory is bounded by the longest record that is allowed.
 */
#ifndef TAU_CLI_CSV_READER_H
#define TAU_CLI_CSV_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLI_CSV_RECORD_BYTES 16384
#define CLI_CSV_FIELD_LIMIT  64

/* One field, unquoted; the text ends in a zero byte, and holds one only if `size` says so. */
struct cli_csv_field_text {
    const char *text;
    size_t size;
    bool quoted;
};

/* One record. It is borrowed for the call that hands it out. */
struct cli_csv_record {
    uint64_t line; /* the line at which it begins, from 1 */
    size_t field_count;
    struct cli_csv_field_text fields[CLI_CSV_FIELD_LIMIT];
    const char *error; /* why the line is no record, or NULL */
};

/* Called with each record that is not an empty line. Returning false stops the reader. */
typedef bool cli_csv_callback(void *user_data, const struct cli_csv_record *record);

enum cli_csv_state {
    CLI_CSV_START,      /* at the beginning of a field */
    CLI_CSV_PLAIN,      /* in a field without quotes */
    CLI_CSV_QUOTED,     /* between quotes */
    CLI_CSV_QUOTE_SEEN, /* behind a quote that ends the field or is the first of two */
    CLI_CSV_BAD         /* in a line that is wrong; its rest is skipped */
};

struct cli_csv_reader {
    cli_csv_callback *callback;
    void *user_data;
    enum cli_csv_state state;
    uint64_t line;
    unsigned mark_bytes; /* how much of a byte order mark was seen; 3 when that is settled */
    bool stopped;
    size_t size; /* bytes in use of `bytes` */
    struct cli_csv_record record;
    char bytes[CLI_CSV_RECORD_BYTES + 1];
};

void cli_csv_init(struct cli_csv_reader *reader, cli_csv_callback *callback, void *user_data);

/* Reads some bytes. Returns false once the callback has stopped the reader. */
bool cli_csv_feed(struct cli_csv_reader *reader, const char *data, size_t size);

/* Reads the end of the input, where the last line may lack its line end. Returns as cli_csv_feed.
 */
bool cli_csv_finish(struct cli_csv_reader *reader);

#endif
