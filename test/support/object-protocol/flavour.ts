// What differs between the services the protocol server plays, as data.
import type { StoredObject } from './store.ts';

export interface Flavour {
  readonly name: 'oss' | 'obs';
  readonly prefix: 'x-oss-' | 'x-obs-';
  readonly standardClass: string;
  /** As it is written between the quotes, and as it must be named in conditions. */
  etag(object: Pick<StoredObject, 'etag'>): string;
  /** OSS tells it with every answer about an object. */
  readonly tellsCrc64: boolean;
  readonly wrongMd5: string;
  readonly partMinBytes: number;
  readonly keyMaxBytes: number;
  readonly refusesKey: RegExp | undefined;
  /** Whether a bucket with pending uploads can be deleted. */
  readonly uploadsHoldBucket: boolean;
}

export const OSS: Flavour = {
  name: 'oss',
  prefix: 'x-oss-',
  standardClass: 'Standard',
  etag: ({ etag }) => etag.toUpperCase(),
  tellsCrc64: true,
  wrongMd5: 'InvalidDigest',
  partMinBytes: 100 * 1024,
  keyMaxBytes: 1_023,
  refusesKey: /^[/\\]/,
  uploadsHoldBucket: true,
};

export const OBS: Flavour = {
  name: 'obs',
  prefix: 'x-obs-',
  standardClass: 'STANDARD',
  etag: ({ etag }) => etag,
  tellsCrc64: false,
  wrongMd5: 'BadDigest',
  partMinBytes: 100 * 1024,
  keyMaxBytes: 1_024,
  refusesKey: undefined,
  uploadsHoldBucket: true,
};
