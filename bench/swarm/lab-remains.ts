// What a lab leaves in the system, found by its name and taken away: at the end of a run, and for a run that was killed.
import { readFileSync } from 'node:fs';
import { readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { cgroupRoot } from './processor-use.ts';
import { tool } from './system-tools.ts';

const NAME = /^dfswarm(\d+)-/;
const SCRATCH = '/dev/shm';
const ATTEMPTS = 100;

/** Begins the name of everything that this process makes. */
export const LAB_ID = `dfswarm${process.pid}`;

export function scratchFolder(id: string): string {
  return join(SCRATCH, id);
}

async function pidsIn(namespace: string): Promise<readonly number[]> {
  const text = await tool('ip', ['netns', 'pids', namespace]);
  return text.split('\n').filter(Boolean).map(Number);
}

/** To all processes of a namespace, forked ones included. */
export async function signalAll(namespace: string, signal: NodeJS.Signals): Promise<void> {
  for (const pid of await pidsIn(namespace)) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

/** Labs whose process is gone. Answers their names. */
export async function removeDeadLabs(): Promise<readonly string[]> {
  const found = (await namespaces()).map((name) => Number(NAME.exec(name)?.[1])).filter(Number.isInteger);
  const dead = [...new Set(found)].filter((pid) => !isLab(pid)).map((pid) => `dfswarm${pid}`);
  for (const id of dead) await removeLab(id);
  return dead;
}

export async function removeLab(id: string): Promise<void> {
  const mine = (await namespaces()).filter((name) => name.startsWith(`${id}-`));
  await killAll(mine);
  for (const name of mine) await tool('ip', ['netns', 'del', name]);
  await rm(scratchFolder(id), { recursive: true, force: true });
  await removeCgroups(id);
}

async function namespaces(): Promise<readonly string[]> {
  const text = await tool('ip', ['netns', 'list']);
  return text.split('\n').flatMap((line) => line.split(' ')[0] || []);
}

/** A pid that now belongs to another program is no lab. */
function isLab(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('swarm');
  } catch {
    return false;
  }
}

/** Again and again, for what was forked meanwhile and for what takes its time to go. */
async function killAll(names: readonly string[]): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    for (const name of names) await signalAll(name, 'SIGKILL');
    const left = await Promise.all(names.map(pidsIn));
    if (left.every((pids) => pids.length === 0)) return;
    await pause(20);
  }
  throw new Error(`Processes in ${names.join(', ')} do not end although they were killed.`);
}

async function removeCgroups(id: string): Promise<void> {
  const root = cgroupRoot();
  if (root === undefined) return;
  const group = join(root, id);
  const children = await readdir(group, { withFileTypes: true }).catch(() => undefined);
  if (children === undefined) return;
  for (const child of children.filter((entry) => entry.isDirectory())) await removeCgroup(join(group, child.name));
  await removeCgroup(group);
}

/** Busy until the kernel has done with the last process in it. */
async function removeCgroup(path: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await rmdir(path);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EBUSY' || attempt === ATTEMPTS) throw error;
      await pause(20);
    }
  }
}
