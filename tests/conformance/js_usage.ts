// SPDX-License-Identifier: MIT
//
// A program against the package's declarations, which the test compiles and never runs. Where an
// error is expected the compiler must find one.
import {
    Client, OpenOptions, QueryRangeResponse, Session, TauError, TauServerError, TauStream, bitsView,
    connectWebSocket, decode, encodeFrame, labelText, limits, open, operations, statuses,
} from 'tauclient';
import { connectTcp } from 'tauclient/tcp';

const options: OpenOptions = { certificate: new Uint8Array(32), timeoutMs: 1000 };

export async function points(tau: Client): Promise<bigint> {
    const { signal } = new AbortController();
    await tau.createSeries({ label: 'cpu.load' }, { timeoutMs: 5, signal });
    await tau.append({ label: new Uint8Array(32), timestamp: 1n, value: 2.5 });
    await tau.append({ label: 'cpu.load', timestamp: 2, valueBits: 0x7ff8000000000001n });
    // @ts-expect-error: neither the value nor its bits
    await tau.append({ label: 'cpu.load', timestamp: 1n });
    // @ts-expect-error: a value is a number
    await tau.append({ label: 'cpu.load', timestamp: 1n, value: 'high' });
    // @ts-expect-error: the label is missing
    await tau.queryPoint({ timestamp: 1n });
    // @ts-expect-error: there is no such key
    await tau.queryPoint({ label: 'cpu.load', timestamp: 1n, time: 1n });
    const point = await tau.queryPoint({ label: 'cpu.load', timestamp: 1n });
    // @ts-expect-error: the value may be missing
    const certain: number = point.value;
    const latest = await tau.queryLatest({ label: 'cpu.load' });
    return (point.valueBits ?? 0n) + (latest.point?.timestamp ?? BigInt(certain));
}

export async function batches(tau: Client): Promise<void> {
    const batch = await tau.batchAppend({
        label: 'cpu.load', timestamps: BigInt64Array.of(1n), values: BigUint64Array.of(1n),
    });
    const row: number = batch.refused[0].row;
    await tau.batchAppend({ label: 'cpu.load', timestamps: [1n, 2], values: [1, row] });
    await tau.multiAppend({ rows: [{ label: 'a', timestamp: 1n, value: 1 }] });
    // @ts-expect-error: a column of a batch is no text
    await tau.batchAppend({ label: 'cpu.load', timestamps: [1n], values: ['1'] });
    const range = { label: 'cpu.load', from: 0n, to: 1n, limit: 0n };
    const all = { ...range, direction: 'forward' } as const;
    const stream: TauStream<QueryRangeResponse> = tau.queryRange(all);
    for await (const { timestamps, values } of stream) {
        const time: bigint = timestamps[0];
        const bits: bigint = bitsView(values)[0];
        // @ts-expect-error: a BigInt is no number
        const number: number = time + bits;
        console.log(number);
    }
    // @ts-expect-error: there is no such direction
    tau.queryRange({ ...range, direction: 'sideways' });
    // @ts-expect-error: a stream is no promise
    stream.then(() => {});
}

export async function session(): Promise<string> {
    const tau = await connectTcp({ ...options, host: '127.0.0.1', port: 7701 });
    const web = await connectWebSocket('ws://127.0.0.1', { ...options, clientName: 'usage' });
    // @ts-expect-error: without a certificate there is no session
    await connectTcp({ port: 7701 });
    // @ts-expect-error: clients come from connectTcp, connectWebSocket and open
    new Client();
    const nothing: void = await web.ping();
    await tau.ping({ ignored: 'text' });
    const { labels } = await tau.listLenses({ timeoutMs: 1 });
    const known: bigint | undefined = tau.server?.limits.lenses;
    const ended: TauError | null = await tau.closed;
    const offered: boolean = tau.supports(operations.PING);
    return `${nothing} ${labels.map(labelText)} ${known} ${ended?.status} ${offered}`;
}

export function errors(error: unknown): string {
    if (error instanceof TauServerError) {
        const field: string | null = error.fieldName;
        return `${error.status} ${field} ${error.detail}`;
    }
    if (error instanceof TauError && error.status === 'timeout') {
        // @ts-expect-error: errors are not changed
        error.status = 'cancelled';
        return `${error.retryable} ${error.outcomeUnknown}`;
    }
    // @ts-expect-error: there is no such status
    return statuses.sideways ?? limits.lenses.value;
}

export async function layers(): Promise<void> {
    const session = new Session({ maxRequests: 1 });
    session.request(operations.PING, {}, {
        done: (value) => console.log(value), fail: (error) => console.log(error.code),
    });
    const bytes: Uint8Array | null = session.takeOutput();
    session.receive(encodeFrame(4, 'pong', {}));
    decode('pong', bytes ?? new Uint8Array(0));
    await open(({ open: opened, bytes: take }) => {
        opened();
        take(new Uint8Array(1));
        return { write: (out) => out.length, close() {} };
    }, options);
}
