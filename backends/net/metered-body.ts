// A body whose bytes pass a token bucket, in either direction. The error of either end reaches the other unchanged.
import { type Readable, Transform } from 'node:stream';
import { BackendError } from '../backend.ts';
import type { Priority } from './priority.ts';
import type { TokenBucket } from './token-bucket.ts';

export function meteredBody(
  source: Readable,
  bucket: Pick<TokenBucket, 'take'>,
  priority: () => Priority,
  signal: AbortSignal,
): Readable {
  const meter = new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      bucket.take(chunk.length, priority, signal).then(
        () => done(null, chunk),
        (error: Error) => done(error),
      );
    },
  });
  // See exactBody: an error before the consumer listens must not end the process.
  meter.on('error', () => undefined);
  if (source.errored !== null) meter.destroy(source.errored);
  source.on('error', (error) => meter.destroy(error));
  source.on('close', () => {
    if (!source.readableEnded) meter.destroy(new BackendError('Unavailable', 'The body was closed before its end.'));
  });
  return source.pipe(meter);
}
