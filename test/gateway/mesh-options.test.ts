import { expect, test } from 'vitest';
import type { Config } from '../../src/config.ts';
import { parallelPieces } from '../../src/gateway/mesh-options.ts';

test('as many pieces of a read are on their way as there are gateways, at least what is set and at most twice that', () => {
  const config = { mesh: { parallelPieces: 16 } } as Config;
  const sizes = [1, 8, 16, 24, 32, 1_000];
  expect(sizes.map((gateways) => parallelPieces(config, gateways))).toEqual([16, 16, 16, 24, 32, 32]);
});
