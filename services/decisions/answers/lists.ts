import {
  ActionQuestion,
  ApprovalQuestion,
  ApprovalsQuestion,
  type ApprovalView,
  CaseQuestion,
  requests,
  WaitingQuestion,
} from '@placet/events';
import { answer, fitting, Refusal, type ServiceParts } from '@placet/runtime';
import * as z from 'zod';
import { earlierIn, earlierMax, timelineOf } from '../case-view.ts';
import { isFor, isOfPolicyFor, isWaitingFor, type Records } from '../records.ts';
import type { ActionRecord, OutcomeStore } from '../store.ts';
import { approvalView, decidedIn, executedIn, neededIn, requestSeq } from '../views.ts';

/** Nobody counts further: that it is so many says enough. */
const countMax = 10_000;

/** So many actions of a case are looked at together. */
const actionsMax = 100;
/** Among so many of an agent's last. */
const alikeMax = 50;

type Listing = { records: Records; store: OutcomeStore };

/** What is asked of what is known: one approval, lists, counts, and outcomes that the stream has let go of. */
export function answerLists(parts: ServiceParts, { records, store }: Listing): void {
  answer(parts, requests.outcome, ActionQuestion, async ({ agent, action_id }) => {
    const record = await store.get(action_id);
    const decided = record?.agent === agent ? decidedIn(record) : null;
    return record && decided ? { decided, executed: executedIn(record) } : null;
  });

  answer(parts, requests.undecided, z.object({}), async () => {
    return { count: (await store.countOpen()).undecided };
  });

  answer(parts, requests.approvals, ApprovalsQuestion, async ({ until, by, votable, ...question }) => {
    const page = await store.list({ ...question, ...untilDate(until) });
    const views = (await records.current(page.records)).flatMap((record) => {
      const view = record && approvalView(record, by);
      if (votable && view?.status === 'pending' && !view.may_vote) return [];
      if (!view || (question.status !== 'all' && view.status !== question.status)) return [];
      const concerns = view.status === 'pending' ? isWaitingFor : isFor;
      return concerns(record, question.audience) ? [{ view, seq: requestSeq(record) }] : [];
    });
    const shown = fitting(views);
    const before = shown.length < views.length ? (shown.at(-1)?.seq ?? null) : page.before;
    return { approvals: shown.map(({ view }) => view), before };
  });

  answer(parts, requests.approval, ApprovalQuestion, async ({ action_id, audience, by }) => {
    const record = await records.confirmed(action_id);
    const view = record && isFor(record, audience) ? approvalView(record, by) : null;
    if (!view)
      throw new Refusal('NOT_FOUND', { message: 'There is no approval with this id that concerns you.' });
    // Whom only the agent asks is told of this one alone.
    if (!record || !isOfPolicyFor(record, audience)) return view;
    const name = view.context['case'];
    const ofCase = typeof name === 'string' ? await lastOf(name) : [];
    const others = await records.whole([...ofCase, ...(await alike(view))]);
    const known = others.filter((one) => one !== null);
    return { ...view, earlier: earlierIn(known, action_id) };
  });

  /** However much else there is of a case since, what people were asked about it is among them. */
  async function lastOf(name: string): Promise<ActionRecord[]> {
    const [last, held] = await Promise.all([
      store.lastOfCase(name, earlierMax),
      store.lastHeldOfCase(name, earlierMax),
    ]);
    return [...last, ...held];
  }

  /** What people said before to the same agent that wanted the same: who is refused may ask again in other words. */
  async function alike({ agent, action_name }: ApprovalView): Promise<ActionRecord[]> {
    const { records: decided } = await store.list({
      status: 'decided',
      audience: null,
      agent,
      limit: alikeMax,
    });
    return decided
      .filter((record) => neededIn(record)?.data.action_name === action_name)
      .slice(0, earlierMax);
  }

  /** Whoever was asked about any of the last that people were asked about, by the policy. */
  async function isOpenTo(audience: string[] | null, name: string): Promise<boolean> {
    if (audience === null) return (await store.lastOfCase(name, 1)).length > 0;
    const held = await records.whole(await store.lastHeldOfCase(name, actionsMax));
    return held.some((record) => record && isOfPolicyFor(record, audience));
  }

  answer(parts, requests.waiting, WaitingQuestion, async ({ groups }) => ({
    waiting: await Promise.all(
      groups.map(async ({ name, until, ...selection }) => {
        const found = await store.count({ ...selection, status: 'pending', ...untilDate(until) }, countMax);
        return { name, count: found.count, oldest: found.oldest?.toISOString() ?? null };
      }),
    ),
  }));

  answer(parts, requests.case, CaseQuestion, async ({ case: name, audience, after, limit }) => {
    if (!(await isOpenTo(audience, name))) {
      throw new Refusal('NOT_FOUND', { message: 'There is no case of this name that concerns you.' });
    }
    const page = await store.ofCase(name, { after, limit });
    const found = (await records.whole(page.records)).filter((record) => record !== null);
    return { timeline: timelineOf(found), after: page.after };
  });
}

function untilDate(until: string | undefined): { until?: Date } {
  return until === undefined ? {} : { until: new Date(until) };
}
