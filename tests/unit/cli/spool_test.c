/* SPDX-License-Identifier: MIT */
/* Output that a reader takes its time with: kept, in order, within a bound, and its end. */
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "cli_test.h"
#include "memory_fault.h"
#include "spool.h"

enum { LINES = 200000, LINE_BYTES = 8 };

struct pipe_end {
    FILE *out;
    int reader;
};

static struct pipe_end open_pipe(void)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct pipe_end found = {.out = fdopen(ends[1], "w"), .reader = ends[0]};
    assert_non_null(found.out);
    return found;
}

static void write_lines(FILE *file)
{
    for (int i = 0; i < LINES; i++) {
        fprintf(file, "%07d\n", i);
    }
}

/* Reads everything, and expects the lines of write_lines. */
static void *read_lines(void *user_data)
{
    const struct pipe_end *end = user_data;
    FILE *in = fdopen(end->reader, "r");
    char line[LINE_BYTES + 1];
    int count = 0;
    while (fgets(line, sizeof(line), in) != NULL) {
        assert_int_equal(strtol(line, NULL, 10), count);
        count++;
    }
    fclose(in);
    assert_int_equal(count, LINES);
    return NULL;
}

/* Nobody reads before all is written: a pipe by itself holds far less. */
static void test_kept_until_it_is_read(void **state)
{
    struct pipe_end end = open_pipe();
    FILE *file = NULL;
    pthread_t reader;
    (void)state;
    struct cli_spool *spool = cli_spool_begin(end.out, CLI_SPOOL_BYTES, &file);
    assert_non_null(spool);
    write_lines(file);
    assert_int_equal(fflush(file), 0);
    assert_int_equal(pthread_create(&reader, NULL, read_lines, &end), 0);
    assert_false(cli_spool_end(spool));
    assert_false(ferror(end.out));
    fclose(end.out);
    pthread_join(reader, NULL);
}

/* What is kept has a bound; behind it the writer waits, and says so. */
static void test_bound(void **state)
{
    struct pipe_end end = open_pipe();
    FILE *file = NULL;
    pthread_t reader;
    (void)state;
    struct cli_spool *spool = cli_spool_begin(end.out, 1000, &file);
    assert_non_null(spool);
    assert_int_equal(pthread_create(&reader, NULL, read_lines, &end), 0);
    write_lines(file);
    assert_true(cli_spool_end(spool));
    fclose(end.out);
    pthread_join(reader, NULL);
}

/* A reader that goes away fails the write, not the program that is waiting for it. */
static void test_reader_goes_away(void **state)
{
    struct pipe_end end = open_pipe();
    FILE *file = NULL;
    (void)state;
    void (*old)(int) = signal(SIGPIPE, SIG_IGN);
    struct cli_spool *spool = cli_spool_begin(end.out, 1000, &file);
    assert_non_null(spool);
    close(end.reader);
    write_lines(file);
    assert_true(ferror(file));
    (void)cli_spool_end(spool);
    assert_true(ferror(end.out));
    fclose(end.out);
    signal(SIGPIPE, old);
}

/* Files and devices take what they are given. */
static void test_only_for_pipes(void **state)
{
    FILE *file = NULL;
    char *text = NULL;
    size_t size = 0;
    FILE *outs[] = {tmpfile(), fopen("/dev/null", "w"), open_memstream(&text, &size)};
    (void)state;
    for (size_t i = 0; i < COUNT(outs); i++) {
        assert_null(cli_spool_begin(outs[i], CLI_SPOOL_BYTES, &file));
        assert_null(file);
        fclose(outs[i]);
    }
    free(text);
    assert_false(cli_spool_end(NULL));
}

static void test_no_memory(void **state)
{
    struct pipe_end end = open_pipe();
    FILE *file = NULL;
    (void)state;
    memory_fault_after(0);
    assert_null(cli_spool_begin(end.out, CLI_SPOOL_BYTES, &file));
    assert_true(memory_fault_end());
    assert_null(file);
    fclose(end.out);
    close(end.reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kept_until_it_is_read), cmocka_unit_test(test_bound),
        cmocka_unit_test(test_reader_goes_away),      cmocka_unit_test(test_only_for_pipes),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
