/** What an error of the SDK says of the server's answer. */
export interface Answer {
  /** AWS's error code, which the SDK uses as the error's name. */
  readonly code: string;
  readonly message: string;
  /** undefined where no answer came at all. */
  readonly status: number | undefined;
  readonly requestId: string | undefined;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  /** Elements of the error document: `Region`, `ServerTime`. */
  readonly elements: Readonly<Record<string, string>>;
  /** The body was nothing that S3 or KMS would say: a web page, or no document at all. */
  readonly isForeign: boolean;
}

export function answerOf(thrown: unknown): Answer {
  const metadata = propertyOf(thrown, '$metadata');
  // Not enumerable: the SDK hides it from logs.
  const response = propertyOf(thrown, '$response');
  const status = propertyOf(metadata, 'httpStatusCode') ?? propertyOf(response, 'statusCode');
  const requestId = propertyOf(metadata, 'requestId');
  const headers = textsOf(propertyOf(response, 'headers'), (name) => name.toLowerCase());
  const message = thrown instanceof Error ? thrown.message : '';
  return {
    code: thrown instanceof Error ? thrown.name : '',
    message,
    status: typeof status === 'number' ? status : undefined,
    requestId: typeof requestId === 'string' ? requestId : undefined,
    headers,
    elements: textsOf(thrown, (name) => name),
    // The SDK's own parsers tell programmers where to find what they could not read.
    isForeign: /Deserialization error/.test(message) || /^text\/html/i.test(headers['content-type'] ?? ''),
  };
}

function propertyOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function textsOf(value: unknown, nameOf: (name: string) => string): Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null) return {};
  const texts = Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return Object.fromEntries(texts.map(([name, text]) => [nameOf(name), text]));
}
