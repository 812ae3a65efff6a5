/* SPDX-License-Identifier: MIT */
/* The pages of a server's specification: the table of operations, and one in full. */
#include "specification/explain.h"
#include "strange.h"
#include "wire/slice.h"

static const char *known(const struct cli *cli, const struct cli_spec_operation *operation)
{
    (void)cli;
    return operation->stream ? "yes" : "no";
}

static void test_list(void **state)
{
    (void)state;
    struct capture capture;
    struct cli_document *document = strange_document();
    capture_begin(&capture);
    cli_explain_list(&capture.cli, document, known);
    capture_flush(&capture);
    assert_string_equal(capture.out, "operation  code  since  known  summary\n"
                                     "STRANGE    0x7A      9  no     Does what nobody knew\n"
                                     "FLOW       0x7B      9  yes    Does what nobody knew\n");
    capture_end(&capture);
    cli_document_free(document);
}

static const char *page_of(struct capture *capture, const struct cli_document *document,
                           const char *name)
{
    size_t before = capture->out_size;
    cli_explain_operation(&capture->cli, document, cli_document_find(document, name), known);
    capture_flush(capture);
    return capture->out + before;
}

static void test_operation(void **state)
{
    static const char *const parts[] = {
        ("STRANGE, opcode 0x7A, since version 9: a read for the role reader, answered by one "
         "frame\n"),
        "known to this tau-cli: no\n\nDoes what nobody knew.\nIt may do more.\n\n",
        "request: 0 to 4194304 bytes\n",
        "request   tag      0       4       tag ",
        "request   level            1 or 3  optional i16 from -5 to 500 ",
        "1 + n   text behind its length in 1 bytes, at most 10 ",
        "n x 6   pair[count], at most 3 ",
        "n       bytes to the end ",
        "response  rest             n x 1   colour[] to the end, at most 4194304 ",
        "\npair, 6 bytes, is made of:\n  tag at 0, tag: First.\n  level at 4, i16: Then.\n",
        "\ncolour is one of these:\n  red (0): As a rose.\n  blue (7): As the sky.\n",
        "\nit may end with:\n  series_not_found: There is none.\n",
        "\ntau-cli call STRANGE tag=tag [level=i16] "};
    (void)state;
    struct capture capture;
    struct cli_document *document = strange_document();
    capture_begin(&capture);
    const char *page = page_of(&capture, document, "STRANGE");
    for (size_t i = 0; i < COUNT(parts); i++) {
        if (strstr(page, parts[i]) == NULL) {
            fail_msg("%s\nis missing in\n%s", parts[i], page);
        }
    }
    assert_non_null(strstr(page_of(&capture, document, "FLOW"), "request: empty\n"));
    capture_end(&capture);
    cli_document_free(document);
}

static void test_enumeration_in_a_struct(void **state)
{
    (void)state;
    struct capture capture;
    char *text = strange_change(strange_text(), "\"type\":\"i16\",\"offset\":4",
                                "\"type\":\"colour\",\"offset\":4");
    text = strange_change(text, "\"values\",\"type\":\"f64\"", "\"values\",\"type\":\"pair\"");
    struct cli_document *document = strange_read(text);
    capture_begin(&capture);
    const char *page = page_of(&capture, document, "FLOW");
    const char *pair = strstr(page, "  tag at 0, tag: First.\n  level at 4, colour: Then.\n");
    assert_non_null(pair);
    assert_non_null(strstr(pair, "\ncolour is one of these:\n  red (0): As a rose.\n"));
    capture_end(&capture);
    cli_document_free(document);
}

static void test_fields_as_csv(void **state)
{
    (void)state;
    struct capture capture;
    struct cli_document *document = strange_document();
    capture_begin(&capture);
    capture.cli.options.format = CLI_FORMAT_CSV;
    assert_string_equal(page_of(&capture, document, "FLOW"),
                        "in,field,offset,bytes,type,doc\n"
                        "response,first,\"\",1,bool,The first.\n"
                        "response,values,\"\",n x 8,\"f64[] to the end, at most 4194304\",The "
                        "values.\n");
    capture_end(&capture);
    cli_document_free(document);
}

/* The first operation is near, the second one is nearer. */
static void test_nearer(void **state)
{
    struct cli_spec_fault fault;
    char *text = strange_text();
    char *flow = strstr(text, "\"FLOW\",\"code\":123");
    char *renamed = malloc(strlen(text) + 64);
    (void)state;
    assert_non_null(flow);
    assert_non_null(renamed);
    sprintf(renamed, "%.*s\"STRONG\"%s", (int)(flow - text), text, flow + strlen("\"FLOW\""));
    struct cli_document *document = cli_document_read(tau_slice_text(renamed), &fault);
    assert_non_null(document);
    assert_string_equal(cli_explain_nearest(document, "stronk")->name, "STRONG");
    assert_string_equal(cli_explain_nearest(document, "strang")->name, "STRANGE");
    cli_document_free(document);
    free(renamed);
    free(text);
}

static void test_nearest(void **state)
{
    (void)state;
    struct cli_document *document = strange_document();
    assert_string_equal(cli_explain_nearest(document, "strnge")->name, "STRANGE");
    assert_string_equal(cli_explain_nearest(document, "FLOWS")->name, "FLOW");
    assert_null(cli_explain_nearest(document, "entirely_else"));
    char endless[1000];
    memset(endless, 'x', sizeof(endless) - 1);
    endless[sizeof(endless) - 1] = '\0';
    assert_null(cli_explain_nearest(document, endless));
    cli_document_free(document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_operation),
        cmocka_unit_test(test_enumeration_in_a_struct),
        cmocka_unit_test(test_fields_as_csv),
        cmocka_unit_test(test_nearest),
        cmocka_unit_test(test_nearer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
