// SPDX-License-Identifier: MIT
// How what a check found and a repair did is shown: as lines for people, or as one JSON object. It
// must not know how anything is found.
#ifndef TAUD_FINDINGS_H
#define TAUD_FINDINGS_H

#include "engine/check/check.h"

#include <stdio.h>

struct taud_findings {
    FILE *out;
    bool json;
    uint64_t count; // of what was written so far
};

// Before the first finding. `command` is what is being done.
void taud_findings_begin(struct taud_findings *findings, const char *command,
                         const char *directory);
void taud_findings_add(struct taud_findings *findings, const struct taud_finding *finding);
// Something that was done, and what is lost by it, "" for nothing.
void taud_findings_done(struct taud_findings *findings, const char *place, const char *what,
                        const char *loss);
// Behind the last one. `failure` is NULL, or says why it could not be done.
void taud_findings_end(struct taud_findings *findings, const char *directory,
                       const struct taud_check_report *report, const char *failure);

#endif
