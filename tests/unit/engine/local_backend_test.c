// SPDX-License-Identifier: MIT
// The local backend as a whole: which options it takes, and that one server at a time holds the
// directory.
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
    struct taud_local local = {0};
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

// A second rig on the disk of the first.
static void join(struct local_rig *second, struct local_rig *first)
{
    local_rig_init(second, true);
    disk_free(second->disk);
    second->disk = first->disk;
    local_rig_renew(second);
}

static void who_only_reads_changes_nothing(void **state)
{
    (void)state;
    struct local_rig server, reader, other;
    local_rig_init(&server, true);
    join(&reader, &server);
    join(&other, &server);
    reader.local->read_only = other.local->read_only = true;
    uint64_t digest = disk_digest(server.disk, "");
    assert_int_equal(reader.backend->open(reader.backend, &reader.error),
                     TAU_STATUS_INTERNAL_ERROR);
    assert_string_equal(reader.error.text, "data is no data directory");
    assert_int_equal(disk_digest(server.disk, ""), digest);

    local_rig_open(&server);
    assert_int_equal(reader.backend->open(reader.backend, &reader.error),
                     TAU_STATUS_INTERNAL_ERROR);
    assert_string_equal(reader.error.text, "a server uses the data directory data");
    server.backend->close(server.backend);
    digest = disk_digest(server.disk, "");
    local_rig_open(&reader);
    local_rig_open(&other);
    assert_int_equal(server.backend->open(server.backend, NULL), TAU_STATUS_INTERNAL_ERROR);
    reader.backend->close(reader.backend);
    other.backend->close(other.backend);
    assert_int_equal(disk_digest(server.disk, ""), digest);
    const struct taud_io *io = disk_io(server.disk);
    assert_int_equal(io->unlink(io->context, "data/lock"), 0);
    local_rig_open(&reader); // as on a medium that cannot be written to
    reader.backend->free(reader.backend);
    other.backend->free(other.backend);
    local_rig_done(&server);
}

static void one_at_a_time_holds_the_directory(void **state)
{
    (void)state;
    struct local_rig first, second;
    local_rig_init(&first, true);
    join(&second, &first);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_segment_is_whole_blocks_from_16_kib),
        cmocka_unit_test(a_directory_has_a_name_that_fits),
        cmocka_unit_test(making_one_takes_memory_only),
        cmocka_unit_test(paths_stand_below_the_directory),
        cmocka_unit_test(opening_makes_the_directories_for_good),
        cmocka_unit_test(one_at_a_time_holds_the_directory),
        cmocka_unit_test(who_only_reads_changes_nothing),
        cmocka_unit_test(a_failed_open_holds_nothing),
        cmocka_unit_test(a_future_format_is_refused_untouched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
