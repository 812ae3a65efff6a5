// SPDX-License-Identifier: MIT
// Labels are found by identity in whichever object tells them, also beside one that is damaged;
// nothing is read before it is asked for, and without memory nothing is known.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "store_rig.h"

#include "engine/catalog_store.h"
#include "engine/check/names.h"
#include "engine/record.h"
#include "engine/store/manifest_store.h"

#include <stdio.h>
#include <string.h>

enum { OBJECTS = 3, SERIES = 1500 }; // of each, more than room is taken for at first

static struct store_rig rig;
static struct taud_manifest manifest;
static struct taud_series_names names;

// The identities of an object do not ascend, and lie between those of others.
static uint64_t identity_of(unsigned object, unsigned series)
{
    return (uint64_t)(SERIES - series) * OBJECTS + object;
}

static void write_object(unsigned object)
{
    struct taud_catalog_delta delta;
    struct taud_manifest_catalog entry;
    taud_catalog_delta_init(&delta, taud_allocator_system(), 1 << 20);
    for (unsigned i = 0; i < SERIES; i++) {
        uint8_t record[TAUD_RECORD_CREATE_SERIES_BYTES + 1] = {0};
        uint8_t policy[TAUD_RECORD_POLICY_BYTES];
        taud_record_header(record, TAUD_RECORD_CREATE_SERIES, 0, 0);
        taud_store_u64(record + 8, identity_of(object, i));
        snprintf((char *)record + 16, 33, "%u of %u", i, object);
        assert_true(taud_catalog_delta_add(&delta, record, TAUD_RECORD_CREATE_SERIES_BYTES));
        taud_record_policy(policy, identity_of(object, i), 0, 77);
        assert_true(taud_catalog_delta_add(&delta, policy, sizeof policy));
    }
    struct taud_catalog_block *blocks = taud_catalog_delta_take(&delta);
    assert_int_equal(taud_catalog_write(&rig.store, object + 1, blocks, &entry, NULL),
                     TAU_STATUS_SUCCESS);
    taud_catalog_blocks_free(taud_allocator_system(), blocks);
    taud_catalog_delta_done(&delta);
    assert_true(taud_manifest_add_catalog(&manifest, &entry));
}

static int setup(void **state)
{
    (void)state;
    store_rig_init(&rig);
    taud_manifest_init(&manifest, taud_allocator_system());
    for (unsigned i = 0; i < OBJECTS; i++)
        write_object(i);
    taud_series_names_init(&names, &rig.store, &manifest);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    taud_series_names_done(&names);
    taud_manifest_done(&manifest);
    store_rig_done(&rig);
    return 0;
}

static void expect_labels(unsigned object)
{
    for (unsigned i = 0; i < SERIES; i++) {
        char label[33];
        snprintf(label, sizeof label, "%u of %u", i, object);
        const struct tau_label *found = taud_series_names_find(&names, identity_of(object, i));
        assert_non_null(found);
        assert_string_equal((const char *)found->bytes, label);
    }
}

static void each_is_found(void **state)
{
    (void)state;
    for (unsigned i = 0; i < OBJECTS; i++)
        expect_labels(i);
    assert_null(taud_series_names_find(&names, 0));
    assert_null(taud_series_names_find(&names, OBJECTS - 1));
    assert_null(taud_series_names_find(&names, UINT64_MAX));
}

static void they_are_read_once_and_not_before(void **state)
{
    (void)state;
    assert_int_equal(names.room, 0);
    uint64_t calls = disk_calls(rig.local.disk);
    assert_non_null(taud_series_names_find(&names, identity_of(0, 0)));
    assert_true(disk_calls(rig.local.disk) > calls);
    calls = disk_calls(rig.local.disk);
    assert_null(taud_series_names_find(&names, 0));
    assert_int_equal(disk_calls(rig.local.disk), calls);
}

static void what_is_damaged_takes_no_other_along(void **state)
{
    (void)state;
    uint64_t size;
    local_rig_file(&rig.local, "catalogs/0000000000000002.cat", &size)[3] ^= 1;
    expect_labels(0);
    expect_labels(2);
    assert_null(taud_series_names_find(&names, identity_of(1, 5)));
}

static void without_memory_they_are_not_known(void **state)
{
    (void)state;
    bool known = false;
    unsigned failures = 0;
    for (unsigned ahead = 1; !known; ahead++) {
        failing_allocator_fail_next(&rig.local.memory, ahead);
        known = taud_series_names_find(&names, identity_of(2, 0)) != NULL;
        taud_series_names_done(&names);
        taud_series_names_init(&names, &rig.store, &manifest);
        assert_true(ahead < 40);
        failures += !known;
    }
    assert_true(failures >= 2); // the reading of an object, and the names themselves
}

#define NAMES_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        NAMES_TEST(each_is_found),
        NAMES_TEST(they_are_read_once_and_not_before),
        NAMES_TEST(what_is_damaged_takes_no_other_along),
        NAMES_TEST(without_memory_they_are_not_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
