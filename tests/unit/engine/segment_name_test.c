// SPDX-License-Identifier: MIT
// A segment's name comes back from its text, and no other text is one: what a person put into the
// folder is left alone by whoever looks for segments there.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/store/segment_name.h"

static void a_name_says_sequence_and_level(void **state)
{
    (void)state;
    char text[TAUD_SEGMENT_NAME_BYTES];
    struct taud_segment_name back = {1, 2};
    taud_segment_object_name((struct taud_segment_name){0xabc, 0x12}, text);
    assert_string_equal(text, "segments/0000000000000abc-00000012.seg");
    assert_true(taud_segment_parse_name(text + 9, &back));
    assert_int_equal(back.sequence, 0xabc);
    assert_int_equal(back.level, 0x12);
    taud_segment_object_name((struct taud_segment_name){UINT64_MAX, UINT32_MAX}, text);
    assert_true(taud_segment_parse_name(text + 9, &back));
    assert_int_equal(back.sequence, UINT64_MAX);
    static const char *const bad[] = {"",
                                      "0000000000000abc-00000012",
                                      "abc-00000012.seg",
                                      "0000000000000ABC-00000012.seg",
                                      "0000000000000abc-00000012.segment",
                                      "0000000000000abc-12.seg",
                                      "+000000000000abc-00000012.seg"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(taud_segment_parse_name(bad[i], &back));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_says_sequence_and_level),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
