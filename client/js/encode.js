// SPDX-License-Identifier: MIT
//
// Writes headers and payloads by the tables of the specification. Every argument is judged before a
// byte is written; one that cannot be sent throws a TauArgumentError that names the field. Counts
// are never asked for: they follow from the arrays.
import { bitsOf, bytesOf, fixedBytes, turned, utf8, viewOf } from './bytes.js';
import { TauArgumentError, statusCode } from './errors.js';
import { HEADER_SIZE, header, payloads, types } from './model.js';

const RANGES = {
    u8: [0, 0xff], u16: [0, 0xffff], u32: [0, 0xffffffff],
    u64: [0n, (1n << 64n) - 1n], i64: [-(1n << 63n), (1n << 63n) - 1n],
};

const WRITERS = {
    u8: (view, at, value) => view.setUint8(at, value),
    u16: (view, at, value) => view.setUint16(at, value),
    u32: (view, at, value) => view.setUint32(at, value),
    u64: (view, at, value) => view.setBigUint64(at, value),
    i64: (view, at, value) => view.setBigInt64(at, value),
};

// The arrays whose memory is sent as it is, by what the wire has.
const EXACT = {
    u8: [Uint8Array], u16: [Uint16Array], u32: [Uint32Array], u64: [BigUint64Array],
    i64: [BigInt64Array], f64: [Float64Array, BigUint64Array],
};

function refuse(what, expected) {
    throw new TauArgumentError(`${what}: expected ${expected}`);
}

// --- single values ---------------------------------------------------------------------------

function integer(type, value, what, field = {}) {
    const [low, high] = RANGES[type.wire];
    const wide = typeof low === 'bigint';
    let number = value;
    if (wide && Number.isSafeInteger(value)) {
        number = BigInt(value);
    } else if (!wide && typeof value === 'bigint') {
        number = Number(value);
    }
    if (wide ? typeof number !== 'bigint' : !Number.isInteger(number)) {
        refuse(what, wide ? 'a BigInt or a safe integer' : 'an integer');
    }
    const bottom = field.minimum ?? low;
    const top = field.maximum ?? high;
    if (number < bottom || number > top) {
        refuse(what, `a number from ${bottom} to ${top}`);
    }
    return number;
}

function named(type, value, what) {
    const found = type.values.find(([name, number]) => value === name || value === number);
    if (found) {
        return found[1];
    }
    if (!type.open || typeof value === 'string') {
        refuse(what, `one of ${type.values.map(([name]) => name).join(', ')}`);
    }
    return integer(type, value, what);
}

function status(value, what) {
    const code = statusCode(value);
    return code === undefined ? refuse(what, 'a status') : integer(types.u8, code, what);
}

/** The bits of an f64: those that are given, else those of the number. */
function floatBits(number, bits, what) {
    if (bits !== undefined && bits !== null) {
        return integer(types.u64, bits, what);
    }
    return typeof number === 'number' ? bitsOf(number) : refuse(what, 'a number, or its bits');
}

/** A value of a fixed type, ready to be written. */
function convertOne(type, value, bits, what, field) {
    switch (type.kind) {
    case 'integer':
        return integer(type, value, what, field);
    case 'float':
        return floatBits(value, bits, what);
    case 'bool':
        return typeof value === 'boolean' ? Number(value) : refuse(what, 'true or false');
    case 'status':
        return status(value, what);
    case 'enum':
        return named(type, value, what);
    case 'bytes':
        return fixedBytes(value, type.size, what);
    default:
        if (typeof value !== 'object' || value === null) {
            refuse(what, 'an object');
        }
        return type.members.map((member) =>
            convertOne(types[member.type], value[member.key], value[member.bits],
                `${what}.${member.key}`));
    }
}

function putOne(type, item, out, at) {
    if (type.kind === 'struct') {
        type.members.forEach((member, number) =>
            putOne(types[member.type], item[number], out, at + member.offset));
    } else if (type.kind === 'bytes') {
        out.bytes.set(item, at);
    } else {
        const wire = { float: 'u64', bool: 'u8', status: 'u8' }[type.kind] ?? type.wire;
        WRITERS[wire](out.view, at, item);
    }
}

// --- fields ----------------------------------------------------------------------------------

function isNumeric(type) {
    return type.kind === 'integer' || type.kind === 'float';
}

/** An array, ready to be written: the bytes of a column, or the elements one by one. */
function convertArray(field, value, what) {
    const type = types[field.type];
    const given = value ?? [];
    if (isNumeric(type) && EXACT[type.wire].some((kind) => given instanceof kind)) {
        return { count: given.length, raw: turned(bytesOf(given), type.size) };
    }
    if (typeof given[Symbol.iterator] !== 'function' || typeof given === 'string') {
        refuse(what, 'an array');
    }
    const items = Array.from(given, (item, i) =>
        convertOne(type, item, undefined, `${what}[${i}]`));
    return { count: items.length, items };
}

function convertSlice(field, value, what) {
    const raw = typeof value === 'string' ? utf8(value, what) : value ?? new Uint8Array(0);
    if (!(raw instanceof Uint8Array)) {
        refuse(what, 'a text or a Uint8Array');
    }
    if (raw.length > field.maxBytes) {
        refuse(what, `at most ${field.maxBytes} bytes`);
    }
    return raw;
}

function convert(field, request) {
    const what = field.key;
    const value = request[field.key];
    const bits = field.bits && request[field.bits];
    switch (field.shape) {
    case 'fixed':
        return convertOne(types[field.type], value, bits, what, field);
    case 'optional':
        return (value ?? bits ?? null) === null
            ? null : convertOne(types[field.type], value, bits, what, field);
    case 'sized':
    case 'rest':
        return convertSlice(field, value, what);
    default: {
        const array = convertArray(field, value, what);
        return array.count <= field.maxCount ? array
            : refuse(what, `at most ${field.maxCount} elements`);
    }
    }
}

/** The number of elements that the arrays of one count have, all of them the same. */
function countOf(field, items, payload) {
    const counts = field.counts.map((name) => items[numberOfField(payload, name)].count);
    if (counts.some((count) => count !== counts[0])) {
        refuse(field.counts.join(', '), 'as many elements in each');
    }
    if (counts[0] < (field.minimum ?? 0)) {
        refuse(field.counts[0], `at least ${field.minimum} elements`);
    }
    return integer(types[field.type], counts[0], field.counts[0], field);
}

function numberOfField(payload, name) {
    return payload.fields.findIndex((field) => field.name === name);
}

function sizeOf(field, item) {
    switch (field.shape) {
    case 'fixed':
        return types[field.type].size;
    case 'optional':
        return item === null ? 1 : 1 + types[field.type].size;
    case 'sized':
    case 'rest':
        return (field.prefix ?? 0) + item.length;
    default:
        return item.count * types[field.type].size;
    }
}

function put(field, item, out, at) {
    const type = types[field.type];
    switch (field.shape) {
    case 'fixed':
        putOne(type, item, out, at);
        break;
    case 'optional':
        out.bytes[at] = item === null ? 0 : 1;
        if (item !== null) {
            putOne(type, item, out, at + 1);
        }
        break;
    case 'sized':
        WRITERS[`u${field.prefix * 8}`](out.view, at, item.length);
        out.bytes.set(item, at + field.prefix);
        break;
    case 'rest':
        out.bytes.set(item, at);
        break;
    default:
        if (item.raw) {
            out.bytes.set(item.raw, at);
        } else {
            item.items.forEach((one, i) => putOne(type, one, out, at + i * type.size));
        }
    }
}

// --- payloads --------------------------------------------------------------------------------

function isGiven(field, value) {
    return (value[field.key] ?? (field.bits && value[field.bits]) ?? null) !== null;
}

/** The fields that are sent: a value may end in front of a tail, and then has nothing behind it. */
function sentFields({ fields }, value) {
    const end = fields.findIndex((field, number) =>
        field.tail && field.tail !== fields[number - 1]?.tail &&
        !fields.some((other) => other.tail === field.tail && isGiven(other, value)));
    if (end < 0) {
        return fields;
    }
    const behind = fields.slice(end).find((field) => isGiven(field, value));
    return behind ? refuse(behind.key, `${fields[end].tail} with it`) : fields.slice(0, end);
}

/** The fields of a payload that are sent, and their values. */
function prepare(payload, value) {
    if (typeof value !== 'object' || value === null) {
        refuse('the request', 'an object');
    }
    const fields = sentFields(payload, value);
    const items = fields.map((field) => (field.counts ? 0 : convert(field, value)));
    fields.forEach((field, number) => {
        if (field.counts) {
            items[number] = countOf(field, items, payload);
        }
    });
    return { fields, items };
}

/**
 * A payload by its name in the specification, `room` bytes left free before it. What fits its
 * fields fits a frame: the specification allows no payload that does not.
 */
export function encode(name, value, room = 0) {
    const { fields, items } = prepare(payloads[name], value);
    const sizes = fields.map((field, number) => sizeOf(field, items[number]));
    const size = sizes.reduce((sum, one) => sum + one, 0);
    const bytes = new Uint8Array(room + size);
    const out = { bytes, view: viewOf(bytes) };
    let at = room;
    fields.forEach((field, number) => {
        put(field, items[number], out, at);
        at += sizes[number];
    });
    return bytes;
}

/** Writes a header at the beginning of `bytes`. */
export function putHeader(bytes, { opcode, flags, payloadLength }) {
    for (let i = 0; i < header.magic.size; i++) {
        bytes[header.magic.offset + i] = header.magic.value.charCodeAt(i);
    }
    bytes[header.version.offset] = header.version.value;
    bytes[header.opcode.offset] = opcode;
    bytes[header.flags.offset] = flags;
    viewOf(bytes).setUint32(header.payload_length.offset, payloadLength);
}

/** A whole frame. */
export function encodeFrame(opcode, name, value, flags = 0) {
    const frame = encode(name, value, HEADER_SIZE);
    putHeader(frame, { opcode, flags, payloadLength: frame.length - HEADER_SIZE });
    return frame;
}
