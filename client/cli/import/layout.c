/* SPDX-License-Identifier: MIT */
/*
 * Columns are found by their names where a header has names that are known, else by their number:
 * two are time and value, three are series, time and value.
 */
#include "import/layout.h"

#include <string.h>
#include <strings.h>

#include "format/number.h"

static bool is_one_of(const char *text, const char *const *names)
{
    for (; *names != NULL; names++) {
        if (strcasecmp(text, *names) == 0) {
            return true;
        }
    }
    return false;
}

/* Finds the columns by the names in a header. Returns whether time and value were among them. */
static bool find_by_name(struct cli_layout *layout, const struct cli_csv_record *record)
{
    static const char *const series[] = {"series", "label", "name", "metric", NULL};
    static const char *const time[] = {"timestamp", "time", "datetime", "date", "ts", NULL};
    static const char *const value[] = {"value", NULL};
    layout->series = layout->time = layout->value = CLI_NO_COLUMN;
    for (size_t i = 0; i < record->field_count; i++) {
        const char *text = record->fields[i].text;
        if (layout->time == CLI_NO_COLUMN && is_one_of(text, time)) {
            layout->time = i;
        } else if (layout->value == CLI_NO_COLUMN && is_one_of(text, value)) {
            layout->value = i;
        } else if (layout->series == CLI_NO_COLUMN && is_one_of(text, series)) {
            layout->series = i;
        }
    }
    return layout->time != CLI_NO_COLUMN && layout->value != CLI_NO_COLUMN;
}

static bool find_by_number(struct cli_layout *layout, size_t field_count)
{
    layout->series = field_count == 3 ? 0 : CLI_NO_COLUMN;
    layout->time = field_count == 3 ? 1 : 0;
    layout->value = layout->time + 1;
    return field_count == 2 || field_count == 3;
}

/* Every time has a digit, and the name of a column seldom does: so a time that is mistyped is still
 * told from a name. */
static bool looks_like_row(const struct cli_layout *layout, const struct cli_csv_record *record)
{
    double value;
    return strpbrk(record->fields[layout->time].text, "0123456789") != NULL ||
           cli_f64_from_text(record->fields[layout->value].text, &value) == NULL;
}

const char *cli_layout_learn(struct cli_layout *layout, const struct cli_csv_record *record,
                             bool *ret_is_header)
{
    *ret_is_header = false;
    layout->field_count = record->field_count;
    bool by_number = find_by_number(layout, record->field_count);
    if (by_number && looks_like_row(layout, record)) {
        layout->known = true;
        return NULL;
    }
    if (!find_by_name(layout, record) && !find_by_number(layout, record->field_count)) {
        return "neither timestamp,value nor series,timestamp,value, and no header that names them";
    }
    layout->known = true;
    *ret_is_header = true;
    return NULL;
}

static const char *read_series(const struct cli_csv_field_text *field, struct tau_label *ret_label)
{
    if (field->size == 0 && !field->quoted) {
        return "the series is missing (the empty label is written \"\")";
    }
    if (strlen(field->text) != field->size ||
        tau_label_from_text(field->text, ret_label) != TAU_STATUS_SUCCESS) {
        return "the series is not a label: at most 32 bytes of UTF-8, others written \\xHH";
    }
    return NULL;
}

const char *cli_layout_read(const struct cli_layout *layout, const struct cli_csv_record *record,
                            const struct cli_time_rules *rules, struct tau_row *ret_row)
{
    struct tau_row row = *ret_row;
    const char *reason = NULL;
    if (record->field_count < layout->field_count) {
        return "the line has too few fields";
    }
    if (record->field_count > layout->field_count) {
        return "the line has too many fields";
    }
    const struct cli_csv_field_text *time = &record->fields[layout->time];
    const struct cli_csv_field_text *value = &record->fields[layout->value];
    if (layout->series != CLI_NO_COLUMN) {
        reason = read_series(&record->fields[layout->series], &row.label);
    }
    if (reason == NULL && strlen(time->text) != time->size) {
        reason = "the time holds a zero byte";
    }
    if (reason == NULL) {
        reason = cli_time_from_text(time->text, rules, &row.timestamp);
    }
    if (reason == NULL && strlen(value->text) != value->size) {
        reason = "the value holds a zero byte";
    }
    if (reason == NULL) {
        reason = cli_f64_from_text(value->text, &row.value);
    }
    if (reason == NULL) {
        *ret_row = row;
    }
    return reason;
}
