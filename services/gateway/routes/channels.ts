import {
  type Approver,
  approverText,
  isAsked,
  type Person,
  Role,
  requests,
  TestChannelAnswer,
  type TestChannelQuestion,
} from '@placet/events';
import { readApprover } from '@placet/policy';
import { type App, ask, type BusContext, misfitOf, Refusal } from '@placet/runtime';
import * as z from 'zod';
import type { Channels } from '../accounts/channels.ts';
import type { People } from '../accounts/people.ts';
import type { Auth } from '../auth.ts';
import { errors } from './shared.ts';

/** Longer than a mail server may take. */
const testWithinMs = 20_000;
const peopleMax = 20;

const Params = z.object({
  id: z
    .string()
    .max(260)
    .describe(
      'As a policy names it: "#approvals", "user:dana@example.com", "role:manager" or "pagerduty:airline". In an address # is %23.',
    ),
});
const Mapping = z.object({ id: z.string(), role: z.string() }).meta({ id: 'ChannelRole' });
const Result = z.object({
  channel: z.string(),
  target: z.string(),
  ok: z.boolean(),
  message: z.string().describe('What is wrong, and what to do; or that it has arrived.'),
});

type Parts = { auth: Auth; context: BusContext; people: People; channels: Channels };
type Test = { question: TestChannelQuestion; target: string };

export function channelRoutes(app: App, { auth, context, people, channels }: Parts) {
  const common = { tags: ['Channels'], security: [{ personToken: [] }] };

  app.get(
    '/v1/channels',
    {
      schema: {
        ...common,
        summary: 'The channels in which another role than approver may vote.',
        response: { 200: z.object({ channels: z.array(Mapping) }), ...errors },
      },
    },
    async (request) => {
      auth.withRole(request, 'admin', 'auditor');
      return { channels: channels.list() };
    },
  );

  app.put(
    '/v1/channels/:id',
    {
      schema: {
        ...common,
        summary: 'Say who may vote in a channel: whoever has this role, from the next approval on.',
        params: Params,
        body: z.strictObject({ role: Role.nullable().describe('null: whoever has the role approver.') }),
        response: { 200: z.object({ id: z.string(), role: z.string().nullable() }), ...errors },
      },
    },
    async (request) => {
      const { id: by } = auth.withRole(request, 'admin');
      const approver = approverIn(request.params.id);
      if (approver.kind !== 'channel') {
        throw misfitOf([{ path: 'id', message: 'must be a channel, as #approvals' }]);
      }
      const { role } = request.body;
      await channels.map(approver.channel, role, by);
      return { id: approverText({ kind: 'channel', channel: approver.channel }), role };
    },
  );

  app.post(
    '/v1/channels/:id/test',
    {
      schema: {
        ...common,
        summary: 'Send something harmless there, wait whether it arrives, and say in words what is wrong.',
        params: Params,
        response: { 200: z.object({ ok: z.boolean(), results: z.array(Result) }), ...errors },
      },
    },
    async (request) => {
      auth.withRole(request, 'admin');
      const tests = testsOf(approverIn(request.params.id), people.list());
      const results = await Promise.all(tests.map(tried));
      return { ok: results.every(({ ok }) => ok), results };
    },
  );

  async function tried({ question, target }: Test): Promise<z.infer<typeof Result>> {
    const answer = await ask(context, requests.testChannel, question, TestChannelAnswer, testWithinMs);
    const { channel, ok } = answer;
    return {
      channel,
      target,
      ok,
      message: answer.ok ? 'It was taken. Look whether it is there.' : answer.reason,
    };
  }
}

/** As an approval would reach them. */
function testsOf(approver: Approver, known: readonly Person[]): Test[] {
  const target = approverText(approver);
  switch (approver.kind) {
    case 'channel':
      return [{ question: { kind: 'slack', target }, target }];
    case 'pagerduty':
      return [{ question: { kind: 'pagerduty', target }, target }];
    case 'role':
    case 'user': {
      const asked = known.filter((person) => !person.disabled && isAsked(approver, person));
      if (asked.length === 0) throw new Refusal('NOT_FOUND', { message: `Nobody here is ${target}.` });
      return asked.slice(0, peopleMax).map(({ email, slack = [] }) => {
        return { question: { kind: 'person', email, slack }, target: `user:${email}` };
      });
    }
    default:
      return approver satisfies never;
  }
}

function approverIn(text: string): Approver {
  const read = readApprover(text);
  if (!('wrong' in read)) return read;
  throw misfitOf([{ path: 'id', message: read.wrong }]);
}
