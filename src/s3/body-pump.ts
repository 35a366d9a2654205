// Sends a stream as the body of an answer: with backpressure, without letting one fast client have the event loop to
// itself, and never ending cleanly short of the promised length.
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { addAbortSignal, type Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';

/** When a socket takes every write at once, drain and read both come from microtasks and no other client is heard. */
const YIELD_EVERY_BYTES = 512 * 1024;

export interface PumpedBody {
  readonly stream: Readable;
  readonly sizeBytes: number;
}

/**
 * `begin` writes the head, once the first byte is there, so that a source which fails at once is still answered with
 * a status. Rejects when the source fails or is not of its promised size, or the signal aborts; the caller then cuts
 * the connection. The stream is destroyed in any case. Returns the bytes sent.
 */
export async function pumpBody(
  body: PumpedBody,
  response: ServerResponse,
  begin: () => void,
  signal: AbortSignal,
): Promise<number> {
  let sentBytes = 0;
  let sinceYield = 0;
  // The loop throws what the stream fails with; an error after the loop was left concerns nobody.
  body.stream.on('error', () => undefined);
  addAbortSignal(signal, body.stream);
  try {
    for await (const chunk of body.stream as AsyncIterable<Uint8Array>) {
      if (sentBytes + chunk.length > body.sizeBytes) throw wrongSize(body.sizeBytes, 'more');
      if (!response.headersSent) begin();
      const more = response.write(chunk);
      sentBytes += chunk.length;
      sinceYield += chunk.length;
      if (!more && response.writableNeedDrain) await once(response, 'drain', { signal });
      if (sinceYield >= YIELD_EVERY_BYTES) {
        sinceYield = 0;
        await setImmediate(undefined, { signal });
      }
    }
  } finally {
    body.stream.destroy();
  }
  if (sentBytes !== body.sizeBytes) throw wrongSize(body.sizeBytes, 'less');
  if (!response.headersSent) begin();
  response.end();
  return sentBytes;
}

function wrongSize(sizeBytes: number, how: 'more' | 'less'): Error {
  return new Error(`The body had ${how} bytes than the ${sizeBytes} promised; the connection was cut.`);
}
