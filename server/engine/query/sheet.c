// SPDX-License-Identifier: MIT
// A sheet is one block of memory.
#include "sheet.h"

#include <assert.h>
#include <string.h>

struct taud_sheet *taud_sheet_new(const struct taud_feed *feed, size_t column_count,
                                  size_t run_capacity, size_t row_capacity)
{
    size_t runs = run_capacity * sizeof(struct taud_sheet_run);
    size_t starts = row_capacity * sizeof(int64_t);
    size_t size = sizeof(struct taud_sheet) + runs + starts * (1 + column_count);
    uint8_t *memory = feed->allocator->allocate(feed->allocator->context, size);
    if (!memory)
        return NULL;
    struct taud_sheet *sheet = (struct taud_sheet *)(void *)memory;
    uint8_t *place = memory + sizeof *sheet;
    *sheet = (struct taud_sheet){
        .column_count = column_count,
        .run_capacity = run_capacity,
        .row_capacity = row_capacity,
        .runs = (struct taud_sheet_run *)(void *)place,
        .starts = (int64_t *)(void *)(place + runs),
        .values = (double *)(void *)(place + runs + starts),
    };
    return sheet;
}

void taud_sheet_add(struct taud_sheet *sheet, uint64_t group, const struct tau_label *label,
                    const struct taud_aggregate_window *window, bool last)
{
    struct taud_aggregate_rows rows = {
        .starts = sheet->starts + sheet->row_count,
        .values = sheet->values + sheet->row_count * sheet->column_count,
    };
    taud_aggregate_read(window, &rows);
    assert(sheet->row_count + rows.count <= sheet->row_capacity);
    if (rows.count == 0 && !last)
        return;
    assert(sheet->run_count < sheet->run_capacity);
    sheet->runs[sheet->run_count++] =
        (struct taud_sheet_run){.group = group, .label = *label, .count = rows.count, .last = last};
    sheet->row_count += rows.count;
}
