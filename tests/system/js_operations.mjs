// SPDX-License-Identifier: MIT
//
// What a JavaScript client must be able to do with a server, over whatever transport: every
// operation, pipelines, exact bits, large batches, long streams, CANCEL, refusals in detail.
import assert from 'node:assert/strict';
import test from 'node:test';

import { load, model, unfold, vectors } from '../conformance/js_support.mjs';

const { TauAbortError, TauServerError } = await load('errors');
const { bitsView, labelText } = await load('codec');
const { decode } = await load('decode');

const { HEADER_SIZE, limits, operations, statuses } = model;

export const CERTIFICATE = process.env.TAU_CERTIFICATE;
const EVERYTHING = { from: -(2n ** 63n), to: 2n ** 63n - 1n, limit: 0n, direction: 'forward' };
const NANS = [0x7ff0000000000001n, 0xfff8deadbeef0001n, 0x7ff8000000000000n, 0x8000000000000000n];

let labels = 0;

function label() {
    return `js.${process.pid}.${labels++}`;
}

async function status(promise) {
    try {
        await promise;
    } catch (error) {
        return error.status;
    }
    return 'success';
}

async function series(tau) {
    const name = label();
    await tau.createSeries({ label: name });
    return name;
}

async function collected(stream) {
    const timestamps = [];
    const bits = [];
    for await (const batch of stream) {
        timestamps.push(...batch.timestamps);
        bits.push(...bitsView(batch.values));
    }
    return { timestamps, bits };
}

const CASES = {
    async 'series and points'(tau) {
        const name = await series(tau);
        assert.equal(await status(tau.createSeries({ label: name })), 'series_already_exists');
        await tau.append({ label: name, timestamp: 5n, value: 1.5 });
        const late = tau.append({ label: name, timestamp: 5, value: 2 });
        assert.equal(await status(late), 'out_of_order');
        assert.equal((await tau.queryPoint({ label: name, timestamp: 5n })).value, 1.5);
        assert.equal((await tau.queryPoint({ label: name, timestamp: 6n })).value, null);
        assert.deepEqual((await tau.queryLatest({ label: name })).point.timestamp, 5n);
        const told = await tau.describeSeries({ label: name });
        assert.deepEqual([told.pointCount, told.order, told.lastTimestamp], [1n, 'strict', 5n]);
        const page = await tau.listSeries({ prefix: name, limit: 10 });
        assert.deepEqual([page.more, page.labels.map(labelText)], [false, [name]]);
        await tau.dropSeries({ label: name });
        assert.equal(await status(tau.queryLatest({ label: name })), 'series_not_found');
    },

    async 'rules'(tau) {
        const [source, target] = [await series(tau), await series(tau)];
        const buckets = { width: 10n, origin: 3n, function: 'quantile', parameter: 0.5 };
        const rule = { target, source, ...buckets };
        await tau.createRollup(rule);
        assert.equal(await status(tau.createRollup(rule)), 'rollup_already_exists');
        const { more, rollups } = await tau.listRollups({ limit: 10 });
        assert.deepEqual([more, rollups.length, labelText(rollups[0].target)], [false, 1, target]);
        const { width, settled, state, parameter } = rollups[0];
        assert.deepEqual([width, settled, state, parameter], [10n, -(2n ** 63n), 'settled', 0.5]);
        assert.deepEqual((await tau.listRollups({ cursor: target, limit: 10 })).rollups, []);
        await tau.dropRollup({ target });
        assert.equal(await status(tau.dropRollup({ target })), 'rollup_not_found');
    },

    async 'every bit pattern comes back'(tau) {
        const name = await series(tau);
        for (const [i, valueBits] of NANS.entries()) {
            await tau.append({ label: name, timestamp: i, valueBits });
            const point = await tau.queryPoint({ label: name, timestamp: i });
            assert.equal(point.valueBits, valueBits);
        }
        const values = BigUint64Array.from(NANS);
        const timestamps = [10n, 11n, 12n, 13n];
        await tau.batchAppend({ label: name, timestamps, values });
        const { bits } = await collected(tau.queryRange({ label: name, ...EVERYTHING }));
        assert.deepEqual(bits, [...NANS, ...NANS]);
    },

    async 'batches say which rows were refused'(tau) {
        const name = await series(tau);
        const batch = await tau.batchAppend(
            { label: name, timestamps: [1n, 3n, 2n, 4n], values: [1, 3, 2, 4] });
        assert.deepEqual(batch, { accepted: 3, refused: [{ row: 2, status: 'out_of_order' }] });
        const multi = await tau.multiAppend({ rows: [
            { label: name, timestamp: 9n, value: 9 }, { label: label(), timestamp: 9n, value: 9 },
        ] });
        assert.deepEqual(multi, { accepted: 1, refused: [{ row: 1, status: 'series_not_found' }] });
    },

    async 'points where another series is between bounds'(tau) {
        const labels = [await series(tau), await series(tau)];
        await tau.batchAppend({ label: labels[0], timestamps: [1n, 2n, 3n], values: [5, 95, 91] });
        await tau.batchAppend({ label: labels[1], timestamps: [1n, 2n, 4n], values: [6, 7, 8] });
        const found = [];
        for await (const { label: name, timestamps, values } of tau.multiRangeWhere(
            { ...EVERYTHING, low: 90, high: Infinity, groupSize: 2, labels })) {
            if (timestamps.length > 0) {
                found.push([labelText(name), [...timestamps], [...values]]);
            }
        }
        assert.deepEqual(found, [[labels[0], [2n, 3n], [95, 91]], [labels[1], [2n], [7]]]);
    },

    async lenses(tau) {
        const source = await series(tau);
        const [kelvin, fahrenheit, both] = [label(), label(), label()];
        await tau.append({ label: source, timestamp: 1n, value: 0 });
        await tau.createLens({ label: kelvin, source, transform: 'celsius_to_kelvin' });
        await tau.createLens({ label: fahrenheit, source, transform: 'celsius_to_fahrenheit' });
        await tau.composeLens({ label: both, first: fahrenheit, second: kelvin });
        assert.equal((await tau.queryLens({ label: kelvin, timestamp: 1n })).value, 273.15);
        assert.equal((await tau.queryLens({ label: both, timestamp: 1n })).value, 32 + 273.15);
        const names = (await tau.listLenses()).labels.map(labelText);
        assert([kelvin, fahrenheit, both].every((name) => names.includes(name)));
        await tau.dropLens({ label: kelvin });
        assert.equal(await status(tau.dropLens({ label: kelvin })), 'lens_not_found');
    },

    async 'the session'(tau, connect) {
        await tau.ping();
        await tau.ping({ ignored: new Uint8Array(100000) });
        await tau.cancel();
        assert.match(tau.server.name, /^taud/);
        assert.equal(tau.server.specification, model.protocol.fingerprint);
        assert.equal(tau.server.limits.batch_points, BigInt(limits.batch_points.value));
        assert(Object.values(operations).every((operation) => tau.supports(operation)));
        await tau.connect({ certificate: Buffer.from(CERTIFICATE, 'hex') });
        const plain = await connect({ negotiate: false });
        assert.equal(await status(plain.queryLatest({ label: 'x' })), 'not_supported');
        await plain.negotiate({ features: 0, specification: 0, operations: [] });
        assert.equal(await status(plain.queryLatest({ label: label() })), 'series_not_found');
        await plain.disconnect();
        assert.equal(await plain.closed, null);
    },

    async 'many requests before the first answer'(tau) {
        const name = await series(tau);
        const writes = [];
        for (let i = 0; i < 2000; i++) {
            writes.push(tau.append({ label: name, timestamp: i, value: i / 3 }));
        }
        const reads = Array.from({ length: 2000 }, (_, i) =>
            tau.queryPoint({ label: name, timestamp: i }));
        await Promise.all(writes);
        const values = (await Promise.all(reads)).map(({ value }) => value);
        assert.deepEqual(values, Array.from(values, (_, i) => i / 3));
    },

    async 'the largest batch and a long stream, both ways and left early'(tau) {
        const name = await series(tau);
        const count = limits.batch_points.value;
        const timestamps = BigInt64Array.from({ length: count }, (_, i) => BigInt(i) - 1000n);
        const values = Float64Array.from(timestamps, (time) => Number(time) / 7);
        const batch = await tau.batchAppend({ label: name, timestamps, values });
        assert.deepEqual(batch, { accepted: count, refused: [] });
        let at = 0;
        for await (const part of tau.queryRange({ label: name, ...EVERYTHING })) {
            const end = at + part.timestamps.length;
            assert.deepEqual(part.timestamps, timestamps.slice(at, end));
            assert.deepEqual(part.values, values.slice(at, end));
            at = end;
        }
        assert.equal(at, count);
        const backward = await collected(tau.queryRange(
            { label: name, ...EVERYTHING, limit: 5, direction: 'backward' }));
        assert.deepEqual(backward.timestamps, Array.from(timestamps.slice(-5)).reverse());
        for await (const part of tau.queryRange({ label: name, ...EVERYTHING })) {
            assert(part.timestamps.length > 0);
            break;
        }
        assert.equal((await tau.queryPoint({ label: name, timestamp: 7n })).value, 1);
    },

    async 'a stream is cancelled by a signal, and ends with CANCEL'(tau) {
        const name = await series(tau);
        await tau.append({ label: name, timestamp: 1n, value: 1 });
        const controller = new AbortController();
        const range = { label: name, ...EVERYTHING };
        const stream = tau.queryRange(range, { signal: controller.signal });
        controller.abort();
        await assert.rejects(stream.next(), TauAbortError);
        assert.equal((await collected(tau.queryRange(range))).bits.length, 1);
        assert.equal(await status(tau.queryRange({ ...range, label: label() }).next()),
            'series_not_found');
    },

    async 'refusals in detail'(tau) {
        const source = await series(tau);
        const lens = { label: label(), source, transform: 'sideways' };
        await assert.rejects(tau.createLens(lens), (error) => error instanceof TauServerError &&
            error.status === 'invalid_payload' && error.operation === 'CREATE_LENS' &&
            error.fieldName === 'transform' && error.offset === 64 && error.detail.length > 0);
    },

    async 'each operation answers its golden example as the specification says'(tau) {
        const ends = [operations.CONNECT, operations.DISCONNECT];
        const examples = new Map(vectors().filter(({ name }) => name.endsWith('_request/example'))
            .map((vector) => [vector.payload, unfold(vector.frame).subarray(HEADER_SIZE)]));
        for (const operation of Object.values(operations).filter((one) => !ends.includes(one))) {
            const bytes = examples.get(operation.request);
            const request = bytes ? [decode(operation.request, bytes)] : [];
            const made = tau[operation.method](...request);
            const result = await status(operation.stream ? made.next() : made);
            assert(result === 'success' || statuses[result]?.class === 'request',
                `${operation.name}: ${result}`);
        }
    },
};

/** Runs all of it; `connect(options)` makes a client. */
export function suite(name, connect) {
    for (const [what, body] of Object.entries(CASES)) {
        test(`${name}: ${what}`, async () => {
            const tau = await connect({});
            try {
                await body(tau, connect);
                await tau.disconnect();
                assert.equal(await tau.closed, null);
            } finally {
                tau.close();
            }
        });
    }
    test(`${name}: a wrong certificate`, async () => {
        const certificate = `00${CERTIFICATE.slice(2)}`;
        assert.equal(await status(connect({ certificate })), 'auth_failed');
    });
}
