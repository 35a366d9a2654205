// Where keys come from: a list, a file that changes, the first start.
import { chmod, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { WatchedFiles } from '../../../src/concurrency/watched-files.ts';
import { CredentialFile } from '../../../src/s3/auth/credential-file.ts';
import {
  type Credential,
  credentialList,
  DEFAULT_ACCOUNT,
  firstOf,
  parseCredentials,
  parseRules,
} from '../../../src/s3/auth/credentials.ts';
import { createInitialCredentials } from '../../../src/s3/auth/initial-credentials.ts';

const ONE = { accessKeyId: 'KEYONE', secretAccessKey: 'secret of one' };
const TWO = { accessKeyId: 'KEYTWO', secretAccessKey: 'secret of two', name: 'two', account: 'ml' };

let folder: string;
let path: string;
let logged: { level: string; fields: object; message: string }[];
const log = {
  info: (fields: object, message: string) => void logged.push({ level: 'info', fields, message }),
  warn: (fields: object, message: string) => void logged.push({ level: 'warn', fields, message }),
  error: (fields: object, message: string) => void logged.push({ level: 'error', fields, message }),
};

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dfstore-credentials-'));
  path = join(folder, 'credentials.json');
  logged = [];
});
afterEach(() => rm(folder, { recursive: true }));

describe('a list of credentials', () => {
  test('names and accounts that are left out are the key and the one account of all', () => {
    expect(parseCredentials([ONE, TWO])).toEqual([
      { ...ONE, name: 'KEYONE', account: DEFAULT_ACCOUNT },
      { ...TWO, name: 'two', account: 'ml' },
    ]);
  });

  test.each([
    ['not a list', {}, /^credentials: /],
    ['an unknown field', [{ ...ONE, rule: [] }], /^credentials\.0: .*rule/],
    ['no secret', [{ accessKeyId: 'KEYONE' }], /^credentials\.0\.secretAccessKey: /],
    ['an access key that no header could carry', [{ ...ONE, accessKeyId: 'a, b' }], /^credentials\.0\.accessKeyId: /],
    ['an unknown action', [{ ...ONE, rules: [{ allow: ['fly'], buckets: ['*'] }] }], /rules\.0\.allow\.0: /],
    ['a key twice', [ONE, { ...TWO, accessKeyId: 'KEYONE' }], /'KEYONE' is listed twice/],
  ])('is refused with %s, told where and without the secret', (_, value, message) => {
    expect(() => parseCredentials(value)).toThrow(message);
    expect(() => parseCredentials(value)).not.toThrow(/secret of/);
  });

  test('rules are read as written', () => {
    const rules = [{ allow: ['read', 'list'], buckets: ['models/*'] }];
    expect(parseRules(rules)).toEqual(rules);
    expect(() => parseRules([{ allow: ['read'] }])).toThrow(/^rules\.0\.buckets: /);
  });

  test('the first of several stores that knows a key has the word', () => {
    const [one] = parseCredentials([ONE]);
    const [other, two] = parseCredentials([{ ...ONE, name: 'other' }, TWO]);
    const store = firstOf([
      credentialList([one as Credential]),
      credentialList([other as Credential, two as Credential]),
    ]);
    expect(store.find('KEYONE')).toBe(one);
    expect(store.find('KEYTWO')).toBe(two);
    expect(store.find('__proto__')).toBeUndefined();
  });
});

describe('a credentials file', () => {
  let file: CredentialFile | undefined;
  afterEach(() => file?.close());

  async function open(): Promise<CredentialFile> {
    file = await CredentialFile.open({ log }, { path, checkIntervalMs: 3_600_000 });
    return file;
  }

  function write(value: unknown): Promise<void> {
    return writeFile(path, typeof value === 'string' ? value : JSON.stringify(value), { mode: 0o600 });
  }

  test('is read again when it changes, in place or by being replaced', async () => {
    await write([ONE]);
    const store = await open();
    expect([store.find('KEYONE')?.name, store.find('KEYTWO')]).toEqual(['KEYONE', undefined]);

    await write([ONE, TWO]);
    await store.check();
    expect(store.find('KEYTWO')?.account).toBe('ml');

    await writeFile(join(folder, 'new'), JSON.stringify([TWO]));
    await rename(join(folder, 'new'), path);
    await store.check();
    expect(store.find('KEYONE')).toBeUndefined();
    expect(logged.map(({ level }) => level)).toEqual(['info', 'info']);
  });

  test('keeps what it had while the new content cannot be used, says so once, and takes the next that can', async () => {
    await write([ONE]);
    const store = await open();
    for (const bad of [
      '[{"accessKeyId": "KEYTWO", "secretAccessKey": "secret of tw',
      [{ accessKeyId: 'KEYTWO' }],
      '',
    ]) {
      logged = [];
      await write(bad);
      await store.check();
      await store.check();
      expect(store.find('KEYONE')?.secretAccessKey).toBe('secret of one');
      expect(logged.map(({ level }) => level)).toEqual(['error']);
      expect(JSON.stringify(logged, errorsToo)).toContain(path);
      expect(JSON.stringify(logged, errorsToo)).not.toContain('secret of');
    }
    await rm(path);
    await store.check();
    await store.check();
    expect(store.find('KEYONE')).toBeDefined();
    expect(logged).toHaveLength(2);
    await write([TWO]);
    await store.check();
    expect([store.find('KEYONE'), store.find('KEYTWO')?.name]).toEqual([undefined, 'two']);
  });

  test('is looked at in the interval asked for, until it is closed', async () => {
    await write([ONE]);
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    try {
      const store = await open();
      const check = vi.spyOn(WatchedFiles.prototype, 'check');
      await vi.advanceTimersByTimeAsync(3_600_000);
      expect(check).toHaveBeenCalledTimes(1);
      await store.close();
      await store.close();
      await vi.advanceTimersByTimeAsync(7_200_000);
      expect(check).toHaveBeenCalledTimes(1);
    } finally {
      vi.useRealTimers();
    }
  });

  test('that cannot be read when it is opened keeps the gateway from starting', async () => {
    await expect(open()).rejects.toThrow(/ENOENT/);
    await write('[');
    await expect(open()).rejects.toThrow(`The credentials file ${path} cannot be used: it is not valid JSON`);
  });

  test('that others can read is warned of', async () => {
    await write([ONE]);
    await chmod(path, 0o640);
    await open();
    expect(logged).toEqual([expect.objectContaining({ level: 'warn', fields: { path, mode: '640' } })]);
  });

  function errorsToo(_: string, value: unknown): unknown {
    return value instanceof Error ? value.message : value;
  }
});

describe('the first start', () => {
  test('makes a random pair, readable by its user only, and later starts read it back', async () => {
    const first = await createInitialCredentials(path, { log });
    expect(first.created).toBe(true);
    expect(first.credentials).toEqual([
      {
        name: 'initial',
        account: DEFAULT_ACCOUNT,
        accessKeyId: expect.stringMatching(/^DF[A-Z2-7]{18}$/),
        secretAccessKey: expect.stringMatching(/^[\w-]{40}$/),
      },
    ]);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await createInitialCredentials(path, { log })).toEqual({ ...first, created: false });
    expect(await readdir(folder)).toEqual(['credentials.json']);
    expect(logged).toEqual([]);
  });

  test('makes another pair each time, so that none is known beforehand', async () => {
    const paths = Array.from({ length: 20 }, (_, index) => join(folder, `${index}.json`));
    const pairs = await Promise.all(paths.map((each) => createInitialCredentials(each, { log })));
    expect(new Set(pairs.map(({ credentials }) => credentials[0]?.secretAccessKey)).size).toBe(20);
    expect(new Set(pairs.map(({ credentials }) => credentials[0]?.accessKeyId)).size).toBe(20);
  });

  test('a pair that cannot be used is not replaced behind the backs of those who know it', async () => {
    await writeFile(path, 'half a fi', { mode: 0o600 });
    await expect(createInitialCredentials(path, { log })).rejects.toThrow(/cannot be used/);
    expect(await readFile(path, 'utf8')).toBe('half a fi');
  });

  test('a pair that others can read is warned of and used', async () => {
    await createInitialCredentials(path, { log });
    await chmod(path, 0o644);
    expect((await createInitialCredentials(path, { log })).created).toBe(false);
    expect(logged).toMatchObject([{ level: 'warn', message: expect.stringContaining('chmod 600') }]);
  });
});
