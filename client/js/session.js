// SPDX-License-Identifier: MIT
//
// One session, without I/O: requests go in and bytes come out, received bytes go in and answers
// come out. Replies come in the order of the requests, so what waits is a queue, and any number may
// be under way. Whatever the peer sends ends in an answer or in an error of errors.js. It knows
// neither sockets nor time: who gives a request up calls abandon.
import { decode, decodeHeader, judgeStart } from './decode.js';
import { encodeFrame } from './encode.js';
import { TauConnectionError, TauError, TauProtocolError, TauServerError, statusCode }
    from './errors.js';
import { HEADER_SIZE, features, flags, limits, operations, payloads, protocol, replies }
    from './model.js';

const FIRST_INPUT = 64 * 1024;
const BATCH_BYTES = 512; // what a batch takes besides its payload

/** Whether a server sends frames of this opcode unasked. */
function isPush(opcode) {
    return opcode >= protocol.firstPush && opcode <= protocol.lastPush;
}

/** Received bytes that are not read yet: at most one frame and what came with its end. */
class Input {
    #store = new Uint8Array(FIRST_INPUT);
    #start = 0;
    #end = 0;

    get size() {
        return this.#end - this.#start;
    }

    add(bytes) {
        const size = this.size + bytes.length;
        if (this.#end + bytes.length > this.#store.length) {
            const roomy = size > this.#store.length / 2;
            const store = roomy ? new Uint8Array(2 * size) : this.#store;
            store.set(this.#store.subarray(this.#start, this.#end));
            this.#end -= this.#start;
            this.#start = 0;
            this.#store = store;
        }
        this.#store.set(bytes, this.#end);
        this.#end += bytes.length;
    }

    /** The first bytes, valid until the next add. */
    peek(size) {
        return this.#store.subarray(this.#start, this.#start + size);
    }

    take(size) {
        const bytes = this.peek(size);
        this.#start += size;
        if (this.#start === this.#end) {
            this.#start = 0;
            this.#end = 0;
        }
        return bytes;
    }
}

/** The requests without a reply, in order. */
class Queue {
    #items = [];
    #head = 0;

    get length() {
        return this.#items.length - this.#head;
    }

    get first() {
        return this.#items[this.#head];
    }

    push(item) {
        this.#items.push(item);
    }

    shift() {
        const item = this.#items[this.#head];
        this.#items[this.#head++] = undefined;
        if (this.#head > 1024 && 2 * this.#head > this.#items.length) {
            this.#items = this.#items.slice(this.#head);
            this.#head = 0;
        }
        return item;
    }

    remove(item) {
        this.#items = this.#items.slice(this.#head).filter((other) => other !== item);
        this.#head = 0;
    }

    /** Whether any but the first is so. */
    someBehind(test) {
        for (let at = this.#head + 1; at < this.#items.length; at++) {
            if (test(this.#items[at])) {
                return true;
            }
        }
        return false;
    }

    [Symbol.iterator]() {
        return this.#items.slice(this.#head).values();
    }
}

const IGNORED = { batch() {}, done() {}, fail() {} };

/**
 * The state of one session. A request's `sink` has `batch(value, size)` for each frame of a stream,
 * then exactly one of `done(value)` and `fail(error)` is called. Who takes a batch says so with
 * `taken`; what was not taken of a stream is bounded where others wait behind it.
 */
export class Session {
    #input = new Input();
    #pending = new Queue();
    #output = [];
    #bytes = 0;
    #maxRequests;
    #maxBytes;
    #maxStreamBytes;
    #asked = 0n;
    #ended = false;
    #failure = null;

    /** What the server said of itself in NEGOTIATE; null before. */
    server = null;

    constructor({
        maxRequests = 131072, maxBytes = 64 * 1024 * 1024, maxStreamBytes = 64 * 1024 * 1024,
    } = {}) {
        this.#maxRequests = maxRequests;
        this.#maxBytes = maxBytes;
        this.#maxStreamBytes = maxStreamBytes;
    }

    /** Whether the session is over; `failure` then says why, null after a DISCONNECT. */
    get ended() {
        return this.#ended;
    }

    get failure() {
        return this.#failure;
    }

    // --- requests ---

    /** Why an operation cannot be sent now, or null. */
    refusal(operation) {
        const { name, negotiated } = operation;
        const offered = this.server?.operations.get(operation.opcode);
        if (offered === undefined) {
            return negotiated
                ? new TauError('not_supported', `the server does not offer ${name}`,
                    { operation: name })
                : null;
        }
        if (offered === operation.fingerprint) {
            return null;
        }
        return new TauError('layout_mismatch',
            `client and server were compiled with different layouts of ${name}`,
            { operation: name });
    }

    /** Queues a request; throws where it cannot be made. Gives what abandon and stop take. */
    request(operation, value, sink) {
        const refused = this.#ended ? this.#over() : this.refusal(operation);
        if (refused) {
            throw refused;
        }
        const frame = encodeFrame(operation.opcode, operation.request, value);
        if (this.#pending.length >= this.#maxRequests ||
            this.#bytes + frame.length > this.#maxBytes) {
            throw new TauError('would_block', 'too many requests wait for their answers',
                { operation: operation.name });
        }
        if (this.#crowded()) {
            throw behind(operation);
        }
        if (operation === operations.NEGOTIATE) {
            this.#asked = BigInt(value.features);
        }
        return this.#queue(operation, frame, sink);
    }

    #queue(operation, frame, sink) {
        const entry = {
            operation, sink, frame, size: frame.length, sent: false, live: true,
            wanted: !operation.stream, batches: 0, bytes: 0,
        };
        this.#pending.push(entry);
        this.#output.push(entry);
        this.#bytes += entry.size;
        return entry;
    }

    /** Somebody took a batch. */
    taken(entry, size) {
        entry.batches--;
        entry.bytes -= size;
    }

    /** Whether the next answer is a stream with `most` batches that were not taken, and nobody
        waits for what is behind it. */
    stalls(most) {
        const entry = this.#pending.first;
        return entry !== undefined && entry.live && entry.batches >= most &&
            !this.#pending.someBehind((other) => other.live && other.wanted);
    }

    #crowded() {
        const entry = this.#pending.first;
        return entry !== undefined && entry.live && entry.bytes > this.#maxStreamBytes;
    }

    /** Where nobody takes the batches of a stream, those who wait behind it wait in vain. */
    #relieve() {
        if (this.#crowded()) {
            const [, ...others] = this.#pending;
            others.forEach((other) => this.abandon(other, behind(other.operation)));
        }
    }

    /** All bytes that are to be sent, in one piece, or null. They count as sent from now on. */
    takeOutput() {
        if (this.#output.length === 0) {
            return null;
        }
        const frames = this.#output.map((entry) => entry.frame);
        for (const entry of this.#output) {
            entry.sent = true;
            entry.frame = null;
        }
        this.#output = [];
        return frames.length === 1 ? frames[0] : joined(frames);
    }

    /** Ends a request for its caller; its reply, when it comes, is passed over. */
    abandon(entry, error) {
        if (!entry.live) {
            return;
        }
        entry.live = false;
        if (!entry.sent) {
            this.#output = this.#output.filter((other) => other !== entry);
            this.#pending.remove(entry);
            this.#bytes -= entry.size;
        }
        this.#fail(entry, error);
    }

    /**
     * Abandons a request; if it is a stream, the server is told. CANCEL ends every read of the
     * connection, so it is sent only where no other one is under way; else the rest of the stream
     * is passed over. No limit holds it back: it is what makes room.
     */
    stop(entry, error) {
        if (!entry.live) {
            return;
        }
        this.abandon(entry, error);
        if (!entry.operation.stream) {
            return;
        }
        const alone = ![...this.#pending].some((other) => other.live && !other.operation.write);
        const { CANCEL } = operations;
        const offered = this.server?.operations.get(CANCEL.opcode) === CANCEL.fingerprint;
        if (entry.sent && alone && offered && !this.#ended) {
            this.#queue(CANCEL, encodeFrame(CANCEL.opcode, CANCEL.request, {}), IGNORED);
        }
    }

    // --- the end ---

    /** Ends the session: what waits fails. A write that was sent may have happened. */
    end(error = null) {
        if (this.#ended) {
            return;
        }
        this.#ended = true;
        this.#failure = error;
        this.#output = [];
        const cause = error ?? this.#over();
        while (this.#pending.length > 0) {
            const entry = this.#pending.shift();
            if (entry.live) {
                entry.live = false;
                this.#fail(entry, cause);
            }
        }
    }

    #over() {
        return new TauConnectionError('connection_lost',
            this.#failure ? `the session is over: ${this.#failure.message}` : 'the session is over',
            this.#failure ? { cause: this.#failure } : {});
    }

    #fail(entry, error) {
        const { name, write } = entry.operation;
        if (!write || !entry.sent) {
            entry.sink.fail(error);
            return;
        }
        entry.sink.fail(new TauError('outcome_unknown',
            `${name} was sent and not answered: ${error.message}`,
            { cause: error, operation: name }));
    }

    // --- replies ---

    /** Takes received bytes, cut anywhere, and answers what they complete. */
    receive(bytes) {
        if (this.#ended) {
            return;
        }
        this.#input.add(bytes);
        try {
            while (!this.#ended && this.#takeFrame());
        } catch (error) {
            if (!(error instanceof TauError)) {
                throw error;
            }
            this.end(error instanceof TauProtocolError ? error
                : new TauProtocolError('bytes that are no frame', { cause: error }));
        }
    }

    #takeFrame() {
        if (this.#input.size < HEADER_SIZE) {
            judgeStart(this.#input.peek(this.#input.size));
            return false;
        }
        const header = decodeHeader(this.#input.peek(HEADER_SIZE), isPush);
        if (!isPush(header.opcode)) {
            this.#judge(header);
        }
        if (this.#input.size < HEADER_SIZE + header.payloadLength) {
            return false;
        }
        const payload = this.#input.take(HEADER_SIZE + header.payloadLength).subarray(HEADER_SIZE);
        if (header.opcode === replies.ERR.opcode) {
            this.#onError(payload);
        } else if (!isPush(header.opcode)) {
            this.#onReply(header, payload);
        }
        return true;
    }

    /** Throws where a header cannot be that of the next reply. */
    #judge({ opcode, flags: bits, payloadLength }) {
        const entry = this.#pending.first;
        if (entry && !entry.sent) {
            throw new TauProtocolError('an answer to a request that was not sent yet');
        }
        if (opcode === replies.ERR.opcode) {
            const { minSize, maxSize } = payloads.err;
            if (bits !== 0 || payloadLength < minSize || payloadLength > maxSize) {
                throw new TauProtocolError('a malformed error');
            }
            return;
        }
        if (!entry) {
            throw new TauProtocolError('an answer to no request');
        }
        const { name, reply, response, stream } = entry.operation;
        if (opcode !== reply) {
            throw new TauProtocolError(`an answer of the wrong kind to ${name}`);
        }
        if (bits !== 0 && !(stream && bits === flags.more)) {
            throw new TauProtocolError(`flags that are not allowed in an answer to ${name}`);
        }
        const most = stream
            ? limits.stream_frame_bytes.value - HEADER_SIZE : payloads[response].maxSize;
        if (payloadLength > most) {
            throw new TauProtocolError(`an answer to ${name} that is too long`);
        }
    }

    #shift() {
        const entry = this.#pending.shift();
        const live = entry.live;
        this.#bytes -= entry.size;
        entry.live = false;
        return live ? entry : null;
    }

    #onError(payload) {
        const error = this.#readError(payload, this.#pending.first?.operation);
        if (this.#pending.length === 0) {
            this.end(error);
            return;
        }
        this.#shift()?.sink.fail(error);
    }

    #readError(payload, operation = null) {
        const err = decode('err', payload);
        const detailed = err.field !== null;
        const agreed = ((this.server?.features ?? 0n) & features.detailed_errors) !== 0n;
        if (statusCode(err.status) === 0 || (detailed && !agreed)) {
            throw new TauProtocolError('an error that cannot be read');
        }
        if (!detailed) {
            return new TauServerError(err.status, operation?.name);
        }
        const known = operation && payloads[operation.request].fields[err.field];
        return new TauServerError(err.status, operation?.name, {
            field: known ? err.field : null, fieldName: known?.name ?? null,
            offset: err.offset, text: err.text,
        });
    }

    #onReply({ flags: bits }, payload) {
        const entry = this.#pending.first;
        const last = (bits & flags.more) === 0;
        const value = entry.live ? this.#read(entry, payload) : null;
        if (entry.live && entry.operation.stream) {
            const size = payload.length + BATCH_BYTES;
            entry.batches++;
            entry.bytes += size;
            entry.sink.batch(value, size);
            this.#relieve();
        }
        if (last && !this.#ended) {
            this.#finish(value);
        }
    }

    /** The value of an answer; a bad one fails its request alone, for the next frame is known. */
    #read(entry, payload) {
        try {
            return decode(entry.operation.response, payload);
        } catch (error) {
            if (!(error instanceof TauError)) {
                throw error;
            }
            const { name } = entry.operation;
            this.abandon(entry, new TauProtocolError(`an answer to ${name} that cannot be read`,
                { cause: error, operation: name }));
            return null;
        }
    }

    #finish(value) {
        const { operation } = this.#pending.first;
        const entry = this.#shift();
        if (entry && operation === operations.NEGOTIATE) {
            this.#note(value);
        }
        entry?.sink.done(value);
        if (operation === operations.DISCONNECT) { // all is said, whether the server closes or not
            this.end();
        }
    }

    #note(answer) {
        const numbers = new Map(answer.limits.map(({ number, value }) => [number, value]));
        const known = Object.entries(limits).filter(([, { number }]) => numbers.has(number));
        this.server = Object.freeze({
            name: answer.serverName,
            features: answer.features & this.#asked,
            specification: answer.specification,
            limits: Object.fromEntries(known.map(([name, one]) => [name, numbers.get(one.number)])),
            operations: new Map(answer.operations.map((one) => [one.opcode, one.fingerprint])),
        });
    }
}

function behind({ name }) {
    return new TauError('would_block',
        `${name} waits behind a stream of which too much was not read: ` +
            'read on, or leave the stream',
        { operation: name });
}

function joined(frames) {
    const bytes = new Uint8Array(frames.reduce((sum, frame) => sum + frame.length, 0));
    let at = 0;
    for (const frame of frames) {
        bytes.set(frame, at);
        at += frame.length;
    }
    return bytes;
}
