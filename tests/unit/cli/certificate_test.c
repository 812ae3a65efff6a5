/* SPDX-License-Identifier: MIT */
/* Where the certificate is looked for, in which order, and what is said when it is not there. */
#include <sys/stat.h>
#include <unistd.h>

#include "certificate.h"
#include "cli_test.h"

#define HEX(digit)                                                                                 \
    digit digit digit digit digit digit digit digit digit digit digit digit digit digit digit      \
        digit digit digit digit digit digit digit digit digit digit digit digit digit digit digit  \
            digit digit

static char directory[64];
static char path[128];
static char reason[512];

static void write_file(const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int begin(void **state)
{
    (void)state;
    strcpy(directory, "/tmp/tau-certificate-XXXXXX");
    if (mkdtemp(directory) == NULL) {
        return -1;
    }
    snprintf(path, sizeof(path), "%s/certificate", directory);
    unsetenv("TAU_CERTIFICATE");
    unsetenv("TAU_CERTIFICATE_FILE");
    return 0;
}

static int end(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(directory);
}

/* Looks, and asserts that the certificate of this byte is found. */
static void assert_found(const char *file, unsigned char byte)
{
    struct tau_certificate certificate;
    unsigned char expected[sizeof(certificate.bytes)];
    memset(expected, byte, sizeof(expected));
    assert_int_equal(cli_certificate_find(file, &certificate, reason, sizeof(reason)),
                     TAU_STATUS_SUCCESS);
    assert_memory_equal(certificate.bytes, expected, sizeof(expected));
}

static void assert_not_found(const char *file, const char *word)
{
    struct tau_certificate certificate;
    assert_int_equal(cli_certificate_find(file, &certificate, reason, sizeof(reason)),
                     TAU_STATUS_INVALID_ARGUMENT);
    assert_non_null(strstr(reason, word));
}

static void test_order(void **state)
{
    (void)state;
    write_file(HEX("aa") "\n");
    setenv("TAU_CERTIFICATE_FILE", path, 1);
    assert_found(NULL, 0xaa);
    setenv("TAU_CERTIFICATE", HEX("bb"), 1);
    assert_found(NULL, 0xbb);
    assert_found(path, 0xaa);
    setenv("TAU_CERTIFICATE", "", 1);
    assert_found(NULL, 0xaa);
}

/* The first place that is there counts, even when what it holds is wrong. */
static void test_wrong(void **state)
{
    (void)state;
    write_file("abc");
    setenv("TAU_CERTIFICATE_FILE", path, 1);
    assert_not_found(NULL, "TAU_CERTIFICATE_FILE");
    setenv("TAU_CERTIFICATE", HEX("bb") "b", 1);
    assert_not_found(NULL, "TAU_CERTIFICATE");
    assert_not_found("/nonexistent/certificate", "No such file");
    assert_not_found(path, "64 hexadecimal");
    assert_null(strstr(reason, "abc"));
}

static void test_nowhere(void **state)
{
    (void)state;
    setenv("XDG_DATA_HOME", directory, 1);
    setenv("HOME", directory, 1);
    if (geteuid() == 0 && access("/var/lib/tau/certificate", F_OK) == 0) {
        skip();
    }
    assert_not_found(NULL, "--certificate-file");
}

static void test_data_directory(void **state)
{
    char home[128];
    (void)state;
    if (geteuid() == 0) {
        skip(); /* for root it is /var/lib/tau, which is no test's to write */
    }
    snprintf(home, sizeof(home), "%s/tau", directory);
    assert_int_equal(mkdir(home, 0700), 0);
    snprintf(path, sizeof(path), "%s/tau/certificate", directory);
    write_file(HEX("cc"));
    setenv("XDG_DATA_HOME", directory, 1);
    assert_found(NULL, 0xcc);
    unlink(path);
    rmdir(home);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_order, begin, end),
        cmocka_unit_test_setup_teardown(test_wrong, begin, end),
        cmocka_unit_test_setup_teardown(test_nowhere, begin, end),
        cmocka_unit_test_setup_teardown(test_data_directory, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
