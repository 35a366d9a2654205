// The real file system with faults laid over it: an error for every call of a kind, or the next few, under a path.
import { diskFiles, type Files } from '../../src/pieces/files.ts';

type Call = keyof Files;

export class FaultyFiles implements Files {
  /** The error code each kind of call fails with; only paths (or files opened by paths) that start so. */
  readonly faults = new Map<Call, { code: string; under: string; times: number }>();
  readonly calls = new Map<Call, number>();
  /** While set, opening a file waits for it. */
  holdOpen: Promise<void> | undefined;
  /** Reads answer with other bytes than the file has. */
  garbleReads = false;
  readonly #paths = new Map<number, string>();

  fail(call: Call, code: string, options: { under?: string; times?: number } = {}): void {
    this.faults.set(call, { code, under: options.under ?? '', times: options.times ?? Number.POSITIVE_INFINITY });
  }

  mend(): void {
    this.faults.clear();
  }

  async open(path: string, mode: 'create' | 'update' | 'read'): Promise<number> {
    this.#enter('open', path);
    await this.holdOpen;
    const fd = await diskFiles.open(path, mode);
    this.#paths.set(fd, path);
    return fd;
  }

  async close(fd: number): Promise<void> {
    this.#paths.delete(fd);
    return diskFiles.close(fd);
  }

  async read(fd: number, buffer: Uint8Array, position: number): Promise<number> {
    this.#enter('read', this.#paths.get(fd) ?? '');
    const count = await diskFiles.read(fd, buffer, position);
    if (this.garbleReads) buffer[0] = (buffer[0] ?? 0) ^ 1;
    return count;
  }

  async write(fd: number, bytes: Uint8Array, position: number): Promise<void> {
    this.#enter('write', this.#paths.get(fd) ?? '');
    return diskFiles.write(fd, bytes, position);
  }

  async truncate(path: string, sizeBytes: number): Promise<void> {
    this.#enter('truncate', path);
    return diskFiles.truncate(path, sizeBytes);
  }

  async facts(path: string) {
    this.#enter('facts', path);
    return diskFiles.facts(path);
  }

  async remove(path: string): Promise<void> {
    this.#enter('remove', path);
    return diskFiles.remove(path);
  }

  async list(directory: string): Promise<readonly string[]> {
    this.#enter('list', directory);
    return diskFiles.list(directory);
  }

  async makeDirectory(path: string): Promise<void> {
    this.#enter('makeDirectory', path);
    return diskFiles.makeDirectory(path);
  }

  async unitBytes(path: string): Promise<number> {
    this.#enter('unitBytes', path);
    return diskFiles.unitBytes(path);
  }

  #enter(call: Call, path: string): void {
    this.calls.set(call, (this.calls.get(call) ?? 0) + 1);
    const fault = this.faults.get(call);
    if (fault === undefined || !path.startsWith(fault.under) || fault.times <= 0) return;
    fault.times -= 1;
    throw Object.assign(new Error(`${fault.code}: injected into ${call} of ${path}`), { code: fault.code });
  }
}
