/* SPDX-License-Identifier: MIT */
/*
 * Walks the one directory that the path is in. The names come sorted, so that those which find no
 * room in a list are the last ones and not any.
 */
#include "terminal/file_names.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int by_bytes(const struct dirent **one, const struct dirent **other)
{
    return strcmp((*one)->d_name, (*other)->d_name);
}

static bool is_wanted(const char *name, const char *begin)
{
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || (name[0] == '.' && begin[0] != '.')) {
        return false;
    }
    return strncmp(name, begin, strlen(begin)) == 0;
}

/* Calls back with one name of a directory, `directory_length` bytes of `begin`. */
static bool visit(const char *begin, size_t directory_length, const char *name,
                  cli_file_names_callback *callback, void *user_data)
{
    struct stat status;
    size_t size = directory_length + strlen(name) + 2;
    char *path = malloc(size);
    if (path == NULL) {
        return false;
    }
    snprintf(path, size, "%.*s%s", (int)directory_length, begin, name);
    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode)) {
        strcat(path, "/");
    }
    bool going = callback(user_data, path);
    free(path);
    return going;
}

void cli_file_names_each(const char *begin, cli_file_names_callback *callback, void *user_data)
{
    const char *slash = strrchr(begin, '/');
    size_t directory_length = slash != NULL ? (size_t)(slash + 1 - begin) : 0;
    char *directory = directory_length > 0 ? strndup(begin, directory_length) : strdup(".");
    struct dirent **entries = NULL;
    int count = directory != NULL ? scandir(directory, &entries, NULL, by_bytes) : 0;
    bool going = true;
    for (int i = 0; i < count; i++) {
        if (going && is_wanted(entries[i]->d_name, begin + directory_length)) {
            going = visit(begin, directory_length, entries[i]->d_name, callback, user_data);
        }
        free(entries[i]);
    }
    free(entries);
    free(directory);
}
