/* SPDX-License-Identifier: MIT
 *
 * Tests of wire/slice.h.
 */
#include "wire/slice.h"

#include "check.h"

static void test_slices(void **state)
{
    (void)state;
    struct tau_slice text = tau_slice_text("series");
    assert_int_equal(text.size, 6);
    assert_true(tau_slice_equal(tau_slice_from(text, 3), tau_slice_text("ies")));
    assert_false(tau_slice_equal(text, tau_slice_text("serieS")));
    assert_false(tau_slice_equal(text, tau_slice_text("serie")));
    assert_int_equal(tau_slice_from(text, 6).size, 0);
    assert_int_equal(tau_slice_from(text, 700).size, 0);
    assert_true(tau_slice_equal(tau_slice_of(NULL, 0), tau_slice_text("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_slices)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
