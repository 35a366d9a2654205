// Processes that live on the nodes of the lab: in the node's network, counted in its control group, logged to its
// folder. They die with this process.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { LabNetwork } from './lab-network.ts';
import { scratchFolder } from './lab-remains.ts';
import type { NodeGroups } from './processor-use.ts';

/** Before other work on the machine, which then disturbs a run less. */
const NICENESS = -15;

export interface Started {
  readonly child: ChildProcess;
  /** What it and its children say. */
  readonly log: string;
}

export class LabNodes {
  readonly #id: string;
  readonly #network: LabNetwork;
  readonly #groups: NodeGroups;

  constructor(id: string, network: LabNetwork, groups: NodeGroups) {
    this.#id = id;
    this.#network = network;
    this.#groups = groups;
  }

  /** In memory, so that no disk is measured. */
  folderOf(node: number): string {
    return join(scratchFolder(this.#id), `${node}`);
  }

  /** A script of bash; its output goes to the caller, its errors to NAME.log. */
  async start(node: number, name: string, script: string): Promise<Started> {
    const folder = this.folderOf(node);
    await mkdir(folder, { recursive: true });
    const log = join(folder, `${name}.log`);
    const errors = openSync(log, 'a');
    const namespace = `--net=/run/netns/${this.#network.namespaceOf(node)}`;
    const command = ['-n', `${NICENESS}`, 'setpriv', '--pdeathsig', 'KILL', 'nsenter', namespace, 'bash', '-c'];
    const child = spawn('nice', [...command, `${this.#groups.entering(node)}\n${script}`], {
      cwd: folder,
      stdio: ['pipe', 'pipe', errors],
      env: { PATH: `${process.env.PATH}:/usr/sbin:/sbin`, HOME: folder },
    });
    closeSync(errors);
    await once(child, 'spawn');
    return { child, log };
  }

  /** What a script prints. Rejects when it fails. */
  async run(node: number, name: string, script: string): Promise<string> {
    const { child, log } = await this.start(node, name, script);
    const ended = once(child, 'close');
    const text = await textOf(child);
    await ended;
    if (child.exitCode !== 0) throw new Error(`'${name}' failed on node ${node}; ${log} says why.`);
    return text;
  }
}

/** All that a process prints, once it has ended. */
export async function textOf({ stdout }: ChildProcess): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stdout ?? []) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
