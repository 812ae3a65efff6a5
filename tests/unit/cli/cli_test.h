/* SPDX-License-Identifier: MIT */
/*
 * What the unit tests of tau-cli share: cmocka, and a struct cli whose two streams are memory.
 */
#ifndef TAU_TESTS_CLI_TEST_H
#define TAU_TESTS_CLI_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "command.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A command line whose output can be read. */
struct capture {
    struct cli cli;
    char *out;
    char *err;
    size_t out_size;
    size_t err_size;
};

static inline void capture_begin(struct capture *capture)
{
    memset(capture, 0, sizeof(*capture));
    capture->cli.out = open_memstream(&capture->out, &capture->out_size);
    capture->cli.err = open_memstream(&capture->err, &capture->err_size);
    capture->cli.options.unit = CLI_UNIT_NS;
    capture->cli.options.server = "127.0.0.1:7701";
    assert_non_null(capture->cli.out);
    assert_non_null(capture->cli.err);
}

/* Makes what was printed so far readable in `out` and `err`. */
static inline void capture_flush(struct capture *capture)
{
    fflush(capture->cli.out);
    fflush(capture->cli.err);
}

static inline void capture_end(struct capture *capture)
{
    fclose(capture->cli.out);
    fclose(capture->cli.err);
    free(capture->out);
    free(capture->err);
}

static inline struct tau_label label_of(const char *text)
{
    struct tau_label label;
    assert_int_equal(tau_label_from_text(text, &label), TAU_STATUS_SUCCESS);
    return label;
}

#endif
