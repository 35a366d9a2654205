// Who asks: the checks a service makes of every request before it looks at anything else.
import { timingSafeEqual } from 'node:crypto';
import { type Call, Refused } from './call.ts';
import { obsSignature, ossV1Signature, ossV4Signature } from './signatures.ts';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secret: string;
  readonly token?: string | undefined;
}

const MAX_SKEW_MS = 15 * 60 * 1000;

export function authenticate(call: Call, credentials: Credentials, region: string): void {
  const authorization = call.header('authorization') ?? '';
  const found =
    call.flavour.name === 'oss'
      ? ossClaim(call, authorization, credentials, region)
      : obsClaim(call, authorization, credentials);
  if (found === undefined) throw new Refused(403, 'AccessDenied');
  if (found.accessKeyId !== credentials.accessKeyId) throw new Refused(403, 'InvalidAccessKeyId');
  if (!same(found.claimed, found.expected)) throw new Refused(403, 'SignatureDoesNotMatch');
  if (!(Math.abs(found.date.getTime() - Date.now()) <= MAX_SKEW_MS)) throw new Refused(403, 'RequestTimeTooSkewed');
  if (call.own('security-token') !== credentials.token) throw new Refused(403, 'InvalidSecurityToken');
}

interface Claim {
  readonly accessKeyId: string;
  readonly claimed: string;
  readonly expected: string;
  readonly date: Date;
}

function ossClaim(call: Call, authorization: string, { secret }: Credentials, region: string): Claim | undefined {
  const v4 =
    /^OSS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/oss\/aliyun_v4_request,(?:AdditionalHeaders=([^,]*),)?Signature=([0-9a-f]+)$/.exec(
      authorization,
    );
  if (v4 === null) return classicClaim(/^OSS ([^:]+):(.+)$/, call, authorization, ossV1Signature(secret, call));
  const [, accessKeyId = '', day = '', scopeRegion = '', additional, claimed = ''] = v4;
  const timestamp = call.header('x-oss-date') ?? '';
  const additionalHeaders = additional === undefined || additional === '' ? [] : additional.split(';');
  const scope = { timestamp, region, product: 'oss', additionalHeaders };
  const expected = day === timestamp.slice(0, 8) && scopeRegion === region ? ossV4Signature(secret, call, scope) : '';
  const iso = timestamp.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z');
  return { accessKeyId, claimed, expected, date: new Date(iso) };
}

function obsClaim(call: Call, authorization: string, { secret }: Credentials): Claim | undefined {
  return classicClaim(/^OBS ([^:]+):(.+)$/, call, authorization, obsSignature(secret, call));
}

function classicClaim(form: RegExp, call: Call, authorization: string, expected: string): Claim | undefined {
  const match = form.exec(authorization);
  if (match === null) return undefined;
  const date = new Date(call.own('date') ?? call.header('date') ?? '');
  return { accessKeyId: match[1] ?? '', claimed: match[2] ?? '', expected, date };
}

function same(one: string, other: string): boolean {
  const [left, right] = [Buffer.from(one), Buffer.from(other)];
  return left.length === right.length && timingSafeEqual(left, right);
}
