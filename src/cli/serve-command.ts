// dfstore serve: runs the gateway until it is told to stop.
import type { Command } from 'commander';
import type { Logger } from 'pino';
import { formatAddress } from '../config/units.ts';
import type { Config } from '../config.ts';
import { type Gateway, openGateway } from '../gateway.ts';
import { addConfigFlags, configOf } from './config-flags.ts';
import { EXIT } from './exit-codes.ts';
import { explainStart } from './explain-start.ts';
import { firstStartMessage } from './first-start.ts';
import { openLog } from './log-output.ts';
import { waitForStop } from './wait-for-stop.ts';

export function addServeCommand(program: Command): void {
  const serve = program
    .command('serve')
    .description('Run the gateway. Flags win over the environment, the environment over the configuration file.');
  addConfigFlags(serve);
  serve.action(async () => {
    const { config, file, warnings } = configOf(serve);
    const log = openLog(config.log.level);
    exitOnBugs(log);
    if (file !== undefined) log.info({ file }, 'The configuration file was read.');
    for (const warning of warnings) log.warn(warning);
    await run(config, log);
  });
}

async function run(config: Config, log: Logger): Promise<void> {
  const stop = waitForStop(log);
  const gateway = await start(config, log);
  const { s3Url, adminUrl } = gateway;
  log.info({ s3: s3Url, admin: adminUrl }, 'The gateway serves.');
  const signal = await stop;
  log.info({ signal, timeoutMs: config.shutdownTimeout }, 'The gateway stops when requests in flight are done.');
  await gateway.close();
  log.info('The gateway has stopped.');
}

/** The pair is shown even when the start fails after it was made: there is no second time. */
async function start(config: Config, log: Logger): Promise<Gateway> {
  let gateway: Gateway | undefined;
  const made: Parameters<Parameters<typeof openGateway>[1]['onFirstPair']>[] = [];
  try {
    gateway = await openGateway(config, { log, onFirstPair: (...pair) => void made.push(pair) });
    return gateway;
  } catch (error) {
    throw explainStart(error, config);
  } finally {
    const s3Url = gateway?.s3Url ?? `http://${formatAddress(config.listen)}`;
    for (const [pair, file] of made) process.stdout.write(firstStartMessage(pair, { file, s3Url }));
  }
}

/** A state nobody thought of is not one to go on in; a service manager starts it again. */
function exitOnBugs(log: Logger): void {
  const exit = (kind: string) => (error: unknown) => {
    log.fatal({ err: error }, `${kind}: this is a bug; the gateway exits.`);
    process.exit(EXIT.failure);
  };
  process.on('uncaughtException', exit('An exception was not caught'));
  process.on('unhandledRejection', exit('A rejection was not handled'));
}
