// A JSON body, whole, up to a limit.
import type { IncomingMessage } from 'node:http';
import { MeshError } from '../transport.ts';

/** Undefined: it is too long. Rejects with MeshError where it does not come whole. */
export function readBody(message: IncomingMessage, maxBytes: number): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    if (Number(message.headers['content-length'] ?? 0) > maxBytes) {
      resolve(undefined);
      return;
    }
    message.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > maxBytes) resolve(undefined);
      else chunks.push(chunk);
    });
    let ended = false;
    message.once('end', () => {
      ended = true;
      resolve(textOf(chunks));
    });
    const broken = (cause?: unknown) => {
      // An error with its stack is too dear to be made for nobody.
      if (!ended) reject(new MeshError('Unreachable', 'The connection broke in the middle of a body.', { cause }));
    };
    message.once('error', broken);
    message.once('close', broken);
  });
}

/** Undefined: no JSON. */
export function parseJson(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

function textOf(chunks: readonly Buffer[]): string {
  const [first] = chunks;
  return chunks.length === 1 && first !== undefined ? first.toString('utf8') : Buffer.concat(chunks).toString('utf8');
}
