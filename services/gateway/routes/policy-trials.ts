import { Readable } from 'node:stream';
import {
  AgentName,
  approverText,
  Choice,
  contextOf,
  peopleWanted,
  Severity,
  VoteChannel,
} from '@placet/events';
import { type ActionFacts, textBytesMax } from '@placet/policy';
import { type App, parseDurationMs, Refusal } from '@placet/runtime';
import * as z from 'zod';
import type { Agents } from '../accounts/agents.ts';
import type { Auth } from '../auth.ts';
import { CheckBody } from '../checks/request.ts';
import type { BacktestLine, Trial, Trials } from '../policies/trials.ts';
import { ScopeParams } from './policy-view.ts';
import { errors } from './shared.ts';

const Moment = z.iso.datetime({ offset: true });

const Evaluate = CheckBody.omit({ idempotency_key: true, timeout: true })
  .extend({
    agent: AgentName.optional().describe('Who would ask. Absent: somebody whom no policy knows.'),
    now: Moment.optional().describe('When it would be asked. Absent: now.'),
    text: z
      .string()
      .max(textBytesMax)
      .optional()
      .describe('Another policy in the place of this one, as YAML.'),
  })
  .meta({ id: 'Evaluate' });

const Decide = z.enum(['allow', 'deny', 'require_approval']);
const Match = z.object({
  rule: z.string(),
  line: z.number(),
  set: z.string().nullable().describe('The shared set that it comes from.'),
  decide: Decide,
  unsure: z.string().nullable().describe('Why it cannot be told whether it matches; null where it does.'),
});
const Evaluation = z
  .object({
    decide: Decide,
    reason: z.string(),
    rule: z.string().nullable(),
    scope: z.string().nullable(),
    applies: z.boolean().describe('Whether the policy of this scope has a part in it.'),
    demands: z.array(
      z.object({
        scope: z.string().nullable(),
        rule: z.string().nullable(),
        approvers: z.array(z.string()),
        quorum: z.number().describe('How many different people, those of a group too.'),
        ways: z
          .array(z.array(z.array(z.string())))
          .optional()
          .describe('Where not any of them will do: lists of places, each for another person.'),
        separate: z.boolean(),
        reject: z.enum(['any', 'majority']),
        escalate: z.array(z.object({ after_ms: z.number(), to: z.array(z.string()), replace: z.boolean() })),
      }),
    ),
    redact: z.array(z.string()),
    redact_except: z.record(z.string(), z.array(z.string())).describe('Roles that are shown a hidden part.'),
    editable: z.array(z.string()),
    choices: z.array(Choice),
    remind: z.array(z.number()).describe('Shares of the time: 0.5 is half of it.'),
    timeout_ms: z.number().nullable(),
    on_timeout: z.enum(['deny', 'allow']),
    require_reason: z.enum(['never', 'on_reject', 'always']),
    only_in: z.array(VoteChannel).nullable().describe('Where people may decide it; null: anywhere.'),
    severity: Severity.nullable(),
    valid_for_ms: z.number().nullable(),
    counters: z.array(
      z.object({
        scope: z.string(),
        rule: z.string(),
        kind: z.enum(['limit', 'budget']),
        label: z.string(),
        by: z.string().nullable().describe('The value that it is counted by.'),
        resets_at: z.string().describe('When the window ends.'),
        used: z.number(),
        wanted: z.number().describe('What this request would use.'),
        max: z.number(),
        status: z.enum(['room', 'over', 'unreadable']),
      }),
    ),
    layers: z.array(
      z.object({
        scope: z.string(),
        digest: z.string().nullable(),
        revision: z.number(),
        decide: z.enum(['allow', 'deny', 'require_approval', 'abstain']),
        rule: z.string().nullable(),
        matches: z
          .array(Match)
          .describe(
            'Every rule that matches, or may. The first that is sure decides, with those before it of which that cannot be told.',
          ),
      }),
    ),
  })
  .meta({ id: 'Evaluation' });

type TrialParts = { auth: Auth; trials: Trials; agents: Agents };

export function evaluateRoute(app: App, { auth, trials, agents }: TrialParts) {
  app.post(
    '/v1/policies/:scope/evaluate',
    {
      schema: {
        tags: ['Policies'],
        security: [{ personToken: [] }],
        summary: 'What would be said to a request, and why. Nothing is decided, counted or recorded.',
        params: ScopeParams,
        body: Evaluate,
        response: { 200: Evaluation, ...errors },
      },
    },
    async (request) => {
      auth.withRole(request, 'admin', 'auditor', 'approver');
      const { scope } = request.params;
      const { agent, now, text, policy, ...asked } = request.body;
      // To read another text costs more than to ask the policies that are there.
      if (text !== undefined) auth.withRole(request, 'admin', 'auditor');
      const [kind, name] = scope.split(':');
      if (kind === 'set') throw new Refusal('VALIDATION_ERROR', { details: [ofSet] });
      const asking = agent ?? (kind === 'agent' ? name : undefined);
      const facts: ActionFacts = {
        action: asked.action_name,
        payload: asked.payload,
        agent: asking === undefined ? nobody : { name: asking, owner: agents.get(asking).owner },
        context: contextOf(asked),
        now: now === undefined ? new Date() : new Date(now),
      };
      const named = policy ?? (kind === 'named' ? name : undefined);
      return evaluationOf(await trials.evaluate(scope, text, { facts, policy: named }));
    },
  );
}

/** A set has a part in what the policies say that include it. */
const ofSet = { path: 'scope', message: 'is a set: evaluate the policy that includes it, with its text' };

const nobody = { name: 'an-agent', owner: 'owner@example.com' };

function evaluationOf({ verdict, layers, uses, applies }: Trial): z.infer<typeof Evaluation> {
  const { decide, reason, rule, scope, demands, redact, redactExcept, settings } = verdict;
  return {
    decide,
    reason,
    rule,
    scope,
    applies,
    demands: demands.map(({ approvers, escalate = [], ...demand }) => ({
      ...demand,
      quorum: peopleWanted(demand),
      reject: demand.reject ?? 'any',
      approvers: approvers.map(approverText),
      escalate: escalate.map(({ afterMs, to, replace }) => ({
        after_ms: afterMs,
        to: to.map(approverText),
        replace: replace ?? false,
      })),
    })),
    redact,
    redact_except: redactExcept,
    editable: settings.editable ?? [],
    choices: settings.choices ?? [],
    remind: settings.remind ?? [],
    timeout_ms: settings.timeoutMs ?? null,
    on_timeout: settings.onTimeout ?? 'deny',
    require_reason: settings.requireReason ?? 'never',
    only_in: settings.onlyIn ?? null,
    severity: settings.severity ?? null,
    valid_for_ms: settings.validForMs ?? null,
    counters: uses,
    layers,
  };
}

const spanMaxMs = 3650 * 86_400_000;
const since = z
  .string()
  .refine(
    (text) =>
      (parseDurationMs(text) ?? Number.POSITIVE_INFINITY) <= spanMaxMs || Moment.safeParse(text).success,
    'must be a span such as 30d, or a moment such as 2026-03-01T00:00:00Z',
  )
  .transform((text) => {
    const ms = parseDurationMs(text);
    return (ms === null ? new Date(text) : new Date(Date.now() - ms)).toISOString();
  });

const BacktestQuery = z.strictObject({
  since: since.optional().describe('From when on, as a span ("30d") or a moment. Absent: the whole record.'),
  until: Moment.transform((text) => new Date(text).toISOString()).optional(),
  agent: AgentName.optional().describe('Requests of this agent only.'),
});

export function backtestRoute(app: App, { auth, trials, agents }: TrialParts) {
  app.post(
    '/v1/policies/:scope/backtest',
    {
      schema: {
        tags: ['Policies'],
        security: [{ personToken: [] }],
        summary:
          'Judge the requests on the record anew with another policy for this scope. The body is YAML.',
        description:
          'The answer is a JSON document a line: `{"progress": …}` while it goes on, then `{"result": …}`, or `{"error": …}`.',
        consumes: ['application/yaml'],
        params: ScopeParams,
        body: z.string().describe('The policy as YAML.'),
        querystring: BacktestQuery,
        response: {
          200: {
            description: 'How the verdicts would change.',
            content: { 'application/x-ndjson': { schema: z.unknown().describe('A JSON document a line.') } },
          },
          ...errors,
        },
      },
    },
    async (request, reply) => {
      // It shows what agents asked for, as the record does.
      auth.withRole(request, 'admin', 'auditor');
      const { since: from, ...query } = request.query;
      if (query.agent !== undefined) agents.get(query.agent);
      const asked = { ...query, ...(from === undefined ? {} : { from }) };
      const lines = trials.backtest(request.params.scope, request.body, asked);
      // What is wrong with the policy is an answer like any other; what goes wrong after the first line is a line.
      reply.raw.once('close', () => void lines.return(undefined));
      const first = await lines.next();
      return reply.type('application/x-ndjson').send(Readable.from(written(first, lines)));
    },
  );
}

async function* written(
  first: IteratorResult<BacktestLine, void>,
  lines: AsyncGenerator<BacktestLine, void>,
): AsyncGenerator<string> {
  try {
    if (first.done) return;
    yield lineOf(first.value);
    for await (const line of lines) yield lineOf(line);
  } catch (error) {
    const refusal = error instanceof Refusal ? error : new Refusal('INTERNAL', { cause: error });
    yield `${JSON.stringify({ error: refusal.code, message: refusal.message })}\n`;
  } finally {
    await lines.return();
  }
}

const lineOf = (line: BacktestLine): string => `${JSON.stringify(line)}\n`;
