// SPDX-License-Identifier: MIT
//
// For the tests of the JavaScript package: the package under test, the golden vectors, values as
// the vectors write them, and a session that negotiated everything. Only the tables are taken from
// the package; what the vectors mean is told here anew.
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

export function load(module) {
    return import(pathToFileURL(`${process.env.TAU_JS}/${module}.js`));
}

export const model = await load('model');
const { Session } = await load('session');
const { encodeFrame } = await load('encode');

const LONG_ARRAY = 16; // what the vectors write as a number of elements
const LONG_BYTES = 64; // and as a number of bytes

/** The bytes of a vector: hexadecimal, long repetitions as `(times*bytes)`. */
export function unfold(text) {
    const whole = text.replace(/\((\d+)\*([0-9a-f]*)\)/g,
        (_, times, one) => one.repeat(Number(times)));
    return new Uint8Array(Buffer.from(whole, 'hex'));
}

/** The golden vectors, or others; integers that JSON's numbers do not hold are read as BigInt. */
export function vectors(path = process.env.TAU_VECTORS) {
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    return lines.map((line) => JSON.parse(line.replace(/(?<=[:,[])-?\d{16,}(?=[,}\]])/g, '"#$&"'),
        (_, value) => (typeof value === 'string' && /^#-?\d+$/.test(value)
            ? BigInt(value.slice(1)) : value)));
}

function hex(bytes) {
    return Buffer.from(bytes).toString('hex');
}

function floatText(bits) {
    return `0x${bits.toString(16).padStart(16, '0')}`;
}

function oneAsJson(type, value, bits) {
    switch (type.kind) {
    case 'struct':
        return Object.fromEntries(type.members.map((member) => [
            snake(member.key),
            oneAsJson(model.types[member.type], value[member.key], value[member.bits]),
        ]));
    case 'bytes':
        return hex(value);
    case 'float':
        return floatText(bits);
    case 'integer':
        return typeof value === 'bigint' && BigInt(Number(value)) === value &&
            Math.abs(Number(value)) < 1e15 ? Number(value) : value;
    default:
        return value;
    }
}

function snake(key) {
    return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function arrayAsJson(type, array) {
    if (array.length > LONG_ARRAY) {
        return { elements: array.length };
    }
    if (array instanceof Float64Array) {
        const bits = new BigUint64Array(array.buffer, array.byteOffset, array.length);
        return Array.from(bits, floatText);
    }
    return Array.from(array, (one) => oneAsJson(type, one));
}

function sliceAsJson(field, value) {
    const size = typeof value === 'string' ? Buffer.byteLength(value) : value.length;
    if (size > LONG_BYTES) {
        return { bytes: size };
    }
    return field.type === 'text' ? value : hex(value);
}

function fieldAsJson(field, value, payload) {
    const type = model.types[field.type];
    if (field.counts) {
        const array = value[payload.fields.find((one) => one.name === field.counts[0]).key];
        return array === null ? null : array.length;
    }
    const item = value[field.key];
    if (item === null) {
        return null;
    }
    switch (field.shape) {
    case 'sized':
    case 'rest':
        return sliceAsJson(field, item);
    case 'counted_array':
    case 'rest_array':
        return arrayAsJson(type, item);
    default:
        return oneAsJson(type, item, value[field.bits]);
    }
}

/** A decoded value as the vectors write it. */
export function asJson(name, value) {
    const payload = model.payloads[name];
    return Object.fromEntries(payload.fields.map((field) =>
        [field.name, fieldAsJson(field, value, payload)]));
}

/**
 * Whether a reading is that of an older version but for what was added since: fields, which are
 * missing, and names of values that had none.
 */
export function alike(was, now) {
    if (Array.isArray(was) || was === null || typeof was !== 'object') {
        return Array.isArray(was) && Array.isArray(now)
            ? was.length === now.length && was.every((one, i) => alike(one, now[i]))
            : was === now || (typeof was === 'number' && typeof now === 'string');
    }
    return Object.keys(was).every((name) => name in now && alike(was[name], now[name])) &&
        Object.keys(now).every((name) => name in was || now[name] === null);
}

/** What happened to one request. */
export class Outcome {
    batches = [];
    value = undefined;
    error = null;
    ends = 0;

    batch(value) {
        this.batches.push(value);
    }

    done(value) {
        this.value = value;
        this.ends++;
    }

    fail(error) {
        this.error = error;
        this.ends++;
    }
}

/** The answer to NEGOTIATE of a server that is compiled with the same tables. */
export function welcome(change = (operation) => operation) {
    return encodeFrame(model.replies.OK.opcode, 'negotiate_response', {
        features: model.features.detailed_errors,
        specification: model.protocol.fingerprint,
        serverName: 'test',
        limits: Object.values(model.limits).map(({ number, value }) => ({ number, value })),
        operations: Object.values(model.operations).map(change).filter(Boolean),
    });
}

export function negotiated(answer = welcome(), options = {}) {
    const session = new Session(options);
    const outcome = new Outcome();
    session.request(model.operations.NEGOTIATE, {
        features: model.features.detailed_errors, specification: model.protocol.fingerprint,
        clientName: 'test', operations: [],
    }, outcome);
    session.takeOutput();
    session.receive(answer);
    if (outcome.error || outcome.ends !== 1) {
        throw new Error('the session did not negotiate', { cause: outcome.error });
    }
    return session;
}
