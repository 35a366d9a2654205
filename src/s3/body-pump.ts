// Sends an object's bytes as the body of an answer: with backpressure, without letting one fast client have the event
// loop to itself, and never ending cleanly short of the promised length.
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { loopTurn } from '../concurrency/loop-turn.ts';
import type { Chunk } from '../objects/objects.ts';

/** When a socket takes every write at once, drain and read both come from microtasks and no other client is heard. */
const YIELD_EVERY_BYTES = 512 * 1024;

export interface PumpedBody {
  readonly chunks: AsyncGenerator<Chunk, void, undefined>;
  /** All of them, where they are at hand: they need no pump. */
  readonly whole?: readonly Chunk[] | undefined;
  readonly sizeBytes: number;
}

/**
 * `begin` writes the head, once the first byte is there, so that a source which fails at once is still answered with
 * a status. The next chunk is fetched while the socket takes the one before. Rejects when the source fails (as it does
 * when the signal it was opened with aborts) or is not of its promised size; the caller then cuts the connection. The
 * source is ended in any case, and each chunk released when the socket has taken it. Returns the bytes sent.
 */
export async function pumpBody(
  body: PumpedBody,
  response: ServerResponse,
  begin: () => void,
  sent: (chunk: Chunk) => void,
  signal: AbortSignal,
): Promise<number> {
  let sentBytes = 0;
  let sinceYield = 0;
  let coming = fetchNext(body);
  try {
    for (;;) {
      const { done, value: chunk } = await coming;
      if (done === true) break;
      signal.throwIfAborted();
      const { length } = chunk.bytes;
      if (sentBytes + length > body.sizeBytes) throw wrongSize(body.sizeBytes, 'more');
      if (!response.headersSent) begin();
      const more = response.write(chunk.bytes, () => chunk.release());
      coming = fetchNext(body);
      sent(chunk);
      sentBytes += length;
      sinceYield += length;
      if (!more && response.writableNeedDrain) await once(response, 'drain', { signal });
      if (sinceYield >= YIELD_EVERY_BYTES) {
        sinceYield = 0;
        await loopTurn();
      }
    }
  } finally {
    // Of a body that goes no further: nobody has been given what was fetched last. Releasing twice does nothing.
    const unsent = coming.then(({ value }) => value?.release(), unheard);
    await Promise.all([unsent, body.chunks.return()]);
  }
  if (sentBytes !== body.sizeBytes) throw wrongSize(body.sizeBytes, 'less');
  if (!response.headersSent) begin();
  response.end();
  return sentBytes;
}

/** Its failure is told to whoever waits for it next, though that may be a while after it failed. */
function fetchNext({ chunks }: PumpedBody): Promise<IteratorResult<Chunk, void>> {
  const coming = chunks.next();
  coming.catch(unheard);
  return coming;
}

function unheard(): void {
  // Somebody else is told.
}

function wrongSize(sizeBytes: number, how: 'more' | 'less'): Error {
  return new Error(`The body had ${how} bytes than the ${sizeBytes} promised; the connection was cut.`);
}
