/* SPDX-License-Identifier: MIT */
/*
 * Values as text and back. The program never sets LC_NUMERIC, so strtod and printf speak the
 * C locale. Most measured values are short decimals: these are read without strtod, by one exact
 * product or quotient (W. D. Clinger, "How to Read Floating Point Numbers Accurately", 1990).
 */
#include "format/number.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static uint64_t bits_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

static double value_of(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

size_t cli_u64_to_text(uint64_t value, char *ret_text)
{
    char reversed[20];
    size_t count = 0;
    do {
        reversed[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    for (size_t i = 0; i < count; i++) {
        ret_text[i] = reversed[count - 1 - i];
    }
    ret_text[count] = '\0';
    return count;
}

size_t cli_i64_to_text(int64_t value, char *ret_text)
{
    if (value >= 0) {
        return cli_u64_to_text((uint64_t)value, ret_text);
    }
    ret_text[0] = '-';
    return 1 + cli_u64_to_text(0 - (uint64_t)value, ret_text + 1);
}

static size_t print(char *ret_text, const char *format, int digits, double value)
{
    return (size_t)snprintf(ret_text, CLI_NUMBER_TEXT_SIZE, format, digits, value);
}

size_t cli_f64_to_text(double value, char *ret_text)
{
    if (isnan(value)) {
        return (size_t)snprintf(ret_text, CLI_NUMBER_TEXT_SIZE, "nan(0x%016" PRIx64 ")",
                                bits_of(value));
    }
    if (bits_of(value) == bits_of(-0.0)) {
        strcpy(ret_text, "-0.0");
        return 4;
    }
    if (fabs(value) < 1e15 && value == (double)(int64_t)value) {
        return cli_i64_to_text((int64_t)value, ret_text);
    }
    size_t length = 0;
    for (int digits = 15; digits <= 17; digits++) {
        length = print(ret_text, "%.*g", digits, value);
        if (bits_of(strtod(ret_text, NULL)) == bits_of(value)) {
            break;
        }
    }
    return length;
}

/* Reads a short decimal exactly. Returns false where that takes more than one rounding. */
static bool read_short(const char *text, double *ret_value)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    const char *at = text + (*text == '-');
    const char *first = at;
    uint64_t digits = 0;
    int decimals = 0;
    bool point = false;
    for (; at - first < 18; at++) {
        if (*at == '.' && !point) {
            point = true;
        } else if (*at >= '0' && *at <= '9') {
            digits = digits * 10 + (uint64_t)(*at - '0');
            decimals += point;
        } else {
            break;
        }
    }
    if (*at != '\0' || at - first == point || digits > (UINT64_C(1) << 53)) {
        return false;
    }
    double value = (double)digits / powers[decimals];
    *ret_value = *text == '-' ? -value : value;
    return true;
}

/* Reads what stands behind `nan`: nothing, or the bits in parentheses. */
static const char *read_nan(const char *text, bool negative, double *ret_value)
{
    uint64_t bits = UINT64_C(0x7ff8000000000000) | (uint64_t)negative << 63;
    if (*text != '\0') {
        char *end;
        if (negative || strncasecmp(text, "(0x", 3) != 0 ||
            strspn(text + 3, "0123456789abcdefABCDEF") == 0) {
            return "not a number; a NaN is written nan or nan(0xBITS)";
        }
        errno = 0;
        bits = strtoull(text + 3, &end, 16);
        if (errno != 0 || strcmp(end, ")") != 0) {
            return "not a number; a NaN is written nan or nan(0xBITS)";
        }
        if (!isnan(value_of(bits))) {
            return "the bits in nan(0xBITS) are no NaN";
        }
    }
    *ret_value = value_of(bits);
    return NULL;
}

const char *cli_f64_from_text(const char *text, double *ret_value)
{
    if (read_short(text, ret_value)) {
        return NULL;
    }
    const char *magnitude = text + (*text == '-' || *text == '+');
    if (strncasecmp(magnitude, "nan", 3) == 0) {
        return read_nan(magnitude + 3, *text == '-', ret_value);
    }
    if (strchr("0123456789.iI", *magnitude) == NULL || *magnitude == '\0') {
        return "not a number";
    }
    char *end;
    errno = 0;
    double value = strtod(text, &end);
    if (end == text || *end != '\0') {
        return "not a number";
    }
    if (errno == ERANGE && isinf(value)) {
        return "the number is out of the range of an f64";
    }
    *ret_value = value;
    return NULL;
}

bool cli_u64_from_text(const char *text, uint64_t low, uint64_t high, uint64_t *ret_value)
{
    char *end;
    if (*text < '0' || *text > '9') {
        return false;
    }
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || *end != '\0' || value < low || value > high) {
        return false;
    }
    *ret_value = value;
    return true;
}

bool cli_i64_from_text(const char *text, int64_t low, int64_t high, int64_t *ret_value)
{
    char *end;
    const char *magnitude = text + (*text == '-' || *text == '+');
    if (*magnitude < '0' || *magnitude > '9') {
        return false;
    }
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno != 0 || *end != '\0' || value < low || value > high) {
        return false;
    }
    *ret_value = value;
    return true;
}
