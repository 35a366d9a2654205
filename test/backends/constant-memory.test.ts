// The bench of the backends as a test: each transfer is larger than what its process may grow by.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const BENCH = fileURLToPath(new URL('../../bench/backends/run.ts', import.meta.url));
const TRANSFERS = ['s3 put', 'oss put', 'obs put', 'fs put', 's3 get', 'oss get', 'obs get', 'http get', 'fs get'];

test('256 MiB pass through each backend in either direction, and no process grows by 150 MiB', async () => {
  const bench = spawn(process.execPath, ['--import', 'tsx', BENCH, '--size', '256MiB']);
  const [told, complained, [code]] = await Promise.all([text(bench.stdout), text(bench.stderr), once(bench, 'exit')]);
  expect({ code, complained: code === 0 ? '' : complained, told }).toMatchObject({ code: 0, complained: '' });
  for (const transfer of TRANSFERS) expect(told).toContain(`| ${transfer} |`);
}, 180_000);
