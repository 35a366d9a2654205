// What each operation of the table answers before it looks at anything.
import { S3Error } from '../../src/s3/errors.ts';
import type { OperationName } from '../../src/s3/operation.ts';
import type { OperationContext } from '../../src/s3/operations/operation-context.ts';
import { OPERATIONS } from '../../src/s3/operations/table.ts';

/** 'offered': it looks at its request, or answers without one. Else the code of the refusal it always is. */
export async function outcomesOfOperations(): Promise<ReadonlyMap<OperationName, string>> {
  const outcomes = new Map<OperationName, string>();
  for (const [name, { handler }] of Object.entries(OPERATIONS)) {
    const context = new Proxy({} as OperationContext, {
      get: (_, property) => {
        if (property !== 'operation') throw new Error('The operation looks at its request.');
      },
    });
    const error = await (async () => handler(context))().then(
      () => undefined,
      (reason: unknown) => reason,
    );
    outcomes.set(name as OperationName, error instanceof S3Error ? error.code : 'offered');
  }
  return outcomes;
}
