/* SPDX-License-Identifier: MIT
 *
 * Tests of wire/bytes.h: the order of bytes, any alignment, and values that come back bit for bit.
 */
#include "wire/bytes.h"

#include "check.h"

static void test_order(void **state)
{
    (void)state;
    const uint8_t bytes[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08};
    assert_int_equal(tau_load_u8(bytes), 0x01);
    assert_int_equal(tau_load_u16(bytes), 0x0102);
    assert_int_equal(tau_load_u32(bytes), 0x01020304);
    assert_true(tau_load_u64(bytes) == UINT64_C(0x0102030405060708));
}

static void test_every_alignment(void **state)
{
    (void)state;
    for (size_t shift = 0; shift < 8; shift++) {
        uint8_t room[24] = {0};
        tau_store_u64(room + shift, UINT64_C(0x1122334455667788));
        assert_int_equal(room[shift], 0x11);
        assert_int_equal(room[shift + 7], 0x88);
        assert_true(tau_load_u64(room + shift) == UINT64_C(0x1122334455667788));
        tau_store_u16(room + shift, 0xBEEF);
        tau_store_u32(room + shift + 2, 0xCAFEF00D);
        assert_int_equal(tau_load_u16(room + shift), 0xBEEF);
        assert_int_equal(tau_load_u32(room + shift + 2), 0xCAFEF00D);
    }
}

static void test_signed(void **state)
{
    (void)state;
    const int64_t values[] = {INT64_MIN, -1, 0, 1, INT64_MAX};
    uint8_t room[8];
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        tau_store_i64(room, values[i]);
        assert_true(tau_load_i64(room) == values[i]);
    }
    tau_store_i64(room, -2);
    assert_int_equal(room[0], 0xFF);
    assert_int_equal(room[7], 0xFE);
}

static void test_f64_keeps_every_bit(void **state)
{
    (void)state;
    const uint64_t patterns[] = {
        UINT64_C(0x0000000000000000), UINT64_C(0x8000000000000000), UINT64_C(0x7FF0000000000001),
        UINT64_C(0xFFF8DEADBEEF0001), UINT64_C(0x000FFFFFFFFFFFFF), UINT64_C(0x7FF0000000000000),
    };
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        uint8_t room[8], again[8];
        tau_store_u64(room, patterns[i]);
        tau_store_f64(again, tau_load_f64(room));
        assert_memory_equal(room, again, sizeof room);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_every_alignment),
        cmocka_unit_test(test_signed),
        cmocka_unit_test(test_f64_keeps_every_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
