// What a shared secret proves: that a request comes from somebody who knows it, that it is for this run of this gateway,
// when it was made and which one of its sender it is; that an answer comes from somebody who knows it too, and is the
// answer to this very request. Bodies are covered, but for streamed answers: pieces prove themselves by their digests,
// and against somebody who can alter what is on the wire there is TLS.
import { createHmac, createSecretKey, hash, type KeyObject, timingSafeEqual } from 'node:crypto';

export interface RequestFacts {
  readonly version: string;
  readonly path: string;
  readonly to: string;
  /** Who asks, as its header says it. */
  readonly from: string;
  readonly members: string;
}

export interface RequestProof {
  /** Wall clock, ms. */
  readonly dateMs: number;
  /** Of the sender's run towards this gateway; never the same one twice. */
  readonly sequence: number;
  /** Of the body, SHA-256 in base64url. */
  readonly digest: string;
  readonly mac: string;
}

export interface ReplyFacts {
  readonly version: string;
  /** Of the request. */
  readonly mac: string;
  readonly status: number;
  readonly type: string;
  readonly from: string;
  readonly members: string;
  /** Empty for streamed answers. */
  readonly body: string;
}

export function digestOf(body: string | Buffer): string {
  return hash('sha256', body, 'base64url');
}

export class SharedSecret {
  readonly #key: KeyObject;

  constructor(secret: string) {
    this.#key = createSecretKey(secret, 'utf8');
  }

  /** The header's value. */
  proveRequest(
    facts: RequestFacts,
    proof: Omit<RequestProof, 'mac'>,
  ): { readonly header: string; readonly mac: string } {
    const mac = this.#macOf(requestFields(facts, proof));
    return { header: `${proof.dateMs} ${proof.sequence} ${proof.digest} ${mac}`, mac };
  }

  /** Undefined: no proof, or a wrong one. */
  checkRequest(facts: RequestFacts, header: string | undefined): RequestProof | undefined {
    const proof = readProof(header);
    return proof !== undefined && sameText(proof.mac, this.#macOf(requestFields(facts, proof))) ? proof : undefined;
  }

  proveReply(facts: ReplyFacts): string {
    return this.#macOf(replyFields(facts));
  }

  checkReply(facts: ReplyFacts, header: string | undefined): boolean {
    return header !== undefined && sameText(header, this.#macOf(replyFields(facts)));
  }

  /** Every field with its length, so that no two lists give the same bytes. */
  #macOf(fields: readonly (string | number)[]): string {
    let text = '';
    for (const field of fields) {
      const value = String(field);
      text += `${value.length}:${value}`;
    }
    return createHmac('sha256', this.#key).update(text, 'utf8').digest('base64url');
  }
}

function requestFields(facts: RequestFacts, proof: Omit<RequestProof, 'mac'>): readonly (string | number)[] {
  const { version, path, to, from, members } = facts;
  return ['request', version, 'POST', path, to, from, members, proof.dateMs, proof.sequence, proof.digest];
}

function replyFields({ version, mac, status, type, from, members, body }: ReplyFacts): readonly (string | number)[] {
  return ['reply', version, mac, status, type, from, members, body];
}

const PROOF = /^(\d{1,15}) (\d{1,16}) ([\w-]{43}) ([\w-]{43})$/;

function readProof(header: string | undefined): RequestProof | undefined {
  const [, date, sequence, digest = '', mac = ''] = PROOF.exec(header ?? '') ?? [];
  const proof = { dateMs: Number(date), sequence: Number(sequence), digest, mac };
  return Number.isSafeInteger(proof.dateMs) && Number.isSafeInteger(proof.sequence) ? proof : undefined;
}

function sameText(given: string, right: string): boolean {
  const [one, other] = [Buffer.from(given, 'latin1'), Buffer.from(right, 'latin1')];
  return one.length === other.length && timingSafeEqual(one, other);
}
