// The protocol's documents: reading them (xml2js, without any schema) and writing the few that are sent.
import { parseStringPromise } from 'xml2js';
import { BackendError } from '../backend.ts';

/** A parsed element. Text is '' where there is none; numbers and dates are checked where they are read. */
export class XmlElement {
  readonly name: string;
  readonly #children: unknown;

  constructor(name: string, children: unknown) {
    this.name = name;
    this.#children = children;
  }

  /** Of the first child of that name. */
  text(name: string): string | undefined {
    const [first] = this.#named(name);
    return typeof first === 'string' ? first : undefined;
  }

  required(name: string): string {
    const text = this.text(name);
    if (text === undefined) throw malformed(`<${this.name}> lacks <${name}>`);
    return text;
  }

  integer(name: string): number {
    const value = Number(this.required(name));
    if (!Number.isSafeInteger(value) || value < 0) throw malformed(`<${name}> is not a number`);
    return value;
  }

  date(name: string): Date {
    const value = new Date(this.required(name));
    if (Number.isNaN(value.getTime())) throw malformed(`<${name}> is not a date`);
    return value;
  }

  isTrue(name: string): boolean {
    return this.text(name)?.trim().toLowerCase() === 'true';
  }

  all(name: string): readonly XmlElement[] {
    return this.#named(name).map((child) => new XmlElement(name, child));
  }

  #named(name: string): readonly unknown[] {
    if (typeof this.#children !== 'object' || this.#children === null) return [];
    const found: unknown = Reflect.get(this.#children, name);
    return Array.isArray(found) ? found : [];
  }
}

export async function parseXml(text: string): Promise<XmlElement> {
  let parsed: unknown;
  try {
    parsed = await parseStringPromise(withoutOddEntities(text), {
      explicitArray: true,
      ignoreAttrs: true,
      async: false,
    });
  } catch (error) {
    throw malformed('it is not XML', error);
  }
  const [root] = typeof parsed === 'object' && parsed !== null ? Object.entries(parsed) : [];
  if (root === undefined) throw malformed('it is empty');
  return new XmlElement(root[0], root[1]);
}

/** Some servers write control characters as references that XML forbids; the parser takes the characters themselves. */
function withoutOddEntities(text: string): string {
  return text.replace(/&#(x[0-9a-f]+|[0-9]+);/gi, (reference, digits: string) => {
    const code = Number(digits.toLowerCase().startsWith('x') ? `0${digits}` : digits);
    const isMarkup = code === 0x26 || code === 0x3c || code === 0x3e;
    return isMarkup || code > 0x10ffff ? reference : String.fromCodePoint(code);
  });
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

export function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}

/** What XML 1.0 cannot carry or does not carry unchanged: control characters, line ends, lone surrogates. */
export function survivesXml(text: string): boolean {
  return !/[\p{Cc}\p{Surrogate}\u2028\ufffe\uffff]/u.test(text) && text.trim() === text;
}

/** `encoding-type=url` as these origins write it: '+' may stand for a space. */
export function urlDecoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', '%20'));
  } catch (error) {
    throw malformed('a name in it is not URL-encoded', error);
  }
}

function malformed(why: string, cause?: unknown): BackendError {
  return new BackendError('Internal', `The origin's answer cannot be read: ${why}.`, { cause });
}
