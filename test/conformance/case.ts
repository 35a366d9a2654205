// A conformance case as data: requests in order and what S3 answers to each. `{b}` in a request is the case's own bucket,
// `{name}` what an earlier step saved.
import { expect } from 'vitest';
import type { Credential } from '../../src/s3/auth/credentials.ts';
import { type RawAnswer, sendRaw } from '../support/signed-request.ts';

type Who = 'main' | 'alt' | 'tenant' | 'nobody';

export interface Step {
  /** 'PUT /{b}/key?acl' */
  readonly send: string;
  /** Default main. */
  readonly as?: Who;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  readonly status: number;
  /** Of the error. */
  readonly code?: string;
  /** Headers of the answer; null: it must not be there. */
  readonly has?: Readonly<Record<string, string | RegExp | null>>;
  /** The texts of all elements of each name, in order. */
  readonly elements?: Readonly<Record<string, readonly string[]>>;
  readonly text?: string | RegExp;
  /** Kept for later steps: the text of an element, or a header. */
  readonly save?: Readonly<Record<string, { readonly element: string } | { readonly header: string }>>;
}

export interface Case {
  readonly name: string;
  readonly steps: readonly Step[];
  /** Undefined: it passes. Else it must fail, for this reason. */
  readonly deviates?: string;
}

export interface CaseWorld {
  readonly port: number;
  readonly credentials: Readonly<Record<Exclude<Who, 'nobody'>, Credential>>;
}

/** Rejects where an answer is not what the case says. */
export async function runCase({ steps }: Case, bucket: string, world: CaseWorld): Promise<void> {
  const saved = new Map([['b', bucket]]);
  const filled = (text: string) => text.replace(/\{(\w+)\}/g, (whole, name) => saved.get(name) ?? whole);
  for (const step of steps) {
    const [method = '', path = ''] = filled(step.send).split(' ');
    const { as = 'main' } = step;
    const answer = await sendRaw(world.port, {
      method,
      path,
      credential: as === 'nobody' ? null : world.credentials[as],
      headers: Object.fromEntries(Object.entries(step.headers ?? {}).map(([name, value]) => [name, filled(value)])),
      body: typeof step.body === 'string' ? filled(step.body) : (step.body ?? ''),
    });
    check(step, answer);
    for (const [name, from] of Object.entries(step.save ?? {})) {
      const value = 'element' in from ? answer.element(from.element) : answer.headers[from.header];
      saved.set(name, unescaped(value ?? ''));
    }
  }
}

function check(step: Step, answer: RawAnswer): void {
  const about = `${step.as ?? 'main'}: ${step.send}`;
  expect([about, answer.status, answer.element('Code')]).toEqual([about, step.status, step.code]);
  for (const [name, value] of Object.entries(step.has ?? {})) {
    const got = answer.headers[name];
    if (value === null) expect([about, name, got]).toEqual([about, name, undefined]);
    else
      expect([about, name, got]).toEqual([
        about,
        name,
        typeof value === 'string' ? value : expect.stringMatching(value),
      ]);
  }
  for (const [name, texts] of Object.entries(step.elements ?? {})) {
    const found = [...answer.text.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, 'g'))];
    expect([about, name, found.map(([, text = '']) => unescaped(text))]).toEqual([about, name, texts]);
  }
  if (typeof step.text === 'string') expect(answer.text).toBe(step.text);
  else if (step.text !== undefined) expect(answer.text).toMatch(step.text);
}

function unescaped(text: string): string {
  return text
    .replace(/&quot;/g, '"')
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&amp;/g, '&');
}

/** Steps that put objects of these keys, each holding its key. */
export function objects(...keys: readonly string[]): Step[] {
  return keys.map((key) => ({ send: `PUT /{b}/${key}`, body: decodeURIComponent(key), status: 200 }));
}
