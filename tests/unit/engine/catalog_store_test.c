// SPDX-License-Identifier: MIT
// The catalog's changes: records wait in blocks, none of them in two, and come back from an object
// as they were; an object that is missing, damaged or of a later version is told, and no damaged
// byte is passed on.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "store_rig.h"

#include "engine/catalog_store.h"
#include "engine/crc32c.h"
#include "engine/store/manifest_store.h"

#include <string.h>

enum { RECORDS = 5000, HEAD = 32, FRAME = 8 };

// Record `number`, 16 to 88 bytes.
static size_t record_of(unsigned number, uint8_t out[88])
{
    size_t size = 16 + number % 10 * 8;
    memset(out, (int)(number % 251), size);
    memcpy(out, &number, sizeof number);
    return size;
}

static void add_records(struct taud_catalog_delta *delta, unsigned first, unsigned count)
{
    uint8_t record[88];
    for (unsigned i = first; i < first + count; i++)
        assert_true(taud_catalog_delta_add(delta, record, record_of(i, record)));
}

struct reading {
    unsigned next; // record
    enum tau_status answer;
};

static enum tau_status take(const uint8_t *records, size_t size, void *user_data)
{
    struct reading *reading = user_data;
    uint8_t expected[88];
    while (size > 0) {
        unsigned number;
        memcpy(&number, records, sizeof number);
        assert_true(number >= reading->next && number < RECORDS); // behind damage some are missing
        size_t one = record_of(number, expected);
        assert_true(one <= size);
        assert_memory_equal(records, expected, one);
        reading->next = number + 1;
        records += one;
        size -= one;
    }
    return reading->answer;
}

struct bench {
    struct store_rig rig;
    struct taud_catalog_delta delta;
    struct taud_manifest_catalog object;
    char name[TAUD_NUMBER_NAME_BYTES + 8];
};

static int set_up(void **state)
{
    struct bench *bench = calloc(1, sizeof *bench);
    store_rig_init(&bench->rig);
    taud_catalog_delta_init(&bench->delta, bench->rig.store.allocator, UINT64_MAX);
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    taud_catalog_delta_done(&bench->delta);
    store_rig_done(&bench->rig);
    free(bench);
    return 0;
}

static void store(struct bench *bench, unsigned records)
{
    add_records(&bench->delta, 0, records);
    assert_int_equal(bench->delta.bytes > 0, records > 0);
    struct taud_catalog_block *blocks = taud_catalog_delta_take(&bench->delta);
    assert_int_equal(bench->delta.bytes, 0);
    for (struct taud_catalog_block *block = blocks; block; block = block->next)
        assert_true(block->used > 0 && block->used <= TAUD_CATALOG_BLOCK_BYTES);
    assert_int_equal(taud_catalog_write(&bench->rig.store, 7, blocks, &bench->object, NULL),
                     TAU_STATUS_SUCCESS);
    assert_int_equal(bench->object.number, 7);
    taud_catalog_blocks_free(bench->rig.store.allocator, blocks);
    strcpy(bench->name, "catalogs/0000000000000007.cat");
}

static uint8_t *bytes_of(struct bench *bench, uint64_t *ret_size)
{
    return local_rig_file(&bench->rig.local, bench->name, ret_size);
}

static enum tau_status read_back(struct bench *bench, struct reading *reading,
                                 enum taud_catalog_fault *fault)
{
    return taud_catalog_read(&bench->rig.store, &bench->object, take, reading, fault,
                             &bench->rig.local.error);
}

static void records_come_back_as_they_were(void **state)
{
    struct bench *bench = *state;
    enum taud_catalog_fault fault;
    struct reading reading = {.next = 0};
    uint64_t size;
    store(bench, RECORDS);
    assert_non_null(bytes_of(bench, &size));
    assert_int_equal(size, bench->object.size);
    assert_int_equal(read_back(bench, &reading, &fault), TAU_STATUS_SUCCESS);
    assert_int_equal(reading.next, RECORDS);
    assert_null(taud_catalog_delta_take(&bench->delta)); // all was taken
    reading = (struct reading){.answer = TAU_STATUS_STORAGE_FULL};
    assert_int_equal(read_back(bench, &reading, &fault), TAU_STATUS_STORAGE_FULL);
    assert_int_equal(fault, TAUD_CATALOG_NO_FAULT);
}

static void nothing_is_an_object_too(void **state)
{
    struct bench *bench = *state;
    enum taud_catalog_fault fault;
    struct reading reading = {.next = 0};
    store(bench, 0);
    assert_int_equal(bench->object.size, HEAD);
    assert_int_equal(read_back(bench, &reading, &fault), TAU_STATUS_SUCCESS);
    assert_int_equal(reading.next, 0);
}

static void no_more_waits_than_may(void **state)
{
    (void)state;
    struct taud_catalog_delta delta;
    uint8_t record[88] = {0};
    taud_catalog_delta_init(&delta, taud_allocator_system(), 32);
    assert_true(taud_catalog_delta_add(&delta, record, 16));
    assert_false(taud_catalog_delta_add(&delta, record, 24));
    assert_true(taud_catalog_delta_add(&delta, record, 16));
    assert_false(taud_catalog_delta_add(&delta, record, 8));
    taud_catalog_delta_done(&delta);
}

// Each bit flipped, and each length.
static void damage_is_told(void **state)
{
    struct bench *bench = *state;
    enum taud_catalog_fault fault;
    uint64_t size;
    store(bench, 40);
    uint8_t *bytes = bytes_of(bench, &size);
    for (uint64_t bit = 0; bit < size * 8; bit++) {
        struct reading reading = {.next = 0};
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(read_back(bench, &reading, &fault), TAU_STATUS_INTERNAL_ERROR);
        assert_int_equal(fault, TAUD_CATALOG_DAMAGED);
        assert_int_equal(reading.next, 0);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_string_equal(bench->rig.local.error.text, "catalogs/0000000000000007.cat is damaged");
    for (uint64_t length = 0; length < size; length += 1 + length / 16) {
        struct reading reading = {.next = 0};
        disk_truncate(bench->rig.local.disk, "data/catalogs/0000000000000007.cat",
                      size - 1 - length);
        assert_int_equal(read_back(bench, &reading, &fault), TAU_STATUS_INTERNAL_ERROR);
        assert_int_equal(fault, TAUD_CATALOG_DAMAGED);
    }
}

// What is behind a damaged block is not lost with it.
static void damage_stays_in_its_block(void **state)
{
    struct bench *bench = *state;
    enum taud_catalog_fault fault;
    struct reading reading = {.next = 0};
    uint64_t size;
    store(bench, RECORDS);
    bytes_of(bench, &size)[HEAD + FRAME + 100] ^= 1;
    assert_int_equal(read_back(bench, &reading, &fault), TAU_STATUS_INTERNAL_ERROR);
    assert_int_equal(fault, TAUD_CATALOG_DAMAGED);
    assert_int_equal(reading.next, RECORDS);
}

static void a_later_version_is_not_damage(void **state)
{
    struct bench *bench = *state;
    enum taud_catalog_fault fault;
    struct reading reading = {.next = 0};
    uint64_t size;
    store(bench, 3);
    uint8_t *bytes = bytes_of(bench, &size);
    bytes[8] = 2;
    uint32_t check = taud_crc32c(taud_crc32c(0, bytes, 12), bytes + 16, HEAD - 16);
    memcpy(bytes + 12, &check, sizeof check);
    assert_int_equal(read_back(bench, &reading, &fault), TAU_STATUS_INTERNAL_ERROR);
    assert_int_equal(fault, TAUD_CATALOG_FUTURE);
    disk_remove(bench->rig.local.disk, "data/catalogs/0000000000000007.cat");
    assert_int_equal(read_back(bench, &reading, &fault), TAU_STATUS_INTERNAL_ERROR);
    assert_int_equal(fault, TAUD_CATALOG_MISSING);
}

static void a_failure_leaves_nothing(void **state)
{
    struct bench *bench = *state;
    struct taud_catalog_block *blocks;
    bool failed = true;
    add_records(&bench->delta, 0, RECORDS);
    blocks = taud_catalog_delta_take(&bench->delta);
    for (uint64_t at = 1; failed; at++) {
        disk_set_fault(bench->rig.local.disk,
                       (struct disk_fault){DISK_FAULT_ERROR, .at = at, .error = ENOSPC});
        enum tau_status status =
            taud_catalog_write(&bench->rig.store, 7, blocks, &bench->object, NULL);
        failed = disk_fault_happened(bench->rig.local.disk);
        assert_true(status == TAU_STATUS_SUCCESS ||
                    disk_count(bench->rig.local.disk, "data/catalogs") == 0);
    }
    taud_catalog_blocks_free(bench->rig.store.allocator, blocks);
}

static void without_memory_it_is_said(void **state)
{
    struct bench *bench = *state;
    enum taud_catalog_fault fault;
    struct reading reading = {.next = 0};
    uint8_t record[88] = {0};
    store(bench, 3);
    failing_allocator_fail_next(&bench->rig.local.memory, 1);
    assert_false(taud_catalog_delta_add(&bench->delta, record, 16));
    failing_allocator_fail_next(&bench->rig.local.memory, 2); // behind that of the object
    assert_int_equal(read_back(bench, &reading, &fault), TAU_STATUS_NO_MEMORY);
    assert_int_equal(fault, TAUD_CATALOG_NO_FAULT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(records_come_back_as_they_were, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_is_an_object_too, set_up, tear_down),
        cmocka_unit_test(no_more_waits_than_may),
        cmocka_unit_test_setup_teardown(damage_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(damage_stays_in_its_block, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_later_version_is_not_damage, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_failure_leaves_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_memory_it_is_said, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
