// Query parameters that several operations read.
import { S3Error } from './errors.ts';

type Query = ReadonlyMap<string, string>;

/** The default where absent or empty; InvalidArgument where it is no whole number within the bounds. */
export function numberParameter(
  query: Query,
  name: string,
  options: { readonly fallback: number; readonly min?: number; readonly max?: number },
): number {
  const text = query.get(name);
  if (text === undefined || text === '') return options.fallback;
  const { min = 0, max = 2 ** 31 - 1 } = options;
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) {
    throw invalidArgument(name, text, `Argument ${name} must be an integer between ${min} and ${max}`);
  }
  return value;
}

export const PART_NUMBER_MAX = 10_000;

export function partNumberParameter(query: Query): number | undefined {
  const text = query.get('partNumber');
  if (text === undefined) return undefined;
  const value = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= 1 && value <= PART_NUMBER_MAX)) {
    throw invalidArgument('partNumber', text, 'Part number must be an integer between 1 and 10000, inclusive');
  }
  return value;
}

export function requiredPartNumber(query: Query): number {
  const partNumber = partNumberParameter(query);
  if (partNumber === undefined) {
    throw invalidArgument('partNumber', '', 'This operation needs a part number beside the upload ID.');
  }
  return partNumber;
}

export function versionIdParameter(query: Query): string | undefined {
  const versionId = query.get('versionId');
  if (versionId === '') throw invalidArgument('versionId', '', 'Version id cannot be the empty string');
  return versionId;
}

/** Empty is absent, as clients send it. */
export function textParameter(query: Query, name: string): string | undefined {
  return query.get(name) || undefined;
}

export function invalidArgument(name: string, value: string, message?: string): S3Error {
  return new S3Error('InvalidArgument', message, { details: { ArgumentName: name, ArgumentValue: value } });
}
