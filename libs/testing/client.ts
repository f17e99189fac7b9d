/** What came back: the status, the headers, and the body as JSON where it is JSON. */
export type Reply = { status: number; headers: Headers; body: Body };
// The tests read answers of every form; what they assert is what types them.
// biome-ignore lint/suspicious/noExplicitAny: the answers of an API under test have no type yet
type Body = any;

export type Client = ReturnType<typeof createClient>;

/** Calls the API with one credential, as any HTTP client would. */
export function createClient(url: string, credential?: string) {
  async function call(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Reply> {
    const isText = typeof body === 'string';
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        ...(credential === undefined ? {} : { authorization: `Bearer ${credential}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: isText ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = /[/+]json\b/.test(response.headers.get('content-type') ?? '');
    return {
      status: response.status,
      headers: response.headers,
      body: isJson && text ? JSON.parse(text) : text,
    };
  }

  return {
    call,
    get: (path: string, headers?: Record<string, string>) => call('GET', path, undefined, headers),
    post: (path: string, body?: unknown, headers?: Record<string, string>) =>
      call('POST', path, body, headers),
    put: (path: string, body?: unknown, headers?: Record<string, string>) => call('PUT', path, body, headers),
    patch: (path: string, body?: unknown) => call('PATCH', path, body),
    delete: (path: string) => call('DELETE', path),
    /** A text body is sent as it stands, so that what is not JSON can be tried. */
    check: (body: unknown, query = '') => call('POST', `/v1/check${query}`, body),
    answer: (id: string, query = '') => call('GET', `/v1/check/${id}${query}`),
    vote: (id: string, body: unknown) => call('POST', `/v1/approvals/${id}/votes`, body),
  };
}
