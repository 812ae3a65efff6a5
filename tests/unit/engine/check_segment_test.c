// SPDX-License-Identifier: MIT
// What is told of a segment: where damage is, that damage side by side is one place, how many
// points are lost, and that it differs from what the manifest says.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "check_rig.h"

#include "engine/check/inspector.h"

#include <stdio.h>

static const struct store_shape shape = {{7, 1}, .series = 3, .chunks = 4, .points = 10};

static struct store_rig rig;
static struct taud_manifest_segment entry;
static struct taud_check_report report;
static char text[4000];

static void add_finding(const struct taud_finding *finding, void *user_data)
{
    (void)user_data;
    size_t used = strlen(text);
    assert_string_equal(finding->place, "segments/0000000000000007-00000001.seg");
    used += (size_t)snprintf(text + used, sizeof text - used, "%d %llu+%llu %s: %s",
                             (int)finding->kind, (unsigned long long)finding->offset,
                             (unsigned long long)finding->size, finding->problem, finding->loss);
    const struct taud_finding_points *points = finding->points;
    if (points) {
        assert_null(points->first_label);
        assert_null(points->last_label);
        used += (size_t)snprintf(text + used, sizeof text - used, " of series %llu to %llu",
                                 (unsigned long long)points->first_identity,
                                 (unsigned long long)points->last_identity);
    }
    if (points && points->first_identity == points->last_identity)
        used += (size_t)snprintf(text + used, sizeof text - used, ", %lld to %lld",
                                 (long long)points->from, (long long)points->to);
    snprintf(text + used, sizeof text - used, "\n");
}

static uint64_t progress;

static void take_progress(uint64_t done_bytes, uint64_t total_bytes, void *user_data)
{
    (void)user_data;
    assert_true(done_bytes >= progress && total_bytes >= done_bytes);
    progress = done_bytes;
}

static enum tau_status try_check(void)
{
    const struct taud_check_options options = {.backend = rig.local.backend,
                                               .allocator = rig.store.allocator,
                                               .finding = add_finding,
                                               .progress = take_progress};
    struct taud_inspector inspector = {.options = &options,
                                       .store = rig.store,
                                       .codec = rig.codec,
                                       .report = &report,
                                       .error = &rig.local.error};
    struct taud_manifest manifest; // without a catalog
    taud_manifest_init(&manifest, rig.store.allocator);
    taud_series_names_init(&inspector.names, &rig.store, &manifest);
    memset(&report, 0, sizeof report);
    text[0] = '\0';
    progress = 0;
    enum tau_status status = taud_check_segment(&inspector, &entry);
    if (status == TAU_STATUS_SUCCESS)
        assert_true(inspector.done_bytes >= entry.size);
    taud_series_names_done(&inspector.names);
    return status;
}

static void expect(const char *expected, uint64_t good_chunks, uint64_t lost_points)
{
    assert_int_equal(try_check(), TAU_STATUS_SUCCESS);
    assert_string_equal(text, expected);
    assert_int_equal(report.chunk_count, good_chunks);
    assert_int_equal(report.point_count, good_chunks * 10);
    assert_int_equal(report.lost_points, lost_points);
}

static int setup(void **state)
{
    (void)state;
    store_rig_init(&rig);
    struct taud_segment_facts facts = store_rig_write(&rig, shape);
    entry = taud_manifest_segment_of(&facts);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    store_rig_done(&rig);
    return 0;
}

// Damages a chunk, and tells where it is.
static uint64_t damage(uint32_t chunk, uint64_t *ret_size)
{
    uint64_t size;
    struct taud_segment *segment = store_rig_open(&rig, shape.name);
    uint64_t offset = taud_segment_offset(segment, chunk);
    *ret_size = segment->sizes[chunk];
    taud_segment_release(segment);
    store_rig_bytes(&rig, shape.name, &size)[offset + 20] ^= 1;
    return offset;
}

static void a_good_one_has_no_findings(void **state)
{
    (void)state;
    expect("", 12, 0);
}

static void chunks_side_by_side_are_one_place(void **state)
{
    (void)state;
    uint64_t sizes[3];
    char line[300];
    uint64_t first = damage(1, &sizes[0]);
    damage(2, &sizes[1]);
    snprintf(line, sizeof line,
             "2 %llu+%llu a chunk does not match its checksum: 20 points of series 10 to 10, "
             "1700004200000000000 to 1700008940000000000\n",
             (unsigned long long)first, (unsigned long long)(sizes[0] + sizes[1]));
    expect(line, 10, 20);
    size_t used = strlen(line);
    uint64_t last = damage(7, &sizes[0]); // of series 20, and the next of series 30
    damage(8, &sizes[1]);
    snprintf(line + used, sizeof line - used,
             "2 %llu+%llu a chunk does not match its checksum: 20 points of series 20 to 30\n",
             (unsigned long long)last, (unsigned long long)(sizes[0] + sizes[1]));
    expect(line, 8, 40);
}

static void a_damaged_index_loses_nothing(void **state)
{
    (void)state;
    uint64_t size;
    uint8_t *bytes = store_rig_bytes(&rig, shape.name, &size);
    bytes[size - 104 - 9] ^= 1;
    expect("1 0+0 the index or the footer is damaged: \n", 12, 0);
}

static void without_an_index_gaps_are_told(void **state)
{
    (void)state;
    uint64_t size, chunk;
    char lines[400];
    uint64_t offset = damage(5, &chunk);
    uint8_t *bytes = store_rig_bytes(&rig, shape.name, &size);
    bytes[size - 104 - 9] ^= 1;
    snprintf(lines, sizeof lines,
             "2 0+0 the index or the footer is damaged: 10 points\n"
             "1 %llu+%llu bytes that are no chunk: \n",
             (unsigned long long)offset, (unsigned long long)chunk);
    expect(lines, 11, 10);
}

static void ends_are_looked_at(void **state)
{
    (void)state;
    uint64_t size;
    uint8_t *bytes = store_rig_bytes(&rig, shape.name, &size);
    bytes[50] ^= 1;
    expect("1 0+64 the header is damaged: \n", 12, 0);
    bytes[size - 3] ^= 1;
    expect("2 0+0 header and footer are damaged: 120 points\n", 0, 120);
    disk_remove(rig.local.disk, "data/segments/0000000000000007-00000001.seg");
    expect("2 0+0 it is missing: 120 points\n", 0, 120);
}

static void the_manifest_must_agree(void **state)
{
    (void)state;
    const struct taud_manifest_segment good = entry;
    for (int i = 0; i < 6; i++) {
        entry = good;
        entry.last_sequence += i == 0;
        entry.size += i == 1;
        entry.chunk_count += i == 2;
        entry.point_count += i == 3;
        entry.first_timestamp += i == 4;
        entry.last_timestamp += i == 5;
        expect("1 0+0 the manifest says something else of it: \n", 12, 0);
    }
}

static void a_disk_that_fails_tells_of_no_damage(void **state)
{
    (void)state;
    uint64_t before = disk_calls(rig.local.disk);
    expect("", 12, 0);
    uint64_t calls = disk_calls(rig.local.disk) - before;
    for (uint64_t at = 1; at <= calls; at++) {
        disk_set_fault(rig.local.disk, (struct disk_fault){DISK_FAULT_ERROR, at, .error = 5});
        enum tau_status status = try_check();
        if (disk_fault_happened(rig.local.disk))
            assert_true(status != TAU_STATUS_SUCCESS || report.findings[TAUD_FINDING_UNKNOWN] > 0);
        assert_int_equal(report.lost_points, 0);
    }
    disk_set_fault(rig.local.disk, (struct disk_fault){.kind = DISK_FAULT_NONE});
}

static void without_memory_it_says_so(void **state)
{
    (void)state;
    for (unsigned ahead = 1;; ahead++) {
        failing_allocator_fail_next(&rig.local.memory, ahead);
        enum tau_status status = try_check();
        if (status == TAU_STATUS_SUCCESS && text[0] == '\0')
            break;
        assert_true(status == TAU_STATUS_NO_MEMORY || report.findings[TAUD_FINDING_UNKNOWN] > 0);
        assert_true(ahead < 100);
    }
    failing_allocator_fail_next(&rig.local.memory, 0);
}

#define SEGMENT_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SEGMENT_TEST(a_good_one_has_no_findings),
        SEGMENT_TEST(chunks_side_by_side_are_one_place),
        SEGMENT_TEST(a_damaged_index_loses_nothing),
        SEGMENT_TEST(without_an_index_gaps_are_told),
        SEGMENT_TEST(ends_are_looked_at),
        SEGMENT_TEST(the_manifest_must_agree),
        SEGMENT_TEST(a_disk_that_fails_tells_of_no_damage),
        SEGMENT_TEST(without_memory_it_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
