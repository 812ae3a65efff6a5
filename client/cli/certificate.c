/* SPDX-License-Identifier: MIT */
/*
 * The certificate is 64 hexadecimal characters. Its text is wiped from the buffers it passed
 * through, and no message ever shows a part of it.
 */
#include "certificate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_BYTES 256
#define PATH_BYTES 4096

static enum tau_status fail(char *ret_reason, size_t reason_size, const char *what,
                            const char *where, const char *why)
{
    snprintf(ret_reason, reason_size, "%s%s%s: %s", what, *where != '\0' ? " " : "", where, why);
    return TAU_STATUS_INVALID_ARGUMENT;
}

/* Reads a small file whole; the text ends in a zero byte. Returns false with errno set. */
static bool read_file(const char *path, char *ret_text)
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return false;
    }
    setvbuf(file, NULL, _IONBF, 0);
    size_t size = fread(ret_text, 1, FILE_BYTES - 1, file);
    ret_text[size] = '\0';
    bool ok = ferror(file) == 0;
    int error = errno;
    fclose(file);
    errno = error;
    return ok;
}

static enum tau_status from_file(const char *what, const char *path,
                                 struct tau_certificate *ret_certificate, char *ret_reason,
                                 size_t reason_size)
{
    char text[FILE_BYTES];
    if (!read_file(path, text)) {
        return fail(ret_reason, reason_size, what, path, strerror(errno));
    }
    enum tau_status status = tau_certificate_from_hex(text, ret_certificate);
    explicit_bzero(text, sizeof(text));
    if (status != TAU_STATUS_SUCCESS) {
        return fail(ret_reason, reason_size, what, path,
                    "not a certificate, which is 64 hexadecimal characters");
    }
    return status;
}

/* Where taud keeps its certificate when it was not told otherwise. Returns false if unknown. */
static bool default_path(char *ret_path)
{
    const char *data_home = getenv("XDG_DATA_HOME");
    const char *home = getenv("HOME");
    int length;
    if (geteuid() == 0) {
        length = snprintf(ret_path, PATH_BYTES, "/var/lib/tau/certificate");
    } else if (data_home != NULL && data_home[0] == '/') {
        length = snprintf(ret_path, PATH_BYTES, "%s/tau/certificate", data_home);
    } else if (home != NULL && *home != '\0') {
        length = snprintf(ret_path, PATH_BYTES, "%s/.local/share/tau/certificate", home);
    } else {
        return false;
    }
    return length > 0 && length < PATH_BYTES;
}

enum tau_status cli_certificate_find(const char *file, struct tau_certificate *ret_certificate,
                                     char *ret_reason, size_t reason_size)
{
    char path[PATH_BYTES];
    const char *hex = getenv("TAU_CERTIFICATE");
    const char *named = getenv("TAU_CERTIFICATE_FILE");
    if (file != NULL) {
        return from_file("--certificate-file", file, ret_certificate, ret_reason, reason_size);
    }
    if (hex != NULL && *hex != '\0') {
        if (tau_certificate_from_hex(hex, ret_certificate) != TAU_STATUS_SUCCESS) {
            return fail(ret_reason, reason_size, "TAU_CERTIFICATE", "",
                        "not a certificate, which is 64 hexadecimal characters");
        }
        return TAU_STATUS_SUCCESS;
    }
    if (named != NULL && *named != '\0') {
        return from_file("TAU_CERTIFICATE_FILE", named, ret_certificate, ret_reason, reason_size);
    }
    if (default_path(path) && access(path, F_OK) == 0) {
        return from_file("the certificate", path, ret_certificate, ret_reason, reason_size);
    }
    return fail(
        ret_reason, reason_size, "no certificate", "",
        "give --certificate-file, TAU_CERTIFICATE or TAU_CERTIFICATE_FILE, or start taud on "
        "this machine, as this user, with its default data directory");
}
