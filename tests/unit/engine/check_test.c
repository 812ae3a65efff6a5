// SPDX-License-Identifier: MIT
// A check of a small store in which a bit of each byte is flipped (every bit when TAU_EVERY_BIT is
// in the environment), each file cut at each byte, pages are zeroed, swapped and doubled: it tells
// of all that, and changes nothing. With a fault of check_planted.toml this test has to fail.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "check_rig.h"

#include "engine/crc32c.h"

#include <stdio.h>

static const char *const objects[] = {
    "catalog",
    "manifests/0000000000000001.man",
    "segments/0000000000000001-00000000.seg",
    "segments/0000000000000004-00000001.seg",
};
static const char *const logs[] = {"log/0000000000000001.log", "log/0000000000000002.log"};

enum { OBJECTS = sizeof objects / sizeof objects[0], PAGE = 4096 };

static struct check_rig rig;
static struct disk *original;

static struct disk *damaged_copy(const char *name, uint8_t **ret_bytes, uint64_t *ret_size)
{
    char path[100];
    struct disk *disk = disk_copy(original);
    snprintf(path, sizeof path, "data/%s", name);
    *ret_bytes = disk_file(disk, path, ret_size);
    assert_non_null(*ret_bytes);
    return disk;
}

// Checks a disk, which must be told to be damaged, and frees it.
static void expect_found(struct disk *disk, const char *name, const char *what, uint64_t at)
{
    struct check_rig_findings found;
    uint64_t digest = disk_digest(disk, "");
    check_rig_check(disk, &found);
    bool noticed = found.status != TAU_STATUS_SUCCESS || found.damaged > 0 ||
                   found.report.findings[TAUD_FINDING_UNKNOWN] > 0;
    if (!noticed)
        print_error("%s: %s at %llu is not found\n", name, what, (unsigned long long)at);
    if (!noticed && getenv("CHECK_PLANTED"))
        exit(1); // one is enough
    assert_true(noticed);
    assert_int_equal(disk_digest(disk, ""), digest);
    disk_free(disk);
}

// Flips a bit of the byte, or each of them in turn.
static void flip(const char *name, uint64_t at)
{
    bool all = getenv("TAU_EVERY_BIT") != NULL;
    for (unsigned bit = all ? 0 : at * 5 % 8; bit < 8; bit += all ? 1 : 8) {
        uint8_t *bytes;
        uint64_t size;
        struct disk *disk = damaged_copy(name, &bytes, &size);
        bytes[at] ^= (uint8_t)(1 << bit);
        expect_found(disk, name, "bit", at * 8 + bit);
    }
}

static uint64_t size_of(const char *name)
{
    uint8_t *bytes;
    uint64_t size;
    disk_free(damaged_copy(name, &bytes, &size));
    return size;
}

// --- what is good -----------------------------------------------------------------------------

static void what_is_good_is_told_to_be(void **state)
{
    (void)state;
    struct check_rig_findings found;
    uint64_t digest = disk_digest(original, "");
    check_rig_check(original, &found);
    assert_int_equal(found.status, TAU_STATUS_SUCCESS);
    assert_string_equal(found.text, "");
    assert_int_equal(found.report.manifest, 1);
    assert_int_equal(found.report.segment_count, CHECK_RIG_SEGMENTS);
    assert_int_equal(found.report.chunk_count, 12);
    assert_int_equal(found.report.point_count, 6 * 5 + 6 * 4);
    assert_int_equal(found.report.group_count, CHECK_RIG_GROUPS - 1);
    assert_int_equal(found.report.record_count, CHECK_RIG_GROUPS - 1);
    assert_int_equal(disk_digest(original, ""), digest);
}

static void an_empty_directory_is_good(void **state)
{
    (void)state;
    struct local_rig local;
    struct check_rig_findings found;
    local_rig_init(&local, false);
    local_rig_open(&local);
    local.backend->close(local.backend);
    check_rig_check(local.disk, &found);
    assert_int_equal(found.status, TAU_STATUS_SUCCESS);
    assert_string_equal(found.text, "");
    local_rig_done(&local);
}

// --- flipped bits -----------------------------------------------------------------------------

static void no_bit_of_an_object_is_missed(void **state)
{
    (void)state;
    for (size_t i = 0; i < OBJECTS; i++) {
        uint64_t size = size_of(objects[i]);
        // Most of a manifest is zeros up to the end of its pages.
        for (uint64_t at = 0; at < size; at += size > 2 * PAGE - 1 && at % PAGE > 300 ? 13 : 1)
            flip(objects[i], at);
    }
}

// Where the groups of a segment of the log end, by their headers.
static uint64_t used_end(const char *name)
{
    uint8_t *bytes;
    uint64_t size, at = TAUD_SEGMENT_HEADER_BYTES;
    struct taud_group_header header;
    struct disk *disk = damaged_copy(name, &bytes, &size);
    while (at + TAUD_GROUP_HEADER_BYTES < size && taud_group_header_decode(bytes + at, &header))
        at += TAUD_GROUP_HEADER_BYTES + header.size;
    disk_free(disk);
    return at;
}

static void no_bit_of_the_log_is_missed(void **state)
{
    (void)state;
    uint64_t flushed = TAUD_SEGMENT_HEADER_BYTES + TAUD_GROUP_HEADER_BYTES +
                       rig.manifest.flush_position;
    for (size_t i = 0; i < 2; i++) {
        uint64_t end = used_end(logs[i]), from = i == 0 ? flushed : TAUD_SEGMENT_HEADER_BYTES;
        for (uint64_t at = 0; at < TAUD_SEGMENT_HEADER_BYTES;
             at += at % PAGE < TAUD_SEGMENT_COPY_BYTES ? 1 : 61)
            flip(logs[i], at);
        for (uint64_t at = from; at < end; at += at > from + 400 ? 67 : 1)
            flip(logs[i], at);
    }
}

// Behind its end it is told that something stands there.
static void what_is_behind_the_log_is_noted(void **state)
{
    (void)state;
    struct check_rig_findings found;
    uint8_t *bytes;
    uint64_t size;
    struct disk *disk = damaged_copy(logs[1], &bytes, &size);
    bytes[used_end(logs[1]) + 5] = 1;
    check_rig_check(disk, &found);
    assert_int_equal(found.damaged, 0);
    assert_int_equal(found.report.torn_bytes, 6);
    assert_string_equal(found.text, "note log 0 6: the last write was not finished; a start cuts "
                                    "it off: \n");
    disk_free(disk);
}

// What is flushed may be anything in the log.
static void what_is_flushed_does_not_count_in_the_log(void **state)
{
    (void)state;
    struct check_rig_findings found;
    uint8_t *bytes;
    uint64_t size;
    struct disk *disk = damaged_copy(logs[0], &bytes, &size);
    bytes[TAUD_SEGMENT_HEADER_BYTES + 60] ^= 1;
    check_rig_check(disk, &found);
    assert_string_equal(found.text, "");
    disk_free(disk);
}

// --- other damage -----------------------------------------------------------------------------

static void any_cut_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < OBJECTS; i++) {
        uint64_t size = size_of(objects[i]);
        for (uint64_t cut = 0; cut < size; cut += size > 2000 ? 37 : 1) {
            char path[100];
            struct disk *disk = disk_copy(original);
            snprintf(path, sizeof path, "data/%s", objects[i]);
            disk_truncate(disk, path, cut);
            expect_found(disk, objects[i], "end", cut);
        }
    }
    for (uint64_t cut = 0; cut < used_end(logs[1]); cut += 41) {
        struct disk *disk = disk_copy(original);
        disk_truncate(disk, "data/log/0000000000000002.log", cut);
        expect_found(disk, logs[1], "end", cut);
    }
}

static void a_missing_file_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < OBJECTS + 2; i++) {
        const char *name = i < OBJECTS ? objects[i] : logs[i - OBJECTS];
        char path[100];
        struct disk *disk = disk_copy(original);
        snprintf(path, sizeof path, "data/%s", name);
        disk_remove(disk, path);
        expect_found(disk, name, "absence", 0);
    }
}

static void zeroed_swapped_and_doubled_pages_are_found(void **state)
{
    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        uint8_t *bytes, page[PAGE];
        uint64_t size;
        struct disk *disk = damaged_copy(logs[0], &bytes, &size);
        uint8_t *first = bytes + 3 * PAGE, *second = bytes + 4 * PAGE;
        memcpy(page, second, PAGE);
        if (kind == 0)
            memset(first, 0, PAGE);
        else if (kind == 1)
            memcpy(second, first, PAGE);
        if (kind > 0)
            memcpy(first, page, PAGE);
        expect_found(disk, logs[0], "page", (uint64_t)kind);

        disk = damaged_copy(objects[1], &bytes, &size);
        memset(bytes + (kind == 1 ? PAGE : 0), 0, kind == 2 ? 2 * PAGE : PAGE);
        expect_found(disk, objects[1], "page", (uint64_t)kind);

        disk = damaged_copy(objects[2], &bytes, &size); // smaller than a page
        memset(bytes + 64 + kind * 100, 0, 100);
        expect_found(disk, objects[2], "zeros", (uint64_t)kind);
    }
}

// A segment is good only in its place.
static void exchanged_segments_are_found(void **state)
{
    (void)state;
    uint8_t *first, *second;
    uint64_t sizes[2];
    struct disk *disk = damaged_copy(objects[2], &first, &sizes[0]);
    second = disk_file(disk, "data/segments/0000000000000004-00000001.seg", &sizes[1]);
    uint64_t least = sizes[0] < sizes[1] ? sizes[0] : sizes[1];
    for (uint64_t i = 0; i < least; i++) {
        uint8_t byte = first[i];
        first[i] = second[i];
        second[i] = byte;
    }
    expect_found(disk, objects[2], "exchange", 0);
}

// --- what it says -----------------------------------------------------------------------------

static void it_says_what_is_lost_with_a_manifest(void **state)
{
    (void)state;
    struct check_rig_findings found;
    uint8_t *bytes;
    uint64_t size;
    struct disk *disk = damaged_copy(objects[1], &bytes, &size);
    bytes[size - 1] ^= 1;
    check_rig_check(disk, &found);
    assert_string_equal(found.text, "damaged manifests/0000000000000001.man 4096 4096: one of its "
                                    "two copies is damaged: \n");
    bytes[9] ^= 1;
    check_rig_check(disk, &found);
    assert_non_null(strstr(found.text, "lost manifests/0000000000000001.man 0 0: no manifest is "
                                       "whole: nothing says what is stored: every segment"));
    // The log then begins where it begins: that is none of its damage.
    assert_null(strstr(found.text, "lost log"));
    assert_non_null(strstr(found.text, "note segments/0000000000000001-00000000.seg"));
    disk_free(disk);
}

static void what_is_left_over_is_noted(void **state)
{
    (void)state;
    struct check_rig_findings found;
    store_rig_renew(&rig.store);
    const struct taud_objects_operations *table = rig.store.local.backend->objects;
    struct taud_backend *backend = rig.store.local.backend;
    assert_int_equal(table->put(backend, "segments/0000000000000009-00000000.seg", "x", 1, NULL),
                     TAU_STATUS_SUCCESS);
    assert_int_equal(table->put(backend, "quarantine/old", "x", 1, NULL), TAU_STATUS_SUCCESS);
    assert_int_equal(table->put(backend, "unfinished/7", "x", 1, NULL), TAU_STATUS_SUCCESS);
    backend->close(backend);
    check_rig_check(rig.store.local.disk, &found);
    assert_int_equal(found.damaged, 0);
    assert_int_equal(found.report.findings[TAUD_FINDING_NOTE], 3);
    assert_non_null(strstr(found.text, "note quarantine/old 0 0: it was put aside"));
}

static void what_cannot_be_read_is_not_good(void **state)
{
    (void)state;
    struct check_rig_findings found;
    uint64_t calls = disk_calls(original);
    check_rig_check(original, &found);
    calls = disk_calls(original) - calls;
    for (uint64_t at = 1; at <= calls; at++) {
        struct disk *disk = disk_copy(original);
        disk_set_fault(disk, (struct disk_fault){.kind = DISK_FAULT_ERROR, .at = at, .error = 5});
        check_rig_check(disk, &found);
        if (disk_fault_happened(disk))
            assert_true(found.status != TAU_STATUS_SUCCESS ||
                        found.report.findings[TAUD_FINDING_UNKNOWN] > 0);
        disk_free(disk);
    }
}

static void a_later_format_is_not_good(void **state)
{
    (void)state;
    struct check_rig_findings found;
    uint8_t *bytes;
    uint64_t size;
    struct disk *disk = damaged_copy(objects[2], &bytes, &size);
    bytes[size - 104 + 8] = 2;
    taud_store_u32(bytes + size - 4, taud_crc32c(0, bytes + size - 104, 100));
    check_rig_check(disk, &found);
    assert_int_equal(found.status, TAU_STATUS_SUCCESS);
    assert_int_equal(found.report.findings[TAUD_FINDING_UNKNOWN], 1);
    assert_non_null(strstr(found.text, "a later version wrote it"));
    disk_free(disk);
}

static int set_up(void **state)
{
    (void)state;
    check_rig_init(&rig);
    original = disk_copy(rig.store.local.disk);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    disk_free(original);
    check_rig_done(&rig);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_good_is_told_to_be),
        cmocka_unit_test(an_empty_directory_is_good),
        cmocka_unit_test(no_bit_of_an_object_is_missed),
        cmocka_unit_test(no_bit_of_the_log_is_missed),
        cmocka_unit_test(what_is_behind_the_log_is_noted),
        cmocka_unit_test(what_is_flushed_does_not_count_in_the_log),
        cmocka_unit_test(any_cut_is_found),
        cmocka_unit_test(a_missing_file_is_found),
        cmocka_unit_test(zeroed_swapped_and_doubled_pages_are_found),
        cmocka_unit_test(exchanged_segments_are_found),
        cmocka_unit_test(it_says_what_is_lost_with_a_manifest),
        cmocka_unit_test(what_cannot_be_read_is_not_good),
        cmocka_unit_test(a_later_format_is_not_good),
        cmocka_unit_test(what_is_left_over_is_noted),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
