// Every setting as a flag, grouped by its section in --help.
import { type Command, Option } from 'commander';
import { type ConfigSources, type LoadedConfig, loadConfig, NAMED_SETTINGS } from '../config/load-config.ts';
import type { NamedSetting } from '../config/setting-list.ts';

const VALUE_NAMES: Readonly<Record<NamedSetting['setting']['unit'], string>> = {
  text: '<text>',
  path: '<path>',
  address: '<host:port>',
  duration: '<duration>',
  size: '<size>',
  count: '<number>',
  boolean: '[true|false]',
  choice: '<name>',
  structure: '<yaml>',
};

export function addConfigFlags(command: Command): void {
  command.optionsGroup('Configuration file:');
  command.option('-c, --config <file>', 'configuration file (DFSTORE_CONFIG; else dfstore.yaml where there is one)');
  let section = '';
  for (const named of NAMED_SETTINGS) {
    const [first = '', second] = named.path.split('.');
    const group = second === undefined ? 'Gateway' : first;
    if (group !== section) command.optionsGroup(`${group === 'Gateway' ? group : `Section ${group}`}:`);
    section = group;
    command.addOption(optionOf(named));
  }
}

/** What the flags, the environment and the file say together. Throws ConfigError. */
export function configOf(command: Command): LoadedConfig {
  const given: Readonly<Record<string, unknown>> = command.opts();
  const flags = NAMED_SETTINGS.flatMap(({ path, flag }) => {
    const value = given[new Option(flag).attributeName()];
    return value === undefined ? [] : [[path, String(value)]];
  });
  const file = given.config;
  const sources: ConfigSources = {
    file: typeof file === 'string' ? file : undefined,
    flags: Object.fromEntries(flags),
    env: process.env,
  };
  return loadConfig(sources);
}

function optionOf({ flag, env, setting }: NamedSetting): Option {
  const defaultText = setting.default === undefined ? '' : `; default ${setting.default}`;
  return new Option(`${flag} ${VALUE_NAMES[setting.unit]}`, `${setting.help} (${env}${defaultText})`);
}
