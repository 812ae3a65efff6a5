// SPDX-License-Identifier: MIT
// The root comes back as it was written, in the version that its content asks for; one of the first
// version still opens, one of a later version is refused untouched.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "local_rig.h"

#include "engine/store/root.h"

static int setup(void **state)
{
    static struct local_rig rig;
    local_rig_init(&rig, false);
    local_rig_open(&rig);
    *state = &rig;
    return 0;
}

static int teardown(void **state)
{
    local_rig_done(*state);
    return 0;
}

static struct taud_root read_root(struct local_rig *rig)
{
    struct taud_root root = {77, 77, 77, 77};
    assert_int_equal(taud_root_read(rig->backend, &root, &rig->error), TAU_STATUS_SUCCESS);
    return root;
}

static void expect(struct local_rig *rig, struct taud_root expected)
{
    struct taud_root root = read_root(rig), inspected;
    bool damaged = true;
    assert_memory_equal(&root, &expected, sizeof root);
    assert_int_equal(taud_root_inspect(rig->backend, &inspected, &damaged, &rig->error),
                     TAU_STATUS_SUCCESS);
    assert_memory_equal(&inspected, &expected, sizeof root);
    assert_false(damaged);
}

static void there_is_none_at_first(void **state)
{
    expect(*state, (struct taud_root){0});
}

static void it_is_as_the_format_says(void **state)
{
    struct local_rig *rig = *state;
    uint64_t size;
    struct taud_root root = {.epoch = 3, .known_position = 0x400};
    assert_int_equal(taud_root_write(rig->backend, &root, NULL), TAU_STATUS_SUCCESS);
    assert_int_equal(root.version, 1);
    const uint8_t *content = local_rig_file(rig, "catalog", &size) + 32;
    assert_int_equal(size, 32 + 24);
    assert_memory_equal(content, "\1\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0\0\4\0\0\0\0\0\0", 24);
    expect(rig, root);

    root.manifest = 9;
    assert_int_equal(taud_root_write(rig->backend, &root, NULL), TAU_STATUS_SUCCESS);
    content = local_rig_file(rig, "catalog", &size) + 32;
    assert_int_equal(size, 32 + 32);
    assert_memory_equal(content,
                        "\2\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0\0\4\0\0\0\0\0\0\x9\0\0\0\0\0\0\0", 32);
    expect(rig, (struct taud_root){2, 3, 0x400, 9});
}

static void a_damaged_one_is_left_by_an_inspection(void **state)
{
    struct local_rig *rig = *state;
    struct taud_root root = {.epoch = 3, .known_position = 0x400}, inspected;
    uint64_t size;
    bool damaged = false;
    assert_int_equal(taud_root_write(rig->backend, &root, NULL), TAU_STATUS_SUCCESS);
    local_rig_file(rig, "catalog", &size)[40] ^= 1;
    uint64_t digest = disk_digest(rig->disk, "");
    assert_int_equal(taud_root_inspect(rig->backend, &inspected, &damaged, &rig->error),
                     TAU_STATUS_SUCCESS);
    assert_true(damaged);
    assert_int_equal(inspected.version, 0);
    assert_int_equal(disk_digest(rig->disk, ""), digest);
    assert_int_equal(read_root(rig).version, 0); // which keeps a copy
    assert_int_equal(disk_count(rig->disk, "data/quarantine"), 1);
}

static void only_who_read_the_present_one_replaces_it(void **state)
{
    struct local_rig *rig = *state;
    struct taud_root first = {.epoch = 1}, second = {.epoch = 2};
    assert_int_equal(taud_root_write(rig->backend, &first, NULL), TAU_STATUS_SUCCESS);
    assert_int_equal(taud_root_write(rig->backend, &second, &rig->error),
                     TAU_STATUS_INTERNAL_ERROR);
    assert_int_equal(second.version, 0);
    expect(rig, first);
}

static void another_format_is_refused_untouched(void **state)
{
    struct local_rig *rig = *state;
    static const struct {
        const char *content;
        size_t size;
    } contents[] = {{"\3", 40}, {"\0", 32}, {"\2", 31}, {"\1", 23}, {"", 0}};
    for (size_t i = 0; i < sizeof contents / sizeof contents[0]; i++) {
        uint8_t bytes[40] = {0};
        struct taud_root root = {77, 77, 77, 77};
        memcpy(bytes, contents[i].content, 1);
        assert_int_equal(
            rig->backend->catalog->swap(rig->backend, i, bytes, contents[i].size, NULL),
            TAU_STATUS_SUCCESS);
        uint64_t digest = disk_digest(rig->disk, "");
        assert_int_equal(taud_root_read(rig->backend, &root, &rig->error),
                         TAU_STATUS_INTERNAL_ERROR);
        assert_non_null(strstr(rig->error.text, "later format"));
        assert_int_equal(root.version, 77);
        assert_int_equal(disk_digest(rig->disk, ""), digest);
    }
}

#define ROOT_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROOT_TEST(there_is_none_at_first),
        ROOT_TEST(it_is_as_the_format_says),
        ROOT_TEST(a_damaged_one_is_left_by_an_inspection),
        ROOT_TEST(only_who_read_the_present_one_replaces_it),
        ROOT_TEST(another_format_is_refused_untouched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
