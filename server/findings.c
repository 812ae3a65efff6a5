// SPDX-License-Identifier: MIT
// Text has a line for each finding and a second one for what is lost, and ends with what was seen.
// JSON has the same words; numbers stand as numbers.
#include "findings.h"

#include "wire/utf8.h"

#include <assert.h>
#include <string.h>
#include <time.h>

static const char *const KINDS[] = {
    [TAUD_FINDING_NOTE] = "note",
    [TAUD_FINDING_DAMAGED] = "damaged",
    [TAUD_FINDING_LOST] = "lost",
    [TAUD_FINDING_UNKNOWN] = "unknown",
};

_Static_assert(sizeof KINDS / sizeof KINDS[0] == TAUD_FINDING_KINDS, "each kind has its word");

static void write_text(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte == '"' || byte == '\\')
            fprintf(out, "\\%c", byte);
        else if (byte < 0x20 || byte == 0x7f)
            fprintf(out, "\\u%04x", byte);
        else
            fputc(byte, out);
    }
    fputc('"', out);
}

static void write_member(FILE *out, const char *name, const char *text)
{
    fprintf(out, "\"%s\": ", name);
    write_text(out, text);
}

void taud_findings_begin(struct taud_findings *findings, const char *command,
                         const char *directory)
{
    if (!findings->json)
        return;
    fputc('{', findings->out);
    write_member(findings->out, "command", command);
    fputs(", ", findings->out);
    write_member(findings->out, "directory", directory);
    fputs(", \"findings\": [", findings->out);
}

// --- findings ---------------------------------------------------------------------------------

enum {
    LABEL_TEXT_BYTES = TAU_UTF8_ESCAPED_SIZE(sizeof(struct tau_label)),
    TIME_TEXT_BYTES = 40,
    LOSS_TEXT_BYTES = 1000,
};

// A timestamp as tau-cli prints it: in UTC, with as much of the second as there is.
static void time_text(int64_t timestamp_ns, char out[TIME_TEXT_BYTES])
{
    enum { SECOND_NS = 1000000000 };
    int64_t fraction = timestamp_ns % SECOND_NS;
    time_t seconds = (time_t)(timestamp_ns / SECOND_NS) - (fraction < 0);
    struct tm parts;
    int digits = 9;
    fraction += fraction < 0 ? SECOND_NS : 0;
    gmtime_r(&seconds, &parts);
    size_t length = strftime(out, TIME_TEXT_BYTES, "%Y-%m-%dT%H:%M:%S", &parts);
    for (; fraction != 0 && fraction % 1000 == 0; digits -= 3)
        fraction /= 1000;
    if (fraction != 0)
        length += (size_t)sprintf(out + length, ".%0*lld", digits, (long long)fraction);
    memcpy(out + length, "Z", 2);
}

// Names a series by its label, where that is known, and its identity, which the data files have.
static size_t series_text(uint64_t identity, const struct tau_label *label, char *out, size_t room)
{
    char name[LABEL_TEXT_BYTES];
    if (!label)
        return (size_t)snprintf(out, room, "series %llu", (unsigned long long)identity);
    tau_utf8_escape(label->bytes, sizeof label->bytes, name);
    return (size_t)snprintf(out, room, "%s (series %llu)", name, (unsigned long long)identity);
}

// What is lost, and of whom.
static void loss_text(const struct taud_finding *finding, char out[LOSS_TEXT_BYTES])
{
    const struct taud_finding_points *points = finding->points;
    char from[TIME_TEXT_BYTES], to[TIME_TEXT_BYTES];
    size_t length = (size_t)snprintf(out, LOSS_TEXT_BYTES, "%.400s", finding->loss);
    if (!points)
        return;
    length += (size_t)snprintf(out + length, LOSS_TEXT_BYTES - length, " of ");
    length += series_text(points->first_identity, points->first_label, out + length,
                          LOSS_TEXT_BYTES - length);
    if (points->first_identity == points->last_identity) {
        time_text(points->from, from);
        time_text(points->to, to);
        snprintf(out + length, LOSS_TEXT_BYTES - length, ", %s to %s", from, to);
        return;
    }
    length += (size_t)snprintf(out + length, LOSS_TEXT_BYTES - length, " to ");
    series_text(points->last_identity, points->last_label, out + length, LOSS_TEXT_BYTES - length);
}

static void write_loss(FILE *out, const char *loss)
{
    if (loss[0] != '\0')
        fprintf(out, "         lost: %s\n", loss);
}

static void add_json(struct taud_findings *findings, const char *kind,
                     const struct taud_finding *finding)
{
    FILE *out = findings->out;
    fputs(findings->count++ > 0 ? ",\n  {" : "\n  {", out);
    write_member(out, "kind", kind);
    fputs(", ", out);
    write_member(out, "place", finding->place);
    fprintf(out, ", \"offset\": %llu, \"size\": %llu, ", (unsigned long long)finding->offset,
            (unsigned long long)finding->size);
    char loss[LOSS_TEXT_BYTES];
    loss_text(finding, loss);
    write_member(out, "problem", finding->problem);
    fputs(", ", out);
    write_member(out, "loss", loss);
    fputc('}', out);
}

void taud_findings_add(struct taud_findings *findings, const struct taud_finding *finding)
{
    assert(finding->kind < TAUD_FINDING_KINDS);
    if (findings->json) {
        add_json(findings, KINDS[finding->kind], finding);
        return;
    }
    fprintf(findings->out, "%-8s %s", KINDS[finding->kind], finding->place);
    if (finding->size > 0)
        fprintf(findings->out, ", %llu bytes at %llu", (unsigned long long)finding->size,
                (unsigned long long)finding->offset);
    char loss[LOSS_TEXT_BYTES];
    loss_text(finding, loss);
    fprintf(findings->out, ": %s\n", finding->problem);
    write_loss(findings->out, loss);
}

void taud_findings_done(struct taud_findings *findings, const char *place, const char *what,
                        const char *loss)
{
    if (findings->json) {
        add_json(findings, "done",
                 &(struct taud_finding){.place = place, .problem = what, .loss = loss});
        return;
    }
    fprintf(findings->out, "%-8s %s: %s\n", "done", place, what);
    write_loss(findings->out, loss);
}

// --- the end ----------------------------------------------------------------------------------

static void count(FILE *out, uint64_t number, const char *what)
{
    fprintf(out, "%llu %s%s", (unsigned long long)number, what, number == 1 ? "" : "s");
}

static void sum_up(FILE *out, const char *directory, const struct taud_check_report *report)
{
    fprintf(out, "%s: ", directory);
    count(out, report->segment_count, "segment");
    fputs(" with ", out);
    count(out, report->chunk_count, "good chunk");
    fputs(" of ", out);
    count(out, report->point_count, "point");
    fputs(", ", out);
    count(out, report->catalog_count, "catalog object");
    fputs(", ", out);
    count(out, report->record_count, "record");
    fputs(" in the log\n", out);
}

static void judge(FILE *out, const char *directory, const struct taud_check_report *report)
{
    const uint64_t *found = report->findings;
    uint64_t damaged = found[TAUD_FINDING_DAMAGED] + found[TAUD_FINDING_LOST];
    fprintf(out, "%s: ", directory);
    if (damaged == 0 && found[TAUD_FINDING_UNKNOWN] == 0) {
        fputs("all is good\n", out);
        return;
    }
    count(out, damaged, "damaged place");
    if (found[TAUD_FINDING_LOST] > 0)
        fprintf(out, ", %llu of them with a loss", (unsigned long long)found[TAUD_FINDING_LOST]);
    if (report->lost_points > 0) {
        fputs(", ", out);
        count(out, report->lost_points, "point");
        fputs(" in all", out);
    }
    if (found[TAUD_FINDING_UNKNOWN] > 0) {
        fputs("; ", out);
        count(out, found[TAUD_FINDING_UNKNOWN], "place");
        fputs(" could not be checked", out);
    }
    fputc('\n', out);
}

static void end_json(const struct taud_findings *findings, const struct taud_check_report *report,
                     const char *failure)
{
    const struct {
        const char *name;
        uint64_t number;
    } members[] = {
        {"segments", report->segment_count},    {"chunks", report->chunk_count},
        {"points", report->point_count},        {"catalog_objects", report->catalog_count},
        {"groups", report->group_count},        {"records", report->record_count},
        {"log_bytes", report->log_bytes},       {"torn_bytes", report->torn_bytes},
        {"lost_points", report->lost_points},
    };
    const uint64_t *found = report->findings;
    bool damaged = found[TAUD_FINDING_DAMAGED] + found[TAUD_FINDING_LOST] > 0;
    bool unknown = failure != NULL || found[TAUD_FINDING_UNKNOWN] > 0;
    FILE *out = findings->out;
    fputs("],\n  \"good\": {", out);
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        fprintf(out, "%s\"%s\": %llu", i > 0 ? ", " : "", members[i].name,
                (unsigned long long)members[i].number);
    fputs("},\n  ", out);
    write_member(out, "result", unknown ? "unknown" : damaged ? "damaged" : "good");
    if (failure != NULL) {
        fputs(", ", out);
        write_member(out, "failure", failure);
    }
    fputs("}\n", out);
}

void taud_findings_end(struct taud_findings *findings, const char *directory,
                       const struct taud_check_report *report, const char *failure)
{
    if (findings->json) {
        end_json(findings, report, failure);
    } else if (failure == NULL) {
        sum_up(findings->out, directory, report);
        judge(findings->out, directory, report);
    }
}
