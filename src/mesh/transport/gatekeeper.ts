// Who may call: settled from the headers alone, before a byte of the body is read.
import type { IncomingMessage } from 'node:http';
import type { Member } from '../member.ts';
import { MeshError, type MeshErrorCode } from '../transport.ts';
import { CertificateIdentities } from './certificates.ts';
import { MemberReader } from './member-header.ts';
import { HEADERS, isSupportedVersion } from './protocol.ts';
import { ReplayGuard } from './replay-guard.ts';
import type { RequestProof, SharedSecret } from './shared-secret.ts';

export type RefusalReason =
  | 'version'
  | 'identity'
  | 'certificate'
  | 'proof'
  | 'date'
  | 'replay'
  | 'addressee'
  | 'call'
  | 'body'
  | 'limit';

/** A request that is not handled. Counted and logged by its reason. */
export class Refusal extends MeshError {
  readonly reason: RefusalReason;

  constructor(reason: RefusalReason, code: MeshErrorCode, message: string) {
    super(code, message);
    this.reason = reason;
  }
}

export interface GatekeeperDeps {
  readonly self: Member;
  /** Undefined: certificates prove who asks. */
  readonly secret: SharedSecret | undefined;
  /** Wall clock, ms. */
  readonly now: () => number;
}

export interface GatekeeperOptions {
  readonly requireCertificate: boolean;
  readonly skewMs: number;
  readonly maxSenders: number;
}

export interface Admitted {
  readonly caller: Member;
  /** Of the caller's list of trackers. */
  readonly listHash: string;
  /** Undefined where there is no secret. */
  readonly proof: RequestProof | undefined;
  /** False: the request was for another run of this gateway, and must not be handled. */
  readonly forThisRun: boolean;
}

export class Gatekeeper {
  readonly #deps: GatekeeperDeps;
  readonly #options: GatekeeperOptions;
  readonly #members = new MemberReader();
  readonly #certificates = new CertificateIdentities();
  readonly #replays: ReplayGuard;

  constructor(deps: GatekeeperDeps, options: GatekeeperOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#replays = new ReplayGuard(options);
  }

  /** Throws a Refusal. */
  admit(req: IncomingMessage): Admitted {
    const headers = req.headers as Readonly<Record<string, string | undefined>>;
    const version = headers[HEADERS.version] ?? '';
    if (!isSupportedVersion(version)) {
      throw new Refusal('version', 'Malformed', `This gateway speaks version 1 of the mesh, not '${version}'.`);
    }
    const from = headers[HEADERS.from] ?? '';
    const caller = this.#members.read(from);
    if (caller === undefined) throw new Refusal('identity', 'Malformed', 'The request does not say who asks.');
    if (this.#options.requireCertificate && !this.#certificates.isProved(req, caller.id)) {
      throw new Refusal('certificate', 'Refused', `The certificate shown is not for the host of ${caller.id}.`);
    }
    const to = headers[HEADERS.to] ?? '';
    const listHash = headers[HEADERS.members] ?? '';
    const proof = this.#checkProof(
      { version, path: req.url ?? '', to, from, members: listHash },
      headers[HEADERS.proof],
    );
    const [addressee = '', run] = to.split(' ');
    this.#checkAddressee(addressee);
    const forThisRun = proof === undefined || run === this.#deps.self.incarnation;
    if (proof !== undefined && forThisRun) this.#checkReplay(caller, proof);
    return { caller, listHash, proof, forThisRun };
  }

  #checkProof(
    facts: Parameters<SharedSecret['checkRequest']>[0],
    header: string | undefined,
  ): RequestProof | undefined {
    if (this.#deps.secret === undefined) return undefined;
    const proof = this.#deps.secret.checkRequest(facts, header);
    if (proof === undefined) {
      throw new Refusal('proof', 'Refused', "The request is not proved by this mesh's secret (mesh.secret).");
    }
    const offMs = proof.dateMs - this.#deps.now();
    if (Math.abs(offMs) > this.#options.skewMs) {
      const seconds = Math.round(Math.abs(offMs) / 1_000);
      throw new Refusal('date', 'Refused', `The clocks differ by ${seconds} s, or the request is an old one.`);
    }
    return proof;
  }

  #checkAddressee(addressee: string): void {
    const { id } = this.#deps.self;
    if (addressee === id) return;
    const message = `The request is for '${addressee}', and this gateway is ${id}; its mesh.advertise must be what others call it.`;
    throw new Refusal('addressee', 'Refused', message);
  }

  #checkReplay({ id, incarnation }: Member, { sequence, dateMs }: RequestProof): void {
    const seen = this.#replays.see(`${id} ${incarnation}`, sequence, dateMs, this.#deps.now());
    if (seen === 'seen') throw new Refusal('replay', 'Refused', 'The request came before.');
    if (seen === 'full') throw new Refusal('limit', 'Busy', 'Too many gateways ask this one.');
  }
}
