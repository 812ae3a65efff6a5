// SPDX-License-Identifier: MIT
// The seam between the engine and the operating system's files. Everything of the engine that
// touches a file goes through this table, so that a test can fail, cut or reorder each call.
// Functions return 0 (or a count) and a negative errno on failure, never -1 with errno. It must not
// know what the engine stores.
#ifndef TAUD_ENGINE_IO_H
#define TAUD_ENGINE_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum taud_io_open_flags {
    TAUD_IO_READ = 1,
    TAUD_IO_WRITE = 2,
    TAUD_IO_CREATE = 4,
    TAUD_IO_EXCLUSIVE = 8,    // with CREATE: fail with EEXIST
    TAUD_IO_DIRECT_SYNC = 16, // every write bypasses the cache and is durable when it returns;
                              // EINVAL where the file system cannot; offsets in TAUD_IO_BLOCK
    TAUD_IO_DIRECT = 32,      // the same, but durable with a sync alone
};

// Offset, size and memory of a read or write past the cache are multiples of this.
enum { TAUD_IO_BLOCK = 4096 };

// Called once for each name; a non-zero result ends the listing and is returned.
typedef int taud_io_name_callback(const char *name, void *user_data);

struct taud_io {
    void *context; // passed to every function
    // Returns a file (>= 0). Paths are relative to the working directory or absolute.
    int (*open)(void *context, const char *path, unsigned flags, unsigned mode);
    int (*close)(void *context, int file);
    // May move fewer bytes than asked; 0 from read is the end of the file. -EINTR is retried above.
    int64_t (*read)(void *context, int file, void *data, size_t size, uint64_t offset);
    int64_t (*write)(void *context, int file, const void *data, size_t size, uint64_t offset);
    // Lets the system take what its cache holds of a range: a hint, after which all reads the same.
    void (*uncache)(void *context, int file, uint64_t offset, uint64_t size);
    // Makes the file's data, and what is needed to read it, durable (fdatasync).
    int (*sync)(void *context, int file);
    // Gives the file room for `size` bytes and that length; ENOSPC when there is none.
    int (*preallocate)(void *context, int file, uint64_t size);
    int (*truncate)(void *context, int file, uint64_t size);
    int (*size)(void *context, int file, uint64_t *ret_size);
    // Takes an exclusive lock that ends with the process; -EWOULDBLOCK when another has it.
    int (*lock)(void *context, int file);
    // One that others may have too, but none with the exclusive one.
    int (*lock_shared)(void *context, int file);
    int (*rename)(void *context, const char *from, const char *to);
    // A second name for a file, on the same file system; -EEXIST when the name is taken.
    int (*link)(void *context, const char *from, const char *to);
    int (*unlink)(void *context, const char *path);
    // 0 also when the directory exists already.
    int (*make_directory)(void *context, const char *path, unsigned mode);
    int (*sync_directory)(void *context, const char *path);
    int (*list_directory)(void *context, const char *path, taud_io_name_callback *callback,
                          void *user_data);
    // How many bytes more the file system of a path takes, as far as it tells: a quota may allow
    // less.
    int (*space)(void *context, const char *path, uint64_t *ret_bytes);
};

// The real one. It has no state.
const struct taud_io *taud_io_posix(void);

// Read or write everything, through short counts and EINTR. read_all stops at the end of the file
// and returns how much it got; both return a negative errno on failure.
int64_t taud_io_read_all(const struct taud_io *io, int file, void *data, size_t size,
                         uint64_t offset);
int taud_io_write_all(const struct taud_io *io, int file, const void *data, size_t size,
                      uint64_t offset);

#endif
