// npm run demo: three meshed gateways and a slow origin, a file that is read through all three, and where its bytes came
// from. --help says the rest.
import { parseArgs } from 'node:util';
import { CloseStack } from '../src/concurrency/close-stack.ts';
import { parseSize } from '../src/config/units.ts';
import { openDemoMesh } from './demo-mesh.ts';
import { tellStory } from './story.ts';
import { whatNext } from './what-next.ts';

const HELP = `npm run demo [-- OPTION...]

Starts a slow origin and three gateways that are one mesh, as processes on this machine; reads a file through all three
and shows where its bytes came from. They stay for you to try until Ctrl-C; then everything is removed.

  --size SIZE   Size of the files (64MiB)
  --rate SIZE   What the origin gives in a second, to all gateways together (16MiB)
  --once        Do not stay
  --help`;

const { values } = parseArgs({
  options: {
    size: { type: 'string', default: '64MiB' },
    rate: { type: 'string', default: '16MiB' },
    once: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
// The SDK's plans for versions of Node to come are no news of the demo.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

if (values.help) console.log(HELP);
else await demo({ size: parseSize(values.size), rate: parseSize(values.rate), stay: !values.once });

interface Demo {
  /** Bytes; and bytes a second. */
  readonly size: number;
  readonly rate: number;
  readonly stay: boolean;
}

async function demo({ size, rate, stay }: Demo): Promise<void> {
  const stop = new AbortController();
  const stopped = new Promise<void>((resolve) => stop.signal.addEventListener('abort', () => resolve()));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort());
  const opened = new CloseStack();
  try {
    const mesh = await openDemoMesh(rate, opened);
    await tellStory(mesh, { size, rate }, stop.signal);
    if (stay) {
      console.log(whatNext(mesh));
      await stopped;
    }
  } catch (error) {
    // What was under way when it was stopped fails, and that is no failure of the demo.
    if (!stop.signal.aborted) throw error;
  } finally {
    await opened.close();
  }
}
