// SPDX-License-Identifier: MIT
// The objects of the local backend: one is there entirely or not at all, whichever call fails and
// wherever power is cut; what it says of damage, quarantine, links and names; and that nothing is
// left behind.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "local_rig.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>

static const char before[] = "what was there before", after[] = "what is there afterwards, longer";
static const char object[] = "folder/object-1_a.bin";

static const struct taud_objects_operations *objects_of(struct local_rig *rig)
{
    return rig->backend->objects;
}

static enum tau_status put(struct local_rig *rig, const char *name, const void *data, size_t size)
{
    return objects_of(rig)->put(rig->backend, name, data, size, &rig->error);
}

static struct taud_object *open_object(struct local_rig *rig, const char *name)
{
    struct taud_object *opened = NULL;
    assert_int_equal(objects_of(rig)->open(rig->backend, name, &opened, &rig->error),
                     TAU_STATUS_SUCCESS);
    return opened;
}

// As a file, since the disk may be failing.
static bool holds(struct local_rig *rig, const char *name, const void *data, size_t size)
{
    uint64_t present;
    const uint8_t *bytes = local_rig_file(rig, name, &present);
    return bytes && present == size && memcmp(bytes, data, size) == 0;
}

// Writes an object in two pieces.
static enum tau_status write_in_pieces(struct local_rig *rig, const char *name, const char *data,
                                       size_t size)
{
    const struct taud_objects_operations *objects = objects_of(rig);
    struct taud_object_writer *writer;
    enum tau_status status = objects->begin(rig->backend, name, &writer, &rig->error);
    if (status != TAU_STATUS_SUCCESS)
        return status;
    status = objects->write(writer, data, 5, &rig->error);
    if (status == TAU_STATUS_SUCCESS)
        status = objects->write(writer, data + 5, size - 5, &rig->error);
    if (status == TAU_STATUS_SUCCESS)
        return objects->finish(writer, &rig->error);
    objects->abandon(writer);
    return status;
}

static int setup(void **state)
{
    static struct local_rig rig;
    local_rig_init(&rig, true);
    local_rig_open(&rig);
    *state = &rig;
    return 0;
}

static int teardown(void **state)
{
    local_rig_done(*state);
    return 0;
}

// --- writing ----------------------------------------------------------------------------------

static void an_object_is_stored_and_replaced_whole(void **state)
{
    struct local_rig *rig = *state;
    assert_int_equal(put(rig, object, after, sizeof after), TAU_STATUS_SUCCESS);
    assert_true(holds(rig, object, after, sizeof after));
    assert_int_equal(put(rig, object, before, sizeof before), TAU_STATUS_SUCCESS);
    assert_true(holds(rig, object, before, sizeof before));
    assert_int_equal(put(rig, object, NULL, 0), TAU_STATUS_SUCCESS);
    assert_true(holds(rig, object, "", 0));
    assert_int_equal(disk_count(rig->disk, "data/folder"), 1);
    assert_int_equal(put(rig, "plain", before, sizeof before), TAU_STATUS_SUCCESS);
    assert_true(holds(rig, "plain", before, sizeof before));
    assert_int_equal(disk_count(rig->disk, "data/unfinished"), 0);
}

static void an_object_has_no_name_before_it_is_finished(void **state)
{
    struct local_rig *rig = *state;
    const struct taud_objects_operations *objects = objects_of(rig);
    struct taud_object_writer *first, *second;
    assert_int_equal(objects->begin(rig->backend, object, &first, NULL), TAU_STATUS_SUCCESS);
    assert_int_equal(objects->begin(rig->backend, "folder/other", &second, NULL),
                     TAU_STATUS_SUCCESS);
    assert_int_equal(objects->write(first, after, 10, NULL), TAU_STATUS_SUCCESS);
    assert_int_equal(objects->write(second, before, sizeof before, NULL), TAU_STATUS_SUCCESS);
    assert_int_equal(objects->write(first, after + 10, sizeof after - 10, NULL),
                     TAU_STATUS_SUCCESS);
    assert_int_equal(disk_count(rig->disk, "data/folder"), 0);
    assert_null(open_object(rig, object));
    assert_int_equal(objects->finish(first, NULL), TAU_STATUS_SUCCESS);
    assert_true(holds(rig, object, after, sizeof after));
    objects->abandon(second);
    objects->abandon(NULL);
    assert_int_equal(disk_count(rig->disk, "data/folder"), 1);
    assert_int_equal(disk_count(rig->disk, "data/unfinished"), 0);
}

static void what_failed_once_is_not_finished(void **state)
{
    struct local_rig *rig = *state;
    const struct taud_objects_operations *objects = objects_of(rig);
    struct taud_object_writer *writer;
    assert_int_equal(objects->begin(rig->backend, object, &writer, NULL), TAU_STATUS_SUCCESS);
    disk_set_fault(rig->disk, (struct disk_fault){DISK_FAULT_ERROR, .at = 1, .error = EDQUOT});
    assert_int_equal(objects->write(writer, after, 5, &rig->error), TAU_STATUS_STORAGE_FULL);
    assert_string_equal(rig->error.text,
                        "cannot store folder/object-1_a.bin in data: Disk quota exceeded");
    assert_int_equal(objects->write(writer, after, 5, NULL), TAU_STATUS_STORAGE_FULL);
    assert_int_equal(objects->finish(writer, &rig->error), TAU_STATUS_STORAGE_FULL);
    assert_null(open_object(rig, object));
    assert_int_equal(disk_count(rig->disk, "data/unfinished"), 0);
}

static void a_name_is_of_one_folder_and_plain_letters(void **state)
{
    struct local_rig *rig = *state;
    char longest[TAUD_OBJECT_NAME_MAX + 2];
    memset(longest, 'n', sizeof longest);
    longest[TAUD_OBJECT_NAME_MAX] = '\0';
    assert_int_equal(put(rig, longest, before, 1), TAU_STATUS_SUCCESS);
    longest[TAUD_OBJECT_NAME_MAX] = 'n';
    longest[TAUD_OBJECT_NAME_MAX + 1] = '\0';
    static const char *const bad[] = {"",     "/",    "a/",    "/a",      "a/b/c", "..",
                                      "../a", "a/..", "a/.b",  ".a/b",    "a b",   "a\\b",
                                      "a:b",  "a//b", "a/b\n", "\xc3\xa4"};
    struct taud_object *opened;
    for (size_t i = 0; i <= sizeof bad / sizeof bad[0]; i++) {
        const char *name = i < sizeof bad / sizeof bad[0] ? bad[i] : longest;
        uint64_t digest = disk_digest(rig->disk, "");
        assert_int_equal(put(rig, name, before, 1), TAU_STATUS_INTERNAL_ERROR);
        assert_int_equal(objects_of(rig)->open(rig->backend, name, &opened, NULL),
                         TAU_STATUS_INTERNAL_ERROR);
        assert_int_equal(objects_of(rig)->remove(rig->backend, name, NULL),
                         TAU_STATUS_INTERNAL_ERROR);
        assert_int_equal(objects_of(rig)->quarantine(rig->backend, name, NULL),
                         TAU_STATUS_INTERNAL_ERROR);
        assert_int_equal(objects_of(rig)->link(rig->backend, name, "copy", NULL),
                         TAU_STATUS_INTERNAL_ERROR);
        assert_int_equal(disk_digest(rig->disk, ""), digest);
    }
}

static void what_crashed_writers_left_is_swept(void **state)
{
    struct local_rig *rig = *state;
    const struct taud_objects_operations *objects = objects_of(rig);
    assert_int_equal(objects->sweep(rig->backend, NULL), TAU_STATUS_SUCCESS);
    struct taud_object_writer *writers[3];
    for (int i = 0; i < 3; i++)
        assert_int_equal(objects->begin(rig->backend, object, &writers[i], NULL),
                         TAU_STATUS_SUCCESS);
    assert_int_equal(put(rig, object, before, sizeof before), TAU_STATUS_SUCCESS);
    struct disk *crashed = disk_copy(rig->disk);
    for (int i = 0; i < 3; i++)
        objects->abandon(writers[i]);
    struct disk *old = rig->disk;
    rig->disk = crashed;
    local_rig_renew(rig);
    disk_free(old);
    local_rig_open(rig);
    assert_int_equal(disk_count(rig->disk, "data/unfinished"), 3);
    assert_int_equal(rig->backend->objects->sweep(rig->backend, NULL), TAU_STATUS_SUCCESS);
    assert_int_equal(disk_count(rig->disk, "data/unfinished"), 0);
    assert_true(holds(rig, object, before, sizeof before));
}

// --- reading ----------------------------------------------------------------------------------

static void a_range_is_read_exactly_or_not_at_all(void **state)
{
    struct local_rig *rig = *state;
    const struct taud_objects_operations *objects = objects_of(rig);
    char back[sizeof after];
    assert_int_equal(put(rig, object, after, sizeof after), TAU_STATUS_SUCCESS);
    struct taud_object *opened = open_object(rig, object);
    assert_int_equal(objects->size(opened), sizeof after);
    for (size_t from = 0; from <= sizeof after; from++) {
        size_t size = sizeof after - from;
        assert_int_equal(objects->read(opened, back, size, from, NULL), TAU_STATUS_SUCCESS);
        assert_memory_equal(back, after + from, size);
        assert_int_equal(objects->read(opened, back, size + 1, from, &rig->error),
                         TAU_STATUS_INTERNAL_ERROR);
        assert_string_equal(rig->error.text,
                            "folder/object-1_a.bin in data ends at 33, not behind 34");
    }
    assert_int_equal(objects->remove(rig->backend, object, NULL), TAU_STATUS_SUCCESS);
    assert_null(open_object(rig, object));
    assert_int_equal(objects->read(opened, back, sizeof after, 0, NULL), TAU_STATUS_SUCCESS);
    assert_memory_equal(back, after, sizeof after);
    objects->close(opened);
    objects->close(NULL);
    assert_int_equal(objects->remove(rig->backend, object, NULL), TAU_STATUS_SUCCESS);
}

struct reader {
    const struct taud_objects_operations *objects;
    struct taud_object *opened;
    unsigned wrong;
};

static void *read_often(void *user_data)
{
    struct reader *reader = user_data;
    for (unsigned i = 0; i < 2000; i++) {
        char back[4];
        size_t from = i % (sizeof after - 4);
        enum tau_status status =
            reader->objects->read(reader->opened, back, sizeof back, from, NULL);
        reader->wrong += status != TAU_STATUS_SUCCESS || memcmp(back, after + from, 4) != 0;
    }
    return NULL;
}

static void several_threads_read_one_object(void **state)
{
    struct local_rig *rig = *state;
    assert_int_equal(put(rig, object, after, sizeof after), TAU_STATUS_SUCCESS);
    struct taud_object *opened = open_object(rig, object);
    struct reader readers[4];
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        readers[i] = (struct reader){objects_of(rig), opened, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, read_often, &readers[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(readers[i].wrong, 0);
    }
    objects_of(rig)->close(opened);
}

// --- names ------------------------------------------------------------------------------------

struct listing {
    struct local_rig *rig;
    unsigned names, others;
    bool removes, refuses;
};

static enum tau_status take_name(const char *name, void *user_data)
{
    struct listing *listing = user_data;
    char full[40];
    listing->names++;
    listing->others += strlen(name) != 1 || strchr("abc", name[0]) == NULL;
    snprintf(full, sizeof full, "folder/%.1s", name);
    if (listing->removes)
        assert_int_equal(objects_of(listing->rig)->remove(listing->rig->backend, full, NULL),
                         TAU_STATUS_SUCCESS);
    return listing->refuses ? TAU_STATUS_CANCELLED : TAU_STATUS_SUCCESS;
}

static enum tau_status list(struct listing *listing, const char *folder)
{
    return objects_of(listing->rig)
        ->list(listing->rig->backend, folder, take_name, listing, &listing->rig->error);
}

static void a_folder_names_its_objects(void **state)
{
    struct local_rig *rig = *state;
    struct listing none = {.rig = rig}, all = {.rig = rig}, one = {.rig = rig, .refuses = true};
    struct listing removing = {.rig = rig, .removes = true};
    assert_int_equal(put(rig, "other/d", before, 1), TAU_STATUS_SUCCESS);
    assert_int_equal(put(rig, "folder/a", before, 1), TAU_STATUS_SUCCESS);
    assert_int_equal(put(rig, "folder/b", before, 1), TAU_STATUS_SUCCESS);
    assert_int_equal(put(rig, "folder/c", before, 1), TAU_STATUS_SUCCESS);
    assert_int_equal(list(&none, "nowhere"), TAU_STATUS_SUCCESS);
    assert_int_equal(none.names, 0);
    assert_int_equal(list(&all, "folder"), TAU_STATUS_SUCCESS);
    assert_int_equal(all.names, 3);
    assert_int_equal(all.others, 0);
    assert_int_equal(list(&one, "folder"), TAU_STATUS_CANCELLED);
    assert_int_equal(one.names, 1);
    assert_int_equal(list(&removing, "folder"), TAU_STATUS_SUCCESS);
    assert_int_equal(removing.names, 3);
    assert_int_equal(disk_count(rig->disk, "data/folder"), 0);
}

static void the_damaged_is_kept_under_a_name_of_its_own(void **state)
{
    struct local_rig *rig = *state;
    const struct taud_objects_operations *objects = objects_of(rig);
    static const char *const names[] = {"folder-object-1_a.bin", "folder-object-1_a.bin-2",
                                        "folder-object-1_a.bin-3"};
    char content[] = "content 0";
    for (int i = 0; i < 3; i++) {
        content[8] = (char)('0' + i);
        assert_int_equal(put(rig, object, content, sizeof content), TAU_STATUS_SUCCESS);
        assert_int_equal(objects->quarantine(rig->backend, object, NULL), TAU_STATUS_SUCCESS);
        assert_int_equal(rig->local->quarantined_count, i + 1);
        assert_int_equal(rig->local->quarantined_bytes, (i + 1) * (int)sizeof content);
    }
    assert_int_equal(objects->quarantine(rig->backend, object, &rig->error),
                     TAU_STATUS_INTERNAL_ERROR);
    assert_non_null(strstr(rig->error.text, object));
    assert_int_equal(put(rig, "plain", before, sizeof before), TAU_STATUS_SUCCESS);
    assert_int_equal(objects->quarantine(rig->backend, "plain", NULL), TAU_STATUS_SUCCESS);
    disk_restart(rig->disk, 0);
    for (int i = 0; i < 3; i++) {
        char name[60];
        content[8] = (char)('0' + i);
        snprintf(name, sizeof name, "quarantine/%s", names[i]);
        assert_true(holds(rig, name, content, sizeof content));
    }
    assert_true(holds(rig, "quarantine/plain", before, sizeof before));
    uint64_t size;
    assert_null(local_rig_file(rig, object, &size));
}

static void a_range_of_the_damaged_is_kept_as_a_copy(void **state)
{
    struct local_rig *rig = *state;
    const struct taud_objects_operations *objects = objects_of(rig);
    enum { SIZE = 50000, FROM = 20000, COUNT = 29000 };
    static uint8_t content[SIZE];
    static const char *const names[] = {
        "quarantine/folder-object-1_a.bin-0000004e20-00007148",
        "quarantine/folder-object-1_a.bin-0000004e20-00007148-2"};
    for (size_t i = 0; i < SIZE; i++)
        content[i] = (uint8_t)(i * 7 + i / 251);
    assert_int_equal(objects->preserve(rig->backend, object, 0, 1, &rig->error),
                     TAU_STATUS_INTERNAL_ERROR);
    assert_non_null(strstr(rig->error.text, object));
    assert_int_equal(put(rig, object, content, SIZE), TAU_STATUS_SUCCESS);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(objects->preserve(rig->backend, object, FROM, COUNT, &rig->error),
                         TAU_STATUS_SUCCESS);
        assert_true(holds(rig, names[i], content + FROM, COUNT));
    }
    assert_int_equal(rig->local->quarantined_count, 2);
    assert_int_equal(rig->local->quarantined_bytes, 2 * COUNT);
    assert_true(holds(rig, object, content, SIZE));
    assert_int_equal(objects->preserve(rig->backend, object, SIZE - 1, 2, NULL),
                     TAU_STATUS_INTERNAL_ERROR);
    assert_int_equal(disk_count(rig->disk, "data/quarantine"), 2);
    disk_restart(rig->disk, 0);
    assert_true(holds(rig, names[1], content + FROM, COUNT));
}

static void a_link_is_the_same_object_elsewhere(void **state)
{
    struct local_rig *rig = *state;
    const struct taud_objects_operations *objects = objects_of(rig);
    char far[TAUD_PATH_BYTES];
    memset(far, 'f', sizeof far);
    far[sizeof far - 1] = '\0';
    assert_int_equal(put(rig, object, before, sizeof before), TAU_STATUS_SUCCESS);
    assert_int_equal(put(rig, "plain", after, sizeof after), TAU_STATUS_SUCCESS);
    assert_int_equal(objects->link(rig->backend, object, "copy", NULL), TAU_STATUS_SUCCESS);
    assert_int_equal(objects->link(rig->backend, "plain", "copy", NULL), TAU_STATUS_SUCCESS);
    assert_int_equal(objects->link(rig->backend, object, "copy", &rig->error),
                     TAU_STATUS_INTERNAL_ERROR);
    assert_string_equal(rig->error.text,
                        "cannot link folder/object-1_a.bin into copy in data: File exists");
    assert_int_equal(objects->link(rig->backend, "missing", "copy", &rig->error),
                     TAU_STATUS_INTERNAL_ERROR);
    assert_int_equal(rig->error.os_error, ENOENT);
    assert_int_equal(objects->link(rig->backend, object, far, &rig->error),
                     TAU_STATUS_INTERNAL_ERROR);
    assert_int_equal(rig->error.os_error, ENAMETOOLONG);
    assert_int_equal(objects->remove(rig->backend, object, NULL), TAU_STATUS_SUCCESS);
    disk_restart(rig->disk, 0);
    uint64_t size;
    const uint8_t *copy = disk_file(rig->disk, "copy/folder/object-1_a.bin", &size);
    assert_non_null(copy);
    assert_int_equal(size, sizeof before);
    assert_memory_equal(copy, before, sizeof before);
    assert_non_null(disk_file(rig->disk, "copy/plain", &size));
}

// --- disks that fail --------------------------------------------------------------------------

static void store_before(struct local_rig *rig)
{
    local_rig_open(rig);
    assert_int_equal(put(rig, object, before, sizeof before), TAU_STATUS_SUCCESS);
}

static int run_put(struct local_rig *rig)
{
    return (int)put(rig, object, after, sizeof after);
}

static int run_pieces(struct local_rig *rig)
{
    return (int)write_in_pieces(rig, object, after, sizeof after);
}

static enum tau_status refusal;

static void check_put(struct local_rig *rig, int answer, bool failed)
{
    bool is_after = holds(rig, object, after, sizeof after);
    assert_int_equal(answer, failed ? refusal : TAU_STATUS_SUCCESS);
    assert_true(is_after || (failed && holds(rig, object, before, sizeof before)));
    assert_int_equal(disk_count(rig->disk, "data/folder"), 1);
    assert_int_equal(disk_count(rig->disk, "data/unfinished"), 0); // nothing half done is left
    if (failed)
        assert_non_null(strstr(rig->error.text, object));
}

static void a_call_that_fails_leaves_the_old_object_or_the_new(void **state)
{
    (void)state;
    struct local_rig_trial whole = {store_before, run_put, check_put, .direct = true};
    struct local_rig_trial pieces = {store_before, run_pieces, check_put, .direct = true};
    refusal = TAU_STATUS_INTERNAL_ERROR;
    struct disk_fault fault = {.kind = DISK_FAULT_ERROR, .error = EIO};
    assert_int_equal(local_rig_try_each_call(&whole, fault), 9);
    assert_int_equal(local_rig_try_each_call(&pieces, fault), 10);
    refusal = TAU_STATUS_STORAGE_FULL;
    fault.error = ENOSPC;
    assert_int_equal(local_rig_try_each_call(&whole, fault), 9);
    assert_int_equal(local_rig_try_each_call(&pieces, fault), 10);
}

// From some call on everything fails: what could not be taken back waits for the sweep.
static void check_remains(struct local_rig *rig, int answer, bool failed)
{
    assert_int_equal(answer, failed ? refusal : TAU_STATUS_SUCCESS);
    assert_true(holds(rig, object, after, sizeof after) ||
                (failed && holds(rig, object, before, sizeof before)));
    assert_int_equal(objects_of(rig)->sweep(rig->backend, NULL), TAU_STATUS_SUCCESS);
    assert_int_equal(disk_count(rig->disk, "data/unfinished"), 0);
}

static void a_disk_that_fails_for_good_leaves_the_old_object_or_the_new(void **state)
{
    (void)state;
    struct local_rig_trial trial = {store_before, run_pieces, check_remains, .direct = true};
    refusal = TAU_STATUS_INTERNAL_ERROR;
    struct disk_fault fault = {.kind = DISK_FAULT_ERROR, .error = EIO, .for_good = true};
    local_rig_try_each_call(&trial, fault);
    refusal = TAU_STATUS_STORAGE_FULL;
    fault.error = ENOSPC;
    local_rig_try_each_call(&trial, fault);
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
    struct local_rig_trial trial = {store_before, run_pieces, check_whole, .direct = true};
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
    assert_int_equal(disk_count(rig->disk, "data/folder"), 1);
    assert_int_equal(objects_of(rig)->sweep(rig->backend, NULL), TAU_STATUS_SUCCESS);
    assert_int_equal(disk_count(rig->disk, "data/unfinished"), 0);
}

static void power_may_be_cut_at_any_call(void **state)
{
    (void)state;
    struct local_rig_trial trial = {store_before, run_pieces, check_survives, .direct = true};
    for (power_seed = 0; power_seed < 20; power_seed++)
        local_rig_try_each_call(&trial, (struct disk_fault){.kind = DISK_FAULT_CUT});
}

// --- what goes past the cache -----------------------------------------------------------------

enum { LARGE_BYTES = (80 << 10) + 100 }; // blocks, and a tail that goes through the cache

static _Alignas(TAUD_IO_BLOCK) uint8_t large[LARGE_BYTES];

static int run_large(struct local_rig *rig)
{
    const struct taud_objects_operations *objects = objects_of(rig);
    struct taud_object_writer *writer;
    enum tau_status status = objects->begin(rig->backend, object, &writer, &rig->error);
    for (size_t i = 0; i < LARGE_BYTES; i++)
        large[i] = (uint8_t)(i * 31 >> 4);
    if (status != TAU_STATUS_SUCCESS)
        return (int)status;
    (void)!objects->write(writer, large, LARGE_BYTES, NULL); // finish tells
    return (int)objects->finish(writer, &rig->error);
}

static bool is_large_or_before(struct local_rig *rig, int answer)
{
    return holds(rig, object, large, LARGE_BYTES) ||
           (answer != TAU_STATUS_SUCCESS && holds(rig, object, before, sizeof before));
}

static void check_large(struct local_rig *rig, int answer, bool failed)
{
    assert_true(failed || answer == TAU_STATUS_SUCCESS);
    assert_true(is_large_or_before(rig, answer));
    assert_int_equal(disk_count(rig->disk, "data/unfinished"), 0);
}

static void check_large_after_cut(struct local_rig *rig, int answer, bool failed)
{
    (void)failed;
    disk_restart(rig->disk, power_seed);
    assert_true(is_large_or_before(rig, answer));
}

static void large_pieces_go_past_the_cache_where_that_is_possible(void **state)
{
    (void)state;
    struct local_rig_trial trial = {store_before, run_large, check_large, .direct = false};
    struct disk_fault fault = {.kind = DISK_FAULT_ERROR, .error = EIO};
    unsigned calls = local_rig_try_each_call(&trial, fault);
    trial.direct = true;
    assert_int_equal(local_rig_try_each_call(&trial, fault), calls + 1); // the tail by itself
    fault.error = ENOSPC;
    local_rig_try_each_call(&trial, fault);
    fault.error = EINVAL; // a file system that offers it and cannot
    local_rig_try_each_call(&trial, fault);
    local_rig_try_each_call(&trial, (struct disk_fault){.kind = DISK_FAULT_SHORT});
    trial.check = check_large_after_cut;
    for (power_seed = 0; power_seed < 20; power_seed++)
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

static void large_objects_need_their_sync_too(void **state)
{
    (void)state;
    struct local_rig rig;
    local_rig_init(&rig, true);
    store_before(&rig);
    disk_skip_syncs(rig.disk);
    power_seed = 0;
    int answer = run_large(&rig);
    disk_restart(rig.disk, power_seed);
    assert_false(is_large_or_before(&rig, answer));
    local_rig_done(&rig);
}

static int run_quarantine(struct local_rig *rig)
{
    return (int)objects_of(rig)->quarantine(rig->backend, object, &rig->error);
}

// It is in the one place or in the other, never in none.
static bool is_kept(struct local_rig *rig, int answer)
{
    bool aside = holds(rig, "quarantine/folder-object-1_a.bin", before, sizeof before);
    bool in_place = holds(rig, object, before, sizeof before);
    return aside != in_place && (aside || answer != TAU_STATUS_SUCCESS);
}

static void check_quarantine(struct local_rig *rig, int answer, bool failed)
{
    assert_int_equal(answer, failed ? TAU_STATUS_INTERNAL_ERROR : TAU_STATUS_SUCCESS);
    assert_true(is_kept(rig, answer));
}

static void check_quarantine_after_cut(struct local_rig *rig, int answer, bool failed)
{
    (void)failed;
    disk_restart(rig->disk, power_seed);
    assert_true(is_kept(rig, answer));
}

static void the_damaged_is_never_lost(void **state)
{
    (void)state;
    struct local_rig_trial trial = {store_before, run_quarantine, check_quarantine, .direct = true};
    struct disk_fault fault = {.kind = DISK_FAULT_ERROR, .error = EIO};
    assert_int_equal(local_rig_try_each_call(&trial, fault), 8);
    trial.check = check_quarantine_after_cut;
    for (power_seed = 0; power_seed < 8; power_seed++)
        local_rig_try_each_call(&trial, (struct disk_fault){.kind = DISK_FAULT_CUT});
}

static int run_others(struct local_rig *rig)
{
    const struct taud_objects_operations *objects = objects_of(rig);
    struct taud_object *opened = NULL;
    struct listing listing = {.rig = rig};
    char back[sizeof before];
    enum tau_status status = objects->open(rig->backend, object, &opened, &rig->error);
    if (status == TAU_STATUS_SUCCESS)
        status = objects->read(opened, back, sizeof back, 0, &rig->error);
    objects->close(opened);
    if (status == TAU_STATUS_SUCCESS)
        status = list(&listing, "folder");
    if (status == TAU_STATUS_SUCCESS)
        status = objects->link(rig->backend, object, "copy", &rig->error);
    if (status == TAU_STATUS_SUCCESS)
        status = objects->remove(rig->backend, object, &rig->error);
    return (int)status;
}

static void check_others(struct local_rig *rig, int answer, bool failed)
{
    assert_int_equal(answer, failed ? TAU_STATUS_INTERNAL_ERROR : TAU_STATUS_SUCCESS);
    if (failed) {
        assert_int_equal(rig->error.os_error, EIO);
        assert_true(holds(rig, object, before, sizeof before));
    }
}

static void every_call_that_fails_is_told(void **state)
{
    (void)state;
    struct local_rig_trial trial = {store_before, run_others, check_others, .direct = true};
    struct disk_fault fault = {.kind = DISK_FAULT_ERROR, .error = EIO};
    assert_int_equal(local_rig_try_each_call(&trial, fault), 10);
}

static void without_memory_nothing_is_left_open(void **state)
{
    struct local_rig *rig = *state;
    struct taud_object *opened;
    struct taud_object_writer *writer;
    assert_int_equal(put(rig, object, before, sizeof before), TAU_STATUS_SUCCESS);
    failing_allocator_fail_next(&rig->memory, 1);
    assert_int_equal(objects_of(rig)->open(rig->backend, object, &opened, &rig->error),
                     TAU_STATUS_NO_MEMORY);
    failing_allocator_fail_next(&rig->memory, 1);
    assert_int_equal(objects_of(rig)->begin(rig->backend, object, &writer, &rig->error),
                     TAU_STATUS_NO_MEMORY);
    failing_allocator_fail_next(&rig->memory, 1);
    assert_int_equal(put(rig, object, after, sizeof after), TAU_STATUS_NO_MEMORY);
    assert_true(holds(rig, object, before, sizeof before));
}

#define OBJECTS_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        OBJECTS_TEST(an_object_is_stored_and_replaced_whole),
        OBJECTS_TEST(an_object_has_no_name_before_it_is_finished),
        OBJECTS_TEST(what_failed_once_is_not_finished),
        OBJECTS_TEST(a_name_is_of_one_folder_and_plain_letters),
        OBJECTS_TEST(what_crashed_writers_left_is_swept),
        OBJECTS_TEST(a_range_is_read_exactly_or_not_at_all),
        OBJECTS_TEST(several_threads_read_one_object),
        OBJECTS_TEST(a_folder_names_its_objects),
        OBJECTS_TEST(the_damaged_is_kept_under_a_name_of_its_own),
        OBJECTS_TEST(a_range_of_the_damaged_is_kept_as_a_copy),
        OBJECTS_TEST(a_link_is_the_same_object_elsewhere),
        cmocka_unit_test(a_call_that_fails_leaves_the_old_object_or_the_new),
        cmocka_unit_test(a_disk_that_fails_for_good_leaves_the_old_object_or_the_new),
        cmocka_unit_test(writes_in_parts_make_a_whole_object),
        cmocka_unit_test(power_may_be_cut_at_any_call),
        cmocka_unit_test(large_pieces_go_past_the_cache_where_that_is_possible),
        cmocka_unit_test(syncs_that_do_nothing_are_caught),
        cmocka_unit_test(large_objects_need_their_sync_too),
        cmocka_unit_test(the_damaged_is_never_lost),
        cmocka_unit_test(every_call_that_fails_is_told),
        OBJECTS_TEST(without_memory_nothing_is_left_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
