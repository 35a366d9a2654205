// boto3 with its defaults, over http and https: on https it sends bodies without a length, checksums as trailers.
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import { isInstalled, run, storyName } from './support/command.ts';
import { makeSampleFiles } from './support/sample-files.ts';

const PYTHON = process.env.DFSTORE_TEST_PYTHON ?? 'python3';
const STORY = fileURLToPath(new URL('boto3_story.py', import.meta.url));
const installed =
  isInstalled(PYTHON) &&
  (await run(PYTHON, ['-c', 'import boto3']).then(
    () => true,
    () => false,
  ));

describe(storyName('boto3', installed), () => {
  for (const scheme of ['http', 'https'] as const) {
    test.skipIf(!installed)(`tells the whole story over ${scheme}`, { timeout: 180_000 }, async () => {
      await using gateway = await startGateway({ tls: scheme === 'https' });
      const files = await makeSampleFiles();
      const args = [STORY, gateway.s3Url, 'boto3-story', files.small, files.big];
      if (gateway.caFile !== undefined) args.push(gateway.caFile);
      const told = await run(PYTHON, args, gateway.awsEnvironment);
      expect(told).toContain('story told');
      await files.remove();
    });
  }
});
