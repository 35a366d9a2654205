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

const ruleSchema = z.strictObject({
  allow: z.array(z.enum(['read', 'write', 'list', 'delete', 'admin'])).min(1),
  buckets: z.array(z.string().min(1).max(1088)).min(1),
});

const credentialSchema = z
  .strictObject({
    name: z.string().min(1).optional(),
    account: z.string().min(1).default(DEFAULT_ACCOUNT),
    // Goes into headers between slashes and commas.
    accessKeyId: z.string().regex(/^[\w.@/-]{3,128}$/, 'must be 3 to 128 letters, digits or any of . _ @ / -'),
    secretAccessKey: z.string().min(8).max(256),
    rules: z.array(ruleSchema).optional(),
  })
  .transform((row) => ({ ...row, name: row.name ?? row.accessKeyId }));

/** Rules for unsigned requests, or of a key, from a configuration. Throws an Error that says where it is wrong. */
export function parseRules(value: unknown): readonly Rule[] {
  return parse(z.array(ruleSchema), value, 'rules');
}

/** Credentials from a configuration or a file. Throws an Error that says where it is wrong, without the secrets. */
export function parseCredentials(value: unknown): readonly Credential[] {
  const credentials = parse(z.array(credentialSchema), value, 'credentials');
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
