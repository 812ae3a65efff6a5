/* SPDX-License-Identifier: MIT */
/*
 * What the tests of the collectors share: the rows of one moment, and the value of a row by name.
 */
#ifndef TAU_TESTS_SAMPLES_CHECK_H
#define TAU_TESTS_SAMPLES_CHECK_H

#include "cli_test.h"

#include "collect/samples.h"

#define MOMENT_NS 7

/* Setup and teardown; the state is an empty struct cli_samples without a prefix. */
static inline int samples_begin(void **state)
{
    struct cli_samples *samples = malloc(sizeof(*samples));
    if (samples == NULL) {
        return -1;
    }
    cli_samples_begin(samples, "", MOMENT_NS);
    *state = samples;
    return 0;
}

static inline int samples_end(void **state)
{
    free(*state);
    return 0;
}

/* The value of a row, which must be there exactly once. */
static inline double samples_value(const struct cli_samples *samples, const char *name)
{
    struct tau_label label = label_of(name);
    double value = 0;
    size_t found = 0;
    for (size_t i = 0; i < samples->count; i++) {
        if (memcmp(&samples->rows[i].label, &label, sizeof(label)) == 0) {
            value = samples->rows[i].value;
            assert_int_equal(samples->rows[i].timestamp, MOMENT_NS);
            found++;
        }
    }
    if (found != 1) {
        fail_msg("%s was found %zu times", name, found);
    }
    return value;
}

#define SAMPLES_TEST(test) cmocka_unit_test_setup_teardown(test, samples_begin, samples_end)

#endif
