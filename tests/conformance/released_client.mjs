// SPDX-License-Identifier: MIT
//
// The session of released_test.py through the JavaScript client: the calls of released.c in the
// same order, each answer compared with what the server of that time said. It runs against a server
// that plays recorded answers, at TAU_SERVER.
import assert from 'node:assert/strict';

import { load } from './js_support.mjs';

const { connectTcp } = await load('tcp');
const { labelText } = await load('codec');

const A = { label: 'rel.a' };
const EVERYTHING = { from: -(2n ** 63n), to: 2n ** 63n - 1n, limit: 0n, direction: 'backward' };

async function refused(status, promise) {
    await assert.rejects(promise, (error) => error.status === status);
}

async function writePoints(tau) {
    await tau.createSeries(A);
    await refused('series_already_exists', tau.createSeries(A));
    await tau.append({ ...A, timestamp: 5, value: 1.5 });
    await refused('out_of_order', tau.append({ ...A, timestamp: 5, value: 2.5 }));
    const batch = { ...A, timestamps: [6n, 6n, 8n], values: [2.5, 3.5, 4.5] };
    assert.deepEqual(await tau.batchAppend(batch),
        { accepted: 2, refused: [{ row: 1, status: 'out_of_order' }] });
    const rows = [{ ...A, timestamp: 9, value: 5.5 }, { label: 'rel.b', timestamp: 1, value: 1 }];
    assert.deepEqual(await tau.multiAppend({ rows }),
        { accepted: 1, refused: [{ row: 1, status: 'series_not_found' }] });
}

async function readPoints(tau) {
    assert.equal((await tau.queryPoint({ ...A, timestamp: 8 })).value, 4.5);
    assert.equal((await tau.queryPoint({ ...A, timestamp: 7 })).value, null);
    const points = [];
    for await (const { timestamps, values } of tau.queryRange({ ...A, ...EVERYTHING })) {
        timestamps.forEach((timestamp, i) => points.push([timestamp, values[i]]));
    }
    assert.deepEqual(points, [[9n, 5.5], [8n, 4.5], [6n, 2.5], [5n, 1.5]]);
    const { point } = await tau.queryLatest(A);
    assert.deepEqual([point.timestamp, point.value], [9n, 5.5]);
}

async function describe(tau) {
    const told = await tau.describeSeries(A);
    assert.deepEqual([told.pointCount, told.firstTimestamp, told.lastTimestamp, told.order],
        [4n, 5n, 9n, 'strict']);
    const page = await tau.listSeries({ prefix: 'rel.', limit: 100 });
    assert.deepEqual([page.more, page.labels.map(labelText)], [false, ['rel.a']]);
}

async function useLenses(tau) {
    const lens = (label, source, transform) => tau.createLens({ label, source, transform });
    await lens('rel.kelvin', 'rel.a', 'celsius_to_kelvin');
    await refused('series_not_found', lens('rel.same', 'rel.b', 'identity'));
    await lens('rel.same', 'rel.a', 'identity');
    await tau.composeLens({ label: 'rel.both', first: 'rel.kelvin', second: 'rel.same' });
    const { value } = await tau.queryLens({ label: 'rel.both', timestamp: 5 });
    assert.equal(value, 1.5 + 273.15);
    const { labels } = await tau.listLenses();
    assert.deepEqual(labels.map(labelText), ['rel.both', 'rel.kelvin', 'rel.same']);
    await tau.dropLens({ label: 'rel.kelvin' });
}

async function finish(tau) {
    await tau.dropSeries(A);
    await refused('series_not_found', tau.dropSeries(A));
    await tau.cancel();
    const { document } = await tau.specification();
    assert.equal(JSON.parse(new TextDecoder().decode(document)).name, 'tau');
    await tau.disconnect();
}

const [host, port] = process.env.TAU_SERVER.split(':');
const certificate = process.env.TAU_CERTIFICATE;
const tau = await connectTcp({ host, port: Number(port), certificate });
assert(tau.server);
await tau.ping();
for (const part of [writePoints, readPoints, describe, useLenses, finish]) {
    await part(tau);
}
