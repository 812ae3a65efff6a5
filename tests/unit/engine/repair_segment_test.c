// SPDX-License-Identifier: MIT
// A damaged segment is written anew with what is good of it, under a name that none had; the bytes
// that are not taken over stand in quarantine, and of a segment without anything good all of it.
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

// The newest segment, which nothing is likely to have been merged into.
static const char *segment_file(void)
{
    size_t count = 0;
    while (repair_rig_file(&rig, "data/segments/", count))
        count++;
    assert_true(count > 0);
    return repair_rig_file(&rig, "data/segments/", count - 1);
}

static uint64_t serve(void)
{
    return repair_rig_missing(&rig, repair_rig_serve(&rig, rig.damaged, &found));
}

static void a_damaged_chunk_alone_is_lost(void **state)
{
    (void)state;
    uint64_t size, kept;
    char name[120];
    uint8_t *bytes = disk_file(rig.damaged, segment_file(), &size);
    bytes[TAUD_SEGMENT_HEAD_BYTES + 30] ^= 4;
    uint8_t before[200];
    memcpy(before, bytes + TAUD_SEGMENT_HEAD_BYTES, sizeof before);
    assert_true(serve() > 0);
    assert_int_equal(found.report.findings[TAUD_FINDING_LOST], 1);
    assert_non_null(strstr(found.text, " points of a\n")); // the first series that there is
    unsigned length;
    assert_int_equal(sscanf(strstr(found.text, "seg 64 ") + 7, "%u", &length), 1);
    snprintf(name, sizeof name, "data/quarantine/segments-%s-0000000040-%08x",
             strrchr(segment_file(), '/') + 1, length);
    const uint8_t *copy = disk_file(rig.damaged, name, &kept);
    assert_non_null(copy);
    assert_int_equal(kept, length);
    assert_memory_equal(copy, before, length < sizeof before ? length : sizeof before);
    assert_null(disk_file(rig.damaged, segment_file(), &size)); // it is one level up now
    assert_non_null(strstr(rig.done, "written anew at level 1 with its "));
}

static void what_stands_twice_is_made_again(void **state)
{
    (void)state;
    uint64_t size;
    static const int places[] = {20, -30, -110}; // header, footer, index
    for (size_t i = 0; i < 3; i++) {
        disk_free(rig.damaged);
        rig.damaged = disk_copy(rig.disk);
        uint8_t *bytes = disk_file(rig.damaged, segment_file(), &size);
        bytes[places[i] < 0 ? (int64_t)size + places[i] : places[i]] ^= 1;
        assert_int_equal(serve(), 0);
        assert_int_equal(found.damaged, 1);
        assert_int_equal(disk_count(rig.damaged, "data/quarantine"), 1);
    }
}

static void one_without_anything_good_moves(void **state)
{
    (void)state;
    uint64_t size, kept;
    char name[120];
    memset(disk_file(rig.damaged, segment_file(), &size), 0x55, 64);
    uint8_t *bytes = disk_file(rig.damaged, segment_file(), &size);
    memset(bytes + size - 104, 0x55, 104);
    assert_true(serve() > 0);
    snprintf(name, sizeof name, "data/quarantine/segments-%s", strrchr(segment_file(), '/') + 1);
    assert_non_null(disk_file(rig.damaged, name, &kept));
    assert_int_equal(kept, size);
    assert_non_null(strstr(rig.done, "nothing in it is good; moved to quarantine: "));
}

static void a_missing_one_leaves_the_manifest(void **state)
{
    (void)state;
    disk_remove(rig.damaged, segment_file());
    assert_true(serve() > 0);
    assert_non_null(strstr(rig.done, "it is missing: "));
    assert_int_equal(disk_count(rig.damaged, "data/quarantine"), 0);
}

// What a repair that was cut off has written under the name that is needed.
static void a_name_that_is_taken_is_made_free(void **state)
{
    (void)state;
    uint64_t size, kept;
    char name[REPAIR_RIG_NAME_BYTES];
    snprintf(name, sizeof name, "%s", segment_file());
    name[strlen(name) - strlen("0.seg")] = '1';
    const struct taud_io *io = disk_io(rig.damaged);
    int file = io->open(io->context, name, TAUD_IO_WRITE | TAUD_IO_CREATE, 0600);
    assert_int_equal(taud_io_write_all(io, file, "left", 4, 0), 0);
    io->close(io->context, file);
    disk_file(rig.damaged, segment_file(), &size)[20] ^= 1;
    assert_int_equal(serve(), 0);
    char kept_name[140];
    snprintf(kept_name, sizeof kept_name, "data/quarantine/segments-%s", strrchr(name, '/') + 1);
    assert_non_null(disk_file(rig.damaged, kept_name, &kept));
    assert_int_equal(kept, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        REPAIR_TEST(a_damaged_chunk_alone_is_lost, rig),
        REPAIR_TEST(what_stands_twice_is_made_again, rig),
        REPAIR_TEST(one_without_anything_good_moves, rig),
        REPAIR_TEST(a_missing_one_leaves_the_manifest, rig),
        REPAIR_TEST(a_name_that_is_taken_is_made_free, rig),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
