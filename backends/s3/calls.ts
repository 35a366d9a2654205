// One call to an S3 origin: sent with the caller's signal, its failure told as the contract wants it.
import type { Readable } from 'node:stream';
import { ListBucketsCommand, type S3Client } from '@aws-sdk/client-s3';
import { BackendError, type ObjectRef, type UploadBody } from '../backend.ts';
import { fromS3, hasDocument, statusOf } from './errors.ts';

/** S3's own limit. */
export const KEY_MAX_BYTES = 1_024;

/** What every call about an object names. Refuses keys that S3 cannot hold, before anything is sent. */
export function named(ref: ObjectRef): { Bucket: string; Key: string } {
  if (ref.key === '' || ref.key.includes('\0') || /\p{Surrogate}/u.test(ref.key)) {
    throw new BackendError('InvalidArgument', 'A key is not empty, has no NUL character and is well-formed Unicode.');
  }
  if (Buffer.byteLength(ref.key) > KEY_MAX_BYTES) {
    throw new BackendError('KeyTooLong', `A key has at most ${KEY_MAX_BYTES} bytes.`);
  }
  return { Bucket: ref.bucket, Key: ref.key };
}

/** Rejects with the signal's reason or a BackendError. */
export async function call<T>(client: S3Client, send: () => Promise<T>, signal: AbortSignal): Promise<T> {
  try {
    signal.throwIfAborted();
    return await send();
  } catch (error) {
    signal.throwIfAborted();
    throw await explain(client, error, signal);
  }
}

/**
 * Like call(), for requests with a body: one that breaks ends the request at once, and its error is what this rejects
 * with. `send` must use the signal it is given.
 */
export async function callWithBody<T>(
  client: S3Client,
  body: UploadBody,
  send: (signal: AbortSignal) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  signal.throwIfAborted();
  const broken = new AbortController();
  const stopWatching = watch(body.stream, (error) => broken.abort(error));
  const either = AbortSignal.any([signal, broken.signal]);
  try {
    const result = await call(client, () => send(either), either);
    await untilEnded(body.stream, either);
    return result;
  } catch (error) {
    signal.throwIfAborted();
    // The request may fail by the broken body before the body's error was told to those who listen.
    throw body.stream.errored ?? error;
  } finally {
    stopWatching();
  }
}

/** The origin may be quicker with its answer than the body with its end. */
function untilEnded(stream: Readable, signal: AbortSignal): Promise<void> {
  if (stream.readableEnded) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    stream.once('end', () => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
  });
}

function watch(stream: Readable, onBroken: (error: Error) => void): () => void {
  const onClose = () => {
    if (stream.readableEnded) return;
    onBroken(stream.errored ?? new BackendError('Unavailable', 'The body was closed before its end.'));
  };
  if (stream.destroyed) onClose();
  stream.on('error', onBroken);
  stream.on('close', onClose);
  return () => {
    stream.off('close', onClose);
    // The listener for errors stays: after a refusal the body's owner may still destroy it with one.
  };
}

/** A bodiless 400 or 403 may mean the object or the gateway's credentials; one request that gets a document tells. */
async function explain(client: S3Client, error: unknown, signal: AbortSignal): Promise<BackendError> {
  const status = statusOf(error);
  if (!(error instanceof Error) || hasDocument(error) || (status !== 403 && status !== 400)) return fromS3(error);
  try {
    await client.send(new ListBucketsCommand({ MaxBuckets: 1 }), { abortSignal: signal });
  } catch (second) {
    signal.throwIfAborted();
    const told = fromS3(second);
    if (told.code === 'Misconfigured') return told;
  }
  return fromS3(error);
}
