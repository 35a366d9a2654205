// The settings' table as a list: what each setting is called in the file, on the command line and in the environment.
import { isSetting, type Setting, type Settings } from './setting.ts';

export interface NamedSetting {
  /** In the file, like limits.headerBytes. */
  readonly path: string;
  /** Like --limits-header-bytes. */
  readonly flag: string;
  /** Like DFSTORE_LIMITS_HEADER_BYTES. */
  readonly env: string;
  readonly setting: Setting<unknown>;
}

export function listSettings(table: Settings, section: readonly string[] = []): NamedSetting[] {
  return Object.entries(table).flatMap(([name, entry]) => {
    const names = [...section, name];
    return isSetting(entry) ? [named(names, entry)] : listSettings(entry, names);
  });
}

function named(names: readonly string[], setting: Setting<unknown>): NamedSetting {
  const words = names.flatMap(wordsOf);
  return {
    path: names.join('.'),
    flag: `--${words.join('-')}`,
    env: setting.env ?? `DFSTORE_${words.join('_').toUpperCase()}`,
    setting,
  };
}

/** requestsPerKey → requests per key; allowSigV2 → allow sig v2. */
function wordsOf(name: string): string[] {
  return name.split(/(?=[A-Z])/).map((word) => word.toLowerCase());
}
