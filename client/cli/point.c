/* SPDX-License-Identifier: MIT */
/*
 * A point has three columns: its series, its timestamp and its value. Where both were asked for by
 * name, a table shows the value alone, so that a script can take it as it is.
 */
#include "point.h"

void cli_point_print(const struct cli *cli, const struct tau_label *label, int64_t timestamp,
                     double value, enum cli_point_part part)
{
    static const struct cli_column columns[] = {
        {"series", CLI_CELL_LABEL}, {"timestamp", CLI_CELL_TIME}, {"value", CLI_CELL_F64}};
    struct cli_cell cells[] = {cli_cell_label(label), cli_cell_time(timestamp),
                               cli_cell_f64(value)};
    struct cli_writer writer;
    cli_writer_open(cli, &writer);
    cli_writer_record(&writer, columns, cells, 3, part == CLI_POINT_VALUE ? 2 : CLI_MAIN_NONE);
    cli_writer_done(&writer);
}
