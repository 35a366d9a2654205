// npm run test:kill: kills by hand, many more than a test does. --help says the rest.
import { Option } from 'commander';
import { countFromOne, scriptCommand, wholeNumber } from '../support/script-command.ts';
import { cacheKillRounds } from './cache-rounds.ts';
import { killRounds } from './write-rounds.ts';

const STORIES = { writes: killRounds, cache: cacheKillRounds } as const;
const TELL_EVERY_MS = 5_000;

const { story, kills, seed } = scriptCommand(
  'test:kill',
  'Kills a process at random instants, again and again over the same data, and fails at the first broken promise.',
)
  .addOption(
    new Option(
      '--story <name>',
      'writes: a process that writes through the fs backend; cache: the built gateway, which reads through its cache',
    )
      .choices(Object.keys(STORIES))
      .default('writes'),
  )
  .option('--kills <number>', 'how often', countFromOne, 200)
  .addOption(
    new Option('--seed <number>', 'of the instants and of what is done')
      .argParser(wholeNumber)
      .default(Date.now() % 1e6, "the clock's"),
  )
  .parse()
  .opts<{ story: keyof typeof STORIES; kills: number; seed: number }>();

let round = 1;
console.error(`${story}, seed ${seed}`);
// By the clock, so that a round that hangs is seen too.
setInterval(() => console.error(`round ${round} of ${kills}`), TELL_EVERY_MS).unref();
const report = await STORIES[story]({ kills, seed }, (begun) => {
  round = begun;
});
console.log(JSON.stringify(report));
