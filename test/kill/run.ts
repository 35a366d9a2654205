// Kills by hand, many more than a test does.
//   npm run test:kill -- [--story writes|cache] [--kills 200] [--seed 1]
import { parseArgs } from 'node:util';
import { cacheKillRounds } from './cache-rounds.ts';
import { killRounds } from './write-rounds.ts';

const STORIES = {
  /** A process that writes through the fs backend. */
  writes: killRounds,
  /** A whole gateway, the built one, that reads through its cache. */
  cache: cacheKillRounds,
} as const;

function isStory(name: string): name is keyof typeof STORIES {
  return Object.hasOwn(STORIES, name);
}

const text = { type: 'string' } as const;
const { values } = parseArgs({ options: { story: text, kills: text, seed: text } });
const story = values.story ?? 'writes';
if (!isStory(story)) throw new Error(`There is no story '${story}': ${Object.keys(STORIES).join(', ')}.`);
const report = await STORIES[story]({
  kills: Number(values.kills ?? 200),
  seed: Number(values.seed ?? Date.now() % 1e6),
});
console.log(JSON.stringify(report));
