// SPDX-License-Identifier: MIT
//
// Declarations of stream.js.

/** The answer of a stream, batch by batch. A loop that is left early ends it. */
export class TauStream<Batch> implements AsyncIterableIterator<Batch> {
    private constructor();
    [Symbol.asyncIterator](): this;
    next(): Promise<IteratorResult<Batch, undefined>>;
    return(value?: undefined): Promise<IteratorResult<Batch, undefined>>;
    /** Ends the stream: what was received and not read is dropped. */
    cancel(): void;
}
