// What a request promises of its body's bytes: Content-MD5, one x-amz-checksum-* (header, presigned query or trailer).
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
import type { Checksum, ChecksumAlgorithm } from '../../../backends/backend.ts';
import {
  CHECKSUM_ALGORITHMS,
  decodeDigest,
  parseChecksum,
  parseChecksumAlgorithm,
} from '../../../backends/checksums.ts';
import { S3Error } from '../errors.ts';
import type { S3Request } from '../request.ts';

type Head = Pick<S3Request, 'headers' | 'query'>;

export interface DeclaredDigests {
  readonly md5: Buffer | undefined;
  /** Known up front. */
  readonly checksum: Checksum | undefined;
  /** Its value comes after the body, in the trailer of trailerName's name. */
  readonly trailerAlgorithm: ChecksumAlgorithm | undefined;
  /** All trailers announced, lower-case. */
  readonly trailerNames: readonly string[];
}

/** `trailer`: the body's framing can carry one. */
export function declaredDigests(request: Head, trailer: boolean): DeclaredDigests {
  const md5 = declaredMd5(request.headers['content-md5']);
  const checksum = declaredChecksum(request);
  const trailerNames = announcedTrailers(request.headers['x-amz-trailer'], trailer);
  const [trailerAlgorithm, ...more] = trailerNames.map(algorithmOfTrailer);
  if (more.length > 0 || (checksum !== undefined && trailerAlgorithm !== undefined)) throw notSingle();
  const named = parameter(request, 'x-amz-sdk-checksum-algorithm');
  if (named !== undefined) checkNamedAlgorithm(named, checksum?.algorithm ?? trailerAlgorithm);
  return { md5, checksum, trailerAlgorithm, trailerNames };
}

export function trailerName(algorithm: ChecksumAlgorithm): string {
  return `x-amz-checksum-${algorithm.toLowerCase()}`;
}

/** The checksum that came as a trailer. */
export function parseTrailerChecksum(algorithm: ChecksumAlgorithm, value: string): Checksum {
  const checksum = parseChecksum(algorithm, value);
  if (checksum?.type === 'FULL_OBJECT') return checksum;
  throw new S3Error('InvalidRequest', `Value for ${trailerName(algorithm)} trailing header is invalid.`);
}

function declaredMd5(header: string | undefined): Buffer | undefined {
  if (header === undefined) return undefined;
  const md5 = decodeDigest('MD5', header);
  if (md5 === undefined) throw new S3Error('InvalidDigest', 'The Content-MD5 you specified is not valid.');
  return md5;
}

function declaredChecksum(request: Head): Checksum | undefined {
  const given = CHECKSUM_ALGORITHMS.flatMap((algorithm) => {
    const value = parameter(request, trailerName(algorithm));
    return value === undefined ? [] : [{ algorithm, value }];
  });
  const [first, ...more] = given;
  if (first === undefined) return undefined;
  if (more.length > 0) throw notSingle(' Multiple checksum Types are not allowed.');
  const checksum = parseChecksum(first.algorithm, first.value);
  if (checksum?.type === 'FULL_OBJECT') return checksum;
  throw new S3Error('InvalidRequest', `Value for ${trailerName(first.algorithm)} header is invalid.`);
}

function announcedTrailers(header: string | undefined, trailer: boolean): readonly string[] {
  if (header === undefined) return [];
  if (!trailer) {
    throw new S3Error('MalformedTrailerError', 'x-amz-trailer announces a trailer that the body has no place for.');
  }
  return header.split(',').map((name) => name.trim().toLowerCase());
}

function algorithmOfTrailer(name: string): ChecksumAlgorithm {
  const algorithm = name.startsWith('x-amz-checksum-') ? parseChecksumAlgorithm(name.slice(15)) : undefined;
  if (algorithm !== undefined) return algorithm;
  throw new S3Error('InvalidRequest', 'The value specified in the x-amz-trailer header is not supported');
}

function checkNamedAlgorithm(named: string, declared: ChecksumAlgorithm | undefined): void {
  const algorithm = parseChecksumAlgorithm(named);
  if (algorithm === undefined || (declared !== undefined && algorithm !== declared)) {
    throw new S3Error('InvalidRequest', 'Value for x-amz-sdk-checksum-algorithm header is invalid.');
  }
  if (declared === undefined) {
    throw new S3Error(
      'InvalidRequest',
      'x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.',
    );
  }
}

/** SDKs move such headers into the query of the URLs they presign. */
function parameter({ headers, query }: Head, name: string): string | undefined {
  return headers[name] ?? query.find(([given]) => given.toLowerCase() === name)?.[1];
}

function notSingle(more = ''): S3Error {
  return new S3Error('InvalidRequest', `Expecting a single x-amz-checksum- header.${more}`);
}
