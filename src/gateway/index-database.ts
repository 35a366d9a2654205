// Opens the gateway's LevelDB. It holds nothing that cannot be had again: one that cannot be read is put aside for a
// new one, and the cache begins anew.
import { mkdir, rename } from 'node:fs/promises';
import { Level } from 'level';
import type { Logger } from 'pino';

/** Rejects when another process has it open, or when not even a new one can be made. */
export async function openIndex(path: string, log: Pick<Logger, 'warn'>): Promise<Level> {
  await mkdir(path, { recursive: true });
  try {
    return await openLevel(path);
  } catch (error) {
    if (causeCode(error) === 'LEVEL_LOCKED') {
      throw new Error(`Another gateway uses ${path}; give each its own data directory.`, { cause: error });
    }
    const aside = `${path}.unreadable-${Date.now()}`;
    log.warn({ err: error, path, aside }, 'The index cannot be read and was put aside; the cache begins anew.');
    await rename(path, aside);
    await mkdir(path, { recursive: true });
    return openLevel(path);
  }
}

async function openLevel(path: string): Promise<Level> {
  const level = new Level(path);
  await level.open();
  return level;
}

function causeCode(error: unknown): unknown {
  const cause = error instanceof Error ? error.cause : undefined;
  return typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : undefined;
}
