import { type Asking, askingFor } from '../world.ts';
import type { Case } from './case.ts';
import type { Moment } from './course.ts';
import { type Examination, examination, type Finding } from './finding.ts';
import { isTo } from './standing.ts';

type Step = Moment<'approval.reminded'> | Moment<'approval.escalated'>;

const isStep = (moment: Moment): moment is Step =>
  moment.at.event.type === 'approval.reminded' || moment.at.event.type === 'approval.escalated';

/** How late a step may be is not asked: a clock that was stopped goes on when it can. */
export function stepsAreTakenOnce({ facts }: Case): Finding {
  const found = examination('13 each step once, and not too early', ['reminders', 'escalations']);
  for (const { action, course, needed, decided } of facts.values()) {
    const askedAt = Date.parse(needed[0]?.event.time ?? '');
    const end = decided[0]?.seq ?? Number.POSITIVE_INFINITY;
    const taken = new Set<string>();
    const counts = { 'approval.reminded': 0, 'approval.escalated': 0 };
    for (const moment of course.filter(isStep)) {
      const { seq, event } = moment.at;
      const { step, number } = event.data;
      const { before } = moment;
      const name = `its step ${step} (${event.type})`;
      counts[event.type] += 1;
      found.count(event.type === 'approval.reminded' ? 'reminders' : 'escalations');
      if (number !== counts[event.type]) found.violated(action, `${name} has the number ${number}`);
      if (seq > end) found.violated(action, `${name} came after the decision`);
      if (!before?.isJudged) found.violated(action, `${name} was taken while the policy judged`);
      if (!before) continue;
      const what = `${before.revision}/${contentOf(event)}`;
      if (taken.has(what) || step < before.steps) found.violated(action, `${name} was taken again`);
      if (step > before.steps) found.violated(action, `${name} was taken before the one that comes first`);
      taken.add(what);
      checkTime(action, moment, askedAt + dueMs(moment, askingFor(before.actionName)), found);
    }
  }
  return found;
}

function contentOf(event: Step['at']['event']): string {
  return event.type === 'approval.reminded'
    ? `remind ${event.data.share}`
    : `ask ${JSON.stringify(event.data.approvers)}`;
}

/** How long after people were first asked it is due; never where the policy knows of no such step. */
function dueMs({ at: { event } }: Step, { remind, escalate, timeoutMs }: Asking): number {
  if (event.type === 'approval.reminded') {
    const { share } = event.data;
    return remind.includes(share) ? Math.round(share * timeoutMs) : Number.NaN;
  }
  const { data } = event;
  const step = escalate.find(({ role, replace }) => isTo(data, role) && replace === (data.replace ?? false));
  return data.demand === 0 ? (step?.afterMs ?? Number.NaN) : Number.NaN;
}

function checkTime(action: string, { at: { event } }: Step, due: number, found: Examination): void {
  const name = `its step ${event.data.step} (${event.type})`;
  if (Number.isNaN(due)) found.violated(action, `${name} is none of the policy's`);
  if (Date.parse(event.time) < due) {
    found.violated(action, `${name} was taken ${due - Date.parse(event.time)} ms too early`);
  }
}
