// Which running gateway a command is about: the one named by --admin, else the one that the configuration describes.
import type { Command } from 'commander';
import { type ConfigSources, loadConfig } from '../config/load-config.ts';
import { reachableUrl } from '../config/units.ts';
import type { AdminAddress } from './admin-client.ts';
import { UsageError } from './usage-error.ts';

export function addAdminFlags(command: Command): void {
  command
    .option('-a, --admin <url>', "the gateway's admin port, like http://127.0.0.1:9001; else as its configuration says")
    .option('-c, --config <file>', 'its configuration file (DFSTORE_CONFIG; else dfstore.yaml where there is one)')
    .option('--token <token>', 'its admin token (DFSTORE_ADMIN_TOKEN keeps it out of the list of processes)')
    .option('--json', 'print JSON, for programs');
}

export interface AdminFlags {
  readonly address: AdminAddress;
  readonly json: boolean;
}

/** Throws UsageError, and ConfigError where the configuration is what names the gateway. */
export function adminFlagsOf(command: Command): AdminFlags {
  const { admin, config, token, json } = command.opts<{
    admin?: string;
    config?: string;
    token?: string;
    json?: boolean;
  }>();
  const given = token ?? nonEmpty(process.env.DFSTORE_ADMIN_TOKEN);
  const address = admin === undefined ? configured(config, given) : { url: parseUrl(admin), token: given };
  return { address, json: json === true };
}

function configured(file: string | undefined, token: string | undefined): AdminAddress {
  const sources: ConfigSources = { file, env: process.env };
  const { admin } = loadConfig(sources).config;
  return { url: new URL(reachableUrl('http', admin.listen)), token: token ?? admin.token };
}

/** 'host:port' is an http URL. */
function parseUrl(text: string): URL {
  const url = text.includes('://') ? text : `http://${text}`;
  if (/^https?:/i.test(url) && URL.canParse(url)) return new URL(url);
  throw new UsageError(`--admin: '${text}' is not a URL; write it like http://127.0.0.1:9001.`);
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
