// The effective configuration: flags over environment over file over defaults, checked as a whole. Everything that is
// wrong is told at once.
import { existsSync } from 'node:fs';
import { parse as parseYaml } from 'yaml';
import { type Config, SETTINGS } from '../config.ts';
import { completeConfig } from './complete-config.ts';
import { type Environment, readConfigFile } from './config-file.ts';
import { nearestName } from './nearest-name.ts';
import { sectionSchema } from './section-schema.ts';
import { listSettings, type NamedSetting } from './setting-list.ts';

export interface ConfigSources {
  /** Default: DFSTORE_CONFIG, else dfstore.yaml where there is one. */
  readonly file?: string | undefined;
  /** By a setting's path. */
  readonly flags?: Readonly<Record<string, string>> | undefined;
  readonly env: Environment;
}

export interface LoadedConfig {
  readonly config: Config;
  /** The file that was read. */
  readonly file: string | undefined;
  readonly warnings: readonly string[];
}

export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`The configuration cannot be used:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.problems = problems;
  }
}

export const NAMED_SETTINGS: readonly NamedSetting[] = listSettings(SETTINGS);

const DEFAULT_FILE = 'dfstore.yaml';
const schema = sectionSchema(SETTINGS);

/** Throws ConfigError. */
export function loadConfig(sources: ConfigSources): LoadedConfig {
  const problems: string[] = [];
  const file =
    sources.file ?? nonEmpty(sources.env.DFSTORE_CONFIG) ?? (existsSync(DEFAULT_FILE) ? DEFAULT_FILE : undefined);
  const raw = file === undefined ? {} : readConfigFile(file, sources.env, problems);
  const overlay = overlayOf(sources, problems);
  const parsed = schema.safeParse(withOverlay(raw, overlay));
  for (const { path, message } of parsed.error?.issues ?? []) {
    const place = path.join('.');
    const source = overlay.find((override) => override.path === place || place.startsWith(`${override.path}.`))?.source;
    const label = place === '' ? 'the configuration' : place;
    // A variable that is not set is one mistake, not two.
    if (problems.some((problem) => problem.startsWith(`${label}:`))) continue;
    problems.push(`${label}${source === undefined ? '' : ` (from ${source})`}: ${message}`);
  }
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems);
  const config = completeConfig(parsed.data, problems);
  if (problems.length > 0) throw new ConfigError(problems);
  return { config, file, warnings: warningsOf(sources.env) };
}

interface Override {
  readonly path: string;
  readonly value: unknown;
  /** The flag's or variable's name. */
  readonly source: string;
}

function overlayOf({ flags = {}, env }: ConfigSources, problems: string[]): Override[] {
  return NAMED_SETTINGS.flatMap((named) => {
    const [text, source] =
      flags[named.path] === undefined ? [env[named.env], named.env] : [flags[named.path], named.flag];
    // An empty variable is as good as none: compose files and charts set such.
    if (text === undefined || (text === '' && source === named.env)) return [];
    return [{ path: named.path, value: parseOverride(named, text, source, problems), source }];
  });
}

function parseOverride({ setting }: NamedSetting, text: string, source: string, problems: string[]): unknown {
  if (setting.unit !== 'structure') return text;
  try {
    return parseYaml(text);
  } catch (error) {
    problems.push(`${source} is neither YAML nor JSON: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

/** What is in the way of an override and not a section stays, to be refused by the schema. */
function withOverlay(raw: unknown, overlay: readonly Override[]): unknown {
  return overlay.reduce((tree, { path, value }) => withValue(tree, path.split('.'), value), raw);
}

function withValue(tree: unknown, [name, ...rest]: readonly string[], value: unknown): unknown {
  if (name === undefined) return value;
  if (tree !== undefined && tree !== null && (typeof tree !== 'object' || Array.isArray(tree))) return tree;
  const section: Record<string, unknown> = { ...tree };
  return { ...section, [name]: withValue(section[name], rest, value) };
}

/** Only what looks like a mistyped setting: Kubernetes fills the environment with DFSTORE_PORT and the like. */
function warningsOf(env: Environment): string[] {
  const known = ['DFSTORE_CONFIG', ...NAMED_SETTINGS.map((named) => named.env)];
  return Object.keys(env)
    .filter((name) => name.startsWith('DFSTORE_') && !known.includes(name))
    .flatMap((name) => {
      const nearest = nearestName(
        name.slice(8),
        known.map((knownName) => knownName.slice(8)),
      );
      return nearest === undefined
        ? []
        : [`The environment variable ${name} is not a setting; did you mean DFSTORE_${nearest}?`];
    });
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
