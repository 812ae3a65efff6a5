// SPDX-License-Identifier: MIT
//
// A session and the transport that carries its bytes. Requests made in one turn of the event loop
// leave in one piece. A transport is what `reach(handlers)` gives: it calls handlers.open(),
// handlers.bytes(Uint8Array) and handlers.end(error or null), and has write(Uint8Array) and
// close(), and pause() and resume() where it can hold the peer back.
import { TauConnectionError, TauError } from './errors.js';
import { Session } from './session.js';

const MOST_WAITING = 16; // batches of a stream, each of one frame, that are not read
const FEW_WAITING = 4;

export class Link {
    #session;
    #transport = null;
    #settle = {};
    #flushing = false;
    #held = false;

    constructor(options) {
        this.#session = new Session(options);
        this.opened = new Promise((resolve, reject) => {
            this.#settle.open = resolve;
            this.#settle.refuse = reject;
        });
        this.closed = new Promise((resolve) => {
            this.#settle.close = resolve;
        });
        this.opened.catch(() => {}); // whoever waits for it is told; nobody else need be
    }

    get session() {
        return this.#session;
    }

    /** Begins to connect. */
    reach(reach) {
        const handlers = {
            open: () => this.#settle.open(),
            bytes: (bytes) => {
                this.#session.receive(bytes);
                this.balance();
                this.#after();
            },
            end: (cause) => this.end(cause instanceof TauError ? cause
                : new TauConnectionError('connection_lost', lostWords(cause), { cause })),
        };
        try {
            this.#transport = reach(handlers);
            this.#after();
        } catch (error) { // an address that cannot be one
            handlers.end(error);
        }
    }

    /** Ends the session and the connection, for the reason given. */
    end(error) {
        this.#session.end(error);
        this.#after();
    }

    request(operation, value, sink) {
        const entry = this.#session.request(operation, value, sink);
        this.balance();
        this.#schedule();
        return entry;
    }

    stop(entry, error) {
        this.#session.stop(entry, error);
        this.balance();
        this.#schedule();
    }

    /** Holds the peer back while a stream is far ahead of its reader and nobody waits behind it. */
    balance() {
        const hold = this.#session.stalls(this.#held ? FEW_WAITING + 1 : MOST_WAITING);
        if (hold !== this.#held) {
            this.#held = hold;
            if (hold) {
                this.#transport?.pause?.();
            } else {
                this.#transport?.resume?.();
            }
        }
    }

    #schedule() {
        if (!this.#flushing) {
            this.#flushing = true;
            queueMicrotask(() => this.#flush());
        }
    }

    #flush() {
        this.#flushing = false;
        const bytes = this.#session.ended ? null : this.#session.takeOutput();
        if (bytes === null) {
            return;
        }
        try {
            this.#transport.write(bytes);
        } catch (cause) { // a transport that is not open, or not any more
            this.end(new TauConnectionError('connection_lost', lostWords(cause), { cause }));
        }
    }

    /** A session that is over needs no connection. */
    #after() {
        if (!this.#session.ended) {
            return;
        }
        const { failure } = this.#session;
        this.#transport?.close();
        this.#settle.refuse(failure?.status === 'connection_lost'
            ? new TauConnectionError('connection_failed', failure.message, { cause: failure.cause })
            : failure);
        this.#settle.close(failure);
    }
}

function lostWords(cause) {
    return cause ? `the connection failed: ${cause.message ?? cause}` : 'the connection was closed';
}
