// Who may do what, as the configuration writes it: keys, and the rules that narrow them.
import { z } from 'zod';
import { knownNamesOnly } from './section-schema.ts';
import { textSchema } from './setting.ts';

const ACTIONS = ['read', 'write', 'list', 'delete', 'admin'] as const;

const ruleSchema = knownNamesOnly({
  allow: z.array(z.enum(ACTIONS, `must be one of ${ACTIONS.join(', ')}`)).min(1, 'must name at least one action'),
  buckets: z.array(textSchema).min(1, "must name at least one bucket, like 'models' or 'models/*'"),
}).readonly();

const credentialSchema = knownNamesOnly({
  name: textSchema.optional(),
  account: textSchema.optional(),
  accessKeyId: textSchema,
  secretAccessKey: textSchema,
  rules: z.array(ruleSchema).readonly().optional(),
}).readonly();

/** A file's path, or the list itself. */
export const credentialsSchema = z
  .union([textSchema, z.array(credentialSchema).readonly()], {
    error: (issue) =>
      Array.isArray(issue.input)
        ? listProblems(issue.input)
        : 'must be the path of a credentials file, or the list of credentials itself',
  })
  .optional();

/** A union says only that nothing matched; of a list we can say what is wrong with it. */
function listProblems(input: readonly unknown[]): string {
  const problems = z.array(credentialSchema).safeParse(input).error?.issues ?? [];
  return problems.map((problem) => `${problem.path.join('.')} ${problem.message}`).join('; ');
}

export const anonymousSchema = z.array(ruleSchema).readonly().prefault([]);
