// SPDX-License-Identifier: MIT
// Random operations on the engine and on the model, in many small worlds, with stops, kills and
// power cuts between: every answer must be equal, and every start stand where it may. TAU_SIM_SEED
// repeats a run, TAU_SIM_OPERATIONS sets its length, TAU_SIM_TRACE writes down what happens.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "episode.h"

static void run_all(uint64_t seed, unsigned operations)
{
    const char *name = getenv("TAU_SIM_TRACE");
    FILE *trace = name ? fopen(name, "w") : NULL;
    unsigned done = 0, worlds = 0;
    for (; done < operations; worlds++) {
        struct episode episode = {.seed = seed + worlds,
                                  .operations = EPISODE_OPERATIONS,
                                  .trace = trace};
        bool well = episode_run(&episode);
        if (!well)
            episode_report("random", episode.seed, episode.complaint);
        assert_true(well);
        done += episode.done;
    }
    if (trace)
        fclose(trace);
    print_message("%u operations in %u worlds from seed %llu on\n", done, worlds,
                  (unsigned long long)seed);
}

static void the_engine_equals_the_model(void **state)
{
    (void)state;
    run_all(episode_seed(), episode_number("TAU_SIM_OPERATIONS", 1000000, 10000000));
}

// Whether one of a few worlds notices.
static bool is_caught(enum mutant mutant)
{
    bool caught = false;
    for (uint64_t seed = 1; seed <= 12 && !caught; seed++) {
        struct episode episode = {
            .seed = seed, .operations = EPISODE_OPERATIONS, .mutant = mutant};
        caught = !episode_run(&episode);
    }
    return caught;
}

static void a_value_that_is_another_is_caught(void **state)
{
    (void)state;
    assert_true(is_caught(MUTANT_ALTERS));
}

static void a_disk_that_skips_syncs_is_caught(void **state)
{
    (void)state;
    assert_true(is_caught(MUTANT_SKIPS_SYNCS));
}

static void an_early_acknowledgement_is_caught(void **state)
{
    (void)state;
    assert_true(is_caught(MUTANT_ACKNOWLEDGES));
}

static void reads_of_something_else_are_caught(void **state)
{
    (void)state;
    assert_true(is_caught(MUTANT_STALE_READS));
}

static void a_retention_that_takes_too_much_is_caught(void **state)
{
    (void)state;
    assert_true(is_caught(MUTANT_HASTY));
}

static void a_retention_that_leaves_too_much_is_caught(void **state)
{
    (void)state;
    assert_true(is_caught(MUTANT_HOARDING));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_that_is_another_is_caught),
        cmocka_unit_test(a_disk_that_skips_syncs_is_caught),
        cmocka_unit_test(an_early_acknowledgement_is_caught),
        cmocka_unit_test(reads_of_something_else_are_caught),
        cmocka_unit_test(a_retention_that_takes_too_much_is_caught),
        cmocka_unit_test(a_retention_that_leaves_too_much_is_caught),
        cmocka_unit_test(the_engine_equals_the_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
