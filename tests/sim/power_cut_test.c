// SPDX-License-Identifier: MIT
// The power is cut at every call to the disk that a course makes, with what was not synced dropped,
// out of order and torn in many ways, and again while the engine recovers from that. It starts, has
// all that was acknowledged and nothing that was not attempted, and is the same when it recovers
// twice.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "episode.h"
#include "course.h"
#include "operations.h"

enum { IMAGES_BITS = 18, VARIANTS = 20, TOLD = 3 };

// What is known of a disk that a power cut left: many are equal.
struct image {
    uint64_t fingerprint, digest;
};

struct search {
    struct world world;
    struct image *images;
    uint64_t judged, different, recovered_within;
    unsigned variants, stride;
    unsigned within_left; // recoveries that are cut themselves
    bool is_within;
    unsigned wrong;
    bool quiet;
};

static void judge(struct search *search, struct disk *left);

static void complain(struct search *search, const char *what)
{
    if (search->wrong++ < TOLD && !search->quiet)
        print_error("operation %u, image %llu: %s\n", search->world.step,
                    (unsigned long long)search->judged, what);
}

static void cut_recovery(struct world *world, const struct disk_call *call)
{
    (void)call;
    struct search *search = world->user_data;
    search->recovered_within++;
    judge(search, disk_power_cut(world->disk, 2 + search->judged));
}

// Recovers, twice. Returns false when something is wrong in itself.
static bool recover(struct search *search, struct disk *left, bool cut, uint64_t *ret_digest)
{
    struct world after;
    struct world_view view;
    struct world_settings settings = course_settings(search->world.settings.direct, MUTANT_NONE);
    const char *complaint = NULL;
    world_init_on(&after, &settings, left);
    world_take_age(&after, &search->world);
    after.user_data = search;
    after.on_call = cut ? cut_recovery : NULL;
    if (world_start(&after) != TAU_STATUS_SUCCESS)
        complaint = after.error.text;
    after.on_call = NULL;
    if (!complaint && after.recovery.quarantined_count > 0)
        complaint = "a torn end was taken for damage";
    if (!complaint && world_look(&after, &view, &complaint))
        world_start_again(&after, &view);
    if (!complaint && !world_is_well(&after))
        complaint = after.complaint;
    if (complaint)
        complain(search, complaint);
    *ret_digest = view.digest;
    world_done(&after);
    return complaint == NULL;
}

static struct image *find_image(struct search *search, uint64_t fingerprint)
{
    size_t mask = (1U << IMAGES_BITS) - 1, at = fingerprint & mask;
    while (search->images[at].fingerprint != 0 && search->images[at].fingerprint != fingerprint)
        at = (at + 1) & mask;
    return &search->images[at];
}

// Takes the disk.
static void judge(struct search *search, struct disk *left)
{
    search->judged++;
    world_age_all(&search->world);
    uint64_t fingerprint = (disk_fingerprint(left) ^ model_age_digest(&search->world.now)) | 1;
    struct image *image = find_image(search, fingerprint);
    if (image->fingerprint != 0) {
        disk_free(left);
    } else {
        uint64_t digest;
        search->different++;
        assert_true(search->different < (1U << IMAGES_BITS) / 2);
        bool cut = !search->is_within && search->within_left > 0 && search->judged % 2 == 0;
        search->within_left -= cut;
        search->is_within = search->is_within || cut;
        bool well = recover(search, left, cut, &digest);
        search->is_within = search->is_within && !cut;
        if (!well)
            return;
        image = find_image(search, fingerprint); // others may have come meanwhile
        *image = (struct image){fingerprint, digest};
    }
    if (!world_allows(&search->world, image->digest))
        complain(search, "it stands at a state that it never passed, or lost something");
}

static void cut_here(struct world *world, const struct disk_call *call)
{
    (void)call;
    struct search *search = world->user_data;
    uint64_t number = disk_calls(world->disk);
    if (number % search->stride != 0)
        return;
    for (uint64_t variant = 0; variant < search->variants; variant++)
        judge(search, disk_power_cut(world->disk, variant < 2 ? variant : number * 64 + variant));
}

static void search_all(struct search *search, bool direct, enum mutant mutant)
{
    struct world_settings settings = course_settings(direct, mutant);
    search->images = calloc(1U << IMAGES_BITS, sizeof *search->images);
    assert_non_null(search->images);
    world_init(&search->world, &settings);
    search->world.user_data = search;
    search->world.on_call = cut_here;
    enum tau_status status = world_start(&search->world);
    assert_int_equal(status, TAU_STATUS_SUCCESS);
    course_run(&search->world, COURSE_LENGTH);
    uint64_t calls = disk_calls(search->world.disk);
    struct taud_engine_statistics statistics;
    taud_engine_statistics(search->world.engine, &statistics);
    if (!world_is_well(&search->world))
        complain(search, search->world.complaint);
    world_stop(&search->world);
    if (!search->quiet)
        print_message("%llu calls, %llu cuts, %llu within recoveries, %llu different disks\n",
                      (unsigned long long)calls, (unsigned long long)search->judged,
                      (unsigned long long)search->recovered_within,
                      (unsigned long long)search->different);
    assert_true(statistics.flush_count > 3 && statistics.compaction_count > 1);
    const struct model_series *retained = &search->world.now.series[RETAINED];
    assert_true(model_sure_count(retained) > 0 && model_sure_count(retained) < retained->count);
    world_done(&search->world);
    free(search->images);
}

static void cut_everywhere(bool direct)
{
    struct search search = {
        .variants = episode_number("TAU_SIM_VARIANTS", VARIANTS, VARIANTS),
        .stride = 1,
        .within_left = episode_number("TAU_SIM_WITHIN", 250, 1000)};
    search_all(&search, direct, MUTANT_NONE);
    assert_int_equal(search.wrong, 0);
    assert_true(search.recovered_within > 300);
}

static void nothing_acknowledged_is_lost_past_the_cache(void **state)
{
    (void)state;
    cut_everywhere(true);
}

static void nothing_acknowledged_is_lost_through_the_cache(void **state)
{
    (void)state;
    cut_everywhere(false);
}

// --- planted bugs -----------------------------------------------------------------------------

static void expect_caught(enum mutant mutant)
{
    for (int direct = 0; direct < 2; direct++) {
        struct search search = {.variants = 3, .stride = 5, .quiet = true};
        search_all(&search, direct, mutant);
        assert_true(search.wrong > 0);
    }
}

static void a_disk_that_skips_syncs_is_caught(void **state)
{
    (void)state;
    expect_caught(MUTANT_SKIPS_SYNCS);
}

static void a_disk_that_skips_syncs_of_directories_is_caught(void **state)
{
    (void)state;
    expect_caught(MUTANT_SKIPS_FOLDERS);
}

static void an_early_acknowledgement_is_caught(void **state)
{
    (void)state;
    expect_caught(MUTANT_ACKNOWLEDGES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_acknowledged_is_lost_past_the_cache),
        cmocka_unit_test(nothing_acknowledged_is_lost_through_the_cache),
        cmocka_unit_test(a_disk_that_skips_syncs_is_caught),
        cmocka_unit_test(a_disk_that_skips_syncs_of_directories_is_caught),
        cmocka_unit_test(an_early_acknowledgement_is_caught),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
