// SPDX-License-Identifier: MIT
// What is told of the log: which positions are lost where, records that no server of this version
// wrote, and where a log begins of which no manifest tells.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "check_rig.h"

#include "engine/check/inspector.h"
#include "engine/record.h"

#include <stdio.h>

static struct check_rig rig;
static struct taud_check_report report;
static char text[4000];

static void add_finding(const struct taud_finding *finding, void *user_data)
{
    (void)user_data;
    size_t used = strlen(text);
    snprintf(text + used, sizeof text - used, "%d %s %llu+%llu %s: %s\n", (int)finding->kind,
             finding->place, (unsigned long long)finding->offset,
             (unsigned long long)finding->size, finding->problem, finding->loss);
}

static enum tau_status try_check(bool lost)
{
    const struct taud_check_options options = {.backend = rig.store.local.backend,
                                               .allocator = rig.store.store.allocator,
                                               .finding = add_finding};
    struct taud_manifest none;
    struct taud_inspector inspector = {.options = &options,
                                       .store = rig.store.store,
                                       .codec = rig.store.codec,
                                       .report = &report,
                                       .manifest_lost = lost,
                                       .error = &rig.store.local.error};
    taud_manifest_init(&none, rig.store.store.allocator);
    memset(&report, 0, sizeof report);
    text[0] = '\0';
    return taud_check_log(&inspector, lost ? &none : &rig.manifest, rig.position);
}

static void expect(const char *expected, uint64_t records)
{
    assert_int_equal(try_check(false), TAU_STATUS_SUCCESS);
    assert_string_equal(text, expected);
    assert_int_equal(report.record_count, records);
}

static uint8_t *log_bytes(unsigned number)
{
    uint64_t size;
    char name[40];
    snprintf(name, sizeof name, "log/%016x.log", number);
    return local_rig_file(&rig.store.local, name, &size);
}

static int setup(void **state)
{
    (void)state;
    check_rig_init(&rig);
    local_rig_open(&rig.store.local);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    check_rig_done(&rig);
    return 0;
}

enum { SECOND = TAUD_SEGMENT_HEADER_BYTES + TAUD_GROUP_HEADER_BYTES + 144 }; // offset of the group

static void what_is_good_is_counted(void **state)
{
    (void)state;
    expect("", 4);
    assert_int_equal(report.group_count, 4);
    assert_true(report.log_bytes > 24000);
    assert_int_equal(report.torn_bytes, 0);
}

static void lost_positions_are_told(void **state)
{
    (void)state;
    log_bytes(1)[SECOND + 60] ^= 1;
    expect("2 log/0000000000000001.log 8392+112 bytes that are no good group of records: "
           "up to 56 bytes of records, positions 144 to 200 of the log\n",
           3);
    memset(log_bytes(2), 1, 4096);
    memset(log_bytes(2) + 4096, 1, 4096);
    assert_int_equal(try_check(false), TAU_STATUS_SUCCESS);
    assert_non_null(strstr(text, "2 log/0000000000000002.log 0+32768 bytes that are no good group "
                                 "of records: all that it holds\n"));
}

static void a_record_of_a_later_version_is_told_once(void **state)
{
    (void)state;
    uint8_t records[16] = {0};
    rig.store.local.backend->log->close(rig.store.local.backend);
    check_rig_open_log(&rig, 0);
    records[0] = 250;
    records[8] = 251;
    uint64_t position = rig.position;
    check_rig_append(&rig, records, sizeof records);
    check_rig_append(&rig, records, sizeof records);
    char line[200];
    snprintf(line, sizeof line,
             "3 log 0+0 a record of type 250 at position %llu: a later version wrote it: \n",
             (unsigned long long)position);
    expect(line, 4);
}

static void without_a_manifest_it_begins_where_it_begins(void **state)
{
    (void)state;
    uint64_t beginning = 77;
    struct taud_backend *backend = rig.store.local.backend;
    assert_int_equal(taud_log_beginning(backend, &beginning, NULL), TAU_STATUS_SUCCESS);
    assert_int_equal(beginning, 0);
    disk_remove(rig.store.local.disk, "data/log/0000000000000001.log");
    assert_int_equal(taud_log_beginning(backend, &beginning, NULL), TAU_STATUS_SUCCESS);
    assert_true(beginning > 20000 && beginning < rig.position);
    assert_int_equal(try_check(true), TAU_STATUS_SUCCESS);
    assert_string_equal(text, "");
    assert_int_equal(report.group_count, 2);
    assert_int_equal(try_check(false), TAU_STATUS_SUCCESS);
    assert_non_null(strstr(text, "records that were durable are not there"));
    disk_remove(rig.store.local.disk, "data/log/0000000000000002.log");
    assert_int_equal(taud_log_beginning(backend, &beginning, NULL), TAU_STATUS_SUCCESS);
    assert_int_equal(beginning, 0);
}

static void a_disk_that_fails_ends_it(void **state)
{
    (void)state;
    uint64_t before = disk_calls(rig.store.local.disk);
    expect("", 4);
    uint64_t calls = disk_calls(rig.store.local.disk) - before;
    for (uint64_t at = 1; at <= calls; at++) {
        disk_set_fault(rig.store.local.disk, (struct disk_fault){DISK_FAULT_ERROR, at, .error = 5});
        enum tau_status status = try_check(false);
        assert_int_equal(status != TAU_STATUS_SUCCESS, disk_fault_happened(rig.store.local.disk));
    }
    disk_set_fault(rig.store.local.disk, (struct disk_fault){.kind = DISK_FAULT_NONE});
}

#define LOG_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOG_TEST(what_is_good_is_counted),
        LOG_TEST(lost_positions_are_told),
        LOG_TEST(a_record_of_a_later_version_is_told_once),
        LOG_TEST(without_a_manifest_it_begins_where_it_begins),
        LOG_TEST(a_disk_that_fails_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
