import {
  type Approver,
  CancelAnswer,
  CommentAnswer,
  Digest,
  EditAnswer,
  inChannels,
  isAsked,
  type Person,
  ReassignAnswer,
  requests,
  Vote,
  VoteAnswer,
} from '@placet/events';
import { type App, ask, type BusContext, Refusal } from '@placet/runtime';
import * as z from 'zod';
import { audienceOf, voterOf } from '../accounts/audience.ts';
import type { Channels } from '../accounts/channels.ts';
import type { People } from '../accounts/people.ts';
import type { Auth } from '../auth.ts';
import { askedInVain, readStanding } from '../checks/asked-in-vain.ts';
import { Comment } from '../checks/comment.ts';
import { knownForm } from '../checks/known-form.ts';
import { Approvers, Payload } from '../checks/request.ts';
import { ActionParams, errors } from './shared.ts';

const payload_digest = Digest.optional().describe('What was seen; refused when it has changed since.');

const VoteBody = z
  .strictObject({
    vote: Vote.optional().describe('Where the rule names no choices.'),
    choice: z.string().min(1).max(60).optional().describe('One of the choices of the rule, instead of vote.'),
    answer: z.unknown().optional().describe('What the agent asks for by its answer_schema.'),
    comment: Comment.optional(),
    payload_digest,
  })
  .refine(({ vote, choice }) => (vote === undefined) !== (choice === undefined), {
    message: 'send either vote or choice',
    path: ['vote'],
  })
  .meta({ id: 'Vote' });

const EditBody = z
  .strictObject({
    changes: Payload.refine(
      (changes) => Object.keys(changes).length > 0,
      'must name at least one path of the payload, such as "payload.amount"',
    ).describe('New values by path, such as {"payload.amount": 40}.'),
    payload_digest: Digest.describe('What was seen; refused when it has changed since.'),
    comment: Comment.optional(),
  })
  .meta({ id: 'Edit' });

const ReassignBody = z
  .strictObject({
    to: Approvers.describe('Who takes your place: such as ["user:bob@example.com"].'),
    comment: Comment.optional(),
    payload_digest,
  })
  .meta({ id: 'Reassignment' });

const CommentBody = z.strictObject({ comment: Comment }).meta({ id: 'Comment' });
const CancelBody = z
  .strictObject({ reason: Comment.describe('Told to the agent, and on the record.') })
  .meta({ id: 'Cancel' });

type Parts = { auth: Auth; context: BusContext; people: People; channels: Channels };

/** What people do with an approval. Who they are comes from the token alone. */
export function approvalActRoutes(app: App, { auth, context, people, channels }: Parts) {
  const common = { tags: ['Approvals'], security: [{ personToken: [] }], params: ActionParams };

  app.post(
    '/v1/approvals/:id/votes',
    {
      schema: {
        ...common,
        summary: 'Approve or reject, or take one of the choices. A later vote replaces your earlier one.',
        body: VoteBody,
        response: { 200: VoteAnswer, ...errors },
      },
    },
    (request) => {
      const question = { ...aboutIt(request.params.id, auth.personOf(request)), ...request.body };
      return ask(context, requests.vote, question, VoteAnswer);
    },
  );

  app.post(
    '/v1/approvals/:id/edits',
    {
      schema: {
        ...common,
        summary: 'Change what is asked. The policy judges it again, and votes until then are void.',
        body: EditBody,
        response: { 200: EditAnswer, ...errors },
      },
    },
    (request) => {
      const question = { ...aboutIt(request.params.id, auth.personOf(request)), ...request.body };
      return ask(context, requests.edit, question, EditAnswer);
    },
  );

  app.post(
    '/v1/approvals/:id/reassignments',
    {
      schema: {
        ...common,
        summary: 'Hand your place to others: of all of you one is counted.',
        body: ReassignBody,
        response: { 200: ReassignAnswer, ...errors },
      },
    },
    async (request) => {
      const { to: named, ...rest } = request.body;
      const to = inChannels(named, channels.roleOf);
      const person = auth.personOf(request);
      const seeing = { audience: audienceOf(person), by: voterOf(person) };
      // Who there is, is told to those whom the approval concerns.
      const view = await seen(knownForm(request.params.id, 'NOT_FOUND'), seeing);
      if (view) refuseNobody(to);
      const question = { ...aboutIt(request.params.id, auth.personOf(request)), approvers: to, ...rest };
      const answer = await ask(context, requests.reassign, question, ReassignAnswer);
      const said = view && (await warning(view, answer.action_id));
      return said ? { ...answer, warning: said } : answer;
    },
  );

  app.post(
    '/v1/approvals/:id/comments',
    {
      schema: {
        ...common,
        summary: 'Say something about it to whoever sees it, without voting.',
        body: CommentBody,
        response: { 201: CommentAnswer, ...errors },
      },
    },
    async (request, reply) => {
      const person = auth.personOf(request);
      const { action_id, channel } = aboutIt(request.params.id, person);
      const { comment } = request.body;
      const question = { action_id, channel, by: whoIs(person), audience: audienceOf(person), comment };
      reply.code(201);
      return ask(context, requests.comment, question, CommentAnswer);
    },
  );

  app.post(
    '/v1/approvals/:id/cancel',
    {
      schema: {
        ...common,
        summary: 'End a request that is not decided, as an administrator: it is denied.',
        body: CancelBody,
        response: { 200: CancelAnswer, ...errors },
      },
    },
    (request) => {
      const by = whoIs(auth.withRole(request, 'admin'));
      const action_id = knownForm(request.params.id, 'NOT_FOUND');
      return ask(context, requests.cancel, { action_id, by, reason: request.body.reason }, CancelAnswer);
    },
  );

  type Seeing = { audience: string[] | null; by: ReturnType<typeof voterOf> };
  const Seen = z.object({ agent: z.string() });

  /** Whose agent's it is, where it concerns the person. */
  async function seen(action_id: string, seeing: Seeing): Promise<z.infer<typeof Seen> | null> {
    try {
      return await ask(context, requests.approval, { action_id, ...seeing }, Seen);
    } catch (error) {
      if (error instanceof Refusal && error.code === 'NOT_FOUND') return null;
      throw error;
    }
  }

  /** It is handed on all the same: who is away is away. */
  async function warning({ agent }: z.infer<typeof Seen>, actionId: string): Promise<string | null> {
    const standing = await readStanding(context, { agent, actionId });
    const asked = standing ? askedInVain(standing, people.list()) : [];
    if (asked.length === 0) return null;
    return `Those who may vote are too few now for ${asked.join(', ')}. Take your place back, or hand it to somebody who is not asked yet.`;
  }

  /** What is handed to nobody would wait in silence. */
  function refuseNobody(to: Approver[]): void {
    const present = people.list().filter(({ disabled }) => !disabled);
    const absent = to.findIndex((approver) => !present.some((person) => isAsked(approver, person)));
    if (absent === -1) return;
    throw new Refusal('VALIDATION_ERROR', {
      details: [{ path: `to[${absent}]`, message: 'there is no such person who could vote' }],
    });
  }
}

function whoIs({ id, email, name }: Person) {
  return { id, email, ...(name === undefined ? {} : { name }) };
}

function aboutIt(id: string, person: Person) {
  return {
    action_id: knownForm(id, 'NOT_FOUND'),
    channel: 'api' as const,
    voter: voterOf(person),
  };
}
