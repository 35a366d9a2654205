// Some bytes out of the middle of a stream, for servers that ignore Range: drops what comes before, and ends the
// transfer as soon as it has what it needs.
import { Readable } from 'node:stream';
import type { ByteRange } from '../backend.ts';

/** As exact as its source: errors are passed on as they are. */
export function cutBody(source: Readable, range: ByteRange): Readable {
  const body = Readable.from(cut(source, range), { objectMode: false });
  // A generator that waits for a silent source is not ended by its reader's leaving; the source is.
  body.once('close', () => source.destroy());
  // Whoever reads it later still sees the error; until then it must find a listener.
  body.on('error', () => undefined);
  return body;
}

async function* cut(source: Readable, range: ByteRange): AsyncGenerator<Buffer> {
  let position = 0;
  // Leaving the loop destroys the source.
  for await (const chunk of source as AsyncIterable<Buffer>) {
    const from = Math.max(0, range.start - position);
    const to = Math.min(chunk.length, range.end - position);
    position += chunk.length;
    if (from < to) yield chunk.subarray(from, to);
    if (position >= range.end) return;
  }
}
