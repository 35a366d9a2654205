// Operations that S3 has and this gateway has not: reading a configuration that cannot have been made answers that
// there is none, with S3's own code for it; everything else says plainly that it is not implemented.
import { S3Error, type S3ErrorCode } from '../errors.ts';
import type { Operation } from './operation-context.ts';

/** Of a bucket or object that exists, which the way here has made sure of for buckets. */
export function nothingConfigured(code: S3ErrorCode): Operation {
  return {
    action: 'read',
    handler: async () => {
      throw new S3Error(code);
    },
  };
}

/** A configuration that cannot have been made is gone already, which is all that deleting it asks for. */
export const NOTHING_TO_DELETE: Operation = { action: 'admin', handler: async () => ({ status: 204 }) };

export const NOT_IMPLEMENTED: Operation = {
  action: 'admin',
  handler: async (context) => {
    throw new S3Error('NotImplemented', `The operation ${context.operation} is not implemented.`);
  },
};
