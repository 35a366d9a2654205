// Every digest of one body: what is computed as the bytes pass, and what is held against what the client promised.
import type { BodyDigests, Checksum, ChecksumAlgorithm } from '../../../backends/backend.ts';
import { createHasher, fullObjectChecksum, type Hasher } from '../../../backends/checksums.ts';
import { S3Error } from '../errors.ts';

export interface ExpectedDigests {
  readonly sha256: Buffer | undefined;
  readonly md5: Buffer | undefined;
  /** Asked when the body has ended, as it may have come behind it. */
  readonly checksum: () => Checksum | undefined;
}

interface ComputedDigests {
  readonly sha256: boolean;
  readonly md5: boolean;
  readonly checksum: ChecksumAlgorithm | undefined;
}

export class BodyDigester {
  readonly #expected: ExpectedDigests;
  readonly #algorithm: ChecksumAlgorithm | undefined;
  readonly #sha256: Hasher | undefined;
  readonly #md5: Hasher | undefined;
  readonly #checksum: Hasher | undefined;
  #digests: BodyDigests | undefined;

  constructor(expected: ExpectedDigests, computed: ComputedDigests) {
    this.#expected = expected;
    this.#algorithm = computed.checksum;
    this.#sha256 = computed.sha256 ? createHasher('SHA256') : undefined;
    this.#md5 = computed.md5 ? createHasher('MD5') : undefined;
    // One pass of SHA-256 serves the signature and the checksum alike.
    this.#checksum = this.#algorithm && (this.#algorithm === 'SHA256' ? this.#sha256 : createHasher(this.#algorithm));
  }

  get hashers(): readonly Hasher[] {
    return [...new Set([this.#sha256, this.#md5, this.#checksum])].filter((hasher) => hasher !== undefined);
  }

  /** Throws the S3Error of the first promise that is broken. */
  verify(): void {
    const sha256 = this.#sha256?.digest();
    const md5 = this.#md5?.digest();
    const digest = this.#algorithm === 'SHA256' ? sha256 : this.#checksum?.digest();
    const checksum = this.#algorithm && digest && fullObjectChecksum(this.#algorithm, digest);
    checkPayloadHash(this.#expected.sha256, sha256);
    checkMd5(this.#expected.md5, md5);
    checkChecksum(this.#expected.checksum(), checksum);
    this.#digests = { md5, checksum };
  }

  digests(): BodyDigests {
    if (this.#digests === undefined) throw new Error('digests() was called before the body had ended and verified.');
    return this.#digests;
  }
}

function checkPayloadHash(expected: Buffer | undefined, computed: Buffer | undefined): void {
  if (expected === undefined || computed?.equals(expected)) return;
  throw new S3Error('XAmzContentSHA256Mismatch', undefined, {
    details: {
      ClientComputedContentSHA256: expected.toString('hex'),
      S3ComputedContentSHA256: computed?.toString('hex') ?? '',
    },
  });
}

function checkMd5(expected: Buffer | undefined, computed: Buffer | undefined): void {
  if (expected === undefined || computed?.equals(expected)) return;
  throw new S3Error('BadDigest', 'The Content-MD5 you specified did not match what we received.', {
    details: { ExpectedDigest: expected.toString('base64'), CalculatedDigest: computed?.toString('base64') ?? '' },
  });
}

function checkChecksum(expected: Checksum | undefined, computed: Checksum | undefined): void {
  if (expected === undefined || computed?.value === expected.value) return;
  throw new S3Error('BadDigest', `The ${expected.algorithm} you specified did not match the calculated checksum.`);
}
