// What a gateway writes at the head of its requests, and what it believes of answers. Knows the run of each gateway it
// asks, and how many requests went there.
import { LRUCache } from 'lru-cache';
import type { Member, MemberId } from '../member.ts';
import type { CallName } from '../transport.ts';
import { MemberReader, writeMember } from './member-header.ts';
import { HEADERS, MESH_VERSION, pathOf } from './protocol.ts';
import { digestOf, type SharedSecret } from './shared-secret.ts';

export interface SignedRequest {
  readonly path: string;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  /** Undefined where there is no secret. */
  readonly mac: string | undefined;
}

export interface AnswerHead {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
}

interface Addressee {
  /** Undefined: not known yet; it says so when asked. */
  run: string | undefined;
  sequence: number;
}

export interface RequestSignerDeps {
  readonly self: Member;
  readonly secret: SharedSecret | undefined;
  readonly listHash: () => string;
  /** Wall clock, ms. */
  readonly now: () => number;
}

export class RequestSigner {
  readonly #deps: RequestSignerDeps;
  readonly #from: string;
  readonly #members = new MemberReader();
  readonly #addressees = new LRUCache<MemberId, Addressee>({ max: 20_000 });

  constructor(deps: RequestSignerDeps) {
    this.#deps = deps;
    this.#from = writeMember(deps.self);
  }

  sign(to: MemberId, call: CallName, body: string): SignedRequest {
    const addressee = this.#addressee(to);
    const path = pathOf(call);
    const members = this.#deps.listHash();
    const target = `${to} ${addressee.run ?? '-'}`;
    const facts = { version: MESH_VERSION, path, to: target, from: this.#from, members };
    addressee.sequence += 1;
    const proof = this.#deps.secret?.proveRequest(facts, {
      dateMs: this.#deps.now(),
      sequence: addressee.sequence,
      digest: digestOf(body),
    });
    const headers = [
      ...['host', to, 'content-type', 'application/json', 'content-length', String(Buffer.byteLength(body, 'utf8'))],
      ...[HEADERS.version, MESH_VERSION, HEADERS.from, this.#from, HEADERS.to, target, HEADERS.members, members],
      ...(proof === undefined ? [] : [HEADERS.proof, proof.header]),
    ];
    return { path, headers, mac: proof?.mac };
  }

  /** Who answers; undefined: it did not prove that it belongs to the mesh. `body` of an answer that is whole. */
  checkAnswer(mac: string | undefined, { status, headers }: AnswerHead, body: string): Member | undefined {
    const { secret } = this.#deps;
    const from = headers[HEADERS.from] ?? '';
    const member = this.#members.read(from);
    if (member === undefined || secret === undefined || mac === undefined) return member;
    const facts = {
      version: headers[HEADERS.version] ?? '',
      mac,
      status,
      type: headers['content-type'] ?? '',
      from,
      members: headers[HEADERS.members] ?? '',
      body,
    };
    return secret.checkReply(facts, headers[HEADERS.proof]) ? member : undefined;
  }

  learn({ id, incarnation }: Member): void {
    this.#addressee(id).run = incarnation;
  }

  /** Starts at the time in microseconds: higher than what was forgotten, whatever its rate. */
  #addressee(to: MemberId): Addressee {
    let addressee = this.#addressees.get(to);
    if (addressee === undefined) {
      addressee = { run: undefined, sequence: this.#deps.now() * 1_000 };
      this.#addressees.set(to, addressee);
    }
    return addressee;
  }
}
