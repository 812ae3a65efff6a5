/* SPDX-License-Identifier: MIT */
/*
 * One step is a character that may be shown, or a byte that is escaped; all else is a loop over
 * steps.
 */
#include "format/plain.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/utf8.h"

#define ESCAPE_SIZE 4

/* The length of what stands for itself at the front of a text that is not empty, or 0. */
static size_t plain_length(struct cli_text text, const char *kept)
{
    if (*text.data != '\0' && strchr(kept, *text.data) != NULL) {
        return 1;
    }
    return tau_utf8_printable((const uint8_t *)text.data, text.size);
}

/* The length of the run that stands for itself at the front. */
static size_t plain_run(struct cli_text text, const char *kept)
{
    size_t run = 0;
    while (run < text.size) {
        size_t length =
            plain_length((struct cli_text){.data = text.data + run, .size = text.size - run}, kept);
        if (length == 0) {
            break;
        }
        run += length;
    }
    return run;
}

static void skip(struct cli_text *text, size_t size)
{
    text->data += size;
    text->size -= size;
}

bool cli_is_plain(struct cli_text text, const char *kept)
{
    return plain_run(text, kept) == text.size;
}

void cli_plain_print(FILE *out, struct cli_text text, const char *kept)
{
    while (text.size > 0) {
        size_t run = plain_run(text, kept);
        fwrite(text.data, 1, run, out);
        skip(&text, run);
        if (text.size > 0) {
            fprintf(out, "\\x%02X", (unsigned char)*text.data);
            skip(&text, 1);
        }
    }
}

struct cli_text cli_plain_copy(struct cli_text text, const char *kept)
{
    struct cli_text copy = {.data = NULL, .size = 0};
    char *data = malloc(text.size * ESCAPE_SIZE + 1);
    if (data == NULL) {
        return copy;
    }
    while (text.size > 0) {
        size_t run = plain_run(text, kept);
        memcpy(data + copy.size, text.data, run);
        copy.size += run;
        skip(&text, run);
        if (text.size > 0) {
            snprintf(data + copy.size, ESCAPE_SIZE + 1, "\\x%02X", (unsigned char)*text.data);
            copy.size += ESCAPE_SIZE;
            skip(&text, 1);
        }
    }
    data[copy.size] = '\0';
    copy.data = data;
    return copy;
}
