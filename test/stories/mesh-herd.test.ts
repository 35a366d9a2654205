// Promise 'Once' across a mesh: however many gateways are asked at once for what none of them has, it leaves the origin
// once; and what came in through one gateway is read through the others without the origin.
import { expect, test } from 'vitest';
import { MeshGateways, VERY_PATIENT } from '../support/mesh-gateways.ts';
import { syntheticBytes } from '../support/synthetic-origin.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
/** More gateways and larger objects where somebody asks for them: 32 and 64 MiB in full, in pieces as they are by default. */
const COUNT = Number(process.env.DFSTORE_TEST_HERD ?? 5);
const IS_FULL = COUNT >= 32;
const SIZE = (IS_FULL ? 64 : 16) * MIB;

test(`${COUNT} cold gateways: each byte leaves the origin once, a small object costs one request, a put none`, {
  timeout: 60_000 + COUNT * 10_000,
}, async () => {
  const inFull = { cache: { pieceSize: '4MiB' }, mesh: VERY_PATIENT };
  await using mesh = await MeshGateways.start({ count: COUNT, ...(IS_FULL ? inFull : {}) });
  const { origin } = mesh;
  const large = await origin.set('large', SIZE);
  const small = await origin.set('small', 10 * KIB);
  await mesh.settled('large', 'small', 'written');

  for (const { status, body } of await Promise.all(mesh.all.map((gateway) => gateway.get('small')))) {
    expect(status).toBe(200);
    expect(body.equals(small)).toBe(true);
  }
  expect({ requests: origin.requests, bodyBytes: origin.bodyBytes }).toEqual({ requests: 1, bodyBytes: 10 * KIB });

  origin.reset();
  for (const { status, body, cut } of await Promise.all(mesh.all.map((gateway) => gateway.get('large')))) {
    expect({ status, cut }).toEqual({ status: 200, cut: false });
    expect(body.equals(large)).toBe(true);
  }
  expect(origin.bodyBytes / SIZE).toBe(1);

  origin.reset();
  const written = syntheticBytes('written', 0, 3 * MIB + 1);
  expect((await mesh.at(0).put('written', written)).status).toBe(200);
  for (const { status, body } of await Promise.all(mesh.all.map((gateway) => gateway.get('written')))) {
    expect(status).toBe(200);
    expect(body.equals(written)).toBe(true);
  }
  expect(origin.bodyBytes).toBe(0);
});
