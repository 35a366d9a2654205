// The configuration file: YAML in which ${NAME} stands for a variable of the environment. A variable's text is put into
// the parsed values, never into the YAML, so that no secret can change what the file means. $${NAME} is ${NAME} itself.
import { readFileSync } from 'node:fs';
import { parseDocument } from 'yaml';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Private-use characters: YAML takes them anywhere in a value, as it does not take braces. */
const OPEN = '\u{E000}';
const CLOSE = '\u{E001}';

/** The file's values. Problems are added to `problems`. */
export function readConfigFile(file: string, env: Environment, problems: string[]): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    problems.push(`The configuration file ${file} cannot be read: ${messageOf(error)}`);
    return {};
  }
  return parseConfigText(text, env, problems) ?? {};
}

function parseConfigText(text: string, env: Environment, problems: string[]): unknown {
  const marked = text.replaceAll(/(\$?)\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (_, escaped: string, name: string) =>
    escaped === '' ? `${OPEN}${name}${CLOSE}` : `${OPEN}$${name}${CLOSE}`,
  );
  const document = parseDocument(marked, { prettyErrors: true, uniqueKeys: true });
  // The lines below the first quote the file, which may hold secrets.
  for (const { message } of document.errors) {
    problems.push(`The configuration file is not valid YAML: ${message.split('\n')[0]}`);
  }
  if (document.errors.length > 0) return undefined;
  return expand(document.toJS({ maxAliasCount: 100 }), [], env, problems);
}

function expand(value: unknown, path: readonly string[], env: Environment, problems: string[]): unknown {
  if (typeof value === 'string') return expandText(value, path, env, problems);
  if (Array.isArray(value)) return value.map((item, index) => expand(item, [...path, String(index)], env, problems));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      // 'cache:' with every line below it commented out is as good as absent.
      .filter(([, item]) => item !== null)
      .map(([name, item]) => [expandText(name, path, env, problems), expand(item, [...path, name], env, problems)]),
  );
}

function expandText(text: string, path: readonly string[], env: Environment, problems: string[]): string {
  return text.replaceAll(/\u{E000}(\$?)(\w+)\u{E001}/gu, (_, escaped: string, name: string) => {
    if (escaped !== '') return `\${${name}}`;
    const value = env[name];
    if (value === undefined) {
      problems.push(`${path.join('.')}: the environment has no variable ${name}, which the file refers to`);
    }
    return value ?? `\${${name}}`;
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
