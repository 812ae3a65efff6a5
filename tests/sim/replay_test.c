// SPDX-License-Identifier: MIT
// A seed repeats a run: the same operations, the same answers, the same bytes to the disk, told by
// traces that are equal byte for byte. And another seed is another run.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "episode.h"

#include <string.h>

enum { SEEDS = 8, OPERATIONS = 1500 };

struct text {
    char *bytes;
    size_t size;
};

static struct text trace_of(uint64_t seed, enum mutant mutant)
{
    struct text text = {0};
    FILE *stream = open_memstream(&text.bytes, &text.size);
    assert_non_null(stream);
    struct episode episode = {
        .seed = seed, .operations = OPERATIONS, .mutant = mutant, .trace = stream};
    bool well = episode_run(&episode);
    assert_true(well || mutant != MUTANT_NONE);
    fclose(stream);
    return text;
}

static bool equal(const struct text *a, const struct text *b)
{
    return a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}

static void the_same_seed_is_the_same_run(void **state)
{
    (void)state;
    uint64_t seed = episode_seed();
    for (unsigned i = 0; i < SEEDS; i++) {
        struct text once = trace_of(seed + i, MUTANT_NONE), twice = trace_of(seed + i, MUTANT_NONE);
        assert_true(once.size > 10000);
        if (!equal(&once, &twice))
            episode_report("replay", seed + i, "the second run differs from the first");
        assert_true(equal(&once, &twice));
        free(once.bytes);
        free(twice.bytes);
    }
}

static void another_seed_is_another_run(void **state)
{
    (void)state;
    struct text one = trace_of(1, MUTANT_NONE), other = trace_of(2, MUTANT_NONE);
    assert_false(equal(&one, &other));
    free(one.bytes);
    free(other.bytes);
}

// A byte that is different on the disk shows in the trace.
static void a_value_that_is_another_shows_in_the_trace(void **state)
{
    (void)state;
    struct text one = trace_of(3, MUTANT_NONE), other = trace_of(3, MUTANT_ALTERS);
    assert_false(equal(&one, &other));
    free(one.bytes);
    free(other.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_seed_is_the_same_run),
        cmocka_unit_test(another_seed_is_another_run),
        cmocka_unit_test(a_value_that_is_another_shows_in_the_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
