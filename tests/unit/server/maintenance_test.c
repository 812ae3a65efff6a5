// SPDX-License-Identifier: MIT
// A check of directories on the real disk: what it ends with, and that a server keeps it out.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/store/root.h"
#include "maintenance.h"
#include "scratch.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char directory[SCRATCH_PATH_SIZE];
static char *out_text, *message_text;

static enum taud_maintenance_result run_command(enum taud_command_kind kind,
                                                enum taud_command_format format)
{
    const struct taud_command command = {.kind = kind, .format = format, .directory = directory};
    size_t out_size, message_size;
    free(out_text);
    free(message_text);
    FILE *out = open_memstream(&out_text, &out_size);
    FILE *messages = open_memstream(&message_text, &message_size);
    enum taud_maintenance_result result = taud_maintenance_run(&command, out, messages);
    fclose(out);
    fclose(messages);
    return result;
}

static enum taud_maintenance_result run(enum taud_command_format format)
{
    return run_command(TAUD_COMMAND_CHECK, format);
}

static struct taud_backend *open_server(void)
{
    const struct taud_local_options options = {.directory = directory, .file_seed = 1};
    struct taud_backend *backend;
    assert_int_equal(taud_local_backend_new(&options, &backend, NULL), TAU_STATUS_SUCCESS);
    assert_int_equal(backend->open(backend, NULL), TAU_STATUS_SUCCESS);
    struct taud_root root = {.epoch = 1};
    assert_int_equal(taud_root_write(backend, &root, NULL), TAU_STATUS_SUCCESS);
    return backend;
}

static int set_up(void **state)
{
    (void)state;
    scratch_make(directory);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    scratch_remove(directory);
    free(out_text);
    free(message_text);
    out_text = message_text = NULL;
    return 0;
}

static void what_is_no_data_directory_cannot_be_checked(void **state)
{
    (void)state;
    char expected[200];
    assert_int_equal(run(TAUD_COMMAND_TEXT), TAUD_MAINTENANCE_FAILED);
    snprintf(expected, sizeof expected, "taud: %s is no data directory\n", directory);
    assert_string_equal(message_text, expected);
    assert_string_equal(out_text, "");
    assert_int_equal(run(TAUD_COMMAND_JSON), TAUD_MAINTENANCE_FAILED);
    assert_non_null(strstr(out_text, "\"result\": \"unknown\", \"failure\": \"/tmp/"));
}

static void a_server_keeps_it_out(void **state)
{
    (void)state;
    struct taud_backend *server = open_server();
    assert_int_equal(run(TAUD_COMMAND_TEXT), TAUD_MAINTENANCE_FAILED);
    assert_non_null(strstr(message_text, "a server uses the data directory"));
    server->free(server);
    assert_int_equal(run(TAUD_COMMAND_TEXT), TAUD_MAINTENANCE_GOOD);
    assert_non_null(strstr(out_text, "all is good"));
    assert_string_equal(message_text, "");
}

static void damage_is_told(void **state)
{
    (void)state;
    char path[100];
    struct taud_backend *server = open_server();
    server->free(server);
    snprintf(path, sizeof path, "%s/catalog", directory);
    assert_int_equal(truncate(path, 40), 0);
    assert_int_equal(run(TAUD_COMMAND_TEXT), TAUD_MAINTENANCE_DAMAGED);
    assert_non_null(strstr(out_text, "lost     catalog: it is damaged\n"));
    assert_int_equal(run(TAUD_COMMAND_JSON), TAUD_MAINTENANCE_DAMAGED);
    assert_non_null(strstr(out_text, "\"result\": \"damaged\""));
}

static void damage_is_repaired(void **state)
{
    (void)state;
    char path[100];
    assert_int_equal(run_command(TAUD_COMMAND_REPAIR, TAUD_COMMAND_TEXT), TAUD_MAINTENANCE_FAILED);
    assert_non_null(strstr(message_text, "is no data directory")); // and none is made of it
    snprintf(path, sizeof path, "%s/log", directory);
    assert_int_equal(access(path, F_OK), -1);
    struct taud_backend *server = open_server();
    assert_int_equal(run_command(TAUD_COMMAND_REPAIR, TAUD_COMMAND_TEXT), TAUD_MAINTENANCE_FAILED);
    server->free(server);
    assert_int_equal(run_command(TAUD_COMMAND_REPAIR, TAUD_COMMAND_TEXT), TAUD_MAINTENANCE_GOOD);
    assert_null(strstr(out_text, "done"));
    snprintf(path, sizeof path, "%s/catalog", directory);
    assert_int_equal(truncate(path, 40), 0);
    assert_int_equal(run_command(TAUD_COMMAND_REPAIR, TAUD_COMMAND_TEXT), TAUD_MAINTENANCE_GOOD);
    assert_non_null(strstr(out_text, "lost     catalog: it is damaged\n"));
    assert_non_null(strstr(out_text, "done     catalog: written anew\n"));
    assert_non_null(strstr(out_text, "note     quarantine/catalog: "));
    assert_non_null(strstr(out_text, "all is good\n"));
    assert_int_equal(run(TAUD_COMMAND_TEXT), TAUD_MAINTENANCE_GOOD);
}

static void what_cannot_be_written_is_a_failure(void **state)
{
    (void)state;
    struct taud_backend *server = open_server();
    server->free(server);
    const struct taud_command command = {.kind = TAUD_COMMAND_CHECK, .directory = directory};
    FILE *full = fopen("/dev/full", "w");
    if (full == NULL)
        skip();
    assert_int_equal(taud_maintenance_run(&command, full, stderr), TAUD_MAINTENANCE_FAILED);
    fclose(full);
}

#define MAINTENANCE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        MAINTENANCE_TEST(what_is_no_data_directory_cannot_be_checked),
        MAINTENANCE_TEST(a_server_keeps_it_out),
        MAINTENANCE_TEST(damage_is_told),
        MAINTENANCE_TEST(damage_is_repaired),
        MAINTENANCE_TEST(what_cannot_be_written_is_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
