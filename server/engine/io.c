// SPDX-License-Identifier: MIT
// The file seam on top of POSIX, and the loops that turn partial reads and writes into whole ones.
// It must not know what the bytes mean.
#include "io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static int result(int value)
{
    return value < 0 ? -errno : value;
}

static int posix_open(void *context, const char *path, unsigned flags, unsigned mode)
{
    (void)context;
    int native = O_CLOEXEC;
    if ((flags & TAUD_IO_READ) && (flags & TAUD_IO_WRITE))
        native |= O_RDWR;
    else
        native |= flags & TAUD_IO_WRITE ? O_WRONLY : O_RDONLY;
    if (flags & TAUD_IO_CREATE)
        native |= O_CREAT;
    if (flags & TAUD_IO_EXCLUSIVE)
        native |= O_EXCL;
    if (flags & TAUD_IO_DIRECT_SYNC)
        native |= O_DIRECT | O_DSYNC;
    if (flags & TAUD_IO_DIRECT)
        native |= O_DIRECT;
    return result(open(path, native, (mode_t)mode));
}

static int posix_close(void *context, int file)
{
    (void)context;
    return result(close(file));
}

static int64_t posix_read(void *context, int file, void *data, size_t size, uint64_t offset)
{
    (void)context;
    ssize_t count = pread(file, data, size, (off_t)offset);
    return count < 0 ? -errno : count;
}

static int64_t posix_write(void *context, int file, const void *data, size_t size, uint64_t offset)
{
    (void)context;
    ssize_t count = pwrite(file, data, size, (off_t)offset);
    return count < 0 ? -errno : count;
}

static void posix_uncache(void *context, int file, uint64_t offset, uint64_t size)
{
    (void)context;
    (void)!posix_fadvise(file, (off_t)offset, (off_t)size, POSIX_FADV_DONTNEED);
}

static int posix_sync(void *context, int file)
{
    (void)context;
    return result(fdatasync(file));
}

static int posix_preallocate(void *context, int file, uint64_t size)
{
    (void)context;
    int error = posix_fallocate(file, 0, (off_t)size);
    return -error;
}

static int posix_truncate(void *context, int file, uint64_t size)
{
    (void)context;
    return result(ftruncate(file, (off_t)size));
}

static int posix_size(void *context, int file, uint64_t *ret_size)
{
    (void)context;
    struct stat info;
    if (fstat(file, &info) != 0)
        return -errno;
    *ret_size = (uint64_t)info.st_size;
    return 0;
}

static int posix_lock_shared(void *context, int file)
{
    (void)context;
    return result(flock(file, LOCK_SH | LOCK_NB));
}

static int posix_lock(void *context, int file)
{
    (void)context;
    return result(flock(file, LOCK_EX | LOCK_NB));
}

static int posix_rename(void *context, const char *from, const char *to)
{
    (void)context;
    return result(rename(from, to));
}

static int posix_link(void *context, const char *from, const char *to)
{
    (void)context;
    return result(link(from, to));
}

static int posix_unlink(void *context, const char *path)
{
    (void)context;
    return result(unlink(path));
}

static int posix_make_directory(void *context, const char *path, unsigned mode)
{
    (void)context;
    if (mkdir(path, (mode_t)mode) == 0 || errno == EEXIST)
        return 0;
    return -errno;
}

static int posix_sync_directory(void *context, const char *path)
{
    (void)context;
    int file = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file < 0)
        return -errno;
    int status = result(fsync(file));
    close(file);
    return status;
}

static int posix_list_directory(void *context, const char *path, taud_io_name_callback *callback,
                                void *user_data)
{
    (void)context;
    DIR *directory = opendir(path);
    if (!directory)
        return -errno;
    int status = 0;
    errno = 0;
    for (struct dirent *entry; status == 0 && (entry = readdir(directory)); errno = 0) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            status = callback(entry->d_name, user_data);
    }
    if (status == 0)
        status = -errno;
    closedir(directory);
    return status;
}

static int posix_space(void *context, const char *path, uint64_t *ret_bytes)
{
    (void)context;
    struct statvfs info;
    if (statvfs(path, &info) != 0)
        return -errno;
    *ret_bytes = (uint64_t)info.f_bavail * info.f_frsize;
    return 0;
}

const struct taud_io *taud_io_posix(void)
{
    static const struct taud_io io = {
        .open = posix_open,
        .close = posix_close,
        .read = posix_read,
        .write = posix_write,
        .uncache = posix_uncache,
        .sync = posix_sync,
        .preallocate = posix_preallocate,
        .truncate = posix_truncate,
        .size = posix_size,
        .lock = posix_lock,
        .lock_shared = posix_lock_shared,
        .rename = posix_rename,
        .link = posix_link,
        .unlink = posix_unlink,
        .make_directory = posix_make_directory,
        .sync_directory = posix_sync_directory,
        .list_directory = posix_list_directory,
        .space = posix_space,
    };
    return &io;
}

int64_t taud_io_read_all(const struct taud_io *io, int file, void *data, size_t size,
                         uint64_t offset)
{
    size_t done = 0;
    while (done < size) {
        int64_t count =
            io->read(io->context, file, (uint8_t *)data + done, size - done, offset + done);
        if (count == -EINTR)
            continue;
        if (count < 0)
            return count;
        if (count == 0)
            break;
        done += (size_t)count;
    }
    return (int64_t)done;
}

// A short count is followed from the last whole block, since a direct write must start on one; the
// bytes that are written twice are the same ones.
int taud_io_write_all(const struct taud_io *io, int file, const void *data, size_t size,
                      uint64_t offset)
{
    size_t done = 0;
    bool aligned = offset % TAUD_IO_BLOCK == 0;
    unsigned idle = 0;
    while (done < size) {
        int64_t count =
            io->write(io->context, file, (const uint8_t *)data + done, size - done, offset + done);
        if (count == -EINTR)
            continue;
        if (count < 0)
            return (int)count;
        size_t step = (size_t)count;
        if (done + step < size && aligned)
            step -= step % TAUD_IO_BLOCK;
        if (step == 0 && ++idle > 16)
            return -EIO;
        done += step;
    }
    return 0;
}
