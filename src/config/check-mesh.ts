// What of the mesh's settings must fit together, before anything listens.
import { isIP } from 'node:net';
import type { SETTINGS } from '../config.ts';
import type { ConfigOf } from './setting.ts';
import { type Address, formatAddress, parseAddress } from './units.ts';

type Mesh = ConfigOf<typeof SETTINGS>['mesh'];
type Refuse = (wrong: boolean, problem: string) => void;

const KINDS = 'static, dns, redis or lan: true';
const SHORTEST_SECRET = 16;
const SMALLEST_BODY = 64 * 1024;
const EVERYWHERE: readonly string[] = ['0.0.0.0', '::'];
const WAITS = [
  ...(['skew', 'refresh', 'membersTimeout', 'connectTimeout', 'handshakeTimeout', 'headersTimeout'] as const),
  ...(['linesTimeout', 'bytesTimeout', 'silenceTimeout', 'heartbeat', 'patience', 'silence', 'progress'] as const),
];

export function checkMesh(
  { mesh, cache }: Pick<ConfigOf<typeof SETTINGS>, 'mesh' | 'cache'>,
  problems: string[],
): void {
  const refuse: Refuse = (wrong, problem) => {
    if (wrong) problems.push(problem);
  };
  if (mesh.listen === undefined) {
    refuseUnused(mesh, refuse);
    return;
  }
  refuse(
    !cache.enabled,
    'mesh.listen: a gateway with cache.enabled false has nothing to share, and its writes would leave old answers with the others; switch the cache on, or leave mesh.listen out',
  );
  checkIdentity(mesh.listen, mesh.advertise, refuse);
  checkMembers(mesh, mesh.listen, refuse);
  checkTrust(mesh, refuse);
  checkTimes(mesh, refuse);
}

/** Nobody shall rely on a mesh that is not there. */
function refuseUnused({ advertise, members, secret, tls }: Mesh, refuse: Refuse): void {
  const names = { advertise, members, secret, 'tls.cert': tls.cert, 'tls.key': tls.key, 'tls.ca': tls.ca };
  for (const [name, value] of Object.entries(names)) {
    refuse(
      value !== undefined,
      `mesh.${name}: without mesh.listen there is no mesh; set it, like 0.0.0.0:9002, or remove this`,
    );
  }
}

function checkIdentity(listen: Address, advertise: Address | undefined, refuse: Refuse): void {
  if (advertise === undefined) {
    refuse(
      EVERYWHERE.includes(listen.host),
      `mesh.advertise: others cannot reach ${listen.host}; name the address at which they reach this gateway, like 10.0.0.7:9002`,
    );
    return;
  }
  refuse(
    EVERYWHERE.includes(advertise.host) || advertise.port === 0,
    `mesh.advertise: nobody can reach ${formatAddress(advertise)}; name the host and port at which others reach this gateway`,
  );
  refuse(
    !/^[A-Za-z0-9._:-]{1,253}$/.test(advertise.host),
    `mesh.advertise: '${advertise.host}' is neither a host name nor an IP address`,
  );
  refuse(
    listen.port === 0,
    'mesh.listen: port 0 takes any free port, which mesh.advertise cannot name; name a port, or leave mesh.advertise out',
  );
}

function checkMembers(mesh: Mesh, listen: Address, refuse: Refuse): void {
  const { static: listed, dns, redis, lan } = mesh.members ?? {};
  const kinds = Object.entries({ static: listed, dns, redis, lan })
    .filter(([, value]) => value !== undefined && value !== false)
    .map(([name]) => name);
  refuse(kinds.length === 0, `mesh.members: say how gateways find each other: ${KINDS}`);
  refuse(kinds.length > 1, `mesh.members: ${kinds.join(' and ')} exclude each other; keep one of ${KINDS}`);
  if (listed !== undefined) checkStatic(listed, mesh, listen, refuse);
  if (dns !== undefined) checkDns(dns, mesh, listen, refuse);
  if (redis !== undefined) {
    const url = URL.canParse(redis) ? new URL(redis) : undefined;
    refuse(
      url === undefined || !['redis:', 'rediss:'].includes(url.protocol) || url.hostname === '',
      'mesh.members.redis: must be a URL like redis://host:6379 or rediss://user:password@host:6379/0',
    );
  }
}

/** A name gives addresses, each with the one port: a tracker has to be called like that. */
function checkDns(dns: string, { advertise, role }: Mesh, listen: Address, refuse: Refuse): void {
  const named = addressOf(dns);
  refuse(named === undefined, `mesh.members.dns: '${dns}' is not a name with a port, like dfstore-mesh:9002`);
  const own = advertise ?? listen;
  if (named === undefined || role === 'peer' || own.port === 0 || EVERYWHERE.includes(own.host)) return;
  refuse(
    isIP(own.host) === 0,
    `mesh.advertise: must have the IP address that ${named.host} gives for this gateway, and not the name ${own.host}`,
  );
  refuse(
    own.port !== named.port,
    `mesh.members.dns: says port ${named.port}, and this gateway is reached at port ${own.port}; all have the same port`,
  );
}

function checkStatic(listed: readonly string[], mesh: Mesh, listen: Address, refuse: Refuse): void {
  refuse(listed.length === 0, 'mesh.members.static: must name at least one gateway');
  for (const entry of listed) {
    refuse(addressOf(entry) === undefined, `mesh.members.static: '${entry}' is not an address like 10.0.0.7:9002`);
  }
  const own = mesh.advertise ?? listen;
  // Not known yet, or refused already.
  if (own.port === 0 || EVERYWHERE.includes(own.host)) return;
  const self = formatAddress(own);
  const named = listed.includes(self);
  refuse(
    mesh.role !== 'peer' && !named,
    `mesh.members.static: does not name this gateway, ${self}; every gateway has the same list, with each as others reach it (mesh.advertise)`,
  );
  refuse(
    mesh.role === 'peer' && named,
    `mesh.members.static: names this gateway, ${self}, whose mesh.role is peer; the list is of trackers and seeds`,
  );
}

function checkTrust({ secret, tls }: Mesh, refuse: Refuse): void {
  const missing = (['cert', 'key', 'ca'] as const).filter((name) => tls[name] === undefined);
  const secure = missing.length < 3;
  refuse(secure && missing.length > 0, `mesh.tls: cert, key and ca belong together; ${missing.join(', ')} missing`);
  refuse(
    secret === undefined && !secure,
    'mesh.secret: gateways must prove themselves to each other; set a secret (DFSTORE_MESH_SECRET), or mesh.tls with cert, key and ca',
  );
  refuse(
    secret !== undefined && secret.length < SHORTEST_SECRET,
    `mesh.secret: must have at least ${SHORTEST_SECRET} characters; \`openssl rand -hex 32\` makes one`,
  );
}

function checkTimes(mesh: Mesh, refuse: Refuse): void {
  for (const name of WAITS) refuse(mesh[name] === 0, `mesh.${name}: must not be 0`);
  refuse(
    mesh.silenceTimeout < 2 * mesh.heartbeat,
    'mesh.silenceTimeout: must be at least twice mesh.heartbeat, or a living gateway is taken for a dead one',
  );
  refuse(
    mesh.memberTtl < 3 * mesh.refresh,
    'mesh.memberTtl: must be at least three times mesh.refresh, or living gateways lapse from the list',
  );
  refuse(
    mesh.silence < 3 * mesh.progress,
    'mesh.silence: must be at least three times mesh.progress: pieces that come slowly are told of at every second one only',
  );
  refuse(mesh.maxBody < SMALLEST_BODY, 'mesh.maxBody: must be at least 64KiB');
}

/** With a port that can be connected to. */
function addressOf(text: string): Address | undefined {
  try {
    const address = parseAddress(text);
    return address.port === 0 ? undefined : address;
  } catch {
    return undefined;
  }
}
