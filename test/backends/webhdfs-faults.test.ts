// What the webhdfs backend makes of namenodes that hand over, datanodes it does not know, and files that change.
import { buffer } from 'node:stream/consumers';
import { afterEach, describe, expect, test } from 'vitest';
import type { Backend, BackendErrorCode, ReadOptions } from '../../backends/backend.ts';
import { openWebHdfsBackend, type WebHdfsBackendOptions } from '../../backends/webhdfs.ts';
import { WebHdfsServer } from '../support/webhdfs-server.ts';

const BYTES = Buffer.from('0123456789abcdefghijklmnopqrstuvwxyz');
const IDLE_MS = 300;
const ref = { bucket: 'b', key: 'dir/file' };
const never = new AbortController().signal;
const opened: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});

async function world(
  options: Partial<WebHdfsBackendOptions> = {},
  server: { namenodes?: number; batch?: number } = {},
): Promise<{ hdfs: WebHdfsServer; backend: Backend }> {
  const hdfs = await WebHdfsServer.start(server);
  hdfs.write('/dir/file', BYTES);
  const limits = { idleTimeoutMs: IDLE_MS, namenodeTimeoutMs: IDLE_MS };
  const backend = await openWebHdfsBackend({ namenodes: hdfs.namenodes, user: 'reader', ...limits, ...options });
  opened.push(hdfs, backend);
  return { hdfs, backend };
}

async function textOf(backend: Backend, options: ReadOptions = {}): Promise<string> {
  return (await buffer((await backend.read(ref, options, never)).body)).toString();
}

async function refused(promise: Promise<unknown>, code: BackendErrorCode): Promise<void> {
  await expect(promise).rejects.toMatchObject({ name: 'BackendError', code });
}

function askedOf(hdfs: WebHdfsServer, server: string): string[] {
  return hdfs.requests
    .filter((request) => request.server === server)
    .map(({ url }) => url.searchParams.get('op') ?? '');
}

describe('namenodes', () => {
  test('a standby namenode hands over to the active one, which is remembered', async () => {
    const { hdfs, backend } = await world({}, { namenodes: 3 });
    hdfs.active = 2;
    expect(await textOf(backend)).toBe(BYTES.toString());
    expect([askedOf(hdfs, 'namenode 0').length, askedOf(hdfs, 'namenode 1').length]).toEqual([1, 1]);
    hdfs.active = 0;
    expect(await textOf(backend)).toBe(BYTES.toString());
    expect(askedOf(hdfs, 'namenode 1')).toHaveLength(1);
  });

  test.each(['stall', 'cut'] as const)(
    'a namenode that answers with a %s hands over within its limit',
    async (fault) => {
      const { hdfs, backend } = await world({}, { namenodes: 2 });
      hdfs.active = 1;
      hdfs.faults.namenode = (index) => (index === 0 ? fault : undefined);
      const began = performance.now();
      expect(await textOf(backend)).toBe(BYTES.toString());
      expect(performance.now() - began).toBeLessThan(IDLE_MS * 6);
    },
  );

  test('what the active namenode refuses is not asked of another', async () => {
    const { hdfs, backend } = await world({}, { namenodes: 2 });
    await refused(backend.head({ bucket: 'b', key: 'absent' }, {}, never), 'NoSuchKey');
    expect(askedOf(hdfs, 'namenode 1')).toEqual([]);
  });

  test('without an active namenode reads are Unavailable, and the sentence says why', async () => {
    const { hdfs, backend } = await world({}, { namenodes: 2 });
    hdfs.active = -1;
    await refused(textOf(backend), 'Unavailable');
    await expect(backend.check(never)).rejects.toThrow('No namenode answers as the active one');
  });

  test('a delegation token goes in place of the user, and in no message', async () => {
    const token = 'HAAEaGRmcwRoZGZz';
    const { hdfs, backend } = await world({ delegationToken: token });
    expect(await textOf(backend)).toBe(BYTES.toString());
    const [first] = hdfs.requests;
    expect(first?.url.searchParams.get('delegation')).toBe(token);
    expect(first?.url.searchParams.has('user.name')).toBe(false);
    hdfs.faults.namenode = () => ({ status: 401, exception: 'SecurityException', message: 'token expired' });
    const failed = backend.check(never);
    await refused(failed, 'Misconfigured');
    await expect(failed).rejects.not.toThrow(token);
  });

  test.each<[number, string, BackendErrorCode]>([
    [403, 'AccessControlException', 'AccessDenied'],
    [401, 'SecurityException', 'Misconfigured'],
    [403, 'RetriableException', 'SlowDown'],
    [400, 'IllegalArgumentException', 'InvalidArgument'],
    [400, 'UnsupportedOperationException', 'NotSupported'],
    [404, 'FileNotFoundException', 'NoSuchKey'],
    [500, 'RuntimeException', 'Internal'],
    [403, 'IOException', 'Internal'],
  ])('HTTP %i with %s is %s', async (status, exception, code) => {
    const { hdfs, backend } = await world();
    hdfs.faults.namenode = () => ({ status, exception, message: 'no' });
    await refused(backend.head(ref, {}, never), code);
    await expect(backend.head(ref, {}, never)).rejects.toMatchObject({ nativeCode: exception });
  });
});

describe('datanodes', () => {
  test('a host that is not configured is never asked, and the sentence names it and the setting', async () => {
    const { hdfs, backend } = await world();
    hdfs.faults.location = hdfs.datanode.replace('127.0.0.1', 'localhost');
    const read = backend.read(ref, {}, never);
    await refused(read, 'Misconfigured');
    await expect(read).rejects.toThrow(/localhost:\d+.*'datanodes'/);
    expect(askedOf(hdfs, 'datanode')).toEqual([]);
  });

  test.each([
    ['localhost', true],
    ['local*', true],
    ['LOCALHOST', true],
    ['localhost:1', false],
    ['*.localhost', false],
    ['127.0.0.0/8', false],
  ])('the pattern %s allows localhost: %s', async (pattern, isAllowed) => {
    const { hdfs, backend } = await world({ datanodes: [pattern] });
    hdfs.faults.location = hdfs.datanode.replace('127.0.0.1', 'localhost');
    if (isAllowed) expect(await textOf(backend)).toBe(BYTES.toString());
    else await refused(backend.read(ref, {}, never), 'Misconfigured');
  });

  test('a CIDR allows addresses within it and no others', async () => {
    const inside = await world({ datanodes: ['127.0.0.0/8'] });
    expect(await textOf(inside.backend)).toBe(BYTES.toString());
    const outside = await world({ datanodes: ['10.0.0.0/8'] });
    await refused(outside.backend.read(ref, {}, never), 'Misconfigured');
  });

  test.each(['ftp://127.0.0.1', 'http://user:secret@127.0.0.1', 'file://127.0.0.1'])(
    'a Location such as %s is not followed',
    async (location) => {
      const { hdfs, backend } = await world();
      hdfs.faults.location = location;
      await refused(backend.read(ref, {}, never), 'Misconfigured');
    },
  );

  test.each(['10.0.0.0/33', 'host/8', '', 'a:b:c'])('the pattern %j is refused when it is opened', async (pattern) => {
    const options = { namenodes: ['http://127.0.0.1:1'], datanodes: [pattern] };
    await refused(openWebHdfsBackend(options), 'Misconfigured');
  });

  test('namenodes that redirect in place of telling, and gateways that send bytes themselves, are read too', async () => {
    const { hdfs, backend } = await world();
    hdfs.faults = { ignoresNoredirect: true };
    expect(await textOf(backend, { range: { start: 10, end: 13 } })).toBe('abc');
    hdfs.faults = { servesBytesItself: true };
    expect(await textOf(backend, { range: { start: 10, end: 13 } })).toBe('abc');
  });

  test('a datanode that does not answer is left out of the second question', async () => {
    const { hdfs, backend } = await world();
    hdfs.faults.datanode = () => 'cut';
    await refused(backend.read(ref, {}, never), 'Unavailable');
    const excluded = hdfs.requests.map(({ url }) => url.searchParams.get('excludedatanodes'));
    expect(excluded).toContain(new URL(hdfs.datanode).host);
  });

  test('a datanode that stalls or cuts in the middle of the bytes ends them with an error', async () => {
    const { hdfs, backend } = await world();
    hdfs.faults.datanode = () => 'stall-in-body';
    const began = performance.now();
    await refused(textOf(backend), 'Timeout');
    expect(performance.now() - began).toBeLessThan(IDLE_MS * 6);
    hdfs.faults.datanode = () => 'cut-in-body';
    await refused(textOf(backend), 'Unavailable');
  });
});

describe('files that change', () => {
  test('one replaced between its status and its opening is read anew, as one version', async () => {
    const { hdfs, backend } = await world();
    let replacements = 1;
    hdfs.faults.opened = () => {
      if (replacements === 0) return;
      replacements -= 1;
      hdfs.write('/dir/file', Buffer.from('the newer file'));
    };
    const read = await backend.read(ref, {}, never);
    expect((await buffer(read.body)).toString()).toBe('the newer file');
    expect(read.info.sizeBytes).toBe(14);
  });

  test('a fill with If-Match takes no byte of the file that replaced it', async () => {
    const { hdfs, backend } = await world();
    const { info } = await backend.head(ref, {}, never);
    hdfs.faults.opened = () => hdfs.write('/dir/file', Buffer.from(BYTES));
    const fill = backend.read(ref, { conditions: { ifMatch: [info.etag] }, range: { start: 0, end: 5 } }, never);
    await refused(fill, 'PreconditionFailed');
  });

  test('one replaced at every opening is Unavailable rather than mixed', async () => {
    const { hdfs, backend } = await world();
    hdfs.faults.opened = () => hdfs.write('/dir/file', Buffer.from(BYTES));
    await refused(backend.read(ref, {}, never), 'Unavailable');
  });
});

describe('names', () => {
  test('what no file in HDFS can be called is not there, and dot segments are refused', async () => {
    const { hdfs, backend } = await world();
    for (const key of ['a:b', 'a//b', '/a', 'dir/', 'a\0b', '.reserved/raw/x', 'dir/file/below', 'dir']) {
      await refused(backend.head({ bucket: 'b', key }, {}, never), 'NoSuchKey');
    }
    const asked = hdfs.requests.length;
    for (const key of ['..', 'a/../b', './a', '\ud800']) {
      await refused(backend.head({ bucket: 'b', key }, {}, never), 'InvalidArgument');
    }
    expect(hdfs.requests).toHaveLength(asked);
  });

  test('nothing outside the root is seen', async () => {
    const { hdfs, backend } = await world({ root: '/dir/' });
    hdfs.write('/other', Buffer.from('secret'));
    expect((await backend.head({ bucket: 'b', key: 'file' }, {}, never)).info.sizeBytes).toBe(BYTES.length);
    await refused(backend.head({ bucket: 'b', key: '../other' }, {}, never), 'InvalidArgument');
    const { objects } = await backend.list('b', { prefix: '', maxEntries: 10 }, never);
    expect(objects.map(({ key }) => key)).toEqual(['file']);
    expect((await backend.list('b', { prefix: '../', maxEntries: 10 }, never)).objects).toEqual([]);
  });

  test('a root that is not there is no bucket', async () => {
    const { backend } = await world({ root: '/absent' });
    expect(await backend.headBucket('b', never)).toBeUndefined();
    await refused(backend.list('b', { maxEntries: 10 }, never), 'NoSuchBucket');
  });

  test('a token of another listing, or made up to leave the prefix, leads nowhere', async () => {
    const { hdfs, backend } = await world();
    hdfs.write('/dir/file2', BYTES);
    hdfs.write('/secret/x', BYTES);
    const { nextToken } = await backend.list('b', { prefix: 'dir/', maxEntries: 1 }, never);
    await refused(backend.list('b', { prefix: 'secret/', token: nextToken, maxEntries: 1 }, never), 'InvalidArgument');
    const place = { after: '', held: ['../secret'] };
    const forged = { version: 1, prefix: 'dir/', delimiter: '', places: [{ name: '', ...place }] };
    const token = Buffer.from(JSON.stringify(forged)).toString('base64url');
    await refused(backend.list('b', { prefix: 'dir/', token, maxEntries: 5 }, never), 'InvalidArgument');
  });
});

describe('listings', () => {
  test('a page reads no more of a large directory than it needs, and goes on where it stopped', async () => {
    const { hdfs, backend } = await world({}, { batch: 100 });
    for (let index = 0; index < 1_000; index += 1) hdfs.write(`/big/${String(index).padStart(4, '0')}`, BYTES);
    const keys: string[] = [];
    let token: string | undefined;
    do {
      const before = hdfs.requests.length;
      const page = await backend.list('b', { prefix: 'big/', token, maxEntries: 100 }, never);
      expect(hdfs.requests.length - before).toBeLessThanOrEqual(2);
      keys.push(...page.objects.map(({ key }) => key));
      token = page.nextToken;
    } while (token !== undefined);
    expect(keys).toHaveLength(1_000);
    expect(keys).toEqual(keys.toSorted());
  });

  test('names with percent signs are neither lost nor repeated where pages of the namenode end at them', async () => {
    const { hdfs, backend } = await world({}, { batch: 3 });
    const names = ['a%2Fb', 'a*b', 'a+b', 'a,b', 'per%cent', 'q%41', 'qA', 'qB', 'r'];
    for (const name of names) hdfs.write(`/odd/${name}`, BYTES);
    const { objects } = await backend.list('b', { prefix: 'odd/', maxEntries: 100 }, never);
    expect(objects.map(({ key }) => key)).toEqual(names.map((name) => `odd/${name}`));
  });

  test('a directory that HDFS gives no way through is refused rather than listed in part', async () => {
    const { hdfs, backend } = await world({}, { batch: 3 });
    for (const name of ['a%1', 'a%2', 'a%3', 'a%4', 'b']) hdfs.write(`/odd/${name}`, BYTES);
    await refused(backend.list('b', { prefix: 'odd/', maxEntries: 100 }, never), 'NotSupported');
  });

  test('an empty directory is no common prefix', async () => {
    const { hdfs, backend } = await world();
    hdfs.makeDirectory('/empty');
    expect((await backend.list('b', { delimiter: '/', maxEntries: 10 }, never)).prefixes).toEqual(['dir/']);
  });
});
