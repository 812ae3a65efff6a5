// SPDX-License-Identifier: MIT
//
// Reads headers and payloads by the tables of the specification. What is wrong is told as the C
// codec tells it: the field at fault and the offset at which that was seen. Bytes are only
// borrowed: nothing that is returned shares memory with them.
import { bytesOf, text, turned, validUtf8, viewOf } from './bytes.js';
import { TauDecodeError, statusName } from './errors.js';
import { HEADER_SIZE, checks, header, opcodes, payloads, types } from './model.js';

const COLUMNS = {
    u8: Uint8Array, u16: Uint16Array, u32: Uint32Array, u64: BigUint64Array, i64: BigInt64Array,
    f64: Float64Array,
};

function fail(field, offset, expected) {
    throw new TauDecodeError(checks.payload_length, field, offset, expected);
}

// --- the header ------------------------------------------------------------------------------

function failHeader(check, field) {
    throw new TauDecodeError(checks[check], null, header[field].offset, `a right ${field}`);
}

/** Throws where the first bytes, of which some may be missing, are not those of every frame. */
export function judgeStart(bytes) {
    for (let i = 0; i < Math.min(header.magic.size, bytes.length); i++) {
        if (bytes[header.magic.offset + i] !== header.magic.value.charCodeAt(i)) {
            failHeader('magic', 'magic');
        }
    }
    const { offset, value } = header.version;
    if (bytes.length > offset && bytes[offset] !== value) {
        failHeader('version', 'version');
    }
}

/**
 * The opcode, flags and payload length of a header of HEADER_SIZE bytes. `also` may name opcodes
 * beyond those of the specification that pass.
 */
export function decodeHeader(bytes, also = () => false) {
    if (bytes.length < HEADER_SIZE) {
        throw new TauDecodeError(checks.payload_length, null, bytes.length, 'a whole header');
    }
    judgeStart(bytes);
    const opcode = bytes[header.opcode.offset];
    if (!opcodes.has(opcode) && !also(opcode)) {
        failHeader('opcode', 'opcode');
    }
    const payloadLength = viewOf(bytes).getUint32(header.payload_length.offset);
    if (payloadLength > header.payload_length.limit) {
        failHeader('payload_limit', 'payload_length');
    }
    return { opcode, flags: bytes[header.flags.offset], payloadLength };
}

// --- single values ---------------------------------------------------------------------------

const INTEGERS = {
    u8: (view, at) => view.getUint8(at),
    u16: (view, at) => view.getUint16(at),
    u32: (view, at) => view.getUint32(at),
    u64: (view, at) => view.getBigUint64(at),
    i64: (view, at) => view.getBigInt64(at),
};

/** Puts a value of a fixed type into `target`, under `key`; an f64 also as its bits. */
function readOne(target, key, bitsKey, type, view, at) {
    switch (type.kind) {
    case 'integer':
        target[key] = INTEGERS[type.wire](view, at);
        break;
    case 'float':
        target[key] = view.getFloat64(at);
        target[bitsKey] = view.getBigUint64(at);
        break;
    case 'bool':
        target[key] = view.getUint8(at) === 1;
        break;
    case 'status':
        target[key] = statusName(view.getUint8(at));
        break;
    case 'enum': {
        const number = Number(INTEGERS[type.wire](view, at));
        target[key] = type.values.find(([, value]) => value === number)?.[0] ?? number;
        break;
    }
    case 'bytes':
        target[key] = new Uint8Array(view.buffer, view.byteOffset + at, type.size).slice();
        break;
    default:
        target[key] = readStruct(type, view, at);
    }
}

function readStruct(type, view, at) {
    const value = {};
    for (const member of type.members) {
        readOne(value, member.key, member.bits, types[member.type], view, at + member.offset);
    }
    return value;
}

/** Whether a value of a fixed type holds a closed enumeration. */
function isJudged(type) {
    return type.kind === 'enum' ? !type.open
        : (type.members ?? []).some((member) => isJudged(types[member.type]));
}

/** Refuses a value of a fixed type that its field does not allow. */
function judgeOne(field, type, view, at) {
    if (type.kind === 'struct') {
        type.members.forEach((member) =>
            judgeOne(field, types[member.type], view, at + member.offset));
    }
    if (type.kind === 'bool' && view.getUint8(at) > 1) {
        fail(field.number, at, '0 or 1');
    }
    if (type.kind === 'enum' && !type.open) {
        const number = Number(INTEGERS[type.wire](view, at));
        if (!type.values.some(([, value]) => value === number)) {
            fail(field.number, at, `one of ${type.values.map(([name]) => name).join(', ')}`);
        }
    }
    if (type.kind === 'integer' && (field.minimum !== undefined || field.maximum !== undefined)) {
        const number = INTEGERS[type.wire](view, at);
        if (number < field.minimum || number > field.maximum) {
            fail(field.number, at, `${field.minimum ?? 'any number'} to ${field.maximum ?? 'any'}`);
        }
    }
}

// --- fields ----------------------------------------------------------------------------------

/** A payload on its way through its fields. */
class Cursor {
    constructor(bytes) {
        this.bytes = bytesOf(bytes); // a Buffer's slice would share its memory
        this.view = viewOf(bytes);
        this.size = bytes.length;
        this.at = 0;
        this.value = {};
        this.counts = {};
    }

    need(size, field) {
        if (this.size - this.at < size) {
            fail(field.number, this.size, 'more bytes: the payload ends within this field');
        }
    }

    take(size) {
        const from = this.at;
        this.at += size;
        return this.bytes.subarray(from, this.at);
    }
}

function readArray(cursor, field, count) {
    const type = types[field.type];
    for (let i = 0; isJudged(type) && i < count; i++) {
        judgeOne(field, type, cursor.view, cursor.at + i * type.size);
    }
    const raw = cursor.take(count * type.size);
    if (COLUMNS[type.wire] && type.kind !== 'enum') {
        return new COLUMNS[type.wire](turned(raw, type.size).buffer);
    }
    const view = viewOf(raw);
    return Array.from({ length: count }, (_, i) => {
        const one = {};
        readOne(one, 'value', 'bits', type, view, i * type.size);
        return one.value;
    });
}

function readSlice(cursor, field, size) {
    const raw = cursor.take(size);
    if (field.type !== 'text') {
        return raw.slice();
    }
    const valid = validUtf8(raw);
    if (valid !== size) {
        fail(field.number, cursor.at - size + valid, 'UTF-8');
    }
    return text(raw);
}

const READERS = {
    fixed(cursor, field) {
        const type = types[field.type];
        judgeOne(field, type, cursor.view, cursor.at);
        if (field.counts) {
            cursor.counts[field.name] = Number(INTEGERS[type.wire](cursor.view, cursor.at));
        } else {
            readOne(cursor.value, field.key, field.bits, type, cursor.view, cursor.at);
        }
        cursor.at += type.size;
    },
    optional(cursor, field) {
        const present = cursor.view.getUint8(cursor.at);
        if (present > 1) {
            fail(field.number, cursor.at, '0 or 1, whether the value follows');
        }
        cursor.at += 1;
        if (present === 0) {
            absent(cursor.value, field);
            return;
        }
        cursor.need(types[field.type].size, field);
        READERS.fixed(cursor, field);
    },
    sized(cursor, field) {
        const size = Number(INTEGERS[`u${field.prefix * 8}`](cursor.view, cursor.at));
        if (size > field.maxBytes) {
            fail(field.number, cursor.at, `at most ${field.maxBytes} bytes`);
        }
        cursor.at += field.prefix;
        cursor.need(size, field);
        cursor.value[field.key] = readSlice(cursor, field, size);
    },
    rest(cursor, field) {
        const size = cursor.size - cursor.at;
        if (size > field.maxBytes) {
            fail(field.number, cursor.at + field.maxBytes, `at most ${field.maxBytes} bytes`);
        }
        cursor.value[field.key] = readSlice(cursor, field, size);
    },
    counted_array(cursor, field) {
        const count = cursor.counts[field.countField];
        cursor.need(count * types[field.type].size, field);
        cursor.value[field.key] = readArray(cursor, field, count);
    },
    rest_array(cursor, field) {
        const { size } = types[field.type];
        const left = cursor.size - cursor.at;
        if (Math.floor(left / size) > field.maxCount) {
            fail(field.number, cursor.at + field.maxCount * size, `at most ${field.maxCount}`);
        }
        if (left % size !== 0) {
            fail(field.number, cursor.size, 'more bytes: the payload ends within this field');
        }
        cursor.value[field.key] = readArray(cursor, field, left / size);
    },
};

function absent(value, field) {
    if (field.counts) {
        return;
    }
    value[field.key] = null;
    if (field.bits) {
        value[field.bits] = null;
    }
}

// --- payloads --------------------------------------------------------------------------------

/** A field's bytes in its block: all of it, or what says whether and how much follows. */
function ownSize(field) {
    return { fixed: types[field.type].size, optional: 1, sized: field.prefix }[field.shape];
}

/**
 * Where runs of fields begin whose bytes are asked for at once, before any value is judged: fixed
 * ones, up to the first that is optional or sized. Gives the size of each of them, by first field.
 */
function blocksOf({ fields }) {
    const blocks = new Map();
    let open = null;
    fields.forEach((field, number) => {
        const own = ownSize(field);
        if (own === undefined || field.tail !== fields[number - 1]?.tail) {
            open = null;
        }
        if (own === undefined) {
            return;
        }
        if (open === null) {
            blocks.set(number, (open = []));
        }
        open.push(own);
        if (field.shape !== 'fixed') {
            open = null;
        }
    });
    return blocks;
}

const blocks = new Map(Object.values(payloads).map((payload) => [payload, blocksOf(payload)]));

function needBlock(cursor, payload, number) {
    let { at } = cursor;
    for (const size of blocks.get(payload).get(number) ?? []) {
        if (cursor.size - at < size) {
            fail(number, cursor.size, 'more bytes: the payload ends within this field');
        }
        at += size;
        number += 1;
    }
}

/** The value of a payload, by the name that the specification gives it. */
export function decode(name, bytes) {
    const payload = payloads[name];
    const cursor = new Cursor(bytes);
    let tail;
    let missing = false; // an older or a simpler side ends in front of a tail
    payload.fields.forEach((field, number) => {
        missing ||= field.tail !== tail && cursor.at === cursor.size;
        tail = field.tail;
        if (missing) {
            absent(cursor.value, field);
            return;
        }
        needBlock(cursor, payload, number);
        READERS[field.shape](cursor, field);
    });
    if (!payload.extensible && cursor.at !== cursor.size) {
        fail(null, cursor.at, 'the end of the payload');
    }
    return cursor.value;
}
