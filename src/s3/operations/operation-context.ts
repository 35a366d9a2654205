// What an operation is given. The request is authenticated and authorised by then; operations see neither sockets nor
// signatures.
import type { Tags, UploadBody, VersionRef } from '../../../backends/backend.ts';
import type { BucketSettings } from '../../objects/bucket-settings.ts';
import type { Objects } from '../../objects/objects.ts';
import type { Answer } from '../answer.ts';
import type { Action } from '../auth/policy.ts';
import type { OperationName } from '../operation.ts';
import type { XmlElement } from '../xml.ts';

export interface OperationContext {
  readonly operation: OperationName;
  /** Lower-case names; a presigned URL's x-amz-* parameters count as headers. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The first value of each parameter. */
  readonly query: ReadonlyMap<string, string>;
  /** '' where the operation is about none (bucket: ListBuckets; key: bucket operations). */
  readonly bucket: string;
  readonly key: string;
  /** The caller's account; undefined: the request is not signed. */
  readonly account: string | undefined;
  /** The account that owns the bucket, as answers name it. */
  readonly owner: string;
  /** The scheme and host the client used. */
  readonly endpoint: string;
  readonly objects: Objects;
  /** Documents kept with buckets, by name. */
  readonly settings: BucketSettings;
  readonly access: Access;
  readonly body: RequestBody;
  readonly signal: AbortSignal;
}

type ObjectAction = Extract<Action, 'read' | 'write' | 'delete'>;

/** Everything beyond the request's own target: copy sources, the keys of a batch. Throws AccessDenied, NoSuchBucket. */
export interface Access {
  /** Of a copy: that it may be read, and that its bucket is whose the client expects. */
  checkSource(source: VersionRef): Promise<void>;
  isAllowed(action: ObjectAction, bucket: string, key: string, versionId?: string): Promise<boolean>;
  /** Keys that begin with the prefix. */
  mayList(bucket: string, prefix: string): Promise<boolean>;
  /** For an operation whose tags are in its body, once they are known. */
  checkTags(tags: Tags): Promise<void>;
  /** This gateway made or deleted the bucket: nothing remembered of it holds. */
  forget(bucket: string): void;
}

/** Opening or reading tells a client that waits for it to go on; refuse before. */
export interface RequestBody {
  open(options: { wantsMd5: boolean; maxBytes: number }): UploadBody;
  /** The root element of the XML body. */
  readXml(root: string): Promise<XmlElement>;
  /** The same where x-amz-checksum-* is not of the body but of the object it speaks of. */
  readXmlAboutObject(root: string): Promise<XmlElement>;
  /** The body as UTF-8. Throws MaxMessageLengthExceeded. */
  readText(): Promise<string>;
  /** Undefined where the body is empty. */
  readOptionalXml(root: string): Promise<XmlElement | undefined>;
}

/** At once where nobody has to be waited for: a hit is answered in the turn in which it was asked for. */
export type Handler = (context: OperationContext) => Promise<Answer> | Answer;

export interface Operation {
  readonly action: Action;
  readonly handler: Handler;
  /** The keys are in the body, and the operation asks for each; the bucket alone is enough to be let in. */
  readonly perKey?: boolean;
  /** Its body has the tags that a bucket's policy may be about; the operation asks once it knows them. */
  readonly tagsInBody?: boolean;
  /** May outlast a client's patience: its answer may begin before its outcome is known. */
  readonly slow?: boolean;
}
