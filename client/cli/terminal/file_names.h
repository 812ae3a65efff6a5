/* SPDX-License-Identifier: MIT */
/*
 * The files whose names begin as a path does, for completion. It must not know the line editor, nor
 * how a word is quoted.
 */
#ifndef TAU_CLI_TERMINAL_FILE_NAMES_H
#define TAU_CLI_TERMINAL_FILE_NAMES_H

#include <stdbool.h>

/* A path is borrowed for the call. Returns false to end the walk. */
typedef bool cli_file_names_callback(void *user_data, const char *path);

/*
 * Calls back with each path that begins with `begin`, in ascending order of its bytes; that of a
 * directory ends in a slash. Hidden names are left out unless theirs is begun with its dot. What
 * cannot be read is as if it were empty. Reads the file system of this machine.
 */
void cli_file_names_each(const char *begin, cli_file_names_callback *callback, void *user_data);

#endif
