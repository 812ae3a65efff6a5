// SPDX-License-Identifier: MIT
// The few files that the configuration itself needs.
#include "config/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PATH_SIZE = 4096,
    DIRECTORY_MODE = 0700,
};

bool taud_directory_create(const char *path)
{
    char partial[PATH_SIZE];
    size_t length = strlen(path);
    if (length == 0 || length >= sizeof partial) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(partial, path, length + 1);
    for (size_t index = 1; index <= length; index++) {
        if (partial[index] != '/' && partial[index] != '\0')
            continue;
        partial[index] = '\0';
        if (mkdir(partial, DIRECTORY_MODE) != 0 && errno != EEXIST)
            return false;
        partial[index] = path[index];
    }
    struct stat found;
    if (stat(path, &found) != 0)
        return false;
    if (!S_ISDIR(found.st_mode)) {
        errno = ENOTDIR;
        return false;
    }
    return access(path, W_OK | X_OK) == 0;
}

bool taud_file_exists(const char *path)
{
    struct stat found;
    return lstat(path, &found) == 0;
}

bool taud_file_read(const char *path, char *ret_data, size_t capacity, size_t *ret_size)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return false;
    size_t size = 0;
    ssize_t count = 0;
    while (size < capacity && (count = read(file, ret_data + size, capacity - size)) != 0) {
        if (count > 0)
            size += (size_t)count;
        else if (errno != EINTR)
            break;
    }
    int error = errno;
    close(file);
    errno = error;
    *ret_size = size;
    return count >= 0;
}

static bool write_all(int file, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t count = write(file, data, size);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return false;
        data += count;
        size -= (size_t)count;
    }
    return true;
}

static void sync_directory_of(const char *path)
{
    char directory[PATH_SIZE];
    snprintf(directory, sizeof directory, "%s", path);
    char *slash = strrchr(directory, '/');
    if (slash == NULL)
        snprintf(directory, sizeof directory, ".");
    else
        slash[slash == directory] = '\0';
    int file = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file < 0)
        return;
    (void)fsync(file);
    close(file);
}

bool taud_file_create(const char *path, const char *data, size_t size, mode_t mode)
{
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (file < 0)
        return false;
    bool good = write_all(file, data, size) && fsync(file) == 0;
    int error = errno;
    close(file);
    if (good)
        sync_directory_of(path);
    else
        unlink(path);
    errno = error;
    return good;
}

bool taud_pid_file_write(const char *path)
{
    char text[32];
    int length = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (file < 0)
        return false;
    bool good = write_all(file, text, (size_t)length);
    int error = errno;
    close(file);
    errno = error;
    return good;
}

void taud_pid_file_remove(const char *path)
{
    char text[32] = "";
    size_t size;
    if (taud_file_read(path, text, sizeof text - 1, &size) &&
        strtol(text, NULL, 10) == (long)getpid())
        unlink(path);
}
