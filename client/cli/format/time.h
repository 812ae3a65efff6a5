/* SPDX-License-Identifier: MIT */
/*
 * Times as text: RFC 3339 in UTC, or a number in a unit. Whatever is printed reads back to the same
 * nanosecond: fractions are printed as far as they go. Also the calendar that parse/ shares.
 */
#ifndef TAU_CLI_FORMAT_TIME_H
#define TAU_CLI_FORMAT_TIME_H

#include <stddef.h>
#include <stdint.h>

#define CLI_NS_PER_SECOND INT64_C(1000000000)

/* The room that the text of any time or duration fits in, its zero byte included. */
#define CLI_TIME_TEXT_SIZE 40

/* How times are printed. */
enum cli_time_format { CLI_TIME_RFC3339, CLI_TIME_S, CLI_TIME_MS, CLI_TIME_US, CLI_TIME_NS };

/* A moment of the Gregorian calendar, in UTC. */
struct cli_civil {
    int64_t year;
    unsigned month; /* 1 to 12 */
    unsigned day;   /* 1 to 31 */
    unsigned hour;
    unsigned minute;
    unsigned second;
    uint32_t nanosecond;
};

/* The days from 1970-01-01 to a date, and back. */
int64_t cli_days_from_date(int64_t year, unsigned month, unsigned day);
void cli_date_from_days(int64_t days, struct cli_civil *ret_civil);

unsigned cli_days_of_month(int64_t year, unsigned month);

/* Splits a timestamp into its parts. */
void cli_civil_from_ns(int64_t timestamp_ns, struct cli_civil *ret_civil);

/* Writes a timestamp into CLI_TIME_TEXT_SIZE bytes and returns the length of its text. */
size_t cli_time_to_text(int64_t timestamp_ns, enum cli_time_format format, char *ret_text);

/*
 * Writes a duration into CLI_TIME_TEXT_SIZE bytes as times are printed: such as `1h30m`, which
 * reads back as the same, or as a number in a unit. Returns the length of its text.
 */
size_t cli_span_to_text(uint64_t duration_ns, enum cli_time_format format, char *ret_text);

/* Writes a duration for people, for example `850 ms`, `12.5 s`, `3:07:09`; returns its length. */
size_t cli_duration_to_text(int64_t duration_ns, char *ret_text);

#endif
