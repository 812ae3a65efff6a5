/* SPDX-License-Identifier: MIT */
/*
 * Times as text. The calendar's arithmetic counts days from 0000-03-01, so that the leap day is the
 * last of its year (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms").
 */
#include "format/time.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "format/number.h"

#define SECONDS_PER_DAY INT64_C(86400)

int64_t cli_days_from_date(int64_t year, unsigned month, unsigned day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t month_from_march = (month + 9) % 12;
    int64_t day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

void cli_date_from_days(int64_t days, struct cli_civil *ret_civil)
{
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t day_of_era = z - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;
    ret_civil->day = (unsigned)(day_of_year - (153 * month_from_march + 2) / 5 + 1);
    ret_civil->month =
        (unsigned)(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
    ret_civil->year = year_of_era + era * 400 + (ret_civil->month <= 2);
}

unsigned cli_days_of_month(int64_t year, unsigned month)
{
    static const unsigned days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

void cli_civil_from_ns(int64_t timestamp_ns, struct cli_civil *ret_civil)
{
    int64_t seconds = timestamp_ns / CLI_NS_PER_SECOND;
    int64_t nanosecond = timestamp_ns % CLI_NS_PER_SECOND;
    if (nanosecond < 0) {
        nanosecond += CLI_NS_PER_SECOND;
        seconds--;
    }
    int64_t days = seconds / SECONDS_PER_DAY;
    int64_t second = seconds % SECONDS_PER_DAY;
    if (second < 0) {
        second += SECONDS_PER_DAY;
        days--;
    }
    cli_date_from_days(days, ret_civil);
    ret_civil->hour = (unsigned)(second / 3600);
    ret_civil->minute = (unsigned)(second / 60 % 60);
    ret_civil->second = (unsigned)(second % 60);
    ret_civil->nanosecond = (uint32_t)nanosecond;
}

static char *put_digits(char *at, uint64_t value, int count)
{
    for (int i = count - 1; i >= 0; i--) {
        at[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return at + count;
}

static size_t rfc3339_to_text(int64_t timestamp_ns, char *ret_text)
{
    struct cli_civil civil;
    cli_civil_from_ns(timestamp_ns, &civil);
    char *at = put_digits(ret_text, (uint64_t)civil.year, 4);
    *at++ = '-';
    at = put_digits(at, civil.month, 2);
    *at++ = '-';
    at = put_digits(at, civil.day, 2);
    *at++ = 'T';
    at = put_digits(at, civil.hour, 2);
    *at++ = ':';
    at = put_digits(at, civil.minute, 2);
    *at++ = ':';
    at = put_digits(at, civil.second, 2);
    if (civil.nanosecond != 0) {
        uint32_t fraction = civil.nanosecond;
        int count = 9;
        for (; fraction % 1000 == 0; count -= 3) {
            fraction /= 1000;
        }
        *at++ = '.';
        at = put_digits(at, fraction, count);
    }
    *at++ = 'Z';
    *at = '\0';
    return (size_t)(at - ret_text);
}

/* A number of units with as many decimals as it takes, for example -1.5. */
static size_t scaled_to_text(bool negative, uint64_t magnitude, uint64_t unit_ns, int decimals,
                             char *ret_text)
{
    char *at = ret_text;
    if (negative) {
        *at++ = '-';
    }
    at += cli_u64_to_text(magnitude / unit_ns, at);
    uint64_t fraction = magnitude % unit_ns;
    if (fraction != 0) {
        for (; fraction % 10 == 0; decimals--) {
            fraction /= 10;
        }
        *at++ = '.';
        at = put_digits(at, fraction, decimals);
        *at = '\0';
    }
    return (size_t)(at - ret_text);
}

/* Writes a number in the unit of a format; returns 0 where that has none. */
static size_t number_to_text(bool negative, uint64_t magnitude, enum cli_time_format format,
                             char *ret_text)
{
    switch (format) {
    case CLI_TIME_S:
        return scaled_to_text(negative, magnitude, 1000000000, 9, ret_text);
    case CLI_TIME_MS:
        return scaled_to_text(negative, magnitude, 1000000, 6, ret_text);
    case CLI_TIME_US:
        return scaled_to_text(negative, magnitude, 1000, 3, ret_text);
    case CLI_TIME_NS:
        return scaled_to_text(negative, magnitude, 1, 0, ret_text);
    case CLI_TIME_RFC3339:
        break;
    }
    return 0;
}

size_t cli_time_to_text(int64_t timestamp_ns, enum cli_time_format format, char *ret_text)
{
    bool negative = timestamp_ns < 0;
    uint64_t magnitude = negative ? 0 - (uint64_t)timestamp_ns : (uint64_t)timestamp_ns;
    size_t length = number_to_text(negative, magnitude, format, ret_text);
    return length > 0 ? length : rfc3339_to_text(timestamp_ns, ret_text);
}

size_t cli_span_to_text(uint64_t duration_ns, enum cli_time_format format, char *ret_text)
{
    static const struct {
        const char *name;
        uint64_t ns;
    } units[] = {
        {"d", UINT64_C(86400000000000)},
        {"h", UINT64_C(3600000000000)},
        {"m", UINT64_C(60000000000)},
        {"s", UINT64_C(1000000000)},
        {"ms", UINT64_C(1000000)},
        {"us", UINT64_C(1000)},
        {"ns", UINT64_C(1)},
    };
    size_t length = number_to_text(false, duration_ns, format, ret_text);
    if (length > 0) {
        return length;
    }
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (duration_ns >= units[i].ns) {
            length += (size_t)snprintf(ret_text + length, CLI_TIME_TEXT_SIZE - length,
                                       "%" PRIu64 "%s", duration_ns / units[i].ns, units[i].name);
            duration_ns %= units[i].ns;
        }
    }
    return length > 0 ? length : (size_t)snprintf(ret_text, CLI_TIME_TEXT_SIZE, "0s");
}

size_t cli_duration_to_text(int64_t duration_ns, char *ret_text)
{
    double ns = (double)duration_ns;
    int64_t seconds = duration_ns / CLI_NS_PER_SECOND;
    int length;
    if (duration_ns < 1000) {
        length = snprintf(ret_text, CLI_TIME_TEXT_SIZE, "%" PRId64 " ns", duration_ns);
    } else if (duration_ns < 1000000) {
        length = snprintf(ret_text, CLI_TIME_TEXT_SIZE, "%.3g us", ns / 1e3);
    } else if (duration_ns < CLI_NS_PER_SECOND) {
        length = snprintf(ret_text, CLI_TIME_TEXT_SIZE, "%.3g ms", ns / 1e6);
    } else if (seconds < 60) {
        length = snprintf(ret_text, CLI_TIME_TEXT_SIZE, "%.3g s", ns / 1e9);
    } else if (seconds < 3600) {
        length = snprintf(ret_text, CLI_TIME_TEXT_SIZE, "%" PRId64 ":%02" PRId64, seconds / 60,
                          seconds % 60);
    } else {
        length = snprintf(ret_text, CLI_TIME_TEXT_SIZE, "%" PRId64 ":%02" PRId64 ":%02" PRId64,
                          seconds / 3600, seconds / 60 % 60, seconds % 60);
    }
    return (size_t)length;
}
