// What one may try with the gateways of the demo while they are there.
import type { DemoMesh } from './demo-mesh.ts';
import { BUCKET } from './story.ts';

export function whatNext({ origin, gateways, keys }: DemoMesh): string {
  const [first] = gateways;
  const lines = gateways.map(({ name, s3Url, adminUrl }) => `  ${name.padEnd(8)}${s3Url}   admin ${adminUrl}`);
  return `
They are all still there:
${lines.join('\n')}
  origin  ${origin.s3Url}   admin ${origin.adminUrl}

Try, in another terminal:
  export AWS_ACCESS_KEY_ID=${keys.accessKeyId} AWS_SECRET_ACCESS_KEY=${keys.secretAccessKey} AWS_DEFAULT_REGION=us-east-1
  aws --endpoint-url ${first?.s3Url} s3 ls s3://${BUCKET}
  aws --endpoint-url ${first?.s3Url} s3 cp package-lock.json s3://${BUCKET}/
  npx dfstore status --admin ${first?.adminUrl}
  curl ${first?.adminUrl}/metrics

Ctrl-C ends them and removes what they kept.`;
}
