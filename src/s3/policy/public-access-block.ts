// A bucket's public-access block: four switches that keep what is public from being set or honoured.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
import { S3Error } from '../errors.ts';
import type { XmlDocument, XmlElement } from '../xml.ts';

const SWITCHES = ['BlockPublicAcls', 'IgnorePublicAcls', 'BlockPublicPolicy', 'RestrictPublicBuckets'] as const;

export type PublicAccessBlock = Readonly<Record<(typeof SWITCHES)[number], boolean>>;

export const NOTHING_BLOCKED: PublicAccessBlock = {
  BlockPublicAcls: false,
  IgnorePublicAcls: false,
  BlockPublicPolicy: false,
  RestrictPublicBuckets: false,
};

/** Throws MalformedXML. */
export function parsePublicAccessBlock(configuration: XmlElement): PublicAccessBlock {
  if (configuration.names().some((name) => !SWITCHES.some((known) => known === name)))
    throw new S3Error('MalformedXML');
  const entries = SWITCHES.map((name) => {
    const text = configuration.first(name)?.text.trim().toLowerCase() ?? 'false';
    if (text !== 'true' && text !== 'false') throw new S3Error('MalformedXML');
    return [name, text === 'true'] as const;
  });
  return { ...NOTHING_BLOCKED, ...Object.fromEntries(entries) };
}

export function publicAccessBlockDocument(block: PublicAccessBlock): XmlDocument {
  return { root: 'PublicAccessBlockConfiguration', content: { ...block } };
}
