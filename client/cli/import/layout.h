/* SPDX-License-Identifier: MIT */
/*
 * Which column of a CSV file is what, and how a record becomes a row. The first record tells: it is
 * a header when its time holds no digit and its value is no number, and a row, right or wrong,
 * else.
 */
#ifndef TAU_CLI_IMPORT_LAYOUT_H
#define TAU_CLI_IMPORT_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>

#include <tau/client.h>

#include "csv/reader.h"
#include "parse/time.h"

#define CLI_NO_COLUMN SIZE_MAX

/* The columns of one file. */
struct cli_layout {
    bool known; /* false until the first record was seen */
    size_t field_count;
    size_t series; /* CLI_NO_COLUMN where the file has none */
    size_t time;
    size_t value;
};

/*
 * Learns the layout from the first record. Returns NULL, or why it can be none; *ret_is_header says
 * whether the record names the columns, and so is no row.
 */
const char *cli_layout_learn(struct cli_layout *layout, const struct cli_csv_record *record,
                             bool *ret_is_header);

/*
 * Reads a record. ret_row->label is untouched where the file has no column for it. Returns NULL, or
 * why the record is no row.
 */
const char *cli_layout_read(const struct cli_layout *layout, const struct cli_csv_record *record,
                            const struct cli_time_rules *rules, struct tau_row *ret_row);

#endif
