// The body of an answer in bytes, into the memory that it is for.
import type { IncomingMessage } from 'node:http';
import { type ByteTarget, MeshError } from '../transport.ts';
import type { SocketTap } from './socket-tap.ts';

/** Resolves when it came whole. Rejects with MeshError, the signal's reason, or what the target throws. */
export function receiveBytes(
  res: IncomingMessage,
  tap: SocketTap,
  { who, into }: { readonly who: string; readonly into: ByteTarget },
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let isOver = false;
    const over = () => {
      isOver = true;
      signal.removeEventListener('abort', leave);
    };
    const fail = (error: unknown) => {
      over();
      tap.stop();
      res.destroy();
      reject(error);
    };
    const broken = (cause?: unknown) => {
      // An error with its stack is too dear to be made for nobody.
      if (!isOver) fail(new MeshError('Unreachable', `${who} broke off in the middle of an answer.`, { cause }));
    };
    const leave = () => fail(signal.reason);
    signal.addEventListener('abort', leave, { once: true });
    res.once('end', () => {
      over();
      resolve();
    });
    res.once('error', broken);
    res.once('close', broken);
    if (signal.aborted) leave();
    else if (res.closed) broken();
    else if (res.headers['transfer-encoding'] === 'chunked') {
      res.resume();
      tap.pour(into, fail);
    } else {
      // Only what is empty is not sent in chunks.
      res.on('data', () => fail(new MeshError('Malformed', `${who} gave bytes that are not sent in chunks.`)));
      tap.pass();
    }
  });
}
