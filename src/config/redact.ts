// The configuration as it may be shown: secrets replaced, and passwords in URLs too.
import { type Config, SETTINGS } from '../config.ts';
import { type BackendConfig, secretsOf } from './backend-settings.ts';
import { listSettings } from './setting-list.ts';

const REDACTED = '(redacted)';

const SECRET_PATHS: ReadonlySet<string> = new Set(
  listSettings(SETTINGS)
    .filter(({ setting }) => setting.secret === true)
    .map(({ path }) => path),
);

export function redactConfig(config: Config): unknown {
  const backends = Object.fromEntries(
    Object.entries(config.backends).map(([name, backend]) => [name, redactBackend(backend)]),
  );
  return { ...redactSection(config, ''), backends };
}

export function redactBackend(backend: BackendConfig): Record<string, unknown> {
  const secrets = secretsOf(backend.type);
  return Object.fromEntries(
    Object.entries(backend)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, secrets.includes(name) ? REDACTED : redactUrls(value)]),
  );
}

/** Everything of a backend that nobody may see, in the forms in which it is sent. */
export function secretValues(backend: BackendConfig): readonly string[] {
  const secrets = secretsOf(backend.type);
  const values = Object.entries(backend).flatMap(([name, value]) => (secrets.includes(name) ? textsIn(value) : []));
  if (backend.type !== 'http' || backend.password === undefined) return values;
  return [...values, Buffer.from(`${backend.username ?? ''}:${backend.password}`).toString('base64')];
}

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

function redactSection(section: object, prefix: string): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(section)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, redactValue(value, `${prefix}${name}`)]),
  );
}

function redactValue(value: unknown, path: string): unknown {
  if (SECRET_PATHS.has(path)) return REDACTED;
  if (path === 'auth.credentials' && Array.isArray(value)) {
    return value.map((credential: object) => ({ ...credential, secretAccessKey: REDACTED }));
  }
  if (Array.isArray(value) || typeof value !== 'object' || value === null) return redactUrls(value);
  return redactSection(value, `${path}.`);
}

function redactUrls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(redactUrls);
  return typeof value === 'string' ? value.replace(/(:\/\/[^/@:]*:)[^/@]*@/, `$1${REDACTED}@`) : value;
}
