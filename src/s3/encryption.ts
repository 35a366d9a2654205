// Encryption at rest, as requests ask for it and answers tell of it: by the origin's keys (SSE-S3, SSE-KMS) or by a key
// that the client keeps (SSE-C). The gateway encrypts nothing itself; what the backend does not take is refused.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/serv-side-encryption.html
import { createHash } from 'node:crypto';
import type {
  Capabilities,
  CustomerKey,
  Encryption,
  EncryptionInfo,
  EncryptionOptions,
} from '../../backends/backend.ts';
import { S3Error } from './errors.ts';
import type { OperationName } from './operation.ts';
import { invalidArgument } from './parameters.ts';

type Headers = Readonly<Record<string, string | undefined>>;

const PREFIX = 'x-amz-server-side-encryption';
const CUSTOMER_PREFIX = 'x-amz-server-side-encryption-customer-';
const SOURCE_PREFIX = 'x-amz-copy-source-server-side-encryption-customer-';

const CUSTOMER_KEY = keyHeaders(CUSTOMER_PREFIX);
const SOURCE_KEY = keyHeaders(SOURCE_PREFIX);

const ALGORITHMS: readonly Encryption['algorithm'][] = ['AES256', 'aws:kms', 'aws:kms:dsse'];

interface KeyHeaders {
  readonly algorithm: string;
  readonly key: string;
  readonly md5: string;
}

type Meaning = 'server' | 'customer' | 'source';

/** Which of these headers mean something to an operation; to all others none does. */
const MEANT: Partial<Record<OperationName, readonly Meaning[]>> = {
  PutObject: ['server', 'customer'],
  PostObject: ['server', 'customer'],
  CopyObject: ['server', 'customer', 'source'],
  CreateMultipartUpload: ['server', 'customer'],
  UploadPart: ['customer'],
  UploadPartCopy: ['customer', 'source'],
  CompleteMultipartUpload: ['customer'],
  ListParts: ['customer'],
  GetObject: ['customer'],
  HeadObject: ['customer'],
  GetObjectAttributes: ['customer'],
};

/** Throws NotImplemented. */
export function refuseEncryptionNotMeant(operation: OperationName, name: string): void {
  const meaning = meaningOf(name);
  if (meaning === undefined || MEANT[operation]?.includes(meaning)) return;
  throw new S3Error('NotImplemented', undefined, { details: { Header: name } });
}

function meaningOf(name: string): Meaning | undefined {
  if (name.startsWith(SOURCE_PREFIX)) return 'source';
  if (name.startsWith(CUSTOMER_PREFIX)) return 'customer';
  return name.startsWith(PREFIX) ? 'server' : undefined;
}

/** Of what is written. Throws NotImplemented, InvalidArgument. */
export function parseEncryption(headers: Headers, capabilities: Capabilities): EncryptionOptions {
  const customerKey = parseCustomerKey(headers, capabilities);
  if (headers[PREFIX] !== undefined) requireOffer('server', PREFIX, capabilities);
  const encryption = parseServerEncryption(headers);
  if (encryption === undefined) return { customerKey };
  if (customerKey !== undefined) {
    const message =
      'Server Side Encryption with Customer provided key is incompatible with the encryption method specified';
    throw invalidArgument(PREFIX, encryption.algorithm, message);
  }
  return { encryption };
}

export function parseCustomerKey(headers: Headers, capabilities: Capabilities): CustomerKey | undefined {
  return customerKeyOf(headers, CUSTOMER_KEY, capabilities);
}

/** Of a copy's source; `capabilities`: of its bucket. */
export function parseSourceKey(headers: Headers, capabilities: Capabilities): CustomerKey | undefined {
  return customerKeyOf(headers, SOURCE_KEY, capabilities);
}

export function encryptionHeaders(info: EncryptionInfo | undefined): Headers {
  if (info === undefined) return {};
  return {
    [PREFIX]: info.algorithm,
    [`${PREFIX}-aws-kms-key-id`]: info.kmsKeyId,
    [`${PREFIX}-bucket-key-enabled`]: info.bucketKey === true ? 'true' : undefined,
    [`${CUSTOMER_PREFIX}algorithm`]: info.customerAlgorithm,
    [`${CUSTOMER_PREFIX}key-md5`]: info.customerKeyMd5,
  };
}

function parseServerEncryption(headers: Headers): Encryption | undefined {
  const given = headers[PREFIX];
  const kmsKeyId = headers[`${PREFIX}-aws-kms-key-id`];
  const kmsContext = headers[`${PREFIX}-context`];
  const bucketKey = headers[`${PREFIX}-bucket-key-enabled`]?.toLowerCase();
  const algorithm = ALGORITHMS.find((known) => known === given);
  if (given !== undefined && algorithm === undefined) {
    throw invalidArgument(PREFIX, given, 'The encryption method specified is not supported');
  }
  if (kmsKeyId !== undefined && (algorithm === undefined || algorithm === 'AES256')) {
    throw invalidArgument(
      PREFIX,
      given ?? '',
      'Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms',
    );
  }
  if (bucketKey !== undefined && bucketKey !== 'true' && bucketKey !== 'false') {
    throw invalidArgument(`${PREFIX}-bucket-key-enabled`, bucketKey);
  }
  if (algorithm === undefined) return undefined;
  return { algorithm, kmsKeyId, kmsContext, bucketKey: bucketKey === undefined ? undefined : bucketKey === 'true' };
}

function keyHeaders(prefix: string): KeyHeaders {
  return { algorithm: `${prefix}algorithm`, key: `${prefix}key`, md5: `${prefix}key-md5` };
}

function customerKeyOf(headers: Headers, names: KeyHeaders, capabilities: Capabilities): CustomerKey | undefined {
  const [algorithm, key, md5] = [headers[names.algorithm], headers[names.key], headers[names.md5]];
  if (algorithm === undefined && key === undefined && md5 === undefined) return undefined;
  requireOffer('customer', names.algorithm, capabilities);
  if (algorithm !== 'AES256') {
    throw invalidArgument(
      names.algorithm,
      algorithm ?? '',
      'The encryption request that you specified is not valid. The valid value is AES256.',
    );
  }
  const bytes = Buffer.from(key ?? '', 'base64');
  if (key === undefined || bytes.length !== 32 || bytes.toString('base64') !== key) {
    throw invalidArgument(names.key, '', 'The secret key was invalid for the specified algorithm.');
  }
  if (md5 !== createHash('md5').update(bytes).digest('base64')) {
    const message = 'The calculated MD5 hash of the key did not match the hash that was provided.';
    throw invalidArgument(`${names.key}-MD5`, md5 ?? '', message);
  }
  return { algorithm, key };
}

function requireOffer(wanted: 'server' | 'customer', header: string, { encryption = [] }: Capabilities): void {
  if (encryption.includes(wanted)) return;
  throw new S3Error('NotImplemented', "This bucket's backend does not encrypt objects as the request asks.", {
    details: { Header: header },
  });
}
