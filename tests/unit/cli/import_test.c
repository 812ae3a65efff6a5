/* SPDX-License-Identifier: MIT */
/* tau-cli import: files and standard input, what is told of each line, the sum and the exit code.
 */
#include <unistd.h>

#include "command_rig.h"
#include "import/sender.h"
#include "memory_fault.h"

static char directory[64];

static int begin(void **state)
{
    strcpy(directory, "/tmp/tau-import-XXXXXX");
    return mkdtemp(directory) != NULL ? rig_begin(state) : -1;
}

static int end(void **state)
{
    static const char *const names[] = {"cpu.csv", "b.csv"};
    for (size_t i = 0; i < COUNT(names); i++) {
        char path[128];
        snprintf(path, sizeof(path), "%s/%s", directory, names[i]);
        unlink(path);
    }
    int result = rmdir(directory);
    return rig_end(state) == 0 ? result : -1;
}

static void write_file(const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

/* Imports: `%` in the line stands for the directory. Returns the exit code. */
static int import(struct command_rig *rig, const char *line)
{
    char expanded[512] = "import ";
    for (; *line != '\0'; line++) {
        size_t size = strlen(expanded);
        if (*line == '%') {
            strcat(expanded, directory);
        } else {
            expanded[size] = *line;
            expanded[size + 1] = '\0';
        }
    }
    return rig_run(rig, expanded);
}

/* What was said must be this, with `%` for the directory. */
static void expect_said(const struct command_rig *rig, const char *format)
{
    char expected[1024] = "";
    for (; *format != '\0'; format++) {
        size_t size = strlen(expected);
        if (*format == '%') {
            strcat(expected, directory);
        } else {
            expected[size] = *format;
            expected[size + 1] = '\0';
        }
    }
    assert_string_equal(rig->err, expected);
}

static void expect_sum(const struct command_rig *rig, const char *begin_of_sum)
{
    assert_ptr_equal(strstr(rig->out, begin_of_sum), rig->out);
}

static void plan_accepted(struct command_rig *rig, uint8_t opcode)
{
    rig_ok(rig, TAU_OPCODE_CREATE_SERIES);
    rig_accept(rig, opcode);
}

/* A file without a column for the series is a series of its own name. */
static void test_named_by_the_file(void **state)
{
    struct command_rig *rig = *state;
    struct tau_batch_append_request request = {.count = 0};
    struct tau_label label = label_of("cpu");
    plan_accepted(rig, TAU_OPCODE_BATCH_APPEND);
    write_file("cpu.csv", "timestamp,value\n1,1.5\n2,inf\n\n3,-0.5\n");
    assert_int_equal(import(rig, "%/cpu.csv --unit s"), CLI_OK);
    expect_sum(rig, "3 accepted, 0 rejected, ");
    expect_said(rig, "");
    assert_int_equal(tau_batch_append_request_decode(rig_request(rig, TAU_OPCODE_BATCH_APPEND, 0),
                                                     &request, NULL),
                     TAU_STATUS_SUCCESS);
    assert_memory_equal(&request.label, &label, sizeof(label));
    assert_int_equal(tau_i64_at(request.timestamps, 2), 3 * CLI_NS_PER_SECOND);
    assert_true(tau_f64_at(request.values, 0) == 1.5);
}

static void test_series_option(void **state)
{
    struct command_rig *rig = *state;
    struct tau_label label = label_of("hall");
    plan_accepted(rig, TAU_OPCODE_BATCH_APPEND);
    write_file("cpu.csv", "1,1\n");
    assert_int_equal(import(rig, "%/cpu.csv --series hall"), CLI_OK);
    assert_memory_equal(rig_request(rig, TAU_OPCODE_CREATE_SERIES, 0).data, &label, sizeof(label));
}

/* Two files, of which each has its own layout and its own lines. */
static void test_several_files(void **state)
{
    struct command_rig *rig = *state;
    plan_accepted(rig, TAU_OPCODE_MULTI_APPEND);
    write_file("cpu.csv", "1,1\n2,x\n");
    write_file("b.csv", "value,series,time\n1,a,1\n2,b\n");
    assert_int_equal(import(rig, "%/cpu.csv %/b.csv"), CLI_PARTIAL);
    expect_sum(rig, "2 accepted, 2 rejected, ");
    assert_non_null(strstr(rig->err, "/cpu.csv:2: "));
    assert_non_null(strstr(rig->err, "/b.csv:3: the line has too few fields\n"));
    assert_int_equal(rig_requests(rig, TAU_OPCODE_CREATE_SERIES), 2);
}

static void test_sum_in_a_format(void **state)
{
    struct command_rig *rig = *state;
    plan_accepted(rig, TAU_OPCODE_BATCH_APPEND);
    write_file("cpu.csv", "1,1\n2,2\n");
    assert_int_equal(import(rig, "%/cpu.csv --format json"), CLI_OK);
    expect_sum(rig, "{\"accepted\": 2, \"rejected\": 0, \"unknown\": 0, \"seconds\": ");
}

static void test_refused_rows(void **state)
{
    struct command_rig *rig = *state;
    rig_ok(rig, TAU_OPCODE_CREATE_SERIES);
    rig_reply_refused(rig, TAU_OPCODE_BATCH_APPEND, 1, 1, TAU_STATUS_OUT_OF_ORDER);
    write_file("cpu.csv", "t,v\n5,1\n4,2\n");
    assert_int_equal(import(rig, "%/cpu.csv --format csv"), CLI_PARTIAL);
    expect_sum(rig, "accepted,rejected,unknown,seconds,points_per_second\n1,1,0,");
    assert_non_null(strstr(rig->err, "/cpu.csv:3: "));
    assert_non_null(strstr(rig->err, "(out_of_order)\n"));
}

/* The last error that is allowed is told, and stops the import; 0 allows all of them. */
static void test_max_errors(void **state)
{
    struct command_rig *rig = *state;
    plan_accepted(rig, TAU_OPCODE_BATCH_APPEND);
    write_file("cpu.csv", "1,1\n2,a\n3,b\n4,c\n5,5\n");
    assert_int_equal(import(rig, "%/cpu.csv --max-errors 2"), CLI_PARTIAL);
    expect_sum(rig, "1 accepted, 2 rejected, ");
    assert_non_null(strstr(rig->err, "/cpu.csv:3: "));
    assert_null(strstr(rig->err, "/cpu.csv:4: "));
    assert_non_null(strstr(rig->err, "tau-cli: import: giving up after 2 errors (--max-errors)\n"));
    assert_int_equal(import(rig, "%/cpu.csv -m 0"), CLI_PARTIAL);
    expect_sum(rig, "2 accepted, 3 rejected, ");
    assert_null(strstr(rig->err, "giving up"));
    assert_non_null(strstr(rig->err, "/cpu.csv:4: "));
    assert_int_equal(import(rig, "%/cpu.csv %/none.csv -m 1"), CLI_PARTIAL);
    assert_null(strstr(rig->err, "none.csv")); /* it was not begun */
}

/* A batch that fails as a whole ends the import: all of its lines are named in one message. */
static void test_refused_batch(void **state)
{
    struct command_rig *rig = *state;
    rig_ok(rig, TAU_OPCODE_CREATE_SERIES);
    rig_refuse(rig, TAU_OPCODE_BATCH_APPEND, TAU_STATUS_READ_ONLY);
    write_file("cpu.csv", "1,1\n2,2\n");
    assert_int_equal(import(rig, "%/cpu.csv"), CLI_REFUSED);
    expect_sum(rig, "0 accepted, 2 rejected, ");
    assert_non_null(strstr(rig->err, "/cpu.csv:1 to "));
    assert_non_null(strstr(rig->err, "/cpu.csv:2: 2 rows: "));
    assert_non_null(strstr(rig->err, "(read_only)\n"));
}

static void test_lost_answer(void **state)
{
    struct command_rig *rig = *state;
    rig_ok(rig, TAU_OPCODE_CREATE_SERIES);
    rig_close(rig, TAU_OPCODE_BATCH_APPEND);
    write_file("cpu.csv", "1,1\n2,2\n");
    assert_int_equal(import(rig, "%/cpu.csv"), CLI_NO_CONNECTION);
    expect_sum(rig, "0 accepted, 0 rejected, 2 unknown, ");
    assert_non_null(strstr(rig->err, "(outcome_unknown)\n"));
}

/* A file that cannot be read costs the others nothing. */
static void test_file_that_cannot_be_read(void **state)
{
    struct command_rig *rig = *state;
    plan_accepted(rig, TAU_OPCODE_BATCH_APPEND);
    write_file("cpu.csv", "1,1\n");
    assert_int_equal(import(rig, "%/none.csv %/cpu.csv"), CLI_PARTIAL);
    expect_sum(rig, "1 accepted, 0 rejected, ");
    expect_said(rig, "tau-cli: import: %/none.csv: No such file or directory\n");
    assert_int_equal(import(rig, "%/none.csv"), CLI_ERROR);
    assert_int_equal(import(rig, "%"), CLI_ERROR);
    expect_said(rig, "tau-cli: import: %: Is a directory\n");
}

static void test_name_that_is_no_label(void **state)
{
    struct command_rig *rig = *state;
    char path[128];
    write_file("a-name-that-has-thirty-three-byte.csv", "1,1\n");
    assert_int_equal(import(rig, "%/a-name-that-has-thirty-three-byte.csv"), CLI_ERROR);
    snprintf(path, sizeof(path), "%s/a-name-that-has-thirty-three-byte.csv", directory);
    assert_int_equal(unlink(path), 0);
    assert_non_null(strstr(rig->err, "has 33 bytes, a label has at most 32: give --series\n"));
    assert_int_equal(rig_requests(rig, TAU_OPCODE_CREATE_SERIES), 0);
}

/* Runs with these bytes, and then the end, as standard input. */
static int import_piped(struct command_rig *rig, const char *bytes, const char *line)
{
    int ends[2];
    int saved = dup(STDIN_FILENO);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], bytes, strlen(bytes)), strlen(bytes));
    close(ends[1]);
    dup2(ends[0], STDIN_FILENO);
    close(ends[0]);
    int code = import(rig, line);
    dup2(saved, STDIN_FILENO);
    close(saved);
    return code;
}

static void test_standard_input(void **state)
{
    struct command_rig *rig = *state;
    plan_accepted(rig, TAU_OPCODE_BATCH_APPEND);
    assert_int_equal(import_piped(rig, "a,1,1\na,2,2", "-"), CLI_OK);
    expect_sum(rig, "2 accepted, 0 rejected, ");
    assert_int_equal(import_piped(rig, "1,1\n2,x\n", "- --series a"), CLI_PARTIAL);
    assert_ptr_equal(strstr(rig->err, "<stdin>:2: "), rig->err);
    assert_int_equal(import_piped(rig, "1,1\n", "-"), CLI_ERROR);
    expect_said(rig, "tau-cli: import: standard input names no series: give --series\n");
    assert_int_equal(import_piped(rig, "", "-"), CLI_OK);
    expect_sum(rig, "0 accepted, 0 rejected, ");
}

/* Ctrl-C while answers are waited for: what was sent is counted, and no other file is begun. */
static void test_interrupt(void **state)
{
    const size_t rows = 2 * CLI_BATCH_COUNT * CLI_BATCH_ROWS;
    struct command_rig *rig = *state;
    char path[128];
    snprintf(path, sizeof(path), "%s/cpu.csv", directory);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (size_t i = 0; i < rows; i++) {
        fprintf(file, "%zu,1\n", i + 1);
    }
    fclose(file);
    write_file("b.csv", "1,1\n");
    rig_ok(rig, TAU_OPCODE_CREATE_SERIES);
    rig_interrupt(rig);
    rig_accept(rig, TAU_OPCODE_BATCH_APPEND);
    assert_int_equal(import(rig, "%/cpu.csv %/b.csv"), CLI_PARTIAL);
    size_t accepted = strtoull(rig->out, NULL, 10);
    assert_true(accepted > 0 && accepted < rows);
    assert_int_equal(rig_requests(rig, TAU_OPCODE_CREATE_SERIES), 1);
    assert_string_equal(rig->err, "");
}

static void test_wrong_arguments(void **state)
{
    struct command_rig *rig = *state;
    rig_expect_failure(rig, "import", CLI_USAGE, "FILE");
    rig_expect_failure(rig, "import - --series 'a\\'", CLI_USAGE, "--series");
    rig_expect_failure(rig, "import - --max-errors -1", CLI_USAGE, "--max-errors");
    assert_int_equal(rig_requests(rig, TAU_OPCODE_CONNECT), 0);
}

static void test_no_server(void **state)
{
    struct command_rig *rig = *state;
    rig_stop_server(rig);
    rig_expect_failure(rig, "import -", CLI_NO_CONNECTION, "(connection_failed)");
}

/* Wherever memory ends before the first file is read. */
static void test_no_memory(void **state)
{
    struct command_rig *rig = *state;
    assert_int_equal(cli_connect(rig->cli), CLI_OK);
    for (size_t i = 0; i < 12; i++) {
        memory_fault_after(i);
        rig_expect_failure(rig, "import -", CLI_ERROR, "(no_memory)");
        assert_true(memory_fault_end());
    }
}

#define FILE_TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILE_TEST(test_named_by_the_file),
        FILE_TEST(test_series_option),
        FILE_TEST(test_several_files),
        FILE_TEST(test_sum_in_a_format),
        FILE_TEST(test_refused_rows),
        FILE_TEST(test_max_errors),
        FILE_TEST(test_refused_batch),
        FILE_TEST(test_lost_answer),
        FILE_TEST(test_file_that_cannot_be_read),
        FILE_TEST(test_name_that_is_no_label),
        FILE_TEST(test_standard_input),
        FILE_TEST(test_interrupt),
        RIG_TEST(test_wrong_arguments),
        RIG_TEST(test_no_server),
        RIG_TEST(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
