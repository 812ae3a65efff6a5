// SPDX-License-Identifier: MIT
// The server's certificate.
#include "config/certificate.h"

#include "config/files.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

enum { HEX_LENGTH = 64 };

static const char ALLOWED[] = "64 hexadecimal characters";

__attribute__((format(printf, 3, 4))) static enum taud_config_result
fail(struct taud_config_error *error, enum taud_config_result result, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    return result;
}

static int hex_digit(char character)
{
    if (character >= '0' && character <= '9')
        return character - '0';
    if (character >= 'a' && character <= 'f')
        return character - 'a' + 10;
    if (character >= 'A' && character <= 'F')
        return character - 'A' + 10;
    return -1;
}

static bool parse_hex(const char *text, size_t length, struct tau_certificate *ret)
{
    struct tau_certificate certificate;
    if (length != HEX_LENGTH)
        return false;
    for (size_t index = 0; index < sizeof certificate.bytes; index++) {
        int high = hex_digit(text[2 * index]);
        int low = hex_digit(text[2 * index + 1]);
        if (high < 0 || low < 0)
            return false;
        certificate.bytes[index] = (uint8_t)(high * 16 + low);
    }
    *ret = certificate;
    return true;
}

static enum taud_config_result read_certificate(const char *path, struct tau_certificate *ret,
                                                struct taud_config_error *error)
{
    char text[HEX_LENGTH + 3]; // with the end of a line, and room to see that there is more
    size_t length;
    if (!taud_file_read(path, text, sizeof text, &length))
        return fail(error, TAUD_CONFIG_FAILED, "cannot read the certificate in %s: %s", path,
                    strerror(errno));
    if (length > 0 && text[length - 1] == '\n')
        length--;
    if (length > 0 && text[length - 1] == '\r')
        length--;
    bool good = parse_hex(text, length, ret);
    explicit_bzero(text, sizeof text);
    if (!good)
        return fail(error, TAUD_CONFIG_USAGE, "the certificate in %s is malformed; expected %s",
                    path, ALLOWED);
    return TAUD_CONFIG_OK;
}

static enum taud_config_result generate(const char *path, struct tau_certificate *ret,
                                        struct taud_config_error *error)
{
    struct tau_certificate certificate;
    if (getrandom(certificate.bytes, sizeof certificate.bytes, 0) !=
        (ssize_t)sizeof certificate.bytes)
        return fail(error, TAUD_CONFIG_FAILED, "no randomness for a certificate: %s",
                    strerror(errno));
    char text[HEX_LENGTH + 2];
    for (size_t index = 0; index < sizeof certificate.bytes; index++)
        snprintf(text + 2 * index, sizeof text - 2 * index, "%02x", certificate.bytes[index]);
    text[HEX_LENGTH] = '\n';
    bool written = taud_file_create(path, text, HEX_LENGTH + 1, 0600);
    explicit_bzero(text, sizeof text);
    if (!written)
        return fail(error, TAUD_CONFIG_FAILED, "cannot write the certificate to %s: %s", path,
                    strerror(errno));
    *ret = certificate;
    return TAUD_CONFIG_OK;
}

static const char *environment_value(char *const environment[], const char *name)
{
    size_t length = strlen(name);
    for (; environment != NULL && *environment != NULL; environment++) {
        if (strncmp(*environment, name, length) == 0 && (*environment)[length] == '=')
            return *environment + length + 1;
    }
    return NULL;
}

enum taud_config_result taud_certificate_load(const struct taud_config *config,
                                              char *const environment[],
                                              struct tau_certificate *ret_certificate,
                                              struct taud_certificate_source *ret_source,
                                              struct taud_config_error *ret_error)
{
    ret_source->generated = false;
    ret_source->path[0] = '\0';
    const char *value = environment_value(environment, "TAU_CERTIFICATE");
    if (value != NULL)
        return parse_hex(value, strlen(value), ret_certificate)
                   ? TAUD_CONFIG_OK
                   : fail(ret_error, TAUD_CONFIG_USAGE, "TAU_CERTIFICATE is malformed; expected %s",
                          ALLOWED);
    const char *file = config->certificate_file;
    int length = file != NULL ? snprintf(ret_source->path, sizeof ret_source->path, "%s", file)
                              : snprintf(ret_source->path, sizeof ret_source->path,
                                         "%s/certificate", config->data_directory);
    if (length < 0 || (size_t)length >= sizeof ret_source->path)
        return fail(ret_error, TAUD_CONFIG_USAGE, "the path of the certificate is too long");
    if (file == NULL && !taud_file_exists(ret_source->path)) {
        ret_source->generated = true;
        return generate(ret_source->path, ret_certificate, ret_error);
    }
    return read_certificate(ret_source->path, ret_certificate, ret_error);
}
