/* SPDX-License-Identifier: MIT */
/*
 * Sends rows in batches, several in flight at once, and remembers where each row was read: a row
 * that the server refuses is reported by its file and line. Missing series are created. Memory is
 * bounded by the number of batches.
 *
 *     rows ---> batch being filled ---> in flight ---> answered ---> filled again
 *
 * Rows are sent in the order in which they were read, and the server keeps it.
 */
#ifndef TAU_CLI_IMPORT_SENDER_H
#define TAU_CLI_IMPORT_SENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tau/client.h>

#include "import/label_set.h"

#define CLI_BATCH_ROWS  16384
#define CLI_BATCH_COUNT 8

/* Where a row was read. */
struct cli_place {
    uint32_t file; /* the number of the file */
    uint64_t line;
};

/* Called with each row that was refused. */
typedef void cli_refused_callback(void *user_data, const struct cli_place *place,
                                  enum tau_status status);

/* Called when a whole batch failed; `first` and `last` are where its rows were read. */
typedef void cli_batch_failed_callback(void *user_data, const struct cli_place *first,
                                       const struct cli_place *last, size_t row_count,
                                       enum tau_status status, const struct tau_error *error);

struct cli_sender;

struct cli_batch {
    struct cli_sender *sender;
    bool in_flight;
    bool one_series; /* all rows are of one series */
    size_t count;
    struct tau_row rows[CLI_BATCH_ROWS];
    struct cli_place places[CLI_BATCH_ROWS];
};

struct cli_sender {
    struct tau_client *client;
    cli_refused_callback *on_refused;
    cli_batch_failed_callback *on_batch_failed;
    void *user_data;
    struct cli_batch *batches[CLI_BATCH_COUNT];
    struct cli_batch *filling; /* or NULL */
    struct cli_label_set created;
    int64_t *timestamps; /* columns of a batch of one series, while it is encoded */
    double *values;
    uint64_t accepted;
    uint64_t rejected;
    uint64_t unknown;       /* rows of which it is not known whether they were stored */
    enum tau_status failed; /* what ended the sending, or success */
};

/* Returns success or no_memory. cli_sender_done is called in any case. */
enum tau_status cli_sender_init(struct cli_sender *sender, struct tau_client *client,
                                cli_refused_callback *on_refused,
                                cli_batch_failed_callback *on_batch_failed, void *user_data);

void cli_sender_done(struct cli_sender *sender);

/* Takes a row. May wait for answers. Returns false when sending has failed: sender->failed. */
bool cli_sender_add(struct cli_sender *sender, const struct tau_row *row,
                    const struct cli_place *place);

/* Sends what is left and waits for all answers. Returns as cli_sender_add. */
bool cli_sender_finish(struct cli_sender *sender);

/* Whether rows were added that are not sent yet. */
bool cli_sender_has_rows(const struct cli_sender *sender);

#endif
