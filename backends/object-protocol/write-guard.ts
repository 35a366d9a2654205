// Write conditions: natively where the origin has them, else HEAD and write under a lock of this process, which other
// writers of the origin can overtake between the two.
import { BackendError, type ObjectInfo, type ObjectRef, type WriteConditions } from '../backend.ts';
import { checkWriteConditions } from '../conditions.ts';
import { KeyLocks } from './key-locks.ts';
import type { OriginClient } from './origin-client.ts';
import { headObject } from './reads.ts';

export class WriteGuard {
  readonly #client: OriginClient;
  readonly #locks = new KeyLocks();

  constructor(client: OriginClient) {
    this.#client = client;
  }

  /** `write` gets the headers that make the origin keep the condition, where there are such. */
  async run<T>(
    ref: ObjectRef,
    conditions: WriteConditions | undefined,
    write: (headers: Readonly<Record<string, string>>) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    if (conditions?.ifMatch === undefined && conditions?.ifNoneMatch === undefined) return write({});
    const native = this.#client.dialect.putIfAbsentHeaders;
    if (native !== undefined && conditions.ifMatch === undefined && conditions.ifNoneMatch === '*')
      return write(native);
    const checked = async () => {
      checkWriteConditions(conditions, await currentObject(this.#client, ref, signal));
      return write({});
    };
    return this.#locks.run(ref, checked, signal);
  }
}

export async function currentObject(
  client: OriginClient,
  ref: ObjectRef,
  signal: AbortSignal,
): Promise<ObjectInfo | undefined> {
  try {
    return (await headObject(client, ref, {}, signal)).info;
  } catch (error) {
    if (error instanceof BackendError && error.code === 'NoSuchKey') return undefined;
    throw error;
  }
}
