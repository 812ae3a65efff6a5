/* SPDX-License-Identifier: MIT */
/* The bounded set of labels. */
#include "cli_test.h"
#include "import/label_set.h"

static struct tau_label numbered(unsigned number)
{
    char text[24];
    snprintf(text, sizeof(text), "series.%u", number);
    return label_of(text);
}

static void test_add(void **state)
{
    struct cli_label_set set;
    struct tau_label zero = {{0}};
    (void)state;
    cli_label_set_init(&set, 100000);
    for (unsigned i = 0; i < 5000; i++) {
        struct tau_label label = numbered(i);
        assert_true(cli_label_set_add(&set, &label));
        assert_false(cli_label_set_add(&set, &label));
    }
    assert_true(cli_label_set_add(&set, &zero));
    assert_false(cli_label_set_add(&set, &zero));
    for (unsigned i = 0; i < 5000; i++) {
        struct tau_label label = numbered(i);
        assert_false(cli_label_set_add(&set, &label));
    }
    assert_int_equal(set.count, 5001);
    cli_label_set_done(&set);
}

static void test_limit(void **state)
{
    struct cli_label_set set;
    (void)state;
    cli_label_set_init(&set, 1000);
    for (unsigned i = 0; i < 10000; i++) {
        struct tau_label label = numbered(i);
        assert_true(cli_label_set_add(&set, &label));
        assert_true(set.count <= 1000);
    }
    assert_true(set.slot_count <= 4096);
    cli_label_set_done(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_add), cmocka_unit_test(test_limit)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
