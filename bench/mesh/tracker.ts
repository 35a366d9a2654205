// npx tsx bench/mesh/tracker.ts: the time that one tracker takes for each of its calls while many peers read one slab of
// 256 pieces at once, each at a place of its own. Target: at most 30 µs an acquire with 10,000 peers.
import type { Member } from '../../src/mesh/member.ts';
import { Tracker } from '../../src/mesh/tracker/tracker.ts';
import { countFromOne, scriptCommand } from '../../test/support/script-command.ts';
import { seeded } from '../../test/support/seeded.ts';

const [PEERS, STEPS] = scriptCommand(
  'bench/mesh/tracker.ts',
  'Measures what each call costs a tracker while peers read one slab of 256 pieces.',
)
  .argument('[peers]', 'that read at once', countFromOne, 10_000)
  .argument('[steps]', 'calls of theirs', countFromOne, 400_000)
  .parse().processedArgs as [number, number];
const PIECES = 256;
const WINDOW = 8;
const STEP_MS = 0.02;

interface Peer {
  readonly member: Member;
  next: number;
  waiting: number;
  readonly underWay: { piece: number; source: string }[];
}

let nowMs = 0;
const random = seeded(1);
const tracker = new Tracker(
  { now: () => nowMs, random, alone: () => false, suspected: () => undefined, changed: () => undefined },
  { uploadSlots: 32, leases: 4, progressMs: 500, silenceMs: 1_500, maxSlabs: 100, maxMembers: 100_000 },
);
const slab = { key: 'slab', pieces: PIECES };
const peers: Peer[] = Array.from({ length: PEERS }, (_, index) => ({
  member: {
    id: `10.0.${index >> 8}.${index & 255}:9002`,
    role: 'peer',
    zone: `z${index % 3}`,
    incarnation: '',
    key: '',
  },
  next: 0,
  waiting: 0,
  underWay: [],
}));
const tookMs: Record<string, { sum: number; count: number; longest: number }> = {};
let leased = 0;
let waited = 0;

function timed(name: string, run: () => void): void {
  const before = performance.now();
  run();
  const took = performance.now() - before;
  const entry = tookMs[name] ?? { sum: 0, count: 0, longest: 0 };
  tookMs[name] = { sum: entry.sum + took, count: entry.count + 1, longest: Math.max(entry.longest, took) };
}

function acquireNext(peer: Peer): void {
  const piece = peer.next;
  if (piece >= PIECES) return;
  peer.next += 1;
  peer.waiting += 1;
  let isDecided = false;
  timed('acquire', () => {
    tracker.acquire({ slab, pieces: [piece], avoid: [] }, peer.member, (_, decision) => {
      if (!isDecided) peer.waiting -= 1;
      isDecided = true;
      if (decision.kind === 'leased') leased += 1;
      peer.underWay.push({ piece, source: decision.kind === 'leased' ? 'origin' : decision.from });
    });
  });
  if (!isDecided) waited += 1;
}

function step(peer: Peer): void {
  nowMs += STEP_MS;
  const oldest = peer.underWay.shift();
  if (oldest !== undefined) {
    const held = [{ piece: oldest.piece, root: 'r'.repeat(64) }];
    timed('announce', () => tracker.announce(slab, peer.member, held));
  }
  while (peer.underWay.length + peer.waiting < WINDOW && peer.next < PIECES) acquireNext(peer);
  if (random() < 0.1) {
    const reports = peer.underWay.map(({ piece, source }) => ({ piece, source, bytes: 1, waiting: true }));
    timed('progress', () => tracker.progress(slab, peer.member, reports));
  }
}

const [beganMs, cpu] = [performance.now(), process.cpuUsage()];
for (let steps = 0; steps < STEPS; steps += 1) {
  const peer = peers[Math.floor(random() * peers.length)];
  if (peer !== undefined) step(peer);
  if (steps % Math.ceil(100 / STEP_MS) === 0) timed('tick', () => tracker.tick());
}
const { user, system } = process.cpuUsage(cpu);
// On a machine that others use as well the clock runs on while this waits for its turn.
const share = Math.min(1, (user + system) / 1_000 / (performance.now() - beganMs));
console.log(`${PEERS} peers, ${STEPS} steps, ${leased} leases, ${waited} waits\n`);
console.log('| call | calls | mean, µs of CPU | longest, ms |\n| --- | --: | --: | --: |');
for (const [name, { sum, count, longest }] of Object.entries(tookMs)) {
  console.log(`| ${name} | ${count} | ${((sum / count) * 1_000 * share).toFixed(1)} | ${longest.toFixed(2)} |`);
}
