import { Refusal } from '@placet/runtime';
import type { FastifyReply } from 'fastify';
import * as z from 'zod';
import { type Done, done } from '../pages/acts.ts';
import type { Form } from '../pages/answer.ts';
import { type Html, html } from '../pages/html.ts';
import { notice, page } from '../pages/layout.ts';
import { send } from '../pages/scope.ts';

/** The pages are no part of the API. */
export const hide = { hide: true } as const;
export const FormBody = z.record(z.string(), z.string());

/** What was done by the form before, of which the address of the page tells. */
export const Said = z.object({
  said: z
    .enum(Object.keys(done) as [Done, ...Done[]])
    .optional()
    .catch(undefined),
});

/** What a page says beside what it is about. */
export type Told = { told?: string; problem?: string; form?: Form };

export const toldBy = ({ said }: z.infer<typeof Said>): Told => (said ? { told: done[said] } : {});

export const notices = ({ told, problem }: Told): Html =>
  html`${told !== undefined && notice('done', told)}${problem !== undefined && notice('problem', problem)}`;

export function foreignForm(): Refusal {
  return new Refusal('FORBIDDEN', {
    message: 'This did not come from a page of ours. Open the page, and do it there.',
  });
}

/** The page of a link that does nothing any more. */
export function over(
  reply: FastifyReply,
  problem: string,
  way: { path: string; words: string },
): FastifyReply {
  const body = html`${notice('problem', problem)}<p><a href="${way.path}">${way.words}</a></p>`;
  return send(reply.code(410), page({ title: 'This link is over', body }));
}
