// What an origin said of an object, as gateways tell it each other. What comes is checked field by field and carries no
// more than an origin's own answer would.
import { z } from 'zod';
import type { ObjectInfo } from '../../backends/backend.ts';
import type { LastKnown, NameAnswer } from '../mesh/names.ts';
import type { NameRecord } from './name-records.ts';

const text = z.string().max(16 * 1024);
const optionalText = text.optional();
const count = z.int().min(0);

const objectInfo = z.object({
  key: text,
  sizeBytes: count,
  etag: z.string().min(1).max(1024),
  lastModified: z.iso.datetime().transform((value) => new Date(value)),
  storageClass: optionalText,
  headers: z.object({
    contentType: optionalText,
    cacheControl: optionalText,
    contentDisposition: optionalText,
    contentEncoding: optionalText,
    contentLanguage: optionalText,
    expires: optionalText,
  }),
  /** In pairs: any name may be one, '__proto__' too. */
  metadata: z
    .array(z.tuple([text, text]))
    .max(1000)
    .transform((pairs) => Object.fromEntries<string>(pairs)),
  versionId: optionalText,
  checksum: z
    .object({
      algorithm: z.enum(['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256']),
      value: text,
      type: z.enum(['FULL_OBJECT', 'COMPOSITE']),
    })
    .optional(),
  partCount: count.optional(),
  tagCount: count.optional(),
  identity: z.enum(['strong', 'none']),
});

export function encodeAnswer(record: Exclude<NameRecord, { kind: 'written' }>): NameAnswer {
  if (record.kind === 'missing') return { kind: 'missing' };
  const { info, complete } = record;
  const { lastModified, metadata } = info;
  const value = { ...info, lastModified: lastModified.toISOString(), metadata: Object.entries(metadata) };
  return { kind: 'known', value, complete };
}

/** Undefined: not an answer that an origin could have given. */
export function decodeAnswer(answer: LastKnown, askedAtMs: number): NameRecord | undefined {
  if (answer.kind !== 'known') return { kind: answer.kind, askedAtMs };
  const read = objectInfo.safeParse(answer.value);
  if (!read.success) return undefined;
  const info: ObjectInfo = read.data;
  return { kind: 'known', info, complete: answer.complete, askedAtMs };
}
