// From options to an origin: the one place that names the implementations. Each is loaded only when it is chosen, with
// whatever SDK it brings. Origins on a network are guarded (net/guard-origin.ts); a directory needs no guard.
import { readFile } from 'node:fs/promises';
import { type Backend, BackendError } from './backend.ts';
import type { FsBackendOptions } from './fs.ts';
import type { HttpBackendOptions } from './http.ts';
import { guardOrigin, type OriginLimits, type OriginLog } from './net/guard-origin.ts';
import { hideSecrets } from './net/hide-secrets.ts';
import type { ObsOptions } from './obs.ts';
import type { OssOptions } from './oss.ts';
import type { S3BackendOptions } from './s3.ts';
import type { WebHdfsBackendOptions } from './webhdfs.ts';

/** What every origin on a network has beside its own options. */
interface Network extends OriginLimits {
  /** A PEM file of authorities, in place of the system's. */
  readonly caFile?: string | undefined;
}

type OnNetwork<Type extends string, Options> = { readonly type: Type } & Omit<Options, 'ca' | 'lookup'> & Network;

export type BackendOptions =
  | ({ readonly type: 'fs' } & FsBackendOptions)
  | OnNetwork<'s3', S3BackendOptions>
  | OnNetwork<'oss', OssOptions>
  | OnNetwork<'obs', ObsOptions>
  | OnNetwork<'http', HttpBackendOptions>
  | OnNetwork<'webhdfs', WebHdfsBackendOptions>;

interface OpenBackendDeps {
  /** The operator's name for it, in messages. */
  readonly name: string;
  readonly log: OriginLog;
  /** What of the options is in no error, whatever origins say. */
  readonly secrets: readonly string[];
}

/** Rejects with BackendError 'Misconfigured' when it cannot be opened with these options. */
export async function openBackend(options: BackendOptions, deps: OpenBackendDeps): Promise<Backend> {
  if (options.type === 'fs') {
    const { openFsBackend } = await import('./fs.ts');
    return openFsBackend(options);
  }
  const ca = options.caFile === undefined ? undefined : await readAuthorities(options.caFile, deps.name);
  return guardOrigin(
    hideSecrets(await openOnNetwork({ ...options, ca }), () => deps.secrets),
    options,
    deps,
  );
}

type NetworkOptions = Exclude<BackendOptions, { type: 'fs' }> & { readonly ca: Buffer | undefined };

async function openOnNetwork(options: NetworkOptions): Promise<Backend> {
  switch (options.type) {
    case 's3': {
      const { openS3Backend } = await import('./s3.ts');
      return openS3Backend(options);
    }
    case 'oss': {
      const { openOssBackend } = await import('./oss.ts');
      return openOssBackend(options);
    }
    case 'obs': {
      const { openObsBackend } = await import('./obs.ts');
      return openObsBackend(options);
    }
    case 'http': {
      const { openHttpBackend } = await import('./http.ts');
      return openHttpBackend(options);
    }
    case 'webhdfs': {
      const { openWebHdfsBackend } = await import('./webhdfs.ts');
      return openWebHdfsBackend(options);
    }
  }
}

async function readAuthorities(file: string, name: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new BackendError('Misconfigured', `The authorities of backend '${name}' cannot be read from ${file}.`, {
      cause,
    });
  }
}
