/* SPDX-License-Identifier: MIT */
/* Series and bounds of a command line, and rows of a stream on their way to the output. */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "cli_test.h"
#include "many.h"
#include "memory_fault.h"

static const struct cli_column columns[] = {{"n", CLI_CELL_U64}};

static struct cli_arguments words(char **positionals, size_t count)
{
    return (struct cli_arguments){.positionals = positionals, .count = count};
}

static void test_labels(void **state)
{
    struct capture capture;
    struct cli_many many;
    char *given[] = {"skipped", "a", "b"};
    struct cli_arguments arguments = words(given, 3);
    (void)state;
    capture_begin(&capture);
    assert_int_equal(cli_many_read(&capture.cli, &arguments, 1, NULL, &many), CLI_OK);
    struct tau_array labels = cli_many_labels(&many);
    struct tau_label b = label_of("b");
    assert_int_equal(labels.count, 2);
    assert_memory_equal((const struct tau_label *)labels.data + 1, &b, sizeof(b));
    assert_int_equal(cli_many_prefix(&many).size, 0);
    cli_many_done(&many);
    arguments.count = 1;
    assert_int_equal(cli_many_read(&capture.cli, &arguments, 1, "cpu.", &many), CLI_OK);
    assert_int_equal(cli_many_labels(&many).count, 0);
    assert_int_equal(cli_many_prefix(&many).size, 4);
    assert_memory_equal(cli_many_prefix(&many).data, "cpu.", 4);
    cli_many_done(&many);
    capture_end(&capture);
}

static void test_wrong_series(void **state)
{
    struct capture capture;
    struct cli_many many;
    char *given[] = {"a", "b\\"};
    struct cli_arguments arguments = words(given, 2);
    (void)state;
    capture_begin(&capture);
    assert_int_equal(cli_many_read(&capture.cli, &arguments, 0, NULL, &many), CLI_USAGE);
    cli_many_done(&many);
    assert_int_equal(cli_many_read(&capture.cli, &arguments, 0, "p", &many), CLI_USAGE);
    cli_many_done(&many);
    assert_int_equal(cli_many_read(&capture.cli, &arguments, 2, "p\\", &many), CLI_USAGE);
    cli_many_done(&many);
    arguments.count = TAU_LIMIT_REQUEST_LABELS + 1;
    assert_int_equal(cli_many_read(&capture.cli, &arguments, 0, NULL, &many), CLI_USAGE);
    cli_many_done(&many);
    arguments.count = 1;
    memory_fault_after(0);
    assert_int_equal(cli_many_read(&capture.cli, &arguments, 0, NULL, &many), CLI_ERROR);
    assert_true(memory_fault_end());
    cli_many_done(&many);
    capture_end(&capture);
}

static void test_bounds(void **state)
{
    struct capture capture;
    struct cli_bounds bounds;
    struct cli_arguments arguments = {.count = 0};
    (void)state;
    capture_begin(&capture);
    assert_true(cli_bounds_read(&capture.cli, &arguments, &bounds));
    assert_true(bounds.from == INT64_MIN && bounds.to == INT64_MAX && bounds.limit == 0);
    assert_true(bounds.low == -INFINITY && bounds.high == INFINITY);
    assert_int_equal(bounds.direction, TAU_DIRECTION_FORWARD);
    static const char *const typed[] = {"-5", "9", "-1", "2", "7", ""};
    for (size_t i = 0; i < CLI_BOUND_COUNT; i++) {
        arguments.values[i] = typed[i];
    }
    assert_true(cli_bounds_read(&capture.cli, &arguments, &bounds));
    assert_true(bounds.from == -5 && bounds.to == 9 && bounds.limit == 7);
    assert_true(bounds.low == -1 && bounds.high == 2);
    assert_int_equal(bounds.direction, TAU_DIRECTION_BACKWARD);
    capture_end(&capture);
}

static void test_wrong_bounds(void **state)
{
    static const char *const wrong[][2] = {
        [CLI_BOUND_FROM] = {"noon", "--from"}, [CLI_BOUND_TO] = {"noon", "--to"},
        [CLI_BOUND_LOW] = {"x", "--low"},      [CLI_BOUND_HIGH] = {"x", "--high"},
        [CLI_BOUND_LIMIT] = {"0", "--limit"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        struct capture capture;
        struct cli_bounds bounds;
        struct cli_arguments arguments = {.count = 0};
        capture_begin(&capture);
        arguments.values[i] = wrong[i][0];
        assert_false(cli_bounds_read(&capture.cli, &arguments, &bounds));
        capture_flush(&capture);
        assert_non_null(strstr(capture.err, wrong[i][1]));
        capture_end(&capture);
    }
}

static int run_stream(struct capture *capture, int rows, enum tau_status status)
{
    struct cli_stream stream;
    struct tau_error error = {.status = status, .message = "words"};
    capture->cli.options.format = CLI_FORMAT_CSV;
    cli_stream_init(&stream, &capture->cli, columns, 1);
    for (int i = 0; i < rows; i++) {
        struct cli_cell cell = cli_cell_u64((uint64_t)i);
        cli_stream_row(&stream, &cell);
    }
    int code = cli_stream_end(&stream, status, &error);
    capture_flush(capture);
    return code;
}

static void test_streams(void **state)
{
    static const struct {
        int rows;
        enum tau_status status;
        int code;
        const char *out, *err;
    } cases[] = {
        {2, TAU_STATUS_SUCCESS, CLI_OK, "n\n0\n1\n", ""},
        {0, TAU_STATUS_SUCCESS, CLI_OK, "n\n", ""},
        {0, TAU_STATUS_THROTTLED, CLI_REFUSED, "", "(throttled)"},
        {1, TAU_STATUS_THROTTLED, CLI_REFUSED, "n\n0\n", "(throttled)"},
        {1, TAU_STATUS_CANCELLED, CLI_REFUSED, "n\n0\n", "(cancelled)"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct capture capture;
        capture_begin(&capture);
        assert_int_equal(run_stream(&capture, cases[i].rows, cases[i].status), cases[i].code);
        assert_string_equal(capture.out, cases[i].out);
        assert_non_null(strstr(capture.err, cases[i].err));
        capture_end(&capture);
    }
}

/* Whoever reads no more is not told that the stream was cancelled for that. */
static void test_output_that_broke(void **state)
{
    struct capture capture;
    struct cli_stream stream;
    struct cli_cell cell = cli_cell_u64(1);
    (void)state;
    capture_begin(&capture);
    FILE *out = capture.cli.out;
    capture.cli.out = fopen("/dev/full", "w");
    assert_non_null(capture.cli.out);
    setvbuf(capture.cli.out, NULL, _IONBF, 0);
    capture.cli.options.format = CLI_FORMAT_CSV;
    cli_stream_init(&stream, &capture.cli, columns, 1);
    assert_true(cli_stream_goes_on(&stream));
    cli_stream_row(&stream, &cell);
    assert_false(cli_stream_goes_on(&stream));
    assert_int_equal(cli_stream_end(&stream, TAU_STATUS_CANCELLED, NULL), CLI_OK);
    fclose(capture.cli.out);
    capture.cli.out = out;
    capture_end(&capture);
}

struct reader {
    int descriptor;
    size_t bytes;
};

static void *read_all(void *user_data)
{
    struct reader *reader = user_data;
    char room[4096];
    ssize_t size;
    while ((size = read(reader->descriptor, room, sizeof(room))) > 0) {
        reader->bytes += (size_t)size;
    }
    close(reader->descriptor);
    return NULL;
}

/* Rows are taken while a pager waits, up to a bound; behind it a connection may end, and the user
   is told of what. */
static void test_a_reader_that_waits(void **state)
{
    static const size_t bounds[] = {0, 100};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct capture capture;
        int ends[2];
        pthread_t thread;
        assert_int_equal(pipe(ends), 0);
        struct reader reader = {.descriptor = ends[0]};
        capture_begin(&capture);
        FILE *out = capture.cli.out;
        FILE *pager = fdopen(ends[1], "w");
        capture.cli.out = pager;
        capture.cli.spool_bytes = bounds[i];
        if (bounds[i] > 0) { /* else nobody reads before all is written */
            assert_int_equal(pthread_create(&thread, NULL, read_all, &reader), 0);
        }
        struct cli_stream stream;
        struct tau_error error = {.status = TAU_STATUS_CONNECTION_LOST, .message = "gone"};
        capture.cli.options.format = CLI_FORMAT_CSV;
        cli_stream_init(&stream, &capture.cli, columns, 1);
        for (uint64_t row = 100000; row < 200000; row++) {
            struct cli_cell cell = cli_cell_u64(row);
            cli_stream_row(&stream, &cell);
        }
        if (bounds[i] == 0) {
            assert_int_equal(pthread_create(&thread, NULL, read_all, &reader), 0);
        }
        assert_int_equal(cli_stream_end(&stream, TAU_STATUS_CONNECTION_LOST, &error),
                         CLI_NO_CONNECTION);
        assert_ptr_equal(capture.cli.out, pager);
        fclose(pager);
        capture.cli.out = out;
        pthread_join(thread, NULL);
        assert_int_equal(reader.bytes, strlen("n\n") + 100000 * strlen("100000\n"));
        capture_flush(&capture);
        assert_int_equal(strstr(capture.err, "the reader of the output") != NULL, bounds[i] > 0);
        capture_end(&capture);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_labels),
        cmocka_unit_test(test_wrong_series),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_wrong_bounds),
        cmocka_unit_test(test_streams),
        cmocka_unit_test(test_output_that_broke),
        cmocka_unit_test(test_a_reader_that_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
