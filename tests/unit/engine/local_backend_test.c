// SPDX-License-Identifier: MIT
// The local backend as a whole: which options it takes, that one server at a time holds the
// directory, and that an object is there entirely or not at all, whichever call fails and wherever
// power is cut.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "local_rig.h"

#include "engine/crc32c.h"

#include <errno.h>
#include <stdio.h>

static enum tau_status try_options(const struct taud_local_options *options,
                                   struct taud_local *ret_local)
{
    struct taud_backend *backend = NULL;
    struct taud_error error = {.text = ""};
    enum tau_status status = taud_local_backend_new(options, &backend, &error);
    if (status != TAU_STATUS_SUCCESS) {
        assert_null(backend);
        assert_int_equal(error.status, status);
        assert_true(error.text[0] != '\0');
        return status;
    }
    *ret_local = *taud_local_of(backend);
    backend->free(backend);
    return status;
}

static void a_segment_is_whole_blocks_from_16_kib(void **state)
{
    (void)state;
    static const struct {
        uint64_t given, used; // 0: refused
    } sizes[] = {
        {0, 64 << 20},
        {16 << 10, 16 << 10},
        {20 << 10, 20 << 10},
        {4096, 0},
        {12 << 10, 0},
        {(16 << 10) + 512, 0},
        {(16 << 10) - 1, 0},
        {UINT64_C(1) << 40, UINT64_C(1) << 40},
        {(UINT64_C(1) << 40) + 4096, 0},
        {UINT64_MAX, 0},
    };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct taud_local_options options = {.directory = "data", .segment_bytes = sizes[i].given};
        struct taud_local local;
        enum tau_status status = try_options(&options, &local);
        assert_int_equal(status, sizes[i].used ? TAU_STATUS_SUCCESS : TAU_STATUS_INVALID_ARGUMENT);
        if (status == TAU_STATUS_SUCCESS)
            assert_int_equal(local.segment_bytes, sizes[i].used);
    }
}

static void a_directory_has_a_name_that_fits(void **state)
{
    (void)state;
    enum { ROOM = sizeof((struct taud_local *)0)->directory };
    char name[ROOM + 1];
    memset(name, 'd', sizeof name);
    struct taud_local local;
    assert_int_equal(try_options(&(struct taud_local_options){0}, &local),
                     TAU_STATUS_INVALID_ARGUMENT);
    assert_int_equal(try_options(&(struct taud_local_options){.directory = ""}, &local),
                     TAU_STATUS_INVALID_ARGUMENT);
    name[ROOM] = '\0';
    assert_int_equal(try_options(&(struct taud_local_options){.directory = name}, &local),
                     TAU_STATUS_INVALID_ARGUMENT);
    name[ROOM - 1] = '\0';
    assert_int_equal(try_options(&(struct taud_local_options){.directory = name}, &local),
                     TAU_STATUS_SUCCESS);
    assert_string_equal(local.directory, name);
    assert_ptr_equal(local.io, taud_io_posix());
    assert_ptr_equal(local.allocator, taud_allocator_system());
}

static void making_one_takes_memory_only(void **state)
{
    (void)state;
    struct local_rig rig;
    struct failing_allocator memory;
    local_rig_init(&rig, true);
    assert_int_equal(disk_calls(rig.disk), 0);
    failing_allocator_init(&memory, 1, false);
    struct taud_local_options options = {
        .directory = "data", .io = disk_io(rig.disk), .allocator = &memory.table};
    struct taud_local local;
    assert_int_equal(try_options(&options, &local), TAU_STATUS_NO_MEMORY);
    assert_int_equal(try_options(&options, &local), TAU_STATUS_SUCCESS);
    assert_int_equal(atomic_load(&memory.live), 0);
    assert_int_equal(disk_calls(rig.disk), 0);
    local_rig_done(&rig);
}

static void paths_stand_below_the_directory(void **state)
{
    (void)state;
    struct local_rig rig;
    char path[TAUD_PATH_BYTES];
    local_rig_init(&rig, true);
    taud_local_path(rig.local, path, "quarantine/catalog");
    assert_string_equal(path, "data/quarantine/catalog");
    taud_local_segment_path(rig.local, path, 26);
    assert_string_equal(path, "data/log/000000000000001a.log");
    taud_local_segment_path(rig.local, path, UINT64_MAX);
    assert_string_equal(path, "data/log/ffffffffffffffff.log");
    local_rig_done(&rig);
}

// --- the directory and its lock ---------------------------------------------------------------

static void opening_makes_the_directories_for_good(void **state)
{
    (void)state;
    struct local_rig rig;
    local_rig_init(&rig, true);
    rig.local->quarantined_count = rig.local->quarantined_bytes = 9; // of the time before
    local_rig_open(&rig);
    assert_int_equal(rig.local->quarantined_count, 0);
    assert_int_equal(rig.local->quarantined_bytes, 0);
    disk_restart(rig.disk, 0);
    assert_int_equal(disk_count(rig.disk, "data"), 1);
    uint64_t size;
    assert_null(local_rig_file(&rig, "log", &size)); // it is the directory
    local_rig_done(&rig);
}

static void one_at_a_time_holds_the_directory(void **state)
{
    (void)state;
    struct local_rig first, second;
    local_rig_init(&first, true);
    local_rig_init(&second, true);
    disk_free(second.disk);
    second.disk = first.disk;
    local_rig_renew(&second);
    local_rig_open(&first);
    assert_int_equal(second.backend->open(second.backend, &second.error),
                     TAU_STATUS_INTERNAL_ERROR);
    assert_non_null(strstr(second.error.text, "another server uses the data directory data"));
    assert_int_equal(second.error.os_error, 0);
    second.backend->close(second.backend); // which has nothing to give back
    assert_int_equal(second.backend->open(second.backend, NULL), TAU_STATUS_INTERNAL_ERROR);

    first.backend->close(first.backend);
    first.backend->close(first.backend);
    local_rig_open(&second);
    assert_int_equal(first.backend->open(first.backend, &first.error), TAU_STATUS_INTERNAL_ERROR);
    second.backend->free(second.backend);
    local_rig_open(&first);
    local_rig_done(&first);
}

static void prepare_nothing(struct local_rig *rig)
{
    (void)rig;
}

static int run_open(struct local_rig *rig)
{
    return (int)rig->backend->open(rig->backend, &rig->error);
}

static void check_open(struct local_rig *rig, int answer, bool failed)
{
    assert_int_equal(answer, failed ? TAU_STATUS_INTERNAL_ERROR : TAU_STATUS_SUCCESS);
    if (failed) {
        assert_int_equal(rig->error.os_error, EIO);
        local_rig_open(rig); // nothing is still held
    }
}

static void a_failed_open_holds_nothing(void **state)
{
    (void)state;
    struct local_rig_trial trial = {prepare_nothing, run_open, check_open, .direct = true};
    struct disk_fault fault = {.kind = DISK_FAULT_ERROR, .error = EIO};
    assert_true(local_rig_try_each_call(&trial, fault) >= 6);
}

static void a_future_format_is_refused_untouched(void **state)
{
    (void)state;
    struct local_rig rig;
    uint8_t catalog[32] = {'T', 'A', 'U', 'C', 'A', 'T', '\r', '\n', 2};
    taud_store_u32(catalog + 28, taud_crc32c(0, catalog, 28));
    uint8_t segment[TAUD_SEGMENT_HEADER_BYTES];
    taud_segment_header_encode(segment, &(struct taud_segment_header){.sequence = 1});
    segment[8] = 2;
    taud_store_u32(segment + 60, taud_crc32c(0, segment, 60));
    for (int which = 0; which < 2; which++) {
        local_rig_init(&rig, true);
        local_rig_open(&rig);
        rig.backend->close(rig.backend);
        if (which == 0)
            local_rig_put(&rig, "catalog", catalog, sizeof catalog);
        else
            local_rig_put(&rig, "log/0000000000000001.log", segment, sizeof segment);
        uint64_t digest = disk_digest(rig.disk, "");
        for (int again = 0; again < 2; again++) {
            rig.error = (struct taud_error){0};
            assert_int_equal(rig.backend->open(rig.backend, &rig.error), TAU_STATUS_INTERNAL_ERROR);
            assert_non_null(strstr(rig.error.text, "not touched"));
            assert_int_equal(disk_digest(rig.disk, ""), digest);
        }
        local_rig_done(&rig);
    }
}

// --- objects ----------------------------------------------------------------------------------

static const char before[] = "what was there before", after[] = "what is there afterwards, longer";
static const char object[] = "quarantine/object-1_a.bin";

static enum tau_status put(struct local_rig *rig, const char *name, const void *data, size_t size)
{
    return rig->backend->objects->put(rig->backend, name, data, size, &rig->error);
}

static bool holds(struct local_rig *rig, const char *name, const void *data, size_t size)
{
    uint64_t present;
    const uint8_t *bytes = local_rig_file(rig, name, &present);
    return bytes && present == size && memcmp(bytes, data, size) == 0;
}

static void an_object_is_stored_and_replaced_whole(void **state)
{
    (void)state;
    struct local_rig rig;
    local_rig_init(&rig, true);
    local_rig_open(&rig);
    unsigned names = disk_count(rig.disk, "data");
    assert_int_equal(put(&rig, object, after, sizeof after), TAU_STATUS_SUCCESS);
    assert_true(holds(&rig, object, after, sizeof after));
    assert_int_equal(put(&rig, object, before, sizeof before), TAU_STATUS_SUCCESS);
    assert_true(holds(&rig, object, before, sizeof before));
    assert_int_equal(put(&rig, object, NULL, 0), TAU_STATUS_SUCCESS);
    assert_true(holds(&rig, object, "", 0));
    assert_int_equal(disk_count(rig.disk, "data/quarantine"), 1);
    assert_int_equal(put(&rig, "plain", before, sizeof before), TAU_STATUS_SUCCESS);
    assert_true(holds(&rig, "plain", before, sizeof before));
    assert_int_equal(disk_count(rig.disk, "data"), names + 2);
    local_rig_done(&rig);
}

static void store_before(struct local_rig *rig)
{
    local_rig_open(rig);
    assert_int_equal(put(rig, object, before, sizeof before), TAU_STATUS_SUCCESS);
}

static int run_put(struct local_rig *rig)
{
    return (int)put(rig, object, after, sizeof after);
}

static enum tau_status refusal;

static void check_put(struct local_rig *rig, int answer, bool failed)
{
    bool is_after = holds(rig, object, after, sizeof after);
    assert_int_equal(answer, failed ? refusal : TAU_STATUS_SUCCESS);
    assert_true(is_after || (failed && holds(rig, object, before, sizeof before)));
    assert_int_equal(disk_count(rig->disk, "data/quarantine"), 1); // nothing half done is left
    if (failed)
        assert_non_null(strstr(rig->error.text, object));
}

static void a_call_that_fails_leaves_the_old_object_or_the_new(void **state)
{
    (void)state;
    struct local_rig_trial trial = {store_before, run_put, check_put, .direct = true};
    refusal = TAU_STATUS_INTERNAL_ERROR;
    struct disk_fault fault = {.kind = DISK_FAULT_ERROR, .error = EIO};
    assert_int_equal(local_rig_try_each_call(&trial, fault), 8);
    refusal = TAU_STATUS_STORAGE_FULL;
    fault.error = ENOSPC;
    assert_int_equal(local_rig_try_each_call(&trial, fault), 8);
}

static void check_whole(struct local_rig *rig, int answer, bool failed)
{
    (void)failed;
    assert_int_equal(answer, TAU_STATUS_SUCCESS);
    assert_true(holds(rig, object, after, sizeof after));
}

static void writes_in_parts_make_a_whole_object(void **state)
{
    (void)state;
    struct local_rig_trial trial = {store_before, run_put, check_whole, .direct = true};
    local_rig_try_each_call(&trial, (struct disk_fault){.kind = DISK_FAULT_SHORT});
    local_rig_try_each_call(&trial, (struct disk_fault){.kind = DISK_FAULT_ERROR, .error = EINTR});
}

static uint64_t power_seed;

static bool survives(struct local_rig *rig, int answer)
{
    disk_restart(rig->disk, power_seed);
    return holds(rig, object, after, sizeof after) ||
           (answer != TAU_STATUS_SUCCESS && holds(rig, object, before, sizeof before));
}

static void check_survives(struct local_rig *rig, int answer, bool failed)
{
    (void)failed;
    assert_true(survives(rig, answer));
}

static void power_may_be_cut_at_any_call(void **state)
{
    (void)state;
    struct local_rig_trial trial = {store_before, run_put, check_survives, .direct = true};
    for (power_seed = 0; power_seed < 12; power_seed++)
        local_rig_try_each_call(&trial, (struct disk_fault){.kind = DISK_FAULT_CUT});
}

// The planted bug.
static void syncs_that_do_nothing_are_caught(void **state)
{
    (void)state;
    struct local_rig rig;
    local_rig_init(&rig, true);
    store_before(&rig);
    disk_skip_syncs(rig.disk);
    power_seed = 0;
    assert_false(survives(&rig, run_put(&rig)));
    local_rig_done(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_segment_is_whole_blocks_from_16_kib),
        cmocka_unit_test(a_directory_has_a_name_that_fits),
        cmocka_unit_test(making_one_takes_memory_only),
        cmocka_unit_test(paths_stand_below_the_directory),
        cmocka_unit_test(opening_makes_the_directories_for_good),
        cmocka_unit_test(one_at_a_time_holds_the_directory),
        cmocka_unit_test(a_failed_open_holds_nothing),
        cmocka_unit_test(a_future_format_is_refused_untouched),
        cmocka_unit_test(an_object_is_stored_and_replaced_whole),
        cmocka_unit_test(a_call_that_fails_leaves_the_old_object_or_the_new),
        cmocka_unit_test(writes_in_parts_make_a_whole_object),
        cmocka_unit_test(power_may_be_cut_at_any_call),
        cmocka_unit_test(syncs_that_do_nothing_are_caught),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
