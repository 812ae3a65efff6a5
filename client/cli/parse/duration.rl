/* SPDX-License-Identifier: MIT */
/*
 * The grammar of durations: one or more of a decimal number and a unit, for example `1h30m`. The
 * longest unit wins (`5ms` are milliseconds, `5m` minutes); each is added exactly, in nanoseconds.
 */
#include <string.h>

#include "parse/time.h"

struct duration {
    int64_t total_ns;
    uint64_t digits;
    int64_t scale; /* 10 to the number of decimals */
    bool overflow;
};

static void add_digit(struct duration *duration, char digit, bool decimal)
{
    if (duration->digits > (UINT64_MAX - 9) / 10 || duration->scale > INT64_C(100000000000000000)) {
        duration->overflow = true;
        return;
    }
    duration->digits = duration->digits * 10 + (uint64_t)(digit - '0');
    if (decimal) {
        duration->scale *= 10;
    }
}

/* Adds digits / scale units. What is finer than a nanosecond is refused, never rounded. */
static void add_part(struct duration *duration, int64_t unit_ns)
{
    __extension__ typedef unsigned __int128 wide;
    wide ns = (wide)duration->digits * (uint64_t)unit_ns;
    wide scale = (wide)(uint64_t)duration->scale;
    if (ns % scale != 0 || ns / scale > (uint64_t)(INT64_MAX - duration->total_ns)) {
        duration->overflow = true;
    } else {
        duration->total_ns += (int64_t)(ns / scale);
    }
    duration->digits = 0;
    duration->scale = 1;
}

%%{
    machine duration;

    action digit { add_digit(&duration, *p, false); }
    action decimal { add_digit(&duration, *p, true); }

    number = digit+ @digit ( '.' digit+ @decimal )?;
    unit = 'ns' %{ add_part(&duration, 1); }
         | 'us' %{ add_part(&duration, 1000); }
         | 'ms' %{ add_part(&duration, 1000000); }
         | 's' %{ add_part(&duration, INT64_C(1000000000)); }
         | 'm' %{ add_part(&duration, INT64_C(60000000000)); }
         | 'h' %{ add_part(&duration, INT64_C(3600000000000)); }
         | 'd' %{ add_part(&duration, INT64_C(86400000000000)); }
         | 'w' %{ add_part(&duration, INT64_C(604800000000000)); };
    main := ( number unit )+;

    write data noerror noentry;
}%%

const char *cli_duration_from_text(const char *text, int64_t *ret_ns)
{
    struct duration duration = {.scale = 1};
    const char *p = text;
    const char *pe = text + strlen(text);
    const char *eof = pe;
    int cs;

    %% write init;
    %% write exec;

    if (cs < duration_first_final) {
        return "not a duration such as 90s, 1h30m or 250ms";
    }
    if (duration.overflow) {
        return "the duration is too long, or finer than a nanosecond";
    }
    *ret_ns = duration.total_ns;
    return NULL;
}
