// SPDX-License-Identifier: MIT
// The grammars of sizes and durations. A quantity is read in one pass; digits gather in `number`,
// a unit multiplies it. Overflow ends the machine in its error state, like any other fault.
#include "config/quantity.h"

#include <string.h>

static bool add_digit(uint64_t *number, char digit)
{
    return !__builtin_mul_overflow(*number, (uint64_t)10, number) &&
           !__builtin_add_overflow(*number, (uint64_t)(digit - '0'), number);
}

static bool add_part(uint64_t *total, uint64_t number, uint64_t unit)
{
    uint64_t part;
    return !__builtin_mul_overflow(number, unit, &part) &&
           !__builtin_add_overflow(*total, part, total);
}

%%{
    machine size;
    write data noerror nofinal noentry;

    action digit { fits = fits && add_digit(&number, *p); }
    action kilo { shift = 10; }
    action mega { shift = 20; }
    action giga { shift = 30; }
    action tera { shift = 40; }

    unit = ([kK] @kilo | [mM] @mega | [gG] @giga | [tT] @tera) "i"?;
    main := ([0-9] @digit)+ unit? [bB]?;
}%%

bool taud_size_parse(const char *text, uint64_t *ret_bytes)
{
    const char *p = text;
    const char *pe = text + strlen(text);
    uint64_t number = 0;
    uint64_t total = 0;
    unsigned shift = 0;
    bool fits = true;
    int cs;

    %% machine size;
    %% write init;
    %% write exec;

    if (cs < %%{ write first_final; }%% || !fits || !add_part(&total, number, UINT64_C(1) << shift))
        return false;
    *ret_bytes = total;
    return true;
}

%%{
    machine duration;
    write data noerror nofinal noentry;

    action begin { number = 0; }
    action digit { fits = fits && add_digit(&number, *p); }
    action milliseconds { fits = fits && add_part(&total, number, 1); }
    action seconds { fits = fits && add_part(&total, number, 1000); }
    action minutes { fits = fits && add_part(&total, number, 60 * 1000); }
    action hours { fits = fits && add_part(&total, number, 3600 * 1000); }
    action days { fits = fits && add_part(&total, number, 86400 * 1000); }

    number = ([0-9] @digit)+ >begin;
    part = number ("ms" @milliseconds | "s" @seconds | "m" %minutes | "h" @hours | "d" @days);
    main := part+ | "0";
}%%

bool taud_duration_parse(const char *text, uint64_t *ret_ms)
{
    const char *p = text;
    const char *pe = text + strlen(text);
    const char *eof = pe;
    uint64_t number = 0;
    uint64_t total = 0;
    bool fits = true;
    int cs;

    %% machine duration;
    %% write init;
    %% write exec;

    if (cs < %%{ write first_final; }%% || !fits)
        return false;
    *ret_ms = total;
    return true;
}
