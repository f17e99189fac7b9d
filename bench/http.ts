import http from 'node:http';

export type Call = (path: string, body?: unknown) => Promise<unknown>;

/** A client that costs little, so that what is measured is the server: kept connections, no more than JSON. */
export function createCaller(url: string, credential?: string): { call: Call; close(): void } {
  const { hostname, port } = new URL(url);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 256 });
  const authorization = credential === undefined ? {} : { authorization: `Bearer ${credential}` };

  function call(path: string, body?: unknown): Promise<unknown> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const type =
      text === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
    return new Promise((resolve, reject) => {
      const method = text === undefined ? 'GET' : 'POST';
      const headers = { ...authorization, ...type };
      const request = http.request({ hostname, port, path, method, headers, agent }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const answer = Buffer.concat(chunks).toString();
          if ((response.statusCode ?? 500) < 300) resolve(JSON.parse(answer));
          else reject(new Error(`${method} ${path}: ${response.statusCode} ${answer}`));
        });
      });
      request.on('error', reject);
      request.end(text);
    });
  }
  return { call, close: () => agent.destroy() };
}
