/* SPDX-License-Identifier: MIT */
/*
 * The reader of a server's specification: what it finds in a good one, each lie that it refuses
 * with words, and that nothing a server sends can harm it.
 */
#include "strange.h"

#include <tau/protocol.h>

static const struct cli_spec_operation *operation_of(const struct cli_document *document,
                                                     const char *name)
{
    const struct cli_spec_operation *operation = cli_document_find(document, name);
    assert_non_null(operation);
    return operation;
}

static void test_operations(void **state)
{
    (void)state;
    struct cli_document *document = strange_document();
    size_t count;
    (void)cli_document_operations(document, &count);
    assert_int_equal(count, 2);
    const struct cli_spec_operation *strange = operation_of(document, "Strange");
    assert_int_equal(strange->code, STRANGE_OPCODE);
    assert_int_equal(strange->reply, 0xF0);
    assert_int_equal(strange->since, 9);
    assert_false(strange->stream || strange->write || strange->session);
    assert_true(operation_of(document, "FLOW")->stream);
    assert_null(cli_document_find(document, "STRANG"));
    assert_string_equal(cli_document_status(document, strange->statuses[0]), "There is none.");
    assert_null(cli_document_status(document, "unheard_of"));
    cli_document_free(document);
    cli_document_free(NULL);
}

static void test_fields(void **state)
{
    (void)state;
    struct cli_document *document = strange_document();
    const struct cli_spec_payload *request = &operation_of(document, "STRANGE")->request;
    assert_int_equal(request->field_count, 9);
    const struct cli_spec_field *fields = request->fields;
    assert_int_equal(fields[0].offset, 0);
    assert_int_equal(fields[1].offset, CLI_SPEC_NONE);
    assert_int_equal(fields[1].minimum, -5);
    assert_int_equal(fields[1].maximum, 500);
    assert_int_equal(fields[2].prefix, 1);
    assert_int_equal(fields[2].max_bytes, 10);
    assert_true(fields[5].is_count);
    assert_int_equal(fields[6].count_from, 5);
    assert_int_equal(fields[7].maximum, 99);
    assert_int_equal(fields[3].type->choice_count, 2);
    assert_int_equal(fields[6].type->members[1].offset, 4);
    assert_true(operation_of(document, "STRANGE")->response.fields[0].type->is_time);
    cli_document_free(document);
}

/* What the real server serves: tests/conformance compares it with what is published. */
static void test_printed_part_is_the_documents(void **state)
{
    (void)state;
    struct cli_document *document = strange_document();
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_true(cli_document_print(document, operation_of(document, "FLOW"), out));
    fclose(out);
    assert_non_null(strstr(text, "\"name\": \"FLOW\""));
    assert_null(strstr(text, "STRANGE"));
    free(text);
    out = open_memstream(&text, &size);
    assert_true(cli_document_print(document, NULL, out));
    fclose(out);
    struct cli_spec_fault fault;
    struct cli_document *again = cli_document_read(strange_slice(text), &fault);
    assert_non_null(again);
    cli_document_free(again);
    free(text);
    cli_document_free(document);
}

/* --- what is refused ------------------------------------------------------------------------- */

/* A copy of a text in which one occurrence of a part is replaced; to be freed. */
static char *replaced(const char *text, const char *old, const char *new)
{
    const char *at = strstr(text, old);
    if (at == NULL) {
        fail_msg("there is no %s", old);
    }
    char *copy = malloc(strlen(text) + strlen(new) + 1);
    assert_non_null(copy);
    sprintf(copy, "%.*s%s%s", (int)(at - text), text, new, at + strlen(old));
    return copy;
}

static const struct lie {
    const char *old;
    const char *new;
    const char *says;
} lies[] = {
    {"\"types\":{", "\"types\":[{", "']' expected"},
    {"\"types\":", "\"typed\":", "types: there are none"},
    {"\"services\":[", "\"serviced\":[", "`services` is no list"},
    {"\"statuses\":[{", "\"stati\":[{", "statuses"},
    {"\"name\":\"success\",\"code\":0", "\"name\":\"success\",\"code\":-1", "`code` is no number"},
    {"\"kind\":\"integer\",\"size\":1", "\"kind\":\"integer\",\"size\":3", "no size of 3"},
    {"\"kind\":\"integer\",\"size\":1", "\"kind\":\"whole\",\"size\":1", "`whole`"},
    {"\"kind\":\"integer\",\"size\":1", "\"kind\":7,\"size\":1", "u8: `kind` is no text"},
    {"\"kind\":\"float\",\"size\":8", "\"kind\":\"float\",\"size\":4", "f64"},
    {"\"size\":6", "\"size\":5", "pair.level: it does not lie in a struct of 5 bytes"},
    {"\"type\":\"i16\",\"offset\":4", "\"type\":\"pair\",\"offset\":0", "pair.level"},
    {"\"type\":\"i16\",\"offset\":4", "\"type\":\"text\",\"offset\":4", "pair.level"},
    {"\"type\":\"i16\",\"offset\":4", "\"type\":\"i15\",\"offset\":4", "there is no type `i15`"},
    {"\"open\":false", "\"open\":0", "colour: `open` is neither true nor false"},
    {"\"name\":\"STRANGE\"", "\"name\":\"STR ANGE\"", "a name is no word"},
    {"\"name\":\"STRANGE\"", "\"name\":\"\\u001b[31m\"", "`name` is no text, or has"},
    {"Does what", "Does\\u0007 what", "`doc` is no text, or has characters that cannot be shown"},
    {"Does what", "Does\\u0085 what", "`doc` is no text, or has characters that cannot be shown"},
    {"Does what", "Does\\u202e what", "`doc` is no text, or has characters that cannot be shown"},
    {"\"role\":\"reader\"", "\"role\":\"reader\\nroot\"", "`role` is no text, or has"},
    {"\"cli\":null", "\"cli\":{\"summary\":\"one\\ntwo\"}", "`summary` is no text, or has"},
    {"\"code\":122", "\"code\":256", "STRANGE: `code` is no number from 0 to 255"},
    {"\"code\":122", "\"code\":\"99999999999999999999\"", "STRANGE: `code`"},
    {"\"code\":122", "\"code\":99999999999999999999", "too big"},
    {"\"code\":122", "\"code\":1.5", "STRANGE: `code`"},
    {"\"kind\":\"unary\"", "\"kind\":\"push\"", "`kind` is `push`"},
    {"\"reply\":\"OK\"", "\"reply\":\"NO\"", "there is no reply `NO`"},
    {"[\"series_not_found\"]", "[7]", "STRANGE: a name is no word"},
    {"\"shape\":\"fixed\"", "\"shape\":\"bent\"", "STRANGE.tag: `shape` is `bent`"},
    {"\"type\":\"tag\",\"shape\":\"fixed\"", "\"type\":\"text\",\"shape\":\"fixed\"",
     "STRANGE.tag: its type `text` cannot lie so"},
    {"\"prefix\":1", "\"prefix\":3", "STRANGE.note: its length"},
    {"\"minimum\":-5", "\"minimum\":\"x\"", "`minimum` is no number"},
    {"\"minimum\":-5", "\"minimum\":\"9223372036854775808\"", "`minimum` is no number"},
    {"\"maximum\":500", "\"maximum\":70000", "`maximum` is no number from 0 to 32767"},
    {"\"count_field\":\"count\"", "\"count_field\":\"colour\"", "names no earlier count"},
    {"\"count_field\":\"count\"", "\"count_field\":\"tail\"", "names no earlier count"},
    {"\"count_field\":\"count\",", "", "STRANGE.pairs: `count_field` does not fit its shape"},
    {"\"fields\":[", "\"fields\":{},\"f\":[", "`request` is no list"},
};

static void test_lies(void **state)
{
    (void)state;
    char *text = strange_text();
    for (size_t i = 0; i < COUNT(lies); i++) {
        struct cli_spec_fault fault = {""};
        char *changed = replaced(text, lies[i].old, lies[i].new);
        struct cli_document *document = cli_document_read(strange_slice(changed), &fault);
        if (document != NULL || strstr(fault.words, lies[i].says) == NULL) {
            fail_msg("%s: was to say %s, says %s", lies[i].new, lies[i].says, fault.words);
        }
        free(changed);
    }
    free(text);
}

/* --- what must not harm ---------------------------------------------------------------------- */

/* Reads it, from memory that ends where the text does; whether it is good is no matter. */
static void survive(const char *text, size_t size)
{
    struct cli_spec_fault fault = {""};
    uint8_t *copy = malloc(size + 1);
    assert_non_null(copy);
    memcpy(copy, text, size);
    struct cli_document *document =
        cli_document_read((struct tau_slice){.data = copy, .size = size}, &fault);
    assert_int_equal(document == NULL, fault.words[0] != '\0');
    cli_document_free(document);
    free(copy);
}

static void test_truncation_anywhere(void **state)
{
    (void)state;
    char *text = strange_text();
    for (size_t size = 0; size < strlen(text); size += 1 + size / 512) {
        struct cli_spec_fault fault = {""};
        assert_null(
            cli_document_read((struct tau_slice){.data = (uint8_t *)text, .size = size}, &fault));
        assert_true(fault.words[0] != '\0');
    }
    free(text);
}

/* Tokens of JSON in the place of others: wrong kinds, huge numbers, nothing. */
static void test_other_values_anywhere(void **state)
{
    (void)state;
    static const char *const values[] = {"null",  "0",  "-1",   "4294967296", "9223372036854775807",
                                         "[]",    "{}", "\"\"", "true",       "1e308",
                                         "[[{}]]"};
    char *text = strange_text();
    size_t size = strlen(text);
    char *changed = malloc(size + 64);
    assert_non_null(changed);
    for (size_t at = 0; at < size; at++) {
        if (text[at] != ':') {
            continue;
        }
        size_t end = at + 1 + strcspn(text + at + 1, ",}]");
        const char *value = values[at % COUNT(values)];
        int length = sprintf(changed, "%.*s%s%s", (int)at + 1, text, value, text + end);
        survive(changed, (size_t)length);
    }
    free(changed);
    free(text);
}

static void test_bytes_anywhere(void **state)
{
    (void)state;
    uint32_t dice = 12345;
    char *text = strange_text();
    size_t size = strlen(text);
    for (unsigned i = 0; i < 3000; i++) {
        char before[4];
        size_t place = 0;
        for (size_t j = 0; j < COUNT(before); j++) {
            dice = dice * 1664525 + 1013904223;
            place = (dice >> 8) % size;
            before[j] = text[place];
            text[place] = "0123456789-\"{}[]:,ex"[(dice >> 3) % 20];
            survive(text, size);
            text[place] = before[j];
        }
    }
    free(text);
}

static void test_depth(void **state)
{
    (void)state;
    enum { DEPTH = 1000000 };
    char *text = malloc(DEPTH);
    assert_non_null(text);
    memset(text, '[', DEPTH);
    survive(text, DEPTH);
    for (size_t i = 0; i + 5 <= DEPTH; i += 5) {
        memcpy(text + i, "{\"a\":", 5);
    }
    survive(text, DEPTH);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_operations),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_printed_part_is_the_documents),
        cmocka_unit_test(test_lies),
        cmocka_unit_test(test_truncation_anywhere),
        cmocka_unit_test(test_other_values_anywhere),
        cmocka_unit_test(test_bytes_anywhere),
        cmocka_unit_test(test_depth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
