// What gateways say of themselves by multicast DNS (RFC 6762): that they are one, under which name others reach them,
// and a proof that they know what the mesh shares, so that meshes on one network stay apart and strangers get on no
// list. Not for browsers of services: there is no SRV record.
import { createHmac, hash, timingSafeEqual } from 'node:crypto';
import type { ResponseOutgoingPacket } from 'multicast-dns';
import type { MemberId } from '../member.ts';
import { memberAddress } from '../member-address.ts';

type Answer = ResponseOutgoingPacket['answers'][number];

export const SERVICE = '_dfstore._tcp.local';

export interface Announced {
  readonly id: MemberId;
  /** 0: it leaves. */
  readonly ttlMs: number;
}

/** What all gateways of a mesh have, and nobody else. */
export type SharedKey = string | Buffer;

export function announce({ id, ttlMs }: Announced, key: SharedKey): Answer[] {
  const instance = `${hash('sha256', id, 'hex').slice(0, 16)}.${SERVICE}`;
  const ttl = Math.ceil(ttlMs / 1_000);
  const data = [`id=${id}`, `proof=${proofOf(id, key).toString('base64url')}`];
  return [
    { type: 'PTR', name: SERVICE, ttl, data: instance },
    { type: 'TXT', name: instance, ttl, data },
  ];
}

/** Those that know the key; what others say is passed over. */
export function announced(answers: readonly Answer[], key: SharedKey): Announced[] {
  return answers.flatMap((answer) => {
    if (answer.type !== 'TXT' || !answer.name.toLowerCase().endsWith(`.${SERVICE}`)) return [];
    const fields = new Map(textsOf(answer.data).map((text) => splitAtEquals(text)));
    const id = fields.get('id') ?? '';
    const proof = Buffer.from(fields.get('proof') ?? '', 'base64url');
    const expected = proofOf(id, key);
    if (memberAddress(id) === undefined || proof.length !== expected.length) return [];
    return timingSafeEqual(proof, expected) ? [{ id, ttlMs: (answer.ttl ?? 0) * 1_000 }] : [];
  });
}

function proofOf(id: MemberId, key: SharedKey): Buffer {
  return createHmac('sha256', key).update(`dfstore lan 1\n${id}`).digest();
}

function textsOf(data: unknown): string[] {
  return [data].flat().map((text) => (Buffer.isBuffer(text) ? text.toString('utf8') : String(text)));
}

function splitAtEquals(text: string): [string, string] {
  const at = text.indexOf('=');
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
