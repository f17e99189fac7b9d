import {
  approvalsOf,
  askedOf,
  decidersText,
  type EventData,
  furtherReason,
  peopleWanted,
  standingVotes,
} from '@placet/events';
import type { Told } from '../told.ts';
import { nameIn, quoted, saying } from './quoted.ts';

const votesMax = 20;

/** In whose name and by whose hand, where that is somebody else than the agent. */
export function behindIt({ acting_agent, on_behalf_of }: Told['needed']): string | null {
  const who = [
    ...(acting_agent === undefined ? [] : [`by ${nameIn(acting_agent)}`]),
    ...(on_behalf_of === undefined ? [] : [`for ${nameIn(on_behalf_of)}`]),
  ];
  return who.length > 0 ? who.join(', ') : null;
}

/** What it belongs to, and how pressing the agent finds it where that is out of the ordinary. */
export function regarding({ case: name, priority }: Told['needed']): [name: string, text: string][] {
  const isPressing = priority === 'high' || priority === 'urgent';
  return [
    ...(name === undefined ? [] : [['Case', nameIn(name)] as [string, string]]),
    ...(isPressing ? [['Priority', priority] as [string, string]] : []),
  ];
}

export function ruleText({ rule, reason }: Told['needed']): string {
  // Where a rule says nothing of its own, the reason is its name.
  return quoted(rule === null || reason.includes(rule) ? reason : `Rule: ${rule}. ${reason}`);
}

/** How many of those who are wanted have approved, for everybody who wants somebody. */
export function progressText({ standing }: Told): string {
  const votes = standing.votes.map(({ data }) => data);
  const demands = standing.demands.map((demand, position) => {
    const met = approvalsOf(demand, votes, position);
    return `${met} of ${peopleWanted(demand)}: ${askedOf([demand]).join(', ')}`;
  });
  return demands.join(' and ');
}

/** Who has said what, one a line. */
export function votesSaid({ standing }: Told): string[] {
  const votes = standingVotes(standing.votes.map(({ data }) => data)).slice(-votesMax);
  return votes.map(({ voter, vote, choice, comment }) => {
    const word = choice === undefined ? (vote === 'approve' ? 'approved' : 'rejected') : `chose ${choice}`;
    const said = `${voter.email} ${word}`;
    return comment === undefined ? said : saying(said, comment);
  });
}

/** What else there is to know of the arguments: those that are hidden, and who has changed them. */
export function argumentNotes({ redacted = [], revision, edited_by = [] }: Told['needed']): string[] {
  const editors = edited_by.map(({ email }) => email).join(', ');
  return [
    ...(redacted.length > 0 ? [`Hidden: ${redacted.join(', ')}.`] : []),
    ...(revision > 1 ? [`Changed by ${editors}; earlier votes are void.`] : []),
  ];
}

export function endText(ended: EventData<'action.decided'>): string {
  const { decision, choice, deciders } = ended;
  const reason = furtherReason(ended);
  const what = choice === undefined ? decision : `${decision} (${choice})`;
  const title = `${what[0]?.toUpperCase()}${what.slice(1)} by ${decidersText(deciders)}`;
  return reason === null ? title : saying(title, reason);
}

/** How often people were to be reminded of this payload. */
export function remindersOf({ needed, standing }: Told): number {
  return (needed.steps ?? []).slice(0, standing.steps).filter(({ kind }) => kind === 'remind').length;
}

const channelNames: Record<string, string> = { slack: 'Slack', pagerduty: 'PagerDuty', email: 'Email' };

/** Where it could not be told, to those who are told for that reason. */
export function insteadText(failed: Told['failed']): string | null {
  const names = failed.map(({ channel, target }) => {
    const name = channelNames[channel] ?? channel;
    if (target.startsWith('user:')) return name;
    return target.startsWith('#')
      ? `${target} in ${name}`
      : `${name} ${target.slice(target.indexOf(':') + 1)}`;
  });
  if (names.length === 0) return null;
  return `${[...new Set(names)].join(' and ')} could not be reached, so you are told here.`;
}
