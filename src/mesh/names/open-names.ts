// Puts the names part of the mesh together: this gateway as an owner, as one who asks, and as the fellow of owners.
import type { Background } from '../../concurrency/background.ts';
import type { MeshClock } from '../clock.ts';
import type { MemberId } from '../member.ts';
import type { Names } from '../names.ts';
import type { Handlers, MeshClient } from '../transport.ts';
import { FellowMemory } from './fellow-memory.ts';
import { FellowTouch } from './fellow-touch.ts';
import { MeshNames, type RefreshableList } from './mesh-names.ts';
import { NameCalls } from './name-calls.ts';
import { NameOwner, type NameOwnerOptions } from './name-owner.ts';
import type { Arriving } from './name-wire.ts';

export interface OpenNamesDeps {
  readonly client: Pick<MeshClient, 'ask' | 'lines'>;
  readonly clock: MeshClock;
  readonly list: RefreshableList;
  readonly background: Pick<Background, 'run'>;
  /** The caller has begun to receive this piece: told before those who wait for its name ask who has it. */
  readonly arriving: (caller: MemberId, arriving: Arriving) => void;
}

export interface OpenNamesOptions extends NameOwnerOptions {
  readonly patienceMs: number;
  /** Of this gateway's shelf. */
  readonly blockSize: number;
}

export interface OpenedNames {
  readonly names: Names;
  readonly handlers: Handlers;
  /** Names this gateway keeps track of as an owner. */
  readonly owned: () => number;
  close(): void;
}

export function openNames(deps: OpenNamesDeps, options: OpenNamesOptions): OpenedNames {
  const { client, clock, list, background } = deps;
  const otherList = () => names.otherList();
  const revoked = (key: string) => names.revoked(key);
  const missed = () => owner.disbelieveAll();
  const touch = new FellowTouch({ client, clock, list, otherList, missed, background }, options);
  const memory = new FellowMemory({ client, clock, background }, options);
  const revoke = async (member: MemberId, keys: readonly string[], signal: AbortSignal): Promise<void> => {
    if (member === list.self.id) here.revoke(keys);
    else await client.ask(member, 'name-revoke', { keys }, signal);
  };
  const owner: NameOwner = new NameOwner({ clock, list, touch, memory, revoke }, options);
  const here: NameCalls = new NameCalls({ owner, touch, list, otherList, revoked, arriving: deps.arriving });
  const names: MeshNames = new MeshNames({ client, clock, list, here, background }, options);
  return {
    names,
    handlers: here.handlers,
    owned: () => owner.size,
    close: () => {
      names.close();
      touch.close();
      memory.close();
    },
  };
}
