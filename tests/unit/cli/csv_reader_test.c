/* SPDX-License-Identifier: MIT */
/* The CSV reader: quoting, line ends, what is wrong; whole, and byte by byte with the same result.
 */
#include "cli_test.h"
#include "csv/reader.h"

/* Every record as text: line:[field][field] or line:!reason. */
static bool write_record(void *user_data, const struct cli_csv_record *record)
{
    FILE *out = user_data;
    fprintf(out, "%llu:", (unsigned long long)record->line);
    if (record->error != NULL) {
        fprintf(out, "!%s;", record->error);
        return true;
    }
    for (size_t i = 0; i < record->field_count; i++) {
        const struct cli_csv_field_text *field = &record->fields[i];
        assert_int_equal(field->text[field->size], '\0');
        fprintf(out, field->quoted ? "{%s}" : "[%s]", field->text);
    }
    fputc(';', out);
    return true;
}

static char *read_in_steps(const char *input, size_t size, size_t step)
{
    struct cli_csv_reader *reader = malloc(sizeof(*reader));
    char *text = NULL;
    size_t text_size = 0;
    FILE *out = open_memstream(&text, &text_size);
    assert_true(reader != NULL && out != NULL);
    cli_csv_init(reader, write_record, out);
    for (size_t at = 0; at < size; at += step) {
        assert_true(cli_csv_feed(reader, input + at, size - at < step ? size - at : step));
    }
    assert_true(cli_csv_finish(reader));
    fclose(out);
    free(reader);
    return text;
}

static void assert_read(const char *input, const char *expected)
{
    for (size_t step = 1; step <= strlen(input) + 1; step++) {
        char *text = read_in_steps(input, strlen(input), step);
        assert_string_equal(text, expected);
        free(text);
    }
}

static void test_records(void **state)
{
    (void)state;
    assert_read("", "");
    assert_read("\n\n", "");
    assert_read("a,b\n", "1:[a][b];");
    assert_read("a,b", "1:[a][b];");
    assert_read("a,b\r\nc,d\r\n", "1:[a][b];2:[c][d];");
    assert_read("\r\na,b", "2:[a][b];");
    assert_read("a,\n,b\n,", "1:[a][];2:[][b];3:[][];");
    assert_read("\n\na\n\nb", "3:[a];5:[b];");
    assert_read("\xEF\xBB\xBFx,y\n", "1:[x][y];");
    assert_read("\xEF\xBBx\n", "1:[\xEF\xBBx];");
    assert_read("a\rb,c\n", "1:[a\rb][c];");
}

static void test_quotes(void **state)
{
    (void)state;
    assert_read("\"a\",\"b,c\"\n", "1:{a}{b,c};");
    assert_read("\"a\"\"b\"\r\nc", "1:{a\"b};2:[c];");
    assert_read("\"\",x\n", "1:{}[x];");
    assert_read("\"\"\n", "1:{};");
    assert_read("\"a\nb\",c\nd\n", "1:{a\nb}[c];3:[d];");
    assert_read("a\"b,c\n", "1:[a\"b][c];");
    assert_read("\"a\"x,b\nc\n", "1:!there is text behind a closing quote;2:[c];");
    assert_read("\"a", "1:!a quote is not closed;");
    assert_read("\"a\"", "1:{a};");
}

static void test_limits(void **state)
{
    char *input = malloc(CLI_CSV_RECORD_BYTES * 2);
    (void)state;
    memset(input, 'x', CLI_CSV_RECORD_BYTES + 10);
    strcpy(input + CLI_CSV_RECORD_BYTES + 10, "\nok\n");
    char *text = read_in_steps(input, strlen(input), 4096);
    assert_string_equal(text, "1:!the line is too long;2:[ok];");
    free(text);
    memset(input, ',', CLI_CSV_FIELD_LIMIT);
    strcpy(input + CLI_CSV_FIELD_LIMIT, "\nok\n");
    text = read_in_steps(input, strlen(input), 7);
    assert_string_equal(text, "1:!the line has too many fields;2:[ok];");
    free(text);
    free(input);
}

static bool stop(void *user_data, const struct cli_csv_record *record)
{
    (void)record;
    ++*(int *)user_data;
    return false;
}

static void test_stop(void **state)
{
    struct cli_csv_reader *reader = malloc(sizeof(*reader));
    int count = 0;
    (void)state;
    cli_csv_init(reader, stop, &count);
    assert_false(cli_csv_feed(reader, "a\nb\nc", 5));
    assert_false(cli_csv_finish(reader));
    assert_int_equal(count, 1);
    free(reader);
}

static bool check_zero_byte(void *user_data, const struct cli_csv_record *record)
{
    assert_int_equal(record->fields[0].size, 3);
    assert_memory_equal(record->fields[0].text, "a\0b", 3);
    *(int *)user_data = 1;
    return true;
}

static void test_zero_byte(void **state)
{
    struct cli_csv_reader *reader = malloc(sizeof(*reader));
    int seen = 0;
    (void)state;
    cli_csv_init(reader, check_zero_byte, &seen);
    assert_true(cli_csv_feed(reader, "a\0b\n", 4));
    assert_int_equal(seen, 1);
    free(reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_records),   cmocka_unit_test(test_quotes),
        cmocka_unit_test(test_limits),    cmocka_unit_test(test_stop),
        cmocka_unit_test(test_zero_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
