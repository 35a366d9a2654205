// What is forgotten must not come back from LevelDB, however it orders, delays or refuses its writes.
import { expect, test } from 'vitest';
import type { ObjectInfo } from '../../backends/backend.ts';
import { type NameRecord, NameRecords } from '../../src/objects/name-records.ts';

const REF = { bucket: 'b', key: 'k' };
const OTHER = { bucket: 'b', key: 'other' };

/** LevelDB as it may behave: writes take effect when the test lets them, in any order, or fail. */
class SlowDatabase {
  readonly texts = new Map<string, string>();
  readonly waiting: { act: () => void; resolve: () => void }[] = [];
  hold = false;
  failing = false;

  getSync(id: string): string | undefined {
    return this.texts.get(id);
  }

  put(id: string, text: string): Promise<void> {
    return this.#write(() => this.texts.set(id, text));
  }

  del(id: string): Promise<void> {
    return this.#write(() => this.texts.delete(id));
  }

  /** Lets the write that came last go first. */
  async runBackwards(): Promise<void> {
    while (this.waiting.length > 0) {
      const { act, resolve } = this.waiting.pop() ?? { act: () => undefined, resolve: () => undefined };
      act();
      resolve();
      for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
    }
  }

  #write(act: () => void): Promise<void> {
    if (this.failing) return Promise.reject(new Error('LevelDB fails.'));
    return new Promise((resolve) => {
      this.waiting.push({ act, resolve });
      if (!this.hold) void this.runBackwards();
    });
  }
}

test('a record on its way to LevelDB does not outlive its own deletion', async () => {
  const database = new SlowDatabase();
  const records = new NameRecords({ database, failed: unexpected }, { maxRecords: 10 });
  database.hold = true;
  records.set(REF, known('old'));
  const deleted = records.delete(REF);
  await Promise.resolve();
  await database.runBackwards();
  await deleted;
  expect(database.texts.size).toBe(0);
});

test('what is being deleted is not read from LevelDB meanwhile', async () => {
  const database = new SlowDatabase();
  const records = new NameRecords({ database, failed: unexpected }, { maxRecords: 10 });
  records.set(REF, known('old'));
  await settled();
  database.hold = true;
  const deleted = records.delete(REF);
  expect(records.get(REF)).toBeUndefined();
  await settled();
  await database.runBackwards();
  await deleted;
  expect(records.get(REF)).toBeUndefined();
});

test('what LevelDB would not delete is believed by nobody', async () => {
  const database = new SlowDatabase();
  const errors: Error[] = [];
  const records = new NameRecords({ database, failed: (error) => errors.push(error) }, { maxRecords: 3 });
  for (const ref of [REF, OTHER]) records.set(ref, known('old'));
  await settled();
  database.failing = true;
  await records.delete(REF);
  expect(errors).toHaveLength(1);
  expect(records.get(REF)).toBeUndefined();
  expect(records.get(OTHER)).toMatchObject({ kind: 'known' });
});

test('a LevelDB that hangs keeps a deletion waiting no longer than the patience, and is then not believed', async () => {
  const database = new SlowDatabase();
  const records = new NameRecords({ database, failed: unexpected }, { maxRecords: 10, patienceMs: 1 });
  records.set(REF, known('old'));
  await settled();
  database.hold = true;
  await records.delete(REF);
  expect(records.get(REF)).toBeUndefined();
});

test('what another run left is a record too old for any freshness, and nonsense is none', async () => {
  const database = new SlowDatabase();
  new NameRecords({ database, failed: unexpected }, { maxRecords: 10 }).set(REF, known('e1'));
  await settled();
  const next = new NameRecords({ database, failed: unexpected }, { maxRecords: 10 });
  expect(next.get(REF)).toMatchObject({ kind: 'known', askedAtMs: Number.NEGATIVE_INFINITY, info: info('e1') });
  database.texts.set('b\0other', '{"kind":"something else"}');
  expect(next.get(OTHER)).toBeUndefined();
});

async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

function unexpected(error: Error): never {
  throw error;
}

function info(etag: string): ObjectInfo {
  return {
    key: 'k',
    sizeBytes: 1,
    etag,
    lastModified: new Date('2020-01-01T00:00:00Z'),
    headers: {},
    metadata: {},
    identity: 'strong',
  };
}

function known(etag: string): NameRecord {
  return { kind: 'known', info: info(etag), complete: true, askedAtMs: 1 };
}
