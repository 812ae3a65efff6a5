// SPDX-License-Identifier: MIT
// What is good of a damaged catalog becomes one object; points of series whose label is lost are
// served under one that says their identity.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "repair_rig.h"

#include <string.h>

static struct repair_rig rig;
static struct check_rig_findings found;

static const char *catalog_file(size_t index)
{
    const char *file = repair_rig_file(&rig, "data/catalogs/", index);
    assert_non_null(file);
    return file;
}

static const struct repair_rig_content *serve(void)
{
    const struct repair_rig_content *served = repair_rig_serve(&rig, rig.damaged, &found);
    assert_int_equal(repair_rig_missing(&rig, served), 0);
    return served;
}

static bool has_series(const struct repair_rig_content *served, const char *label)
{
    for (size_t i = 0; i < served->series_count; i++) {
        if (strcmp((const char *)served->series[i].label.bytes, label) == 0)
            return true;
    }
    return false;
}

static void no_point_is_lost_with_a_label(void **state)
{
    (void)state;
    uint64_t size;
    disk_file(rig.damaged, catalog_file(0), &size)[60] ^= 1;
    const struct repair_rig_content *served = serve();
    assert_int_equal(served->series_count, rig.stored.series_count);
    assert_false(has_series(served, "a"));
    assert_true(has_series(served, "lost.0000000000000001"));
    assert_true(has_series(served, "b") && has_series(served, "c") && has_series(served, "d"));
    assert_int_equal(disk_count(rig.damaged, "data/catalogs"), 1); // all that is good, in one
    assert_int_equal(disk_count(rig.damaged, "data/quarantine"), 1);
}

static void nor_with_all_of_them(void **state)
{
    (void)state;
    uint64_t size;
    for (size_t i = 0; repair_rig_file(&rig, "data/catalogs/", i); i++)
        disk_file(rig.damaged, catalog_file(i), &size)[3] ^= 1;
    const struct repair_rig_content *served = serve();
    assert_true(has_series(served, "lost.0000000000000001") &&
                has_series(served, "lost.0000000000000002") &&
                has_series(served, "lost.0000000000000003"));
    assert_true(has_series(served, "d")); // which the log creates
}

static void a_missing_one_is_no_quarantine(void **state)
{
    (void)state;
    disk_remove(rig.damaged, catalog_file(0));
    assert_true(has_series(serve(), "lost.0000000000000001"));
    assert_int_equal(disk_count(rig.damaged, "data/quarantine"), 0);
}

// The header has a checksum of its own: a flipped version is not a later one.
static void a_damaged_version_is_damage(void **state)
{
    (void)state;
    uint64_t size;
    disk_file(rig.damaged, catalog_file(0), &size)[8] ^= 2;
    serve();
    assert_int_equal(found.report.findings[TAUD_FINDING_UNKNOWN], 0);
    assert_int_equal(found.report.findings[TAUD_FINDING_LOST], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        REPAIR_TEST(no_point_is_lost_with_a_label, rig),
        REPAIR_TEST(nor_with_all_of_them, rig),
        REPAIR_TEST(a_missing_one_is_no_quarantine, rig),
        REPAIR_TEST(a_damaged_version_is_damage, rig),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
