// SPDX-License-Identifier: MIT
// The few files that the configuration itself needs: the data directory, the certificate, the
// number of the process. All functions return false and set errno on failure.
#ifndef TAUD_CONFIG_FILES_H
#define TAUD_CONFIG_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

// Creates the directory and those above it, where they are missing, for the owner alone.
__attribute__((warn_unused_result)) bool taud_directory_create(const char *path);

// Whether there is a file of this name, of whatever kind.
bool taud_file_exists(const char *path);

// Reads at most `capacity` bytes.
__attribute__((warn_unused_result)) bool taud_file_read(const char *path, char *ret_data,
                                                        size_t capacity, size_t *ret_size);

// Writes a new file and makes it durable; fails where there is one already.
__attribute__((warn_unused_result)) bool taud_file_create(const char *path, const char *data,
                                                          size_t size, mode_t mode);

// Writes the number of this process, in the place of what was there.
__attribute__((warn_unused_result)) bool taud_pid_file_write(const char *path);

// Removes the file if it still holds the number of this process.
void taud_pid_file_remove(const char *path);

#endif
