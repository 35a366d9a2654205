// What WebHDFS answers, as far as it is read here.
// https://hadoop.apache.org/docs/stable/hadoop-project-dist/hadoop-hdfs/WebHDFS.html
import { z } from 'zod';
import { BackendError } from '../backend.ts';
import { discard, type HttpAnswer } from '../http/http-client.ts';
import { classifyNetworkError } from '../net/classify-network-error.ts';

const fileStatus = z.object({
  /** The name within the directory; '' when the path itself was asked for. */
  pathSuffix: z.string(),
  type: z.string(),
  length: z.number().int().nonnegative(),
  /** Milliseconds. */
  modificationTime: z.number(),
  /** Absent at gateways such as HttpFS. */
  fileId: z.number().optional(),
  childrenNum: z.number().optional(),
});

export type FileStatus = z.infer<typeof fileStatus>;

export const fileStatusAnswer = z.object({ FileStatus: fileStatus });

export const directoryListingAnswer = z.object({
  DirectoryListing: z.object({
    partialListing: z.object({ FileStatuses: z.object({ FileStatus: z.array(fileStatus) }) }),
    remainingEntries: z.number(),
  }),
});

export const locationAnswer = z.object({ Location: z.string() });

export const remoteExceptionAnswer = z.object({
  RemoteException: z.object({ exception: z.string(), message: z.string().nullish() }),
});

/** A thousand entries, which is what a namenode gives at once, are well under one megabyte. */
const MAX_JSON_BYTES = 16 * 1024 * 1024;

/** Rejects with Internal when it is no such answer. */
export async function readAnswer<T>(answer: HttpAnswer, schema: z.ZodType<T>, signal: AbortSignal): Promise<T> {
  const parsed = schema.safeParse(await readJson(answer, signal));
  if (parsed.success) return parsed.data;
  throw new BackendError('Internal', 'The namenode answered with something that is not WebHDFS.', {
    cause: parsed.error,
  });
}

/** Undefined when it is not JSON. */
export async function readJson(answer: HttpAnswer, signal: AbortSignal): Promise<unknown> {
  const text = await readText(answer, signal);
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

export function isJson(answer: HttpAnswer): boolean {
  return /^application\/json\b/i.test(answer.headers['content-type'] ?? '');
}

async function readText(answer: HttpAnswer, signal: AbortSignal): Promise<string> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  try {
    for await (const chunk of answer.body as AsyncIterable<Buffer>) {
      sizeBytes += chunk.length;
      if (sizeBytes > MAX_JSON_BYTES) throw new BackendError('Internal', 'The namenode sent more than 16 MiB of JSON.');
      chunks.push(chunk);
    }
  } catch (error) {
    discard(answer);
    signal.throwIfAborted();
    throw classifyNetworkError(error);
  }
  return Buffer.concat(chunks).toString('utf8');
}
