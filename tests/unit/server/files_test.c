// SPDX-License-Identifier: MIT
// Directories, files and the number of the process.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/files.h"

static void creates_directories(void **state)
{
    (void)state;
    char base[] = "/tmp/taud-files-XXXXXX";
    assert_non_null(mkdtemp(base));
    char deep[128];
    snprintf(deep, sizeof deep, "%s/a/b//c/", base);
    assert_true(taud_directory_create(deep));
    assert_true(taud_directory_create(deep));
    char file[128];
    snprintf(file, sizeof file, "%s/file", base);
    assert_true(taud_file_create(file, "x", 1, 0600));
    assert_false(taud_file_create(file, "y", 1, 0600));
    assert_false(taud_directory_create(file));
    snprintf(deep, sizeof deep, "%s/file/below", base);
    assert_false(taud_directory_create(deep));
    assert_false(taud_directory_create(""));
    snprintf(deep, sizeof deep, "rm -rf %s", base);
    assert_int_equal(system(deep), 0);
}

static void writes_and_removes_its_number(void **state)
{
    (void)state;
    char path[] = "/tmp/taud-pid-XXXXXX";
    close(mkstemp(path));
    assert_true(taud_pid_file_write(path));
    char text[32] = "";
    size_t size;
    assert_true(taud_file_read(path, text, sizeof text - 1, &size));
    assert_int_equal(atol(text), getpid());
    taud_pid_file_remove(path);
    assert_false(taud_file_exists(path));
    assert_true(taud_file_create(path, "1\n", 2, 0600)); // another's stays
    taud_pid_file_remove(path);
    assert_true(taud_file_exists(path));
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(creates_directories),
        cmocka_unit_test(writes_and_removes_its_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
