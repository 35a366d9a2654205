// Sizes, durations and addresses as an operator writes them. What cannot be read is refused in a sentence.

export interface Address {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
}

const SIZE_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

const DURATION_UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Bytes. A number without a unit is bytes. */
export function parseSize(text: string): number {
  const bytes = scale(text, SIZE_UNITS);
  if (bytes === undefined) throw new Error(`'${text}' is not a size; write it like 4MiB, 50GiB or 1048576`);
  return bytes;
}

/** Milliseconds. Only 0 needs no unit. */
export function parseDuration(text: string): number {
  const milliseconds = text.trim() === '0' ? 0 : scale(text, DURATION_UNITS);
  if (milliseconds === undefined) {
    throw new Error(`'${text}' is not a duration; write it with its unit, like 500ms, 30s, 15m, 12h or 7d`);
  }
  return milliseconds;
}

function scale(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const [, digits = '', unit = ''] = /^(\d+(?:\.\d+)?) ?([A-Za-z]*)$/.exec(text.trim()) ?? [];
  const factor = Object.hasOwn(units, unit) ? units[unit] : undefined;
  if (digits === '' || factor === undefined) return undefined;
  const value = Math.round(Number(digits) * factor);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** 'host:port', '[v6]:port'. */
export function parseAddress(text: string): Address {
  const [, bracketed, plain, digits = ''] =
    /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:/[\]]+)):(\d{1,5})$/.exec(text.trim()) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (host === undefined || port > 65_535) {
    throw new Error(`'${text}' is not an address; write it like 127.0.0.1:9000, [::1]:9000 or 0.0.0.0:9000`);
  }
  return { host, port };
}

export function formatAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** One that a client on the same machine can use. */
export function reachableUrl(scheme: 'http' | 'https', { host, port }: Address): string {
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `${scheme}://${formatAddress({ host: reachable, port })}`;
}
