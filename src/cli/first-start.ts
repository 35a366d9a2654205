// What the operator is told once: the pair of keys that was made, and how to use it.

export function firstStartMessage(
  pair: { readonly accessKeyId: string; readonly secretAccessKey: string },
  places: { readonly file: string; readonly s3Url: string },
): string {
  return [
    '',
    'No credentials are configured, so this first pair was made. It is shown only now',
    `and kept in ${places.file}.`,
    '',
    `  export AWS_ACCESS_KEY_ID=${pair.accessKeyId}`,
    `  export AWS_SECRET_ACCESS_KEY=${pair.secretAccessKey}`,
    '  export AWS_DEFAULT_REGION=us-east-1',
    `  aws --endpoint-url ${places.s3Url} s3 mb s3://my-bucket`,
    `  aws --endpoint-url ${places.s3Url} s3 cp README.md s3://my-bucket/`,
    '',
    '',
  ].join('\n');
}
