// SPDX-License-Identifier: MIT
// What people type and files hold, as tau-cli reads it: times, durations, labels, CSV. The first
// byte chooses the grammar. What is read is written and read again to the same; CSV is the same
// however it is cut.

#include <string.h>

#include <tau/label.h>

#include "csv/reader.h"
#include "format/time.h"
#include "fuzz.h"
#include "parse/time.h"

// --- times, durations, labels --------------------------------------------------------------------

static void check_time(const char *text, unsigned choice)
{
    static const enum cli_unit units[] = {CLI_UNIT_NS, CLI_UNIT_US, CLI_UNIT_MS, CLI_UNIT_S};
    struct cli_time_rules rules = {.unit = units[choice & 3],
                                   .relative = (choice & 4) != 0,
                                   .now_ns = INT64_C(1700000000000000000)};
    int64_t ns = 0, again = 0;
    if (cli_time_from_text(text, &rules, &ns) != NULL) {
        fuzz_require(ns == 0, "what is no time left something behind");
        return;
    }
    char written[CLI_TIME_TEXT_SIZE];
    fuzz_require(cli_time_to_text(ns, CLI_TIME_RFC3339, written) < sizeof written, "a long time");
    rules.relative = false;
    fuzz_require(cli_time_from_text(written, &rules, &again) == NULL, "a written time is not read");
    fuzz_require(again == ns, "a time changes when it is written");
}

static void check_duration(const char *text)
{
    int64_t ns = 0;
    char written[CLI_TIME_TEXT_SIZE];
    if (cli_duration_from_text(text, &ns) == NULL) {
        fuzz_require(ns >= 0, "a duration below zero");
        fuzz_require(cli_duration_to_text(ns, written) < sizeof written, "a long duration");
    }
}

static void check_label(const char *text)
{
    struct tau_label label, again;
    char written[TAU_LABEL_TEXT_SIZE];
    if (tau_label_from_text(text, &label) != TAU_STATUS_SUCCESS)
        return;
    fuzz_require(tau_label_to_text(&label, written) < sizeof written, "a long label");
    fuzz_require(tau_label_from_text(written, &again) == TAU_STATUS_SUCCESS,
                 "a written label is not read");
    fuzz_require(memcmp(&label, &again, sizeof label) == 0, "a label changes when it is written");
}

// --- CSV -----------------------------------------------------------------------------------------

static uint64_t fold(uint64_t digest, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    for (size_t i = 0; i < size; i++)
        digest = (digest ^ bytes[i]) * UINT64_C(1099511628211);
    return digest;
}

static bool on_record(void *user_data, const struct cli_csv_record *record)
{
    uint64_t *digest = user_data;
    fuzz_require(record->error != NULL || record->field_count > 0, "a record of nothing");
    *digest = fold(*digest, &record->line, sizeof record->line);
    for (size_t i = 0; record->error == NULL && i < record->field_count; i++) {
        const struct cli_csv_field_text *field = &record->fields[i];
        fuzz_require(field->text[field->size] == '\0', "a field does not end in a zero byte");
        *digest = fold(*digest, field->text, field->size + 1);
    }
    return true;
}

static uint64_t read_csv(const char *text, size_t size, size_t piece)
{
    static struct cli_csv_reader reader;
    uint64_t digest = 1;
    cli_csv_init(&reader, on_record, &digest);
    for (size_t at = 0; at < size; at += piece)
        cli_csv_feed(&reader, text + at, piece < size - at ? piece : size - at);
    cli_csv_finish(&reader);
    return digest;
}

static void check_csv(const char *text, size_t size)
{
    uint64_t whole = read_csv(text, size, size + 1);
    for (size_t piece = 1; piece <= 3; piece++)
        fuzz_require(read_csv(text, size, piece) == whole, "CSV depends on where it is cut");
}

void fuzz_one(const uint8_t *data, size_t size)
{
    if (size < 1)
        return;
    char *text = calloc(1, size);
    fuzz_require(text != NULL, "no memory");
    memcpy(text, data + 1, size - 1);
    switch (data[0] % 4) {
    case 0:
        check_time(text, data[0] / 4);
        break;
    case 1:
        check_duration(text);
        break;
    case 2:
        check_label(text);
        break;
    default:
        check_csv(text, size - 1);
    }
    free(text);
}
