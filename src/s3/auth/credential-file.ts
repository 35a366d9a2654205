// Credentials in a JSON file (a list of them), read again when it changes. A change that cannot be read keeps the
// credentials there were: an editor's half-written file must not lock every client out.
import { readFile, stat } from 'node:fs/promises';
import { type Credential, type CredentialStore, credentialList, parseCredentials } from './credentials.ts';

interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

interface CredentialFileOptions {
  readonly path: string;
  /** How often the file is looked at. Looking, not being told, sees through mounted secrets and network disks. */
  readonly checkIntervalMs: number;
}

/** A secret larger than this is not a credentials file. */
const MAX_FILE_BYTES = 4 * 1024 * 1024;

export class CredentialFile implements CredentialStore {
  readonly #log: Log;
  readonly #path: string;
  #store: CredentialStore = credentialList([]);
  /** What the file looked like when it was last read, readable or not. */
  #seen = '';
  #checking: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  private constructor(deps: { log: Log }, options: CredentialFileOptions) {
    this.#log = deps.log;
    this.#path = options.path;
  }

  /** Rejects when the file cannot be read or is wrong: a gateway does not start without its credentials. */
  static async open(deps: { log: Log }, options: CredentialFileOptions): Promise<CredentialFile> {
    const file = new CredentialFile(deps, options);
    file.#seen = await fingerprint(options.path);
    file.#store = credentialList(await readCredentials(options.path));
    await warnIfReadableByOthers(options.path, deps.log);
    file.#timer = setInterval(() => void file.check(), options.checkIntervalMs).unref();
    return file;
  }

  find(accessKeyId: string): Credential | undefined {
    return this.#store.find(accessKeyId);
  }

  /** Reads the file again if it has changed. Never rejects: what is wrong with it is logged, once a change. */
  check(): Promise<void> {
    this.#checking ??= this.#check().finally(() => {
      this.#checking = undefined;
    });
    return this.#checking;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#checking;
  }

  async #check(): Promise<void> {
    const path = this.#path;
    let seen = 'unreadable';
    try {
      seen = await fingerprint(path);
      if (seen === this.#seen) return;
      const credentials = await readCredentials(path);
      this.#store = credentialList(credentials);
      this.#log.info({ path, credentials: credentials.length }, 'The credentials file has changed and was read again.');
    } catch (error) {
      if (seen === this.#seen) return;
      this.#log.error({ path, err: error }, 'The credentials file has changed but cannot be used; the old ones stay.');
    }
    this.#seen = seen;
  }
}

/** Taken before the content is read, so that a change in between is seen the next time. */
async function fingerprint(path: string): Promise<string> {
  const { ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
  return [ino, size, mtimeNs, ctimeNs].join(' ');
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
