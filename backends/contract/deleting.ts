// Deletes, of one object or of many.
import type { BackendError } from './backend-error.ts';

export interface Deleted {
  /** The version that was removed, or the delete marker that was made. */
  readonly versionId?: string | undefined;
  /** A delete marker was made or removed. */
  readonly deleteMarker?: boolean | undefined;
}

/** Only while the object is as named; one that is not there is deleted already. Times have second precision. */
export interface DeleteConditions {
  /** Unquoted; '*' stands for any. */
  readonly ifMatch?: string | undefined;
  readonly lastModified?: Date | undefined;
  readonly sizeBytes?: number | undefined;
}

export interface DeleteMarkerInfo {
  readonly versionId: string;
}

export interface DeleteOptions {
  readonly versionId?: string | undefined;
  /** Given only where the capabilities say that they are kept. */
  readonly conditions?: DeleteConditions | undefined;
}

export interface DeleteTarget extends DeleteOptions {
  readonly key: string;
}

export type DeleteOutcome = DeleteTarget & { readonly deleted?: Deleted; readonly error?: BackendError };
