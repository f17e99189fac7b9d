import {
  configBuckets,
  consumers,
  type EventOf,
  eventStream,
  PolicyText,
  RequestContext,
  SignerKey,
} from '@placet/events';
import { type ActionFacts, evaluate } from '@placet/policy';
import type { Signer } from '@placet/proof';
import {
  type BusContext,
  done,
  type Outcome,
  openConfigStore,
  publishSigner,
  type RunningService,
  readHistoryFromLeader,
  type ServiceEnvironment,
  type ServiceParts,
  startService,
  subscribe,
  UsersProblem,
  watchConsumer,
} from '@placet/runtime';
import type { PolicyConfig } from './config.ts';
import { followLayers, type Layers } from './layers.ts';
import { type VerdictEvent, verdictEvent } from './verdict.ts';

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
    const layers = followLayers(policies);
    subscribe(context, bus, alarm, resources, {
      spec: consumers.policy,
      handle: ({ event, seq }) =>
        judge(parts, layers, { ...options, longestMs }, event as EventOf<'action.requested'>, seq),
    });
    const watched = watchConsumer(parts, consumers.policy);
    return { unready: watched.problems };
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

async function judge(
  { context, bus }: Pick<ServiceParts, 'context' | 'bus'>,
  layers: Layers,
  by: { config: PolicyConfig; signer: Signer; longestMs: number },
  request: EventOf<'action.requested'>,
  seq: number,
): Promise<Outcome> {
  const verdict = evaluate(layers.forRequest(request.data), factsOf(request, new Date()));
  const event = verdictEvent(request, verdict, { ...by, now: new Date() });
  const appended = await append(bus, event, seq);
  if (appended.status === 'stored') return done;
  return (await isAnswered(context, request))
    ? done
    : { outcome: 'retry', afterMs: 100, reason: 'lost a race' };
}

function factsOf({ data }: EventOf<'action.requested'>, now: Date): ActionFacts {
  const told = Object.keys(RequestContext).flatMap((field) => {
    const value = data[field as keyof typeof data];
    return value === undefined ? [] : [[field, value]];
  });
  return {
    action: data.action_name,
    payload: data.payload,
    agent: { name: data.agent, owner: data.owner },
    context: Object.fromEntries(told),
    now,
  };
}

function append(bus: ServiceParts['bus'], event: VerdictEvent, version: number) {
  return event.type === 'action.decided'
    ? bus.append(event, { version })
    : bus.append(event, { version, number: event.data.revision });
}

/** The request is the action's first event, so whatever follows it is a verdict, or came after one. */
async function isAnswered(context: BusContext, request: EventOf<'action.requested'>): Promise<boolean> {
  const { agent, action_id } = request.data;
  const { events, forged } = await readHistoryFromLeader(context, agent, action_id);
  return forged.length > 0 || events.some(({ event }) => event.type !== 'action.requested');
}
