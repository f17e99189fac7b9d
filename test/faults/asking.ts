import type { Asked, Body, Note, Told } from './notes.ts';

const repliesWithinMs = 10_000;

export type Place = { name: string; url: string };
export type Way = { method: string; path: string; body?: unknown };

/** Asks one gateway as any client would, and writes down what was asked and told. */
export type Ask = (place: Place, way: Way, asked: Asked) => Promise<Note>;

export function createAsker(by: string, credential: string, notes: Note[]): Ask {
  return async (place, way, asked) => {
    const sentAt = Date.now();
    const told = await tell(place, way, credential);
    const note = { by, gateway: place.name, sentAt, toldAt: Date.now(), asked, told };
    notes.push(note);
    return note;
  };
}

async function tell({ url }: Place, { method, path, body }: Way, credential: string): Promise<Told> {
  try {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${credential}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(repliesWithinMs),
    });
    return { status: response.status, body: (await response.json()) as Body };
  } catch (error) {
    return { lost: lostBy(error) };
  }
}

function lostBy(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = (error.cause ?? {}) as { code?: string };
  return code ?? error.name;
}

/** The documentation's word for "ask again": a part is away, or nobody knows. */
export function isToRepeat({ told }: Note): boolean {
  return 'lost' in told || told.status >= 500;
}
