import {
  CountsQuestion,
  configBuckets,
  consumers,
  counterStreams,
  type EventOf,
  eventStream,
  inChannels,
  PolicyText,
  requests,
  SignerKey,
  standingOf,
} from '@placet/events';
import { createLayers, type Layers, look, requestFacts } from '@placet/policy';
import type { Signer } from '@placet/proof';
import {
  answer,
  type BusContext,
  type ChannelRoles,
  causeId,
  countPlace,
  type Delivered,
  done,
  eventIn,
  type Outcome,
  openChannelRoles,
  openConfigStore,
  publishSigner,
  type RunningService,
  readCount,
  readHistoryFromLeader,
  type ServiceEnvironment,
  type ServiceParts,
  sleep,
  startService,
  subscribe,
  UsersProblem,
  watchConsumer,
  watchStreams,
} from '@placet/runtime';
import type { PolicyConfig } from './config.ts';
import { watchCounterRoom } from './counter-room.ts';
import { type Counters, createCounters } from './counters.ts';
import { type VerdictEvent, verdictEvent, verdictOnEdit, withAsked } from './verdict.ts';

/** For clocks that differ, and for what is written after the end. */
const marginMs = 60_000;

export function startPolicyService(
  environment: ServiceEnvironment,
  options: { config: PolicyConfig; signer: Signer },
): Promise<RunningService> {
  return startService('policy', environment, async (parts) => {
    const { context, bus, alarm, resources } = parts;
    const longestMs = await longestWait(context, options.config);
    const policies = await openConfigStore(context, alarm, resources, {
      bucket: configBuckets.policies,
      schema: PolicyText,
    });
    const signers = await openConfigStore(context, alarm, resources, {
      bucket: configBuckets.signers,
      schema: SignerKey,
    });
    await publishSigner(signers, 'policy', options.signer.publicJwk);
    const channels = await openChannelRoles(context, alarm, resources);
    const layers = createLayers(policies.all());
    policies.onChange((entry) => {
      layers.take(entry);
      void compileAll(parts, layers);
    });
    const counters = createCounters(context, watchCounterRoom(parts, options.config.countersBytesMax));
    answerCounts(parts);
    tellBroken(parts, layers);
    subscribe(context, bus, alarm, resources, {
      spec: consumers.policy,
      handle: (delivered) =>
        judge({ ...parts, layers, counters, channels }, { ...options, longestMs }, delivered),
    });
    const watched = watchConsumer(parts, consumers.policy);
    const counting = watchStreams(
      parts,
      counterStreams.map(({ name }) => name),
    );
    return { unready: () => [...watched.problems(), ...counting.problems()] };
  });
}

/**
 * An approval that the stream forgets before it ends could be asked for, and given, once more. Answers how long one and
 * its permission may take together.
 */
async function longestWait({ jsm }: BusContext, config: PolicyConfig): Promise<number> {
  const { max_age } = (await jsm.streams.info(eventStream)).config;
  const { approvalTimeoutMs, automaticValidForMs, peopleValidForMs } = config;
  const longestMs = approvalTimeoutMs + Math.max(automaticValidForMs, peopleValidForMs);
  if (max_age === 0) return Number.POSITIVE_INFINITY;
  const ageMs = max_age / 1e6;
  if (longestMs < ageMs) return ageMs - Math.min(marginMs, ageMs / 100);
  throw new UsersProblem(
    `The stream keeps events for ${Math.round(max_age / 1e9)} s, and an approval and its permission may take ` +
      `${longestMs / 1000} s: lower PLACET_APPROVAL_TIMEOUT or PLACET_VALID_FOR_…, or raise PLACET_STREAM_AGE of deploy:streams.`,
  );
}

/** How much of its limits is used, for whoever tries a policy. */
function answerCounts(parts: ServiceParts): void {
  answer(parts, requests.counts, CountsQuestion, async ({ at, counts }) => ({
    totals: await Promise.all(
      counts.map(async ({ id, window_ms }) => {
        const total = await readCount(parts.context, countPlace(id, window_ms, new Date(at))).catch(
          () => null,
        );
        return total === null ? null : String(total);
      }),
    ),
  }));
}

/** One a turn: requests that need none of them do not wait for them. */
async function compileAll(parts: ServiceParts, layers: Layers): Promise<void> {
  while (layers.compileNext()) await sleep(0);
  tellBroken(parts, layers);
}

/** One that cannot be used denies all that it is for, and whoever wrote it may not look. */
function tellBroken({ alarm }: ServiceParts, layers: Layers): void {
  for (const { scope, revision, broken } of layers.broken()) {
    void alarm({
      kind: 'policy_unusable',
      about: causeId(scope, revision, broken),
      message: `The policy ${scope} cannot be used, and denies: ${broken}`,
      details: { scope, revision: String(revision) },
    });
  }
}

type Judging = { layers: Layers; counters: Counters; channels: ChannelRoles };

async function judge(
  { context, bus, layers, counters, channels }: Pick<ServiceParts, 'context' | 'bus'> & Judging,
  by: { config: PolicyConfig; signer: Signer; longestMs: number },
  { event, seq }: Delivered,
): Promise<Outcome> {
  if (event.type === 'approval.edited') {
    return judgeAgain({ context, bus, layers, counters, channels }, by, event, seq);
  }
  // The consumer has no others.
  if (event.type !== 'action.requested') return done;
  const request = event;
  const applying = layers.forRequest(request.data);
  const facts = requestFacts(request.data, new Date());
  const looked = look(applying, facts);
  const verdictWith: typeof looked = (seen) => withAsked(looked(seen), request.data);
  const first = verdictWith();
  const at = new Date(request.time);
  const taken = await counters.take(first.uses, { id: request.id, at });
  const verdict = taken.refused.size === 0 ? first : verdictWith(taken.refused);
  const said = inTheirChannels(verdictEvent(request, verdict, { ...by, now: new Date() }), channels);
  const appended = await append(bus, said, seq);
  if (appended.status === 'stored') {
    if (taken.refused.size > 0) await taken.undo();
    return done;
  }
  const found = await answerTo(context, request);
  if (found === null) return { outcome: 'retry', afterMs: 100, reason: 'lost a race' };
  // Another delivery may have allowed it, and counted the same.
  if (found !== 'allowed') await taken.undo();
  return done;
}

/**
 * A payload that people have changed goes through the policy as if the agent had sent it. Its limits hold, but nothing
 * is counted: only what the policy allows by itself is, and this people have to allow.
 */
async function judgeAgain(
  { context, bus, layers, counters, channels }: Pick<ServiceParts, 'context' | 'bus'> & Judging,
  by: { config: PolicyConfig; signer: Signer; longestMs: number },
  edited: EventOf<'approval.edited'>,
  seq: number,
): Promise<Outcome> {
  const { agent, action_id, payload } = edited.data;
  const history = await readHistoryFromLeader(context, agent, action_id);
  // Somebody else has judged it, or it has ended; a history that holds a forgery is denied by whoever looks after it.
  if (history.version !== seq || history.forged.length > 0) return done;
  const request = eventIn(history, 'action.requested');
  const asked = history.events.flatMap(({ event }) => (event.type === 'approval.needed' ? [event] : []));
  const [first, earlier] = [asked[0], asked.at(-1)];
  if (!request || !first || !earlier) return done;
  const now = new Date();
  const changed = { ...request.data, payload };
  const verdictWith = look(layers.forRequest(changed), requestFacts(changed, now));
  const verdict = verdictWith(await counters.look(verdictWith().uses, { id: edited.id, at: now }));
  const demands = standingOf(history.events.map(({ event }) => event))?.demands ?? earlier.data.demands;
  const edit = { edited, earlier, demands, since: new Date(first.time) };
  const said = inTheirChannels(verdictOnEdit(request, verdict, edit, { ...by, now }), channels);
  const appended = await append(bus, said, seq);
  return appended.status === 'stored' ? done : { outcome: 'retry', afterMs: 100, reason: 'lost a race' };
}

/** Who may vote in a channel is settled when people are asked, like everything else of the policy. */
function inTheirChannels(event: VerdictEvent, { roleOf }: ChannelRoles): VerdictEvent {
  if (event.type !== 'approval.needed') return event;
  const { demands, steps } = event.data;
  const data = {
    ...event.data,
    demands: demands.map((demand) => ({ ...demand, approvers: inChannels(demand.approvers, roleOf) })),
    ...(steps === undefined
      ? {}
      : {
          steps: steps.map((step) =>
            step.kind === 'escalate' ? { ...step, approvers: inChannels(step.approvers, roleOf) } : step,
          ),
        }),
  };
  return { ...event, data };
}

function append(bus: ServiceParts['bus'], event: VerdictEvent, version: number) {
  return event.type === 'action.decided'
    ? bus.append(event, { version })
    : bus.append(event, { version, number: event.data.revision });
}

/**
 * The request is the action's first event, so whatever follows it is a verdict, or came after one. Null: there is none.
 */
async function answerTo(
  context: BusContext,
  request: EventOf<'action.requested'>,
): Promise<'allowed' | 'other' | null> {
  const { agent, action_id } = request.data;
  const { events, forged } = await readHistoryFromLeader(context, agent, action_id);
  if (forged.length === 0 && events.every(({ event }) => event.type === 'action.requested')) return null;
  const isAllowed = events.some(
    ({ event }) =>
      event.type === 'action.decided' && event.data.decision === 'allowed' && event.data.cause === 'policy',
  );
  return isAllowed ? 'allowed' : 'other';
}
