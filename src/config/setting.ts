// What a row of the settings' table is, and the kinds of rows there are. A value may come as YAML gives it or as the
// text of a flag or an environment variable; parsed, durations are milliseconds and sizes are bytes.
import { z } from 'zod';
import { parseAddress, parseDuration, parseSize } from './units.ts';

export interface Setting<Value> {
  readonly isSetting: true;
  readonly schema: z.ZodType<Value>;
  readonly unit: 'text' | 'path' | 'address' | 'duration' | 'size' | 'count' | 'boolean' | 'choice' | 'structure';
  readonly help: string;
  /** As one would write it; absent where there is none. */
  readonly default?: string | undefined;
  /** In place of the name that follows from the path. */
  readonly env?: string | undefined;
  /** Never shown. */
  readonly secret?: boolean | undefined;
}

/** Rows, or sections of rows. */
export interface Settings {
  readonly [name: string]: Setting<unknown> | Settings;
}

/** The parsed config that a table of settings describes. */
export type ConfigOf<Table> =
  Table extends Setting<infer Value> ? Value : { readonly [Name in keyof Table]: ConfigOf<Table[Name]> };

interface More {
  readonly env?: string;
  readonly secret?: boolean;
}

export function isSetting(entry: Setting<unknown> | Settings): entry is Setting<unknown> {
  return entry.isSetting === true;
}

export function path(defaultValue: string, help: string): Setting<string> {
  return row('path', z.string().min(1).prefault(defaultValue), help, { default: defaultValue });
}

export function optionalPath(help: string): Setting<string | undefined> {
  return row('path', z.string().min(1).optional(), help);
}

export function text(defaultValue: string, help: string): Setting<string> {
  return row('text', textSchema.prefault(defaultValue), help, { default: defaultValue });
}

export function requiredText(help: string, more: More = {}): Setting<string> {
  return row('text', textSchema, help, more);
}

export function optionalText(help: string, more: More = {}): Setting<string | undefined> {
  return row('text', textSchema.optional(), help, more);
}

export function address(defaultValue: string, help: string): Setting<ReturnType<typeof parseAddress>> {
  return row('address', addressSchema.prefault(defaultValue), help, { default: defaultValue });
}

export function optionalAddress(help: string): Setting<ReturnType<typeof parseAddress> | undefined> {
  return row('address', addressSchema.optional(), help);
}

/** A time that something is waited for. */
export function duration(defaultValue: string, help: string): Setting<number> {
  return row('duration', waitSchema.prefault(defaultValue), help, { default: defaultValue });
}

/** A time that may have passed; nothing waits for it, so that it may be any. */
export function age(defaultValue: string, help: string): Setting<number> {
  return row('duration', durationSchema.prefault(defaultValue), help, { default: defaultValue });
}

export function size(defaultValue: string, help: string): Setting<number> {
  return row('size', sizeSchema.prefault(defaultValue), help, { default: defaultValue });
}

export function count(defaultValue: number, help: string, minimum = 1): Setting<number> {
  return row('count', countSchema(minimum).prefault(defaultValue), help, { default: String(defaultValue) });
}

export function flag(defaultValue: boolean, help: string): Setting<boolean> {
  return row('boolean', booleanSchema.prefault(defaultValue), help, { default: String(defaultValue) });
}

export function choice<const Names extends readonly [string, ...string[]]>(
  names: Names,
  defaultValue: Names[number],
  help: string,
): Setting<Names[number]> {
  const schema = z.enum(names, `must be one of ${names.join(', ')}`).prefault(defaultValue);
  return row('choice', schema, `${help} (${names.join(', ')})`, { default: defaultValue });
}

/** Lists and maps; flags and environment variables give them as YAML or JSON. */
export function structure<Value>(schema: z.ZodType<Value>, help: string, more: More = {}): Setting<Value> {
  return row('structure', schema, help, more);
}

function row<Value>(
  unit: Setting<Value>['unit'],
  schema: z.ZodType<Value>,
  help: string,
  more: More & { default?: string } = {},
): Setting<Value> {
  return { isSetting: true, unit, schema, help, ...more };
}

/** YAML reads an unquoted 0123 as a number; texts that look like numbers must be quoted, so that none is altered. */
export const textSchema = z.string('must be text (put it in quotes)').min(1, 'must not be empty');

const durationSchema = unitSchema(parseDuration);
/** Timers count milliseconds in 31 bits; one that is set to more fires at once. */
const waitSchema = durationSchema.refine((milliseconds) => milliseconds < 2 ** 31, 'must be at most 24 days');
export const sizeSchema = unitSchema(parseSize);
const addressSchema = unitSchema(parseAddress);

const booleanSchema = z
  .union([z.boolean(), z.enum(['true', 'false'])], 'must be true or false')
  .transform((raw) => raw === true || raw === 'true');

function countSchema(minimum: number): z.ZodType<number, unknown> {
  const message = `must be a whole number from ${minimum} up`;
  return z
    .union([z.number(), z.string().regex(/^\d+$/).transform(Number)], message)
    .refine((value) => Number.isSafeInteger(value) && value >= minimum, message);
}

function unitSchema<Value>(parse: (text: string) => Value): z.ZodType<Value, unknown> {
  return z.union([z.string(), z.number()], 'must be a single value').transform((raw, context) => {
    try {
      return parse(String(raw));
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
      return z.NEVER;
    }
  });
}
