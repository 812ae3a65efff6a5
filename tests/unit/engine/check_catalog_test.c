// SPDX-License-Identifier: MIT
// A check of catalog objects: every byte counts, and records of a later version are told.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "repair_rig.h"

#include "engine/crc32c.h"

#include <string.h>

static struct repair_rig rig;
static struct check_rig_findings found;

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

static void no_byte_is_missed(void **state)
{
    (void)state;
    const char *file;
    for (size_t i = 0; (file = repair_rig_file(&rig, "data/catalogs/", i)) != NULL; i++) {
        uint64_t size;
        disk_file(rig.disk, file, &size);
        for (uint64_t bit = 0; bit < size * 8; bit++) {
            struct disk *disk = disk_copy(rig.disk);
            disk_file(disk, file, &size)[bit / 8] ^= (uint8_t)(1 << bit % 8);
            check_rig_check(disk, &found);
            assert_int_equal(found.status, TAU_STATUS_SUCCESS);
            assert_int_equal(found.report.findings[TAUD_FINDING_LOST], 1);
            disk_free(disk);
        }
    }
}

static void a_later_version_is_told(void **state)
{
    (void)state;
    const char *file = repair_rig_file(&rig, "data/catalogs/", 0);
    uint64_t size;
    struct disk *disk = disk_copy(rig.disk);
    uint8_t *bytes = disk_file(disk, file, &size);
    bytes[40] = 250; // the type of the first record
    uint32_t block = taud_load_u32(bytes + 32);
    taud_store_u32(bytes + 36, taud_crc32c(0, bytes + 40, block));
    check_rig_check(disk, &found);
    assert_int_equal(found.report.findings[TAUD_FINDING_UNKNOWN], 1);
    assert_non_null(strstr(found.text, "a record of type 250: a later version wrote it"));
    bytes[8] = 2;
    taud_store_u32(bytes + 12, taud_crc32c(taud_crc32c(0, bytes, 12), bytes + 16, 16));
    check_rig_check(disk, &found);
    assert_int_equal(found.report.findings[TAUD_FINDING_UNKNOWN], 1);
    assert_non_null(strstr(found.text, ".cat 0 0: a later version wrote it"));
    disk_free(disk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_byte_is_missed),
        cmocka_unit_test(a_later_version_is_told),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
