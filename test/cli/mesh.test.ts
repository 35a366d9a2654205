// dfstore status, where and preheat, as operators use them: the built command line against gateways of one mesh.
import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { BuiltCli } from '../support/built-cli.ts';
import { MemoryBackend } from '../support/memory-backend.ts';
import { askAdmin, BUCKET, MeshedGateways } from '../support/meshed-gateways.ts';

const SIZE = 2.5 * 1024 * 1024;

async function run(args: readonly string[]) {
  const cli = await BuiltCli.start(args);
  return { code: await cli.ended, stdout: cli.stdout, stderr: cli.stderr };
}

test('preheat --wait says what it does, where shows who holds what, status shows the mesh', {
  timeout: 60_000,
}, async () => {
  await using mesh = await MeshedGateways.start([{ zone: 'a' }, { role: 'seed', zone: 'b' }]);
  for (const key of ['prod/one', 'prod/two']) await mesh.put(key, randomBytes(SIZE));
  const { adminUrl } = mesh.gateway(0);
  const preheat = await run(['preheat', `s3://${BUCKET}/prod/`, '--wait', '--admin', adminUrl]);
  expect(preheat.stderr).toBe(`Preheating ${mesh.ids[1]} (seed).\n`);
  expect(preheat.stdout).toMatch(/^Preheated 2 objects at 1 gateway: 2 of 2 read \(5\.0 MiB\), in .* s\.\n$/);
  expect(preheat.code).toBe(0);

  const where = () => run(['where', `s3://${BUCKET}/prod/one`, '--admin', adminUrl]);
  await expect.poll(async () => (await where()).stdout, { timeout: 10_000 }).toContain('3 of 3');
  const { stdout, code } = await where();
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /^"prod\/one" of bucket models: 2\.5 MiB, 3 pieces of up to 1\.0 MiB, version "[0-9a-f]{32}"$/m,
  );
  expect(stdout).toMatch(/^its name is answered for by 127\.0\.0\.1:\d+ and 127\.0\.0\.1:\d+$/m);
  expect(stdout).toMatch(/^member +zone +holds +arriving$/m);
  expect(stdout.trimEnd().split('\n').at(-1)).toMatch(new RegExp(`^${mesh.ids[1]} +b +3 of 3 +0$`));

  const status = await run(['status', '--admin', adminUrl]);
  expect(status.code).toBe(0);
  expect(status.stdout).toMatch(
    new RegExp(`^mesh +${mesh.ids[0]}, tracker, zone a; 2 trackers on the list \\S+$`, 'm'),
  );
  expect(status.stdout).toMatch(/^preheat +done: 2 objects at 1 gateway: 2 of 2 read \(5\.0 MiB\)$/m);
  expect(status.stdout).toMatch(new RegExp(`^${mesh.ids[0]} \\* +tracker +a +0 bytes +0 +.* answers$`, 'm'));
  expect(status.stdout).toMatch(new RegExp(`^${mesh.ids[1]} +seed +b +5\\.\\d MiB +6 +.* answers$`, 'm'));
  await mesh.gateway(1).close();
  expect((await run(['status', '--admin', adminUrl])).stdout).toMatch(new RegExp(`^${mesh.ids[1]} .* silent: `, 'm'));
});

test('a preheat that is stopped on the way begins with no further object, here or elsewhere', async () => {
  const origin = new MemoryBackend();
  await using mesh = await MeshedGateways.start([{}, {}], { origin, config: { admin: { preheatReads: 1 } } });
  for (const key of ['one', 'two', 'three']) await mesh.put(key, randomBytes(SIZE));
  const { adminUrl } = mesh.gateway(0);
  const read = origin.read.bind(origin);
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const asked = new Set<string>();
  origin.read = async (ref, options, signal) => {
    asked.add(ref.key);
    await gate;
    return read(ref, options, signal);
  };
  const cli = await BuiltCli.start(['preheat', `s3://${BUCKET}/`, '--all', '--wait', '--admin', adminUrl]);
  await expect.poll(() => asked.size, { timeout: 10_000 }).toBeGreaterThan(0);
  cli.process.kill('SIGINT');
  expect(await cli.ended).toBe('SIGINT');
  await expect
    .poll(async () => (await askAdmin(adminUrl, '/status')).body.preheat)
    .toEqual({ type: 'failed', error: 'It was stopped.' });
  open();
  // Long enough to begin with another one.
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(asked.size).toBe(1);
});

test('without --wait it says that it has begun; --json tells a document a line', async () => {
  await using mesh = await MeshedGateways.start([{}, {}]);
  await mesh.put('k', randomBytes(SIZE));
  const { adminUrl } = mesh.gateway(0);
  const begun = await run(['preheat', `s3://${BUCKET}/k`, '--to', '2', '--admin', adminUrl]);
  expect(begun.stdout).toMatch(/^Preheating 127\S+, 127\S+; `dfstore status` shows how it goes/);
  expect(begun.code).toBe(0);
  await expect.poll(async () => (await askAdmin(adminUrl, '/status')).body.preheat).toMatchObject({ type: 'summary' });
  const { stdout } = await run(['preheat', `s3://${BUCKET}/k`, '--all', '--wait', '--json', '--admin', adminUrl]);
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines[0]).toMatchObject({ type: 'begun' });
  expect(lines.at(-1)).toMatchObject({ type: 'summary', gateways: 2, warmed: 2 });
});

describe('what stands in the way is said in a sentence', () => {
  test('nothing is there', async () => {
    await using mesh = await MeshedGateways.start([{}]);
    const { adminUrl } = mesh.gateway(0);
    expect(await run(['where', `s3://${BUCKET}/none`, '--admin', adminUrl])).toEqual({
      code: 1,
      stdout: '',
      stderr: `There is no object 'none' in bucket '${BUCKET}'.\n`,
    });
    const preheat = await run(['preheat', `s3://${BUCKET}/none`, '--wait', '--admin', adminUrl]);
    expect(preheat.code).toBe(1);
    expect(preheat.stderr).toContain(
      `It was not preheated to the end: There is no object under 'none' in bucket '${BUCKET}'.\n`,
    );
    const zone = await run(['preheat', `s3://${BUCKET}/`, '--zone', 'c', '--admin', adminUrl]);
    expect(zone).toMatchObject({ code: 1, stderr: expect.stringContaining("No gateway in zone 'c' answers") });
  });

  test.each([
    [['where', 'models/key'], "'models/key' names no object; write it like s3://bucket/key."],
    [['where', 's3://models/'], "'s3://models/' names no object"],
    [['preheat', 's3:///key'], "'s3:///key' names no object"],
    [['preheat', 's3://models/', '--to', '0'], "--to: '0' is not a number of gateways."],
    [['preheat', 's3://models/', '--all', '--zone', 'a'], '--all excludes --to and --zone.'],
  ])('%j ends with 2', async (args, message) => {
    const { code, stderr } = await run([...args, '--admin', '127.0.0.1:1']);
    expect(stderr).toContain(message);
    expect(code).toBe(2);
  });
});
