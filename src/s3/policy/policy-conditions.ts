// The conditions of a statement: which there are, whether one holds. What is not known here is refused when a policy is
// put, so that no policy is ever kept and only half of it honoured.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
import { BlockList, isIP } from 'node:net';
import { matchesGlob } from '../auth/glob.ts';
import { malformedPolicy } from './malformed-policy.ts';

/** Of a request, by lower-case name; undefined: the request has none. */
export type ConditionValues = (key: string) => string | undefined;

export interface Condition {
  readonly operator: Operator;
  readonly ifExists: boolean;
  /** Lower-case; a tag's name keeps its case. */
  readonly key: string;
  readonly values: readonly string[];
}

type Operator = keyof typeof OPERATORS;

interface OperatorRule {
  /** Whether one of the policy's values and the request's agree. */
  readonly matches: (wanted: string, given: string) => boolean;
  /** Holds where no value agrees, and where the request has none. */
  readonly negated?: boolean;
  readonly isValue?: (value: string) => boolean;
}

const numeric = (compare: (given: number, wanted: number) => boolean): OperatorRule => ({
  matches: (wanted, given) => compare(Number(given), Number(wanted)),
  isValue: (value) => value.trim() !== '' && Number.isFinite(Number(value)),
});
const date = (compare: (given: number, wanted: number) => boolean): OperatorRule => ({
  matches: (wanted, given) => compare(instantOf(given), instantOf(wanted)),
  isValue: (value) => Number.isFinite(instantOf(value)),
});
const negated = (rule: OperatorRule): OperatorRule => ({ ...rule, negated: true });

const STRING_EQUALS: OperatorRule = { matches: (wanted, given) => wanted === given };
const STRING_EQUALS_IGNORE_CASE: OperatorRule = {
  matches: (wanted, given) => wanted.toLowerCase() === given.toLowerCase(),
};
const STRING_LIKE: OperatorRule = { matches: matchesGlob };
const IP_ADDRESS: OperatorRule = { matches: isWithin, isValue: (value) => parseRange(value) !== undefined };
const BOOL: OperatorRule = {
  matches: (wanted, given) => wanted.toLowerCase() === given,
  isValue: (value) => /^(true|false)$/i.test(value),
};

const OPERATORS = {
  StringEquals: STRING_EQUALS,
  StringNotEquals: negated(STRING_EQUALS),
  StringEqualsIgnoreCase: STRING_EQUALS_IGNORE_CASE,
  StringNotEqualsIgnoreCase: negated(STRING_EQUALS_IGNORE_CASE),
  StringLike: STRING_LIKE,
  StringNotLike: negated(STRING_LIKE),
  NumericEquals: numeric((given, wanted) => given === wanted),
  NumericNotEquals: negated(numeric((given, wanted) => given === wanted)),
  NumericLessThan: numeric((given, wanted) => given < wanted),
  NumericLessThanEquals: numeric((given, wanted) => given <= wanted),
  NumericGreaterThan: numeric((given, wanted) => given > wanted),
  NumericGreaterThanEquals: numeric((given, wanted) => given >= wanted),
  DateEquals: date((given, wanted) => given === wanted),
  DateNotEquals: negated(date((given, wanted) => given === wanted)),
  DateLessThan: date((given, wanted) => given < wanted),
  DateLessThanEquals: date((given, wanted) => given <= wanted),
  DateGreaterThan: date((given, wanted) => given > wanted),
  DateGreaterThanEquals: date((given, wanted) => given >= wanted),
  Bool: BOOL,
  IpAddress: IP_ADDRESS,
  NotIpAddress: negated(IP_ADDRESS),
  Null: BOOL,
} as const satisfies Record<string, OperatorRule>;

/** Keys whose values are of one kind, and the operators they may stand with; all others are text. */
const KINDS: readonly { readonly keys: readonly string[]; readonly operators: RegExp }[] = [
  { keys: ['aws:sourceip'], operators: /^(Not)?IpAddress$/ },
  { keys: ['aws:securetransport'], operators: /^Bool$/ },
  { keys: ['s3:max-keys', 'aws:epochtime'], operators: /^(Numeric|Date)/ },
  { keys: ['aws:currenttime'], operators: /^Date/ },
];

const TEXT_KEYS = new Set([
  'aws:principalaccount',
  'aws:referer',
  'aws:useragent',
  'aws:username',
  's3:delimiter',
  's3:prefix',
  's3:versionid',
  's3:x-amz-acl',
  's3:x-amz-content-sha256',
  's3:x-amz-copy-source',
  's3:x-amz-grant-full-control',
  's3:x-amz-grant-read',
  's3:x-amz-grant-read-acp',
  's3:x-amz-grant-write',
  's3:x-amz-grant-write-acp',
  's3:x-amz-metadata-directive',
  's3:x-amz-server-side-encryption',
  's3:x-amz-server-side-encryption-aws-kms-key-id',
  's3:x-amz-server-side-encryption-customer-algorithm',
  's3:x-amz-storage-class',
]);

export const EXISTING_TAG = 's3:existingobjecttag/';
export const REQUEST_TAG = 's3:requestobjecttag/';

/** Throws MalformedPolicy. */
export function parseConditions(block: unknown): readonly Condition[] {
  if (block === undefined) return [];
  return entriesOf(block, 'Condition').flatMap(([name, keys]) => {
    const ifExists = name.endsWith('IfExists');
    const operator = ifExists ? name.slice(0, -'IfExists'.length) : name;
    if (!isOperator(operator) || (ifExists && operator === 'Null')) {
      throw malformedPolicy(`Invalid Condition type : ${name}`);
    }
    return entriesOf(keys, name).map(([key, values]) => parseCondition(operator, ifExists, key, values));
  });
}

export function holds(condition: Condition, valueAt: ConditionValues): boolean {
  const { operator, ifExists, key, values } = condition;
  const rule: OperatorRule = OPERATORS[operator];
  const given = valueAt(key);
  if (operator === 'Null') return values.some((wanted) => rule.matches(wanted, String(given === undefined)));
  if (given === undefined) return ifExists || rule.negated === true;
  const agrees = values.some((wanted) => rule.matches(wanted, given));
  return rule.negated === true ? !agrees : agrees;
}

/** Whether it keeps out all but addresses that somebody has named. */
export function namesAddresses({ operator, ifExists, key, values }: Condition): boolean {
  if (key !== 'aws:sourceip' || operator !== 'IpAddress' || ifExists) return false;
  return values.every((value) => (parseRange(value)?.prefix ?? 0) > 0);
}

function parseCondition(operator: Operator, ifExists: boolean, name: string, given: unknown): Condition {
  const key = normalKey(name);
  const kind = KINDS.find(({ keys }) => keys.includes(key));
  const isText = TEXT_KEYS.has(key) || isTagKey(key);
  if (kind === undefined && !isText) throw malformedPolicy(`Policy has an invalid condition key: ${name}`);
  const fits =
    operator === 'Null' || (kind === undefined ? operator.startsWith('String') : kind.operators.test(operator));
  if (!fits) throw malformedPolicy(`The condition key ${name} cannot be compared by ${operator}`);
  const values = (Array.isArray(given) ? given : [given]).map((value: unknown) => textOf(value, name));
  const rule: OperatorRule = OPERATORS[operator];
  const wrong = values.find((value) => value.includes('${') || rule.isValue?.(value) === false);
  if (wrong !== undefined) throw malformedPolicy(`Invalid value for the condition key ${name}: ${wrong}`);
  if (values.length === 0) throw malformedPolicy(`The condition key ${name} has no value`);
  return { operator, ifExists, key, values };
}

function isTagKey(key: string): boolean {
  return [EXISTING_TAG, REQUEST_TAG].some((beginning) => key.startsWith(beginning) && key.length > beginning.length);
}

/** Names of keys are taken in any case, those of tags as they are. */
function normalKey(name: string): string {
  const slash = name.indexOf('/');
  return slash === -1 ? name.toLowerCase() : name.slice(0, slash).toLowerCase() + name.slice(slash);
}

function isOperator(name: string): name is Operator {
  return Object.hasOwn(OPERATORS, name);
}

function entriesOf(value: unknown, what: string): [string, unknown][] {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return Object.entries(value);
  throw malformedPolicy(`${what} must be an object`);
}

function textOf(value: unknown, name: string): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean' || typeof value === 'number') return String(value);
  throw malformedPolicy(`Invalid value for the condition key ${name}`);
}

/** Milliseconds; as ISO 8601 or as seconds since 1970. */
function instantOf(text: string): number {
  return /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text);
}

function isWithin(range: string, address: string): boolean {
  const parsed = parseRange(range);
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
  const family = isIP(plain);
  if (parsed === undefined || family === 0 || parsed.family !== family) return false;
  const list = new BlockList();
  list.addSubnet(parsed.address, parsed.prefix, family === 6 ? 'ipv6' : 'ipv4');
  return list.check(plain, family === 6 ? 'ipv6' : 'ipv4');
}

function parseRange(text: string): { address: string; family: 4 | 6; prefix: number } | undefined {
  const [, address = '', digits] = /^([0-9a-f.:]+)(?:\/(\d{1,3}))?$/i.exec(text) ?? [];
  const family = isIP(address);
  if (family !== 4 && family !== 6) return undefined;
  const longest = family === 4 ? 32 : 128;
  const prefix = digits === undefined ? longest : Number(digits);
  return prefix <= longest ? { address, family, prefix } : undefined;
}
