// Lines for requests are worded by the gateway; readers of the log cannot tell.
import fc from 'fast-check';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { requestLog } from '../../src/gateway/request-log.ts';
import type { RequestEvent } from '../../src/s3/s3-api.ts';

const count = fc.nat();
const text = fc.option(fc.string({ unit: 'binary' }), { nil: undefined });

const event: fc.Arbitrary<RequestEvent> = fc.record({
  operation: fc.constantFrom('GetObject', 'Preflight', 'Unknown'),
  status: fc.constantFrom(0, 200, 206, 404),
  durationMs: fc.double({ min: 0, max: 1e6, noNaN: true }),
  bytesIn: count,
  bytesOut: count,
  served: fc.record({ memory: count, disk: count, peer: count, origin: count }, { requiredKeys: [] }),
  accessKeyId: text,
  bucket: text,
  key: text,
});

test('a line for a request is the one that pino would write', () => {
  const lines: string[] = [];
  const log = pino({ timestamp: () => ',"time":"now"' }, { write: (line) => void lines.push(line) });
  const tell = requestLog(log.child({ node: 'a "b"' }));
  const plain = log.child({ node: 'a "b"' });
  fc.assert(
    fc.property(event, (told) => {
      tell(told);
      plain.info({ ...told, durationMs: Math.round(told.durationMs * 1_000) / 1_000 }, 'A request was answered.');
      const [one, other] = lines.splice(0);
      expect(one).toBe(other);
    }),
  );
});

test('a logger of warnings tells of no request', () => {
  const lines: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line) => void lines.push(line) });
  requestLog(log)({ operation: 'GetObject', status: 200, durationMs: 1, bytesIn: 1, bytesOut: 1, served: {} });
  expect(lines).toEqual([]);
});
