/* SPDX-License-Identifier: MIT */
/*
 * Replies by the server's specification: what is printed of every shape, and that a payload which
 * does not fit is refused by name wherever it is cut or changed.
 */
#include "specification/render.h"
#include "strange.h"

struct bench {
    struct capture capture;
    struct cli_document *document;
    struct cli_render render;
};

static int setup(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    if (bench == NULL) {
        return -1;
    }
    capture_begin(&bench->capture);
    bench->document = strange_document();
    *state = bench;
    return 0;
}

static int teardown(void **state)
{
    struct bench *bench = *state;
    cli_document_free(bench->document);
    capture_end(&bench->capture);
    free(bench);
    return 0;
}

/* Prints a payload from memory that ends where it does. */
static bool print(struct bench *bench, const char *payload, size_t size)
{
    uint8_t *copy = malloc(size + 1);
    assert_non_null(copy);
    memcpy(copy, payload, size);
    bool ok = cli_render_frame(&bench->render, (struct tau_slice){.data = copy, .size = size});
    free(copy);
    return ok;
}

static const char *print_once(struct bench *bench, const char *name, const char *payload,
                              size_t size, bool *ret_ok)
{
    size_t before = bench->capture.out_size;
    cli_render_begin(&bench->render, &bench->capture.cli, cli_document_find(bench->document, name));
    *ret_ok = print(bench, payload, size);
    cli_render_end(&bench->render);
    capture_flush(&bench->capture);
    return bench->capture.out + before;
}

/* A time, an outcome, a count of 2, pairs and sizes, colours. */
#define ANSWER                                                                                     \
    "\1\0\0\0\0\0\0\0\5\7\2"                                                                       \
    "ab\0\0\xff\xff"                                                                               \
    "cdef\0\2"                                                                                     \
    "\0\0\0\0\0\0\0\1\xff\xff\xff\xff\xff\xff\xff\xff"                                             \
    "\7\0\3"

static void test_answer(void **state)
{
    struct bench *bench = *state;
    bool ok;
    const char *out = print_once(bench, "STRANGE", ANSWER, sizeof(ANSWER) - 1, &ok);
    assert_string_equal(out, "at       1970-01-01T00:00:00.000000005Z\n"
                             "outcome  series_not_found\n"
                             "tag   level                  size\n"
                             "ab       -1                     1\n"
                             "cdef      2  18446744073709551615\n"
                             "rest\nblue\nred\n3\n");
    assert_true(ok);
    bench->capture.cli.options.format = CLI_FORMAT_JSONL;
    out = print_once(bench, "STRANGE", "\0\0\0", 3, &ok);
    assert_string_equal(out, "{\"at\": null, \"outcome\": \"success\"}\n");
    assert_true(ok);
}

static void test_stream(void **state)
{
    struct bench *bench = *state;
    bench->capture.cli.options.format = CLI_FORMAT_CSV;
    cli_render_begin(&bench->render, &bench->capture.cli,
                     cli_document_find(bench->document, "FLOW"));
    assert_true(print(bench, "\1\x3f\xf0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 17));
    assert_true(print(bench, "\0", 1));
    assert_true(print(bench, "\0\xbf\xf0\0\0\0\0\0\0", 9));
    cli_render_end(&bench->render);
    capture_flush(&bench->capture);
    assert_string_equal(bench->capture.out, "first,value\ntrue,1\ntrue,0\nfalse,-1\n");
}

static void test_cut_anywhere(void **state)
{
    struct bench *bench = *state;
    const size_t rest = 3; /* colours of one byte each: fewer are right too */
    for (size_t size = 0; size < sizeof(ANSWER) - 1; size++) {
        bool ok;
        print_once(bench, "STRANGE", ANSWER, size, &ok);
        assert_int_equal(ok, size >= sizeof(ANSWER) - 1 - rest);
    }
    assert_non_null(strstr(bench->capture.err, "the answer to STRANGE is not what the server says "
                                               "of it: pairs: it ends too early"));
}

static void expect_refusal(struct bench *bench, const char *name, const char *payload, size_t size,
                           const char *words)
{
    bool ok;
    size_t before = bench->capture.err_size;
    print_once(bench, name, payload, size, &ok);
    assert_false(ok);
    if (strstr(bench->capture.err + before, words) == NULL) {
        fail_msg("said %s instead of %s", bench->capture.err + before, words);
    }
}

static void test_wrong_payloads(void **state)
{
    struct bench *bench = *state;
    expect_refusal(bench, "STRANGE", "\2\0\0", 3, "at: what says whether it is there");
    expect_refusal(bench, "STRANGE", "\0\0\377", 3, "pairs: it ends too early");
    expect_refusal(bench, "FLOW", "\0abc", 4, "values: its last element is cut off");
    char many[3 + 5 * 6 + 5 * 8] = {0, 0, 5};
    expect_refusal(bench, "STRANGE", many, sizeof(many), "sizes: it has more elements");
}

static void test_bytes_behind_the_end(void **state)
{
    struct bench *bench = *state;
    struct cli_spec_payload layout = cli_document_find(bench->document, "FLOW")->response;
    struct cli_spec_value values[CLI_SPEC_FIELD_LIMIT];
    const struct tau_slice payload = {.data = (const uint8_t *)"\1x", .size = 2};
    size_t field;
    layout.field_count = 1;
    assert_non_null(cli_spec_find_values(&layout, payload, values, &field));
    assert_int_equal(field, 1);
    layout.extensible = true; /* a later version may have added something */
    assert_null(cli_spec_find_values(&layout, payload, values, &field));
}

static void test_fields_that_were_added_later(void **state)
{
    struct bench *bench = *state;
    struct cli_spec_field fields[2];
    struct cli_spec_payload layout = cli_document_find(bench->document, "STRANGE")->response;
    struct cli_spec_value values[CLI_SPEC_FIELD_LIMIT];
    const struct tau_slice payload = {.data = (const uint8_t *)"\0\7", .size = 2};
    size_t field;
    memcpy(fields, layout.fields, sizeof(fields));
    layout.fields = fields;
    layout.field_count = 2;
    assert_null(cli_spec_find_values(&layout, payload, values, &field));
    assert_true(values[1].present);
    const struct tau_slice older = {.data = payload.data, .size = 1};
    assert_non_null(cli_spec_find_values(&layout, older, values, &field));
    assert_int_equal(field, 1);
    fields[1].late = true;
    assert_null(cli_spec_find_values(&layout, older, values, &field));
    assert_false(values[1].present);
    assert_null(cli_spec_find_values(&layout, payload, values, &field));
    assert_true(values[1].present);
}

/* More columns than a table has are refused, not printed. */
static void test_too_many_columns(void **state)
{
    struct bench *bench = *state;
    struct cli_spec_field fields[CLI_COLUMN_LIMIT + 1];
    struct cli_spec_operation operation = *cli_document_find(bench->document, "FLOW");
    for (size_t i = 0; i < COUNT(fields); i++) {
        fields[i] = operation.response.fields[0];
    }
    operation.response.fields = fields;
    operation.response.field_count = COUNT(fields);
    char payload[COUNT(fields)] = {0};
    cli_render_begin(&bench->render, &bench->capture.cli, &operation);
    assert_false(print(bench, payload, sizeof(payload)));
    cli_render_end(&bench->render);
    capture_flush(&bench->capture);
    assert_non_null(strstr(bench->capture.err, "more than 32 columns"));
    assert_string_equal(bench->capture.out, "");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_answer),
        CASE(test_stream),
        CASE(test_cut_anywhere),
        CASE(test_wrong_payloads),
        CASE(test_bytes_behind_the_end),
        CASE(test_fields_that_were_added_later),
        CASE(test_too_many_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
