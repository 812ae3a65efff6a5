/* SPDX-License-Identifier: MIT */
/* The walk tells every field in its order; nothing of a payload that is wrong; no secret. */
#include "cli_test.h"
#include "decode/fields.h"

struct told {
    char *text;
    size_t size;
    FILE *out;
};

static void on_value(void *user_data, const char *name, const struct cli_cell *cell)
{
    struct told *told = user_data;
    char room[CLI_CELL_TEXT_SIZE];
    struct cli_text text = cli_cell_to_text(cell, CLI_TIME_NS, room);
    fprintf(told->out, "%s=%.*s;", name != NULL ? name : "", (int)text.size, text.data);
}

static void on_word(void *user_data, const char *name, const char *word)
{
    fprintf(((struct told *)user_data)->out, "%s:%s;", name != NULL ? name : "", word);
}

static void on_bytes(void *user_data, const char *name, struct tau_slice bytes)
{
    fprintf(((struct told *)user_data)->out, "%s#%zu;", name, bytes.size);
}

static void on_open_array(void *user_data, const char *name, size_t count)
{
    fprintf(((struct told *)user_data)->out, "%s[%zu ", name, count);
}

static void on_close_array(void *user_data)
{
    fputc(']', ((struct told *)user_data)->out);
}

static void on_open_struct(void *user_data, const char *name)
{
    fprintf(((struct told *)user_data)->out, "%s{", name != NULL ? name : "");
}

static void on_close_struct(void *user_data)
{
    fputc('}', ((struct told *)user_data)->out);
}

/* Walks a payload of a layout and expects words of its fields and of its fault. */
static struct cli_field_result walk_layout(uint8_t opcode, bool reply,
                                           const struct tau_payload_info *layout,
                                           const void *payload, size_t size, const char *wanted)
{
    struct told told = {.text = NULL};
    struct cli_field_result result;
    struct cli_frame frame = {.reply = reply,
                              .header = {.opcode = opcode, .payload_length = (uint32_t)size},
                              .operation = tau_operation_find(opcode),
                              .layout = layout,
                              .readable = true,
                              .payload = {.data = payload, .size = size}};
    struct cli_field_sink sink = {on_value,       on_word,        on_bytes,        on_open_array,
                                  on_close_array, on_open_struct, on_close_struct, 2,
                                  &told};
    told.out = open_memstream(&told.text, &told.size);
    assert_non_null(told.out);
    cli_fields_walk(&frame, &sink, &result);
    fclose(told.out);
    assert_string_equal(told.text, wanted);
    free(told.text);
    return result;
}

static struct cli_field_result walk(uint8_t opcode, bool reply, const char *layout,
                                    const void *payload, size_t size, const char *wanted)
{
    return walk_layout(opcode, reply, layout != NULL ? tau_payload_find(layout) : NULL, payload,
                       size, wanted);
}

static uint8_t room[512];

static size_t encode(const char *layout, const void *value)
{
    struct tau_writer out = tau_writer_over(room, sizeof(room));
    assert_true(tau_payload_find(layout)->encode(value, &out));
    return out.size;
}

static void test_fixed(void **state)
{
    struct tau_append_request request = {.label = label_of("cpu"), .timestamp = -7, .value = 1.5};
    (void)state;
    size_t size = encode("append_request", &request);
    struct cli_field_result result = walk(TAU_OPCODE_APPEND, false, "append_request", room, size,
                                          "label=cpu;timestamp=-7;value=1.5;");
    assert_int_equal(result.status, TAU_STATUS_SUCCESS);
    assert_int_equal(result.extra, 0);
    result = walk(TAU_OPCODE_APPEND, false, "append_request", room, size - 1, "");
    assert_int_equal(result.status, TAU_STATUS_INVALID_PAYLOAD);
    assert_string_equal(result.field, "value");
    assert_int_equal(result.offset, size - 1);
    result = walk(TAU_OPCODE_APPEND, false, "append_request", room, size + 1, "");
    assert_null(result.field);
    assert_int_equal(result.offset, size);
}

static void test_words_and_arrays(void **state)
{
    const struct tau_refused_row rows[] = {
        {1, TAU_STATUS_OUT_OF_ORDER}, {2, (enum tau_status)200}, {3, TAU_STATUS_SUCCESS}};
    struct tau_batch_append_response response = {
        .accepted = 9, .refused_count = 3, .refused = {.data = rows, .count = 3}};
    (void)state;
    size_t size = encode("batch_append_response", &response);
    walk(TAU_OPCODE_OK, true, "batch_append_response", room, size,
         "accepted=9;refused_count=3;refused[3 {row=1;status:out_of_order;}{row=2;status=200;}]");
}

/* The members of an element lie elsewhere on the wire than in C. */
static void test_members_of_elements(void **state)
{
    const struct tau_operation_fingerprint operations[] = {{7, 8}};
    struct tau_negotiate_request request = {
        .features = 1, .operation_count = 1, .operations = {.data = operations, .count = 1}};
    (void)state;
    size_t size = encode("negotiate_request", &request);
    walk(TAU_OPCODE_NEGOTIATE, false, "negotiate_request", room, size,
         "features=1;specification:0000000000000000;client_name=;operation_count=1;"
         "operations[1 {opcode=7;fingerprint:0000000000000008;}]");
}

/* What people know by a name or in hexadecimal digits is shown so. */
static void test_negotiation(void **state)
{
    const struct tau_limit_value limits[] = {{1, 5}, {65535, 6}};
    struct tau_negotiate_response response = {.specification = UINT64_C(0xfedcba9876543210),
                                              .limit_count = 2,
                                              .limits = {.data = limits, .count = 2}};
    (void)state;
    size_t size = encode("negotiate_response", &response);
    walk(TAU_OPCODE_NEGOTIATE, true, "negotiate_response", room, size,
         "features=0;specification:fedcba9876543210;server_name=;limit_count=2;"
         "limits[2 {number:payload_bytes;value=5;}{number=65535;value=6;}]operation_count=0;"
         "operations[0 ]");
}

static void test_optional(void **state)
{
    struct tau_query_latest_response response = {.has_point = true, .point = {5, 2.5}};
    (void)state;
    size_t size = encode("query_latest_response", &response);
    walk(TAU_OPCODE_OK, true, "query_latest_response", room, size, "point{timestamp=5;value=2.5;}");
    response.has_point = false;
    size = encode("query_latest_response", &response);
    walk(TAU_OPCODE_OK, true, "query_latest_response", room, size, "point=;");
}

/* A field that is a struct, whose members lie closer together on the wire than in C. */
static enum tau_status decode_print(struct tau_slice payload, void *value,
                                    struct tau_decode_error *error)
{
    struct tau_operation_fingerprint print = {.opcode = payload.data[0],
                                              .fingerprint = payload.data[8]};
    (void)error;
    memcpy(value, &print, sizeof(print));
    return TAU_STATUS_SUCCESS;
}

static size_t size_of_print(const void *value)
{
    (void)value;
    return 9;
}

static void test_members_of_a_field(void **state)
{
    static const uint8_t payload[9] = {7, 0, 0, 0, 0, 0, 0, 0, 8};
    const struct tau_payload_info *request = tau_payload_find("negotiate_request");
    struct tau_field_info field = request->fields[request->field_count - 1];
    struct tau_payload_info layout = *request;
    (void)state;
    field.shape = TAU_SHAPE_FIXED;
    field.c_offset = 0;
    layout.fields = &field;
    layout.field_count = 1;
    layout.c_size = sizeof(struct tau_operation_fingerprint);
    layout.decode = decode_print;
    layout.size = size_of_print;
    walk_layout(TAU_OPCODE_NEGOTIATE, false, &layout, payload, sizeof(payload),
                "operations{opcode=7;fingerprint:0000000000000008;}");
}

static void test_slices(void **state)
{
    struct tau_list_series_request request = {.prefix = {.data = (const uint8_t *)"ab", .size = 2},
                                              .limit = 3};
    struct tau_err error = {.status = TAU_STATUS_OUT_OF_ORDER,
                            .has_detailed_errors = true,
                            .field = 1,
                            .offset = 32,
                            .text = {.data = (const uint8_t *)"late", .size = 4}};
    (void)state;
    size_t size = encode("list_series_request", &request);
    walk(TAU_OPCODE_LIST_SERIES, false, "list_series_request", room, size,
         "prefix#2;cursor=;limit=3;");
    size = encode("err", &error);
    walk(TAU_OPCODE_ERR, true, "err", room, size,
         "status:out_of_order;field=1;offset=32;text=late;");
    walk(TAU_OPCODE_ERR, true, "err", room, 1, "status:out_of_order;field=;offset=;text=;");
}

static void test_secret(void **state)
{
    (void)state;
    memset(room, 'k', 32);
    walk(TAU_OPCODE_CONNECT, false, "connect_request", room, 32, "certificate:hidden;");
    walk(TAU_OPCODE_CONNECT, false, "connect_request", room, 31, "");
}

static void test_extra_and_empty(void **state)
{
    struct tau_describe_series_request request = {.label = label_of("cpu")};
    (void)state;
    size_t size = encode("describe_series_request", &request);
    assert_int_equal(walk(TAU_OPCODE_DESCRIBE_SERIES, false, "describe_series_request", room,
                          size + 3, "label=cpu;")
                         .extra,
                     3);
    struct cli_field_result result = walk(TAU_OPCODE_DISCONNECT, false, NULL, room, 1, "");
    assert_int_equal(result.status, TAU_STATUS_INVALID_PAYLOAD);
    assert_int_equal(result.offset, 0);
    assert_int_equal(walk(TAU_OPCODE_DISCONNECT, false, NULL, room, 0, "").status,
                     TAU_STATUS_SUCCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fixed),           cmocka_unit_test(test_words_and_arrays),
        cmocka_unit_test(test_optional),        cmocka_unit_test(test_members_of_elements),
        cmocka_unit_test(test_negotiation),
        cmocka_unit_test(test_slices),          cmocka_unit_test(test_secret),
        cmocka_unit_test(test_extra_and_empty), cmocka_unit_test(test_members_of_a_field),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
