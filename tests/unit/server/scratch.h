// SPDX-License-Identifier: MIT
// A directory of a test's own, and what is in it. The path is short enough for a unix socket in it.
#ifndef SCRATCH_H
#define SCRATCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

enum { SCRATCH_PATH_SIZE = 48 };

static inline void scratch_make(char path[SCRATCH_PATH_SIZE])
{
    snprintf(path, SCRATCH_PATH_SIZE, "/tmp/taud-unit-XXXXXX");
    assert_non_null(mkdtemp(path));
}

static inline void scratch_remove(const char *path)
{
    char command[SCRATCH_PATH_SIZE + 16];
    snprintf(command, sizeof command, "rm -rf %s", path);
    assert_int_equal(system(command), 0);
}

// Reads a small text file, as a string that the caller frees; an empty one where there is no file.
static inline char *scratch_text(const char *path)
{
    enum { CAPACITY = 1 << 16 };
    char *text = calloc(1, CAPACITY);
    FILE *file = fopen(path, "r");
    if (file != NULL) {
        size_t size = fread(text, 1, CAPACITY - 1, file);
        assert_true(size < CAPACITY - 1);
        fclose(file);
    }
    return text;
}

#endif
