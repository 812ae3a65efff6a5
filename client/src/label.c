/* SPDX-License-Identifier: MIT */
/*
 * Labels and certificates as people write them. Printable UTF-8 passes through; every other byte,
 * and the backslash itself, is `\xHH`, so that text and label map onto each other without loss.
 */
#include <tau/label.h>

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "wire/utf8.h"

static int hex_digit(char character)
{
    if (character >= '0' && character <= '9')
        return character - '0';
    if (character >= 'a' && character <= 'f')
        return character - 'a' + 10;
    if (character >= 'A' && character <= 'F')
        return character - 'A' + 10;
    return -1;
}

/* Reads two digits; false when they are not there. The text may end anywhere. */
static bool read_hex_byte(const char *text, uint8_t *ret_byte)
{
    int high = hex_digit(text[0]);
    if (high < 0)
        return false;
    int low = hex_digit(text[1]);
    if (low < 0)
        return false;
    *ret_byte = (uint8_t)(high * 16 + low);
    return true;
}

enum tau_status tau_label_from_text(const char *text, struct tau_label *ret_label)
{
    struct tau_label label = {{0}};
    size_t size = 0;
    while (*text != '\0') {
        uint8_t byte = (uint8_t)*text;
        size_t length = 1;
        if (*text == '\\') {
            if (text[1] != 'x' || !read_hex_byte(text + 2, &byte))
                return TAU_STATUS_INVALID_ARGUMENT;
            length = 4;
        }
        if (size == sizeof(label.bytes))
            return TAU_STATUS_INVALID_ARGUMENT;
        label.bytes[size++] = byte;
        text += length;
    }
    *ret_label = label;
    return TAU_STATUS_SUCCESS;
}

enum tau_status tau_label_from_bytes(const void *bytes, size_t size, struct tau_label *ret_label)
{
    struct tau_label label = {{0}};
    if (size > sizeof(label.bytes))
        return TAU_STATUS_INVALID_ARGUMENT;
    if (size > 0)
        memcpy(label.bytes, bytes, size);
    *ret_label = label;
    return TAU_STATUS_SUCCESS;
}

size_t tau_label_to_text(const struct tau_label *label, char ret_text[TAU_LABEL_TEXT_SIZE])
{
    return tau_utf8_escape(label->bytes, sizeof(label->bytes), ret_text);
}

static bool is_space(char character)
{
    return character == ' ' || (character >= '\t' && character <= '\r');
}

enum tau_status tau_certificate_from_hex(const char *text, struct tau_certificate *ret_certificate)
{
    struct tau_certificate certificate;
    if (text == NULL)
        return TAU_STATUS_INVALID_ARGUMENT;
    while (is_space(*text))
        text++;
    for (size_t i = 0; i < sizeof(certificate.bytes); i++, text += 2) {
        if (!read_hex_byte(text, &certificate.bytes[i]))
            return TAU_STATUS_INVALID_ARGUMENT;
    }
    while (is_space(*text))
        text++;
    if (*text != '\0')
        return TAU_STATUS_INVALID_ARGUMENT;
    *ret_certificate = certificate;
    return TAU_STATUS_SUCCESS;
}
