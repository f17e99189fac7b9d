import type { AddressInfo } from 'node:net';
import {
  Agent,
  bucketStreamName,
  configBuckets,
  eventStream,
  opened,
  Person,
  PolicyText,
  parseSubject,
  SignerKey,
  Webhook,
} from '@placet/events';
import {
  causeId,
  followLive,
  openChannelRoles,
  openConfigStore,
  type RunningService,
  type ServiceEnvironment,
  type ServiceParts,
  startService,
  trustedOf,
  watchStreams,
} from '@placet/runtime';
import { type Agents, createAgents } from './accounts/agents.ts';
import { createChannels } from './accounts/channels.ts';
import { createPeople, type People } from './accounts/people.ts';
import { answerReachable } from './accounts/reachable.ts';
import { createGatewayApp } from './app.ts';
import { noticeInVain, readStanding } from './checks/asked-in-vain.ts';
import { createChecks } from './checks/checks.ts';
import { createReports } from './checks/reports.ts';
import { watchStreamRoom } from './checks/stream-room.ts';
import { createWaiting, type Waiting } from './checks/waiting.ts';
import type { GatewayConfig } from './config.ts';
import { createActs } from './pages/acts.ts';
import { createPolicies, type Policies } from './policies/policies.ts';
import { createLinks } from './sessions/links.ts';
import { answerMailLinks } from './sessions/mail-links.ts';
import { createSessions } from './sessions/sessions.ts';
import { createSignInLinks, type SignInLinks } from './sessions/sign-in-links.ts';
import { createSignInMails } from './sessions/sign-in-mails.ts';
import { createSlackCodes } from './sessions/slack-codes.ts';
import { createInteractions } from './slack/interactions.ts';
import { listenToSlack } from './slack/socket.ts';
import { answerWebhooks } from './webhooks/targets.ts';
import { createWebhooks } from './webhooks/webhooks.ts';

/** What whoever started the gateway may use beside HTTP, to set up a first agent, person and policy. */
export type Gateway = RunningService & {
  url: string;
  agents: Agents;
  people: People;
  policies: Policies;
  signInLinks: SignInLinks;
};

export async function startGatewayService(
  environment: ServiceEnvironment,
  options: { config: GatewayConfig; unready?: () => string[] },
): Promise<Gateway> {
  const built: { gateway?: Omit<Gateway, keyof RunningService>; running?: RunningService } = {};
  const { config, unready: othersUnready = () => [] } = options;
  // Its own route answers for it, and in one process for the others too.
  const unready = () => [...new Set([...(built.running?.unready() ?? []), ...othersUnready()])];
  built.running = await startService('gateway', environment, async (parts) => {
    const watched = watchStreams(
      parts,
      [eventStream, ...Object.values(configBuckets).map(bucketStreamName)],
      { seesOthers: true },
    );
    built.gateway = await buildGateway(parts, { config, unready });
    return { unready: watched.problems };
  });
  if (!built.gateway) throw new Error('the gateway started without being built');
  return { ...built.running, ...built.gateway };
}

async function buildGateway(
  parts: ServiceParts,
  { config, unready }: { config: GatewayConfig; unready: () => string[] },
): Promise<Omit<Gateway, keyof RunningService>> {
  const { context, alarm, resources } = parts;
  const open = <T>(bucket: Parameters<typeof openConfigStore<T>>[3]) =>
    openConfigStore(context, alarm, resources, bucket);
  const room = await watchStreamRoom(context, resources);
  const agents = createAgents(await open({ bucket: configBuckets.agents, schema: Agent }));
  const people = createPeople(await open({ bucket: configBuckets.people, schema: Person }));
  const policies = createPolicies(
    await open({ bucket: configBuckets.policies, schema: PolicyText }),
    room.keptMs,
  );
  const webhooks = createWebhooks(await open({ bucket: configBuckets.webhooks, schema: Webhook }), config);
  const signers = await open({ bucket: configBuckets.signers, schema: SignerKey });
  if (config.policyFile !== undefined) {
    await policies.followFile('default', config.policyFile, context.logger, resources);
  }
  const waiting = createWaiting(context.metrics);
  follow(parts, waiting, people);
  answerReachable(parts, people);
  const channels = createChannels(await openChannelRoles(context, alarm, resources));
  const sessions = createSessions({ context, people });
  const links = createLinks(context, people);
  const signInLinks = createSignInLinks(links);
  const signInMails = createSignInMails(parts, { people, signInLinks, config });
  answerMailLinks(parts, { people, links, config });
  const acts = createActs(context);
  const codes = createSlackCodes(links);
  const interactions = createInteractions({
    context,
    alarm,
    people,
    acts,
    codes,
    config,
    publicUrl: config.publicUrl,
  });
  if (config.slackAppToken !== undefined) {
    const slack = { appToken: config.slackAppToken, apiUrl: config.slackApiUrl };
    listenToSlack({ context, resources, interactions }, slack);
  }
  answerWebhooks(parts, { webhooks, agents });
  const trusted = () => trustedOf(signers);
  const checkParts = { ...parts, room, waiting, config, trusted };
  const checks = createChecks(checkParts);
  const reports = createReports(checkParts, checks);
  const app = await createGatewayApp({
    context,
    config,
    agents,
    people,
    channels,
    acts,
    codes,
    interactions,
    sessions,
    links,
    signInLinks,
    signInMails,
    policies,
    webhooks,
    trusted,
    checks,
    reports,
    unready,
  });
  resources.add('http', () => {
    waiting.close();
    return app.close();
  });
  await app.listen({ host: config.host, port: config.port });
  const { port } = app.server.address() as AddressInfo;
  const host = config.host.includes(':') ? `[${config.host}]` : config.host;
  return { url: `http://${host}:${port}`, agents, people, policies, signInLinks };
}

function follow({ context, alarm, resources }: ServiceParts, waiting: Waiting, people: People): void {
  async function noticeOthers(action: { agent: string; actionId: string }): Promise<void> {
    try {
      const standing = await readStanding(context, action);
      if (standing) await noticeInVain(standing, { alarm, people });
    } catch (error) {
      context.logger.warn({ err: error }, 'whether somebody is asked in vain is not known');
    }
  }

  followLive(context, resources, {
    isAwaited: waiting.isAwaited,
    onEvent: (event) => {
      waiting.take(event);
      if (event.type === 'approval.needed') void noticeInVain(opened(event), { alarm, people });
    },
    onProgress: (actionId) => waiting.progress(actionId),
    onAsking: (action) => void noticeOthers(action),
    onReconnect: () => waiting.look(),
    onForged: (subject) => {
      const place = parseSubject(subject);
      void alarm({
        kind: 'wrong_seal',
        about: causeId('live', subject),
        message: `A live message under ${subject} does not carry our seal. It is not acted upon.`,
      });
      if (place && place.root !== 'sys') waiting.look(place.action);
    },
  });
}
