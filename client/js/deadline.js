// SPDX-License-Identifier: MIT
//
// The two ways in which a caller stops waiting: a timeout and an AbortSignal.
import { TauAbortError, TauArgumentError } from './errors.js';

const LONGEST_MS = 2 ** 31 - 1; // what setTimeout can count to

function checked(timeoutMs) {
    const right = Number.isFinite(timeoutMs) && timeoutMs >= 0 && timeoutMs <= LONGEST_MS;
    if (!right) {
        throw new TauArgumentError(`timeoutMs: expected a number from 0 (none) to ${LONGEST_MS}`);
    }
    return timeoutMs;
}

function aborted(signal, what) {
    const late = signal.reason?.name === 'TimeoutError';
    return new TauAbortError(late ? 'timeout' : 'cancelled',
        `${what} was ${late ? 'not answered in time' : 'given up by the caller'}`,
        { cause: signal.reason, operation: what });
}

/** Calls `onEnd` once with an error when the time is over or the signal is aborted. */
export class Deadline {
    #what;
    #timeoutMs;
    #signal;
    #onEnd;
    #timer;
    #listener = () => this.#end(aborted(this.#signal, this.#what));

    /** Throws where a wait cannot even begin. */
    constructor(what, { timeoutMs = 0, signal = null }, onEnd) {
        this.#what = what;
        this.#timeoutMs = checked(timeoutMs);
        this.#signal = signal;
        this.#onEnd = onEnd;
        if (signal?.aborted) {
            throw aborted(signal, what);
        }
        signal?.addEventListener('abort', this.#listener);
        this.renew();
    }

    /** Begins to count again. */
    renew() {
        this.hold();
        if (this.#timeoutMs > 0) {
            const words = `${this.#what} was not answered within ${this.#timeoutMs} ms`;
            this.#timer = setTimeout(() => this.#end(
                new TauAbortError('timeout', words, { operation: this.#what })), this.#timeoutMs);
        }
    }

    /** Stops to count until it is renewed. */
    hold() {
        clearTimeout(this.#timer);
    }

    stop() {
        this.hold();
        this.#signal?.removeEventListener('abort', this.#listener);
    }

    #end(error) {
        this.stop();
        this.#onEnd(error);
    }
}
