import { checkedText } from './fields.ts';

/** A server's address without anything behind it: `https://10.0.0.1:2379`. A trailing slash is dropped. */
export function originUrl() {
  return checkedText('an http or https URL without a path, such as https://10.0.0.1:2379', (text) => {
    const fault = findUrlFault(text);
    if (fault !== undefined) return fault;
    const url = new URL(text);
    if (url.username !== '' || url.password !== '') return 'credentials have no place here';
    return url.pathname === '/' && url.search === '' && url.hash === ''
      ? undefined
      : 'it has something behind the host';
  }).transform((text) => text.replace(/\/$/, ''));
}

/** Any http or https URL; only a proxy or a gateway may have credentials in it. */
export function serviceUrl({ mayHaveCredentials }: { mayHaveCredentials: boolean }) {
  return checkedText('an http or https URL', (text) => {
    const fault = findUrlFault(text);
    if (fault !== undefined) return fault;
    const url = new URL(text);
    return mayHaveCredentials || (url.username === '' && url.password === '')
      ? undefined
      : 'credentials have no place here';
  });
}

/** What keeps a text from being an http or https URL, in words. The URL parser alone forgives far too much. */
export function findUrlFault(text: string): string | undefined {
  if (!/^https?:\/\//.test(text)) return 'it does not start with http:// or https://';
  if (/[\s\\]/.test(text)) return 'it has a blank or a backslash in it';
  return URL.canParse(text) ? undefined : 'it is not a valid URL';
}

/**
 * Credentials in a URL, or in what may have been meant to be one, made unreadable, and every value of its query, which may
 * be a token. Greedy: a password may have `@` or `/` in it.
 */
export function redactCredentials(text: string): string {
  return text
    .replaceAll(
      /([a-z][a-z0-9+.-]*:\/\/)\S*@|\S*:\S*@/gi,
      (_, scheme: string | undefined) => `${scheme ?? ''}REDACTED@`,
    )
    .replaceAll(
      /([a-z][a-z0-9+.-]*:\/\/[^\s?]*\?)(\S+)/gi,
      (_, address: string, query: string) => `${address}${redactQuery(query)}`,
    );
}

function redactQuery(query: string): string {
  return query.replaceAll(/([^&;=]+=)?[^&;]+/g, (_, name: string | undefined) => `${name ?? ''}REDACTED`);
}
