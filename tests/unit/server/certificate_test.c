// SPDX-License-Identifier: MIT
// Where the certificate comes from, and what a malformed one gets.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/certificate.h"
#include "config/files.h"

static char directory[64];
static struct taud_config config;
static struct tau_certificate certificate;
static struct taud_certificate_source source;
static struct taud_config_error error;

static int setup(void **state)
{
    (void)state;
    snprintf(directory, sizeof directory, "/tmp/taud-certificate-XXXXXX");
    assert_non_null(mkdtemp(directory));
    config = (struct taud_config){.data_directory = directory};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    char path[128];
    snprintf(path, sizeof path, "%s/certificate", directory);
    unlink(path);
    return rmdir(directory);
}

static enum taud_config_result load(const char *environment)
{
    char *array[] = {(char *)environment, NULL};
    return taud_certificate_load(&config, array, &certificate, &source, &error);
}

static void generates_once(void **state)
{
    (void)state;
    assert_int_equal(load(NULL), TAUD_CONFIG_OK);
    assert_true(source.generated);
    struct stat found;
    assert_int_equal(stat(source.path, &found), 0);
    assert_int_equal(found.st_mode & 0777, 0600);
    assert_int_equal(found.st_size, 65);
    struct tau_certificate first = certificate;
    assert_int_equal(load(NULL), TAUD_CONFIG_OK);
    assert_false(source.generated);
    assert_memory_equal(&first, &certificate, sizeof first);
}

static void prefers_the_environment(void **state)
{
    (void)state;
    char text[100] = "TAU_CERTIFICATE=";
    for (int index = 0; index < 32; index++)
        strcat(text, index % 2 == 0 ? "aB" : "09");
    assert_int_equal(load(text), TAUD_CONFIG_OK);
    assert_int_equal(certificate.bytes[0], 0xAB);
    assert_int_equal(certificate.bytes[31], 0x09);
    assert_string_equal(source.path, "");
    text[strlen(text) - 1] = 'x';
    assert_int_equal(load(text), TAUD_CONFIG_USAGE);
    assert_null(strstr(error.text, "aB09"));
    assert_int_equal(load("TAU_CERTIFICATE="), TAUD_CONFIG_USAGE);
}

static void refuses_malformed_files(void **state)
{
    (void)state;
    char path[128];
    snprintf(path, sizeof path, "%s/certificate", directory);
    const char *bad[] = {"", "ab", "zz", "\n"};
    for (size_t index = 0; index < sizeof bad / sizeof bad[0]; index++) {
        assert_true(taud_file_create(path, bad[index], strlen(bad[index]), 0600));
        assert_int_equal(load(NULL), TAUD_CONFIG_USAGE);
        assert_non_null(strstr(error.text, path));
        unlink(path);
    }
    config.certificate_file = path;
    assert_int_equal(load(NULL), TAUD_CONFIG_FAILED); // one that was named is never generated
    assert_false(taud_file_exists(path));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(generates_once, setup, teardown),
        cmocka_unit_test_setup_teardown(prefers_the_environment, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses_malformed_files, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
