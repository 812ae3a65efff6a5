/* SPDX-License-Identifier: MIT */
/*
 * The grammar of times. The machine only takes the text apart; calendar() and number() below judge
 * what was found.
 *
 *     2024-03-01T12:30:00.25+01:00   2024-03-01 12:30:00   2024-03-01   1709294400   now-1h30m
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "format/time.h"
#include "parse/time.h"

#define NO_TIME      "not a time: RFC 3339, YYYY-MM-DD[ HH:MM:SS[.fraction]], or a number"
#define OUT_OF_RANGE "the time is out of range (1677-09-21 to 2262-04-11)"

struct parts {
    bool negative;
    uint64_t number; /* the digits before the point, of a bare number */
    bool overflow;
    uint32_t fraction_ns; /* decimals, as billionths */
    unsigned decimals;
    unsigned year, month, day, hour, minute, second;
    unsigned zone_hour, zone_minute;
    bool west;
};

static void add_digit(struct parts *parts, char digit)
{
    if (parts->number > (UINT64_MAX - 9) / 10) {
        parts->overflow = true;
        return;
    }
    parts->number = parts->number * 10 + (uint64_t)(digit - '0');
}

static void add_decimal(struct parts *parts, char digit)
{
    static const uint32_t places[] = {100000000, 10000000, 1000000, 100000, 10000,
                                      1000,      100,      10,      1};
    if (parts->decimals < 9) {
        parts->fraction_ns += (uint32_t)(digit - '0') * places[parts->decimals];
    }
    if (parts->decimals < 9 || digit != '0') {
        parts->decimals++;
    }
}

static void add_to(unsigned *field, char digit)
{
    *field = *field * 10 + (unsigned)(digit - '0');
}

%%{
    machine time;

    action negative { parts.negative = true; }
    action digit { add_digit(&parts, *p); }
    action decimal { add_decimal(&parts, *p); }
    action is_number { kind = NUMBER; }
    action is_calendar { kind = CALENDAR; }

    number = ( '-' @negative | '+' )? digit+ @digit ( '.' digit+ @decimal )? %is_number;

    date = digit{4} ${ add_to(&parts.year, *p); } '-'
           digit{2} ${ add_to(&parts.month, *p); } '-'
           digit{2} ${ add_to(&parts.day, *p); };
    clock = digit{2} ${ add_to(&parts.hour, *p); } ':'
            digit{2} ${ add_to(&parts.minute, *p); } ':'
            digit{2} ${ add_to(&parts.second, *p); }
            ( '.' digit+ @decimal )?;
    zone = [Zz]
         | ( '+' | '-' @{ parts.west = true; } )
           digit{2} ${ add_to(&parts.zone_hour, *p); } ':'
           digit{2} ${ add_to(&parts.zone_minute, *p); };
    calendar = date ( [Tt ] clock zone? )? %is_calendar;

    main := number | calendar;

    write data noerror noentry;
}%%

/* Adds seconds and nanoseconds into a timestamp, unless that leaves its range. */
static bool join(int64_t seconds, int64_t nanoseconds, int64_t *ret_ns)
{
    int64_t total;
    /* The seconds before the first representable one need their nanoseconds added first. */
    if (seconds < 0 && nanoseconds > 0) {
        seconds++;
        nanoseconds -= CLI_NS_PER_SECOND;
    }
    if (__builtin_mul_overflow(seconds, CLI_NS_PER_SECOND, &total) ||
        __builtin_add_overflow(total, nanoseconds, &total)) {
        return false;
    }
    *ret_ns = total;
    return true;
}

static const char *calendar(const struct parts *parts, int64_t *ret_ns)
{
    if (parts->month < 1 || parts->month > 12 || parts->day < 1 ||
        parts->day > cli_days_of_month(parts->year, parts->month)) {
        return "there is no such day";
    }
    if (parts->hour > 23 || parts->minute > 59 || parts->second > 60 || parts->zone_hour > 23 ||
        parts->zone_minute > 59) {
        return "there is no such time of day";
    }
    if (parts->decimals > 9) {
        return "the time is finer than a nanosecond";
    }
    int64_t zone_s = (int64_t)parts->zone_hour * 3600 + (int64_t)parts->zone_minute * 60;
    int64_t seconds = cli_days_from_date(parts->year, parts->month, parts->day) * 86400 +
                      (int64_t)parts->hour * 3600 + (int64_t)parts->minute * 60 +
                      (int64_t)parts->second + (parts->west ? zone_s : -zone_s);
    return join(seconds, parts->fraction_ns, ret_ns) ? NULL : OUT_OF_RANGE;
}

static const char *number(const struct parts *parts, enum cli_unit unit, int64_t *ret_ns)
{
    uint64_t unit_ns = (uint64_t)unit;
    uint64_t fraction = (uint64_t)parts->fraction_ns * unit_ns;
    uint64_t magnitude;
    if (parts->decimals > 9 || fraction % 1000000000 != 0) {
        return "the time is finer than a nanosecond";
    }
    bool overflow = parts->overflow || __builtin_mul_overflow(parts->number, unit_ns, &magnitude) ||
                    __builtin_add_overflow(magnitude, fraction / 1000000000, &magnitude);
    if (overflow || magnitude > (uint64_t)INT64_MAX + parts->negative) {
        return "the time is out of range (64 bits of nanoseconds)";
    }
    *ret_ns = (int64_t)(parts->negative ? 0 - magnitude : magnitude);
    return NULL;
}

/* Reads `now`, `now-DURATION`, `now+DURATION`, `-DURATION` and `+DURATION`. */
static const char *relative(const char *text, int64_t now_ns, int64_t *ret_ns)
{
    int64_t duration_ns = 0;
    bool with_now = strncasecmp(text, "now", 3) == 0;
    const char *at = with_now ? text + 3 : text;
    bool overflow = false;
    if (*at != '\0' || !with_now) {
        if ((*at != '-' && *at != '+') || cli_duration_from_text(at + 1, &duration_ns) != NULL) {
            return NO_TIME ", or relative: now, -1h, now-1h30m";
        }
        duration_ns = *at == '-' ? -duration_ns : duration_ns;
        overflow = __builtin_add_overflow(now_ns, duration_ns, &now_ns);
    }
    if (overflow) {
        return OUT_OF_RANGE;
    }
    *ret_ns = now_ns;
    return NULL;
}

const char *cli_time_from_text(const char *text, const struct cli_time_rules *rules,
                               int64_t *ret_ns)
{
    struct parts parts = {0};
    enum { NEITHER, NUMBER, CALENDAR } kind = NEITHER;
    const char *p = text;
    const char *pe = text + strlen(text);
    const char *eof = pe;
    int cs;

    %% write init;
    %% write exec;

    if (cs < time_first_final || kind == NEITHER) {
        return rules->relative ? relative(text, rules->now_ns, ret_ns) : NO_TIME;
    }
    return kind == NUMBER ? number(&parts, rules->unit, ret_ns) : calendar(&parts, ret_ns);
}

static const struct {
    const char *name;
    enum cli_unit unit;
} units[] = {{"s", CLI_UNIT_S}, {"ms", CLI_UNIT_MS}, {"us", CLI_UNIT_US}, {"ns", CLI_UNIT_NS}};

#define UNIT_COUNT (sizeof(units) / sizeof(units[0]))

bool cli_unit_from_text(const char *text, enum cli_unit *ret_unit)
{
    for (size_t i = 0; i < UNIT_COUNT; i++) {
        if (strcmp(text, units[i].name) == 0) {
            *ret_unit = units[i].unit;
            return true;
        }
    }
    return false;
}

const char *cli_unit_name(size_t index)
{
    return index < UNIT_COUNT ? units[index].name : NULL;
}
