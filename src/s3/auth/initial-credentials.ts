// The first pair of keys, random, made when nobody configured any, and kept beside the data for later starts.
import { randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { readCredentials, warnIfReadableByOthers } from './credential-file.ts';
import { type Credential, DEFAULT_ACCOUNT } from './credentials.ts';

interface InitialCredentials {
  readonly credentials: readonly Credential[];
  /** Made just now; the moment to tell the operator. */
  readonly created: boolean;
}

/**
 * Reads the pair at `path`, or makes it there, readable by this user only. One process at a time owns the folder.
 * Rejects when what is there cannot be used: a new pair would lock out those who know the old one.
 */
export async function createInitialCredentials(
  path: string,
  deps: { log: { warn(fields: object, message: string): void } },
): Promise<InitialCredentials> {
  try {
    const credentials = await readCredentials(path);
    await warnIfReadableByOthers(path, deps.log);
    return { credentials, created: false };
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
  const credential = randomCredential();
  await writeDurably(path, `${JSON.stringify([credential], undefined, 2)}\n`);
  return { credentials: [credential], created: true };
}

function randomCredential(): Credential {
  return {
    name: 'initial',
    account: DEFAULT_ACCOUNT,
    accessKeyId: `DF${randomText('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', 18)}`,
    secretAccessKey: randomText('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_', 40),
  };
}

/** The alphabet's size divides 256, so that every character is as likely. */
function randomText(alphabet: string, length: number): string {
  return [...randomBytes(length)].map((byte) => alphabet.charAt(byte % alphabet.length)).join('');
}

/** The whole file or none, also after a power cut. */
async function writeDurably(path: string, text: string): Promise<void> {
  const draft = `${path}.${process.pid}.tmp`;
  // A draft left by a crash may be readable by others; a new file gets its mode from the start.
  await rm(draft, { force: true });
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
