// SPDX-License-Identifier: MIT
// The checksum against the values of RFC 3720, and the fast way against the plain one.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/crc32c.h"

#include <string.h>

static void it_gives_the_published_values(void **state)
{
    (void)state;
    uint8_t bytes[32] = {0};
    assert_int_equal(taud_crc32c(0, "123456789", 9), 0xe3069283);
    assert_int_equal(taud_crc32c(0, bytes, 32), 0x8a9136aa);
    memset(bytes, 0xff, 32);
    assert_int_equal(taud_crc32c(0, bytes, 32), 0x62a8ab43);
}

static void both_ways_agree_at_every_size_and_in_pieces(void **state)
{
    (void)state;
    static uint8_t bytes[10000];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * i >> 3);
    for (size_t size = 0; size < sizeof bytes; size += size < 100 ? 1 : 61) {
        uint32_t whole = taud_crc32c(0, bytes, size);
        assert_int_equal(whole, taud_crc32c_portable(0, bytes, size));
        uint32_t first = taud_crc32c(0, bytes, size / 3);
        assert_int_equal(whole, taud_crc32c(first, bytes + size / 3, size - size / 3));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_gives_the_published_values),
        cmocka_unit_test(both_ways_agree_at_every_size_and_in_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
