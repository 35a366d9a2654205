// From a table of settings to the zod schema of its section: missing sections are filled with defaults, unknown names
// are refused with the nearest known one.
import { z } from 'zod';
import { nearestName } from './nearest-name.ts';
import { type ConfigOf, isSetting, type Settings } from './setting.ts';

export function sectionSchema<Table extends Settings>(table: Table): z.ZodType<ConfigOf<Table>> {
  const schema: z.ZodType<unknown> = knownNamesOnly(shapeOf(table)).prefault({});
  return schema as z.ZodType<ConfigOf<Table>>;
}

/** The rows' schemas by name; sections become schemas of their own. */
export function shapeOf(table: Settings): Record<string, z.ZodType<unknown>> {
  return Object.fromEntries(
    Object.entries(table).map(([name, entry]) => [name, isSetting(entry) ? entry.schema : sectionSchema(entry)]),
  );
}

/** An object whose unknown names are refused in a sentence. */
export function knownNamesOnly<Shape extends z.core.$ZodLooseShape>(shape: Shape): z.ZodObject<Shape, z.core.$strict> {
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((name) => describeUnknown(name, Object.keys(shape))).join('; ')
        : 'must be a map of settings',
  });
}

function describeUnknown(name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known);
  return nearest === undefined
    ? `'${name}' is not a setting here; known are ${known.join(', ')}`
    : `'${name}' is not a setting here; did you mean '${nearest}'?`;
}
