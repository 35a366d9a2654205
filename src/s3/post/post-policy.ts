// The policy of a posted form: until when it holds, and what each field may say. Signatures are elsewhere.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
import { S3Error } from '../errors.ts';

interface FieldCondition {
  readonly kind: 'eq' | 'starts-with';
  /** Lower-case. */
  readonly field: string;
  readonly value: string;
  /** As refusals quote it. */
  readonly told: string;
}

type Condition = FieldCondition | { readonly kind: 'content-length-range'; readonly min: number; readonly max: number };

interface PostPolicy {
  readonly expiration: Date;
  readonly conditions: readonly Condition[];
}

/** Throws InvalidPolicyDocument. */
export function parsePostPolicy(base64: string): PostPolicy {
  const document = parseDocument(base64);
  const { expiration, conditions } = document;
  if (typeof expiration !== 'string') throw invalid('Policy missing expiration.');
  const date = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/.test(expiration) ? new Date(expiration) : undefined;
  if (date === undefined || Number.isNaN(date.getTime())) throw invalid(`Invalid 'expiration' value: '${expiration}'`);
  if (!Array.isArray(conditions)) throw invalid('Policy missing conditions.');
  return { expiration: date, conditions: conditions.map(parseCondition) };
}

/** `fields`: by lower-case name, the bucket among them. Throws AccessDenied, EntityTooSmall, EntityTooLarge. */
export function checkPostPolicy(
  policy: PostPolicy,
  form: { readonly fields: ReadonlyMap<string, string>; readonly fileBytes: number; readonly now: Date },
): void {
  if (policy.expiration <= form.now) throw denied('Policy expired.');
  const named = new Set<string>();
  for (const condition of policy.conditions) {
    if (condition.kind === 'content-length-range') checkSize(condition, form.fileBytes);
    else {
      named.add(condition.field);
      if (!holds(condition, form.fields.get(condition.field)))
        throw denied(`Policy Condition failed: ${condition.told}`);
    }
  }
  const extra = [...form.fields.keys()].filter((name) => !named.has(name) && !needsNoCondition(name));
  if (extra.length > 0) throw denied(`Extra input fields: ${extra.join(', ')}`);
}

/** The signature itself, and what only binds the sender further: a checksum that its bytes have to keep. */
function needsNoCondition(field: string): boolean {
  return (
    ['awsaccesskeyid', 'signature', 'x-amz-signature', 'policy', 'file'].includes(field) ||
    field.startsWith('x-ignore-') ||
    field.startsWith('x-amz-checksum-')
  );
}

function holds({ kind, value }: Pick<FieldCondition, 'kind' | 'value'>, given: string | undefined): boolean {
  if (given === undefined) return false;
  return kind === 'eq' ? given === value : given.startsWith(value);
}

function checkSize({ min, max }: { min: number; max: number }, fileBytes: number): void {
  if (fileBytes >= min && fileBytes <= max) return;
  throw fileBytes > max
    ? new S3Error('EntityTooLarge', undefined, {
        details: { ProposedSize: String(fileBytes), MaxSizeAllowed: String(max) },
      })
    : new S3Error('EntityTooSmall', undefined, {
        details: { ProposedSize: String(fileBytes), MinSizeAllowed: String(min) },
      });
}

function parseDocument(base64: string): Record<string, unknown> {
  if (!/^[A-Za-z0-9+/\s]+={0,2}\s*$/.test(base64)) throw invalid('The policy is not valid Base64.');
  let document: unknown;
  try {
    document = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(base64, 'base64')));
  } catch (cause) {
    throw invalid('Invalid JSON.', cause);
  }
  if (!isRecord(document)) throw invalid('Invalid JSON.');
  return document;
}

function parseCondition(condition: unknown): Condition {
  if (Array.isArray(condition)) return parseListCondition(condition);
  const [pair, ...more] = isRecord(condition) ? Object.entries(condition) : [];
  const value = pair && textOf(pair[1]);
  if (pair === undefined || more.length > 0 || value === undefined) {
    throw invalid('Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.');
  }
  return { kind: 'eq', field: pair[0].toLowerCase(), value, told: JSON.stringify(['eq', `$${pair[0]}`, value]) };
}

function parseListCondition(list: readonly unknown[]): Condition {
  const [operator, one, other] = list;
  const kind = typeof operator === 'string' ? operator.toLowerCase() : '';
  if (list.length !== 3) throw invalid(`Invalid Condition: wrong number of arguments to '${kind}'.`);
  if (kind === 'content-length-range') {
    const [min, max] = [one, other].map(Number);
    if (!isSize(min) || !isSize(max)) throw invalid('Invalid Condition: content-length-range takes two sizes.');
    return { kind, min, max };
  }
  const value = textOf(other);
  if (
    (kind !== 'eq' && kind !== 'starts-with') ||
    typeof one !== 'string' ||
    !one.startsWith('$') ||
    value === undefined
  ) {
    throw invalid(`Invalid Condition: ${JSON.stringify(list)}`);
  }
  return { kind, field: one.slice(1).toLowerCase(), value, told: JSON.stringify(list) };
}

function isSize(value: number | undefined): value is number {
  return value !== undefined && Number.isSafeInteger(value) && value >= 0;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(message: string, cause?: unknown): S3Error {
  return new S3Error('InvalidPolicyDocument', `Invalid Policy: ${message}`, { cause });
}

function denied(message: string): S3Error {
  return new S3Error('AccessDenied', `Invalid according to Policy: ${message}`);
}
