// npm run demo: three meshed gateways and a slow origin, a file that is read through all three, and where its bytes came
// from. --help says the rest.
import { Option } from 'commander';
import { CloseStack } from '../src/concurrency/close-stack.ts';
import { scriptCommand, size } from '../test/support/script-command.ts';
import { openDemoMesh } from './demo-mesh.ts';
import { tellStory } from './story.ts';
import { whatNext } from './what-next.ts';

const MIB = 1024 ** 2;

const options = scriptCommand(
  'demo',
  'Starts a slow origin and three gateways that are one mesh, as processes on this machine; reads a file through all three and shows where its bytes came from. They stay for you to try until Ctrl-C; then everything is removed.',
)
  .addOption(new Option('--size <size>', 'size of the files').argParser(size).default(64 * MIB, '64MiB'))
  .addOption(
    new Option('--rate <size>', 'what the origin gives in a second, to all gateways together')
      .argParser(size)
      .default(16 * MIB, '16MiB'),
  )
  .option('--once', 'do not stay')
  .parse()
  .opts<{ size: number; rate: number; once?: boolean }>();
// The SDK's plans for versions of Node to come are no news of the demo.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

await demo({ size: options.size, rate: options.rate, stay: options.once !== true });

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
