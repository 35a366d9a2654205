// docker-compose.yml as compose reads it: variables put in, merges made.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { z } from 'zod';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FILE = `${ROOT}docker-compose.yml`;
/** `${NAME}` with whatever follows the name: a default, a message, or nothing. */
const VARIABLE = /\$\{(\w+)([^}]*)\}/g;

/** What we rely on of a service; the whole is checked against the specification's schema. */
const serviceSchema = z.looseObject({
  environment: z.record(z.string(), z.string()),
  ports: z.array(z.string()).default([]),
  volumes: z.array(z.string()),
  healthcheck: z.looseObject({ test: z.array(z.string()) }),
  depends_on: z.record(z.string(), z.looseObject({ condition: z.string() })).default({}),
});

export type Service = z.infer<typeof serviceSchema>;

export interface ComposeFile {
  /** The whole of it. */
  readonly document: unknown;
  readonly services: Readonly<Record<string, Service>>;
}

/** Each variable that it reads, as `${…}` stands there. */
export function variablesInCompose(): readonly { readonly name: string; readonly rest: string }[] {
  const found = readFileSync(FILE, 'utf8').matchAll(VARIABLE);
  return [...found].map(([, name = '', rest = '']) => ({ name, rest }));
}

export function readCompose(env: Readonly<Record<string, string>>): ComposeFile {
  const text = readFileSync(FILE, 'utf8').replace(VARIABLE, (_, name: string) => env[name] ?? '');
  const document: unknown = parse(text, { merge: true });
  const { services } = z.looseObject({ services: z.record(z.string(), serviceSchema) }).parse(document);
  return { document, services };
}
