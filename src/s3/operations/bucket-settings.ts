// Settings that every bucket has and nobody has set: what S3 answers for a bucket fresh from the shelf.
import type { Answer } from '../answer.ts';
import type { XmlObject } from '../xml.ts';
import type { Handler } from './operation-context.ts';

/** An empty location constraint means us-east-1. */
export const getBucketLocation = fixed('LocationConstraint');
export const getBucketRequestPayment = fixed('RequestPaymentConfiguration', { Payer: 'BucketOwner' });
export const getBucketAccelerateConfiguration = fixed('AccelerateConfiguration');
export const getBucketLogging = fixed('BucketLoggingStatus');
export const getBucketNotificationConfiguration = fixed('NotificationConfiguration');

function fixed(root: string, content: XmlObject = {}): Handler {
  const answer: Answer = { status: 200, body: { xml: { root, content } } };
  return async () => answer;
}
