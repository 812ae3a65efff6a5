// SPDX-License-Identifier: MIT
// The one line about a failed start: its status comes back, errno stands behind it in words, and it
// never grows over its room.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/error.h"

#include <errno.h>
#include <string.h>

enum { ROOM = sizeof((struct taud_error *)0)->text };

// With a word behind it that must stay as it is.
struct guarded {
    struct taud_error error;
    char behind[16];
};

static struct guarded fresh(void)
{
    struct guarded guarded;
    memset(&guarded, 0x7e, sizeof guarded);
    return guarded;
}

static void assert_guarded(const struct guarded *guarded)
{
    for (size_t i = 0; i < sizeof guarded->behind; i++)
        assert_int_equal(guarded->behind[i], 0x7e);
}

static void the_status_comes_back_with_a_line(void **state)
{
    (void)state;
    struct guarded guarded = fresh();
    enum tau_status status =
        taud_error_set(&guarded.error, TAU_STATUS_NO_MEMORY, 0, "%s holds %d", "data", 12);
    assert_int_equal(status, TAU_STATUS_NO_MEMORY);
    assert_int_equal(guarded.error.status, TAU_STATUS_NO_MEMORY);
    assert_int_equal(guarded.error.os_error, 0);
    assert_string_equal(guarded.error.text, "data holds 12");
}

static void errno_becomes_words(void **state)
{
    (void)state;
    struct guarded guarded = fresh();
    assert_int_equal(
        taud_error_set(&guarded.error, TAU_STATUS_STORAGE_FULL, ENOSPC, "cannot write"),
        TAU_STATUS_STORAGE_FULL);
    assert_int_equal(guarded.error.os_error, ENOSPC);
    assert_string_equal(guarded.error.text, "cannot write: No space left on device");
    taud_error_set(&guarded.error, TAU_STATUS_INTERNAL_ERROR, 0, "later");
    assert_int_equal(guarded.error.os_error, 0);
    assert_string_equal(guarded.error.text, "later");
}

static void nobody_has_to_ask(void **state)
{
    (void)state;
    assert_int_equal(taud_error_set(NULL, TAU_STATUS_INTERNAL_ERROR, EIO, "%d", 1),
                     TAU_STATUS_INTERNAL_ERROR);
    assert_int_equal(taud_error_set(NULL, TAU_STATUS_NO_MEMORY, 0, "none"), TAU_STATUS_NO_MEMORY);
}

// Lines of every length around the room, with and without words behind them.
static void a_long_line_is_cut_to_its_room(void **state)
{
    (void)state;
    static const char words[] = ": Input/output error";
    char line[ROOM + 16], whole[ROOM + sizeof line];
    for (size_t length = ROOM - sizeof words - 2; length < sizeof line; length++) {
        memset(line, 'a' + (int)(length % 26), length);
        line[length] = '\0';
        for (int with_words = 0; with_words < 2; with_words++) {
            struct guarded guarded = fresh();
            strcpy(whole, line);
            if (with_words)
                strcat(whole, words);
            if (strlen(whole) >= ROOM)
                whole[ROOM - 1] = '\0';
            taud_error_set(&guarded.error, TAU_STATUS_INTERNAL_ERROR, with_words ? EIO : 0, "%s",
                           line);
            assert_string_equal(guarded.error.text, whole);
            assert_guarded(&guarded);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_status_comes_back_with_a_line),
        cmocka_unit_test(errno_becomes_words),
        cmocka_unit_test(nobody_has_to_ask),
        cmocka_unit_test(a_long_line_is_cut_to_its_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
