/* SPDX-License-Identifier: MIT
 *
 * Tests of wire/columns.c: every count around the width of vectors, every alignment, no byte
 * beside.
 */
#include "wire/columns.h"

#include "check.h"
#include "wire/bytes.h"

enum { MOST = 70, GUARD = 0x5A };

static void fill(uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(i * 37 + 11);
}

static void test_counts_and_alignments(void **state)
{
    (void)state;
    uint8_t from[MOST * 8 + 16], to[MOST * 8 + 16];
    fill(from, sizeof from);
    for (size_t count = 0; count <= MOST; count++) {
        for (size_t shift = 0; shift < 8; shift++) {
            memset(to, GUARD, sizeof to);
            tau_column_swap(to + 8 - shift, from + shift, count);
            for (size_t i = 0; i < count; i++) {
                uint64_t native;
                memcpy(&native, to + 8 - shift + i * 8, sizeof native);
                assert_true(native == tau_load_u64(from + shift + i * 8));
            }
            assert_int_equal(to[7 - shift], GUARD);
            assert_int_equal(to[8 - shift + count * 8], GUARD);
        }
    }
}

static void test_twice_is_identity(void **state)
{
    (void)state;
    uint8_t from[MOST * 8], there[MOST * 8], back[MOST * 8];
    fill(from, sizeof from);
    tau_column_swap(there, from, MOST);
    tau_column_swap(back, there, MOST);
    assert_memory_equal(from, back, sizeof from);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts_and_alignments),
        cmocka_unit_test(test_twice_is_identity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
