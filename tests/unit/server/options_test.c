// SPDX-License-Identifier: MIT
// One table, four sources: precedence, bounds, and the line that a wrong value gets.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"

static struct taud_config config;
static struct taud_config_error error;

static enum taud_config_result load(const char *first, const char *second, const char *environment)
{
    char *argv[] = {"taud", (char *)first, (char *)second, NULL};
    char *environ_array[] = {(char *)environment, NULL};
    int argc = first == NULL ? 1 : second == NULL ? 2 : 3;
    taud_config_done(&config);
    return taud_config_load(argc, argv, environ_array, &config, &error);
}

static char *write_file(const char *text)
{
    char path[] = "/tmp/taud-options-XXXXXX";
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(write(file, text, strlen(text)), strlen(text));
    close(file);
    return strdup(path);
}

static void has_defaults(void **state)
{
    (void)state;
    assert_int_equal(load(NULL, NULL, NULL), TAUD_CONFIG_OK);
    assert_int_equal(config.listen_count, 1);
    assert_string_equal(config.listen[0], "127.0.0.1:7701");
    assert_int_equal(config.max_connections, 10000);
    assert_int_equal(config.idle_timeout_ms, 300000);
    assert_int_equal(config.frame_timeout_ms, 15000);
    assert_int_equal(config.durability, TAUD_CONFIG_SYNC);
    assert_true(config.workers >= 1);
    assert_true(config.memory_bytes >= 16 << 20);
    assert_non_null(config.data_directory);
}

static void prefers_command_line_to_environment_to_file(void **state)
{
    (void)state;
    char *path = write_file("workers = 3\n[taud]\nbacklog = 9 ; a comment\n");
    char option[200];
    snprintf(option, sizeof option, "--config=%s", path);
    assert_int_equal(load(option, NULL, NULL), TAUD_CONFIG_OK);
    assert_int_equal(config.workers, 3);
    assert_int_equal(config.backlog, 9);
    assert_int_equal(load(option, NULL, "TAU_WORKERS=4"), TAUD_CONFIG_OK);
    assert_int_equal(config.workers, 4);
    assert_int_equal(load(option, "--workers=5", "TAU_WORKERS=4"), TAUD_CONFIG_OK);
    assert_int_equal(config.workers, 5);
    unlink(path);
    free(path);
}

static void gathers_addresses_of_one_source(void **state)
{
    (void)state;
    assert_int_equal(load("--listen=a:1,b:2", "--listen=c:3", "TAU_LISTEN=d:4"), TAUD_CONFIG_OK);
    assert_int_equal(config.listen_count, 3);
    assert_string_equal(config.listen[2], "c:3");
    assert_int_equal(load(NULL, NULL, "TAU_LISTEN=d:4"), TAUD_CONFIG_OK);
    assert_int_equal(config.listen_count, 1);
    assert_string_equal(config.listen_name, "TAU_LISTEN");
}

static void reads_durabilities(void **state)
{
    (void)state;
    char text[64];
    assert_int_equal(load("--durability", "interval=1s", NULL), TAUD_CONFIG_OK);
    assert_int_equal(config.sync_interval_ms, 1000);
    taud_config_durability(&config, text);
    assert_string_equal(text, "interval=1000ms");
    assert_int_equal(load("--durability", "os", NULL), TAUD_CONFIG_OK);
    assert_int_equal(config.durability, TAUD_CONFIG_OS);
}

static void names_option_value_and_what_is_allowed(void **state)
{
    (void)state;
    assert_int_equal(load("--workers", "0", NULL), TAUD_CONFIG_USAGE);
    assert_string_equal(error.text, "option --workers: \"0\" is not allowed; expected a number "
                                    "from 1 to 1024");
    assert_int_equal(load(NULL, NULL, "TAU_MEMORY=1Q"), TAUD_CONFIG_USAGE);
    assert_non_null(strstr(error.text, "TAU_MEMORY"));
    char *path = write_file("no-such = 1\n");
    assert_int_equal(load("--config", path, NULL), TAUD_CONFIG_USAGE);
    assert_non_null(strstr(error.text, "no-such"));
    assert_non_null(strstr(error.text, path));
    unlink(path);
    assert_int_equal(load("--config", path, NULL), TAUD_CONFIG_FAILED);
    free(path);
    static const char *const bad[] = {"--workers", "--nothing=1",      "word",
                                      "--",        "--log-level=loud", "--frame-timeout=5",
                                      "--listen=", "--data-dir=",      "--durability=interval=0ms"};
    for (size_t index = 0; index < sizeof bad / sizeof bad[0]; index++) {
        assert_int_equal(load(bad[index], NULL, NULL), TAUD_CONFIG_USAGE);
        assert_true(strlen(error.text) > 10);
        assert_null(strchr(error.text, '\n'));
    }
}

static void asks_for_help(void **state)
{
    (void)state;
    assert_int_equal(load("--help", NULL, NULL), TAUD_CONFIG_HELP);
    assert_int_equal(load("--workers=0", "--help", NULL), TAUD_CONFIG_HELP);
    assert_int_equal(load("--version", NULL, NULL), TAUD_CONFIG_VERSION);
    taud_config_done(&config);
}

// Every option is described once, and the help says of each what the description says.
static void describes_its_options(void **state)
{
    (void)state;
    struct taud_config_option option;
    char *help = NULL;
    size_t size = 0;
    size_t count = 0;
    FILE *out = open_memstream(&help, &size);
    assert_non_null(out);
    taud_config_help(out);
    assert_int_equal(fclose(out), 0);
    for (; taud_config_option(count, &option); count++) {
        char line[TAUD_CONFIG_NAME_SIZE * 3];
        snprintf(line, sizeof line, "\n  --%s %s  [%s]\n", option.name, option.argument,
                 option.environment);
        assert_non_null(strstr(help, line));
        assert_non_null(strstr(help, option.standard));
        assert_non_null(option.allowed);
    }
    assert_true(count > 10);
    assert_true(taud_config_option(0, &option));
    assert_string_equal(option.environment, "TAU_CONFIG");
    assert_true(taud_config_option(1, &option));
    assert_string_equal(option.environment, "TAU_LISTEN");
    for (size_t index = 0; index < TAUD_CONFIG_SECTION_COUNT; index++)
        assert_non_null(strstr(help, taud_config_section(index)->text));
    assert_non_null(strstr(help, taud_config_about()));
    free(help);
}

// The words that are offered are taken.
static void offers_what_it_takes(void **state)
{
    (void)state;
    struct taud_config_option option;
    size_t offered = 0;
    for (size_t index = 0; taud_config_option(index, &option); index++) {
        for (size_t i = 0; option.choices != NULL && option.choices[i] != NULL; i++) {
            char argument[TAUD_CONFIG_NAME_SIZE * 2];
            snprintf(argument, sizeof argument, "--%s=%s", option.name, option.choices[i]);
            assert_int_equal(load(argument, NULL, NULL), TAUD_CONFIG_OK);
            taud_config_done(&config);
            offered++;
        }
        assert_int_equal(option.repeated, strcmp(option.name, "listen") == 0);
    }
    assert_int_equal(offered, 3 + 4 + 3); // of --durability, --log-level and --log-format
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_defaults),
        cmocka_unit_test(prefers_command_line_to_environment_to_file),
        cmocka_unit_test(gathers_addresses_of_one_source),
        cmocka_unit_test(reads_durabilities),
        cmocka_unit_test(names_option_value_and_what_is_allowed),
        cmocka_unit_test(asks_for_help),
        cmocka_unit_test(describes_its_options),
        cmocka_unit_test(offers_what_it_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
