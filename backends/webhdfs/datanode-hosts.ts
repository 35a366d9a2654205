// To which hosts a namenode may send the gateway for bytes: those the configuration names. Without a list these are the
// namenodes' own hosts, which is right for a single machine and refuses, with a sentence, everything else.
import { BlockList, isIP } from 'node:net';
import { BackendError } from '../backend.ts';

export class DatanodeHosts {
  readonly #matchers: readonly ((host: string, port: string) => boolean)[];

  /**
   * 'host', 'host:port', a glob ('*.dn.example.com': '*' is one label or part of one) or a CIDR ('10.0.0.0/8'), which
   * matches addresses and is never asked of DNS.
   */
  constructor(patterns: readonly string[]) {
    this.#matchers = patterns.map((pattern) => (pattern.includes('/') ? cidrMatcher(pattern) : hostMatcher(pattern)));
  }

  /** The URL to ask, from a Location. Rejects with Misconfigured when it leads elsewhere. */
  resolve(location: string, namenode: URL): URL {
    if (!URL.canParse(location, namenode.href)) {
      throw new BackendError('Internal', 'The namenode answered without a usable Location.');
    }
    const url = new URL(location, namenode);
    const isPlain = /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
    if (!isPlain || (namenode.protocol === 'https:' && url.protocol !== 'https:')) {
      throw new BackendError('Misconfigured', `The namenode sends the gateway to ${url.protocol}//; not followed.`);
    }
    const host = bare(url.hostname);
    if (!this.#matchers.some((matches) => matches(host, effectivePort(url)))) {
      throw new BackendError(
        'Misconfigured',
        `The namenode sends the gateway to ${url.host}, which is not followed: add it to 'datanodes' to allow it.`,
      );
    }
    return url;
  }
}

function hostMatcher(pattern: string): (host: string, port: string) => boolean {
  const match = /^(\[[^\]]+\]|[^:]+)(?::(\d+))?$/.exec(pattern);
  if (match?.[1] === undefined) {
    throw new BackendError('Misconfigured', `'${pattern}' in 'datanodes' is no host, host:port, glob or CIDR.`);
  }
  const wanted = globExpression(bare(match[1].toLowerCase()));
  const wantedPort = match[2];
  return (host, port) => wanted.test(host) && (wantedPort === undefined || wantedPort === port);
}

function cidrMatcher(pattern: string): (host: string) => boolean {
  const [address = '', bits = ''] = pattern.split('/');
  const version = isIP(address);
  if (version === 0 || !/^\d{1,3}$/.test(bits) || Number(bits) > (version === 4 ? 32 : 128)) {
    throw new BackendError('Misconfigured', `'${pattern}' in 'datanodes' is no CIDR such as 10.0.0.0/8.`);
  }
  const addresses = new BlockList();
  addresses.addSubnet(address, Number(bits), version === 4 ? 'ipv4' : 'ipv6');
  return (host) => isIP(host) !== 0 && addresses.check(host, isIP(host) === 4 ? 'ipv4' : 'ipv6');
}

function globExpression(pattern: string): RegExp {
  const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('[^.]*')}$`);
}

function bare(host: string): string {
  return host.replace(/^\[|\]$/g, '');
}

function effectivePort(url: URL): string {
  return url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
}
