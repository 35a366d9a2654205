// A bucket's CORS configuration: read from S3's document, kept as JSON, and which of its rules a request falls under.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/ManageCorsUsing.html
import { S3Error } from '../errors.ts';
import type { XmlDocument, XmlElement } from '../xml.ts';

export interface CorsRule {
  readonly id?: string | undefined;
  readonly allowedOrigins: readonly string[];
  readonly allowedMethods: readonly string[];
  readonly allowedHeaders: readonly string[];
  readonly exposeHeaders: readonly string[];
  readonly maxAgeSeconds?: number | undefined;
}

const MAX_RULES = 100;
const MAX_ID_CHARACTERS = 255;
const METHODS = ['GET', 'PUT', 'POST', 'DELETE', 'HEAD'];
const ELEMENTS = ['ID', 'AllowedOrigin', 'AllowedMethod', 'AllowedHeader', 'ExposeHeader', 'MaxAgeSeconds'];

/** Throws MalformedXML, InvalidRequest. */
export function parseCorsRules(configuration: XmlElement): readonly CorsRule[] {
  const rules = configuration.all('CORSRule');
  if (rules.length === 0 || rules.length > MAX_RULES) throw new S3Error('MalformedXML');
  if (configuration.names().some((name) => name !== 'CORSRule')) throw new S3Error('MalformedXML');
  return rules.map(parseRule);
}

export function corsDocument(rules: readonly CorsRule[]): XmlDocument {
  const CORSRule = rules.map((rule) => ({
    ID: rule.id,
    AllowedMethod: rule.allowedMethods,
    AllowedOrigin: rule.allowedOrigins,
    AllowedHeader: rule.allowedHeaders,
    ExposeHeader: rule.exposeHeaders,
    MaxAgeSeconds: rule.maxAgeSeconds,
  }));
  return { root: 'CORSConfiguration', content: { CORSRule } };
}

/** The first rule that allows all of it. `headers`: lower-case. */
export function ruleFor(
  rules: readonly CorsRule[],
  request: { readonly origin: string; readonly method: string; readonly headers: readonly string[] },
): CorsRule | undefined {
  return rules.find(
    (rule) =>
      rule.allowedMethods.includes(request.method) &&
      rule.allowedOrigins.some((pattern) => matches(pattern, request.origin)) &&
      request.headers.every((header) => rule.allowedHeaders.some((pattern) => matches(pattern.toLowerCase(), header))),
  );
}

/** With at most one '*', which stands for anything, nothing too. */
function matches(pattern: string, text: string): boolean {
  const star = pattern.indexOf('*');
  if (star === -1) return pattern === text;
  const [start, end] = [pattern.slice(0, star), pattern.slice(star + 1)];
  return text.length >= start.length + end.length && text.startsWith(start) && text.endsWith(end);
}

function parseRule(rule: XmlElement): CorsRule {
  if (rule.names().some((name) => !ELEMENTS.includes(name))) throw new S3Error('MalformedXML');
  const id = single(rule, 'ID');
  const allowedOrigins = texts(rule, 'AllowedOrigin');
  const allowedMethods = texts(rule, 'AllowedMethod');
  const allowedHeaders = texts(rule, 'AllowedHeader');
  const exposeHeaders = texts(rule, 'ExposeHeader');
  if (allowedOrigins.length === 0 || allowedMethods.length === 0) throw new S3Error('MalformedXML');
  if (id !== undefined && id.length > MAX_ID_CHARACTERS) throw new S3Error('MalformedXML');
  for (const method of allowedMethods) {
    if (!METHODS.includes(method)) {
      throw invalid(`Found unsupported HTTP method in CORS config. Unsupported method is ${method}`);
    }
  }
  checkStars('AllowedOrigin', allowedOrigins, 1);
  checkStars('AllowedHeader', allowedHeaders, 1);
  checkStars('ExposeHeader', exposeHeaders, 0);
  const maxAgeSeconds = parseMaxAge(single(rule, 'MaxAgeSeconds'));
  return { id, allowedOrigins, allowedMethods, allowedHeaders, exposeHeaders, maxAgeSeconds };
}

function texts(rule: XmlElement, name: string): string[] {
  const found = rule.all(name).map((element) => element.text.trim());
  // What is not visible ASCII can be in no header.
  if (found.some((text) => !/^[\x21-\x7e]+$/.test(text))) throw new S3Error('MalformedXML');
  return found;
}

function single(rule: XmlElement, name: string): string | undefined {
  const [element, ...more] = rule.all(name);
  if (more.length > 0) throw new S3Error('MalformedXML');
  return element?.text.trim() || undefined;
}

function parseMaxAge(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,10}$/.test(text)) throw new S3Error('MalformedXML');
  return Number(text);
}

function checkStars(name: string, values: readonly string[], allowed: number): void {
  const wrong = values.find((value) => value.split('*').length - 1 > allowed);
  if (wrong === undefined) return;
  throw invalid(
    allowed === 0
      ? `${name} "${wrong}" contains wildcard. We currently do not support wildcard for ${name}.`
      : `${name} "${wrong}" can not have more than one wildcard.`,
  );
}

function invalid(message: string): S3Error {
  return new S3Error('InvalidRequest', message);
}
