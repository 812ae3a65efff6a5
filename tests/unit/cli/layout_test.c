/* SPDX-License-Identifier: MIT */
/* Headers and columns of an import, and every reason for which a line is no row. */
#include "cli_test.h"
#include "csv/reader.h"
#include "import/layout.h"

static const struct cli_time_rules rules = {.unit = CLI_UNIT_NS};

/* Makes a record of fields that end at NULL; a field that begins with `"` was quoted. */
static struct cli_csv_record record_of(const char *const *fields)
{
    struct cli_csv_record record = {.line = 1};
    for (; fields[record.field_count] != NULL; record.field_count++) {
        const char *text = fields[record.field_count];
        bool quoted = text[0] == '"';
        record.fields[record.field_count] =
            (struct cli_csv_field_text){text + quoted, strlen(text + quoted), quoted};
    }
    return record;
}

#define RECORD(...) record_of((const char *const[]){__VA_ARGS__, NULL})

static void assert_learned(struct cli_csv_record record, bool header, size_t series, size_t time,
                           size_t value)
{
    struct cli_layout layout = {.known = false};
    bool is_header;
    assert_null(cli_layout_learn(&layout, &record, &is_header));
    assert_true(layout.known);
    assert_int_equal(is_header, header);
    assert_int_equal(layout.series, series);
    assert_int_equal(layout.time, time);
    assert_int_equal(layout.value, value);
}

static void test_learn(void **state)
{
    (void)state;
    assert_learned(RECORD("timestamp", "value"), true, CLI_NO_COLUMN, 0, 1);
    assert_learned(RECORD("Value", "TIME"), true, CLI_NO_COLUMN, 1, 0);
    assert_learned(RECORD("series", "timestamp", "value"), true, 0, 1, 2);
    assert_learned(RECORD("value", "extra", "timestamp", "series"), true, 3, 2, 0);
    assert_learned(RECORD("2013-07-04 00:00:00", "1"), false, CLI_NO_COLUMN, 0, 1);
    assert_learned(RECORD("cpu", "0", "1"), false, 0, 1, 2);
    assert_learned(RECORD("value", "0", "1"), false, 0, 1, 2);
    assert_learned(RECORD("a", "b"), true, CLI_NO_COLUMN, 0, 1);
    assert_learned(RECORD("", "value"), true, CLI_NO_COLUMN, 0, 1);
    assert_learned(RECORD("host", "when", "cpu0"), true, 0, 1, 2);
    /* A bad row is not a header, whatever is wrong with it. */
    assert_learned(RECORD("2013-13-45 00:00:00", "x"), false, CLI_NO_COLUMN, 0, 1);
    assert_learned(RECORD("1O0", "value"), false, CLI_NO_COLUMN, 0, 1);
    assert_learned(RECORD("at 9", "value"), false, CLI_NO_COLUMN, 0, 1);
    assert_learned(RECORD("cpu", "12:00", "l.5"), false, 0, 1, 2);
    assert_learned(RECORD("now", "nan"), false, CLI_NO_COLUMN, 0, 1);
    assert_learned(RECORD("2013-07-04 00:00:00", "x"), false, CLI_NO_COLUMN, 0, 1);
    assert_learned(RECORD("x", "1.5"), false, CLI_NO_COLUMN, 0, 1);
}

static void test_learn_fails(void **state)
{
    struct cli_layout layout = {.known = false};
    struct cli_csv_record one = RECORD("timestamp");
    struct cli_csv_record four = RECORD("a", "b", "c", "d");
    bool is_header;
    (void)state;
    assert_non_null(cli_layout_learn(&layout, &one, &is_header));
    assert_non_null(cli_layout_learn(&layout, &four, &is_header));
    assert_false(layout.known);
}

static const struct cli_layout three = {
    .known = true, .field_count = 3, .series = 0, .time = 1, .value = 2};

static void test_read(void **state)
{
    struct cli_csv_record record = RECORD("a\\x5Cb", "1970-01-01T00:00:01Z", "-0.0");
    struct cli_csv_record empty = RECORD("\"", "-5", "1");
    struct tau_label label = label_of("a\\x5Cb");
    struct tau_label zero = {{0}};
    struct tau_row row;
    (void)state;
    assert_null(cli_layout_read(&three, &record, &rules, &row));
    assert_memory_equal(&row.label, &label, sizeof(label));
    assert_int_equal(row.timestamp, 1000000000);
    assert_null(cli_layout_read(&three, &empty, &rules, &row));
    assert_memory_equal(&row.label, &zero, sizeof(zero));
    assert_int_equal(row.timestamp, -5);
}

static void test_refuse(void **state)
{
    struct cli_csv_record bad[] = {
        RECORD("a", "1"),         RECORD("a", "1", "2", "3"),
        RECORD("", "1", "2"),     RECORD("123456789012345678901234567890123", "1", "2"),
        RECORD("a\\b", "1", "2"), RECORD("a", "", "2"),
        RECORD("a", "now", "2"),  RECORD("a", "1", ""),
        RECORD("a", "1", "x"),
    };
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct tau_row row = {.timestamp = 42};
        if (cli_layout_read(&three, &bad[i], &rules, &row) == NULL) {
            fail_msg("bad record %zu was read", i);
        }
        assert_int_equal(row.timestamp, 42);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_learn),
        cmocka_unit_test(test_learn_fails),
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_refuse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
