// SPDX-License-Identifier: MIT
// Whatever is damaged, a repair makes it whole: a check finds nothing any more, an engine starts
// and serves what was not damaged. It may be cut off at any call, and be begun again.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "repair_rig.h"

#include <stdio.h>
#include <string.h>

static struct repair_rig rig;

static bool is_of(const char *file, const char *folder)
{
    return strncmp(file + strlen("data/"), folder, strlen(folder)) == 0;
}

// What was damaged and what is served must go together.
static void judge(const char *file, struct disk *disk, const char *what, uint64_t at)
{
    struct check_rig_findings found;
    const struct repair_rig_content *served = repair_rig_serve(&rig, disk, &found);
    uint64_t missing = repair_rig_missing(&rig, served);
    bool loses = found.report.findings[TAUD_FINDING_LOST] > 0 && is_of(file, "log");
    uint64_t lost = is_of(file, "segments") ? found.report.lost_points : 0;
    if (!loses && missing != lost)
        fail_msg("%s, %s %llu: %llu points are missing, %llu are to be\n%s%s", file, what,
                 (unsigned long long)at, (unsigned long long)missing, (unsigned long long)lost,
                 found.text, rig.done);
    if (found.damaged == 0)
        assert_int_equal(missing, 0);
    disk_free(disk);
}

static void flip(const char *file, uint64_t at)
{
    uint64_t size;
    struct disk *disk = disk_copy(rig.disk);
    disk_file(disk, file, &size)[at] ^= (uint8_t)(1 << at * 3 % 8);
    judge(file, disk, "byte", at);
}

static uint64_t used_size(const char *file)
{
    uint64_t size;
    const uint8_t *bytes = disk_file(rig.disk, file, &size);
    while (size > 0 && bytes[size - 1] == 0)
        size--;
    return size;
}

// Every so many bytes one is damaged; each time another set of them is met.
static uint64_t step_of(uint64_t size, uint64_t tries)
{
    const char *text = getenv("TAU_REPAIRS");
    uint64_t wanted = text ? strtoull(text, NULL, 10) : tries;
    return size > wanted ? size / wanted : 1;
}

static void any_byte_may_be_damaged(void **state)
{
    (void)state;
    for (size_t i = 0; i < rig.file_count; i++) {
        uint64_t size = used_size(rig.files[i]);
        for (uint64_t at = i; at < size; at += step_of(size, 40))
            flip(rig.files[i], at);
    }
}

static void any_end_may_be_cut_off(void **state)
{
    (void)state;
    for (size_t i = 0; i < rig.file_count; i++) {
        uint64_t size = used_size(rig.files[i]);
        for (uint64_t at = i; at < size; at += step_of(size, 8)) {
            struct disk *disk = disk_copy(rig.disk);
            disk_truncate(disk, rig.files[i], at);
            judge(rig.files[i], disk, "end", at);
        }
    }
}

static void any_file_may_be_missing(void **state)
{
    (void)state;
    for (size_t i = 0; i < rig.file_count; i++) {
        struct disk *disk = disk_copy(rig.disk);
        disk_remove(disk, rig.files[i]);
        judge(rig.files[i], disk, "absence", 0);
    }
}

static void pages_may_be_zeroed(void **state)
{
    (void)state;
    for (size_t i = 0; i < rig.file_count; i++) {
        uint64_t size, used = used_size(rig.files[i]);
        for (uint64_t at = 0; at < used; at += 4096) {
            struct disk *disk = disk_copy(rig.disk);
            uint8_t *bytes = disk_file(disk, rig.files[i], &size);
            memset(bytes + at, 0, size - at < 4096 ? (size_t)(size - at) : 4096);
            judge(rig.files[i], disk, "page", at);
        }
    }
}

// Something in everything at once.
static struct disk *damage_everything(void)
{
    struct disk *disk = disk_copy(rig.disk);
    for (size_t i = 0; i < rig.file_count; i++) {
        uint64_t size;
        uint8_t *bytes = disk_file(disk, rig.files[i], &size);
        uint64_t used = used_size(rig.files[i]);
        if (is_of(rig.files[i], "log") && used > 0) // else it is prepared
            bytes[used - 20] ^= 1;
        else if (is_of(rig.files[i], "segments"))
            bytes[90] ^= 1;
        else if (is_of(rig.files[i], "manifests"))
            bytes[30] ^= bytes[size / 2 + 40] ^= 1;
        else if (!is_of(rig.files[i], "log"))
            bytes[size / 2] ^= 1;
    }
    struct disk *durable = disk_copy(disk); // a power cut does not undo it
    disk_free(disk);
    return durable;
}

static void everything_may_be_damaged(void **state)
{
    (void)state;
    struct check_rig_findings found;
    struct disk *disk = damage_everything();
    const struct repair_rig_content *served = repair_rig_serve(&rig, disk, &found);
    uint64_t missing = repair_rig_missing(&rig, served);
    assert_true(missing > 0 && missing < rig.stored.point_count);
    disk_free(disk);
}

static void what_is_good_is_left_as_it_is(void **state)
{
    (void)state;
    struct disk *disk = disk_copy(rig.disk);
    uint64_t digest = disk_digest(disk, "data/");
    assert_int_equal(repair_rig_try(&rig, disk), TAU_STATUS_SUCCESS);
    assert_string_equal(rig.done, "");
    assert_int_equal(disk_digest(disk, "data/"), digest);
    disk_free(disk);
}

// A repair that is cut off at each call, after which a part of what was not synced is there.
static void it_may_be_cut_off_at_any_call(void **state)
{
    (void)state;
    struct check_rig_findings found;
    struct disk *whole = damage_everything();
    uint64_t before = disk_calls(whole);
    const struct repair_rig_content *served = repair_rig_serve(&rig, whole, &found);
    uint64_t missing = repair_rig_missing(&rig, served);
    disk_free(whole);
    whole = damage_everything();
    before = disk_calls(whole);
    assert_int_equal(repair_rig_try(&rig, whole), TAU_STATUS_SUCCESS);
    uint64_t calls = disk_calls(whole) - before;
    disk_free(whole);
    for (uint64_t at = 1; at <= calls; at += 1 + calls / 150) {
        struct disk *disk = damage_everything();
        disk_set_fault(disk, (struct disk_fault){.kind = DISK_FAULT_CUT, .at = at});
        (void)!repair_rig_try(&rig, disk);
        disk_restart(disk, at);
        served = repair_rig_serve(&rig, disk, &found);
        if (repair_rig_missing(&rig, served) != missing)
            fail_msg("cut off at call %llu, other points are missing", (unsigned long long)at);
        disk_free(disk);
    }
}

static void a_call_that_fails_is_told(void **state)
{
    (void)state;
    struct disk *whole = damage_everything();
    uint64_t before = disk_calls(whole);
    assert_int_equal(repair_rig_try(&rig, whole), TAU_STATUS_SUCCESS);
    uint64_t calls = disk_calls(whole) - before;
    disk_free(whole);
    for (uint64_t at = 1; at <= calls; at += 1 + calls / 100) {
        struct check_rig_findings found;
        struct disk *disk = damage_everything();
        disk_set_fault(disk,
                       (struct disk_fault){.kind = DISK_FAULT_ERROR, .at = at, .error = 28});
        (void)!repair_rig_try(&rig, disk);
        disk_set_fault(disk, (struct disk_fault){.kind = DISK_FAULT_NONE});
        repair_rig_missing(&rig, repair_rig_serve(&rig, disk, &found));
        disk_free(disk);
    }
}

static int set_up(void **state)
{
    (void)state;
    repair_rig_init(&rig);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    repair_rig_done(&rig);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_good_is_left_as_it_is),
        cmocka_unit_test(any_byte_may_be_damaged),
        cmocka_unit_test(any_end_may_be_cut_off),
        cmocka_unit_test(any_file_may_be_missing),
        cmocka_unit_test(pages_may_be_zeroed),
        cmocka_unit_test(everything_may_be_damaged),
        cmocka_unit_test(it_may_be_cut_off_at_any_call),
        cmocka_unit_test(a_call_that_fails_is_told),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
