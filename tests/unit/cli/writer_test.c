/* SPDX-License-Identifier: MIT */
/* The writer: the same cells in each format, empty results, one answer, the formats' names. */
#include <math.h>

#include "cli_test.h"
#include "format/writer.h"

static const struct cli_column columns[] = {
    {"series", CLI_CELL_LABEL}, {"timestamp", CLI_CELL_TIME}, {"value", CLI_CELL_F64}};

static char *write_with(enum cli_format format, enum cli_time_format time_format, size_t row_count,
                        size_t main)
{
    struct cli_writer writer;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    struct tau_label labels[] = {label_of("a,\"b"), label_of("")};
    struct cli_cell rows[][3] = {
        {cli_cell_label(&labels[0]), cli_cell_time(1500000000), cli_cell_f64(-0.5)},
        {cli_cell_label(&labels[1]), cli_cell_time(0), cli_cell_f64((double)NAN)},
    };
    cli_writer_init(&writer, out, format, time_format, false);
    if (main != SIZE_MAX - 1) {
        cli_writer_record(&writer, columns, rows[0], 3, main);
    } else {
        cli_writer_begin(&writer, columns, 3);
        for (size_t i = 0; i < row_count; i++) {
            cli_writer_row(&writer, rows[i]);
        }
        cli_writer_end(&writer);
    }
    cli_writer_done(&writer);
    fclose(out);
    return text;
}

#define ROWS (SIZE_MAX - 1)

static void assert_written(enum cli_format format, enum cli_time_format time_format,
                           size_t row_count, size_t main, const char *expected)
{
    char *text = write_with(format, time_format, row_count, main);
    assert_string_equal(text, expected);
    free(text);
}

static void test_csv(void **state)
{
    (void)state;
    assert_written(CLI_FORMAT_CSV, CLI_TIME_NS, 2, ROWS,
                   "series,timestamp,value\n\"a,\"\"b\",1500000000,-0.5\n"
                   "\"\",0,nan(0x7ff8000000000000)\n");
    assert_written(CLI_FORMAT_CSV, CLI_TIME_NS, 0, ROWS, "series,timestamp,value\n");
    assert_written(CLI_FORMAT_CSV, CLI_TIME_S, 1, 2,
                   "series,timestamp,value\n\"a,\"\"b\",1.5,-0.5\n");
}

static void test_tsv(void **state)
{
    (void)state;
    assert_written(CLI_FORMAT_TSV, CLI_TIME_RFC3339, 1, ROWS,
                   "series\ttimestamp\tvalue\na,\"b\t1970-01-01T00:00:01.500Z\t-0.5\n");
}

static void test_json(void **state)
{
    (void)state;
    assert_written(
        CLI_FORMAT_JSON, CLI_TIME_MS, 2, ROWS,
        "[\n  {\"series\": \"a,\\\"b\", \"timestamp\": 1500, \"value\": -0.5},\n"
        "  {\"series\": \"\", \"timestamp\": 0, \"value\": \"nan(0x7ff8000000000000)\"}\n]\n");
    assert_written(CLI_FORMAT_JSON, CLI_TIME_MS, 0, ROWS, "[]\n");
    assert_written(CLI_FORMAT_JSON, CLI_TIME_RFC3339, 0, CLI_MAIN_NONE,
                   "{\"series\": \"a,\\\"b\", \"timestamp\": \"1970-01-01T00:00:01.500Z\", "
                   "\"value\": -0.5}\n");
}

static void test_jsonl(void **state)
{
    (void)state;
    assert_written(
        CLI_FORMAT_JSONL, CLI_TIME_NS, 2, ROWS,
        "{\"series\": \"a,\\\"b\", \"timestamp\": 1500000000, \"value\": -0.5}\n"
        "{\"series\": \"\", \"timestamp\": 0, \"value\": \"nan(0x7ff8000000000000)\"}\n");
    assert_written(CLI_FORMAT_JSONL, CLI_TIME_NS, 0, ROWS, "");
}

static void test_table(void **state)
{
    (void)state;
    assert_written(CLI_FORMAT_TABLE, CLI_TIME_NS, 2, ROWS,
                   "series  timestamp                     value\n"
                   "a,\"b    1500000000                     -0.5\n"
                   "        0           nan(0x7ff8000000000000)\n");
    assert_written(CLI_FORMAT_TABLE, CLI_TIME_NS, 0, ROWS, "series  timestamp  value\n");
    assert_written(CLI_FORMAT_TABLE, CLI_TIME_NS, 0, 2, "-0.5\n");
    assert_written(CLI_FORMAT_TABLE, CLI_TIME_NS, 0, CLI_MAIN_NONE,
                   "series     a,\"b\ntimestamp  1500000000\nvalue      -0.5\n");
}

static void test_names(void **state)
{
    enum cli_format format;
    enum cli_time_format time_format;
    (void)state;
    assert_true(cli_format_from_text("jsonl", &format) && format == CLI_FORMAT_JSONL);
    assert_false(cli_format_from_text("xml", &format));
    assert_true(cli_time_format_from_text("us", &time_format) && time_format == CLI_TIME_US);
    assert_false(cli_time_format_from_text("m", &time_format));
    assert_string_equal(cli_format_name(CLI_FORMAT_JSONL), "jsonl");
    assert_null(cli_format_name(CLI_FORMAT_JSONL + 1));
    assert_string_equal(cli_time_format_name(CLI_TIME_NS), "ns");
    assert_null(cli_time_format_name(CLI_TIME_NS + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_csv),   cmocka_unit_test(test_tsv),   cmocka_unit_test(test_json),
        cmocka_unit_test(test_jsonl), cmocka_unit_test(test_table), cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
