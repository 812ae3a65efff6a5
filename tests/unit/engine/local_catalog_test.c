// SPDX-License-Identifier: MIT
// The catalog of the local backend: its bytes are those of FORMAT.md, a record is replaced whole
// and only by who knows the present one, and what is damaged goes into quarantine and counts as
// none.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "local_rig.h"

#include "engine/crc32c.h"

#include <errno.h>

enum { HEADER_BYTES = 32 };

static const char old_content[] = "as it was", new_content[] = "as it is to be";

static enum tau_status swap(struct local_rig *rig, uint64_t expected, const void *data, size_t size)
{
    return rig->backend->catalog->swap(rig->backend, expected, data, size, &rig->error);
}

static enum tau_status read_back(struct local_rig *rig, uint64_t *ret_version, uint8_t *ret_data,
                                 size_t *ret_size)
{
    return rig->backend->catalog->read(rig->backend, ret_version, ret_data, TAUD_CATALOG_BYTES_MAX,
                                       ret_size, &rig->error);
}

static void expect(struct local_rig *rig, uint64_t version, const void *data, size_t size)
{
    uint8_t back[TAUD_CATALOG_BYTES_MAX];
    uint64_t present = 77;
    size_t length = 77;
    assert_int_equal(read_back(rig, &present, back, &length), TAU_STATUS_SUCCESS);
    assert_int_equal(present, version);
    assert_int_equal(length, size);
    assert_memory_equal(back, data, size);
}

// What an inspection says; it changes nothing.
static void expect_inspected(struct local_rig *rig, uint64_t version, bool damaged)
{
    uint8_t back[TAUD_CATALOG_BYTES_MAX];
    uint64_t present = 77, digest = disk_digest(rig->disk, "");
    size_t length = 77;
    bool found = !damaged;
    assert_int_equal(rig->backend->catalog->inspect(rig->backend, &present, back, sizeof back,
                                                    &length, &found, &rig->error),
                     TAU_STATUS_SUCCESS);
    assert_int_equal(present, version);
    assert_int_equal(found, damaged);
    assert_true((length > 0) == (version > 0));
    assert_int_equal(disk_digest(rig->disk, ""), digest);
}

static void open_with_old(struct local_rig *rig)
{
    local_rig_open(rig);
    assert_int_equal(swap(rig, 0, old_content, sizeof old_content), TAU_STATUS_SUCCESS);
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

static void there_is_none_at_first(void **state)
{
    struct local_rig *rig = *state;
    expect_inspected(rig, 0, false);
    expect(rig, 0, "", 0);
    assert_int_equal(rig->local->quarantined_count, 0);
    assert_int_equal(taud_local_catalog_check(rig->local, &rig->error), TAU_STATUS_SUCCESS);
}

static void each_replacement_has_the_next_number(void **state)
{
    struct local_rig *rig = *state;
    uint8_t data[TAUD_CATALOG_BYTES_MAX];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 31);
    static const size_t sizes[] = {1, TAUD_CATALOG_BYTES_MAX, 0, 24, TAUD_CATALOG_BYTES_MAX - 1};
    for (uint64_t i = 0; i < 5; i++) {
        assert_int_equal(swap(rig, i, data, sizes[i]), TAU_STATUS_SUCCESS);
        expect(rig, i + 1, data, sizes[i]);
    }
    assert_int_equal(taud_local_catalog_check(rig->local, &rig->error), TAU_STATUS_SUCCESS);
    local_rig_renew(rig);
    local_rig_open(rig);
    expect(rig, 5, data, TAUD_CATALOG_BYTES_MAX - 1);
}

static void the_file_is_as_the_format_says(void **state)
{
    struct local_rig *rig = *state;
    uint64_t size;
    for (uint64_t version = 0; version < 3; version++)
        assert_int_equal(swap(rig, version, "content", 7), TAU_STATUS_SUCCESS);
    const uint8_t *bytes = local_rig_file(rig, "catalog", &size);
    assert_int_equal(size, HEADER_BYTES + 7);
    assert_memory_equal(bytes, "TAUCAT\r\n\1\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0\7\0\0\0", 28);
    assert_int_equal(taud_load_u32(bytes + 28),
                     taud_crc32c(taud_crc32c(0, bytes, 28), bytes + HEADER_BYTES, 7));
    assert_memory_equal(bytes + HEADER_BYTES, "content", 7);
}

static void only_who_knows_the_present_one_replaces_it(void **state)
{
    struct local_rig *rig = *state;
    assert_int_equal(swap(rig, 1, new_content, sizeof new_content), TAU_STATUS_INTERNAL_ERROR);
    expect(rig, 0, "", 0);
    assert_int_equal(swap(rig, 0, old_content, sizeof old_content), TAU_STATUS_SUCCESS);
    static const uint64_t wrong[] = {0, 2, UINT64_MAX};
    for (size_t i = 0; i < 3; i++) {
        rig->error.text[0] = '\0';
        assert_int_equal(swap(rig, wrong[i], new_content, sizeof new_content),
                         TAU_STATUS_INTERNAL_ERROR);
        assert_non_null(strstr(rig->error.text, "changed by somebody else"));
        expect(rig, 1, old_content, sizeof old_content);
    }
}

static void a_record_has_its_bounds(void **state)
{
    struct local_rig *rig = *state;
    uint8_t data[TAUD_CATALOG_BYTES_MAX + 1] = {1}, back[16];
    uint64_t version = 77;
    size_t size = 77;
    assert_int_equal(swap(rig, 0, data, sizeof data), TAU_STATUS_INTERNAL_ERROR);
    expect(rig, 0, "", 0);
    assert_int_equal(swap(rig, 0, data, 16), TAU_STATUS_SUCCESS);
    assert_int_equal(
        rig->backend->catalog->read(rig->backend, &version, back, 15, &size, &rig->error),
        TAU_STATUS_INTERNAL_ERROR);
    assert_non_null(strstr(rig->error.text, "too large"));
    assert_int_equal(
        rig->backend->catalog->read(rig->backend, &version, back, 16, &size, &rig->error),
        TAU_STATUS_SUCCESS);
    assert_int_equal(size, 16);
}

// --- damage and the future --------------------------------------------------------------------

// The catalog as it is now counts as none, stands in quarantine, and another can take its place.
static void expect_damaged(struct local_rig *rig, const uint8_t *bytes, size_t size)
{
    rig->local->quarantined_count = rig->local->quarantined_bytes = 0;
    local_rig_put(rig, "catalog", bytes, size);
    assert_int_equal(taud_local_catalog_check(rig->local, &rig->error), TAU_STATUS_SUCCESS);
    expect_inspected(rig, 0, true);
    expect(rig, 0, "", 0);
    assert_int_equal(rig->local->quarantined_count, 1);
    assert_int_equal(rig->local->quarantined_bytes, size);
    uint64_t kept;
    const uint8_t *copy = local_rig_file(rig, "quarantine/catalog", &kept);
    assert_non_null(copy);
    assert_int_equal(kept, size);
    assert_memory_equal(copy, bytes, size);
    assert_int_equal(swap(rig, 0, new_content, sizeof new_content), TAU_STATUS_SUCCESS);
    expect(rig, 1, new_content, sizeof new_content);
    expect_inspected(rig, 1, false);
}

static size_t good_catalog(struct local_rig *rig, uint8_t *ret)
{
    uint64_t size;
    assert_int_equal(swap(rig, 0, old_content, sizeof old_content), TAU_STATUS_SUCCESS);
    memcpy(ret, local_rig_file(rig, "catalog", &size), HEADER_BYTES + sizeof old_content);
    return (size_t)size;
}

static void put_checksum(uint8_t *bytes, size_t size)
{
    uint32_t crc = taud_crc32c(0, bytes, 28);
    taud_store_u32(bytes + 28, taud_crc32c(crc, bytes + HEADER_BYTES, size - HEADER_BYTES));
}

static void any_bit_that_differs_is_damage(void **state)
{
    struct local_rig *rig = *state;
    uint8_t bytes[64];
    size_t size = good_catalog(rig, bytes);
    for (size_t bit = 0; bit < size * 8; bit += 3) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        expect_damaged(rig, bytes, size);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void a_file_of_another_length_is_damage(void **state)
{
    struct local_rig *rig = *state;
    uint8_t bytes[HEADER_BYTES + TAUD_CATALOG_BYTES_MAX + 100] = {0};
    size_t size = good_catalog(rig, bytes);
    for (size_t cut = 0; cut < size; cut++)
        expect_damaged(rig, bytes, cut);
    expect_damaged(rig, bytes, size + 1);
    taud_store_u32(bytes + 24, TAUD_CATALOG_BYTES_MAX + 1); // whole, but for its size
    put_checksum(bytes, HEADER_BYTES + TAUD_CATALOG_BYTES_MAX + 1);
    expect_damaged(rig, bytes, HEADER_BYTES + TAUD_CATALOG_BYTES_MAX + 1);
}

static void a_file_of_another_kind_is_damage(void **state)
{
    struct local_rig *rig = *state;
    uint8_t bytes[64];
    size_t size = good_catalog(rig, bytes);
    bytes[5] = 'L';
    put_checksum(bytes, size);
    expect_damaged(rig, bytes, size);
}

static void a_later_version_is_refused_and_not_touched(void **state)
{
    struct local_rig *rig = *state;
    uint8_t bytes[64];
    size_t size = good_catalog(rig, bytes);
    taud_store_u32(bytes + 8, 2);
    put_checksum(bytes, size);
    local_rig_put(rig, "catalog", bytes, size);
    uint64_t digest = disk_digest(rig->disk, "");
    assert_int_equal(taud_local_catalog_check(rig->local, &rig->error), TAU_STATUS_INTERNAL_ERROR);
    assert_string_equal(rig->error.text, "data/catalog is of format 2, this server knows 1; "
                                         "it was not touched");
    assert_int_equal(disk_digest(rig->disk, ""), digest);
    bytes[28] ^= 1; // then nobody knows what it is
    expect_damaged(rig, bytes, size);
}

// --- disks that fail --------------------------------------------------------------------------

static int run_swap(struct local_rig *rig)
{
    return (int)swap(rig, 1, new_content, sizeof new_content);
}

static bool holds(struct local_rig *rig, uint64_t version, const char *content, size_t size)
{
    uint8_t back[TAUD_CATALOG_BYTES_MAX];
    uint64_t present;
    size_t length;
    return read_back(rig, &present, back, &length) == TAU_STATUS_SUCCESS && present == version &&
           length == size && memcmp(back, content, size) == 0;
}

static enum tau_status refusal; // of a write; reads fail with INTERNAL_ERROR

static void check_swap(struct local_rig *rig, int answer, bool failed)
{
    bool is_new = holds(rig, 2, new_content, sizeof new_content);
    assert_int_equal(is_new || failed, 1);
    assert_true(is_new || holds(rig, 1, old_content, sizeof old_content));
    if (!failed)
        assert_int_equal(answer, TAU_STATUS_SUCCESS);
    else if (strncmp(rig->error.text, "cannot read", 11) == 0)
        assert_int_equal(answer, TAU_STATUS_INTERNAL_ERROR);
    else
        assert_int_equal(answer, refusal);
    uint64_t size;
    assert_null(local_rig_file(rig, "catalog.tmp", &size));
}

static void a_call_that_fails_leaves_the_old_record_or_the_new(void **state)
{
    (void)state;
    struct local_rig_trial trial = {open_with_old, run_swap, check_swap, .direct = true};
    refusal = TAU_STATUS_INTERNAL_ERROR;
    struct disk_fault fault = {.kind = DISK_FAULT_ERROR, .error = EIO};
    assert_true(local_rig_try_each_call(&trial, fault) >= 8);
    refusal = TAU_STATUS_STORAGE_FULL;
    fault.error = ENOSPC;
    assert_true(local_rig_try_each_call(&trial, fault) >= 8);
    fault.error = EDQUOT;
    assert_true(local_rig_try_each_call(&trial, fault) >= 8);
}

static void make_damaged(struct local_rig *rig)
{
    local_rig_open(rig);
    local_rig_put(rig, "catalog", "nonsense", 8);
}

static int run_read(struct local_rig *rig)
{
    uint8_t back[TAUD_CATALOG_BYTES_MAX];
    uint64_t version;
    size_t size;
    return (int)read_back(rig, &version, back, &size);
}

static void check_read(struct local_rig *rig, int answer, bool failed)
{
    assert_int_equal(answer, failed ? TAU_STATUS_INTERNAL_ERROR : TAU_STATUS_SUCCESS);
    assert_int_equal(rig->local->quarantined_count, failed ? 0 : 1);
    if (failed)
        assert_int_equal(rig->error.os_error, EIO);
}

// A catalog that cannot be read, or not be put aside, is not taken for none.
static void what_cannot_be_read_is_not_none(void **state)
{
    (void)state;
    struct local_rig_trial trial = {make_damaged, run_read, check_read, .direct = true};
    struct disk_fault fault = {.kind = DISK_FAULT_ERROR, .error = EIO};
    assert_true(local_rig_try_each_call(&trial, fault) >= 8);
}

static int run_check(struct local_rig *rig)
{
    return (int)taud_local_catalog_check(rig->local, &rig->error);
}

static void check_check(struct local_rig *rig, int answer, bool failed)
{
    assert_int_equal(answer, failed ? TAU_STATUS_INTERNAL_ERROR : TAU_STATUS_SUCCESS);
    if (failed)
        assert_string_equal(rig->error.text, "cannot read data/catalog: Input/output error");
}

static void a_check_that_cannot_read_fails(void **state)
{
    (void)state;
    struct local_rig_trial trial = {open_with_old, run_check, check_check, .direct = true};
    struct disk_fault fault = {.kind = DISK_FAULT_ERROR, .error = EIO};
    assert_true(local_rig_try_each_call(&trial, fault) >= 2);
}

static uint64_t power_seed;

static bool survives(struct local_rig *rig, int answer)
{
    disk_restart(rig->disk, power_seed);
    return holds(rig, 2, new_content, sizeof new_content) ||
           (answer != TAU_STATUS_SUCCESS && holds(rig, 1, old_content, sizeof old_content));
}

static void check_survives(struct local_rig *rig, int answer, bool failed)
{
    (void)failed;
    assert_true(survives(rig, answer));
}

static void power_may_be_cut_at_any_call(void **state)
{
    (void)state;
    struct local_rig_trial trial = {open_with_old, run_swap, check_survives, .direct = true};
    for (power_seed = 0; power_seed < 12; power_seed++)
        local_rig_try_each_call(&trial, (struct disk_fault){.kind = DISK_FAULT_CUT});
}

// The planted bug.
static void syncs_that_do_nothing_are_caught(void **state)
{
    struct local_rig *rig = *state;
    assert_int_equal(swap(rig, 0, old_content, sizeof old_content), TAU_STATUS_SUCCESS);
    disk_skip_syncs(rig->disk);
    power_seed = 0;
    assert_false(survives(rig, run_swap(rig)));
}

#define CATALOG_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CATALOG_TEST(there_is_none_at_first),
        CATALOG_TEST(each_replacement_has_the_next_number),
        CATALOG_TEST(the_file_is_as_the_format_says),
        CATALOG_TEST(only_who_knows_the_present_one_replaces_it),
        CATALOG_TEST(a_record_has_its_bounds),
        CATALOG_TEST(any_bit_that_differs_is_damage),
        CATALOG_TEST(a_file_of_another_length_is_damage),
        CATALOG_TEST(a_file_of_another_kind_is_damage),
        CATALOG_TEST(a_later_version_is_refused_and_not_touched),
        cmocka_unit_test(a_call_that_fails_leaves_the_old_record_or_the_new),
        cmocka_unit_test(what_cannot_be_read_is_not_none),
        cmocka_unit_test(a_check_that_cannot_read_fails),
        cmocka_unit_test(power_may_be_cut_at_any_call),
        CATALOG_TEST(syncs_that_do_nothing_are_caught),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
