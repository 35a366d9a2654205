// Credentials in a JSON file (a list of them), read again when it changes. A change that cannot be read keeps the
// credentials there were: an editor's half-written file must not lock every client out.
import { readFile, stat } from 'node:fs/promises';
import { WatchedFiles } from '../../concurrency/watched-files.ts';
import { type Credential, type CredentialStore, credentialList, parseCredentials } from './credentials.ts';

interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

interface CredentialFileOptions {
  readonly path: string;
  /** How often the file is looked at. */
  readonly checkIntervalMs: number;
}

/** A secret larger than this is not a credentials file. */
const MAX_FILE_BYTES = 4 * 1024 * 1024;

export class CredentialFile implements CredentialStore {
  readonly #files: WatchedFiles<readonly Credential[]>;
  readonly #find: CredentialStore['find'];

  private constructor(files: WatchedFiles<readonly Credential[]>, find: CredentialStore['find']) {
    this.#files = files;
    this.#find = find;
  }

  /** Rejects when the file cannot be read or is wrong: a gateway does not start without its credentials. */
  static async open({ log }: { log: Log }, { path, checkIntervalMs }: CredentialFileOptions): Promise<CredentialFile> {
    let store = credentialList([]);
    const files = await WatchedFiles.open<readonly Credential[]>(
      {
        read: () => readCredentials(path),
        use: (credentials, again) => {
          store = credentialList(credentials);
          if (!again) return;
          log.info({ path, credentials: credentials.length }, 'The credentials file has changed and was read again.');
        },
        failed: (error) =>
          log.error({ path, err: error }, 'The credentials file has changed but cannot be used; the old ones stay.'),
      },
      { paths: [path], checkIntervalMs },
    );
    await warnIfReadableByOthers(path, log);
    return new CredentialFile(files, (accessKeyId) => store.find(accessKeyId));
  }

  find(accessKeyId: string): Credential | undefined {
    return this.#find(accessKeyId);
  }

  /** Reads the file again if it has changed. Never rejects: what is wrong with it is logged, once a change. */
  check(): Promise<void> {
    return this.#files.check();
  }

  close(): Promise<void> {
    return this.#files.close();
  }
}

export async function readCredentials(path: string): Promise<readonly Credential[]> {
  const { size } = await stat(path);
  if (size > MAX_FILE_BYTES)
    throw new Error(`${path} has ${size} bytes; a credentials file has up to ${MAX_FILE_BYTES}.`);
  const text = await readFile(path, 'utf8');
  try {
    return parseCredentials(JSON.parse(text));
  } catch (error) {
    // A JSON error quotes the text around the mistake, which may be a secret.
    const reason = error instanceof SyntaxError ? 'it is not valid JSON' : (error as Error).message;
    throw new Error(`The credentials file ${path} cannot be used: ${reason}`);
  }
}

/** Not refused: orchestrators mount secrets readable by a group, and refusing would keep gateways from starting. */
export async function warnIfReadableByOthers(path: string, log: Pick<Log, 'warn'>): Promise<void> {
  const { mode } = await stat(path);
  if ((mode & 0o066) === 0) return;
  log.warn(
    { path, mode: (mode & 0o777).toString(8) },
    `Others than the owner can read or change ${path}, which holds secrets; chmod 600 it.`,
  );
}
