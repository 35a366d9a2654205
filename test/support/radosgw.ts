// Debian's radosgw as a real S3 server to test against; radosgw.sh beside this file says how it is put together.
import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort } from './free-port.ts';

const SCRIPT = fileURLToPath(new URL('radosgw.sh', import.meta.url));
const NEEDED = ['radosgw', 'radosgw-admin', 'ceph-mon', 'ceph-osd', 'ceph', 'monmaptool', 'curl'];

export interface RunningServer {
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  close(): Promise<void>;
}

export function hasRadosgw(): boolean {
  return NEEDED.every(isOnPath);
}

/** Takes about 20 s. */
export async function startRadosgw(): Promise<RunningServer> {
  const directory = await mkdtemp(join(tmpdir(), 'dfstore-radosgw-'));
  const [s3Port, monitorPort] = [await freePort(), await freePort()];
  const [accessKeyId, secretAccessKey] = ['AKIDRADOSGW', 'a-secret-for-one-test-run'];
  const close = async () => {
    await endDaemons(directory);
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await promisify(execFile)('bash', [
      SCRIPT,
      directory,
      String(s3Port),
      String(monitorPort),
      accessKeyId,
      secretAccessKey,
    ]);
  } catch (error) {
    await close();
    throw error;
  }
  return { endpoint: `http://127.0.0.1:${s3Port}`, accessKeyId, secretAccessKey, close };
}

async function endDaemons(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (!name.endsWith('.pid')) continue;
    const pid = Number(await readFile(join(directory, name), 'utf8'));
    if (Number.isInteger(pid) && pid > 1) end(pid);
  }
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

function isOnPath(command: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
