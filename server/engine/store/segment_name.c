// SPDX-License-Identifier: MIT
// Names of segments as text, one for each and none besides: only what is written here is read back.
// It must not know whether there is such a segment.
#include "segment_name.h"

#include <stdio.h>
#include <string.h>

void taud_segment_object_name(struct taud_segment_name name, char out[TAUD_SEGMENT_NAME_BYTES])
{
    snprintf(out, TAUD_SEGMENT_NAME_BYTES, TAUD_SEGMENTS_FOLDER "/%016llx-%08lx.seg",
             (unsigned long long)name.sequence, (unsigned long)name.level);
}

bool taud_segment_parse_name(const char *text, struct taud_segment_name *ret)
{
    unsigned long long sequence;
    unsigned long level;
    char again[TAUD_SEGMENT_NAME_BYTES];
    if (sscanf(text, "%16llx-%8lx.seg", &sequence, &level) != 2)
        return false;
    struct taud_segment_name name = {sequence, (uint32_t)level};
    taud_segment_object_name(name, again);
    if (strcmp(again + sizeof TAUD_SEGMENTS_FOLDER, text) != 0)
        return false;
    *ret = name;
    return true;
}
