// Programs of the system that the lab is built with, each called once and waited for.
import { execFile, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** What it printed. Rejects with what it said when it fails. */
export async function tool(command: string, args: readonly string[], input?: string): Promise<string> {
  const running = execute(command, [...args], { maxBuffer: 64 * 1024 ** 2 });
  running.child.stdin?.end(input);
  return (await running).stdout;
}

/** Many commands of `ip` at once, in one namespace. */
export async function ipBatch(namespace: string, lines: readonly string[]): Promise<void> {
  await tool('ip', ['-n', namespace, '-batch', '-'], `${lines.join('\n')}\n`);
}

const NEEDED = {
  ip: 'apt install iproute2',
  tc: 'apt install iproute2',
  nsenter: 'apt install util-linux',
  setpriv: 'apt install util-linux',
  nice: 'apt install coreutils',
  bash: 'apt install bash',
  curl: 'apt install curl',
  openssl: 'apt install openssl',
  nginx: 'apt install nginx-light',
} as const;

/** Why the lab cannot be built here, in a sentence; absent where it can. */
export function whyNoLab(): string | undefined {
  if (process.platform !== 'linux') return 'The lab is made of Linux network namespaces: run it on Linux.';
  if (process.getuid?.() !== 0) return 'Network namespaces and traffic shaping need root: run it with sudo.';
  const missing = Object.entries(NEEDED).filter(([name]) => !isInstalled(name));
  if (missing.length > 0) {
    const names = missing.map(([name, install]) => `${name} (${install})`);
    return `The lab needs programs that are not installed: ${names.join(', ')}.`;
  }
  if (!worksApart('true')) return 'This root may not make network namespaces (a container without CAP_SYS_ADMIN?).';
  if (!worksApart('tc qdisc add dev lo root tbf rate 1mbit burst 32kb limit 64kb')) {
    return 'This kernel does not shape traffic: tc has no tbf here (module sch_tbf).';
  }
  return undefined;
}

function isInstalled(name: string): boolean {
  const folders = (process.env.PATH ?? '').split(':').concat('/usr/sbin', '/sbin');
  return folders.some((folder) => folder !== '' && existsSync(`${folder}/${name}`));
}

/** In a network namespace of its own. */
function worksApart(command: string): boolean {
  return spawnSync('unshare', ['--net', 'sh', '-c', command]).status === 0;
}
