// The Dockerfile without a container engine: a linter reads it, what it copies is there and is enough to build and to
// run, and what it says of the gateway is what the gateway does.
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Copy, DockerfileParser, type From, type JSONInstruction } from 'dockerfile-ast';
import { validate } from 'dockerfile-utils';
import { expect, onTestFinished, test } from 'vitest';
import { loadConfig } from '../../src/config/load-config.ts';
import { formatAddress } from '../../src/config/units.ts';
import { ROOT } from './compose-file.ts';

const TEXT = readFileSync(join(ROOT, 'Dockerfile'), 'utf8');
const instructions = DockerfileParser.parse(TEXT).getInstructions();
const stages = instructions.filter((each): each is From => each.getKeyword() === 'FROM');
const BUILD_LIMIT_MS = 120_000;

/** What goes from the checkout into an image, and where to. */
const copies = instructions
  .filter((each): each is Copy => each.getKeyword() === 'COPY')
  .filter((each) => each.getFlags().every((flag) => flag.getName() !== 'from'))
  .map((each) => each.getArguments().map((argument) => argument.getValue()))
  .map((paths) => ({ sources: paths.slice(0, -1), target: paths.at(-1) ?? '' }));

test('the Dockerfile has nothing that the linter finds fault with', () => {
  expect(validate(TEXT).map(({ message, range }) => `${range.start.line + 1}: ${message}`)).toEqual([]);
});

test('all stages start from the same version of Node.js, one that the package accepts', () => {
  const [image, ...others] = new Set(stages.map((stage) => stage.getImage()));
  expect(others).toEqual([]);
  const { engines } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const [, oldest] = /^>=(\d+)/.exec(engines.node) ?? [];
  const [, major] = /^node:(\d+)-[\w-]+$/.exec(image ?? '') ?? [];
  expect(Number(major)).toBeGreaterThanOrEqual(Number(oldest));
});

test('the gateway does not run as root, and what it keeps is in the volume that belongs to it', () => {
  expect(argumentsOf('USER')).toEqual([['node']]);
  const { data } = loadConfig({ file: join(ROOT, 'deploy/image/dfstore.yaml'), env: {} }).config;
  expect(argumentsOf('VOLUME')).toEqual([[data]]);
  expect(TEXT).toContain(`--owner=node --group=node ${data}`);
});

test('ports, health and the start are those of the gateway', () => {
  const { admin, listen } = loadConfig({ file: join(ROOT, 'deploy/image/dfstore.yaml'), env: {} }).config;
  expect(argumentsOf('EXPOSE')).toEqual([[`${listen.port}`, `${admin.listen.port}`, '9002']]);
  expect(TEXT).toContain(`fetch('http://${formatAddress(admin.listen)}/healthz')`);
  const { bin } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  expect(TEXT).toContain(`ln -s /opt/dfstore/${bin.dfstore} /usr/local/bin/dfstore`);
  expect(stringsOf('ENTRYPOINT')).toEqual(['dfstore']);
  expect(stringsOf('CMD')).toEqual(['serve']);
});

test('only what is copied is sent to the builder, and it is there', () => {
  const sources = copies.flatMap(({ sources }) => sources);
  for (const source of sources) expect(existsSync(join(ROOT, source)), source).toBe(true);
  const [first, ...allowed] = readFileSync(join(ROOT, '.dockerignore'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  expect(first).toBe('*');
  expect(new Set(allowed.map((line) => line.slice(1)))).toEqual(new Set(sources.map((source) => topOf(source))));
});

test('what the Dockerfile copies is enough to build and to run', { timeout: BUILD_LIMIT_MS }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'dfstore-image-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const source of copies.flatMap(({ sources }) => sources)) {
    cpSync(join(ROOT, source), join(folder, source), { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const run = promisify(execFile);
  await run('npm', ['run', 'build'], { cwd: folder });
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const { stdout } = await run(process.execPath, ['dist/src/cli/main.js', '--version'], { cwd: folder });
  expect(stdout.trim()).toBe(version);
});

/** deploy/image/dfstore.yaml → deploy/image; others stand for themselves. */
function topOf(source: string): string {
  return source.startsWith('deploy/') ? 'deploy/image' : source;
}

function argumentsOf(keyword: string): readonly (readonly string[])[] {
  return instructions
    .filter((each) => each.getKeyword() === keyword)
    .map((each) => each.getArguments().map((argument) => argument.getValue()));
}

/** Of the last one, written as JSON. */
function stringsOf(keyword: string): readonly string[] {
  const last = instructions.findLast((each) => each.getKeyword() === keyword) as JSONInstruction | undefined;
  return last?.getJSONStrings().map((argument) => argument.getJSONValue()) ?? [];
}
