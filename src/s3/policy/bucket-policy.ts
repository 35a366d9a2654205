// A bucket policy as it was put, read strictly: what would never mean anything here is refused, not kept.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-policy-language-overview.html
import { matchesGlob } from '../auth/glob.ts';
import { malformedPolicy } from './malformed-policy.ts';
import { KNOWN_ACTIONS } from './policy-actions.ts';
import { type Condition, parseConditions } from './policy-conditions.ts';

/** 'anyone': signed or not. Without a name: everybody in the account. */
export type Principal = 'anyone' | { readonly account: string; readonly name?: string | undefined };

/** One list or what is not on it. */
export interface Listed<T> {
  readonly not: boolean;
  readonly list: readonly T[];
}

export interface Statement {
  readonly effect: 'Allow' | 'Deny';
  readonly principals: Listed<Principal>;
  /** Lower-case globs, like 's3:get*'. */
  readonly actions: Listed<string>;
  /** Globs of what follows 'arn:aws:s3:::'. */
  readonly resources: Listed<string>;
  readonly conditions: readonly Condition[];
}

export interface BucketPolicy {
  readonly statements: readonly Statement[];
}

/** As S3 has it. */
const MAX_BYTES = 20 * 1024;

/** Throws MalformedPolicy. */
export function parseBucketPolicy(text: string, bucket: string): BucketPolicy {
  if (Buffer.byteLength(text) > MAX_BYTES) {
    throw malformedPolicy(`Policy exceeds the maximum allowed document size of ${MAX_BYTES} bytes`);
  }
  const document = fieldsOf(parseJson(text), ['Version', 'Id', 'Statement'], 'Policies');
  const { Version: version = '2008-10-17' } = document;
  if (version !== '2012-10-17' && version !== '2008-10-17') {
    throw malformedPolicy('The policy must contain a valid version string');
  }
  const statements = listOf(document.Statement);
  if (statements.length === 0) throw malformedPolicy('Missing required field Statement');
  return { statements: statements.map((statement) => parseStatement(statement, bucket)) };
}

const STATEMENT_FIELDS = [
  'Sid',
  'Effect',
  'Principal',
  'NotPrincipal',
  'Action',
  'NotAction',
  'Resource',
  'NotResource',
  'Condition',
];

function parseStatement(value: unknown, bucket: string): Statement {
  const fields = fieldsOf(value, STATEMENT_FIELDS, 'Statements');
  const { Effect: effect } = fields;
  if (effect !== 'Allow' && effect !== 'Deny') throw malformedPolicy(`Invalid effect: ${String(effect)}`);
  const principals = oneOf(fields, 'Principal', parsePrincipals);
  if (principals.not && effect === 'Allow') throw malformedPolicy('Allow with NotPrincipal is not allowed.');
  return {
    effect,
    principals,
    actions: oneOf(fields, 'Action', parseActions),
    resources: oneOf(fields, 'Resource', (given) => parseResources(given, bucket)),
    conditions: parseConditions(fields.Condition),
  };
}

/** The field or its 'Not' twin, exactly one of which there must be. */
function oneOf<T>(
  fields: Readonly<Record<string, unknown>>,
  name: string,
  parse: (value: unknown) => readonly T[],
): Listed<T> {
  const [plain, twin] = [fields[name], fields[`Not${name}`]];
  if ((plain === undefined) === (twin === undefined)) {
    throw malformedPolicy(`A statement must have one of ${name} and Not${name}`);
  }
  const list = parse(plain ?? twin);
  if (list.length === 0) throw malformedPolicy(`${name} must not be empty`);
  return { not: plain === undefined, list };
}

function parsePrincipals(value: unknown): readonly Principal[] {
  if (value === '*') return ['anyone'];
  const fields = fieldsOf(value, ['AWS', 'CanonicalUser'], 'Principals');
  const aws = listOf(fields.AWS).map((name) => parsePrincipal(textOf(name, 'Principal')));
  const canonical = listOf(fields.CanonicalUser).map((name) => ({ account: textOf(name, 'Principal') }));
  return [...aws, ...canonical];
}

function parsePrincipal(text: string): Principal {
  if (text === '*') return 'anyone';
  const arn = /^arn:aws[a-z-]*:iam::([^:]+):(?:root|user\/(?:[^*?]*\/)?([^/*?]+))$/.exec(text);
  if (arn !== null && arn[1] !== undefined) return { account: arn[1], name: arn[2] };
  if (text === '' || /[:*?]/.test(text)) throw malformedPolicy(`Invalid principal in policy: ${text}`);
  return { account: text };
}

function parseActions(value: unknown): readonly string[] {
  return listOf(value).map((item) => {
    const action = textOf(item, 'Action').toLowerCase();
    if (action === '*') return action;
    const isKnown = KNOWN_ACTIONS.some((known) => matchesGlob(action, known.toLowerCase()));
    if (!action.startsWith('s3:') || !isKnown) throw malformedPolicy(`Policy has invalid action: ${String(item)}`);
    return action;
  });
}

function parseResources(value: unknown, bucket: string): readonly string[] {
  return listOf(value).map((item) => {
    const text = textOf(item, 'Resource');
    const resource = text === '*' ? '*' : /^arn:aws[a-z-]*:s3:::(.+)$/s.exec(text)?.[1];
    const ofBucket = resource?.split('/', 1)[0];
    if (resource === undefined || ofBucket === undefined || text.includes('${') || !matchesGlob(ofBucket, bucket)) {
      throw malformedPolicy(`Policy has invalid resource: ${text}`);
    }
    return resource;
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    if (cause instanceof SyntaxError) throw malformedPolicy('Policies must be valid JSON');
    throw cause;
  }
}

function fieldsOf(value: unknown, known: readonly string[], what: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw malformedPolicy(`${what} must be objects`);
  }
  const unknown = Object.keys(value).find((name) => !known.includes(name));
  if (unknown !== undefined) throw malformedPolicy(`Unknown field ${unknown}`);
  return value as Readonly<Record<string, unknown>>;
}

function listOf(value: unknown): readonly unknown[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}

function textOf(value: unknown, what: string): string {
  if (typeof value === 'string') return value;
  throw malformedPolicy(`${what} must be text`);
}
