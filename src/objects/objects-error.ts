// What goes wrong between a whole object and its pieces. Origins' errors pass as they are.

export type ObjectsErrorCode =
  /** The origin has other bytes under this key than the version that is being read. */
  'VersionChanged';

export class ObjectsError extends Error {
  override readonly name = 'ObjectsError';
  readonly code: ObjectsErrorCode;

  constructor(code: ObjectsErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
  }
}
