// The keys clients sign with, from wherever the configuration has them. With none configured, the first pair is made.
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { CloseStack } from '../concurrency/close-stack.ts';
import type { Config } from '../config.ts';
import { CredentialFile } from '../s3/auth/credential-file.ts';
import {
  type Credential,
  type CredentialStore,
  credentialList,
  firstOf,
  parseCredentials,
} from '../s3/auth/credentials.ts';
import { createInitialCredentials } from '../s3/auth/initial-credentials.ts';

interface CredentialsDeps {
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
  readonly opened: CloseStack;
  /** Called with the pair that was made just now, for the operator to be told this once. */
  readonly onFirstPair: (pair: Credential, file: string) => void;
}

export async function openCredentials(config: Config, deps: CredentialsDeps): Promise<CredentialStore> {
  const { credentials, accessKeyId, secretAccessKey } = config.auth;
  const stores: CredentialStore[] = [];
  if (accessKeyId !== undefined) {
    stores.push(credentialList(parseCredentials([{ name: 'environment', accessKeyId, secretAccessKey }])));
  }
  if (typeof credentials === 'string') {
    const options = { path: credentials, checkIntervalMs: config.auth.reloadInterval };
    const file = await CredentialFile.open({ log: deps.log }, options);
    deps.opened.push('credentials', () => file.close());
    stores.push(file);
  } else if (credentials !== undefined) {
    stores.push(credentialList(parseCredentials(credentials)));
  }
  return stores.length > 0 ? firstOf(stores) : initialPair(config.data, deps);
}

async function initialPair(data: string, deps: CredentialsDeps): Promise<CredentialStore> {
  const file = join(data, 'credentials.json');
  const { credentials, created } = await createInitialCredentials(file, { log: deps.log });
  const [pair] = credentials;
  if (created && pair !== undefined) deps.onFirstPair(pair, file);
  return credentialList(credentials);
}
