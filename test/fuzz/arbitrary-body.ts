// Bodies as no client would send them, and as clients do: XML, forms, aws-chunked framings, bytes.
import fc from 'fast-check';

export interface ArbitraryBody {
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Buffer;
}

const ELEMENTS = [
  'Delete',
  'Object',
  'Key',
  'VersionId',
  'Quiet',
  'ETag',
  'Size',
  'LastModifiedTime',
  'CompleteMultipartUpload',
  'Part',
  'PartNumber',
  'ChecksumCRC32',
  'Tagging',
  'TagSet',
  'Tag',
  'Value',
  'CORSConfiguration',
  'CORSRule',
  'AllowedOrigin',
  'AllowedMethod',
  'AllowedHeader',
  'MaxAgeSeconds',
  'VersioningConfiguration',
  'Status',
  'AccessControlPolicy',
  'AccessControlList',
  'Grant',
  'Grantee',
  'ID',
  'Permission',
  'Owner',
  'CreateBucketConfiguration',
  'LocationConstraint',
  'unknown',
  'a:b',
  '',
];

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.constantFrom(
    '1',
    '0',
    '-1',
    '10001',
    'true',
    'Enabled',
    '*',
    'GET',
    '&lt;',
    '&#0;',
    '&#x1F;',
    '&e;',
    '<',
    ']]>',
    'key-1',
  ),
);

const { element } = fc.letrec<{ element: string; content: string }>((tie) => ({
  element: fc
    .tuple(
      fc.constantFrom(...ELEMENTS),
      fc.constantFrom('', '', '', ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"', ' a="&lt;"', ' a'),
      fc.array(tie('content'), { maxLength: 4 }),
    )
    .map(([name, attributes, parts]) => `<${name}${attributes}>${parts.join('')}</${name}>`),
  content: fc.oneof({ depthSize: 'small', withCrossShrink: true }, text, tie('element')),
}));

const prolog = fc.constantFrom(
  '',
  '',
  '<?xml version="1.0" encoding="UTF-8"?>',
  '<?xml version="1.1" encoding="UTF-16"?>',
  '\ufeff',
  '<!DOCTYPE a [<!ENTITY e "&f;&f;"><!ENTITY f "ffffffff">]>',
  '<!DOCTYPE a SYSTEM "file:///etc/passwd">',
);

const xml = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(prolog, element, text).map((parts) => parts.join('')) },
  { weight: 8, arbitrary: fc.tuple(prolog, element).map((parts) => parts.join('')) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 5_000 }).map((depth) => '<a>'.repeat(depth)) },
  { weight: 1, arbitrary: fc.integer({ min: 900, max: 1_100 }).map((count) => deleteOf(count)) },
);

function deleteOf(count: number): string {
  const objects = Array.from({ length: count }, (_, index) => `<Object><Key>k${index}</Key></Object>`).join('');
  return `<Delete>${objects}</Delete>`;
}

const BOUNDARY = 'fuzz';
const partHead = fc.oneof(
  fc
    .tuple(
      fc.constantFrom(
        'key',
        'file',
        'policy',
        'acl',
        'tagging',
        'success_action_status',
        'x-amz-meta-a',
        'bucket',
        '',
        'Key',
      ),
      fc.constantFrom('', '; filename="a.txt"', '; filename="..\\..\\a"', '; filename='),
    )
    .map(([name, file]) => `Content-Disposition: form-data; name="${name}"${file}\r\n\r\n`),
  fc.string({ unit: 'binary-ascii', maxLength: 40 }),
);
const formPart = fc
  .tuple(
    fc.constantFrom(`--${BOUNDARY}\r\n`, `--${BOUNDARY}`, `\r\n--${BOUNDARY}\r\n`),
    partHead,
    text,
    fc.constantFrom('\r\n', '', '\n'),
  )
  .map((parts) => parts.join(''));
const form = fc
  .tuple(fc.array(formPart, { maxLength: 8 }), fc.constantFrom(`--${BOUNDARY}--\r\n`, `--${BOUNDARY}--`, ''))
  .map(([parts, end]) => parts.join('') + end);

const chunk = fc
  .tuple(
    fc.oneof(
      fc.nat(70_000).map((size) => ({ said: size.toString(16), size })),
      fc.constantFrom(
        { said: 'zz', size: 3 },
        { said: '-1', size: 0 },
        { said: 'ffffffffffffffff', size: 5 },
        { said: '', size: 0 },
        { said: '3 ', size: 3 },
        { said: '00000000003', size: 3 },
      ),
    ),
    fc.constantFrom('', `;chunk-signature=${'0'.repeat(64)}`, ';chunk-signature=', ';x'),
    fc.constantFrom('\r\n', '\n', ''),
  )
  .map(([{ said, size }, signature, end]) => `${said}${signature}\r\n${'x'.repeat(size)}${end}`);
const trailer = fc.constantFrom(
  '0\r\n\r\n',
  '0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n',
  '0\r\nx-amz-checksum-crc32:AAAAAA==\r\n',
  '0\r\nx-amz-checksum-sha256\r\n\r\n',
  `0;chunk-signature=${'0'.repeat(64)}\r\nx-amz-trailer-signature:${'0'.repeat(64)}\r\n\r\n`,
  '',
);
const streaming = fc
  .record({
    mode: fc.constantFrom(
      'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
      'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
      'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
      'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD',
      'STREAMING-',
    ),
    length: fc.constantFrom('0', '3', '65536', '-1', '', '99999999999999999999', 'x'),
    declared: fc.constantFrom(undefined, 'x-amz-checksum-crc32', 'x-amz-checksum-sha256', 'x-amz-meta-a', ''),
    chunks: fc.array(chunk, { maxLength: 4 }),
    trailer,
  })
  .map(({ mode, length, declared, chunks, trailer: end }) => ({
    headers: {
      'x-amz-content-sha256': mode,
      'x-amz-decoded-content-length': length,
      'content-encoding': 'aws-chunked',
      ...(declared === undefined ? {} : { 'x-amz-trailer': declared }),
    },
    bytes: Buffer.from(chunks.join('') + end, 'latin1'),
  }));

const none: ArbitraryBody = { headers: {}, bytes: Buffer.alloc(0) };

export const arbitraryBody: fc.Arbitrary<ArbitraryBody> = fc.oneof(
  { weight: 4, arbitrary: fc.constant(none) },
  { weight: 4, arbitrary: xml.map((body) => ({ headers: {}, bytes: Buffer.from(body) })) },
  {
    weight: 2,
    arbitrary: form.map((body) => ({
      headers: { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` },
      bytes: Buffer.from(body),
    })),
  },
  { weight: 3, arbitrary: streaming },
  {
    weight: 2,
    arbitrary: fc.uint8Array({ maxLength: 300 }).map((bytes) => ({ headers: {}, bytes: Buffer.from(bytes) })),
  },
);
