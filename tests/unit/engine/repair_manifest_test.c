// SPDX-License-Identifier: MIT
// Without a manifest that is whole one is made of what is there, with nothing lost but deletions;
// with one copy of it both are written anew; without the root it is found.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "repair_rig.h"

#include <stdio.h>
#include <string.h>

static struct repair_rig rig;
static struct check_rig_findings found;

static uint8_t *manifest_bytes(uint64_t *ret_size)
{
    uint8_t *bytes = disk_file(rig.damaged, repair_rig_file(&rig, "data/manifests/", 0), ret_size);
    assert_non_null(bytes);
    return bytes;
}

static void expect_all_served(void)
{
    const struct repair_rig_content *served = repair_rig_serve(&rig, rig.damaged, &found);
    assert_int_equal(repair_rig_missing(&rig, served), 0);
    assert_int_equal(served->series_count, rig.stored.series_count);
}

static void one_is_made_of_the_segments(void **state)
{
    (void)state;
    uint64_t size;
    uint8_t *bytes = manifest_bytes(&size);
    bytes[40] ^= 1;
    bytes[size - 40] ^= 1;
    expect_all_served();
    assert_non_null(strstr(rig.done, "manifests: made again of "));
    assert_non_null(strstr(rig.done, "deletions of ranges"));
    assert_int_equal(disk_count(rig.damaged, "data/quarantine"), 1); // the damaged one
}

static void and_without_the_root_too(void **state)
{
    (void)state;
    uint64_t size;
    uint8_t *bytes = manifest_bytes(&size);
    bytes[40] ^= 1;
    bytes[size - 40] ^= 1;
    disk_file(rig.damaged, "data/catalog", &size)[40] ^= 1;
    expect_all_served();
    assert_non_null(strstr(rig.done, "catalog: written anew"));
    assert_non_null(disk_file(rig.damaged, "data/quarantine/catalog", &size));
}

static void without_the_root_the_manifest_is_found(void **state)
{
    (void)state;
    disk_remove(rig.damaged, "data/catalog");
    expect_all_served();
    assert_null(strstr(rig.done, "made again"));
}

static void a_damaged_copy_is_kept(void **state)
{
    (void)state;
    uint64_t size, kept;
    char name[120];
    manifest_bytes(&size)[100] ^= 1;
    snprintf(name, sizeof name, "data/quarantine/manifests-%s-0000000000-%08llx",
             strrchr(repair_rig_file(&rig, "data/manifests/", 0), '/') + 1,
             (unsigned long long)size / 2);
    expect_all_served();
    assert_non_null(disk_file(rig.damaged, name, &kept));
    assert_int_equal(kept, size / 2);
}

static void segments_that_went_into_another_are_not_taken(void **state)
{
    (void)state;
    struct check_rig check;
    check_rig_init(&check); // sequences 1 to 3 and 4 to 6
    store_rig_renew(&check.store);
    static const struct store_shape both = {{1, 2}, .series = 3, .chunks = 3, .points = 5};
    (void)store_rig_write(&check.store, both); // 1 to 3 again, of a higher level
    check.store.local.backend->close(check.store.local.backend);
    uint64_t size;
    uint8_t *bytes = local_rig_file(&check.store.local, "manifests/0000000000000001.man", &size);
    bytes[40] ^= 1;
    bytes[size - 40] ^= 1;
    assert_int_equal(repair_rig_try(&rig, check.store.local.disk), TAU_STATUS_SUCCESS);
    assert_non_null(strstr(rig.done, "made again of 2 segments"));
    check_rig_check(check.store.local.disk, &found);
    assert_int_equal(found.damaged, 0);
    assert_int_equal(found.report.point_count, 3 * 3 * 5 + 2 * 3 * 4);
    assert_non_null(local_rig_file(&check.store.local,
                                   "quarantine/segments-0000000000000001-00000000.seg", &size));
    check_rig_done(&check);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        REPAIR_TEST(one_is_made_of_the_segments, rig),
        REPAIR_TEST(and_without_the_root_too, rig),
        REPAIR_TEST(without_the_root_the_manifest_is_found, rig),
        REPAIR_TEST(a_damaged_copy_is_kept, rig),
        REPAIR_TEST(segments_that_went_into_another_are_not_taken, rig),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
