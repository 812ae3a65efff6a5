// SPDX-License-Identifier: MIT
// The specification that is served: the generated document, whole, at each request the same bytes.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "service/specification.h"
#include "taud_handlers.h"

static struct tau_slice served(void)
{
    struct taud_context context = {.role = TAU_ROLE_READER};
    struct tau_specification_response response = {{0}};
    assert_int_equal(taud_handle_specification(&context, &response), TAU_STATUS_SUCCESS);
    assert_int_equal(context.log_position, 0); // no reply waits for the disk
    return response.document;
}

static void serves_the_whole_document(void **state)
{
    (void)state;
    static const char begin[] = "{\"name\":\"tau\",\"version\":1,";
    struct tau_slice document = served();
    assert_ptr_equal(document.data, taud_specification);
    assert_true(document.size == taud_specification_size);
    assert_true(document.size > sizeof begin && document.size <= TAU_LIMIT_PAYLOAD_BYTES);
    assert_memory_equal(document.data, begin, sizeof begin - 1);
    assert_int_equal(document.data[document.size - 1], '}');
}

static void is_without_white_space_and_ends(void **state)
{
    (void)state;
    struct tau_slice document = served();
    assert_null(memchr(document.data, '\n', document.size));
    assert_null(memchr(document.data, '\0', document.size));
}

static void describes_itself(void **state)
{
    (void)state;
    static const char name[] = "\"name\":\"SPECIFICATION\",\"code\":7,";
    struct tau_slice document = served();
    assert_non_null(memmem(document.data, document.size, name, sizeof name - 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(serves_the_whole_document),
        cmocka_unit_test(is_without_white_space_and_ends),
        cmocka_unit_test(describes_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
