// SPDX-License-Identifier: MIT
// What is good of a damaged log stands behind its end afterwards, in its order, and nothing before
// that counts; a log of a later version is left alone.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "repair_rig.h"

#include "engine/record.h"

#include <stdio.h>
#include <string.h>

static struct check_rig rig;
static struct repair_rig repairs; // for what it says that it did
static struct check_rig_findings found;

enum { SECOND = TAUD_SEGMENT_HEADER_BYTES + TAUD_GROUP_HEADER_BYTES + 144 }; // offset of the group

static int setup(void **state)
{
    (void)state;
    check_rig_init(&rig);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    check_rig_done(&rig);
    return 0;
}

static uint8_t *log_bytes(unsigned number)
{
    uint64_t size;
    char name[40];
    snprintf(name, sizeof name, "log/%016x.log", number);
    uint8_t *bytes = local_rig_file(&rig.store.local, name, &size);
    assert_non_null(bytes);
    return bytes;
}

static enum tau_status repair(void)
{
    return repair_rig_try(&repairs, rig.store.local.disk);
}

static void expect_whole(uint64_t records)
{
    check_rig_check(rig.store.local.disk, &found);
    if (found.status != TAU_STATUS_SUCCESS || found.damaged > 0)
        fail_msg("%s%s", found.text, found.error.text);
    assert_int_equal(found.report.record_count, records);
}

static void what_is_good_is_kept(void **state)
{
    (void)state;
    log_bytes(1)[SECOND + 60] ^= 1;
    assert_int_equal(repair(), TAU_STATUS_SUCCESS);
    assert_non_null(strstr(repairs.done, "log: written anew: 24"));
    assert_non_null(strstr(repairs.done, "up to 56 bytes of records\n"));
    expect_whole(CHECK_RIG_GROUPS - 2);
    assert_int_equal(disk_count(rig.store.local.disk, "data/quarantine"), 1);
    uint64_t digest = disk_digest(rig.store.local.disk, "data/");
    assert_int_equal(repair(), TAU_STATUS_SUCCESS); // once is enough
    assert_int_equal(disk_digest(rig.store.local.disk, "data/"), digest);
}

static void a_segment_without_a_header_is_kept_whole(void **state)
{
    (void)state;
    uint64_t size;
    memset(log_bytes(1), 7, 100);
    memset(log_bytes(1) + 4096, 7, 100);
    assert_int_equal(repair(), TAU_STATUS_SUCCESS);
    expect_whole(2); // of the second segment
    assert_non_null(
        local_rig_file(&rig.store.local, "quarantine/0000000000000001.log", &size));
}

static void nothing_may_be_left(void **state)
{
    (void)state;
    for (unsigned i = 1; i <= 2; i++) {
        memset(log_bytes(i), 7, 100);
        memset(log_bytes(i) + 4096, 7, 100);
    }
    assert_int_equal(repair(), TAU_STATUS_SUCCESS);
    expect_whole(0);
}

static void a_header_that_stands_once_stands_twice_again(void **state)
{
    (void)state;
    for (unsigned i = 1; i <= 2; i++)
        log_bytes(i)[i == 1 ? 20 : 5000] ^= 1;
    assert_int_equal(repair(), TAU_STATUS_SUCCESS);
    assert_non_null(strstr(repairs.done, "one copy was damaged is whole again: \n"));
    expect_whole(CHECK_RIG_GROUPS - 1);
    assert_int_equal(disk_count(rig.store.local.disk, "data/quarantine"), 2);
}

// Records that are read again are those that were there, and in their order.
static enum tau_status take_group(const struct taud_log_group *group, bool damaged_before,
                                  void *user_data)
{
    uint64_t *sizes = user_data;
    assert_false(damaged_before);
    *sizes = *sizes * 1000 + group->size % 1000;
    return TAU_STATUS_SUCCESS;
}

static void order_is_kept(void **state)
{
    (void)state;
    struct taud_log_report report;
    struct taud_root root;
    struct taud_manifest manifest;
    bool lost;
    uint64_t sizes = 0;
    log_bytes(1)[SECOND + 60] ^= 1;
    assert_int_equal(repair(), TAU_STATUS_SUCCESS);
    store_rig_renew(&rig.store);
    struct taud_backend *backend = rig.store.local.backend;
    taud_manifest_init(&manifest, taud_allocator_system());
    assert_int_equal(taud_root_read(backend, &root, NULL), TAU_STATUS_SUCCESS);
    assert_int_equal(taud_manifest_find(backend, &root, &manifest, &lost, NULL),
                     TAU_STATUS_SUCCESS);
    assert_true(!lost && manifest.next_identity == 40);
    assert_int_equal(backend->log->open(backend, manifest.flush_position, root.known_position,
                                        take_group, &sizes, &report, NULL),
                     TAU_STATUS_SUCCESS);
    assert_int_equal(sizes, 144032080); // of 24,144, of 32 and of 80 bytes
    assert_int_equal(report.end_position, root.known_position);
    assert_int_equal(report.quarantined_count, 0);
    taud_manifest_done(&manifest);
}

static void a_later_version_is_left_alone(void **state)
{
    (void)state;
    uint8_t record[8] = {250};
    store_rig_renew(&rig.store);
    check_rig_open_log(&rig, 0);
    check_rig_append(&rig, record, sizeof record);
    rig.store.local.backend->close(rig.store.local.backend);
    log_bytes(1)[SECOND + 60] ^= 1;
    uint64_t digest = disk_digest(rig.store.local.disk, "data/");
    assert_int_equal(repair(), TAU_STATUS_INTERNAL_ERROR);
    assert_non_null(strstr(repairs.done, "a record of type 250: a later version wrote it; the log "
                                         "is left as it is"));
    assert_int_equal(disk_digest(rig.store.local.disk, "data/"), digest);
}

#define LOG_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOG_TEST(what_is_good_is_kept),
        LOG_TEST(a_segment_without_a_header_is_kept_whole),
        LOG_TEST(nothing_may_be_left),
        LOG_TEST(a_header_that_stands_once_stands_twice_again),
        LOG_TEST(order_is_kept),
        LOG_TEST(a_later_version_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
