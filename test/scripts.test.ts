// The command lines of the scripts that package.json names.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const { scripts } = JSON.parse(readFileSync(`${ROOT}/package.json`, 'utf8')) as { scripts: Record<string, string> };
const files = Object.entries(scripts).flatMap(([name, line]) => {
  const file = /\btsx (\S+\.ts)$/.exec(line)?.[1];
  return file === undefined ? [] : [{ name, file }];
});

test.concurrent.each(files)('npm run $name says what it takes, and runs nothing then', async ({ name, file }) => {
  const { exitCode, stdout, stderr } = await run(file, '--help');
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(stdout).toContain(`Usage: npm run ${name} -- [`);
});

test.concurrent.each(['bench/mesh/tracker.ts', 'bench/mesh/thin-streams.ts', 'bench/pieces/recovery.ts'])(
  '%s, which has no name there, does so too',
  async (file) => {
    const { exitCode, stdout, stderr } = await run(file, '--help');
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toContain(`Usage: npx tsx ${file} [`);
  },
);

test.concurrent.each([
  [['--nope'], "error: unknown option '--nope'\n"],
  [
    ['--kills', 'many'],
    "error: option '--kills <number>' argument 'many' is invalid. It takes a whole number above 0.\n",
  ],
])('what a script cannot understand is told in a line: %s', async (args, told) => {
  const { exitCode, stderr } = await run('test/kill/run.ts', ...args);
  expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: told });
});

function run(...args: readonly string[]) {
  return new Promise<{ exitCode: number | null; stdout: string; stderr: string }>((resolve) => {
    const child = execFile(process.execPath, ['--import', 'tsx', ...args], { cwd: ROOT }, (_error, stdout, stderr) =>
      resolve({ exitCode: child.exitCode, stdout, stderr }),
    );
  });
}
