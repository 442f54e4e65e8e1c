export interface Answer {
  readonly statusCode: number;
  readonly contentType: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A body of one line. */
export function sentence(statusCode: number, text: string): Answer {
  return { statusCode, contentType: 'text/plain; charset=utf-8', body: `${text}\n` };
}
