// SPDX-License-Identifier: MIT
// A small log with bits flipped, ends cut off, pages zeroed, swapped and doubled. The engine starts,
// and stands at a state that the script passed, or says what it put into quarantine; what is not
// damaged is still there. Formats of the future are refused and not touched.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/bytes.h"
#include "engine/crc32c.h"
#include "script.h"

#include <stdio.h>
#include <string.h>

static const char first_segment[] = "data/log/0000000000000001.log";
static uint64_t digests[SCRIPT_OPERATIONS + 1];
static struct disk *original; // after a clean stop

static unsigned from_environment(const char *name, unsigned usual)
{
    const char *text = getenv(name);
    return text ? (unsigned)strtoul(text, NULL, 10) : usual;
}

struct outcome {
    bool started, complete, reported;
    char text[200];
};

static struct outcome recover(struct disk *disk)
{
    struct script_options options = {.disk = disk};
    struct script_engine engine;
    struct outcome outcome = {0};
    outcome.started = script_start(&engine, &options) == TAU_STATUS_SUCCESS;
    if (!outcome.started) {
        snprintf(outcome.text, sizeof outcome.text, "%.190s", engine.error.text);
        return outcome;
    }
    uint64_t digest = script_digest(engine.engine);
    outcome.complete = digest == digests[SCRIPT_OPERATIONS];
    outcome.reported = engine.recovery.quarantined_count > 0;
    script_stop(&engine);

    // Once more: the same again.
    assert_int_equal(script_start(&engine, &options), TAU_STATUS_SUCCESS);
    assert_int_equal(script_digest(engine.engine), digest);
    script_stop(&engine);
    return outcome;
}

// Damage after a clean stop is either harmless or reported: nothing is lost in silence.
static void expect_honest(struct disk *damaged, const char *what, uint64_t at)
{
    struct outcome outcome = recover(damaged);
    if (!outcome.started || (!outcome.complete && !outcome.reported))
        print_error("%s at %llu: %s\n", what, (unsigned long long)at,
                    outcome.started ? "lost in silence" : outcome.text);
    assert_true(outcome.started);
    assert_true(outcome.complete || outcome.reported);
    disk_free(damaged);
}

static void flipped_bits_are_found(void **state)
{
    (void)state;
    unsigned flips = from_environment("TAU_BIT_FLIPS", 700);
    uint64_t size;
    disk_file(original, first_segment, &size);
    for (unsigned i = 0; i < flips; i++) {
        struct disk *damaged = disk_copy(original);
        uint64_t bit = (uint64_t)i * (size * 8 - 1) / (flips - 1);
        disk_file(damaged, first_segment, &size)[bit / 8] ^= (uint8_t)(1 << bit % 8);
        expect_honest(damaged, "bit", bit);
    }
}

static void a_flipped_catalog_is_found(void **state)
{
    (void)state;
    uint64_t size;
    disk_file(original, "data/catalog", &size);
    for (uint64_t bit = 0; bit < size * 8; bit += 3) {
        struct disk *damaged = disk_copy(original);
        disk_file(damaged, "data/catalog", &size)[bit / 8] ^= (uint8_t)(1 << bit % 8);
        expect_honest(damaged, "catalog bit", bit);
    }
}

static void cut_files_are_found(void **state)
{
    (void)state;
    uint64_t size;
    unsigned cuts = from_environment("TAU_TRUNCATIONS", 300);
    disk_file(original, first_segment, &size);
    for (unsigned i = 0; i < cuts; i++) {
        struct disk *damaged = disk_copy(original);
        uint64_t end = size * i / cuts;
        disk_truncate(damaged, first_segment, end);
        expect_honest(damaged, "end", end);
    }
}

static void pages_are_checked(void **state)
{
    (void)state;
    uint64_t size;
    disk_file(original, first_segment, &size);
    for (uint64_t page = 0; page + 2 <= size / 4096; page++) {
        struct disk *zeroed = disk_copy(original), *swapped = disk_copy(original);
        struct disk *doubled = disk_copy(original);
        memset(disk_file(zeroed, first_segment, &size) + page * 4096, 0, 4096);
        expect_honest(zeroed, "zeroed page", page);
        uint8_t *bytes = disk_file(swapped, first_segment, &size) + page * 4096, copy[4096];
        memcpy(copy, bytes, 4096);
        memcpy(bytes, bytes + 4096, 4096);
        memcpy(bytes + 4096, copy, 4096);
        expect_honest(swapped, "swapped page", page);
        bytes = disk_file(doubled, first_segment, &size) + page * 4096;
        memcpy(bytes + 4096, bytes, 4096);
        expect_honest(doubled, "doubled page", page);
    }
}

static void lost_segments_are_reported(void **state)
{
    (void)state;
    for (unsigned i = 1; i <= disk_count(original, "data/log"); i++) {
        struct disk *damaged = disk_copy(original);
        char path[80];
        snprintf(path, sizeof path, "data/log/%016x.log", i);
        disk_remove(damaged, path);
        struct outcome outcome = recover(damaged);
        assert_true(outcome.started);
        assert_true(outcome.reported || outcome.complete);
        disk_free(damaged);
    }
}

static void damage_stays_in_its_group(void **state)
{
    (void)state;
    struct disk *damaged = disk_copy(original);
    uint64_t size;
    disk_file(damaged, first_segment, &size)[size / 2] ^= 1;
    struct script_options options = {.disk = damaged};
    struct script_engine engine;
    assert_int_equal(script_start(&engine, &options), TAU_STATUS_SUCCESS);
    assert_int_equal(engine.recovery.quarantined_count, 1);
    assert_true(engine.recovery.quarantined_bytes < size / 4);
    assert_true(disk_count(damaged, "data/quarantine") == 1);
    struct script_engine whole;
    struct disk *copy = disk_copy(original);
    options.disk = copy;
    assert_int_equal(script_start(&whole, &options), TAU_STATUS_SUCCESS);
    assert_true(engine.recovery.record_count >= whole.recovery.record_count - 40);
    script_stop(&whole);
    script_stop(&engine);
    disk_free(copy);
    disk_free(damaged);
}

static void a_future_format_is_refused_untouched(void **state)
{
    (void)state;
    for (int which = 0; which < 2; which++) {
        struct disk *future = disk_copy(original);
        uint64_t size;
        if (which == 0) {
            uint8_t *header = disk_file(future, first_segment, &size);
            taud_store_u32(header + 8, 2);
            taud_store_u32(header + 60, taud_crc32c(0, header, 60));
        } else {
            uint8_t *bytes = disk_file(future, "data/catalog", &size);
            taud_store_u32(bytes + 8, 2);
            uint32_t crc = taud_crc32c(0, bytes, 28);
            taud_store_u32(bytes + 28, taud_crc32c(crc, bytes + 32, size - 32));
        }
        uint64_t before = disk_digest(future, "data");
        struct outcome outcome = recover(future);
        assert_false(outcome.started);
        assert_non_null(strstr(outcome.text, "not touched"));
        assert_true(disk_digest(future, "data") == before);
        disk_free(future);
    }
}

// The planted bug: checksums that fit whatever stands there. Then damage must show as loss in silence.
static void checksums_that_always_fit_are_caught(void **state)
{
    (void)state;
    unsigned caught = 0;
    for (unsigned i = 0; i < 20; i++) {
        struct disk *damaged = disk_copy(original);
        uint64_t size;
        uint8_t *group = disk_file(damaged, first_segment, &size) + 8192;
        uint32_t content;
        while ((content = taud_load_u32(group + 48)) < 1000) // one with points
            group += 56 + content;
        group[56 + content * i / 20] ^= 1;
        taud_store_u32(group + 52, taud_crc32c(0, group + 56, content));
        taud_store_u32(group + 4, taud_crc32c(0, group + 8, 48));
        struct script_options options = {.disk = damaged};
        struct script_engine engine;
        if (script_start(&engine, &options) != TAU_STATUS_SUCCESS) {
            disk_free(damaged);
            continue;
        }
        caught += script_digest(engine.engine) != digests[SCRIPT_OPERATIONS] &&
                  engine.recovery.quarantined_count == 0;
        script_stop(&engine);
        disk_free(damaged);
    }
    assert_true(caught > 0);
}

static int prepare(void **state)
{
    (void)state;
    struct script_engine engine;
    script_expect(digests);
    original = disk_new(true);
    struct script_options options = {.disk = original};
    if (script_start(&engine, &options) != TAU_STATUS_SUCCESS)
        return 1;
    script_execute(engine.engine, 0);
    script_stop(&engine);
    return 0;
}

static int finish(void **state)
{
    (void)state;
    disk_free(original);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flipped_bits_are_found),
        cmocka_unit_test(a_flipped_catalog_is_found),
        cmocka_unit_test(cut_files_are_found),
        cmocka_unit_test(pages_are_checked),
        cmocka_unit_test(lost_segments_are_reported),
        cmocka_unit_test(damage_stays_in_its_group),
        cmocka_unit_test(checksums_that_always_fit_are_caught),
        cmocka_unit_test(a_future_format_is_refused_untouched),
    };
    return cmocka_run_group_tests(tests, prepare, finish);
}
