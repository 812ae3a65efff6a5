/* SPDX-License-Identifier: MIT */
/*
 * The text of a typed value. It must not know which format asks for it: quoting and alignment are
 * the formats' part.
 */
#include "format/cell.h"

#include <string.h>

#include "format/number.h"

struct cli_cell cli_cell_text(const char *text)
{
    return (struct cli_cell){.kind = CLI_CELL_TEXT,
                             .as.text = {.data = text, .size = strlen(text)}};
}

struct cli_text cli_cell_to_text(const struct cli_cell *cell, enum cli_time_format time_format,
                                 char *room)
{
    struct cli_text text = {.data = room, .size = 0};
    switch (cell->kind) {
    case CLI_CELL_NONE:
        room[0] = '\0';
        break;
    case CLI_CELL_LABEL:
        text.size = tau_label_to_text(&cell->as.label, room);
        break;
    case CLI_CELL_TIME:
        text.size = cli_time_to_text(cell->as.time_ns, time_format, room);
        break;
    case CLI_CELL_DURATION:
        text.size = cli_span_to_text(cell->as.u64, time_format, room);
        break;
    case CLI_CELL_F64:
        text.size = cli_f64_to_text(cell->as.f64, room);
        break;
    case CLI_CELL_I64:
        text.size = cli_i64_to_text(cell->as.i64, room);
        break;
    case CLI_CELL_U64:
        text.size = cli_u64_to_text(cell->as.u64, room);
        break;
    case CLI_CELL_BOOL:
        text.data = cell->as.boolean ? "true" : "false";
        text.size = strlen(text.data);
        break;
    case CLI_CELL_TEXT:
        text = cell->as.text;
        break;
    }
    return text;
}

bool cli_cell_is_numeric(enum cli_cell_kind kind)
{
    return kind == CLI_CELL_F64 || kind == CLI_CELL_I64 || kind == CLI_CELL_U64 ||
           kind == CLI_CELL_DURATION;
}
