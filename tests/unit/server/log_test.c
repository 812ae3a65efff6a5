// SPDX-License-Identifier: MIT
// The log: formats, levels, reopening, one line a write.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "observe/log.h"

static char *read_text(const char *path)
{
    static char text[65536];
    FILE *file = fopen(path, "r");
    size_t size = file != NULL ? fread(text, 1, sizeof text - 1, file) : 0;
    if (file != NULL)
        fclose(file);
    text[size] = '\0';
    return text;
}

static struct taud_log *open_log(const char *path, enum taud_log_format format)
{
    struct taud_log_options options = {.level = TAUD_LOG_INFO, .format = format, .path = path};
    struct taud_log *log = taud_log_new(&options);
    assert_non_null(log);
    return log;
}

static void writes_text_and_json(void **state)
{
    (void)state;
    char path[] = "/tmp/taud-log-XXXXXX";
    close(mkstemp(path));
    struct taud_log *log = open_log(path, TAUD_LOG_TEXT);
    taud_log_write(log, TAUD_LOG_INFO, "number %d", 7);
    taud_log_write(log, TAUD_LOG_DEBUG, "not this");
    taud_log_free(log);
    assert_non_null(strstr(read_text(path), "Z info    number 7\n"));
    assert_null(strstr(read_text(path), "not this"));
    unlink(path);
    log = open_log(path, TAUD_LOG_AUTO);
    taud_log_write(log, TAUD_LOG_ERROR, "a \"quote\", a \\ and a\nline");
    taud_log_free(log);
    assert_non_null(strstr(read_text(path), "\"level\":\"error\",\"message\":\"a \\\"quote\\\", a "
                                            "\\\\ and a\\u000aline\"}\n"));
    unlink(path);
}

static void cuts_long_messages(void **state)
{
    (void)state;
    char path[] = "/tmp/taud-log-XXXXXX";
    close(mkstemp(path));
    char message[5000];
    memset(message, '\x01', sizeof message - 1);
    message[sizeof message - 1] = '\0';
    struct taud_log *log = open_log(path, TAUD_LOG_JSON);
    taud_log_write(log, TAUD_LOG_ERROR, "%s", message);
    taud_log_free(log);
    char *text = read_text(path);
    assert_string_equal(text + strlen(text) - 9, "\\u0001\"}\n");
    unlink(path);
}

static void opens_anew(void **state)
{
    (void)state;
    char path[] = "/tmp/taud-log-XXXXXX";
    close(mkstemp(path));
    struct taud_log *log = open_log(path, TAUD_LOG_TEXT);
    unlink(path);
    taud_log_write(log, TAUD_LOG_INFO, "lost");
    assert_true(taud_log_reopen(log));
    taud_log_write(log, TAUD_LOG_INFO, "found");
    taud_log_free(log);
    assert_null(strstr(read_text(path), "lost"));
    assert_non_null(strstr(read_text(path), "found"));
    unlink(path);
}

static void refuses_a_path_that_cannot_be(void **state)
{
    (void)state;
    struct taud_log_options options = {.path = "/nowhere/at/all"};
    assert_null(taud_log_new(&options));
    taud_log_write(NULL, TAUD_LOG_ERROR, "nobody hears");
}

static void lets_one_line_a_second_through(void **state)
{
    (void)state;
    struct taud_log_gate gate = {0};
    uint64_t held_back = 9;
    assert_true(taud_log_gate_pass(&gate, 1000, &held_back));
    assert_int_equal(held_back, 0);
    for (uint64_t now = 1000; now < 2000; now += 100)
        assert_false(taud_log_gate_pass(&gate, now, &held_back));
    assert_true(taud_log_gate_pass(&gate, 2000, &held_back));
    assert_int_equal(held_back, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_text_and_json),
        cmocka_unit_test(cuts_long_messages),
        cmocka_unit_test(opens_anew),
        cmocka_unit_test(refuses_a_path_that_cannot_be),
        cmocka_unit_test(lets_one_line_a_second_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
