/* SPDX-License-Identifier: MIT */
/*
 * The reader is a machine over bytes:
 *
 *              ,  or line end                      "
 *     START ------------------> field ends    QUOTED <----> QUOTE_SEEN ---> field ends
 *       |  \  "                                              anything else: BAD
 *       |   `------> QUOTED
 *       `----> PLAIN -- , or line end --> field ends
 *
 * A line that is wrong is skipped to its end and handed out with its reason. Plain runs of bytes,
 * by far the most, are copied in one go.
 */
#include "csv/reader.h"

#include <string.h>

void cli_csv_init(struct cli_csv_reader *reader, cli_csv_callback *callback, void *user_data)
{
    reader->callback = callback;
    reader->user_data = user_data;
    reader->state = CLI_CSV_START;
    reader->line = 1;
    reader->mark_bytes = 0;
    reader->stopped = false;
    reader->size = 0;
    reader->record = (struct cli_csv_record){.line = 1};
}

static void fail(struct cli_csv_reader *reader, const char *error)
{
    reader->record.error = error;
    reader->state = CLI_CSV_BAD;
}

static void put(struct cli_csv_reader *reader, char byte)
{
    if (reader->size == CLI_CSV_RECORD_BYTES) {
        fail(reader, "the line is too long");
        return;
    }
    reader->bytes[reader->size++] = byte;
}

static void begin_field(struct cli_csv_reader *reader, bool quoted)
{
    struct cli_csv_record *record = &reader->record;
    if (record->field_count == CLI_CSV_FIELD_LIMIT) {
        fail(reader, "the line has too many fields");
        return;
    }
    record->fields[record->field_count++] =
        (struct cli_csv_field_text){.text = reader->bytes + reader->size, .quoted = quoted};
    reader->state = quoted ? CLI_CSV_QUOTED : CLI_CSV_PLAIN;
}

static void end_field(struct cli_csv_reader *reader)
{
    struct cli_csv_field_text *field = &reader->record.fields[reader->record.field_count - 1];
    field->size = (size_t)(reader->bytes + reader->size - field->text);
    put(reader, '\0');
    if (reader->state != CLI_CSV_BAD) {
        reader->state = CLI_CSV_START;
    }
}

/* Drops the CR of a CRLF, which a plain field has taken for one of its bytes. */
static void drop_carriage_return(struct cli_csv_reader *reader)
{
    struct cli_csv_field_text *field = &reader->record.fields[reader->record.field_count - 1];
    if (reader->bytes + reader->size > field->text && reader->bytes[reader->size - 1] == '\r') {
        reader->size--;
    }
}

static void end_record(struct cli_csv_reader *reader)
{
    struct cli_csv_record *record = &reader->record;
    bool blank = record->error == NULL && record->field_count == 1 && !record->fields[0].quoted &&
                 record->fields[0].size == 0;
    if (!blank && !reader->callback(reader->user_data, record)) {
        reader->stopped = true;
    }
    record->field_count = 0;
    record->error = NULL;
    record->line = reader->line + 1;
    reader->size = 0;
    reader->state = CLI_CSV_START;
}

static void end_line(struct cli_csv_reader *reader)
{
    if (reader->state == CLI_CSV_START) {
        begin_field(reader, false);
    }
    if (reader->state == CLI_CSV_PLAIN) {
        drop_carriage_return(reader);
    }
    if (reader->state != CLI_CSV_BAD) {
        end_field(reader);
    }
    end_record(reader);
}

static void step_quote_seen(struct cli_csv_reader *reader, char byte)
{
    switch (byte) {
    case '"':
        put(reader, '"');
        if (reader->state != CLI_CSV_BAD) {
            reader->state = CLI_CSV_QUOTED;
        }
        break;
    case ',':
        end_field(reader);
        break;
    case '\n':
        end_line(reader);
        break;
    case '\r':
        break;
    default:
        fail(reader, "there is text behind a closing quote");
    }
}

static void step_start(struct cli_csv_reader *reader, char byte)
{
    begin_field(reader, byte == '"');
    if (reader->state != CLI_CSV_PLAIN) {
        return;
    }
    if (byte == ',') {
        end_field(reader);
    } else {
        put(reader, byte);
    }
}

static void step(struct cli_csv_reader *reader, char byte)
{
    switch (reader->state) {
    case CLI_CSV_START:
        step_start(reader, byte);
        break;
    case CLI_CSV_PLAIN:
        if (byte == ',') {
            end_field(reader);
        } else {
            put(reader, byte);
        }
        break;
    case CLI_CSV_QUOTED:
        if (byte == '"') {
            reader->state = CLI_CSV_QUOTE_SEEN;
        } else {
            put(reader, byte);
        }
        break;
    case CLI_CSV_QUOTE_SEEN:
        step_quote_seen(reader, byte);
        break;
    case CLI_CSV_BAD:
        break;
    }
}

/* Skips a UTF-8 byte order mark; a part of one that turns out to be none is read as text. */
static size_t skip_mark(struct cli_csv_reader *reader, const char *data, size_t size)
{
    static const char mark[] = "\xEF\xBB\xBF";
    size_t at = 0;
    for (; reader->mark_bytes < 3 && at < size; at++) {
        if (data[at] != mark[reader->mark_bytes]) {
            for (unsigned i = 0; i < reader->mark_bytes; i++) {
                step(reader, mark[i]);
            }
            reader->mark_bytes = 3;
            break;
        }
        reader->mark_bytes++;
    }
    return at;
}

/* Copies plain bytes up to the next one that means something. Returns how many. */
static size_t copy_plain(struct cli_csv_reader *reader, const char *data, size_t size)
{
    size_t room = CLI_CSV_RECORD_BYTES - reader->size;
    size_t limit = size < room ? size : room;
    size_t count = 0;
    while (count < limit && data[count] != ',' && data[count] != '\n') {
        count++;
    }
    memcpy(reader->bytes + reader->size, data, count);
    reader->size += count;
    return count;
}

bool cli_csv_feed(struct cli_csv_reader *reader, const char *data, size_t size)
{
    size_t at = skip_mark(reader, data, size);
    while (at < size && !reader->stopped) {
        if (reader->state == CLI_CSV_PLAIN) {
            at += copy_plain(reader, data + at, size - at);
            if (at == size) {
                break;
            }
        }
        if (data[at] != '\n') {
            step(reader, data[at]);
        } else {
            if (reader->state == CLI_CSV_QUOTED) {
                put(reader, '\n');
            } else {
                end_line(reader);
            }
            reader->line++;
        }
        at++;
    }
    return !reader->stopped;
}

bool cli_csv_finish(struct cli_csv_reader *reader)
{
    for (unsigned i = 0; reader->mark_bytes < 3 && i < reader->mark_bytes; i++) {
        step(reader, "\xEF\xBB\xBF"[i]);
    }
    reader->mark_bytes = 3;
    if (reader->state == CLI_CSV_QUOTED) {
        fail(reader, "a quote is not closed");
    }
    if (!reader->stopped && (reader->state != CLI_CSV_START || reader->record.field_count > 0)) {
        end_line(reader);
    }
    return !reader->stopped;
}
