/* SPDX-License-Identifier: MIT */
/*
 * Round marks: values by steps of 1, 2 or 5 times a power of ten (P. S. Heckbert, "Nice Numbers for
 * Graph Labels", Graphics Gems, 1990), times by the steps of clocks and calendars.
 */
#include "plot/axis.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>

#include "format/time.h"

#define SECOND CLI_NS_PER_SECOND
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

/* Beyond this, rounding a value up to a mark may leave the range of an f64. */
#define ROUNDED_LIMIT 1e307

/* The least of 1, 2, 5 or 10 times a power of ten that is not below `rough`. */
static double round_up(double rough)
{
    double power = pow(10, floor(log10(rough)));
    double fraction = rough / power;
    if (fraction <= 1.0000001) {
        return power;
    }
    return (fraction <= 2.0000001 ? 2 : fraction <= 5.0000001 ? 5 : 10) * power;
}

void cli_value_axis_init(struct cli_value_axis *axis, double low, double high, size_t most)
{
    assert(isfinite(low) && isfinite(high) && low <= high && most >= 2);
    /* A step that is lost in the rounding of the values themselves marks nothing. */
    double least = fmax(fabs(low), fabs(high)) * 1e-12;
    double span = high / 2 - low / 2;
    if (span <= least) {
        double margin = low == 0 ? 0.5 : fabs(low) * 0.05;
        low = low / 2 - margin / 2 > -1e307 ? low - margin : low;
        high = high / 2 + margin / 2 < 1e307 ? high + margin : high;
        span = high / 2 - low / 2;
    }
    if (fmax(fabs(low), fabs(high)) > ROUNDED_LIMIT) {
        *axis = (struct cli_value_axis){.low = low, .high = high, .step = span, .tick_count = 3};
        return;
    }
    double step = round_up(fmax(span * 2 / (double)most, 5e-308));
    for (int widened = 0; widened < 4; widened++) {
        axis->low = floor(low / step) * step;
        axis->high = ceil(high / step) * step;
        if ((axis->high - axis->low) / step <= (double)most + 0.5) {
            break;
        }
        step = round_up(step * 1.5);
    }
    axis->step = step;
    axis->tick_count = (size_t)llround((axis->high - axis->low) / step) + 1;
    axis->decimals = step >= 1 ? 0 : (int)ceil(-log10(step) - 1e-9);
}

double cli_value_axis_tick(const struct cli_value_axis *axis, size_t index)
{
    return fma((double)index, axis->step, axis->low); /* the product alone may overflow */
}

size_t cli_value_axis_text(const struct cli_value_axis *axis, size_t index, char *ret_text)
{
    double value = cli_value_axis_tick(axis, index);
    double largest = fmax(fabs(axis->low), fabs(axis->high));
    if (fabs(value) < axis->step / 2) {
        value = 0;
    }
    if (largest >= 1e9 || axis->decimals > 6) {
        int digits = (int)fmin(12, fmax(3, ceil(log10(largest / axis->step)) + 1));
        return (size_t)snprintf(ret_text, CLI_TICK_TEXT_BYTES, "%.*g", digits, value);
    }
    return (size_t)snprintf(ret_text, CLI_TICK_TEXT_BYTES, "%.*f", axis->decimals, value);
}

/* The least step of clock or calendar that is not below `rough_ns`. */
static int64_t round_up_time(int64_t rough_ns)
{
    static const int64_t steps[] = {
        SECOND,    2 * SECOND, 5 * SECOND, 10 * SECOND, 15 * SECOND, 30 * SECOND,
        MINUTE,    2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE,
        HOUR,      2 * HOUR,   3 * HOUR,   6 * HOUR,    12 * HOUR,   DAY,
        2 * DAY,   7 * DAY,    14 * DAY,   28 * DAY,    56 * DAY,    91 * DAY,
        182 * DAY, 365 * DAY,  1826 * DAY, 3652 * DAY,  36525 * DAY,
    };
    for (int64_t power = 1; power < SECOND; power *= 10) {
        static const int64_t factors[] = {1, 2, 5};
        for (size_t i = 0; i < 3; i++) {
            if (factors[i] * power >= rough_ns) {
                return factors[i] * power;
            }
        }
    }
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        if (steps[i] >= rough_ns) {
            return steps[i];
        }
    }
    return steps[sizeof(steps) / sizeof(steps[0]) - 1];
}

void cli_time_axis_init(struct cli_time_axis *axis, int64_t low_ns, int64_t high_ns, size_t most)
{
    assert(low_ns <= high_ns);
    most = most < 1 ? 1 : most > CLI_TICK_LIMIT ? CLI_TICK_LIMIT : most;
    uint64_t span = (uint64_t)high_ns - (uint64_t)low_ns;
    uint64_t rough = span / most + 1;
    axis->step_ns = round_up_time(rough > INT64_MAX ? INT64_MAX : (int64_t)rough);
    axis->tick_count = 0;
    int64_t remainder = low_ns % axis->step_ns;
    int64_t tick = low_ns - remainder;
    if (remainder > 0 && __builtin_add_overflow(tick, axis->step_ns, &tick)) {
        return;
    }
    while (tick <= high_ns && axis->tick_count < most) {
        axis->ticks_ns[axis->tick_count++] = tick;
        if (__builtin_add_overflow(tick, axis->step_ns, &tick)) {
            break;
        }
    }
}

size_t cli_time_axis_text(const struct cli_time_axis *axis, size_t index, char *ret_text)
{
    struct cli_civil at;
    int length;
    cli_civil_from_ns(axis->ticks_ns[index], &at);
    bool midnight = at.hour == 0 && at.minute == 0 && at.second == 0 && at.nanosecond == 0;
    if (axis->step_ns >= DAY || (midnight && axis->step_ns >= HOUR)) {
        length = snprintf(ret_text, CLI_TICK_TEXT_BYTES, "%04" PRId64 "-%02u-%02u", at.year,
                          at.month, at.day);
    } else if (axis->step_ns >= MINUTE) {
        length = snprintf(ret_text, CLI_TICK_TEXT_BYTES, "%02u:%02u", at.hour, at.minute);
    } else if (axis->step_ns >= SECOND) {
        length = snprintf(ret_text, CLI_TICK_TEXT_BYTES, "%02u:%02u:%02u", at.hour, at.minute,
                          at.second);
    } else {
        int decimals = axis->step_ns >= 1000000 ? 3 : axis->step_ns >= 1000 ? 6 : 9;
        uint32_t fraction = at.nanosecond;
        for (int i = decimals; i < 9; i++) {
            fraction /= 10;
        }
        length = snprintf(ret_text, CLI_TICK_TEXT_BYTES, "%02u:%02u.%0*" PRIu32, at.minute,
                          at.second, decimals, fraction);
    }
    return (size_t)length;
}
