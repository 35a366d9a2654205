// Forms as browsers post them, with policies signed by a signer that shares no code with the gateway's own.
import { createHmac } from 'node:crypto';
import type { Credential } from '../../src/s3/auth/credentials.ts';
import { OWNER } from './s3-gateway.ts';
import type { RawRequest } from './signed-request.ts';

export type Fields = readonly (readonly [name: string, value: string])[];

export interface FormParts {
  readonly fields: Fields;
  /** Undefined: the form has no file. */
  readonly file?: { readonly name?: string; readonly content: string | Buffer; readonly type?: string } | undefined;
  /** Behind the file, such as the button that sent the form. */
  readonly after?: Fields;
}

const BOUNDARY = '----boundary-of-a-test';

function formBody({ fields, file, after = [] }: FormParts): Buffer {
  const part = (disposition: string, content: string | Buffer, more = '') => [
    `--${BOUNDARY}\r\nContent-Disposition: form-data; ${disposition}\r\n${more}\r\n`,
    content,
    '\r\n',
  ];
  const parts = [
    ...fields.flatMap(([name, value]) => part(`name="${name}"`, value)),
    ...(file === undefined
      ? []
      : part(
          `name="file"; filename="${file.name ?? 'photo.jpg'}"`,
          file.content,
          `Content-Type: ${file.type ?? 'image/jpeg'}\r\n`,
        )),
    ...after.flatMap(([name, value]) => part(`name="${name}"`, value)),
    `--${BOUNDARY}--\r\n`,
  ];
  return Buffer.concat(parts.map((bytes) => Buffer.from(bytes)));
}

/** Not signed itself: a form proves who sends it by its fields. */
export function formRequest(path: string, parts: FormParts): RawRequest {
  return {
    method: 'POST',
    path,
    credential: null,
    headers: { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` },
    body: formBody(parts),
  };
}

export interface PolicyTerms {
  readonly conditions: readonly unknown[];
  readonly expiresInMs?: number;
  /** In place of a date. */
  readonly expiration?: unknown;
}

function policyOf({ conditions, expiresInMs = 60_000, expiration }: PolicyTerms): string {
  const until = expiration === undefined ? new Date(Date.now() + expiresInMs).toISOString() : expiration;
  return Buffer.from(JSON.stringify({ expiration: until, conditions })).toString('base64');
}

/** The fields that prove who made the policy, by Signature Version 4. Its conditions name them. */
export function signedFields(terms: PolicyTerms, credential: Credential = OWNER): Fields {
  const timestamp = new Date().toISOString().replace(/[-:]|\.\d{3}/g, '');
  const scope = `${timestamp.slice(0, 8)}/us-east-1/s3/aws4_request`;
  const signing = [
    ['x-amz-algorithm', 'AWS4-HMAC-SHA256'],
    ['x-amz-credential', `${credential.accessKeyId}/${scope}`],
    ['x-amz-date', timestamp],
  ] as const;
  const conditions = [...terms.conditions, ...signing.map(([name, value]) => ({ [name]: value }))];
  const policy = policyOf({ ...terms, conditions });
  const key = scope
    .split('/')
    .reduce<Buffer>((secret, part) => hmac(secret, part), Buffer.from(`AWS4${credential.secretAccessKey}`));
  return [...signing, ['policy', policy], ['x-amz-signature', hmac(key, policy).toString('hex')]];
}

/** The same by Signature Version 2. */
export function signedFieldsV2(terms: PolicyTerms, credential: Credential = OWNER): Fields {
  const policy = policyOf(terms);
  const signature = createHmac('sha1', credential.secretAccessKey).update(policy).digest('base64');
  return [
    ['AWSAccessKeyId', credential.accessKeyId],
    ['policy', policy],
    ['signature', signature],
  ];
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
