// The certificates that the gateway shows, from their files, and again when those have been renewed. What would not work
// keeps what there was: a certificate is renewed before its key, or the other way round.
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { Logger } from 'pino';
import { WatchedFiles } from '../concurrency/watched-files.ts';

interface Deps<Pem> {
  readonly log: Pick<Logger, 'info' | 'error'>;
  /** They were renewed. New connections are to use them. */
  readonly renewed: (pem: Pem) => void;
}

interface Options<Name extends string> {
  /** Of the configuration: tls or mesh.tls. */
  readonly setting: string;
  /** By the settings' names. */
  readonly files: Readonly<Record<Name, string>>;
  readonly checkIntervalMs: number;
}

type NameOf = 'cert' | 'key' | 'ca';

export interface Certificates<Name extends string> {
  /** PEM. */
  readonly current: Readonly<Record<Name, Buffer>>;
  /** Looks at the files now. */
  check(): Promise<void>;
  close(): Promise<void>;
}

/** Rejects with what is wrong: what the system says of a file, or a sentence that names the setting. */
export async function openCertificates<Name extends NameOf>(
  { log, renewed }: Deps<Readonly<Record<Name, Buffer>>>,
  { setting, files, checkIntervalMs }: Options<Name>,
): Promise<Certificates<Name>> {
  const names = Object.keys(files) as Name[];
  let current: Readonly<Record<Name, Buffer>> | undefined;
  const watched = await WatchedFiles.open(
    {
      read: async () => {
        const pems = await Promise.all(names.map(async (name) => [name, await readPem(setting, name, files[name])]));
        const pem: Readonly<Record<Name, Buffer>> = Object.fromEntries(pems);
        checkPair(setting, names, pem);
        return pem;
      },
      use: (pem, again) => {
        current = pem;
        if (!again) return;
        renewed(pem);
        log.info({ setting, validTo: validTo(pem) }, 'The files of certificates have changed and were read again.');
      },
      failed: (error) =>
        log.error(
          { setting, err: error },
          'The files of certificates have changed but cannot be used; the old ones stay.',
        ),
    },
    { paths: Object.values(files), checkIntervalMs },
  );
  return {
    get current() {
      if (current === undefined) throw new Error('Certificates were asked for before they were read.');
      return current;
    },
    check: () => watched.check(),
    close: () => watched.close(),
  };
}

async function readPem(setting: string, name: string, path: string): Promise<Buffer> {
  const file = await readFile(path);
  if (!file.includes('-----BEGIN ')) throw new Error(`The file of ${setting}.${name}, ${path}, is not in PEM format.`);
  return file;
}

/** Throws where certificate and key are no pair. What OpenSSL says names neither files nor what they were wanted for. */
function checkPair(setting: string, names: readonly string[], pem: Readonly<Record<string, Buffer>>): void {
  try {
    createSecureContext(pem);
  } catch (cause) {
    const files = names.map((name) => `${setting}.${name}`).join(' and ');
    throw new Error(`The files of ${files} cannot be used: ${cause instanceof Error ? cause.message : cause}.`, {
      cause,
    });
  }
}

function validTo(pem: Readonly<Partial<Record<NameOf, Buffer>>>): string | undefined {
  return pem.cert === undefined ? undefined : new X509Certificate(pem.cert).validTo;
}
