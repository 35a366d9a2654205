// One folder for what the tests leave behind, processes that were killed included; it goes when all of them have ended.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

let root: string | undefined;

export async function setup(): Promise<void> {
  root = await mkdtemp(join(tmpdir(), 'dfstore-tests-'));
  process.env.TMPDIR = root;
}

export async function teardown(): Promise<void> {
  if (root === undefined) return;
  try {
    await rm(root, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  } catch (error) {
    // A folder that stays fails nothing.
    console.warn(`The tests leave ${root} behind:`, error);
  }
}
