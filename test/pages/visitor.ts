import type { TestPlacet } from '@placet/testing';

export type Seen = { status: number; text: string; location: string | null; headers: Headers };
export type Visitor = ReturnType<typeof createVisitor>;

/** A browser as far as the gateway can tell: it keeps cookies, and says where a form comes from. */
export function createVisitor(url: string) {
  const jar = new Map<string, string>();
  let formToken = '';

  async function visit(path: string, init: RequestInit = {}): Promise<Seen> {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(`${url}${path}`, {
      ...init,
      redirect: 'manual',
      headers: { cookie, 'user-agent': 'Visitor/1', ...(init.headers as Record<string, string> | undefined) },
    });
    for (const set of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
      jar.set(name, value);
    }
    const text = await response.text();
    formToken = /name="form_token" value="([^"]+)"/.exec(text)?.[1] ?? formToken;
    return {
      status: response.status,
      text,
      location: response.headers.get('location'),
      headers: response.headers,
    };
  }

  return {
    jar,
    get: (path: string) => visit(path),
    /** As somebody who presses a button on the page seen last. */
    send: (path: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
      visit(path, {
        method: 'POST',
        body: new URLSearchParams({ form_token: formToken, ...fields }),
        headers: { 'sec-fetch-site': 'same-origin', 'sec-fetch-user': '?1', ...headers },
      }),
  };
}

/** Somebody who has signed in with a link. */
export async function signedIn(
  { url, admin }: Pick<TestPlacet, 'url' | 'admin'>,
  person?: string,
): Promise<Visitor> {
  const id = person ?? (await admin.get('/v1/people/me')).body.id;
  const link = await admin.post(`/v1/people/${id}/sign-in-links`);
  const visitor = createVisitor(url);
  await visitor.send(new URL(link.body.url).pathname, {});
  await visitor.get('/account');
  return visitor;
}

/** The text of a page as somebody reads it. */
export function textOf({ text }: Pick<Seen, 'text'>): string {
  return text
    .replace(/<[^>]+>/g, ' ')
    .replaceAll('&#10;', '\n')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&');
}
