// From a request to the body a backend takes: its framing off, its length known, and everything its client promised
// about it verified before its last bytes are given out.
import type { ChecksumAlgorithm, UploadBody } from '../../../backends/backend.ts';
import { type BodyErrors, guardBody } from '../../objects/guarded-body.ts';
import type { PayloadMode } from '../auth/payload-mode.ts';
import { S3Error } from '../errors.ts';
import type { S3Request } from '../request.ts';
import { AwsChunkedDecoder } from './aws-chunked.ts';
import { BodyDigester } from './body-digests.ts';
import { type DeclaredDigests, declaredDigests, parseTrailerChecksum, trailerName } from './declared-digests.ts';

interface UploadBodyOptions {
  /** The backend wants the MD5, promised or not. */
  readonly wantsMd5: boolean;
  readonly maxBytes: number;
}

const ERRORS: BodyErrors = {
  wrongSize: (receivedBytes, sizeBytes) =>
    new S3Error('IncompleteBody', `The body was to have ${sizeBytes} bytes; ${receivedBytes} or more came.`),
  broken: (receivedBytes, cause) =>
    cause instanceof S3Error
      ? cause
      : new S3Error('IncompleteBody', `The connection was lost after ${receivedBytes} bytes of the body.`, { cause }),
};

/**
 * Reads nothing yet. Throws the S3Error of what is wrong up front; what proves wrong later destroys the stream with
 * its S3Error. The request's own stream is left to the caller.
 */
export function openUploadBody(request: S3Request, payload: PayloadMode, options: UploadBodyOptions): UploadBody {
  const sizeBytes = declaredSize(request, payload);
  if (sizeBytes === undefined) throw new S3Error('MissingContentLength');
  if (sizeBytes > options.maxBytes) {
    throw new S3Error('EntityTooLarge', undefined, {
      details: { ProposedSize: String(sizeBytes), MaxSizeAllowed: String(options.maxBytes) },
    });
  }
  return openBody(request, payload, sizeBytes, options);
}

/** A small body, such as an XML document, in memory, under the same verification. Empty when there is none. */
export async function readDocument(request: S3Request, payload: PayloadMode, maxBytes: number): Promise<Buffer> {
  if (payload.kind === 'streaming' && payload.seed === undefined) {
    throw new S3Error(
      'InvalidRequest',
      'STREAMING-UNSIGNED-PAYLOAD-TRAILER is for the bodies of PutObject and UploadPart only.',
    );
  }
  const sizeBytes = declaredSize(request, payload) ?? (hasNoBody(request) ? 0 : undefined);
  if (sizeBytes === undefined) throw new S3Error('MissingContentLength');
  if (sizeBytes > maxBytes) {
    throw new S3Error('MaxMessageLengthExceeded', undefined, { details: { MaxMessageLengthBytes: String(maxBytes) } });
  }
  const chunks: Buffer[] = [];
  for await (const chunk of openBody(request, payload, sizeBytes, { wantsMd5: false }).stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/**
 * Content-Encoding without 'aws-chunked', which says how a body travels, not what its object is. Undefined when
 * nothing is left; other encodings stay as they were written.
 */
export function stripAwsChunked(contentEncoding: string | undefined): string | undefined {
  if (contentEncoding === undefined || !/aws-chunked/i.test(contentEncoding)) return contentEncoding;
  const kept = contentEncoding
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => coding !== '' && coding.toLowerCase() !== 'aws-chunked');
  return kept.length === 0 ? undefined : kept.join(', ');
}

function openBody(
  request: S3Request,
  payload: PayloadMode,
  sizeBytes: number,
  options: Omit<UploadBodyOptions, 'maxBytes'>,
): UploadBody {
  const declared = declaredDigests(request, payload.kind === 'streaming' && payload.trailer);
  const decoder = payload.kind === 'streaming' ? decoderOf(payload, declared) : undefined;
  const digester = digesterOf(payload, declared, decoder, options);
  const stream = guardBody(request.body, {
    sizeBytes,
    hashers: digester.hashers,
    verify: () => digester.verify(),
    decoder,
    errors: ERRORS,
  });
  const { md5, checksum } = declared;
  return { sizeBytes, stream, declared: { md5, checksum }, digests: () => digester.digests() };
}

function decoderOf(payload: PayloadMode & { kind: 'streaming' }, { trailerNames }: DeclaredDigests): AwsChunkedDecoder {
  return new AwsChunkedDecoder({ seed: payload.seed, trailer: payload.trailer, trailerNames });
}

function digesterOf(
  payload: PayloadMode,
  declared: DeclaredDigests,
  decoder: AwsChunkedDecoder | undefined,
  options: Omit<UploadBodyOptions, 'maxBytes'>,
): BodyDigester {
  const { md5, checksum, trailerAlgorithm } = declared;
  const sha256 = payload.kind === 'single' ? payload.sha256 : undefined;
  const algorithm = checksum?.algorithm ?? trailerAlgorithm ?? unpromisedAlgorithm(payload);
  return new BodyDigester(
    {
      sha256,
      md5,
      checksum: () =>
        trailerAlgorithm === undefined
          ? checksum
          : parseTrailerChecksum(trailerAlgorithm, decoder?.trailer(trailerName(trailerAlgorithm)) ?? ''),
    },
    {
      sha256: sha256 !== undefined || algorithm === 'SHA256',
      md5: md5 !== undefined || options.wantsMd5,
      checksum: algorithm,
    },
  );
}

/** A body that could have had a trailer and has none gets S3's own default. */
function unpromisedAlgorithm(payload: PayloadMode): ChecksumAlgorithm | undefined {
  return payload.kind === 'streaming' && payload.trailer ? 'CRC64NVME' : undefined;
}

/** The decoded length, as an object's size is known before its first byte; undefined when it is not told. */
function declaredSize({ headers }: S3Request, payload: PayloadMode): number | undefined {
  const text = payload.kind === 'streaming' ? headers['x-amz-decoded-content-length'] : headers['content-length'];
  const size = text !== undefined && /^\d{1,16}$/.test(text) ? Number(text) : undefined;
  return Number.isSafeInteger(size) ? size : undefined;
}

/** Without a length and without chunks there is no body (RFC 9112 §6.3). */
function hasNoBody({ headers }: S3Request): boolean {
  return headers['content-length'] === undefined && headers['transfer-encoding'] === undefined;
}
