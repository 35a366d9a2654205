// The list of trackers in Redis or Valkey: a sorted set of their names, each with the time at which it lapses unless it
// is told again. The time is that of Redis, so that the clocks of gateways do not matter. One connection, opened when
// it is needed and thrown away after a failure: reads come at intervals, which is all the patience that is needed.
import { createClient, type RedisClientType } from '@redis/client';
import { untilAborted } from '../../concurrency/until-aborted.ts';
import type { MemberId } from '../member.ts';
import type { MembersProvider } from './provider.ts';

export interface RedisMembersOptions {
  /** redis: or rediss:, with what authenticates this gateway. */
  readonly url: string;
  /** Of the sorted set; each mesh has its own. */
  readonly key: string;
  /** How long a tracker stays on the list that does not tell it again. */
  readonly ttlMs: number;
  readonly connectTimeoutMs: number;
}

type Client = RedisClientType<Record<string, never>, Record<string, never>, Record<string, never>, 2>;

export class RedisMembers implements MembersProvider {
  readonly #options: RedisMembersOptions;
  /** Without what authenticates. */
  readonly #where: string;
  #connection: { readonly client: Client; readonly connected: Promise<Client> } | undefined;
  #joined = false;
  /** On Redis' clock: until then the list is not complete. */
  #rebuiltAtMs = 0;

  constructor(options: RedisMembersOptions) {
    this.#options = options;
    this.#where = new URL(options.url).host;
  }

  read(signal: AbortSignal): Promise<readonly MemberId[]> {
    return this.#ask(signal, async (client) => {
      const nowMs = await timeOf(client);
      if (nowMs < this.#rebuiltAtMs) throw new Error('It has lost the list, which is complete again in a moment.');
      return client.zRangeByScore(this.#options.key, nowMs, '+inf');
    });
  }

  join(self: MemberId, signal: AbortSignal): Promise<void> {
    const { key, ttlMs } = this.#options;
    return this.#ask(signal, async (client) => {
      const nowMs = await timeOf(client);
      const [added] = await client
        .multi()
        .zAdd(key, { score: nowMs + ttlMs, value: self })
        .zRemRangeByScore(key, '-inf', nowMs)
        .exec();
      // It was there a moment ago: the others are missing too, and tell it again before this time has passed.
      if (Number(added) === 1 && this.#joined) this.#rebuiltAtMs = nowMs + ttlMs / 2;
      this.#joined = true;
    });
  }

  leave(self: MemberId, signal: AbortSignal): Promise<void> {
    return this.#ask(signal, async (client) => {
      await client.zRem(this.#options.key, self);
      this.#joined = false;
    });
  }

  async close(): Promise<void> {
    this.#drop();
  }

  async #ask<T>(signal: AbortSignal, work: (client: Client) => Promise<T>): Promise<T> {
    try {
      return await untilAborted(
        this.#connected().then((client) => work(client)),
        signal,
      );
    } catch (cause) {
      this.#drop();
      throw new Error(`The list of gateways in Redis at ${this.#where} cannot be had (mesh.members.redis).`, { cause });
    }
  }

  /** Open from the moment it begins to connect until it is lost. */
  #connected(): Promise<Client> {
    if (this.#connection?.client.isOpen !== true) {
      const client = this.#create();
      const connected = client.connect().then(() => client);
      this.#connection = { client, connected };
    }
    return this.#connection.connected;
  }

  #create(): Client {
    const { url, connectTimeoutMs } = this.#options;
    const client: Client = createClient({
      url,
      RESP: 2,
      name: 'dfstore',
      disableOfflineQueue: true,
      maintNotifications: 'disabled',
      socket: { connectTimeout: connectTimeoutMs, reconnectStrategy: false },
    });
    // Whoever asks next finds that it is not ready, and is told of a failure to connect.
    client.on('error', () => undefined);
    return client;
  }

  #drop(): void {
    const client = this.#connection?.client;
    this.#connection = undefined;
    if (client?.isOpen === true) client.destroy();
  }
}

/** Milliseconds. */
async function timeOf(client: Client): Promise<number> {
  const [seconds, micros] = await client.time();
  return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
}
