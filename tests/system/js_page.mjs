// SPDX-License-Identifier: MIT
//
// What the browser's test runs in the browser: the golden vectors through the codec, and a session
// over the browser's own WebSocket. Findings are sent back as text; none means that all was right.
import * as tau from '/js/index.js';

const findings = [];
const { certificate, url, vectors } = await (await fetch('/task')).json();

function expect(holds, what) {
    if (!holds) {
        findings.push(what);
    }
}

function same(left, right) {
    return left.length === right.length && left.every((one, i) => one === right[i]);
}

function unfold(text) {
    const whole = text.replace(/\((\d+)\*([0-9a-f]*)\)/g,
        (_, times, one) => one.repeat(Number(times)));
    return Uint8Array.from(whole.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

// --- the codec -------------------------------------------------------------------------------

function checkWrong({ name, payload, status, field, offset }, bytes) {
    try {
        tau.decode(payload, bytes);
        expect(false, `${name}: was decoded`);
    } catch (error) {
        expect(error instanceof tau.TauDecodeError && error.status === status &&
            error.field === field && error.offset === offset, `${name}: ${error}`);
    }
}

function checkVectors() {
    for (const vector of vectors) {
        const bytes = unfold(vector.frame).subarray(tau.HEADER_SIZE);
        if (vector.status !== undefined) {
            checkWrong(vector, bytes);
        } else {
            const again = tau.encode(vector.payload, tau.decode(vector.payload, bytes));
            const known = bytes.subarray(0, bytes.length - (vector.extra ?? 0));
            expect(same(again, known), `${vector.name}: is encoded to other bytes`);
        }
    }
}

// --- the session -----------------------------------------------------------------------------

const RANGE = { label: 'browser', from: 0n, to: 2n ** 62n, limit: 0n, direction: 'forward' };
const COUNT = 100000;

async function refusal(promise) {
    try {
        await promise;
    } catch (error) {
        return error instanceof tau.TauError ? error.status : String(error);
    }
    return 'success';
}

async function checkPoints(client) {
    const label = 'browser';
    const nan = 0x7ff0000000000001n;
    await client.createSeries({ label });
    await client.append({ label, timestamp: 1n, valueBits: nan });
    const { valueBits } = await client.queryPoint({ label, timestamp: 1n });
    expect(valueBits === nan, `a signalling NaN came back as ${valueBits.toString(16)}`);
    const late = await refusal(client.append({ label, timestamp: 1n, value: 1 }));
    expect(late === 'out_of_order', late);
    const reads = Array.from({ length: 500 }, () => client.queryPoint({ label, timestamp: 1n }));
    const bits = (await Promise.all(reads)).map((read) => read.valueBits);
    expect(bits.every((one) => one === nan), 'pipelined reads differ');
}

async function checkStreams(client) {
    const timestamps = BigInt64Array.from({ length: COUNT }, (_, i) => BigInt(i) + 2n);
    const values = Float64Array.from(timestamps, (time) => Number(time) / 3);
    const { accepted } = await client.batchAppend({ label: 'browser', timestamps, values });
    expect(accepted === COUNT, `${accepted} rows were accepted`);
    let count = 0;
    for await (const batch of client.queryRange({ ...RANGE, from: 2n })) {
        const end = count + batch.values.length;
        expect(same(batch.values, values.subarray(count, end)), 'a batch differs');
        count = end;
    }
    expect(count === COUNT, `${count} points were read`);
    const controller = new AbortController();
    const stream = client.queryRange(RANGE, { signal: controller.signal });
    controller.abort();
    expect(await refusal(stream.next()) === 'cancelled', 'a signal ends no stream');
    for await (const batch of client.queryRange(RANGE)) {
        expect(batch.values.length > 0, 'an empty batch');
        break;
    }
}

async function checkSession() {
    const client = await tau.connectWebSocket(url, { certificate });
    await checkPoints(client);
    await checkStreams(client);
    await client.disconnect();
    expect(await client.closed === null, 'the connection ended with a failure');
    const wrong = tau.connectWebSocket(url, { certificate: '00'.repeat(32) });
    expect(await refusal(wrong) === 'auth_failed', 'a wrong certificate is taken');
    const nobody = tau.connectWebSocket('ws://127.0.0.1:1', { certificate });
    expect(await refusal(nobody) === 'connection_failed', 'nobody answered');
}

try {
    checkVectors();
    await checkSession();
} catch (error) {
    findings.push(`${error} ${error.stack}`);
}
await fetch('/findings', {
    method: 'POST', body: JSON.stringify({ vectors: vectors.length, findings }),
});
