// SPDX-License-Identifier: MIT
//
// Bytes as the wire has them: byte order, UTF-8, fixed texts, and the bits of an f64. Columns are
// copied and swapped as words of 32 bits, so no value of theirs ever becomes a Number on its way:
// an engine is free to replace the bits of a NaN that passes through one.
import { TauArgumentError } from './errors.js';

const LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
const QUIET_NAN = 0x7ff8000000000000n;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

// --- byte order ------------------------------------------------------------------------------

function swapped32(word) {
    return ((word & 0xff) << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
}

function swap16(buffer) {
    const words = new Uint16Array(buffer);
    for (let i = 0; i < words.length; i++) {
        words[i] = (words[i] << 8) | (words[i] >>> 8);
    }
}

function swap32(buffer) {
    const words = new Uint32Array(buffer);
    for (let i = 0; i < words.length; i++) {
        words[i] = swapped32(words[i]);
    }
}

function swap64(buffer) {
    const words = new Uint32Array(buffer);
    for (let i = 0; i < words.length; i += 2) {
        const low = words[i];
        words[i] = swapped32(words[i + 1]);
        words[i + 1] = swapped32(low);
    }
}

const SWAPS = { 1: () => {}, 2: swap16, 4: swap32, 8: swap64 };

/** A copy of bytes in a buffer of its own, elements of `size` turned between wire and machine. */
export function turned(bytes, size) {
    const copy = new Uint8Array(bytes.byteLength);
    copy.set(bytes);
    if (LITTLE_ENDIAN) {
        SWAPS[size](copy.buffer);
    }
    return copy;
}

export function bytesOf(view) {
    return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

export function viewOf(bytes) {
    return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

// --- floating point --------------------------------------------------------------------------

const scratch = new DataView(new ArrayBuffer(8));

/** The bits of a number. A NaN has those of the quiet one: Numbers do not tell them apart. */
export function bitsOf(number) {
    if (Number.isNaN(number)) {
        return QUIET_NAN;
    }
    scratch.setFloat64(0, number);
    return scratch.getBigUint64(0);
}

/** The number that has these bits. */
export function numberOf(bits) {
    scratch.setBigUint64(0, bits);
    return scratch.getFloat64(0);
}

/** The same memory as bits: each of a Float64Array's values exactly, NaNs too. */
export function bitsView(values) {
    return new BigUint64Array(values.buffer, values.byteOffset, values.length);
}

/** The same memory as numbers. */
export function numbersView(bits) {
    return new Float64Array(bits.buffer, bits.byteOffset, bits.length);
}

// --- text ------------------------------------------------------------------------------------

/** The UTF-8 of a text; one with half a surrogate pair has none. */
export function utf8(text, what) {
    if (/\p{Surrogate}/u.test(text)) {
        throw new TauArgumentError(`${what} is no text: half a surrogate pair has no UTF-8`);
    }
    return encoder.encode(text);
}

/** The text of valid UTF-8, a byte order mark kept. */
export function text(bytes) {
    return decoder.decode(bytes);
}

/** How long the character of more than one byte at `at` is, 0 where it is none: RFC 3629, 4. */
function wideCharacter(bytes, at) {
    const lead = bytes[at];
    const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
    const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
    const second = bytes[at + 1];
    if (lead < 0xc2 || lead > 0xf4 || bytes.length - at < length || second < low || second > high) {
        return 0;
    }
    for (let i = 2; i < length; i++) {
        if ((bytes[at + i] & 0xc0) !== 0x80) {
            return 0;
        }
    }
    return length;
}

/** How many bytes from the beginning are whole characters of UTF-8. */
export function validUtf8(bytes) {
    let at = 0;
    while (at < bytes.length) {
        const length = bytes[at] < 0x80 ? 1 : wideCharacter(bytes, at);
        if (length === 0) {
            break;
        }
        at += length;
    }
    return at;
}

/** A label of `size` bytes of a text, zeros behind it; bytes are taken as they are. */
export function fixedBytes(value, size, what) {
    if (value instanceof Uint8Array) {
        if (value.length !== size) {
            throw new TauArgumentError(`${what} has ${value.length} bytes, not ${size}`);
        }
        return value;
    }
    if (typeof value !== 'string') {
        throw new TauArgumentError(`${what} is neither a text nor a Uint8Array`);
    }
    const raw = utf8(value, what);
    if (raw.length > size) {
        throw new TauArgumentError(`${what} takes ${raw.length} bytes, at most ${size} fit`);
    }
    const padded = new Uint8Array(size);
    padded.set(raw);
    return padded;
}

/** A label as text, without the zeros behind it; what is not UTF-8 is shown as U+FFFD. */
export function labelText(label) {
    let end = label.length;
    while (end > 0 && label[end - 1] === 0) {
        end--;
    }
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(label.subarray(0, end));
}

/** The bytes of hexadecimal text. */
export function fromHex(digits, what) {
    if (!/^(?:[0-9a-fA-F]{2})*$/.test(digits)) {
        throw new TauArgumentError(`${what} is not made of pairs of hexadecimal digits`);
    }
    return Uint8Array.from({ length: digits.length / 2 }, (_, i) =>
        Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16));
}
