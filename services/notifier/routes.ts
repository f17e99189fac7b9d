import { type EventData, isByName, isSameEmail, type Reachable } from '@placet/events';
import type { Told } from './told.ts';

/** Which channels are set up here. PagerDuty says of itself what it has no key for. */
export type SetUp = { slack: boolean; email: boolean };
export type Kind = 'slack' | 'pagerduty' | 'email';
type Failed = EventData<'notification.failed'>;

const isChannel = (asked: string) => asked.startsWith('#');
const isPagerDuty = (asked: string) => asked.startsWith('pagerduty:');
const nameOf = (email: string) => `user:${email}`;

/** That it was asked was not delivered there. What was, and could not be changed, is there all the same. */
const isLost = (failed: readonly Failed[], target: string, kind?: string) =>
  failed.some(
    (one) =>
      one.about_type === 'approval.needed' &&
      isSameEmail(one.target, target) &&
      (kind === undefined || one.channel === kind),
  );

/** Whether the gateway has to say who they are: people are told by name, or in the stead of a place. */
export function isPeopleWanted(asked: readonly string[], failed: readonly Failed[], setUp: SetUp): boolean {
  return asked.some((one) => isByName(one) || (isChannel(one) && !setUp.slack) || isLost(failed, one));
}

/**
 * Where an approval belongs, in each kind of channel. A place is told as a place. Who is asked by name is told where they
 * are: in Slack who is linked there, otherwise by mail. Where a place could not be told, or is not to be had here, those
 * who may vote there are; where that fails, the next way to them is taken. What has failed stays failed, so that this
 * ends, and each is told once.
 */
export function routesOf(told: Told, kind: Kind, setUp: SetUp): string[] {
  const { asked, people } = told;
  const named = () =>
    people.filter((person) => wayTo(person, told, setUp) === kind).map(({ email }) => nameOf(email));
  switch (kind) {
    case 'slack':
      return setUp.slack ? [...asked.filter(isChannel), ...named()] : [];
    case 'pagerduty':
      // Nobody is paged because something is over.
      return told.ended ? [] : asked.filter(isPagerDuty);
    case 'email':
      return named();
    default:
      return kind satisfies never;
  }
}

/** The first way to a person that has not failed; null where there is none, or where a place tells them. */
function wayTo(person: Reachable, { failed }: Told, setUp: SetUp): 'slack' | 'email' | null {
  const places = person.as.filter((one) => !isByName(one));
  const lost = places.filter((one) => isLost(failed, one) || (isChannel(one) && !setUp.slack));
  const isNamed = places.length < person.as.length;
  if (!isNamed && lost.length === 0) return null;
  // Where Slack has just failed, mail is the next, and Slack the last.
  const first =
    isNamed || lost.some(isPagerDuty) ? (['slack', 'email'] as const) : (['email', 'slack'] as const);
  const ways = first.filter((way) => setUp[way] && (way === 'email' || person.slack.length > 0));
  return ways.find((way) => !isLost(failed, nameOf(person.email), way)) ?? null;
}

/** What was to tell this person and could not, where they are told for that reason. */
export function lostFor({ as, email }: Reachable, { failed }: Told): Failed[] {
  const isNamed = as.some(isByName);
  return failed.filter(
    (one) =>
      isLost([one], nameOf(email)) ||
      (!isNamed && as.some((place) => !isByName(place) && isLost([one], place))),
  );
}

/**
 * Who is asked and cannot be told by any channel as they are set up: of a role or a channel nobody, not even one. What
 * was tried and failed is told as that.
 */
export function untoldOf({ asked, people }: Told, setUp: SetUp): string[] {
  // Everybody has an address.
  if (setUp.email) return [];
  const isReached = (one: string) =>
    isPagerDuty(one) ||
    (setUp.slack && (isChannel(one) || people.some(({ as, slack }) => as.includes(one) && slack.length > 0)));
  return asked.filter((one) => !isReached(one));
}

/** What to do about it, in words for whoever runs Placet. */
export function untoldText(untold: readonly string[], { slack }: SetUp): string {
  const advice = slack
    ? 'nobody of them is linked to a user of Slack, and email is not set up: link them, or set up email'
    : 'neither Slack nor email is set up: set up one of them';
  return `nobody is told who is asked as ${untold.join(', ')}: ${advice}. It waits in the list at /approvals`;
}
