/* SPDX-License-Identifier: MIT */
/*
 * Requests from FIELD=VALUE: every shape and kind byte by byte, what may be left out, and each way
 * in which a value is refused by name.
 */
#include "specification/assemble.h"
#include "strange.h"

/* What every request below needs besides what its test is about. */
#define BASE "tag=ab", "note=", "colour=red", "bold=false"

struct bench {
    struct capture capture;
    struct cli_document *document;
    const struct cli_spec_operation *operation;
    struct cli_payload payload;
};

static int setup(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    if (bench == NULL) {
        return -1;
    }
    capture_begin(&bench->capture);
    bench->document = strange_document();
    bench->operation = cli_document_find(bench->document, "STRANGE");
    *state = bench;
    return 0;
}

static int teardown(void **state)
{
    struct bench *bench = *state;
    cli_payload_free(&bench->payload);
    cli_document_free(bench->document);
    capture_end(&bench->capture);
    free(bench);
    return 0;
}

static int assemble(struct bench *bench, const char *const *given, size_t count)
{
    cli_payload_free(&bench->payload);
    int code = cli_assemble(&bench->capture.cli, bench->operation, (char *const *)given, count,
                            &bench->payload);
    capture_flush(&bench->capture);
    return code;
}

static void expect(struct bench *bench, const char *const *given, size_t count,
                   const uint8_t *bytes, size_t size)
{
    if (assemble(bench, given, count) != CLI_OK) {
        fail_msg("%s", bench->capture.err);
    }
    assert_int_equal(bench->payload.size, size);
    assert_memory_equal(bench->payload.data, bytes, size);
}

#define EXPECT(bench, bytes, ...)                                                                  \
    do {                                                                                           \
        const char *const given[] = {__VA_ARGS__};                                                 \
        expect(bench, given, COUNT(given), (const uint8_t *)(bytes), sizeof(bytes) - 1);           \
    } while (0)

/* Complains in exactly these words, behind the program's name, and maybe of what is allowed. */
static void refuse(struct bench *bench, const char *const *given, size_t count, const char *words)
{
    size_t before = bench->capture.err_size;
    int code = assemble(bench, given, count);
    const char *said = bench->capture.err + before;
    if (code != CLI_USAGE || strstr(said, words) == NULL) {
        fail_msg("ended with %d and said %s instead of %s", code, said, words);
    }
}

#define REFUSE(bench, words, ...)                                                                  \
    do {                                                                                           \
        const char *const given[] = {__VA_ARGS__};                                                 \
        refuse(bench, given, COUNT(given), words);                                                 \
    } while (0)

static void test_least(void **state)
{
    EXPECT(*state, "ab\0\0\0\0\0\0\0", BASE);
}

static void test_most(void **state)
{
    EXPECT(*state,
           "a,/d\1\xff\xfb\011o w \xc3\xa9!!!\7\1\2"
           "x\0\0\0\0\1y\0\0\0\xff\xff\0\0\0\143\0\0\0\0"
           "\0\\12",
           "numbers=99,0", "pairs=x/1,y/-1", "bold=true", "tag=a\\x2c\\x2Fd", "level=-5",
           "note=o w \xc3\xa9!!!", "colour=blue", "tail=\\x00\\x5c12");
}

static void test_empty_arrays_and_optional_values(void **state)
{
    EXPECT(*state, "ab\0\0\0\0\0\0\0", BASE, "pairs=", "numbers=", "tail=");
    EXPECT(*state, "ab\0\0\1\1\364\0\0\0\0", BASE, "level=500");
}

static void test_wrong_values(void **state)
{
    struct bench *bench = *state;
    REFUSE(bench, "level: `501` is not a whole number from -5 to 500", BASE, "level=501");
    REFUSE(bench, "level: `-6` is not a whole number from -5 to 500", BASE, "level=-6");
    REFUSE(bench, "level: `` is not a whole number", BASE, "level=");
    REFUSE(bench, "numbers: `100` is not a whole number from 0 to 99", BASE, "numbers=100",
           "pairs=a/1");
    REFUSE(bench, "pairs.level: `32768` is not a whole number from -32768 to 32767", BASE,
           "pairs=a/32768", "numbers=1");
    REFUSE(bench, "tag: `abcde` is not at most 4 bytes", "tag=abcde");
    REFUSE(bench, "tag: `a\\x2` is not at most 4 bytes", "tag=a\\x2");
    REFUSE(bench, "note: 11 bytes are more than the 10 that are allowed", "tag=a",
           "note=12345678901");
    REFUSE(bench, "tail: 9 bytes are more than the 8", BASE, "tail=123456789");
    REFUSE(bench, "tail: `\\n`: a backslash begins \\xHH", BASE, "tail=\\n");
    REFUSE(bench, "bold: `yes` is neither true nor false", "tag=a", "note=", "colour=red",
           "bold=yes");
    REFUSE(bench, "colour: `green` is not allowed; it is one of:\n  red\n  blue\n", "tag=a",
           "note=", "colour=green", "bold=true");
    REFUSE(bench, "colour: `7` is not allowed", "tag=a", "note=", "colour=7", "bold=true");
}

static void test_fewest_elements(void **state)
{
    struct bench *bench = *state;
    cli_document_free(bench->document);
    bench->document = strange_read(
        strange_change(strange_text(), "\"maximum\":3", "\"minimum\":2,\"maximum\":3"));
    bench->operation = cli_document_find(bench->document, "STRANGE");
    REFUSE(bench, "pairs: 1 elements are fewer than the 2 that are needed", BASE, "pairs=a/1",
           "numbers=1");
    REFUSE(bench, "pairs: 0 elements are fewer than the 2 that are needed", BASE);
}

static void test_wrong_fields(void **state)
{
    struct bench *bench = *state;
    REFUSE(bench, "STRANGE has no field `tags`; it takes:\n  tag\n  level\n  note\n", "tags=a");
    REFUSE(bench, "`tag` is not FIELD=VALUE", "tag");
    REFUSE(bench, "count follows from the arrays that it counts", BASE, "count=1");
    REFUSE(bench, "tag is given twice", "tag=a", "tag=b");
    REFUSE(bench, "note is missing: The note.", "tag=a");
    REFUSE(bench, "pairs has 1 elements and numbers has 2: they go together", BASE, "pairs=a/1",
           "numbers=1,2");
    REFUSE(bench, "pairs: 4 elements are more than the 3 that are allowed", BASE,
           "pairs=a/1,a/1,a/1,a/1");
    REFUSE(bench, "pairs.level is missing: Then.", BASE, "pairs=a", "numbers=1");
    REFUSE(bench, "pairs: `3` is too much; it has 2 members", BASE, "pairs=a/2/3", "numbers=1");
    bench->operation = cli_document_find(bench->document, "FLOW");
    REFUSE(bench, "FLOW has no field `a`: it takes none", "a=1");
}

/* Fields that were added later may be left out from the end on, not in the middle. */
static void test_late_fields(void **state)
{
    struct bench *bench = *state;
    struct cli_spec_field fields[3];
    struct cli_spec_operation operation = *bench->operation;
    memcpy(fields, operation.request.fields, sizeof(fields));
    fields[1].shape = CLI_SPEC_FIXED;
    fields[1].late = fields[2].late = true;
    operation.request.fields = fields;
    operation.request.field_count = 3;
    bench->operation = &operation;
    EXPECT(bench, "a\0\0\0", "tag=a");
    EXPECT(bench, "a\0\0\0\0\1", "tag=a", "level=1");
    EXPECT(bench, "a\0\0\0\0\1\1x", "tag=a", "level=1", "note=x");
    REFUSE(bench, "level is missing", "tag=a", "note=x");
}

static void test_usage(void **state)
{
    struct bench *bench = *state;
    cli_assemble_usage(&bench->operation->request, bench->capture.cli.out);
    capture_flush(&bench->capture);
    assert_string_equal(bench->capture.out,
                        " tag=tag [level=i16] note=text colour=colour bold=bool [pairs=pair,...] "
                        "[numbers=u32,...] [tail=bytes]");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_least),
        CASE(test_most),
        CASE(test_empty_arrays_and_optional_values),
        CASE(test_wrong_values),
        CASE(test_fewest_elements),
        CASE(test_wrong_fields),
        CASE(test_late_fields),
        CASE(test_usage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
