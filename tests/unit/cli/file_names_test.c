/* SPDX-License-Identifier: MIT */
/* The names in directories: which are found, in which order, and how they are written. */
#include <sys/stat.h>
#include <unistd.h>

#include "cli_test.h"
#include "terminal/file_names.h"

static char home[] = "/tmp/tau-files-XXXXXX";

/* What was called back, with a blank behind each, and after how many to stop. */
static char found[512];
static size_t left;

static bool note(void *user_data, const char *path)
{
    assert_ptr_equal(user_data, found);
    strcat(found, path);
    strcat(found, " ");
    return --left > 0;
}

static void expect(const char *begin, const char *wanted)
{
    found[0] = '\0';
    left = 100;
    cli_file_names_each(begin, note, found);
    assert_string_equal(found, wanted);
}

static int enter(void **state)
{
    static const char *const files[] = {"bb", "a", "b", "dir/c", ".dot", "dir/.dot"};
    (void)state;
    assert_non_null(mkdtemp(home));
    assert_int_equal(chdir(home), 0);
    assert_int_equal(mkdir("dir", 0700), 0);
    for (size_t i = 0; i < COUNT(files); i++) {
        FILE *file = fopen(files[i], "w");
        assert_non_null(file);
        fclose(file);
    }
    assert_int_equal(symlink("dir", "bridge"), 0);
    assert_int_equal(symlink("nowhere", "broken"), 0);
    return 0;
}

static int leave(void **state)
{
    static const char *const names[] = {"bb",       "a",   "b",      "dir/c",  ".dot",
                                        "dir/.dot", "dir", "bridge", "broken", home};
    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        assert_int_equal(remove(names[i]), 0);
    }
    return 0;
}

static void test_names_begin_as_typed(void **state)
{
    (void)state;
    expect("b", "b bb bridge/ broken ");
    expect("bb", "bb ");
    expect("bbb", "");
    expect("di", "dir/ ");
    expect("dir", "dir/ ");
}

static void test_directories(void **state)
{
    char absolute[64];
    char wanted[64];
    (void)state;
    expect("dir/", "dir/c ");
    expect("bridge/", "bridge/c ");
    expect("./dir/c", "./dir/c ");
    expect("dir/../a", "dir/../a ");
    snprintf(absolute, sizeof(absolute), "%s/a", home);
    snprintf(wanted, sizeof(wanted), "%s/a ", home);
    expect(absolute, wanted);
}

static void test_hidden_names_are_asked_for(void **state)
{
    (void)state;
    expect("", "a b bb bridge/ broken dir/ ");
    expect(".", ".dot ");
    expect("dir/.", "dir/.dot ");
}

static void test_what_cannot_be_read_is_empty(void **state)
{
    (void)state;
    expect("nowhere/", "");
    expect("a/", "");
    expect("broken/", "");
}

static void test_the_callback_ends_the_walk(void **state)
{
    (void)state;
    found[0] = '\0';
    left = 2;
    cli_file_names_each("", note, found);
    assert_string_equal(found, "a b ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_begin_as_typed),
        cmocka_unit_test(test_directories),
        cmocka_unit_test(test_hidden_names_are_asked_for),
        cmocka_unit_test(test_what_cannot_be_read_is_empty),
        cmocka_unit_test(test_the_callback_ends_the_walk),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
