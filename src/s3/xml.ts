// XML in and out, through xml2js. In: bounded, without DOCTYPE and entities, namespaces ignored, whitespace between
// elements ignored. Out: S3's documents, one line each.
//
// XML 1.0 cannot carry most control characters, not even as references, and parsers die of them. A key that has them
// is told exactly under encoding-type=url; without it each such character shows as U+FFFD, so that the rest of the
// listing stays readable.
import { Builder, Parser } from 'xml2js';
import { S3Error } from './errors.ts';

const S3_NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';
export const XML_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';

type XmlValue = string | number | boolean | XmlObject | readonly XmlValue[] | undefined;
export interface XmlObject {
  readonly [name: string]: XmlValue;
}

/** A document: its root's name, what is in it, and the root's attributes. */
export interface XmlDocument {
  readonly root: string;
  readonly content: XmlObject | string;
  /** Default: S3's namespace. */
  readonly namespace?: string | undefined;
}

/** Attributes of an element are under this name. */
export const ATTRIBUTES = '$';

const builder = new Builder({ headless: true, renderOpts: { pretty: false } });

/** Without the declaration. Elements whose value is undefined are left out. */
export function renderXml(document: XmlDocument): string {
  const { namespace = S3_NAMESPACE, content } = document;
  const attributes = namespace === '' ? {} : { [ATTRIBUTES]: { xmlns: namespace } };
  const body = typeof content === 'string' ? { _: legal(content) } : prune(content);
  return builder.buildObject({ [document.root]: { ...attributes, ...body } });
}

type Pruned = string | Pruned[] | { [name: string]: Pruned };

function prune(object: XmlObject): { [name: string]: Pruned } {
  return Object.fromEntries(
    Object.entries(object).flatMap(([name, value]) => {
      const pruned = pruneValue(value);
      return pruned === undefined ? [] : [[name, pruned]];
    }),
  );
}

function pruneValue(value: XmlValue): Pruned | undefined {
  if (value === undefined) return undefined;
  if (isList(value)) return value.map(pruneValue).filter((item) => item !== undefined);
  return typeof value === 'object' ? prune(value) : legal(String(value));
}

function isList(value: XmlValue): value is readonly XmlValue[] {
  return Array.isArray(value);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the very characters that XML 1.0 excludes, lone surrogates too
const ILLEGAL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ud800-\udfff\ufffe\uffff]/gu;

function legal(text: string): string {
  return text.replace(ILLEGAL, '\ufffd');
}

/** An element as it was parsed: text, or children by name, each name with all its elements in order. */
export class XmlElement {
  readonly #value: unknown;

  constructor(value: unknown) {
    this.#value = value;
  }

  /** The text, as it stands. */
  get text(): string {
    if (typeof this.#value === 'string') return this.#value;
    if (isRecord(this.#value) && typeof this.#value._ === 'string') return this.#value._;
    return '';
  }

  all(name: string): XmlElement[] {
    if (!isRecord(this.#value) || !Object.hasOwn(this.#value, name)) return [];
    const found = this.#value[name];
    return (Array.isArray(found) ? found : [found]).map((value) => new XmlElement(value));
  }

  first(name: string): XmlElement | undefined {
    return this.all(name)[0];
  }

  names(): string[] {
    return isRecord(this.#value) ? Object.keys(this.#value).filter((name) => name !== ATTRIBUTES && name !== '_') : [];
  }

  attribute(name: string): string | undefined {
    const attributes = isRecord(this.#value) ? this.#value[ATTRIBUTES] : undefined;
    const value = isRecord(attributes) ? attributes[name] : undefined;
    return typeof value === 'string' ? value : undefined;
  }
}

export interface XmlLimits {
  readonly maxDepth: number;
  readonly maxElements: number;
}

const DEFAULT_LIMITS: XmlLimits = { maxDepth: 12, maxElements: 60_000 };

/** The root, which must be named `root`. Throws MalformedXML. */
export async function parseXml(bytes: Buffer, root: string, limits: XmlLimits = DEFAULT_LIMITS): Promise<XmlElement> {
  const text = decodeUtf8(bytes);
  // Entities can only be declared in a DOCTYPE; S3 documents have none.
  if (/<!(DOCTYPE|ENTITY)/i.test(text)) throw new S3Error('MalformedXML');
  checkShape(text, limits);
  const document = await parse(text);
  if (!isRecord(document) || !Object.hasOwn(document, root)) throw new S3Error('MalformedXML');
  return new XmlElement(document[root]);
}

/** xml2js recurses over nothing but keeps everything: what it is given is counted first. */
function checkShape(text: string, limits: XmlLimits): void {
  let depth = 0;
  let elements = 0;
  for (const [tag] of text.matchAll(/<[^!?<>][^<>]*>/g)) {
    if (tag.startsWith('</')) depth -= 1;
    else {
      elements += 1;
      if (!tag.endsWith('/>')) depth += 1;
    }
    if (depth > limits.maxDepth || elements > limits.maxElements) throw new S3Error('MalformedXML');
  }
}

async function parse(text: string): Promise<unknown> {
  const parser = new Parser({ tagNameProcessors: [withoutPrefix], attrNameProcessors: [withoutPrefix] });
  try {
    return await parser.parseStringPromise(text);
  } catch (cause) {
    throw new S3Error('MalformedXML', undefined, { cause });
  }
}

function withoutPrefix(name: string): string {
  const local = name.slice(name.indexOf(':') + 1);
  // Names that every object has are not names of S3 elements; xml2js would mix them up with its own.
  return local in Object.prototype ? `_${local}` : local;
}

function decodeUtf8(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new S3Error('MalformedXML', undefined, { cause });
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
