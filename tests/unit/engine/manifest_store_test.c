// SPDX-License-Identifier: MIT
// The stored data changes in one step: wherever power is cut and whichever call fails, the next
// start finds the manifest as it was or as it was to be, never none, and of what it names nothing
// is swept.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "local_rig.h"

#include "engine/store/manifest_store.h"
#include "engine/store/segment.h"

#include <errno.h>
#include <stdio.h>

static struct taud_root root;
static struct taud_manifest present;

static const struct taud_objects_operations *objects_of(struct local_rig *rig)
{
    return rig->backend->objects;
}

// An object of which only the size matters here.
static enum tau_status put(struct local_rig *rig, const char *name, size_t size)
{
    uint8_t bytes[1000] = {1};
    return objects_of(rig)->put(rig->backend, name, bytes, size, &rig->error);
}

static enum tau_status put_segment(struct local_rig *rig, struct taud_segment_name name)
{
    char text[TAUD_SEGMENT_NAME_BYTES];
    taud_segment_object_name(name, text);
    return put(rig, text, 100);
}

static enum tau_status put_catalog(struct local_rig *rig, uint64_t number)
{
    char text[TAUD_NUMBER_NAME_BYTES];
    taud_catalog_object_name(number, text);
    return put(rig, text, 50);
}

static void name_segment(struct taud_manifest *manifest, struct taud_segment_name name,
                         uint64_t last_sequence)
{
    assert_true(taud_manifest_add_segment(
        manifest, &(struct taud_manifest_segment){
                      .name = name, .last_sequence = last_sequence, .size = 100}));
}

// Reads what is there as a start does.
static enum tau_status start(struct local_rig *rig, struct taud_manifest *ret, bool *ret_lost)
{
    taud_manifest_init(ret, &rig->memory.table);
    enum tau_status status = taud_root_read(rig->backend, &root, &rig->error);
    if (status == TAU_STATUS_SUCCESS)
        status = taud_manifest_find(rig->backend, &root, ret, ret_lost, &rig->error);
    if (status == TAU_STATUS_SUCCESS)
        status = taud_manifest_sweep(rig->backend, ret, *ret_lost, &rig->error);
    return status;
}

// Two segments and a catalog object, and a root that names them.
static void begin(struct local_rig *rig)
{
    bool lost = true;
    local_rig_open(rig);
    assert_int_equal(start(rig, &present, &lost), TAU_STATUS_SUCCESS);
    assert_false(lost);
    root.epoch = 1;
    assert_int_equal(taud_root_write(rig->backend, &root, NULL), TAU_STATUS_SUCCESS);
    assert_int_equal(put_segment(rig, (struct taud_segment_name){1, 0}), TAU_STATUS_SUCCESS);
    assert_int_equal(put_segment(rig, (struct taud_segment_name){2, 0}), TAU_STATUS_SUCCESS);
    assert_int_equal(put_catalog(rig, 1), TAU_STATUS_SUCCESS);
    name_segment(&present, (struct taud_segment_name){1, 0}, 1);
    name_segment(&present, (struct taud_segment_name){2, 0}, 2);
    assert_true(taud_manifest_add_catalog(&present, &(struct taud_manifest_catalog){1, 50}));
    root.known_position = present.flush_position = 500;
    assert_int_equal(taud_manifest_commit(rig->backend, &root, &present, &rig->error),
                     TAU_STATUS_SUCCESS);
    assert_int_equal(root.manifest, 1);
}

// What a compaction does: one segment of two, then the two are removed.
static int compact(struct local_rig *rig)
{
    struct taud_manifest next;
    const struct taud_segment_name first = {1, 0}, second = {2, 0}, merged = {1, 1};
    char text[TAUD_SEGMENT_NAME_BYTES];
    enum tau_status status = put_segment(rig, merged);
    if (status != TAU_STATUS_SUCCESS)
        return (int)status;
    assert_true(taud_manifest_copy(&present, &next));
    taud_manifest_remove_segment(&next, first);
    taud_manifest_remove_segment(&next, second);
    name_segment(&next, merged, 2);
    status = taud_manifest_commit(rig->backend, &root, &next, &rig->error);
    taud_manifest_done(&next);
    const struct taud_segment_name useless[] = {first, second, merged};
    bool done = status == TAU_STATUS_SUCCESS;
    for (int i = done ? 0 : 2; i < (done ? 2 : 3) && status != TAU_STATUS_OUTCOME_UNKNOWN; i++) {
        taud_segment_object_name(useless[i], text);
        (void)!objects_of(rig)->remove(rig->backend, text, NULL);
    }
    return (int)status;
}

static bool object_there(struct local_rig *rig, const char *name)
{
    uint64_t size;
    return local_rig_file(rig, name, &size) != NULL;
}

// Starts on what is there. Returns whether it is whole: the old state or the new one, and nothing
// else. *ret_new tells which.
static bool recovers(struct local_rig *rig, bool *ret_new)
{
    struct taud_manifest found;
    bool lost = true;
    if (start(rig, &found, &lost) != TAU_STATUS_SUCCESS)
        return false;
    *ret_new = found.number == 2;
    bool counts = *ret_new ? found.segment_count == 1 : found.segment_count == 2;
    bool there = counts && !lost && found.number >= 1 && found.catalog_count == 1 &&
                 object_there(rig, "catalogs/0000000000000001.cat") &&
                 (*ret_new ? object_there(rig, "segments/0000000000000001-00000001.seg")
                           : object_there(rig, "segments/0000000000000001-00000000.seg") &&
                                 object_there(rig, "segments/0000000000000002-00000000.seg"));
    bool clean = disk_count(rig->disk, "data/segments") == found.segment_count &&
                 disk_count(rig->disk, "data/manifests") == 1 &&
                 disk_count(rig->disk, "data/quarantine") == 0;
    taud_manifest_done(&found);
    return there && clean;
}

static int setup(void **state)
{
    static struct local_rig rig;
    local_rig_init(&rig, false);
    begin(&rig);
    *state = &rig;
    return 0;
}

static int teardown(void **state)
{
    taud_manifest_done(&present);
    local_rig_done(*state);
    return 0;
}

static void what_was_committed_is_found(void **state)
{
    struct local_rig *rig = *state;
    bool is_new = true;
    assert_true(recovers(rig, &is_new));
    assert_false(is_new);
    assert_int_equal(root.epoch, 1);
    assert_int_equal(root.known_position, 500);
    assert_int_equal(compact(rig), TAU_STATUS_SUCCESS);
    assert_int_equal(root.manifest, 2);
    assert_true(recovers(rig, &is_new));
    assert_true(is_new);
}

// One of which the next start would say that it is damaged is never named.
static void what_would_not_be_read_is_not_committed(void **state)
{
    struct local_rig *rig = *state;
    struct taud_manifest next;
    bool is_new = true;
    assert_true(taud_manifest_copy(&present, &next));
    name_segment(&next, (struct taud_segment_name){1, 1}, 2); // beside those that it was made of
    assert_int_equal(taud_manifest_commit(rig->backend, &root, &next, &rig->error),
                     TAU_STATUS_INTERNAL_ERROR);
    assert_string_equal(rig->error.text, "manifests/0000000000000002.man would contradict itself");
    taud_manifest_done(&next);
    assert_true(recovers(rig, &is_new));
    assert_false(is_new);
}

static enum tau_status count_other(const char *name, void *user_data)
{
    unsigned *count = user_data;
    assert_non_null(strchr(name, '/'));
    ++*count;
    return TAU_STATUS_SUCCESS;
}

static void expect_others(struct local_rig *rig, unsigned expected)
{
    struct taud_manifest found;
    struct taud_root as_it_is;
    bool lost, damaged;
    unsigned count = 0;
    taud_manifest_init(&found, &rig->memory.table);
    assert_int_equal(taud_root_inspect(rig->backend, &as_it_is, &damaged, NULL),
                     TAU_STATUS_SUCCESS);
    assert_int_equal(taud_manifest_find(rig->backend, &as_it_is, &found, &lost, &rig->error),
                     TAU_STATUS_SUCCESS);
    assert_int_equal(
        taud_manifest_list_others(rig->backend, &found, count_other, &count, &rig->error),
        TAU_STATUS_SUCCESS);
    assert_int_equal(count, expected);
    taud_manifest_done(&found);
}

static void what_is_left_over_is_swept(void **state)
{
    struct local_rig *rig = *state;
    bool is_new = false;
    assert_int_equal(put_segment(rig, (struct taud_segment_name){3, 0}), TAU_STATUS_SUCCESS);
    assert_int_equal(put_catalog(rig, 2), TAU_STATUS_SUCCESS);
    assert_int_equal(put(rig, "manifests/0000000000000002.man", 10), TAU_STATUS_SUCCESS);
    assert_int_equal(put(rig, "segments/a-note-of-a-person", 10), TAU_STATUS_SUCCESS);
    assert_int_equal(put(rig, "manifests/2.man", 10), TAU_STATUS_SUCCESS);
    expect_others(rig, 3);
    recovers(rig, &is_new);
    expect_others(rig, 0);
    assert_int_equal(disk_count(rig->disk, "data/segments"), 3);
    assert_true(object_there(rig, "segments/a-note-of-a-person"));
    assert_true(object_there(rig, "manifests/2.man"));
    assert_false(object_there(rig, "manifests/0000000000000002.man"));
    assert_int_equal(disk_count(rig->disk, "data/catalogs"), 1);
    assert_int_equal(disk_count(rig->disk, "data/quarantine"), 0);
}

// --- failures ---------------------------------------------------------------------------------

static uint64_t power_seed;

static void check_after_cut(struct local_rig *rig, int answer, bool failed)
{
    bool is_new = false;
    (void)failed;
    taud_manifest_done(&present);
    disk_restart(rig->disk, power_seed);
    local_rig_renew(rig);
    local_rig_open(rig);
    assert_true(recovers(rig, &is_new));
    assert_true(is_new || answer != TAU_STATUS_SUCCESS);
    disk_restart(rig->disk, 0); // what the sweep removed may be back: the same again
    local_rig_renew(rig);
    local_rig_open(rig);
    bool again = false;
    assert_true(recovers(rig, &again));
    assert_int_equal(again, is_new);
}

static void power_may_be_cut_at_any_call(void **state)
{
    (void)state;
    struct local_rig_trial trial = {begin, compact, check_after_cut, .direct = false};
    for (power_seed = 0; power_seed < 20; power_seed++) {
        unsigned calls =
            local_rig_try_each_call(&trial, (struct disk_fault){.kind = DISK_FAULT_CUT});
        assert_true(calls >= 28);
    }
}

static void check_after_error(struct local_rig *rig, int answer, bool failed)
{
    bool is_new = false;
    taud_manifest_done(&present);
    if (!failed)
        assert_int_equal(answer, TAU_STATUS_SUCCESS);
    bool unknown = answer == TAU_STATUS_OUTCOME_UNKNOWN;
    if (!unknown && answer != TAU_STATUS_SUCCESS)
        assert_int_equal(disk_count(rig->disk, "data/manifests"), 1);
    struct taud_root seen = {0};
    assert_int_equal(taud_root_read(rig->backend, &seen, NULL), TAU_STATUS_SUCCESS);
    assert_int_equal(seen.version == root.version, !unknown);
    disk_restart(rig->disk, power_seed);
    local_rig_renew(rig);
    local_rig_open(rig);
    assert_true(recovers(rig, &is_new));
    if (!unknown)
        assert_int_equal(is_new, answer == TAU_STATUS_SUCCESS);
}

static void of_a_failure_it_is_told_what_stands(void **state)
{
    (void)state;
    struct local_rig_trial trial = {begin, compact, check_after_error, .direct = false};
    struct disk_fault fault = {.kind = DISK_FAULT_ERROR, .error = EIO};
    for (power_seed = 0; power_seed < 6; power_seed++) {
        fault.error = power_seed % 2 ? ENOSPC : EIO;
        assert_true(local_rig_try_each_call(&trial, fault) >= 28);
    }
}

static void check_after_death(struct local_rig *rig, int answer, bool failed)
{
    bool is_new = false;
    (void)failed;
    taud_manifest_done(&present);
    local_rig_renew(rig);
    local_rig_open(rig);
    assert_true(recovers(rig, &is_new));
    assert_true(is_new || answer != TAU_STATUS_SUCCESS);
}

static void a_disk_that_fails_for_good_leaves_one_of_both(void **state)
{
    (void)state;
    struct local_rig_trial trial = {begin, compact, check_after_death, .direct = false};
    struct disk_fault fault = {.kind = DISK_FAULT_ERROR, .error = EIO, .for_good = true};
    local_rig_try_each_call(&trial, fault);
}

// The planted bug.
static void syncs_that_do_nothing_are_caught(void **state)
{
    struct local_rig *rig = *state;
    bool is_new = false;
    disk_skip_syncs(rig->disk);
    int answer = compact(rig);
    assert_int_equal(answer, TAU_STATUS_SUCCESS);
    disk_restart(rig->disk, 0);
    assert_false(recovers(rig, &is_new) && is_new);
}

static int restart(struct local_rig *rig)
{
    struct taud_manifest found;
    bool lost = false;
    int status = (int)start(rig, &found, &lost);
    taud_manifest_done(&found);
    return status;
}

static void prepare_leftovers(struct local_rig *rig)
{
    begin(rig);
    assert_int_equal(put_segment(rig, (struct taud_segment_name){3, 0}), TAU_STATUS_SUCCESS);
    assert_int_equal(put_catalog(rig, 2), TAU_STATUS_SUCCESS);
}

static void check_restart(struct local_rig *rig, int answer, bool failed)
{
    bool is_new = false;
    taud_manifest_done(&present);
    assert_int_equal(answer, failed ? TAU_STATUS_INTERNAL_ERROR : TAU_STATUS_SUCCESS);
    assert_true(recovers(rig, &is_new));
}

static void a_start_that_fails_loses_nothing(void **state)
{
    (void)state;
    struct local_rig_trial trial = {prepare_leftovers, restart, check_restart, .direct = false};
    struct disk_fault fault = {.kind = DISK_FAULT_ERROR, .error = EIO};
    assert_true(local_rig_try_each_call(&trial, fault) >= 10);
}

static void without_memory_nothing_changes(void **state)
{
    struct local_rig *rig = *state;
    struct taud_manifest found;
    bool is_new = false, lost = false;
    failing_allocator_fail_next(&rig->memory, 1);
    assert_int_equal(taud_manifest_commit(rig->backend, &root, &present, NULL),
                     TAU_STATUS_NO_MEMORY);
    assert_int_equal(root.manifest, 1);
    enum tau_status status = TAU_STATUS_NO_MEMORY;
    for (unsigned at = 1; status == TAU_STATUS_NO_MEMORY; at++) {
        failing_allocator_fail_next(&rig->memory, at);
        status = start(rig, &found, &lost);
    }
    assert_int_equal(status, TAU_STATUS_SUCCESS);
    taud_manifest_done(&found);
    atomic_store(&rig->memory.fail_at, 0);
    assert_true(recovers(rig, &is_new));
}

// --- losses -----------------------------------------------------------------------------------

static void flip(struct local_rig *rig, const char *name, uint64_t at)
{
    uint64_t size;
    uint8_t *bytes = local_rig_file(rig, name, &size);
    bytes[at % size] ^= 1;
}

// Starts, expects that something was lost, and this manifest.
static void expect_lost(struct local_rig *rig, uint64_t number, uint32_t segments)
{
    struct taud_manifest found;
    bool lost = false;
    assert_int_equal(start(rig, &found, &lost), TAU_STATUS_SUCCESS);
    assert_true(lost);
    assert_int_equal(found.number, number);
    assert_int_equal(root.manifest, number);
    assert_int_equal(found.segment_count, segments);
    assert_int_equal(disk_count(rig->disk, "data/segments"), segments);
    taud_manifest_done(&found);
    root.epoch++;
    assert_int_equal(taud_root_write(rig->backend, &root, NULL), TAU_STATUS_SUCCESS);
    assert_int_equal(start(rig, &found, &lost), TAU_STATUS_SUCCESS); // as if nothing had been
    assert_false(lost);
    assert_int_equal(found.number, number);
    taud_manifest_done(&found);
}

static void without_the_root_the_newest_manifest_counts(void **state)
{
    struct local_rig *rig = *state;
    flip(rig, "catalog", 40);
    expect_lost(rig, 1, 2);
    assert_int_equal(compact(rig), TAU_STATUS_SUCCESS);
    assert_int_equal(put_segment(rig, (struct taud_segment_name){3, 0}), TAU_STATUS_SUCCESS);
    flip(rig, "catalog", 40);
    expect_lost(rig, 2, 1);
    // What nobody names may be all that is left of something.
    assert_true(object_there(rig, "quarantine/segments-0000000000000003-00000000.seg"));
    disk_remove(rig->disk, "data/catalog");
    expect_lost(rig, 2, 1);
}

static void a_manifest_whose_objects_are_gone_does_not_count(void **state)
{
    struct local_rig *rig = *state;
    uint64_t size;
    const uint8_t *bytes = local_rig_file(rig, "manifests/0000000000000001.man", &size);
    uint8_t first[2 * 4096];
    memcpy(first, bytes, size);
    assert_int_equal(compact(rig), TAU_STATUS_SUCCESS);
    local_rig_put(rig, "manifests/0000000000000001.man", first, size);
    flip(rig, "catalog", 40);
    disk_truncate(rig->disk, "data/segments/0000000000000001-00000001.seg", 99);
    expect_lost(rig, 0, 0); // neither 2, whose segment is short, nor 1, whose segments are removed
    assert_int_equal(disk_count(rig->disk, "data/quarantine"), 5); // all of it, and the root
}

static void a_manifest_under_the_name_of_another_is_damaged(void **state)
{
    struct local_rig *rig = *state;
    struct taud_manifest found;
    enum taud_manifest_fault fault = TAUD_MANIFEST_NO_FAULT;
    uint64_t size;
    const uint8_t *bytes = local_rig_file(rig, "manifests/0000000000000001.man", &size);
    local_rig_put(rig, "manifests/0000000000000002.man", bytes, size);
    taud_manifest_init(&found, &rig->memory.table);
    assert_int_equal(taud_manifest_read(rig->backend, 2, &found, &fault, &rig->error),
                     TAU_STATUS_INTERNAL_ERROR);
    assert_int_equal(fault, TAUD_MANIFEST_DAMAGED);
    assert_string_equal(rig->error.text, "manifests/0000000000000002.man is damaged");
    assert_int_equal(taud_manifest_read(rig->backend, 3, &found, &fault, &rig->error),
                     TAU_STATUS_INTERNAL_ERROR);
    assert_int_equal(fault, TAUD_MANIFEST_MISSING);
    assert_int_equal(found.segment_count, 0);
}

static void a_damaged_manifest_gives_way_to_the_one_before(void **state)
{
    struct local_rig *rig = *state;
    uint64_t size;
    const uint8_t *bytes = local_rig_file(rig, "manifests/0000000000000001.man", &size);
    uint8_t first[2 * 4096];
    memcpy(first, bytes, size);
    struct taud_manifest next;
    assert_true(taud_manifest_copy(&present, &next));
    assert_int_equal(taud_manifest_commit(rig->backend, &root, &next, NULL), TAU_STATUS_SUCCESS);
    taud_manifest_done(&next);
    local_rig_put(rig, "manifests/0000000000000001.man", first, size); // its removal came undone
    local_rig_put(rig, "manifests/0000000000000003.man", first, size); // under another's name
    flip(rig, "manifests/0000000000000002.man", 3);
    struct taud_manifest found;
    bool lost = true;
    assert_int_equal(start(rig, &found, &lost), TAU_STATUS_SUCCESS); // by the other copy
    assert_false(lost);
    taud_manifest_done(&found);
    local_rig_put(rig, "manifests/0000000000000001.man", first, size);
    local_rig_file(rig, "manifests/0000000000000002.man", &size);
    flip(rig, "manifests/0000000000000002.man", size / 2 + 3);
    expect_lost(rig, 1, 2);
    assert_true(object_there(rig, "quarantine/manifests-0000000000000002.man"));
    disk_remove(rig->disk, "data/manifests/0000000000000001.man");
    expect_lost(rig, 0, 0);
    assert_true(object_there(rig, "quarantine/segments-0000000000000001-00000000.seg"));
}

// A root that came back from an earlier time must not have what came after it swept.
static void an_old_root_is_noticed(void **state)
{
    struct local_rig *rig = *state;
    uint64_t size;
    uint8_t old[200];
    const uint8_t *bytes = local_rig_file(rig, "catalog", &size);
    size_t old_size = size;
    memcpy(old, bytes, size);
    struct taud_manifest next;
    for (int i = 0; i < 2; i++) {
        assert_true(taud_manifest_copy(&present, &next));
        assert_int_equal(put_segment(rig, (struct taud_segment_name){3, 0}), TAU_STATUS_SUCCESS);
        name_segment(&next, (struct taud_segment_name){3, 0}, 3);
        assert_int_equal(taud_manifest_commit(rig->backend, &root, &next, NULL),
                         TAU_STATUS_SUCCESS);
        taud_manifest_done(&next);
    }
    local_rig_put(rig, "catalog", old, old_size);
    expect_lost(rig, 3, 3);
}

static void a_later_format_is_refused_untouched(void **state)
{
    struct local_rig *rig = *state;
    struct taud_manifest found;
    bool lost = false;
    uint8_t bytes[152] = {'T', 'A', 'U', 'M', 'A', 'N', '\r', '\n', 2};
    taud_store_u32(bytes + 72, 0);
    for (int named = 0; named < 2; named++) {
        uint32_t crc = 0xffffffff;
        for (size_t i = 0; i < 72; i++) { // CRC-32C, bit by bit
            crc ^= bytes[i];
            for (int bit = 0; bit < 8; bit++)
                crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
        }
        taud_store_u32(bytes + 72, ~crc);
        memcpy(bytes + 76, bytes, 76);
        if (named)
            local_rig_put(rig, "manifests/0000000000000001.man", bytes, sizeof bytes);
        else
            local_rig_put(rig, "manifests/0000000000000009.man", bytes, sizeof bytes);
        uint64_t digest = disk_digest(rig->disk, "");
        assert_int_equal(start(rig, &found, &lost), TAU_STATUS_INTERNAL_ERROR);
        assert_non_null(strstr(rig->error.text, "later format"));
        assert_int_equal(disk_digest(rig->disk, ""), digest);
        disk_remove(rig->disk, "data/manifests/0000000000000009.man");
    }
}

static void an_entry_says_what_the_segment_is(void **state)
{
    (void)state;
    const struct taud_segment_facts facts = {.name = {3, 1},
                                             .last_sequence = 5,
                                             .file_id = 6,
                                             .size = 7,
                                             .index_offset = 8,
                                             .chunk_count = 9,
                                             .point_count = 10,
                                             .series_count = 11,
                                             .first_timestamp = -12,
                                             .last_timestamp = 13};
    const struct taud_manifest_segment entry = taud_manifest_segment_of(&facts);
    assert_int_equal(entry.name.sequence, 3);
    assert_int_equal(entry.name.level, 1);
    assert_int_equal(entry.last_sequence, 5);
    assert_int_equal(entry.size, 7);
    assert_int_equal(entry.chunk_count, 9);
    assert_int_equal(entry.point_count, 10);
    assert_int_equal(entry.first_timestamp, -12);
    assert_int_equal(entry.last_timestamp, 13);
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(what_was_committed_is_found),
        STORE_TEST(what_would_not_be_read_is_not_committed),
        STORE_TEST(what_is_left_over_is_swept),
        cmocka_unit_test(power_may_be_cut_at_any_call),
        cmocka_unit_test(of_a_failure_it_is_told_what_stands),
        cmocka_unit_test(a_disk_that_fails_for_good_leaves_one_of_both),
        STORE_TEST(syncs_that_do_nothing_are_caught),
        cmocka_unit_test(a_start_that_fails_loses_nothing),
        STORE_TEST(without_memory_nothing_changes),
        STORE_TEST(without_the_root_the_newest_manifest_counts),
        STORE_TEST(a_manifest_whose_objects_are_gone_does_not_count),
        STORE_TEST(a_manifest_under_the_name_of_another_is_damaged),
        STORE_TEST(a_damaged_manifest_gives_way_to_the_one_before),
        STORE_TEST(an_old_root_is_noticed),
        STORE_TEST(a_later_format_is_refused_untouched),
        cmocka_unit_test(an_entry_says_what_the_segment_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
