// SPDX-License-Identifier: MIT
// A small store with bits flipped, ends cut off, pages zeroed, swapped and doubled, files lost. The
// engine starts, and holds all that it held or says what it put into quarantine; what it holds was
// once written; a second start shows the same. Formats of the future are refused and not touched.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/bytes.h"
#include "engine/crc32c.h"
#include "episode.h"
#include "course.h"
#include "operations.h"

#include <string.h>

enum { PAGE = 4096, LENGTH = 220, FILES_MAX = 64, WALL = 1 << 30 };

static const char log_folder[] = "data/log/";

// What was once written.
struct history {
    struct model_point {
        unsigned number;
        uint64_t digest;
    } *points; // ascending
    size_t count;
};

static struct world_settings settings;
static struct history history;
static struct disk *original; // after a clean stop
static struct disk *torn;     // of the same, after a power cut
static uint64_t complete;     // the digest of all
static struct disk *logged; // another one, of which all is in the log
static uint64_t logged_complete;
static struct disk *small; // a third, with a little of everything
static uint64_t small_complete;
static char names[FILES_MAX][120]; // of the files that hold something
static unsigned name_count;

static uint8_t *bytes_of(struct disk *disk, const char *name, uint64_t *ret_size)
{
    uint8_t *bytes = disk_file(disk, name, ret_size);
    assert_non_null(bytes);
    return bytes;
}

// --- what was written -------------------------------------------------------------------------

static int compare_points(const void *a, const void *b)
{
    const struct model_point *left = a, *right = b;
    if (left->number != right->number)
        return left->number < right->number ? -1 : 1;
    return (left->digest > right->digest) - (left->digest < right->digest);
}

static void remember(const struct world *world)
{
    history.points = realloc(history.points, (history.count + world->effect_count) *
                                                 sizeof *history.points);
    assert_non_null(history.points);
    for (size_t i = 0; i < world->effect_count; i++) {
        const struct effect *effect = &world->effects[i];
        if (effect->kind == EFFECT_POINT)
            history.points[history.count++] = (struct model_point){
                effect->number, model_point_digest(effect->timestamp, effect->value)};
    }
    qsort(history.points, history.count, sizeof *history.points, compare_points);
}

static bool was_written(unsigned number, int64_t timestamp, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    struct model_point point = {number, model_point_digest(timestamp, bits)};
    return bsearch(&point, history.points, history.count, sizeof point, compare_points) != NULL;
}

// Whether every point that the engine shows was written to that series.
static bool shows_the_past(struct taud_engine *engine)
{
    bool past = true;
    for (unsigned i = 0; i < MODEL_SERIES; i++) {
        struct tau_label label = model_label(i);
        struct taud_range *range;
        bool end = false;
        if (taud_range_open(engine, &label, INT64_MIN, INT64_MAX, 0, TAU_DIRECTION_FORWARD,
                            &range) != TAU_STATUS_SUCCESS)
            continue;
        while (!end) {
            int64_t timestamps[256];
            double values[256];
            size_t count;
            if (taud_range_next(range, timestamps, values, 256, &count, &end) !=
                TAU_STATUS_SUCCESS)
                break;
            for (size_t k = 0; k < count; k++)
                past = past && was_written(i, timestamps[k], values[k]);
        }
        taud_range_close(range);
    }
    return past;
}

// --- recovering -------------------------------------------------------------------------------

struct outcome {
    bool started, complete, reported;
    struct taud_recovery recovery;
    const char *complaint; // NULL: nothing
    char text[200];
};

// Starts, twice where something is not as it was. Takes the disk.
static struct outcome recover(struct disk *damaged, uint64_t all)
{
    struct world world;
    struct world_view view;
    struct outcome outcome = {0};
    world_init_on(&world, &settings, damaged);
    world.now.wall = WALL;
    outcome.started = world_start(&world) == TAU_STATUS_SUCCESS;
    snprintf(outcome.text, sizeof outcome.text, "%.190s", world.error.text);
    if (!outcome.started) {
        outcome.complaint = "it does not start";
    } else {
        const char *unread = NULL;
        bool all_read = world_look(&world, &view, &unread);
        outcome.complete = all_read && view.digest == all;
        outcome.recovery = world.recovery;
        outcome.reported = world.recovery.quarantined_count > 0 ||
                           world.recovery.lost_count > 0 || view.unreadable;
        if (!all_read && !view.unreadable)
            outcome.complaint = unread;
        if (!outcome.complete && !shows_the_past(world.engine))
            outcome.complaint = "it shows what was never written";
        if (all_read && (!outcome.complete || outcome.reported))
            world_start_again(&world, &view);
        if (!world_is_well(&world)) {
            outcome.complaint = "a second start differs";
            snprintf(outcome.text, sizeof outcome.text, "%.190s", world.complaint);
        }
    }
    world_done(&world);
    return outcome;
}

static bool is_small; // it is the small disk's files that are damaged

// Damage after a clean stop is either harmless or reported: nothing is lost in silence. After a
// power cut what is damaged may also be what was torn.
static void expect_honest(struct disk *damaged, bool was_torn, const char *what, const char *name,
                          uint64_t at)
{
    struct outcome outcome = recover(damaged, is_small ? small_complete : complete);
    if (!outcome.complaint && !outcome.complete && !outcome.reported && !was_torn)
        outcome.complaint = "lost in silence";
    if (outcome.complaint)
        print_error("%s at %llu of %s: %s (%s)\n", what, (unsigned long long)at, name,
                    outcome.complaint, outcome.text);
    assert_null(outcome.complaint);
}

// --- damage -----------------------------------------------------------------------------------

// Lists what holds something: files that are all zero are of no use to anybody.
static void list_files(struct disk *disk)
{
    const char *name;
    name_count = 0;
    for (unsigned i = 0; (name = disk_file_name(disk, i)) != NULL; i++) {
        if (disk_digest(disk, name) == 0)
            continue;
        assert_true(name_count < FILES_MAX);
        snprintf(names[name_count++], sizeof names[0], "%s", name);
    }
    assert_true(name_count >= 3);
}

// Behind the last byte that is not zero, and a little more.
static uint64_t used_bytes(struct disk *disk, const char *name)
{
    uint64_t size;
    const uint8_t *bytes = bytes_of(disk, name, &size);
    uint64_t used = size;
    while (used > 0 && bytes[used - 1] == 0)
        used--;
    return used + 64 < size ? used + 64 : size;
}

// The file of that folder that holds most.
static const char *largest_file(struct disk *disk, const char *folder)
{
    const char *found = NULL;
    uint64_t most = 0;
    list_files(disk);
    for (unsigned i = 0; i < name_count; i++) {
        uint64_t used = used_bytes(disk, names[i]);
        if (strncmp(names[i], folder, strlen(folder)) != 0 || used <= most)
            continue;
        found = names[i];
        most = used;
    }
    assert_non_null(found);
    return found;
}

static void flip_bits(struct disk *disk, bool was_torn, unsigned flips)
{
    list_files(disk);
    uint64_t bits = 0;
    for (unsigned i = 0; i < name_count; i++)
        bits += used_bytes(disk, names[i]) * 8;
    double step = bits > flips ? (double)bits / flips : 1;
    double next = 0; // bit of all, behind those of the files before
    uint64_t before = 0;
    for (unsigned i = 0; i < name_count; i++) {
        uint64_t end = before + used_bytes(disk, names[i]) * 8, size;
        for (; next < (double)end; next += step) {
            struct disk *damaged = disk_copy(disk);
            uint64_t bit = (uint64_t)next - before;
            bytes_of(damaged, names[i], &size)[bit / 8] ^= (uint8_t)(1 << bit % 8);
            expect_honest(damaged, was_torn, "bit", names[i], bit);
        }
        before = end;
    }
}

// Of what is zero for long, one bit in 64 bytes.
static bool is_worth_it(const uint8_t *bytes, uint64_t size, uint64_t bit)
{
    enum { BLOCK = 64 };
    uint64_t first = bit / 8 / BLOCK * BLOCK;
    bool zero = true;
    for (uint64_t i = first; i < first + BLOCK && i < size; i++)
        zero = zero && bytes[i] == 0;
    return !zero || bit == first * 8;
}

// All of them with --full, else every second one.
static void every_bit_counts(void **state)
{
    (void)state;
    unsigned stride = episode_number("TAU_SIM_BIT_STRIDE", 2, 1), flips = 0;
    uint64_t size;
    list_files(small);
    for (unsigned i = 0; i < name_count; i++) {
        const uint8_t *bytes = bytes_of(small, names[i], &size);
        for (uint64_t bit = 0; bit < used_bytes(small, names[i]) * 8; bit++) {
            if (!is_worth_it(bytes, size, bit) || (bit + bit / 8) % stride != 0)
                continue;
            struct disk *damaged = disk_copy(small);
            bytes_of(damaged, names[i], &size)[bit / 8] ^= (uint8_t)(1 << bit % 8);
            expect_honest(damaged, false, "bit", names[i], bit);
            flips++;
        }
    }
    print_message("%u bits\n", flips);
    assert_true(flips > 15000 / stride);
}

static void every_end_counts(void **state)
{
    (void)state;
    uint64_t size, stride = episode_number("TAU_SIM_END_STRIDE", 1, 1);
    list_files(small);
    for (unsigned i = 0; i < name_count; i++) {
        const uint8_t *bytes = bytes_of(small, names[i], &size);
        for (uint64_t end = 0; end < used_bytes(small, names[i]); end += stride) {
            if (!is_worth_it(bytes, size, end * 8))
                continue;
            struct disk *damaged = disk_copy(small);
            disk_truncate(damaged, names[i], end);
            expect_honest(damaged, false, "end", names[i], end);
        }
    }
}

static void flipped_bits_are_found(void **state)
{
    (void)state;
    flip_bits(original, false, episode_number("TAU_SIM_FLIPS", 1500, 80000));
}

static void flipped_bits_are_found_behind_a_power_cut(void **state)
{
    (void)state;
    flip_bits(torn, true, episode_number("TAU_SIM_TORN_FLIPS", 500, 2000));
}

static void cut_files_are_found(void **state)
{
    (void)state;
    list_files(original);
    unsigned cuts = episode_number("TAU_SIM_TRUNCATIONS", 40, UINT32_MAX);
    for (unsigned i = 0; i < name_count; i++) {
        uint64_t used = used_bytes(original, names[i]);
        uint64_t step = used > cuts ? used / cuts : 1;
        for (uint64_t end = 0; end < used; end += step) {
            struct disk *damaged = disk_copy(original);
            disk_truncate(damaged, names[i], end);
            expect_honest(damaged, false, "end", names[i], end);
        }
    }
}

static void swap_pages(uint8_t *a, uint8_t *b)
{
    uint8_t page[PAGE];
    memcpy(page, a, PAGE);
    memcpy(a, b, PAGE);
    memcpy(b, page, PAGE);
}

static void check_pages(struct disk *disk)
{
    list_files(disk);
    for (unsigned i = 0; i < name_count; i++) {
        uint64_t size, pages = used_bytes(disk, names[i]) / PAGE;
        for (uint64_t page = 0; page < pages; page++) {
            struct disk *zeroed = disk_copy(disk);
            memset(bytes_of(zeroed, names[i], &size) + page * PAGE, 0, PAGE);
            expect_honest(zeroed, false, "zeroed page", names[i], page);
        }
        for (uint64_t page = 0; page < pages * pages; page++) {
            uint64_t from = page / pages, to = page % pages;
            struct disk *swapped = disk_copy(disk), *doubled = disk_copy(disk);
            if (from < to) {
                uint8_t *bytes = bytes_of(swapped, names[i], &size);
                swap_pages(bytes + from * PAGE, bytes + to * PAGE);
            }
            uint8_t *bytes = bytes_of(doubled, names[i], &size);
            memmove(bytes + to * PAGE, bytes + from * PAGE, PAGE);
            expect_honest(swapped, false, "swapped page", names[i], page);
            expect_honest(doubled, false, "doubled page", names[i], page);
        }
    }
}

static void pages_are_checked(void **state)
{
    (void)state;
    check_pages(original);
}

static void pages_of_a_small_store_are_checked(void **state)
{
    (void)state;
    check_pages(small);
}

static void lost_files_are_reported(void **state)
{
    (void)state;
    list_files(original);
    for (unsigned i = 0; i < name_count; i++) {
        struct disk *damaged = disk_copy(original);
        disk_remove(damaged, names[i]);
        expect_honest(damaged, false, "all", names[i], 0);
    }
}

static void damage_stays_in_its_group(void **state)
{
    (void)state;
    struct outcome whole = recover(disk_copy(logged), logged_complete);
    struct disk *damaged = disk_copy(logged);
    const char *name = largest_file(logged, log_folder);
    uint64_t size, used = used_bytes(logged, name);
    bytes_of(damaged, name, &size)[8192 + (used - 8192) / 2] ^= 1;
    struct outcome outcome = recover(damaged, logged_complete);
    assert_true(whole.complete && outcome.started && !outcome.complaint);
    assert_int_equal(outcome.recovery.quarantined_count, 1);
    assert_true(outcome.recovery.quarantined_bytes < used - 8192);
    assert_true(outcome.recovery.record_count + 40 >= whole.recovery.record_count);
}

// How many series show something else than without the damage.
static unsigned count_different(const struct world *world, const struct world_view *whole)
{
    struct world_view view;
    unsigned differ = 0;
    for (unsigned i = 0; i < MODEL_SERIES; i++)
        differ += !world_look_at(world, i, &view) ||
                  view.series[i].digest != whole->series[i].digest;
    return differ;
}

// A chunk of a segment: the other series are there, and of its own what other chunks hold.
static void damage_stays_in_its_chunk(void **state)
{
    (void)state;
    struct disk *damaged = disk_copy(original);
    const char *name = largest_file(original, "data/segments/");
    uint64_t size;
    bytes_of(damaged, name, &size)[100] ^= 1; // the first chunk begins at 64
    struct world world;
    struct world_view whole;
    const char *complaint = NULL;
    world_init_on(&world, &settings, disk_copy(original));
    assert_int_equal(world_start(&world), TAU_STATUS_SUCCESS);
    assert_true(world_look(&world, &whole, &complaint));
    world_done(&world);
    world_init_on(&world, &settings, damaged);
    assert_int_equal(world_start(&world), TAU_STATUS_SUCCESS);
    assert_int_equal(count_different(&world, &whole), 1);
    world_done(&world);
}

// What is damaged under a running engine stays what it is: nothing is made of it, and nothing else
// goes with it.
static void compact_damaged(const char *name, uint64_t bit, const struct world_view *whole)
{
    struct world world;
    uint64_t size, ticket;
    world_init_on(&world, &settings, disk_copy(original));
    world.now.wall = WALL;
    assert_int_equal(world_start(&world), TAU_STATUS_SUCCESS);
    bytes_of(world.disk, name, &size)[bit / 8] ^= (uint8_t)(1 << bit % 8);
    assert_int_equal(taud_engine_work_begin(world.engine, TAUD_WORK_COMPACT, NULL, &ticket),
                     TAU_STATUS_SUCCESS);
    world_step_until_idle(&world);
    for (int turn = 0; turn < 2; turn++) {
        unsigned differ = count_different(&world, whole);
        if (differ > 1 || !shows_the_past(world.engine) || !world_is_well(&world)) {
            print_error("bit %llu of %s, then a compaction%s: %u series differ; %s\n",
                        (unsigned long long)bit, name, turn ? " and a start" : "", differ,
                        world.complaint);
            fail();
        }
        disk_halt(world.disk);
        world_stop(&world);
        disk_resume(world.disk);
        assert_int_equal(world_start(&world), TAU_STATUS_SUCCESS);
    }
    world_done(&world);
}

static void damage_is_not_compacted(void **state)
{
    (void)state;
    struct world world;
    struct world_view whole;
    const char *complaint = NULL;
    unsigned flips = episode_number("TAU_SIM_COMPACTED", 250, 2000);
    world_init_on(&world, &settings, disk_copy(original));
    world.now.wall = WALL;
    assert_int_equal(world_start(&world), TAU_STATUS_SUCCESS);
    assert_true(world_look(&world, &whole, &complaint));
    world_done(&world);
    list_files(original);
    for (unsigned i = 0; i < name_count; i++) {
        uint64_t bits = used_bytes(original, names[i]) * 8;
        if (strncmp(names[i], "data/segments/", 14) != 0)
            continue;
        for (uint64_t n = 0; n < flips / 2; n++)
            compact_damaged(names[i], bits * n / (flips / 2), &whole);
    }
}

static void a_future_format_is_refused_untouched(void **state)
{
    (void)state;
    for (int which = 0; which < 2; which++) {
        struct disk *future = disk_copy(logged);
        uint64_t size;
        if (which == 0) {
            uint8_t *header = bytes_of(future, largest_file(logged, log_folder), &size);
            taud_store_u32(header + 8, 2);
            taud_store_u32(header + 60, taud_crc32c(0, header, 60));
        } else {
            uint8_t *bytes = bytes_of(future, "data/catalog", &size);
            taud_store_u32(bytes + 8, 2);
            uint32_t crc = taud_crc32c(0, bytes, 28);
            taud_store_u32(bytes + 28, taud_crc32c(crc, bytes + 32, size - 32));
        }
        struct disk *kept = disk_copy(future);
        struct world world;
        world_init_on(&world, &settings, future);
        assert_int_not_equal(world_start(&world), TAU_STATUS_SUCCESS);
        assert_non_null(strstr(world.error.text, "not touched"));
        assert_true(disk_fingerprint(future) == disk_fingerprint(kept));
        disk_free(kept);
        world_done(&world);
    }
}

// The group of a segment of the log that has most content.
static uint8_t *largest_group(uint8_t *segment, uint64_t used)
{
    uint8_t *found = NULL;
    for (uint64_t at = 8192; at + 56 < used; at += 56 + taud_load_u32(segment + at + 48)) {
        uint8_t *group = segment + at;
        if (memcmp(group, "TGRP", 4) != 0)
            break;
        if (!found || taud_load_u32(group + 48) > taud_load_u32(found + 48))
            found = group;
    }
    assert_non_null(found);
    return found;
}

// The planted bug: checksums that fit whatever stands there. Then damage must show as loss in
// silence, or as what was never written.
static void checksums_that_always_fit_are_caught(void **state)
{
    (void)state;
    unsigned caught = 0;
    const char *name = largest_file(logged, log_folder);
    uint64_t size, used = used_bytes(logged, name);
    for (unsigned i = 0; i < 40; i++) {
        struct disk *damaged = disk_copy(logged);
        uint8_t *group = largest_group(bytes_of(damaged, name, &size), used);
        uint32_t content = taud_load_u32(group + 48);
        group[56 + (uint64_t)content * i / 40] ^= 1;
        taud_store_u32(group + 52, taud_crc32c(0, group + 56, content));
        taud_store_u32(group + 4, taud_crc32c(0, group + 8, 48));
        struct outcome outcome = recover(damaged, logged_complete);
        bool silent = !outcome.complete && !outcome.reported;
        caught += outcome.started && (outcome.complaint || silent);
    }
    assert_true(caught > 0);
}

// Ends a world whose disk stays, and tells the digest of what it showed.
static struct disk *keep(struct world *world, uint64_t *ret_digest)
{
    struct world_view view;
    const char *complaint;
    remember(world);
    assert_true(world_is_well(world));
    struct world plain = *world; // one that knows nothing of what may be gone
    plain.now = (struct model){0};
    world->now.wall = WALL;
    assert_true(world_look(&plain, &view, &complaint));
    *ret_digest = view.digest;
    world_stop(world);
    struct disk *disk = disk_copy(world->disk);
    world_done(world);
    return disk;
}

static void put_points(struct world *world, unsigned number, int64_t from, unsigned count)
{
    struct tau_append_request point = {.label = model_label(number)};
    for (unsigned i = 0; i < count; i++) {
        enum tau_status status;
        point.timestamp = from + 10 * i;
        point.value = number + i / 4.0;
        taud_engine_append(world->engine, &point, 1, &status, &world->position);
        assert_int_equal(status, TAU_STATUS_SUCCESS);
        struct effect effect = {
            .kind = EFFECT_POINT, .number = number, .timestamp = point.timestamp};
        memcpy(&effect.value, &point.value, sizeof effect.value);
        world_begin_write(world);
        world_add_effect(world, &effect);
        world_end_write(world, false);
    }
    operations_commit(world);
}

static void flush(struct world *world)
{
    uint64_t ticket;
    assert_int_equal(taud_engine_work_begin(world->engine, TAUD_WORK_FLUSH, NULL, &ticket),
                     TAU_STATUS_SUCCESS);
    world_step_until_idle(world);
}

// Every kind of file, and of record.
static void write_small(struct world *world)
{
    struct taud_engine *engine = world->engine;
    struct tau_label labels[3];
    struct tau_create_lens_request lens = {.label = model_lens_label(0), .source = model_label(1)};
    strcpy((char *)lens.transform.bytes, model_transform_name(1));
    for (unsigned i = 0; i < 3; i++) {
        labels[i] = model_label(i);
        assert_int_equal(taud_engine_create_series(engine, &labels[i], &world->position), 0);
        put_points(world, i, 0, 12);
    }
    assert_int_equal(taud_engine_create_lens(engine, &lens, &world->position), 0);
    assert_int_equal(taud_engine_set_policy(engine, &labels[1], TAU_ORDER_POLICY_LAST, 5000,
                                            &world->position), 0);
    flush(world);
    put_points(world, 1, 5, 3);
    put_points(world, 2, 200, 5);
    assert_int_equal(taud_engine_delete_range(engine, &labels[0], 20, 45, &world->position), 0);
    flush(world);
    put_points(world, 0, 500, 6);
    assert_int_equal(taud_engine_delete_range(engine, &labels[2], 0, 45, &world->position), 0);
    operations_commit(world);
}

// Under this durability nothing is forgotten, so that all that was ever written can be remembered.
static int prepare(void **state)
{
    (void)state;
    struct world world;
    settings = course_settings(true, MUTANT_NONE);
    settings.durability = TAUD_DURABILITY_OS;
    settings.segment_bytes = 16 << 10;
    settings.flush_log_bytes = 8 << 10;
    world_init(&world, &settings);
    assert_int_equal(world_start(&world), TAU_STATUS_SUCCESS);
    course_run(&world, LENGTH);
    torn = disk_power_cut(world.disk, 5);
    original = keep(&world, &complete);

    world_init(&world, &settings);
    assert_int_equal(world_start(&world), TAU_STATUS_SUCCESS);
    while (world_is_well(&world) && world.step < LENGTH) { // no step is taken: nothing is flushed
        operations_run(&world, 1 << OPERATION_WRITE);
        operations_commit(&world);
    }
    logged = keep(&world, &logged_complete);

    world_init(&world, &settings);
    assert_int_equal(world_start(&world), TAU_STATUS_SUCCESS);
    write_small(&world);
    small = keep(&world, &small_complete);
    return 0;
}

static int take_small(void **state)
{
    (void)state;
    is_small = true;
    return 0;
}

static int take_large(void **state)
{
    (void)state;
    is_small = false;
    return 0;
}

static int finish(void **state)
{
    (void)state;
    disk_free(original);
    disk_free(torn);
    disk_free(logged);
    disk_free(small);
    free(history.points);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_bit_counts, take_small, take_large),
        cmocka_unit_test_setup_teardown(every_end_counts, take_small, take_large),
        cmocka_unit_test_setup_teardown(pages_of_a_small_store_are_checked, take_small, take_large),
        cmocka_unit_test(flipped_bits_are_found),
        cmocka_unit_test(flipped_bits_are_found_behind_a_power_cut),
        cmocka_unit_test(cut_files_are_found),
        cmocka_unit_test(pages_are_checked),
        cmocka_unit_test(lost_files_are_reported),
        cmocka_unit_test(damage_stays_in_its_group),
        cmocka_unit_test(damage_stays_in_its_chunk),
        cmocka_unit_test(damage_is_not_compacted),
        cmocka_unit_test(checksums_that_always_fit_are_caught),
        cmocka_unit_test(a_future_format_is_refused_untouched),
    };
    return cmocka_run_group_tests(tests, prepare, finish);
}
