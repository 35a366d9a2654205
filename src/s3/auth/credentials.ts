// The keys that clients sign with: as a list, as a file that may change while the gateway runs, and the first pair,
// made up when nobody configured any. No key is built in.
import { z } from 'zod';
import type { Rule } from './policy.ts';

export interface Credential {
  /** For logs and answers to operators. */
  readonly name: string;
  readonly account: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Absent: everything the account may do. */
  readonly rules?: readonly Rule[] | undefined;
}

export interface CredentialStore {
  find(accessKeyId: string): Credential | undefined;
}

/** The account of every key that names none. */
export const DEFAULT_ACCOUNT = 'dfstore';

const ACTIONS = ['read', 'write', 'list', 'delete', 'admin'] as const;

const ruleSchema = z.strictObject({
  allow: z
    .array(z.enum(ACTIONS, `must be one of ${ACTIONS.join(', ')}`), `must be a list of ${ACTIONS.join(', ')}`)
    .min(1, 'must name at least one action'),
  buckets: z
    .array(z.string('must be text').min(1).max(1088), 'must be a list of buckets')
    .min(1, "must name at least one bucket, like 'models' or 'models/*'"),
});

const credentialSchema = z
  .strictObject({
    name: z.string().min(1).optional(),
    account: z.string().min(1).default(DEFAULT_ACCOUNT),
    // Goes into headers between slashes and commas.
    accessKeyId: z
      .string('must be text')
      .regex(/^[\w.@/-]{3,128}$/, 'must be 3 to 128 letters, digits or any of . _ @ / -'),
    secretAccessKey: z.string('must be text').min(8, 'must have at least 8 characters').max(256),
    rules: z.array(ruleSchema, 'must be a list of rules').optional(),
  })
  .transform((row) => ({ ...row, name: row.name ?? row.accessKeyId }));

/** Rules for unsigned requests, or of a key, from a configuration. Throws an Error that says where it is wrong. */
export function parseRules(value: unknown): readonly Rule[] {
  return parse(z.array(ruleSchema, 'must be a list'), value, 'rules');
}

/** Credentials from a configuration or a file. Throws an Error that says where it is wrong, without the secrets. */
export function parseCredentials(value: unknown): readonly Credential[] {
  const credentials = parse(z.array(credentialSchema, 'must be a list'), value, 'credentials');
  const ids = credentials.map(({ accessKeyId }) => accessKeyId);
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice !== undefined) throw new Error(`The access key '${twice}' is listed twice; each must be there once.`);
  return credentials;
}

export function credentialList(credentials: readonly Credential[]): CredentialStore {
  const byId = new Map(credentials.map((credential) => [credential.accessKeyId, credential]));
  return { find: (accessKeyId) => byId.get(accessKeyId) };
}

/** Asks each store in turn; the first that knows the key has the word. */
export function firstOf(stores: readonly CredentialStore[]): CredentialStore {
  return {
    find(accessKeyId) {
      for (const store of stores) {
        const found = store.find(accessKeyId);
        if (found !== undefined) return found;
      }
      return undefined;
    },
  };
}

function parse<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const where = [what, ...(issue?.path ?? [])].join('.');
  throw new Error(`${where}: ${issue?.message ?? 'is not valid'}`);
}
